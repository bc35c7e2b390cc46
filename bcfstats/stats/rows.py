"""Rows in, rows out: inputs of one shape, a reason for every row that has no answer, critical values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from scipy import special

from bcfstats.errors import ParameterError

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]
Labels = npt.NDArray[np.generic]
Level = float | Sequence[float]

CONFIDENCE = 0.95
FORECAST_CONFIDENCE = 0.8
CHART_CONFIDENCE = (0.95, 0.998)
POWER = 0.8
MINIMUM_AREAS = 20
_Array = TypeVar("_Array", bound=npt.NDArray[Any])

MISSING = "the {} is missing"
NEGATIVE = "the {} is below zero"
NOT_POSITIVE = "the {} is zero or below"


def as_rows(**inputs: npt.ArrayLike) -> list[Floats]:
    """Return the named inputs as float arrays of one shape."""
    arrays = [_floats(name, given) for name, given in inputs.items()]
    try:
        return list(np.broadcast_arrays(*arrays))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in zip(inputs, arrays, strict=True))
        raise ParameterError(
            "The inputs do not have the same number of rows.",
            found=shapes,
            do="Give arrays of one shape, or single numbers.",
        ) from None


def _floats(name: str, given: npt.ArrayLike) -> Floats:
    try:
        return np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise ParameterError(
            f"The {name.replace('_', ' ')} is not all numbers.",
            do="Turn suppressed or missing cells into NaN.",
        ) from None


def reasons(shape: tuple[int, ...], *checks: tuple[str, Flags]) -> Texts:
    """Return the first text whose flag is set in each row, and an empty text where none is."""
    found = np.full(shape, "", dtype=object)
    for text, flag in reversed(checks):
        found[flag] = text
    return found


def first_reason(*found: Texts) -> Texts:
    """Return for each row the first text that is not empty."""
    reason = found[-1].copy()
    for earlier in reversed(found[:-1]):
        reason = np.where(earlier != "", earlier, reason)
    return reason


def not_a_number(name: str, values: Floats) -> tuple[str, Flags]:
    """Check that rows have a finite value."""
    return MISSING.format(name), ~np.isfinite(values)


def negative(name: str, values: Floats) -> tuple[str, Flags]:
    """Check that no row is below zero."""
    return NEGATIVE.format(name), values < 0


def not_positive(name: str, values: Floats) -> tuple[str, Flags]:
    """Check that every row is above zero."""
    return NOT_POSITIVE.format(name), values <= 0


def blanked(reason: Texts, *arrays: Floats) -> list[Floats]:
    """Return the arrays with NaN in every row that has a reason, so that no formula warns about it."""
    bad = reason != ""
    if not np.any(bad):
        return list(arrays)
    return [np.where(bad, np.nan, array) for array in arrays]


def labelled(flag: Flags, if_true: str, if_false: str, reason: Texts) -> Texts:
    """Return one of two names for each row, and an empty one where there is a reason."""
    choice = np.where(reason != "", 2, np.where(flag, 1, 0))
    return np.asarray(np.array([if_false, if_true, ""], dtype=object)[choice], dtype=object)


def named(name: str, reason: Texts) -> Texts:
    """Return the method's name for each row, and an empty one where there is a reason."""
    return labelled(np.zeros(reason.shape, dtype=bool), "", name, reason)


def unwrap(array: _Array) -> _Array:
    """Return a single number or text for an input that was a single number."""
    return cast(_Array, array[()])


def critical_value(confidence_level: float, degrees_of_freedom: npt.ArrayLike = np.inf) -> Floats:
    """Return the two-sided critical value of Student's t, or of the normal when df is infinite."""
    tail = (1 - check_level(confidence_level)) / 2
    return np.asarray(-special.stdtrit(degrees_of_freedom, tail))


def upper_tail(statistic: Floats, degrees_of_freedom: npt.ArrayLike = np.inf) -> Floats:
    """Return P(T > statistic), accurate far into the tail."""
    return np.asarray(special.stdtr(degrees_of_freedom, -statistic))


def check_level(confidence_level: float) -> float:
    """Return the confidence level, which is a share: 0.95, not 95."""
    if not 0 < confidence_level < 1:
        raise ParameterError(
            "The confidence level is not between 0 and 1.",
            found=f"{confidence_level:g}",
            do="Write 95 % as 0.95.",
        )
    return float(confidence_level)


def as_level(confidence_level: Level) -> float | tuple[float, ...]:
    """Return one checked level, or a tuple of them."""
    if isinstance(confidence_level, (int, float)):
        return check_level(confidence_level)
    return tuple(check_level(level) for level in confidence_level)


def at_levels(
    limits: Callable[[float], tuple[Floats, Floats]], confidence_level: Level
) -> tuple[Floats, Floats]:
    """Return lower and upper limits at one level, or stacked on a leading axis for several."""
    levels = as_level(confidence_level)
    if isinstance(levels, float):
        return limits(levels)
    lower, upper = zip(*(limits(level) for level in levels), strict=True)
    return np.stack(lower), np.stack(upper)


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Which group each row belongs to: its place in the sorted labels."""

    code: npt.NDArray[np.intp]
    label: Labels

    def total(self, values: Floats) -> Floats:
        """Return the sum of the values in each group."""
        return np.bincount(self.code, weights=values, minlength=self.label.size).astype(float, copy=False)


def group_rows(groups: npt.ArrayLike, rows: int) -> Groups:
    """Return the group of every row; only the first row of each run of equal labels is sorted."""
    labels = np.asarray(groups)
    if labels.shape != (rows,):
        raise ParameterError(
            "The groups do not have one label a row.", found=f"{labels.shape} for {rows} rows"
        )
    starts = np.flatnonzero(np.concatenate([[True], labels[1:] != labels[:-1]])[:rows])
    first = labels[starts]
    if np.any((first != first) | (first.astype(object) == np.array(None, dtype=object))):
        raise ParameterError("A row has no group.", do="Give every row the label of its group.")
    label, code = np.unique(first, return_inverse=True)
    return Groups(np.repeat(code, np.diff(np.append(starts, rows))), label)


NORMAL_MAD = 1.482602218505602


def masked_median(values: npt.ArrayLike, seen: npt.ArrayLike) -> Floats:
    """Median along the last axis of the values that are seen; NaN where there is none."""
    given, there = np.asarray(values, dtype=float), np.asarray(seen, dtype=bool)
    if given.shape[-1] == 0:
        return np.full(given.shape[:-1], np.nan)
    ordered = np.sort(np.where(there, given, np.inf), axis=-1)
    n = there.sum(axis=-1)
    low, high = (np.maximum(place, 0)[..., None] for place in ((n - 1) // 2, n // 2))
    high = np.minimum(high, given.shape[-1] - 1)
    middle = np.take_along_axis(ordered, low, -1)[..., 0], np.take_along_axis(ordered, high, -1)[..., 0]
    total = np.where(n > 0, middle[0], 0.0) + np.where(n > 0, middle[1], 0.0)
    return np.where(n > 0, total / 2, np.nan)


def masked_deviation(values: Floats, seen: Flags) -> Floats:
    """Median absolute value along the last axis, scaled to the standard deviation of a normal."""
    return np.asarray(NORMAL_MAD * masked_median(np.abs(values), seen))
