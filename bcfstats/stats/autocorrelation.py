"""What autocorrelated months do to a regression with month effects and trend."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from bcfstats.stats.glm import PARAMETERS, Array, divide, month_indicator, years

_GRID = np.linspace(0.0, 0.99, 100)


@dataclass(frozen=True, slots=True, eq=False)
class Autocorrelation:
    """Tables over a grid of true lag-1 autocorrelations, for one span of whole months.

    Attributes
    ----------
    rho : ndarray, shape (grid,)
        True autocorrelation.
    found : ndarray, shape (grid,)
        What the residuals are expected to show.
    variance_lost : ndarray, shape (grid,)
        Expected residual variance over the true variance.
    """

    rho: Array
    found: Array
    variance_lost: Array

    def true_rho(self, found: Array) -> Array:
        """Return the autocorrelation that the found one stands for; below zero is taken as zero."""
        return np.asarray(np.interp(np.where(np.isfinite(found), found, 0.0), self.found, self.rho))

    def variance(self, weights: Array, found: Array) -> Array:
        """Variance of a weighted sum of months, in units of the residual variance that was found."""
        exact = weighted_variance(weights, self.rho) / self.variance_lost
        return np.asarray(np.interp(self.true_rho(found), self.rho, exact))


def weighted_variance(weights: Array, rho: Array) -> Array:
    """Variance of a weighted sum of months of unit variance, correlated rho to the power of their distance.

    Examples
    --------
    >>> import numpy as np
    >>> weighted_variance(np.array([0.5, 0.5]), np.array([0.0, 1.0]))
    array([0.5, 1. ])
    """
    products = np.correlate(weights, weights, mode="full")[weights.size - 1 :]
    products[1:] *= 2
    return np.asarray(rho[:, None] ** np.arange(weights.size) @ products)


def autocorrelation_tables(calendar_month: npt.NDArray[np.intp]) -> Autocorrelation:
    """Tabulate, for a span of months, how much of the autocorrelation and variance residuals lose.

    Thirteen parameters fitted to 24 months take up much of the autocorrelation: a true 0.7 shows as 0.5.
    The expectations are exact for least squares: tr(L M R M) / tr(M R M), M the residual maker, R the
    correlation and L the shift by a month.

    Examples
    --------
    >>> import numpy as np
    >>> tables = autocorrelation_tables(np.tile(np.arange(1, 13), 2))
    >>> float(tables.true_rho(np.array([0.496]))[0].round(2))
    0.7
    """
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
    found = divide(np.trace(kept, offset=1, axis1=1, axis2=2), power)
    return Autocorrelation(_GRID, np.maximum.accumulate(found), power / max(n_months - PARAMETERS, 1))
