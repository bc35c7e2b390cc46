"""ONS mid-year population estimates, and tables derived from them.

Layouts: the yearly workbook by single year of age; one row an area, sex and age, from Nomis or as the
detailed series (MYEB1); totals, a year in a column or across; a derived table of the areas of 2014; the
shares of each commissioner's population that live in each upper-tier area.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd

from bcfstats.define.areas import ENGLAND, code_of, known_codes
from bcfstats.errors import InputError
from bcfstats.read.marks import parse_number
from bcfstats.read.observations import POPULATION_TYPES, SHARE_TYPES, typed
from bcfstats.read.reading import Check, FileReading, Refusal
from bcfstats.read.workbook import Book, Rows, Text, as_text, find_table, has_table

KIND_BY_AGE = "ONS mid-year population estimates by age"
KIND_COMPONENTS = "ONS components of population change"
KIND_TOTALS = "ONS mid-year population estimates, totals"
KIND_DERIVED = "derived population of upper-tier areas"
KIND_SHARES = "population shares of commissioners"
AGE_GROUPS = {"all": 0, "18+": 18, "65+": 65}
BY_AGE, COMPONENTS, DERIVED = "published by age", "components of change", "derived table"
TOTALS, SHARES = "totals", "shares"
_ONS, _DERIVED_FROM = "Office for National Statistics", "derived from the Office for National Statistics"
_UPPER_TIER = ("E06", "E08", "E09", "E10")
_ESTIMATE = "estimate: total population times the mid-2017 share of adults"
_HEADER_ROWS = 20
_NOMIS = ("GEOGRAPHY_CODE", "DATE_NAME", "GENDER_NAME", "C_AGE_NAME", "OBS_VALUE")
_BOTH_SEXES = ("total", "persons", "all persons")
_OF_SHARES = ("ccg13", "utla", "share_of_ccg")


def recognises(source: Book | Text) -> bool:
    """Whether this is one of the layouts."""
    return _layout(source) != ""


def read(source: Book | Text) -> FileReading:
    """Read populations of all ages, and of 18+ and 65+ where the file has ages; or shares of them."""
    layout = _layout(source)
    if layout == SHARES:
        return _read_shares(source)
    if isinstance(source, Book):
        return _read_by_age(source)
    by_layout = {BY_AGE: _read_rows_by_age, TOTALS: _read_totals, COMPONENTS: _read_components}
    return by_layout.get(layout, _read_derived)(source)


def _reading(
    source: Book | Text, kind: str, title: str, rows: Iterable[dict[str, Any]], rows_read: int, **more: Any
) -> FileReading:
    read = FileReading(source.path, kind, _ONS, title, rows_read=rows_read, **more)
    return replace(read, populations=typed(rows, POPULATION_TYPES))


def _layout(source: Book | Text) -> str:
    if has_table(source, *_OF_SHARES):
        return SHARES
    if isinstance(source, Text):
        if has_table(source, "ons_code_2014", "population_2013", "est_pop18plus_2013"):
            return DERIVED
        if has_table(source, *_NOMIS) or ("age" in _names(source) and all(_component_columns(source))):
            return BY_AGE
        if "reference_year" in _names(source) and _code_column(source) and "population" in _names(source):
            return TOTALS
        return COMPONENTS if all(_component_columns(source)) else ""
    return BY_AGE if _persons_sheet(source) else ""


def _persons_sheet(book: Book) -> str:
    """Find the sheet of both sexes: 'Persons UK', 'MYE2 - All', 'MYE2-All' or 'MYE2 - Persons'."""
    for name in book.sheet_names:
        both_sexes = re.fullmatch(r"(persons.*|mye ?2 ?-? ?(all|persons))", name.strip().casefold())
        if both_sexes and _header(book.rows(name)) is not None:
            return name
    return ""


def _header(rows: Rows) -> int | None:
    for at, row in enumerate(rows[:_HEADER_ROWS]):
        names = {str(cell).strip().casefold() for cell in row}
        if {"code", "name", "all ages"} <= names:
            return at
    return None


def _read_by_age(book: Book) -> FileReading:
    sheet = _persons_sheet(book)
    rows = book.rows(sheet)
    at = _header(rows)
    assert at is not None
    year = _year(book, sheet)
    headings = [str(cell).strip().casefold() for cell in rows[at]]
    ages = {column: age for column, cell in enumerate(rows[at]) if (age := _age(cell)) is not None}
    if sorted(ages.values()) != list(range(91)):
        raise InputError(
            "The ages in the headings do not run from 0 to 90 and over.",
            where=f"{book.path.name}, {sheet}",
            found=f"{len(ages)} ages",
            do="Use the workbook by single year of age as published.",
        )
    where = f"{book.path.name}, {sheet}"
    lines = [
        (number, cells)
        for number, cells in enumerate(rows[at + 1 :], start=at + 2)
        if str(cells[headings.index("code")]).startswith((*_UPPER_TIER, ENGLAND))
    ]
    refused = [
        Refusal(f"{where}, row {number}", str(cells[column]), "a population is a number that is not negative")
        for number, cells in lines
        for column in ages
        if _people(cells[column]) is None
    ]
    of_rows = pd.Series([str(age) for age in ages.values()])
    groups: list[dict[str, Any]] = []
    for _, cells in lines:
        people = pd.Series([_people(cells[column]) for column in ages], dtype="float64")
        groups += _age_groups(str(cells[headings.index("code")]), year, of_rows, people, 1, where)
    read = _reading(
        book,
        KIND_BY_AGE,
        _title(rows),
        groups,
        len(rows) - at - 1,
        period=f"mid-{year}",
        refused=tuple(refused),
    )
    return replace(
        read, checks=(_ages_add_up(rows[at + 1 :], headings, ages), _areas_add_up(read.populations))
    )


def _age(cell: object) -> int | None:
    """Read an age from a heading: 2, 2.0, "2", "90+"."""
    match = re.fullmatch(r"(\d{1,2})(\.0)?\+?", str(cell).strip())
    return int(match[1]) if match else None


def _people(cell: object) -> float | None:
    """Read a number of people; None where it is none."""
    number = parse_number(cell)
    return number if number is not None and number >= 0 else None


def _year(book: Book, sheet: str) -> int:
    """Find "mid-2016" or "mid 2016" on the sheet, else on the others."""
    for name in (sheet, *book.sheet_names):
        for row in book.rows(name)[:_HEADER_ROWS]:
            for cell in row[:4]:
                if match := re.search(r"\bmid[- ]?((?:19|20)\d\d)\b", str(cell), re.I):
                    return int(match[1])
    raise InputError(
        "The year of these population estimates cannot be told: no 'Mid-2015' near the top of any sheet.",
        where=book.path.name,
        do="Use the workbook as published.",
    )


def _title(rows: Rows) -> str:
    cells = (str(cell).strip() for row in rows[:_HEADER_ROWS] for cell in row[:2])
    return next((cell for cell in cells if "population" in cell.casefold()), "")


def _ages_add_up(rows: Rows, headings: list[str], ages: dict[int, int]) -> Check:
    total = headings.index("all ages")
    counted = [row for row in rows if parse_number(row[total]) is not None]
    right = sum(sum(parse_number(row[at]) or 0 for at in ages) == parse_number(row[total]) for row in counted)
    return Check(
        "single years of age add up to all ages", right == len(counted), f"{right} of {len(counted)} rows"
    )


def _areas_add_up(populations: pd.DataFrame) -> Check:
    everyone = populations[populations["age_group"] == "all"].set_index("area_code")["population"]
    nation = everyone[everyone.index == ENGLAND]
    england = nation.iloc[0] if len(nation) == 1 else float("nan")
    areas = everyone.drop(ENGLAND, errors="ignore")
    detail = f"{len(areas)} areas with {areas.sum():,.0f} against {england:,.0f}"
    return Check("upper-tier areas add up to England", bool(areas.sum() == england), detail)


def _names(source: Text) -> list[str]:
    return [name.casefold() for name in source.header]


def _code_column(source: Text) -> str:
    return next((name for name in _names(source) if re.fullmatch(r"lad(code)?[0-9]{2}(cd)?", name)), "")


def _component_columns(source: Text) -> tuple[list[str], list[str]]:
    """Give the headings of the code of a district and of each year's population."""
    years = [name for name in _names(source) if re.fullmatch(r"population_(19|20)[0-9]{2}", name)]
    return [code] if (code := _code_column(source)) else [], years


