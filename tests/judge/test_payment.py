"""Boundaries, weights and sums by hand from the annex, paragraphs 36 to 61."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from bcfstats.define.schemes import scheme
from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.payment import ambiguity, exact, payment

APRIL = ("delayed_transfers", "avoidable_emergency_admissions", "dementia_diagnosis")
OCTOBER = (*APRIL, "care_home_admissions", "reablement", "patient_experience")
HIGHER = {"dementia_diagnosis", "reablement", "patient_experience"}


def outcomes(metrics=APRIL, payment_id="2015-04", outcome=None, **given):
    """Each metric set to go from 100 to 90 (or to 110), with its outcome."""
    rows = [
        {
            "area_code": "X",
            "metric": metric,
            "payment": payment_id,
            "baseline_value": 100,
            "target_value": 110 if metric in HIGHER else 90,
            "outcome_value": (outcome or {}).get(metric, 110 if metric in HIGHER else 90),
        }
        for metric in metrics
    ]
    return pd.DataFrame(rows).assign(**given)


@pytest.mark.parametrize(
    ("metric", "outcome", "share", "achieved"),
    [
        ("delayed_transfers", 93, 0.70, True),  # methods.md G21
        ("delayed_transfers", "93.0000000001", 0.7, False),
        ("delayed_transfers", 94, 0.60, False),
        ("reablement", 107, 0.70, True),
        ("reablement", "106.9999999999", 0.7, False),
        ("reablement", 100, 0.0, False),
        ("delayed_transfers", 110, -1.0, False),
    ],
)
def test_exactly_70_per_cent_counts_and_a_hair_less_does_not(metric, outcome, share, achieved):
    payment_id = "2015-10"
    found = payment(outcomes([metric], payment_id, {metric: outcome})).metrics.iloc[0]
    assert found["share"] == pytest.approx(share, abs=1e-9)
    assert found["achieved"] == achieved


@pytest.mark.parametrize("number", [0.1, 0.2, 0.3, 1 / 3, 424.4, 1e-7, 123456.789])
@pytest.mark.parametrize("way", [str, float, Decimal, Fraction])
def test_the_boundary_is_exact_whatever_the_numbers(number, way):
    """From b to b - 10 d, the line lies at b - 7 d, where floats may fall on either side."""
    b, d = Fraction(str(round(number * 1000, 6))), Fraction(str(round(number, 10)))
    as_given = {
        str: lambda x: str(float(x)),
        float: float,
        Decimal: lambda x: Decimal(x.numerator) / x.denominator,
    }
    write = as_given.get(way, lambda x: x)
    if way is not Fraction and any(exact(write(x)) != x for x in (b, b - 10 * d, b - 7 * d)):
        pytest.skip("this number has no finite decimal form")
    rows = outcomes(["delayed_transfers"]).assign(
        baseline_value=[write(b)], target_value=[write(b - 10 * d)], outcome_value=[write(b - 7 * d)]
    )
    assert payment(rows).metrics["achieved"][0]
    rows["outcome_value"] = [b - 7 * d + Fraction(1, 10**15)]
    assert not payment(rows).metrics["achieved"][0]


def test_three_metrics_share_april_and_six_october_equally():
    money = pd.DataFrame(
        {
            "area_code": "X",
            "payment": ["2015-04", "2015-10"],
            "pounds": [300_000.0, 600_000.0],
            "is_estimate": False,
        }
    )
    rows = pd.concat([outcomes(), outcomes(OCTOBER, "2015-10")])
    found = payment(rows, allocations=money)
    assert (found.metrics["money_at_stake"] == 100_000).all()
    assert found.boards["metrics_due"].tolist() == [3, 6]
    assert found.boards["money_at_stake"].tolist() == [300_000, 600_000]
    assert found.boards["achieved"].tolist() == [True, True]
    assert scheme("bcf-2013-12").payment("2015-10").metrics_millions == 500


@pytest.mark.parametrize(
    ("reading", "outcome", "achieved"),
    [
        ("distance", 93, True),
        ("distance", 94, False),
        ("level", 128, True),  # 90 / 0.7 = 128.6: a rise of 28 % still passes
        ("level", 129, False),
        ("count", 90, True),  # only the target itself will do
        ("count", 91, False),
    ],
)
def test_three_readings_of_the_line(reading, outcome, achieved):
    found = payment(outcomes(outcome={"delayed_transfers": outcome}), reading=reading)
    assert found.metrics["achieved"][0] == achieved
    assert found.reading.startswith("70% of the ")
    assert found.reading in found.notes[0]


def test_the_line_is_told_as_the_scheme_has_it():
    """A scheme that passes half of the way says 50%, everywhere."""
    half = replace(scheme(), pass_share=Decimal("0.5"))
    found = payment(outcomes(["delayed_transfers"], target_value=101), half)
    assert found.reading == "50% of the way from baseline to target, in each indicator"
    assert "50% of the way" in found.metrics["reason"][0]
    assert ambiguity(half).startswith("'50% of the ambition'")


def test_70_per_cent_of_six_indicators_is_five():
    """0.7 x 6 = 4.2 and 0.7 x 3 = 2.1: five and three are needed."""
    one_short = payment(outcomes(OCTOBER, "2015-10", {"reablement": 100}), reading="count").boards.iloc[0]
    assert (one_short["metrics_needed"], one_short["metrics_achieved"], one_short["achieved"]) == (5, 5, True)
    two_short = payment(
        outcomes(OCTOBER, "2015-10", {"reablement": 100, "delayed_transfers": 91}), reading="count"
    )
    assert not two_short.boards["achieved"][0]
    april = payment(outcomes(outcome={"delayed_transfers": 91}), reading="count").boards.iloc[0]
    assert (april["metrics_needed"], april["achieved"]) == (3, False)


def test_one_metric_short_means_a_recovery_plan_and_no_money_withdrawn():
    board = payment(outcomes(outcome={"delayed_transfers": 99})).boards.iloc[0]
    assert not board["achieved"]
    for words in ("recovery plan", "peer review", "NHS England directs", "No money is withdrawn in 2015/16"):
        assert words in board["what_follows"]
    assert "contingency" not in board["what_follows"]


def test_all_achieved_means_the_contingency_plan():
    board = payment(outcomes()).boards.iloc[0]
    assert "contingency plan" in board["what_follows"]
    assert "recovery plan" not in board["what_follows"]


def test_a_metric_without_an_outcome_leaves_the_board_open_unless_it_has_failed_already():
    waiting = outcomes()
    waiting["outcome_value"] = [93.0, np.nan, 107.0]
    assert payment(waiting).boards["achieved"].isna().all()
    assert payment(waiting).metrics["reason"][1] == "no outcome yet"
    waiting["outcome_value"] = [99.0, np.nan, 107.0]
    assert not payment(waiting).boards["achieved"][0]
    absent = payment(outcomes(APRIL[:2])).boards.iloc[0]
    assert absent["metrics_judged"] == 2
    assert pd.isna(absent["achieved"])


def test_a_target_that_is_no_improvement_is_not_judged():
    rows = outcomes(["delayed_transfers"], target_value=101)
    found = payment(rows).metrics.iloc[0]
    assert pd.isna(found["achieved"])
    assert "no improvement" in found["reason"]


def test_a_target_against_projected_demand_is_measured_from_the_projection():
    """From a projected 102 to 98: the line is 102 - 0.7 x 4 = 99.2."""
    rows = outcomes(["delayed_transfers"], target_value=98, outcome_value="99.2", projected_value=102)
    found = payment(rows).metrics.iloc[0]
    assert (found["line"], found["achieved"]) == (99.2, True)


def test_metrics_not_in_a_payment_carry_no_money_and_say_why():
    found = payment(outcomes(["reablement"])).metrics.iloc[0]
    assert found["weight"] == 0
    assert "annually (43)" in found["reason"]


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(ParameterError, match="distance"):
        payment(outcomes(), reading="strict")
    with pytest.raises(ParameterError, match="quarterly_payment"):
        payment(outcomes(), "bcf-2014-07")
    with pytest.raises(InputError, match="outcome_value"):
        payment(outcomes().drop(columns="outcome_value"))


def test_money_is_in_whole_pence_and_only_what_is_achieved_is_earned():
    """£100 over three metrics is £33.33 each; two of the three are reached."""
    money = pd.DataFrame(
        {"area_code": ["X"], "payment": ["2015-04"], "pounds": [100.0], "is_estimate": [True]}
    )
    found = payment(outcomes(outcome={"delayed_transfers": 99}), allocations=money)
    assert found.metrics["money_at_stake"].tolist() == [33.33] * 3
    assert found.metrics["money_is_estimate"].all()
    assert found.boards["money_at_stake"][0] == pytest.approx(99.99)
    assert found.boards["money_on_achieved"][0] == pytest.approx(66.66)
    elsewhere = payment(outcomes(area_code="Y"), allocations=money).metrics
    assert elsewhere["money_at_stake"].isna().all()
    assert not elsewhere["money_is_estimate"].any()


@pytest.mark.parametrize(
    ("column", "reason"), [("baseline_value", "no baseline"), ("target_value", "no target")]
)
def test_what_is_missing_is_named(column, reason):
    found = payment(outcomes(["delayed_transfers"], **{column: np.nan})).metrics.iloc[0]
    assert (found["reason"], pd.isna(found["achieved"])) == (reason, True)


def test_a_target_level_with_the_baseline_is_no_improvement_either_way():
    for metric in ("delayed_transfers", "dementia_diagnosis"):
        found = payment(outcomes([metric], target_value=100, outcome_value=100)).metrics.iloc[0]
        assert "no improvement" in found["reason"]


def test_shares_of_the_way_are_exact():
    """From 100 to 90: 95 is half of the way, 85 is half beyond it."""
    for outcome, share in ((95, 0.5), (85, 1.5), (105, -0.5)):
        rows = outcomes(["delayed_transfers"], outcome={"delayed_transfers": outcome})
        assert payment(rows).metrics["share"][0] == share
        assert payment(rows).metrics["line"][0] == 93
