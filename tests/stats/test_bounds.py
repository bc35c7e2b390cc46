"""Bounds of suppressed and rounded counts, by trying every count they can stand for."""

from functools import partial
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcfstats.errors import ParameterError
from bcfstats.stats.bounds import CountBounds, bounded_comparison, bounded_estimate, count_bounds
from bcfstats.stats.comparisons import compare_proportions, compare_rates
from bcfstats.stats.estimates import crude_rate, proportion

RTOL = 1e-9  # both sides are computed in double precision
SMALL = st.tuples(st.integers(0, 12), st.integers(0, 6)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def test_what_cells_can_stand_for():
    found = count_bounds(
        [np.nan, np.nan, 20, 20, 0, 3], suppressed=[1, 0, 0, 0, 0, 0], rounded_to=[1, 1, 5, 10, 5, 1]
    )
    np.testing.assert_array_equal(found.lower, [1, np.nan, 18, 15, 0, 3])
    np.testing.assert_array_equal(found.upper, [7, np.nan, 22, 25, 2, 3])


@pytest.mark.parametrize("base", [3, 5, 10, 100])
def test_every_count_lies_in_the_bounds_of_its_rounding(base):
    counts = np.arange(0, 500)
    found = count_bounds(np.floor(counts / base + 0.5) * base, rounded_to=base)
    assert np.all(found.lower <= counts)
    assert np.all(counts <= found.upper)


def test_months_add_up():
    months = count_bounds([np.nan, 12, np.nan], suppressed=[True, False, True])
    year = months.sum()
    assert (year.lower, year.upper) == (14, 26)
    both = months + CountBounds(np.array([1.0, 1, 1]), np.array([2.0, 2, 2]))
    np.testing.assert_array_equal(both.upper, [9, 14, 9])


@given(SMALL, st.tuples(st.integers(1, 20), st.integers(0, 8)))
def test_no_rate_is_outside_its_bounds(numerator, denominator):
    n = (denominator[0], sum(denominator))
    found = bounded_estimate(
        partial(crude_rate, multiplier=1),
        CountBounds(*map(np.float64, numerator)),
        CountBounds(*map(np.float64, n)),
    )
    x_all, n_all = np.array(list(product(range(numerator[0], numerator[1] + 1), range(n[0], n[1] + 1)))).T
    every = crude_rate(x_all, n_all, multiplier=1)
    assert found.value_lower == pytest.approx(every.value.min(), rel=RTOL)
    assert found.value_upper == pytest.approx(every.value.max(), rel=RTOL)
    assert found.lower == pytest.approx(every.lower.min(), rel=RTOL)
    assert found.upper == pytest.approx(every.upper.max(), rel=RTOL)


@given(SMALL, st.tuples(st.integers(1, 20), st.integers(0, 8)))
def test_no_share_is_outside_its_bounds(numerator, denominator):
    n = (denominator[0], sum(denominator))
    found = bounded_estimate(
        proportion, CountBounds(*map(np.float64, numerator)), CountBounds(*map(np.float64, n)), share=True
    )
    possible = [
        (x, m) for x, m in product(range(numerator[0], numerator[1] + 1), range(n[0], n[1] + 1)) if x <= m
    ]
    if not possible:
        assert found.reason == "the numerator is above the denominator"
        return
    every = proportion(*np.array(possible).T)
    assert found.value_lower == pytest.approx(every.value.min(), rel=RTOL)
    assert found.value_upper == pytest.approx(every.value.max(), rel=RTOL)
    assert found.lower <= every.lower.min() * (1 + RTOL)
    assert found.upper >= every.upper.max() * (1 - RTOL)


@given(SMALL, SMALL)
def test_no_change_is_outside_its_bounds(later, before):
    compare = partial(compare_proportions, polarity="lower")
    found = bounded_comparison(
        compare, CountBounds(*map(np.float64, later)), 20, CountBounds(*map(np.float64, before)), 25
    )
    every_later, every_before = np.array(
        list(product(range(later[0], later[1] + 1), range(before[0], before[1] + 1)))
    ).T
    every = compare(every_later, 20, every_before, 25)
    assert found.value_lower == pytest.approx(every.value.min(), abs=1e-12)
    assert found.lower == pytest.approx(every.lower.min(), abs=1e-9)
    assert found.upper == pytest.approx(every.upper.max(), abs=1e-9)
    assert found.p_improvement_lower == pytest.approx(every.p_improvement.min(), abs=1e-9)
    assert found.p_improvement_upper == pytest.approx(every.p_improvement.max(), abs=1e-9)


def test_certain_and_uncertain_changes_of_rates():
    hidden = count_bounds([np.nan, np.nan], suppressed=True)
    found = bounded_comparison(partial(compare_rates, polarity="lower"), hidden, 1, [30, 12], 1)
    assert list(found.p_improvement_upper < 0.025) == [True, False]
    assert list(found.p_improvement_lower < 0.025) == [True, True]


def test_what_is_missing_stays_missing():
    found = bounded_estimate(crude_rate, count_bounds([np.nan, 5]), [100, 0])
    assert list(found.reason) == ["the numerator is missing", "the denominator is zero or below"]
    assert np.isnan(found.value_lower).all()


@pytest.mark.parametrize(
    "options", [{"suppressed_range": (7, 1)}, {"suppressed_range": (-1, 5)}, {"rounded_to": 0}]
)
def test_ranges_that_make_no_sense_are_refused(options):
    with pytest.raises(ParameterError, match="makes no sense"):
        count_bounds(5, **options)
