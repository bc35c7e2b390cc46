"""A whole run on figures of an area's own: nothing it writes tells what a hidden count is."""

import io
import json
import re
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from bcfstats.errors import ParameterError
from bcfstats.run.batch import run_batch
from bcfstats.run.check import describe_targets
from bcfstats.run.settings import Settings, load_settings
from tests.disclose.small_areas import PARTNER, TINY, data

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "area_report.ipynb"


def prepared(folder: Path, small: float, year: int = 2013) -> Path:
    """Write the data as `prepare` would; the hidden count moves, the region's total does not."""
    made = data(annual={(TINY, year): small, (PARTNER, year): 43.0 - small})
    folder.mkdir(parents=True)
    for name in ("observations", "areas", "others"):
        getattr(made, name).to_parquet(folder / f"{name}.parquet")
    made.areas.to_parquet(folder / "populations.parquet")
    (folder / "manifest.json").write_text(json.dumps(made.manifest), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory, batched):
    folder = tmp_path_factory.mktemp("small")
    made = []
    for small in (2.0, 5.0):
        settings = Settings(
            processed=prepared(folder / f"data{small}", small),
            out=folder / f"run{small}" / "reports",
            disclosure="hes-2014",
            notebook=NOTEBOOK,
            jobs=1,
        )
        made.append(batched(settings, areas=[TINY, PARTNER]))
    return made


def content(path: Path) -> object:
    """Read a file without what differs between any two runs: times, the run's folder, checksums of inputs."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            parts = [name for name in book.namelist() if name != "docProps/core.xml"]  # when it was written
            return {name: book.read(name) for name in parts}
    if path.name == "written.json":
        return sorted(json.loads(path.read_text(encoding="utf-8")))
    if path.suffix == ".parquet":
        return pd.read_parquet(path).to_csv()
    text = re.sub(r'"made_from": "\w+"', '"made_from": ""', path.read_text(encoding="utf-8"))
    if path.suffix == ".ipynb":
        return [
            (cell["source"], [{**output, "execution_count": 0} for output in cell.get("outputs", ())])
            for cell in json.loads(text)["cells"]
        ]
    if path.name in ("run.json", "about.json"):
        record = json.loads(text)
        about = record.get("about", record)
        about.pop("files", None)  # checksums of the prepared files
        return {"about": about} | {name: record.get(name) for name in ("reports", "areas")}
    return re.sub(r"\d+\.\d+ seconds", "", text)


@pytest.mark.slow
def test_every_file_of_a_run_is_the_same_whatever_the_hidden_count_is(runs):
    first, other = (run.out for run in runs)
    assert [outcome.reason for run in runs for outcome in run.outcomes] == [""] * 4
    names = {path.relative_to(first) for path in first.rglob("*") if path.is_file()}
    assert names == {path.relative_to(other) for path in other.rglob("*") if path.is_file()}
    kinds = {name.suffix for name in names}
    assert {".html", ".ipynb", ".csv", ".json", ".parquet", ".xlsx"} <= kinds
    for name in sorted(names):
        if name.suffix in {".html", ".ipynb", ".csv", ".json", ".parquet", ".xlsx"}:
            assert content(first / name) == content(other / name), name


@pytest.mark.slow
def test_page_says_which_rule_was_used_and_what_is_suppressed(runs):
    (outcome,) = [found for found in runs[0].outcomes if found.area_code == TINY]
    text = runs[0].page(outcome).read_text(encoding="utf-8")
    assert "rule hes-2014 (counts of 1 to 5 suppressed" in text
    assert "small-number rule hes-2014 hides it" in text


def test_rule_is_a_setting(tmp_path):
    file = tmp_path / "bcfstats.toml"
    for written, found in (('"hes-2018"', "hes-2018"), ("{ threshold = 10 }", "threshold=10")):
        file.write_text(f"disclosure = {written}\n", encoding="utf-8")
        assert load_settings(file).disclosure == found


def test_unknown_rule_is_refused_and_nothing_written(tmp_path):
    settings = Settings(
        processed=prepared(tmp_path / "data", 2.0),
        out=tmp_path / "out",
        disclosure="hes-1999",
        notebook=NOTEBOOK,
    )
    with pytest.raises(ParameterError, match="hes-2014, hes-2018"):
        run_batch(settings)
    assert not (tmp_path / "out").exists()


def test_targets_are_judged_without_small_numbers(tmp_path):
    """A target against a hidden baseline cannot be assessed; one against a baseline that is shown can."""
    targets = tmp_path / "targets.csv"
    rows = [(area, "care_home_admissions", "2013/14", -5) for area in (TINY, "X06000107")]
    pd.DataFrame(rows, columns=["area", "metric", "payment", "change_percent"]).to_csv(targets, index=False)
    told = {"hes-2014": [], "none": []}
    for small in (2.0, 5.0):
        processed = prepared(tmp_path / f"data{small}", small, year=2012)
        for rule, texts in told.items():
            out = tmp_path / "assessments.csv"
            describe_targets(Settings(processed=processed, disclosure=rule), targets, out=out)
            texts.append(out.read_text(encoding="utf-8-sig"))
    assert told["hes-2014"][0] == told["hes-2014"][1]
    assert told["none"][0] != told["none"][1]
    table = pd.read_csv(io.StringIO(told["hes-2014"][0])).set_index("area_code")
    assert table.loc[TINY, "verdict"] == "cannot_be_assessed"
    assert table.loc["X06000107", "baseline_numerator"] > 0
