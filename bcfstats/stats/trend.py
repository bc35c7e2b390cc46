"""Trend: slope per year with interval, shrunk slope, and a test sized by the whole panel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from bcfstats.errors import ParameterError
from bcfstats.stats.change import FLAT, NOTHING_VARIES
from bcfstats.stats.monthly_model import (
    PARAMETERS,
    Array,
    as_months,
    autocorrelation_tables,
    divide,
    fit_monthly,
    month_indicator,
    years,
)
from bcfstats.stats.rows import (
    CONFIDENCE,
    MINIMUM_AREAS,
    Floats,
    Texts,
    as_rows,
    as_table,
    check_choice,
    check_level,
    critical_value,
    reasons,
)
from bcfstats.stats.tolerance import largest, negligible, settled

POINTS = 5
CRITICAL_CHI_SQUARE = 9.54953570608324
CANNOT, NO_CHANGE, UP, DOWN = "Cannot be calculated", "No significant change", "Increasing", "Decreasing"
_INTERVAL_WIDTH = 3.92


@dataclass(frozen=True, slots=True, eq=False)
class RecentTrend:
    """The label Fingertips would show."""

    # "Increasing", "Decreasing" (with "and getting better" or "and getting worse" where a polarity is given),
    # "No significant change" or "Cannot be calculated"
    label: Texts
    slope: Floats  # per year; of the logit for proportions
    chi_square: Floats  # compared with 9.5495
    # why it cannot be calculated, or "one point decides the direction" where a significant slope fails the
    # rule's check for outliers; else empty
    reason: Texts


def recent_trend(
    values: npt.ArrayLike | None = None,
    lower: npt.ArrayLike | None = None,
    upper: npt.ArrayLike | None = None,
    *,
    numerator: npt.ArrayLike | None = None,
    denominator: npt.ArrayLike | None = None,
    polarity: str = "",
) -> RecentTrend:
    """Label the trend of the last five annual points as Fingertips does.

    Parameters
    ----------
    values, lower, upper : array, shape (areas, years)
        Values with 95 % limits, one consecutive year a column: for rates, means and standardised rates.
    numerator, denominator : array, shape (areas, years)
        For proportions, instead of values and limits.
    polarity : "lower", "higher" or ""
        Which direction is better; empty for no judgement.

    Returns
    -------
    RecentTrend

    Raises
    ------
    ParameterError
        If neither set of inputs is whole, or the polarity is not known.

    Notes
    -----
    Public Health Outcomes Framework technical guide and the rule's published source
    (github.com/dhsc-govuk/FingertipsNext, TrendMarkerCalculator). Proportions: chi-squared for trend,
    direction by least squares on the logits. Others: line weighted by 1/SE squared, SE = (upper - lower) /
    3.92.
    A trend needs chi-squared above 9.5495 (99.8 %) and a slope that keeps its sign when any one point is left
    out. Annual data only; a year missing among the last five cannot be calculated.

    The rule knows sampling error only. Simulated without a trend, it claims one 3 to 8 % of the time when
    ordinary yearly variation is added (nominal 0.2 %); on delayed days it flagged 56 to 76 % of areas, and
    the next year moved that way for 28 to 59 % of them. Offered because readers know it: judge a target by
    `history_scale`.

    Examples
    --------
    >>> import numpy as np
    >>> count = np.array([[420, 410, 395, 380, 362]])
    >>> half = 1.96 * np.sqrt(count)
    >>> found = recent_trend(count, count - half, count + half)
    >>> str(found.label[0]), float(found.slope[0].round(5)), float(found.chi_square[0].round(5))
    ('No significant change', -14.65789, 5.49435)
    """
    if not isinstance(polarity, str) or polarity:
        check_choice("polarity", polarity, ("lower", "higher"))
    if numerator is not None and denominator is not None:
        slopes, chi_square, reason = _proportions(*_alike(numerator=numerator, denominator=denominator))
    elif values is not None and lower is not None and upper is not None:
        slopes, chi_square, reason = _weighted(*_alike(values=values, lower=lower, upper=upper))
    else:
        raise ParameterError(
            "A recent trend needs values with both limits, or a numerator and a denominator.",
            do="Give all three, or both.",
        )
    steady = np.abs(np.where(slopes < 0, -1, 1).sum(axis=0)) == POINTS + 1
    known = reason == ""
    beyond = known & (chi_square > CRITICAL_CHI_SQUARE)
    reason = np.where(beyond & ~steady, "one point decides the direction", reason).astype(object)
    label = _labels(known, beyond & steady, slopes[0], polarity)
    return RecentTrend(label, np.where(known, slopes[0], np.nan), np.where(known, chi_square, np.nan), reason)


def _alike(**tables: npt.ArrayLike) -> list[Floats]:
    return [_last(table) for table in as_rows(**tables)]


def _last(values: npt.ArrayLike) -> Floats:
    given = as_table("values", values)
    missing = np.full((len(given), max(POINTS - given.shape[1], 0)), np.nan)
    return np.hstack([missing, given])[:, -POINTS:]


def _weighted(value: Floats, lower: Floats, upper: Floats) -> tuple[Floats, Floats, Texts]:
    se = (upper - lower) / _INTERVAL_WIDTH
    complete = np.all(np.isfinite(value) & np.isfinite(se), axis=1)
    width = settled(upper - lower, np.maximum(np.abs(lower), np.abs(upper)))
    positive = np.all(np.where(np.isfinite(width), width, 1.0) != 0, axis=1)
    reason = reasons(
        complete.shape,
        ("fewer than five consecutive years with a value and limits", ~complete),
        ("a lower limit is above its upper limit", np.any(width < 0, axis=1)),
        ("an interval has no width", ~positive),
    )
    ok = (reason == "")[:, None]
    weight = 1 / np.where(ok, se, 1.0) ** 2
    slopes, information = _leave_one_out(np.where(ok, value, 0.0), weight)
    slopes = settled(slopes, largest(value)[:, 0])
    return slopes, slopes[0] ** 2 * information, reason


def _proportions(c: Floats, d: Floats) -> tuple[Floats, Floats, Texts]:
    complete = np.all(np.isfinite(c) & (np.where(np.isfinite(d), d, 0.0) > 0), axis=1)
    inside = np.all((c > 0) & (c < d), axis=1)
    reason = reasons(
        complete.shape,
        ("fewer than five consecutive years with a numerator and a denominator", ~complete),
        ("a numerator is below zero or above its denominator", np.any((c < 0) | (c > d), axis=1)),
        ("a year has none or all", ~inside),
    )
    ok = (reason == "")[:, None]
    c, d = np.where(ok, c, 1.0), np.where(ok, d, 2.0)
    t = np.arange(1.0, POINTS + 1)
    total, events = d.sum(axis=1), c.sum(axis=1)
    top = total * (total * (c @ t) - events * (d @ t)) ** 2
    chi_square = top / (events * (total - events) * (total * (d @ t**2) - (d @ t) ** 2))
    slopes = settled(_leave_one_out(np.log(c / (d - c)), np.ones_like(c))[0], 1.0)
    return slopes, chi_square, reason


def _leave_one_out(value: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Weighted slope on all points and without each one, shape (6, areas); information of the first."""
    keep = np.vstack([np.ones(POINTS), 1 - np.eye(POINTS)])
    t = np.arange(1.0, POINTS + 1)
    w = keep[:, None, :] * weight
    total = w.sum(axis=2)
    information = (w * t**2).sum(axis=2) - (w @ t) ** 2 / total
    slope = ((w * value) @ t - (w @ t) * (w * value).sum(axis=2) / total) / information
    return slope, information[0]


