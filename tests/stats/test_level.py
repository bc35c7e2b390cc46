"""Season, level and drift against the worked panel, a plain loop, and hand arithmetic."""

import numpy as np
import pytest

from bcfstats.stats.level import DAMPING, Grid, MonthlyCounts, PanelLevel, log_totals, panel_level, roll
from bcfstats.stats.monthly_model import AVERAGE_MONTH


def months(n):
    return np.arange(n) % 12 + 1


def test_worked_panel_level(worked_panel):
    days = np.broadcast_to(worked_panel.days[:51], (12, 51))
    panel = MonthlyCounts(worked_panel.counts[:, :51], days, worked_panel.month[:51])
    expected = worked_panel.expected["eb_level_alpha0.3_log_at_Mar2013"]
    assert panel_level(panel, np.array([0.3])).level[0] == pytest.approx(expected, abs=2e-5)


def test_smoothing_equals_a_plain_loop_with_gaps():
    rng = np.random.default_rng(1)
    counts = rng.poisson(300, (3, 16)).astype(float)
    exposure = np.full((3, 16), 30.0)
    exposure[0, [0, 5]] = 0
    exposure[1, 8:11] = 0
    panel = MonthlyCounts(np.where(exposure > 0, counts, 0.0), exposure, months(16))
    found = panel_level(panel, np.array([0.2, 0.45])).level
    for i, alpha in enumerate((0.2, 0.45)):
        for area in range(3):
            keep = exposure[area] > 0
            z = np.log((counts[area, keep] + 0.5) / 30 * AVERAGE_MONTH)
            level = z[:6].mean()
            for value in z[1:]:
                level += alpha * (value - level)
            assert found[i, area] == pytest.approx(level, abs=1e-12)


def test_total_by_hand():
    season = np.zeros((1, 12))
    season[0, 0] = 0.1
    state = PanelLevel(np.array([[5.0]]), season, 0.01, True, np.zeros(1))
    found = log_totals(
        state, np.array([12, 1]), np.array([1.0, 2.0]), np.array([[31.0, 28.0]]), np.array([1.0])
    )
    drift = 0.01 * DAMPING, 0.01 * (DAMPING + DAMPING**2)
    by_hand = np.exp(5 + drift[0]) * 31 / AVERAGE_MONTH + np.exp(5 + 0.1 + drift[1]) * 28 / AVERAGE_MONTH
    assert found[0, 0, 0] == pytest.approx(np.log(by_hand), abs=1e-12)


def test_past_forecasts_know_nothing_of_what_came_later():
    rng = np.random.default_rng(2)
    counts = rng.poisson(400, (30, 40)).astype(float)
    panel = MonthlyCounts(counts, np.full((30, 40), 30.0), months(40))
    before = roll(panel, 1, 6, Grid())
    counts[:, 34:] *= 3
    after = roll(MonthlyCounts(counts, panel.exposure, panel.month), 1, 6, Grid())
    whole_before = before.origins <= 28
    assert (before.errors[whole_before] == after.errors[whole_before]).all()
    assert after.errors[-1].mean() > 1


def test_tuning_needs_a_year_of_origins_and_finds_a_known_truth():
    rng = np.random.default_rng(3)
    trend = np.exp(0.1 * np.arange(60) / 12)
    panel = MonthlyCounts(
        rng.poisson(2000 * trend, (60, 60)).astype(float), np.full((60, 60), 30.0), months(60)
    )
    rolled = roll(panel, 4, 12, Grid())
    everyone = np.ones(60, dtype=bool)
    _, share = rolled.tuned(everyone)
    assert Grid().shares[share] == 1.0
    assert rolled.until(40, 12).tuned(everyone) is None


def test_less_than_eighteen_months_has_no_season():
    panel = MonthlyCounts(np.full((2, 12), 100.0), np.full((2, 12), 30.0), months(12))
    state = panel_level(panel, np.array([0.3]))
    assert not state.has_season
    assert (state.season == 0).all()


def test_a_total_of_noisy_months_is_above_the_total_of_their_middle():
    """Months of 100 and 400 in turn: nine hold four or five of 400; the mean is over the geometric mean."""
    counts = np.tile([100.0, 400.0], 9)[None, :]
    found = panel_level(
        MonthlyCounts(counts, np.full((1, 18), AVERAGE_MONTH), np.ones(18, dtype=int)), np.array([0.3])
    )
    few, many = 100.5, 400.5
    gaps = [
        np.log((k * few + (9 - k) * many) / 9) - (k * np.log(few) + (9 - k) * np.log(many)) / 9
        for k in (4, 5)
    ]
    assert found.mean_above[0] == pytest.approx(min(np.mean(gaps), 0.2), rel=1e-9)


def test_steady_months_have_no_such_gap():
    panel = MonthlyCounts(np.full((1, 24), 500.0), np.full((1, 24), 30.0), months(24))
    assert panel_level(panel, np.array([0.3])).mean_above[0] == pytest.approx(0.0, abs=1e-12)
