"""`bcfstats check TARGETS` and `bcfstats overview`, as a user runs them."""

import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.example.data import write_example
from bcfstats.judge.ambitions import COLUMNS
from bcfstats.read.prepare import prepare
from bcfstats.run.check import _target_line

BOARDS = 152
WINDOWS = {
    "delayed_transfers": ("2015-04", "2015-10"),
    "avoidable_emergency_admissions": ("2015-04", "2015-10"),
    "non_elective_admissions": ("2014-04/2014-09", "2014-10/2015-03"),
    "reablement": ("2013/14", "2014/15"),
    "care_home_admissions": ("2012/13", "2013/14"),
    "falls_injuries": ("2013/14", "2014/15"),
}


@pytest.fixture(scope="module")
def every_board(tmp_path_factory):
    """152 boards, six metrics with data, two payments each."""
    folder = tmp_path_factory.mktemp("boards")
    write_example(folder / "raw", n_areas=BOARDS)
    prepared = prepare(folder / "raw", folder / "processed")
    rows = [
        (area, metric, payment, 4.0 if METRICS[metric].polarity == "higher" else -6.0)
        for area in prepared.data.areas["area_code"]
        for metric, payments in WINDOWS.items()
        for payment in payments
    ]
    table = pd.DataFrame(rows, columns=["area", "metric", "payment", "change_percent"])
    table.to_csv(folder / "targets.csv", index=False)
    return folder


@pytest.fixture
def run(bcfstats):
    def judged(folder, *words):
        return bcfstats(*words, "--processed", folder / "processed", folder=folder)

    return judged


@pytest.fixture
def folder(few, tmp_path):
    """Two metrics of three boards."""
    (tmp_path / "processed").symlink_to(few)
    return tmp_path


@pytest.mark.slow
def test_every_target_of_every_board_is_judged(every_board, run):
    done = run(every_board, "check", "targets.csv", "--out", "assessments.csv")
    assert done.returncode == 1, done.stderr  # some target is not challenging and achievable
    table = pd.read_csv(every_board / "assessments.csv", encoding="utf-8-sig")
    assert len(table) == BOARDS * 6 * 2
    assert list(table.columns) == COLUMNS
    assert (table["verdict"] != "cannot_be_assessed").mean() > 0.9


@pytest.mark.slow
def test_overview_adds_up_by_region_and_for_england(every_board, run):
    done = run(every_board, "overview", "targets.csv", "--out", "overview")
    assert done.returncode in (0, 1), done.stderr
    told = next(
        line for line in done.stdout.splitlines() if line.startswith("Delayed transfers of care, 2015-04")
    )
    assert "England, 149 of 152 boards" in told  # of three, with few days a month, no chance is told
    assert told.endswith("left out: Ubriminster, Denzomill, Sibrikeep")
    tables = {
        name: pd.read_csv(every_board / "overview" / f"{name}.csv", encoding="utf-8-sig")
        for name in ("composite", "verdicts", "plans")
    }
    england = (
        tables["composite"]
        .set_index(["metric", "payment", "region"])
        .loc[("delayed_transfers", "2015-04", "England")]
    )
    assert (england["assessed"], england["boards"]) == (BOARDS - 3, BOARDS)
    assert england["ambition_percent"] == pytest.approx(-6.0, abs=1e-6)
    assert len(tables["plans"]) == BOARDS * 6 * 2


def test_a_few_targets_are_explained_and_money_is_shown(folder, run):
    (folder / "few.csv").write_text(
        "area,metric,payment,change_percent\nX06000001,delayed_transfers,2015-04,-6\n"
    )
    (folder / "money.csv").write_text("area,payment,national_share_percent\nX06000001,2015-04,0.3\n")
    done = run(folder, "check", "few.csv", "--allocations", "money.csv", "--out", "few_out.csv", "--why")
    assert "If nothing is done" in done.stdout
    row = pd.read_csv(folder / "few_out.csv", encoding="utf-8-sig").iloc[0]
    assert row["money_at_stake"] == 250_000  # 0.3 % of £250 million is £750,000, a third of it
    assert row["money_is_estimate"]


def test_a_wrong_row_is_named_and_the_others_are_judged(folder, run):
    (folder / "wrong.csv").write_text(
        "area,metric,payment,change_percent\n"
        "Aldamount,DTOC,April 2015,-6%\n"
        "Atlantis,delayed_transfers,2015-04,-6\n"
        "Aldamount,dtocs,2015-04,-6\n"
        "Aldamount,Average discharge delay,2015-04,-6\n"
    )
    done = run(folder, "check", "wrong.csv", "--out", "judged.csv")
    assert done.returncode == 1
    first, *rest = done.stdout.splitlines()
    baseline = pd.read_csv(folder / "judged.csv", encoding="utf-8-sig")["baseline_value"][0]
    assert first == (
        "Aldamount, Delayed transfers of care, 2015-04: beaten by trend: "
        f"target {0.94 * baseline:.1f} (−6.0%); "
        "recommended: none is both challenging and achievable; about 7 in 10 paid for doing nothing"
    )
    told = "\n".join(rest)
    assert "Left out: row 3, area: There is no such area. Found: 'Atlantis'" in told
    assert "Left out: row 4, metric: There is no such metric. Found: 'dtocs'. Did you mean 'DTOC'?" in told
    assert "not a metric of scheme bcf-2013-12, but of bcf-2026-27 and bcf-2025-26" in told
    assert "2 targets: 1 beaten by trend, 1 cannot be assessed." in rest


def test_a_file_without_a_good_row_is_refused(folder, run):
    (folder / "wrong.csv").write_text(
        "area,metric,payment,change_percent\nAtlantis,delayed_transfers,2015-04,-6\n"
    )
    done = run(folder, "check", "wrong.csv")
    assert done.returncode == 2
    assert "Atlantis" in done.stderr
    assert "Traceback" not in done.stderr


def test_areas_and_metrics_are_chosen_by_name(folder, run):
    (folder / "targets.csv").write_text(
        "area,metric,payment,change_percent\n"
        "X06000001,delayed_transfers,2015-04,-6\nX06000001,delayed_transfers,2015-10,-6\n"
        "X06000001,reablement,2015-10,4\nX06000002,delayed_transfers,2015-04,-6\n"
    )
    done = run(folder, "check", "targets.csv", "--area", "aldamount", "--metric", "DTOC")
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines[:2]] == [
        f"Aldamount, Delayed transfers of care, {payment}" for payment in ("2015-04", "2015-10")
    ]
    assert lines[2].startswith("2 targets: ")
    none = run(folder, "check", "targets.csv", "--metric", "social contact")
    assert none.returncode == 2
    assert "--metric" in none.stderr


def test_what_is_not_known_is_left_out_of_the_line():
    """No chance, no change in per cent: the line then ends with the verdict."""
    row = {
        "area_name": "Ilvacliff",
        "payment": "2015-04",
        "verdict": "not_an_improvement",
        "baseline_value": 0.0,
        "target_value": 5.0,
        "do_nothing_value": 0.0,
        "ambition_percent": float("nan"),
        "p_paid_do_nothing": float("nan"),
        **dict.fromkeys(("challenging_value", "achievable_value"), float("nan")),
        "recommended": "",
    }
    line = _target_line(row, METRICS["delayed_transfers"])
    assert line == "Ilvacliff, Delayed transfers of care, 2015-04: not an improvement: target 5.0"
