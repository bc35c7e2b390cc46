"""Change against history: the worked panel, hand arithmetic, simulated nulls and every fallback."""

import numpy as np
import pytest
from scipy import stats

from bcfstats.errors import ParameterError
from bcfstats.stats.history import (
    NEVER_CHANGED,
    history_scale,
    like_for_like_changes,
    median_month,
    monthly_prior,
    own_history,
)
from bcfstats.stats.monthly_model import fit_monthly
from bcfstats.stats.rows import critical_value
from scripts.nulls import KINDS, null_panel


def months(n):
    return np.arange(n) % 12 + 1


def panel(seed, kind, areas=152, n=45, heterogeneous=False):
    made = null_panel(kind, seed, areas=areas, months=n, heterogeneous=heterogeneous)
    return made.counts, made.days, made.volatility


def placebo(counts, days, history, window):
    found = history_scale(counts[:, :history], days[:history], months(history), window=window, small_median=0)
    end = history + window
    change = like_for_like_changes(
        counts[:, :end], np.broadcast_to(days[:end], (len(counts), end)), window, 12
    )[:, -1]
    return found, change


def test_worked_panel(worked_panel):
    counts, days, month, expected = (
        worked_panel.counts,
        worked_panel.days,
        worked_panel.month,
        worked_panel.expected,
    )
    found = history_scale(counts[:, :51], days[:51], month[:51], window=9, minimum_areas=12)
    close = {"rel": 3e-5}  # the worked panel adds half an event to every count, however many days it is of
    noise = np.log(2 * np.array(expected["history_phi"]) / expected["baseline_count"])
    expected_by_noise = np.exp(0.6 * expected["cov_slope"] * (noise - noise.mean()))
    scale = np.sqrt(np.mean(expected["m2"] / expected_by_noise) * expected_by_noise)
    assert found.history_scale == pytest.approx(scale, **close)
    assert found.own_scale**2 == pytest.approx(expected["m2"], **close)
    assert found.own_df == pytest.approx(expected["df_eff"], **close)
    assert found.noise_slope == pytest.approx(0.6 * expected["cov_slope"], **close)
    assert found.drift == pytest.approx(expected["panel_median_change"], abs=1e-5)
    assert found.df == pytest.approx(expected["hist_df"])
    assert np.isinf(found.prior_df)
    assert expected["eb_d0"] is None
    t = critical_value(0.95, found.df)
    assert t == pytest.approx(expected["crit"], abs=1e-8)
    change = like_for_like_changes(counts, np.broadcast_to(days, counts.shape), 9, 12)[:, -1]
    significant = np.abs(change / found.history_scale) > t
    assert significant.tolist() == expected["significant"]
    # the fixture is steadier than Poisson: the verdict's scale is guarded by the noise within the windows
    assert (found.scale >= found.noise_scale).all()
    assert (found.scale > found.history_scale).any()
    assert found.minimum_significant_ratio() == pytest.approx(np.exp(-t * found.scale))
    assert found.detectable_ratio() == pytest.approx(np.exp(-(t + 0.8416212335729143) * found.scale))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("history", "window"), [(36, 9), (24, 6)])
def test_false_positives_without_any_change(kind, history, window):
    rates = []
    for seed in range(12):
        counts, days, _ = panel(seed, kind)
        found, change = placebo(counts, days, history, window)
        rates.append(np.mean(found.p_value(change) < 0.05))
    # 12 x 152 tests: standard error 0.5 to 0.6 points about 4 to 7 %
    assert 0.03 <= np.mean(rates) <= 0.085


def test_steady_and_volatile_areas_are_treated_alike():
    thirds = []
    for seed in range(20):
        counts, days, volatility = panel(seed, "delayed days, wandering level", heterogeneous=True)
        found, change = placebo(counts, days, 36, 9)
        order = np.argsort(volatility)
        thirds.append([np.mean(found.p_value(change)[part] < 0.05) for part in np.array_split(order, 3)])
    # 20 x 50 areas a third: standard error 0.8 points
    assert (np.mean(thirds, axis=0) >= 0.01).all()
    assert (np.mean(thirds, axis=0) <= 0.13).all()


def test_a_constant_daily_rate_never_changes_whatever_the_days():
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31.0] * 5)
    days[13] = 29  # a leap year
    rate = np.array([[0.1], [3.0], [250.0]])
    changes = like_for_like_changes(rate * days, np.broadcast_to(days, (3, 60)), 9, 12)
    assert np.abs(changes).max() < 1e-12
    found = history_scale(rate * days, days, months(60), window=9, minimum_areas=2, small_median=0)
    assert (found.history_scale == 0).all()
    assert found.warning[1] == NEVER_CHANGED


