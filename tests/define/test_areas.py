"""The register of areas against published lists of codes, names and regions (where those are at hand)."""

import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from bcfstats.define.areas import (
    AREAS,
    REGISTER,
    Area,
    area_finder,
    areas_frame,
    code_of,
    codes_of,
    find_area,
    known_codes,
)
from bcfstats.errors import ParameterError

OWN = pd.DataFrame(
    {
        "area_code": ["X06000001", "X06000002"],
        "area_name": ["Northmarsh", "Saint Ælfric & Vale"],
        "region": ["East", None],
        "council_code": ["901", None],
        "board": ["Marshes", "Marshes"],
    }
)


def test_the_152_areas_by_type() -> None:
    assert Counter(area.area_type for area in AREAS.values()) == {
        "County": 27,
        "Unitary authority": 56,
        "Metropolitan district": 36,
        "London borough": 32,
        "City of London": 1,
    }


def test_codes_fit_types_and_are_unique() -> None:
    letters = {"County": "E10", "Unitary authority": "E06", "Metropolitan district": "E08"}
    for code, area in AREAS.items():
        assert code == area.area_code
        assert len(code) == 9
        assert code.startswith(letters.get(area.area_type, "E09"))
        assert len(area.council_code) == 3
    every = [code for area in AREAS.values() for code in area.codes]
    assert len(every) == len(set(every))


def test_areas_by_region() -> None:
    # London 33, North East 12, North West 23, Yorkshire and The Humber 15, East Midlands 9, West Midlands 14,
    # East of England 11, South East 19, South West 16: the upper-tier areas of the nine regions
    counts = Counter(area.region for area in AREAS.values())
    assert counts == {
        "London": 33,
        "North East": 12,
        "North West": 23,
        "Yorkshire and The Humber": 15,
        "East Midlands": 9,
        "West Midlands": 14,
        "East of England": 11,
        "South East": 19,
        "South West": 16,
    }
    assert len({(area.region_code, area.region) for area in AREAS.values()}) == 9


def test_boards() -> None:
    # 151 boards with Bournemouth and Poole's joint one, 150 with Cornwall and Scilly taken together
    assert len({area.board for area in AREAS.values()}) == 150
    shared = [area.area_name for area in AREAS.values() if area.board != area.area_name]
    assert shared == ["Bournemouth", "Poole", "Cornwall", "Isles of Scilly"]
    assert "not confirmed" in AREAS["E06000052"].note


def test_register_against_the_published_geography(real_data: Path) -> None:
    table = pd.read_csv(real_data / "geography" / "hwb_utla_2014.csv", dtype=str)
    assert set(table["ons_code_2014"]) == set(AREAS)
    for row in table.to_dict("records"):
        area = AREAS[row["ons_code_2014"]]
        assert find_area(row["name"]) is area
        assert (area.region_code, area.region) == (row["region_code"], row["region"])
        assert pd.isna(row["cassr_code"]) or row["cassr_code"] in area.council_codes
        if "Scilly" not in area.board:  # the pairing with Cornwall is not in the list of boards
            assert area.board == (area.area_name if row["hwb_2014"] == row["name"] else row["hwb_2014"])


def test_register_against_the_delayed_transfers_file_of_july_2015(real_data: Path) -> None:
    path = real_data / "dtoc" / "July_15.xls"
    rows = pd.read_excel(path, sheet_name="LA - by Type of Care", header=None, dtype=str, engine="calamine")
    rows = rows[rows[2].str.match(r"E\d{8}", na=False)]
    assert len(rows) == 151  # no row for the Isles of Scilly
    for region, code, council, name in rows[[1, 2, 3, 4]].itertuples(index=False):
        area = AREAS[code]
        assert find_area(name) is find_area(council) is find_area(code) is area
        assert area.council_codes[-1] == council
        assert area.region == region