def _read_rows_by_age(source: Text) -> FileReading:
    """Add up rows of one area, sex and age: single years from 0 to 90 and over, or groups that say so."""
    where = source.path.name
    refused: list[Refusal] = []
    n_sexes = 1
    if has_table(source, *_NOMIS):
        table = find_table(source, *_NOMIS)
        assert table is not None
        table = table[table["gender_name"].str.strip().str.casefold().isin(_BOTH_SEXES)]
        years = [("date_name", "obs_value")]
        code, age = "geography_code", table["c_age_name"]
    else:
        (code, *_), columns = _component_columns(source)
        table = find_table(source, code, "age", *columns)
        assert table is not None
        years, age = [(name, name) for name in columns], table["age"]
        n_sexes = 2
        sexes = set(table["sex"].str.strip().str.casefold()) if "sex" in table else set()
        if sexes not in ({"m", "f"}, {"1", "2"}, {"males", "females"}):
            raise InputError(
                "The rows are not of both sexes.",
                where=where,
                found=", ".join(sorted(sexes)),
                do="Use the file as published.",
            )
    wanted = table[code].str.strip().str.startswith((*_UPPER_TIER, ENGLAND))
    table, youngest = table[wanted], age[wanted].map(_youngest)
    rows: list[dict[str, Any]] = []
    for when, column in years:
        year = table[when].str.strip() if when != column else pd.Series(column[-4:], table.index)
        people = table[column].map(_people)
        for row in table.index[people.isna() | ~year.str.fullmatch(r"(19|20)\d\d")]:
            reason = "a year and a number are needed"
            refused.append(Refusal(f"{where}, row {row}", str(table.at[row, column]), reason))
        for (area, written), group in people.groupby([table[code].str.strip(), year]):
            ages = youngest.reindex(group.index)
            rows += _age_groups(area, int(written), ages, group, n_sexes, where)
    return _reading(source, KIND_BY_AGE, "Population by age", rows, len(table), refused=tuple(refused))


