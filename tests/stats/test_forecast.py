"""The do-nothing forecast: coverage on simulated panels, England's movement, and every degenerate panel."""

import numpy as np
import pytest

from bcfstats.errors import ParameterError
from bcfstats.stats.forecast import do_nothing_forecast
from bcfstats.stats.history import monthly_prior


def months(n):
    return np.arange(n) % 12 + 1


def panel(seed, areas=100, n=60, step=0.04, rho=0.5, sd=0.1, national=0.0):
    rng = np.random.default_rng(seed)
    noise = np.empty((areas, n))
    noise[:, 0] = rng.normal(size=areas)
    for k in range(1, n):
        noise[:, k] = rho * noise[:, k - 1] + np.sqrt(1 - rho**2) * rng.normal(size=areas)
    level = np.cumsum(step * rng.normal(size=(areas, n)), axis=1) + sd * noise + national * np.arange(n) / 12
    season = 0.05 * np.cos(2 * np.pi * np.arange(n) / 12)
    size = rng.uniform(200, 2000, (areas, 1))
    return rng.poisson(size * np.exp(level + season)).astype(float)


def forecast(counts, first=4, last=12, **options):
    n = counts.shape[1]
    return do_nothing_forecast(
        counts,
        np.ones(n),
        months(n),
        first=first,
        last=last,
        target_exposure=np.ones(last - first + 1),
        **options,
    )


def test_intervals_cover_as_often_as_they_say():
    covered = {0.8: [], 0.95: []}
    for seed in range(8):
        counts = panel(seed)
        found = forecast(counts[:, :48])
        actual = counts[:, 51:60].sum(axis=1)
        for level, share in covered.items():
            share.append(np.mean(~found.excludes(actual, level)))
    # 8 panels of 100 areas: standard error 1.4 and 0.8 points
    assert 0.75 <= np.mean(covered[0.8]) <= 0.86
    assert 0.91 <= np.mean(covered[0.95]) <= 0.98


def test_chances_agree_with_limits():
    found = forecast(panel(1)[:, :48])
    lower, upper = found.interval(0.8)
    assert found.probability_at_most(lower) == pytest.approx(0.1)
    assert found.probability_at_most(upper) == pytest.approx(0.9)
    assert found.probability_at_most(found.value) == pytest.approx(0.5)
    assert (found.probability_at_most(0) == 0).all()


def test_national_rise_is_carried_on():
    counts = panel(2, national=0.06, step=0.01)
    found = forecast(counts[:, :48])
    level = forecast(counts[:, :48], england=0.0)
    actual = counts[:, 51:60].sum()
    assert found.drift_percent == pytest.approx(6, abs=1.5)
    assert abs(found.value.sum() / actual - 1) < abs(level.value.sum() / actual - 1)


def test_england_moves_by_what_it_is_told():
    counts = panel(3)[:, :48]
    same_months = counts[:, 39:48].sum(axis=1)
    for movement in (-0.1, 0.0, 0.05):
        found = forecast(counts, england=movement)
        assert found.value.sum() == pytest.approx((1 + movement) * same_months.sum(), rel=1e-12)
    plain = forecast(counts)
    assert found.value / plain.value == pytest.approx(found.value[0] / plain.value[0])
    with pytest.raises(ParameterError, match="movement of England"):
        forecast(counts, england=-1.0)


def test_a_common_shock_widens_limits_only_without_the_setting():
    rng = np.random.default_rng(4)
    common = np.cumsum(rng.normal(0, 0.06, 60))
    counts = rng.poisson(800 * np.exp(common), (60, 60)).astype(float)
    plain, told = forecast(counts), forecast(counts, england=0.0)
    assert np.median(told.log_scale) < 0.5 * np.median(plain.log_scale)


def test_days_of_the_window_scale_the_total():
    counts = panel(5)[:, :48]
    once = forecast(counts)
    twice = do_nothing_forecast(
        counts, np.ones(48), months(48), first=4, last=12, target_exposure=np.full((100, 9), 2.0)
    )
    assert twice.value == pytest.approx(2 * once.value)
    assert (twice.exposure == 18).all()


def test_short_panel_stands_in_yearly_changes_and_says_so():
    found = forecast(panel(6)[:, :26])
    assert found.source == "yearly like-for-like changes in place of forecast errors: history of all areas"
    assert np.isfinite(found.log_scale).all()


def test_small_panel_uses_the_prior_or_its_own_months():
    counts = panel(7, areas=3)[:, :48]
    with_prior = forecast(counts, prior=monthly_prior("delayed_transfers", 9))
    assert "national prior" in with_prior.source
    alone = forecast(counts)
    assert "the area's own months" in alone.source
    assert "10 to 20 in 100" in alone.warning[0]


def test_degenerate_areas_have_an_answer_or_a_reason():
    counts = panel(8)[:, :48]
    counts[0] = 0
    counts[1] = np.nan
    counts[2, :44] = np.nan
    counts[3, :30] = np.nan
    counts[4] = 500.0
    counts[5] = np.random.default_rng(1).poisson(3, 48)
    found = forecast(counts)
    assert list(found.reason[:3]) == [
        "no events at all",
        "0 months of data, 6 are needed",
        "4 months of data, 6 are needed",
    ]
    assert (found.reason[3:] == "").all()
    assert (np.isfinite(found.value) == (found.reason == "")).all()
    assert np.isfinite(found.log_scale[3:]).all()
    assert found.small[5]
    assert "exact method" in found.warning[5]


@pytest.mark.parametrize(("areas", "n"), [(1, 12), (1, 24), (1, 60), (2, 36), (30, 12), (30, 7)])
def test_one_area_two_areas_twelve_months(areas, n):
    found = forecast(panel(9, areas=areas)[:, :n])
    assert np.isfinite(found.value).all()
    missing = ~np.isfinite(found.log_scale)
    assert np.char.startswith(found.warning[missing].astype(str), "no limits: ").all()


def test_constant_panel_has_poisson_limits():
    found = forecast(np.full((30, 48), 400.0))
    assert found.value == pytest.approx(3600, rel=2e-3)
    assert found.log_scale == pytest.approx(1 / 60, rel=0.05)


@pytest.mark.parametrize(("first", "last"), [(0, 3), (5, 4), (1, 13)])
def test_impossible_windows_are_refused(first, last):
    with pytest.raises(ParameterError, match="not one to twelve months"):
        forecast(np.ones((2, 36)), first, last)
    with pytest.raises(ParameterError, match="one value a month"):
        do_nothing_forecast(np.ones(36), np.ones(36), months(36), first=1, last=6, target_exposure=np.ones(5))
