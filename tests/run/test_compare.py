"""Two runs compared: the differences are made by hand, so what is to be found is known."""

import json
from copy import deepcopy

import pandas as pd
import pytest

from bcfstats.errors import InputError
from bcfstats.judge.results import Results
from bcfstats.run.compare import compare_runs, describe_comparison, differences

ROWS = [
    ["X1", "Aldamount", "reablement", "2015-10", "80.0", "-0.5", "no clear change"],
    ["X1", "Aldamount", "delayed_transfers", "2015-04", "157.29168965356595", "2.0", "worse"],
    ["X2", "=Ilvacliff", "reablement", "2015-10", "", "", "not compared"],
]
NAMES = ["area_code", "area_name", "metric", "payment", "baseline_value", "change", "finding"]
RECORD = {
    "bcfstats": "0.1.0",
    "python": "3.11.7",
    "system": "Linux",
    "packages": {"numpy": "2.1.0", "pandas": "2.2.0"},
    "settings": {"scheme": "bcf-2013-12", "out": "a", "jobs": 1, "targets": ["t.csv"], "stopped": False},
    "about": {
        "made_from": "f1",
        "code": "c1",
        "inputs": [["months.csv", "11"], ["years.csv", "22"]],
        "files": [["prepared", "observations.parquet", "33"], ["prepared", "manifest.json", "44"]],
    },
}


def folder_of(path, rows=ROWS, record=RECORD, *, verdict="keep", expected=150.0):
    """Write a run's folder by hand."""
    (path / "tables").mkdir(parents=True)
    pd.DataFrame(rows, columns=NAMES).to_csv(path / "results.csv", index=False, encoding="utf-8-sig")
    keys = {"area_code": ["X1"], "metric": ["delayed_transfers"], "payment": ["2015-04"]}
    pd.DataFrame(keys | {"expected": [expected]}).to_parquet(path / "tables" / "outlooks.parquet")
    pd.DataFrame(keys | {"verdict": [verdict]}).to_parquet(path / "tables" / "assessments.parquet")
    (path / "run.json").write_text(json.dumps(record))
    (path / "tables" / "about.json").write_text(json.dumps(record["about"]))
    return path


def changed(**about):
    """Give the record with parts of it replaced."""
    record = deepcopy(RECORD)
    for name, value in about.items():
        target = (
            record if name in record else record["about"] if name in record["about"] else record["settings"]
        )
        target[name] = value
    return record


def edited(row, column, value):
    rows = [list(found) for found in ROWS]
    rows[row][NAMES.index(column)] = value
    return rows


@pytest.fixture
def before(tmp_path):
    return folder_of(tmp_path / "before")


def test_nothing_moved(before, tmp_path):
    code, lines = describe_comparison(before, folder_of(tmp_path / "after"))
    assert code == 0
    assert lines == ["Both runs record the same files, settings, code and packages.", "No number moved."]


def test_a_number_that_moved_is_told_with_before_after_and_difference(before, tmp_path):
    after = folder_of(tmp_path / "after", edited(0, "change", "1.25"), changed(inputs=[["months.csv", "99"]]))
    out = tmp_path / "changes.csv"
    code, lines = describe_comparison(before, after, out=out)
    assert code == 1
    assert "  comparison, Aldamount, reablement, 2015-10, change: -0.5, then 1.25 (+1.75)" in lines
    assert "Input files: months.csv (changed); years.csv (only in the first)." in lines
    assert "The numbers moved because of the data: all else that is recorded is the same." in lines
    table = pd.read_csv(out, encoding="utf-8-sig")
    assert table.to_dict("records") == [
        {
            "kind": "number moved",
            "table": "comparison",
            "area_code": "X1",
            "area_name": "Aldamount",
            "metric": "reablement",
            "payment": "2015-10",
            "figure": "change",
            "before": -0.5,
            "after": 1.25,
            "difference": 1.75,
        }
    ]


def test_judgements_come_first_then_rows_then_numbers(before, tmp_path):
    rows = [*edited(1, "finding", "no clear change")[:2], ["X3", "New", *ROWS[2][2:]]]
    rows[0][5] = ""
    after = folder_of(tmp_path / "after", rows, verdict="beaten_by_trend", expected=151.0)
    found = compare_runs(before, after).changes
    assert found[["kind", "table", "area_code", "figure", "before", "after"]].values.tolist() == [
        ["judgement changed", "comparison", "X1", "finding", "worse", "no clear change"],
        ["judgement changed", "target", "X1", "verdict", "keep", "beaten_by_trend"],
        ["row appeared", "comparison", "X3", "", "", ""],
        ["row vanished", "comparison", "X2", "", "", ""],
        ["number moved", "comparison", "X1", "change", "-0.5", ""],
        ["number moved", "outlook", "X1", "expected", "150.0", "151.0"],
    ]
    assert found["difference"].tolist()[-1] == 1.0
    assert found["difference"].isna().sum() == 5


