"""Metrics named in words, and by codes that meant other measures in other years."""

from pathlib import Path

import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.read.recognise import read_content, read_file

HEAD = "area,indicator,measure,period,value"
WORDS = "Permanent admissions to residential and nursing care homes aged 65+"


def read(*lines, head=HEAD):
    return read_content(Path("mine.csv"), ("\n".join([head, *lines]) + "\n").encode(), METRICS)


@pytest.mark.parametrize(
    ("name", "year", "metric"),
    [
        (WORDS, "2014/15", "care_home_admissions"),
        ("Care home admissions", "2014/15", "care_home_admissions"),
        ("2C", "2024/25", "long_term_care_home_admissions"),
        ("2C", "2023/24", "care_home_admissions"),
        ("Long-term care home admissions", "2024/25", "long_term_care_home_admissions"),
        (
            "Adults aged 65 and over whose long-term support needs are met by admission to residential and "
            "nursing care homes",
            "2022/23",
            "care_home_admissions",
        ),
    ],
)
def test_a_name_is_the_metric_of_its_year(name, year, metric):
    assert read(f'Leeds,"{name}",,{year},600').observations["metric"].tolist() == [metric]


@pytest.mark.parametrize(("name", "year"), [(WORDS, "2024/25"), ("2C", "2015/16"), ("2D", "2016/17")])
def test_a_name_of_another_year_is_refused(name, year):
    reading = read(f"Leeds,{name},,{year},60")
    assert reading.observations.empty
    assert "this metric is not defined" in reading.refused[0].reason


def test_a_column_that_says_the_value_is_a_count_or_per_others_is_believed():
    reading = read(
        "Leeds,reablement,Percentage,2014/15,80",
        "Kent,reablement,Count,2014/15,300",
        'Kent,2A(2),"Rate per 1,000",2014/15,6',
        'Leeds,2A(2),"Rate per 100,000 aged 65+",2014/15,600',
    )
    assert reading.observations["value"].tolist() == [80, 600]
    assert [(row.rows, row.found) for row in reading.refused] == [(2, "Count, Rate per 1,000")]


def test_a_councils_file_of_ten_years(present_day):
    reading = read_file(present_day / "care_homes" / "admissions_care_homes_65p.csv")
    rows = reading.observations.set_index(["area_name", "period_start"])
    assert set(reading.observations["metric"]) == {"care_home_admissions"}
    assert rows.loc[("Barnet", "2014-04-01"), "value"] == 622.5
    assert len(reading.observations) + len(reading.others) == reading.rows_read == 170


def test_emergency_admissions_as_they_may_be_released():
    head = "Council of residence,Metric,Month,Spells,MYE"
    reading = read(
        "Leeds,emergency_admissions_65,Apr-25,2210,128400",
        "North Yorkshire,emergency_admissions_65,Apr-25,2900,165203",
        head=head,
    )
    rows = reading.observations.set_index("area_code")
    assert rows.loc["Leeds", "value"] == pytest.approx(2210 / 128400 * 100_000)
    assert rows.loc["North Yorkshire", "numerator"] == 2900
