"""Chance by kind of metric, against hand arithmetic and against the comparison it must agree with."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.judge.kinds import (
    BY_LIMITS,
    DISPERSED,
    RATES,
    SHARES,
    Figures,
    chance,
    change_columns,
    has_funnel,
    sampling_variance,
)

SHARE, RATE, DAYS, SCORE = (
    METRICS[name]
    for name in ("reablement", "care_home_admissions", "delayed_transfers", "care_related_quality_of_life")
)


def figures(metric, numerator, denominator, value=None, lower=np.nan, upper=np.nan):
    value = metric.multiplier * numerator / denominator if value is None else value
    row = {
        "events": numerator,
        "denominator": denominator,
        "exposure": denominator,
        "value": value,
        "lower": lower,
        "upper": upper,
    }
    return Figures.of(pd.DataFrame([row]), metric)


@pytest.mark.parametrize(
    ("metric", "made", "funnel"),
    [
        (SHARE, SHARES, True),
        (RATE, RATES, True),
        (DAYS, DISPERSED, False),
        (SCORE, BY_LIMITS, False),
        (METRICS["falls_injuries"], BY_LIMITS, False),
        (METRICS["dementia_diagnosis"], BY_LIMITS, False),
    ],
)
def test_how_chance_is_measured(metric, made, funnel):
    assert chance(metric) is made
    assert has_funnel(metric) is funnel


def test_a_share_of_every_frequency_is_binomial():
    for frequency in ("month", "quarter", "year", "wave"):
        assert chance(replace(SHARE, frequency=frequency)) is SHARES


def test_sampling_variances_by_hand():
    # 100^2 x 0.8 x 0.2 / 200; 1 / 50 on logs; (24.2 - 23.8) / (2 x 1.96) squared
    assert sampling_variance(SHARE, figures(SHARE, 160, 200)) == pytest.approx(8.0)
    assert sampling_variance(RATE, figures(RATE, 50, 10_000)) == pytest.approx(0.02)
    score = figures(SCORE, np.nan, np.nan, 19.0, 18.8, 19.2)
    assert sampling_variance(SCORE, score) == pytest.approx((0.4 / 3.919928) ** 2, rel=1e-6)


@pytest.mark.parametrize(
    ("metric", "now"),
    [
        (SHARE, figures(SHARE, 160, 200)),
        (RATE, figures(RATE, 400, 60_000)),
        (DAYS, replace(figures(DAYS, 900, 90_000), dispersion=np.array([12.0]), df=np.array([20.0]))),
        (SCORE, figures(SCORE, np.nan, 400, 19.0, 18.8, 19.2)),
        (METRICS["falls_injuries"], figures(METRICS["falls_injuries"], 900, 40_000, 2000.0, 1900.0, 2105.0)),
    ],
)
def test_the_least_significant_value_is_where_the_comparison_turns(metric, now):
    how, later = chance(metric), now.denominator * 1.02
    least = how.least(metric, now, later)
    assert metric.bounds[0] <= least[0] <= metric.bounds[1]
    away = least - now.value  # a thousandth further is beyond chance, a thousandth short of it is not
    assert how.p_value(metric, now, now.value + 1.001 * away, later) <= 0.025
    assert how.p_value(metric, now, now.value + 0.999 * away, later) >= 0.025


def test_a_change_is_told_in_per_cent_or_in_points():
    rate = chance(RATE).compare(RATE, figures(RATE, 90, 10_000), figures(RATE, 100, 10_000), "lower")
    share = chance(SHARE).compare(SHARE, figures(SHARE, 160, 200), figures(SHARE, 150, 200), "higher")
    one, other = change_columns(RATE, rate), change_columns(SHARE, share)
    assert (one["change_unit"], other["change_unit"]) == ("%", "percentage points")
    assert np.asarray(one["change"]) == pytest.approx(-10.0)
    assert np.asarray(other["change"]) == pytest.approx(5.0)