def test_the_order_of_rows_and_the_last_digit_do_not_count_as_moved(before, tmp_path):
    rows = edited(1, "baseline_value", "157.29168965356598")[::-1]
    code, lines = describe_comparison(before, folder_of(tmp_path / "after", rows))
    assert (code, lines[0], lines[-1]) == (0, "Rounding: 1.", "No number moved.")
    rows = edited(1, "baseline_value", "157.2916900")
    assert compare_runs(before, folder_of(tmp_path / "moved", rows)).moved


def test_a_column_and_a_whole_table_of_one_run_only(before, tmp_path):
    after = folder_of(tmp_path / "after")
    table = pd.read_csv(after / "results.csv", dtype=str, keep_default_na=False)
    table.rename(columns={"change": "movement"}).to_csv(after / "results.csv", index=False)
    pd.DataFrame({"area_code": []}).to_parquet(after / "tables" / "assessments.parquet")
    found = compare_runs(before, after).changes
    told = found[["kind", "table", "figure", "before", "after"]].values.tolist()
    assert told == [
        ["row vanished", "target", "", "", ""],
        ["column in one run only", "comparison", "change", "there", ""],
        ["column in one run only", "comparison", "movement", "", "there"],
    ]


def test_no_cell_of_the_csv_file_is_a_formula(before, tmp_path):
    out = tmp_path / "changes.csv"
    describe_comparison(before, folder_of(tmp_path / "after", edited(2, "finding", "better")), out=out)
    assert ",'=Ilvacliff," in out.read_text(encoding="utf-8-sig")


@pytest.mark.parametrize(
    ("record", "line", "reason"),
    [
        (
            changed(inputs=[]),
            "Input files: months.csv, years.csv (only in the first).",
            "because of the data",
        ),
        (
            changed(scheme="bcf-2014-07"),
            "Setting scheme: bcf-2013-12, then bcf-2014-07.",
            "because of the settings",
        ),
        (changed(code="c2"), "The code of bcfstats differs.", "because of the code"),
        (
            changed(packages={"numpy": "2.1.0", "pandas": "3.0"}),
            "pandas: 2.2.0, then 3.0.",
            "because of the code",
        ),
        (changed(system="Windows"), "system: Linux, then Windows.", "because of the code"),
        (
            changed(files=[["prepared", "observations.parquet", "34"]]),
            "Prepared data differ, though the published files are the same: prepare them again.",
            "because of the data",
        ),
        (
            changed(code="c2", inputs=[]),
            "The code of bcfstats differs.",
            "The data and the code both differ: which of them moved a number cannot be told",
        ),
        (
            changed(code="c2", inputs=[], disclosure="hes-2018"),
            "Setting disclosure: not set, then hes-2018.",
            "The data, the settings and the code all differ",
        ),
        (changed(files=[]), "The second run, of an earlier version, does not", "cannot be told"),
        (changed(jobs=8, out="b", stopped=True), "Both runs record the same", "Nothing recorded differs"),
    ],
)
def test_no_more_is_claimed_than_what_differs(record, line, reason):
    found = differences(RECORD, record)
    assert any(said.startswith(line) for said in found.lines), found.lines
    assert reason in found.why(True)
    assert found.why(False).startswith("No number moved")
    assert "though the code differ." not in found.why(False)


def test_what_cannot_be_compared_is_refused(before, tmp_path):
    with pytest.raises(InputError, match="does not hold a run"):
        compare_runs(before, tmp_path)
    torn = folder_of(tmp_path / "torn")
    (torn / "tables" / "about.json").write_text(json.dumps(RECORD["about"] | {"made_from": "f2"}))
    with pytest.raises(InputError, match="not finished"):
        compare_runs(before, torn)
    twice = folder_of(tmp_path / "twice", [*ROWS, ROWS[0]])
    with pytest.raises(InputError, match="the same row twice"):
        compare_runs(before, twice)
    keyless = folder_of(tmp_path / "keyless")
    pd.DataFrame({"area_code": ["X1"]}).to_csv(keyless / "results.csv", index=False)
    with pytest.raises(InputError, match="no column metric"):
        compare_runs(before, keyless)
    (torn / "run.json").write_text('{"about": {')
    with pytest.raises(InputError, match="does not hold a run"):
        compare_runs(before, torn)


def test_command_ends_with_0_1_or_2(before, tmp_path, bcfstats):
    after = folder_of(tmp_path / "after", edited(0, "change", "1.25"))
    assert bcfstats("compare", before, before).returncode == 0
    assert bcfstats("compare", before, after).returncode == 1
    refused = bcfstats("compare", before, tmp_path / "nowhere")
    assert (refused.returncode, "Traceback" in refused.stderr) == (2, False)


def test_tables_of_a_real_run_are_those_that_are_compared():
    assert {"outlooks", "assessments"} <= set(Results.__dataclass_fields__)
