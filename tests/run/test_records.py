"""The workbook of a run, read with other code than what writes it."""

import io
import time
from dataclasses import replace
from importlib import util
from zipfile import ZipFile

import numpy as np
import openpyxl
import pandas as pd
import pytest

from bcfstats.files import safe_csv
from bcfstats.judge.assessment import assess
from bcfstats.run.export import word_document
from bcfstats.run.records import failures_table, results_table, write_workbook
from bcfstats.run.report import Outcome
from tests.disclose.small_areas import TINY, data, disclosed

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1")


@pytest.fixture(scope="module")
def results():
    return disclosed("hes-2014", annual={(TINY, 2013): 3.0})


@pytest.fixture(scope="module")
def book(results, tmp_path_factory):
    path = tmp_path_factory.mktemp("book") / "results.xlsx"
    write_workbook(results, path)
    assert [found.name for found in path.parent.iterdir()] == ["results.xlsx"]
    return openpyxl.load_workbook(path)


def test_contents_notes_and_one_named_table_a_sheet(book):
    assert book.sheetnames == ["Cover", "Contents", "Notes", "Comparisons", "Trends", "Areas", "Columns"]
    tables = {sheet.title: list(sheet.tables) for sheet in book.worksheets[2:]}
    assert tables == {
        "Notes": ["notes_table"],
        "Comparisons": ["comparisons"],
        "Trends": ["trends"],
        "Areas": ["areas"],
        "Columns": ["columns"],
    }


def test_no_merged_and_no_blank_cell_and_headings_are_unique(book):
    for sheet in book.worksheets:
        assert not sheet.merged_cells.ranges
        for name in sheet.tables:
            rows = list(sheet[sheet.tables[name].ref])
            assert all(cell.value not in (None, "") for row in rows for cell in row)
            headings = [cell.value for cell in rows[0]]
            assert len(set(headings)) == len(headings)
            assert rows[0][0].column_letter == "A"
        assert all(row[0] not in (None, "") for row in sheet.iter_rows(values_only=True, max_col=1))


def test_suppressed_and_missing_are_told_apart(book, results):
    sheet = book["Comparisons"]
    rows = list(sheet[sheet.tables["comparisons"].ref])
    headings = [str(cell.value).partition("\n")[0].partition(" [")[0] for cell in rows[0]]
    table = pd.DataFrame([[cell.value for cell in row] for row in rows[1:]], columns=headings)
    assert len(table) == len(results_table(results))
    year = table.loc[(table["Area code"] == TINY) & (table["Payment"] == "2015-10")].iloc[0]
    assert year["Baseline value"] == "[c]"
    assert year["Change"] == "[c]"
    assert year["Outcome numerator"] > 5
    broken = table.loc[(table["Area code"] == "X06000103") & (table["Payment"] == "2015-10")].iloc[0]
    assert broken["Change"] == "[x]"  # a series break: not compared, nothing suppressed
    assert broken["Baseline value"] == pytest.approx(
        results.windows.set_index(["area_code", "payment"]).loc[("X06000103", "2015-10"), "baseline_value"]
    )


def hostile():
    true = data()
    name = pd.Series(FORMULAS * 2)[: len(true.areas)].to_numpy()
    areas = true.areas.assign(area_name=name)
    table = true.observations.assign(
        area_name=true.observations["area_code"].map(dict(zip(areas["area_code"], name, strict=True)))
    )
    return assess(replace(true, observations=table, areas=areas))


def test_no_text_becomes_a_formula(tmp_path):
    results = hostile()
    write_workbook(results, tmp_path / "results.xlsx")
    with ZipFile(tmp_path / "results.xlsx") as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        assert len(sheets) >= 6
        # the contents sheet links to the others; a cell's formula is an <f> element
        assert not any(b"<f>" in archive.read(name) for name in sheets)
    outcome = Outcome("X1", "=1+1", "x", reason="@SUM(A1)", source="-1")
    for text in (safe_csv(results_table(results)), failures_table([outcome])):
        cells = pd.read_csv(io.StringIO(text), dtype=str).to_numpy().ravel()
        texts = [cell for cell in cells if isinstance(cell, str) and not _is_number(cell)]
        assert any(cell.startswith("'=") for cell in texts)
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in texts)


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_numbers_of_a_csv_file_have_twelve_digits_and_no_machine_s_own():
    """A third and a tenth, summed in another order, differ in the sixteenth digit."""
    table = pd.DataFrame(
        {"sum": [0.1 + 0.2 + 0.3, 1 / 3, np.nan, 3.0], "any": [0.3 + 0.2 + 0.1, "=1", -2.5, 7]}
    )
    assert safe_csv(table) == "sum,any\n0.6,0.6\n0.333333333333,'=1\n,-2.5\n3,7\n"


@pytest.mark.parametrize("fixed", ["0", "1417392000"])
def test_workbook_and_word_document_can_be_made_again_byte_for_byte(fixed, results, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", fixed)
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    made = []
    for _ in range(2):
        write_workbook(results, tmp_path / "results.xlsx")
        content = [(tmp_path / "results.xlsx").read_bytes()]
        if util.find_spec("docx"):
            content.append(word_document("<h1>Leeds</h1>", [], "Leeds"))
        if not made:
            monkeypatch.setenv("TZ", "America/New_York")
            time.tzset()
            time.sleep(2.1)  # zip files count in steps of two seconds
        made.append(content)
    assert made[0] == made[1]
