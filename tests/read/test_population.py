"""Populations: published workbooks, and the layouts of other years."""

import pytest

from bcfstats.errors import InputError
from bcfstats.read.recognise import read_file


def of(reading, area, group):
    rows = reading.populations.query("area_code == @area and age_group == @group")
    return dict(zip(rows["year"], rows["population"], strict=True))


@pytest.mark.parametrize(
    ("file", "year", "everyone", "old", "adults"),
    [("*2015.xls", 2015, 54_786_327, 9_711_572, 43_108_471),
     ("*2016.xls", 2016, 55_268_067, 9_882_841, 43_482_790)],
)  # fmt: skip
def test_england_as_published(real_data, file, year, everyone, old, adults):
    # all ages: the row ENGLAND; 65+ and 18+: England's denominators of ASCOF 2A(2) and 2C(1) of that year
    reading = read_file(next((real_data / "population").glob(file)))
    assert reading.period == f"mid-{year}"
    assert of(reading, "E92000001", "all") == {year: everyone}
    assert of(reading, "E92000001", "65+") == {year: old}
    assert of(reading, "E92000001", "18+") == {year: adults}
    assert all(check.passed for check in reading.checks)
    assert reading.populations["area_code"].nunique() == 153  # 152 areas and England, no districts


def test_components_have_no_counties(real_data):
    reading = read_file(next((real_data / "population").glob("MYEB3*")))
    assert of(reading, "E06000045", "all")[2013] == 239_858  # Southampton
    assert not reading.populations["area_code"].str.startswith("E10").any()
    assert "no counties" in reading.warnings[0]


def test_the_derived_table_says_what_is_estimated(real_data):
    reading = read_file(real_data / "geography" / "hwb_utla_2014.csv")
    adults = reading.populations.query("area_code == 'E06000045' and age_group == '18+'").set_index("year")
    assert adults["population"].to_dict()[2013] == 192_045
    assert adults["estimated"].to_dict() == {**dict.fromkeys(range(2012, 2017), True), 2017: False}
    assert "estimate: total population times the mid-2017 share of adults" in set(adults["basis"])


def layout(sheet, header_row, headings, ages, *, extra=()):
    """One area of 91 ages: 10 people of each age, 910 in all; the title above says the year."""
    rows = [["Mid-2018: population estimates"], *([] for _ in range(header_row - 1))]
    row = ["E08000035", "Leeds", *extra, 910, *[10] * 91]
    return {"Contents": [["Contents"]], sheet: [*rows, [*headings, *ages], row, [], ["Source: ONS"]]}


@pytest.mark.parametrize(
    ("sheet", "header_row", "headings", "ages", "extra"),
    [
        ("Persons UK", 2, ["CODE", "NAME", "ALL AGES"], list(range(91)), []),
        ("MYE2 - All", 4, ["Code", "Name", "All ages"], [float(age) for age in range(91)], []),
        ("MYE2-All ", 4, ["Code", "Name", "Geography1", "All ages"], [*map(str, range(90)), "90+"], ["Met"]),
        (
            "MYE2 - Persons",
            7,
            ["Code", "Name", "Geography", "All ages"],
            [0, 1, "2", *range(3, 90), "90+"],
            ["Met"],
        ),
    ],
)
def test_the_layouts_of_other_years(write_workbook, sheet, header_row, headings, ages, extra):
    reading = read_file(write_workbook("x.xlsx", layout(sheet, header_row, headings, ages, extra=extra)))
    assert reading.period == "mid-2018"
    # ages 18 to 90: 73 single years; 65 to 90: 26
    assert [of(reading, "E08000035", group)[2018] for group in ("all", "18+", "65+")] == [910, 730, 260]
    assert reading.checks[0].passed


def test_missing_ages_are_refused(write_workbook):
    sheets = layout("MYE2 - All", 4, ["Code", "Name", "All ages"], list(range(80)))
    with pytest.raises(InputError, match="do not run from 0 to 90"):
        read_file(write_workbook("x.xlsx", sheets))


@pytest.mark.parametrize("cell", ["#REF!", "n/k", -10])
def test_an_age_that_is_no_number_of_people_is_refused_and_not_counted(write_workbook, cell):
    sheets = layout("MYE2 - All", 4, ["Code", "Name", "All ages"], list(range(91)))
    sheets["MYE2 - All"][5][3 + 20] = cell  # the age of 20
    reading = read_file(write_workbook("x.xlsx", sheets))
    assert [(refused.where, refused.found) for refused in reading.refused] == [
        ("x.xlsx, MYE2 - All, row 6", str(float(cell)) if cell == -10 else cell)
    ]
    assert [of(reading, "E08000035", group) for group in ("all", "18+", "65+")] == [{}, {}, {2018: 260}]
