"""Regression to the mean: numpy's slope, a simulated truth, refusals."""

import numpy as np
import pytest

from bcfstats.stats.regression_to_mean import regression_to_mean


def test_equals_the_slope_of_one_year_on_the_last():
    rng = np.random.default_rng(1)
    y = rng.normal(size=(60, 1)) + rng.normal(size=(60, 2))
    found = regression_to_mean(y)
    slope = np.polyfit(y[:, 0], y[:, 1], 1)[0]
    assert found.reliability == pytest.approx(slope)
    centre = y[:, 1].mean()
    assert found.expected == pytest.approx(centre + slope * (y[:, 1] - centre))


def test_the_worst_come_back_as_far_as_it_says():
    rng = np.random.default_rng(2)
    true = rng.normal(0, 1, (20000, 1))
    y = true + rng.normal(0, 1.5, (20000, 3))
    found = regression_to_mean(y[:, :2])
    worst = y[:, 1] > np.quantile(y[:, 1], 0.9)
    # a mean over 2,000 areas: standard error 0.04
    assert found.expected[worst].mean() == pytest.approx(y[worst, 2].mean(), abs=0.12)
    assert found.outlier[worst].all()
    assert found.outlier.mean() == pytest.approx(0.2, abs=0.01)


def test_refusals():
    assert regression_to_mean(np.ones((5, 2))).reason[0] == "5 pairs of successive periods, 20 are needed"
    assert regression_to_mean(np.ones((30, 2))).reason[0] == "the areas do not differ"
    y = np.random.default_rng(3).normal(size=(30, 2))
    y[4, 1] = np.nan
    found = regression_to_mean(y)
    assert found.reason[4] == "the last period is missing"
    assert np.isnan(found.expected[4])
    assert regression_to_mean(np.empty((3, 0))).reason[0] == "the last period is missing"
