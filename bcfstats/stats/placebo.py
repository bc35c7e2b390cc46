"""How often a change is called significant when nothing was targeted: ours beside the usual tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from bcfstats.stats.breaks import find_breaks
from bcfstats.stats.history import (
    MINIMUM_MONTHS,
    SMALL_MEDIAN,
    history_scale,
    like_for_like_changes,
    median_month,
)
from bcfstats.stats.monthly_model import Array, as_months, divide, fit_monthly
from bcfstats.stats.rows import MINIMUM_AREAS

Months = npt.NDArray[np.intp]
POISSON, QUASI, CORRECTED, HISTORY = (
    "Poisson",
    "quasi-Poisson",
    "autocorrelation-corrected",
    "history of all areas",
)
METHODS = (POISSON, QUASI, CORRECTED, HISTORY)
LEVEL = 0.05
SIZE, MOVEMENT = "by size", "by own movement"


@dataclass(frozen=True, slots=True, eq=False)
class Placebo:
    """Share of areas called significant in every like-for-like window."""

    # column of the panel where each target window starts: as many months of history
    starts: npt.NDArray[np.intp]
    n_areas: npt.NDArray[np.intp]  # areas tested
    # by method: share with p < 0.05, and share of those that are falls (nominal 0.025)
    two_sided: dict[str, Array]
    falls: dict[str, Array]
    scale: Array  # median scale of the log change from history
    thirds: dict[str, Array]  # of the history's: share in each third of areas by size, and by own movement


def placebo(
    counts: npt.ArrayLike,
    exposure: npt.ArrayLike,
    calendar_month: npt.ArrayLike,
    *,
    window: int,
    minimum_history: int = MINIMUM_MONTHS,
    remove_national: bool = False,
    keep_out_breaks: bool = False,
    minimum_areas: int = MINIMUM_AREAS,
    small_median: float = SMALL_MEDIAN,
) -> Placebo:
    """Test every window against the same months a year before, with what was known when it started."""
    y, e, month = as_months(counts, exposure, calendar_month)
    if keep_out_breaks:
        kept = find_breaks(np.where(e > 0, y, np.nan), e, month).usable
        y, e = np.where(kept, y, 0.0), np.where(kept, e, 0.0)
    starts = np.arange(max(minimum_history, 12), month.size - window + 1)
    limits = {"minimum_areas": minimum_areas, "small_median": small_median}
    windows_tried = [_window(y, e, month, int(start), window, remove_national, limits) for start in starts]
    p_values, changes, scales, thirds = (
        zip(*windows_tried, strict=True) if windows_tried else ((), (), (), ())
    )
    return Placebo(
        starts,
        np.array([change.size for change in changes], dtype=np.intp),
        {name: np.array([_share(p[name] < LEVEL, p[name]) for p in p_values]) for name in METHODS},
        {
            name: np.array(
                [_share((p[name] < LEVEL) & (c < 0), p[name]) for p, c in zip(p_values, changes, strict=True)]
            )
            for name in METHODS
        },
        np.array(scales),
        {by: np.array([third[by] for third in thirds]) for by in (SIZE, MOVEMENT)},
    )


def _window(
    y: Array, e: Array, month: Months, start: int, window: int, remove_national: bool, limits: dict[str, Any]
) -> tuple[dict[str, Array], Array, float, dict[str, list[float]]]:
    """p-values by method, the changes they are of, the median scale, and the history's share by thirds."""
    change = _change(y, e, start, window)
    tested = np.isfinite(change) & (median_month(y[:, :start], e[:, :start]) >= limits["small_median"])
    y, e, change = y[tested], e[tested], change[tested]
    if remove_national and change.size:
        change = change - np.median(change)
    known = (np.where(e > 0, y, np.nan)[:, :start], e[:, :start], month[:start])
    ours = history_scale(*known, window=window, **limits)
    own = history_scale(*known, window=window, minimum_areas=len(y) + 1)
    model = fit_monthly(*known)
    before, after = (y[:, s : s + window].sum(axis=1) for s in (start - 12, start))
    noise = np.sqrt(divide(1.0, before) + divide(1.0, after))
    quasi = noise * np.sqrt(np.maximum(model.dispersion, 1.0))
    p = {
        POISSON: _p(change, noise, np.full(change.shape, np.inf)),
        QUASI: _p(change, quasi, model.df),
        CORRECTED: own.p_value(change),
        HISTORY: ours.p_value(change),
    }
    thirds = {
        by: [_share(part < LEVEL, part) for part in np.array_split(p[HISTORY][np.argsort(order)], 3)]
        for by, order in ((SIZE, before), (MOVEMENT, ours.own_scale))
    }
    return p, change, float(np.median(ours.scale)) if change.size else float("nan"), thirds


def _change(y: Array, e: Array, start: int, window: int) -> Array:
    both = slice(start - 12, start + window)
    return like_for_like_changes(y[:, both], e[:, both], window, 12)[:, 0]


def _p(change: Array, se: Array, df: Array) -> Array:
    return np.asarray(2 * special.stdtr(np.where(df > 0, df, np.nan), -np.abs(divide(change, se))))


def _share(flag: npt.NDArray[np.bool_], p: Array) -> float:
    known = np.isfinite(p)
    return float(flag[known].mean()) if known.any() else float("nan")
