"""The test of seasonality: statsmodels, and its size on simulated totals."""

import numpy as np
import pytest
import statsmodels.api as sm

from bcfstats.errors import ParameterError
from bcfstats.stats.season import seasonality_test


def totals(rng, n, months, rho, wander, season=0.0):
    noise = np.empty((n, months))
    noise[:, 0] = rng.normal(size=n)
    for k in range(1, months):
        noise[:, k] = rho * noise[:, k - 1] + np.sqrt(1 - rho**2) * rng.normal(size=n)
    noise += wander * np.cumsum(rng.normal(size=(n, months)), axis=1)
    wave = season * np.cos(2 * np.pi * np.arange(months) / 12)
    return 100_000 * np.exp(0.03 * noise + wave)


def month_of(months):
    return np.arange(months) % 12 + 1


def test_equals_statsmodels_gls_with_a_gap():
    y = totals(np.random.default_rng(1), 1, 40, 0.5, 0.0, 0.05)[0]
    y[7] = np.nan
    month = month_of(40)
    found = seasonality_test(y, np.ones(40), month)
    keep = np.isfinite(y)
    at = np.flatnonzero(keep)
    design = np.column_stack([(month[keep][:, None] == np.arange(1, 13)).astype(float), at / 12])
    sigma = found.autocorrelation ** np.abs(np.subtract.outer(at, at))
    fit = sm.GLS(np.log(y[keep] + 0.5), design, sigma=sigma).fit()
    contrast = np.hstack([np.eye(11), -np.ones((11, 1)), np.zeros((11, 1))])
    oracle = fit.f_test(contrast)
    assert found.statistic == pytest.approx(float(oracle.fvalue), rel=1e-7)
    assert found.p_value == pytest.approx(float(oracle.pvalue), rel=1e-6)


@pytest.mark.parametrize(
    ("months", "rho", "wander"),
    [(36, 0.0, 0.0), (36, 0.5, 0.0), (36, 0.8, 0.5), (60, 0.5, 0.5), (60, 0.8, 1.0)],
)
def test_size_is_close_to_five_per_cent(months, rho, wander):
    rng = np.random.default_rng(7)
    month = month_of(months)
    p = [seasonality_test(y, np.ones(months), month).p_value for y in totals(rng, 500, months, rho, wander)]
    # 500 runs: standard error 1 point about a size of 4 to 8 %
    assert 0.015 <= np.mean(np.array(p) < 0.05) <= 0.105


def test_a_real_season_is_found_and_named():
    found = seasonality_test(
        totals(np.random.default_rng(2), 1, 48, 0.3, 0.0, 0.1)[0], np.ones(48), month_of(48)
    )
    assert found.p_value < 0.001
    assert found.highest_month in {12, 1, 2}
    assert found.lowest_month in {6, 7, 8}
    assert found.range_percent == pytest.approx(100 * np.expm1(0.2), abs=6)
    assert found.n_winters == 4


def test_reasons():
    month = month_of(24)
    assert seasonality_test(np.zeros(24), np.ones(24), month).reason == "no events at all"
    assert seasonality_test(np.ones(12), np.ones(12), month[:12]).reason == "12 months of data, 18 are needed"
    constant = seasonality_test(np.full(24, 50.0), np.ones(24), month)
    assert constant.reason == "the series does not vary"
    assert np.isnan(constant.p_value)
    two = seasonality_test(totals(np.random.default_rng(3), 1, 24, 0, 0)[0], np.ones(24), month)
    assert two.note == "two winters only"
    with pytest.raises(ParameterError, match="one series"):
        seasonality_test(np.ones((2, 24)), np.ones(24), month)


def test_a_perfect_season_is_beyond_any_chance():
    month = month_of(48)
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31.0])[month - 1]
    season = 100 * (1 + 0.1 * (month == 1))
    for exposure in (np.ones(48), days):
        found = seasonality_test(season * exposure, exposure, month)
        assert found.p_value < 1e-6
        assert (found.reason, found.highest_month) == ("", 1)
    assert seasonality_test(100 * days, days, month).reason == "the series does not vary"


def test_autocorrelation_is_that_of_the_ordinary_residuals_held_from_0_to_095():
    """By numpy's least squares; a series that turns over every month has none, a straight walk no more."""
    month = month_of(48)
    design = np.column_stack([(month[:, None] == np.arange(1, 13)).astype(float), np.arange(48) / 12])
    for rho in (0.0, 0.4, 0.8):
        y = totals(np.random.default_rng(5), 1, 48, rho, 0.0)[0]
        log = np.log(y + 0.5)
        rest = log - design @ np.linalg.lstsq(design, log, rcond=None)[0]
        found = seasonality_test(y, np.ones(48), month).autocorrelation
        assert found == pytest.approx(max((rest[1:] * rest[:-1]).sum() / (rest**2).sum(), 0.0), abs=1e-9)
    turning = 1e5 * np.exp(0.05 * (-1.0) ** np.arange(48) * (1 + np.arange(48) // 12 % 2))
    assert seasonality_test(turning, np.ones(48), month).autocorrelation == 0
    assert found > 0.3


def test_days_and_winters_are_counted():
    month = month_of(30)
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31.0])[month - 1]
    noise = np.exp(np.random.default_rng(6).normal(0, 0.01, 30))
    found = seasonality_test(1000 * days * noise, days, month)
    assert found.range_percent < 6  # a daily rate that is level, though February is a tenth shorter
    assert (found.n_months, found.n_winters, found.note) == (30, 2, "two winters only")
    assert found.df == (11.0, 17.0)
    one = seasonality_test((1000 * days * noise)[:18], days[:18], month[:18])
    assert (one.n_winters, one.note) == (1, "one winter only")
    holed = (1000 * days * noise)[:26].copy()
    holed[[1, 13, 25]] = np.nan
    assert seasonality_test(holed, days[:26], month[:26]).reason == "a calendar month was never observed"


def test_highest_and_lowest_month_and_their_distance():
    month = month_of(36)
    level = np.where(month == 3, 1.2, np.where(month == 9, 0.8, 1.0))
    noise = np.exp(np.random.default_rng(8).normal(0, 0.001, 36))
    found = seasonality_test(1e6 * level * noise, np.ones(36), month)
    assert (found.highest_month, found.lowest_month) == (3, 9)
    assert found.range_percent == pytest.approx(50, abs=0.5)
