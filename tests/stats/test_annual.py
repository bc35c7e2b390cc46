"""Annual panel level: hand arithmetic, coverage, refusals."""

import numpy as np
import pytest

from bcfstats.stats.annual import annual_forecast
from bcfstats.stats.rows import critical_value


def simulate(seed, years, shock=0.05, wander=0.06, areas=150):
    rng = np.random.default_rng(seed)
    level = 6 + rng.normal(0, 0.2, (areas, 1)) + np.cumsum(rng.normal(0, wander, (areas, years)), axis=1)
    return level + rng.normal(0, shock, (areas, years)) + rng.normal(0, 0.03, (areas, years))


@pytest.mark.parametrize(("years", "ahead"), [(4, 1), (6, 1), (8, 2)])
def test_coverage_and_error(years, ahead):
    covered, ours, last, own = [], [], [], []
    for seed in range(6):
        y = simulate(seed, years + ahead)
        found = annual_forecast(y[:, :years], 0.03**2, ahead=ahead)
        truth = y[:, -1]
        lower, upper = found.interval(0.8)
        covered.append(np.mean((lower <= truth) & (upper >= truth)))
        ours.append(np.abs(found.value - truth).mean())
        last.append(np.abs(y[:, years - 1] - truth).mean())
        line = np.polyfit(np.arange(years), y[:, :years].T, 1)
        own.append(np.abs(np.polyval(line, years - 1 + ahead) - truth).mean())
    assert 0.74 <= np.mean(covered) <= 0.86
    assert np.mean(ours) < np.mean(last) < np.mean(own)


def test_without_wander_the_level_is_the_mean():
    rng = np.random.default_rng(1)
    y = 5 + rng.normal(0, 0.1, (400, 3))
    # independent years: two-year changes vary no more than one-year changes, up to chance
    y[:, 2] = y[:, 0] - (y[:, 2] - y[:, 2].mean()) * 1e-3
    found = annual_forecast(y, 0.01)
    assert found.wander_sd == 0
    assert found.value == pytest.approx(y.mean(axis=1))
    assert found.drift == 0


def test_missing_years_and_refusals():
    y = simulate(2, 5)
    y[0, 2] = np.nan
    y[1] = np.nan
    y[2, :4] = np.nan
    found = annual_forecast(y, 0.03**2)
    assert np.isfinite(found.value[[0, 2]]).all()
    assert found.reason[1] == "no years of data"
    assert found.scale[2] >= np.nanmedian(found.scale)
    few = annual_forecast(y[3:10], 0.03**2)
    assert few.reason[0].startswith("fewer than 20 areas")
    assert np.isnan(few.scale).all()
    assert np.isfinite(few.value).all()


def test_level_and_limits_by_a_plain_loop():
    """The Kalman filter of each area by itself, variances by their formulas, half the national change."""
    rng = np.random.default_rng(4)
    y = simulate(4, 6, shock=0.06, wander=0.09, areas=25) + 0.03 * np.arange(6)
    y[0, 2] = y[1, 0] = y[2, 5] = np.nan
    noise = rng.uniform(0.0004, 0.0016, (25, 6))
    found = annual_forecast(y, noise, ahead=2)
    one, two = ([a[i + k] - a[i] for a in y for i in range(6 - k)] for k in (1, 2))
    one, two = (np.var([x for x in changes if np.isfinite(x)]) for changes in (one, two))
    wander = two - one
    shock = max((one - wander) / 2 - noise.mean(), 0)
    assert wander > 0
    assert shock > 0
    drift = 0.5 * np.mean([np.nanmedian(y[:, k + 1] - y[:, k]) for k in range(5)])
    assert (found.drift, found.shock_sd, found.wander_sd) == pytest.approx(
        (drift, np.sqrt(shock), np.sqrt(wander))
    )
    for i in range(25):
        level = variance = None
        for k in range(6):
            if level is not None:
                variance += wander
            if not np.isfinite(y[i, k]):
                continue
            error = noise[i, k] + shock
            if level is None:
                level, variance = y[i, k], error
                continue
            gain = variance / (variance + error)
            level, variance = level + gain * (y[i, k] - level), (1 - gain) * variance
        assert found.value[i] == pytest.approx(level + 2 * drift)
        assert found.scale[i] == pytest.approx(np.sqrt(variance + 2 * wander + shock + noise[i, 5]))
    lower, upper = found.interval()
    assert (upper - lower) / 2 == pytest.approx(1.2815515655446004 * found.scale)


def test_four_years_carry_the_nation_on_and_three_do_not():
    y = simulate(5, 4) + 0.1 * np.arange(4)
    assert annual_forecast(y, 0.001).drift == pytest.approx(0.05, abs=0.02)
    assert annual_forecast(y[:, :3], 0.001).drift == 0
    assert annual_forecast(y, 0.001, drift_share=1.0).drift == pytest.approx(
        2 * annual_forecast(y, 0.001).drift
    )


def test_twenty_areas_with_three_years_are_enough():
    y = simulate(6, 3, areas=21)
    y[0, 0] = np.nan
    assert (annual_forecast(y, 0.001).reason == "").all()
    assert (annual_forecast(y[:-1], 0.001).reason != "").all()
    own = annual_forecast(y, np.linspace(0.001, 0.1, 21))  # one variance an area
    assert own.scale[20] > own.scale[1]


def test_areas_that_differ_in_steadiness_have_few_degrees_of_freedom():
    """Standard deviations from a scaled inverse chi-squared of three: the tails of areas are Student's."""
    rng = np.random.default_rng(11)
    covered, normal = [], []
    for _ in range(6):
        sd = 4 * np.sqrt(3 / rng.chisquare(3, 300))
        values = 80 + sd[:, None] * rng.normal(size=(300, 5))
        found = annual_forecast(values[:, :4], np.zeros((300, 4)))
        away = np.abs(values[:, 4] - found.value) / found.scale
        covered.append(np.mean(away < critical_value(0.95, found.df)))
        normal.append(np.mean(away < 1.96))
    assert np.median(found.df) < 25
    # 6 panels of 300 areas: standard error 0.4 points
    assert 0.945 <= np.mean(covered) <= 0.985
    assert np.mean(covered) > np.mean(normal)


def test_areas_alike_have_a_normal_or_nearly():
    values = 80 + 4 * np.random.default_rng(12).normal(size=(300, 5))
    assert (annual_forecast(values, np.zeros((300, 5))).df > 30).all()
