"""Rounding is no data: flat series, units, ends of ranges, against arithmetic in whole numbers."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcfstats.stats.comparisons import compare_estimates, compare_means, compare_proportions, compare_rates
from bcfstats.stats.control_charts import spc_signals, xmr_limits
from bcfstats.stats.estimates import proportion
from bcfstats.stats.improvements import minimum_significant_improvement
from bcfstats.stats.kendall import mann_kendall, sens_slope
from bcfstats.stats.season import seasonality_test
from bcfstats.stats.tolerance import constant, negligible, reached
from bcfstats.stats.trend import panel_trend, recent_trend, trend

MONTH = np.tile(np.arange(1, 13), 3)
DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] * 3, dtype=float)
SCALES = st.sampled_from([1e-6, 0.1, 1 / 3, 7.0, 100.0, 1e5])


def test_what_is_negligible():
    assert negligible(0.1 * 3 - 0.3, 0.3)
    assert not negligible(1, 1e6)  # one event in a million is data
    assert constant(np.array([[0.3, np.nan, 0.1 * 3], [1e6, 1e6 + 1, 1e6]])).tolist() == [True, False]


@pytest.mark.parametrize("exposure", [np.ones(36), DAYS], ids=["each month", "each day"])
def test_flat_series_have_no_trend(exposure):
    found = trend(np.arange(1, 400)[:, None] * exposure, exposure, MONTH)
    assert (found.percent_per_year == 0).all()
    assert set(found.reason) == {"the series does not vary"}
    assert np.isnan(found.p_value).all()


def test_a_line_without_scatter_has_a_slope_and_no_test():
    found = trend(100 * 1.1 ** (np.arange(36) / 12), np.ones(36), MONTH)
    assert found.percent_per_year[0] == pytest.approx(10)
    assert np.isnan(found.p_value[0])
    assert found.reason[0] == "nothing varies: there is no error to test with"


@pytest.mark.parametrize("daily", [0.1, 1, 10, 1 / 3, 12345])
def test_a_constant_daily_rate_has_no_season(daily):
    found = seasonality_test(daily * DAYS, DAYS, MONTH)
    assert found.reason == "the series does not vary"
    assert np.isnan(found.p_value)
    assert found.range_percent == 0


def test_flat_rates_of_all_areas_have_no_trend():
    found = panel_trend(np.outer(np.arange(1, 31), [0.3, 0.1 * 3, 0.3, 0.1 * 3, 0.3]))
    assert (found.percent_per_year == 0).all()
    assert np.isnan(found.p_value).all()


def test_a_flat_rate_is_no_recent_trend():
    flat = np.array([[0.3, 0.1 * 3, 0.3, 0.1 * 3, 0.3]])
    found = recent_trend(flat, flat - 0.01, flat + 0.01)
    assert (found.label[0], found.slope[0], found.reason[0]) == ("No significant change", 0, "")
    assert recent_trend(flat, flat * 3 / 3, np.full((1, 5), 0.1 * 3)).reason[0] == "an interval has no width"
    upside_down = recent_trend(flat, flat + 0.01, flat - 0.01)
    assert upside_down.reason[0] == "a lower limit is above its upper limit"


@given(st.lists(st.integers(0, 40), min_size=14, max_size=30), SCALES)
def test_signals_do_not_depend_on_the_unit(values, scale):
    whole, scaled = np.array(values, dtype=float), np.array(values) * scale
    plain, other = (spc_signals(x, xmr_limits(x)) for x in (whole, scaled))
    for name in ("outside", "shift", "trend", "near_limit"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(other, name))
    # the rules in whole numbers: a point is outside if |x - mean| > 2.66 average moving ranges
    ranges = [abs(b - a) for a, b in pairwise(values)]
    mean, reach = Fraction(sum(values), len(values)), Fraction(266, 100) * Fraction(sum(ranges), len(ranges))
    exact = [bool(reach) and abs(x - mean) > reach for x in values]
    assert plain.outside.tolist() == exact


@given(st.lists(st.integers(0, 12), min_size=6, max_size=20), SCALES)
def test_rank_tests_do_not_depend_on_the_unit(values, scale):
    whole, scaled = (np.array([values]) * factor for factor in (1.0, scale))
    plain, other = mann_kendall(whole), mann_kendall(scaled)
    assert plain.s[0] == other.s[0]
    np.testing.assert_array_equal(plain.p_value, other.p_value)
    by_hand = sum(np.sign(b - a) for i, a in enumerate(values) for b in values[i + 1 :])
    assert plain.s[0] == by_hand
    one, two = sens_slope(whole), sens_slope(scaled)
    np.testing.assert_allclose(two.lower, one.lower * scale, rtol=1e-12, atol=1e-12 * scale)
    np.testing.assert_allclose(two.upper, one.upper * scale, rtol=1e-12, atol=1e-12 * scale)


@given(st.integers(0, 10**6), st.integers(1, 10**6), SCALES)
def test_a_multiplier_is_a_unit(x, n, scale):
    plain, scaled = proportion(min(x, n), n), proportion(min(x, n), n, multiplier=scale)
    assert 0 <= plain.lower <= plain.value <= plain.upper <= 1
    np.testing.assert_allclose(
        [scaled.value, scaled.lower, scaled.upper],
        [scale * y for y in (plain.value, plain.lower, plain.upper)],
        rtol=1e-12,
    )


def test_all_of_them_may_be_above_all_by_rounding_only():
    everyone = 0.1 * 3  # 0.30000000000000004 of 0.3
    found = proportion([everyone, 0.31], 0.3)
    assert (found.value[0], found.upper[0]) == (1, 1)
    assert list(found.reason) == ["", "the numerator is above the denominator"]
    assert compare_proportions(everyone, 0.3, everyone, 0.3).reason == ""


def test_scores_that_do_not_vary_but_for_rounding_are_not_tested():
    noise = 1e-17
    assert compare_means(0.1 * 3, noise, 20, 0.3, noise, 20).reason.startswith("nothing varies")
    limits = (0.3, 0.3, 0.1 * 3)
    assert compare_estimates(*limits, *limits).reason.startswith("nothing varies")
    asked = minimum_significant_improvement("mean", value=0.3, lower=0.3, upper=0.1 * 3, polarity="higher")
    assert np.isnan(asked.value)
    assert asked.reason.startswith("nothing varies")


@pytest.mark.parametrize(
    ("given_", "polarity", "there"),
    [
        ({"value": 98, "lower": 96, "upper": 99.5}, "higher", False),  # 98 + 2.5 is more than everyone
        ({"value": 0.98, "lower": 0.96, "upper": 0.995}, "higher", False),
        ({"value": 2, "lower": 0.5, "upper": 3.5}, "lower", False),  # 2 - 2.1 is less than no one
        ({"value": 50, "lower": 48, "upper": 52}, "higher", True),
        ({"value": 98, "lower": 96, "upper": 99.5}, "lower", True),
    ],
)
def test_a_target_is_within_what_is_possible(given_, polarity, there):
    found = minimum_significant_improvement("survey_proportion", polarity=polarity, **given_)
    assert np.isfinite(found.value) == there
    assert (found.reason == "") == there


@given(st.floats(1, 1e6), st.floats(1, 1e6), SCALES)
def test_rates_are_compared_alike_in_any_unit_of_exposure(count, exposure, scale):
    plain = compare_rates(count, exposure, 200, 500, polarity="lower")
    other = compare_rates(count, exposure * scale, 200, 500 * scale, polarity="lower")
    assert other.p_value == pytest.approx(plain.p_value, rel=1e-6, abs=1e-300)  # far tails lose digits


@pytest.mark.parametrize(("direction", "beyond"), [(1.0, 0.31), (-1.0, 0.29)])
def test_a_line_is_reached_on_its_better_side_and_but_for_rounding(direction, beyond):
    """0.1 + 0.2 is a rounding above 0.3: it reaches that line from either side."""
    values = [0.1 + 0.2, 0.3, beyond, 0.6 - beyond, float("nan")]
    assert reached(values, 0.3, direction).tolist() == [True, True, True, False, False]
