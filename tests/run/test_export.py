"""What is taken away from a run: read with other code than what writes it."""

import re
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from bcfstats.errors import InputError, NotDoneError, ParameterError
from bcfstats.judge.results import Results
from bcfstats.run import export as browser
from bcfstats.run.export import COLUMNS, export
from bcfstats.run.settings import Settings
from tests.disclose.small_areas import PARTNER, TINY
from tests.run.test_small_numbers import NOTEBOOK, prepared


@pytest.fixture(scope="module")
def run(tmp_path_factory, batched):
    folder = tmp_path_factory.mktemp("export")
    settings = Settings(
        processed=prepared(folder / "data", 3.0),
        out=folder / "reports",
        disclosure="hes-2014",
        notebook=NOTEBOOK,
        jobs=1,
    )
    return batched(settings, areas=[TINY])


def test_fingertips_columns_are_those_of_an_untouched_export(real_data):
    export_of_2018 = real_data / "fingertips" / "indicators-CountyUA.data.csv"
    assert list(pd.read_csv(export_of_2018, nrows=0).columns) == list(COLUMNS)


def test_fingertips_file_holds_every_figure_and_no_suppressed_one(run):
    (path,) = export(run.out, fingertips=True)
    table = pd.read_csv(path, encoding="utf-8-sig")
    results = Results.load(run.out / "tables")
    series = results.series
    of_windows, table = table.loc[table["Category"].notna()], table.loc[table["Category"].isna()]
    assert len(table) == len(series)
    assert len(of_windows) == np.isfinite(results.windows["outcome_value"]).sum() > 0  # no range, no target
    assert not of_windows["Value"].isna().any()
    assert table["Count"].isna().sum() == (series["status"] == "suppressed").sum() > 0
    assert table.loc[table["Count"].isna(), "Value note"].str.startswith("Suppressed").all()
    admissions = table.loc[(table["Area Code"] == "X06000107") & (table["Time period"] == "2014/15")].iloc[0]
    row = series.loc[
        (series["area_code"] == "X06000107")
        & (series["metric"] == "care_home_admissions")
        & (series["period_start"] == "2014-04-01")
    ].iloc[0]
    assert admissions["Count"] == row["numerator"]
    assert admissions["Value"] == pytest.approx(row["value"])
    assert admissions["Time period Sortable"] == 20140000


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_charts_are_files_of_their_kind(run, kind):
    paths = list(export(run.out, charts=kind))
    assert {path.parent.name for path in paths} == {run.outcomes[0].stem}
    assert "care_home_admissions-history" in {path.stem for path in paths}
    for path in paths:
        if kind == "svg":
            assert ET.parse(path).getroot().tag.endswith("svg")
        else:
            assert path.read_bytes().startswith(b"\x89PNG\r\n")


@pytest.mark.needs("word")
def test_word_document_has_headings_tables_and_charts_with_their_words(run):
    import docx

    (path,) = export(run.out, docx=True)
    document = docx.Document(path)
    headings = [p for p in document.paragraphs if p.style.name.startswith("Heading")]
    assert headings[0].style.name == "Heading 1"
    assert "Better Care Fund metrics" in headings[0].text
    page = run.page(run.outcomes[0]).read_text(encoding="utf-8")
    assert len(document.inline_shapes) == page.count("<img ") > 0
    words = [shape._inline.docPr.get("descr") for shape in document.inline_shapes]
    assert all(len(text) > 40 for text in words)
    assert document.tables[0].rows[0]._tr.trPr.find(docx.oxml.ns.qn("w:tblHeader")) is not None
    assert all(cell.text for table in document.tables for row in table.rows for cell in row.cells)
    assert not any("Data in this chart" in p.text for p in document.paragraphs)
    assert document.core_properties.title == "Area 1: Better Care Fund metrics"


@pytest.mark.needs("word")
def test_the_board_edition_is_two_pages_as_pdf_and_word_beside_the_page(run):
    import docx

    pdf, word = export(run.out, board=True)
    assert [path.name for path in (pdf, word)] == [
        f"{run.outcomes[0].stem}-board.{x}" for x in ("pdf", "docx")
    ]
    assert len(re.findall(rb"/Type /Page\b", pdf.read_bytes())) == 2
    document = docx.Document(word)
    assert document.paragraphs[0].text == "Area 1: Better Care Fund, for the board"
    assert document.core_properties.title == document.paragraphs[0].text


def test_without_the_package_for_word_the_pdf_is_there(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "docx", None)
    written = export(run.out, board=True)
    assert next(written).suffix == ".pdf"
    with pytest.raises(NotDoneError, match="pip install python-docx"):
        next(written)


@pytest.mark.needs("printing")
def test_pdf_is_printed_by_the_browser_there_is(run):
    (path,) = export(run.out, pdf=True)
    content = path.read_bytes()
    assert content.startswith(b"%PDF-")
    assert re.search(rb"/StructTreeRoot", content)  # tagged for screen readers
    assert not list(path.parent.glob("*.part"))


def test_without_a_browser_the_message_says_what_to_do(run, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(browser, "PLACES", ())
    with pytest.raises(NotDoneError, match="Chromium, Chrome or Edge"):
        list(export(run.out, pdf=True))


def test_nothing_asked_for_no_run_and_no_report(run, tmp_path):
    with pytest.raises(ParameterError, match="Nothing is asked for"):
        list(export(run.out))
    with pytest.raises(ParameterError, match="svg or png"):
        list(export(run.out, charts="gif"))
    with pytest.raises(InputError, match="does not hold the results"):
        list(export(tmp_path, fingertips=True))
    with pytest.raises(InputError, match="no report of this run in the folder"):
        list(export(run.out, areas=[PARTNER], docx=True))
