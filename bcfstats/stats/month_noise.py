"""Noise of months whose figures are no counts of events: from the area's own months and the panel's."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from bcfstats.stats.dispersion import shrink_to_panel
from bcfstats.stats.monthly_model import lag_one
from bcfstats.stats.rows import MINIMUM_AREAS, Floats, masked_median

YEAR = 12
FEWEST = 6  # months of a year without which it tells nothing


@dataclass(frozen=True, slots=True, eq=False)
class MonthNoise:
    """How far single months scatter about their year: variance and its degrees of freedom, one an area.

    `rho` is the correlation of a month with the next, the same in all areas.
    """

    variance: Floats
    df: Floats
    rho: float

    def error(self, weights: Floats) -> Floats:
        """Standard error of each area's mean over months with these weights, zero where not used."""
        lag = np.abs(np.subtract.outer(np.arange(weights.shape[1]), np.arange(weights.shape[1])))
        total = weights.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = weights / total
        return np.asarray(
            np.sqrt(self.variance * np.einsum("ai,ij,aj->a", share, self.rho**lag, share, optimize=True))
        )

    def half_width(self, weights: Floats, level: float) -> Floats:
        """Half of the interval about each area's mean, by Student's t."""
        return np.asarray(special.stdtrit(self.df, (1 + level) / 2) * self.error(weights))


def month_noise(values: Floats) -> MonthNoise:
    """Measure how months scatter about the mean of their year, the nation's months taken out.

    `values` are areas by months on the working scale (logs of a ratio), NaN where missing; years count back
    from the last month. Each variance is moved towards the panel's (`shrink_to_panel`); the correlation of
    neighbouring months is the panel's median, corrected for the mean taken from the same months, and with it
    the variance. On the discharge delays of 2024-25 it calls 3 to 6 % of half-years changed.
    """
    areas, n = values.shape
    blocks = [values[:, max(stop - YEAR, 0) : stop] for stop in range(n, 0, -YEAR)][::-1]
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
    found = float(np.median(lag_one(rest[usable]))) if usable.any() else 0.0
    k = max(float(np.median(seen.sum(axis=1) / np.maximum(years, 1))), 2.0)  # months that share a mean
    rho = float(np.clip((found + 1 / k) / (1 - 1 / k), 0.0, 0.9))
    lags = np.arange(1, round(k))
    kept = 1 - 2 / (k * (k - 1)) * float(((k - lags) * rho**lags).sum())
    variance = np.where(np.isfinite(panel.value), panel.value, own) / kept
    worth = np.where(np.isfinite(panel.value), panel.degrees_of_freedom, df)
    return MonthNoise(np.asarray(variance), np.asarray(worth), rho)


def _edges(blocks: list[Floats]) -> NDArray[np.int64]:
    return np.cumsum([block.shape[1] for block in blocks])[:-1]


def _about_mean(block: Floats) -> Floats:
    """Months about their mean; missing where a year has too few."""
    seen = np.isfinite(block)
    n = seen.sum(axis=1, keepdims=True)
    mean = np.where(seen, block, 0.0).sum(axis=1, keepdims=True) / np.maximum(n, 1)
    return np.where(seen & (n >= FEWEST), block - mean, np.nan)
