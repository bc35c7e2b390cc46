"""Month indices against the worked panel, hand arithmetic and simulated panels with a known season."""

import numpy as np
import pytest
from scipy import stats

from bcfstats.stats.monthly_model import fit_monthly
from bcfstats.stats.season import seasonal_indices, shrink_season

NATION = 0.04 * np.cos(2 * np.pi * np.arange(12) / 12)


def simulate(seed, areas=80, months=36, area_sd=0.03, scatter=40):
    """Negative binomial panel; the truth is the nation's season plus a departure of each area."""
    rng = np.random.default_rng(seed)
    month = np.arange(months) % 12 + 1
    truth = NATION + rng.normal(0, area_sd, (areas, 12))
    truth -= truth.mean(axis=1, keepdims=True)
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])[month - 1].astype(float)
    mean = rng.uniform(10, 40, (areas, 1)) * days * np.exp(truth[:, month - 1])
    return rng.negative_binomial(scatter, scatter / (scatter + mean)).astype(float), days, month, truth


def test_worked_panel(worked_panel):
    season = seasonal_indices(worked_panel.counts, worked_panel.days, worked_panel.month)
    # both sides are the same closed form in double precision
    assert season.log_index[0] == pytest.approx(worked_panel.expected["eb_seasonal_A00_JanDec"], abs=1e-8)


@pytest.mark.parametrize("area_sd", [0.0, 0.03, 0.08])
def test_shrunk_indices_beat_own_and_intervals_cover(area_sd):
    own, shrunk, covered = [], [], []
    for seed in range(4):
        counts, days, month, truth = simulate(seed, area_sd=area_sd)
        season = seasonal_indices(counts, days, month)
        own.append((np.log(season.own_index) - truth) ** 2)
        shrunk.append((season.log_index - truth) ** 2)
        covered.append((np.log(season.lower) <= truth) & (truth <= np.log(season.upper)))
    assert np.mean(shrunk) < np.mean(own)
    # 4 x 80 x 12 intervals share four nations: standard error about 2 points
    assert np.mean(covered) > 0.90
    if area_sd == 0:
        assert np.sqrt(np.mean(shrunk)) < 0.3 * np.sqrt(np.mean(own))


def test_february_is_not_low_because_it_is_short():
    month = np.tile(np.arange(1, 13), 3)
    days = np.tile([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], 3).astype(float)
    season = seasonal_indices(np.outer([10, 20, 30], days), days, month)
    assert season.index == pytest.approx(1.0, abs=1e-9)
    assert not season.differs_from_none.any()


def test_an_area_without_a_model_takes_the_nation_and_says_so():
    counts, days, month, _ = simulate(1, areas=30)
    counts[0, :26] = np.nan
    counts[1] = 0
    season = seasonal_indices(counts, days, month)
    assert season.index[0] == pytest.approx(season.national_index)
    assert season.own_weight[0] == pytest.approx(0)
    assert season.note[0] == "the season of all areas is used: 10 months of data, 18 are needed"
    assert season.note[1] == "the season of all areas is used: no events at all"
    assert (season.reason == "").all()
    assert np.isfinite(season.lower).all()
    assert np.isfinite(season.upper).all()
    assert (season.log_se[0] >= season.log_se[5:].max(axis=0) - 1e-12).all()


def test_two_winters_and_twelve_months_are_named():
    counts, days, month, _ = simulate(1, areas=5, months=24)
    assert (seasonal_indices(counts, days, month).note == "two winters only").all()
    year = seasonal_indices(counts[:, :12], days[:12], month[:12])
    assert (year.reason == "12 months of data, 18 are needed").all()
    assert np.isnan(year.index).all()


def test_one_area_keeps_its_own_and_two_areas_answer():
    counts, days, month, _ = simulate(3, areas=2)
    one = seasonal_indices(counts[:1], days, month)
    assert one.index == pytest.approx(one.own_index)
    assert one.note[0] == "one area: nothing to shrink towards"
    assert (one.lower < one.index).all()
    assert np.isfinite(seasonal_indices(counts, days, month).upper).all()


