"""Made-up tables changed at random, and written as files that may be damaged."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

from tests.read.made_files import to_csv, to_ods, to_xls, to_xlsx

ODD = (
    "", " ", "-", "n/a", "*", "c", "[x]", "0", "-1", "1e400", "1e308", "-0", "nan", "inf", "1,234", "1,23",
    "1\u00a0234", "\u200f12", "\u0661\u0662", "12%", "£5", "=1+1", "#DIV/0!", "#N/A", "true", "2014-04-01",
    "01/04/2014", "1 April 2014", "April 2014", "2014/15", "2014-15", "2011-12", "Q1 2014/15", "0001-01-01",
    "9999-12-31", "0000/01", "31/02/2014", "Apr-15", "E08000035", "E92000001", "X06000001", "212", "England",
    "Leeds", "delayed_transfers", "reablement", "2A(2)", "2C1", "Total", "value", "metric", "area",
    "area_code", "period", "numerator", "suspect", "\u2028", '"', "'", "a\nb", ",", "\ufeff", "\ufffd", "😀",
    "é" * 300, "9" * 400, "\u0130", "<b>", "../x", "Title:", "Period:", "Code", "Name", "Acute", "90+",
)  # fmt: skip
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1e308, 1e-300, 10**15, 12345.678, 41730, date(2014, 4, 1), date(1900, 1, 1)),
    date(9999, 12, 31),
)


def edited(chance: Random, rows: list[list[Any]]) -> list[list[Any]]:
    """Change cells, rows and columns of a table."""
    rows = [list(row) for row in rows]
    for _ in range(chance.randint(0, 4)):
        if not rows:
            return rows
        what, at = chance.randint(0, 11), chance.randint(0, len(rows) - 1)
        row = rows[at]
        column = chance.randint(0, max(len(row) - 1, 0))
        if what <= 4 and row:
            row[column] = odd(chance)
        elif what == 5:
            rows.insert(at, list(rows[chance.randint(0, len(rows) - 1)]))
        elif what == 6:
            del rows[at]
        elif what == 7:
            rows.insert(at, [] if chance.randint(0, 1) else [odd(chance)])
        elif what == 8:
            rows = [line[:column] + line[column + 1 :] for line in rows]
        elif what == 9:
            rows = [[*line[: column + 1], *line[column:]] for line in rows]
        elif what == 10 and len(rows) > 1:
            row[column:column] = [odd(chance)]
        elif row:
            other = rows[chance.randint(0, len(rows) - 1)]
            if column < len(other):
                row[column], other[column] = other[column], row[column]
    return rows


def odd(chance: Random) -> Any:
    """Give a cell that is likely to be trouble."""
    kind = chance.randint(0, 9)
    if kind == 0:
        return _text(chance)
    if kind == 1:
        return chance.uniform(-1, 1) * 10.0 ** chance.randint(-300, 300)
    if kind == 2:
        return chance.choice(ODD_VALUES)
    text = chance.choice(ODD)
    return text + chance.choice(ODD) if kind == 3 else text


def _text(chance: Random) -> str:
    """Give up to twelve characters of any kind but halves of a pair."""
    points = (chance.choice([chance.randint(1, 127), chance.randint(0xA0, 0xD7FF)]) for _ in range(12))
    return "".join(map(chr, points))[: chance.randint(0, 12)]


def written(chance: Random, sheets: dict[str, list[list[Any]]], form: str) -> bytes:
    """Write sheets in a form, now and then with damage to the bytes."""
    if form in ("xlsx", "ods", "xls"):
        named = {name or "Sheet1": rows for name, rows in sheets.items()}
        if chance.randint(0, 15) == 0:
            named[_text(chance)] = next(iter(named.values()))
        content = {"xlsx": to_xlsx, "ods": to_ods, "xls": to_xls}[form](named)
        return damaged(chance, content) if chance.randint(0, 7) == 0 else content
    rows = next(iter(sheets.values()))
    if form == "text":
        text = "\n".join(str(row[0]) for row in rows if row)
    else:
        ends = chance.choice(["\n", "\n", "\r\n", "\r"])
        text = to_csv(rows, delimiter=chance.choice([*",,,,,,;\t"]), line_end=ends)
    encoding = chance.choice(["utf-8", "utf-8", "utf-8", "utf-8-sig", "cp1252", "utf-16"])
    content = text.encode(encoding, errors="replace")
    return damaged(chance, content) if chance.randint(0, 3) == 0 else content


def damaged(chance: Random, content: bytes) -> bytes:
    """Cut bytes off, or change a few."""
    if chance.randint(0, 3) == 0:
        return content[: chance.randint(0, len(content))]
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, max(len(changed) - 1, 0))
        changed[at : at + chance.randint(0, 2)] = bytes(
            chance.randint(0, 255) for _ in range(chance.randint(0, 4))
        )
    return bytes(changed)
