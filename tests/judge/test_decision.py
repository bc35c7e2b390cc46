"""Decisions against what judges the same elsewhere: payment by exact fractions, the ladder's advice."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.define.schemes import scheme
from bcfstats.example.data import example_data
from bcfstats.judge.assessment import assess
from bcfstats.judge.board import board_metrics, reachable_targets
from bcfstats.judge.decision import (
    COLUMNS,
    KEYS,
    KNOWN,
    MET,
    MISSED,
    PARTLY_IN,
    TO_COME,
    decision_table,
    decisions,
)
from bcfstats.judge.payment import outcomes, payment
from bcfstats.judge.screening import sound

N_AREAS = 6  # of the results, which conftest.py makes


@pytest.fixture(scope="module")
def data():
    return example_data(n_areas=N_AREAS)


@pytest.fixture(scope="module")
def table(example_results):
    return decision_table(example_results)


def until(data, month):
    """What was published by the end of a month."""
    kept = pd.to_datetime(data.observations["period_end"]) <= pd.Period(month, "M").end_time
    return replace(data, observations=data.observations.loc[kept])


def test_met_and_missed_are_what_payment_finds_by_exact_fractions(data, example_results, table):
    judged = payment(
        outcomes(sound(data.observations, METRICS).observations, example_results.assessments)
    ).metrics
    broken = table.loc[table["reason"] != ""].set_index(KEYS).index  # no result is told across a series break
    judged = judged.dropna(subset=["achieved"]).set_index(KEYS)["achieved"].drop(broken, errors="ignore")
    told = table.loc[table["result"] != ""].set_index(KEYS)["result"]
    assert set(told.index) == set(judged.index)
    assert (told == judged.map({True: MET, False: MISSED}).reindex(told.index)).all()
    assert {MET, MISSED} == set(told)


def test_where_nothing_can_be_recommended_the_reason_is_told(data):
    """Ten delayed days in a usual month are too few for a chance, and so for what is challenging."""
    rows = data.observations.query("metric == 'delayed_transfers'").copy()
    tiny = rows["area_code"] == "X06000002"
    rows.loc[tiny, "numerator"] = 8.0 + rows.loc[tiny, "period_start"].dt.month % 5
    rows.loc[tiny, "value"] = 1e5 * rows["numerator"] / rows["denominator"]
    decided = decisions(assess(replace(data, observations=rows)))
    told = {one.area_code: one for one in decided if one.found}
    assert told["X06000002"].found == "cannot be worked out"
    assert told["X06000002"].why_unknown.startswith("counts are too small")
    assert told["X06000001"].why_unknown == ""


@pytest.mark.slow
def test_recommended_is_what_the_ladder_advises(data, table):
    """The notebook's advice and the page's range are the same numbers, at the decimals they are told with."""
    seen, by_key = 0, {tuple(one[name] for name in KEYS): one for one in table.to_dict("records")}
    for code in table["area_code"].unique()[:2]:
        board = board_metrics(data, data.areas.set_index("area_code")["area_name"][code])
        for row in reachable_targets(board).itertuples():
            one = by_key.get((code, row.metric, row.payment))
            if one is None:
                continue
            decimals = METRICS[row.metric].decimals
            ends = (one["recommended_from"], one["recommended_to"])
            known = [f"{end:,.{decimals}f}" for end in ends if np.isfinite(end)]
            assert re.findall(r"Targets (?:from|of) (\S+)(?: to (\S+))? (?:or|are)", row.advice) == (
                [(known[0], known[1] if len(known) > 1 else "")] if known else []
            ), row.advice
            seen += len(known)
    assert seen > 2


@pytest.mark.parametrize(
    ("month", "stage"), [("2014-03", TO_COME), ("2014-09", PARTLY_IN), ("2014-12", KNOWN)]
)
def test_stage_is_how_much_of_the_window_is_published(data, month, stage):
    days = decision_table(assess(until(data.of("delayed_transfers"), month)))
    days = days.loc[(days["metric"] == "delayed_transfers") & (days["payment"] == "2015-04")]
    assert days["stage"].eq(stage).mean() > 0.8  # a month that looks wrong may be left out


def test_every_metric_of_the_scheme_is_told_of_in_every_area(example_results):
    asked = {name for payment in scheme().payments for name in payment.metrics}
    told = decisions(example_results)
    for code in example_results.areas["area_code"]:
        names = {one.metric for one in told if one.area_code == code}
        groups = {METRICS[name].group for name in names if name in METRICS}
        assert asked <= names | groups
        assert all(one.reason for one in told if one.area_code == code and not one.payment)


def test_there_is_a_reason_or_a_finding_and_never_both(table):
    assert list(table) == COLUMNS
    has_outlook = table["found"] != ""
    assert (table.loc[has_outlook, "reason"] == "").all()
    ends = table[["recommended_from", "recommended_to"]]
    assert ends.loc[table["reason"] != ""].isna().all(axis=None)


def test_no_decision_names_a_figure_of_an_area_without_any(data):
    data = data.of("delayed_transfers", "reablement")
    others = data.observations.loc[
        (data.observations["metric"] != "delayed_transfers") | (data.observations["area_code"] != "X06000001")
    ]
    found = decision_table(assess(replace(data, observations=others))).set_index(KEYS)
    row = found.loc[("X06000001", "delayed_transfers", "2015-04")]
    assert row["reason"] == "there are no figures for this area"
    assert (
        row.drop(["payment"], errors="ignore").map(lambda x: isinstance(x, float) and np.isfinite(x)).sum()
        == 0
    )
