"""What is known of a metric and a payment window before any target is looked at."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from bcfstats.define.levels import LEVELS
from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period
from bcfstats.stats.annual import regression_to_mean
from bcfstats.stats.rows import critical_value
from bcfstats.words import signed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Texts = NDArray[np.object_]
NO_FIGURES = "there are no figures for this area"
MOSTLY_KEPT = 0.95


@dataclass(frozen=True, eq=False)
class History:
    """How far the metric moved between years in the past, in every area.

    `changes` are like for like, on the working scale; `worth` is how many independent ones an area's are
    worth; `kept` is the share of an unusual improvement that is still there a year later.
    """

    area_codes: tuple[str, ...]
    changes: Floats
    worth: Floats
    kept: float
    span: str


@dataclass(frozen=True)
class NoOutlook:
    """Nothing can be said of a metric and a payment, for any area; the reason says why."""

    reason: str


@dataclass(frozen=True, eq=False)
class Outlook:
    """Baseline, forecast and usual movement, one entry an area (or, after `take`, one a target).

    `before` is the baseline's window, `lag` years earlier; `scale` says whether changes are measured on logs
    or in the metric's unit. `people` is the denominator expected, counted `periods` times in the window.
    `expected_scale` is the error of the do-nothing forecast, made of `area_scale` and `england_scale`;
    `no_chance` says why no chance is given. `usual_scale` is the error of a change when nothing is targeted.
    `noise_least` would just be beyond noise; `noise_test` gives the p-value of values at `places`.
    """

    metric: Metric
    window: Period
    before: Period
    lag: int
    scale: Literal["ratio", "difference"]
    known_until: str
    area_codes: Texts
    area_names: Texts
    value: Floats
    lower: Floats
    upper: Floats
    numerator: Floats
    denominator: Floats
    people: Floats
    periods: int
    expected: Floats
    expected_scale: Floats
    expected_df: Floats
    area_scale: Floats
    area_df: Floats
    england_scale: Floats
    no_chance: Texts
    usual_scale: Floats
    usual_df: Floats
    noise_least: Floats
    noise_test: Callable[[Ints, Floats], Floats]
    places: Ints
    history: History
    method: str
    reason: Texts
    warnings: Texts

    @property
    def direction(self) -> float:
        """Which way is better: plus one where higher is."""
        return self.metric.direction

    @property
    def months(self) -> int:
        """Months in the payment window."""
        return self.window.n_months

    @property
    def values_per_event(self) -> Floats:
        """What one event in the payment window adds to the value."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.metric.multiplier / (self.people * self.periods))

    @property
    def expected_events(self) -> Floats:
        """How many events are expected in the window if nothing is done."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.expected / self.values_per_event)

    def per_month(self, events: Floats) -> Floats:
        """Events of the window as so many a month: of a flow only, not of a stock or a sample."""
        return events / self.months if self.metric.nature == "flow" else np.full(len(events), np.nan)

    def take(self, places: Ints) -> "Outlook":
        """Line the entries up with targets: one entry for each place named."""
        arrays = {
            field.name: getattr(self, field.name)[places]
            for field in fields(self)
            if isinstance(getattr(self, field.name), np.ndarray)
        }
        return replace(self, **arrays)

    def improvement(self, start: Floats, end: Floats) -> Floats:
        """Size of a change on the working scale, positive for the better; NaN from none to none."""
        with np.errstate(invalid="ignore"):
            return self.direction * (self._onto(end) - self._onto(start))

    def better_by(self, start: Floats, size: Floats) -> Floats:
        """Give the value that is better by a size on the working scale; NaN where there can be none."""
        shift = self.direction * size
        moved = start * np.exp(shift) if self.scale == "ratio" else start + shift
        lowest, highest = self.metric.bounds
        return np.where((moved >= lowest) & (moved <= highest), moved, np.nan)

    def minimum_significant(self) -> Floats:
        """Value that would just be significant against usual movement."""
        return self.better_by(self.value, critical_value(LEVELS.interval, self.usual_df) * self.usual_scale)

    def detectable(self, power: float = LEVELS.power) -> Floats:
        """Value that, truly reached, would be found significant with this power."""
        size = critical_value(LEVELS.interval, self.usual_df) + special.ndtri(power)
        return self.better_by(self.value, size * self.usual_scale)

    def usual_p(self, value: Floats) -> Floats:
        """One-sided p-value of a change from the baseline against usual movement."""
        return self._tail(self.improvement(self.value, value), self.usual_scale, self.usual_df)

    def chance_if_nothing_changes(self, line: Floats) -> Floats:
        """Chance that the outcome is at least as good as a line if the true level stays at the baseline."""
        return self.usual_p(line)

    def chance(self, line: Floats, further: Floats | float = 0.0) -> Floats:
        """Chance of an outcome at least as good as a line, from the forecast made better by a size."""
        with np.errstate(invalid="ignore"):
            size = self.improvement(self.expected, line) - further
        return self._tail(size, self.expected_scale, self.expected_df)

    def with_england(self, moves: float) -> "Outlook":
        """Take England to be so many of its usual movements better than expected; the areas' part is left.

        The forecast is NaN where England's part of the error is not known.
        """
        known = np.where(self.england_scale > 0, self.england_scale, np.nan)
        return replace(
            self,
            expected=self.better_by(self.expected, moves * known),
            expected_scale=self.area_scale,
            expected_df=self.area_df,
            england_scale=np.zeros_like(known),
        )

    def line_with_chance(self, chance: float) -> Floats:
        """Value that is reached or bettered with this chance if nothing is done."""
        size = -special.stdtrit(self.expected_df, chance) * self.expected_scale
        return self.better_by(self.expected, size)

    def expected_interval(self, confidence_level: float = LEVELS.forecast) -> tuple[Floats, Floats]:
        """Limits of the outcome if nothing is done."""
        half = critical_value(confidence_level, self.expected_df) * self.expected_scale
        middle = self._onto(self.expected)
        low, high = middle - half, middle + half
        if self.scale == "ratio":
            low, high = np.exp(low), np.exp(high)
        lowest, highest = self.metric.bounds
        return np.maximum(low, lowest), np.minimum(high, highest)

    def _onto(self, value: Floats) -> Floats:
        if self.scale == "difference":
            return np.asarray(value, dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(value)

    @staticmethod
    def _tail(size: Floats, scale: Floats, df: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(special.stdtr(df, -size / scale))


def about(chance: float) -> str:
    """Write a chance as closely as its record bears: "about 4 in 10"."""
    if not np.isfinite(chance):
        return "an unknown number"
    if chance < 0.05 or chance > 0.95:
        return "fewer than 1 in 20" if chance < 0.5 else "more than 19 in 20"
    return f"about {min(max(round(10 * chance), 1), 9)} in 10"


def history_of(area_codes: tuple[str, ...], changes: Floats, worth: Floats, lag: int, span: str) -> History:
    """Put a `History` together; `lag` is how many columns of changes make them independent of each other."""
    return History(area_codes, changes, worth, _kept(_apart(changes, lag)), span)


def extreme_notes(changes: Floats, lag: int, scale: str) -> Texts:
    """Say of each area whose last change was among the most extreme tenths that some of it will go back."""
    apart = _apart(changes, lag)
    kept = _kept(apart)
    if not np.isfinite(kept) or kept > MOSTLY_KEPT:
        return np.full(len(changes), "", dtype=object)
    found, last = regression_to_mean(apart), apart[:, -1]
    size = 100 * np.expm1(last) if scale == "ratio" else last
    unit = " %" if scale == "ratio" else ""
    return np.array(
        [
            f"its last yearly change ({signed(move)}{unit}) was among the most extreme: "
            f"about {100 * (1 - kept):.0f} % of such a change goes back by itself"
            if odd and np.isfinite(move)
            else ""
            for odd, move in zip(found.outlier, size, strict=True)
        ],
        dtype=object,
    )


def _apart(changes: Floats, lag: int) -> Floats:
    return changes[:, ::-1][:, ::lag][:, ::-1]


def _kept(apart: Floats) -> float:
    """Share of an unusual change that is still there a year later; NaN where it cannot be measured."""
    kept = 1 + regression_to_mean(apart).reliability if apart.shape[1] > 1 else np.nan
    return float(np.clip(kept, 0.0, 1.0))


def joined(*texts: Texts) -> Texts:
    """Join arrays of texts entry by entry, with "; " between those that are not empty."""
    return np.array(["; ".join(filter(None, row)) for row in zip(*texts, strict=True)], dtype=object)


def of_area(seen: Outlook | NoOutlook, area: str) -> Outlook | NoOutlook:
    """Keep the one entry of an area, or say that it has no figures."""
    if isinstance(seen, NoOutlook):
        return seen
    here = np.flatnonzero(seen.area_codes == area)
    return seen.take(here) if here.size else NoOutlook(NO_FIGURES)
