"""Chance within a period, by kind of metric: intervals, comparisons and the least significant change."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bcfstats.define.levels import LEVELS
from bcfstats.define.metrics import Metric
from bcfstats.stats import estimates
from bcfstats.stats.comparisons import Comparison, compare_estimates, compare_proportions, compare_rates
from bcfstats.stats.improvements import estimate_improvement, proportion_improvement, rate_improvement
from bcfstats.stats.rows import critical_value

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Figures:
    """Values with what they are made of, one entry an area.

    The numerator is what the value stands for (`events`); `unrounded` is the value as counts make it;
    `dispersion` is the variance of the numerator over that of independent events, on `df` degrees of freedom.
    """

    numerator: Floats
    denominator: Floats
    value: Floats
    lower: Floats
    upper: Floats
    unrounded: Floats
    dispersion: Floats
    df: Floats

    @classmethod
    def of(cls, frame: pd.DataFrame, metric: Metric) -> "Figures":
        """Take the figures of a table, of independent events."""
        names = {"numerator": "events", "denominator": "exposure"}
        columns = {
            name: frame[names.get(name, name)].to_numpy(dtype=float)
            for name in ("numerator", "denominator", "value", "lower", "upper")
        }
        with np.errstate(divide="ignore", invalid="ignore"):
            unrounded = metric.multiplier * columns["numerator"] / columns["denominator"]
        n = len(frame)
        return cls(**columns, unrounded=unrounded, dispersion=np.ones(n), df=np.full(n, np.inf))

    def take(self, places: NDArray[np.int64]) -> "Figures":
        """Line the entries up with others."""
        return replace(self, **{field.name: getattr(self, field.name)[places] for field in fields(self)})


@dataclass(frozen=True)
class Chance:
    """How chance within a period is measured.

    `interval` gives limits from counts (None where they do not give any), `compare` holds later figures
    against earlier ones, `reach` gives the figures that values would be over other denominators, `least` the
    values just beyond chance over them.
    """

    interval: Callable[..., estimates.Estimate] | None
    compare: Callable[[Metric, Figures, Figures, str | None], Comparison]
    reach: Callable[[Metric, Figures, Floats, Floats], Figures]
    least: Callable[[Metric, Figures, Floats], Floats]
    method: str

    def p_value(self, metric: Metric, now: Figures, value: Floats, later: Floats) -> Floats:
        """One-sided p-value of a later value, in the improving direction."""
        reached = self.reach(metric, now, value, later)
        return np.asarray(self.compare(metric, reached, now, metric.polarity).p_improvement)


def chance(metric: Metric) -> Chance:
    """Say how chance within a period is measured for a metric.

    Shares of people who were all counted are binomial. Rates of events are Poisson, with the dispersion their
    figures carry. All else rests on limits that are published or made.
    """
    kind = metric.kind
    if scatters_by_month(metric):
        return BY_MONTHS
    if kind.is_counted_share:
        return SHARES
    if kind.is_exact and (metric.independent_events or counted_by_month(metric)):
        return RATES if metric.independent_events else DISPERSED
    return BY_LIMITS


def counted_by_month(metric: Metric) -> bool:
    """Whether it is a rate of events counted month by month: person-days, season and forecast apply."""
    return metric.frequency == "month" and metric.nature == "flow" and metric.kind.needs_population


def scatters_by_month(metric: Metric) -> bool:
    """Whether it is a quotient of counts month by month that hang together: its months tell the noise.

    >>> from bcfstats.define.metrics import METRICS
    >>> [name for name, metric in METRICS.items() if scatters_by_month(metric)]
    ['average_discharge_delay', 'discharged_on_ready_date', 'days_if_delayed']
    """
    own = metric.kind.is_exact and not metric.kind.per_resident
    return own and metric.frequency == "month" and metric.nature == "flow" and not metric.independent_events


def has_funnel(metric: Metric) -> bool:
    """Whether chance follows from the counts of a metric, so that a funnel can be drawn."""
    return chance(metric) is SHARES or (chance(metric) is RATES and not counted_by_month(metric))


def sampling_variance(metric: Metric, now: Figures) -> Floats:
    """Sampling variance of each figure on the scale its movement between years is measured on."""
    kind, n, multiplier = metric.kind, now.denominator, metric.multiplier
    with np.errstate(divide="ignore", invalid="ignore"):
        if chance(metric) is SHARES:
            share = np.clip(now.value / multiplier, 0.5 / n, 1 - 0.5 / n)
            return np.asarray(multiplier**2 * share * (1 - share) / n)
        if kind.tells_events and not scatters_by_month(metric):
            return np.asarray(np.where(now.numerator > 0, 1 / now.numerator, np.nan))
        width = np.log(now.upper / now.lower) if kind.scale == "ratio" else now.upper - now.lower
        return np.asarray((width / (2 * critical_value(LEVELS.interval))) ** 2)


def change_columns(metric: Metric, made: Comparison) -> dict[str, object]:
    """Lay a comparison out as a change in per cent, or in the metric's own points."""
    if made.scale == "ratio":
        sizes, unit = [100 * (part - 1) for part in (made.value, made.lower, made.upper)], "%"
    else:
        scale = metric.multiplier if chance(metric) is SHARES else 1.0  # of shares of one
        sizes, unit = [scale * part for part in (made.value, made.lower, made.upper)], metric.points
    names = ("change", "change_lower", "change_upper")
    return {**dict(zip(names, sizes, strict=True)), "change_unit": unit, "noise_p": made.p_improvement}


