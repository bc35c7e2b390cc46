"""Headings as other tables have them, months and years in columns of their own, rows that are no area's."""

import pytest

from bcfstats.define.periods import Period
from bcfstats.errors import InputError
from bcfstats.read.headings import meanings
from bcfstats.read.recognise import read_file


@pytest.fixture
def read(tmp_path):
    def write_and_read(*lines):
        path = tmp_path / "mine.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return read_file(path)

    return write_and_read


@pytest.mark.parametrize(
    "head",
    [
        "Area Name,Metric,Financial Year,Count,Denominator,Rate per 100k",
        "LA name,indicator,Year,Numerator,Population,Rate per 100,000 population".replace(
            "100,000", "100000"
        ),
        "Local authority,Measure,Time period,Num,Denom,Value",
        "Council,Metric,FY,Count,Denom,Indicator value",
        "LA Code,Indicator Name,Period,numerator,denominator,rate",
    ],
)
def test_headings_of_other_tables(read, head):
    rows = read(head, "Rutland,2A(2),2015/16,52,9000,577.8").observations
    assert rows[["area_code", "metric", "numerator", "denominator", "value"]].to_numpy().tolist() == [
        ["Rutland", "care_home_admissions", 52, 9000, 577.8]
    ]


def test_a_rate_per_another_number_is_no_value_of_the_metric(read):
    with pytest.raises(InputError, match="rates are per 1,000, and those of the metric are not"):
        read("area,metric,period,Rate per 1,000".replace("1,000", "1000"), "Rutland,2A(2),2015/16,5.8")


def test_the_first_of_several_headings_with_one_meaning_counts():
    assert meanings(["area name", "council", "metric"]) == ["area", "council", "metric"]
    assert meanings(["area", "area name", "measure", "indicator"]) == [
        "area",
        "area name",
        "measure",
        "metric",
    ]


@pytest.mark.parametrize(
    ("head", "line", "label"),
    [
        ("month,year", "April,2013", "April 2013"),
        ("month,year", "4,2013", "April 2013"),
        ("month,financial year", "Jan,2013/14", "January 2014"),
        ("quarter,financial year", "Q4,2013/14", "January to March 2014"),
        ("quarter,year", "2,2013/14", "July to September 2013"),
    ],
)
def test_month_or_quarter_in_one_column_and_year_in_another(read, head, line, label):
    metric = "delayed_transfers" if head.startswith("month") else "reablement"
    reading = read(f"area,metric,{head},numerator,denominator", f"Leeds,{metric},{line},5,100")
    start, end = reading.observations.loc[0, ["period_start", "period_end"]]
    assert Period(start, end).label == label


@pytest.mark.parametrize(
    ("head", "line"), [("quarter,year", "Q2,2013"), ("month,financial year", "April,2013")]
)
def test_a_year_that_may_be_either_is_refused(read, head, line):
    reading = read(f"area,metric,{head},numerator", f"Leeds,delayed_transfers,{line},5")
    assert reading.observations.empty
    assert reading.refused[0].reason.startswith("this is not a date or period")


def test_one_line_names_what_was_found_and_what_is_missing(read):
    with pytest.raises(InputError) as caught:
        read("Local authority,2013/14,2014/15", "Leeds,5,6")
    assert (
        "area ('local authority'), 2 periods across the columns (from 2013/14 to 2014/15)"
        in caught.value.found
    )
    assert "needs also: metric" in caught.value.do
    with pytest.raises(InputError) as caught:
        read("Area,Metric,Number of cases", "Leeds,reablement,6")
    assert "needs also: value or numerator, period" in caught.value.do


def test_england_regions_totals_and_notes_are_set_apart_and_named(read):
    reading = read(
        "area,metric,period,numerator",
        "Leeds,delayed_transfers,Apr-13,5",
        "England,delayed_transfers,Apr-13,900",
        "E12000003,delayed_transfers,Apr-13,90",
        "Grand Total,delayed_transfers,Apr-13,995",
        "Source: our own system,,,",
    )
    assert reading.observations["area_code"].tolist() == ["Leeds"]
    assert reading.others[["area_code", "area_type", "numerator"]].to_numpy().tolist() == [
        ["E92000001", "country", 900],
        ["E12000003", "region", 90],
    ]
    assert reading.refused == ()
    assert "row 6: 'Source: our own system'" in reading.warnings[0]
    assert "England (1), E12000003 (1), Grand Total (1)" in reading.warnings[1]


def test_a_sheet_with_the_very_headings_comes_before_one_that_means_the_same(write_workbook):
    like_it = [["Area Name", "Indicator", "Year", "Value"], ["Kent", "2B(1)", "2014/15", 80]]
    itself = [["area", "metric", "period", "value"], ["Leeds", "2B(1)", "2014/15", 84]]
    path = write_workbook("two.xlsx", {"Other": like_it, "Data": itself})
    assert read_file(path).observations["area_code"].tolist() == ["Leeds"]
    with pytest.raises(InputError, match="stands on several sheets"):
        read_file(write_workbook("both.xlsx", {"One": like_it, "Two": like_it}))