def _labels(
    known: npt.NDArray[np.bool_], trend: npt.NDArray[np.bool_], slope: Floats, polarity: str
) -> Texts:
    better = {
        "lower": (" and getting worse", " and getting better"),
        "higher": (" and getting better", " and getting worse"),
    }
    up, down = better.get(polarity, ("", ""))
    label = np.select(
        [~known, trend & (slope > 0), trend & (slope < 0)], [CANNOT, UP + up, DOWN + down], default=NO_CHANGE
    )
    return label.astype(object)


WANDER = "a level that wanders from year to year can pass for a trend: judge by the do-nothing forecast"


@dataclass(frozen=True, slots=True, eq=False)
class Trend:
    """Slope of each area's monthly rate, in per cent a year."""

    percent_per_year: Array  # slope with its interval, widened for autocorrelation
    lower: Array
    upper: Array
    p_value: Array  # two-sided; right only if the level does not wander (see `note`)
    # slope drawn towards the mean of all areas by as much as its error deserves
    shrunk_percent_per_year: Array
    autocorrelation: Array  # lag-1 autocorrelation of the months, corrected for the bias of short series
    n_months: Array  # months used
    df: Array  # of the interval
    note: str  # what every reader of a monthly trend must know
    reason: npt.NDArray[np.str_]  # why there is no answer; empty where there is one


