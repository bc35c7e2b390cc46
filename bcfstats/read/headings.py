"""What the headings of a user's table mean: "Local authority" is an area, "Financial year" a period."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd

from bcfstats.define.periods import MONTH_NAMES
from bcfstats.read.workbook import Book, Text, cell_text, find_where, rows_at_the_top

_YEARS = ("financial year", "financial_year", "fy", "year")
_WITHIN_YEARS = ("month", "quarter")
_RATE = re.compile(r"rate per (\d[\d,]*) ?(k|000)?\b.*")


def meanings(names: list[str]) -> list[str]:
    """Translate headings; of several that mean the same, the one that `headings.csv` has first."""
    parted = bool({*_WITHIN_YEARS} & {*names} and {*_YEARS} & {*names})
    ranks = _known()
    found = list(names)
    taken = {*names}
    for name in sorted({name for name in names if name in ranks}, key=lambda name: ranks[name][0]):
        meaning = ranks[name][1]
        if meaning not in taken and not (parted and meaning == "period"):
            found[found.index(name)] = meaning
            taken.add(meaning)
    return [_rate(name) for name in found]


def _rate(name: str) -> str:
    """Give "rate per 100k" and its like in one spelling: rate_per_100000."""
    match = _RATE.fullmatch(name)
    return f"rate_per_{match[1].replace(',', '')}{'000' if match[2] else ''}" if match else name


def find_meant(source: Book | Text, fits: Callable[[set[str]], bool]) -> pd.DataFrame | None:
    """Find the table whose headings are as wanted: as they stand, on any sheet, or else by their meaning."""
    table = find_where(source, lambda names: fits(set(names)))
    if table is not None:
        return table.set_axis(meanings(list(table.columns)), axis="columns")
    return find_where(source, lambda names: fits(set(names)), meanings)


def areas_of(table: pd.DataFrame) -> pd.Series:
    """Give the area each row names: its code where there is one, else its name."""
    columns = [table[name].map(cell_text) for name in ("area_code", "area") if name in table.columns]
    return columns[0].where(columns[0] != "", columns[-1])


def month_and_year(table: pd.DataFrame) -> pd.Series | None:
    """Give the period that a column of months or quarters and one of years name together."""
    year = next((name for name in _YEARS if name in table.columns), None)
    part = next((name for name in _WITHIN_YEARS if name in table.columns), None)
    if year is None or part is None:
        return None
    pairs = zip(table[part].map(cell_text), table[year].map(cell_text), strict=True)
    return pd.Series([_joined(name, when, part, year) for name, when in pairs], table.index, dtype=object)


def _joined(part: str, year: str, kind: str, heading: str) -> str:
    if kind == "quarter":
        return f"Q{part.upper().removeprefix('Q').strip()} {year}"
    if heading != "year" and re.fullmatch(r"\d{4}", year):
        return f"{part} of the financial year {year}"  # of which calendar year cannot be told
    if part.isdecimal() and 1 <= int(part) <= 12:
        part = MONTH_NAMES[int(part) - 1]
    return f"{part} {year}" if part and year else ""


def nearest_headings(source: Book | Text) -> tuple[dict[str, str], list[str]]:
    """Give, of the row that comes nearest to a table, what its headings mean, and those that mean nothing."""
    known = {meaning for _, meaning in _known().values()}
    best: tuple[dict[str, str], list[str]] = {}, []
    for _, _, names in rows_at_the_top(source):
        meant = dict(zip(meanings(names), names, strict=True))
        found = {meaning: name for meaning, name in meant.items() if meaning in known}
        if len(found) > len(best[0]):
            best = found, [name for name in names if name not in found.values()]
    return best


@cache
def _known() -> dict[str, tuple[int, str]]:
    with Path(__file__).with_name("headings.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {row["heading"]: (rank, row["meaning"]) for rank, row in enumerate(rows)}
