"""Joint chances, the risk register, consistency with commissioners, peers: by hand."""

import numpy as np
import pandas as pd
import pytest

from bcfstats.define.areas import AREAS
from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.ambitions import COLUMNS, assess_ambitions
from bcfstats.judge.plan import ambition_consistency
from bcfstats.judge.risk import payment_chances, risk_register
from bcfstats.read.papers import peers_by, read_peers
from bcfstats.read.recognise import read_file
from tests.judge.made_up import panel, targets

APRIL = ["delayed_transfers", "avoidable_emergency_admissions", "dementia_diagnosis"]


def assessed(metrics=APRIL, **given):
    base = {
        "area_code": "X",
        "area_name": "X town",
        "metric": metrics,
        "payment": "2015-04",
        "baseline_value": 100.0,
        "target_value": 90.0,
        "payment_line": 93.0,
        "events_better": 500.0,
        "do_nothing_value": 101.0,
        "do_nothing_lower": 95.0,
        "do_nothing_upper": 107.0,
        "p_paid_do_nothing": 0.2,
        "p_paid_if_half_delivered": 0.4,
        "p_paid_if_delivered": 0.8,
        "money_at_stake": 1000.0,
        "money_is_estimate": False,
        "ambition_percent": -10.0,
        "verdict": "too_easy",
        "reasons": "",
    }
    return pd.DataFrame({**base, **given}).reindex(columns=COLUMNS)


def test_independent_chances_of_three_metrics_multiply():
    found = payment_chances(assessed(), correlation=0.0).iloc[0]
    assert found["all_do_nothing"] == pytest.approx(0.008)
    assert found["all_delivered"] == pytest.approx(0.512)
    assert (found["metrics_due"], found["expected_do_nothing"]) == (3, pytest.approx(0.6))
    assert (found["money_at_stake"], found["money_expected_delivered"]) == (3000, pytest.approx(2400))


def test_metrics_that_move_together_are_paid_together_more_often():
    alone, together = (payment_chances(assessed(), correlation=rho)["all_delivered"][0] for rho in (0, 0.5))
    assert together > alone


def test_a_metric_without_a_chance_leaves_the_whole_payment_open():
    table = assessed(p_paid_if_delivered=[0.8, 0.8, np.nan])
    found = payment_chances(table).iloc[0]
    assert np.isnan(found["all_delivered"])
    assert found["expected_delivered"] == pytest.approx(1.6)
    assert "2 of 3 metrics due" in found["note"]
    with pytest.raises(ParameterError, match="belongs to a payment"):
        payment_chances(assessed(payment="2016-01"))


def test_risk_is_the_other_side_of_the_chance_with_its_size_in_events():
    """500 events for 10 units: 50 each. Forecast 8 above the line is 400, the worse limit 14 above is 700."""
    found = risk_register(assessed(["delayed_transfers"])).iloc[0]
    assert found["chance_short_if_nothing_done"] == pytest.approx(0.8)
    assert found["likely_shortfall"] == pytest.approx(400)
    assert found["large_shortfall"] == pytest.approx(700)
    assert found["pounds_at_stake"] == 1000
    assert "No money is withdrawn" in found["what_follows"]
    assert found["chance_short_if_half_delivered"] == pytest.approx(0.6)
    assert found["chance_short_if_delivered"] == pytest.approx(0.2)
    assert found["shortfall_of"] == "events or people"
    assert found["risk"] == (
        "Delayed transfers of care falls short of 93.0: 80 in 100 if nothing is done, "
        "20 in 100 if the plan delivers in full."
    )
    assert list(found[["mitigation", "owner"]]) == ["", ""]


def test_no_shortfall_where_the_line_is_reached_and_none_known_without_events():
    reached = risk_register(assessed(["delayed_transfers"], do_nothing_value=92.0)).iloc[0]
    assert (reached["likely_shortfall"], reached["large_shortfall"]) == (0, pytest.approx(700))
    unknown = risk_register(assessed(["delayed_transfers"], events_better=np.nan)).iloc[0]
    assert np.isnan(unknown["likely_shortfall"])
    assert unknown["shortfall_of"] == ""
    same = risk_register(assessed(["delayed_transfers"], target_value=100.0)).iloc[0]
    assert np.isnan(same["large_shortfall"])


def test_shortfall_of_a_metric_that_is_better_higher():
    table = assessed(["reablement"], target_value=110.0, payment_line=107.0)
    found = risk_register(table).iloc[0]
    assert found["likely_shortfall"] == pytest.approx(300)  # 107 - 101
    assert found["large_shortfall"] == pytest.approx(600)  # 107 - 95


def test_a_risk_that_cannot_be_told_says_so():
    table = assessed(
        ["delayed_transfers"], verdict="cannot_be_assessed", reasons="No figures.", payment_line=np.nan
    )
    found = risk_register(table).iloc[0]
    assert "cannot be told. No figures." in found["risk"]
    assert np.isnan(found["chance_short_if_delivered"])


SHARES = pd.DataFrame({"commissioner": ["A", "B", "C"], "area_code": "X", "area_share": [0.7, 0.25, 0.05]})


def groups(changes, **given):
    return pd.DataFrame(
        {
            "commissioner": list("ABC")[: len(changes)],
            "metric": "delayed_transfers",
            "change_percent": changes,
        }
    ).assign(**given)


