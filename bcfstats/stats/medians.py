"""Medians where some values are missing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bcfstats.stats.rows import Flags, Floats

NORMAL_MAD = 1.482602218505602


def masked_median(values: npt.ArrayLike, seen: npt.ArrayLike) -> Floats:
    """Median along the last axis of the values that are seen; NaN where there is none.

    Examples
    --------
    >>> masked_median([[5.0, 1.0, 9.0], [2.0, 8.0, 0.0]], [[True, True, True], [True, True, False]])
    array([5., 5.])
    """
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
