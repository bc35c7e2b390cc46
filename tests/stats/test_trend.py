"""Slopes: known truths, and how often no trend is called one."""

import numpy as np
import pytest

from bcfstats.stats.autocorrelation import autocorrelation_tables, residual_maker
from bcfstats.stats.trend import panel_trend, shrink_to_mean, trend


def months(n):
    return np.arange(n) % 12 + 1


def autoregressive(rng, areas, n, rho, sd):
    x = np.empty((areas, n))
    x[:, 0] = rng.normal(size=areas)
    for k in range(1, n):
        x[:, k] = rho * x[:, k - 1] + np.sqrt(1 - rho**2) * rng.normal(size=areas)
    return sd * x


@pytest.mark.parametrize(("rho", "highest"), [(0.0, 0.06), (0.5, 0.10), (0.7, 0.14)])
def test_monthly_false_positives(rho, highest):
    rng = np.random.default_rng(4)
    counts = rng.poisson(600 * np.exp(autoregressive(rng, 1500, 36, rho, 0.1)))
    # nominal 5 %, standard error 0.6 points; the docstring gives what it really is
    assert np.mean(trend(counts, np.ones(36), months(36)).p_value < 0.05) < highest


def test_monthly_slope_interval_covers_the_truth():
    rng = np.random.default_rng(5)
    t = np.arange(48) / 12
    counts = rng.poisson(500 * np.exp(-0.06 * t + autoregressive(rng, 1000, 48, 0.4, 0.08)))
    found = trend(counts, np.ones(48), months(48))
    truth = 100 * np.expm1(-0.06)
    assert 0.90 <= np.mean((found.lower <= truth) & (truth <= found.upper)) <= 0.98
    # no area differs from another in truth: shrinking must help
    assert np.std(found.shrunk_percent_per_year) < 0.5 * np.std(found.percent_per_year)


def test_autocorrelation_correction_undoes_the_bias():
    rng = np.random.default_rng(6)
    x = autoregressive(rng, 4000, 36, 0.6, 1.0)
    tables = autocorrelation_tables(months(36))
    residual = x @ residual_maker(36, 1)
    found = (residual[:, 1:] * residual[:, :-1]).sum(axis=1).mean() / (residual**2).sum(axis=1).mean()
    assert found < 0.55
    # a ratio of means over 4,000 series: standard error below 0.005
    assert tables.true_rho(np.array([found]))[0] == pytest.approx(0.6, abs=0.02)


@pytest.mark.parametrize(
    ("n", "shock", "wander"), [(5, 0.0, 0.0), (5, 0.05, 0.0), (8, 0.03, 0.04), (10, 0.03, 0.04)]
)
def test_panel_false_positives(n, shock, wander):
    rng = np.random.default_rng(n)
    level = rng.normal(0, shock, (1500, n)) + rng.normal(0, wander, (1500, n)).cumsum(axis=1)
    counts = rng.poisson(400 * np.exp(level))
    assert 0.01 <= np.mean(panel_trend(counts, 1 / 400).p_value < 0.05) <= 0.075


def test_panel_components_and_slope_by_hand():
    rng = np.random.default_rng(8)
    level = np.log(400) + rng.normal(0, 0.05, (20000, 6)) + rng.normal(0, 0.04, (20000, 6)).cumsum(axis=1)
    found = panel_trend(np.exp(level))
    assert found.shock_sd == pytest.approx(0.05, rel=0.03)
    assert found.wander_sd == pytest.approx(0.04, rel=0.06)
    slope = np.polyfit(np.arange(6), level.T, 1)[0]
    assert found.percent_per_year == pytest.approx(100 * np.expm1(slope), rel=1e-9)


def test_panel_refusals():
    rates = np.full((25, 5), 100.0) * np.exp(np.random.default_rng(1).normal(0, 0.05, (25, 5)))
    rates[0, 2:] = np.nan
    rates[1] = 0
    found = panel_trend(rates)
    assert found.reason[0] == "too few to test: 2 points"
    assert found.reason[1] == "too few to test: 0 points"
    assert np.isfinite(found.p_value[2:]).all()
    assert panel_trend(rates[:5]).reason[3].startswith("fewer than 20 areas")


def test_degenerate_months():
    counts = np.vstack([np.zeros(24), np.full(24, 50.0), np.full(24, np.nan)])
    found = trend(counts, np.ones(24), months(24))
    assert found.reason[0] == "no events at all"
    assert found.percent_per_year[1] == pytest.approx(0, abs=1e-9)
    assert found.reason[2] == "0 months of data, 18 are needed"
    assert (trend(counts[:, :12], np.ones(12), months(12)).reason != "").all()


def test_shrinkage_with_one_estimate_changes_nothing():
    assert shrink_to_mean([3.0, np.nan], [1.0, np.nan])[0] == 3.0
