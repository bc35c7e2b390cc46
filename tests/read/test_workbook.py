"""Opening files: every broken one gives one clear error."""

import pytest

from bcfstats.errors import InputError
from bcfstats.read.workbook import Book, Text, find_table, open_file


def refusal(path) -> str:
    with pytest.raises(InputError) as error:
        open_file(path)
    assert path.name in str(error.value)
    return error.value.what


def test_an_empty_file(tmp_path):
    path = tmp_path / "April_13.xls"
    path.write_bytes(b" \n")
    assert refusal(path) == "The file is empty."


def test_a_truncated_zip(write_workbook):
    path = write_workbook("book.xlsx", {"Sheet": [["a", "b"], [1, 2]]})
    path.write_bytes(path.read_bytes()[:-200])
    assert refusal(path) == "The workbook is cut short: its last part is missing."


def test_a_truncated_old_workbook(real_data, tmp_path):
    path = tmp_path / "April_13.xls"
    path.write_bytes((real_data / "dtoc" / "April_13.xls").read_bytes()[:3_000])
    assert "damaged" in refusal(path)


def test_a_zip_that_is_no_workbook(tmp_path):
    import zipfile

    path = tmp_path / "April_13.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing")
    assert "not a workbook" in refusal(path)


def test_bytes_that_are_neither_workbook_nor_text(tmp_path):
    path = tmp_path / "photo.xls"
    path.write_bytes(bytes(range(256)) * 4)
    assert refusal(path) == "The file is neither a workbook nor text."


def test_a_web_page_saved_as_a_workbook(tmp_path):
    path = tmp_path / "April_13.xls"
    path.write_text("<!DOCTYPE html><html></html>")
    assert refusal(path) == "The file is a web page, not a workbook or CSV."


def test_a_missing_file(tmp_path):
    assert refusal(tmp_path / "none.csv") == "The file cannot be read."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_the_encoding_is_told_from_the_bytes(tmp_path, encoding):
    path = tmp_path / "file.csv"
    path.write_bytes("Name,£\nRhôs,1\n".encode(encoding))
    source = open_file(path)
    assert isinstance(source, Text)
    assert (source.header, source.below(0).iloc[0, 0]) == (("Name", "£"), "Rhôs")


def test_a_row_with_too_many_cells_is_refused(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text("a,b\n1,2\n1,2,3,4\n")
    with pytest.raises(InputError, match="do not all have the columns"):
        find_table(open_file(path), "a")


def test_a_table_is_found_below_a_title(write_workbook):
    path = write_workbook(
        "book.xlsx", {"Notes": [["x"]], "Data": [["Title"], [], ["Area ", "Value"], ["A", 1]]}
    )
    source = open_file(path)
    assert isinstance(source, Book)
    table = find_table(source, "area", "value")
    assert table.to_dict("index") == {4: {"area": "A", "value": 1}}  # row 4 of the sheet
    assert find_table(source, "area", "metric") is None


def test_a_longer_row_is_refused_even_where_warnings_are_off(tmp_path):
    import warnings

    path = tmp_path / "file.csv"
    path.write_text("a,b\n1,2,3\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InputError, match="do not all have the columns"):
            find_table(open_file(path), "a")