def _compare_shares(metric: Metric, after: Figures, before: Figures, polarity: str | None) -> Comparison:
    return compare_proportions(
        after.numerator, after.denominator, before.numerator, before.denominator, polarity=polarity
    )


def _share_reached(metric: Metric, now: Figures, value: Floats, later: Floats) -> Figures:
    return replace(now, numerator=value / metric.multiplier * later, denominator=later, value=value)


def _least_share(metric: Metric, now: Figures, later: Floats) -> Floats:
    return np.asarray(
        proportion_improvement(
            now.value / metric.multiplier * now.denominator,
            now.denominator,
            later_denominator=later,
            polarity=metric.polarity,
            multiplier=metric.multiplier,
        ).value
    )


def _compare_rates(metric: Metric, after: Figures, before: Figures, polarity: str | None) -> Comparison:
    return compare_rates(
        after.numerator,
        after.denominator,
        before.numerator,
        before.denominator,
        polarity=polarity,
        dispersion=before.dispersion,
        degrees_of_freedom=before.df,
    )


def _rate_reached(metric: Metric, now: Figures, value: Floats, later: Floats) -> Figures:
    with np.errstate(divide="ignore", invalid="ignore"):
        events = value / now.unrounded * now.numerator * later / now.denominator
    return replace(now, numerator=events, denominator=later, value=value)


def _least_rate(metric: Metric, now: Figures, later: Floats) -> Floats:
    least = rate_improvement(
        now.numerator,
        now.denominator,
        later_denominator=later,
        polarity=metric.polarity,
        dispersion=now.dispersion,
        degrees_of_freedom=now.df,
    )
    return np.asarray(now.unrounded * least.ratio)


def _compare_limits(metric: Metric, after: Figures, before: Figures, polarity: str | None) -> Comparison:
    values = (part for one in (after, before) for part in (one.value, one.lower, one.upper))
    return compare_estimates(*values, scale=metric.kind.change, polarity=polarity)


def _value_reached(metric: Metric, now: Figures, value: Floats, later: Floats) -> Figures:
    if metric.kind.change == "ratio":
        with np.errstate(divide="ignore", invalid="ignore"):
            shift = value / now.value
        return replace(now, value=value, lower=now.lower * shift, upper=now.upper * shift)
    shift = value - now.value
    return replace(now, value=value, lower=now.lower + shift, upper=now.upper + shift)


def _least_value(metric: Metric, now: Figures, later: Floats) -> Floats:
    return np.asarray(
        estimate_improvement(
            now.value,
            now.lower,
            now.upper,
            polarity=metric.polarity,
            scale=metric.kind.change,
            within=metric.bounds,
        ).value
    )


SHARES = Chance(
    interval=estimates.proportion,
    compare=_compare_shares,
    reach=_share_reached,
    least=_least_share,
    method="the difference of two proportions (Newcombe), for noise only",
)
RATES = Chance(
    interval=estimates.crude_rate,
    compare=_compare_rates,
    reach=_rate_reached,
    least=_least_rate,
    method="the rate ratio of independent events, for noise only",
)
DISPERSED = replace(
    RATES,
    interval=None,
    method="the rate ratio of the same months with month-to-month dispersion, for noise only",
)
BY_LIMITS = Chance(
    interval=None,
    compare=_compare_limits,
    reach=_value_reached,
    least=_least_value,
    method="the two values with their published intervals, for sampling error only",
)
BY_MONTHS = replace(
    BY_LIMITS,
    method="the two values with intervals from how single months scatter, for noise only",
)
