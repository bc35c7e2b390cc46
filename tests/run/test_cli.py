"""The command as a user types it: what it prints, what it writes and its exit code."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from bcfstats import __version__ as version
from bcfstats.example.data import write_example

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = "area_code,metric,period,numerator,denominator,value\n"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, bcfstats):
    folder = tmp_path_factory.mktemp("cli")
    write_example(folder / "raw", n_areas=2)
    done = bcfstats("prepare", "--raw", folder / "raw", "--processed", folder / "processed")
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_prepare_says_what_it_read(prepared):
    folder, told = prepared
    assert "observations of 15 metrics in 2 areas" in told
    assert (folder / "processed" / "manifest.json").is_file()


def test_check_says_what_there_is(prepared, bcfstats):
    folder, _ = prepared
    done = bcfstats("check", "--processed", folder / "processed")
    assert done.returncode == 0, done.stderr
    assert "delayed_transfers: 2 areas" in done.stdout


def test_refused_row_names_its_file_once(tmp_path, bcfstats):
    write_example(tmp_path / "raw", n_areas=2)
    rows = "X06000001,reablement,2015/16,-5,110,\nX06000002,reablement,2015/16,90,110,\n"
    (tmp_path / "raw" / "correction.csv").write_text(COLUMNS + rows)
    told = bcfstats("prepare", "--raw", "raw", "--processed", "processed", folder=tmp_path).stdout
    line = next(line for line in told.splitlines() if line.startswith("Row refused"))
    assert line.count("correction.csv") == 1
    assert "X06000001, reablement" in line or "Aldamount, reablement" in line


@pytest.mark.parametrize(("fixed", "code"), [("", 0), ("0", 0), ("yesterday", 2)])
def test_source_date_epoch_is_looked_at_before_a_command_begins(fixed, code):
    """Empty, it is taken away: the fonts of a PDF would end on it."""
    script = "from bcfstats.cli import main; import os\ntry: main()\n"
    script += "finally: assert os.environ.get('SOURCE_DATE_EPOCH') != ''"
    command = [sys.executable, "-c", script, "list", "schemes"]
    given = os.environ | {"SOURCE_DATE_EPOCH": fixed}
    done = subprocess.run(command, capture_output=True, text=True, env=given, check=False, timeout=600)
    assert done.returncode == code
    assert done.stderr.startswith("bcfstats: SOURCE_DATE_EPOCH is not a time.") if code else not done.stderr


def test_version_is_that_of_the_package():
    command = [sys.executable, "-W", "error", "-m", "bcfstats", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=600)
    assert done.stdout == f"bcfstats {version}\n"


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        (["run", "--notebook", "nowhere.ipynb"], 2, "The notebook cannot be read."),
        (["run", "--out", "file"], 3, "could not be written"),
        (["run", "--targets", "nowhere.csv"], 2, "nowhere.csv"),
        (["run", "--scheme", "nowhere"], 2, "nowhere"),
        (["demo", "--areas", "2", "--out", "file"], 3, "could not be written"),
    ],
)
def test_what_can_be_checked_before_computing_is(command, code, told, prepared, tmp_path, bcfstats):
    """Nothing is computed: no table of results is written, and no file of the example."""
    (tmp_path / "file").touch()
    read = [] if command[0] == "demo" else ["--processed", prepared[0] / "processed"]
    done = bcfstats(*command, *read, folder=tmp_path)
    assert done.returncode == code
    assert told in done.stderr
    assert "--" not in done.stderr or "--out" in done.stderr  # an option that these commands have
    assert [path.name for path in tmp_path.rglob("*")] == ["file"]


def test_misspelt_area_is_told_before_anything_else_is_looked_at(prepared, tmp_path, bcfstats):
    folder, _ = prepared
    words = ["--area", "Aldamont", "--scheme", "nowhere", "--processed", folder / "processed"]
    done = bcfstats("run", *words, folder=tmp_path)
    assert done.returncode == 2
    assert "Did you mean 'Aldamount'" in done.stderr


def test_run_ends_with_the_path_of_the_index_and_says_nothing_else_on_standard_error(few, tmp_path, bcfstats):
    done = bcfstats("run", "--processed", few, "--out", tmp_path / "out", "--area", "Aldamount")
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.splitlines()[-1]) == tmp_path / "out" / "index.html"
    assert done.stderr.strip().splitlines()[-1].startswith("[1/1] 0 failed")
    assert "Traceback" not in done.stderr
    assert "ERROR" not in done.stderr


def test_init_writes_settings_that_are_the_defaults_and_never_overwrites(tmp_path, bcfstats):
    assert bcfstats("init", folder=tmp_path).returncode == 0
    written = (tmp_path / "bcfstats.toml").read_bytes()
    done = bcfstats("init", folder=tmp_path)
    assert done.returncode == 2
    assert "There is a settings file already." in done.stderr
    assert (tmp_path / "bcfstats.toml").read_bytes() == written


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["list", "metrics"], "delayed_transfers"),
        (["list", "areas"], "E06000045"),
        (["list", "schemes"], "bcf-2014-07"),
        (["list", "methods"], "trend"),
        (["explain", "2A(2)"], "Series break: 1 April 2014"),
        (["explain", "proportion"], "Wilson"),
    ],
)
def test_definitions_in_plain_words(words, told, bcfstats):
    done = bcfstats(*words)
    assert done.returncode == 0, done.stderr
    assert told in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["list", "hospitals"], "There is no such list."),
        (["explain", "wilsn"], "neither a metric nor a method"),
        (["run", "--processed", "nowhere"], "There is no prepared data here."),
        (["check", "--config", "nowhere.toml"], "There is no such settings file."),
        (["prepare", "--raw", "nowhere"], "nowhere"),
    ],
)
def test_bad_input_is_one_message_without_a_traceback(words, told, tmp_path, bcfstats):
    done = bcfstats(*words, folder=tmp_path)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("shceme = 'bcf-2013-12'", "'shceme'"),
        ("jobs = 'two'", "jobs"),
        ("jobs = ", "not TOML"),
    ],
)
def test_wrong_settings_are_stopped_early(text, told, tmp_path, bcfstats):
    (tmp_path / "bcfstats.toml").write_text(text)
    done = bcfstats("run", folder=tmp_path)
    assert done.returncode == 2
    assert told in done.stderr


@pytest.mark.slow
def test_metric_of_ones_own_from_file_to_report(tmp_path, bcfstats):
    """A metric in a TOML file and its figures in a CSV file become a section of the report."""
    (tmp_path / "own.toml").write_text(
        """
