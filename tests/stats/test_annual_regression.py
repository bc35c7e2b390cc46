"""Regression to the mean: numpy's slope, a simulated truth, refusals."""

import numpy as np
import pytest

from bcfstats.stats.annual import regression_to_mean


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


def test_gaps_by_a_plain_loop():
    """Pairs of years that are both there, each about the mean of all areas in its year."""
    y = np.random.default_rng(4).normal(5, 1, (30, 4)) + np.random.default_rng(5).normal(size=(30, 1))
    y[3, 1] = y[4, 3] = y[5, 0] = y[5, 2] = np.nan
    mean = np.nanmean(y, axis=0)
    top = bottom = pairs = 0.0
    for row in y:
        for k in range(3):
            if np.isfinite(row[k]) and np.isfinite(row[k + 1]):
                top += (row[k] - mean[k]) * (row[k + 1] - mean[k + 1])
                bottom += (row[k] - mean[k]) ** 2
                pairs += 1
    found = regression_to_mean(y)
    assert found.reliability == pytest.approx(top / bottom)
    assert found.n_pairs == pairs == 90 - 5 - 1
    assert found.mean == pytest.approx(mean[-1])
    drift = mean[-1] + top / bottom * (y[:, -1] - mean[-1]) - y[:, -1]
    assert found.drift_back == pytest.approx(drift, nan_ok=True)
    low, high = np.nanquantile(y[:, -1], [0.1, 0.9])
    assert found.outlier.tolist() == [bool(v < low or v > high) for v in y[:, -1]]


def test_twenty_pairs_are_enough():
    y = np.random.default_rng(6).normal(size=(20, 2))
    assert (regression_to_mean(y).reason == "").all()
    assert (regression_to_mean(y[:19]).reason != "").all()
    assert (regression_to_mean(y[:5], minimum_areas=5).reason == "").all()
