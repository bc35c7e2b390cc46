"""Rows are counted by what they are rows of: a place in a payment has one answer, given once or twice."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.define.schemes import payment_key, scheme
from bcfstats.errors import InputError, ParameterError
from bcfstats.example.data import example_data
from bcfstats.judge.baseline import baseline
from bcfstats.judge.board import as_targets, board_metrics, metrics_due
from bcfstats.judge.outlooks import Outlooks
from bcfstats.judge.payment import payment, quarterly_payment
from bcfstats.judge.phasing import phase
from bcfstats.judge.plan import ambition_consistency, screen_local_metric
from bcfstats.judge.risk import payment_chances, risk_register
from tests.judge.made_up import panel
from tests.judge.test_risk import SHARES, assessed, groups

APRIL = ("delayed_transfers", "avoidable_emergency_admissions", "falls_injuries")


def row(metric, outcome=920.0, payment_id="2015-04", **given):
    base = {"area_code": "X", "metric": metric, "payment": payment_id, "baseline_value": 1000}
    return {**base, "target_value": 900, "outcome_value": outcome, **given}


def board(*rows):
    return payment(pd.DataFrame(rows)).boards.iloc[0]


def test_one_metric_three_times_is_one_of_three_due():
    found = board(*[row("delayed_transfers")] * 3)
    assert (found["metrics_due"], found["metrics_judged"], found["metrics_achieved"]) == (3, 1, 1)
    assert found["achieved"] is pd.NA
    assert found["note"] == "given more than once, counted once at most: delayed_transfers"


def test_two_local_metrics_have_one_place():
    """Both reached: the local place is reached, and one of three is missing. They disagree: it is open."""
    recovery = row("fragility_fracture_recovery", 1000, baseline_value=900, target_value=1000)
    agree = board(row("delayed_transfers"), row("falls_injuries"), recovery)
    assert (agree["metrics_judged"], agree["metrics_achieved"], agree["achieved"]) == (2, 2, pd.NA)
    apart = board(*map(row, APRIL), row("falls_injuries", 990))
    assert (apart["metrics_judged"], apart["achieved"]) == (2, pd.NA)


def test_a_repeat_does_not_count_its_money_twice():
    money = pd.DataFrame(
        {"area_code": ["X"], "payment": ["2015-04"], "pounds": [300.0], "is_estimate": [False]}
    )
    rows = [row(APRIL[0]), row(APRIL[0]), row(APRIL[1], 990)]
    found = payment(pd.DataFrame(rows), allocations=money).boards.iloc[0]
    assert (found["money_at_stake"], found["money_on_achieved"]) == (200, 100)


def test_a_payment_in_two_spellings_is_one_board():
    spelt = ("2015-04", "April 2015", "Apr-15")
    given = [row(name, payment_id=text) for name, text in zip(APRIL, spelt, strict=True)]
    found = payment(pd.DataFrame(given))
    assert found.boards[["payment", "metrics_judged", "achieved"]].values.tolist() == [["2015-04", 3, True]]
    assert payment_key("Q4 2014/15") == payment_key("Jan-Mar 2015")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, "Float32", "Float64", object])
def test_exactly_the_line_is_reached_in_any_precision(dtype):
    """From 424.4 to 381.96, 10 % less: the line is 394.692, computed as the start less 0.7 of the way."""
    values = pd.DataFrame({"baseline_value": [424.4], "target_value": [381.96]}).astype(dtype)
    start, target = values.iloc[0, 0], values.iloc[0, 1]
    line = start - (start - target) * type(start)(0.7)
    rows = pd.DataFrame([row(APRIL[0])]).assign(**values, outcome_value=pd.Series([line]).astype(dtype))
    assert payment(rows).metrics["achieved"][0]
    short = rows.assign(outcome_value=pd.Series([line + type(line)(0.01)]).astype(dtype))
    assert not payment(short).metrics["achieved"][0]


@pytest.mark.parametrize("wrong", ["*", "1,000", "n/a", True])
def test_what_is_no_number_is_refused_in_plain_words(wrong):
    with pytest.raises(InputError, match="not a number"):
        board(row(APRIL[0], wrong))


@pytest.mark.parametrize("nothing", [None, np.nan, pd.NA, pd.NaT, "", " "])
def test_what_is_missing_is_no_outcome_yet(nothing):
    found = payment(pd.DataFrame([row(APRIL[0], nothing)])).metrics.iloc[0]
    assert (found["reason"], found["achieved"]) == ("no outcome yet", pd.NA)


def test_metrics_are_known_by_their_codes_and_others_are_refused():
    found = payment(pd.DataFrame([row("2A(2)", payment_id="2015-10")])).metrics
    assert found["metric"][0] == "care_home_admissions"
    with pytest.raises(ParameterError, match="no such metric"):
        board(row("foo"))


def test_no_line_lies_beyond_what_a_metric_can_be():
    """A share of 80 % that should be lower: under the reading of the level, 80 / 0.7 is above 100 %."""
    share = replace(METRICS["reablement"], polarity="lower")
    rows = pd.DataFrame([row("reablement", 99, "2015-10", baseline_value=90, target_value=80)])
    assert payment(rows, reading="level", metrics={**METRICS, "reablement": share}).metrics["line"][0] == 100


def test_repeats_are_no_further_chances():
    """0.2 each: one metric given three times leaves 1 of 3 known, not 0.2 to the power of 3."""
    found = payment_chances(assessed(["delayed_transfers"] * 3), correlation=0.0).iloc[0]
    assert (found["metrics_known"], found["expected_do_nothing"]) == (1, 0.2)
    assert np.isnan(found["all_do_nothing"])
    assert "counted once at most: delayed_transfers" in found["note"]
    spelt = assessed(payment=["2015-04", "April 2015", "Apr-15"])
    assert payment_chances(spelt, correlation=0.0)["metrics_known"].tolist() == [3]
    apart = payment_chances(assessed(["delayed_transfers"] * 2, p_paid_do_nothing=[0.2, 0.9])).iloc[0]
    assert np.isnan(apart["expected_do_nothing"])


def test_two_targets_for_the_same_money_are_no_two_risks():
    twice = assessed(["delayed_transfers"] * 2, payment=["2015-04", "April 2015"], target_value=[90.0, 80.0])
    with pytest.raises(InputError, match="same money"):
        risk_register(twice)
    assert len(risk_register(assessed(["delayed_transfers"] * 2))) == 1


def test_a_metric_that_is_paid_for_already_is_no_local_metric():
    for name in ("delayed_transfers", "reablement", "non_elective_admissions"):
        with pytest.raises(ParameterError, match="cannot be chosen as the local one"):
            metrics_due(scheme(), name, {}, METRICS)


def test_a_choice_may_spell_its_payment_as_it_likes_but_stands_once():
    here = board_metrics(example_data(n_areas=2))
    made = as_targets(here, [("delayed_transfers", "April 2015", -5.0)], "test")
    assert made["payment"].tolist() == ["2015-04"]
    with pytest.raises(ParameterError, match="chosen once"):
        as_targets(here, [("delayed_transfers", text, -5.0) for text in ("2015-04", "Apr 2015")], "test")


def test_a_group_that_stands_twice_covers_no_more_of_an_area():
    with pytest.raises(InputError, match="two shares"):
        ambition_consistency(assessed(), groups([-10.0]), pd.concat([SHARES, SHARES]))
    spelt = groups([-10.0, -10.0, -10.0], payment="April 2015")
    assert ambition_consistency(assessed(APRIL[:1]), spelt, SHARES)["finding"].tolist() == ["agrees"]


@pytest.mark.parametrize("given", [{"answers": {"strategy": True}}, {"verdict": "splendid"}])
def test_answers_and_verdicts_that_are_none_are_refused(given, months):
    with pytest.raises(ParameterError):
        screen_local_metric("falls_injuries", months([1.0]), "X1", **given)


def test_exact_values_stay_exact():
    for outcome, reached in ((Decimal("930"), True), (Decimal("930.000000000000000001"), False)):
        assert payment(pd.DataFrame([row(APRIL[0], outcome)])).metrics["achieved"][0] == reached


def test_a_table_of_quarters_names_each_area_once_and_the_same_ones():
    plan = pd.DataFrame({"Q1": [1000.0, 900.0], "Q2": [990.0, 890.0]}, index=["X", "Y"])
    assert quarterly_payment(plan, plan - 10, plan - 10).earned_pounds[1, 0] > 0
    with pytest.raises(InputError, match=r"stands twice.*X"):
        quarterly_payment(plan.rename({"Y": "X"}), plan - 10, plan)
    with pytest.raises(ParameterError, match="same areas and quarters"):
        quarterly_payment(plan, plan - 10, plan.iloc[::-1])


@pytest.mark.parametrize("given", [930 * (1 + 1e-12), 930.0, np.nextafter(930, 940)])
def test_what_is_off_the_line_by_rounding_alone_is_on_it(given):
    assert board(row(APRIL[0], given), row(APRIL[1]), row(APRIL[2]))["achieved"]
    assert not board(row(APRIL[0], 930.01), row(APRIL[1]), row(APRIL[2]))["achieved"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda twice: baseline(twice, "delayed_transfers", "Apr-Dec 2013"),
        lambda twice: Outlooks(twice, "bcf-2013-12"),
        lambda twice: phase(twice, "delayed_transfers", "Apr-Dec 2014", "X00", 900.0),
        lambda twice: screen_local_metric("delayed_transfers", twice, "X00"),
    ],
)
def test_a_month_that_stands_twice_is_refused_by_name(ask):
    rows = panel(n_areas=3, months=48)
    with pytest.raises(InputError, match=r"more than one figure.*X00, delayed_transfers, April 2010"):
        ask(pd.concat([rows, rows.head(1).assign(numerator=7.0)]))
