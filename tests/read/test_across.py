"""Months and years across the columns: read where it is plain which number the cells are."""

from datetime import date

import pytest

from bcfstats.errors import InputError
from bcfstats.read.recognise import read_file


@pytest.fixture
def read(tmp_path):
    def write_and_read(*lines):
        path = tmp_path / "wide.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return read_file(path)

    return write_and_read


def test_numbers_with_decimals_are_values(read):
    reading = read(
        "Area,Metric,2013/14,2014/15,2015/16", "Leeds,reablement,81.4,82,83.1", "Kent,reablement,86.8,,c"
    )
    rows = reading.observations
    assert rows["value"].tolist()[:4] == [81.4, 82, 83.1, 86.8]
    assert rows["status"].tolist() == ["ok", "ok", "ok", "ok", "not_available", "suppressed"]
    assert rows["period_start"].dt.year.tolist() == [2013, 2014, 2015] * 2


def test_whole_numbers_may_be_counts_or_values(read):
    with pytest.raises(InputError, match="counts or values cannot be told") as caught:
        read("Area,Metric,Apr-13,May-13", "Leeds,delayed_transfers,2000,2001")
    assert "measure" in caught.value.do


def test_a_column_says_which_number_each_row_holds(read):
    reading = read(
        "Area,Indicator,Measure,2013/14,2014/15",
        "Leeds,reablement,Numerator,84,90",
        "Leeds,reablement,Denominator,100,120",
        "Kent,reablement,Denominator,50,60",
        "Kent,reablement,Count,40,*",
    )
    rows = reading.observations.set_index(["area_code", "period_start"])
    assert rows["value"].dropna().tolist() == [84, 75, 80]
    assert rows["numerator"].tolist()[:3] == [84, 90, 40]
    assert rows["status"].tolist()[-1] == "suppressed"
    with pytest.raises(InputError, match="must say which number"):
        read("Area,Indicator,Measure,2013/14,2014/15", "Leeds,reablement,Per head,84,90")
    with pytest.raises(InputError, match="its numerator of one period twice"):
        read("Area,Indicator,Measure,2013/14,2014/15", *["Leeds,reablement,Numerator,84,90"] * 2)


def test_dates_across_a_workbook(write_workbook):
    head = ["Local authority", "Metric", "Measure", date(2013, 4, 1), date(2013, 5, 1)]
    rows = [["Delayed days by month"], [], head, ["Leeds", "delayed_transfers", "numerator", 2000, 2001]]
    reading = read_file(write_workbook("wide.xlsx", {"Sheet": rows}))
    assert reading.observations["numerator"].tolist() == [2000, 2001]
    assert reading.observations["period_end"].dt.strftime("%Y-%m-%d").tolist() == ["2013-04-30", "2013-05-31"]


def test_a_bad_cell_is_named_by_row_and_period(read):
    reading = read("Area,Metric,2013/14,2014/15", "Leeds,reablement,81.4,high")
    assert "row 2, 2014/15" in reading.refused[0].where
    assert reading.observations["value"].tolist() == [81.4]