@pytest.mark.parametrize("year", ["1415", "1516", "1617"])
def test_register_against_ascof(real_data: Path, year: str) -> None:
    path = real_data / "ascof" / f"meas-from-asc-of-eng-{year}-open-data.csv"
    table = pd.read_csv(path, encoding="cp1252", dtype=str)
    table.columns = table.columns.str.replace("ONS Area Code", "ONS Code")
    councils = table[table["Geographical Level"] == "Council"]
    rows = councils[["Geographical Code", "Geographical Description", "ONS Code"]].drop_duplicates()
    assert len(rows) == 152
    for council, name, code in rows.itertuples(index=False):
        area = AREAS[code.strip()]
        assert area.council_code == council.strip()
        assert find_area(name) is area


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Southampton", "E06000045"),
        ("  southampton ", "E06000045"),
        ("E06000045", "E06000045"),
        ("e06000045", "E06000045"),
        ("814", "E06000045"),
        ("Medway Towns UA", "E06000035"),
        ("Bristol UA", "E06000023"),
        ("Bristol, City of", "E06000023"),
        ("City of Bristol", "E06000023"),
        ("Kingston Upon Hull UA", "E06000010"),
        ("Kingston upon Hull, City of", "E06000010"),
        ("Hull City Council", "E06000010"),
        ("Herefordshire, County of", "E06000019"),
        ("Southend UA", "E06000033"),
        ("Southend-on-Sea", "E06000033"),
        ("St. Helens", "E08000013"),
        ("Durham", "E06000047"),
        ("Durham County Council", "E06000047"),
        ("Stockton On Tees UA", "E06000004"),
        ("Bath & North East Somerset UA", "E06000022"),
        ("Cheshire West & Chester", "E06000050"),
        ("RICHMOND-UPON-THAMES", "E09000027"),
        ("London Borough of Richmond upon Thames", "E09000027"),
        ("Royal Borough of Windsor and Maidenhead", "E06000040"),
        ("City of Westminster", "E09000033"),
        ("Westminster City Council", "E09000033"),
        ("City Of London", "E09000001"),
        ("City of London Corporation", "E09000001"),
        ("City of Bradford Metropolitan District Council", "E08000032"),
        ("Council of the Isles of Scilly", "E06000053"),
        ("Bedford Borough Council", "E06000055"),
        ("Leicester City", "E06000016"),
        ("Leicestershire County Council", "E10000018"),
        ("Nottingham", "E06000018"),
        ("Nottinghamshire", "E10000024"),
        ("00KB", "E06000055"),
        ("625", "E06000055"),
        ("00kc", "E06000056"),
        ("326", "E06000049"),
        ("00EW", "E06000050"),
        ("E06000048", "E06000057"),
        ("E08000020", "E08000037"),
        ("E06000060", "E10000002"),
        ("E06000066", "E10000027"),
        ("Dórset", "E10000009"),
    ],
)
def test_find_area(text: str, code: str) -> None:
    assert find_area(text).area_code == code


def test_every_name_variant_and_code_finds_its_area() -> None:
    for area in AREAS.values():
        for text in (area.area_name, *area.variants, *area.codes, area.area_name.upper() + " Council"):
            assert find_area(text) is area


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Southhampton", "There is no such area. Found: 'Southhampton'. Did you mean 'Southampton'"),
        ("Wokingam", "Did you mean 'Wokingham'"),
        ("Atlantis", "There is no such area. Found: 'Atlantis'."),
        ("", "There is no such area. Found: ''."),
        ("London", "'London' is a region, not an area with a board."),
        ("E92000001", "'E92000001' is a country, not an area with a board."),
        ("Bournemouth & Poole", "stands for 2 areas. Found: Bournemouth (E06000028), Poole (E06000029)."),
        ("Cornwall and Isles of Scilly", "Found: Cornwall (E06000052), Isles of Scilly (E06000053)."),
    ],
)
def test_find_area_says_why_not(text: str, message: str) -> None:
    with pytest.raises(ParameterError) as error:
        find_area(text)
    assert message in str(error.value)


def test_boundary_breaks() -> None:
    changed = {
        area.area_name: area.boundary_break_dates for area in AREAS.values() if area.boundary_break_dates
    }
    assert changed == dict.fromkeys(["Bournemouth", "Poole", "Dorset"], (date(2019, 4, 1),))


def test_area_codes_map_to_the_codes_of_2014() -> None:
    codes = known_codes()
    # 152 ONS codes, 2 earlier ones, 6 later ones of the same area, 152 council codes and 4 that differ in the
    # delayed transfers files; five areas that came later have two codes each
    assert len(codes) == 152 + 2 + 6 + 152 + 4 + 2 * 5
    later = {"E06000060": "E10000002", "E06000065": "E10000023", "E06000066": "E10000027"}
    assert later.items() <= codes.items()
    assert set(codes.values()) == set(REGISTER)
    assert codes["00EQ"] == codes["326"] == "E06000049"
    assert codes["E06000048"] == "E06000057"
    assert codes["E06000059"] == codes["809"] == "E10000009"


def test_areas_frame_and_back() -> None:
    frame = areas_frame()
    columns = "area_code area_name area_type region_code region council_code board"
    assert " ".join(frame.columns) == columns
    assert frame.set_index("area_code").loc["E06000055", "council_code"] == "625"
    assert not (frame == "").any().any()
    found = find_area("Bedford", frame)
    bedford = AREAS["E06000055"]
    assert found == bedford  # with its other names and codes


@pytest.mark.parametrize("text", ["X06000001", "northmarsh", "901", "Northmarsh Council"])
def test_find_area_in_an_own_list(text: str) -> None:
    own = find_area(text, OWN)
    assert own == Area("X06000001", "Northmarsh", region="East", council_codes=("901",), board="Marshes")
    assert find_area(text, [own]) is find_area(text, {"x": own}) is own


def test_an_own_list_is_the_only_place_looked_in() -> None:
    with pytest.raises(
        ParameterError, match=r"no such area. Found: 'Leeds'. Use one of: Northmarsh, Saint Ælfric"
    ):
        find_area("Leeds", OWN)
    with pytest.raises(ParameterError, match=r"'Marshes' stands for 2 areas"):
        find_area("Marshes", OWN)
    with pytest.raises(ParameterError, match=r"'Twin' stands for 2 areas. Found: Twin \(X1\), Twin \(X2\)"):
        find_area("Twin", [Area("X1", "Twin"), Area("X2", "Twin")])


