"""Variation beyond chance: Pearson dispersion, shrinkage to the panel, variance between areas or years."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from bcfstats.errors import ParameterError
from bcfstats.stats.rows import Floats, Texts, as_rows, reasons, unwrap
from bcfstats.stats.tolerance import settled

_STEPS = 200
_SMALL = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Dispersion:
    """A variance, or a variance relative to chance, one a row."""

    value: Floats  # the variance; NaN where it cannot be estimated
    degrees_of_freedom: Floats  # how much it is worth: infinite when the whole panel shares one variance
    reason: Texts  # why it is missing; empty where it is not


def pearson_dispersion(
    observed: npt.ArrayLike, fitted: npt.ArrayLike, *, parameters: npt.ArrayLike = 1
) -> Dispersion:
    """Pearson's chi-squared of counts about their fitted values over its degrees of freedom."""
    y, m = as_rows(observed=observed, fitted=fitted)
    there = np.isfinite(y) & np.isfinite(m)
    impossible = np.any(there & ((m <= 0) | (y < 0)), axis=-1)
    df = np.asarray(there.sum(axis=-1) - np.asarray(parameters, dtype=float))
    safe = np.where(there & (m > 0), m, 1.0)
    chi_squared = np.where(there, np.square(settled(y - safe, safe)) / safe, 0.0).sum(axis=-1)
    reason = reasons(
        df.shape,
        ("a count is below zero or a fitted value not above it", np.asarray(impossible)),
        ("there are no more counts than parameters: no degrees of freedom", df <= 0),
    )
    value = np.where(reason == "", chi_squared, np.nan) / np.where(df > 0, df, np.nan)
    return Dispersion(unwrap(value), unwrap(np.maximum(df, 0.0)), unwrap(reason))


def shrink_to_panel(variance: npt.ArrayLike, degrees_of_freedom: npt.ArrayLike) -> Dispersion:
    """Each area's variance moved towards what is usual in the panel, the more so the less it is worth."""
    s2, df = as_rows(variance=variance, degrees_of_freedom=degrees_of_freedom)
    known = np.isfinite(s2) & (s2 >= 0) & (df > 0)
    prior, prior_df = prior_variance(s2[known], df[known])
    own, worth = np.where(known, s2, 0.0), np.where(known, df, 0.0)
    value = _weighted(prior, prior_df, own, worth)
    missing = np.full(value.shape, not np.isfinite(prior))
    return Dispersion(
        unwrap(np.where(missing, np.nan, value)),
        unwrap(np.where(missing, np.nan, prior_df + worth)),
        unwrap(reasons(value.shape, ("the panel has fewer than two variances", missing))),
    )


def _weighted(prior: float, prior_df: float, own: Floats, worth: Floats) -> Floats:
    if not np.isfinite(prior_df):
        return np.full(own.shape, prior)
    return (prior_df * prior + worth * own) / (prior_df + worth)


def prior_variance(variance: Floats, degrees_of_freedom: Floats) -> tuple[float, float]:
    """Return the variance usual in the panel and the degrees of freedom it is worth."""
    if variance.size < 2:
        return np.nan, np.nan
    floor = _SMALL * float(np.median(variance))
    if floor == 0:
        return float(variance.mean()), np.inf
    half = degrees_of_freedom / 2
    centred = np.log(np.maximum(variance, floor)) - special.digamma(half) + np.log(half)
    excess = float(centred.var(ddof=1) - special.polygamma(1, half).mean())
    if excess <= 0:
        return float(variance.mean()), np.inf
    prior_half = inverse_trigamma(excess)
    log_prior = centred.mean() + special.digamma(prior_half) - np.log(prior_half)
    return float(np.exp(log_prior)), 2 * prior_half


def inverse_trigamma(value: float) -> float:
    """Return x with trigamma(x) = value, by Smyth's (2004, appendix) Newton's method."""
    x = 0.5 + 1 / value
    for _ in range(_STEPS):
        trigamma = float(special.polygamma(1, x))
        step = trigamma * (1 - trigamma / value) / float(special.polygamma(2, x))
        x += step
        if abs(step) < 1e-12 * x:
            break
    return x


def paule_mandel(estimates: npt.ArrayLike, variances: npt.ArrayLike, *, winsorise: float = 0.0) -> Dispersion:
    """Variance between areas, or between years, beyond the sampling variance of each estimate."""
    if not 0 <= winsorise < 0.5:
        raise ParameterError("The share to winsorise is not from 0 to 0.5.", found=f"{winsorise:g}")
    y, v = as_rows(estimates=estimates, variances=variances)
    there = np.isfinite(y) & np.isfinite(v) & (v > 0)
    k = there.sum(axis=-1)
    reason = reasons(
        k.shape,
        ("a sampling variance is zero or below", np.any(np.isfinite(y) & (v <= 0), axis=-1)),
        ("fewer than two estimates", np.asarray(k < 2)),
    )
    usable = there & np.asarray(reason == "")[..., None]
    y, v = np.where(usable, y, np.nan), np.where(usable, v, np.nan)
    if winsorise > 0 and y.size:
        y = _winsorised(y, v, winsorise)
    tau2 = np.where(reason == "", _between_variance(y, v), np.nan)
    return Dispersion(unwrap(tau2), unwrap(np.maximum(k - 1.0, 0.0)), unwrap(reason))


def _winsorised(y: Floats, v: Floats, share: float) -> Floats:
    empty = np.isnan(y).all(axis=-1, keepdims=True)
    middle = np.nanmedian(np.where(empty, 0.0, y), axis=-1, keepdims=True)
    z = (y - middle) / np.sqrt(v)
    low, high = np.nanquantile(np.where(empty, 0.0, z), [share, 1 - share], axis=-1, keepdims=True)
    return np.asarray(middle + np.clip(z, low, high) * np.sqrt(v))


def _between_variance(y: Floats, v: Floats) -> Floats:
    """Solve sum w (y - mean)^2 = k - 1, w = 1 / (v + tau2): convex, so Newton climbs to it from zero."""
    k = np.isfinite(y).sum(axis=-1)
    tau2 = np.zeros(k.shape)
    for _ in range(_STEPS):
        w = 1 / (v + tau2[..., None])
        total = np.nansum(w, axis=-1)
        mean = np.nansum(w * y, axis=-1) / np.where(total > 0, total, 1.0)
        squares = np.square(w * (y - mean[..., None]))
        excess = np.nansum(squares / w, axis=-1) - (k - 1)
        slope = np.nansum(squares, axis=-1)
        step = np.where(excess > 0, excess / np.where(slope > 0, slope, 1.0), 0.0)
        tau2 = tau2 + step
        if np.all(step <= 1e-14 * tau2):
            break
    return tau2
