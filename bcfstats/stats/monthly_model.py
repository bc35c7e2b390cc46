"""Months of every area at once: quasi-Poisson regression with month effects and a trend; their noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import lru_cache, wraps
from hashlib import sha256
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from scipy import special

from bcfstats.errors import InputError
from bcfstats.stats.dispersion import shrink_to_panel
from bcfstats.stats.rows import MINIMUM_AREAS, as_numbers, as_table, masked_median
from bcfstats.stats.tolerance import settled

Array = npt.NDArray[np.float64]

MINIMUM_MONTHS = 18
MONTHS_PER_YEAR = 12
PARAMETERS = 13
AVERAGE_MONTH = 365.25 / 12
_BLOCK = 1024
_MAXIMUM_STEPS = 50
_FEWEST = 6  # months of a year without which its noise is not told
_SETTLED = 1e-8  # the error is the square of the last step


@dataclass(frozen=True, slots=True)
class MonthlyModel:
    """What `fit_monthly` found, one row an area."""

    # trend of the log rate per year; its standard error multiplied by the root of the dispersion, with no
    # allowance for autocorrelation (`trend` makes one)
    slope: Array
    slope_se: Array
    month_effects: Array  # January to December on the log scale, summing to zero
    dispersion: Array  # Pearson chi-squared over its degrees of freedom: 1 for Poisson counts
    residual_variance: Array  # variance of the relative residuals (observed - fitted) / fitted
    # lag-1 autocorrelation of the Pearson residuals, as found: biased towards zero in short series
    autocorrelation: Array
    fitted: Array  # expected counts
    n_months: Array  # months used
    df: Array  # months less 13 parameters
    reason: npt.NDArray[np.str_]  # why there is no answer; empty where there is one


def as_months(
    counts: npt.ArrayLike, exposure: npt.ArrayLike, calendar_month: npt.ArrayLike
) -> tuple[Array, Array, npt.NDArray[np.intp]]:
    """Return counts and exposure as (areas, months), zero exposure where a month is missing."""
    raw, given = as_table("counts", counts), as_numbers("exposure", exposure)
    month = _whole_months(calendar_month)
    if month.size != raw.shape[1] or given.shape[-1:] not in [(raw.shape[1],), (1,), ()]:
        raise InputError(
            "Counts, exposure and calendar months do not have the same number of months.",
            found=f"{raw.shape}, {given.shape} and {month.shape}",
            do="Give counts as areas by months, exposure and calendar months one a month.",
        )
    if np.any(raw < 0):
        raise InputError(
            "A count is below zero.", found=f"{np.nanmin(raw):g}", do="Correct it or leave it empty."
        )
    if np.any(given < 0):
        raise InputError(
            "A month has a negative number of days or person-days.", found=f"{np.nanmin(given):g}"
        )
    try:
        full = np.broadcast_to(given, raw.shape)
    except ValueError:
        raise InputError(
            "The exposure does not fit the counts.", found=f"{given.shape} for counts of {raw.shape}"
        ) from None
    present = np.isfinite(raw) & np.isfinite(full) & (full > 0)
    return np.where(present, raw, 0.0), np.where(present, full, 0.0), month


def _whole_months(calendar_month: npt.ArrayLike) -> npt.NDArray[np.intp]:
    month = as_numbers("calendar_month", calendar_month).ravel()
    if not np.isin(month, np.arange(1, MONTHS_PER_YEAR + 1)).all():
        wrong = month[~np.isin(month, np.arange(1, MONTHS_PER_YEAR + 1))]
        raise InputError("Calendar months must be 1 to 12.", found=f"{wrong[0]:g}")
    return month.astype(np.intp)


def years(n_months: int) -> Array:
    """Time in years of each month, centred on the middle of the series."""
    t: Array = np.arange(n_months) / MONTHS_PER_YEAR
    return t - (n_months - 1) / 2 / MONTHS_PER_YEAR


def blocks(areas: int) -> list[slice]:
    """Divide areas into so many at a time that the numbers of their months stay in a processor's cache."""
    return [slice(first, first + _BLOCK) for first in range(0, max(areas, 1), _BLOCK)]


def month_indicator(calendar_month: npt.NDArray[np.intp]) -> Array:
    """Months by twelve: 1 where a month of the series is that calendar month."""
    return np.asarray(calendar_month[:, None] == np.arange(1, 13), dtype=float)


