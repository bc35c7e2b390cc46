"""Plain tables as users keep them."""

import math
from datetime import date

import pytest

from bcfstats.errors import InputError
from bcfstats.read.prepare import prepare
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
    assert [row.found for row in reading.refused] == ["5", "6"]
    assert reading.observations["numerator"].tolist() == [7]
    assert "1 rows repeat another with the same numbers" in reading.warnings[0]


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


def test_one_area_by_name_and_by_code_is_one_area(write, tmp_path):
    write(
        "area,metric,period,numerator",
        "Leeds,delayed_transfers,2014-05,5",
        "E08000035,delayed_transfers,May-14,6",
        "Leeds,delayed_transfers,2014-06,7",
        "E08000035,delayed_transfers,2014-06,7",
        name="raw.csv",
    )
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw.csv").rename(tmp_path / "raw" / "mine.csv")
    prepared = prepare(tmp_path / "raw", tmp_path / "processed")
    assert prepared.data.observations["numerator"].tolist() == [7]
    refused = prepared.manifest["files"][0]["refused_rows"]
    assert [(row["found"], row["reason"]) for row in refused] == [
        (found, "the area has this period more than once") for found in ("5", "6")
    ]


def test_rows_of_one_reason_are_one_line(write):
    months = [f"Leeds,delayed_transfers,{month},5" for month in ("spring", "summer", "autumn")]
    reading = read_file(write("area,metric,period,numerator", *months, "Leeds,delayed_transfers,Apr-14,5"))
    assert [(row.rows, row.found) for row in reading.refused] == [(3, "spring, summer, autumn")]
    assert "3 rows (2, 3, 4), period" in reading.refused[0].where
    assert "Write a month (2014-04, 201404" in reading.refused[0].reason


@pytest.mark.parametrize("periods", [("2011-12", "2012-05"), ("2012-05", "2011-12")])
def test_a_month_among_months_is_no_financial_year(write, periods):
    rows = [f"Leeds,delayed_transfers,{period},5" for period in periods]
    reading = read_file(write("area,metric,period,numerator", *rows))
    assert sorted(reading.observations["period_end"].dt.strftime("%Y-%m")) == ["2011-12", "2012-05"]


def test_a_metric_that_is_not_defined_is_one_line_with_near_misses(write):
    rows = [f"Leeds,reablemnt,20{year}/{year + 1},80" for year in (12, 13, 14, 15, 16, 17, 18)]
    reading = read_file(write("area,metric,period,value", *rows))
    assert [(row.rows, row.reason) for row in reading.refused] == [
        (
            7,
            "this metric is not defined. "
            "Did you mean 'reablement' or 'reablement 91 days' or 'reablement_12_weeks'?",
        )
    ]


@pytest.mark.parametrize("values", [("0.857", "0.9"), ("1", "0"), ("0.5", "")])
def test_values_between_0_and_1_of_a_metric_in_per_cent_are_asked_about(write, values):
    rows = [f"Leeds,reablement,20{year}/{year + 1},{value}" for year, value in enumerate(values, 13)]
    reading = read_file(write("area,metric,period,value", *rows))
    assert reading.refused[0].reason.endswith("give the cells the format of percentages.")
    assert not (reading.observations["status"] == "ok").any()


def test_small_percentages_that_their_counts_or_signs_show_are_read(write):
    by_counts = write("area,metric,period,numerator,denominator,value", "Leeds,reablement,2013/14,5,1000,0.5")
    assert read_file(by_counts).observations["value"].tolist() == [0.5]
    by_sign = write(
        "area,metric,period,value", "Leeds,reablement,2013/14,0.5%", "Leeds,reablement,2014/15,0.6%"
    )
    assert read_file(by_sign).observations["value"].tolist() == [0.5, 0.6]


@pytest.mark.parametrize(
    ("cell", "status"),
    [("<5", "suppressed"), ("< 5", "suppressed"), ("1 to 7", "suppressed"), ("\u2013", "not_available")],
)
def test_marks_that_are_no_numbers(write, cell, status):
    reading = read_file(write("area,metric,period,numerator", f"Leeds,delayed_transfers,Apr-14,{cell}"))
    assert reading.observations["status"].tolist() == [status]
    assert reading.observations["numerator"].isna().all()


def test_numbers_as_they_are_written(write):
    cells = ['"1,204"', "\uff11\uff12\uff10\uff14", "1\u00a0204", "+1204"]
    rows = [f"Leeds,delayed_transfers,2014-{n:02d},{cell}" for n, cell in enumerate(cells, 4)]
    reading = read_file(write("area,metric,period,numerator", *rows))
    assert reading.observations["numerator"].tolist() == [1204] * 4
