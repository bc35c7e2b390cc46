import csv
import io
import itertools
import json
import re
from dataclasses import replace
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.results import Results
from bcfstats.read.data import load
from bcfstats.run.batch import Progress, run_batch
from bcfstats.run.report import check_parameters, notebook_parameters
from bcfstats.run.resume import fingerprints
from bcfstats.run.settings import Settings
from tests.run.test_engine import notebook

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "notebooks" / "area_report.ipynb"
OUTSIDE = re.compile(
    r"""(?:src|href|action|data|poster)\s*=\s*["']?\s*(?:https?:)?//|@import|url\(\s*["']?http""", re.I
)


def settings(processed: Path, out: Path, **given: object) -> Settings:
    return Settings(processed=processed, out=out, notebook=NOTEBOOK, jobs=2).with_given(**given)


@pytest.fixture(scope="module")
def run(example_run):
    return example_run


def test_every_area_has_a_page_and_an_executed_notebook(run):
    result, told = run
    assert result.exit_code == 0
    assert [outcome.reason for outcome in result.outcomes] == ["", "", ""]
    for outcome in result.outcomes:
        assert result.page(outcome).is_file()
        executed = nbformat.read(result.out / "notebooks" / f"{outcome.stem}.ipynb", as_version=4)
        assert any(cell.get("outputs") for cell in executed.cells)
    assert "[3/3] 0 failed" in told
    left_over = [path for path in result.out.rglob("*") if "part" in path.name]
    assert left_over == []


def test_page_opens_with_no_network_and_with_no_script_but_its_own(run):
    """A page has one script of ours where it has what needs it, the only one that its policy lets run."""
    result, _ = run
    for page in [result.index, *(result.page(outcome) for outcome in result.outcomes)]:
        text = page.read_text(encoding="utf-8")
        soup = BeautifulSoup(text, "html.parser")
        assert soup.find(["iframe", "link", "object", "embed"]) is None
        assert len(soup.find_all("script")) == bool(soup.select(".move, #search"))
        assert not OUTSIDE.search(text)
        assert not [tag for tag in soup.find_all(True) for name in tag.attrs if name.startswith("on")]


def test_page_is_built_for_everyone(run):
    result, _ = run
    titles = set()
    for outcome in result.outcomes:
        soup = BeautifulSoup(result.page(outcome).read_text(encoding="utf-8"), "html.parser")
        assert soup.html["lang"] == "en-GB"
        assert len(soup.find_all("h1")) == 1
        levels = [int(tag.name[1]) for tag in soup.find_all(re.compile("^h[1-6]$"))]
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
        assert soup.find("a", class_="skip")["href"] == "#main"
        images = soup.find_all("img")
        assert len(images) > 10
        assert all(len(image["alt"]) > 40 and re.search(r"\d", image["alt"]) for image in images)
        assert all(table.caption and table.caption.get_text().strip() for table in soup.find_all("table"))
        titles.add(soup.title.get_text())
    assert len(titles) == len(result.outcomes)


def test_every_page_of_example_data_says_so(run):
    result, _ = run
    for page in [result.index, *(result.page(outcome) for outcome in result.outcomes)]:
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        assert "made up" in soup.find(class_="example").get_text()
    captions = BeautifulSoup(result.page(result.outcomes[0]).read_text(encoding="utf-8"), "html.parser")
    sources = [text for tag in captions.find_all("figure") if "Source: " in (text := tag.get_text())]
    assert len(sources) > 10
    assert all("Source: bcfstats example data, made up" in text for text in sources)


def test_page_table_and_results_hold_the_same_numbers(run):
    """The summary of a page is the rows of results.csv, as they are to be read."""
    result, _ = run
    table = pd.read_csv(result.out / "results.csv", encoding="utf-8-sig")
    code = result.outcomes[0].area_code
    soup = BeautifulSoup(result.page(result.outcomes[0]).read_text(encoding="utf-8"), "html.parser")
    caption = soup.find("caption", string=re.compile("^Every comparison"))
    shown = [
        [cell.get_text().strip() for cell in row.find_all(["th", "td"])]
        for row in caption.parent.tbody.find_all("tr")
    ]
    expected = table.loc[table["area_code"] == code]
    assert len(shown) == len(expected)
    by_metric = {(row[0], row[2].split(" against ")[0]): row for row in shown}
    assert len(by_metric) == len(shown)
    days = expected.loc[
        (expected["metric"] == "delayed_transfers") & (expected["payment"] == "2015-04")
    ].iloc[0]
    (row,) = [
        found
        for (metric, window), found in by_metric.items()
        if metric == "Delayed transfers of care" and window.startswith("April to December 2014")
    ]
    assert row[3] == f"{days['baseline_value']:,.1f}"
    assert row[4] == f"{days['outcome_value']:,.1f}"
    assert row[6] == days["finding"]


def test_results_hold_one_row_per_area_metric_and_payment(run):
    result, _ = run
    table = pd.read_csv(result.out / "results.csv", encoding="utf-8-sig")
    assert not table.duplicated(["area_code", "metric", "payment"]).any()
    assert table["area_code"].nunique() == 3
    assert {"2015-04", "2015-10", "latest"} == set(table["payment"])


def test_record_of_the_run(run):
    result, _ = run
    record = json.loads((result.out / "run.json").read_text(encoding="utf-8"))
    assert record["state"] == "finished"
    assert record["reports"] == {"of": 3, "made": 3, "failed": 0, "not_made_yet": 0, "kept_from_before": 0}
    assert record["about"]["is_example"] is True
    assert all(len(checksum) == 64 for _, checksum in record["about"]["inputs"])
    assert record["settings"]["scheme"] == "bcf-2013-12"


