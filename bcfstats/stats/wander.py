"""How far rates wandered in the past: like-for-like changes, and the scale they give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bcfstats.stats.autocorrelation import autocorrelation_tables
from bcfstats.stats.dispersion import prior_variance
from bcfstats.stats.glm import PARAMETERS, Array, MonthlyModel, divide
from bcfstats.stats.priors import MonthlyPrior

INFINITE_DF = 1e6
FROM_PANEL = "history of all areas"
FROM_PRIOR = "national prior"
NEVER_CHANGED = "no area's rate has ever changed: only noise within the windows is allowed for"
FROM_OWN = "the area's own months, corrected for autocorrelation"
OWN_WARNING = "no history of other areas: without a real change 10 to 20 in 100 would be called significant"


def like_for_like_changes(counts: Array, exposure: Array, window: int, lag: int) -> Array:
    """Log change of every window of the series against the same months `lag` months before.

    Parameters
    ----------
    counts, exposure : ndarray, shape (areas, months)
        As `monthly_panel` returns them: zero exposure where a month is missing.
    window, lag : int
        Months.

    Returns
    -------
    ndarray, shape (areas, months - window + 1 - lag)
        NaN where either window lacks a month; half an event is added to each count.
    """
    rate = log_window_rates(counts, exposure, window)
    return rate[:, lag:] - rate[:, : rate.shape[1] - lag] if rate.shape[1] > lag else rate[:, :0]


def log_window_rates(counts: Array, exposure: Array, window: int) -> Array:
    """Log rate of every window of whole months, shape (areas, months - window + 1)."""
    total, time, seen = (window_sums(x, window) for x in (counts, exposure, (exposure > 0).astype(float)))
    rate = divide(total + 0.5, np.where(seen > window - 0.5, time, 0.0))
    return np.log(rate)


def window_sums(values: Array, window: int) -> Array:
    """Sum of every run of months, shape (areas, months - window + 1)."""
    if window > values.shape[1]:
        return np.empty((len(values), 0))
    sums = np.cumsum(np.hstack([np.zeros((len(values), 1)), values]), axis=1)
    return np.asarray(sums[:, window:] - sums[:, : sums.shape[1] - window])


@dataclass(frozen=True, slots=True)
class Own:
    """An area's own history: mean square of centred changes, what they are worth, how many, the median."""

    mean_square: Array
    df: Array
    n: npt.NDArray[np.intp]
    drift: float


@dataclass(frozen=True, slots=True)
class Found:
    """A variance for every area, its degrees of freedom, and where they come from."""

    variance: Array
    df: Array
    prior_variance: Array
    prior_df: float
    noise_slope: float
    source: str
    warning: str
    drift: float | None = None


def own_history(changes: Array, centre: float | None = None) -> Own:
    """Mean square of each area's changes and what overlapping changes are worth.

    Changes are taken about the panel's median, or about `centre`.
    """
    known = np.isfinite(changes)
    n = known.sum(axis=1)
    drift = float(np.median(changes[known])) if known.any() else 0.0
    centred = np.where(known, changes - (drift if centre is None else centre), 0.0)
    mean_square = divide((centred**2).sum(axis=1), n)
    present = known.astype(float)
    products = centred.T @ centred
    powers = (centred**2).T @ present
    scale = powers * powers.T
    squared = np.where(scale > 0, products**2 / np.where(scale > 0, scale, 1.0), 1.0)
    overlap = np.einsum("aj,jk,ak->a", present, squared, present, optimize=True)
    return Own(mean_square, np.maximum(divide(n.astype(float) ** 2, overlap), 1.0), n, drift)


def moderate(variances: Array, df: Array, prior_variance: float, prior_df: float) -> tuple[Array, Array]:
    """Draw variances towards a prior (Smyth 2004); an area without one takes the prior alone.

    Returns
    -------
    variance, df : ndarray, shape (areas,)
        Degrees of freedom are held to one million, where Student's t is the normal.

    Examples
    --------
    >>> import numpy as np
    >>> v, d = moderate(np.array([0.04]), np.array([3.0]), 0.01, 5.0)
    >>> float(v[0].round(5)), float(d[0])
    (0.02125, 8.0)
    """
    own = np.isfinite(variances)
    freedom = np.where(own, df, 0.0)
    if np.isinf(prior_df):
        return np.full(variances.shape, prior_variance), np.full(variances.shape, INFINITE_DF)
    total = prior_df + freedom
    weighted = prior_df * (prior_variance if prior_df > 0 else 0.0) + freedom * np.where(own, variances, 0.0)
    variance = np.divide(weighted, total, out=np.full(total.shape, np.nan), where=total > 0)
    return variance, np.minimum(total, INFINITE_DF)


def from_panel(own: Own, noise: Array, small: npt.NDArray[np.bool_]) -> Found:
    """Moderate each area's mean square towards what areas as noisy as it show."""
    fit = np.isfinite(own.mean_square) & np.isfinite(noise) & ~small
    if not (own.mean_square[fit] > 0).any():
        zero = np.zeros(noise.shape)
        return Found(zero, zero + INFINITE_DF, zero, np.inf, 0.0, FROM_PANEL, NEVER_CHANGED)
    middle = float(np.median(own.mean_square[fit])) or float(own.mean_square[fit].mean())
    floor = 1e-5 * middle
    square = np.where(own.n > 0, np.maximum(own.mean_square, floor), np.nan)
    x = np.log(np.where(noise > 0, noise, np.nan))
    centre = float(x[fit].mean())
    away, target = x[fit] - centre, np.log(square[fit])
    power = float(away @ away)
    slope = float(np.clip(away @ target / power, 0, 1)) if power > 1e-12 else 0.0
    expected = np.exp(slope * np.where(np.isfinite(x), x - centre, 0.0))
    prior, prior_df = prior_variance((square / expected)[fit], own.df[fit])
    variance, df = moderate(square / expected, own.df, prior, prior_df)
    return Found(variance * expected, df, prior * expected, prior_df, slope, FROM_PANEL, "")


def from_prior(own: Own, noise: Array, prior: MonthlyPrior) -> Found:
    """Moderate towards a shipped scale.

    Few areas cannot show how their overlapping changes hang together: together they count as one.
    """
    variance, df = moderate(own.mean_square, np.ones(noise.shape), prior.scale**2, prior.df)
    source = f"{FROM_PRIOR}: {prior.title}, {prior.window} months ({prior.source})"
    constant = np.full(noise.shape, prior.scale**2)
    warning = "the panel is too small or too short to measure its own history"
    return Found(variance, df, constant, prior.df, 0.0, source, warning, prior.drift)


def from_own_months(model: MonthlyModel, month: npt.NDArray[np.intp], window: int, lag: int) -> Found:
    """Variance of a change from the area's own months alone, first-order autocorrelation allowed for."""
    if (model.reason != "").all():
        empty = np.full(model.slope.shape, np.nan)
        return Found(empty, empty, empty, 0.0, 0.0, FROM_OWN, OWN_WARNING)
    tables = autocorrelation_tables(month)
    contrast = np.zeros(lag + window)
    contrast[:window], contrast[lag:] = -1 / window, 1 / window
    rho = tables.true_rho(model.autocorrelation)
    variance = model.residual_variance * tables.variance(contrast, model.autocorrelation)
    df = np.maximum(4.0, (model.n_months - PARAMETERS) * (1 - rho) / (1 + rho))
    return Found(variance, df, np.full(variance.shape, np.nan), 0.0, 0.0, FROM_OWN, OWN_WARNING)
