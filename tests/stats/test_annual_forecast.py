"""Annual panel level: hand arithmetic, coverage, refusals."""

import numpy as np
import pytest

from bcfstats.stats.annual_forecast import annual_forecast


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