def test_changes_by_hand():
    counts = np.arange(1.0, 27.0)[None, :]
    exposure = np.full((1, 26), 30.0)
    found = like_for_like_changes(counts, exposure, 2, 12)
    # second window: months 2 and 3 against 14 and 15
    assert found.shape == (1, 13)
    assert found[0, 1] == pytest.approx(np.log((14 + 15 + 0.5) / (2 + 3 + 0.5)))
    exposure[0, 3] = 0
    assert np.isnan(like_for_like_changes(counts, exposure, 2, 12)[0]).tolist() == [
        False,
        False,
        True,
        True,
        *[False] * 9,
    ]


def test_independent_changes_are_worth_their_number_and_copies_are_worth_one():
    changes = np.random.default_rng(1).normal(size=(20000, 6))
    assert own_history(changes).df == pytest.approx(6, rel=0.01)
    assert own_history(np.repeat(changes[:, :1], 6, axis=1)).df == pytest.approx(1)
    changes[0, 3:] = np.nan
    assert own_history(changes).df[0] == pytest.approx(3, rel=0.01)


def test_small_panel_takes_the_national_prior_and_names_it():
    counts, days, _ = panel(1, "delayed days, wandering level", areas=5, n=30)
    prior = monthly_prior("delayed_transfers", 9)
    found = history_scale(counts, days, months(30), window=9, prior=prior, small_median=0)
    assert found.source[0].startswith("national prior: delayed days by local authority, 9 months")
    changes = like_for_like_changes(counts, np.broadcast_to(days, counts.shape), 9, 12)
    own = ((changes - np.median(changes)) ** 2).mean(axis=1)
    by_hand = np.sqrt((26 * 0.330**2 + own) / 27)
    assert found.history_scale == pytest.approx(by_hand)
    assert found.df == pytest.approx(27)


def test_twelve_months_and_a_prior_still_answer():
    counts, days, _ = panel(2, "delayed days, wandering level", areas=30, n=12)
    prior = monthly_prior("delayed_transfers", 9)
    found = history_scale(counts, days, months(12), window=9, prior=prior)
    assert found.history_scale == pytest.approx(0.330)
    assert (found.reason == "").all()
    without = history_scale(counts, days, months(12), window=9)
    assert (without.reason == "12 months of data, 18 are needed").all()
    assert np.isnan(without.scale).all()


def test_no_panel_and_no_prior_uses_own_months_and_warns():
    counts, days, _ = panel(3, "delayed days, autocorrelated", areas=1, n=48)
    found = history_scale(counts, days, months(48), window=9)
    assert found.source[0] == "the area's own months, corrected for autocorrelation"
    assert "10 to 20 in 100" in found.warning[0]
    model = fit_monthly(counts, days, months(48))
    independent = np.sqrt(2 * model.residual_variance / 9)
    assert found.scale[0] > 1.2 * independent[0]


def test_own_months_alone_reject_more_than_the_history_of_all():
    rates = {"own": [], "all": []}
    for seed in range(6):
        counts, days, _ = panel(seed, "delayed days, wandering level")
        _, change = placebo(counts, days, 36, 9)
        for name, fewest in (("own", 1000), ("all", 20)):
            found = history_scale(
                counts[:, :36], days[:36], months(36), window=9, minimum_areas=fewest, small_median=0
            )
            rates[name].append(np.mean(found.p_value(change) < 0.05))
    assert np.mean(rates["all"]) < 0.09 < np.mean(rates["own"]) < 0.25


def test_small_counts_are_flagged_and_leave_the_panel_alone():
    counts, days, _ = panel(4, "delayed days, wandering level", areas=40)
    counts[0] = np.random.default_rng(1).poisson(5, counts.shape[1])
    found = history_scale(counts, days, months(45), window=6)
    assert found.small.tolist() == [True, *[False] * 39]
    assert "exact method" in found.warning[0]
    alone = history_scale(counts[1:], days, months(45), window=6)
    assert found.prior_df == alone.prior_df


def test_ragged_starts_gaps_and_empty_areas():
    counts, days, _ = panel(5, "delayed days, wandering level", areas=40)
    counts[0, :30] = np.nan
    counts[1, 20:23] = np.nan
    counts[2] = np.nan
    counts[3] = 0
    found = history_scale(counts, days, months(45), window=9)
    assert found.n_changes[0] == 0
    assert found.source[0] == "history of all areas; none of its own"
    assert 0 < found.n_changes[1] < found.n_changes[4]
    assert found.own_df[1] <= found.own_df[4] + 1
    assert found.reason[2] == "no months of data"
    assert np.isnan(found.scale[2])
    has = np.isfinite(found.scale)
    assert (has == (found.reason == "")).all()
    assert has[[0, 1, 3, 4]].all()


