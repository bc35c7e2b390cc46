"""Small numbers: the rules, and attacks that try to work a hidden count back.

The attacks are brute force and know everything but the hidden counts: the rule, every figure that is shown,
every denominator, and the totals of regions and of England. They share no code with what they attack.
"""

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.disclose.results import disclose
from bcfstats.disclose.rules import hide_with, rule, rules_of, small, suppress_small_numbers, totals_to_keep
from bcfstats.errors import ParameterError
from bcfstats.judge.assessment import assess
from bcfstats.judge.results import TABLES
from bcfstats.judge.standings import peers_of
from bcfstats.read.data import load
from tests.disclose.small_areas import PARTNER, SIZES, TINY, YEARS, data, disclosed, observations

HES = {"hes-2014": 5, "hes-2018": 7}
SMALL_YEAR = {(TINY, 2013): 3.0}


def table(counts, denominators, metric="care_home_admissions", **columns):
    counts, denominators = np.array(counts, dtype=float), np.array(denominators, dtype=float)
    value = counts / denominators * METRICS[metric].multiplier
    return pd.DataFrame({"numerator": counts, "denominator": denominators, "value": value, **columns})


@pytest.mark.parametrize(("name", "largest"), HES.items())
def test_hes_rules_hide_one_to_their_largest_and_show_zero(name, largest):
    """digital.nhs.uk: 1 to 5 until September 2018, 1 to 7 since (domain.md section 4)."""
    counts = [0, 1, largest, largest + 1, 100]
    shown = suppress_small_numbers(table(counts, [1000] * 5), name, metric="care_home_admissions")
    assert shown["numerator"].isna().tolist() == [False, True, True, False, False]
    assert shown["value"].isna().tolist() == [False, True, True, False, False]


def test_rounding_to_five_leaves_zero_and_goes_to_the_nearest():
    shown = suppress_small_numbers(table([0, 8, 12, 13, 102.5], [1000] * 5), metric="care_home_admissions")
    assert shown["numerator"].tolist() == [0, 10, 10, 15, 105]


def test_local_threshold_and_unknown_rules():
    assert rule("threshold=10") == rule({"threshold": 10})
    assert rule({"threshold": 10}).largest == 10
    for wrong in ("hes-2020", {"threshold": 0}, {"threshold": True}, {}, "threshold=0"):
        with pytest.raises(ParameterError, match="not a rule for small numbers"):
            rule(wrong)


def test_what_is_not_confirmed_is_said():
    assert "rounding" in rule("hes-2018").unconfirmed
    told = " ".join(disclosed("hes-2018", annual=SMALL_YEAR).about["disclosure"])
    assert "Not confirmed" in told
    assert "Care home admissions" in told


def test_percentages_hide_small_complements_and_small_samples():
    """Of 60 people, 57 at home tells of 3 who are not; of 4 people nothing is shown."""
    rows = table([57, 40, 3, 2], [60, 60, 60, 4], "reablement")
    assert small(rows, METRICS["reablement"], 5).tolist() == [True, False, True, True]


def test_rate_without_its_count_is_worked_back_or_hidden():
    rows = table([3, 30, 30], [1000, 1000, np.nan]).assign(value=[300.0, 3000.0, 3000.0], numerator=np.nan)
    assert small(rows, METRICS["care_home_admissions"], 5).tolist() == [True, False, True]


def test_published_figures_and_example_data_stay_as_they_are():
    own = data()
    mixed = replace(own, manifest={"files": [{"file": "dtoc/own.csv", "kind": "Monthly Activity Return"}]})
    assert {one.id for one in rules_of(own)} == {"hes-2018"}
    assert {one.id for one in rules_of(own, "hes-2014")} == {"hes-2014"}
    assert {one.id for one in rules_of(mixed, "hes-2014")} == {"none"}
    assert {one.id for one in rules_of(replace(own, is_example=True))} == {"none"}