def test_a_constant_series_does_not_carry_the_nation():
    counts, days, month, _ = simulate(5, areas=40)
    with_constant = np.vstack([counts, 30 * days])
    without = seasonal_indices(counts, days, month).national_index
    assert seasonal_indices(with_constant, days, month).national_index == pytest.approx(without, abs=0.03)


def shrunk_by_hand(model, month, typical):
    """Shrink area by area and month by month, from the formulas of the docstrings."""
    n = len(model.slope)
    known = model.residual_variance[np.isfinite(model.residual_variance)]
    se2 = np.full((n, 12), np.nan)
    for i in range(n):
        for m in range(12):
            seen = sum(1 for k, c in enumerate(month) if c == m + 1 and np.isfinite(model.fitted[i, k]))
            if seen:
                variance = max(model.residual_variance[i], 0.1 / typical[i], 0.1 * np.median(known))
                se2[i, m] = variance / seen
    own = model.month_effects
    nation = (own / se2).sum(axis=0) / (1 / se2).sum(axis=0)
    tau2 = max(((own - nation) ** 2 - se2).sum() / own.size, 0.0)
    kept = tau2 / (tau2 + se2)
    free = ((own - nation) ** 2 - se2 * 11 / 12 * (1 - 1 / n)).mean(axis=1)
    mean, error = free.mean(), free.std(ddof=1) / np.sqrt(n)
    wide = stats.truncnorm.mean(-mean / error, np.inf, loc=mean, scale=error)
    variance = (((1 / se2) ** 2) * (se2 + wide)).sum(axis=0) / (1 / se2).sum(axis=0) ** 2
    return se2, nation, tau2, kept, wide, variance


def test_shrinkage_by_hand():
    counts, days, month, _ = simulate(6, areas=15, months=42, area_sd=0.12)
    model = fit_monthly(counts, days, month)
    typical = counts.mean(axis=1)
    se2, nation, tau2, kept, wide, variance = shrunk_by_hand(model, month, typical)
    season = shrink_season(model, month, typical)
    assert tau2 > 0
    assert season.sampling_variance == pytest.approx(se2)
    assert season.national == pytest.approx(nation)
    assert season.between_variance == pytest.approx(tau2)
    assert season.interval_variance == pytest.approx(wide)
    assert season.own_weight == pytest.approx(kept)
    assert season.log_index == pytest.approx(nation + kept * (model.month_effects - nation))
    assert season.national_variance == pytest.approx(variance)


def test_limits_by_hand():
    """The area's own part, and the nation's error for what is borrowed; months that all areas share count."""
    counts, days, month, _ = simulate(7, areas=15, months=42, area_sd=0.06, scatter=1000)
    model = fit_monthly(counts, days, month)
    se2, nation, tau2, kept, wide, variance = shrunk_by_hand(model, month, counts.mean(axis=1))
    total = fit_monthly(counts.sum(axis=0), days, month)
    common = total.residual_variance[0] / np.array([(month == m).sum() for m in range(1, 13)])
    national = np.maximum(variance, common)
    share = wide / (wide + se2)
    error = np.sqrt(share * se2 + (1 - share) ** 2 * national)
    found = seasonal_indices(counts, days, month, confidence_level=0.9)
    log_index = nation + kept * (model.month_effects - nation)
    z = stats.norm.ppf(0.95)
    assert found.log_se == pytest.approx(error)
    assert found.lower == pytest.approx(np.exp(log_index - z * error))
    assert found.upper == pytest.approx(np.exp(log_index + z * error))
    assert found.national_log_se == pytest.approx(np.sqrt(national))
    assert found.between_sd == pytest.approx(np.sqrt(tau2))
    assert found.n_years.tolist() == [3] * 15
    sidak = stats.norm.ppf((1 + 0.9 ** (1 / 12)) / 2)
    assert found.differs_from_none.tolist() == (np.abs(log_index / error).max(axis=1) > sidak).tolist()
    apart = np.abs((log_index - nation) / np.sqrt(share * se2)).max(axis=1)
    assert found.differs_from_nation.tolist() == (apart > sidak).tolist()
    assert 0 < found.differs_from_nation.sum() < 15