def test_an_own_list_without_names() -> None:
    with pytest.raises(
        ParameterError, match=r"no column 'area_name'. Found: area_code, region, council_code, board"
    ):
        find_area("X06000001", OWN.drop(columns="area_name"))


def test_own_areas_as_a_table() -> None:
    frame = areas_frame([Area("X1", "Twin")])
    assert frame.iloc[0].tolist() == ["X1", "Twin", "", "", "", "", ""]


def test_importing_the_areas_loads_no_pandas() -> None:
    code = "import sys, bcfstats.define.areas; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_thousands_of_areas_are_found_by_any_of_their_names() -> None:
    """Each has a board of its own, but the last two, which share one: as found one by one."""
    codes = [f"X{i:08d}" for i in range(2_000)]
    names, boards = [f"Area {i}" for i in range(2_000)], [f"Board {min(i, 1_998)}" for i in range(2_000)]
    own = pd.DataFrame({"area_code": codes, "area_name": names, "board": boards})
    find = area_finder(own)
    for texts in (codes, names, boards[:-2]):
        assert [find(text).area_code for text in texts] == codes[: len(texts)]
    with pytest.raises(ParameterError, match="stands for 2 areas"):
        find("Board 1998")
    assert codes_of(["Area 7", codes[3]], own) == [codes[7], codes[3]]
    assert codes_of([], own) == []


def test_codes_that_differ_in_capitals_only_are_told_apart() -> None:
    own = pd.DataFrame({"area_code": ["CON", "con"], "area_name": ["One", "Other"]})
    assert find_area("con", own).area_name == "Other"
    assert find_area("CON", own).area_name == "One"
    with pytest.raises(ParameterError, match="stands for 2 areas"):
        find_area("Con", own)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("England", "'England' is a country, not an area with a board."),
        ("E12000007", "'E12000007' is a region"),
        ("South West", "'South West' is a region"),
        ("Grand total", "'Grand total' is a total"),
        ("E07000008", "a district, which has no board: its county has"),
        ("E38000001", "a commissioner of the NHS"),
    ],
)
def test_what_is_no_area_is_called_what_it_is(text: str, message: str) -> None:
    with pytest.raises(ParameterError) as error:
        find_area(text)
    assert message in str(error.value)


def there_in(year: int) -> list[Area]:
    day = date(year, 4, 1)
    return [area for area in REGISTER.values() if area.is_there(day, day)]


def test_how_many_areas_there_are_by_year() -> None:
    # 152; one less when Bournemouth and Poole joined; one more by each split of 2021 and 2023
    assert [len(there_in(year)) for year in (2013, 2014, 2018, 2019, 2020, 2021, 2023, 2026)] == [
        152, 152, 152, 151, 151, 152, 153, 153,
    ]  # fmt: skip


def test_the_areas_of_today_are_those_published(present_day: Path) -> None:
    table = pd.read_csv(present_day / "geography" / "areas_153.csv", dtype=str)
    codes = known_codes()
    today = {area.area_code: area for area in there_in(2025)}
    assert {codes[code] for code in table["ons_code"]} == set(today)
    for code, name, region in table[["ons_code", "name", "region_code"]].itertuples(index=False):
        assert find_area(name, list(today.values())) is today[codes[code]]
        assert today[codes[code]].region_code == region


@pytest.mark.parametrize(
    ("year", "text", "message"),
    [
        (
            2014,
            "E06000058",
            "it began on 1 April 2019; it covers all or part of Bournemouth (E06000028)",
        ),
        (2014, "Bournemouth, Christchurch and Poole", "and Dorset (E10000009)"),
        (2014, "Cumberland", "Cumberland (E06000063) is not among these areas."),
        (2014, "E06000062", "it covers all or part of Northamptonshire (E10000021)"),
        (
            2025,
            "Cumbria",
            "it ended on 31 March 2023; all or part of it went to Cumberland (E06000063)",
        ),
        (2025, "504", "Northamptonshire (E10000021) is not among these areas."),
        (2025, "Poole", "went to Bournemouth, Christchurch and Poole (E06000058)"),
    ],
)
def test_an_area_of_another_time_is_told_with_what_became_of_it(year: int, text: str, message: str) -> None:
    assert find_area(text).area_name
    with pytest.raises(ParameterError) as error:
        find_area(text, there_in(year))
    assert message in str(error.value)


def test_codes_mean_the_same_area_in_every_year_but_across_new_boundaries() -> None:
    for code, area in (("E06000060", "E10000002"), ("E06000065", "E10000023"), ("E06000066", "E10000027")):
        assert code_of(code) == code_of(code, end=date(2011, 3, 31)) == area
    assert code_of("E08000038") == code_of("E08000016") == "E08000016"
    assert code_of("E08000039") == code_of("E08000019") == "E08000019"
    assert code_of("E06000059", "809", date(2021, 3, 31)) == "E10000009"
    assert code_of("E06000059", "809", date(2019, 3, 31)) == ""
    assert code_of("", "809", date(2019, 3, 31)) == "E10000009"
    assert code_of("E06000999", "809") == ""
