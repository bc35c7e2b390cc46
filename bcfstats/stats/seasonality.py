"""Is there a season at all? A test on the total of many areas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.linalg import solve_triangular

from bcfstats.errors import ParameterError
from bcfstats.stats.glm import MINIMUM_MONTHS, Array, lag_one, month_indicator, monthly_panel, years

_GREATEST_AUTOCORRELATION = 0.95


@dataclass(frozen=True, slots=True)
class SeasonalityTest:
    """Whether the months of one series differ, day for day.

    Attributes
    ----------
    p_value, statistic, df : float, float, tuple of float
        F test of eleven month effects.
    autocorrelation : float
        Lag-1 autocorrelation allowed for.
    n_months, n_winters : int
        Months used; Decembers to Februaries seen whole.
    highest_month, lowest_month : int
        1 to 12.
    range_percent : float
        How far the highest month's daily rate is above the lowest's.
    note, reason : str
        What a reader must know; why there is no answer.
    """

    p_value: float
    statistic: float
    df: tuple[float, float]
    autocorrelation: float
    n_months: int
    n_winters: int
    highest_month: int
    lowest_month: int
    range_percent: float
    note: str
    reason: str


def seasonality_test(
    counts: npt.ArrayLike, exposure: npt.ArrayLike, calendar_month: npt.ArrayLike
) -> SeasonalityTest:
    """Test whether the months of one total differ, day for day.

    It answers: is there a season at all? Give it the national or a peer group's total: on one area's two or
    three years no test of the right size has better than 10 to 18 % power.

    Parameters
    ----------
    counts : array, shape (months,)
        Total events in each month; NaN where not complete.
    exposure : array, shape (months,)
        Days in the month, or person-days.
    calendar_month : array of int, shape (months,)
        1 to 12.

    Returns
    -------
    SeasonalityTest

    Raises
    ------
    InputError
        If shapes disagree or a count is negative.

    Notes
    -----
    F test of eleven month effects beside a trend in the log daily rate, by generalised least squares with
    first-order autocorrelation (Prais and Winsten 1954) estimated from the ordinary residuals and held
    between 0 and 0.95. Simulated size at a nominal 5 %, with autocorrelation 0 to 0.8 and with and without a
    wandering level: 5 to 9 % on 24 months, 4 to 8 % on 36, 3 to 5 % on 60. A Poisson test of the same kind
    is wrong 66 to 100 times in a hundred on delayed days.

    Examples
    --------
    >>> import numpy as np
    >>> month = np.tile(np.arange(1, 13), 4)
    >>> noise = np.random.default_rng(1).normal(0, 0.01, 48)
    >>> found = seasonality_test(1000 * (1 + 0.1 * (month == 1)) * np.exp(noise), np.ones(48), month)
    >>> found.p_value < 0.001, found.highest_month
    (True, 1)
    """
    y, e, month = monthly_panel(counts, exposure, calendar_month)
    if len(y) != 1:
        raise ParameterError(
            "The test takes one series.", found=f"{len(y)} series", do="Give the total of the areas."
        )
    keep = e[0] > 0
    n, winters = int(keep.sum()), _winters(month[keep])
    reason = _test_reason(n, month[keep], y[0])
    if reason:
        nan = float("nan")
        return SeasonalityTest(nan, nan, (nan, nan), nan, n, winters, 0, 0, nan, "", reason)
    log_rate = np.log((y[0, keep] + 0.5) / e[0, keep])
    position = np.flatnonzero(keep)
    time = years(month.size)[keep]
    full = np.column_stack([month_indicator(month[keep]), time])
    rho = _autocorrelation(log_rate, full, position)
    statistic, effects = _gls_f(log_rate, full, np.column_stack([np.ones(n), time]), position, rho)
    high, low = int(effects.argmax()), int(effects.argmin())
    df = (11.0, float(n - 13))
    note = {0: "not one whole winter", 1: "one winter only", 2: "two winters only"}.get(winters, "")
    return SeasonalityTest(
        p_value=float(special.fdtrc(*df, statistic)) if np.isfinite(statistic) else 1.0,
        statistic=statistic,
        df=df,
        autocorrelation=rho,
        n_months=n,
        n_winters=winters,
        highest_month=high + 1,
        lowest_month=low + 1,
        range_percent=float(np.expm1(effects[high] - effects[low]) * 100),
        note=note,
        reason="" if np.isfinite(statistic) else "the series does not vary",
    )


def _test_reason(n: int, month: npt.NDArray[np.intp], y: Array) -> str:
    if n < MINIMUM_MONTHS:
        return f"{n} months of data, {MINIMUM_MONTHS} are needed"
    if np.unique(month).size < 12:
        return "a calendar month was never observed"
    return "no events at all" if y.sum() == 0 else ""


def _winters(month: npt.NDArray[np.intp]) -> int:
    return int(min((month == 12).sum(), (month == 1).sum(), (month == 2).sum()))


def _autocorrelation(log_rate: Array, design: Array, position: npt.NDArray[np.intp]) -> float:
    residual = np.full(position[-1] + 1, np.nan)
    residual[position] = log_rate - design @ np.linalg.lstsq(design, log_rate, rcond=None)[0]
    return float(np.clip(lag_one(residual[None])[0], 0.0, _GREATEST_AUTOCORRELATION))


def _gls_f(
    log_rate: Array, full: Array, reduced: Array, position: npt.NDArray[np.intp], rho: float
) -> tuple[float, Array]:
    root = np.linalg.cholesky(rho ** np.abs(np.subtract.outer(position, position)))
    y, x1, x0 = (solve_triangular(root, a, lower=True) for a in (log_rate, full, reduced))
    coefficients = np.linalg.lstsq(x1, y, rcond=None)[0]
    rest1 = float(((y - x1 @ coefficients) ** 2).sum())
    rest0 = float(((y - x0 @ np.linalg.lstsq(x0, y, rcond=None)[0]) ** 2).sum())
    if rest0 <= 1e-20 * float((y**2).sum()) + 1e-24:
        return float("nan"), coefficients[:12]
    return (rest0 - rest1) / 11 / max(rest1 / (len(y) - 13), 1e-300), coefficients[:12]
