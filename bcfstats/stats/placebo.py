"""How often a change is called significant when nothing was targeted: ours beside the usual tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy import special

from bcfstats.errors import ParameterError
from bcfstats.stats.breaks import find_breaks
from bcfstats.stats.history import (
    MINIMUM_MONTHS,
    SMALL_MEDIAN,
    history_scale,
    log_window_rates,
    median_month,
)
from bcfstats.stats.monthly_model import Array, as_months, divide, fit_monthly
from bcfstats.stats.rows import MINIMUM_AREAS

DAYS = np.array([31.0, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
SMALLEST, LARGEST = 60.0, 5000.0
VOLATILITY_SD = 0.45


@dataclass(frozen=True, slots=True)
class NullKind:
    """How a monthly rate moves by itself.

    `autocorrelation` and `sd` are those of the months about the level, on the log scale; `step` the standard
    deviation of the level's monthly steps; `shape` the gamma shape of the extra-Poisson scatter of single
    months, infinite for none; `middle` the events in the median area's month.
    """

    autocorrelation: float
    sd: float
    step: float
    shape: float
    middle: float


KINDS: Mapping[str, NullKind] = MappingProxyType(
    {
        "Poisson": NullKind(0.0, 0.0, 0.0, np.inf, 460),
        "admissions, autocorrelated": NullKind(0.5, 0.03, 0.0, 1000, 2000),
        "admissions, wandering level": NullKind(0.5, 0.03, 0.012, 1000, 2000),
        "delayed days, autocorrelated": NullKind(0.7, 0.22, 0.0, 50, 460),
        "delayed days, wandering level": NullKind(0.7, 0.22, 0.07, 50, 460),
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class NullPanel:
    """Counts (areas by months), days and calendar month of each month, and how volatile each area is."""

    counts: Array
    days: Array
    calendar_month: npt.NDArray[np.intp]
    volatility: Array


def null_panel(
    kind: str, seed: int, *, areas: int = 152, months: int = 45, heterogeneous: bool = False
) -> NullPanel:
    """Simulate a panel without any change of level but the wandering of its kind (one of `KINDS`).

    A heterogeneous one has sizes of 60 to 5,000 a month instead of near the kind's own, and standard
    deviations of everything beyond Poisson multiplied by a log-normal factor of each area's own (0.45 on the
    log scale). Sizes, scatter, autocorrelation and wander are near those of the published delayed days to
    March 2015 (median month 460 days, relative residual SD 0.30, lag-1 autocorrelation 0.55, SD of the
    nine-month yearly change 0.30) and of non-elective admissions by commissioner to December 2016 (2,000;
    0.05; 0.4; 0.06).
    """
    if kind not in KINDS:
        raise ParameterError(
            "There is no such kind of panel.", found=kind, do=f"Use one of {', '.join(KINDS)}."
        )
    how, rng = KINDS[kind], np.random.default_rng(seed)
    if heterogeneous:
        size = np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST), (areas, 1)))
        volatility = np.exp(VOLATILITY_SD * rng.normal(size=(areas, 1)))
    else:
        size = np.maximum(how.middle * np.exp(0.6 * rng.normal(size=(areas, 1))), 100)
        volatility = np.ones((areas, 1))
    wander = np.cumsum(rng.normal(size=(areas, months)), axis=1)
    level = how.sd * _autoregressive(rng, areas, months, how.autocorrelation) + how.step * wander
    month = np.arange(months) % 12 + 1
    days = DAYS[month - 1]
    mean = size * np.exp(volatility * level) * days / DAYS.mean()
    if np.isfinite(how.shape):
        shape = how.shape / volatility**2
        mean = mean * rng.gamma(shape, 1 / shape, (areas, months))
    return NullPanel(rng.poisson(mean).astype(float), days, month, volatility[:, 0])


def _autoregressive(rng: np.random.Generator, areas: int, months: int, rho: float) -> Array:
    noise = rng.normal(size=(areas, months))
    for k in range(1, months):
        noise[:, k] = rho * noise[:, k - 1] + np.sqrt(1 - rho**2) * noise[:, k]
    return noise


POISSON, QUASI, CORRECTED, HISTORY = (
    "Poisson",
    "quasi-Poisson",
    "autocorrelation-corrected",
    "history of all areas",
)
METHODS = (POISSON, QUASI, CORRECTED, HISTORY)
LEVEL = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Placebo:
    """Share of areas called significant in every like-for-like window.

    Attributes
    ----------
    starts : ndarray of int, shape (windows,)
        Column of the panel where each target window starts: as many months of history.
    n_areas : ndarray of int, shape (windows,)
        Areas tested.
    two_sided, falls : dict of str to ndarray, shape (windows,)
        By method: share with p < 0.05, and share of those that are falls (nominal 0.025).
    scale : ndarray, shape (windows,)
        Median scale of the log change from history.
    """

    starts: npt.NDArray[np.intp]
    n_areas: npt.NDArray[np.intp]
    two_sided: dict[str, Array]
    falls: dict[str, Array]
    scale: Array


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
    """Test every window against the same months a year before, with what was known when it started.

    `remove_national` takes the median change off each area's first; `keep_out_breaks` leaves out the months
    that `find_breaks` suspects, and areas whose windows hold any. Areas with both windows whole and no small
    counts in the history are tested. Only as good as the claim that nothing was targeted in these months; a
    rise or fall of the whole nation is real, and shows as an excess unless removed.
    """
    y, e, month = as_months(counts, exposure, calendar_month)
    if keep_out_breaks:
        kept = find_breaks(np.where(e > 0, y, np.nan), e, month).usable
        y, e = np.where(kept, y, 0.0), np.where(kept, e, 0.0)
    starts = np.arange(max(minimum_history, 12), month.size - window + 1)
    limits = (minimum_areas, small_median)
    rows = [_window(y, e, month, int(start), window, remove_national, *limits) for start in starts]
    return Placebo(
        starts,
        np.array([row.n for row in rows], dtype=np.intp),
        {name: np.array([row.two_sided[name] for row in rows]) for name in METHODS},
        {name: np.array([row.falls[name] for row in rows]) for name in METHODS},
        np.array([row.scale for row in rows]),
    )


@dataclass(frozen=True, slots=True)
class _Row:
    n: int
    two_sided: dict[str, float]
    falls: dict[str, float]
    scale: float


def _window(
    y: Array,
    e: Array,
    month: npt.NDArray[np.intp],
    start: int,
    window: int,
    remove_national: bool,
    minimum_areas: int,
    small_median: float,
) -> _Row:
    change = _change(y, e, start, window)
    tested = np.isfinite(change) & (median_month(y[:, :start], e[:, :start]) >= small_median)
    y, e, change = y[tested], e[tested], change[tested]
    if remove_national and change.size:
        change = change - np.median(change)
    known = (np.where(e > 0, y, np.nan)[:, :start], e[:, :start], month[:start])
    ours = history_scale(*known, window=window, minimum_areas=minimum_areas, small_median=small_median)
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
    return _Row(
        len(change),
        {name: _share(value < LEVEL, value) for name, value in p.items()},
        {name: _share((value < LEVEL) & (change < 0), value) for name, value in p.items()},
        float(np.median(ours.scale)) if len(change) else float("nan"),
    )


def _change(y: Array, e: Array, start: int, window: int) -> Array:
    spans = [slice(first, first + window) for first in (start - 12, start)]
    rates = [log_window_rates(y[:, span], e[:, span], window)[:, 0] for span in spans]
    return rates[1] - rates[0]


def _p(change: Array, se: Array, df: Array) -> Array:
    return np.asarray(2 * special.stdtr(np.where(df > 0, df, np.nan), -np.abs(divide(change, se))))


def _share(flag: npt.NDArray[np.bool_], p: Array) -> float:
    known = np.isfinite(p)
    return float(flag[known].mean()) if known.any() else float("nan")
