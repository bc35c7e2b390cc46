"""Breaks and bad submissions: level shifts, missing providers, zeros that mean not submitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bcfstats.errors import InputError
from bcfstats.stats.dispersion import pearson_dispersion
from bcfstats.stats.monthly_model import Array, as_months, divide, rates_above_zero
from bcfstats.stats.rows import Flags, Texts, masked_deviation, masked_median

ZERO, DROP, SPIKE, SHIFT_DOWN, SHIFT_UP, SWAP = (
    "zero that may mean not submitted",
    "sudden drop",
    "sudden spike",
    "level shift down",
    "level shift up",
    "exchange with another area",
)
LEAST_CHANGE = float(np.log(1 / 0.75))
_TRANSIENT_SD, _SHIFT_SD = 5.0, 5.0
_ZERO_CHANCE = 1e-4
_HALF_WINDOW, _SIDE, _FEWEST_SIDE = 6, 6, 3
_FEWEST_AREAS = 5
_SWAP_TOLERANCE = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Breaks:
    """What was found, one row a finding, and which months to keep out."""

    area: npt.NDArray[np.intp]  # row of the panel
    month: npt.NDArray[np.intp]  # column; for a level shift the first month of the new level
    kind: Texts  # one of the kinds this module names
    change_percent: Array  # against the months around it, or before it for a shift
    partner: npt.NDArray[np.intp]  # for an exchange, the other area's row; else -1
    usable: Flags  # months with a count that belong to the current level and were not found bad


def find_breaks(
    counts: npt.ArrayLike,
    exposure: npt.ArrayLike,
    calendar_month: npt.ArrayLike,
    *,
    trusted: npt.ArrayLike | None = None,
) -> Breaks:
    """Find months that look wrong and levels that changed at once, from the series alone."""
    y, e, _ = as_months(counts, exposure, calendar_month)
    seen = e > 0
    vouched = _trusted(trusted, y.shape)
    x = _own_movement(np.log(rates_above_zero(y, e)), seen)
    zero = _zeros(y, e, seen) & ~vouched
    whole = np.zeros(y.shape, dtype=np.intp)
    far, _ = _transients(x, seen & ~zero, y, whole)
    shift, size = _shifts(x, seen & ~zero & ~far)
    shift &= ~vouched
    segment: npt.NDArray[np.intp] = np.cumsum(shift, axis=1)
    far, distance = _transients(x, seen & ~zero, y, segment)
    far &= ~vouched
    usable = seen & ~zero & ~far & _current_level(x, seen & ~zero & ~far, segment)
    partner = _partners(shift, size, y, e)
    return _report(zero, far, distance, shift, size, partner, usable)


def _trusted(trusted: npt.ArrayLike | None, shape: tuple[int, ...]) -> Flags:
    if trusted is None:
        return np.zeros(shape, dtype=bool)
    given = np.asarray(trusted, dtype=bool)
    if given.shape != shape:
        raise InputError("The trusted months do not fit the counts.", found=f"{given.shape} for {shape}")
    return given


def _own_movement(log_rate: Array, seen: Flags) -> Array:
    """Log rate less the area's median, and less what the median area does that month."""
    x = np.where(seen, log_rate - masked_median(log_rate, seen)[:, None], 0.0)
    common = masked_median(x.T, seen.T)
    enough = seen.sum(axis=0) >= _FEWEST_AREAS
    return x - np.where(enough & np.isfinite(common), common, 0.0)


def _zeros(y: Array, e: Array, seen: Flags) -> Flags:
    """Zeros that a negative binomial of the area's mean and dispersion, zeros left out, hardly gives."""
    there = seen & (y > 0)
    mean = divide(np.where(there, y, 0.0).sum(axis=1), np.where(there, e, 0.0).sum(axis=1))[:, None] * e
    fitted = np.where(there & (mean > 0), mean, np.nan)
    dispersion = pearson_dispersion(np.where(there, y, np.nan), fitted).value
    phi: Array = np.fmax(np.atleast_1d(dispersion), 1.0)[:, None] + 1e-9
    log_chance = -np.nan_to_num(mean) / (phi - 1) * np.log(phi)
    return np.asarray(seen & (y == 0) & (log_chance < np.log(_ZERO_CHANCE)))


def _around(x: Array, offsets: npt.NDArray[np.intp]) -> Array:
    """Values at offsets from every month, shape (areas, months, offsets); zero outside the series."""
    reach = int(np.abs(offsets).max())
    padded = np.pad(x, ((0, 0), (reach, reach)))
    return padded[:, reach + np.arange(x.shape[1])[:, None] + offsets]


