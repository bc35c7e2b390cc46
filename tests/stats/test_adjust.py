"""Difference of differences and adjustment for many tests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from bcfstats.errors import ParameterError
from bcfstats.stats.adjust import adjust_p_values, difference_of_differences
from bcfstats.stats.comparisons import compare_means, compare_proportions, compare_rates

RTOL = 1e-9  # both sides are computed in double precision
BENJAMINI_HOCHBERG = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216]


def test_the_first_two_are_found():
    assert list(adjust_p_values(BENJAMINI_HOCHBERG) <= 0.05) == [True] * 2 + [False] * 8


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_adjusted_as_statsmodels(p_values):
    np.testing.assert_allclose(
        adjust_p_values(p_values), multipletests(p_values, method="fdr_bh")[1], rtol=RTOL, atol=1e-300
    )


def test_missing_p_values_are_no_tests():
    p = np.array([[0.01, np.nan], [0.04, 0.03]])
    found = adjust_p_values(p)
    np.testing.assert_allclose(found[[0, 1, 1], [0, 0, 1]], adjust_p_values([0.01, 0.04, 0.03]))
    assert np.isnan(found[0, 1])
    with pytest.raises(ParameterError, match="between 0 and 1"):
        adjust_p_values([1.2])


def test_difference_of_differences_by_hand():
    area = compare_means(19.5, 2.5, 4000, 18.5, 2.5, 4000)
    others = compare_means(18.8, 2.5, 90_000, 18.6, 2.5, 90_000)
    found = difference_of_differences(area, others, polarity="higher")
    half = np.hypot(area.value - area.lower, others.upper - others.value)
    assert found.value == pytest.approx(0.8, rel=RTOL)
    assert found.lower == pytest.approx(0.8 - half, rel=RTOL)
    # with so many people nearly normal: the four variances add up
    error = 2.5 * np.sqrt(2 / 4000 + 2 / 90_000)
    assert found.upper == pytest.approx(0.8 + 1.96 * error, abs=1e-4)


def test_ratios_are_set_against_each_other_as_logs():
    area, others = compare_rates(800, 1, 1000, 1), compare_rates(98_000, 1, 100_000, 1)
    found = difference_of_differences(area, others, polarity="lower")
    assert found.scale == "ratio"
    assert found.value == pytest.approx(0.8 / 0.98, rel=RTOL)
    # a log-linear model of four Poisson counts has this standard error (hand: Wald on the interaction)
    error = np.sqrt(1 / 800 + 1 / 1000 + 1 / 98_000 + 1 / 100_000)
    assert np.log(found.upper / found.lower) == pytest.approx(2 * 1.959964 * error, rel=0.002)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 600), st.integers(0, 600))
def test_limits_and_p_values_agree(x1, x0, c1, c0):
    area, others = compare_proportions(x1, 60, x0, 60), compare_proportions(c1, 600, c0, 600)
    found = difference_of_differences(area, others, polarity="higher")
    assert (found.lower > 0 or found.upper < 0) == (found.p_value < 0.05)
    back = difference_of_differences(others, area, polarity="lower")
    assert back.lower == pytest.approx(-found.upper, abs=1e-12)


def test_a_steady_comparator_changes_little():
    area = compare_rates([800, 0, np.nan], 1, [1000, 50, 10], 1)
    others = compare_rates(1e8, 1, 1e8, 1)
    found = difference_of_differences(area, others, polarity="lower")
    assert found.p_improvement[0] == pytest.approx(area.p_value[0] / 2, rel=0.15)
    assert list(found.reason[1:]) == [
        "a change has no value or limits on this scale",
        "the numerator is missing",
    ]


def test_changes_of_two_kinds_are_refused():
    rates, shares = compare_rates(5, 1, 6, 1), compare_proportions(5, 10, 6, 10)
    wide = compare_rates(5, 1, 6, 1, confidence_level=0.998)
    both = compare_rates(5, 1, 6, 1, confidence_level=(0.95, 0.998))
    for one, other in ((rates, shares), (rates, wide), (both, both)):
        with pytest.raises(ParameterError, match="cannot be set against"):
            difference_of_differences(one, other)
