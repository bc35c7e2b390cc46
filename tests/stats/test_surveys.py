"""Survey percentages, published margins and modelled denominators."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcfstats.errors import ParameterError
from bcfstats.stats.estimates import crude_rate, proportion
from bcfstats.stats.surveys import (
    effective_sample_size,
    modelled_ratio,
    published_estimate,
    survey_proportion,
)

RTOL = 1e-9  # both sides are computed in double precision
Z = 1.959963984540054


def test_a_design_effect_is_a_smaller_sample():
    found, plain = (
        survey_proportion(61.2, 480, design_effect=1.2, multiplier=100),
        proportion(0.612 * 400, 400),
    )
    assert found.lower == pytest.approx(100 * plain.lower, rel=RTOL)
    assert found.upper == pytest.approx(100 * plain.upper, rel=RTOL)


def test_effective_sample_size_inverts_the_margin():
    margin = 100 * Z * np.sqrt(0.3 * 0.7 / 555)
    assert effective_sample_size(30, margin, multiplier=100) == pytest.approx(555, rel=RTOL)
    np.testing.assert_array_equal(
        effective_sample_size([0, 1, 0.5, np.nan], [0.1, 0.1, 0, 0.1]), [np.nan] * 4
    )


def test_survey_rows_that_cannot_be():
    found = survey_proportion(
        [0.5, 1.2, 0.5, np.nan, 0.5], [0, 10, np.nan, 10, 10], design_effect=[1, 1, 1, 1, 0]
    )
    assert list(found.reason) == [
        "the sample size is zero or below",
        "the value is not between nothing and all",
        "the sample size is missing",
        "the value is missing",
        "the design effect is zero or below",
    ]


def test_published_limits_are_kept_and_stretched_to_other_levels():
    found = published_estimate(19.1, margin_of_error=0.4, confidence_level=(0.95, 0.998))
    np.testing.assert_allclose(found.lower, [18.7, 19.1 - 0.4 * 3.090232306167813 / Z], rtol=RTOL)
    rate = published_estimate(2000, lower=1900, upper=2105, scale="ratio", confidence_level=(0.95, 0.998))
    np.testing.assert_allclose(rate.upper, [2105, 2000 * (2105 / 2000) ** (3.090232306167813 / Z)], rtol=RTOL)


def test_a_published_percentage_stays_within_its_range():
    found = published_estimate(97, margin_of_error=2, within=(0, 100), confidence_level=0.998)
    assert found.upper == 100


def test_published_rows_that_cannot_be():
    found = published_estimate([5, 5, np.nan], lower=[6, 4, 4], upper=[7, np.nan, 6])
    assert list(found.reason) == [
        "the limits do not enclose the value",
        "the upper limit is missing",
        "the value is missing",
    ]
    np.testing.assert_array_equal(found.value, [5, 5, np.nan])  # a value is a value without its limits
    with pytest.raises(ParameterError, match="margin_of_error"):
        published_estimate(5)


def test_a_known_denominator_gives_the_crude_rate():
    found, rate = modelled_ratio([0, 4, 1850], 3000), crude_rate([0, 4, 1850], 3000, multiplier=1)
    np.testing.assert_allclose(found.upper, rate.upper, rtol=RTOL)
    np.testing.assert_allclose(found.lower, rate.lower, rtol=RTOL)
    assert found.method[0] == "Poisson, modelled denominator taken as known"


def test_donner_zou_against_simulation():
    # ratio of a Poisson count to an estimate with relative error 5 %: coverage of the true ratio near 95 %
    rng = np.random.default_rng(11)
    true_count, true_people, spread = 200, 300.0, 0.05
    count = rng.poisson(true_count, 20_000)
    people = true_people * np.exp(rng.normal(0, spread, 20_000))
    found = modelled_ratio(
        count,
        people,
        denominator_lower=people * np.exp(-Z * spread),
        denominator_upper=people * np.exp(Z * spread),
    )
    covered = np.mean((found.lower <= true_count / true_people) & (true_count / true_people <= found.upper))
    assert covered == pytest.approx(0.95, abs=0.01)


@given(st.integers(0, 5000), st.floats(1.0, 1.9))
def test_an_uncertain_denominator_widens_the_limits(count, width):
    sure = modelled_ratio(count, 3000)
    unsure = modelled_ratio(count, 3000, denominator_lower=3000 / width, denominator_upper=3000 * width)
    assert unsure.lower <= sure.lower * (1 + 1e-9)
    assert unsure.upper >= sure.upper * (1 - 1e-9)


def test_a_denominator_that_is_too_uncertain():
    found = modelled_ratio(
        5, [30, 30], denominator_lower=[20, 20], denominator_upper=[40, 61], confidence_level=(0.95, 0.998)
    )
    assert list(found.reason) == ["", "the modelled denominator is too uncertain"]
    assert list(np.isnan(found.lower[:, 1])) == [True, True]
    with pytest.raises(ParameterError, match="both its limits"):
        modelled_ratio(5, 30, denominator_lower=20)