def test_constant_series():
    counts = np.full((30, 36), 200.0)
    found = history_scale(counts, np.ones(36), months(36), window=9)
    # no area ever changed: Poisson noise within the windows is all that is left
    assert found.scale == pytest.approx(np.sqrt(2 / 1800))
    assert (found.warning != "").all()


@pytest.mark.parametrize(("window", "lag", "gap"), [(0, 12, 0), (13, 12, 0), (9, 18, 0), (9, 12, -1)])
def test_impossible_windows_are_refused(window, lag, gap):
    with pytest.raises(ParameterError):
        history_scale(np.ones((2, 36)), np.ones(36), months(36), window=window, lag=lag, gap=gap)


def test_two_year_lag_moves_more():
    counts, days, _ = panel(6, "delayed days, wandering level", n=60)
    one, two = (history_scale(counts, days, months(60), window=9, lag=lag) for lag in (12, 24))
    assert np.median(two.scale) > 1.1 * np.median(one.scale)


def test_middle_month_equals_numpy():
    counts = np.random.default_rng(2).poisson(30, (9, 14)).astype(float)
    exposure = (np.random.default_rng(3).random((9, 14)) > 0.3).astype(float)
    exposure[0] = 0
    expected = [np.median(y[e > 0]) if e.any() else 0.0 for y, e in zip(counts, exposure, strict=True)]
    assert median_month(counts, exposure).tolist() == expected
    assert median_month(np.empty((3, 0)), np.empty((3, 0))).tolist() == [0, 0, 0]


def test_noise_is_that_of_the_baseline_window():
    """Poisson counts that never vary: the square root of 2 over the events of the same months before."""
    counts = np.full((25, 40), 200.0)
    counts[:, 30:] = 800.0
    rows = counts * np.random.default_rng(1).uniform(0.999, 1.001, (25, 40))
    for gap, window, start in ((0, 6, 28), (3, 9, 31), (2, 6, 30)):
        found = history_scale(rows, np.ones(40), months(40), window=window, gap=gap)
        events = rows[:, start : start + window].sum(axis=1)
        phi = np.maximum(found.noise_scale**2 * events / 2, 1.0)
        assert phi.std() / phi.mean() < 0.02  # one dispersion, nearly, for areas that are alike
    usual = history_scale(rows, np.ones(40), months(40), window=9, gap=8)  # months 36 to 44 are not all there
    ratio = usual.noise_scale / history_scale(rows, np.ones(40), months(40), window=9).noise_scale
    events = 9 * rows.mean(axis=1), rows[:, 28:37].sum(axis=1)
    assert ratio == pytest.approx(np.sqrt(events[1] / events[0]))


def test_an_areas_own_months_by_matrices():
    """Nine months against the nine a year before, correlated rho to the power of their distance."""
    counts, days, _ = panel(7, "delayed days, autocorrelated", areas=4, n=41)
    found = history_scale(counts, days, months(41), window=9)
    model = fit_monthly(counts, days, months(41))
    n, t = 41, np.arange(41) / 12
    design = np.column_stack([(months(n)[:, None] == np.arange(1, 13)).astype(float), t])
    maker = np.eye(n) - design @ np.linalg.pinv(design)
    apart = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    weights = np.zeros(21)
    weights[:9], weights[12:] = -1 / 9, 1 / 9
    for i in range(4):
        # the autocorrelation whose expected residuals show what was found
        grid = np.linspace(0, 0.99, 991)
        kept = [maker @ rho**apart @ maker for rho in grid]
        shown = np.array([np.trace(k, offset=1) / np.trace(k) for k in kept])
        at = int(np.abs(shown - max(model.autocorrelation[i], shown[0])).argmin())
        rho, lost = grid[at], np.trace(kept[at]) / (n - 13)
        variance = model.residual_variance[i] / lost * (weights @ rho ** apart[:21, :21] @ weights)
        assert found.history_scale[i] == pytest.approx(np.sqrt(variance), rel=0.01)
        assert found.df[i] == pytest.approx(max(4.0, (n - 13) * (1 - rho) / (1 + rho)), rel=0.01)


def test_counts_that_are_few_are_few_below_the_limit_given():
    counts, days, _ = panel(8, "Poisson", areas=25)
    middle = np.median(counts, axis=1)
    found = history_scale(counts, days, months(45), window=6, small_median=float(middle[3]))
    assert found.small.tolist() == (middle < middle[3]).tolist()
    assert found.n_areas == (middle >= middle[3]).sum()


def test_p_values_are_students():
    counts, days, _ = panel(9, "delayed days, wandering level", areas=30)
    found = history_scale(counts, days, months(45), window=6)
    change = np.linspace(-0.6, 0.6, 30)
    expected = 2 * stats.t.sf(np.abs(change) / found.scale, found.df)
    assert found.p_value(change) == pytest.approx(expected)
