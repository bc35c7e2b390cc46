"""Two independent rates or proportions: tests, limits, and the least later value that is significant."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special
from scipy.optimize import elementwise

from bcfstats.stats.estimates import wilson_limits
from bcfstats.stats.rows import Flags, Floats

MID_P_BELOW = 100
_NO_DIFFERENCE = 1e-12
_STEPS = 60


def rate_score(later: Floats, baseline: Floats, share: Floats, dispersion: Floats | float = 1.0) -> Floats:
    """Score test that the later period has the `share` of all events that its exposure gives it: z."""
    total = later + baseline
    return (later - total * share) / np.sqrt(dispersion * total * share * (1 - share))


def score_ratio_limits(
    later: Floats, baseline: Floats, exposure_ratio: Floats, z: Floats
) -> tuple[Floats, Floats]:
    """Limits of the rate ratio by inverting the score test: Wilson's for the later period's share."""
    lower, upper = wilson_limits(later, later + baseline, z)
    return _ratio(lower, exposure_ratio), _ratio(upper, exposure_ratio)


def mid_p_below(later: Floats, baseline: Floats, share: Floats) -> Floats:
    """P(fewer) + half P(as many) later events, given the total: one-sided mid-P against a fall."""
    some, others = np.maximum(later, 1e-300), np.maximum(baseline, 1e-300)
    fewer = np.where(later > 0, special.betainc(baseline + 1, some, 1 - share), 0.0)
    up_to = np.where(baseline > 0, special.betainc(others, later + 1, 1 - share), 1.0)
    return (fewer + up_to) / 2


def mid_p_ratio_limits(
    later: Floats, baseline: Floats, exposure_ratio: Floats, tail: float
) -> tuple[Floats, Floats]:
    """Limits of the rate ratio by inverting the central mid-P test."""
    lower, upper = 1 - _upper_share(baseline, later, tail), _upper_share(later, baseline, tail)
    return _ratio(lower, exposure_ratio), _ratio(upper, exposure_ratio)


def _upper_share(later: Floats, baseline: Floats, tail: float) -> Floats:
    def gap(share: Floats, b: Floats, a: Floats) -> Floats:
        return mid_p_below(b, a, share) - tail

    open_ = np.where(baseline > 0, later, np.nan)
    start = np.zeros(later.shape)
    root = elementwise.find_root(gap, (start, start + 1), args=(open_, baseline)).x
    return np.where(baseline > 0, root, 1.0)


def _ratio(share: Floats, exposure_ratio: Floats) -> Floats:
    """Turn the later period's share of events into a rate ratio, NaN where it would be infinite."""
    rest = np.where(share < 1, 1 - share, np.nan)
    return share / rest / exposure_ratio


def newcombe_limits(x1: Floats, n1: Floats, x0: Floats, n0: Floats, z: float) -> tuple[Floats, Floats]:
    """Limits of x1/n1 - x0/n0 from the two Wilson intervals (Newcombe 1998, method 10)."""
    p1, p0 = x1 / n1, x0 / n0
    (lower1, upper1), (lower0, upper0) = wilson_limits(x1, n1, z), wilson_limits(x0, n0, z)
    lower = p1 - p0 - np.hypot(p1 - lower1, upper0 - p0)
    return lower, p1 - p0 + np.hypot(upper1 - p1, p0 - lower0)


