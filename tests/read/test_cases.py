"""Files that were once read wrongly, each with its right value; skipped where the files are absent."""

import shutil

import pytest

from bcfstats.define.periods import Period
from bcfstats.define.schemes import scheme
from bcfstats.errors import InputError
from bcfstats.read.prepare import prepare
from bcfstats.read.recognise import read_file
from bcfstats.run.check import describe_prepared

CARE_HOMES = [577.8, 521.7, 585.1, 891.5, 839.3, 815.7, 600.0, 571.9, 545.0]


@pytest.fixture(scope="module")
def read(cases):
    return lambda name: read_file(cases / "files" / name)


@pytest.mark.parametrize("name", ["x12_percent_cells.xlsx", "x13_percent_cells_numden.xlsx"])
def test_percent_cells(read, name):
    rows = read(f"05_percent_cells_xlsx_ods/{name}").observations
    assert rows["value"].round(1).tolist() == [85.7, 81.4, 86.8]
    assert set(rows["status"]) == {"ok"}


def test_fractions_of_a_metric_in_per_cent(read):
    reading = read("05_percent_cells_xlsx_ods/10c_fraction.csv")
    assert reading.observations.empty
    assert [row.rows for row in reading.refused] == [3]
    assert "lie between 0 and 1" in reading.refused[0].reason


@pytest.mark.parametrize("name", ["08_a_aprdash13.csv", "08_b_ddmmyyyy.csv"])
def test_months_of_excel(read, name):
    rows = read(f"10_periods_of_excel/{name}").observations
    months = [month.start for month in Period.parse("2013-04/2014-03").months]
    assert [day.date() for day in rows["period_start"]] == months * 2
    assert rows["numerator"].tolist() == [*range(100, 112), *range(2000, 2012)]


def test_financial_years_and_years_as_numbers(read):
    rows = read("10_periods_of_excel/07_c_fy.csv").observations
    assert rows["period_start"].dt.strftime("%Y-%m").tolist() == ["2015-04", "2016-04", "2017-04"] * 3
    years = read("10_periods_of_excel/x16_year_only.xlsx")
    assert years.observations.empty
    assert [row.rows for row in years.refused] == [9]
    assert years.refused[0].found == "2015, 2016, 2017"
    assert "Write 2015/16 or 2014/15, or 2015-01/2015-12." in years.refused[0].reason


@pytest.mark.parametrize(
    "name",
    [
        "11_title_rows_semicolon_tabs/03_semicolon.csv",
        "11_title_rows_semicolon_tabs/06_titles.csv",
        "11_title_rows_semicolon_tabs/18_sep.csv",
        "12_wide_and_near_misses/12_headings.csv",
    ],
)
def test_layouts_and_headings(read, name):
    reading = read(name)
    assert reading.refused == ()
    assert reading.observations["value"].tolist() == CARE_HOMES


def test_signs_of_per_cent(read):
    assert read("12_wide_and_near_misses/10_percent.csv").observations["value"].tolist() == [85.7, 81.4, 86.8]


def test_what_is_missing_is_said_once(read):
    with pytest.raises(InputError) as caught:
        read("12_wide_and_near_misses/x14_wide.xlsx")
    assert "area ('local authority'), 9 periods across the columns" in caught.value.found
    assert "needs also: metric" in caught.value.do
    reading = read("12_wide_and_near_misses/tr_care_homes.csv")
    assert reading.refused == ()
    assert reading.observations["value"].iloc[0] == 622.5  # named in words, by the rule of its years


def test_fingertips_as_r_writes_it(read):
    reading = read("13_fingertipsR_names/f7_fingertipsR.csv")
    assert reading.kind == "Fingertips export"
    rows = reading.observations.set_index(["area_code", "period_start"])["value"]
    assert rows["E08000035", "2010-04-01"] == 2100
    assert (len(reading.observations), len(reading.others), reading.refused) == (40, 15, ())


def test_quarters_and_months_of_fingertips(read):
    reading = read("13_fingertipsR_names/f6_quarter_month.csv")
    rows = reading.observations
    periods = [Period(*ends).label for ends in zip(rows["period_start"], rows["period_end"], strict=True)]
    assert periods[:3] == ["April to June 2023", "July to September 2023", "April 2023"]
    # three years taken together are no figure of a yearly metric
    assert [(row.found, row.reason) for row in reading.refused] == [
        (years, "several years taken together are no figure of a single one")
        for years in ("2022 - 24", "2021/22 - 23/24")
    ]


def test_rounding_is_believed_from_the_counts(read):
    reading = read("01_ascof2021_rounding/meas-from-asc-of-eng-2021-open-data-cut.csv")
    assert all(check.passed for check in reading.checks)
    rows = reading.observations
    assert not (rows["status"] == "suspect").any()
    hounslow = rows[(rows["area_code"] == "E09000018") & (rows["metric"] == "care_related_quality_of_life")]
    assert hounslow[["value", "status"]].to_numpy().tolist() == [[18.9, "rounded"]]


def test_a_year_dragged_down(read):
    reading = read("08_mar_june_2017_dragged_year/mar_Jun_17.xls")
    assert reading.refused == ()
    assert reading.checks[0].detail == "503,969 against 503,969 admissions"
    assert "12 rows name another year or month than June 2017" in reading.warnings[0]


def test_a_later_code_of_an_area_of_2014_and_a_users_own_list(cases, tmp_path):
    raw = tmp_path / "raw"
    shutil.copytree(cases / "files" / "02_bucks_E06000060_dropped", raw)
    prepared = prepare(raw, tmp_path / "processed")
    rows = prepared.data.observations.set_index(["area_code", "metric"])
    assert rows.loc[("E10000002", "care_home_admissions"), ["numerator", "value"]].tolist() == [388, 372.7]
    assert rows.loc[("E06000058", "care_home_admissions"), ["numerator", "value"]].tolist() == [284, 327.0]
    assert "E06000060" not in set(prepared.data.areas["area_code"])
    lines = "\n".join(describe_prepared(prepared))
    assert "Note: Buckinghamshire (E06000060) of your list is E10000002, which is known" in lines
    (raw / "areas2023.csv").unlink()
    without = prepare(raw, tmp_path / "processed")
    for rules, there in (("bcf-2013-12", False), ("bcf-2025-26", True)):
        assert ("E06000058" in set(without.data.at(scheme(rules)).observations["area_code"])) is there
        assert "E06000058" in set(prepared.data.at(scheme(rules)).observations["area_code"])
    lines = "\n".join(describe_prepared(without))
    assert "Set apart: Bournemouth, Christchurch and Poole (E06000058): 4 rows" in lines