@dataclass(frozen=True, slots=True, eq=False)
class PanelTrend:
    """Slope of each area's annual rate, its error from how all areas move between years."""

    percent_per_year: Floats  # least-squares slope of the log rate with its interval
    lower: Floats
    upper: Floats
    p_value: Floats  # two-sided
    shrunk_percent_per_year: Floats  # slope drawn towards the mean of all areas
    # standard deviation of one-year shocks, and of the yearly steps of the level, on the log scale
    shock_sd: float
    wander_sd: float
    n: npt.NDArray[np.intp]  # years used
    reason: Texts  # why there is no answer; empty where there is one


def trend(
    counts: npt.ArrayLike,
    exposure: npt.ArrayLike,
    calendar_month: npt.ArrayLike,
    *,
    confidence_level: float = CONFIDENCE,
) -> Trend:
    """Estimate each area's trend in its monthly rate, in per cent a year.

    It answers: which way has the rate been heading, month effects and days allowed for, and how sure is that?

    Parameters
    ----------
    counts : array, shape (areas, months)
        Events in each month; NaN where not published or not believed.
    exposure, calendar_month : array, shape (months,), or (areas, months) for the exposure
        Days in the month, or person-days; 1 to 12.
    confidence_level : float
        Of the intervals.

    Returns
    -------
    Trend

    Raises
    ------
    InputError
        If shapes disagree or a count is negative.

    Notes
    -----
    Slope of `fit_monthly`. Its variance is multiplied by what first-order autocorrelation of the residuals
    does to it, both the autocorrelation and the residual variance corrected for the parameters fitted
    (`autocorrelation_tables`); degrees of freedom are those of as many independent months, four at least.

    Simulated at a nominal 5 %: 3 to 4 % on independent months, 7 to 9 % with autocorrelation 0.5 and 8 to
    12 % with 0.7 (24 to 60 months), where Mann-Kendall gives 5, 16 to 18 and 36 to 40 %.

    Do not use it for a verdict or a forecast: where the level itself wanders, as delayed days do, no test of
    a slope on a few years of months is valid (this one claims a trend 15 to 38 % of the time, Mann-Kendall 30
    to 70 %), and extrapolating the slope forecasts worse than last year's value.

    Examples
    --------
    >>> import numpy as np
    >>> month = np.tile(np.arange(1, 13), 3)
    >>> counts = np.random.default_rng(1).poisson(1000 * 0.9 ** (np.arange(36) / 12))
    >>> found = trend(counts, np.ones(36), month)
    >>> float(found.percent_per_year[0].round(1)), bool(found.upper[0] < 0)
    (-9.2, True)
    """
    confidence_level = check_level(confidence_level)
    _, _, month = as_months(counts, exposure, calendar_month)
    model = fit_monthly(counts, exposure, month)
    if (model.reason != "").all():
        empty = np.full(len(model.slope), np.nan)
        return Trend(empty, empty, empty, empty, empty, empty, model.n_months, empty, WANDER, model.reason)
    tables = autocorrelation_tables(month)
    rho = np.where(model.reason == "", tables.true_rho(model.autocorrelation), np.nan)
    weights = _slope_weights(month)
    inflation = tables.variance(weights, model.autocorrelation) / (weights @ weights)
    se = model.slope_se * np.sqrt(inflation)
    df = np.maximum(4.0, (model.n_months - PARAMETERS) * (1 - rho) / (1 + rho))
    flat = model.dispersion <= 0  # every month is as fitted: no error to test with
    se = np.where(flat, np.nan, se)
    half = critical_value(confidence_level, df) * se
    return Trend(
        percent_per_year=100 * np.expm1(model.slope),
        lower=100 * np.expm1(model.slope - half),
        upper=100 * np.expm1(model.slope + half),
        p_value=_two_sided(model.slope, se, df),
        shrunk_percent_per_year=100 * np.expm1(shrink_to_mean(model.slope, se)),
        autocorrelation=rho,
        n_months=model.n_months,
        df=df,
        note=WANDER,
        reason=np.where(flat, np.where(model.slope == 0, FLAT, NOTHING_VARIES), model.reason),
    )


