"""Old binary workbooks: what may be opened, and what is told of those that may not."""

import pytest

from bcfstats.errors import InputError
from bcfstats.read.binary import check_binary, with_known_codes
from tests.read.made_files import to_compound, to_xls

ROWS = [["area", "value"], ["X1", 2.5]]


def test_a_whole_workbook_loses_nothing():
    content = to_xls({"first": ROWS, "second": ROWS})
    lost = check_binary("made.xls", content)
    assert not any(lost.values())
    assert with_known_codes(content, lost) == content


@pytest.mark.parametrize("share", [0.1, 0.4, 0.7])
def test_a_workbook_cut_short_is_damaged(share):
    content = to_xls({"first": ROWS * 200})
    with pytest.raises(InputError, match=r"made\.xls"):
        check_binary("made.xls", content[: int(len(content) * share)])


def test_what_is_no_workbook_or_is_locked_says_so():
    with pytest.raises(InputError, match="no stream of a workbook"):
        check_binary("made.xls", to_compound({"WordDocument": b"text" * 2000}))
    with pytest.raises(InputError, match="protected by a password"):
        check_binary("made.xls", to_compound({"EncryptedPackage": b"text" * 2000}))