def newcombe_statistic(x1: Floats, n1: Floats, x0: Floats, n0: Floats) -> Floats:
    """Return the z at which Newcombe's limit just touches no difference, signed as the difference."""
    difference = x1 / n1 - x0 / n0
    rose = difference > 0
    high_x, high_n = np.where(rose, x1, x0), np.where(rose, n1, n0)
    low_x, low_n = np.where(rose, x0, x1), np.where(rose, n0, n1)

    def gap(z: Floats, xh: Floats, nh: Floats, xl: Floats, nl: Floats) -> Floats:
        down, up = xh / nh - wilson_limits(xh, nh, z)[0], wilson_limits(xl, nl, z)[1] - xl / nl
        return np.hypot(down, up) - (xh / nh - xl / nl)

    apart = np.abs(difference) >= _NO_DIFFERENCE
    z = np.where(np.isnan(difference), np.nan, 0.0)
    if apart.any():
        high_x, high_n, low_x, low_n, most = (
            array[apart] for array in (high_x, high_n, low_x, low_n, np.maximum(n1, n0))
        )
        bracket = np.zeros(len(most)), 10 * np.sqrt(most)
        root = elementwise.find_root(gap, bracket, args=(high_x, high_n, low_x, low_n)).x
        z[apart] = np.copysign(root, difference[apart])
    return z


def proportion_score(x1: Floats, n1: Floats, x0: Floats, n0: Floats) -> Floats:
    """Miettinen and Nurminen's score test of no difference: z, zero where both shares are 0 or both 1."""
    total = n1 + n0
    error = np.sqrt(pooled_variance(x1, n1, x0, n0) * total / (total - 1))
    difference = x1 / n1 - x0 / n0
    return np.where(error == 0, 0.0, difference / np.where(error == 0, 1.0, error))


def pooled_variance(x1: Floats, n1: Floats, x0: Floats, n0: Floats) -> Floats:
    """Return the sampling variance of the difference if both periods have the pooled share."""
    pooled = (x1 + x0) / (n1 + n0)
    return pooled * (1 - pooled) * (1 / n1 + 1 / n0)


def score_limits(x1: Floats, n1: Floats, x0: Floats, n0: Floats, z: float) -> tuple[Floats, Floats]:
    """Limits of x1/n1 - x0/n0 by inverting the score test."""
    lower = _lower_score_limit(x1, n1, x0, n0, z)
    return lower, -_lower_score_limit(x0, n0, x1, n1, z)


def _lower_score_limit(x1: Floats, n1: Floats, x0: Floats, n0: Floats, z: float) -> Floats:
    """Return the smallest difference that the score test does not reject."""

    def gap(delta: Floats, a: Floats, m: Floats, b: Floats, n: Floats) -> Floats:
        q0 = restricted_share(delta, a, m, b, n)
        q1 = np.clip(q0 + delta, 0.0, 1.0)
        variance = (q1 * (1 - q1) / m + q0 * (1 - q0) / n) * (m + n) / (m + n - 1)
        return a / m - b / n - delta - z * np.sqrt(variance)

    difference = x1 / n1 - x0 / n0
    start = np.full(difference.shape, -1.0)
    end = np.maximum(difference - _NO_DIFFERENCE, -1.0)
    root: Floats = elementwise.find_root(gap, (start, end), args=(x1, n1, x0, n0)).x
    return np.where(difference == -1, -1.0, root)


def score_limits_of_ratio(x1: Floats, n1: Floats, x0: Floats, n0: Floats, z: float) -> tuple[Floats, Floats]:
    """Limits of (x1/n1) / (x0/n0) by inverting the score test (Miettinen and Nurminen 1985)."""
    lower = _lower_limit_of_ratio(x1, n1, x0, n0, z)
    upper = _lower_limit_of_ratio(x0, n0, x1, n1, z)
    return np.where(x1 > 0, lower, 0.0 * x1), 1 / np.where((x0 > 0) & (upper > 0), upper, np.nan)


