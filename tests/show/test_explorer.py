import re
from dataclasses import replace

import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.errors import InputError
from bcfstats.example.data import example_data
from bcfstats.judge.ambitions import assess_ambitions
from bcfstats.judge.screening import sound
from bcfstats.judge.what_if import WhatIf
from bcfstats.read.targets import read_targets
from bcfstats.show.explorer import Explorer, first_asked
from bcfstats.show.palettes import palette


@pytest.fixture(scope="module")
def data():
    return example_data(n_areas=40)


@pytest.fixture
def explorer(data, tmp_path):
    return Explorer(data, targets_file=tmp_path / "targets.csv")


def test_moving_the_ambition_changes_the_sentences(explorer):
    explorer.metric.value = "delayed_transfers"
    before = explorer.verdict.value
    explorer.ambition.value = -45.0
    assert explorer.verdict.value != before
    assert "45.0 % below the baseline" in explorer.verdict.value
    assert "made up" in explorer.verdict.value


def test_england_moves_the_chance_of_payment_and_only_where_its_movement_is_known(explorer):
    """Better or worse by one usual movement: the two chances that stand beside the usual one."""
    usual = explorer.judged()
    for moves, name in ((1.0, "better"), (-1.0, "worse")):
        explorer.england.value = moves
        moved = explorer.judged()
        assert moved["p_paid_do_nothing"] == pytest.approx(usual[f"p_paid_england_{name}"], rel=1e-9)
        assert f"England is taken to be one usual movement {name} than expected." in explorer.verdict.value
    explorer.metric.value = "reablement"
    assert explorer.england.disabled
    assert "England is taken" not in explorer.verdict.value
    assert explorer.judged()["verdict"] != "cannot_be_assessed"


@pytest.mark.parametrize(("metric", "first"), [("delayed_transfers", -5.0), ("reablement", 5.0)])
def test_ambition_starts_in_the_improving_direction(explorer, metric, first):
    explorer.metric.value = metric
    assert explorer.ambition.value == first


@pytest.mark.slow
def test_every_metric_and_window_can_be_picked(explorer):
    for _, metric in explorer.metric.options:
        explorer.metric.value = metric
        for _, window in explorer.window.options:
            explorer.window.value = window
            assert explorer.judged()["verdict"]


def test_name_that_is_not_complete_asks_for_one(explorer):
    explorer.area.value = "Al"
    assert "Pick an area" in explorer.verdict.value


def test_opens_on_a_metric_and_an_area_that_can_be_assessed(explorer):
    assert explorer.metric.value == "delayed_transfers"
    assert explorer.judged()["verdict"] != "cannot_be_assessed"


def test_opens_on_another_area_where_the_first_has_no_baseline(data):
    first = data.areas.sort_values("area_name")["area_code"].iloc[0]
    rows = data.observations
    gone = rows.loc[(rows["area_code"] != first) | (rows["period_start"] >= "2014-01-01")]
    explorer = Explorer(replace(data, observations=gone))
    assert explorer.judged()["area_code"] != first
    assert explorer.judged()["verdict"] != "cannot_be_assessed"


def test_where_nothing_can_be_assessed_it_says_so_and_what_else_to_pick(explorer):
    explorer.metric.value = "care_home_admissions"
    assert "Cannot be assessed" in explorer.verdict.value
    assert "Series break on 2014-04-01" in explorer.verdict.value
    assert "no area can be assessed: pick another metric or window" in explorer.verdict.value
    assert "not available" not in explorer.verdict.value


def test_windows_of_a_payment_are_kept_under_its_name(explorer):
    """So that the money and the other metrics of the payment go with it."""
    values = [value for _, value in explorer.window.options]
    assert values == ["2015-04", "2015-10", "2014-07/2015-06"]


def test_chance_is_drawn_as_long_as_it_is_told(explorer):
    explorer.ambition.value = -20.0
    share = round(100 * explorer.judged()["p_paid_do_nothing"])
    assert f"width: {share}%; background: {palette()['alert']}" in explorer.verdict.value


