"""Cells of thousands of words: cut before any pattern sees them, and the row told in a short message."""

import time

import pytest

from bcfstats.errors import InputError
from bcfstats.read.papers import read_peers
from bcfstats.read.recognise import read_content
from bcfstats.read.targets import read_targets
from bcfstats.read.workbook import LONGEST_CELL, open_file
from tests.read.made_files import to_ods, to_xls, to_xlsx

LONG = {
    "words": "word " * 30_000, "letters": "x" * 150_000, "districts": " metropolitan" * 12_000,
    "digits": "1" * 150_000, "dashes": "2014-" * 30_000, "accents": "é" * 90_000,
}  # fmt: skip
HEAD = ["area", "metric", "period", "numerator", "denominator"]
ROW = ["E08000035", "reablement", "2014/15", "84", "100"]


def seconds(start):
    return time.process_time() - start


@pytest.mark.parametrize("column", range(5), ids=HEAD)
@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_long_cell_of_a_table_costs_its_row(column, text, tmp_path):
    from bcfstats.define.metrics import METRICS

    row = [text if at == column else cell for at, cell in enumerate(ROW)]
    content = "\n".join(",".join(cells) for cells in (HEAD, ROW, row)) + "\n"
    start = time.process_time()
    reading = read_content(tmp_path / "mine.csv", content.encode(), METRICS)
    assert seconds(start) < 5  # 103 before
    assert len(reading.observations) + len(reading.refused) >= 1
    assert all(len(refusal.reason) < 3 * LONGEST_CELL for refusal in reading.refused)


@pytest.mark.parametrize("column", range(3))
@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_long_cell_of_targets_is_named_at_once(column, text, tmp_path):
    row = [text if at == column else cell for at, cell in enumerate(["Leeds", "reablement", "2015-10", "2"])]
    path = tmp_path / "targets.csv"
    path.write_text("area,metric,payment,change_percent\n" + ",".join(row) + "\n", encoding="utf-8")
    start = time.process_time()
    with pytest.raises(InputError, match=r"targets\.csv") as caught:
        read_targets(path)
    assert seconds(start) < 5
    assert len(str(caught.value)) < 10_000


def test_a_long_name_is_no_area_of_peers(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(f"area,group\n{LONG['words']},x\n")
    start = time.process_time()
    with pytest.raises(InputError):
        read_peers(path)
    assert seconds(start) < 5


@pytest.mark.parametrize("make", [to_xlsx, to_xls, to_ods], ids=["xlsx", "xls", "ods"])
def test_cells_of_workbooks_are_cut(make, tmp_path):
    path = tmp_path / "book"
    path.write_bytes(make({"Data": [["area"], ["x" * 8_000], ["y" * LONGEST_CELL]]}))
    cells = [row[0] for row in open_file(path).rows("Data")]
    assert cells == ["area", "x" * LONGEST_CELL + "…", "y" * LONGEST_CELL]
