"""Sen's slope and Mann-Kendall against scipy and exact enumeration."""

from itertools import permutations

import numpy as np
import pytest
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
