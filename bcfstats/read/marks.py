"""What a cell of a published table says: a number, or a mark that stands for a missing one."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bcfstats.define.datafiles import read_rows
from bcfstats.define.periods import MONTH_NAMES, Period, is_plausible, month_of


def month_number(text: str) -> int | None:
    """Give the number of a month name, misspelt ones ("Janaury") and short ones ("Sept") too."""
    word = text.strip().rstrip(".").casefold()
    names = [name.casefold() for name in MONTH_NAMES]
    short = [number for number, name in enumerate(names, 1) if len(word) >= 3 and name.startswith(word)]
    if short:
        return short[0]
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.8)
    return names.index(near[0]) + 1 if near else None


def parse_month(cell: object) -> Period | None:
    """Read a calendar month, "May 2011" or a date in it; None when there is none."""
    if isinstance(cell, date):
        return month_of(cell) if is_plausible(cell) else None
    match = re.fullmatch(r"\s*([A-Za-z]+)[\s,]+((?:19|20)\d\d)\s*", str(cell))
    number = month_number(match[1]) if match else None
    return month_of(date(int(match[2]), number, 1)) if match and number else None


def month_in_financial_year(year: object, month: object) -> Period | None:
    """Read a month given by financial year and name, such as " 2017-18" and "April"."""
    match = re.fullmatch(r"\s*((?:19|20)\d\d)\s*[-/–]\s*(\d\d)?(\d\d)\s*", str(year))
    number = month_number(str(month))
    if not match or not number or int(match[3]) != (int(match[1]) + 1) % 100:
        return None
    return month_of(date(int(match[1]) + (number < 4), number, 1))


STATUSES = ("ok", "suppressed", "not_available", "rounded", "suspect")
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d", "-"))
# "<5", "1 to 7", "fewer than 10": the publisher tells only between what the number lies
_BOUND = re.compile(r"([<>\u2264\u2265]=?|under|over|(less|fewer|more)than)\d+(\.\d+)?%?|\dto\d")
_NUMBER = re.compile(r"[+-]?((\d+|\d{1,3}(,\d{3})+)(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


class Cell(NamedTuple):
    """One published cell: the number (NaN when there is none), its status and the reason."""

    value: float
    status: str
    note: str


class NotANumber(ValueError):  # noqa: N818 - it names what the cell is
    """The cell holds text that is neither a number nor a mark its publisher uses."""


def parse_number(cell: object) -> float | None:
    r"""Read a number as a spreadsheet or CSV writes it; None when it is not one."""
    if isinstance(cell, bool) or cell is None:
        return None
    if isinstance(cell, int | float):
        return float(cell) if math.isfinite(cell) else None
    text = _plain(cell)
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text.replace(",", ""))
    return number if math.isfinite(number) else None


def parse_share(cell: object, whole: float = 100) -> float | None:
    """Read a number that may have a percent sign; with it, `whole` stands for 100 %."""
    text = _plain(cell)
    if not text.endswith("%"):
        return parse_number(cell)
    number = parse_number(text[:-1])
    return None if number is None else float(Decimal(repr(number)) * Decimal(repr(whole)) / 100)


def _plain(cell: object) -> str:
    """Give a cell as plain text: one kind of digit and of minus sign, and no blanks."""
    text = "" if cell is None else str(cell)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_DASHES))
    return "".join(text.split())


def read_cell(cell: object, publisher: str) -> Cell:
    """Read a cell as its publisher means it: a number, or a mark with the reason there is none."""
    number = parse_number(cell)
    if number is not None:
        return Cell(number, "ok", "")
    text = _plain(cell).casefold()
    meanings = _marks()
    meaning = meanings.get((publisher, text)) or meanings.get(("any", text))
    if meaning is None and _BOUND.fullmatch(text):
        meaning = ("suppressed", f"shown only as {str(cell).strip()}")
    if meaning is None:
        raise NotANumber(str(cell))
    return Cell(math.nan, *meaning)


def read_count(cell: object, publisher: str) -> Cell:
    """Read a cell that holds a count."""
    count = read_cell(cell, publisher)
    if count.value < 0:
        raise NotANumber(f"{count.value:.10g}")
    return count


def read_column(cells: Iterable[object], publisher: str) -> list[Cell]:
    """Read a whole column as `read_cell` reads one cell; the status of text is empty."""
    known: dict[tuple[type, object], Cell] = {}
    return [
        known.get(key) or known.setdefault(key, _cell_or_text(cell, publisher))
        for cell in cells
        for key in [(type(cell), cell)]
    ]


def _cell_or_text(cell: object, publisher: str) -> Cell:
    try:
        return read_cell(cell, publisher)
    except NotANumber:
        return Cell(math.nan, "", f"'{cell}' is not a number")


@cache
def _marks() -> dict[tuple[str, str], tuple[str, str]]:
    return {
        (row["publisher"], _plain(row["mark"]).casefold()): (row["status"], row["note"])
        for row in read_rows(Path(__file__).with_name("marks.csv"))
    }


# What the format of a cell makes of its number: 0.857 shown as 85.7 % means 85.7 %, as in a CSV file

PERCENT, SCALED = "%", ","  # signs for a number shown as a percentage, or in thousands
BUILT_IN = {9: PERCENT, 10: PERCENT}  # by number of the format, in every kind of Excel workbook
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_SCALE = re.compile(r"[0#?],+(?![0#?,])")


def sign_of(code: str) -> str:
    """Give the sign of a number format such as "0.0%" or "#,##0,"; "" where the number is shown as it is."""
    plain = _LITERAL.sub("", code)
    if PERCENT in plain:
        return PERCENT
    return SCALED if _SCALE.search(plain.partition(";")[0]) else ""


def as_shown(cell: object, sign: str) -> object:
    """Give a cell as its text is read: a percentage with its sign, a scaled number as what it is."""
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return cell
    if sign == PERCENT:
        return f"{float(Decimal(repr(cell)) * 100):.15g}%"
    return f"{cell!r}, shown in thousands or millions: give the cell a plain number format"
