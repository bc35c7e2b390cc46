"""Comparisons, against published tables, statsmodels, scipy and simulation."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.proportion import test_proportions_2indep as score_test_of_proportions
from statsmodels.stats.rates import test_poisson_2indep as score_test_of_rates

from bcfstats.errors import ParameterError
from bcfstats.stats.comparisons import compare_estimates, compare_means, compare_proportions, compare_rates

RTOL = 1e-9  # both sides are computed in double precision
FOUR_DECIMALS = 6e-5  # the published table has four decimals
TABLE = np.array(  # Newcombe (1998) Statistics in Medicine 17:873-890, the eight examples of table II
    [
        [56, 70, 48, 80],
        [9, 10, 3, 10],
        [6, 7, 2, 7],
        [5, 56, 0, 29],
        [0, 10, 0, 20],
        [0, 10, 0, 10],
        [10, 10, 0, 20],
        [10, 10, 0, 10],
    ],
    dtype=float,
).T
NEWCOMBE = [  # method 10
    [0.0524, 0.1705, 0.0582, -0.0381, -0.1611, -0.2775, 0.6791, 0.6075],
    [0.3339, 0.8090, 0.8062, 0.1926, 0.2775, 0.2775, 1.0, 1.0],
]
MIETTINEN_NURMINEN = [  # method 6
    [0.0528, 0.1700, 0.0342, -0.0326, -0.1658, -0.2879, 0.7156, 0.6636],
    [0.3382, 0.8406, 0.8534, 0.1933, 0.2844, 0.2879, 1.0, 1.0],
]
COUNTS = st.integers(0, 400)
POLARITIES = st.sampled_from(["lower", "higher"])
METHODS = st.sampled_from(["newcombe", "miettinen-nurminen"])
LEVELS = (0.95, 0.998)


@pytest.mark.parametrize(
    ("method", "limits"), [("newcombe", NEWCOMBE), ("miettinen-nurminen", MIETTINEN_NURMINEN)]
)
def test_differences_of_proportions_as_published(method, limits):
    found = compare_proportions(*TABLE, method=method)
    np.testing.assert_allclose((found.lower, found.upper), limits, atol=FOUR_DECIMALS)


def test_newcombe_to_all_digits():
    found = compare_proportions(56, 70, 48, 80)
    assert (found.lower, found.upper) == (
        pytest.approx(0.0524315, abs=5e-8),
        pytest.approx(0.3338727, abs=5e-8),
    )
    expected = confint_proportions_2indep(56, 70, 48, 80, method="newcomb")
    np.testing.assert_allclose((found.lower, found.upper), expected, rtol=RTOL)


def test_miettinen_nurminen_p_value_as_statsmodels():
    for x1, n1, x0, n0 in ((56, 70, 48, 80), (178, 200, 164, 200), (5, 56, 1, 29)):
        found = compare_proportions(x1, n1, x0, n0, method="miettinen-nurminen")
        expected = score_test_of_proportions(x1, n1, x0, n0, method="score", correction=True)
        assert found.p_value == pytest.approx(expected.pvalue, rel=RTOL)
    assert stats.norm.isf(
        compare_proportions(178, 200, 164, 200, method="miettinen-nurminen", polarity="higher").p_improvement
    ) == pytest.approx(1.9856, abs=5e-5)  # worked example: MN at x = 178


@given(COUNTS, st.integers(1, 400), COUNTS, st.integers(1, 400), METHODS)
def test_intervals_and_p_values_of_proportions_agree(x1, n1, x0, n0, method):
    x1, x0 = min(x1, n1), min(x0, n0)
    found = compare_proportions(x1, n1, x0, n0, polarity="higher", method=method, confidence_level=LEVELS)
    for row, level in enumerate(LEVELS):
        excluded = found.lower[row] > 0 or found.upper[row] < 0
        assert excluded == (found.p_value < 1 - level)
        assert -1 <= found.lower[row] <= found.value <= found.upper[row] <= 1
    other = compare_proportions(x0, n0, x1, n1, polarity="lower", method=method)
    assert other.p_improvement == pytest.approx(found.p_improvement, abs=1e-9)
    assert other.lower == pytest.approx(-found.upper[0], abs=1e-9)


def test_a_design_effect_is_fewer_people():
    found, fewer = compare_proportions(80, 100, 60, 100, design_effect=2), compare_proportions(40, 50, 30, 50)
    assert (found.lower, found.p_value) == (fewer.lower, fewer.p_value)


def test_between_year_variance_of_proportions_by_hand():
    found = compare_proportions(170, 200, 160, 200, between_year_variance=0.002, polarity="higher")
    error = np.sqrt(0.825 * 0.175 * 2 / 200 + 0.002)
    assert found.p_improvement == pytest.approx(stats.norm.sf(0.05 / error), rel=RTOL)
    assert found.lower == pytest.approx(0.05 - 1.959963984540054 * error, rel=RTOL)


def test_same_shares_are_no_change():
    for method in ("newcombe", "miettinen-nurminen"):
        found = compare_proportions([0, 10, 3], 10, [0, 20, 6], 20, method=method, polarity="lower")
        np.testing.assert_array_equal(found.p_value, 1)
        np.testing.assert_array_equal(found.p_improvement, 0.5)


def test_score_and_mid_p_of_rates_as_worked():
    found = compare_rates(914, 1, 1000, 1, polarity="lower")
    assert found.method == "score"
    assert stats.norm.ppf(found.p_improvement) == pytest.approx(-1.965746, abs=5e-7)
    small = compare_rates([9, 10], 1, 20, 1, polarity="lower")
    assert list(small.method) == ["central mid-P"] * 2
    np.testing.assert_allclose(small.p_improvement, [0.0213870, 0.0353777], atol=1e-7)


def test_score_p_value_as_statsmodels():
    for b, e1, a, e0 in ((914, 1.0, 1000, 1.0), (120, 275.0, 180, 365.0), (900, 2.0, 300, 1.0)):
        expected = score_test_of_rates(b, e1, a, e0, method="score", compare="ratio")
        assert compare_rates(b, e1, a, e0).p_value == pytest.approx(expected.pvalue, rel=RTOL)


@given(st.integers(0, 49), st.integers(0, 50), st.floats(0.2, 5))
def test_mid_p_as_the_binomial_by_hand(b, a, exposure):
    assume(a + b > 0)
    found = compare_rates(b, exposure, a, 1, polarity="lower")
    null = stats.binom(a + b, exposure / (1 + exposure))
    assert found.p_improvement == pytest.approx(null.cdf(b) - null.pmf(b) / 2, rel=1e-9, abs=1e-15)
    assert found.p_value == pytest.approx(
        2 * min(null.cdf(b) - null.pmf(b) / 2, null.sf(b) + null.pmf(b) / 2), rel=1e-9
    )


def test_mid_p_limits_put_half_the_level_in_each_tail():
    b, a = np.array([4.0, 9, 20]), np.array([10.0, 30, 20])
    found = compare_rates(b, 2, a, 3)
    for limit, tail in ((found.lower, 0.975), (found.upper, 0.025)):
        share = 2 * limit / (2 * limit + 3)
        null = stats.binom(a + b, share)
        np.testing.assert_allclose(null.cdf(b) - null.pmf(b) / 2, tail, rtol=RTOL)


@given(COUNTS, COUNTS, st.floats(0.1, 10), POLARITIES)
def test_intervals_and_p_values_of_rates_agree(b, a, exposure, polarity):
    assume(a > 0)
    found = compare_rates(b, exposure, a, 1, polarity=polarity)
    upper = np.inf if np.isnan(found.upper) else found.upper
    assert (found.lower > 1 or upper < 1) == (found.p_value < 0.05)
    assert found.lower <= found.value * (1 + 1e-12)
    improved = found.p_improvement < 0.025
    assert improved == (upper < 1 if polarity == "lower" else found.lower > 1)


@given(st.integers(1, 400), st.integers(1, 400), st.floats(0.1, 10))
def test_swapping_the_periods_inverts_the_ratio(b, a, exposure):
    there, back = compare_rates(b, exposure, a, 1), compare_rates(a, 1, b, exposure)
    assert there.p_value == pytest.approx(back.p_value, rel=1e-9)
    assert there.upper == pytest.approx(1 / back.lower, rel=1e-9)


@given(st.integers(500, 1000), st.integers(500, 1000), st.floats(1.1, 30))
def test_dispersion_widens_by_its_root(b, a, dispersion):
    plain, wide = compare_rates(b, 1, a, 1), compare_rates(b, 1, a, 1, dispersion=dispersion)
    assert stats.norm.isf(wide.p_value / 2) == pytest.approx(
        stats.norm.isf(plain.p_value / 2) / np.sqrt(dispersion), rel=1e-6, abs=1e-9
    )
    assert wide.upper > plain.upper


def test_the_switch_to_the_score_test_is_at_a_hundred_events():
    found = compare_rates([49, 50, 49], 1, [50, 50, 50], 1, dispersion=[1, 1, 2])
    assert list(found.method) == ["central mid-P", "score", "score"]
    near = compare_rates([30, 30], 1, [69, 70], 1)  # 99 and 100 events: the two tests meet within 6 %
    assert near.p_value[0] == pytest.approx(near.p_value[1] * 69 / 60, rel=0.2)


def test_an_estimated_dispersion_uses_students_t():
    found = compare_rates(900, 1, 1000, 1, dispersion=4, degrees_of_freedom=23, polarity="lower")
    z = (900 - 950) / np.sqrt(4 * 1900 / 4)
    assert found.p_improvement == pytest.approx(stats.t.cdf(z, 23), rel=RTOL)


def test_between_year_variance_of_rates_by_hand():
    found = compare_rates(800, 2, 500, 1, between_year_variance=0.01, dispersion=3, polarity="lower")
    z = np.log(0.8) / np.sqrt(3 * (1 / 800 + 1 / 500) + 0.01)
    assert found.p_improvement == pytest.approx(stats.norm.cdf(z), rel=RTOL)


def test_rates_without_events():
    found = compare_rates([0, 0, 7], 1, [0, 7, 0], 1, polarity="lower")
    assert list(found.reason) == [
        "there were no events in either period",
        "",
        "there were no events at baseline: no ratio",
    ]
    np.testing.assert_allclose(found.p_improvement, [np.nan, 0.5**8, 1 - 0.5**8], rtol=RTOL)
    np.testing.assert_array_equal(found.value, [np.nan, 0, np.nan])
    logs = compare_rates([0, 5], 1, [5, 0], 1, between_year_variance=0.0)
    assert set(logs.reason) == {"there were no events in one of the periods: no log ratio"}


def test_dispersions_that_cannot_be():
    found = compare_rates(50, 1, 60, 1, dispersion=[-1, np.nan, 2, 2], degrees_of_freedom=[9, 9, 0, np.nan])
    assert list(found.reason) == [
        "the dispersion is zero or below",
        "the dispersion is missing",
        "the degrees of freedom are zero or below",
        "the degrees of freedom are missing",
    ]
    assert np.isnan(found.p_value).all()
    assert np.isnan(found.lower).all()


def test_counts_of_a_thousand_million():
    found = compare_rates(1e9, 1, 1.0001e9, 1)
    z = (1e9 - 1.00005e9) / np.sqrt(2.0001e9 / 4)
    assert found.p_value == pytest.approx(2 * stats.norm.cdf(z), rel=1e-6)
    assert compare_rates(0, 1, 1e9, 1, polarity="lower").p_improvement == 0  # below the smallest double
    shares = compare_proportions(5e8, 1e9, 5.0002e8, 1e9)
    assert shares.p_value == pytest.approx(2 * stats.norm.sf(2e-5 / np.sqrt(0.5e-9)), rel=1e-4)


def test_welch_as_scipy():
    rng = np.random.default_rng(4)
    later, before = rng.normal(19, 2.6, 40), rng.normal(18, 1.9, 25)
    expected = stats.ttest_ind(later, before, equal_var=False)
    found = compare_means(
        later.mean(), later.std(ddof=1), 40, before.mean(), before.std(ddof=1), 25, polarity="higher"
    )
    assert found.p_value == pytest.approx(expected.pvalue, rel=RTOL)
    interval = expected.confidence_interval(0.95)
    assert (found.lower, found.upper) == (pytest.approx(interval.low), pytest.approx(interval.high))


def test_means_that_cannot_be_compared():
    found = compare_means([5, 5, 5, np.nan], [1, 1, 0, 1], [1, 9, 9, 9], 4, [1, -1, 0, 1], 9)
    assert list(found.reason) == [
        "fewer than two people were asked",
        "the standard deviation at baseline is below zero",
        "nothing varies: there is no error to test with",
        "the mean is missing",
    ]


def test_published_values_by_hand():
    found = compare_estimates(1850, 1755, 1950, 2000, 1900, 2105, scale="ratio", polarity="lower")
    errors = [np.log(1950 / 1755) / 3.919927969080108, np.log(2105 / 1900) / 3.919927969080108]
    z = np.log(1850 / 2000) / np.hypot(*errors)
    assert found.p_improvement == pytest.approx(stats.norm.cdf(z), rel=RTOL)
    score = compare_estimates(19.1, 18.7, 19.5, 18.7, 18.3, 19.1, between_year_variance=0.0289)
    half = 1.959963984540054 * np.sqrt(2 * (0.4 / 1.959963984540054) ** 2 + 0.0289)
    assert score.upper == pytest.approx(0.4 + half, rel=RTOL)


def test_published_values_that_cannot_be_compared():
    found = compare_estimates([5, 5, 5], [6, 0, 4], [7, 6, 6], 4, 3, [5, 5, np.nan], scale="ratio")
    assert list(found.reason) == [
        "the limits do not enclose the value",
        "the lower limit is zero or below: no ratio",
        "the upper limit at baseline is missing",
    ]


def test_without_a_polarity_nothing_improves():
    found = compare_rates([5, 50], 1, [9, 90], 1)
    assert np.isnan(found.p_improvement).all()
    assert np.isfinite(found.p_value).all()
    both = compare_rates([5, 5], 1, 9, 1, polarity=["lower", "higher"])
    assert both.p_improvement.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "call",
    [
        lambda: compare_rates(1, 1, 1, 1, polarity="down"),
        lambda: compare_proportions(1, 2, 1, 2, method="wald"),
        lambda: compare_estimates(1, 1, 1, 1, 1, 1, scale="odds"),
        lambda: compare_rates([1, 2], 1, [1, 2, 3], 1),
        lambda: compare_means(1, 1, 9, 1, 1, 9, confidence_level=95),
    ],
)
def test_what_is_not_understood_is_refused(call):
    with pytest.raises(ParameterError):
        call()


def test_a_bad_row_spares_the_others():
    found = compare_proportions([5, 5, 11, np.nan], 10, [4, 4, 4, 4], [10, 0, 10, 10])
    assert list(found.reason) == [
        "",
        "the denominator at baseline is zero or below",
        "the numerator is above the denominator",
        "the numerator is missing",
    ]
    assert np.isfinite(found.lower[0])
    assert np.isnan(found.lower[1:]).all()


@pytest.mark.slow
@pytest.mark.parametrize(("n", "share"), [(30, 0.8), (60, 0.9), (200, 0.8)])
def test_false_positives_of_proportions(n, share):
    # simulated before in the design: Newcombe 4.6, 4.1, 5.0 %; Miettinen-Nurminen 5.0 %
    rng = np.random.default_rng(20140401)
    x1, x0 = rng.binomial(n, share, (2, 200_000))
    for method, low in (("newcombe", 0.038), ("miettinen-nurminen", 0.045)):
        significant = np.mean(compare_proportions(x1, n, x0, n, method=method).p_value < 0.05)
        assert low < significant < 0.053


@pytest.mark.slow
@pytest.mark.parametrize(("mean", "dispersion"), [(12, 1), (45, 1), (400, 1), (400, 5)])
def test_false_positives_of_rates(mean, dispersion):
    rng = np.random.default_rng(20140402)
    if dispersion > 1:
        mean = rng.gamma(mean / (dispersion - 1), dispersion - 1, (2, 200_000))
        b, a = rng.poisson(mean)
    else:
        b, a = rng.poisson(mean, (2, 200_000))
    significant = np.mean(compare_rates(b, 1, a, 1, dispersion=dispersion).p_value < 0.05)
    assert 0.04 < significant < 0.053


@pytest.mark.parametrize(
    "counts", [(56, 70, 48, 80), (9, 10, 3, 10), (1, 200, 12, 210), (450, 1000, 430, 1010)]
)
def test_ratio_of_two_proportions_as_statsmodels(counts):
    found = compare_proportions(*counts, scale="ratio", polarity="higher")
    x1, n1, x0, n0 = counts
    lower, upper = confint_proportions_2indep(*counts, method="score", compare="ratio", correction=True)
    assert found.value == pytest.approx(x1 / n1 / (x0 / n0))
    assert (found.lower, found.upper) == pytest.approx((lower, upper), rel=1e-5)  # their search stops there
    same = score_test_of_proportions(*counts, method="score", compare="diff", correction=True)
    assert found.p_value == pytest.approx(same.pvalue, rel=1e-9)


@given(st.integers(0, 60), st.integers(0, 60))
def test_interval_and_p_value_of_a_ratio_of_proportions_agree(x1, x0):
    found = compare_proportions(x1, 60, x0, 60, scale="ratio")
    if np.isfinite(found.value) and abs(found.p_value - 0.05) > 1e-9:
        assert (found.lower > 1 or found.upper < 1) == (found.p_value < 0.05)
        assert found.lower <= found.value <= found.upper
        turned = compare_proportions(x0, 60, x1, 60, scale="ratio")
        if x1:
            assert turned.lower == pytest.approx(1 / found.upper, rel=1e-6)


@pytest.mark.parametrize("counts", [(56, 70, 48, 80), (5, 56, 0, 29), (30, 30, 29, 31), (0, 40, 6, 50)])
def test_limits_of_a_ratio_by_maximising_the_likelihood(counts):
    """At a limit the score is 1.96, the shares being the likeliest of those with that ratio."""
    x1, n1, x0, n0 = counts
    found = compare_proportions(*counts, scale="ratio")
    for limit, sign in ((found.lower, 1), (found.upper, -1)):
        if not 0 < limit < np.inf:
            continue
        p = np.linspace(1e-9, min(1, 1 / limit) - 1e-9, 2_000_001)
        likelihood = stats.binom.logpmf(x1, n1, limit * p) + stats.binom.logpmf(x0, n0, p)
        best = p[likelihood.argmax()]
        variance = limit * best * (1 - limit * best) / n1 + limit**2 * best * (1 - best) / n0
        score = (x1 / n1 - limit * x0 / n0) / np.sqrt(variance * (n1 + n0) / (n1 + n0 - 1))
        assert score == pytest.approx(sign * 1.959964, abs=1e-3)  # the grid of shares has steps of 1e-6
    if not x0:
        assert found.reason == "there were none at baseline: no ratio"
        assert np.isnan([found.value, found.upper]).all()
    assert x1 or found.lower == 0
