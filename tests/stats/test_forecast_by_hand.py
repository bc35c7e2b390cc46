"""The history scale and the forecast written a second time, from the words of their method pages alone."""

from types import SimpleNamespace

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import special
from scipy.optimize import brentq

from bcfstats.stats.forecast import do_nothing_forecast
from bcfstats.stats.history import history_scale

AVERAGE = 365.25 / 12
AREAS, MONTHS, FIRST, LAST = 22, 44, 4, 9
DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31.0])
MONTH = np.arange(MONTHS + 12) % 12


def made(seed=3):
    rng = np.random.default_rng(seed)
    wander = np.cumsum(rng.normal(0, 0.05, (AREAS, MONTHS)), axis=1) + np.cumsum(rng.normal(0, 0.02, MONTHS))
    steady = np.exp(0.5 * rng.normal(size=(AREAS, 1)))
    season = 0.08 * np.cos(2 * np.pi * np.arange(MONTHS) / 12)
    mean = rng.uniform(150, 3000, (AREAS, 1)) * np.exp(steady * wander + season) * DAYS[MONTH[:MONTHS]] / 30
    return rng.poisson(mean).astype(float)


def regression(y, days, month):
    """Log rate = month effects + trend by statsmodels."""
    t = np.arange(len(y)) / 12
    design = np.column_stack([(month[:, None] == np.arange(12)).astype(float), t - t.mean()])
    fit = sm.GLM(y, design, family=sm.families.Poisson(), offset=np.log(days)).fit(tol=1e-14, maxiter=12)
    rest, df = y - fit.mu, len(y) - 13
    effects = fit.params[:12] - fit.params[:12].mean()
    return (rest**2 / fit.mu).sum() / df, ((rest / fit.mu) ** 2).sum() / df, effects


def prior(variances, df):
    """Smyth's moments of ln s2: the usual variance and what it is worth."""
    half = df / 2
    z = np.log(np.maximum(variances, 1e-5 * np.median(variances))) - special.digamma(half) + np.log(half)
    excess = z.var(ddof=1) - np.mean(special.polygamma(1, half))
    if excess <= 0:
        return variances.mean(), np.inf
    d = brentq(lambda x: special.polygamma(1, x) - excess, 1e-6, 1e8, xtol=1e-13, rtol=1e-14)
    return np.exp(z.mean() + special.digamma(d) - np.log(d)), 2 * d


def drawn(variances, df, usual, worth):
    if np.isinf(worth):
        return np.full(len(variances), usual), np.full(len(variances), 1e6)
    return (worth * usual + df * variances) / (worth + df), worth + df


def moderated(c, noise):
    """Mean squares moved towards what areas as noisy as they show."""
    square = (c**2).mean(axis=1)
    together = (c.T @ c) ** 2 / np.outer((c**2).sum(axis=0), (c**2).sum(axis=0))
    df = np.full(len(c), max(c.shape[1] ** 2 / together.sum(), 1.0))
    x = np.log(noise) - np.log(noise).mean()
    target = np.log(np.maximum(square, 1e-5 * np.median(square)))
    b = 0.6 * np.clip((x @ target) / (x @ x), 0, 1)
    variance, total = drawn(square / np.exp(b * x), df, *prior(square / np.exp(b * x), df))
    return variance * np.exp(b * x), total


def window_rates(y, days, window):
    spans = [slice(k, k + window) for k in range(y.shape[1] - window + 1)]
    time = np.array([days[span].sum() for span in spans])
    return np.column_stack([y[:, span].sum(axis=1) for span in spans]) / time + 0.5 / time.mean()


def dispersions(fits):
    raw = np.array([fit[0] for fit in fits])
    df = np.full(len(raw), float(MONTHS - 13))
    return np.maximum(raw, 1), np.maximum(drawn(raw, df, *prior(raw, df))[0], 1)


def level_at(y, days, month):
    """Season, levels by smoothing, drift, what totals lie above logs, and the unusual recent level."""
    fits = [regression(row, days, month) for row in y]
    residual = np.array([fit[1] for fit in fits])
    believed = np.maximum(residual, np.maximum(0.1 / y.mean(axis=1), 0.1 * np.median(residual)))
    se2 = believed[:, None] / (month[:, None] == np.arange(12)).sum(axis=0)
    own = np.array([fit[2] for fit in fits])
    nation = (own / se2).sum(axis=0) / (1 / se2).sum(axis=0)
    tau2 = max(((own - nation) ** 2 - se2).mean(), 0)
    season = nation + tau2 / (tau2 + se2) * (own - nation)
    z = np.log(AVERAGE * (y / days + 0.5 / days.mean())) - season[:, month]
    levels = {}
    for alpha in (0.2, 0.3, 0.45, 0.6):
        level = z[:, :6].mean(axis=1)
        for value in z[:, 1:].T:
            level = level + alpha * (value - level)
        levels[alpha] = level
    t = np.arange(z.shape[1]) - (z.shape[1] - 1) / 2
    centred = z - z.mean(axis=1, keepdims=True)
    nines = [centred[:, k : k + 9] for k in range(z.shape[1] - 8)]
    above = np.mean([np.log(np.exp(nine).mean(axis=1)) - nine.mean(axis=1) for nine in nines], axis=0)
    unusual = z[:, -6:].mean(axis=1) - z[:, -36:].mean(axis=1)
    return SimpleNamespace(
        season=season,
        levels=levels,
        drift=np.median(z @ t / (t @ t)),
        above=np.minimum(above, 0.2),
        unusual=unusual - np.median(unusual),
    )


