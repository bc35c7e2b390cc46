"""NHS England Monthly Activity Return by commissioner: non-elective admissions.

Rows are commissioners (primary care trusts to March 2013, clinical commissioning groups since), kept under
their own codes; `apportion` turns them into areas.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from bcfstats.define.areas import ENGLAND
from bcfstats.define.periods import Period
from bcfstats.errors import InputError
from bcfstats.read.formats.nhs_england import Sheet, not_by_area, open_sheet, title_of
from bcfstats.read.marks import NotANumber, month_in_financial_year, read_count
from bcfstats.read.observations import OTHER_TYPES, typed
from bcfstats.read.reading import Check, FileReading, Refusal
from bcfstats.read.workbook import Book, Text, cell_text

KIND = "Monthly Activity Return by commissioner"
METRIC = "non_elective_admissions"
HEADING = "Total Non-elective G&A Admissions (FFCEs)"
BASIS = "first finished consultant episodes, general and acute, by commissioner"
DIRECT = "X24"  # NHS England's own commissioning: no area
_FOOTER_HEADINGS = ("Note:", "Notes:")


def recognises(source: Book | Text) -> bool:
    """Whether this is a workbook of the Monthly Activity Return."""
    return isinstance(source, Book) and bool(
        re.search(r"monthly (hospital )?activity", title_of(source), re.I)
    )


def read(source: Book) -> FileReading:
    """Read one month of non-elective admissions by commissioner."""
    if source.find_sheet("Commissioner") is None:
        raise not_by_area(source, "commissioners")
    sheet = open_sheet(source, "Commissioner", "Year", "Period", "Org Code", "Org Name")
    refused: list[Refusal] = []
    rows = list(_rows(sheet, refused))
    rows, refused, dragged = _with_dragged(sheet, rows, refused)
    months = {(row["period_start"], row["period_end"]) for row in rows}
    if len(months) != 1:
        raise InputError(
            "The columns Year and Period do not name one month.",
            where=sheet.where,
            found=", ".join(str(start) for start, _ in sorted(months)) or "none",
            do="Use the file as published.",
        )
    return FileReading(
        path=source.path,
        kind=KIND,
        publisher="NHS England",
        title=str(sheet.title.get("Title", "")),
        period=Period(*months.pop()).label,
        published=sheet.published,
        revised=sheet.revised,
        others=typed(rows, OTHER_TYPES),
        rows_read=len(rows) + len(refused),
        refused=tuple(refused),
        checks=(_adds_to_england(rows),),
        warnings=(*dragged, *_footers(sheet), *_notes(source)),
    )


def _rows(sheet: Sheet, refused: list[Refusal], month: Period | None = None) -> Iterator[dict[str, Any]]:
    """Read the rows of commissioners; `month` stands for what the columns Year and Period say, if given."""
    year, period = sheet.column("Year"), sheet.column("Period")
    code, name, count = sheet.column("Org Code"), sheet.column("Org Name"), sheet.column(HEADING)
    for number, row in enumerate(sheet.rows, start=sheet.first_row):
        label = cell_text(row[name])
        if not label:
            continue  # blank rows and footnotes, which stand in the column Year
        said = month or month_in_financial_year(row[year], row[period])
        try:
            cell = read_count(row[count], "NHS England")
            if said is None:
                raise NotANumber(f"{row[year]} {row[period]}")
        except NotANumber as error:
            refused.append(
                Refusal(
                    f"{sheet.where}, row {number}, {label}",
                    str(error),
                    "the row needs a financial year, a month and a count that is not negative",
                )
            )
            continue
        yield {
            **_organisation(cell_text(row[code]), label),
            "metric": METRIC,
            "frequency": "month",
            "period_start": said.start,
            "period_end": said.end,
            "numerator": cell.value,
            "status": cell.status,
            "status_note": cell.note,
            "basis": BASIS,
            "vintage": sheet.revised or sheet.published,
            "source": sheet.where,
        }


Rows = list[dict[str, Any]]


def _with_dragged(
    sheet: Sheet, rows: Rows, refused: list[Refusal]
) -> tuple[Rows, list[Refusal], tuple[str, ...]]:
    """Give rows of another month, or of none, the month of most rows, where England's total asks for it.

    A year or month dragged down in a spreadsheet counts up: 2017-18, 2017-19, 2017-20.
    """
    counts = Counter((row["period_start"], row["period_end"]) for row in rows).most_common(1)
    n_same = counts[0][1] if counts else 0
    if n_same == len(rows) and not refused:
        return rows, refused, ()
    if n_same <= (len(rows) + len(refused)) / 2:
        return rows, refused, ()
    month = Period(*counts[0][0])
    if _adds_to_england([row for row in rows if row["period_start"] == month.start]).passed:
        return rows, refused, ()
    refused_then: list[Refusal] = []
    rows_then = list(_rows(sheet, refused_then, month))
    if not _adds_to_england(rows_then).passed:
        return rows, refused, ()
    n_other = len(rows_then) - n_same
    why = f"{n_other} rows name another year or month than {month.label}, or none; only with them do the "
    return rows_then, refused_then, (f"{why}commissioners add up to England, so they are of that month.",)


def _organisation(code: str, name: str) -> dict[str, str]:
    """Give code, name and type; codes that are not of three characters are national bodies."""
    if name.casefold() == "england" and not code:
        return {"area_code": ENGLAND, "area_name": "England", "area_type": "country"}
    if code == DIRECT or len(code) != 3:
        kind = "direct commissioning"
    elif re.fullmatch(r"5[A-Z]\w|T[A-Z]\w", code):
        kind = "primary care trust"
    else:
        kind = "clinical commissioning group"
    return {"area_code": code, "area_name": name, "area_type": kind}


def _adds_to_england(rows: list[dict[str, Any]]) -> Check:
    name = "commissioners add up to England"
    england = [row["numerator"] for row in rows if row["area_type"] == "country"]
    if len(england) != 1:
        return Check(name, False, f"{len(england)} rows for England")
    rest = math.fsum(
        row["numerator"] for row in rows if row["area_type"] != "country" and row["status"] == "ok"
    )
    passed = math.isclose(rest, england[0], abs_tol=0.01)  # one published figure is not whole
    return Check(name, passed, f"{rest:,.10g} against {england[0]:,.10g} admissions")


def _footers(sheet: Sheet) -> tuple[str, ...]:
    name, year = sheet.column("Org Name"), sheet.column("Year")
    lines = (cell_text(row[year]) for row in sheet.rows if not cell_text(row[name]))
    return tuple(line for line in lines if line and line not in _FOOTER_HEADINGS)


def _notes(source: Book) -> tuple[str, ...]:
    """Gather the notes sheet into sentences; the list of trusts follows the sentence that introduces it."""
    name = source.find_sheet("Notes")
    notes: list[str] = []
    for row in source.rows(name) if name else []:
        cells = [str(cell).strip() for cell in row if str(cell).strip()]
        if cells in ([], ["Notes"], ["Code", "Name"]) or set(cells) == {"NA"}:
            continue
        if len(cells) == 1 or not notes:
            notes.append(" ".join(cells))
        else:
            notes[-1] += (" " if notes[-1].endswith(":") else ", ") + " ".join(cells)
    return tuple(notes)
