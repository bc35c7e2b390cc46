"""Delayed transfers of care: the published files, and what a single month must say."""

from pathlib import Path

import pytest

from bcfstats.errors import InputError
from bcfstats.read.data import Data
from bcfstats.read.recognise import read_file

ENGLAND = [None, "-", "England", 30, 12, 42]
LEEDS = ["E08000035", "212", "Leeds", 30, 10, 40]
WALES = [None, "9900", "Resident In Wales", "-", "-", 0]
ABROAD = [None, "9902", "Resident outside GB", 0, 2, 2]


def days(data: Data, first: str, last: str):
    table = data.observations.query("metric == 'delayed_transfers'")
    return table[(table["period_start"] >= first) & (table["period_end"] <= last)]


def test_every_council_but_the_isles_of_scilly_has_every_month_to_march_2015(data):
    table = days(data, "2011-04-01", "2015-03-31")
    assert table["area_code"].nunique() == 151
    assert set(table.groupby("area_code").size()) == {48}
    assert "E06000053" not in set(table["area_code"])


@pytest.mark.parametrize(("year", "published"), [(2012, 1_380_475), (2013, 1_413_591)])
def test_england_by_year_is_as_published(data, year, published):
    # NHS England, total delayed days by financial year, from the England row of the twelve files
    england = data.others.query("area_type == 'country' and metric == 'delayed_transfers'")
    inside = england[(england["period_start"] >= f"{year}-04") & (england["period_end"] < f"{year + 1}-04")]
    assert len(inside) == 12
    assert inside["numerator"].sum() == published


def test_areas_and_residents_elsewhere_add_up_to_england_in_every_month(data):
    areas = days(data, "2011-04-01", "2019-12-31").groupby("period_start")["numerator"].sum()
    others = data.others.query("metric == 'delayed_transfers'")
    england = others.query("area_type == 'country'").set_index("period_start")["numerator"]
    elsewhere = others.query("area_type != 'country'").groupby("period_start")["numerator"].sum()
    assert len(england) == 51
    assert ((areas + elsewhere) == england).all()


@pytest.mark.parametrize(
    ("file", "month", "england"),
    [("July_15.xls", "July 2015", 147_376), ("April_17.xls", "April 2017", 176_886),
     ("May_19.xls", "May 2019", 139_415)],
)  # fmt: skip
def test_later_layouts_give_days_and_not_beds(real_data, file, month, england):
    # April 2017 has 5,896.2 beds and May 2019 has 4,497 people in the second block
    reading = read_file(real_data / "dtoc" / file)
    row = reading.others.query("area_name == 'England'").iloc[0]
    assert (reading.period, row["numerator"]) == (month, england)
    assert reading.observations["numerator"].sum() > 0.95 * england  # 148 or 151 areas


def test_published_and_revised_dates_are_read_where_they_are_given(real_data):
    reading = read_file(real_data / "dtoc" / "April_14.xls")  # its Published cell is '-'
    assert reading.published is None
    assert f"{reading.revised:%d %B %Y}" == "24 April 2015"
    assert set(reading.observations["vintage"].dt.strftime("%Y-%m-%d")) == {"2015-04-24"}


def test_areas_after_2014_are_areas(real_data):
    reading = read_file(real_data / "dtoc" / "May_19.xls")
    codes = set(reading.observations["area_code"])
    assert {"E06000058", "E10000009"} <= codes  # BCP, and Dorset without Christchurch
    assert not {"E06000028", "E06000029"} & codes
    assert not reading.others["area_type"].str.contains("register").any()


def test_checks_hold_in_every_file(prepared):
    files = [entry for entry in prepared.manifest["files"] if entry["file"].startswith("dtoc/")]
    assert len(files) == 51
    assert all(len(entry["checks"]) == 3 for entry in files)
    assert all(check["passed"] for entry in files for check in entry["checks"])


def test_southampton_apr_to_dec_2013_per_100_000_adults_per_month(data):
    # 7,335 days over 192,045 people aged 18 and over (mid-2013): 7335 / 192045 / 9 x 100,000 = 424.4
    rows = days(data, "2013-04-01", "2013-12-31").query("area_code == 'E06000045'")
    assert rows["numerator"].sum() == 7_335
    assert set(rows["denominator"]) == {192_045}
    assert rows["value"].mean() == pytest.approx(424.37970, abs=1e-5)


def test_a_dash_beside_a_zero_total_is_zero(write_dtoc):
    reading = read_file(write_dtoc("x.xlsx", "April 2017", [ENGLAND, LEEDS, WALES, ABROAD]))
    assert [check.passed for check in reading.checks] == [True, True]
    assert reading.others.set_index("area_code").loc["9900", "numerator"] == 0
    assert reading.observations["numerator"].tolist() == [40]


def test_april_2019_bournemouth_and_poole_are_suspect(write_dtoc):
    rows = [
        ["E06000028", "810", "Bournemouth UA", 1_000, 180, 1_180],
        ["E06000029", "811", "Poole UA", "-", "-", 0],
        [None, "-", "England", 1_000, 180, 1_180],
    ]
    found = read_file(write_dtoc("x.xlsx", "April 2019", rows)).observations.set_index("area_name")
    assert found["status"].to_dict() == {"Bournemouth": "suspect", "Poole": "suspect"}
    assert "published zero is false" in found.loc["Poole", "status_note"]


def test_a_sum_that_is_not_englands_is_said(write_dtoc):
    reading = read_file(write_dtoc("x.xlsx", "April 2017", [ENGLAND, LEEDS]))
    check = reading.checks[0]
    assert (check.passed, check.detail) == (False, "40 against 42 delayed days")


@pytest.mark.parametrize("cell", ["about 40", -40])
def test_text_or_a_negative_count_refuses_the_row_only(write_dtoc, cell):
    reading = read_file(write_dtoc("x.xlsx", "April 2017", [ENGLAND, [*LEEDS[:5], cell], ABROAD]))
    assert [refusal.found for refusal in reading.refused] == [str(cell)]
    assert "row 8, Leeds, Total" in reading.refused[0].where
    assert reading.observations.empty


NOT_BY_AREA = "This workbook has no local authorities: its figures are of England as a whole, or of trusts."


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (
            {"sheet": "Trust - by type of care"},
            NOT_BY_AREA,
        ),
        ({"days": "People"}, "The column 'Acute' under 'Delayed Days' is not there."),
    ],
)
def test_a_workbook_without_the_sheet_or_the_days_is_refused(write_dtoc, change, what):
    with pytest.raises(InputError) as error:
        read_file(write_dtoc("x.xlsx", "April 2017", [ENGLAND], **change))
    assert error.value.what == what


def test_the_month_comes_from_the_period_cell_and_not_the_name(write_dtoc):
    path: Path = write_dtoc("May_18.xlsx", "n/a", [ENGLAND])
    with pytest.raises(InputError, match="does not name a month"):
        read_file(path)
