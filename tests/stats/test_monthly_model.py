"""Monthly quasi-Poisson models against statsmodels and the worked panel."""

import numpy as np
import pytest
import statsmodels.api as sm

from bcfstats.errors import InputError
from bcfstats.stats.monthly_model import fit_monthly, lag_one

# Both sides solve the same likelihood to the limit of double precision.
EXACT = 1e-8


def simulate(areas, months, seed=1, mean=200.0):
    rng = np.random.default_rng(seed)
    month = np.arange(months) % 12 + 1
    days = rng.integers(28, 32, months).astype(float)
    rate = mean / 30 * np.exp(0.1 * np.sin(month) + 0.05 * np.arange(months) / 12)
    return rng.negative_binomial(8, 8 / (8 + rate * days), (areas, months)).astype(float), days, month


def statsmodels_fit(y, exposure, month):
    keep = np.isfinite(y)
    n = len(y)
    t = np.arange(n) / 12
    contrasts = np.zeros((n, 11))
    for m in range(1, 12):
        contrasts[month == m, m - 1] = 1
    contrasts[month == 12] = -1
    x = np.column_stack([np.ones(n), t - t.mean(), contrasts])
    model = sm.GLM(y[keep], x[keep], family=sm.families.Poisson(), offset=np.log(exposure[keep]))
    return model.fit(scale="X2", tol=1e-14, maxiter=200)


def test_equals_statsmodels_with_gaps_and_person_days():
    y, days, month = simulate(6, 41)
    y[0, 5] = y[2, :7] = y[3, 20:24] = np.nan
    person_days = days * np.linspace(1000, 1100, 41) * np.arange(1, 7)[:, None]
    model = fit_monthly(y, person_days, month)
    for i in range(6):
        oracle = statsmodels_fit(y[i], person_days[i], month)
        assert model.slope[i] == pytest.approx(oracle.params[1], abs=EXACT)
        assert model.slope_se[i] == pytest.approx(oracle.bse[1], rel=EXACT)
        assert model.month_effects[i, :11] == pytest.approx(oracle.params[2:], abs=EXACT)
        assert model.dispersion[i] == pytest.approx(oracle.scale, rel=EXACT)
        assert model.fitted[i][np.isfinite(y[i])] == pytest.approx(oracle.fittedvalues, rel=EXACT)
    assert (model.reason == "").all()


def test_worked_panel(worked_panel):
    model = fit_monthly(worked_panel.counts, worked_panel.days, worked_panel.month)
    expected = worked_panel.expected
    assert model.slope == pytest.approx(expected["qp_trend_per_year"], abs=EXACT)
    assert model.dispersion == pytest.approx(expected["qp_phi"], abs=EXACT)
    assert model.month_effects[0] == pytest.approx(expected["qp_month_effects_A00_JanDec"], abs=EXACT)


def test_every_degenerate_series_has_a_reason_or_an_answer():
    y, days, month = simulate(7, 36)
    y[0] = np.nan
    y[1] = 0
    y[2] = 50 * days  # constant per day
    y[3, month == 2] = 0
    y[4, month == 2] = np.nan
    y[5, 12:] = np.nan
    model = fit_monthly(y, days, month)
    assert list(model.reason) == [
        "0 months of data, 18 are needed",
        "no events at all",
        "",
        "a calendar month had no events in any year",
        "a calendar month was never observed",
        "12 months of data, 18 are needed",
        "",
    ]
    assert (np.isfinite(model.slope) == (model.reason == "")).all()
    assert model.slope[2] == pytest.approx(0, abs=1e-12)
    assert model.dispersion[2] == pytest.approx(0, abs=1e-12)
    assert model.autocorrelation[2] == 0


def test_twelve_months_cannot_be_fitted():
    y, days, month = simulate(2, 12)
    assert (fit_monthly(y, days, month).reason == "12 months of data, 18 are needed").all()


def test_lag_one_by_hand():
    # residuals 1, 2, gap, -1, -1: (1*2 + -1*-1) / (1 + 4 + 1 + 1) = 3/7
    assert lag_one(np.array([[1.0, 2.0, np.nan, -1.0, -1.0]])) == pytest.approx(3 / 7)


def test_wrong_input_is_refused():
    with pytest.raises(InputError, match="below zero"):
        fit_monthly(-np.ones(24), np.ones(24), np.arange(24) % 12 + 1)
    with pytest.raises(InputError, match="same number of months"):
        fit_monthly(np.ones(24), np.ones(23), np.arange(24) % 12 + 1)
    with pytest.raises(InputError, match="1 to 12"):
        fit_monthly(np.ones(24), np.ones(24), np.arange(24) % 12)
