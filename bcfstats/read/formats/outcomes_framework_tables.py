"""Measures from the Adult Social Care Outcomes Framework since 2023-24: a workbook with one sheet a measure.

A measure is known by its name and year: codes such as 2C have meant several measures over time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from bcfstats.define.areas import ENGLAND, NOT_LISTED, area_names, code_of
from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period, financial_year
from bcfstats.read.formats.outcomes_framework import quotients
from bcfstats.read.headings import meant_in_words
from bcfstats.read.marks import Cell, NotANumber, read_cell
from bcfstats.read.reading import FileReading, Refusal, by_area
from bcfstats.read.workbook import Book, Rows, Text, cell_text

KIND = "Measures from the Adult Social Care Outcomes Framework, one table a measure"
_TITLE_ROWS = 20
_HEADINGS = ("local authority code", "local authority", "ons area code")
_COLUMN = re.compile(r"(\d{4}) to (\d{4}) - (numerator|denominator|outcome)")


class _Table(NamedTuple):
    """One sheet: its title, the row of headings, and the columns of each year's parts."""

    sheet: str
    title: str
    at: int
    columns: dict[int, dict[str, int]]


def recognises(source: Book | Text) -> bool:
    """Whether this is a workbook with tables of measures by council and year."""
    return isinstance(source, Book) and next(_tables(source), None) is not None


def _tables(source: Book) -> Iterator[_Table]:
    for sheet in source.sheet_names:
        rows = source.rows(sheet)
        for at, row in enumerate(rows[:_TITLE_ROWS]):
            names = [" ".join(cell_text(cell).split()).casefold() for cell in row]
            if tuple(names[:3]) == _HEADINGS:
                columns: dict[int, dict[str, int]] = {}
                for place, name in enumerate(names):
                    if heading := _COLUMN.fullmatch(name):
                        columns.setdefault(int(heading[1]), {})[heading[3]] = place
                if columns:
                    yield _Table(sheet, cell_text(rows[0][0]), at, columns)
                break


def read(source: Book) -> FileReading:
    """Read the measures that are metrics, of every year in their tables."""
    refused: list[Refusal] = []
    rows: list[dict[str, Any]] = []
    left_out, n_read, years = [], 0, set()
    for table in _tables(source):
        known = {year: line for year in table.columns if (line := meant_in_words(table.title, year))}
        if not known:
            left_out.append(table.sheet.removeprefix("Table_"))
            continue
        lines = source.rows(table.sheet)[table.at + 1 :]
        n_read += len(lines)
        years |= set(known)
        for year, line in known.items():
            where = f"{source.path.name}, {table.sheet}"
            rows += _rows(lines, table, line, financial_year(date(year, 4, 1)), where, refused)
    frames = by_area(rows)
    labels = [financial_year(date(year, 4, 1)).label for year in sorted(years)]
    return FileReading(
        path=source.path,
        kind=KIND,
        publisher="Department of Health and Social Care",
        title=KIND,
        period=" to ".join(dict.fromkeys(labels[:1] + labels[-1:])),
        **frames,
        rows_read=n_read,
        refused=tuple(refused),
        checks=tuple(quotients(frames["observations"])),
        warnings=(f"Tables of measures that are no metric were left out: {', '.join(left_out)}.",)
        * bool(left_out),
    )


def _rows(
    lines: Rows, table: _Table, measure: dict[str, str], year: Period, where: str, refused: list[Refusal]
) -> Iterator[dict[str, Any]]:
    metric = METRICS[measure["metric"]]
    for number, row in enumerate(lines, start=table.at + 2):
        council, name, ons = (cell_text(cell) for cell in row[:3])
        if not name:
            continue
        cells: dict[str, Cell] = {}
        for part, at in table.columns[year.start.year].items():
            try:
                cells[part] = read_cell(row[at], "ASCOF")
            except NotANumber as error:
                refused.append(Refusal(f"{where}, row {number}, {name}", str(error), "this is not a number"))
                cells[part] = Cell(float("nan"), "not_available", f"'{error}' is not a number")
        outcome = cells.get("outcome", Cell(float("nan"), "not_available", "not in the file"))
        yield {
            **_place(council, name, ons, year),
            "metric": metric.id,
            "period_start": year.start,
            "period_end": year.end,
            "frequency": metric.frequency,
            **{part: cells[part].value for part in ("numerator", "denominator") if part in cells},
            "value": outcome.value,
            "status": outcome.status,
            "status_note": outcome.note,
            "basis": measure["basis"],
            "source": where,
        }


def _place(council: str, name: str, ons: str, year: Period) -> dict[str, str]:
    """Give code, name and type of a row: a council, England, a region or a type of council."""
    if code := code_of(ons, council, year.end):
        return {"area_code": code, "area_name": area_names()[code], "area_type": ""}
    if ons == ENGLAND:
        return {"area_code": ENGLAND, "area_name": "England", "area_type": "country"}
    if ons.startswith("E12"):
        return {"area_code": ons, "area_name": name, "area_type": "region"}
    kind = NOT_LISTED if ons.startswith("E") else "council type"
    return {"area_code": ons if ons.startswith("E") else council, "area_name": name, "area_type": kind}
