"""A cell is read as the text it shows would be, in every kind of workbook."""

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.errors import InputError
from bcfstats.read.marks import as_shown, sign_of
from bcfstats.read.recognise import read_content, read_file
from bcfstats.read.targets import read_targets
from bcfstats.read.workbook import open_content
from tests.read.made_files import Shown, to_csv, to_ods, to_xls, to_xlsx, to_zip

MAKERS = {".xlsx": to_xlsx, ".xlsm": to_xlsx, ".ods": to_ods, ".xls": to_xls}
HEAD = ["area", "metric", "period", "numerator", "denominator", "value"]


@pytest.fixture(params=MAKERS)
def make(request, tmp_path):
    def write(rows):
        path = tmp_path / f"mine{request.param}"
        path.write_bytes(MAKERS[request.param]({"Data": rows}))
        return path

    return write


@pytest.mark.parametrize(
    ("code", "sign"),
    [
        ("General", ""), ("0.0%", "%"), ("0%", "%"), ("0.00%;[Red]-0.00%", "%"), ('0.0"%"', ""),
        ("0.0\\%", ""),
        ("#,##0", ""), ("#,##0,", ","), ("0.0,,", ","), ('#,##0.0,"k"', ","), ("£#,##0", ""),
        ("dd/mm/yyyy", ""),
        ("[$-809]d mmmm yyyy", ""), ("_-* #,##0_-;-* #,##0_-", ""), ("# ?/?", ""), ("0.00E+00", ""),
        ('[>=100]0"%";0%', "%"),
    ],
)  # fmt: skip
def test_what_a_number_format_makes_of_a_number(code, sign):
    assert sign_of(code) == sign


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.857, "85.7%"), (-0.035, "-3.5%"), (1, "100%"), (0.0, "0%"), (2 / 3, "66.6666666666667%")],
)
def test_a_percentage_is_the_number_times_a_hundred_without_noise(number, text):
    assert as_shown(number, "%") == text
    assert as_shown("c", "%") == "c"


def test_percentages_are_values_of_a_metric_in_per_cent(make):
    path = make([
        HEAD,
        ["Leeds", "reablement", "2015/16", None, None, Shown(0.857, "0.0%")],
        ["Kent", "reablement", "2015/16", 24, 28, Shown(24 / 28, "0.0%")],
        ["Bury", "reablement", "2015/16", None, None, Shown(85.7, '0.0"%"')],
    ])  # fmt: skip
    rows = read_file(path).observations
    assert rows["value"].round(9).tolist() == [85.7, round(2400 / 28, 9), 85.7]
    assert set(rows["status"]) == {"ok"}


@pytest.mark.parametrize(
    ("metric", "column"), [("care_home_admissions", "value"), ("reablement", "numerator")]
)
def test_a_percentage_of_anything_else_is_refused_as_in_csv(make, tmp_path, metric, column):
    cell = {"numerator": 5, "denominator": 100, "value": None, column: Shown(0.857, "0.0%")}
    row = ["Leeds", metric, "2015/16", *(cell[name] for name in HEAD[3:])]
    refused = read_file(make([HEAD, row])).refused
    plain = tmp_path / "mine.csv"
    plain.write_text(to_csv([HEAD, ["85.7%" if isinstance(x, Shown) else x for x in row]]))
    assert [one.reason for one in refused] == ["this is a percentage where a number belongs"]
    assert [(one.found, one.reason) for one in read_file(plain).refused] == [
        (one.found, one.reason) for one in refused
    ]


def test_a_number_shown_in_thousands_is_refused_with_both(make):
    reading = read_file(
        make([HEAD, ["Leeds", "care_home_admissions", "2015/16", Shown(1234, "#,##0.0,"), 9000, None]])
    )
    assert "1234.0, shown in thousands" in reading.refused[0].found


def test_money_is_the_number_it_is(make):
    path = make([HEAD, ["Leeds", "care_home_admissions", "2015/16", Shown(52, "£#,##0"), 9000, None]])
    assert read_file(path).observations["numerator"].tolist() == [52]


