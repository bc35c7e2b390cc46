"""A change from baseline: what every comparison returns, and how it is put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from bcfstats.errors import ParameterError
from bcfstats.stats.rows import (
    Flags,
    Floats,
    Level,
    Texts,
    as_level,
    at_levels,
    critical_value,
    first_reason,
    reasons,
    unwrap,
    upper_tail,
    usable,
)

Scale = Literal["difference", "ratio"]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A change from baseline and how surprising it is, one a row.

    Attributes
    ----------
    value : ndarray
        The difference from baseline, or the ratio to it; NaN where it cannot be computed.
    lower, upper : ndarray, shape of `value`, or (levels, *shape of value)
        Confidence limits.
    scale : "difference" or "ratio"
        What `value` is: no change is 0 or 1.
    p_value : ndarray
        Two-sided: chance of a change at least as surprising, either way, if nothing had changed.
    p_improvement : ndarray
        One-sided in the improving direction; NaN where no polarity was given.
    confidence_level : float or tuple of float
        0.95 for 95 %.
    method, reason : ndarray of str
        The formula used for the row; why something is missing, empty where nothing is.
    """

    value: Floats
    lower: Floats
    upper: Floats
    scale: Scale
    p_value: Floats
    p_improvement: Floats
    confidence_level: float | tuple[float, ...]
    method: Texts
    reason: Texts


def comparison(
    value: Floats,
    limits: tuple[Floats, Floats],
    scale: Scale,
    p_fall: Floats,
    p_rise: Floats,
    polarity: npt.ArrayLike | None,
    confidence_level: Level,
    method: Texts,
    reason: Texts,
) -> Comparison:
    """Return a `Comparison` from the one-sided p-values of a fall and of a rise."""
    if polarity is None:
        p_improvement = np.full(value.shape, np.nan)
    else:
        p_improvement = np.where(higher_is_better(polarity), p_rise, p_fall)
    return Comparison(
        unwrap(value),
        unwrap(limits[0]),
        unwrap(limits[1]),
        scale,
        unwrap(np.minimum(1.0, 2 * np.minimum(p_fall, p_rise))),
        unwrap(p_improvement),
        as_level(confidence_level),
        unwrap(method),
        unwrap(reason),
    )


def higher_is_better(polarity: npt.ArrayLike) -> Flags:
    """Return True where the polarity is "higher" and False where it is "lower"."""
    given = np.asarray(polarity)
    higher = np.asarray(given == "higher", dtype=bool)
    if not np.all(higher | (given == "lower")):
        raise ParameterError(
            "The polarity is not understood.", found=f"{polarity!r}", do='Write "lower" or "higher".'
        )
    return higher


def from_standard_error(
    change: Floats,
    error: Floats,
    scale: Scale,
    polarity: npt.ArrayLike | None,
    confidence_level: Level,
    method: Texts,
    reason: Texts,
    degrees_of_freedom: npt.ArrayLike = np.inf,
) -> Comparison:
    """Return the comparison of a change, or of the log of a ratio, with a known standard error."""
    reason = first_reason(
        reason, reasons(change.shape, ("nothing varies: there is no error to test with", error == 0))
    )
    change, error = usable(reason, change, error)
    back = np.exp if scale == "ratio" else np.asarray

    def limits(level: float) -> tuple[Floats, Floats]:
        margin = critical_value(level, degrees_of_freedom) * error
        return back(change - margin), back(change + margin)

    t = change / error
    return comparison(
        back(change),
        at_levels(limits, confidence_level),
        scale,
        upper_tail(-t, degrees_of_freedom),
        upper_tail(t, degrees_of_freedom),
        polarity,
        confidence_level,
        np.where(reason != "", "", method),
        reason,
    )
