"""Populations as Nomis and the Office for National Statistics publish them since 2020."""

import pytest

from bcfstats.errors import InputError
from bcfstats.read.recognise import read_file

NOMIS = "GEOGRAPHY_NAME,GEOGRAPHY_CODE,DATE_NAME,GENDER_NAME,C_AGE_NAME,OBS_VALUE"


@pytest.fixture
def read(tmp_path):
    def write_and_read(*lines):
        path = tmp_path / "people.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return read_file(path)

    return write_and_read


def people(reading, code):
    rows = reading.populations.query("area_code == @code")
    return {(row.year, row.age_group): row.population for row in rows.itertuples()}


def nomis(code, sex="Total", ages=range(90)):
    rows = [f"X,{code},2024,{sex},Age {age},10" for age in ages]
    return [f"X,{code},2024,{sex},All Ages,930", *rows, f"X,{code},2024,{sex},Aged 90+,30"]


def test_rows_of_nomis_add_up_to_groups(read):
    reading = read(NOMIS, *nomis("E06000060"), *nomis("E06000060", "Male"), *nomis("E07000136"))
    # ages 18 to 89 and 65 to 89 with ten people each, and 30 aged 90 and over
    expected = {(2024, "all"): 930, (2024, "18+"): 72 * 10 + 30, (2024, "65+"): 25 * 10 + 30}
    assert people(reading, "E10000002") == expected
    assert set(reading.populations["area_code"]) == {"E10000002"}


def test_ages_that_are_not_all_there_give_no_group(read):
    reading = read(
        NOMIS, *nomis("E08000035", ages=range(1, 90)), *nomis("E08000032"), *nomis("E08000032")[1:]
    )
    assert people(reading, "E08000035") == {(2024, "all"): 930}
    assert people(reading, "E08000032") == {(2024, "all"): 930}  # every age twice
    groups = read(
        NOMIS, "Leeds,E08000035,2023,Total,Aged 65+,120000", "Leeds,E08000035,2023,Total,Aged 16+,9"
    )
    assert people(groups, "E08000035") == {(2023, "65+"): 120_000}


def test_the_detailed_series_is_added_over_ages_and_sexes(read):
    head = "ladcode23,laname23,country,sex,age,population_2021,population_2022"
    rows = [f"E06000065,North Yorkshire,E,{sex},{age},1,2" for sex in "MF" for age in range(91)]
    reading = read(head, *rows)
    assert people(reading, "E10000023") == {
        (2021, "all"): 182, (2021, "18+"): 146, (2021, "65+"): 52,
        (2022, "all"): 364, (2022, "18+"): 292, (2022, "65+"): 104,
    }  # fmt: skip
    with pytest.raises(InputError, match="not of both sexes"):
        read(head, *rows[:91])


def test_new_boundaries_have_no_past(read):
    head = "ladcode23,laname23,country,population_2018,population_2019"
    reading = read(head, "E06000059,Dorset,E,376000,378000", "E06000060,Buckinghamshire,E,540000,543000")
    assert people(reading, "E10000009") == {(2019, "all"): 378_000}
    assert people(reading, "E10000002") == {(2018, "all"): 540_000, (2019, "all"): 543_000}


def test_published_files(present_day):
    folder = present_day / "population"
    lincolnshire = read_file(folder / "ons_population_2024.csv")
    assert people(lincolnshire, "E10000019")[2024, "65+"] == 190_608  # the single years added by hand
    supplement = read_file(folder / "mye_2024_supplement.csv")
    assert people(supplement, "E10000002") == {(2024, "all"): 578_772}
    for name, areas in (("mye2018.xls", 151), ("mye2020.xls", 152), ("mye2021.xls", 152)):
        reading = read_file(folder / name)
        assert reading.populations["area_code"].nunique() == areas + 1  # with England
        assert all(check.passed for check in reading.checks)