def _lower_limit_of_ratio(x1: Floats, n1: Floats, x0: Floats, n0: Floats, z: float) -> Floats:
    """Return the smallest ratio that the score test does not reject, sought as r / (1 + r)."""

    def gap(part: Floats, a: Floats, m: Floats, b: Floats, n: Floats) -> Floats:
        ratio, whole = part / (1 - part), m + n
        both = m * ratio + a + n + b * ratio
        q0 = (both - np.sqrt(np.maximum(both * both - 4 * whole * ratio * (a + b), 0.0))) / (
            2 * whole * ratio
        )
        q0 = np.clip(q0, 0.0, np.minimum(1.0, 1 / ratio))
        q1 = ratio * q0
        variance = (q1 * (1 - q1) / m + ratio * ratio * q0 * (1 - q0) / n) * whole / (whole - 1)
        return (a / m - ratio * b / n - z * np.sqrt(variance)) / (1 + ratio)

    some = np.where(x1 > 0, x1, np.nan) / n1
    share = some / (some + x0 / n0)
    ends = (np.full(share.shape, _NO_DIFFERENCE), np.clip(share, 2 * _NO_DIFFERENCE, 1 - _NO_DIFFERENCE))
    part: Floats = elementwise.find_root(gap, ends, args=(some * n1, n1, x0, n0)).x
    return part / (1 - part)


def restricted_share(delta: Floats, x1: Floats, n1: Floats, x0: Floats, n0: Floats) -> Floats:
    """Return the likeliest baseline share if the difference were `delta` (their appendix)."""
    cubic = n1 + n0
    square = (n1 + 2 * n0) * delta - cubic - x1 - x0
    linear = (n0 * delta - cubic - 2 * x0) * delta + x1 + x0
    constant = x0 * delta * (1 - delta)
    third = square / (3 * cubic)
    q = third**3 - square * linear / (6 * cubic**2) + constant / (2 * cubic)
    p = np.copysign(np.sqrt(np.maximum(third**2 - linear / (3 * cubic), 0.0)), q)
    cosine = np.clip(q / np.where(p == 0, 1.0, p) ** 3, -1.0, 1.0)
    share = 2 * p * np.cos((np.pi + np.arccos(cosine)) / 3) - third
    return np.asarray(np.clip(share, np.maximum(0.0, -delta), np.minimum(1.0, 1 - delta)))


def whole_number(count: Floats, higher: Flags) -> Floats:
    """Return the count rounded to the side that still reaches the target, forgiving rounding error."""
    slack = 1e-9 * np.maximum(count, 1.0)
    return np.where(higher, np.ceil(count - slack), np.floor(count + slack))


def significant_count(a: Floats, share: Floats, phi: Floats, z: Floats, higher: Flags) -> Floats:
    """Return the later count at which the score test is just significant; NaN where even none is not."""
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
    count: Floats = elementwise.find_root(gap, ends, args=(a, share, phi, z, direction)).x
    return count


def small_count(
    a: Floats, share: Floats, score_count: Floats, confidence_level: float, higher: Flags
) -> Floats:
    """Return the later count that is just significant when the comparison may be by central mid-P."""
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
    """Return the change of the log rate that is c standard errors of itself; NaN where none is."""
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


def newcombe_share(start: Floats, n0: Floats, n1: Floats, z: float) -> Floats:
    """Return the higher share whose Newcombe limit against `start` is zero."""

    def limit(share: Floats, p0: Floats, m: Floats, n: Floats) -> Floats:
        return newcombe_limits(share * n, n, p0 * m, m, z)[0]

    return _higher_root(limit, start, (n0, n1))


def pooled_share(start: Floats, n0: Floats, n1: Floats, tau2: Floats, z: float, z_power: float) -> Floats:
    """Return the higher share that is z pooled standard errors, and z_power of its own, from `start`."""

    def gap(share: Floats, p0: Floats, m: Floats, n: Floats, tau2: Floats) -> Floats:
        no_change = pooled_variance(share * n, n, p0 * m, m)
        change = p0 * (1 - p0) / m + share * (1 - share) / n
        return share - p0 - z * np.sqrt(no_change + tau2) - z_power * np.sqrt(change + tau2)

    return _higher_root(gap, start, (n0, n1, tau2))


def _higher_root(function: Callable[..., Floats], start: Floats, inputs: tuple[Floats, ...]) -> Floats:
    ends = (np.minimum(start + _NO_DIFFERENCE, 1.0), np.ones(start.shape))
    root: Floats = elementwise.find_root(function, ends, args=(start, *inputs)).x
    return np.where(start < 1, root, np.nan)
