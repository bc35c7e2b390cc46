"""A folder of files: kept, refused, settled, written all at once or not at all."""

import hashlib
import json
import shutil
import time
from dataclasses import replace
from types import MappingProxyType

import pandas as pd
import pytest

import bcfstats
from bcfstats import files as store
from bcfstats.define.metrics import METRICS
from bcfstats.errors import InputError, NotDoneError
from bcfstats.example.data import write_example
from bcfstats.read.data import load
from bcfstats.read.prepare import prepare

GOOD = "area_code,metric,period,numerator,denominator\nE08000035,reablement,2014/15,84,100\n"


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "mine.csv").write_text(GOOD)
    return folder


def digest(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*"))}


def test_all_published_files_are_read_but_one(prepared):
    assert list(prepared.refused_files) == ["fingertips/indicators-CountyUA.data.csv"]
    assert prepared.exit_code == 1
    totals = prepared.manifest["totals"]
    assert (totals["files"], totals["rows_refused"], totals["checks_failed"]) == (127, 0, 0)
    unused = [
        entry["file"]
        for entry in prepared.manifest["files"]
        if entry.get("kind") == "not a file bcfstats uses"
    ]
    assert len(unused) == 6
    assert prepared.manifest["problems"] == {}


def test_raw_files_are_never_changed(real_data, prepared):
    first = prepared.manifest["files"][0]
    assert hashlib.sha256((real_data / first["file"]).read_bytes()).hexdigest() == first["sha256"]


def test_what_is_written_is_what_is_loaded(raw, tmp_path):
    result = prepare(raw, tmp_path / "processed")
    loaded = load(tmp_path / "processed")
    assert result.exit_code == 0
    pd.testing.assert_frame_equal(loaded.observations, result.data.observations)
    pd.testing.assert_frame_equal(loaded.areas, result.data.areas)
    assert loaded.manifest == json.loads(json.dumps(result.manifest))
    assert sorted(path.name for path in (tmp_path / "processed").iterdir()) == [
        "areas.parquet", "earlier.parquet", "manifest.json", "observations.parquet", "others.parquet",
        "populations.parquet",
    ]  # fmt: skip
    assert loaded.manifest["bcfstats"] == bcfstats.__version__
    assert not loaded.is_example


def test_the_same_files_are_prepared_again_byte_for_byte(raw, tmp_path, monkeypatch):
    """But for the time, unless that is fixed: 1 December 2014 at noon is 1,417,435,200 seconds after 1970."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1417435200")
    first, again = tmp_path / "first", tmp_path / "again"
    prepare(raw, first)
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    prepare(raw, again)
    assert json.loads((first / "manifest.json").read_text())["created"] == "2014-12-01T12:00:00+00:00"
    assert digest(first) == digest(again)


def test_hidden_files_locks_and_readmes_are_passed_over_and_copies_read_once(raw, tmp_path):
    for name in (".DS_Store", "~$mine.xlsx", ".~lock.mine.csv#", "README.md"):
        (raw / name).write_text("x")
    shutil.copy(raw / "sub" / "mine.csv", raw / "copy of mine.csv")
    files = prepare(raw, tmp_path / "processed").manifest["files"]
    assert [(entry["file"], entry["kind"]) for entry in files] == [
        ("copy of mine.csv", "plain table of observations"),
        ("sub/mine.csv", "the same file as copy of mine.csv"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [("April_13.xls", b"\x00\x01\x02" * 50, "neither a workbook nor text"),
     ("April_13.xlsx", b"PK\x03\x04abc", "cut short"),
     ("April_13.csv", b"", "is empty"), ("notes.csv", b"a,b\n1,2\n", "none of the formats")],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_named_and_the_others_kept(raw, tmp_path, name, content, what):
    (raw / name).write_bytes(content)
    result = prepare(raw, tmp_path / "processed")
    assert result.exit_code == 1
    assert list(result.refused_files) == [name]
    assert what in result.refused_files[name]
    assert load(tmp_path / "processed").observations["value"].tolist() == [84.0]


@pytest.mark.parametrize(
    "line",
    ["E08000035,reablement,2014/15,84,100\nE08000035,reablement,2014/15,85,100",
     "Atlantis,reablement,2014/15,84,100",
     "E08000035,reablement,2014/15,many,100", "E08000035,reablement,2014/15,101,100",
     "E08000035,reablement,2014/15,-1,100"],
    ids=["duplicate periods", "unknown area", "text in a number", "proportion above 100 %", "negative count"],
)  # fmt: skip
def test_when_nothing_is_usable_nothing_is_written_and_earlier_results_stay(raw, tmp_path, line):
    processed = tmp_path / "processed"
    prepare(raw, processed)
    before = digest(processed)
    (raw / "sub" / "mine.csv").write_text(f"area_code,metric,period,numerator,denominator\n{line}\n")
    result = prepare(raw, processed)
    assert result.exit_code == 2
    assert digest(processed) == before
    assert result.data.observations.empty
    assert len(result.manifest["files"][0]["refused_rows"]) == line.count("\n") + 1


def test_a_file_with_a_column_twice_costs_only_itself(raw, tmp_path):
    (raw / "twice.csv").write_text("area,metric,value,value,period\nLeeds,reablement,1,2,2014/15\n")
    result = prepare(raw, tmp_path / "processed")
    assert "more than once" in result.refused_files["twice.csv"]
    assert len(result.data.observations) == 1


def test_an_unknown_area_is_refused_with_near_misses(raw, tmp_path):
    (raw / "more.csv").write_text(
        "area,metric,period,value\nLeads,reablement,2014/15,84\nBradford,reablement,2014/15,80\n"
    )
    result = prepare(raw, tmp_path / "processed")
    refused = next(entry for entry in result.manifest["files"] if entry["file"] == "more.csv")["refused_rows"]
    assert "Did you mean 'Leeds'" in refused[0]["reason"]
    assert set(result.data.observations["area_name"]) == {"Leeds", "Bradford"}


def test_a_list_of_areas_makes_them_known(raw, tmp_path):
    (raw / "z_areas.csv").write_text("area_code,area_name,region\nP81001,High Street Surgery,North\n")
    (raw / "more.csv").write_text("area,metric,period,value\nHigh Street Surgery,reablement,2014/15,84\n")
    data = prepare(raw, tmp_path / "processed").data
    assert set(data.observations["area_code"]) == {"E08000035", "P81001"}
    assert len(data.areas) == 153


def test_an_error_while_writing_leaves_earlier_results(raw, tmp_path, monkeypatch):
    processed = tmp_path / "processed"
    prepare(raw, processed)
    before = digest(processed)

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    with pytest.raises(NotDoneError, match="were there are untouched"):
        prepare(raw, processed)
    assert digest(processed) == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_an_interruption_in_the_swap_is_undone(raw, tmp_path):
    processed = tmp_path / "processed"
    prepare(raw, processed)
    before = digest(processed)
    processed.rename(tmp_path / ".processed.before")  # as if stopped between the two renames
    store.restore_folder(processed)
    assert digest(processed) == before


def test_other_files_of_the_folder_are_carried_over(raw, tmp_path):
    processed = tmp_path / "processed"
    processed.mkdir()
    (processed / "README.md").write_text("kept")
    prepare(raw, processed)
    prepare(raw, processed)
    assert (processed / "README.md").read_text() == "kept"


def test_prepared_data_inside_raw_are_not_read(raw):
    assert prepare(raw, raw / "processed").exit_code == 0
    assert len(prepare(raw, raw / "processed").manifest["files"]) == 1


def test_a_metric_of_ones_own(raw, tmp_path):
    own = replace(METRICS["reablement"], id="step_down", code="")
    (raw / "sub" / "mine.csv").write_text(GOOD.replace("reablement", "step_down"))
    assert prepare(raw, tmp_path / "p").exit_code == 2
    assert (
        prepare(raw, tmp_path / "p", metrics=MappingProxyType({**METRICS, "step_down": own})).exit_code == 0
    )


def test_a_later_revision_wins_and_it_is_said(tmp_path, write_dtoc):
    england, leeds = [None, "-", "England", 30, 10, 40], ["E08000035", "212", "Leeds", 30, 10, 40]
    write_dtoc("raw/a.xlsx", "April 2017", [england, leeds])
    later = [[*england[:3], 35, 10, 45], [*leeds[:3], 35, 10, 45]]
    write_dtoc("raw/b.xlsx", "April 2017", later, revised="14th June 2018")
    result = prepare(tmp_path / "raw", tmp_path / "processed")
    assert result.data.observations["numerator"].tolist() == [45]
    assert "gave way to b.xlsx" in result.manifest["decisions"]["vintages"][0]


def test_no_such_folder(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        prepare(tmp_path / "none", tmp_path / "processed")


def test_nothing_prepared_yet_and_damaged_tables(raw, tmp_path):
    with pytest.raises(InputError, match="no prepared data"):
        load(tmp_path / "processed")
    prepare(raw, tmp_path / "processed")
    (tmp_path / "processed" / "observations.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="damaged or incomplete"):
        load(tmp_path / "processed")


def test_example_data_say_they_are_an_example(tmp_path):
    write_example(tmp_path / "raw", n_areas=4)
    result = prepare(tmp_path / "raw", tmp_path / "processed")
    assert result.exit_code == 0
    assert load(tmp_path / "processed").is_example
    assert set(result.data.areas["area_type"]) == {"Fictional area"}
