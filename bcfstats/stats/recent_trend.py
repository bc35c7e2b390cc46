"""The Fingertips rule for a recent trend: five annual points and a test at 99.8 %."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bcfstats.errors import ParameterError
from bcfstats.stats.rows import Floats, Texts, reasons

POINTS = 5
CRITICAL_CHI_SQUARE = 9.54953570608324
CANNOT, NO_CHANGE, UP, DOWN = "Cannot be calculated", "No significant change", "Increasing", "Decreasing"
_INTERVAL_WIDTH = 3.92


@dataclass(frozen=True, slots=True, eq=False)
class RecentTrend:
    """The label Fingertips would show.

    Attributes
    ----------
    label : ndarray of str, shape (areas,)
        "Increasing", "Decreasing" (with "and getting better" or "and getting worse" where a polarity is
        given), "No significant change" or "Cannot be calculated".
    slope : ndarray, shape (areas,)
        Per year; of the logit for proportions.
    chi_square : ndarray, shape (areas,)
        Compared with 9.5495.
    reason : ndarray of str, shape (areas,)
        Why it cannot be calculated, or "one point decides the direction" where a significant slope fails the
        rule's check for outliers; else empty.
    """

    label: Texts
    slope: Floats
    chi_square: Floats
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
    if polarity not in {"", "lower", "higher"}:
        raise ParameterError(
            "The polarity is not known.", found=repr(polarity), do="Use 'lower', 'higher' or ''."
        )
    if numerator is not None and denominator is not None:
        slopes, chi_square, reason = _proportions(_last(numerator), _last(denominator))
    elif values is not None and lower is not None and upper is not None:
        slopes, chi_square, reason = _weighted(_last(values), _last(lower), _last(upper))
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


def _last(values: npt.ArrayLike) -> Floats:
    given = np.atleast_2d(np.asarray(values, dtype=float))
    missing = np.full((len(given), max(POINTS - given.shape[1], 0)), np.nan)
    return np.hstack([missing, given])[:, -POINTS:]


def _weighted(value: Floats, lower: Floats, upper: Floats) -> tuple[Floats, Floats, Texts]:
    se = (upper - lower) / _INTERVAL_WIDTH
    complete = np.all(np.isfinite(value) & np.isfinite(se), axis=1)
    positive = np.all(np.where(np.isfinite(se), se, 1.0) > 0, axis=1)
    reason = reasons(
        complete.shape,
        ("fewer than five consecutive years with a value and limits", ~complete),
        ("an interval has no width", ~positive),
    )
    ok = (reason == "")[:, None]
    weight = 1 / np.where(ok, se, 1.0) ** 2
    slopes, information = _leave_one_out(np.where(ok, value, 0.0), weight)
    return slopes, slopes[0] ** 2 * information, reason


def _proportions(c: Floats, d: Floats) -> tuple[Floats, Floats, Texts]:
    complete = np.all(np.isfinite(c) & (np.where(np.isfinite(d), d, 0.0) > 0), axis=1)
    inside = np.all((c > 0) & (c < d), axis=1)
    reason = reasons(
        complete.shape,
        ("fewer than five consecutive years with a numerator and a denominator", ~complete),
        ("a year has none or all", ~inside),
    )
    ok = (reason == "")[:, None]
    c, d = np.where(ok, c, 1.0), np.where(ok, d, 2.0)
    t = np.arange(1.0, POINTS + 1)
    total, events = d.sum(axis=1), c.sum(axis=1)
    top = total * (total * (c @ t) - events * (d @ t)) ** 2
    chi_square = top / (events * (total - events) * (total * (d @ t**2) - (d @ t) ** 2))
    slopes, _ = _leave_one_out(np.log(c / (d - c)), np.ones_like(c))
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
