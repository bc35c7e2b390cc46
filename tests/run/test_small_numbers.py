"""A whole run on figures of an area's own: nothing it writes tells what a hidden count is."""

import io
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from bcfstats.errors import ParameterError
from bcfstats.run.batch import run_batch
from bcfstats.run.settings import Settings, load_settings
from tests.show.small_areas import PARTNER, TINY, data

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "area_report.ipynb"


def prepared(folder: Path, small: float) -> Path:
    """Write the data as `prepare` would; the hidden count moves, the region's total does not."""
    made = data(annual={(TINY, 2013): small, (PARTNER, 2013): 43.0 - small})
    folder.mkdir(parents=True)
    for name in ("observations", "areas", "others"):
        getattr(made, name).to_parquet(folder / f"{name}.parquet")
    made.areas.to_parquet(folder / "populations.parquet")
    (folder / "manifest.json").write_text(json.dumps(made.manifest), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
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
        made.append(run_batch(settings, areas=[TINY, PARTNER], stream=io.StringIO()))
    return made


def content(path: Path) -> object:
    """Read a file without what differs between any two runs: times of cells, and the run's own folder."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path).to_csv()
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        return [
            (cell["source"], [{**output, "execution_count": 0} for output in cell.get("outputs", ())])
            for cell in json.loads(text)["cells"]
        ]
    if path.name == "run.json":
        record = json.loads(text)
        return {name: record[name] for name in ("about", "reports", "areas")}
    return re.sub(r"\d+\.\d+ seconds", "", text)


def test_every_file_of_a_run_is_the_same_whatever_the_hidden_count_is(runs):
    first, other = (run.out for run in runs)
    assert [outcome.reason for run in runs for outcome in run.outcomes] == [""] * 4
    names = {path.relative_to(first) for path in first.rglob("*") if path.is_file()}
    assert names == {path.relative_to(other) for path in other.rglob("*") if path.is_file()}
    kinds = {name.suffix for name in names}
    assert {".html", ".ipynb", ".csv", ".json", ".parquet"} <= kinds
    for name in sorted(names):
        if name.suffix in {".html", ".ipynb", ".csv", ".json", ".parquet"}:
            assert content(first / name) == content(other / name), name


def test_page_says_which_rule_was_used_and_what_is_suppressed(runs):
    (outcome,) = [found for found in runs[0].outcomes if found.area_code == TINY]
    text = runs[0].page(outcome).read_text(encoding="utf-8")
    assert "rule hes-2014 (counts of 1 to 5 suppressed" in text
    assert "suppressed in this report" in text


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
