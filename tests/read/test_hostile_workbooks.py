"""Workbooks that would fill the memory, hide what they hold or cannot be opened: refused, or read right.

Every file is made here. Figures are made up.
"""

import io
import struct
import subprocess
import sys
import zipfile

import openpyxl
import pytest

from bcfstats.errors import InputError
from bcfstats.read.binary import check_binary
from bcfstats.read.recognise import read_file
from bcfstats.read.targets import read_targets
from bcfstats.read.workbook import Book, open_file
from tests.read.made_files import to_compound, to_ods, to_xls, to_xlsx, to_zip

HEAD = ["area_code", "metric", "period", "numerator"]
ROW = ["E08000035", "delayed_transfers", "Apr 2014", 1234]
PLAIN = {"Data": [HEAD, ROW]}
CELL = '<c r="A1"><v>1</v></c>'


@pytest.fixture
def keep(tmp_path):
    def write(content, name="file.xlsx"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def refusal(path, read=read_file):
    with pytest.raises(InputError) as caught:
        read(path)
    error = caught.value
    assert path.name in error.where
    assert error.do
    return error


def parts_of(content):
    archive = zipfile.ZipFile(io.BytesIO(content))
    return {part: archive.read(part) for part in archive.namelist()}


def sheet(body, *, more=None, before=""):
    """An .xlsx workbook whose one sheet has this XML as rows."""
    parts = parts_of(to_xlsx(PLAIN))
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    whole = f"<worksheet {space}>{before}<sheetData>{body}</sheetData></worksheet>"
    parts["xl/worksheets/sheet1.xml"] = whole.encode()
    return to_zip({**parts, **(more or {})})


def test_a_zip_bomb_is_refused_before_it_is_unpacked(keep):
    bomb = {"xl/workbook.xml": "", "xl/worksheets/sheet1.xml": bytes(200_000_001)}
    content = to_zip(bomb, zipfile.ZIP_DEFLATED)
    assert len(content) < 400_000
    assert "unpacks to more than 200,000,000 bytes" in refusal(keep(content)).found


def test_a_zip_bomb_that_understates_its_size_is_refused(keep):
    content = bytearray(to_zip({"xl/workbook.xml": "", "xl/a.xml": bytes(10_000)}, zipfile.ZIP_DEFLATED))
    for start, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):  # the size in both of its places
        at = content.rindex(start) + offset
        struct.pack_into("<I", content, at, 10)
    assert "not what it was when it was packed" in refusal(keep(bytes(content))).found


def test_an_archive_of_very_many_parts_is_refused(keep):
    assert "parts" in refusal(keep(to_zip({str(n): b"" for n in range(5_001)}))).found


@pytest.mark.parametrize(
    "body",
    [
        f'<row r="1">{CELL}</row><row r="10000000"><c r="A10000000"><v>1</v></c></row>',
        f'<row>{CELL}<c r="XFD1048576"><v>1</v></c></row>',
        '<row r="9999999"><c><v>1</v></c></row>',
        '<row r="1048576"><c r="ZZZZ1048576" t="inlineStr"><is><t>x</t></is></c></row>',
    ],
    ids=["10 million rows", "last cell", "row without references", "beyond the last column"],
)
def test_a_sheet_that_reaches_very_far_is_refused(keep, body):
    error = refusal(keep(sheet(body)))
    assert error.what == "The file is too large to be read."
    assert "reaches to row" in error.found


def test_formats_without_content_take_no_room(keep):
    far = '<row r="1048576" s="1"><c r="XFD1048576" s="1"/></row>'
    rows = open_file(keep(sheet(f'<row r="1">{CELL}</row>{far}'))).rows("Data")
    assert rows == [[1.0]]


def test_a_declared_size_alone_takes_no_room(keep):
    content = sheet(f"<row>{CELL}</row>", before='<dimension ref="A1:XFD10000000"/>')
    assert open_file(keep(content)).rows("Data") == [[1.0]]


def test_one_long_text_in_very_many_cells_is_refused(keep):
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 2_000))
    strings = f"<sst><si><t>{'x' * 30_000}</t></si></sst>"
    error = refusal(keep(sheet(cells, more={"xl/sharedStrings.xml": strings})))
    assert "50,000,000 characters" in error.found


