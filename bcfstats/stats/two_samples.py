"""Two independent proportions: Newcombe's and Miettinen and Nurminen's limits and tests."""

from __future__ import annotations

import numpy as np
from scipy import special
from scipy.optimize import elementwise

from bcfstats.stats.estimates import wilson_limits
from bcfstats.stats.rows import Floats

MID_P_BELOW = 100


def rate_score(later: Floats, baseline: Floats, share: Floats, dispersion: Floats | float = 1.0) -> Floats:
    """Score test that the later period has the `share` of all events that its exposure gives it: z.

    Examples
    --------
    >>> import numpy as np
    >>> rate_score(np.array([914.0]), np.array([1000.0]), np.array([0.5])).round(6)
    array([-1.965746])
    """
    total = later + baseline
    return (later - total * share) / np.sqrt(dispersion * total * share * (1 - share))


def score_ratio_limits(
    later: Floats, baseline: Floats, exposure_ratio: Floats, z: Floats
) -> tuple[Floats, Floats]:
    """Limits of the rate ratio by inverting the score test: Wilson's for the later period's share."""
    lower, upper = wilson_limits(later, later + baseline, z)
    return _ratio(lower, exposure_ratio), _ratio(upper, exposure_ratio)


def mid_p_below(later: Floats, baseline: Floats, share: Floats) -> Floats:
    """P(fewer) + half P(as many) later events, given the total: one-sided mid-P against a fall.

    Lancaster (1961) JASA 56:223-234, doi:10.1080/01621459.1961.10482105.

    Examples
    --------
    >>> import numpy as np
    >>> mid_p_below(np.array([9.0, 10.0]), np.array([20.0, 20.0]), np.array([0.5, 0.5])).round(6)
    array([0.021387, 0.035378])
    """
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


_NO_DIFFERENCE = 1e-12


def newcombe_limits(x1: Floats, n1: Floats, x0: Floats, n0: Floats, z: float) -> tuple[Floats, Floats]:
    """Limits of x1/n1 - x0/n0 from the two Wilson intervals.

    Newcombe (1998) Statistics in Medicine 17:873-890, method 10.

    Examples
    --------
    >>> import numpy as np
    >>> lower, upper = newcombe_limits(*np.array([[56.0], [70.0], [48.0], [80.0]]), 1.959963984540054)
    >>> lower.round(4), upper.round(4)
    (array([0.0524]), array([0.3339]))
    """
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

    same = np.abs(difference) < _NO_DIFFERENCE
    start, end = np.zeros(difference.shape), 10 * np.sqrt(np.maximum(n1, n0))
    inputs = tuple(np.where(same, np.nan, array) for array in (high_x, high_n, low_x, low_n))
    root = elementwise.find_root(gap, (start, end), args=inputs).x
    return np.where(same, 0.0, np.copysign(root, difference))


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
    """Limits of x1/n1 - x0/n0 by inverting the score test.

    Miettinen and Nurminen (1985) Statistics in Medicine 4:213-226, doi:10.1002/sim.4780040211.

    Examples
    --------
    >>> import numpy as np
    >>> lower, upper = score_limits(*np.array([[56.0], [70.0], [48.0], [80.0]]), 1.959963984540054)
    >>> lower.round(4), upper.round(4)
    (array([0.0528]), array([0.3382]))
    """
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
