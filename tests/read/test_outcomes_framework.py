"""Adult Social Care Outcomes Framework: published files, and the year told by content."""

import pytest

from bcfstats.errors import InputError
from bcfstats.read.recognise import read_file

COLUMNS = ["Geographical Code", "Geographical Description", "Geographical Level", "ONS Area Code",
           "ASCOF Measure Code", "Disaggregation Level", "Measure Type", "Measure Value"]  # fmt: skip


@pytest.fixture
def write_ascof(tmp_path):
    def write(rows, name="file.csv"):
        lines = [",".join(COLUMNS)] + [",".join(map(str, row)) for row in rows]
        path = tmp_path / name
        path.write_text("\n".join(lines), encoding="cp1252")
        return path

    return write


def measure(
    code, outcome, numerator, denominator, *, level="Council", place=("212", "Leeds", "E08000035"), **more
):
    cells = {"Outcome": outcome, "Numerator": numerator, "Denominator": denominator, **more}
    return [[place[0], place[1], level, place[2], code, "Total", kind, cell] for kind, cell in cells.items()]


def of_year(frame, metric, year):
    return frame[(frame["metric"] == metric) & (frame["period_start"] == f"{year}-04-01")]


ENGLAND = {"level": "England", "place": ("England", "England", "E92000001")}


@pytest.mark.parametrize(("metric", "multiplier"), [("care_home_admissions", 100_000), ("reablement", 100)])
def test_recomputed_values_equal_the_published_for_every_council_in_2015_16(data, metric, multiplier):
    rows = of_year(data.observations, metric, 2015)
    assert len(rows) == 152
    recomputed = rows["numerator"] / rows["denominator"] * multiplier
    # published to one decimal place: half of the last place, and nothing for binary fractions
    assert ((recomputed - rows["value"]).abs() <= 0.05 + 1e-9).all()


@pytest.mark.parametrize(
    ("year", "metric", "value"),
    [(2014, "care_home_admissions", 668.8), (2015, "care_home_admissions", 628.2),
     (2016, "care_home_admissions", 610.7), (2014, "reablement", 82.1), (2015, "reablement", 82.7),
     (2016, "reablement", 82.5), (2015, "care_related_quality_of_life", 19.1),
     (2014, "carer_quality_of_life", 7.9), (2016, "carer_quality_of_life", 7.7),
     (2015, "independent_living_mental_health", 58.6),
     (2016, "social_contact", 45.4)],
)  # fmt: skip
def test_england_is_as_published_and_in_its_year(data, year, metric, value):
    rows = data.others.query("metric == @metric and area_type == 'country'").set_index("period_start")
    assert rows.loc[f"{year}-04-01", "value"] == value


def test_only_totals_and_only_known_councils(data):
    rows = of_year(data.observations, "social_contact", 2016)
    assert len(rows) == rows["area_code"].nunique() == 152


def test_counts_rounded_to_five_are_said_to_be(data):
    rows = data.observations.query("metric == 'reablement'").set_index(["period_start", "area_name"])
    assert rows.loc[("2014-04-01", "Leeds"), "status"] == "rounded"
    assert rows.loc[("2015-04-01", "Leeds"), "status"] == "ok"
    assert "nearest 5" in rows.loc[("2014-04-01", "Leeds"), "status_note"]


def test_the_margin_of_error_becomes_limits(data):
    rows = of_year(data.observations, "social_contact", 2016).dropna(subset=["value"])
    margin = rows["upper_ci"] - rows["value"]
    assert ((margin - (rows["value"] - rows["lower_ci"])).abs() < 1e-9).all()
    assert margin.min() == pytest.approx(2.5)  # smallest and largest published margin of that year
    assert margin.max() == pytest.approx(15.3)


def test_missing_figures_are_missing_and_say_why(data):
    missing = of_year(data.observations, "reablement", 2014).query("value.isna()")
    assert set(missing["area_name"]) == {"City of London", "Cornwall", "Isles of Scilly"}
    assert set(missing["status"]) == {"not_available"}
    assert missing["status_note"].str.contains("not published").all()


def test_adults_of_mid_2014_come_from_2c(data, real_data):
    reading = read_file(real_data / "ascof" / "meas-from-asc-of-eng-1415-open-data.csv")
    england = reading.populations.query("area_code == 'E92000001'").iloc[0]
    assert (england["year"], england["age_group"], england["population"]) == (2014, "18+", 42_724_915)