@pytest.mark.parametrize(
    "attributes",
    ['table:number-rows-repeated="10000000"', 'table:number-rows-repeated="-1"'],
)
def test_an_ods_row_that_repeats_without_end_is_refused(keep, attributes):
    parts = parts_of(to_ods(PLAIN))
    parts["content.xml"] = parts["content.xml"].replace(
        b"<table:table-row>", f"<table:table-row {attributes}>".encode(), 1
    )
    assert refusal(keep(to_zip(parts))).what in (
        "The file is too large to be read.",
        "The workbook is damaged, or not a workbook.",
    )


def test_entities_that_grow_are_refused(keep):
    grow = '<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>'
    error = refusal(keep(sheet("", more={"xl/sharedStrings.xml": grow})))
    assert "definition of entities" in error.found


def old_sheet(*records):
    """An old workbook whose one sheet has these records."""
    content = to_xls({"Data": [[]]})
    stream = content[1536:]
    at = stream.index(struct.pack("<HH", 0x200, 14))
    made = b"".join(struct.pack("<HH", kind, len(data)) + data for kind, data in records)
    return to_compound({"Workbook": stream[:at] + made + stream[at + 18 :]})


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ((0x200, struct.pack("<IIHHH", 0, 10_000_000, 0, 256, 0)), "reaches to row 10,000,000"),
        ((0x203, struct.pack("<HHHd", 65_535, 65_535, 0, 1)), "reaches to row 65,536"),
        ((0xFC, struct.pack("<ii", 1, 2_000_000_000) + b"xx"), ""),
    ],
    ids=["10 million declared rows", "a cell far out", "two thousand million texts"],
)
def test_an_old_workbook_that_reaches_very_far_is_refused(keep, record, found):
    path = keep(old_sheet(record), "file.xls")
    if record[0] == 0xFC:  # its texts are declared ahead of the sheets
        head = struct.pack("<HH", *[0xFC, len(record[1])]) + record[1]
        path.write_bytes(to_compound({"Workbook": head + struct.pack("<HH", 0x0A, 0)}))
        found = "2,000,000,000 texts"
    assert found in refusal(path).found


def test_an_old_workbook_cut_within_a_sheet_is_refused(keep):
    content = to_xls({"Data": [HEAD, *[ROW] * 200]})
    stream = content[1536:]
    cut = to_compound({"Workbook": stream.rstrip(b"\x00")[:-4]})  # without the record that ends the sheet
    assert "cut short" in refusal(keep(cut, "file.xls")).found


@pytest.mark.parametrize("make", [to_xlsx, to_xls, to_ods])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.98])
def test_a_workbook_cut_short_is_refused(keep, make, part):
    content = make({"Data": [HEAD, *[ROW] * 300]})
    refusal(keep(content[: int(len(content) * part)], "file.xls"))


def test_a_workbook_needs_no_true_name(keep):
    for make in (to_xlsx, to_xls, to_ods):
        for name in ("April.csv", "April.txt", "April", "April.pdf"):
            assert read_file(keep(make(PLAIN), name)).observations["numerator"].tolist() == [1234]


@pytest.mark.parametrize(
    "content",
    [
        to_xls(PLAIN, password=True),
        to_compound({"EncryptionInfo": b"x", "EncryptedPackage": b"x" * 5000}),  # as Excel protects .xlsx
    ],
    ids=["xls", "xlsx"],
)
def test_a_password_is_said(keep, content):
    assert refusal(keep(content)).what == "The workbook is protected by a password."


def test_an_encrypted_archive_or_ods_is_said(keep):
    content = bytearray(to_xlsx(PLAIN))
    content[content.rindex(b"PK\x01\x02") + 8] |= 1  # the mark of an encrypted part
    assert "password" in refusal(keep(bytes(content))).what
    locked = {"META-INF/manifest.xml": "<manifest:encryption-data/>", "content.xml": "x", "mimetype": "x"}
    assert "password" in refusal(keep(to_zip(locked))).what


