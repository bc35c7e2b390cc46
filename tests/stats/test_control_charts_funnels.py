"""Funnel limits, against the test data of PHEindicatormethods and by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcfstats.errors import ParameterError
from bcfstats.stats.control_charts import funnel_limits
from bcfstats.stats.dispersion import paule_mandel
from bcfstats.stats.estimates import crude_rate, exact_limits, proportion

RTOL = 1e-9  # both sides are computed in double precision


@pytest.mark.parametrize(
    ("denominator", "limits"),
    [  # PHEindicatormethods 2.1.0, tests/testthat/testdata_funnel_prop_outputs.csv, average 80.642448 %
        (1, (3.204264, 100, 0, 100)),
        (20, (63.326743, 97.958152, 53.341156, 100)),
        (50, (69.691035, 91.593861, 63.375595, 97.909301)),
        (1008, (78.203374, 83.081521, 76.796814, 84.488082)),
        (110_000, (80.408963, 80.875933, 80.274317, 81.010578)),
    ],
)
def test_proportions_as_phe(denominator, limits):
    found = funnel_limits(denominator, 80.642448, kind="proportion", multiplier=100)
    # their average is rounded to eight digits
    np.testing.assert_allclose(
        [found.lower[0], found.upper[0], found.lower[1], found.upper[1]], limits, atol=2e-6
    )


@pytest.mark.parametrize(
    ("count", "lower_expected", "lower", "upper_expected", "upper"),
    [  # PHEindicatormethods 2.1.0, tests/testthat/testdata_funnel_ratio_outputs.csv, the "2s" columns
        (1, 5.571644585, 17.94802207, 0.025317898, 3949.774946),
        (8, 15.76318696, 50.7511585, 3.453831154, 231.6268412),
        (50 - 1, 64.7805979, 75.63993169, 36.25047284, 135.1706547),
        (716, 770.4222128, 92.93605352, 664.5083011, 107.7488421),
    ],
)
def test_ratios_as_phe(count, lower_expected, lower, upper_expected, upper):
    # an area with this expected number has its limit exactly at this count
    found = funnel_limits(
        [lower_expected, upper_expected], 100, kind="rate", multiplier=100, confidence_level=0.95
    )
    assert found.lower[0] == pytest.approx(lower, rel=1e-6)  # their solver stops at about 1e-7
    assert found.upper[1] == pytest.approx(upper, rel=1e-6)
    assert found.lower[0] * lower_expected / 100 == pytest.approx(count, rel=1e-6)


@given(st.floats(0.5, 1e6), st.sampled_from([0.95, 0.998]))
def test_the_exact_interval_of_a_limit_touches_the_average(expected, level):
    found = funnel_limits(expected, 1, kind="rate", confidence_level=level)
    assert exact_limits(np.array([found.upper * expected]), level)[0][0] == pytest.approx(expected, rel=1e-7)
    if found.lower > 0:
        assert exact_limits(np.array([found.lower * expected]), level)[1][0] == pytest.approx(
            expected, rel=1e-7
        )


@given(st.integers(2, 5000), st.floats(0.02, 0.98))
def test_the_wilson_interval_of_a_limit_touches_the_average(n, average):
    found = funnel_limits(n, average, kind="proportion", confidence_level=0.95)
    if found.upper < 1:
        assert proportion(found.upper * n, n).lower == pytest.approx(average, rel=1e-7)
    if found.lower > 0:
        assert proportion(found.lower * n, n).upper == pytest.approx(average, rel=1e-7)


def test_limits_of_shares_stop_at_one_and_of_rates_at_zero():
    shares = funnel_limits([3, 3], [0.9, 0.1], kind="proportion")
    assert shares.upper[1, 0] == 1
    assert shares.lower[1, 1] == 0
    assert funnel_limits(2, 1, kind="rate").lower[1] == 0


def test_between_area_variance_by_hand():
    found = funnel_limits(400, 0.8, kind="proportion", between_area_variance=0.0009, confidence_level=0.95)
    assert found.upper == pytest.approx(0.8 + 1.959963984540054 * np.sqrt(0.8 * 0.2 / 400 + 0.0009), rel=RTOL)
    rate = funnel_limits(50, 2, kind="rate", between_area_variance=0.01, confidence_level=0.95)
    assert rate.lower == pytest.approx(2 * np.exp(-1.959963984540054 * np.sqrt(0.01 + 0.01)), rel=RTOL)


def test_limits_widened_by_what_areas_show_hold_their_share():
    # areas of very different sizes whose true rates vary by 15 %: chance alone flags most of the large ones
    rng = np.random.default_rng(12)
    expected = rng.uniform(30, 3000, 4000)
    observed = rng.poisson(expected * np.exp(rng.normal(0, 0.15, 4000)))
    tau2 = paule_mandel(np.log(observed / expected), 1 / observed).value
    assert np.sqrt(tau2) == pytest.approx(0.15, rel=0.05)
    ratio = observed / expected
    flagged = {}
    for name, variance in (("chance", None), ("both", tau2)):
        found = funnel_limits(expected, 1, kind="rate", between_area_variance=variance, confidence_level=0.95)
        flagged[name] = np.mean((ratio < found.lower) | (ratio > found.upper))
    assert flagged["chance"] > 0.5
    assert flagged["both"] == pytest.approx(0.05, abs=0.01)


def test_rows_that_cannot_be():
    found = funnel_limits([0, np.nan, 10, 10], [0.5, 0.5, 1, 0.5], kind="proportion")
    assert list(found.reason) == [
        "the denominator is zero or below",
        "the denominator is missing",
        "the average is outside what is possible",
        "",
    ]
    with pytest.raises(ParameterError, match="kind"):
        funnel_limits(10, 0.5, kind="mean")


def test_a_funnel_agrees_with_the_rate_it_is_drawn_for():
    # an area is outside its funnel exactly when its own exact interval leaves out the average
    counts = np.arange(0.0, 10)
    limits = funnel_limits(5, 1, kind="rate", confidence_level=0.95)
    rates = crude_rate(counts, 5, multiplier=1)
    outside = (counts / 5 < limits.lower) | (counts / 5 > limits.upper)
    np.testing.assert_array_equal(outside, (rates.upper < 1) | (rates.lower > 1))
