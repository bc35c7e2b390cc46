"""Rows in, rows out: inputs checked at the door, a reason for every row that has no answer, levels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
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
_DOUBLE = 8  # bytes


def as_rows(**inputs: npt.ArrayLike) -> list[Floats]:
    """Return the named inputs as float arrays of one shape."""
    arrays = [as_numbers(name, given) for name, given in inputs.items()]
    try:
        return list(np.broadcast_arrays(*arrays))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in zip(inputs, arrays, strict=True))
        raise ParameterError(
            "The inputs do not have the same number of rows.",
            found=shapes,
            do="Give arrays of one shape, or single numbers.",
        ) from None


def as_numbers(name: str, given: npt.ArrayLike) -> Floats:
    """Return the input as floats: masked, None and NA are NaN; text and dates are refused."""
    if isinstance(given, np.ma.MaskedArray):
        return np.where(np.ma.getmaskarray(given), np.nan, as_numbers(name, given.data))
    kind = getattr(getattr(given, "dtype", None), "kind", "O")
    if kind in "iufb" and not isinstance(given, np.ndarray | np.generic):
        given = _with_gaps(given)
    try:
        array = np.asarray(given)
    except (TypeError, ValueError):
        raise _not_numbers(name, given) from None
    if array.dtype.kind in "iub" or array.dtype == np.float64:
        return array.astype(float, copy=False)
    if array.dtype.kind == "f":
        return array.astype(str).astype(float) if array.dtype.itemsize < _DOUBLE else array.astype(float)
    if array.dtype.kind == "O":
        return np.array([_as_number(name, value) for value in array.ravel()], dtype=float).reshape(
            array.shape
        )
    raise _not_numbers(name, array.ravel()[0] if array.size else given)


def _with_gaps(given: Any) -> Any:
    """Numbers of a library with marks of its own for missing ones, as numpy has them."""
    if not hasattr(given, "to_numpy"):
        return given
    single = given.dtype.kind == "f" and getattr(given.dtype, "itemsize", _DOUBLE) < _DOUBLE
    try:
        return given.to_numpy(dtype=np.float32 if single else float, na_value=np.nan)
    except TypeError:
        return given.to_numpy()


def _as_number(name: str, value: object) -> float:
    if is_missing(value):
        return np.nan
    number = as_number(value, allow_flags=True)
    if number is None:
        raise _not_numbers(name, value)
    return number


def as_table(name: str, given: npt.ArrayLike) -> Floats:
    """Return the input as floats, areas by points; a single row is one area."""
    table = np.atleast_2d(as_numbers(name, given))
    if table.ndim != 2:
        raise ParameterError(
            f"The {name} is not a table of areas by periods.", found=f"{table.ndim} dimensions"
        )
    return table


def as_number(value: object, *, allow_flags: bool = False) -> float | None:
    """Return one number as a float, or None where it is text, a date or anything else."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, bool | np.bool_):
        return float(value) if allow_flags else None
    if isinstance(value, np.floating) and value.itemsize < _DOUBLE:
        return float(str(value))
    return float(value) if isinstance(value, Real | Decimal) else None


def is_missing(value: object) -> bool:
    """Whether this stands for a missing value: None, NaN, NaT, NA or a masked cell."""
    if value is None or value is np.ma.masked or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.generic) and bool(value != value)


def _not_numbers(name: str, given: object) -> ParameterError:
    return ParameterError(
        f"The {name.replace('_', ' ')} is not all numbers.",
        found=f"{given!r:.80}",
        do="Turn text into numbers, and suppressed or missing cells into NaN.",
    )


def check_number(name: str, value: object, low: float, high: float, do: str) -> float:
    """Return one number that must lie between two others, the ends left out."""
    number = as_number(value)
    if number is None or not low < number < high:
        raise ParameterError(f"The {name} is not a number {_between(low, high)}.", found=f"{value!r}", do=do)
    return number


def _between(low: float, high: float) -> str:
    return f"above {low:g}" if np.isinf(high) else f"between {low:g} and {high:g}"


def check_whole(name: str, value: object, least: int = 1) -> int:
    """Return a whole number that must not be below the least."""
    number = as_number(value)
    if number is None or number != np.floor(number) or not least <= number < np.inf:
        raise ParameterError(f"The {name} is not a whole number of {least} or more.", found=f"{value!r}")
    return int(number)


def check_flag(name: str, value: object) -> bool:
    """Return an option that is either on or off."""
    if not isinstance(value, bool | np.bool_):
        raise ParameterError(f"'{name}' is neither True nor False.", found=f"{value!r:.80}")
    return bool(value)


