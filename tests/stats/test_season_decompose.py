"""Series taken apart, against statsmodels and a series that is put together by hand."""

import numpy as np
import pytest
from statsmodels.tsa.seasonal import STL

from bcfstats.errors import InputError
from bcfstats.stats.season import decompose

MONTH = np.tile(np.arange(1, 13), 4)
DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] * 4, dtype=float)


def made(seed=1):
    """Return a rate with a known season, a trend of 5 % a year and little noise."""
    rng = np.random.default_rng(seed)
    season = np.exp(0.1 * np.cos(2 * np.pi * (MONTH - 1) / 12))
    return 40 * 1.05 ** (np.arange(48) / 12) * season * np.exp(rng.normal(0, 0.002, 48)), season


def test_as_statsmodels_on_the_log_rate():
    rate, _ = made()
    found = decompose(rate * DAYS, DAYS, MONTH)
    theirs = STL(np.log(rate), period=12, robust=True).fit()
    np.testing.assert_allclose(np.log(found.level[0]), theirs.trend, rtol=1e-12)
    np.testing.assert_allclose(np.log(found.season[0]), theirs.seasonal, atol=1e-12)


def test_a_known_season_and_trend_come_back():
    rate, season = made()
    found = decompose(rate * DAYS, DAYS, MONTH)
    np.testing.assert_allclose(found.season[0], season, rtol=0.01)  # five times the noise that was put in
    assert found.level[0, 36] / found.level[0, 24] == pytest.approx(1.05, abs=0.01)


def test_the_parts_make_the_rate_and_an_odd_month_is_remainder():
    rate, _ = made()
    counts = rate * DAYS
    counts[20] *= 2
    found = decompose(counts, DAYS, MONTH)
    np.testing.assert_allclose(found.level * found.season * found.remainder, found.rate, rtol=1e-12)
    assert found.remainder[0].argmax() == 20
    assert found.remainder[0, 20] == pytest.approx(2, rel=0.02)  # robust: the odd month moves nothing else
    plain = decompose(counts, DAYS, MONTH, robust=False)
    assert plain.remainder[0, 20] < 1.9


def test_each_area_has_its_reason():
    counts = np.vstack([made(seed)[0] * DAYS for seed in range(5)])
    counts[1, 10] = np.nan
    counts[2, :30] = np.nan
    counts[3, 7] = 0
    counts[4] = np.nan
    found = decompose(counts, DAYS, MONTH)
    assert found.reason.tolist() == [
        "",
        "a month is missing: a decomposition needs every month",
        "less than 24 months of data",
        "a month without events has no logarithm",
        "no months of data",
    ]
    assert np.isnan(found.level[1:]).all()


def test_months_missing_at_the_ends_are_left_out():
    rate, _ = made()
    counts = rate * DAYS
    counts[:5] = counts[-3:] = np.nan
    found = decompose(counts, DAYS, MONTH)
    alone = decompose(counts[5:-3], DAYS[5:-3], MONTH[5:-3])
    np.testing.assert_array_equal(found.season[0, 5:-3], alone.season[0])
    assert np.isnan(found.season[0, [0, -1]]).all()


def test_the_unit_of_exposure_changes_nothing_but_the_level():
    rate, _ = made()
    found, scaled = decompose(rate * DAYS, DAYS, MONTH), decompose(rate * DAYS, DAYS * 1e6, MONTH)
    np.testing.assert_allclose(scaled.season, found.season, rtol=1e-9)
    np.testing.assert_allclose(scaled.level * 1e6, found.level, rtol=1e-9)


def test_months_out_of_order_are_refused():
    with pytest.raises(InputError, match="follow one another"):
        decompose(np.ones(24), np.ones(24), np.repeat(np.arange(1, 13), 2))