@pytest.mark.parametrize(
    ("code", "numerator", "denominator", "outcome", "name", "period"),
    [("2A(2)_1415", 1, 2, 3, "a.csv", "2014/15"), ("2A(2)", 61_010, 9_711_572, 628.2, "a.csv", "2015/16"),
     ("2A2", 60_354, 9_882_841, 610.7, "2014-15.csv", "2016/17"), ("2A2", 1, 2, 585.6, "a.csv", "2017/18"),
     ("2A2", 1, 2, 3, "meas-from-asc-of-17-18-open-data.csv", "2017/18"),
     ("2A2", 1, 2, 3, "meas-from-asc-of-eng-1920.csv", "2019/20")],
)  # fmt: skip
def test_the_year_is_told_by_content_and_by_name_only_as_a_last_resort(
    write_ascof, code, numerator, denominator, outcome, name, period
):
    reading = read_file(write_ascof(measure(code, outcome, numerator, denominator, **ENGLAND), name))
    assert reading.period == period


def test_a_file_whose_year_cannot_be_told_is_refused(write_ascof):
    with pytest.raises(InputError, match="Put the year into the file name"):
        read_file(write_ascof(measure("2A2", 3, 1, 2, **ENGLAND), "measures.csv"))


def test_marks_and_text(write_ascof):
    rows = (
        measure("2A2", "c", ":", 1000)
        + measure("2B1", 84, "eighty", 100)
        + measure("2A2", 628.2, 1, 2, **ENGLAND)
    )
    reading = read_file(write_ascof(rows))
    found = reading.observations.set_index("metric")
    assert found["status"].to_dict() == {"care_home_admissions": "suppressed", "reablement": "ok"}
    assert reading.refused[0].found == "eighty"


def test_a_value_that_is_not_its_quotient_is_suspect(write_ascof):
    rows = measure("2B1", 94, 84, 101) + measure("2A2", 628.2, 1, 2, **ENGLAND)
    reading = read_file(write_ascof(rows))
    assert reading.observations["status"].tolist() == ["suspect"]
    assert [check.passed for check in reading.checks] == [False]


def test_a_workbook_of_the_same_columns(write_workbook):
    # the layout of 2020-21: one sheet, ONS Code, codes stored as numbers, marks in brackets
    head = [*COLUMNS[:3], "ONS Code", *COLUMNS[4:]]
    rows = [[212, *row[1:]] for row in measure("2B1", "[c]", "[c]", 100)]
    rows += measure("2A2", 628.2, 61_010, 9_711_572, **ENGLAND)
    reading = read_file(write_workbook("x.xlsx", {"Data": [["Title"], [], head, *rows]}))
    assert reading.period == "2015/16"
    assert reading.observations["status"].tolist() == ["suppressed"]
    assert reading.observations["area_code"].tolist() == ["E08000035"]


def test_a_code_means_its_measure_in_its_years_only(write_ascof):
    # from 2023-24 on 1D is people's satisfaction with services in per cent, and 1C carers' quality of life
    rows = [*measure("1D", 64.4, 6440, 10_000), *measure("1C", 7.3, 730, 100)]
    later = read_file(write_ascof(rows, "ascof-2024-25.csv"))
    assert later.observations[["metric", "value"]].to_numpy().tolist() == [["carer_quality_of_life", 7.3]]
    assert "In 2024/25 the code 1D is that of another measure: left out." in later.warnings
    earlier = read_file(write_ascof(measure("1D", 7.9, 790, 100), "ascof-2014-15.csv"))
    assert earlier.observations[["metric", "value"]].to_numpy().tolist() == [["carer_quality_of_life", 7.9]]


def test_a_value_that_cannot_be_is_refused(write_ascof):
    reading = read_file(write_ascof(measure("1D", 64.4, 6440, 100), "ascof-2014-15.csv"))
    assert reading.observations.empty
    assert [(row.found, row.reason) for row in reading.refused] == [
        ("64.4", "the value is above the highest there can be")
    ]


def test_few_counts_are_enough_to_tell_that_they_are_rounded(write_ascof):
    def council(n, value, numerator, denominator):
        return measure("1I1", value, numerator, denominator, place=(f"10{n}", f"X{n}", f"E0600000{n}"))

    # 515 / 1635 is 31.50, published as 31.6; six counts are all multiples of 5 by chance once in 15,000 times
    rows = [*council(1, 31.6, 515, 1635), *council(2, 40.0, 400, 1000), *council(3, 30.0, 300, 1000)]
    reading = read_file(write_ascof(rows, "ascof-2020-21.csv"))
    assert reading.observations["status"].tolist() == ["rounded"] * 3
    assert all(check.passed for check in reading.checks)
    rows = [*council(1, 31.6, 515, 1635), *council(2, 40.1, 401, 1000)]
    off = read_file(write_ascof(rows, "ascof-2020-21.csv"))
    assert off.observations["status"].tolist() == ["suspect", "ok"]


def test_an_area_has_one_name_whatever_the_year_prints(write_ascof):
    places = [("821", "Medway Towns", "E06000035"), ("801", '"Bristol, City of"', "E06000023")]
    rows = [row for place in places for row in measure("2B1", 80, 80, 100, place=place)]
    found = read_file(write_ascof(rows, "ascof-2015-16.csv")).observations
    assert sorted(found["area_name"]) == ["Bristol", "Medway"]
