"""Tests and limits of two rates and two shares against statsmodels and scipy, or a search."""

import numpy as np
import pytest
from scipy import optimize, stats

from bcfstats.stats.two_samples import (
    mid_p_below,
    newcombe_limits,
    newcombe_statistic,
    proportion_score,
    rate_score,
    score_limits,
)

SHARES = [(15, 50, 25, 60), (3, 10, 1, 12), (90, 100, 99, 110)]
Z = stats.norm.ppf(0.975)


def arrays(*numbers):
    return [np.array([float(number)]) for number in numbers]


@pytest.mark.parametrize("shares", SHARES)
def test_newcombes_limits_are_those_of_statsmodels(shares):
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    known = proportion.confint_proportions_2indep(*shares, method="newcomb", compare="diff", alpha=0.05)
    assert np.allclose(np.ravel(newcombe_limits(*arrays(*shares), Z)), known, rtol=1e-9)


@pytest.mark.parametrize("shares", SHARES)
def test_at_the_score_limits_the_statistic_is_just_beyond_chance(shares):
    """The likeliest shares that differ so much are found here by search: those of statsmodels are not."""
    x1, n1, x0, n0 = shares
    for (limit,), z in zip(score_limits(*arrays(*shares), Z), (Z, -Z), strict=True):

        def unlikely(share, limit=limit):
            return -stats.binom.logpmf(x1, n1, share + limit) - stats.binom.logpmf(x0, n0, share)

        ends = max(0, -limit) + 1e-12, min(1, 1 - limit) - 1e-12
        share = optimize.minimize_scalar(unlikely, bounds=ends, options={"xatol": 1e-12}).x
        later = share + limit
        variance = (later * (1 - later) / n1 + share * (1 - share) / n0) * (n1 + n0) / (n1 + n0 - 1)
        assert np.isclose((x1 / n1 - x0 / n0 - limit) / np.sqrt(variance), z, rtol=1e-6)


@pytest.mark.parametrize("shares", SHARES)
def test_newcombes_limit_at_its_statistic_just_touches_no_difference(shares):
    z = newcombe_statistic(*arrays(*shares))
    lower, upper = newcombe_limits(*arrays(*shares), abs(z))
    assert min(abs(lower), abs(upper)) < 1e-8
    assert np.sign(z) == np.sign(shares[0] / shares[1] - shares[2] / shares[3])


def test_score_tests_are_their_formulas():
    later, before = arrays(30, 50)
    share = np.array([0.4])
    assert np.isclose(rate_score(later, before, share), (30 - 32) / np.sqrt(80 * 0.4 * 0.6))
    x1, n1, x0, n0 = SHARES[0]
    pooled = (x1 + x0) / (n1 + n0)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0) * (n1 + n0) / (n1 + n0 - 1))
    assert np.isclose(proportion_score(*arrays(*SHARES[0])), (x1 / n1 - x0 / n0) / error)


@pytest.mark.parametrize(("later", "before"), [(0, 4), (3, 9), (7, 0)])
def test_mid_p_is_that_of_the_binomial(later, before):
    known = stats.binom(later + before, 0.3)
    expected = known.cdf(later - 1) + known.pmf(later) / 2
    assert np.isclose(mid_p_below(*arrays(later, before), np.array([0.3])), expected, rtol=1e-9)
