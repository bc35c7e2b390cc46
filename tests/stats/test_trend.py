"""Slopes: known truths, and how often no trend is called one."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from bcfstats.stats.monthly_model import autocorrelation_tables, residual_maker
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


def test_panel_trend_equals_plain_loops_over_the_areas():
    """Variances by their formulas, each slope's variance as a double sum over its years."""
    rng = np.random.default_rng(9)
    rates = 300 * np.exp(rng.normal(0, 0.06, (30, 6)) + rng.normal(0, 0.08, (30, 6)).cumsum(axis=1))
    rates[3, 2] = rates[4, 0] = rates[5, 5] = np.nan
    noise = np.full(30, 0.0001)
    noise[7] = 0.05
    found = panel_trend(rates, noise, confidence_level=0.9)
    y = np.log(rates)
    one, two = ([a[i + k] - a[i] for a in y for i in range(6 - k)] for k in (1, 2))
    one, two = (np.var([x for x in changes if np.isfinite(x)]) for changes in (one, two))
    wander = two - one
    shock = (one - wander) / 2
    assert 0 < wander < one  # neither is cut off at zero
    assert (found.wander_sd, found.shock_sd) == pytest.approx((np.sqrt(wander), np.sqrt(shock)))
    for i in range(30):
        t = np.flatnonzero(np.isfinite(y[i]))
        c = (t - t.mean()) / ((t - t.mean()) ** 2).sum()
        slope = c @ y[i, t]
        level = sum(c[j] * c[k] * (min(t[j], t[k]) + 1) for j in range(len(t)) for k in range(len(t)))
        se = np.sqrt(max(shock, noise[i]) * (c @ c) + wander * level)
        z = stats.norm.ppf(0.95)
        assert found.percent_per_year[i] == pytest.approx(100 * np.expm1(slope))
        assert found.lower[i] == pytest.approx(100 * np.expm1(slope - z * se))
        assert found.upper[i] == pytest.approx(100 * np.expm1(slope + z * se))
        assert found.p_value[i] == pytest.approx(2 * stats.norm.sf(abs(slope) / se))
        assert found.n[i] == len(t)


def test_monthly_trend_equals_statsmodels_and_matrices():
    """Slope and error by statsmodels; what autocorrelation does to it by the matrices of the docstring."""
    rng = np.random.default_rng(10)
    n = 42
    counts = rng.poisson(400 * np.exp(0.05 * np.arange(n) / 12 + autoregressive(rng, 12, n, 0.5, 0.15)))
    found = trend(counts, np.ones(n), months(n))
    month, t = months(n), np.arange(n) / 12
    design = np.column_stack([(month[:, None] == np.arange(1, 13)).astype(float), t])
    maker = np.eye(n) - design @ np.linalg.pinv(design)
    apart = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    for i, row in enumerate(counts):
        fit = sm.GLM(row, design, family=sm.families.Poisson()).fit(scale="X2")
        assert found.percent_per_year[i] == pytest.approx(100 * np.expm1(fit.params[-1]), rel=1e-6)
        rho = found.autocorrelation[i]
        kept = maker @ rho**apart @ maker
        weights = np.linalg.pinv(design)[-1]
        lost = np.trace(kept) / (n - 13)
        inflation = weights @ rho**apart @ weights / (weights @ weights) / lost
        df = max(4.0, (n - 13) * (1 - rho) / (1 + rho))
        half = stats.t.ppf(0.975, df) * fit.bse[-1] * np.sqrt(inflation)
        assert found.df[i] == pytest.approx(df)
        limits = np.log1p(np.array([found.lower[i], found.upper[i]]) / 100) - fit.params[-1]
        assert limits == pytest.approx([-half, half], rel=2e-3)  # rho lies between the grid's hundredths
        t_value = abs(fit.params[-1]) / (fit.bse[-1] * np.sqrt(inflation))
        assert found.p_value[i] == pytest.approx(2 * stats.t.sf(t_value, df), rel=1e-2)


def test_shrinkage_to_the_mean_by_the_formulas_of_dersimonian_and_laird():
    b, se = np.array([-8.0, -1.0, 0.5, 3.0, 9.0]), np.array([2.0, 1.0, 1.5, 2.5, 3.0])
    w = 1 / se**2
    q = (w * (b - (w * b).sum() / w.sum()) ** 2).sum()
    tau2 = (q - 4) / (w.sum() - (w**2).sum() / w.sum())
    mean = (b / (se**2 + tau2)).sum() / (1 / (se**2 + tau2)).sum()
    by_hand = [(tau2 * x + s * s * mean) / (tau2 + s * s) for x, s in zip(b, se, strict=True)]
    assert tau2 > 0
    assert shrink_to_mean(b, se) == pytest.approx(by_hand)
    assert shrink_to_mean([*b, 7.0], [*se, 0.0]) == pytest.approx(
        [*by_hand, 7.0]
    )  # without an error: as it is


def test_without_variation_there_is_a_slope_but_no_test_of_it():
    even = panel_trend(np.outer(np.ones(25), 100 * 1.1 ** np.arange(5)))
    assert even.percent_per_year == pytest.approx(np.full(25, 10.0))
    assert np.isnan(even.p_value).all()
    assert set(even.reason) == {"nothing varies: there is no error to test with"}
    flat = panel_trend(np.full((25, 5), 100.0))
    assert (flat.percent_per_year == 0).all()
    assert set(flat.reason) == {"the series does not vary"}


def test_twenty_areas_with_three_years_are_enough_to_measure_by():
    rates = 100 * np.exp(np.random.default_rng(3).normal(0, 0.05, (21, 4)))
    rates[:2, 1:3] = np.nan  # two years each
    assert (panel_trend(rates[1:]).reason[1:] != "").all()  # nineteen are left
    assert (panel_trend(np.vstack([rates, rates[5:6]])).reason[2:] == "").all()
    assert panel_trend(rates, minimum_areas=19).reason[0] == "too few to test: 2 points"