def log_total(state, alpha, share, months, days):
    lead = np.arange(FIRST, LAST + 1)
    damped = np.array([sum(0.965**i for i in range(1, h + 1)) for h in lead]) + (1 - alpha) / alpha
    rates = np.exp(state.season[:, months] + share * state.drift * damped)
    return state.levels[alpha] + state.above + np.log((days / AVERAGE * rates).sum(axis=1))


def bent_slope(x, y):
    weight = np.ones(len(x))
    for _ in range(20):
        slope = (weight * x) @ y / ((weight * x) @ x)
        rest = np.abs(y - slope * x)
        weight = np.minimum(1, 1.5 * 1.482602218505602 * np.median(rest) / np.maximum(rest, 1e-12))
    return slope


def test_history_scale_from_its_page():
    y = made()
    days = DAYS[MONTH[:MONTHS]]
    rates = np.log(window_rates(y, days, 6))
    c = rates[:, 12:] - rates[:, :-12]
    own, drawn_ = dispersions([regression(row, days, MONTH[:MONTHS]) for row in y])
    baseline = y[:, MONTHS - 12 : MONTHS - 6].sum(axis=1)
    variance, df = moderated(c - np.median(c), 2 * own / baseline)
    found = history_scale(y, days, MONTH[:MONTHS] + 1, window=6)
    assert found.history_scale == pytest.approx(np.sqrt(variance), rel=1e-8)
    assert found.scale == pytest.approx(np.sqrt(np.maximum(variance, 2 * drawn_ / baseline)), rel=1e-8)
    assert found.df == pytest.approx(df, rel=1e-6)


def test_forecast_from_its_page():
    y = made()
    days = DAYS[MONTH]
    origins = range(18, MONTHS - LAST + 1)
    states = {n: level_at(y[:, :n], days[:n], MONTH[:n]) for n in (*origins, MONTHS)}
    grid = [(alpha, share) for alpha in (0.2, 0.3, 0.45, 0.6) for share in (0.0, 0.5, 1.0)]

    def errors(alpha, share):
        columns = []
        for n in origins:
            span = slice(n + FIRST - 1, n + LAST)
            total = log_total(states[n], alpha, share, MONTH[span], days[span])
            columns.append(np.log(y[:, span].sum(axis=1) + 0.5) - total)
        return np.column_stack(columns)

    best = min(grid, key=lambda pair: np.abs(errors(*pair)).mean())
    past, unusual = errors(*best), np.column_stack([states[n].unusual for n in origins])
    nation = np.median(past, axis=0)
    beside = past - nation
    slope = bent_slope(unusual.ravel(), beside.ravel())
    beside = beside - slope * unusual
    beside = beside - np.median(beside, axis=0)
    span = slice(MONTHS + FIRST - 1, MONTHS + LAST)
    value = np.exp(log_total(states[MONTHS], *best, MONTH[span], days[span]) + slope * states[MONTHS].unusual)
    own, drawn_ = dispersions([regression(row, days[:MONTHS], MONTH[:MONTHS]) for row in y])
    variance, df = moderated(beside, own / value)
    area = np.maximum(variance, drawn_ / value)
    england, worth = np.mean(nation**2), (len(nation) + 5) / 6
    total = area + england
    found = do_nothing_forecast(
        y, days[:MONTHS], MONTH[:MONTHS] + 1, first=FIRST, last=LAST, target_exposure=days[span]
    )
    assert (found.alpha, found.drift_share) == best
    assert found.reversion == pytest.approx(slope, rel=1e-6)
    assert found.value == pytest.approx(value, rel=1e-8)
    assert found.area_scale == pytest.approx(np.sqrt(area), rel=1e-8)
    assert found.england_scale == pytest.approx(np.sqrt(england), rel=1e-8)
    assert found.log_scale == pytest.approx(np.sqrt(total), rel=1e-8)
    assert found.df == pytest.approx(total**2 / (area**2 / df + england**2 / worth), rel=1e-6)