def test_groups_ambitions_are_weighted_by_their_share_of_the_area():
    """.7 x -10 + .25 x -2 + .05 x 0 = -7.5, against the board's -10."""
    found = ambition_consistency(assessed(["delayed_transfers"]), groups([-10.0, -2.0, 0.0]), SHARES).iloc[0]
    assert found["implied_percent"] == pytest.approx(-7.5)
    assert found["difference"] == pytest.approx(-2.5)
    assert found["finding"] == "differs"
    assert found["groups"] == "A (70 %), B (25 %), C (5 %)"
    near = ambition_consistency(assessed(["delayed_transfers"]), groups([-10.0, -8.0, -9.0]), SHARES)
    assert near["finding"][0] == "agrees"


@pytest.mark.parametrize(("asked", "finding"), [(-9.0, "agrees"), (-9.6, "differs"), (-6.5, "agrees")])
def test_groups_and_boards_agree_within_a_point_or_two(asked, finding):
    """All groups ask for 8 %: a board's 9 % or 6.5 % agrees by default, within what `apart` says."""
    board = assessed(["delayed_transfers"], ambition_percent=asked)
    found = ambition_consistency(board, groups([-8.0, -8.0, -8.0]), SHARES, apart=1.5).iloc[0]
    assert (found["finding"], found["covered"]) == (finding, pytest.approx(1.0))
    words = "the board asks for −9.6 %, its groups together for −8.0 %" if finding == "differs" else ""
    assert found["note"] == words
    none = assessed(["delayed_transfers"], ambition_percent=np.nan)
    assert "not known" in ambition_consistency(none, groups([-8.0] * 3), SHARES)["note"][0]


def test_too_little_of_the_area_covered_concludes_nothing():
    found = ambition_consistency(assessed(["delayed_transfers"]), groups([-10.0]), SHARES).iloc[0]
    assert found["finding"] == "cannot be told"
    assert "only 70 %" in found["note"]


def test_every_area_is_covered_by_the_published_shares(real_data):
    """With every group asking for the same, every board's implied change is just that."""
    shares = read_file(real_data / "geography" / "ccg2013_to_hwb_lsoa_estimate.csv").shares
    every = pd.DataFrame(
        {
            "commissioner": shares["commissioner"].unique(),
            "metric": "delayed_transfers",
            "change_percent": -3.5,
        }
    )
    boards = pd.concat(
        [assessed(["delayed_transfers"], area_code=code, ambition_percent=-3.5) for code in AREAS]
    )
    found = ambition_consistency(boards, every, shares)
    assert len(found) == 152
    assert found["covered"].to_numpy() == pytest.approx(1.0, abs=1e-4)
    assert (found["finding"] == "agrees").all()


def test_two_ambitions_of_one_group_are_refused_unless_they_differ_by_payment():
    twice = pd.concat([groups([-10.0]), groups([-5.0])])
    with pytest.raises(InputError, match="two ambitions"):
        ambition_consistency(assessed(), twice, SHARES)
    by_payment = pd.concat([groups([-9.5] * 3, payment="2015-04"), groups([-5.0] * 3, payment="2015-10")])
    assert ambition_consistency(assessed(["delayed_transfers"]), by_payment, SHARES)["finding"][0] == "agrees"


def test_peers_by_region_and_type():
    assert "E06000002" in peers_by("region")["E06000001"]
    assert "E06000001" not in peers_by("region")["E06000001"]
    assert len(peers_by("type")["E09000002"]) == 31  # 32 London boroughs
    with pytest.raises(ParameterError, match="region or type"):
        peers_by("size")


def test_peers_from_a_file_of_groups_or_of_pairs(tmp_path):
    path = tmp_path / "peers.csv"
    path.write_text("area,group\nLeeds,big\nBirmingham,big\nRutland,small\n")
    assert read_peers(path) == {"E08000035": ("E08000025",), "E08000025": ("E08000035",)}
    path.write_text("area,peer\nLeeds,Birmingham\nLeeds,Manchester\nLeeds,Leeds\n")
    assert read_peers(path) == {"E08000035": ("E08000025", "E08000003")}
    path.write_text("area,peer\nLeeds,Atlantis\n")
    with pytest.raises(InputError, match="row 2"):
        read_peers(path)
    path.write_text("area,group\nLeeds,big\nLeeds,small\n")
    with pytest.raises(InputError, match="two groups"):
        read_peers(path)


def test_only_peers_count_for_reach():
    rows = panel(n_areas=40, months=48)
    falling = rows["area_code"].isin([f"X{i:02d}" for i in range(1, 6)])
    years = (rows["period_start"].dt.year - 2010) + (rows["period_start"].dt.month - 4) / 12
    rows.loc[falling, "numerator"] = (rows["numerator"] * np.exp(-0.25 * years)).round()[falling]
    goal = targets([{"area_code": "X00", "metric": "delayed_transfers", "change_percent": -15}])
    peers = {"X00": tuple(f"X{i:02d}" for i in range(1, 6))}
    with_peers, with_all = (assess_ambitions(rows, goal, peers=given)["reach"][0] for given in (peers, None))
    assert with_peers > 0.7
    assert with_all < 0.4
