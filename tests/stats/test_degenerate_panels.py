"""Odd panels of every size: an answer or a reason, never a warning (pytest makes warnings errors)."""

import numpy as np
import pytest

from bcfstats.stats.annual import annual_forecast, regression_to_mean
from bcfstats.stats.backtest import backtest
from bcfstats.stats.breaks import find_breaks
from bcfstats.stats.forecast import do_nothing_forecast
from bcfstats.stats.history import history_scale, monthly_prior
from bcfstats.stats.kendall import mann_kendall, sens_slope
from bcfstats.stats.monthly_model import fit_monthly
from bcfstats.stats.placebo import placebo
from bcfstats.stats.season import seasonal_indices, seasonality_test
from bcfstats.stats.trend import panel_trend, recent_trend, trend

FAULTS = (
    "none",
    "holes",
    "constant",
    "late start",
    "many zeros",
    "empty area",
    "sudden change",
    "no last month",
)


def odd_panel(rng, fault):
    areas = int(rng.choice([1, 2, 3, 25, 30]))
    months = int(rng.choice([1, 3, 11, 12, 13, 18, 24, 25, 36, 47, 60]))
    size = rng.choice([0.2, 3, 100, 5000], (areas, 1))
    counts = rng.poisson(size * rng.gamma(rng.choice([1, 30, 1000]), 1 / 30, (areas, months))).astype(float)
    match fault:
        case "holes":
            counts[rng.random(counts.shape) < 0.2] = np.nan
        case "constant":
            counts[:] = rng.choice([0, 50])
        case "late start":
            counts[:, : months // 2] = np.nan
        case "many zeros":
            counts[rng.random(counts.shape) < 0.3] = 0
        case "empty area":
            counts[0] = np.nan
        case "sudden change":
            counts[rng.integers(areas), rng.integers(months) :] *= rng.choice([0, 0.2, 5])
        case "no last month":
            counts[:, -1] = np.nan
    exposure = rng.integers(28, 32, months).astype(float)
    if rng.random() < 0.5:
        exposure = exposure * rng.uniform(100, 1000, (areas, 1))
    return counts, exposure, (np.arange(months) + rng.integers(12)) % 12 + 1


def answered(values, reason):
    """Whether every row has exactly one of an answer and a reason."""
    finite = np.isfinite(values)
    return ((finite if finite.ndim == 1 else finite.all(axis=1)) == (np.asarray(reason) == "")).all()


@pytest.mark.parametrize("fault", FAULTS)
def test_answer_or_reason(fault):
    rng = np.random.default_rng(FAULTS.index(fault))
    prior = monthly_prior("delayed_transfers", 9)
    for repeat in range(25):
        known = odd_panel(rng, fault)
        counts, exposure, month = known
        model, season, slope = fit_monthly(*known), seasonal_indices(*known), trend(*known)
        assert answered(model.slope_se, model.reason)
        assert answered(season.upper, season.reason)
        assert answered(slope.lower, slope.reason)
        assert answered(slope.p_value, slope.reason)
        whole = seasonality_test(counts[0], np.atleast_2d(exposure)[0], month)
        assert np.isfinite(whole.p_value) or whole.reason
        for lag, given in ((12, None), (12, prior), (24, None)):
            scale = history_scale(*known, window=9, lag=lag, prior=given)
            assert answered(scale.scale, scale.reason)
            assert answered(scale.df, scale.reason)
            assert ((scale.source == "") == (scale.reason != "")).all()
        forecast = do_nothing_forecast(
            *known, first=4, last=12, target_exposure=np.ones(9), tune=repeat % 2 == 0, prior=prior
        )
        assert answered(forecast.value, forecast.reason)
        lower, upper = forecast.interval()
        limited = np.isfinite(forecast.log_scale)
        assert (lower[limited] <= upper[limited]).all()
        told = np.char.startswith(forecast.warning.astype(str), "no limits: ")
        assert (limited | told | (forecast.reason != "")).all()
        assert find_breaks(*known).usable.shape == counts.shape
        if repeat % 5 == 0:
            backtest(*known, first=1, last=6)
            placebo(*known, window=6, keep_out_breaks=True)


@pytest.mark.parametrize("fault", FAULTS)
def test_annual_answer_or_reason(fault):
    rng = np.random.default_rng(100 + FAULTS.index(fault))
    for _ in range(25):
        counts, _, _ = odd_panel(rng, fault)
        values = counts[:, :8]
        by_panel, level, drift = (
            panel_trend(values, 0.01),
            annual_forecast(values, 1.0),
            regression_to_mean(values),
        )
        assert answered(by_panel.p_value, by_panel.reason)
        assert answered(level.scale, level.reason)
        assert answered(drift.expected, drift.reason)
        ranks, sen = mann_kendall(values), sens_slope(values)
        assert answered(ranks.p_value, ranks.reason)
        assert answered(sen.lower, sen.reason)
        rule = recent_trend(numerator=values, denominator=2 * values + 5)
        assert (np.isfinite(rule.slope) == (rule.label != "Cannot be calculated")).all()
