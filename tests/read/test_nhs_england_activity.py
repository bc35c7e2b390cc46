"""The Monthly Activity Return: published files, and oddities in small."""

import pytest

from bcfstats.errors import InputError
from bcfstats.read.recognise import read_file

HEAD = ["Year", "Period", "Region Code", "Region Name", "Org Code", "Org Name", "GP Referrals Made",
        "Total Non-elective G&A Admissions (FFCEs)"]  # fmt: skip


@pytest.fixture
def write_mar(write_workbook):
    def write(rows, *, head=HEAD, notes=(), sheet="Commissioner"):
        title = [[None, "Title:", "Monthly Hospital Activity"], [None, "Published:", "9th June 2017"], []]
        body = [[None, *row] for row in (head, *rows)]
        return write_workbook("Jan.xlsx", {sheet: title + body, "Notes": [["Notes"], *notes]})

    return write


@pytest.mark.slow
def test_commissioners_add_up_to_england_in_every_file(prepared):
    files = [entry for entry in prepared.manifest["files"] if entry["file"].startswith("mar/")]
    assert len(files) == 58
    assert all([check["passed"] for check in entry["checks"]] == [True] for entry in files)


@pytest.mark.parametrize(("year", "millions"), [(2012, 5.500), (2013, 5.566), (2014, 5.692), (2015, 5.886)])
def test_england_by_year(data, year, millions):
    # totals computed from the published files when the reference for this project was written
    rows = data.others.query("metric == 'non_elective_admissions' and area_type == 'country'")
    inside = rows[(rows["period_start"] >= f"{year}-04") & (rows["period_end"] < f"{year + 1}-04")]
    assert len(inside) == 12
    assert inside["numerator"].sum() / 1e6 == pytest.approx(millions, abs=0.0005)


def test_trusts_that_did_not_submit_are_kept_as_warnings(real_data):
    reading = read_file(real_data / "mar" / "Jan_15.xls")
    assert (reading.period, f"{reading.revised:%Y-%m-%d}") == ("January 2015", "2015-11-13")
    absent = next(warning for warning in reading.warnings if "did not submit" in warning)
    assert "RR1 HEART OF ENGLAND NHS FOUNDATION TRUST" in absent
    solihull = reading.others.set_index("area_code").loc["05P"]
    assert (solihull["numerator"], solihull["status"]) == (221, "suspect")


def test_footnotes_in_the_sheet_are_no_rows(real_data):
    reading = read_file(real_data / "mar" / "Apr_17.xls")
    assert len(reading.others) == 209  # 207 groups, NHS England and England
    assert any("Gloucestershire Hospitals" in warning for warning in reading.warnings)


def test_the_one_fractional_figure_is_kept_as_published(real_data):
    reading = read_file(real_data / "mar" / "Nov_12.xls")
    row = reading.others.query("area_name == 'SUFFOLK PCT'").iloc[0]
    assert (row["numerator"], row["area_type"]) == (4459.1, "primary care trust")
    assert reading.checks[0].passed


def test_odd_spellings_of_months_and_years(write_mar):
    rows = [
        [" 2016-17", "Janaury", "", "", "", "England", 9, 30],
        ["2016-17", " JANUARY", "Y54", "North", "00C", "NHS DARLINGTON CCG", 4, 20],
        ["2016-17", "January", "-", "NHS ENGLAND", "X24", "NHS ENGLAND", 5, 10],
        ["Note:"],
    ]
    reading = read_file(write_mar(rows))
    assert reading.period == "January 2017"
    assert reading.others["area_type"].tolist() == [
        "country",
        "clinical commissioning group",
        "direct commissioning",
    ]


def test_text_for_a_count_refuses_the_row_and_the_sum_fails(write_mar):
    rows = [
        ["2016-17", "May", "", "", "", "England", 9, 30],
        ["2016-17", "May", "", "", "00C", "X CCG", 4, "n/k"],
    ]
    reading = read_file(write_mar(rows))
    assert reading.refused[0].found == "n/k"
    assert not reading.checks[0].passed


def test_a_workbook_without_the_sheet_or_the_column(write_mar):
    with pytest.raises(InputError, match="has no commissioners: its figures are of England"):
        read_file(write_mar([], sheet="Provider"))
    with pytest.raises(InputError, match="The column 'Total Non-elective"):
        read_file(write_mar([["2016-17", "May", "", "", "", "England", 9]], head=HEAD[:-1]))


@pytest.mark.parametrize(
    ("year", "month"), [("2016-18", "May"), ("2017-18", "May"), ("2016-17", "June"), ("", "May")]
)
def test_a_year_or_month_dragged_down_is_told_by_englands_total(write_mar, year, month):
    rows = [["2016-17", "May", "", "", "", "England", 9, 30]]
    rows += [["2016-17", "May", "", "", f"00{letter}", f"{letter} CCG", 3, 10] for letter in "CD"]
    dragged = [year, month, "", "", "00E", "E CCG", 3, 10]
    reading = read_file(write_mar([*rows, dragged]))
    assert (reading.period, len(reading.others), reading.refused) == ("May 2016", 4, ())
    assert "1 rows name another year or month than May 2016" in reading.warnings[0]
    assert reading.checks[0].passed


@pytest.mark.parametrize(("year", "n_refused"), [("2016-18", 1), ("", 1)])
def test_a_row_of_no_month_that_englands_total_does_not_ask_for_is_refused(write_mar, year, n_refused):
    rows = [["2016-17", "May", "", "", "", "England", 9, 30]]
    rows += [["2016-17", "May", "", "", f"00{letter}", f"{letter} CCG", 3, 10] for letter in "CD"]
    reading = read_file(write_mar([*rows, [year, "May", "", "", "00E", "E CCG", 3, 11]]))
    assert len(reading.refused) == n_refused
    assert not reading.checks[0].passed
