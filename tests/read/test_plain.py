"""Plain tables as users keep them."""

import math
from datetime import date

import pytest

from bcfstats.errors import InputError
from bcfstats.read.recognise import read_file


@pytest.fixture
def write(tmp_path):
    def write_lines(*lines, name="mine.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding=encoding)
        return path

    return write_lines


def test_the_short_form(write):
    path = write(
        "area,metric,period,numerator,denominator",
        "Leeds,reablement,2014/15,84,100",
        "E08000032,2B(1),2014/15,90,100",
    )
    rows = read_file(path).observations
    assert rows["value"].tolist() == [84.0, 90.0]
    assert rows["metric"].tolist() == ["reablement"] * 2
    assert rows["area_code"].tolist() == ["Leeds", "E08000032"]  # names are placed by `prepare`
    assert rows["frequency"].tolist() == ["year"] * 2
    assert set(rows["source"]) == {"mine.csv"}


def test_separators_blanks_and_dates_in_three_styles(write):
    path = write(
        "area_code,metric,period_start,period_end,numerator",
        'E08000035,delayed_transfers,2014-04-01,2014-04-30,"1,234"',
        "E08000035,delayed_transfers,01/05/2014,31/05/2014,1\u00a0234",
        "E08000035,delayed_transfers,1 June 2014,30th June 2014, 12 ",
    )
    reading = read_file(path)
    assert reading.refused == ()
    assert reading.observations["numerator"].tolist() == [1234, 1234, 12]
    assert reading.observations["period_start"].dt.month.tolist() == [4, 5, 6]


def test_a_workbook_with_dates_and_marks(write_workbook):
    path = write_workbook(
        "mine.xlsx",
        {"Sheet1": [
            ["Area", "Metric", "Period", "Numerator", "Status"],
            ["Leeds", "delayed_transfers", date(2014, 4, 1), 1234, None],
            ["Leeds", "delayed_transfers", "May 2014", "*", None],
            ["Leeds", "delayed_transfers", "Jun 2014", None, None],
            [212, "delayed_transfers", "Jul 2014", 7, "suspect"],
            [None, None, None, None, None],
        ]},
    )  # fmt: skip
    rows = read_file(path).observations
    assert rows["status"].tolist() == ["ok", "suppressed", "not_available", "suspect"]
    assert rows["period_end"].dt.strftime("%Y-%m-%d").tolist()[0] == "2014-04-30"
    assert math.isnan(rows["numerator"][1])
    assert rows["area_code"].tolist()[-1] == "E08000035"  # council code 212, stored as a number


@pytest.mark.parametrize(
    ("line", "found", "reason"),
    [
        ("E08000035,delayed_transfers,2014-05,about 5,", "about 5", "text where a number belongs"),
        ("E08000035,delayed_transfers,2014-05,-5,", "-5", "cannot be negative"),
        ("E08000035,delayed_transfers,spring,5,", "spring", "not a date or period"),
        ("E08000035,delayed_transfer,2014-05,5,", "delayed_transfer", "not defined"),
        ("E08000035,delayed_transfers,2014/15,5,", "2014-04-01 00:00:00", "calendar months"),
        ("E08000035,reablement,2014/15,,101", "101", "above 100 %"),
    ],
)
def test_one_bad_row_is_refused_and_the_rest_kept(write, line, found, reason):
    reading = read_file(
        write("area_code,metric,period,numerator,value", line, "E08000032,reablement,2014/15,,80")
    )
    assert [(refusal.found, reason in refusal.reason) for refusal in reading.refused] == [(found, True)]
    assert reading.observations["area_code"].tolist() == ["E08000032"]


def test_conflicting_months_are_both_refused_and_equal_ones_kept_once(write):
    reading = read_file(
        write(
            "area_code,metric,period,numerator",
            "E08000035,delayed_transfers,2014-05,5",
            "E08000035,delayed_transfers,2014-05,6",
            "E08000035,delayed_transfers,2014-06,7",
            "E08000035,delayed_transfers,2014-06,7",
        )
    )
    assert len(reading.refused) == 2
    assert "May 2014" in reading.refused[0].where
    assert reading.observations["numerator"].tolist() == [7]


def test_a_needed_column_that_is_missing_is_named(write):
    path = write("area_code,metric,period_end,value", "E08000035,reablement,2015-03-31,80")
    with pytest.raises(InputError, match="The table has no column 'period_start'"):
        read_file(path)


def test_a_list_of_areas(write):
    path = write(
        "area_code,area_name,region",
        "P81001,High Street Surgery,North",
        "P81001,Again,North",
        ",No code,North",
    )
    reading = read_file(path)
    assert reading.areas["area_name"].tolist() == ["High Street Surgery"]
    assert len(reading.refused) == 2
