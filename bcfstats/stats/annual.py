"""Annual values: how far they move in ordinary years, where they go, how far extremes come back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bcfstats.stats.dispersion import paule_mandel, prior_variance
from bcfstats.stats.history import FROM_PRIOR, AnnualPrior
from bcfstats.stats.monthly_model import divide
from bcfstats.stats.rows import (
    CONFIDENCE,
    FORECAST_CONFIDENCE,
    MINIMUM_AREAS,
    Flags,
    Floats,
    Texts,
    critical_value,
    masked_median,
)
from bcfstats.stats.tolerance import largest, settled
from bcfstats.stats.trend import variance_components

MINIMUM_CHANGES = 20
FROM_CHANGES = "yearly changes of all areas"
FROM_SAMPLING = "sampling error alone"
SAMPLING_WARNING = (
    "no history of other areas: ordinary movement between years is left out, and too many changes "
    "would be called significant"
)


@dataclass(frozen=True, slots=True, eq=False)
class AnnualScale:
    """Scale of an area's change between two years when nothing is targeted."""

    scale: Floats  # standard error of the change: sampling and true movement together
    noise_scale: Floats  # sampling alone
    tau: float  # standard deviation of the true change between years, in the unit of the changes
    df: float  # degrees of freedom of Student's t for `scale`
    drift: float  # median historic change
    n_changes: int  # historic changes measured
    source: str  # where the scale comes from
    warning: str  # what a reader must know about it
    reason: Texts  # why there is no answer; empty where there is one

    def half_width(self, confidence_level: float = CONFIDENCE) -> Floats:
        """Smallest change, in the unit of the changes, that is significant: t times the scale."""
        return np.asarray(critical_value(confidence_level, self.df) * self.scale)


def annual_scale(
    changes: npt.ArrayLike,
    change_variance: npt.ArrayLike,
    next_variance: npt.ArrayLike,
    *,
    prior: AnnualPrior | None = None,
) -> AnnualScale:
    """Measure from all areas' past how far an annual value moves between two years when nobody acts."""
    past, variance = np.broadcast_arrays(
        np.atleast_2d(np.asarray(changes, dtype=float)), np.asarray(change_variance, dtype=float)
    )
    known = np.isfinite(past) & np.isfinite(variance) & (variance > 0)
    n = int(known.sum())
    drift = float(np.median(past[known])) if n else 0.0
    tau2, source, warning = _movement(past[known] - drift, variance[known], prior)
    noise2 = np.atleast_1d(np.asarray(next_variance, dtype=float))
    good = np.isfinite(noise2) & (noise2 >= 0)
    noise2 = np.where(good, noise2, np.nan)
    return AnnualScale(
        scale=np.sqrt(noise2 + tau2),
        noise_scale=np.sqrt(noise2),
        tau=float(np.sqrt(tau2)),
        df=float(n - 1) if source == FROM_CHANGES else float("inf"),
        drift=drift,
        n_changes=n,
        source=source,
        warning=warning,
        reason=np.where(good, "", "the sampling variance is missing").astype(object),
    )


def _movement(centred: Floats, variance: Floats, prior: AnnualPrior | None) -> tuple[float, str, str]:
    if centred.size >= MINIMUM_CHANGES:
        return float(paule_mandel(centred, variance).value), FROM_CHANGES, ""
    if prior is not None:
        warning = f"{centred.size} historic changes, {MINIMUM_CHANGES} are needed to measure yearly movement"
        return prior.tau**2, f"{FROM_PRIOR}: {prior.title} ({prior.source})", warning
    return 0.0, FROM_SAMPLING, SAMPLING_WARNING


FEWEST_YEARS_FOR_DRIFT = 4


@dataclass(frozen=True, slots=True, eq=False)
class AnnualForecast:
    """Expected value of a year to come if nothing changes, on the scale it was given in."""

    value: Floats  # forecast
    scale: Floats  # standard error of the value that will be published
    df: Floats  # its degrees of freedom: infinite where areas' yearly changes differ no more than chance
    drift: float  # national change a year that goes on
    shock_sd: float  # standard deviation of one-year shocks
    wander_sd: float  # and of the yearly steps of the level
    n: npt.NDArray[np.intp]  # years used
    reason: Texts  # why there is no answer; empty where there is one

    def interval(self, confidence_level: float = FORECAST_CONFIDENCE) -> tuple[Floats, Floats]:
        """Lower and upper limits."""
        half = critical_value(confidence_level, self.df) * self.scale
        return self.value - half, self.value + half


