"""Numbers by hand and from methods.md; each trap of domain.md section 9 through the public function."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bcfstats.define.metrics import METRICS
from bcfstats.define.schemes import scheme
from bcfstats.errors import InputError, ParameterError
from bcfstats.example.data import example_data, example_targets
from bcfstats.judge.ambitions import COLUMNS, assess_ambitions
from bcfstats.judge.outlook import History
from bcfstats.judge.targets import Cutoffs, proposal, reach
from bcfstats.judge.verdicts import VERDICTS
from bcfstats.read.data import load
from bcfstats.read.targets import read_targets
from tests.judge.made_up import an_outlook, panel, targets, yearly

MOST_WORDS = 25


@pytest.fixture(scope="module")
def wandering():
    return panel()


def assess_one(observations, **given):
    row = {"area_code": "X00", "metric": "delayed_transfers", **given}
    return assess_ambitions(observations, targets([row])).iloc[0]


# Arithmetic


def test_chances_as_worked_by_hand():
    """C = 980, s = .10, line 930: .300251 if nothing is done, .701918 if the plan works (methods.md G22)."""
    view = an_outlook(expected=np.array([980.0]))
    line = np.array([930.0])
    assert view.chance(line)[0] == pytest.approx(0.300251, abs=1e-6)
    works = view.improvement(np.array([1000.0]), np.array([900.0]))
    assert view.chance(line, works)[0] == pytest.approx(0.701918, abs=1e-6)


def test_minimum_significant_and_detectable_values():
    """s^2 = .02125 with 8 degrees of freedom: .714512 and .632016 of the baseline (methods.md G24)."""
    view = an_outlook(usual_scale=np.array([np.sqrt(0.02125)]), usual_df=np.array([8.0]))
    assert view.minimum_significant()[0] == pytest.approx(714.512, abs=5e-4)
    assert view.detectable()[0] == pytest.approx(632.016, abs=5e-4)


def test_the_line_of_a_detectable_ambition_is_the_significance_line():
    """z.975 / (z.975 + z.80) = .69959: 2.5 % paid for nothing, 80 % if the plan works (methods.md 5.2)."""
    view = an_outlook("reablement", scale="difference", value=np.array([50.0]), expected=np.array([50.0]),
                      usual_scale=np.array([4.0]), expected_scale=np.array([4.0]))  # fmt: skip
    target = view.detectable()
    line = 50 - 0.7 * (50 - target)
    assert view.chance_if_nothing_changes(line)[0] == pytest.approx(0.0249, abs=1e-4)
    assert view.chance(line, view.improvement(view.value, target))[0] == pytest.approx(0.7997, abs=1e-4)


def test_a_cut_of_3_75_per_cent_after_growth_of_2_per_cent_is_1_8_net():
    """1.02 x .9625 = .98175 (Wiltshire's case, domain.md section 8)."""
    view = an_outlook(expected=np.array([1020.0]))
    row = targets([{"area_code": "X0", "metric": "x", "change_percent": -3.75, "against": "projected"}])
    found = proposal(view, row)
    assert found.value[0] == pytest.approx(981.75)
    assert found.start[0] == 1020


def test_a_count_is_a_rate_over_the_population_expected(wandering):
    """9,000 days over 9 months in 102,000 people are 980.4 per 100,000 a month, not 1,000."""
    view = an_outlook(people=np.array([102_000.0]))
    found = proposal(view, targets([{"area_code": "X0", "metric": "x", "target_numerator": 9000}]))
    assert found.value[0] == pytest.approx(9000 / 9 / 1.02)
    assert "2.0 % more people" in found.warnings[0]
    assert found.events[0] == pytest.approx(1000 * 9 * 1.02 - 9000)


def test_every_way_of_giving_a_target_gives_the_same_assessment(wandering):
    base = assess_one(wandering, change_percent=-10)
    value = assess_one(wandering, target_value=base["target_value"])
    count = assess_one(wandering, target_numerator=base["baseline_numerator"] * 0.9)
    for other in (value, count):
        for column in ("ambition_percent", "payment_line", "p_paid_do_nothing", "reach", "noise_p"):
            assert other[column] == pytest.approx(base[column], rel=1e-9)
        assert other["verdict"] == base["verdict"]
    assert base["payment_line"] == pytest.approx(0.93 * base["baseline_value"])
    assert base["ambition_per_month"] == pytest.approx(base["baseline_numerator"] * 0.1 / 9)


def test_reach_counts_past_changes_and_its_interval_is_jeffreys():
    changes = np.array([[-0.3, -0.2, 0.1, np.nan], [0.2, 0.3, -0.05, 0.0]])
    history = History(("A", "B"), changes, np.array([2.0, 3.0]), 1.0, "")
    found = reach(history, np.array([0.2, 0.5]), -1.0, np.array(["A", "B"], dtype=object))
    assert found.share.tolist() == [2 / 7, 0]
    assert found.n_changes.tolist() == [7, 7]
    x = 2 / 7 * 5
    assert found.lower[0] == pytest.approx(stats.beta.ppf(0.025, x + 0.5, 5 - x + 0.5))
    assert found.upper[1] == pytest.approx(stats.beta.ppf(0.975, 0.5, 5.5))
    of_peers = reach(history, np.array([0.2]), -1.0, np.array(["A"], dtype=object), {"A": ["B"]})
    assert (of_peers.share[0], of_peers.n_areas[0]) == (0, 1)


# Verdicts


@pytest.mark.parametrize(
    ("change", "verdict"),
    [(5, "not_an_improvement"), (0, "not_an_improvement"), (-1, "within_noise"), (-90, "unprecedented")],
)
def test_verdicts_from_no_improvement_to_unheard_of(change, verdict):
    steady = panel(wander=0.003, drift=0.01)
    assert assess_one(steady, change_percent=change)["verdict"] == verdict


def test_a_target_that_the_trend_beats():
    falling = panel(drift=-0.10, wander=0.005)
    found = assess_one(falling, change_percent=-2)
    assert found["verdict"] == "beaten_by_trend"
    assert not found["beats_trend"]
    assert found["do_nothing_value"] < found["target_value"]


def test_a_target_that_only_slows_growth_is_caught_and_has_no_payment_line():
    growing = panel(drift=0.10, wander=0.005)
    found = assess_one(growing, change_percent=1)
    assert found["verdict"] == "not_an_improvement"
    assert found["beats_trend"]
    assert "slow growth, not improve" in found["reasons"]
    chances = [name for name in COLUMNS if name.startswith("p_paid")]
    assert found[["payment_line", *chances]].isna().all()
    assert "no payment line" in found["reasons"]


def test_chances_never_rise_as_a_target_gets_harder():
    """With a forecast above the baseline as well as below it, and none where the target is no improvement."""
    for drift in (0.10, -0.10):
        rows = panel(drift=drift, wander=0.005)
        values = np.linspace(0.5, 1.5, 41)
        goals = targets(
            [
                {"area_code": "X00", "metric": "delayed_transfers", "target_value": value}
                for value in values * assess_one(rows, change_percent=-1)["baseline_value"]
            ]
        )
        found = assess_ambitions(rows, goals)
        better = found["target_value"] < found["baseline_value"]
        for name in ("p_paid_do_nothing", "p_paid_no_change"):
            assert (np.diff(found.loc[better, name]) >= 0).all()
            assert found.loc[~better, name].isna().all()
            assert found.loc[better, name].notna().all()


def test_cutoffs_are_the_users(wandering):
    found = assess_one(wandering, change_percent=-16)
    row = targets([{"area_code": "X00", "metric": "delayed_transfers", "change_percent": -16}])
    strict = assess_ambitions(wandering, row, cutoffs=Cutoffs(luck=1e-9, reach=0.0)).iloc[0]
    assert found["verdict"] == "challenging_and_achievable"
    assert strict["verdict"] == "too_easy"


def test_both_polarities_are_mirror_images():
    """A share that is better higher, and its complement that is better lower, get the same judgement."""
    rng = np.random.default_rng(2)
    values = np.clip(60 + np.cumsum(rng.normal(0, 3, (40, 4)), axis=1), 5, 95)
    up = METRICS["reablement"]
    down = replace(up, id="not_at_home", polarity="lower")
    rows = pd.concat(
        [
            yearly("reablement", values, 400.0),
            yearly("reablement", 100 - values, 400.0).assign(metric=down.id),
        ]
    )
    base = np.round(values[0, -1], 6)
    goals = targets(
        [
            {"area_code": "X00", "metric": up.id, "payment": "2014/15", "target_value": base + 6},
            {"area_code": "X00", "metric": down.id, "payment": "2014/15", "target_value": 100 - base - 6},
        ]
    )
    found = assess_ambitions(rows, goals, metrics={**METRICS, down.id: down})
    assert found["verdict"].nunique() == 1
    assert found["verdict"][0] not in ("cannot_be_assessed", "not_an_improvement")
    for column in ("noise_p", "history_p", "p_paid_do_nothing", "p_paid_if_delivered", "reach"):
        assert found[column][0] == pytest.approx(found[column][1], rel=1e-6), column
    for column in ("payment_line", "minimum_significant_value", "detectable_value", "do_nothing_value"):
        assert found[column][0] + found[column][1] == pytest.approx(100, abs=1e-6), column


# Traps of domain.md section 9


def test_trap_1_a_series_break_between_baseline_and_payment_year():
    rows = yearly("care_home_admissions", np.full((30, 4), 650.0), 30_000.0)
    goal = {"area_code": "X00", "metric": "care_home_admissions", "payment": "2015-10", "change_percent": -10}
    found = assess_ambitions(rows, targets([goal])).iloc[0]
    assert found["verdict"] == "cannot_be_assessed"
    assert "Series break on 2014-04-01" in found["reasons"]
    assert found["baseline_value"] == pytest.approx(650)
    assert np.isnan(found["p_paid_do_nothing"])


def test_trap_2_months_of_a_missing_provider_are_no_baseline(wandering):
    gone = wandering.copy()
    lost = (gone["area_code"] == "X00") & gone["period_start"].between("2013-04-01", "2013-12-01")
    gone.loc[lost, "numerator"] *= 0.1
    gone.loc[lost, "status"] = "suspect"
    gone.loc[lost, "status_note"] = "a provider did not submit"
    found = assess_one(gone, change_percent=-3.5)
    assert found["verdict"] == "cannot_be_assessed"
    assert "A provider did not submit" in found["reasons"] or "no month" in found["reasons"].lower()


def test_trap_3_windows_of_nine_and_six_months_have_each_their_own_baseline(wandering):
    goals = [
        {"area_code": "X00", "metric": "delayed_transfers", "payment": payment, "change_percent": -10}
        for payment in ("2015-04", "2015-10")
    ]
    found = assess_ambitions(panel(months=57), targets(goals))
    assert found["baseline_period"].tolist() == ["2013-04/2013-12", "2014-01/2014-06"]


def test_trap_3_a_rate_for_the_whole_window_is_not_taken_for_a_monthly_average(wandering):
    whole = 9 * assess_one(wandering, change_percent=-5)["target_value"]
    found = assess_one(wandering, target_value=whole)
    assert found["verdict"] == "cannot_be_assessed"
    assert "average per month" in found["reasons"]


def test_trap_4_summer_is_compared_with_summer_and_winter_with_winter():
    rows = panel("avoidable_emergency_admissions", months=54)
    goals = [
        {
            "area_code": "X00",
            "metric": "avoidable_emergency_admissions",
            "payment": payment,
            "change_percent": -5,
        }
        for payment in ("2015-04", "2015-10")
    ]
    found = assess_ambitions(rows, targets(goals))
    assert found["baseline_period"].tolist() == ["2013-04/2013-09", "2013-10/2014-03"]
    summer = found["baseline_value"][0]
    goals[1]["baseline_value"] = summer * 1.2
    warned = assess_ambitions(rows, targets(goals))["warnings"][1]
    assert "the target file gives a baseline of" in warned


def test_trap_7_the_dementia_denominator_changes_in_april_2015():
    rows = yearly("dementia_diagnosis", np.full((30, 5), 55.0), 3000.0)
    goal = {"area_code": "X00", "metric": "dementia_diagnosis", "payment": "2015/16", "target_value": 60}
    found = assess_ambitions(rows, targets([goal])).iloc[0]
    assert found["verdict"] == "cannot_be_assessed"
    assert "2015-04-01" in found["reasons"]


def test_trap_8_two_points_are_no_trend():
    values = np.random.default_rng(3).normal(8.0, 0.2, (30, 2))
    rows = yearly("carer_quality_of_life", values, 400.0, lower_ci=values.ravel() - 0.3,
                  upper_ci=values.ravel() + 0.3)  # fmt: skip
    rows["period_start"] = np.where(
        rows["period_start"] == "2010-04-01", pd.Timestamp(2016, 4, 1), pd.Timestamp(2018, 4, 1)
    )
    rows["period_end"] = rows["period_start"] + pd.DateOffset(years=1, days=-1)
    goal = {"area_code": "X00", "metric": "carer_quality_of_life", "payment": "2020/21", "target_value": 8.9}
    found = assess_ambitions(rows, targets([goal])).iloc[0]
    assert found["do_nothing_value"] == pytest.approx(found["baseline_value"])
    assert "two figures or fewer: no trend can be told" in found["warnings"]
    assert "2 years back" in found["warnings"]


def test_trap_9_a_proportion_above_100_and_a_rate_below_zero(wandering):
    rows = yearly("reablement", np.full((30, 4), 95.0), 300.0)
    goal = {"area_code": "X00", "metric": "reablement", "payment": "2015-10", "change_percent": 10}
    above = assess_ambitions(rows, targets([goal])).iloc[0]
    assert above["verdict"] == "cannot_be_assessed"
    assert "above 100 %" in above["reasons"]
    assert "below zero" in assess_one(wandering, target_value=-1)["reasons"]


def test_a_ceiling_leaves_no_value_that_would_stand_out():
    values = 97 + np.random.default_rng(4).normal(0, 1.0, (30, 4))
    rows = yearly("reablement", values, 60.0)
    goal = {"area_code": "X00", "metric": "reablement", "payment": "2015-10", "target_value": 99.9}
    found = assess_ambitions(rows, targets([goal])).iloc[0]
    assert np.isnan(found["minimum_significant_value"])
    assert "No value that is possible would stand out" in found["reasons"]


# What may be known


def test_nothing_after_the_start_of_the_window_is_used(wandering):
    later = panel(months=60)
    later.loc[later["period_start"] >= "2014-04-01", "numerator"] *= 3
    with_outcome, without = (
        assess_one(rows, change_percent=-10)
        for rows in (later, later.loc[later["period_start"] < "2014-04-01"])
    )
    numbers = [name for name in COLUMNS if isinstance(without[name], float)]
    assert len(numbers) > 20
    for name in numbers:
        assert with_outcome[name] == pytest.approx(without[name], nan_ok=True), name


def test_what_was_known_at_the_end_of_2012_has_an_older_baseline():
    rows = panel(months=60)
    goal = targets([{"area_code": "X00", "metric": "delayed_transfers", "change_percent": -10}])
    found = assess_ambitions(rows, goal, known_until="Dec 2012").iloc[0]
    assert found["baseline_period"] == "2012-04/2012-12"
    assert "2 years back" in found["warnings"]


def test_open_periods_unknown_areas_and_metrics_without_data_say_so(wandering):
    goals = [
        {"area_code": "X00", "metric": "dementia_diagnosis", "change_percent": 5},
        {"area_code": "X99", "metric": "delayed_transfers", "change_percent": -5},
        {"area_code": "X00", "metric": "reablement", "change_percent": 5},
        {"area_code": "X00", "metric": "reablement", "payment": "2015-10", "change_percent": 5},
    ]
    found = assess_ambitions(wandering, targets(goals))
    assert (found["verdict"] == "cannot_be_assessed").all()
    for reason, words in zip(
        found["reasons"],
        ["depends on the source", "no figures for this area", "annually (43)", "no observations"],
        strict=True,
    ):
        assert words in reason


def test_wrong_tables_are_refused(wandering):
    with pytest.raises(InputError, match="change_percent"):
        assess_ambitions(wandering, pd.DataFrame({"area_code": ["X00"]}))
    with pytest.raises(ParameterError, match="no such metric"):
        assess_one(wandering, metric="waiting")


def test_money_is_a_third_of_aprils_and_a_sixth_of_octobers():
    rows = panel(months=57)
    money = pd.DataFrame(
        {
            "area_code": "X00",
            "payment": ["2015-04", "2015-10"],
            "pounds": 600_000.0,
            "is_estimate": [False, True],
        }
    )
    goals = [
        {"area_code": "X00", "metric": "delayed_transfers", "payment": payment, "change_percent": -10}
        for payment in ("2015-04", "2015-10")
    ]
    found = assess_ambitions(rows, targets(goals), allocations=money)
    assert found["money_at_stake"].tolist() == [200_000, 100_000]
    assert found["money_is_estimate"].tolist() == [False, True]


def test_the_scheme_of_july_2014_has_no_line_and_says_so():
    rows = panel("non_elective_admissions", months=57)
    goal = {
        "area_code": "X00",
        "metric": "non_elective_admissions",
        "payment": "Q4 2014/15",
        "change_percent": -3.5,
    }
    found = assess_ambitions(rows, targets([goal]), "bcf-2014-07").iloc[0]
    assert found["payment_line"] == pytest.approx(found["target_value"])
    assert "pays by degrees" in found["warnings"]


# Words


def split(text):
    return re.split(r"(?<=[.])\s+(?=[A-Z0-9])", text)


@pytest.fixture(scope="module")
def example():
    data = example_data(n_areas=60)
    rows = example_targets(60).rename(columns={"area": "area_code"})
    open_ = rows["metric"].map(lambda name: METRICS[name].group == "local")
    rows["payment"] = rows["payment"].where(
        ~open_, rows["payment"].map({"2015-04": "2013/14", "2015-10": "2014/15"})
    )
    return assess_ambitions(data.observations, targets(rows.to_dict("records")))


@pytest.mark.slow
def test_no_sentence_has_more_than_25_words(example):
    assert len(example) > 500
    assert example["verdict"].nunique() >= 6
    for reasons in example["reasons"].unique():
        for sentence in split(reasons):
            assert len(sentence.split()) <= MOST_WORDS, sentence
            assert sentence.endswith("."), sentence
            assert "nan" not in sentence.split(), sentence


@pytest.mark.slow
def test_every_verdict_has_reasons_and_every_missing_number_one(example):
    assert set(example["verdict"]) <= set(VERDICTS)
    assert (example["reasons"].str.len() > 0).all()
    judged = example.loc[example["verdict"] != "cannot_be_assessed"]
    for column in ("baseline_value", "target_value", "history_p"):
        assert judged[column].notna().all(), column
    improves = judged["verdict"] != "not_an_improvement"
    for column in ("p_paid_do_nothing", "payment_line"):
        assert (judged[column].notna() == improves).all(), column


@pytest.mark.slow
def test_the_sentences_say_what_was_compared_how_sure_and_what_would_change_it(example):
    judged = example.loc[example["verdict"] == "within_noise"].iloc[0]
    for words in ("the baseline of", "If nothing is done", "in 100", "payment line of", "would be needed"):
        assert words in judged["reasons"]


@pytest.mark.slow
def test_probabilities_are_probabilities_and_ordered(example):
    judged = example.loc[example["verdict"] != "cannot_be_assessed"]
    for column in ("p_paid_no_change", "p_paid_do_nothing", "p_paid_if_delivered", "reach"):
        assert judged[column].dropna().between(0, 1).all()
    better = judged.loc[judged["verdict"] != "not_an_improvement"]
    assert (better["p_paid_if_delivered"] >= better["p_paid_if_half_delivered"]).all()
    assert (better["p_paid_if_half_delivered"] >= better["p_paid_do_nothing"]).all()


# Published data


def test_solihull_is_not_rewarded_for_a_provider_that_did_not_submit(real_processed, tmp_path):
    """Heart of England did not submit: Q2 and Q3 2014/15 are no baseline for Q2 and Q3 2015/16 (trap 2)."""
    path = tmp_path / "targets.csv"
    path.write_text(
        "area,metric,payment,change_percent\n"
        + "".join(f"{area},non_elective_admissions,Q2 2015/16,-3.5\n" for area in ("Solihull", "Leeds"))
    )
    rules = scheme("bcf-2014-07")
    found = assess_ambitions(load(real_processed).observations, read_targets(path, scheme=rules), rules)
    assert found["verdict"][0] == "cannot_be_assessed"
    assert found["verdict"][1] != "cannot_be_assessed"


def test_southampton_on_the_published_files(real_processed, tmp_path):
    """domain.md section 5: 424.4 a month in April to December 2013."""
    path = tmp_path / "targets.csv"
    path.write_text("area,metric,payment,change_percent\nSouthampton,delayed_transfers,2015-04,-3.5\n")
    found = assess_ambitions(load(real_processed).observations, read_targets(path)).iloc[0]
    assert round(found["baseline_value"], 1) == 424.4
    assert found["target_value"] == pytest.approx(0.965 * found["baseline_value"])
    assert found["verdict"] in ("within_noise", "beaten_by_trend")


def test_the_nation_can_be_told_to_move():
    """With England up 5 %, the areas' forecasts add up to 5 % over the same months before."""
    rows = panel()
    goals = targets(
        [{"area_code": f"X{i:02d}", "metric": "delayed_transfers", "change_percent": -5} for i in range(40)]
    )
    told = assess_ambitions(rows, goals, england=0.05)
    assert told["do_nothing_value"].sum() / told["baseline_value"].sum() == pytest.approx(1.05, abs=1e-6)
    assert (
        told["p_paid_do_nothing"].mean()
        < assess_ambitions(rows, goals, england=-0.05)["p_paid_do_nothing"].mean()
    )


@pytest.mark.slow
def test_the_value_that_would_change_the_verdict_does(example):
    """Set at the value named, no target is within noise, too easy, beaten by the trend or no improvement."""
    data = example_data(n_areas=60)
    weak = example.loc[
        example["verdict"].isin(["within_noise", "too_easy", "beaten_by_trend", "not_an_improvement"])
        & example["challenging_value"].notna()
    ]
    sign = weak["metric"].map(lambda name: -1 if METRICS[name].polarity == "lower" else 1)
    better = weak["challenging_value"] * (1 + sign * 1e-6)
    goals = weak[["area_code", "metric", "payment"]].assign(target_value=better)
    found = assess_ambitions(data.observations, targets(goals.to_dict("records")))
    assert len(found) > 100
    assert set(found["verdict"]) <= {"challenging_and_achievable", "unprecedented", "cannot_be_assessed"}
    assert (found["verdict"] == "challenging_and_achievable").mean() > 0.5


def test_peers_are_named(wandering):
    row = targets([{"area_code": "X00", "metric": "delayed_transfers", "change_percent": -5}])
    assert assess_ambitions(wandering, row)["peers"][0] == "all areas"
    named = assess_ambitions(wandering, row, peers={"X00": ("X01", "X02")})["peers"][0]
    assert named == "Area X01, Area X02"


def test_an_extreme_last_year_says_how_much_goes_back_by_itself():
    """Yearly shocks that do not last: about all of an extreme change is lost again."""
    rng = np.random.default_rng(5)
    yearly_shock = np.exp(rng.normal(0, 0.15, (40, 5)))
    rows = panel(months=60, wander=0.0)
    year = (rows["period_start"].dt.year * 12 + rows["period_start"].dt.month - 4) // 12 - 2010
    area = rows["area_code"].str[1:].astype(int)
    rows["numerator"] = np.round(rows["numerator"] * yearly_shock[area, year])
    goals = targets(
        [{"area_code": f"X{i:02d}", "metric": "delayed_transfers", "change_percent": -5} for i in range(40)]
    )
    found = assess_ambitions(rows, goals)["warnings"]
    noted = found.str.contains("goes back by itself")
    assert 0 < noted.sum() <= 10  # beyond the 10th and 90th percentile
    shares = found[noted].str.extract(r"about (\d+) %")[0].astype(int)
    assert shares.between(
        30, 70
    ).all()  # half of the change of two independent years is the first year's shock


def test_two_areas_cannot_show_that_something_is_unprecedented():
    """No change of a few is as good, but the upper limit of 'never' in so few is far above 10 in 100."""
    few = panel(n_areas=2, wander=0.01)
    found = assess_one(few, change_percent=-60)
    assert found["verdict"] == "cannot_be_assessed"
    assert "too little history" in found["reasons"]
    assert found["reach"] == 0
    assert found["reach_upper"] > 0.1


def test_a_window_of_two_years_or_part_of_a_month_is_told_and_does_not_stop_the_table(wandering):
    goals = [
        {"area_code": "X00", "metric": "delayed_transfers", "payment": payment, "change_percent": -5}
        for payment in ("2013-04/2015-03", "2014-04-10/2014-06-30", "2015-04")
    ]
    found = assess_ambitions(wandering, targets(goals))
    assert found["reasons"].str.contains("one to twelve whole months").tolist() == [True, True, False]
