"""Cells: numbers, marks and neither."""

import math

import pytest

from bcfstats.read.marks import NotANumber, parse_number, read_cell, read_column, read_count


@pytest.mark.parametrize(
    ("cell", "number"),
    [(" \t1,469 ", 1469), ("1\u00a0469", 1469), ("-3.5", -3.5), ("1e3", 1000), (0, 0), (4459.1, 4459.1)],
)
def test_numbers(cell, number):
    assert parse_number(cell) == number


@pytest.mark.parametrize("cell", ["1,46", "12%", "inf", "nan", "", "-", True, math.inf, None, "1 2 x", "e5"])
def test_not_numbers(cell):
    assert parse_number(cell) is None


@pytest.mark.parametrize(
    ("cell", "publisher", "status"),
    [("*", "HES", "suppressed"), ("c", "ASCOF", "suppressed"), ("[c]", "ASCOF", "suppressed"),
     (":", "ASCOF", "not_available"), ("[x]", "ASCOF", "not_available"), ("[z]", "any", "not_available"),
     (" ", "ASCOF", "not_available"), ("-", "NHS England", "not_available"), (None, "any", "not_available")],
)  # fmt: skip
def test_marks_are_missing_and_never_zero(cell, publisher, status):
    read = read_cell(cell, publisher)
    assert math.isnan(read.value)
    assert read.status == status
    assert read.note


def test_text_is_neither():
    with pytest.raises(NotANumber, match="n/k"):
        read_cell("n/k", "any")


def test_a_count_cannot_be_negative():
    with pytest.raises(NotANumber, match="-3"):
        read_count(-3.0, "any")


def test_a_column_is_read_as_its_cells_are():
    read = read_column(["1,234", "12", "*", "", "about 5", True, 7.5, 1], "any")
    statuses = ["ok", "ok", "suppressed", "not_available", "", "", "ok", "ok"]
    assert [cell.status for cell in read] == statuses
    assert [cell.value for cell in read if cell.value == cell.value] == [1234, 12, 7.5, 1]
