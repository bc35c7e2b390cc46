"""Zipped workbooks: what is whole is let through, what is none is refused by what it is."""

import zipfile

import pytest

from bcfstats.errors import InputError
from bcfstats.read.zipped import check_zipped, with_known_errors
from tests.read.made_files import to_ods, to_xlsx, to_zip

ROWS = [["area", "value"], ["X1", 2.5]]


@pytest.mark.parametrize("make", [to_xlsx, to_ods])
def test_a_whole_workbook_loses_nothing(make):
    content = make({"first": ROWS})
    lost = check_zipped("made", content)
    assert not any(lost.values())
    assert with_known_errors(content, lost) == content


@pytest.mark.parametrize(
    ("parts", "what"),
    [({"a.txt": "text"}, "zip archive, not a workbook"), ({"xl/workbook.bin": "x"}, "xlsb")],
)
def test_what_is_no_workbook_says_what_it_is(parts, what):
    with pytest.raises(InputError, match=what):
        check_zipped("made.zip", to_zip(parts))


def test_a_part_that_unpacks_to_more_than_may_be_is_refused_before_it_is_unpacked():
    bomb = to_zip({"xl/workbook.xml": "<a/>", "xl/big.xml": b"0" * 250_000_000}, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 1_000_000
    with pytest.raises(InputError, match="too large"):
        check_zipped("bomb.xlsx", bomb)
