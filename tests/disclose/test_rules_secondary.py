"""What else is hidden, worked out by hand: a total and all but one of its parts give that one away."""

import numpy as np

from bcfstats.disclose.rules import hide_with, totals_to_keep

GROUP = np.zeros(3, dtype=np.int64)


def test_a_small_number_is_not_hidden_alone():
    counts = np.array([[3.0], [40.0], [20.0]])
    hidden = np.array([[True], [False], [False]])
    kept = hide_with(counts, hidden, GROUP, np.array([1000.0, 9000.0, 4000.0]), 5)
    assert kept.ravel().tolist() == [True, False, True]  # with the smaller of the two others


def test_two_small_numbers_hide_each_other_only_where_their_sum_leaves_them_free():
    hidden = np.array([[True], [True], [False]])
    sizes = np.array([1.0, 2.0, 3.0])
    tells = hide_with(np.array([[1.0], [1.0], [50.0]]), hidden, GROUP, sizes, 5)
    assert tells.ravel().tolist() == [True, True, True]  # 2 in all is 1 and 1
    free = hide_with(np.array([[4.0], [5.0], [50.0]]), hidden, GROUP, sizes, 5)
    assert free.ravel().tolist() == [True, True, False]


def test_totals_that_differ_by_a_small_month_are_not_both_shown():
    counts = np.array([3.0, 20.0, 30.0])
    both = [np.array([0, 1, 2]), np.array([1, 2])]  # 53 - 50 = 3
    assert totals_to_keep(counts, both[:1], 5, []) == [0]
    assert totals_to_keep(counts, both, 5, [1]) == [0]
    assert totals_to_keep(counts, [np.array([0])], 5, []) == []
