"""Shares of commissioners: read, refused row by row, and added up."""

from pathlib import Path

import pytest

from bcfstats.errors import InputError
from bcfstats.read.formats.population import read, recognises
from bcfstats.read.workbook import open_content

HEAD = "ccg13,utla,share_of_ccg"


def reading(*rows):
    source = open_content(Path("shares.csv"), "\n".join([HEAD, *rows, ""]).encode())
    assert recognises(source)
    return read(source)


def test_shares_that_add_up_pass_and_others_are_named():
    found = reading("00C,E06000001,0.25", "00C,E06000002,0.75", "00D,E06000001,0.5")
    assert found.shares["share"].tolist() == [0.25, 0.75, 0.5]
    (check,) = found.checks
    assert not check.passed
    assert "1 of 2 commissioners; not 00D" in check.detail


def test_rows_that_cannot_be_are_refused_by_their_number():
    found = reading("00C,E06000001,1", "00C,E06000001,1.5", "00C,X1,0.5")
    assert [refused.where for refused in found.refused] == ["shares.csv, row 3", "shares.csv, row 4"]


def test_two_shares_of_one_commissioner_in_one_area_are_refused():
    with pytest.raises(InputError, match="two different shares"):
        reading("00C,E06000001,0.2", "00C,E06000001,0.3")
