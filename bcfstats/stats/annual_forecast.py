"""What happens if nothing is done, for annual values: the panel level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bcfstats.stats.glm import divide
from bcfstats.stats.medians import masked_median
from bcfstats.stats.rows import Floats, Texts, critical_value
from bcfstats.stats.trend import variance_components

FEWEST_YEARS_FOR_DRIFT = 4
FEWEST_AREAS = 20


@dataclass(frozen=True, slots=True, eq=False)
class AnnualForecast:
    """Expected value of a year to come if nothing changes, on the scale it was given in.

    Attributes
    ----------
    value, scale : ndarray, shape (areas,)
        Forecast and the standard error of the value that will be published.
    drift : float
        National change a year that goes on.
    shock_sd, wander_sd : float
        Standard deviation of one-year shocks and of the yearly steps of the level.
    n : ndarray of int, shape (areas,)
        Years used.
    reason : ndarray of str, shape (areas,)
        Why there is no answer; empty where there is one.
    """

    value: Floats
    scale: Floats
    drift: float
    shock_sd: float
    wander_sd: float
    n: npt.NDArray[np.intp]
    reason: Texts

    def interval(self, confidence_level: float = 0.8) -> tuple[Floats, Floats]:
        """Lower and upper limits."""
        half = critical_value(confidence_level) * self.scale
        return self.value - half, self.value + half


def annual_forecast(
    values: npt.ArrayLike,
    sampling_variance: npt.ArrayLike,
    *,
    ahead: int = 1,
    drift_share: float = 0.5,
    minimum_areas: int = FEWEST_AREAS,
) -> AnnualForecast:
    """Forecast annual values by each area's level, smoothed as much as the panel says it should be.

    It answers: what would next year's value be without the plan, and within what limits?

    Parameters
    ----------
    values : array, shape (areas, years)
        On a scale where changes add: log rates, percentages, scores; one consecutive year a column, NaN where
        missing.
    sampling_variance : array, shape (areas,) or (areas, years)
        Sampling variance of a value; the last column serves for the year to come.
    ahead : int
        Years from the last column.
    drift_share : float
        Share of the national change a year that goes on, once there are four years; none before.
    minimum_areas : int
        Fewest areas with three years to measure shocks and wandering by.

    Returns
    -------
    AnnualForecast

    Notes
    -----
    Local level model (Durbin and Koopman 2012, section 2.2) for every area by the Kalman filter, with the
    variances of shocks and of the level's steps from the whole panel (`panel_trend`). An area's own trend is
    not extrapolated: on 3 to 8 annual points its error is 1.3 to 2.4 times that of last year's value.

    Not for surveys whose definition changed between the years.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> level = 6 + rng.normal(0, 0.2, (150, 1)) + np.cumsum(rng.normal(0, 0.05, (150, 6)), axis=1)
    >>> seen = level + rng.normal(0, 0.05, (150, 6))
    >>> lower, upper = annual_forecast(seen[:, :5], 0.0).interval(0.8)
    >>> bool(0.7 < np.mean((lower < seen[:, 5]) & (seen[:, 5] < upper)) < 0.9)
    True
    """
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
    measured = int((n >= 3).sum()) >= minimum_areas
    reason = np.where(n == 0, "no years of data", "").astype(object)
    small = f"fewer than {minimum_areas} areas with three years: too few to measure variation by"
    reason = np.where((reason == "") & (not measured), small, reason).astype(object)
    ok = reason == ""
    return AnnualForecast(
        value=np.where(n > 0, level + ahead * drift, np.nan),
        scale=np.where(ok, np.sqrt(uncertainty + ahead * wander + shock + last), np.nan),
        drift=drift,
        shock_sd=float(np.sqrt(shock)),
        wander_sd=float(np.sqrt(wander)),
        n=n,
        reason=reason,
    )


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