def check_multiplier(multiplier: object) -> float:
    """Return the multiplier, which is above zero: 100 for percentages."""
    return check_number("multiplier", multiplier, 0, np.inf, "Use 100 for percentages, 100_000 for rates.")


def check_within(pair: object) -> tuple[float, float]:
    """Return the smallest and the largest possible value."""
    ends = [as_number(end) for end in pair] if isinstance(pair, Sequence | np.ndarray) else []
    if len(ends) != 2 or ends[0] is None or ends[1] is None or not ends[0] < ends[1]:
        raise ParameterError(
            "'within' is not a smallest and a largest value.", found=f"{pair!r}", do="Give (0, 100)."
        )
    return ends[0], ends[1]


def check_choice(name: str, value: object, choices: Sequence[str]) -> str:
    """Return one of the words that are understood."""
    if not isinstance(value, str) or value not in choices:
        raise ParameterError(
            f"The {name} is not known.", found=f"{value!r}", do=f"Use {' or '.join(choices)}."
        )
    return value


def higher_is_better(polarity: npt.ArrayLike | None, shape: tuple[int, ...] | None = None) -> Flags:
    """Return True where the polarity is "higher" and False where it is "lower", one a row."""
    words = np.array(polarity, dtype=object)
    higher, lower = (np.asarray(_is_word(words, word), dtype=bool) for word in ("higher", "lower"))
    if not np.all(higher | lower):
        raise ParameterError(
            "The polarity is not understood.", found=f"{polarity!r}", do='Write "lower" or "higher".'
        )
    try:
        return higher if shape is None else np.broadcast_to(higher, shape)
    except ValueError:
        raise ParameterError(
            "The polarity does not have one word a row.", found=f"{words.shape} for rows of {shape}"
        ) from None


_is_word = np.frompyfunc(lambda value, word: isinstance(value, str) and value == word, 2, 1)
_missing_each = np.frompyfunc(is_missing, 1, 1)


def check_level(confidence_level: object) -> float:
    """Return the confidence level, which is a share: 0.95, not 95."""
    return check_number("confidence level", confidence_level, 0, 1, "Write 95 % as 0.95.")


def as_level(confidence_level: object) -> float | tuple[float, ...]:
    """Return one checked level, or a tuple of them."""
    single = as_number(confidence_level)
    if single is not None or isinstance(confidence_level, str) or not np.iterable(confidence_level):
        return check_level(confidence_level)
    levels = tuple(check_level(level) for level in cast(Sequence[object], confidence_level))
    return levels or (check_level(confidence_level),)


def reasons(shape: tuple[int, ...], *checks: tuple[str, Flags]) -> Texts:
    """Return the first text whose flag is set in each row, and an empty text where none is."""
    texts = np.full(shape, "", dtype=object)
    for text, flag in reversed(checks):
        texts[flag] = text
    return texts


def first_reason(*texts: Texts) -> Texts:
    """Return for each row the first text that is not empty."""
    reason = texts[-1].copy()
    for earlier in reversed(texts[:-1]):
        reason = np.where(earlier != "", earlier, reason)
    return reason


def not_a_number(name: str, values: Floats) -> tuple[str, Flags]:
    """Check that rows have a finite value."""
    return MISSING.format(name), ~np.isfinite(values)


def negative(name: str, values: Floats) -> tuple[str, Flags]:
    """Check that no row is below zero."""
    return NEGATIVE.format(name), values < 0


def above_zero(name: str, values: Floats) -> tuple[tuple[str, Flags], tuple[str, Flags]]:
    """Check that every row has a finite value above zero."""
    return not_a_number(name, values), (NOT_POSITIVE.format(name), values <= 0)


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
    try:
        labels = np.ma.filled(groups, None) if np.ma.is_masked(groups) else np.asarray(groups)
    except (TypeError, ValueError):
        raise ParameterError("The groups are not one label a row.", found=f"{groups!r:.80}") from None
    if labels.shape != (rows,):
        raise ParameterError(
            "The groups do not have one label a row.", found=f"{labels.shape} for {rows} rows"
        )
    if labels.dtype == object and np.any(_missing_each(labels)):
        raise ParameterError("A row has no group.", do="Give every row the label of its group.")
    starts = np.flatnonzero(np.concatenate([[True], labels[1:] != labels[:-1]])[:rows])
    first = labels[starts]
    if np.any(first != first):
        raise ParameterError("A row has no group.", do="Give every row the label of its group.")
    try:
        label, code = np.unique(first, return_inverse=True)
    except TypeError:
        raise ParameterError(
            "The groups are labels of different kinds.", do="Give text for all rows, or numbers for all."
        ) from None
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
