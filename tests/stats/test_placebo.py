"""The placebo test: what the usual tests do on simulated nulls, and on the published delayed days."""

import numpy as np
import pytest
from scipy import stats

from bcfstats.stats.history import history_scale
from bcfstats.stats.monthly_model import fit_monthly
from bcfstats.stats.placebo import CORRECTED, HISTORY, POISSON, QUASI, placebo
from scripts.nulls import null_panel


def test_poisson_and_quasi_poisson_by_hand():
    made = null_panel("delayed days, wandering level", 1, areas=40, months=36)
    found = placebo(made.counts, made.days, made.calendar_month, window=6, minimum_history=30)
    before, after = made.counts[:, 18:24].sum(axis=1), made.counts[:, 30:36].sum(axis=1)
    days = made.days[18:24].sum(), made.days[30:36].sum()
    change = np.log((after + 0.5) / days[1]) - np.log((before + 0.5) / days[0])
    z = change / np.sqrt(1 / before + 1 / after)
    assert found.two_sided[POISSON][0] == pytest.approx(np.mean(np.abs(z) > stats.norm.ppf(0.975)))
    assert found.falls[POISSON][0] == pytest.approx(np.mean(z < -stats.norm.ppf(0.975)))
    assert found.n_areas[0] == 40


def test_order_of_the_methods_on_wandering_delays():
    made = null_panel("delayed days, wandering level", 2, months=48)
    found = placebo(made.counts, made.days, made.calendar_month, window=9)
    share = {name: values.mean() for name, values in found.two_sided.items()}
    assert share[POISSON] > 0.8
    assert 0.25 < share[QUASI] < 0.6
    assert 0.08 < share[CORRECTED] < share[QUASI]
    assert 0.03 < share[HISTORY] < 0.09


def test_removing_the_national_change():
    rng = np.random.default_rng(3)
    rise = np.exp(0.08 * np.arange(48) / 12)
    counts = rng.poisson(3000 * rise, (60, 48)).astype(float)
    month = np.arange(48) % 12 + 1
    plain, removed = (placebo(counts, np.ones(48), month, window=9, remove_national=r) for r in (False, True))
    assert plain.two_sided[HISTORY].mean() > 0.9
    assert removed.two_sided[HISTORY].mean() < 0.08


def test_breaks_are_kept_out():
    made = null_panel("admissions, wandering level", 4, areas=60, months=48)
    counts = made.counts.copy()
    counts[:6, 27:31] *= 0.2
    kept, out = (
        placebo(counts, made.days, made.calendar_month, window=9, keep_out_breaks=flag)
        for flag in (False, True)
    )
    assert out.n_areas.min() == 54
    # six missing providers pass for improvements unless they are kept out
    window = kept.starts == 24
    assert kept.falls[HISTORY][window] > out.falls[HISTORY][window] + 0.05


@pytest.mark.slow
def test_published_delayed_days_to_march_2015(real_data):
    from bcfstats.read.recognise import read_file

    rows = {}
    for path in sorted((real_data / "dtoc").glob("*1[1-5].xls")):
        table = read_file(path).observations
        month = table["period_start"].iloc[0]
        if month < np.datetime64("2015-04-01"):
            rows[month] = table.set_index("area_code")["numerator"]
    months = sorted(rows)
    areas = sorted(rows[months[0]].index)
    counts = np.array([rows[month].reindex(areas).to_numpy(dtype=float) for month in months]).T
    starts = np.array(months, dtype="datetime64[M]")
    days = ((starts + 1).astype("datetime64[D]") - starts.astype("datetime64[D]")).astype(float)
    assert counts.shape == (151, 48)
    for window, n in ((6, 19), (9, 16)):
        found = placebo(counts, days, starts.astype(int) % 12 + 1, window=window)
        assert found.starts.size == n
        assert 0.03 <= found.two_sided[HISTORY].mean() <= 0.06  # 5 % on the whole: docs/validation.md
        assert found.falls[HISTORY].mean() < 0.04
        # an independent calculation on the same months: 88.5 and 89.7 %, 36.6 and 42.3 %
        assert found.two_sided[POISSON].mean() == pytest.approx(0.89, abs=0.015)
        assert 0.35 <= found.two_sided[QUASI].mean() <= 0.44


def test_every_method_by_hand_in_every_window():
    """Quasi-Poisson by Student's t on the dispersion; history by the scale known when the window started."""
    made = null_panel("delayed days, autocorrelated", 5, areas=50, months=34)
    counts, days, month = made.counts, made.days, made.calendar_month
    found = placebo(counts, days, month, window=6, minimum_history=26)
    assert found.starts.tolist() == [26, 27, 28]
    for at, start in enumerate(found.starts):
        now, past = (slice(first, first + 6) for first in (start, start - 12))
        before, after = counts[:, past].sum(axis=1), counts[:, now].sum(axis=1)
        change = np.log((after + 0.5) / days[now].sum()) - np.log((before + 0.5) / days[past].sum())
        known = counts[:, :start], days[:start], month[:start]
        model = fit_monthly(*known)
        se = np.sqrt((1 / before + 1 / after) * np.maximum(model.dispersion, 1))
        quasi = 2 * stats.t.sf(np.abs(change) / se, start - 13)
        scale = history_scale(*known, window=6)
        tests = {QUASI: quasi, HISTORY: scale.p_value(change)}
        tests[CORRECTED] = history_scale(*known, window=6, minimum_areas=1000).p_value(change)
        for name, p in tests.items():
            assert found.two_sided[name][at] == pytest.approx(np.mean(p < 0.05))
            assert found.falls[name][at] == pytest.approx(np.mean((p < 0.05) & (change < 0)))
        assert found.scale[at] == pytest.approx(np.median(scale.scale))
        assert found.n_areas[at] == 50


def test_areas_with_a_month_missing_or_few_events_take_no_part():
    made = null_panel("Poisson", 6, areas=30, months=40)
    counts = made.counts.copy()
    counts[0, 38] = counts[1, 25] = np.nan
    counts[2] = np.random.default_rng(1).poisson(5, 40)
    found = placebo(counts, made.days, made.calendar_month, window=3, minimum_history=36)
    # windows of months 36 to 38 and 37 to 39, against 24 to 26 and 25 to 27
    assert found.n_areas.tolist() == [27, 27]
