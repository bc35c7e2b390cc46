"""NHS England delayed transfers of care by local authority: delayed days in a month.

Four layouts from April 2011 to February 2020. From April 2017 a second block repeats the headings with
beds or people in place of days; the row above the headings tells them apart.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bcfstats.define.areas import ENGLAND, NOT_LISTED, area_names, code_of
from bcfstats.define.periods import Period
from bcfstats.errors import InputError
from bcfstats.read.formats.nhs_england import Sheet, not_by_area, open_sheet, title_of
from bcfstats.read.marks import NotANumber, parse_month, parse_number, read_count
from bcfstats.read.reading import Check, FileReading, Refusal, by_area
from bcfstats.read.workbook import Book, Text, cell_text

KIND = "delayed transfers of care by local authority"
METRIC = "delayed_transfers"
BASIS = "delayed days in the month, all patients, NHS and social care"
DAYS = "Delayed Days"
_CARE = ("Acute", "Non-Acute")
_RESPONSIBLE = ("NHS", "Social Care", "Both")


@dataclass(frozen=True)
class _Line:
    """One row of the table: codes, name, the parts and the total in days."""

    row: int
    ons: str
    code: str
    name: str
    parts: tuple[float, ...]
    total: float
    status: str
    note: str

    @property
    def is_england(self) -> bool:
        return self.name.casefold() == "england"


def recognises(source: Book | Text) -> bool:
    """Whether this is a workbook of delayed transfers of care."""
    return isinstance(source, Book) and bool(re.search(r"delayed\s+transfers?", title_of(source), re.I))


def read(source: Book) -> FileReading:
    """Read one month of delayed days by local authority."""
    if not any(name.strip().casefold().startswith("la ") for name in source.sheet_names):
        raise not_by_area(source, "local authorities")
    sheet = open_sheet(source, "LA - by type of care", "Code", "Name", *_CARE, "Total")
    month = parse_month(sheet.title.get("Period", ""))
    if month is None:
        raise InputError(
            "The cell beside 'Period:' does not name a month.",
            where=sheet.where,
            found=repr(sheet.title.get("Period", "")),
            do="It should read like 'May 2011'.",
        )
    refused: list[Refusal] = []
    lines = list(_lines(sheet, _CARE, refused))
    rows = [_row(line, month, sheet) for line in lines]
    return FileReading(
        path=source.path,
        kind=KIND,
        publisher="NHS England",
        title=str(sheet.title.get("Title", "")),
        period=month.label,
        published=sheet.published,
        revised=sheet.revised,
        **by_area(rows),
        rows_read=len(lines) + len(refused),
        refused=tuple(refused),
        checks=(_adds_to_england(lines), _parts_add_up(lines, _CARE), *_responsible_adds_up(source)),
        warnings=_data_quality(source),
    )


def _lines(sheet: Sheet, causes: tuple[str, ...], refused: list[Refusal]) -> Iterator[_Line]:
    code, name = sheet.column("Code"), sheet.column("Name")
    ons = sheet.column("ONS Geography") if "ons geography" in sheet.headings else None
    columns = [sheet.column(heading, DAYS) for heading in causes]
    total = sheet.column("Total", DAYS)
    for number, row in enumerate(sheet.rows, start=sheet.first_row):
        label = cell_text(row[name])
        if not label or not cell_text(row[code]):
            continue
        try:
            cell = read_count(row[total], "NHS England")
        except NotANumber as error:
            refused.append(
                Refusal(
                    f"{sheet.where}, row {number}, {label}, Total",
                    str(error),
                    "delayed days must be a number that is not negative",
                )
            )
            continue
        values = tuple(_part(row[column], cell.value) for column in columns)
        yield _Line(
            number, "" if ons is None else cell_text(row[ons]), cell_text(row[code]), label, values, *cell
        )


def _part(cell: object, total: float) -> float:
    """Read a part of a total; a dash beside a total of zero is zero, otherwise missing."""
    number = parse_number(cell)
    if number is None:
        return 0.0 if str(cell).strip() == "-" and total == 0 else math.nan
    return number


def _row(line: _Line, month: Period, sheet: Sheet) -> dict[str, Any]:
    area_code, name, area_type = _area(line, month)
    return {
        "area_code": area_code,
        "area_name": name,
        "area_type": area_type,
        "metric": METRIC,
        "period_start": month.start,
        "period_end": month.end,
        "frequency": "month",
        "numerator": line.total,
        "status": line.status,
        "status_note": line.note,
        "basis": BASIS,
        "vintage": sheet.revised or sheet.published,
        "source": sheet.where,
    }


def _area(line: _Line, month: Period) -> tuple[str, str, str]:
    """Give code, name and type; the type is empty for an area."""
    if line.is_england:
        return ENGLAND, "England", "country"
    if line.code.startswith("990"):
        return line.code, line.name, "residents elsewhere"
    code = code_of(line.ons, line.code, month.end)
    if not code:
        return line.ons.strip() or line.code, line.name, NOT_LISTED
    return code, area_names()[code], ""


def _adds_to_england(lines: list[_Line]) -> Check:
    name = "areas and residents elsewhere add up to England"
    england = [line.total for line in lines if line.is_england]
    if len(england) != 1:
        return Check(name, False, f"{len(england)} rows for England")
    rest = math.fsum(line.total for line in lines if not line.is_england and not math.isnan(line.total))
    return Check(name, rest == england[0], f"{rest:,.0f} against {england[0]:,.0f} delayed days")


def _parts_add_up(lines: list[_Line], causes: tuple[str, ...]) -> Check:
    name = f"{' + '.join(causes)} = total in every row"
    wrong = [line.name for line in lines if math.fsum(line.parts) != line.total]
    return Check(name, not wrong, f"{len(lines) - len(wrong)} of {len(lines)} rows" + _listed(wrong))


def _responsible_adds_up(source: Book) -> tuple[Check, ...]:
    if source.find_sheet("LA - by responsible org") is None:
        return ()
    sheet = open_sheet(source, "LA - by responsible org", "Code", "Name", *_RESPONSIBLE, "Total")
    return (_parts_add_up(list(_lines(sheet, _RESPONSIBLE, [])), _RESPONSIBLE),)


def _data_quality(source: Book) -> tuple[str, ...]:
    name = source.find_sheet("Data Quality")
    rows = source.rows(name) if name else []
    text = (" ".join(str(cell).strip() for cell in row if str(cell).strip()) for row in rows)
    return tuple(line for line in text if line)


def _listed(names: list[str], most: int = 5) -> str:
    if not names:
        return ""
    return (
        ": not " + ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
    )
