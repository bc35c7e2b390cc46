"""How a text file sets out its table: what separates the columns, and how decimals are written."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

import pandas as pd

from bcfstats.errors import InputError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "upright lines"}
_ROWS_LOOKED_AT = 40
_LONGEST_START = 100_000  # characters
_SAID = re.compile(r'\s*"?sep=([,;|\t])"?[,;|\t]*\s*[\r\n]', re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?£?(\d[\d.]*)?(,\d+)*(\.\d+)?%?")
_THOUSANDS = re.compile(r"[+-]?£?\d{1,3}(,\d{3})+(\.\d+)?%?")
_SURELY_THOUSANDS = re.compile(
    r"[+-]?£?\d{1,3}((,\d{3}){2,}(\.\d+)?|(,\d{3})+\.\d+)%?|(?!\d{1,3}\.\d{3}$)[+-]?£?\d+\.\d+%?"
)


def separator(content: str) -> str:
    """Tell what separates the columns: what a line "sep=;" says, else the sign that makes most columns."""
    if said := _SAID.match(content):
        return said[1]
    return max(SEPARATORS, key=lambda sign: _columns_made(content, sign))


def _columns_made(content: str, sign: str) -> int:
    """Count the cells right of the first, in the rows that are as wide as most."""
    reader = csv.reader(io.StringIO(content[:_LONGEST_START], newline=""), delimiter=sign)
    widths: list[int] = []
    try:
        while len(widths) < _ROWS_LOOKED_AT:
            widths.append(len(next(reader)))
    except (StopIteration, csv.Error):
        pass
    most = Counter(width for width in widths if width > 1).most_common(1)
    return (most[0][0] - 1) * most[0][1] if most else 0


def plain_decimals(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Write the decimals of a table that commas do not separate with a point, where they have a comma.

    "577,8" can only be a decimal. "1,204" is one where others in the file are; else it may be thousands.
    """
    texts = {text.strip() for column in frame for text in frame[column].unique()}
    numbers = {text for text in texts if ("," in text or "." in text) and _NUMBER.fullmatch(text)}
    commas = {text for text in numbers if "," in text}
    decimals = sorted(text for text in commas if not _THOUSANDS.fullmatch(text))
    thousands = sorted(text for text in numbers if _SURELY_THOUSANDS.fullmatch(text))
    if not commas or (thousands and not decimals):
        return frame
    if not decimals or thousands:
        found = [f"'{text}'" for text in (decimals[:1] + thousands[:1] or sorted(commas)[:2])]
        raise InputError(
            "Whether a comma is a decimal comma or parts thousands cannot be told.",
            where=where,
            found=" and ".join(found),
            do="Save the table as .xlsx, or as CSV separated by commas.",
        )
    pointed = {text: text.replace(".", "").replace(",", ".") for text in numbers}
    return frame.apply(lambda column: column.map(lambda text: pointed.get(text.strip(), text)))
