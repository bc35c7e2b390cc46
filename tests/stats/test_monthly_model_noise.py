"""Noise of months: by hand, on panels of a known correlation, and on the published discharge delays."""

import numpy as np
import pytest

from bcfstats.define.levels import LEVELS
from bcfstats.stats.monthly_model import MonthNoise, month_noise


def test_one_council_by_hand():
    # eleven months of 0 and one of 12: mean 1, squares 11 x 1 + 121 = 132 over 11 degrees of freedom is 12.
    # neighbours, the odd month fifth: 9 x 1 - 2 x 11 = -13; r = -13 / 132 = -0.0985, and with 1/12
    # for the mean (-0.0985 + 0.0833) / (1 - 0.0833) is below zero: no correlation, nothing to correct
    months = np.zeros((1, 12))
    months[0, 4] = 12.0
    found = month_noise(months)
    assert found.rho == 0.0
    assert found.variance[0] == pytest.approx(12.0)
    assert found.df[0] == 11
    assert found.error(np.ones((1, 6)))[0] == pytest.approx(np.sqrt(12 / 6))


def test_the_error_of_a_mean_of_correlated_months_by_hand():
    noise = MonthNoise(np.array([1.0]), np.array([10.0]), 0.5)
    # two months of weights 1 and 3: (1 + 9 + 2 x 3 x 0.5) / 16
    assert noise.error(np.array([[1.0, 3.0]]))[0] == pytest.approx(np.sqrt(13 / 16))
    # one month of two not used
    assert noise.error(np.array([[0.0, 3.0]]))[0] == pytest.approx(1.0)


def test_a_nation_that_moves_is_no_noise():
    rng = np.random.default_rng(1)
    own = rng.normal(0, 0.1, (100, 12))
    national = np.array([0, 0, 1, 0, 0, -1, 0, 0, 2, 0, 0, 0.0])
    alone, moved = month_noise(own), month_noise(own + national)
    np.testing.assert_allclose(moved.variance, alone.variance, rtol=0.02)


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.5])
def test_false_alarms_between_two_years_of_correlated_months(rho):
    called = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        sd = 0.15 * np.exp(0.3 * rng.standard_normal(150))
        months = np.empty((150, 24))
        months[:, 0] = rng.standard_normal(150)
        for i in range(1, 24):
            months[:, i] = rho * months[:, i - 1] + np.sqrt(1 - rho**2) * rng.standard_normal(150)
        values = sd[:, None] * months
        noise = month_noise(values)
        error = noise.error(np.ones((150, 12)))
        change = values[:, 12:].mean(axis=1) - values[:, :12].mean(axis=1)
        half = noise.half_width(np.ones((150, 12)), LEVELS.interval) / error  # Student's t
        called.append(np.mean(np.abs(change) > half * error * np.sqrt(2)))
    # 1,500 comparisons a case: standard error 0.6 points; the correlation itself is estimated
    assert 0.025 <= np.mean(called) <= 0.08


def test_too_few_months_say_nothing_and_the_panel_lends_to_an_area_without_its_own():
    assert np.isnan(month_noise(np.full((1, 5), 3.0)).variance[0])
    rng = np.random.default_rng(2)
    values = rng.normal(0, 0.1, (40, 12))
    values[0, 3:] = np.nan
    found = month_noise(values)
    assert found.variance[0] == pytest.approx(0.01, rel=0.4)


@pytest.mark.slow
def test_published_panels_are_called_as_often_as_chance(real_data):
    measure = pytest.importorskip("scripts.false_alarms").measure
    if not list(real_data.parent.rglob("drd_utla_monthly_2024-25_tidy.csv")):
        pytest.skip("the discharge delays of 2024-25 are not here")
    found = measure(real_data.parent)
    delays = found.loc[["average_discharge_delay", "discharged_on_ready_date", "days_if_delayed"]]
    assert (delays["comparisons"] == 132).all()
    assert (delays["by_counts"] > 0.4).all()
    assert found["ours"].between(0.03, 0.08).all()
    assert found.loc["care_home_admissions", "by_counts"] > 0.30
    assert found.loc["reablement", "by_counts"] > 0.20
