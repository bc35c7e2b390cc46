"""Sen's slope and Mann-Kendall against scipy and exact enumeration."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bcfstats.stats.kendall import mann_kendall, sens_slope


def test_exact_p_values_equal_enumeration_of_all_orders():
    orders = np.array(list(permutations(range(6))), dtype=float)
    found = mann_kendall(orders)
    by_count = [(np.abs(found.s) >= abs(s)).mean() for s in found.s]
    assert found.p_value == pytest.approx(by_count, abs=1e-12)
    assert (found.method == "exact").all()


def test_falling_five_years_from_the_worked_examples():
    assert mann_kendall([[420, 410, 395, 380, 362]]).p_value[0] == pytest.approx(1 / 60, abs=1e-12)


def test_tau_and_p_equal_scipy_without_ties():
    y = np.random.default_rng(1).normal(size=(20, 14))
    found = mann_kendall(y)
    for i, row in enumerate(y):
        oracle = stats.kendalltau(np.arange(14), row, method="exact")
        assert found.tau[i] == pytest.approx(oracle.statistic, abs=1e-12)
        assert found.p_value[i] == pytest.approx(oracle.pvalue, rel=1e-9)


def test_ties_follow_the_corrected_variance_by_hand():
    # 3 3 5 5 5 9: S = 11, pairs 15, Var = (6*5*17 - 2*1*9 - 3*2*11) / 18 = 426 / 18
    found = mann_kendall([[3, 3, 5, 5, 5, 9]])
    assert found.s[0] == 11
    assert found.p_value[0] == pytest.approx(2 * stats.norm.sf(10 / np.sqrt(426 / 18)), rel=1e-12)
    assert found.tau[0] == pytest.approx(
        stats.kendalltau(np.arange(6), [3, 3, 5, 5, 5, 9]).statistic, abs=1e-12
    )
    assert found.method[0] == "normal, ties and continuity corrected"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([1, 2, 3, 4], "too few to test: 4 points"),
        ([1, 2, 3, np.nan, np.nan, 4], "too few to test: 4 points"),
        ([7, 7, 7, 7, 7], "all points are equal"),
        ([np.nan] * 6, "too few to test: 0 points"),
    ],
)
def test_refusals(row, reason):
    found = mann_kendall([row])
    assert found.reason[0] == reason
    assert np.isnan(found.p_value[0])


def test_gaps_do_not_close_up_in_sens_slope():
    assert sens_slope([[0.0, np.nan, np.nan, 3.0, 4.0]]).slope[0] == 1.0


def test_sens_slope_equals_scipy_on_long_series():
    y = np.random.default_rng(2).normal(size=(10, 40)).cumsum(axis=1)
    found = sens_slope(y)
    for i, row in enumerate(y):
        slope, intercept, low, high = stats.theilslopes(row, np.arange(40), 0.95)
        assert found.slope[i] == pytest.approx(slope, abs=1e-12)
        assert found.intercept[i] == pytest.approx(intercept, abs=1e-12)
        # the two round half-ranks to neighbouring order statistics
        near = np.sort([(row[j] - row[k]) / (j - k) for j in range(40) for k in range(j)])
        assert abs(np.searchsorted(near, found.lower[i]) - np.searchsorted(near, low)) <= 1
        assert abs(np.searchsorted(near, found.upper[i]) - np.searchsorted(near, high)) <= 1


def test_exact_interval_covers_at_least_as_often_as_it_says():
    y = np.random.default_rng(3).normal(size=(4000, 7)) + 2 * np.arange(7)
    found = sens_slope(y)
    covered = np.mean((found.lower <= 2) & (found.upper >= 2))
    # exact and conservative; standard error 0.35 points
    assert 0.945 <= covered <= 0.985


def test_too_few_for_an_interval_keeps_the_slope():
    found = sens_slope([[1.0, 2.0, 3.0, 4.0], [1.0, np.nan, np.nan, np.nan]])
    assert found.slope[0] == 1
    assert list(found.reason) == ["too few for an interval: 4 points", "fewer than two points"]
    assert np.isnan(found.lower).all()
    assert np.isnan(found.slope[1])


def test_unequal_times():
    assert sens_slope([[0.0, 2.0, 6.0]], [2010, 2012, 2016]).slope[0] == 1.0


def test_places_beyond_the_slopes_give_no_interval():
    # N = 6 slopes, C = 1.96 sqrt(7.667) = 5.43: the lower place is 0.29, which rounds to none
    whole = sens_slope([[0, 0, 4, 2]], [0, 3, 4, 6])
    gaps = sens_slope([[0, np.nan, np.nan, 0, 4, np.nan, 2]])
    for found in (whole, gaps):
        assert np.isnan([found.lower[0], found.upper[0]]).all()
        assert found.reason[0] == "too few for an interval: 4 points"
    assert whole.slope[0] == gaps.slope[0]


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=25),
    st.sampled_from([0.8, 0.95]),
)
def test_ties_of_values_and_times_as_scipy(points, level):
    times, values = np.array(points, dtype=float).T
    found = sens_slope([values], times, confidence_level=level)
    if np.unique(times).size < 2:
        assert found.reason[0] == "all points are at one time"
        return
    with np.errstate(invalid="ignore"):  # theirs leaves out what ties of both at once add to the variance
        theirs = stats.theilslopes(values, times, alpha=level)
    assert found.slope[0] == pytest.approx(theirs.slope, abs=1e-12)
    tied = [np.unique(given).size < given.size for given in (values, times)]
    if sum(tied) == 1 and found.reason[0] == "":  # without ties ours is exact, theirs is not
        assert found.lower[0] == pytest.approx(theirs.low_slope, abs=1e-12)
        assert found.upper[0] == pytest.approx(theirs.high_slope, abs=1e-12)
    if np.isfinite(found.lower[0]):
        assert found.lower[0] <= found.slope[0] <= found.upper[0]


def test_points_without_a_time_or_with_an_infinite_value_are_left_out():
    assert sens_slope([[5, 4, 3, 2]], [0, 0, 1, 2]).slope[0] == -1  # median of -2, -1.5, -1, -1, -1
    assert sens_slope([[5, 4, 3, 2, 1, -np.inf]]).slope[0] == -1
    assert sens_slope([[1, 2, 3]], [0, np.nan, 2]).n[0] == 2
    assert mann_kendall([[1, 2, 3, 4, 5, np.inf, np.inf]]).p_value == mann_kendall([[1, 2, 3, 4, 5]]).p_value


def test_values_equal_but_for_rounding_are_ties():
    found = mann_kendall([[0.3, 0.1 * 3, 0.4, 0.3, 0.5, 0.1 * 3]])
    whole = mann_kendall([[3, 3, 4, 3, 5, 3]])
    assert (found.s[0], found.p_value[0], found.method[0]) == (whole.s[0], whole.p_value[0], whole.method[0])
    flat = sens_slope([[0.3, 0.1 * 3, 0.3, 0.3, 0.1 * 3, 0.3]])
    assert flat.slope[0] == 0
    assert flat.reason[0] == "all points are equal: no variation to set limits by"
