"""NHS England's monthly workbooks: delayed transfers by local authority, admissions by commissioner.

Delayed transfers have four layouts from April 2011 to February 2020. From April 2017 a second block repeats
the headings with beds or people in place of days; the row above the headings tells them apart. Commissioners
(primary care trusts to March 2013, then clinical commissioning groups) keep their own codes: `apportion`
turns them into areas.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bcfstats.define.areas import ENGLAND
from bcfstats.define.periods import Period, parse_date
from bcfstats.errors import InputError
from bcfstats.read.marks import (
    Cell,
    NotANumber,
    month_in_financial_year,
    parse_month,
    parse_number,
    read_count,
)
from bcfstats.read.reading import Check, FileReading, Refusal, by_area, place_of
from bcfstats.read.workbook import Book, Rows, Text, cell_text

DELAYS, ACTIVITY = "delayed transfers of care by local authority", "Monthly Activity Return by commissioner"
_TITLES = {DELAYS: r"delayed\s+transfers?", ACTIVITY: r"monthly (hospital )?activity"}
_BASES = {
    "delayed_transfers": "delayed days in the month, all patients, NHS and social care",
    "non_elective_admissions": "first finished consultant episodes, general and acute, by commissioner",
}
_DAYS = "Delayed Days"
_CARE, _RESPONSIBLE = ("Acute", "Non-Acute"), ("NHS", "Social Care", "Both")
_ADMISSIONS = "Total Non-elective G&A Admissions (FFCEs)"
_DIRECT = "X24"  # NHS England's own commissioning: no area
_FOOTER_HEADINGS = ("Note:", "Notes:")
_TITLE_ROWS = 40
Lines = list[dict[str, Any]]


def recognises(source: Book | Text) -> bool:
    """Whether this is a workbook of delayed transfers of care or of the Monthly Activity Return."""
    return isinstance(source, Book) and bool(_kind(source))


def read(source: Book) -> FileReading:
    """Read one month, by local authority or by commissioner."""
    return _read_delays(source) if _kind(source) == DELAYS else _read_activity(source)


def _kind(book: Book) -> str:
    title = title_of(book)
    return next((kind for kind, pattern in _TITLES.items() if re.search(pattern, title, re.I)), "")


def _reading(
    book: Book, kind: str, sheet: Sheet, month: Period, lines: Lines, refused: list[Refusal], **more: Any
) -> FileReading:
    return FileReading(
        path=book.path,
        kind=kind,
        publisher="NHS England",
        title=str(sheet.title.get("Title", "")),
        period=month.label,
        published=sheet.published,
        revised=sheet.revised,
        **by_area(lines),
        rows_read=len(lines) + len(refused),
        refused=tuple(refused),
        **more,
    )


def _line(sheet: Sheet, metric: str, month: Period, cell: Cell, place: Mapping[str, str]) -> dict[str, Any]:
    return {
        **place,
        "metric": metric,
        "frequency": "month",
        "period_start": month.start,
        "period_end": month.end,
        "numerator": cell.value,
        "status": cell.status,
        "status_note": cell.note,
        "basis": _BASES[metric],
        "vintage": sheet.revised or sheet.published,
        "source": sheet.where,
    }


def _adds_to_england(lines: Lines, whose: str, unit: str) -> Check:
    name = f"{whose} add up to England"
    england = [line["numerator"] for line in lines if line["area_type"] == "country"]
    if len(england) != 1:
        return Check(name, False, f"{len(england)} rows for England")
    others = (line for line in lines if line["area_type"] != "country" and line["status"] == "ok")
    rest = math.fsum(line["numerator"] for line in others)
    passed = math.isclose(rest, england[0], abs_tol=0.01)  # one published figure is not whole
    return Check(name, passed, f"{rest:,.10g} against {england[0]:,.10g} {unit}")


def _read_delays(book: Book) -> FileReading:
    if not any(name.strip().casefold().startswith("la ") for name in book.sheet_names):
        raise _not_by_area(book, "local authorities")
    sheet = open_sheet(book, "LA - by type of care", "Code", "Name", *_CARE, "Total")
    month = parse_month(sheet.title.get("Period", ""))
    if month is None:
        raise InputError(
            "The cell beside 'Period:' does not name a month.",
            where=sheet.where,
            found=repr(sheet.title.get("Period", "")),
            do="It should read like 'May 2011'.",
        )
    refused: list[Refusal] = []
    lines = list(_delays(sheet, month, _CARE, refused))
    checks = [_adds_to_england(lines, "areas and residents elsewhere", "delayed days")]
    checks.append(_parts_add_up(lines, _CARE))
    if book.find_sheet("LA - by responsible org") is not None:
        other = open_sheet(book, "LA - by responsible org", "Code", "Name", *_RESPONSIBLE, "Total")
        checks.append(_parts_add_up(list(_delays(other, month, _RESPONSIBLE, [])), _RESPONSIBLE))
    quality = tuple(" ".join(cells) for cells in _filled(book, "Data Quality") if cells)
    return _reading(book, DELAYS, sheet, month, lines, refused, checks=tuple(checks), warnings=quality)


def _delays(
    sheet: Sheet, month: Period, causes: tuple[str, ...], refused: list[Refusal]
) -> Iterator[dict[str, Any]]:
    """Read the delayed days of each row: in all, and under `parts` by cause."""
    code, name = sheet.column("Code"), sheet.column("Name")
    ons = sheet.column("ONS Geography") if "ons geography" in sheet.headings else None
    columns = [sheet.column(heading, _DAYS) for heading in causes]
    total = sheet.column("Total", _DAYS)
    for number, row in enumerate(sheet.rows, start=sheet.first_row):
        label, council = cell_text(row[name]), cell_text(row[code])
        if not label or not council:
            continue
        try:
            cell = read_count(row[total], "NHS England")
        except NotANumber as error:
            where = f"{sheet.where}, row {number}, {label}, Total"
            refused.append(Refusal(where, str(error), "delayed days must be a number that is not negative"))
            continue
        if label.casefold() == "england":
            place = place_of(ENGLAND, label)
        elif council.startswith("990"):
            place = {"area_code": council, "area_name": label, "area_type": "residents elsewhere"}
        else:
            place = place_of("" if ons is None else cell_text(row[ons]), label, council, month.end)
        parts = [_part(row[column], cell.value) for column in columns]
        yield _line(sheet, "delayed_transfers", month, cell, place) | {"label": label, "parts": parts}


def _part(cell: object, total: float) -> float:
    """Read a part of a total; a dash beside a total of zero is zero, otherwise missing."""
    number = parse_number(cell)
    if number is None:
        return 0.0 if str(cell).strip() == "-" and total == 0 else math.nan
    return number


def _parts_add_up(lines: Lines, causes: tuple[str, ...], most: int = 5) -> Check:
    name = f"{' + '.join(causes)} = total in every row"
    wrong = [line["label"] for line in lines if math.fsum(line["parts"]) != line["numerator"]]
    named = f": not {', '.join(wrong[:most])}" if wrong else ""
    more = f" and {len(wrong) - most} more" if len(wrong) > most else ""
    return Check(name, not wrong, f"{len(lines) - len(wrong)} of {len(lines)} rows{named}{more}")


def _filled(book: Book, sheet: str) -> Iterator[list[str]]:
    """Give the texts in each row of a sheet of notes, where there is one."""
    name = book.find_sheet(sheet)
    for row in book.rows(name) if name else []:
        yield [text for cell in row if (text := str(cell).strip())]


def _read_activity(book: Book) -> FileReading:
    if book.find_sheet("Commissioner") is None:
        raise _not_by_area(book, "commissioners")
    sheet = open_sheet(book, "Commissioner", "Year", "Period", "Org Code", "Org Name")
    refused: list[Refusal] = []
    lines, refused, dragged = _with_dragged(sheet, list(_admissions(sheet, refused)), refused)
    months = {(line["period_start"], line["period_end"]) for line in lines}
    if len(months) != 1:
        raise InputError(
            "The columns Year and Period do not name one month.",
            where=sheet.where,
            found=", ".join(str(start) for start, _ in sorted(months)) or "none",
            do="Use the file as published.",
        )
    checks, warnings = (_of_commissioners(lines),), (*dragged, *_footers(sheet), *_notes(book))
    month = Period(*months.pop())
    return _reading(book, ACTIVITY, sheet, month, lines, refused, checks=checks, warnings=warnings)


def _admissions(
    sheet: Sheet, refused: list[Refusal], month: Period | None = None
) -> Iterator[dict[str, Any]]:
    """Read the rows of commissioners; `month` stands for what the columns Year and Period say, if given."""
    year, period = sheet.column("Year"), sheet.column("Period")
    code, name, count = sheet.column("Org Code"), sheet.column("Org Name"), sheet.column(_ADMISSIONS)
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
            reason = "the row needs a financial year, a month and a count that is not negative"
            refused.append(Refusal(f"{sheet.where}, row {number}, {label}", str(error), reason))
            continue
        place = _organisation(cell_text(row[code]), label)
        yield _line(sheet, "non_elective_admissions", said, cell, place)


def _with_dragged(
    sheet: Sheet, lines: Lines, refused: list[Refusal]
) -> tuple[Lines, list[Refusal], tuple[str, ...]]:
    """Give rows of another month, or of none, the month of most rows, where England's total asks for it.

    A year or month dragged down in a spreadsheet counts up: 2017-18, 2017-19, 2017-20.
    """
    as_read = lines, refused, ()
    counts = Counter((line["period_start"], line["period_end"]) for line in lines).most_common(1)
    n_same = counts[0][1] if counts else 0
    if (n_same == len(lines) and not refused) or n_same <= (len(lines) + len(refused)) / 2:
        return as_read
    month = Period(*counts[0][0])
    if _of_commissioners([line for line in lines if line["period_start"] == month.start]).passed:
        return as_read
    refused_then: list[Refusal] = []
    lines_then = list(_admissions(sheet, refused_then, month))
    if not _of_commissioners(lines_then).passed:
        return as_read
    n_other = len(lines_then) - n_same
    why = f"{n_other} rows name another year or month than {month.label}, or none; only with them do the "
    return lines_then, refused_then, (f"{why}commissioners add up to England, so they are of that month.",)


def _of_commissioners(lines: Lines) -> Check:
    return _adds_to_england(lines, "commissioners", "admissions")


def _organisation(code: str, name: str) -> dict[str, str]:
    """Give code, name and type; codes that are not of three characters are national bodies."""
    if name.casefold() == "england" and not code:
        return place_of(ENGLAND, name)
    if code == _DIRECT or len(code) != 3:
        kind = "direct commissioning"
    elif re.fullmatch(r"5[A-Z]\w|T[A-Z]\w", code):
        kind = "primary care trust"
    else:
        kind = "clinical commissioning group"
    return {"area_code": code, "area_name": name, "area_type": kind}


def _footers(sheet: Sheet) -> tuple[str, ...]:
    name, year = sheet.column("Org Name"), sheet.column("Year")
    lines = (cell_text(row[year]) for row in sheet.rows if not cell_text(row[name]))
    return tuple(line for line in lines if line and line not in _FOOTER_HEADINGS)


def _notes(book: Book) -> tuple[str, ...]:
    """Gather the notes sheet into sentences; the list of trusts follows the sentence that introduces it."""
    notes: list[str] = []
    for cells in _filled(book, "Notes"):
        if cells in ([], ["Notes"], ["Code", "Name"]) or set(cells) == {"NA"}:
            continue
        if len(cells) == 1 or not notes:
            notes.append(" ".join(cells))
        else:
            notes[-1] += (" " if notes[-1].endswith(":") else ", ") + " ".join(cells)
    return tuple(notes)


# The title block and the table of a sheet


@dataclass(frozen=True)
class Sheet:
    """One sheet cut into its title block and its table."""

    where: str
    title: Mapping[str, Any]
    labels: tuple[str, ...]
    headings: tuple[str, ...]
    rows: Rows
    first_row: int

    @property
    def published(self) -> date | None:
        """The date of first publication, if the file says."""
        return parse_date(self.title.get("Published", ""))

    @property
    def revised(self) -> date | None:
        """The date of the last revision, if the file says."""
        return parse_date(self.title.get("Revised", ""))

    def column(self, heading: str, block: str = "") -> int:
        """Find the one column with a heading, in the block of that label where the sheet has blocks."""
        places = [at for at, name in enumerate(self.headings) if name == heading.casefold()]
        if block and any(self.labels[at] for at in places):
            places = [at for at in places if self.labels[at] == block.casefold()]
        if len(places) == 1:
            return places[0]
        what = (
            "is not there" if not places else "stands there more than once, and nothing tells which is meant"
        )
        inside = f" under '{block}'" if block else ""
        raise InputError(
            f"The column '{heading}'{inside} {what}.",
            where=self.where,
            found=", ".join(name for name in self.headings if name),
            do="Use the file as it was published; its layout may be one that is not known here.",
        )


def _not_by_area(book: Book, whom: str) -> InputError:
    """Give the refusal of a workbook of England or of trusts, which says nothing of areas."""
    return InputError(
        f"This workbook has no {whom}: its figures are of England as a whole, or of trusts.",
        where=book.path.name,
        found=f"'{title_of(book)}', with the sheets {', '.join(book.sheet_names[:8])}",
        do=f"Use the monthly workbooks that give {whom}.",
    )


def title_of(book: Book) -> str:
    """Give the cell beside "Title:" on the first sheet that has one; "" where none has."""
    for name in book.sheet_names[:3]:
        title = title_block(book.rows(name))
        if "Title" in title:
            return str(title["Title"])
    return ""


def title_block(rows: Rows) -> dict[str, Any]:
    """Read the lines "Period: May 2011" at the top of a sheet."""
    block: dict[str, Any] = {}
    for row in rows[:_TITLE_ROWS]:
        for at, cell in enumerate(row[:3]):
            if isinstance(cell, str) and cell.strip().endswith(":") and at + 1 < len(row):
                block.setdefault(cell.strip()[:-1], row[at + 1])
    return block


def open_sheet(book: Book, sheet: str, *headings: str) -> Sheet:
    """Cut a sheet at the row that holds all of `headings`."""
    name = book.find_sheet(sheet)
    if name is None:
        raise InputError(
            f"The workbook has no sheet '{sheet}'.",
            where=book.path.name,
            found=", ".join(book.sheet_names),
            do="Use the file as it was published.",
        )
    rows = book.rows(name)
    where = f"{book.path.name}, {name}"
    wanted = {heading.casefold() for heading in headings}
    for at, row in enumerate(rows[:_TITLE_ROWS]):
        names = tuple(_tidy(cell) for cell in row)
        if wanted <= set(names):
            labels = _labels(rows[at - 1] if at else [], len(names))
            return Sheet(where, title_block(rows[:at]), labels, names, rows[at + 1 :], at + 2)
    raise InputError(
        "The headings of the table are not there.",
        where=where,
        found="no row with " + ", ".join(headings),
        do="Use the file as it was published.",
    )


def _tidy(cell: object) -> str:
    return " ".join(str(cell).split()).casefold()


def _labels(row: list[Any], width: int) -> tuple[str, ...]:
    """Carry each label of the row above the headings to the right, up to the next one."""
    labels, current = [], ""
    for at in range(width):
        current = _tidy(row[at]) if at < len(row) and _tidy(row[at]) else current
        labels.append(current)
    return tuple(labels)
