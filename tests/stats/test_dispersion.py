"""Dispersion, shrinkage and between-year variance, against statsmodels, published values and simulation."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import special
from statsmodels.stats.meta_analysis import combine_effects

from bcfstats.errors import ParameterError
from bcfstats.stats.dispersion import (
    inverse_trigamma,
    paule_mandel,
    pearson_dispersion,
    prior_variance,
    shrink_to_panel,
)

RTOL = 1e-9  # both sides are computed in double precision
# Thirteen trials of BCG vaccine: Colditz and others (1994) JAMA 271:698-702; dat.bcg of the R package metafor
BCG = np.array(
    [
        [4, 119, 11, 128],
        [6, 300, 29, 274],
        [3, 228, 11, 209],
        [62, 13536, 248, 12619],
        [33, 5036, 47, 5761],
        [180, 1361, 372, 1079],
        [8, 2537, 10, 619],
        [505, 87886, 499, 87892],
        [29, 7470, 45, 7232],
        [17, 1699, 65, 1600],
        [186, 50448, 141, 27197],
        [5, 2493, 3, 2338],
        [27, 16886, 29, 17825],
    ],
    dtype=float,
)
TREATED, CONTROL = BCG[:, 0] + BCG[:, 1], BCG[:, 2] + BCG[:, 3]
LOG_RATIO = np.log(BCG[:, 0] / TREATED / (BCG[:, 2] / CONTROL))
SAMPLING = 1 / BCG[:, 0] - 1 / TREATED + 1 / BCG[:, 2] - 1 / CONTROL


def test_pearson_as_a_quasi_poisson_model():
    rng = np.random.default_rng(2)
    counts = rng.poisson(rng.gamma(10, 4, (3, 36)))
    found = pearson_dispersion(counts, counts.mean(axis=1, keepdims=True))
    for row in range(3):
        model = sm.GLM(counts[row], np.ones(36), family=sm.families.Poisson()).fit(scale="X2")
        assert found.value[row] == pytest.approx(model.scale, rel=1e-7)  # their fit stops at 1e-8
    np.testing.assert_array_equal(found.degrees_of_freedom, 35)


def test_missing_counts_are_left_out():
    whole, holed = np.array([12.0, 30, 18]), np.array([12.0, np.nan, 30, 18])
    assert pearson_dispersion(holed, [20] * 4).value == pearson_dispersion(whole, [20] * 3).value


def test_no_degrees_of_freedom_and_impossible_counts():
    found = pearson_dispersion([[5, np.nan], [5, 6], [5, -1]], [[5, 5], [0, 5], [5, 5]])
    assert list(found.reason) == [
        "there are no more counts than parameters: no degrees of freedom",
        "a count is below zero or a fitted value not above it",
        "a count is below zero or a fitted value not above it",
    ]
    assert np.isnan(found.value).all()
    assert found.degrees_of_freedom[0] == 0


def test_shrinkage_by_hand():
    # worked example: s2 = .04 on 3 df, prior .01 on 5 df: (5 * .01 + 3 * .04) / 8 = .02125
    rng = np.random.default_rng(1)
    variances = 0.01 * 5 / rng.chisquare(5, 5000) * rng.chisquare(3, 5000) / 3
    prior, prior_df = prior_variance(variances, np.full(5000, 3.0))
    assert (prior, prior_df) == (pytest.approx(0.01, rel=0.03), pytest.approx(5, rel=0.1))
    found = shrink_to_panel(np.append(variances, 0.04), 3)
    expected = (prior_df * prior + 3 * 0.04) / (prior_df + 3)
    assert found.value[-1] == pytest.approx(expected, rel=1e-3)
    assert found.value[-1] == pytest.approx(0.02125, rel=0.05)


def test_a_steady_panel_shares_one_variance():
    found = shrink_to_panel([1.0, 1.1, 0.9, np.nan], 5)
    np.testing.assert_allclose(found.value, 1.0, rtol=RTOL)
    assert np.isinf(found.degrees_of_freedom).all()


def test_an_area_without_a_variance_gets_the_panels():
    found = shrink_to_panel([0.2, 1, 4, 9, np.nan, 3], [5, 5, 5, 5, 5, 0])
    assert found.value[4] == found.value[5]
    assert found.degrees_of_freedom[0] == pytest.approx(found.degrees_of_freedom[4] + 5)
    alone = shrink_to_panel([3.0, np.nan], 5)
    assert set(alone.reason) == {"the panel has fewer than two variances"}


@given(st.floats(1e-4, 1e4))
def test_inverse_trigamma(value):
    assert special.polygamma(1, inverse_trigamma(value)) == pytest.approx(value, rel=1e-9)


def test_paule_mandel_as_published_and_as_statsmodels():
    found = paule_mandel(LOG_RATIO, SAMPLING)
    assert found.value == pytest.approx(0.3181, abs=5e-5)  # metafor: rma(yi, vi, method = "PM")
    expected = combine_effects(LOG_RATIO, SAMPLING, method_re="iterated", atol=1e-12)
    assert found.value == pytest.approx(expected.tau2, rel=1e-6)


@given(st.lists(st.floats(-2, 2), min_size=3, max_size=30), st.floats(0.01, 100))
def test_paule_mandel_solves_its_equation_and_scales(estimates, factor):
    y = np.array(estimates)
    v = np.linspace(0.01, 0.2, y.size)
    tau2 = paule_mandel(y, v).value
    w = 1 / (v + tau2)
    q = np.sum(w * (y - np.sum(w * y) / w.sum()) ** 2)
    assert q == pytest.approx(y.size - 1, rel=1e-8) if tau2 > 0 else q <= y.size - 1 + 1e-9
    scaled = paule_mandel(y * factor, v * factor**2).value
    assert scaled == pytest.approx(tau2 * factor**2, rel=1e-6, abs=1e-12)


def test_rows_of_panels_with_gaps():
    rng = np.random.default_rng(6)
    y = rng.normal(0, 0.3, (4, 60))
    y[1, :59] = np.nan
    v = np.full(y.shape, 0.02)
    v[2, 5] = 0
    v[3, ::2] = np.nan
    found = paule_mandel(y, v)
    assert list(found.reason) == ["", "fewer than two estimates", "a sampling variance is zero or below", ""]
    assert found.value[3] == pytest.approx(paule_mandel(y[3, 1::2], 0.02).value, rel=RTOL)


def test_winsorising_tames_wild_values():
    rng = np.random.default_rng(9)
    y = rng.normal(0, 0.25, 150)
    wild = y.copy()
    wild[:5] = 4
    assert paule_mandel(wild, 0.02).value > 5 * paule_mandel(y, 0.02).value
    assert paule_mandel(wild, 0.02, winsorise=0.1).value < 1.2 * paule_mandel(y, 0.02).value
    assert paule_mandel(y, 0.02, winsorise=0.1).value < paule_mandel(y, 0.02).value
    with pytest.raises(ParameterError):
        paule_mandel(y, 0.02, winsorise=0.5)


def test_winsorising_by_hand():
    """Standard errors from the median, pulled in to their own quantiles, put back on the scale."""
    rng = np.random.default_rng(10)
    y, v = 0.7 + rng.standard_t(3, 25) * 0.3, rng.uniform(0.01, 0.05, 25)
    z = (y - np.median(y)) / np.sqrt(v)
    low, high = np.quantile(z, [0.2, 0.8])
    pulled = np.median(y) + np.sqrt(v) * np.minimum(np.maximum(z, low), high)
    found = paule_mandel(y, v, winsorise=0.2).value
    assert found == pytest.approx(paule_mandel(pulled, v).value, rel=RTOL)
    assert found > 0