def test_broken_area_does_not_stop_the_others(broken_few, tmp_path, batched):
    out = tmp_path / "reports"
    result = batched(settings(broken_few, out))
    assert result.exit_code == 1
    with (out / "failures.csv").open(encoding="utf-8-sig", newline="") as file:
        (failure,) = csv.DictReader(file)
    assert failure["area_code"] == "X06000002"
    assert failure["cell"].isdigit()
    assert "open_report" in failure["source"]
    assert "InputError" in failure["reason"]
    assert "-5" in failure["reason"]
    made = [outcome for outcome in result.outcomes if not outcome.reason]
    assert len(made) == 2
    assert all(result.page(outcome).is_file() for outcome in made)
    assert not result.page(result.failed[0]).exists()
    index = result.index.read_text(encoding="utf-8")
    assert "no report" in index


def test_some_areas_by_name_or_code(few, tmp_path, batched):
    name = load(few).areas["area_name"][0]
    book = tmp_path / "quick.ipynb"
    nbformat.write(notebook("print(area_code)"), book)
    result = batched(settings(few, tmp_path / "out", notebook=book), areas=[name.upper()])
    assert [outcome.area_name for outcome in result.outcomes] == [name]


def test_bad_input_writes_nothing(few, tmp_path):
    out = tmp_path / "reports"
    with pytest.raises(ParameterError, match="no such area"):
        run_batch(settings(few, out), areas=["Atlantis"])
    with pytest.raises(InputError, match="no prepared data"):
        run_batch(settings(tmp_path, out))
    with pytest.raises(ParameterError):
        run_batch(settings(few, out, scheme="bcf-1999"))
    assert not out.exists()


def test_unknown_and_missing_parameters_are_refused_before_a_kernel_starts(tmp_path):
    assert notebook_parameters(NOTEBOOK) == ("area_code", "run_folder")
    with pytest.raises(ParameterError, match="unknown: area_cod; missing: area_code"):
        check_parameters(NOTEBOOK, {"area_cod": "X06000001", "run_folder": ".."})
    empty = tmp_path / "empty.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), empty)
    with pytest.raises(ParameterError, match="no cell tagged 'parameters'"):
        notebook_parameters(empty)


def test_notebook_that_declares_other_parameters_is_refused_and_nothing_written(few, tmp_path):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells[1].source = "area = 'X06000001'"
    nbformat.write(notebook, tmp_path / "other.ipynb")
    out = tmp_path / "reports"
    with pytest.raises(ParameterError, match=re.escape("missing: area")):
        run_batch(settings(few, out, notebook=tmp_path / "other.ipynb"))
    assert not out.exists()


def test_hostile_area_name_reaches_the_page_as_text(few, tmp_path, batched):
    processed = tmp_path / "processed"
    processed.mkdir()
    for path in few.iterdir():
        (processed / path.name).write_bytes(path.read_bytes())
    name = "<script>alert(1)</script> & Sons"
    for table in ("observations", "areas"):
        rows = pd.read_parquet(processed / f"{table}.parquet")
        rows.loc[rows["area_code"] == "X06000001", "area_name"] = name
        rows.to_parquet(processed / f"{table}.parquet")
    result = batched(settings(processed, tmp_path / "out", jobs=1), areas=["X06000001"])
    for page in (result.index, result.page(result.outcomes[0])):
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        assert len(soup.find_all("script")) == bool(soup.select(".move, #search"))
        assert name in soup.get_text()


def test_a_bad_row_of_targets_is_named_and_the_others_are_judged(few, tmp_path, batched):
    """On the page of its own area, in the record, and by the exit code; another area's report stays as is."""
    given = tmp_path / "targets.csv"
    rows = ["X06000001,delayed_transfers,2015-04,-3.5", "X06000001,waiting_times,2015-04,-3.5"]
    rows += ["Atlantis,reablement,2015-10,2", "X06000002,reablement,2015-10,4"]
    given.write_text("\n".join(["area,metric,payment,change_percent", *rows]) + "\n")
    result = batched(settings(few, tmp_path / "out", targets=(given,)), areas=["X06000001", "X06000002"])
    assert result.exit_code == 1
    assert not result.failed
    named = [problem.split(":")[0] for problem in result.left_out]
    assert named == ["targets.csv, row 3, metric", "targets.csv, row 4, area"]
    record = json.loads((result.out / "run.json").read_text(encoding="utf-8"))["about"]
    assert [problem for _, problem in record["targets_left_out"]] == list(result.left_out)
    first, second = (result.page(one).read_text(encoding="utf-8") for one in result.outcomes)
    assert "targets.csv, row 3, metric" in first
    assert "targets.csv, row" not in second
    results = Results.load(result.out / "tables")
    assert results.assessments["area_code"].tolist() == ["X06000001", "X06000002"]
    mended = replace(results, about=results.about | {"targets_left_out": []})
    codes = ["X06000001", "X06000002"]
    before, after = (fingerprints(each, b"", codes) for each in (results, mended))
    assert [before[code] == after[code] for code in codes] == [False, True]


def test_the_line_of_progress_says_what_is_done_failed_and_left():
    """38 of 152 in a minute: the other 114 take three."""
    progress = Progress(152, io.StringIO())
    progress.done, progress.failed = 38, 1
    assert progress.line("Rutland", 60.0) == "[ 38/152] 1 failed, 3 min left, Rutland"
    assert progress.line("Rutland", 20.0) == "[ 38/152] 1 failed, 60 s left, Rutland"
