"""What a board is told before it chooses, held against the functions that judge its choice."""

import numpy as np
import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.errors import ParameterError
from bcfstats.example.data import example_data
from bcfstats.judge import board as factors
from bcfstats.judge.ambitions import assess_ambitions
from bcfstats.judge.baseline import baseline
from bcfstats.judge.board import as_paid, as_targets, board_metrics
from bcfstats.judge.ladder import ambition_ladder
from bcfstats.judge.patterns import season_table
from bcfstats.judge.risk import payment_chances
from tests.judge.made_up import AGREED, CHOSEN, LOCAL


@pytest.fixture(scope="module")
def data():
    return example_data(n_areas=40)


@pytest.fixture(scope="module")
def board(data):
    return board_metrics(data, "Aldamount", local_metric=LOCAL, periods=AGREED)


@pytest.fixture(scope="module")
def judged(board):
    targets = as_targets(board, CHOSEN, "test")
    return assess_ambitions(board.observations, targets, board.rules).set_index(["metric", "payment"])


def test_due_are_the_table_of_paragraph_43_and_the_local_metric(board):
    """April 2015: delayed transfers, avoidable admissions, local; October 2015: all six."""
    paid = board.due.assign(paid=board.due["paid_in"].str.split(", ")).explode("paid")
    assert paid.groupby("paid")["metric"].nunique().to_dict() == {"April 2015": 3, "October 2015": 6}
    months = board.due.set_index(["metric", "payment"])["period"]
    assert months[("delayed_transfers", "2015-04")] == "2014-04/2014-12"
    assert months[("avoidable_emergency_admissions", "2015-10")] == "2014-10/2015-03"


def test_what_is_left_open_is_not_guessed(data):
    due = board_metrics(data, "Aldamount", local_metric=LOCAL).due.set_index("metric")
    assert due.loc["patient_experience", "period"] == ""
    assert due.loc["patient_experience", "note"] == "The details were to be confirmed (43)"


def test_baselines_are_those_of_the_same_months_a_year_before(board):
    told = factors.clear_baselines(board).set_index(["metric", "payment"])
    own = baseline(board.observations, "delayed_transfers", "Apr-Dec 2013", "X06000001").iloc[0]
    row = told.loc[("delayed_transfers", "2015-04")]
    assert [row[name] for name in ("value", "lower", "upper")] == [
        own[name] for name in ("value", "lower", "upper")
    ]
    broken = told.loc[("care_home_admissions", "2015-10")]
    assert not broken["clear"]
    assert "2014-04-01" in broken["remark"]


def test_levels_told_before_are_those_of_the_verdict(board, judged):
    needed = factors.improvements_needed(board).set_index(["metric", "payment"])
    ahead = factors.expected_trends(board).set_index(["metric", "payment"])
    for key, row in judged.iterrows():
        told = needed.loc[key]
        np.testing.assert_equal(told["significant"], row["minimum_significant_value"])
        np.testing.assert_equal(told["detectable"], row["detectable_value"])
        np.testing.assert_equal(told["beyond_noise"], row["noise_significant_value"])
        np.testing.assert_equal(ahead.loc[key]["expected"], row["do_nothing_value"])


def test_nothing_of_the_months_paid_on_is_used(data):
    """The outcome may not change what is said before it: take it away and nothing moves."""
    cut = data.observations.loc[data.observations["period_end"] < "2014-04-01"]
    known, unknown = (
        board_metrics(type(data)(rows, data.areas, data.others, data.manifest), "Aldamount")
        for rows in (data.observations, cut)
    )
    for tell in (factors.expected_trends, factors.seasons_of, factors.improvements_needed):
        first, second = (tell(found).iloc[[0, 1]] for found in (known, unknown))
        pd.testing.assert_frame_equal(first, second)


def test_season_of_a_window_is_the_mean_of_its_days(board):
    told = factors.seasons_of(board).set_index(["metric", "payment"])
    rows = board.observations
    metric = METRICS["avoidable_emergency_admissions"]
    rows = rows.loc[(rows["metric"] == metric.id) & (rows["period_end"] < "2014-04-01")]
    index = season_table(rows, metric).set_index(["area_code", "month"])["index"]
    days = {4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30}
    by_hand = sum(n * index[("X06000001", month)] for month, n in days.items()) / 183
    found = told.loc[("avoidable_emergency_admissions", "2015-04"), "window_index"]
    assert found == pytest.approx(by_hand)


def test_advice_is_the_ladders(board):
    told = factors.reachable_targets(board).set_index(["metric", "payment"])["advice"]
    ladder = ambition_ladder(board.observations, "delayed_transfers", "2015-04", area="X06000001")
    assert told[("delayed_transfers", "2015-04")] == ladder.advice["X06000001"]


def test_advice_never_names_a_value_that_cannot_be(data):
    """Where the best tenth would pass 100 %, the advice has one end only."""
    told = ambition_ladder(data.observations, "reablement", "2015-10").advice.values()
    assert not any("nan" in advice for advice in told)
    assert any("or higher are challenging" in advice for advice in told)


def test_agreed_period_counts_in_every_payment_it_is_due_in(board, judged):
    paid = as_paid(board, judged.reset_index())
    assert paid.groupby("payment")["metric"].nunique().to_dict() == {"2015-04": 3, "2015-10": 6}
    chances = payment_chances(paid).set_index("payment")
    assert chances["metrics_known"].to_dict() == {"2015-04": 3, "2015-10": 5}  # care homes: series break
    assert np.isfinite(chances.loc["2015-04", "all_delivered"])
    assert np.isnan(chances.loc["2015-10", "all_delivered"])


@pytest.mark.parametrize(
    "chosen",
    [
        [("delayed_transfers", "2015-07", -3)],
        [("non_elective_admissions", "2015-04", -3)],
        [("delayed_transfers", "2015-04", -3), ("delayed_transfers", "2015-04", -4)],
        [],
    ],
)
def test_choice_that_is_not_due_or_made_twice_is_refused(board, chosen):
    with pytest.raises(ParameterError, match="can be chosen once"):
        as_targets(board, chosen, "test")
