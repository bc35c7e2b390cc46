"""Adjustment for many tests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from bcfstats.errors import ParameterError
from bcfstats.stats.multiple import adjust_p_values

RTOL = 1e-9  # both sides are computed in double precision
BENJAMINI_HOCHBERG = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216]


def test_the_first_two_are_found():
    assert list(adjust_p_values(BENJAMINI_HOCHBERG) <= 0.05) == [True] * 2 + [False] * 8


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_adjusted_as_statsmodels(p_values):
    np.testing.assert_allclose(
        adjust_p_values(p_values), multipletests(p_values, method="fdr_bh")[1], rtol=RTOL, atol=1e-300
    )


def test_each_line_is_taken_by_itself():
    p = np.random.default_rng(16).uniform(size=(2_000, 19))
    p[::7, 3:] = np.nan
    found = adjust_p_values(p, axis=1)
    np.testing.assert_allclose(found, adjust_p_values(p.T, axis=0).T)
    for row, adjusted in zip(p[:21], found[:21], strict=True):
        np.testing.assert_allclose(adjusted, adjust_p_values(row))
    whole = np.isfinite(p).all(axis=1)
    alone, together = ((x[whole] <= 0.05).any(axis=1).mean() for x in (p, found))
    assert alone == pytest.approx(1 - 0.95**19, abs=0.04)  # four standard errors
    assert together == pytest.approx(0.05, abs=0.02)


def test_missing_p_values_are_no_tests():
    p = np.array([[0.01, np.nan], [0.04, 0.03]])
    found = adjust_p_values(p)
    np.testing.assert_allclose(found[[0, 1, 1], [0, 0, 1]], adjust_p_values([0.01, 0.04, 0.03]))
    assert np.isnan(found[0, 1])
    with pytest.raises(ParameterError, match="between 0 and 1"):
        adjust_p_values([1.2])
