"""Outlooks and proposals by hand: scales, ceilings, events, months and years of history."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.judge.outlook import extreme_notes, history_of, joined
from bcfstats.judge.outlook_monthly import history_panel, months_between
from bcfstats.judge.panel import monthly_panel
from bcfstats.judge.targets import proposal
from tests.judge.made_up import an_outlook, outlook, panel, targets, yearly

ONE = np.array([1.0])


def share(**given):
    start = {"value": 50 * ONE, "expected": 60 * ONE, "expected_scale": 4 * ONE, "usual_scale": 2 * ONE}
    return an_outlook("reablement", scale="difference", **{**start, **given})


def test_events_count_over_all_months_of_a_monthly_metric_and_once_in_a_year():
    # 100,000 people: one event in nine months is 100,000 / (100,000 x 9) of a monthly rate
    assert an_outlook().values_per_event[0] == pytest.approx(1 / 9)
    assert share(people=200 * ONE).values_per_event[0] == pytest.approx(0.5)
    assert an_outlook().months == 9


def test_a_share_stays_from_0_to_100_and_a_score_within_its_questions():
    view = share()
    assert view.better_by(50 * ONE, 50 * ONE)[0] == 100
    assert np.isnan(view.better_by(50 * ONE, 50.1 * ONE)[0])
    assert view.better_by(50 * ONE, -50 * ONE)[0] == 0
    assert np.isnan(view.better_by(50 * ONE, -50.1 * ONE)[0])
    mean = an_outlook("carer_quality_of_life", scale="difference", value=8 * ONE)
    assert mean.better_by(8 * ONE, 4 * ONE)[0] == 12  # six questions of 0 to 2
    assert np.isnan(mean.better_by(8 * ONE, 4.1 * ONE)[0])


def test_a_ratio_of_none_to_none_has_no_size_and_ends_no_line_with_a_warning():
    """Three events become none: as far as one can go. None stay none: no ratio."""
    start, end = np.array([3.0, 0.0]), np.array([0.0, 0.0])
    assert an_outlook().improvement(start, end).tolist() == pytest.approx([np.inf, np.nan], nan_ok=True)


def test_limits_of_what_is_expected():
    """80 % is 1.2815516 standard errors; logs for rates, cut at 0 and 100 for shares."""
    low, high = an_outlook(expected=980 * ONE).expected_interval()
    assert (low[0], high[0]) == pytest.approx((980 * np.exp(-0.12815516), 980 * np.exp(0.12815516)))
    low, high = share().expected_interval()
    assert (low[0], high[0]) == pytest.approx((60 - 4 * 1.2815516, 60 + 4 * 1.2815516))
    low, high = share(expected_scale=60 * ONE).expected_interval()
    assert (low[0], high[0]) == (0, 100)


def test_chances_of_few_degrees_of_freedom_are_students():
    view = an_outlook(expected_df=5 * ONE, usual_df=8 * ONE)
    size = np.log(1000 / 930)
    assert view.chance(930 * ONE)[0] == pytest.approx(stats.t.sf(size / 0.1, 5))
    assert view.chance_if_nothing_changes(930 * ONE)[0] == pytest.approx(stats.t.sf(size / 0.1, 8))
    assert view.chance(view.line_with_chance(0.2))[0] == pytest.approx(0.2)
    assert view.line_with_chance(0.2)[0] < 1000
    assert share().line_with_chance(0.2)[0] == pytest.approx(60 + 4 * 0.8416212)


def test_targets_are_lined_up_with_their_areas():
    view = an_outlook(n=3, value=np.array([1.0, 2.0, 3.0])).take(np.array([2, 0, 2]))
    assert view.value.tolist() == [3, 1, 3]
    assert view.places.tolist() == [2, 0, 2]
    assert view.area_codes.tolist() == ["X2", "X0", "X2"]


def test_half_of_what_is_unusual_is_kept_when_years_are_independent():
    """Differences of independent years: each takes back half of the last (correlation -1/2)."""
    values = np.random.default_rng(1).normal(size=(4000, 4))
    found = history_of((), np.diff(values, axis=1), np.array([]), 1, "")
    assert found.kept == pytest.approx(0.5, abs=0.03)
    # every second column of changes over two columns: built from the end
    far = np.random.default_rng(2).normal(size=(4000, 5))
    far[:, 0::2] = values[:, :3]
    overlapping = far[:, 2:] - far[:, :-2]
    assert history_of((), overlapping, np.array([]), 2, "").kept == pytest.approx(0.5, abs=0.03)
    assert np.isnan(history_of((), values[:, :1], np.array([]), 1, "").kept)


def test_an_extreme_last_change_is_told_with_its_size():
    rng = np.random.default_rng(3)
    changes = np.diff(rng.normal(0, 0.1, (60, 4)), axis=1)
    changes[7, -1] = np.log(1.6)
    told = extreme_notes(changes, 1, "ratio")
    assert told[7].startswith("its last yearly change (+60.0 %) was among the most extreme")
    assert 1 <= (told != "").sum() <= 14
    assert extreme_notes(changes, 1, "difference")[7].startswith("its last yearly change (+0.5) was")
    steady = rng.normal(0, 0.1, (60, 1)) + rng.normal(0, 1e-6, (60, 3))
    assert (extreme_notes(steady, 1, "ratio") == "").all()  # changes that stay: nothing goes back
    assert (extreme_notes(changes[:, :1], 1, "ratio") == "").all()


def test_texts_are_joined_where_there_are_any():
    assert joined(np.array(["a", "", ""]), np.array(["b", "c", ""])).tolist() == ["a; b", "c", ""]


# Months


@pytest.mark.parametrize(
    ("last", "window", "gap"),
    [("Mar 2014", "Apr-Dec 2014", 0), ("Dec 2013", "Apr-Dec 2014", 3), ("Nov 2012", "Jan-Jun 2014", 13)],
)
def test_months_between_what_is_known_and_the_window(last, window, gap):
    assert months_between(Period.parse(last), Period.parse(window)) == gap


def test_history_ends_before_the_window_and_starts_with_the_definition_in_force():
    found = monthly_panel(panel(n_areas=5, months=60), METRICS["delayed_transfers"])
    metric, window = METRICS["delayed_transfers"], Period.parse("Apr-Dec 2014")
    known = history_panel(found, metric, window, None)
    assert (known.months[0].label, known.months[-1].label) == ("April 2010", "March 2014")
    until = history_panel(found, metric, window, Period.parse("Dec 2013"))
    assert until.months[-1].label == "December 2013"
    assert not history_panel(found, metric, Period.parse("Apr 2010"), None).months


def population(first, then, months=48):
    """The same counts with another population from the last year on."""
    rows = panel(n_areas=25, months=months, wander=0.0)
    last = rows["period_start"] >= rows["period_start"].max() - pd.DateOffset(months=11)
    return rows.assign(denominator=np.where(last, then, first))


def test_the_population_is_taken_to_grow_as_it_last_did():
    """200,000 then 210,000: 220,500 in the window a year on; with one year of figures, none."""
    found = outlook(population(200_000.0, 210_000.0), "delayed_transfers", "2015-04")
    assert found.people == pytest.approx(np.full(25, 220_500.0))
    assert found.lag == 1
    short = population(200_000.0, 210_000.0, months=12).assign(
        period_start=lambda x: x["period_start"] + pd.DateOffset(years=3),
        period_end=lambda x: x["period_start"] + pd.offsets.MonthEnd(0),
    )
    assert outlook(short, "delayed_transfers", "2015-04").people == pytest.approx(np.full(25, 210_000.0))


def test_thirteen_months_are_enough_to_see_growth():
    rows = population(200_000.0, 210_000.0)
    rows = rows.loc[rows["period_start"] >= "2013-03-01"]  # March 2013 to March 2014
    assert outlook(rows, "delayed_transfers", "2015-04").people == pytest.approx(np.full(25, 220_500.0))


def test_noise_of_a_monthly_metric_is_the_quasi_poisson_test():
    """Poisson counts: 1,000 a month for nine months in both windows, a fall to 970."""
    found = outlook(panel(n_areas=25, wander=0.0), "delayed_transfers", "2015-04")
    p = found.noise_test(found.places, 0.97 * found.value)
    z = 0.03 / np.sqrt(1.97 / 9000)  # difference over its error, as a share of the baseline
    assert np.median(stats.norm.isf(p)) == pytest.approx(z, rel=0.1)  # Student's t has somewhat longer tails
    assert found.noise_test(found.places, found.noise_least) == pytest.approx(np.full(25, 0.025), rel=0.02)


# Years


def test_a_yearly_rate_has_its_growth_noise_and_history():
    """Population 20,000 then 21,000: 22,050 a year on. Noise: two counts, the later of more people."""
    people = np.array([20_000.0, 20_000.0, 20_000.0, 21_000.0])
    counts = np.random.default_rng(1).poisson(400, (30, 4)).astype(float)
    rows = yearly("care_home_admissions", counts / people * 100_000, 1.0, first=2009)
    rows = rows.assign(numerator=counts.ravel(), denominator=np.tile(people, 30))
    found = outlook(rows, "care_home_admissions", "2013/14")
    assert found.people == pytest.approx(np.full(30, 22_050.0))
    assert found.value == pytest.approx(counts[:, -1] / 21_000 * 100_000)
    assert found.history.changes == pytest.approx(np.diff(np.log(counts / people), axis=1))
    assert found.noise_test(found.places, found.noise_least) == pytest.approx(np.full(30, 0.025), rel=1e-6)
    before, later = counts[:, -1], found.noise_least * 22_050 / 100_000
    share = 22_050 / 43_050
    score = (later - (before + later) * share) / np.sqrt((before + later) * share * (1 - share))
    assert score == pytest.approx(np.full(30, -1.9599640))


def test_a_yearly_share_by_hand():
    """300 people, 70 % at home; noise as two samples of 300, history from four years."""
    rng = np.random.default_rng(2)
    values = 70 + rng.normal(0, 2.0, (30, 4))
    values[0, -1] = 70.0
    found = outlook(yearly("reablement", values, 300.0), "reablement", "2014/15")
    assert (found.value[0], found.lag, found.before.label) == (70.0, 1, "2013/14")
    assert found.history.changes == pytest.approx(np.diff(values, axis=1))
    assert found.people == pytest.approx(np.full(30, 300.0))  # no growth under a share
    assert found.history.span == "April 2010 to March 2014"
    least = found.noise_least[0]
    assert found.noise_test(found.places, found.noise_least)[0] == pytest.approx(0.025, rel=1e-3)
    # two samples of 300: about 1.96 pooled standard errors
    pooled = (0.70 + least / 100) / 2
    assert least - 70 == pytest.approx(196 * np.sqrt(2 * pooled * (1 - pooled) / 300), rel=0.02)


def test_an_older_baseline_is_taken_up_to_three_years_back_and_told():
    values = 70 + np.random.default_rng(3).normal(0, 2.0, (30, 4))
    for payment, lag in (("2015/16", 2), ("2016/17", 3)):
        found = outlook(yearly("reablement", values, 300.0), "reablement", payment)
        assert found.lag == lag
        assert found.before.label == "2013/14"
        assert f"the baseline is {lag} years back, 2013/14" in found.warnings[0]
        assert found.history.worth == pytest.approx(np.full(30, (4 - lag) / lag))  # they overlap
    assert "no figure of" in outlook(yearly("reablement", values, 300.0), "reablement", "2017/18").reason


# Proposed targets


def propose(view=None, **row):
    return proposal(view or an_outlook(), targets([{"area_code": "X0", "metric": "x", **row}]))


def test_a_value_wins_over_a_count_and_a_count_over_a_change():
    every = {"target_value": 900, "target_numerator": 8000, "change_percent": -3}
    assert propose(**every).value[0] == 900
    assert propose(**(every | {"target_value": np.nan})).value[0] == pytest.approx(8000 / 9)
    assert propose(change_percent=-3).value[0] == pytest.approx(970)


def test_events_better_than_the_baseline_rate():
    # 100 fewer a month in nine months; six more of 300 people; 5 % of 9,000 events of a standardised rate
    assert propose(target_value=900).events[0] == pytest.approx(900)
    assert propose(share(people=300 * ONE), target_value=52).events[0] == pytest.approx(6)
    standardised = an_outlook("falls_injuries", value=2000 * ONE)
    assert propose(standardised, target_value=1900).events[0] == pytest.approx(450)
    assert np.isnan(propose(an_outlook("patient_experience"), target_value=50).events[0])


def test_slowing_growth_is_told_from_improvement_on_the_baseline():
    for value, improves in ((1050, False), (1000, False), (1000 * (1 - 1e-12), False), (999, True)):
        found = propose(an_outlook(expected=1100 * ONE), target_value=value)
        assert (found.beats_baseline[0], found.beats_forecast[0], found.start[0]) == (improves, True, 1000)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (-0.1, "the target is below zero"),
        (0.0, ""),
        (9000.0, "the target looks like a rate for all 9 months"),
        (6400.0, "the target looks like a rate for all 9 months"),  # 6,400 / 9,000 is 29 % less
        (6200.0, ""),  # 31 % less
        (11_600.0, "the target looks like a rate for all 9 months"),
        (11_800.0, ""),
        (np.nan, "the target's value cannot be worked out"),
    ],
)
def test_targets_that_cannot_be_meant(value, reason):
    assert propose(target_value=value).reason[0].startswith(reason)
    assert bool(propose(target_value=value).reason[0]) == bool(reason)


def test_a_share_of_100_is_possible_and_more_is_not():
    assert propose(share(), target_value=100).reason[0] == ""
    assert propose(share(), target_value=100.1).reason[0] == "the target is above 100 %"


@pytest.mark.parametrize(
    ("claimed", "told"), [(1009.0, False), (1011.0, True), (990.5, False), (989.0, True)]
)
def test_a_claimed_baseline_within_one_per_cent_is_not_mentioned(claimed, told):
    found = propose(target_value=900, baseline_value=claimed).warnings[0]
    assert ("the target file gives a baseline of" in found) is told


def test_a_claim_may_differ_by_the_last_decimal():
    view = share(value=5 * ONE)  # one per cent is less than the decimal shown
    assert propose(view, target_value=6, baseline_value=5.09).warnings[0] == ""
    assert "a baseline of 5.1, the data 5.0" in propose(view, target_value=6, baseline_value=5.11).warnings[0]


def test_a_count_says_whose_population_it_is_over():
    fewer = propose(an_outlook(people=98_000 * ONE), target_numerator=8000).warnings[0]
    assert "2.0 % fewer people than at baseline" in fewer
    assert propose(an_outlook(people=100_040 * ONE), target_numerator=8000).warnings[0] == ""
    assert propose(an_outlook(people=98_000 * ONE), target_value=800).warnings[0] == ""
