"""What each kind of statistic is: how it follows from counts, and how a change of it is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Scale = Literal["ratio", "difference"]


@dataclass(frozen=True)
class Kind:
    """The facts about a statistic that any room may ask for.

    A `change` is told as a ratio in per cent or as a difference in points; `scale` is what movement
    between years is measured on, logs or values. `is_share`: no value passes the multiplier; `is_survey`:
    estimated from the weighted answers of a sample; `is_quotient`: numerator / denominator x multiplier,
    and nothing else; `is_standardised`: counts alone cannot give it; `counts_events`: the numerator
    counts events or people, as that of a mean score does not; `counts_people`: the denominator counts the
    people measured; `per_resident`: it is a resident population.
    """

    change: Scale
    scale: Scale
    is_share: bool = False
    is_survey: bool = False
    is_quotient: bool = True
    is_standardised: bool = False
    counts_events: bool = True
    counts_people: bool = False
    per_resident: bool = False

    @property
    def is_counted_share(self) -> bool:
        """Whether it is a share of people who were all counted: both those in and those out are known."""
        return self.is_share and not self.is_survey

    @property
    def gives_numerator_away(self) -> bool:
        """Whether value and denominator together tell how many were counted."""
        return self.is_quotient and self.counts_events

    @property
    def is_exact(self) -> bool:
        """Whether the counts give the value exactly."""
        return self.gives_numerator_away and not self.is_survey

    @property
    def needs_population(self) -> bool:
        """Whether the value is a count over a resident population, and nothing else."""
        return self.is_quotient and self.per_resident

    @property
    def tells_events(self) -> bool:
        """Whether a change of the value is so many events or people more or fewer."""
        return self.counts_events and not self.is_survey and not self.is_standardised


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "crude_rate": Kind("ratio", "ratio", per_resident=True),
        "proportion": Kind("difference", "difference", is_share=True, counts_people=True),
        "ratio_of_counts": Kind("ratio", "ratio", counts_people=True),
        "survey_proportion": Kind(
            "difference", "difference", is_share=True, is_survey=True, counts_people=True
        ),
        "mean": Kind("difference", "difference", is_survey=True, counts_events=False, counts_people=True),
        "directly_standardised_rate": Kind(
            "ratio", "ratio", is_quotient=False, is_standardised=True, per_resident=True
        ),
        "indirectly_standardised_rate": Kind(
            "ratio", "ratio", is_quotient=False, is_standardised=True, per_resident=True
        ),
        "modelled_ratio": Kind("difference", "ratio", is_quotient=False),
    }
)