def annual_forecast(
    values: npt.ArrayLike,
    sampling_variance: npt.ArrayLike,
    *,
    ahead: int = 1,
    drift_share: float = 0.5,
) -> AnnualForecast:
    """Forecast annual values by each area's level, smoothed as much as the panel says it should be."""
    y = np.atleast_2d(np.asarray(values, dtype=float))
    given = np.asarray(sampling_variance, dtype=float)
    noise = np.broadcast_to(given[:, None] if given.ndim == 1 else given, y.shape)
    seen = np.isfinite(y)
    n = seen.sum(axis=1)
    movement, wander = variance_components(y)
    shock = max(movement - float(np.nanmean(noise)), 0.0) if noise.size else movement
    level, uncertainty = _filtered(y, seen, noise + shock, wander)
    long_enough = int(seen.any(axis=0).sum()) >= FEWEST_YEARS_FOR_DRIFT
    drift = drift_share * _national_change(y) if long_enough else 0.0
    last = noise[:, -1] if y.shape[1] else np.full(len(y), np.nan)
    measured = int((n >= 3).sum()) >= MINIMUM_AREAS
    reason = np.where(n == 0, "no years of data", "").astype(object)
    small = f"fewer than {MINIMUM_AREAS} areas with three years: too few to measure variation by"
    reason = np.where((reason == "") & (not measured), small, reason).astype(object)
    ok = reason == ""
    return AnnualForecast(
        value=np.where(n > 0, level + ahead * drift, np.nan),
        scale=np.where(ok, np.sqrt(uncertainty + ahead * wander + shock + last), np.nan),
        df=_freedom(y, seen, noise, 2 * shock + wander),
        drift=drift,
        shock_sd=float(np.sqrt(shock)),
        wander_sd=float(np.sqrt(wander)),
        n=n,
        reason=reason,
    )


def _freedom(y: Floats, seen: Flags, noise: Floats, movement: float) -> Floats:
    """Degrees of freedom of each area's movement: how far the areas' own mean squares differ, and its own."""
    known = seen[:, 1:] & seen[:, :-1]
    change = np.where(known, y[:, 1:] - y[:, :-1], 0.0)
    centred = np.where(known, change - masked_median(change.T, known.T), 0.0)
    spread = noise[:, 1:] + noise[:, :-1] + movement
    known &= spread > 0
    square = np.where(known, centred**2, 0.0) / np.where(known, spread, 1.0)
    n = known.sum(axis=1)
    own = n / 1.5  # neighbouring changes share a year: they are worth two thirds of their number
    mean = divide(square.sum(axis=1), n)
    fit = np.isfinite(mean) & (mean > 0)
    prior_df = prior_variance(mean[fit], own[fit])[1]
    return np.asarray(prior_df + own if np.isfinite(prior_df) else np.full(n.shape, np.inf))


def _filtered(y: Floats, seen: npt.NDArray[np.bool_], noise: Floats, wander: float) -> tuple[Floats, Floats]:
    """Level and its variance after the last year, starting from the first value seen."""
    level, variance = np.full(len(y), np.nan), np.full(len(y), np.nan)
    for value, there, error in zip(y.T, seen.T, noise.T, strict=True):
        ahead = variance + wander
        gain = np.where(np.isfinite(ahead), divide(ahead, ahead + error), 1.0)
        gain = np.where(np.isfinite(gain), gain, 1.0)
        moved = np.where(np.isfinite(level), level + gain * (value - level), value)
        level = np.where(there, moved, level)
        after = np.where(np.isfinite(ahead), (1 - gain) * ahead, error)
        variance = np.where(there, after, ahead)
    return level, variance


def _national_change(y: Floats) -> float:
    change = y[:, 1:] - y[:, :-1]
    median = masked_median(change.T, np.isfinite(change.T))
    known = median[np.isfinite(median)]
    return float(known.mean()) if known.size else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class RegressionToMean:
    """What the next period is expected to be, nothing done."""

    expected: Floats  # next value
    drift_back: Floats  # expected less last value
    # share of an area's distance from the mean that lasts: 1 keeps it all, 0 none; negative where extremes
    # tend to reverse
    reliability: float
    mean: float  # mean of all areas in the last period
    # whether the last value is beyond the panel's 10th or 90th percentile: where the drift should be told
    outlier: Flags
    n_pairs: int  # areas with two successive periods
    reason: Texts  # why there is no answer; empty where there is one


def regression_to_mean(values: npt.ArrayLike, *, minimum_areas: int = MINIMUM_AREAS) -> RegressionToMean:
    """Estimate how far each area's last value will drift back towards the mean by itself."""
    y = np.atleast_2d(np.asarray(values, dtype=float))
    seen = np.isfinite(y)
    n = np.maximum(seen.sum(axis=0), 1)
    mean = np.where(seen, y, 0.0).sum(axis=0) / n
    away = np.where(seen, y - mean, 0.0)
    both = seen[:, 1:] & seen[:, :-1]
    before, after = np.where(both, away[:, :-1], 0.0), np.where(both, away[:, 1:], 0.0)
    n_pairs, power = int(both.sum()), float((settled(before, largest(y)) ** 2).sum())
    enough = n_pairs >= minimum_areas and power > 0
    slope = float((before * after).sum() / power) if enough else float("nan")
    last = y[:, -1] if y.shape[1] else np.full(len(y), np.nan)
    few = f"{n_pairs} pairs of successive periods, {minimum_areas} are needed"
    no_spread = few if n_pairs < minimum_areas else "the areas do not differ"
    reason = np.where(np.isfinite(last), "" if enough else no_spread, "the last period is missing")
    centre = float(mean[-1]) if y.shape[1] else float("nan")
    expected = centre + slope * (last - centre)
    known = last[np.isfinite(last)]
    low, high = np.quantile(known, [0.1, 0.9]) if known.size else (np.nan, np.nan)
    return RegressionToMean(
        expected=np.where(reason == "", expected, np.nan),
        drift_back=np.where(reason == "", expected - last, np.nan),
        reliability=slope,
        mean=centre,
        outlier=(settled(low - last, low) > 0) | (settled(last - high, high) > 0),
        n_pairs=n_pairs,
        reason=reason.astype(object),
    )
