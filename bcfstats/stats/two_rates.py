"""Two independent counts: the score test and the central mid-P test of their rate ratio."""

from __future__ import annotations

import numpy as np
from scipy import special
from scipy.optimize import elementwise

from bcfstats.stats.limits import wilson_limits
from bcfstats.stats.rows import Floats

MID_P_BELOW = 100


def score_statistic(
    later: Floats, baseline: Floats, share: Floats, dispersion: Floats | float = 1.0
) -> Floats:
    """Score test that the later period has the `share` of all events that its exposure gives it: z.

    Examples
    --------
    >>> import numpy as np
    >>> score_statistic(np.array([914.0]), np.array([1000.0]), np.array([0.5])).round(6)
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
