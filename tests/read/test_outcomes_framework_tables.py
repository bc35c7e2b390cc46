"""The framework since 2023-24: one table a measure, known by name and year; files of several years."""

import pytest

from bcfstats.errors import InputError
from bcfstats.read.recognise import read_file

CARE_HOMES = (
    "Table 2c: the number of adults aged 65 and over whose long-term support needs are met by admission to "
    "residential and nursing care homes, per 100,000 population [note 9]"
)
AT_HOME = (
    "Table 2d(1): the proportion of older people still at home 91 days after discharge from hospital [note 1]"
)
HEAD = ["Local authority code", "Local authority", "ONS area code"]


def table(title, years, *rows):
    heads = [
        f"{year} to {year + 1} - {part}" for year in years for part in ("numerator", "denominator", "outcome")
    ]
    return [[title], ["This worksheet contains one table."], HEAD + heads, *rows]


@pytest.fixture
def read(write_workbook):
    def write_and_read(sheets, name="ascof.xlsx"):
        return read_file(write_workbook(name, {"Cover": [["Measures"]], **sheets}))

    return write_and_read


def test_a_name_is_the_metric_of_its_year(read):
    leeds = [383, "Leeds", "E08000035", 900, 120_000, 750, 960, 120_000, 800]
    reading = read({"Table_2c": table(CARE_HOMES, (2023, 2024), leeds)})
    rows = reading.observations.set_index("period_start")
    assert rows["metric"].tolist() == ["care_home_admissions", "long_term_care_home_admissions"]
    assert rows["value"].tolist() == [750, 800]
    assert "SALT" in rows["basis"].iloc[0]
    assert "in development" in rows["basis"].iloc[1]


def test_places_marks_and_tables_that_are_no_metric(read):
    rows = [
        ["England", "England", "E92000001", 65_060, 10_981_090, 592.5],
        ["S", "Shire Counties", "[z]", 27_000, 4_661_025, 579.3],
        ["E", "Eastern", "E12000006", 7_530, 1_312_710, 573.6],
        [916, "Buckinghamshire", "E06000060", 449, 110_535, 406.2],
        ["H6X4G", "Cumberland", "E06000063", "[c]", "[c]", "[c]"],
        [714, "City of London", "E09000001", "few", 1, 1],
        [1, "Nowhere", "E06000999", 1, 1_000, 100],
    ]
    satisfied = table("Table 1d: overall satisfaction of people who use services", (2024,), rows[3])
    reading = read({"Table_2c": table(CARE_HOMES, (2024,), *rows), "Table_1d": satisfied})
    found = reading.observations.set_index("area_code")
    assert found.loc["E10000002", "value"] == 406.2
    assert found.loc["E06000063", "status"] == "suppressed"
    assert [row.found for row in reading.refused] == ["few"]
    kinds = dict(zip(reading.others["area_code"], reading.others["area_type"], strict=True))
    assert kinds == {
        "E92000001": "country", "S": "council type", "E12000006": "region",
        "E06000999": "area that is not in the register",
    }  # fmt: skip
    assert reading.warnings == ("Tables of measures that are no metric were left out: 1d.",)


def test_reablement_at_91_days_is_not_that_within_12_weeks(read):
    leeds = [383, "Leeds", "E08000035", 80, 100, 80]
    assert set(read({"Table_2d(1)": table(AT_HOME, (2023,), leeds)}).observations["metric"]) == {"reablement"}
    assert read({"Table_2d(1)": table(AT_HOME, (2024,), leeds)}).observations.empty


def test_the_published_tables_of_2024_25(present_day):
    reading = read_file(present_day / "ascof" / "ascof_2024_25.ods")
    england = reading.others.query("area_type == 'country'").set_index("metric")["value"].to_dict()
    assert england == {"long_term_care_home_admissions": 592.5, "reablement_12_weeks": 60.7}
    rows = reading.observations.query("metric == 'long_term_care_home_admissions' and status == 'ok'")
    made = rows["numerator"] / rows["denominator"] * 100_000
    assert len(rows) == 152
    assert ((made - rows["value"]).abs() <= 0.05 + 1e-9).all()  # published to one decimal place
    suppressed = reading.observations.query("metric == 'reablement_12_weeks' and status == 'suppressed'")
    assert len(suppressed) == 15
    assert all(check.passed for check in reading.checks)


@pytest.mark.parametrize(
    ("name", "year", "care_homes", "reablement"),
    [
        ("meas-from-asc-of-17-18-open-data.csv", "2017/18", 585.6, 82.9),
        ("meas-from-asc-of-eng-1819-open-data.csv", "2018/19", 579.4, 82.4),
        pytest.param(
            *("meas-from-asc-of-eng-2021-open-data-csv_v2.xlsx", "2020/21", 498.2, 79.1),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_the_open_data_of_later_years(present_day, name, year, care_homes, reablement):
    reading = read_file(present_day / "ascof" / name)
    england = reading.others.query("area_type == 'country'").set_index("metric")["value"]
    assert reading.period == year
    assert england[["care_home_admissions", "reablement"]].tolist() == [care_homes, reablement]
    assert all(check.passed for check in reading.checks)


LONG = "Year,Geographical Code,Geographical Description,Geographical Level,ONS Code,ASCOF Measure Code," \
    "Disaggregation Level,Measure Type,Measure Value"  # fmt: skip


def long_rows(year, code, outcome):
    place = "383,Leeds,Council,E08000035"
    numbers = (("Numerator", 900), ("Denominator", 120_000), ("Outcome", outcome))
    return [f"{year},{place},{code},Total,{kind},{number}" for kind, number in numbers]


def test_a_file_of_several_years(tmp_path):
    path = tmp_path / "several.csv"
    rows = [*long_rows("2016-17", "2A(2)", 750), *long_rows("2021/22", "2A(2)", 750)]
    path.write_text("\n".join([LONG, *rows]) + "\n", encoding="utf-8")
    reading = read_file(path)
    assert reading.observations["period_start"].dt.year.tolist() == [2016, 2021]
    assert reading.period == "2016/17 to 2021/22"
    assert "The year 2016/17 was told from the column 'year'." in reading.warnings


def test_a_year_alone_in_the_column_of_years_is_refused(tmp_path):
    path = tmp_path / "several.csv"
    path.write_text("\n".join([LONG, *long_rows("2017", "2A(2)", 750)]) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="financial year"):
        read_file(path)
