"""Targets judged beforehand against `assess_ambitions`, which judges any one of them alone."""

import numpy as np
import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.define.schemes import scheme
from bcfstats.judge.ambitions import assess_ambitions
from bcfstats.judge.assessment import assess
from bcfstats.judge.candidates import COLUMNS, candidates_of
from bcfstats.read.data import Data
from tests.judge.made_up import an_outlook, outlook, panel, targets, yearly

SCHEME = "bcf-2013-12"
GIVEN = ["area_code", "metric", "payment", "reason"]


def judged_alone(observations, rows, by):
    """Judge rows of candidates one by one, by their change in per cent or their value."""
    keys = ["area_code", "metric", "payment"]
    name = "change_percent" if by == "ambition_percent" else by
    given = rows[[*keys, by]].rename(columns={by: name}).to_dict("records")
    return assess_ambitions(observations, targets(given), SCHEME)


@pytest.mark.parametrize(
    ("metric", "payment", "by"),
    [
        ("delayed_transfers", "2015-04", "ambition_percent"),
        ("reablement", "2015-10", "target_value"),
    ],
)
def test_candidates_are_judged_as_any_target_is(metric, payment, by):
    shares = 80 + np.cumsum(np.random.default_rng(1).normal(0, 3, (30, 4)), axis=1)
    observations = panel() if METRICS[metric].frequency == "month" else yearly(metric, shares, 150)
    found = candidates_of(outlook(observations, metric, payment), payment, scheme(SCHEME))
    rows = found.sample(200, random_state=1)
    alone = judged_alone(observations, rows, by)
    assert rows["verdict"].tolist() == alone["verdict"].tolist()
    for name in set(COLUMNS) - {*GIVEN, "verdict"}:
        np.testing.assert_allclose(
            rows[name].to_numpy(dtype=float), alone[name].to_numpy(dtype=float), rtol=1e-9, atol=1e-9
        )


def test_rates_go_by_half_a_per_cent_and_shares_by_round_values_within_their_bounds():
    rate = candidates_of(an_outlook(), "2015-04", scheme(SCHEME))
    assert rate["ambition_percent"].to_numpy() == pytest.approx(np.arange(-60, 10.5, 0.5))
    share = an_outlook("reablement", scale="difference", value=np.array([80.3]), expected=np.array([80.3]))
    values = candidates_of(share, "2015-10", scheme(SCHEME))["target_value"].to_numpy()
    assert values.tolist() == np.arange(70.5, 100.5, 0.5).tolist()


def test_an_area_without_a_baseline_or_with_none_to_lower_has_no_row():
    for view in (
        an_outlook(value=np.array([0.0])),
        an_outlook(value=np.array([np.nan]), reason=np.array(["no figures"], dtype=object)),
    ):
        assert candidates_of(view, "2015-04", scheme(SCHEME)).empty


def test_an_area_too_small_for_a_chance_says_why():
    view = an_outlook(no_chance=np.array(["counts are too small"], dtype=object))
    found = candidates_of(view, "2015-04", scheme(SCHEME))
    better = found.loc[found["ambition_percent"] < 0]
    assert set(better["reason"]) == {"counts are too small"}
    assert set(better["verdict"]) == {"cannot_be_assessed"}


def test_only_what_is_not_known_yet_has_candidates():
    values = 80 + np.cumsum(np.random.default_rng(1).normal(0, 3, (8, 5)), axis=1)
    rows = yearly("reablement", np.round(1.5 * values) / 1.5, 150)  # of whole people
    to_come = (rows["area_code"] == "X03") & (rows["period_end"] == pd.Timestamp("2015-03-31"))
    areas = rows[["area_code", "area_name"]].drop_duplicates().assign(region="", region_code="")
    results = assess(Data(rows.loc[~to_come], areas, rows.iloc[:0], {}), SCHEME)
    assert set(results.candidates["area_code"]) == {"X03"}
    assert set(results.candidates["payment"]) == {"2015-10"}
