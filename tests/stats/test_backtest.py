"""The back-test: its scores recomputed by hand, its calibration, and the published delayed days."""

import numpy as np
import pytest
from scipy import integrate, stats

from bcfstats.stats.backtest import CLIMATOLOGY, _student_crps, backtest, reliability
from bcfstats.stats.forecast import do_nothing_forecast


def months(n):
    return np.arange(n) % 12 + 1


def wandering(seed, areas=60, n=48):
    rng = np.random.default_rng(seed)
    level = np.cumsum(0.05 * rng.normal(size=(areas, n)), axis=1) + 0.1 * rng.normal(size=(areas, n))
    return rng.poisson(700 * np.exp(level)).astype(float)


def test_scores_equal_forecasts_made_one_by_one():
    counts = wandering(1)
    found = backtest(counts, np.ones(48), months(48), first=1, last=6)
    for at, origin in ((0, 24), (18, 42)):
        made = do_nothing_forecast(
            counts[:, :origin], np.ones(origin), months(origin), first=1, last=6, target_exposure=np.ones(6)
        )
        actual = counts[:, origin : origin + 6].sum(axis=1)
        usual = np.abs(counts[:, 12:origin] - counts[:, : origin - 12]).mean(axis=1)
        assert found.origins[at] == origin
        by_hand = np.mean(np.abs(made.value - actual) / 6 / usual)
        assert found.mase["panel seasonal level"][at] == pytest.approx(by_hand, rel=1e-10)
        assert found.coverage[0.8][at] == pytest.approx(np.mean(~made.excludes(actual, 0.8)))


def test_better_than_last_year_and_calibrated_on_wandering_levels():
    found = [backtest(wandering(seed), np.ones(48), months(48), first=1, last=6) for seed in range(4)]
    ours = np.mean([f.mase["panel seasonal level"].mean() for f in found])
    assert ours < np.mean([f.mase["same months last year"].mean() for f in found])
    assert ours < 0.85 * np.mean([f.mase["trend and months (GLM)"].mean() for f in found])
    assert 0.74 <= np.mean([f.coverage[0.8].mean() for f in found]) <= 0.86
    assert 0.90 <= np.mean([f.coverage[0.95].mean() for f in found]) <= 0.98


def test_reliability_bins_hold_every_prediction():
    found = backtest(wandering(5), np.ones(48), months(48), first=1, last=6)
    given, happened, n = found.reliability()
    assert n.sum() == found.predicted.size == found.happened.size
    assert np.nansum(given * n) == pytest.approx(found.predicted.sum())
    assert np.nansum(happened * n) == pytest.approx(found.happened.sum())


def test_too_short_for_any_origin():
    found = backtest(wandering(6)[:, :24], np.ones(24), months(24), first=4, last=12)
    assert found.origins.size == 0
    assert found.mase["panel seasonal level"].size == 0
    assert found.predicted.size == 0


def test_chances_of_a_fall_are_held_against_the_same_months_before():
    """2.5, 5, 10, 20 and 30 % below; leads 7 to 12 look back a year, leads 2 to 13 two."""
    counts = wandering(2, n=60)
    for first, last, back in ((7, 12, 12), (2, 13, 24)):
        found = backtest(
            counts, np.ones(60), months(60), first=first, last=last, minimum_history=60 - last, challengers={}
        )
        origin = 60 - last
        made = do_nothing_forecast(
            counts[:, :origin],
            np.ones(origin),
            months(origin),
            first=first,
            last=last,
            target_exposure=np.ones(last - first + 1),
        )
        target = np.arange(origin + first - 1, origin + last)
        actual, before = counts[:, target].sum(axis=1), counts[:, target - back].sum(axis=1)
        falls = (0.025, 0.05, 0.10, 0.20, 0.30)
        assert found.origins.tolist() == [origin]
        assert found.happened.tolist() == np.concatenate([actual <= before * (1 - f) for f in falls]).tolist()
        chance = [made.probability_at_most(before * (1 - fall)) for fall in falls]
        assert found.predicted == pytest.approx(np.concatenate(chance))


def test_errors_of_the_challengers_by_hand():
    counts = wandering(3)
    found = backtest(counts, np.full(48, 30.0), months(48), first=2, last=7, minimum_history=41)
    actual, before = counts[:, 42:48].sum(axis=1), counts[:, 30:36].sum(axis=1)
    usual = np.abs(counts[:, 12:41] - counts[:, :29]).mean(axis=1)
    by_hand = np.mean(np.abs(before - actual) / 6 / usual)
    assert found.mase["same months last year"] == pytest.approx([by_hand])
    assert found.n_areas.tolist() == [60]


def test_areas_with_a_month_missing_are_not_scored():
    counts = wandering(4)
    counts[0, 46] = counts[1, 2] = np.nan
    found = backtest(counts, np.ones(48), months(48), first=1, last=6, minimum_history=40)
    assert found.origins.tolist() == [40, 41, 42]
    assert found.n_areas.tolist() == [59, 58, 58]  # the target of the first origin ends with month 45


def test_reliability_by_hand():
    chances, happened = np.array([0.05, 0.15, 0.19, 0.999, 1.0]), np.array([0, 1, 0, 1, 1], dtype=bool)
    given, share, n = reliability(chances, happened)
    assert n.tolist() == [1, 2, 0, 0, 0, 0, 0, 0, 0, 2]
    assert given[[0, 1, 9]] == pytest.approx([0.05, 0.17, 0.9995])
    assert share[[0, 1, 9]].tolist() == [0, 0.5, 1]
    assert np.isnan(share[2:9]).all()
    assert reliability(chances, happened, 2)[2].tolist() == [3, 2]


def test_without_tuning_the_usual_smoothing_and_drift_are_taken():
    counts = wandering(7)
    plain = backtest(counts, np.ones(48), months(48), first=1, last=6, minimum_history=42, tune=False)
    made = do_nothing_forecast(
        counts[:, :42], np.ones(42), months(42), first=1, last=6, target_exposure=np.ones(6), tune=False
    )
    actual = counts[:, 42:].sum(axis=1)
    usual = np.abs(counts[:, 12:42] - counts[:, :30]).mean(axis=1)
    by_hand = np.mean(np.abs(made.value - actual) / 6 / usual)
    assert plain.mase["panel seasonal level"] == pytest.approx([by_hand])


@pytest.mark.parametrize(("df", "z"), [(1.5, 0.2), (3.0, 0.7), (8.0, -1.2), (1e6, 2.0)])
def test_ranked_probability_score_is_its_integral(df, z):
    below = integrate.quad(lambda x: stats.t.cdf(x, df) ** 2, -np.inf, z)[0]
    above = integrate.quad(lambda x: stats.t.sf(x, df) ** 2, z, np.inf)[0]
    assert _student_crps(np.array([z]), np.array([df])) == pytest.approx(below + above, rel=1e-6)


def test_knowing_england_helps_where_all_areas_move_together():
    rng = np.random.default_rng(7)
    common = np.cumsum(rng.normal(0, 0.06, 60))
    counts = rng.poisson(900 * np.exp(common + 0.05 * rng.normal(size=(60, 60)))).astype(float)
    found = backtest(counts, np.ones(60), months(60), first=1, last=6, challengers={})
    known, open_ = found.brier(found.given_england), found.brier(found.predicted)
    assert known < 0.6 * open_
    assert open_ == pytest.approx(np.mean((found.predicted - found.happened) ** 2))
    assert found.crps["panel seasonal level"].mean() < found.crps[CLIMATOLOGY].mean()
    assert np.bincount(found.third).tolist() == [found.predicted.size // 3] * 3
