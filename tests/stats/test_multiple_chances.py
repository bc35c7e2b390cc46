"""Against independence, perfect dependence, a bivariate normal integral and simulation."""

import numpy as np
import pytest
from scipy import special, stats

from bcfstats.errors import ParameterError
from bcfstats.stats.multiple import joint_probability

MIXED = np.array([[0.8, 0.5, 0.3], [0.9, 0.1, np.nan]])


def test_independent_events_multiply():
    found = joint_probability(MIXED)
    assert found.all.tolist() == pytest.approx([0.12, 0.09], rel=1e-12)
    assert found.none.tolist() == pytest.approx([0.07, 0.09], rel=1e-12)
    assert found.number[1].tolist() == pytest.approx([0.09, 0.82, 0.09, 0.0], abs=1e-12)


@pytest.mark.parametrize(("power", "expected"), [(0.80, 0.35), (0.722, 0.23)])
def test_six_metrics_as_published(power, expected):
    """methods.md 5.2: .35 at the detectable improvement and .23 at the significant one, with rho 0.2."""
    assert joint_probability([[power] * 6], 0.2).all[0] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("rho", [0.1, 0.5, 0.8])
def test_two_events_equal_the_bivariate_normal(rho):
    """Quadrature with 61 nodes; scipy's own integral is good to about 1e-8."""
    p = np.array([0.3, 0.7])
    expected = stats.multivariate_normal.cdf(special.ndtri(p), cov=[[1, rho], [rho, 1]])
    assert joint_probability([p], rho).all[0] == pytest.approx(expected, abs=1e-5)


def test_counts_against_simulation():
    rng, n = np.random.default_rng(3), 400_000
    p, rho = np.array([0.7, 0.6, 0.4, 0.9]), 0.3
    z = np.sqrt(rho) * rng.standard_normal((n, 1)) + np.sqrt(1 - rho) * rng.standard_normal((n, 4))
    hits = (z <= special.ndtri(p)).sum(axis=1)
    found = joint_probability([p], rho)
    for needed in range(5):
        assert found.at_least(needed)[0] == pytest.approx((hits >= needed).mean(), abs=0.003)  # 3.8 SE


def test_no_event_and_wrong_input():
    assert np.isnan(joint_probability([[np.nan, np.nan]]).all[0])
    with pytest.raises(ParameterError, match="as 0"):
        joint_probability([[80.0]])
    with pytest.raises(ParameterError, match="correlation"):
        joint_probability([[0.5]], 1.0)
