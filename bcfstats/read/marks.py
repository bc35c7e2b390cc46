"""What a cell of a published table says: a number, or a mark that stands for a missing one."""

from __future__ import annotations

import csv
import math
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

STATUSES = ("ok", "suppressed", "not_available", "rounded", "suspect")
_BLANKS = re.compile("[\\s\u00a0\u2007\u2009\u202f]+")
_NUMBER = re.compile(r"[+-]?((\d+|\d{1,3}(,\d{3})+)(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


class Cell(NamedTuple):
    """One published cell: the number (NaN when there is none), its status and the reason."""

    value: float
    status: str
    note: str


class NotANumber(ValueError):  # noqa: N818 - it names what the cell is
    """The cell holds text that is neither a number nor a mark its publisher uses."""


def parse_number(cell: object) -> float | None:
    r"""Read a number as a spreadsheet or CSV writes it; None when it is not one.

    Thousand separators, tabs and non-breaking blanks are allowed: `" \t1,469 "` is 1469.

    Parameters
    ----------
    cell : object
        A number or text.

    Returns
    -------
    float or None
        Never a guess: "1,46", "12%", "inf" and "" are not numbers here.

    Examples
    --------
    >>> parse_number(" \t1,469 "), parse_number("4459.1"), parse_number("1,46")
    (1469.0, 4459.1, None)
    """
    if isinstance(cell, bool) or cell is None:
        return None
    if isinstance(cell, int | float):
        return float(cell) if math.isfinite(cell) else None
    text = _BLANKS.sub("", str(cell))
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text.replace(",", ""))
    return number if math.isfinite(number) else None


def read_cell(cell: object, publisher: str) -> Cell:
    """Read a cell as its publisher means it: a number, or a mark with the reason there is none.

    Parameters
    ----------
    cell : object
        What the file holds.
    publisher : str
        Whose marks apply, as in `marks.csv`; marks under "any" apply to all.

    Returns
    -------
    Cell
        A missing number is NaN, never zero.

    Raises
    ------
    NotANumber
        If the text is neither a number nor a known mark.

    Examples
    --------
    >>> read_cell("c", "ASCOF")
    Cell(value=nan, status='suppressed', note='suppressed by the publisher')
    """
    number = parse_number(cell)
    if number is not None:
        return Cell(number, "ok", "")
    text = _BLANKS.sub("", "" if cell is None else str(cell)).casefold()
    meanings = _marks()
    meaning = meanings.get((publisher, text)) or meanings.get(("any", text))
    if meaning is None:
        raise NotANumber(str(cell))
    return Cell(math.nan, *meaning)


def read_count(cell: object, publisher: str) -> Cell:
    """Read a cell that holds a count.

    Raises
    ------
    NotANumber
        If the text is neither a number nor a known mark, or the number is negative.
    """
    count = read_cell(cell, publisher)
    if count.value < 0:
        raise NotANumber(f"{count.value:.10g}")
    return count


def read_column(cells: pd.Series, publisher: str) -> pd.DataFrame:
    """Read a whole column of cells as `read_cell` does one.

    Parameters
    ----------
    cells : pandas.Series
        Text, or what a workbook holds.
    publisher : str
        Whose marks apply.

    Returns
    -------
    pandas.DataFrame
        `value status note`, indexed as `cells`; the status is "" for text that is no number and no mark.
    """
    numbers = pd.to_numeric(
        cells.mask(cells.map(lambda cell: isinstance(cell, bool)), "true or false"), errors="coerce"
    )
    frame = pd.DataFrame({"value": numbers.astype("float64"), "status": "ok", "note": ""}, cells.index)
    rest = cells[~np.isfinite(frame["value"])]
    read = {cell: _cell_or_text(cell, publisher) for cell in rest.unique()}
    for name in Cell._fields:
        told = rest.map({cell: getattr(one, name) for cell, one in read.items()})
        frame.loc[rest.index, name] = told.astype(frame[name].dtype)
    return frame


def _cell_or_text(cell: object, publisher: str) -> Cell:
    try:
        return read_cell(cell, publisher)
    except NotANumber:
        return Cell(math.nan, "", f"'{cell}' is not a number")


@cache
def _marks() -> dict[tuple[str, str], tuple[str, str]]:
    with Path(__file__).with_name("marks.csv").open(encoding="utf-8", newline="") as stream:
        return {
            (row["publisher"], row["mark"].casefold()): (row["status"], row["note"])
            for row in csv.DictReader(stream)
        }