def _youngest(text: str) -> str:
    """Give "all", "65+" and the like for a group, or the single year of age: "Age 65", "Aged 90+", "65"."""
    plain = text.strip().casefold()
    if plain == "all ages":
        return "all"
    match = re.fullmatch(r"(?:aged? )?(\d{1,2})(\+| and over)?", plain)
    if not match or (match[2] and int(match[1]) not in (18, 65, 90)):
        return ""
    return match[1] if not match[2] or match[1] == "90" else f"{match[1]}+"


def _age_groups(
    area: str, year: int, ages: pd.Series, people: pd.Series, n_sexes: int, where: str
) -> Iterator[dict[str, Any]]:
    """Give each group as it is published, or as the sum of its single years where all of them are there."""
    single = Counter(int(age) for age in ages if str(age).isdecimal())
    is_whole = single == dict.fromkeys(range(91), n_sexes)
    for group, first in AGE_GROUPS.items():
        published = people[ages == group]
        of_group = ages.map(lambda age, first=first: str(age).isdecimal() and int(age) >= first)
        if len(published) == 1:
            count = published.iloc[0]
        elif is_whole and people[of_group].notna().all():
            count = people[of_group].sum()
        else:
            continue
        yield _row(area, year, group, count, BY_AGE, f"ONS mid-{year} estimate by age", where)


def _read_totals(source: Text) -> FileReading:
    """Read one row an area and year: its population of all ages."""
    code = _code_column(source)
    table = find_table(source, code, "population", "reference_year")
    assert table is not None
    table = table[table[code].str.strip().str.startswith((*_UPPER_TIER, ENGLAND))]
    rows = [
        _row(
            area, int(year), "all", people, COMPONENTS, f"ONS mid-{year} estimate ({code})", source.path.name
        )
        for area, year, value in zip(table[code], table["reference_year"], table["population"], strict=True)
        if re.fullmatch(r"(19|20)\d\d", year.strip()) and (people := _people(value)) is not None
    ]
    n_bad = len(table) - len(rows)
    refused = (Refusal(source.path.name, "", "a year and a number are needed", n_bad),) if n_bad else ()
    return _reading(source, KIND_TOTALS, "Population of areas", rows, len(table), refused=refused)


def _read_components(source: Text) -> FileReading:
    (code, *_), years = _component_columns(source)
    table = find_table(source, code, *years)
    assert table is not None
    areas = table[table[code].str.strip().isin(set(known_codes()))]
    basis = f"ONS mid-year estimate, revised series ({code})"
    rows = [
        _row(area, int(name[-4:]), "all", people, COMPONENTS, basis, source.path.name)
        for name in years
        for area, value in zip(areas[code], areas[name], strict=True)
        if (people := _people(value)) is not None
    ]
    missing = "This file has districts and unitary authorities but no counties: counties need another file."
    title = "Components of population change"
    return _reading(source, KIND_COMPONENTS, title, rows, len(table), warnings=(missing,))


