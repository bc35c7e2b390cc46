"""A workbook is counted sheet by sheet, and refused at the first that is too much."""

import pytest

from bcfstats.errors import InputError
from bcfstats.read.processes import MOST_CELLS, MOST_TEXT, Tally


def test_cells_of_all_sheets_count_together():
    tally = Tally("made.xlsx")
    tally.add_sheet(MOST_CELLS // 2, 1)
    tally.add_sheet(MOST_CELLS - MOST_CELLS // 2, 1)
    with pytest.raises(InputError, match=r"too large.*made\.xlsx.*row 1 and column 1"):
        tally.add_sheet(1, 1)


def test_texts_count_together():
    tally = Tally("made.xlsx")
    tally.add_text(MOST_TEXT)
    with pytest.raises(InputError, match="characters in cells"):
        tally.add_text(1)