def test_without_a_setting_own_admissions_are_under_a_rule_and_other_metrics_are_named_as_shown():
    own = data()
    rows = own.observations
    days = rows.loc[rows["metric"] == "non_elective_admissions"].assign(metric="delayed_transfers")
    found = disclose(replace(own, observations=days), assess)
    assert {one.id for one in rules_of(replace(own, observations=days))} == {"none"}
    (told,) = found.about["disclosure"]
    assert "no rule is used for Delayed transfers of care" in told
    assert "set 'disclosure'" in told


# attacks on totals over areas


@pytest.mark.parametrize("largest", [2, 3])
@pytest.mark.parametrize("seed", range(12))
def test_totals_over_areas_leave_every_small_count_free(seed, largest):
    """Every whole number that fits the total of the group is tried for every hidden count."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 9, 6).astype(float)
    hidden = hide_with(
        counts[:, None],
        ((counts > 0) & (counts <= largest))[:, None],
        np.zeros(6, dtype=np.int64),
        rng.permutation(6).astype(float),
        largest,
    )[:, 0]
    if hidden.sum() == (counts > 0).sum() and counts[hidden].sum() < largest + hidden.sum() - 1:
        return  # every area is hidden: the docstring says that the total itself must not be shown then
    total = int(counts[hidden].sum())
    fits = [
        worlds
        for worlds in itertools.product(range(1, total + 1), repeat=int(hidden.sum()))
        if sum(worlds) == total
    ]
    for place in np.flatnonzero((counts[hidden] <= largest) & (counts[hidden] > 0)):
        assert set(range(1, largest + 1)) <= {world[place] for world in fits}


def test_without_secondary_suppression_a_total_gives_the_count_away():
    """The attack works where nothing is done: what the tests above rest on."""
    rows = table([3, 40, 52], [900, 8000, 9000], area="England")
    alone = suppress_small_numbers(rows, "hes-2014", metric="care_home_admissions")
    assert 95 - alone["numerator"].sum() == 3
    both = suppress_small_numbers(rows, "hes-2014", metric="care_home_admissions", totals=["area"])
    assert both["numerator"].isna().tolist() == [True, True, False]


def test_choice_of_the_area_hidden_with_it_tells_nothing_of_its_count():
    chosen = []
    for counts in ([3, 40, 9], [3, 9, 40]):
        rows = table(counts, [900, 8000, 9000], area="England")
        shown = suppress_small_numbers(rows, "hes-2014", metric="care_home_admissions", totals=["area"])
        chosen.append(shown["numerator"].isna().tolist())
    assert chosen == [[True, True, False]] * 2


# attacks on totals over months


@pytest.mark.parametrize("seed", range(40))
def test_totals_over_months_leave_every_small_month_free(seed):
    """Every set of monthly counts that adds up to the totals kept is tried."""
    rng = np.random.default_rng(seed)
    months, largest = 5, 2
    counts = rng.integers(0, 4, months).astype(float)
    ends = [sorted(rng.choice(months + 1, 2, replace=False)) for _ in range(3)]
    windows = [np.arange(first, last) for first, last in ends]
    kept = totals_to_keep(counts, windows, largest, first=[2])
    sums = [counts[windows[i]].sum() for i in kept]
    assert all(total == 0 or total > largest for total in sums)
    most = int(counts.sum()) + largest + 1
    worlds = np.indices((most + 1,) * months, dtype=np.int16).reshape(months, -1)
    for i, total in zip(kept, sums, strict=True):
        worlds = worlds[:, worlds[windows[i]].sum(axis=0) == total]
    for month in np.flatnonzero((counts > 0) & (counts <= largest)):
        assert set(range(1, largest + 1)) <= set(worlds[month])


def test_nested_totals_that_differ_by_one_small_month_are_not_both_kept():
    counts = np.array([3.0, 9.0, 9.0, 9.0])
    windows = [np.arange(4), np.arange(1, 4)]
    assert totals_to_keep(counts, windows, 5, first=[1]) == [0]
    assert totals_to_keep(np.array([30.0, 9.0, 9.0, 9.0]), windows, 5, first=[1]) == [0, 1]


# attacks on everything a run saves


def tables_of(results):
    return {name: getattr(results, name) for name in TABLES}


def test_results_are_the_same_whatever_the_hidden_count_is():
    """No attack can tell apart what is equal: the small count and its partner move, the totals stay."""
    worlds = [
        disclosed(annual={(TINY, 2013): small, (PARTNER, 2013): 43.0 - small}) for small in (1.0, 3.0, 5.0)
    ]
    for name, found in tables_of(worlds[0]).items():
        for other in worlds[1:]:
            pd.testing.assert_frame_equal(found, getattr(other, name), check_exact=True)


def test_without_a_rule_the_results_do_tell_the_worlds_apart():
    first, other = (disclosed("none", annual={(TINY, 2013): small}) for small in (1.0, 3.0))
    assert not first.series.equals(other.series)
    assert not first.windows.equals(other.windows)


@pytest.mark.parametrize("setting", HES)
def test_no_number_of_a_hidden_figure_is_left_in_any_table(setting):
    results = disclosed(setting, annual=SMALL_YEAR)
    series = results.series
    hidden = series.loc[series["status"] == "suppressed"]
    assert {(TINY, "care_home_admissions"), (TINY, "non_elective_admissions")} <= set(
        zip(hidden["area_code"], hidden["metric"], strict=True)
    )
    assert hidden[["numerator", "value", "lower", "upper"]].isna().all(axis=None)
    windows = results.windows.set_index(["area_code", "metric", "payment"])
    paid = windows.loc[(TINY, "care_home_admissions", "2015-10")]
    assert paid[["baseline_numerator", "baseline_value", "change", "noise_p", "history_p"]].isna().all()
    assert paid["finding"] == "not compared"


def test_values_times_denominators_and_totals_of_regions_do_not_give_a_year_away():
    """Region totals less every count shown, or worked back from a rate, leave two unknowns."""
    true = observations(annual=SMALL_YEAR)
    results = disclosed(annual=SMALL_YEAR)
    shown = results.series.loc[results.series["metric"] == "care_home_admissions"]
    worked_back = shown["numerator"].fillna(shown["value"] * shown["denominator"] / 100_000)
    unknown = Counter(shown.loc[worked_back.isna(), "period_start"].dt.year)
    assert unknown == {2013: 2}
    total = true.loc[
        (true["metric"] == "care_home_admissions")
        & (true["period_start"].dt.year == 2013)
        & true["area_code"].isin(list(SIZES)[:4]),
        "numerator",
    ].sum()
    region = shown["area_code"].isin(list(SIZES)[:4]) & (shown["period_start"].dt.year == 2013)
    left = total - worked_back[region].sum()
    assert left - 5 >= 1  # the partner can be anything from left - 5 to left - 1, the small count 1 to 5


def test_hidden_figures_are_nobodys_peers_and_in_nobodys_rank():
    """Everything that is said of others, in words or numbers, is made from figures that are shown."""
    annual = {(TINY, 2014): 3.0}
    results, true = disclosed(annual=annual), disclosed("none", annual=annual)
    shown = results.windows.set_index(["metric", "payment", "area_code"])["outcome_value"]
    names = dict(zip(results.areas["area_name"], results.areas["area_code"], strict=True))
    for own in results.standings.to_dict("records"):
        values = shown.loc[own["metric"], own["payment"]].dropna()
        assert own["n_areas"] == len(values)
        assert (own["lowest"], own["highest"]) == (values.min(), values.max())
        rows = peers_of(own["area_code"], results.standings, results.peers)
        rows = rows.loc[rows["metric"] == own["metric"]]
        assert {names[row.peer]: row.value for row in rows.itertuples()} == {
            code: values[code] for code in values.index if code in {names[peer] for peer in rows["peer"]}
        }
    care = [table.loc[table["metric"] == "care_home_admissions"] for table in (results.peers, true.peers)]
    hidden = results.areas.set_index("area_code").loc[[TINY, PARTNER], "area_name"]
    assert not set(care[0]["peer"]) & set(hidden)
    assert set(hidden) <= set(care[1]["peer"])


def test_totals_over_months_are_the_true_ones_and_months_are_gone():
    results, true = disclosed(), observations()
    windows = results.windows.set_index(["area_code", "metric"])
    latest = windows.loc[(TINY, "non_elective_admissions")]
    own = true.loc[(true["area_code"] == TINY) & (true["metric"] == "non_elective_admissions")]
    year = own.loc[(own["period_start"] >= "2014-07-01") & (own["period_start"] <= "2015-06-01")]
    assert latest["outcome_period"] == "2014-07/2015-06"
    assert latest["outcome_numerator"] == year["numerator"].sum()
    assert latest["outcome_value"] == pytest.approx(latest["outcome_numerator"] / 12 / 2000 * 1e5, abs=0.05)
    assert np.isfinite(latest["change"])
    series = results.series.loc[
        (results.series["area_code"] == TINY) & (results.series["metric"] == "non_elective_admissions")
    ]
    assert series["numerator"].isna().all()
    assert not (results.seasons["area_code"] == TINY).any()


def test_small_total_over_months_is_withheld_with_what_rests_on_it():
    zero = {(TINY, f"{month:%Y-%m}"): 0.0 for month in pd.date_range("2012-04-01", "2015-06-01", freq="MS")}
    results = disclosed(monthly=zero | {(TINY, "2014-02"): 2.0, (TINY, "2015-02"): 9.0})
    row = results.windows.set_index(["area_code", "metric"]).loc[(TINY, "non_elective_admissions")]
    assert np.isnan(row["baseline_numerator"])
    assert np.isnan(row["baseline_value"])
    assert np.isnan(row["change"])
    assert "small number" in row["baseline_reason"]
    assert row["outcome_numerator"] == 9
    for name in ("outlooks", "ladders"):
        rows = getattr(results, name)
        assert not ((rows["area_code"] == TINY) & (rows["metric"] == "non_elective_admissions")).any()


def test_other_areas_are_shown_in_full():
    results = disclosed(annual=SMALL_YEAR)
    shown = results.series.loc[~results.series["area_code"].isin([TINY, PARTNER])]
    expected = observations(annual=SMALL_YEAR).set_index(["area_code", "metric", "period_start"])["numerator"]
    found = shown.set_index(["area_code", "metric", "period_start"])["numerator"]
    assert (shown["status"] == "ok").all()
    assert len(found) == 6 * (len(YEARS) + 39)
    assert found.to_dict() == {key: expected[key] for key in found.index}


def test_rounding_shows_multiples_of_five_and_keeps_rates():
    rounded, true = disclosed("hes-2018"), disclosed("none")
    for name, column in (("series", "numerator"), ("windows", "outcome_numerator")):
        counts = getattr(rounded, name)[column].dropna()
        assert len(counts) > 7
        assert (counts % 5 == 0).all()
    key = ["area_code", "metric", "payment"]
    both = rounded.windows.merge(true.windows, on=key)
    both = both.loc[~both["area_code"].isin([TINY, PARTNER])]
    np.testing.assert_allclose(both["outcome_value_x"], both["outcome_value_y"], rtol=1e-12)


def test_one_area_alone_with_nothing_but_small_numbers():
    alone = data()
    rows = alone.observations.loc[alone.observations["area_code"] == TINY]
    months = rows.loc[rows["metric"] == "non_elective_admissions"]
    results = disclose(replace(alone, observations=months.reset_index(drop=True)), assess, "hes-2014")
    assert results.series["numerator"].isna().all()
    assert results.windows["outcome_numerator"].tolist() == [months["numerator"].iloc[-12:].sum()]


def test_what_was_found_wrong_is_not_quoted():
    broken = data()
    table = broken.observations.copy()
    table.loc[0, "numerator"] = -4.0
    areas = disclose(replace(broken, observations=table), assess, "hes-2014").areas
    (problem,) = [text for text in areas["problem"] if text]
    assert "numerator" in problem
    assert "-4" not in problem


def test_every_figure_read_from_a_published_file_is_under_no_rule(real_processed):
    found = load(real_processed)
    rules = rules_of(found, "hes-2018")
    under = found.observations.loc[[one.id != "none" for one in rules], "source"]
    kinds = {entry["file"]: entry.get("kind") for entry in found.manifest["files"]}
    assert {kinds[name] for name in under.unique()} <= {"plain table of observations"}
    assert "Monthly Activity Return by commissioner" in kinds.values()
