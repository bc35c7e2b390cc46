"""Codes, names and notes that are made to do harm, through a whole batch and all that is made of it.

Files are read back with other code than what wrote them: openpyxl, zipfile, the csv module, html.parser, ast.
"""

import ast
import base64
import csv
import hashlib
import io
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from zipfile import ZipFile

import nbformat
import openpyxl
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from bcfstats.define.metrics import load_metrics
from bcfstats.errors import InputError
from bcfstats.run.batch import Progress, run_batch
from bcfstats.run.check import describe_overview, describe_targets
from bcfstats.run.export import export
from bcfstats.run.settings import Settings
from bcfstats.words import file_stem
from tests.run.hostile import AREAS, FILE, LINES, MARKUP, prepared_hostile, write_hostile_targets
from tests.run.test_batch import NOTEBOOK

# https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
BROKEN = "X06000001"  # the area whose name is markup: it gets no report, but is named in the index


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Everything that the commands make, in a folder whose name is hostile too."""
    base = tmp_path_factory.mktemp("hostile")
    processed = prepared_hostile(base)
    rows = pd.read_parquet(processed / "observations.parquet")
    rows.loc[rows.index[rows["area_code"] == BROKEN][3], "numerator"] = -5.0
    rows.to_parquet(processed / "observations.parquet")
    targets = write_hostile_targets(base / "targets.csv")
    out = base / "out {x} é $y$"
    settings = Settings(processed=processed, out=out, targets=(targets,), notebook=NOTEBOOK, jobs=2)
    told = io.StringIO()
    result = run_batch(settings, stream=told)
    assert [outcome.area_code for outcome in result.failed] == [BROKEN]
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", told.getvalue())  # what a terminal would obey
    list(export(out, fingertips=True, charts="svg", areas=list(AREAS)[1:4]))
    describe_overview(settings, targets, out=out / "overview")
    describe_targets(settings, targets, out=out / "check.csv")
    return base


@pytest.fixture(scope="module")
def out(folder):
    (found,) = folder.glob("out*")
    return found


@pytest.mark.slow
def test_nothing_leaves_the_folder_and_no_parameter_becomes_code(folder, out):
    assert {path.name for path in folder.iterdir()} == {"raw", "processed", "targets.csv", out.name}
    assert {path.name for path in (folder / "raw").iterdir()} == {"areas.csv", FILE}
    assert not [path for path in folder.rglob("*") if path.name in ("harm", "escaped")]
    assert not (Path.cwd() / "harm").exists()


@pytest.mark.slow
def test_every_file_name_is_one_that_windows_takes_and_no_two_areas_share_one(out):
    for sub in ("areas", "notebooks"):
        names = [path.name for path in (out / sub).iterdir() if path.suffix in (".html", ".ipynb")]
        assert len({name.casefold() for name in names}) == len(names) == len(AREAS) - (sub == "areas")
        for name in names:
            stem, _, ending = name.partition(".")
            assert re.fullmatch(r"[A-Za-z0-9-]+", stem), name
            assert stem.casefold() not in DEVICES, name
            assert ending in ("html", "ipynb")
            assert len(name) < 120
    for path in out.rglob("*"):
        assert path.resolve().is_relative_to(out.resolve())


@pytest.mark.parametrize("device", sorted(DEVICES))
def test_no_code_and_name_make_a_device_of_windows(device):
    for code in (device, device.upper(), f"{device}."):
        assert file_stem(code, "").casefold() not in DEVICES
        assert file_stem(code, "").casefold() != file_stem(device.title() + " ", "").casefold()


def pages(out):
    return [*out.rglob("*.html")]


@pytest.mark.slow
def test_pages_hold_no_script_but_the_index_its_own_and_no_handler(out):
    assert len(pages(out)) == len(AREAS) - 1 + 2
    for path in pages(out):
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
        assert policy.startswith("default-src 'none'")
        assert "base-uri 'none'" in policy
        assert "form-action 'none'" in policy
        assert "'unsafe-eval'" not in policy
        for script in soup.find_all("script"):
            digest = base64.b64encode(hashlib.sha256(script.string.encode()).digest()).decode()
            assert f"script-src 'sha256-{digest}'" in policy, path
        assert soup.find(["iframe", "object", "embed", "base", "form", "link"]) is None
        for tag in soup.find_all(True):
            assert not [name for name in tag.attrs if name.startswith("on")], tag
            assert not str(tag.get("href", "")).lower().startswith(("javascript", "data", "http", "//"))
            assert tag.name != "img" or tag["src"].startswith("data:image/svg+xml,")


@pytest.mark.slow
def test_every_name_is_read_as_it_stands(out):
    index = BeautifulSoup((out / "index.html").read_text(encoding="utf-8"), "html.parser").get_text()
    areas = pd.read_parquet(out / "tables" / "areas.parquet")
    for row in areas.to_dict("records"):
        name = " ".join(row["area_name"].split())
        assert name in " ".join(index.split())
        path = out / "areas" / f"{file_stem(row['area_code'], row['area_name'])}.html"
        if row["area_code"] != BROKEN:
            text = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").h1.get_text()
            assert " ".join(text.split()) == f"{name}: Better Care Fund metrics"


@pytest.mark.slow
def test_pictures_are_whole_and_run_nothing(out):
    sources = [path.read_text(encoding="utf-8") for path in (out / "charts").rglob("*.svg")]
    assert len(sources) >= 9
    for source in sources:
        root = ET.fromstring(source)
        names = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert not names & {"script", "foreignObject", "image", "a", "animate", "set"}
        for element in root.iter():
            assert not [name for name in element.attrib if name.lower().startswith("on")]


def cells(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [cell for row in csv.reader(file) for cell in row]


@pytest.mark.slow
def test_no_cell_of_a_csv_file_is_a_formula(out):
    paths = [*out.rglob("*.csv")]
    assert {path.name for path in paths} >= {
        *("results.csv", "failures.csv", "fingertips.csv", "check.csv"),
        *("composite.csv", "verdicts.csv", "plans.csv"),
    }
    for path in paths:
        found = cells(path)
        risky = [cell for cell in found if re.match(r"\s*[=+\-@＝＋－＠]|[\t\r\n]", cell)]
        assert not [cell for cell in risky if not is_number(cell)], path
        assert not [cell for cell in found if "\x00" in cell or "\x1b" in cell]
    assert any("HYPERLINK" in cell for cell in cells(out / "results.csv"))


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


@pytest.mark.slow
def test_no_cell_of_the_workbook_is_a_formula_or_leads_out_of_it(out):
    with ZipFile(out / "results.xlsx") as archive:
        for name in archive.namelist():
            content = archive.read(name).decode("utf-8")
            assert "<f>" not in content
            assert "vbaProject" not in name
            if name.endswith(".rels"):
                outside = re.findall(r'Target="([^"]*)"[^>]*TargetMode="External"', content)
                assert all(target.startswith("internal:") for target in outside), outside
    book = openpyxl.load_workbook(out / "results.xlsx")
    sheet = book["Areas"]
    codes = [row[0] for row in sheet.iter_rows(values_only=True)]
    assert "'=1+1" in codes
    links = [cell.hyperlink for row in sheet.iter_rows() for cell in row if cell.hyperlink]
    assert all(link.target is None for link in links)


@pytest.mark.slow
def test_parameters_of_executed_notebooks_are_the_texts_themselves(out):
    given = {}
    words = [
        cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "markdown"
    ]
    for path in (out / "notebooks").glob("*.ipynb"):
        book = nbformat.read(path, as_version=4)
        (cell,) = [c for c in book.cells if "injected-parameters" in c.metadata.get("tags", [])]
        body = ast.parse(cell.source).body
        assert all(isinstance(line, ast.Assign) for line in body)
        values = {line.targets[0].id: ast.literal_eval(line.value) for line in body}
        given[values["area_code"]] = path.stem
        assert values["run_folder"] == ".."
        if values["area_code"] != BROKEN:
            assert [c.source for c in book.cells if c.cell_type == "markdown"] == words
    assert given.keys() == AREAS.keys()


@pytest.mark.slow
@pytest.mark.needs("word")
def test_word_document_holds_the_names_and_leads_nowhere(out):
    import docx

    code = "<b>X</b>"
    path, *editions = export(out, areas=[code], docx=True, board=True)
    assert [edition.suffix for edition in editions] == [".pdf", ".docx"]
    document = docx.Document(path)
    assert AREAS[code] in document.paragraphs[0].text or AREAS[code] in document.paragraphs[1].text
    with ZipFile(path) as archive:
        rels = [archive.read(name).decode() for name in archive.namelist() if name.endswith(".rels")]
    assert not [text for text in rels if "External" in text]


@pytest.mark.slow
def test_record_keeps_the_codes_as_they_are(out):
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert set(record["areas"]) == set(AREAS)
    assert MARKUP in cells(out / "failures.csv")


@pytest.mark.parametrize("name", ["../evil", "a b", "", "x" * 61, "<i>", "1st", "é"])
def test_id_of_a_metric_that_could_not_name_a_file_is_refused(name, tmp_path):
    from bcfstats.define import metrics

    text = Path(metrics.__file__).with_name("metrics.toml").read_text(encoding="utf-8")
    first = text[text.index("[[metric]]") : text.index("[[metric]]", text.index("[[metric]]") + 1)]
    own = re.sub(r'(?<=^id = ").*(?="$)', lambda _: name, first, count=1, flags=re.M)
    assert own != first
    (tmp_path / "own.toml").write_text(own, encoding="utf-8")
    with pytest.raises(InputError, match="id"):
        load_metrics(tmp_path / "own.toml")


def test_progress_is_told_in_one_line_whatever_the_name():
    told = io.StringIO()
    Progress(1, told).tell(LINES, False)
    assert told.getvalue() == "[1/1] 0 failed, 0 s left, Two lines and a tab\n"
