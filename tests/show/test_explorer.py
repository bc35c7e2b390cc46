import pytest

from bcfstats.judge.ambitions import assess_ambitions
from bcfstats.judge.what_if import WhatIf
from bcfstats.read.example import example_data
from bcfstats.read.targets import read_targets
from bcfstats.show.explorer import Explorer


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


@pytest.mark.parametrize(("metric", "first"), [("delayed_transfers", -5.0), ("reablement", 5.0)])
def test_ambition_starts_in_the_improving_direction(explorer, metric, first):
    explorer.metric.value = metric
    assert explorer.ambition.value == first


def test_every_metric_and_window_can_be_picked(explorer):
    for _, metric in explorer.metric.options:
        explorer.metric.value = metric
        for _, window in explorer.window.options:
            explorer.window.value = window
            assert explorer.judged()["verdict"]


def test_name_that_is_not_complete_asks_for_one(explorer):
    explorer.area.value = "Al"
    assert "Pick an area" in explorer.verdict.value


def test_kept_target_is_a_row_that_can_be_read_and_judged_alike(explorer, data):
    """The same target through the notebook and through a targets file gets the same assessment."""
    explorer.metric.value = "delayed_transfers"
    explorer.ambition.value = -12.5
    explorer.keep.click()
    explorer.ambition.value = -20.0
    explorer.keep.click()
    rows = read_targets(explorer.targets_file, areas=data.areas)
    assert rows["change_percent"].tolist() == [-20.0]  # the later one replaces the earlier
    table = assess_ambitions(data.observations, rows)
    shown = WhatIf(data).judge(rows["area_code"][0], "delayed_transfers", rows["payment"][0], -20.0)
    for name in ("p_paid_do_nothing", "reach", "verdict", "reasons", "payment_line"):
        assert table[name][0] == shown[name]