def _read_derived(source: Text) -> FileReading:
    table = find_table(source, "ons_code_2014")
    assert table is not None
    table = as_text(table)
    rows = [
        row for name in table.columns for row in _derived_rows(table["ons_code_2014"], table[name], source)
    ]
    title = "Population of the upper-tier areas of 2014"
    estimated = "Adults of 2012 to 2016 are estimated from the total and the mid-2017 share of adults."
    read = _reading(source, KIND_DERIVED, title, rows, len(table), warnings=(estimated,))
    return replace(read, publisher=_DERIVED_FROM)


def _derived_rows(codes: pd.Series, column: pd.Series, source: Text) -> Iterator[dict[str, Any]]:
    """Turn one column into populations; columns that are none give nothing."""
    match = re.fullmatch(
        r"(est_pop18plus|pop18plus|pop65plus|population)_(?:19|20)[0-9]{2}", str(column.name)
    )
    if not match:
        return
    group = {"population": "all", "pop65plus": "65+"}.get(match[1], "18+")
    estimated = match[1].startswith("est_")
    basis = "ONS mid-2017 estimates of small areas, summed" if match[1].startswith("pop") else _ESTIMATE
    if group == "all":
        basis = "ONS mid-year estimate, revised series, summed to the areas of 2014"
    year, name = int(str(column.name)[-4:]), source.path.name
    for code, value in zip(codes, column, strict=True):
        if (people := _people(value)) is not None:
            yield _row(code, year, group, people, DERIVED, basis, name, estimated=estimated)


def _row(
    code: str,
    year: int,
    group: str,
    people: float,
    series: str,
    basis: str,
    source: str,
    *,
    estimated: bool = False,
) -> dict[str, Any]:
    """Lay a number of people out as a row of populations, its area by the code in use at mid-year."""
    return {
        "area_code": code_of(code, end=date(year, 6, 30)) or code.strip(),
        "year": year,
        "age_group": group,
        "population": people,
        "series": series,
        "basis": basis,
        "source": source,
        "estimated": estimated,
    }


def _read_shares(source: Book | Text) -> FileReading:
    """Read shares of commissioners in areas, with `share_of_utla` and `pop2017` where they are there."""
    table = find_table(source, *_OF_SHARES)
    assert table is not None
    rows, refused = [], []
    for number, line in zip(table.index, table.to_dict("records"), strict=True):
        share = parse_number(line["share_of_ccg"])
        area = known_codes().get(str(line["utla"]).strip())
        if area is None or share is None or not 0 <= share <= 1:
            reason = "an area of the register and a share from 0 to 1 are needed"
            found = f"{line['utla']}, {line['share_of_ccg']}"
            refused.append(Refusal(f"{source.path.name}, row {number}", found, reason))
            continue
        rows.append(
            {
                "commissioner": str(line["ccg13"]).strip(),
                "area_code": area,
                "share": share,
                "area_share": parse_number(line.get("share_of_utla")),
                "population": parse_number(line.get("pop2017")),
                "source": source.path.name,
            }
        )
    shares = typed(rows, SHARE_TYPES).drop_duplicates(ignore_index=True)
    twice = shares[shares.duplicated(["commissioner", "area_code"])]
    if len(twice):
        raise InputError(
            "A commissioner has two different shares in one area, and nothing tells which one counts.",
            where=source.path.name,
            found=", ".join(f"{row.commissioner} in {row.area_code}" for row in twice[:5].itertuples()),
            do="Leave one of them out.",
        )
    return FileReading(
        path=source.path,
        kind=KIND_SHARES,
        publisher=_DERIVED_FROM,
        title="Population shares of commissioners in upper-tier areas",
        shares=shares,
        rows_read=len(table),
        refused=tuple(refused),
        checks=(_shares_add_up(shares),),
    )


def _shares_add_up(shares: pd.DataFrame) -> Check:
    sums = shares.groupby("commissioner")["share"].sum()
    wrong = [code for code, total in sums.items() if not math.isclose(total, 1, abs_tol=0.001)]
    detail = f"{len(sums) - len(wrong)} of {len(sums)} commissioners" + (
        f"; not {', '.join(wrong)}" if wrong else ""
    )
    return Check("shares of each commissioner add up to 1", not wrong, detail)
