"""What the format of a cell makes of its number: 0.857 shown as 85.7 % means 85.7 %, as in a CSV file."""

from __future__ import annotations

import re
from decimal import Decimal

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
