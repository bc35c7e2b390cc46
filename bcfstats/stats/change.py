"""A change from baseline: what every comparison returns, how it is put together, and what it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from bcfstats.stats.rows import (
    Floats,
    Level,
    Texts,
    above_zero,
    as_level,
    at_levels,
    blanked,
    critical_value,
    first_reason,
    higher_is_better,
    negative,
    not_a_number,
    reasons,
    unwrap,
    upper_tail,
)
from bcfstats.stats.tolerance import negligible, settled

Scale = Literal["difference", "ratio"]
Limits = tuple[Floats, Floats]
AT_BASELINE = " at baseline"
FLAT = "the series does not vary"
NOTHING_VARIES = "nothing varies: there is no error to test with"


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A change from baseline and how surprising it is, one a row."""

    value: Floats  # the difference from baseline, or the ratio to it; NaN where it cannot be computed
    lower: Floats  # confidence limits
    upper: Floats
    scale: Scale  # what `value` is: no change is 0 or 1
    p_value: Floats  # two-sided: chance of as surprising a change, either way, if nothing had changed
    p_improvement: Floats  # one-sided in the improving direction; NaN where no polarity was given
    confidence_level: float | tuple[float, ...]  # 0.95 for 95 %
    method: Texts  # the formula used for the row
    reason: Texts  # why something is missing, empty where nothing is


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What a user asks of a comparison: which way is better, and the level of its limits."""

    polarity: npt.ArrayLike | None
    confidence_level: Level

    def comparison(
        self,
        value: Floats,
        limits: Callable[[float], Limits],
        scale: Scale,
        p_fall_and_rise: Limits,
        method: Texts,
        reason: Texts,
    ) -> Comparison:
        """Return a `Comparison` from limits at a level and one-sided p-values of a fall and a rise."""
        p_fall, p_rise = p_fall_and_rise
        if self.polarity is None:
            p_improvement = np.full(value.shape, np.nan)
        else:
            p_improvement = np.where(higher_is_better(self.polarity, value.shape), p_rise, p_fall)
        value, lower, upper = map(unwrap, (value, *at_levels(limits, self.confidence_level)))
        p_value = np.minimum(1.0, 2 * np.minimum(p_fall, p_rise))
        p_value, p_improvement, method, reason = map(unwrap, (p_value, p_improvement, method, reason))
        level = as_level(self.confidence_level)
        return Comparison(value, lower, upper, scale, p_value, p_improvement, level, method, reason)

    def from_standard_error(
        self,
        change: Floats,
        error: Floats,
        scale: Scale,
        method: Texts,
        reason: Texts,
        degrees_of_freedom: npt.ArrayLike = np.inf,
        size: npt.ArrayLike = 1.0,
    ) -> Comparison:
        """Return the comparison of a change, or of the log of a ratio, with a known standard error."""
        reason = first_reason(reason, reasons(change.shape, (NOTHING_VARIES, negligible(error, size))))
        change, error = blanked(reason, change, error)
        back = np.exp if scale == "ratio" else np.asarray

        def limits(level: float) -> Limits:
            margin = critical_value(level, degrees_of_freedom) * error
            return back(change - margin), back(change + margin)

        t = change / error
        p = upper_tail(-t, degrees_of_freedom), upper_tail(t, degrees_of_freedom)
        method = np.where(reason != "", "", method)
        return self.comparison(back(change), limits, scale, p, method, reason)


def variance_reasons(tau2: Floats) -> Texts:
    """Return why a row has no between-year variance."""
    name = "between-year variance"
    return reasons(tau2.shape, not_a_number(name, tau2), negative(name, tau2))


def dispersion_reasons(dispersion: Floats, degrees_of_freedom: Floats) -> Texts:
    """Return why a row has no dispersion, or no degrees of freedom for it."""
    return reasons(
        dispersion.shape,
        *above_zero("dispersion", dispersion),
        ("the degrees of freedom are missing", np.isnan(degrees_of_freedom)),
        ("the degrees of freedom are zero or below", degrees_of_freedom <= 0),
    )


def mean_reasons(mean: Floats, deviation: Floats, n: Floats, suffix: str = "") -> Texts:
    """Return why a row's summary gives no standard error of its mean."""
    return reasons(
        mean.shape,
        not_a_number(f"mean{suffix}", mean),
        not_a_number(f"standard deviation{suffix}", deviation),
        negative(f"standard deviation{suffix}", deviation),
        not_a_number(f"sample size{suffix}", n),
        (f"fewer than two people were asked{suffix}", n < 2),
    )


def welch(s1: Floats, n1: Floats, s0: Floats, n0: Floats, tau2: Floats) -> tuple[Floats, Floats]:
    """Return the standard error of the difference of two means and its degrees of freedom."""
    v1, v0 = s1 * s1 / n1, s0 * s0 / n0
    spread = v1 * v1 / (n1 - 1) + v0 * v0 / (n0 - 1)
    df = np.where(spread > 0, (v1 + v0 + tau2) ** 2 / np.where(spread > 0, spread, 1.0), np.inf)
    return np.sqrt(v1 + v0 + tau2), df


def interval_reasons(value: Floats, lower: Floats, upper: Floats, scale: Scale, suffix: str = "") -> Texts:
    """Return why published limits give no standard error."""
    below, above = (
        settled(gap, np.maximum(np.abs(lower), np.abs(upper))) for gap in (lower - value, value - upper)
    )
    not_logged = (lower <= 0) if scale == "ratio" else np.zeros(value.shape, dtype=bool)
    return reasons(
        value.shape,
        not_a_number(f"value{suffix}", value),
        not_a_number(f"lower limit{suffix}", lower),
        not_a_number(f"upper limit{suffix}", upper),
        (f"the limits do not enclose the value{suffix}", (below > 0) | (above > 0)),
        (f"the lower limit{suffix} is zero or below: no ratio", not_logged),
    )
