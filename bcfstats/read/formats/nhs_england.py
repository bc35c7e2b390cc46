"""The title block and the table that NHS England's monthly workbooks share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bcfstats.define.periods import parse_date
from bcfstats.errors import InputError
from bcfstats.read.workbook import Book, Rows

_TITLE_ROWS = 40


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


def not_by_area(book: Book, whom: str) -> InputError:
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
