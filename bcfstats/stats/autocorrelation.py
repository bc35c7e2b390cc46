"""What autocorrelated months do to a regression with month effects and trend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bcfstats.stats.glm import PARAMETERS, Array, divide, month_indicator, years

_GRID = np.linspace(0.0, 0.99, 100)


@dataclass(frozen=True, slots=True)
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
    correlation : ndarray, shape (grid, months, months)
        Correlation of the months.
    maker : ndarray, shape (months, months)
        Residual maker of the design.
    """

    rho: Array
    found: Array
    variance_lost: Array
    correlation: Array
    maker: Array

    def true_rho(self, found: Array) -> Array:
        """Return the autocorrelation that the found one stands for; below zero is taken as zero."""
        return np.asarray(np.interp(np.where(np.isfinite(found), found, 0.0), self.found, self.rho))

    def inflation(self, weights: Array, found: Array) -> Array:
        """Variance of a weighted sum of months, over what independent months would give."""
        quadratic = np.einsum("t,gts,s->g", weights, self.correlation, weights) / (weights @ weights)
        return np.asarray(np.interp(self.true_rho(found), self.rho, quadratic / self.variance_lost))


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
    n = calendar_month.size
    design = np.column_stack([month_indicator(calendar_month), years(n)])
    maker = np.eye(n) - design @ np.linalg.pinv(design)
    lag = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    correlation = _GRID[:, None, None] ** lag
    kept = np.einsum("ij,gjk,kl->gil", maker, correlation, maker, optimize=True)
    power = np.trace(kept, axis1=1, axis2=2)
    found = divide(np.trace(kept, offset=1, axis1=1, axis2=2), power)
    lost = power / max(n - PARAMETERS, 1)
    return Autocorrelation(_GRID, np.maximum.accumulate(found), lost, correlation, maker)