def test_macros_are_never_run_and_the_values_are_read(keep):
    parts = parts_of(to_xlsx(PLAIN))
    macro = to_compound({"VBA": b'Sub Auto_Open()\nKill "*.*"\nEnd Sub'})
    path = keep(to_zip({**parts, "xl/vbaProject.bin": macro}), "file.xlsm")
    assert read_file(path).observations["numerator"].tolist() == [1234]
    both = to_compound({"Workbook": to_xls(PLAIN)[1536:], "_VBA_PROJECT_CUR": b"Auto_Open"})
    assert read_file(keep(both, "file.xls")).observations["numerator"].tolist() == [1234]


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        ({"data.csv": "a,b"}, "The file is a zip archive, not a workbook."),
        ({"word/document.xml": "<x/>"}, "The file is a zip archive, not a workbook."),
        ({"xl/workbook.bin": b""}, "The workbook is of the kind .xlsb, which is not read."),
    ],
)
def test_an_archive_that_is_no_workbook_is_named(keep, parts, what):
    assert refusal(keep(to_zip(parts))).what == what


@pytest.mark.parametrize("make", [to_xlsx, to_xls])
def test_nothing_is_taken_from_a_hidden_sheet(keep, make):
    old = {"Old": [HEAD, [*ROW[:3], 999]], "Data": [HEAD, ROW]}
    assert read_file(keep(make(old, hidden=["Old"]))).observations["numerator"].tolist() == [1234]
    error = refusal(keep(make({"Old": [HEAD, ROW], "Notes": [["x"]]}, hidden=["Old"])))
    assert "hidden, and so not read: Old" in error.found


def test_a_table_on_two_sheets_is_refused(keep):
    error = refusal(keep(to_xlsx({"2014": [HEAD, ROW], "2015": [HEAD, ROW]})))
    assert (error.what, error.found) == (
        "The table stands on several sheets, and nothing tells which one counts.",
        "2014, 2015",
    )


def test_a_formula_counts_as_what_it_last_gave_and_one_without_a_result_is_refused(keep):
    row = "<row>" + "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in ROW[:3])
    head = "<row>" + "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in HEAD) + "</row>"
    done = read_file(keep(sheet(f"{head}{row}<c><f>1200+34</f><v>1234</v></c></row>")))
    assert done.observations["numerator"].tolist() == [1234]
    for cell in ("<c><f>1200+34</f></c>", "<c><f>1200+34</f><v></v></c>", "<c><f/><v/></c>"):
        reading = read_file(keep(sheet(f"{head}{row}{cell}</row>")))
        assert reading.observations.empty
        assert reading.refused[0].found.startswith("a formula without a result")


def test_formulas_that_openpyxl_wrote_have_no_result(tmp_path):
    book = openpyxl.Workbook()
    for line in (["area", "metric", "payment", "target_value"], ["Leeds", "reablement", "2015-10", "=80+5"]):
        book.active.append(line)
    book.save(tmp_path / "targets.xlsx")
    error = refusal(tmp_path / "targets.xlsx", read_targets)
    assert "row 2, target_value: 'a formula without a result" in error.found


@pytest.mark.parametrize("make", [to_xlsx, to_xls])
def test_an_error_in_a_cell_is_no_blank(keep, make):
    reading = read_file(keep(make({"Data": [HEAD, [*ROW[:3], "#DIV/0!"]]})))
    assert [refused.found for refused in reading.refused] == ["#DIV/0!"]
    book = open_file(keep(make({"Data": [["a"], ["b", "c", "#DIV/0!"]]})))
    assert book.rows("Data") == [["a", "", ""], ["b", "c", "#DIV/0!"]]
    alone = open_file(keep(make({"Data": [[], ["", "#REF!" if make is to_xlsx else "#DIV/0!"]]})))
    assert [row[1] for row in alone.rows("Data")] == ["", "#REF!" if make is to_xlsx else "#DIV/0!"]


def test_the_mark_for_not_available_is_taken_as_such(keep):
    rows = read_file(keep(to_xlsx({"Data": [HEAD, [*ROW[:3], "#N/A"]]}))).observations
    assert rows["status"].tolist() == ["not_available"]


