"""The back-test: its scores recomputed by hand, its calibration, and the published delayed days."""

import numpy as np
import pytest

from bcfstats.stats.backtest import backtest
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
