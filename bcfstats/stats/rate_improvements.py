"""How far a count must move to be significantly different, or detectably so."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.optimize import elementwise

from bcfstats.stats.change import higher_is_better
from bcfstats.stats.comparisons import dispersion_reasons, variance_reasons
from bcfstats.stats.estimates import rate_reasons
from bcfstats.stats.rows import (
    Flags,
    Floats,
    Texts,
    as_rows,
    check_level,
    critical_value,
    first_reason,
    labelled,
    named,
    not_a_number,
    not_positive,
    reasons,
    usable,
)
from bcfstats.stats.target import Improvement, improvement, power_value, whole_number
from bcfstats.stats.two_samples import MID_P_BELOW, mid_p_below

_STEPS = 60


def rate_improvement(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike,
    *,
    polarity: npt.ArrayLike,
    later_denominator: npt.ArrayLike | None = None,
    dispersion: npt.ArrayLike = 1.0,
    degrees_of_freedom: npt.ArrayLike = np.inf,
    between_year_variance: npt.ArrayLike | None = None,
    power: float | None = None,
    confidence_level: float = 0.95,
    multiplier: float = 1,
) -> Improvement:
    """Return how far a rate must move for `compare_rates` to call it an improvement.

    Parameters
    ----------
    numerator, denominator : array_like
        Events and exposure at baseline.
    polarity : "lower", "higher" or array of them
        Which way is better.
    later_denominator : array_like, optional
        Exposure of the later period; that of the baseline when absent.
    dispersion, degrees_of_freedom, between_year_variance : array_like
        As in `compare_rates`.
    power : float, optional
        Chance of a significant result wanted; without it the smallest significant improvement.
    confidence_level : float
        0.95 for 2.5 % in the improving direction.
    multiplier : float
        Unit of the rate.

    Returns
    -------
    Improvement
        Both counts vary: the baseline's noise is in it.

    Raises
    ------
    ParameterError
        If the shapes disagree or an option is not understood.

    Notes
    -----
    The comparison's own formula solved for the later count: a quadratic for the score test, a search for the
    central mid-P test, Newton's method where there is a between-year variance. With power,
    z standard errors under no change and z_power under the change.

    Examples
    --------
    >>> target = rate_improvement(1000, 1, polarity="lower")
    >>> round(float(target.value), 4), float(target.numerator)
    (914.2474, 914.0)
    """
    a, e0, e1, phi, df, tau2 = as_rows(
        numerator=numerator,
        denominator=denominator,
        later_denominator=denominator if later_denominator is None else later_denominator,
        dispersion=dispersion,
        degrees_of_freedom=degrees_of_freedom,
        between_year_variance=0.0 if between_year_variance is None else between_year_variance,
    )
    higher = np.broadcast_to(higher_is_better(polarity), a.shape)
    reason = _reasons(a, e0, e1, phi, df, tau2, higher, between_year_variance is not None)
    a, e0, e1, phi, tau2 = usable(reason, a, e0, e1, phi, tau2)
    z, z_power = critical_value(confidence_level, df), power_value(power)
    share = e1 / (e0 + e1)
    if between_year_variance is not None:
        later = a * e1 / e0 * np.exp(log_change(phi / a, phi * e0 / (a * e1), tau2, z + z_power, higher))
        method = named("log ratio with between-year variance", reason)
    elif power is not None:
        later = detectable_count(a, share, phi, z, z_power, higher)
        method = named("score", reason)
    else:
        later = significant_count(a, share, phi, z, higher)
        small = (phi == 1) & np.isinf(df) & (a < MID_P_BELOW)
        later = np.where(small, small_count(a, share, later, check_level(confidence_level), higher), later)
        few = small & (a + whole_number(later, higher) < MID_P_BELOW)
        method = labelled(few, "central mid-P", "score", reason)
    return improvement(
        a / e0, later / e1, whole_number(later, higher), multiplier, confidence_level, power, method, reason
    )


def _reasons(
    a: Floats, e0: Floats, e1: Floats, phi: Floats, df: Floats, tau2: Floats, higher: Flags, logs: bool
) -> Texts:
    return first_reason(
        rate_reasons(a, e0),
        variance_reasons(tau2),
        reasons(
            a.shape,
            not_a_number("later denominator", e1),
            not_positive("later denominator", e1),
            ("there were no events at baseline: nothing to improve on", (a == 0) & (~higher | logs)),
        ),
        dispersion_reasons(phi, df),
    )


def significant_count(a: Floats, share: Floats, phi: Floats, z: Floats, higher: Flags) -> Floats:
    """Return the later count at which the score test is just significant; NaN where even none is not.

    Examples
    --------
    >>> import numpy as np
    >>> a, half, one, higher = np.array([1000.0]), np.array([0.5]), np.array([1.0]), np.array([False])
    >>> significant_count(a, half, one, np.array([1.959963984540054]), higher).round(4)
    array([914.2474])
    """
    rest = 1 - share
    k = z * z * phi * share * rest
    direction = np.where(higher, 1.0, -1.0)
    later = (2 * share * rest * a + k + direction * np.sqrt(k * k + 4 * rest * a * k)) / (2 * rest * rest)
    return np.where(later >= 0, later, np.nan)


def detectable_count(
    a: Floats, share: Floats, phi: Floats, z: Floats, z_power: float, higher: Flags
) -> Floats:
    """Return the true later count that the score test finds with the power asked for; NaN where none is."""

    def gap(later: Floats, a: Floats, share: Floats, phi: Floats, z: Floats, direction: Floats) -> Floats:
        rest = 1 - share
        no_change = np.sqrt(phi * share * rest * (a + later))
        change = np.sqrt(phi * (rest * rest * later + share * share * a))
        return direction * (rest * later - share * a) - z * no_change - z_power * change

    same = a * share / (1 - share)
    most = 4 * (same + (z + z_power) ** 2 * phi * np.maximum(1.0, share / (1 - share)))
    direction = np.where(higher, 1.0, -1.0)
    ends = (same * (1 + direction * 1e-12) + 1e-9 * higher, np.where(higher, 2 * most, 0.0))
    found: Floats = elementwise.find_root(gap, ends, args=(a, share, phi, z, direction)).x
    return found


def small_count(
    a: Floats, share: Floats, score_count: Floats, confidence_level: float, higher: Flags
) -> Floats:
    """Return the later count that is just significant when the comparison may be by central mid-P.

    That is where the two counts together are below 100; from there on the score test's count holds.
    """
    tail = (1 - confidence_level) / 2
    first_score, none = np.ceil(MID_P_BELOW - a), np.full(a.shape, -1.0)
    fallen = _last_true(lambda b: mid_p_below(b, a, share) <= tail, none, first_score)
    risen = _last_true(lambda b: mid_p_below(a, b, 1 - share) > tail, none, first_score) + 1
    fallen = np.where(fallen >= 0, fallen, np.nan)
    by_score = whole_number(score_count, higher) >= first_score
    return np.where(
        higher,
        np.where(risen < first_score, risen, np.maximum(score_count, first_score)),
        np.where(by_score, score_count, fallen),
    )


def _last_true(holds: Callable[[Floats], Flags], low: Floats, high: Floats) -> Floats:
    """Return the largest whole number from `low` to below `high` for which `holds`, or `low`: halving."""
    low, high = low.copy(), high.copy()
    for _ in range(int(np.log2(MID_P_BELOW)) + 2):
        middle = np.floor((low + high) / 2)
        inside = middle > low
        ok = inside & holds(np.maximum(middle, 0.0))
        low, high = np.where(ok, middle, low), np.where(inside & ~ok, middle, high)
    return low


def log_change(baseline_part: Floats, later_part: Floats, tau2: Floats, c: Floats, higher: Flags) -> Floats:
    """Return the change of the log rate that is c standard errors of itself; NaN where none is.

    The variance is baseline_part + later_part exp(-change) + tau2. Downwards the change less c standard
    errors is convex, upwards concave: Newton's method from no change moves one way to the nearest root.

    Examples
    --------
    >>> import numpy as np
    >>> one = np.array([1.0])
    >>> np.exp(log_change(one / 1000, one / 1000, 0.05**2 * one, 1.959963984540054 * one, one > 2)).round(6)
    array([0.874984])
    """
    direction = np.where(higher, 1.0, -1.0)
    fixed = baseline_part + tau2
    x = np.zeros(c.shape)
    reachable = higher | (_least_gap(fixed, later_part, c) > 0)
    for _ in range(_STEPS):
        moving = later_part * np.exp(-x)
        error = np.sqrt(fixed + moving)
        slope = direction + c * moving / (2 * error)
        step = np.where(reachable, (direction * x - c * error) / np.where(slope == 0, 1.0, slope), 0.0)
        x = x - step
        if not np.any(np.abs(step) > 1e-14):
            break
    return np.where(reachable, x, np.nan)


def _least_gap(fixed: Floats, moving: Floats, c: Floats) -> Floats:
    """Return how far below zero the convex function of a falling log rate gets: no root unless positive."""
    u = 2 * (1 + np.sqrt(1 + c * c * fixed)) / (c * c)
    return np.log(u / moving) - c * np.sqrt(fixed + u)