def merged(path, ranges, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cells in ranges:
        book.active.merge_cells(cells)
    book.save(path)
    return path


def test_a_heading_merged_over_columns_is_refused(tmp_path):
    path = merged(tmp_path / "m.xlsx", ["D1:E1"], [[*HEAD, None], [*ROW, 5]])
    assert refusal(path).found == "'numerator'"


def test_headings_on_two_rows_are_refused(tmp_path):
    rows = [["area_code", "metric", "2014", None], [None, None, "period", "numerator"], ROW]
    path = merged(tmp_path / "m.xlsx", ["A1:A2", "B1:B2", "C1:D1"], rows)
    assert refusal(path).what == "This file has none of the formats that are known."


def test_merged_areas_name_only_their_first_row(tmp_path):
    rows = [HEAD, ROW, [None, None, "May 2014", 99], [None, "delayed_transfers", "June 2014", 98]]
    reading = read_file(merged(tmp_path / "m.xlsx", ["A2:A4", "B2:B3"], rows))
    assert reading.observations["numerator"].tolist() == [1234]
    assert [refused.reason for refused in reading.refused] == [
        "the row names no metric; merged cells name it only once",
        "the row names no area; merged cells name it only once",
    ]


def test_sectors_in_a_ring_end(keep):
    content = bytearray(to_xls(PLAIN))
    struct.pack_into("<I", content, 512 + 4, 1)  # the sector after the directory is the directory
    refusal(keep(bytes(content), "ring.xls"))


def test_errors_of_an_old_workbook_are_found_by_sheet():
    found = check_binary("x.xls", to_xls({"A": [[1]], "B": [[], ["", "#DIV/0!"]]}))
    assert found == {"A": {}, "B": {(1, 1): "#DIV/0!"}}


def test_a_sheet_of_charts_is_no_table(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(HEAD)
    book.active.append(ROW)
    book.create_chartsheet("Chart")
    book.save(tmp_path / "c.xlsx")
    source = open_file(tmp_path / "c.xlsx")
    assert isinstance(source, Book)
    assert source.sheet_names == ("Sheet",)
    assert len(read_file(tmp_path / "c.xlsx").observations) == 1


MEASURE = """
import resource, sys, time
from pathlib import Path
from bcfstats.errors import InputError
from bcfstats.read.recognise import read_file
for name in sys.argv[1:]:
    start = time.process_time()
    try:
        read_file(Path(name))
    except InputError:
        print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@pytest.mark.slow
@pytest.mark.needs("resource")
def test_huge_files_take_neither_memory_nor_time(tmp_path):
    """Under 1 GiB and 10 seconds each, and every one is refused."""
    huge = {
        "bomb.xlsx": to_zip({"xl/workbook.xml": "", "a": bytes(250_000_000)}, zipfile.ZIP_DEFLATED),
        "rows.csv": b"area,metric,period,value\n" + b"a,b,c,1\n" * 10_000_000,
        "blank.csv": b"area,metric,period,value" + b"\n" * 10_000_000,
        "wide.csv": b"area,metric,period,value" + b",x" * 20_000 + b"\n" + b"a\n" * 10_000,
        "rows.xlsx": sheet("<row/>" * 500_000 + '<row r="10000000"><c><v>1</v></c></row>'),
        "far.xls": old_sheet((0x200, struct.pack("<IIHHH", 0, 2**32 - 1, 0, 65_535, 0))),
    }
    for name, content in huge.items():
        (tmp_path / name).write_bytes(content)
    with (tmp_path / "sparse.csv").open("wb") as stream:
        stream.truncate(5_000_000_000)  # five gigabytes that take no room on the disk
    names = [str(tmp_path / name) for name in (*huge, "sparse.csv")]
    done = subprocess.run([sys.executable, "-c", MEASURE, *names], capture_output=True, text=True, check=True)
    lines = [tuple(map(float, line.split())) for line in done.stdout.splitlines()]
    assert len(lines) == len(names)
    assert max(seconds for seconds, _ in lines) < 10
    assert max(mebibytes for _, mebibytes in lines) < 1024