@pytest.mark.parametrize(
    "error", ["#N/A", "#DIV/0!", "#REF!", "#SPILL!", "#GETTING_DATA", "#UNKNOWN!", "Err:502", "#NV"]
)
@pytest.mark.parametrize("maker", [to_xlsx, to_ods, to_xls])
def test_an_error_is_that_of_its_cell_only(maker, error):
    good = ["Leeds", "reablement", "2015/16", 84, 100, None]
    content = maker({"Data": [HEAD, ["Kent", "reablement", "2015/16", error, 100, None], good]})
    shown = open_content(Path("x"), content).rows("Data")[1][3]
    assert shown[:1] in ("#", "E")
    reading = read_content(Path("x"), content, METRICS)
    rows = reading.observations.set_index("area_code")
    assert rows.loc["Leeds", "value"] == 84
    if shown == "#N/A":  # the mark of a figure that is not available
        assert rows.loc["Kent", "status"] == "not_available"
    else:
        assert [one.found for one in reading.refused] == [shown]


@pytest.fixture
def changed():
    """Give an .ods workbook with its XML changed: one text for another."""

    def change(rows, *changes):
        archive = zipfile.ZipFile(io.BytesIO(to_ods({"Data": rows})))
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
        for old, new in changes:
            assert old in parts["content.xml"]
            parts["content.xml"] = parts["content.xml"].replace(old, new)
        return open_content(Path("x"), to_zip(parts)).rows("Data")

    return change


def test_the_text_of_a_comment_in_a_cell_is_not_what_the_cell_shows(changed):
    note = "<office:annotation><text:p>#REF!</text:p></office:annotation></table:table-cell>"
    rows = changed([["a"], [84]], ('office:value="84"/>', f'office:value="84">{note}'))
    assert rows == [["a"], [84]]


def test_errors_as_libreoffice_writes_them(changed):
    cell = '<table:table-cell table:formula="of:=1/0" office:value-type="string" office:string-value=""'
    cell += ' calcext:value-type="error"><text:p>#DIV/0!</text:p></table:table-cell>'
    old = '<table:table-cell office:value-type="float" office:value="84"/>'
    assert changed([["a"], [84]], (old, cell)) == [["a"], ["#DIV/0!"]]
    empty = '<table:table-cell table:formula="of:=A1"/>'
    assert changed([["a"], [84]], (old, empty))[1][0].startswith("a formula without a result")


def test_repeated_cells_of_an_ods_sheet_are_all_marked(changed):
    sheet = [["a", "b", "c"], [Shown(0.5, "0.0%"), 1, 2]]
    rows = ("<table:table-row>", '<table:table-row table:number-rows-repeated="2">')
    kind = 'office:value-type="percentage"'
    twice = (kind, f'table:number-columns-repeated="2" {kind}')
    assert changed(sheet, rows, twice)[2:] == [["50%", "50%", 1, 2]] * 2
    with pytest.raises(InputError, match="too large"):
        changed(sheet, (kind, f'table:number-columns-repeated="2000000" {kind}'))


def test_targets_shown_as_percentages(make):
    head = ["area", "metric", "payment", "target_value", "change_percent"]
    path = make([
        head,
        ["Leeds", "reablement", "2015-10", Shown(0.85, "0.0%"), None],
        ["Leeds", "delayed_transfers", "2015-04", None, Shown(-0.035, "0.0%")],
    ])  # fmt: skip
    table = read_targets(path)
    assert table["target_value"].tolist()[0] == 85
    assert table["change_percent"].tolist()[1] == -3.5


def test_a_workbook_that_openpyxl_wrote(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["area", "metric", "period", "value"])
    sheet.append(["Leeds", "social_contact", "2014/15", 0.506])
    sheet["D2"].number_format = "0.0%"
    book.save(tmp_path / "o.xlsx")
    assert read_file(tmp_path / "o.xlsx").observations["value"].tolist() == [50.6]