def _transients(x: Array, seen: Flags, y: Array, segment: npt.NDArray[np.intp]) -> tuple[Flags, Array]:
    """Months far from the median of those around them on the same level, and how far."""
    steps = np.arange(-_HALF_WINDOW, _HALF_WINDOW + 1)
    offsets = steps[steps != 0]
    level = np.where(seen, segment + 1.0, 0.0)
    near = masked_median(_around(x, offsets), _around(level, offsets) == segment[:, :, None] + 1)
    known = seen & np.isfinite(near)
    distance = np.where(known, x - np.where(known, near, 0.0), 0.0)
    sd = masked_deviation(distance, known)
    usual = np.nanmedian(sd) if np.isfinite(sd).any() else 0.0
    noise = 1 / np.maximum(masked_median(y, seen), 1.0)
    limit = _TRANSIENT_SD * np.sqrt(np.fmax(sd, usual / 2) ** 2 + np.where(np.isfinite(noise), noise, 1.0))
    return known & (np.abs(distance) > np.maximum(limit, LEAST_CHANGE)[:, None]), distance


def _shifts(x: Array, seen: Flags) -> tuple[Flags, Array]:
    """First months of a new level, and how far it is from the old."""
    there = seen.astype(float)
    size = _step(x, there, _SIDE)
    known = np.isfinite(size)
    sd = masked_deviation(np.where(known, size, 0.0), known)
    usual = np.nanmedian(sd) if np.isfinite(sd).any() else 0.0
    height = np.where(known, np.abs(size), 0.0)
    sharp = np.abs(np.nan_to_num(_step(x, there, 2, 1)))
    candidate = height > np.maximum(_SHIFT_SD * np.fmax(sd, usual), LEAST_CHANGE)[:, None]
    candidate &= sharp > height / 2
    score = np.where(candidate, height + sharp, 0.0)
    nearby = _around(score, np.arange(-_SIDE, _SIDE + 1))
    first = nearby.argmax(axis=2) == _SIDE
    return candidate & first, np.where(known, size, 0.0)


def _step(x: Array, there: Array, side: int, fewest: int = _FEWEST_SIDE) -> Array:
    """Median of the months from each one on less the median of those before it."""
    after, before = np.arange(side), np.arange(-side, 0)
    seen_after, seen_before = _around(there, after) > 0, _around(there, before) > 0
    step = masked_median(_around(x, after), seen_after) - masked_median(_around(x, before), seen_before)
    enough = (seen_after.sum(axis=2) >= fewest) & (seen_before.sum(axis=2) >= fewest)
    return np.where(enough, step, np.nan)


def _current_level(x: Array, seen: Flags, segment: npt.NDArray[np.intp]) -> Flags:
    """Months on the level that holds at the end, or on one that came back to it."""
    last = segment[:, -1:]
    now = masked_median(x, seen & (segment == last))[:, None]
    same = segment == last
    for number in range(int(segment.max(initial=0))):
        here = segment == number
        same |= here & (np.abs(masked_median(x, seen & here)[:, None] - now) < LEAST_CHANGE)
    return np.asarray(same)


def _partners(shift: Flags, size: Array, y: Array, e: Array) -> npt.NDArray[np.intp]:
    """For every shift the area that moved the other way by as many events in the same month, else -1."""
    partner = np.full(shift.shape, -1, dtype=np.intp)
    gained = _step(y, (e > 0).astype(float), _SIDE)
    for month in np.flatnonzero(shift.sum(axis=0) > 1):
        areas = np.flatnonzero(shift[:, month])
        moved = gained[areas, month]
        larger = np.maximum.outer(np.abs(moved), np.abs(moved))
        apart = np.abs(np.add.outer(moved, moved)) / np.maximum(larger, 1e-12)
        best = apart.argmin(axis=1)
        mutual = (apart.min(axis=1) < _SWAP_TOLERANCE) & (best[best] == np.arange(len(areas)))
        partner[areas[mutual], month] = areas[best[mutual]]
    return partner


def _report(
    zero: Flags,
    far: Flags,
    distance: Array,
    shift: Flags,
    size: Array,
    partner: npt.NDArray[np.intp],
    usable: Flags,
) -> Breaks:
    area, month = np.nonzero(zero | far | shift)
    at = (area, month)
    is_shift, is_zero = shift[at], zero[at]
    change = np.where(is_shift, size[at], distance[at])
    kind = np.select(
        [is_shift & (partner[at] >= 0), is_shift & (change < 0), is_shift, is_zero, change < 0],
        [SWAP, SHIFT_DOWN, SHIFT_UP, ZERO, DROP],
        default=SPIKE,
    )
    percent = np.where(is_zero & ~is_shift, -100.0, 100 * np.expm1(change))
    return Breaks(area, month, kind.astype(object), percent, partner[at], usable)