def _slope_weights(month: npt.NDArray[np.intp]) -> Array:
    """Weights of the months in the least-squares slope beside month effects."""
    group, t = month_indicator(month), years(month.size)
    rest = t - group @ divide(group.T @ t, group.sum(axis=0))
    return np.asarray(rest / (rest @ rest))


def _two_sided(estimate: Floats, se: Floats, df: npt.ArrayLike) -> Floats:
    return np.asarray(2 * special.stdtr(df, -np.abs(divide(estimate, se))))


def shrink_to_mean(estimates: npt.ArrayLike, standard_errors: npt.ArrayLike) -> Floats:
    """Draw each estimate towards the mean of all by as much as its error deserves."""
    b, se = np.asarray(estimates, dtype=float), np.asarray(standard_errors, dtype=float)
    ok = np.isfinite(b) & (se * se > 0)
    if ok.sum() < 2:
        return b.copy()
    x, v = b[ok], se[ok] ** 2
    w = 1 / v
    fixed = (w @ x) / w.sum()
    spread = w.sum() - (w @ w) / w.sum()  # nothing where one estimate has all the weight
    tau2 = max((w @ (x - fixed) ** 2 - (ok.sum() - 1)) / spread, 0.0) if spread > 0 else 0.0
    mean = (x / (v + tau2)).sum() / (1 / (v + tau2)).sum()
    shrunk = b.copy()
    shrunk[ok] = mean + tau2 / (tau2 + v) * (x - mean)
    return shrunk


def panel_trend(
    rates: npt.ArrayLike,
    sampling_variance: npt.ArrayLike = 0.0,
    *,
    confidence_level: float = CONFIDENCE,
    minimum_areas: int = MINIMUM_AREAS,
) -> PanelTrend:
    """Test each area's trend over some years by how much all areas shift between years."""
    y = as_table("rates", rates)
    y = np.log(np.where(y > 0, y, np.nan))
    n = np.isfinite(y).sum(axis=1)
    shock, wander = variance_components(y)
    measured = int((n >= 3).sum()) >= minimum_areas
    too_few = np.char.add("too few to test: ", np.char.add(n.astype(str), " points")).astype(object)
    panel = (
        f"fewer than {minimum_areas} areas with three years: the panel is too small to measure variation by"
    )
    reason = np.where(n < 3, too_few, "" if measured else panel).astype(object)
    ok = reason == ""
    at = np.where(np.isfinite(y), np.arange(y.shape[1]), np.nan)
    t = np.where(np.isfinite(at), at - divide(np.nansum(at, axis=1), n)[:, None], 0.0)
    c = np.where(ok[:, None], divide(t, (t**2).sum(axis=1)[:, None]), np.nan)
    slope = settled((c * np.where(np.isfinite(y), y, 0.0)).sum(axis=1), 1.0)
    shock_area = np.maximum(shock, np.broadcast_to(np.asarray(sampling_variance, dtype=float), n.shape))
    order = np.minimum.outer(np.arange(1, y.shape[1] + 1), np.arange(1, y.shape[1] + 1))
    se = np.sqrt(shock_area * (c**2).sum(axis=1) + wander * np.einsum("ai,ij,aj->a", c, order, c))
    flat = ok & negligible(se, 1.0)
    why = np.where(slope == 0, FLAT, NOTHING_VARIES)
    reason, se = np.where(flat, why, reason).astype(object), np.where(flat, np.nan, se)
    half = critical_value(confidence_level) * se
    return PanelTrend(
        percent_per_year=100 * np.expm1(slope),
        lower=100 * np.expm1(slope - half),
        upper=100 * np.expm1(slope + half),
        p_value=_two_sided(slope, se, np.inf),
        shrunk_percent_per_year=100 * np.expm1(shrink_to_mean(slope, se)),
        shock_sd=float(np.sqrt(shock)),
        wander_sd=float(np.sqrt(wander)),
        n=n,
        reason=reason,
    )


def variance_components(log_rate: Floats) -> tuple[float, float]:
    """Return the variances of one-year shocks and of the yearly steps of the level."""
    one, two = (_mean_square(log_rate[:, lag:] - log_rate[:, :-lag]) for lag in (1, 2))
    wander = max(two - one, 0.0)
    return max((one - wander) / 2, 0.0), wander


def _mean_square(changes: Floats) -> float:
    known = changes[np.isfinite(changes)]
    return float((settled(known - known.mean(), 1.0) ** 2).mean()) if known.size else 0.0