def test_rows_of_a_file_that_was_there_stay_as_they_are(explorer, data):
    """Columns in another order, an area by its name, a target as a value: none of it may be moved about."""
    explorer.targets_file.write_text(
        "metric,area,payment,target_value\nreablement,Ilvacliff,2015-10,82.5\n"
        "delayed_transfers,Aldamount,2015-04,100\n",
        encoding="utf-8-sig",
    )
    explorer.area.value, explorer.ambition.value = "Aldamount", -12.5
    explorer.keep.click()
    rows = read_targets(explorer.targets_file, areas=data.areas)
    found = rows[["area_name", "metric", "target_value", "change_percent"]].fillna(0).to_numpy().tolist()
    assert found == [["Ilvacliff", "reablement", 82.5, 0], ["Aldamount", "delayed_transfers", 0, -12.5]]


def test_file_that_is_no_table_of_targets_is_left_alone(explorer):
    explorer.targets_file.write_text("name,value\nx,1\n")
    explorer.keep.click()
    assert "nothing was added" in explorer.kept.value
    assert explorer.targets_file.read_text() == "name,value\nx,1\n"


def test_own_metrics_in_the_data_do_not_stop_the_others(data):
    rows = data.observations
    own = rows.loc[rows["metric"] == "reablement"].assign(metric="same_day_visits")
    both = WhatIf(replace(data, observations=pd.concat([rows, own], ignore_index=True)))
    found = both.judge("X06000001", "delayed_transfers", "2015-04", -20.0)
    assert found == pytest.approx(WhatIf(data).judge("X06000001", "delayed_transfers", "2015-04", -20.0))


def test_kept_target_is_a_row_that_can_be_read_and_judged_alike(explorer, data):
    """The same target through the notebook and through a targets file gets the same assessment."""
    explorer.metric.value = "delayed_transfers"
    explorer.ambition.value = -12.5
    explorer.keep.click()
    explorer.ambition.value = -20.0
    explorer.keep.click()
    rows = read_targets(explorer.targets_file, areas=data.areas)
    assert rows["change_percent"].tolist() == [-20.0]  # the later one replaces the earlier
    table = assess_ambitions(sound(data.observations, METRICS).observations, rows)
    shown = WhatIf(data).judge(rows["area_code"][0], "delayed_transfers", rows["payment"][0], -20.0)
    for name in ("p_paid_do_nothing", "reach", "verdict", "reasons", "payment_line"):
        assert table[name][0] == shown[name]


@pytest.mark.parametrize(
    ("rules", "metric", "found"),
    [
        ("bcf-2013-12", None, ("delayed_transfers", "Apr-Dec 2014")),
        ("bcf-2014-07", None, ("non_elective_admissions", "Q4 2014/15")),
        ("bcf-2013-12", "dementia_diagnosis", ("dementia_diagnosis", "2014/15")),
        ("bcf-2020-21", "care_home_admissions", ("care_home_admissions", "2014/15")),  # no plan: latest year
        ("bcf-2025-26", None, ("avoidable_emergency_admissions", "Jul 2014 - Jun 2015")),  # none of its own
    ],
)
def test_a_notebook_opens_on_what_a_scheme_asks_for_and_there_are_figures_of(data, rules, metric, found):
    assert first_asked(data, rules, metric) == (found[0], Period.parse(found[1]))


def test_a_metric_without_figures_cannot_be_opened(data):
    with pytest.raises(InputError, match="no figures of this metric"):
        first_asked(data, "bcf-2025-26", "length_of_stay_14")


def test_a_scheme_without_money_speaks_of_its_goal():
    shown = Explorer(example_data(n_areas=20, scheme="bcf-2025-26"), "bcf-2025-26").verdict.value
    assert "would reach it if nothing is done" in shown
    assert "Goal" in shown
    assert not re.search(r"[Pp]aid|[Pp]ayment", re.sub(r"<[^>]+>", " ", shown))
