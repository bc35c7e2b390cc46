"""Reading the data files of definitions: known keys, right types, near misses for what is misspelt."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from bcfstats.errors import InputError
from bcfstats.files import read_bytes

Table = dict[str, Any]
_WORDS: dict[type, str] = {
    str: "text in quotes",
    bool: "true or false",
    int: "a whole number",
    list: "a list",
    dict: "a table",
    date: "a date such as 2014-04-01",
}


MOST_BYTES = 500_000
LONGEST_LINE, LONGEST_NUMBER, DEEPEST = 2_000, 40, 20
LARGEST, LARGEST_POWER = 2**63, 30  # of whole numbers, as TOML has it; of ten, in others


def read_toml(path: Path) -> Table:
    """Read a TOML file; numbers with a point come as exact text, for `Decimal` or `float` to read."""
    content = read_bytes(path, MOST_BYTES)
    try:
        text = content.decode("utf-8-sig")
        beyond = _long_line(text)
        table = {} if beyond else tomllib.loads(text, parse_float=_exact)
        beyond = beyond or _beyond(table)
    except RecursionError:
        beyond = _TOO_DEEP
    except ValueError as error:  # not TOML, not UTF-8, or a number of thousands of digits
        raise InputError(
            "The file is not TOML.",
            where=path.name,
            found=str(error),
            do="Correct the line named, and save the file as UTF-8.",
        ) from None
    if beyond:
        raise InputError(
            "The file holds something that no such file may.", where=path.name, found=beyond, do="Correct it."
        )
    return table


_TOO_DEEP = f"lists or tables in each other, more than {DEEPEST} deep"


def _long_line(text: str) -> str:
    """Find a line that is too long: keys of very many parts take very long."""
    lengths = enumerate(map(len, text.splitlines()), start=1)
    long = (f"line {line} of {length:,} characters" for line, length in lengths if length > LONGEST_LINE)
    return next(long, "")


def _beyond(table: Table) -> str:
    """Say what is too deep, too large or too long for the code that takes it; nothing if all is usual."""
    left: list[tuple[object, int]] = [(table, 1)]
    while left:
        value, depth = left.pop()
        if depth > DEEPEST:
            return _TOO_DEEP
        if isinstance(value, dict | list):
            inside = value.values() if isinstance(value, dict) else value
            left += [(one, depth + 1) for one in inside]
        elif isinstance(value, int) and abs(value) >= LARGEST:
            return "a whole number of more than 64 bits"
        elif isinstance(value, _exact) and not _is_usual(value):
            return f"the number {value[:LONGEST_NUMBER]}, which is too long, too large or too small"
        elif isinstance(value, str) and "\0" in value:
            return "a text with a zero byte"
    return ""


class _exact(str):  # noqa: N801  (a marker type, never seen by users)
    """A number as it was written."""


def _is_usual(text: str) -> bool:
    """Whether a number is one of those in use; `number` refuses "inf" and "nan" by their key."""
    if text.strip("+-") in {"inf", "nan"}:
        return True
    try:
        return len(text) <= LONGEST_NUMBER and abs(Decimal(text).adjusted()) <= LARGEST_POWER
    except ArithmeticError:  # a power that even `Decimal` does not hold
        return False


def read_rows(path: Path) -> tuple[dict[str, str], ...]:
    """Read the rows of a data file of the package: CSV with headings."""
    with path.open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))


def number(table: Table, key: str, where: str) -> str:
    """Give a number of a table as it was written, for `Decimal`, `Fraction` or `float`."""
    value = table[key]
    if (
        isinstance(value, bool)
        or not isinstance(value, int | _exact)
        or str(value).strip("+-") in {"inf", "nan"}
    ):
        raise InputError(
            f"'{key}' must be a number.", where=where, found=repr(value), do="Give a plain number."
        )
    return str(value)


def check_keys(
    table: object, where: str, required: Mapping[str, type], optional: Mapping[str, type]
) -> Table:
    """Check that a table has the keys it must have, none it may not have, and the right types.

    `where` is file and entry, for the message; a key of type `object` is checked elsewhere.
    """
    if not isinstance(table, dict):
        raise InputError(
            "A table was expected here.", where=where, found=repr(table), do="See the example files."
        )
    known = {**required, **optional}
    for key in table:
        if key not in known:
            raise InputError(
                "This key is not known.", where=where, found=f"'{key}'", do=near_misses(key, known)
            )
    for key in required:
        if key not in table:
            raise InputError(f"'{key}' is missing.", where=where, do=f"Add a line '{key} = ...'.")
    for key, value in table.items():
        kind = known[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise InputError(
                f"'{key}' must be {_WORDS[kind]}.", where=where, found=repr(value), do="Correct it."
            )
        if isinstance(value, str) and key in required and not value.strip():
            raise InputError(f"'{key}' is empty.", where=where, do="Fill it in.")
    return table


def check_choice(value: str, choices: Collection[str], key: str, where: str) -> None:
    """Check that a word is one of the words allowed."""
    if value not in choices:
        allowed = ", ".join(sorted(choices))
        raise InputError(
            f"'{key}' is not understood.", where=where, found=f"'{value}'", do=f"Use one of: {allowed}."
        )


def texts(table: Table, key: str, where: str) -> tuple[str, ...]:
    """Give a list of texts, empty where the key is absent."""
    values = table.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InputError(
            f"'{key}' must be a list of texts.", where=where, found=repr(values), do='Write ["...", "..."].'
        )
    return tuple(values)


def near_misses(text: str, names: Iterable[str], *, also: Iterable[str] = ()) -> str:
    """Say which names come close to a misspelt one, or list them all where none does.

    Names in `also` may be meant too, and are not listed.

    >>> near_misses("reablemnt", ["reablement", "falls_injuries"])
    "Did you mean 'reablement'?"
    """
    names = list(names)
    if len(text) > LONGEST_NUMBER * 5:
        return "Check the spelling."
    by_lower = {name.lower(): name for name in [*also, *reversed(names)]}
    close = [by_lower[name] for name in get_close_matches(text.lower(), by_lower, cutoff=0.6)]
    if close:
        return "Did you mean " + " or ".join(f"'{name}'" for name in close) + "?"
    return f"Use one of: {', '.join(names)}." if len(names) <= 40 else "Check the spelling."
