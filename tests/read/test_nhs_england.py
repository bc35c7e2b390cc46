"""The title block above a table of NHS England, and a column found under its label."""

from datetime import date

import pytest

from bcfstats.errors import InputError
from bcfstats.read.formats.nhs_england import Sheet, open_sheet, title_block
from bcfstats.read.workbook import open_content
from tests.read.made_files import to_xlsx

ROWS = [
    ["Title:", "Made up"],
    ["Published:", "28 May 2011"],
    [None, None, "Acute", None, "Total"],
    ["Code", "Name", "NHS", "Social care", "NHS"],
    ["E1", "Somewhere", 1, 2, 3],
]


def sheet(tmp_path) -> Sheet:
    book = open_content(tmp_path / "made.xlsx", to_xlsx({"LA": ROWS}))
    return open_sheet(book, "LA", "Code", "Name")


def test_title_block_and_dates_are_read(tmp_path):
    assert title_block(ROWS)["Title"] == "Made up"
    found = sheet(tmp_path)
    assert found.published == date(2011, 5, 28)
    assert found.revised is None
    assert found.first_row == 5
    assert next(iter(found.rows))[:2] == ["E1", "Somewhere"]


def test_a_heading_that_stands_twice_is_found_under_its_label_alone(tmp_path):
    found = sheet(tmp_path)
    assert [found.column("NHS", block) for block in ("Acute", "Total")] == [2, 4]
    with pytest.raises(InputError, match="more than once"):
        found.column("NHS")
    with pytest.raises(InputError, match="is not there"):
        found.column("Both")
