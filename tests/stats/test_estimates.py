"""Proportions, crude rates and means, against published tables, scipy and statsmodels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from bcfstats.errors import ParameterError
from bcfstats.stats.estimates import (
    byar_limits,
    crude_rate,
    exact_limits,
    mean,
    proportion,
)

RTOL = 1e-9  # both sides are computed in double precision
FOUR_DECIMALS = 5e-5  # the published table has four decimals
COUNTS = np.array([0.0, 1, 2, 5, 9, 9.5, 10, 11, 50, 1e3, 1e6, 1e9])


@pytest.mark.parametrize(
    ("numerator", "denominator", "lower", "upper"),
    [  # Newcombe (1998) Statistics in Medicine 17:857-872, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_as_published(numerator, denominator, lower, upper):
    share = proportion(numerator, denominator)
    assert share.lower == pytest.approx(lower, abs=FOUR_DECIMALS)
    assert share.upper == pytest.approx(upper, abs=FOUR_DECIMALS)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.998])
def test_wilson_as_statsmodels(level):
    n = np.array([1.0, 10, 85, 200, 1e6, 1e9])
    for part in (0, 0.1, 0.5, 0.9, 1):
        share = proportion(part * n, n, confidence_level=level)
        lower, upper = proportion_confint(part * n, n, alpha=1 - level, method="wilson")
        np.testing.assert_allclose(share.lower, lower, rtol=1e-6, atol=1e-15)  # theirs cancels near zero
        np.testing.assert_allclose(share.upper, upper, rtol=RTOL)


def test_wilson_ends_are_exact_at_none_and_all():
    share = proportion([0, 7, 0, 1e9], [7, 7, 1e9, 1e9], confidence_level=(0.95, 0.998))
    np.testing.assert_array_equal(share.lower[:, [0, 2]], 0)
    np.testing.assert_array_equal(share.upper[:, [1, 3]], 1)


def test_one_person():
    share = proportion([0, 1], [1, 1])
    z2 = stats.norm.ppf(0.975) ** 2
    np.testing.assert_allclose(share.upper, [z2 / (1 + z2), 1], rtol=RTOL)  # by hand from Wilson's formula
    np.testing.assert_allclose(share.lower, [0, 1 / (1 + z2)], rtol=RTOL)


@pytest.mark.parametrize(
    ("count", "lower", "upper"),
    [  # Garwood (1936) Biometrika 28:437-442, as printed in Armitage and Berry, table VIII
        (0, 0, 3.69),
        (1, 0.03, 5.57),
        (2, 0.24, 7.22),
        (5, 1.62, 11.67),
        (9, 4.12, 17.08),
    ],
)
def test_exact_limits_as_published(count, lower, upper):
    rate = crude_rate(count, 1, multiplier=1)
    assert rate.method == "Exact"
    assert (rate.lower, rate.upper) == (pytest.approx(lower, abs=0.006), pytest.approx(upper, abs=0.006))


@pytest.mark.parametrize("level", [0.95, 0.998])
def test_exact_limits_as_chi_squared(level):
    lower, upper = exact_limits(COUNTS, level)
    tail = (1 - level) / 2
    positive = COUNTS > 0
    np.testing.assert_allclose(lower[positive], stats.chi2.ppf(tail, 2 * COUNTS[positive]) / 2, rtol=RTOL)
    np.testing.assert_allclose(upper, stats.chi2.isf(tail, 2 * COUNTS + 2) / 2, rtol=RTOL)
    assert lower[0] == 0


def test_byar_by_hand():
    rate = crude_rate([12, 100], 1, multiplier=1)
    np.testing.assert_allclose(rate.lower, [6.19351, 81.36211], atol=5e-6)
    np.testing.assert_allclose(rate.upper, [20.96286, 121.62794], atol=5e-6)


def test_byar_is_near_exact_from_ten():
    # PHE technical guide "Confidence intervals" (2018): within 0.2 % of exact at 95 % for 10 events and more
    counts = np.arange(10.0, 2000)
    for level, within in ((0.95, 0.002), (0.998, 0.015)):
        byar = byar_limits(counts, stats.norm.isf((1 - level) / 2))
        for found, exact in zip(byar, exact_limits(counts, level), strict=True):
            np.testing.assert_allclose(found, exact, rtol=within)


def test_the_method_switches_at_ten_events():
    rate = crude_rate([9, 9.999, 10, 10.001], 1000, confidence_level=(0.95, 0.998))
    assert list(rate.method) == ["Exact", "Exact", "Byar", "Byar"]
    # exact and Byar's limits of 10 events (scipy 1.17 chi2; the formula by hand)
    np.testing.assert_allclose(rate.lower[0, 1:3], [479.47, 478.74], atol=0.01)


def test_z_is_at_full_precision():
    rate = crude_rate(1e9, 1, multiplier=1, confidence_level=0.998)
    z = 3.090232306167813  # R: qnorm(0.999), print(digits = 16)
    assert rate.upper == pytest.approx(
        (1e9 + 1) * (1 - 1 / (9 * (1e9 + 1)) + z / (3 * np.sqrt(1e9 + 1))) ** 3
    )


@pytest.mark.parametrize("estimator", [proportion, crude_rate])
def test_a_bad_row_is_missing_with_a_reason_and_spares_the_others(estimator):
    numerator = [5, np.nan, 5, 5, -1, np.inf, 5]
    denominator = [10, 10, np.nan, 0, 10, 10, -3]
    found = estimator(numerator, denominator)
    assert list(found.reason) == [
        "",
        "the numerator is missing",
        "the denominator is missing",
        "the denominator is zero or below",
        "the numerator is below zero",
        "the numerator is missing",
        "the denominator is zero or below",
    ]
    for field in (found.value, found.lower, found.upper):
        np.testing.assert_array_equal(np.isnan(field), found.reason != "")
    assert list(found.method[1:]) == [""] * 6


def test_a_numerator_above_its_denominator_is_no_proportion_but_a_rate():
    assert proportion(11, 10).reason == "the numerator is above the denominator"
    assert crude_rate(11, 10, multiplier=1).value == 1.1


def test_shapes_of_one_and_several_levels():
    both = crude_rate(np.ones((2, 3)), 10, confidence_level=(0.95, 0.998))
    assert both.value.shape == both.method.shape == both.reason.shape == (2, 3)
    assert both.lower.shape == both.upper.shape == (2, 2, 3)
    np.testing.assert_array_equal(
        both.lower[1], crude_rate(np.ones((2, 3)), 10, confidence_level=0.998).lower
    )
    assert both.confidence_level == (0.95, 0.998)
    assert crude_rate([], []).value.shape == (0,)


@pytest.mark.parametrize("level", [95, 0, 1, -0.1])
def test_a_level_that_is_not_a_share_is_refused(level):
    with pytest.raises(ParameterError, match=r"0\.95"):
        proportion(1, 2, confidence_level=level)


def test_text_and_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ParameterError, match="not all numbers"):
        proportion(["*"], [5])
    with pytest.raises(ParameterError, match="same number of rows"):
        crude_rate([1, 2], [1, 2, 3])


@given(st.integers(0, 500), st.integers(1, 500), st.integers(2, 50))
def test_more_people_of_the_same_share_narrow_the_limits(numerator, denominator, times):
    numerator = min(numerator, denominator)
    few, many = proportion(numerator, denominator), proportion(numerator * times, denominator * times)
    assert many.upper - many.lower < few.upper - few.lower
    assert few.lower <= few.value <= few.upper


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_limits_stay_within_none_and_all(numerator, denominator):
    numerator = min(numerator, denominator)
    share = proportion(numerator, denominator, confidence_level=(0.95, 0.998))
    assert 0 <= share.lower[1] <= share.lower[0] <= share.value <= share.upper[0] <= share.upper[1] <= 1


@given(st.integers(0, 500), st.integers(1, 500))
def test_those_without_mirror_those_with(numerator, denominator):
    numerator = min(numerator, denominator)
    with_, without = proportion(numerator, denominator), proportion(denominator - numerator, denominator)
    assert with_.lower == pytest.approx(1 - without.upper, abs=1e-12)


@given(st.just(0.0) | st.floats(0.01, 1e6), st.floats(0.1, 1e6), st.floats(0.01, 1e3))
def test_a_rate_scales_with_its_exposure_and_unit(count, exposure, factor):
    rate, scaled = crude_rate(count, exposure), crude_rate(count, exposure * factor, multiplier=1e5 * factor)
    for name in ("value", "lower", "upper"):
        assert getattr(rate, name) == pytest.approx(getattr(scaled, name), rel=1e-9)
    assert rate.lower <= rate.value <= rate.upper


def test_mean_as_scipy():
    rng = np.random.default_rng(7)
    values = rng.normal(18.7, 2.5, size=(4, 12))
    found = mean(values, confidence_level=(0.95, 0.998))
    for row, level in enumerate((0.95, 0.998)):
        expected = stats.t.interval(level, 11, values.mean(axis=1), stats.sem(values, axis=1))
        np.testing.assert_allclose((found.lower[row], found.upper[row]), expected, rtol=RTOL)


def test_grouped_means_equal_their_rows_in_any_order():
    rng = np.random.default_rng(8)
    values = rng.normal(50, 9, size=(5, 7))
    labels = np.repeat(["e", "b", "a", "d", "c"], 7)
    order = rng.permutation(35)
    found = mean(values.ravel()[order], groups=labels[order])
    assert list(found.groups) == ["a", "b", "c", "d", "e"]
    rows = mean(values[[2, 1, 4, 3, 0]])
    np.testing.assert_allclose(found.value, rows.value, rtol=RTOL)
    np.testing.assert_allclose(found.upper, rows.upper, rtol=RTOL)


def test_means_with_too_little_to_go_on():
    found = mean([1.0, 2, 3, np.nan, 4], groups=["a", "a", "b", "c", "c"])
    assert list(found.reason) == [
        "",
        "one value alone gives no limits",
        "the mean or one of its values is missing",
    ]
    np.testing.assert_array_equal(found.value, [1.5, 3, np.nan])
    assert np.isnan(found.lower[1])
    assert mean([]).reason == "the sample size is zero or below"
