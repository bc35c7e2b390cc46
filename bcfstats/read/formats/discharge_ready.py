"""Discharge Ready Date statistics (NHS England): days from ready date to discharge, by council and month.

Two layouts: the monthly CSV, whose month stands in a column or in the name of the file, and the webfile, on
its sheet of councils. From trusts with acceptable data only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from bcfstats.define.areas import ENGLAND
from bcfstats.define.datafiles import read_rows
from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import MONTH_NAMES, Period, financial_year, parse_date
from bcfstats.errors import InputError
from bcfstats.read.formats.nhs_england import title_block
from bcfstats.read.marks import Cell, NotANumber, parse_month, read_count
from bcfstats.read.reading import Check, FileReading, Refusal, by_area, place_of
from bcfstats.read.workbook import Book, Text, as_text, cell_text, find_table, has_table

KIND = "Discharge Ready Date statistics"
BASIS = "discharges of adults from trusts with acceptable data, by council"
COUNCILS = "UTLA Aggregate"
_COLUMNS = ("Data Type", "Upper Tier Local Authority Code", "Upper Tier Local Authority", "Measure", "Value")
_SHEET = "UTLA Acceptable"
_HEADER, _CODE, _NAME, _DISCHARGES, _BED_DAYS, _AVERAGE = 14, 1, 2, 10, 11, 46  # rows and columns from 0
_BANDS = range(16, 23)  # discharges by delay: of no day, 1, 2 to 3, 4 to 6, 7 to 13, 14 to 20, 21 and more
_SAME_DAY = "between the discharge ready date and discharge date, there is no delay"
_MEASURES = {
    "total discharges for utla from acceptable trusts": "discharges",
    "number of patients discharged in total": "discharges",
    f"number of patients discharged where, {_SAME_DAY}": "on the day",
    "total bed days lost due to delayed discharge": "bed days",
}
PARTS = ("discharges", "on the day", "bed days")
_MONTH = re.compile(rf"({'|'.join(MONTH_NAMES)})[-_ ]?((?:19|20)\d\d)", re.IGNORECASE)


class _Place(NamedTuple):
    """What is published of one council, or of England: discharges, those on the day, bed days."""

    code: str
    name: str
    cells: dict[str, Cell]


def recognises(source: Book | Text) -> bool:
    """Whether this is the monthly CSV or the webfile."""
    if isinstance(source, Book) and source.find_sheet(_SHEET) is not None:
        return True
    return has_table(source, *_COLUMNS)


def read(source: Book | Text) -> FileReading:
    """Read one month of the average delay and of its two parts, by council."""
    refused: list[Refusal] = []
    checks: tuple[Check, ...] = ()
    if isinstance(source, Book) and (sheet := source.find_sheet(_SHEET)) is not None:
        title = title_block(source.rows(sheet)[:_HEADER])
        said, revised = cell_text(title.get("Period")), parse_date(title.get("Revised", ""))
        places = list(_places_of_webfile(source, sheet, refused))
        checks = (_averages_agree(source, sheet, places),)
        n_read, left_out = len(places) + len(refused), ""
    else:
        table = as_text(find_table(source, *_COLUMNS))
        said, revised = " ".join(table["period"].unique()) if "period" in table else "", None
        lines = table.to_dict("records")
        places = list(_places(zip(table.index, lines, strict=True), source.path.name, refused))
        n_read = len(lines)
        other = sorted({line["data type"] for line in lines} - {COUNCILS, "National", "NULL", ""})
        left_out = f"Rows of kind {', '.join(other)} have no council: left out." if other else ""
    month = _month(said, source.path)
    is_revised = bool(revised or re.search("revised", source.path.stem, re.I))
    vintage = revised or (_revised(month) if is_revised else None)
    rows = [row for place in places for row in _rows(place, month, vintage, source.path.name)]
    return FileReading(
        path=source.path,
        kind=KIND,
        publisher="NHS England",
        title=KIND,
        period=month.label,
        revised=vintage,
        **by_area(rows),
        rows_read=n_read,
        refused=tuple(refused),
        checks=checks,
        warnings=(left_out,) if left_out else (),
    )


def _month(said: str, path: Path) -> Period:
    """Give the month that the file says, else that of its name."""
    named = _MONTH.search(path.stem)
    month = parse_month(said) or parse_month(f"{named[1]} {named[2]}" if named else "")
    if month is None:
        raise InputError(
            "The month of these discharges cannot be told.",
            where=path.name,
            found=f"'{said}'" if said else "",
            do="Put the month into the file name as published, for example 'April-2024'.",
        )
    return month


def _revised(month: Period) -> date | None:
    """Give the day the months of a financial year were revised, where it is known."""
    rows = read_rows(Path(__file__).with_name("discharge_ready_revisions.csv"))
    known = {row["year"]: date.fromisoformat(row["revised"]) for row in rows}
    return known.get(financial_year(month.start).label)


def _places(
    lines: Iterable[tuple[Any, dict[str, str]]], where: str, refused: list[Refusal]
) -> Iterator[_Place]:
    """Bring the measures of one council together; others, such as shares of trusts, are not needed."""
    cells_of: dict[tuple[str, str], dict[str, Cell]] = {}
    for row, line in lines:
        part = _MEASURES.get(" ".join(line["measure"].split()).casefold())
        if part is None or line["data type"] not in (COUNCILS, "National"):
            continue
        is_nation = line["data type"] == "National"
        key = (ENGLAND, "England") if is_nation else (line[_COLUMNS[1].lower()], line[_COLUMNS[2].lower()])
        at = f"{where}, row {row}, {key[1]}, {line['measure']}"
        try:
            cell = read_count(line["value"], "Discharge Ready Date")
        except NotANumber:
            refused.append(Refusal(at, line["value"], "a number that is not negative is needed"))
            continue
        if part in cells_of.setdefault(key, {}):
            refused.append(Refusal(at, line["value"], "the council has this measure more than once"))
            cell = Cell(math.nan, "not_available", "given more than once")
        cells_of[key][part] = cell
    for (code, name), cells in cells_of.items():
        yield _Place(code, name, cells)


def _places_of_webfile(source: Book, sheet: str, refused: list[Refusal]) -> Iterator[_Place]:
    for number, row in enumerate(source.rows(sheet)[_HEADER + 1 :], start=_HEADER + 2):
        if len(row) <= _AVERAGE or cell_text(row[0]) != COUNCILS:
            continue
        code, name = cell_text(row[_CODE]), cell_text(row[_NAME])
        columns = dict(zip(PARTS, (_DISCHARGES, _BANDS[0], _BED_DAYS), strict=True))
        try:
            cells = {part: read_count(row[at], "Discharge Ready Date") for part, at in columns.items()}
        except NotANumber as error:
            reason = "numbers that are not negative are needed"
            refused.append(Refusal(f"{source.path.name}, {sheet}, row {number}, {name}", str(error), reason))
            continue
        yield _Place(code, name, cells)
    if not any(cell_text(cell) for row in source.rows(sheet)[_HEADER : _HEADER + 1] for cell in row):
        raise InputError(
            "The table of councils does not begin in row 15.",
            where=f"{source.path.name}, {sheet}",
            do="Use the file as published, or the monthly CSV.",
        )


def _averages_agree(source: Book, sheet: str, places: list[_Place]) -> Check:
    """Compare bed days over discharges with the average that the sheet gives."""
    given = {
        cell_text(row[_CODE]): row[_AVERAGE]
        for row in source.rows(sheet)[_HEADER + 1 :]
        if len(row) > _AVERAGE
    }
    pairs = [(place, given[place.code]) for place in places if isinstance(given.get(place.code), int | float)]
    right = sum(
        math.isclose(place.cells["bed days"].value, average * place.cells["discharges"].value, rel_tol=1e-6)
        for place, average in pairs
    )
    name = "bed days over discharges are the published average"
    return Check(name, right == len(pairs), f"{right} of {len(pairs)} councils")


def _rows(place: _Place, month: Period, vintage: date | None, source: str) -> Iterator[dict[str, Any]]:
    """Give the average delay, the share discharged on the day and the days if delayed."""
    missing = Cell(math.nan, "not_available", "not in the file")
    cells = {part: place.cells.get(part, missing) for part in PARTS}
    total, same, days = (cells[part].value for part in PARTS)
    shared = {
        **place_of(place.code, place.name, end=month.end),
        "period_start": month.start,
        "period_end": month.end,
        "frequency": "month",
        "basis": BASIS,
        "vintage": vintage,
        "source": source,
    }
    asked = (
        ("average_discharge_delay", days, total, ("bed days", "discharges")),
        ("discharged_on_ready_date", same, total, ("on the day", "discharges")),
        ("days_if_delayed", days, total - same, PARTS),
    )
    for metric, numerator, denominator, needed in asked:
        worst = next((cells[part] for part in needed if cells[part].status != "ok"), None)
        status, note = (worst.status, worst.note) if worst else ("ok", "")
        if not worst and denominator == 0:
            status, note = "not_available", "nobody was delayed" if total else "nobody was discharged"
        yield {
            **shared,
            "metric": metric,
            "numerator": numerator,
            "denominator": denominator,
            "value": numerator / denominator * METRICS[metric].multiplier if denominator > 0 else math.nan,
            "status": status,
            "status_note": note,
        }
