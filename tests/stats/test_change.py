"""A change with a known standard error, against scipy's distributions."""

import numpy as np
import pytest
from scipy import stats

from bcfstats.stats.change import Asked, interval_reasons, welch

NONE = np.array([""], dtype=object)


@pytest.mark.parametrize("df", [np.inf, 7.0])
def test_limits_and_p_values_are_those_of_the_distribution(df):
    change, error = np.array([-1.3]), np.array([0.8])
    made = Asked("lower", 0.95).from_standard_error(change, error, "difference", NONE, NONE, df)
    law = stats.norm if np.isinf(df) else stats.t(df)
    margin = law.ppf(0.975) * 0.8
    assert np.allclose(np.ravel([made.lower, made.upper]), [-1.3 - margin, -1.3 + margin], rtol=1e-9)
    assert np.isclose(made.p_value, 2 * law.cdf(-1.3 / 0.8), rtol=1e-9)
    assert np.isclose(made.p_improvement, law.cdf(-1.3 / 0.8), rtol=1e-9)


def test_a_ratio_goes_back_from_logs_and_no_error_is_no_test():
    made = Asked(None, 0.9).from_standard_error(np.log([1.2]), np.array([0.1]), "ratio", NONE, NONE)
    assert np.isclose(made.value, 1.2)
    assert np.isclose(made.upper, 1.2 * np.exp(stats.norm.ppf(0.95) * 0.1))
    assert np.isnan(made.p_improvement)
    flat = Asked("lower", 0.95).from_standard_error(
        np.array([1.0]), np.array([0.0]), "difference", NONE, NONE
    )
    assert "nothing varies" in str(flat.reason)
    assert np.isnan(flat.value)


def test_welch_is_that_of_scipy():
    random = np.random.default_rng(3)
    one, two = random.normal(0, 1, 12), random.normal(0, 3, 30)
    error, df = welch(one.std(ddof=1), 12.0, two.std(ddof=1), 30.0, 0.0)
    known = stats.ttest_ind(one, two, equal_var=False)
    assert np.isclose(df, known.df, rtol=1e-9)
    assert np.isclose((one.mean() - two.mean()) / error, known.statistic, rtol=1e-9)


def test_limits_that_do_not_enclose_the_value_are_no_standard_error():
    found = interval_reasons(np.array([5.0, 5.0]), np.array([4.0, 5.5]), np.array([6.0, 7.0]), "difference")
    assert [bool(reason) for reason in found] == [False, True]