[[metric]]
id = "same_day_visits"
name = "Visits made on the day they were asked for"
short_name = "Same-day visits"
numerator = "Visits made on the same day"
denominator = "Visits asked for"
age_group = "18 and over"
multiplier = 100
unit = "%"
polarity = "higher"
frequency = "year"
statistic = "proportion"
independent_events = true
source = "Local record"
publisher = "The council"
decimals = 1
"""
    )
    (tmp_path / "raw").mkdir()
    rows = "E06000045,same_day_visits,2013/14,82,100,82.0\nE06000045,same_day_visits,2014/15,95,100,95.0\n"
    (tmp_path / "raw" / "visits.csv").write_text(COLUMNS + rows)
    own = ["--metrics", "own.toml"]
    done = bcfstats("prepare", "--raw", "raw", "--processed", "processed", *own, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    done = bcfstats("run", "--processed", "processed", "--out", "out", *own, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "out" / "results.csv", encoding="utf-8-sig")
    assert table[["metric", "baseline_value", "outcome_value"]].to_numpy().tolist() == [
        ["same_day_visits", 82.0, 95.0]
    ]
    page = next((tmp_path / "out" / "areas").iterdir()).read_text(encoding="utf-8")
    assert "Visits made on the day they were asked for" in page


# What is wrong: in which year's file, the rows, and what is named
BAD_ROWS = {
    "unknown area": (2009, "E99999999,reablement,2009/10,82,100,82.0\n", "E99999999"),
    "unknown metric": (2010, "E06000045,reablment,2010/11,82,100,82.0\n", "reablment"),
    "text in a number cell": (2011, "E06000045,reablement,2011/12,n/k,100,82.0\n", "n/k"),
    "proportion above 100 %": (2012, "E06000045,reablement,2012/13,,,104.0\n", "104"),
    "negative count": (2013, "E06000045,reablement,2013/14,-3,100,\n", "-3"),
    "duplicate periods": (
        2014,
        "E06000045,reablement,2014/15,82,100,82.0\nE06000045,reablement,2014/15,90,100,90.0\n",
        "more than once",
    ),
}


@pytest.fixture(scope="module")
def refused(tmp_path_factory, bcfstats):
    """What was told of a file of each kind, each with a good row, and the rows that were kept."""
    folder = tmp_path_factory.mktemp("refused")
    (folder / "raw").mkdir()
    for year, rows, _ in BAD_ROWS.values():
        good = f"E06000044,reablement,{year}/{year % 100 + 1:02},80,100,80.0\n"
        (folder / "raw" / f"{year}.csv").write_text(COLUMNS + good + rows)
    done = bcfstats("prepare", "--raw", "raw", "--processed", "processed", folder=folder)
    told = done.stdout + done.stderr + (folder / "processed" / "manifest.json").read_text()
    return told, pd.read_parquet(folder / "processed" / "observations.parquet")


@pytest.mark.parametrize("fault", BAD_ROWS)
def test_bad_rows_are_refused_by_name_and_the_rest_is_kept(fault, refused):
    year, _, found = BAD_ROWS[fault]
    told, kept = refused
    lines = [line for line in told.splitlines() if line.startswith(f"Row refused: {year}.csv")]
    assert lines
    assert all(found in line for line in lines)
    assert "Traceback" not in told
    mine = kept.loc[kept["source"] == f"{year}.csv", ["area_code", "numerator"]]
    assert mine.to_numpy().tolist() == [["E06000044", 80.0]]


BAD_FILES = {
    "not a workbook": b"\xd0\xcf\x11\xe0 this is no workbook",
    "truncated zip": b"PK\x03\x04\x14\x00\x06\x00",
    "empty": b"",
}


@pytest.mark.parametrize("fault", BAD_FILES)
def test_nothing_usable_leaves_earlier_results_intact(fault, prepared, tmp_path, bcfstats):
    folder, _ = prepared
    processed = tmp_path / "processed"
    processed.mkdir()
    for path in (folder / "processed").iterdir():
        (processed / path.name).write_bytes(path.read_bytes())
    before = {path.name: path.read_bytes() for path in processed.iterdir()}
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "file.xlsx").write_bytes(BAD_FILES[fault])
    done = bcfstats("prepare", "--raw", "raw", "--processed", "processed", folder=tmp_path)
    assert done.returncode == 2
    assert "file.xlsx" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name: path.read_bytes() for path in processed.iterdir()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["processed", "raw"]


BAD_TARGETS = {
    "unknown metric": ("{area},waiting_times,2015-04,,10\n", "waiting_times"),
    "unknown area": ("Atlantis,delayed_transfers,2015-04,,-3.5\n", "Atlantis"),
    "above 100 %": ("{area},reablement,2015-10,104,\n", "104"),
}


@pytest.mark.parametrize("fault", BAD_TARGETS)
def test_bad_targets_are_named(fault, prepared, tmp_path, bcfstats):
    folder, _ = prepared
    row, found = BAD_TARGETS[fault]
    (tmp_path / "targets.csv").write_text(
        "area,metric,payment,target_value,change_percent\n" + row.format(area="X06000001")
    )
    done = bcfstats("check", tmp_path / "targets.csv", "--processed", folder / "processed")
    assert done.returncode == 2
    assert found in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_single_figure_of_a_single_metric_still_makes_a_report(tmp_path, bcfstats):
    """Nothing can be compared, and the report says so."""
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "one.csv").write_text(COLUMNS + "E06000045,reablement,2014/15,82,100,82.0\n")
    done = bcfstats("prepare", "--raw", "raw", "--processed", "processed", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    (tmp_path / "scheme.toml").write_text(
        (ROOT / "bcfstats" / "define" / "schemes" / "bcf-2014-07.toml")
        .read_text(encoding="utf-8")
        .replace('id = "bcf-2014-07"', 'id = "own"'),
        encoding="utf-8",
    )
    given = ["--scheme", "scheme.toml", "--out", "out"]
    done = bcfstats("run", "--processed", "processed", *given, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    page = next((tmp_path / "out" / "areas").iterdir()).read_text(encoding="utf-8")
    assert "No two periods can be compared yet." in page
    assert "82.0%" in page
