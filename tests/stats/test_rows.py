"""Shapes, reasons and critical values."""

import numpy as np
import pytest
from scipy import stats

from bcfstats.errors import ParameterError
from bcfstats.stats.rows import critical_value, first_reason, group_rows, reasons, upper_tail


def test_critical_values_and_tails_as_scipy():
    df = np.array([1.0, 8, 250, np.inf])
    np.testing.assert_allclose(critical_value(0.998, df), stats.t.isf(0.001, df), rtol=1e-9)
    z = np.array([-3.0, 0, 2, 30])
    np.testing.assert_allclose(upper_tail(z), stats.norm.sf(z), rtol=1e-9)
    np.testing.assert_allclose(upper_tail(z, 8), stats.t.sf(z, 8), rtol=1e-9)


def test_the_first_reason_counts():
    flags = np.array([True, True, False])
    one, other = reasons((3,), ("a", flags)), reasons((3,), ("b", ~flags), ("c", flags))
    assert list(first_reason(one, other)) == ["a", "a", "b"]


@pytest.mark.parametrize(
    "labels", [["b", "b", "a", "b", "c"], [2, 2, 1, 2, 3], np.array(["é", "é", "d", "é", "f"])]
)
def test_groups_in_any_order(labels):
    groups = group_rows(labels, 5)
    np.testing.assert_array_equal(groups.label[groups.code], labels)
    np.testing.assert_array_equal(groups.total(np.arange(5.0)), [2, 4, 4])


def test_no_rows_and_the_wrong_number_of_labels():
    assert group_rows([], 0).total(np.array([])).size == 0
    with pytest.raises(ParameterError, match="one label a row"):
        group_rows(["a"], 2)


@pytest.mark.parametrize("labels", [np.array(["a", None, "b"], dtype=object), [1.0, np.nan, 2.0], [None] * 3])
def test_a_row_without_a_group_is_refused(labels):
    with pytest.raises(ParameterError, match="no group"):
        group_rows(labels, 3)