def divide(numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> Array:
    """Divide, with NaN where the denominator is not above zero."""
    bottom = np.asarray(denominator, dtype=float)
    return np.asarray(np.asarray(numerator, dtype=float) / np.where(bottom > 0, bottom, np.nan))


def rates_above_zero(counts: Array, exposure: Array) -> Array:
    """Rates with half an event added, spread so that a constant rate stays one; NaN without exposure."""
    usual = divide(exposure.sum(axis=1), (exposure > 0).sum(axis=1))
    return divide(counts, exposure) + divide(0.5, usual)[:, None]


Function = TypeVar("Function", bound=Callable[..., Any])


def remembered(most: int) -> Callable[[Function], Function]:
    """Keep the last answers of a function of arrays: several windows ask about the same months of a panel."""

    def of(function: Function) -> Function:
        kept: dict[bytes, Any] = {}

        @wraps(function)
        def ask(*given: Any) -> Any:
            key = sha256()
            for array in map(np.ascontiguousarray, given):
                key.update(f"{array.shape} {array.dtype}".encode() + array.tobytes())
            found = kept.pop(key.digest(), None) or function(*given)
            for part in fields(found):
                np.asarray(getattr(found, part.name)).setflags(write=False)  # it is given to others too
            kept[key.digest()] = found
            if len(kept) > most:
                del kept[next(iter(kept))]
            return found

        return cast(Function, ask)

    return of


def fit_monthly(
    counts: npt.ArrayLike,
    exposure: npt.ArrayLike,
    calendar_month: npt.ArrayLike,
    *,
    minimum_months: int = MINIMUM_MONTHS,
) -> MonthlyModel:
    """Fit log rate = trend + month effect to every area's monthly counts (areas, months)."""
    return _last_fits(*as_months(counts, exposure, calendar_month), minimum_months)


def fit_panel(
    y: Array, e: Array, month: npt.NDArray[np.intp], minimum_months: int = MINIMUM_MONTHS
) -> MonthlyModel:
    """Fit as `fit_monthly` to what `as_months` gives."""
    t, group = years(y.shape[1]), month_indicator(month)
    blocks_fitted = [_fitted(y[some], e[some], t, group, minimum_months) for some in blocks(len(y))]
    names = [field.name for field in fields(MonthlyModel)]
    return MonthlyModel(
        **{name: np.concatenate([getattr(part, name) for part in blocks_fitted]) for name in names}
    )


_last_fits = remembered(8)(fit_panel)


def _fitted(y: Array, e: Array, t: Array, group: Array, minimum_months: int) -> MonthlyModel:
    reason = _reasons(y, e, group, minimum_months)
    usable = reason == ""
    slope = np.where(usable, _profile_slope(y, e, t, group, usable), np.nan)
    return _describe(y, e, t, group, slope, reason)


def _reasons(y: Array, e: Array, group: Array, minimum_months: int) -> npt.NDArray[np.str_]:
    observed = (e > 0).astype(float)
    n = observed.sum(axis=1).astype(int)
    months_seen = ((observed @ group) > 0).sum(axis=1)
    months_with_events = ((y @ group) > 0).sum(axis=1)
    short = max(minimum_months, PARAMETERS + 1)
    if n.size and n.min() >= short and months_with_events.min() == MONTHS_PER_YEAR:
        return np.full(n.shape, "", dtype=np.str_)
    few = np.char.add(n.astype(str), f" months of data, {short} are needed")
    return np.select(
        [n < short, months_seen < MONTHS_PER_YEAR, y.sum(axis=1) == 0, months_with_events < MONTHS_PER_YEAR],
        [
            few,
            "a calendar month was never observed",
            "no events at all",
            "a calendar month had no events in any year",
        ],
        default="",
    ).astype(np.str_)


def _profile_slope(y: Array, e: Array, t: Array, group: Array, usable: npt.NDArray[np.bool_]) -> Array:
    """Newton's method on the slope, the month effects profiled out; areas that have settled drop out."""
    slope = np.zeros(len(y))
    open_ = np.flatnonzero(usable)
    by_month, target, moments = y @ group, y @ t, _time_moments(t, group)
    for _ in range(_MAXIMUM_STEPS):
        score, information = _profile_derivatives(
            slope[open_], e[open_], by_month[open_], target[open_], t, moments
        )
        step = np.clip(divide(score, information), -1.0, 1.0)
        step[~np.isfinite(step)] = 0.0
        slope[open_] += step
        open_ = open_[np.abs(step) > _SETTLED]
        if open_.size == 0:
            break
    return slope


def _time_moments(t: Array, group: Array) -> Array:
    """Columns that sum months to the twelve calendar months, weighted by 1, time and time squared."""
    return np.hstack([group, group * t[:, None], group * (t**2)[:, None]])


def _grown(slope: Array, t: Array) -> Array:
    """Give exp(slope * time) of months in a row: of whole years times of months, a fifth of the powers."""
    start = np.exp(slope[:, None] * t[:MONTHS_PER_YEAR])
    later = np.exp(slope[:, None] * np.arange(-(-t.size // MONTHS_PER_YEAR)))
    each = later[:, :, None] * start[:, None, :]
    return np.asarray(each.reshape(len(slope), later.shape[1] * start.shape[1])[:, : t.size])


def _profile_derivatives(
    slope: Array, e: Array, by_month: Array, target: Array, t: Array, moments: Array
) -> tuple[Array, Array]:
    sums = (e * _grown(slope, t)) @ moments
    total, first, second = sums[:, :12], sums[:, 12:24], sums[:, 24:]
    total = np.where(total > 0, total, 1.0)
    mean = first / total
    return target - (by_month * mean).sum(axis=1), (by_month * (second / total - mean**2)).sum(axis=1)


def _describe(
    y: Array, e: Array, t: Array, group: Array, slope: Array, reason: npt.NDArray[np.str_]
) -> MonthlyModel:
    ok = reason == ""
    b = np.where(ok, slope, 0.0)
    by_month = y @ group
    _, information = _profile_derivatives(b, e, by_month, y @ t, t, _time_moments(t, group))
    weight = e * _grown(b, t)
    level = divide(by_month, weight @ group)
    log_level = np.log(np.where(level > 0, level, np.nan))
    effects = np.where(ok[:, None], settled(log_level - _row_mean(log_level), 1.0), np.nan)
    fitted = np.where(
        (e > 0) & ok[:, None],
        weight * np.where(ok[:, None], level, np.nan)[:, np.argmax(group, axis=1)],
        np.nan,
    )
    n = (e > 0).sum(axis=1).astype(float)
    df = n - PARAMETERS
    rest = settled(y - fitted, np.maximum(y, fitted))
    pearson = divide(rest, np.sqrt(np.where(fitted > 0, fitted, np.nan)))
    relative = divide(rest, fitted)
    dispersion = np.where(ok, divide(_row_sum(pearson**2), df), np.nan)
    return MonthlyModel(
        slope=np.where(ok, settled(slope, 1.0), np.nan),
        slope_se=np.where(ok, np.sqrt(divide(dispersion, information)), np.nan),
        month_effects=effects,
        dispersion=dispersion,
        residual_variance=np.where(ok, divide(_row_sum(relative**2), df), np.nan),
        autocorrelation=np.where(ok, lag_one(pearson), np.nan),
        fitted=fitted,
        n_months=n,
        df=df,
        reason=reason,
    )


def lag_one(residuals: Array) -> Array:
    """Lag-1 autocorrelation of each row, over neighbouring months both seen; zero without variation."""
    r = np.where(np.isfinite(residuals), residuals, 0.0)
    power = (r**2).sum(axis=1)
    correlation = divide((r[:, 1:] * r[:, :-1]).sum(axis=1), power)
    return np.where(np.isfinite(correlation), correlation, 0.0)


def _row_sum(values: Array) -> Array:
    return np.asarray(np.where(np.isfinite(values), values, 0.0).sum(axis=1))


def _row_mean(values: Array) -> Array:
    return divide(_row_sum(values), np.isfinite(values).sum(axis=1))[:, None]


_GRID = np.linspace(0.0, 0.99, 100)


@dataclass(frozen=True, slots=True, eq=False)
class Autocorrelation:
    """Tables over a grid of true lag-1 autocorrelations, for one span of whole months."""

    rho: Array
    found: Array  # what the residuals are expected to show
    variance_lost: Array  # their expected variance over the true one

    def true_rho(self, found: Array) -> Array:
        """Return the autocorrelation that the found one stands for; below zero is taken as zero."""
        return np.asarray(np.interp(np.where(np.isfinite(found), found, 0.0), self.found, self.rho))

    def variance(self, weights: Array, found: Array) -> Array:
        """Variance of a weighted sum of months, in units of the residual variance that was found."""
        exact = weighted_variance(weights, self.rho) / self.variance_lost
        return np.asarray(np.interp(self.true_rho(found), self.rho, exact))


def weighted_variance(weights: Array, rho: Array) -> Array:
    """Variance of a weighted sum of months of unit variance, correlated rho to the power of distance."""
    products = np.correlate(weights, weights, mode="full")[weights.size - 1 :]
    products[1:] *= 2
    return np.asarray(rho[:, None] ** np.arange(weights.size) @ products)


def autocorrelation_tables(calendar_month: npt.NDArray[np.intp]) -> Autocorrelation:
    """Tabulate, for a span of months, how much of the autocorrelation and variance residuals lose."""
    return _tables(calendar_month.size, int(calendar_month[0]) if calendar_month.size else 1)


def residual_maker(n_months: int, first_month: int) -> Array:
    """Matrix that takes month effects and trend off a span of whole months, from its first calendar month."""
    month = (first_month - 1 + np.arange(n_months)) % 12 + 1
    design = np.column_stack([month_indicator(month), years(n_months)])
    return np.asarray(np.eye(n_months) - design @ np.linalg.pinv(design))


@lru_cache(maxsize=512)
def _tables(n_months: int, first_month: int) -> Autocorrelation:
    maker = residual_maker(n_months, first_month)
    distance = np.abs(np.subtract.outer(np.arange(n_months), np.arange(n_months)))
    kept = maker @ _GRID[:, None, None] ** distance @ maker
    power = np.trace(kept, axis1=1, axis2=2)
    expected = divide(np.trace(kept, offset=1, axis1=1, axis2=2), power)
    return Autocorrelation(_GRID, np.maximum.accumulate(expected), power / max(n_months - PARAMETERS, 1))


@dataclass(frozen=True, slots=True, eq=False)
class MonthNoise:
    """How far single months scatter about their year: variance and its degrees of freedom, one an area.

    `rho` is the correlation of a month with the next, the same in all areas.
    """

    variance: Array
    df: Array
    rho: float

    def error(self, weights: Array) -> Array:
        """Standard error of each area's mean over months with these weights, zero where not used."""
        lag = np.abs(np.subtract.outer(np.arange(weights.shape[1]), np.arange(weights.shape[1])))
        total = weights.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = weights / total
        return np.asarray(
            np.sqrt(self.variance * np.einsum("ai,ij,aj->a", share, self.rho**lag, share, optimize=True))
        )

    def half_width(self, weights: Array, level: float) -> Array:
        """Half of the interval about each area's mean, by Student's t."""
        return np.asarray(special.stdtrit(self.df, (1 + level) / 2) * self.error(weights))


def month_noise(values: Array) -> MonthNoise:
    """Measure how months scatter about the mean of their year, the nation's months taken out.

    `values` are areas by months on the working scale (logs of a ratio), NaN where missing; years count back
    from the last month. Each variance is moved towards the panel's (`shrink_to_panel`); the correlation of
    neighbouring months is the panel's median, corrected for the mean taken from the same months, and with it
    the variance. On the discharge delays of 2024-25 it calls 3 to 6 % of half-years changed.
    """
    areas, n = values.shape
    blocks = [values[:, max(stop - MONTHS_PER_YEAR, 0) : stop] for stop in range(n, 0, -MONTHS_PER_YEAR)][
        ::-1
    ]
    rest = np.hstack([_about_mean(block) for block in blocks]) if blocks else values
    if areas >= MINIMUM_AREAS:
        national = np.nan_to_num(masked_median(rest.T, np.isfinite(rest.T)))
        rest = np.hstack([_about_mean(block) for block in np.split(rest - national, _edges(blocks), axis=1)])
    seen = np.isfinite(rest)
    years = sum(np.isfinite(block).any(axis=1) for block in np.split(rest, _edges(blocks), axis=1))
    df = np.maximum(seen.sum(axis=1) - years, 0).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(df > 0, np.square(np.where(seen, rest, 0.0)).sum(axis=1) / df, np.nan)
    panel = shrink_to_panel(own, df)
    usable = np.isfinite(own) & (own > 0)
    lag = float(np.median(lag_one(rest[usable]))) if usable.any() else 0.0
    k = max(float(np.median(seen.sum(axis=1) / np.maximum(years, 1))), 2.0)  # months that share a mean
    rho = float(np.clip((lag + 1 / k) / (1 - 1 / k), 0.0, 0.9))
    lags = np.arange(1, round(k))
    kept = 1 - 2 / (k * (k - 1)) * float(((k - lags) * rho**lags).sum())
    variance = np.where(np.isfinite(panel.value), panel.value, own) / kept
    worth = np.where(np.isfinite(panel.value), panel.degrees_of_freedom, df)
    return MonthNoise(np.asarray(variance), np.asarray(worth), rho)


def _edges(blocks: list[Array]) -> npt.NDArray[np.int64]:
    return np.cumsum([block.shape[1] for block in blocks])[:-1]


def _about_mean(block: Array) -> Array:
    """Months about their mean; missing where a year has too few."""
    seen = np.isfinite(block)
    n = seen.sum(axis=1, keepdims=True)
    mean = np.where(seen, block, 0.0).sum(axis=1, keepdims=True) / np.maximum(n, 1)
    return np.where(seen & (n >= _FEWEST), block - mean, np.nan)
