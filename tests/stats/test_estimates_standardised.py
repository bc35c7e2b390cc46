"""Standardised rates, against published worked examples and hand arithmetic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcfstats.stats.estimates import crude_rate, directly_standardised_rate, standardised_ratio

RTOL = 1e-9  # both sides are computed in double precision

# Down's syndrome, Michigan 1950-1964, birth order 5 and over, by mother's age: Fleiss (1981) Statistical
# Methods for Rates and Proportions, table 14.4; used by Fay and Feuer (1997) and the R package dsrTest 1.0.0.
CASES = [0, 8, 63, 112, 262, 295]
BIRTHS = [327, 30666, 123419, 149919, 104088, 34392]
STANDARD = [319933, 931318, 786511, 488235, 237863, 61313]


def test_down_syndrome_as_published():
    rate = directly_standardised_rate(CASES, BIRTHS, STANDARD)
    assert rate.value == pytest.approx(75.52901, abs=5e-6)  # dsrTest: 75.52901
    # Dobson's limits 67.6 to 83.9: dsrTest, on exact limits of the 740 events; Byar's are within 0.01
    assert (rate.lower, rate.upper) == (pytest.approx(67.6, abs=0.06), pytest.approx(83.9, abs=0.06))


def test_dobson_by_hand():
    # weight over people is 5/9, 1/2 and 2/3: variance (5 (5/9)^2 + 20 (1/2)^2 + 75 (2/3)^2) / 1e8
    rate = directly_standardised_rate([5, 20, 75], [9000, 6000, 3000], [5000, 3000, 2000])
    error = np.sqrt((5 * (5 / 9) ** 2 + 20 / 4 + 75 * (2 / 3) ** 2) / 1e8 / 100)
    assert rate.value == pytest.approx(1e5 * (25 / 9 + 10 + 50) / 1e4, rel=RTOL)
    assert rate.lower == pytest.approx(rate.value + 1e5 * error * (81.362107 - 100), rel=1e-7)
    assert rate.upper == pytest.approx(rate.value + 1e5 * error * (121.627938 - 100), rel=1e-7)


def test_one_band_is_the_crude_rate():
    rate, crude = directly_standardised_rate([[57]], [[2000]], [[1]]), crude_rate([57], 2000)
    for name in ("value", "lower", "upper"):
        np.testing.assert_allclose(getattr(rate, name), getattr(crude, name), rtol=RTOL)


def test_groups_equal_the_same_bands_as_a_table():
    rng = np.random.default_rng(3)
    population = rng.integers(500, 9000, size=(6, 19)).astype(float)
    events = rng.poisson(population * 0.01).astype(float)
    weight = rng.integers(1000, 7000, size=19).astype(float)
    table = directly_standardised_rate(events, population, weight, confidence_level=(0.95, 0.998))
    order = rng.permutation(events.size)
    rows = directly_standardised_rate(
        events.ravel()[order],
        population.ravel()[order],
        np.tile(weight, 6)[order],
        groups=np.repeat(np.array(["f", "a", "c", "b", "e", "d"]), 19)[order],
        confidence_level=(0.95, 0.998),
    )
    assert list(rows.groups) == list("abcdef")
    place = [1, 3, 2, 5, 4, 0]
    np.testing.assert_allclose(rows.value, table.value[place], rtol=RTOL)
    np.testing.assert_allclose(rows.lower, table.lower[:, place], rtol=RTOL)


def test_a_single_group_is_added_up_too():  # PHEindicatormethods leaves one group as it was
    found = directly_standardised_rate(CASES, BIRTHS, STANDARD, groups=["x"] * 6)
    assert found.value.shape == (1,)
    assert found.value[0] == pytest.approx(75.52901, abs=5e-6)


def test_fewer_than_ten_events_are_refused():
    found = directly_standardised_rate([[4, 5], [5, 5]], [[900, 800], [900, 800]], [[5, 5]])
    assert list(found.reason) == ["fewer than 10 events: too few to standardise", ""]
    assert np.isnan(found.value[0])


@pytest.mark.parametrize(
    ("events", "population", "weight", "reason"),
    [
        ([np.nan, 20], [900, 800], [5, 5], "the events of an age band are missing"),
        ([20, 20], [900, np.nan], [5, 5], "the population of an age band is missing"),
        ([20, 20], [900, 0], [5, 5], "an age band has no population"),
        ([20, -1], [900, 800], [5, 5], "the events of an age band are below zero"),
        ([20, 20], [900, 800], [0, 0], "the standard population is empty"),
        ([20, 20], [900, 800], [5, -5], "the standard population of an age band is below zero"),
    ],
)
def test_a_bad_band_makes_its_area_missing_and_no_other(events, population, weight, reason):
    found = directly_standardised_rate(
        [events, [20, 30]], [population, [900, 800]], [weight, [5, 5]], confidence_level=(0.95, 0.998)
    )
    assert list(found.reason) == [reason, ""]
    assert np.isnan(found.value[0])
    assert np.isnan(found.upper[:, 0]).all()
    assert np.isfinite(found.upper[:, 1]).all()


def test_non_independent_events_widen_the_limits_as_ohid_does():
    # OHID's definition: the sum over frequencies f of f^2 times the variance of the rate of persons
    persons = np.array([[[60.0, 9, 1], [80, 20, 6]]])
    population, weight = np.array([[4000.0, 3000]]), np.array([[6.0, 4]])
    each = np.array([1.0, 2, 3])
    count, count_variance = persons @ each, persons @ each**2
    found = directly_standardised_rate(
        count, population, weight, numerator_variance=count_variance, multiplier=1
    )
    by_frequency = [(weight**2 * persons[..., f] / population**2).sum() / weight.sum() ** 2 for f in range(3)]
    variance = sum((f + 1) ** 2 * part for f, part in enumerate(by_frequency))
    total = count.sum()
    lower = total * (1 - 1 / (9 * total) - 1.959963984540054 / (3 * np.sqrt(total))) ** 3
    expected = found.value + np.sqrt(variance / total) * (lower - total)
    np.testing.assert_allclose(found.lower, expected, rtol=RTOL)
    independent = directly_standardised_rate(count, population, weight, multiplier=1)
    assert found.upper - found.lower > independent.upper - independent.lower


def test_a_lower_limit_is_never_below_zero():
    found = directly_standardised_rate([10, 1], [100_000, 10], [1, 1000])
    assert found.lower == 0


@given(st.lists(st.integers(5, 400), min_size=4, max_size=4), st.floats(0.01, 100))
def test_standard_populations_matter_only_as_shares(events, factor):
    population, weight = np.array([900.0, 800, 700, 600]), np.array([4.0, 3, 2, 1])
    one = directly_standardised_rate(events, population, weight)
    other = directly_standardised_rate(events, population, weight * factor)
    assert one.upper == pytest.approx(other.upper, rel=1e-9)
    assert one.lower <= one.value <= one.upper


def test_indirect_standardisation_by_hand():
    # expected: 9000*50/100000 + 6000*300/80000 + 3000*900/40000 = 4.5 + 22.5 + 67.5
    expected = 94.5
    ratio, limits = standardised_ratio(120, expected), crude_rate(120, 94.5, multiplier=1)
    assert (ratio.value, ratio.lower, ratio.upper) == (limits.value, limits.lower, limits.upper)


def test_ratios_that_cannot_be():
    found = standardised_ratio([0, 5, 5, np.nan], [2, 0, np.nan, 4])
    assert list(found.reason) == [
        "",
        "the expected number is zero or below",
        "the expected number is missing",
        "the observed number is missing",
    ]
    assert found.lower[0] == 0
