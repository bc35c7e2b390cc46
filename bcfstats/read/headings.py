"""What the headings of a user's table mean: "Local authority" is an area, "Financial year" a period.

Months, quarters or years across the columns become one row a period.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.datafiles import read_rows
from bcfstats.define.periods import MONTH_NAMES, Period
from bcfstats.errors import InputError, ParameterError
from bcfstats.read.workbook import Book, Text, cell_text, find_where, has_where, open_file, rows_at_the_top

_YEARS = ("financial year", "financial_year", "fy", "year")
_WITHIN_YEARS = ("month", "quarter")
_PARTS = ("numerator", "denominator", "value")
_MOST_SHOWN = 30  # problems in one message
_RATE = re.compile(r"rate per (\d[\d,]*) ?(k|000)?\b.*")


def meanings(names: list[str]) -> list[str]:
    """Translate headings; of several that mean the same, the one that `headings.csv` has first."""
    parted = bool({*_WITHIN_YEARS} & {*names} and {*_YEARS} & {*names})
    ranks = _known()
    meant = list(names)
    taken = {*names}
    for name in sorted({name for name in names if name in ranks}, key=lambda name: ranks[name][0]):
        meaning = ranks[name][1]
        if meaning not in taken and not (parted and meaning == "period"):
            meant[meant.index(name)] = meaning
            taken.add(meaning)
    return [_rate(name) for name in meant]


def _rate(name: str) -> str:
    """Give "rate per 100k" and its like in one spelling: rate_per_100000."""
    match = _RATE.fullmatch(name)
    return f"rate_per_{match[1].replace(',', '')}{'000' if match[2] else ''}" if match else name


def find_meant(source: Book | Text, fits: Callable[[set[str]], bool]) -> pd.DataFrame | None:
    """Find the table whose headings are as wanted: as they stand, on any sheet, or else by their meaning."""
    table = find_where(source, lambda names: fits(set(names)))
    if table is not None:
        return table.set_axis(meanings(list(table.columns)), axis="columns")
    return find_where(source, lambda names: fits(set(names)), meanings)


def has_meant(source: Book | Text, fits: Callable[[set[str]], bool]) -> bool:
    """Whether `find_meant` would find a table."""
    return any(has_where(source, lambda names: fits(set(names)), meaning) for meaning in (None, meanings))


def find_by_area(source: Book | Text, *columns: str) -> pd.DataFrame | None:
    """Find the table that has these columns and one that names an area, by heading or meaning."""
    return find_meant(source, lambda names: names >= {*columns} and bool({"area", "area_code"} & names))


def open_by_area(path: str | Path, *columns: str, what: str, do: str) -> tuple[str, pd.DataFrame]:
    """Open the table of a file that has these columns and names areas, or refuse it; give its name too."""
    source = open_file(Path(path))
    table = find_by_area(source, *columns)
    if table is None:
        raise InputError(what, where=source.path.name, do=do)
    return source.path.name, table


def areas_of(table: pd.DataFrame) -> list[str]:
    """Give the area each row names: its code where there is one, else its name."""
    columns = [table[name].tolist() for name in ("area_code", "area") if name in table.columns]
    return [next(filter(None, map(cell_text, cells)), "") for cells in zip(*columns, strict=True)]


def lines_of(table: pd.DataFrame) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Give the number of each row and its cells, the area it names under `area`."""
    return zip(table.index, table.assign(area=areas_of(table)).to_dict("records"), strict=True)


def each_row(table: pd.DataFrame, read: Callable[[dict[str, Any]], Any]) -> tuple[list[Any], str, int]:
    """Read each row that is filled in, its area under `area`; say what is wrong, by row, and in how many."""
    rows, problems = [], []
    for at, line in lines_of(table):
        if not any(cell_text(cell) for cell in line.values()):
            continue
        try:
            rows.append(read(line))
        except (ParameterError, InputError) as error:
            problems.append(f"row {at}: {error.what} {error.found}".strip().removesuffix("."))
    none = "" if rows else "no row is filled in"
    return rows, "; ".join(problems[:_MOST_SHOWN]) or none, len(problems)


def month_and_year(table: pd.DataFrame) -> list[str] | None:
    """Give the period that a column of months or quarters and one of years name together."""
    year = next((name for name in _YEARS if name in table.columns), None)
    part = next((name for name in _WITHIN_YEARS if name in table.columns), None)
    if year is None or part is None:
        return None
    pairs = zip(map(cell_text, table[part]), map(cell_text, table[year]), strict=True)
    return [_joined(name, when, part, year) for name, when in pairs]


def _joined(part: str, year: str, kind: str, heading: str) -> str:
    if kind == "quarter":
        return f"Q{part.upper().removeprefix('Q').strip()} {year}"
    if heading != "year" and re.fullmatch(r"\d{4}", year):
        return f"{part} of the financial year {year}"  # of which calendar year cannot be told
    if part.isdecimal() and 1 <= int(part) <= 12:
        part = MONTH_NAMES[int(part) - 1]
    return f"{part} {year}" if part and year else ""


def nearest_headings(source: Book | Text) -> tuple[dict[str, str], list[str]]:
    """Give, of the row that comes nearest to a table, what its headings mean, and those that mean nothing."""
    known = {meaning for _, meaning in _known().values()}
    best: tuple[dict[str, str], list[str]] = {}, []
    for _, _, names in rows_at_the_top(source):
        meant = dict(zip(meanings(names), names, strict=True))
        close = {meaning: name for meaning, name in meant.items() if meaning in known}
        if len(close) > len(best[0]):
            best = close, [name for name in names if name not in close.values()]
    return best


@cache
def _known() -> dict[str, tuple[int, str]]:
    rows = read_rows(Path(__file__).with_name("headings.csv"))
    return {row["heading"]: (rank, row["meaning"]) for rank, row in enumerate(rows)}


def periods_across(names: Iterable[str]) -> list[str]:
    """Give the headings that are periods."""
    return [name for name in names if is_period(name)]


def is_period(text: str) -> bool:
    """Whether a text is a period, or the first day of a month."""
    try:
        return text[:1].isalnum() and bool(Period.parse(text, "month"))
    except ParameterError:
        return False


def one_row_a_period(table: pd.DataFrame, where: str) -> pd.DataFrame:
    """Turn periods across the columns into rows, where it is said or plain which number the cells are.

    The index names the row of the table and the heading of the column.
    """
    periods = periods_across(table.columns)
    rest = [name for name in table.columns if name not in periods]
    long = table[rest].loc[np.repeat(table.index, len(periods))]
    long = long.assign(period=np.tile(periods, len(table)), cell=table[periods].to_numpy(object).ravel())
    rows = [f"{row}, {period}" for row, period in zip(long.index, long["period"], strict=True)]
    long = long.set_axis(pd.Index(rows, dtype=object))
    if "measure" not in rest:
        return long.rename(columns={"cell": _which_number(table[periods], where)})
    part = long["measure"].map(lambda text: meanings([cell_text(text).casefold()])[0])
    unknown = sorted(set(part) - set(_PARTS))
    if unknown:
        raise InputError(
            "The column 'measure' must say which number a row holds.",
            where=where,
            found=", ".join(f"'{text}'" for text in unknown[:3]),
            do="Write numerator, denominator or value.",
        )
    return _beside(long, part, [*(name for name in rest if name != "measure"), "period"], where)


def _beside(long: pd.DataFrame, part: pd.Series, keys: list[str], where: str) -> pd.DataFrame:
    """Bring numerator, denominator and value of one area, metric and period into one row."""
    joined = long.loc[~long.duplicated(keys), keys]
    for name in part.unique():
        rows = long[part == name]
        if rows.duplicated(keys).any():
            raise InputError(
                f"An area has its {name} of one period twice.",
                where=where,
                found=f"row {rows.index[rows.duplicated(keys)][0]}",
                do="Leave one of the rows out.",
            )
        index = joined.index
        joined = joined.merge(rows[[*keys, "cell"]].rename(columns={"cell": name}), how="left", on=keys)
        joined = joined.set_axis(index).fillna({name: ""})
    return joined


def _which_number(cells: pd.DataFrame, where: str) -> str:
    """Tell values from counts: counts are whole, so numbers with decimals, or with %, are values."""
    texts = cells.map(cell_text)
    if texts.apply(lambda column: column.str.contains(r"\d\.\d|%\s*$", regex=True)).any(axis=None):
        return "value"
    raise InputError(
        "Whether the numbers across the columns are counts or values cannot be told.",
        where=where,
        found=", ".join(cells.columns[:3]) + (", ..." if len(cells.columns) > 3 else ""),
        do="Add a column 'measure' that says numerator, denominator or value.",
    )


def meant_in_words(text: str, year: int) -> dict[str, str]:
    """Give the metric that a name in words meant in the financial year that starts in `year`, or nothing."""
    plain = _plain_words(text)
    return next(
        (
            line
            for line in _names_of_metrics()
            if line["phrase"] in plain and int(line["first_year"]) <= year <= int(line["last_year"] or year)
        ),
        {},
    )


def is_meant_in_words(text: str) -> bool:
    """Whether a name in words is that of a metric in any year."""
    return any(line["phrase"] in _plain_words(text) for line in _names_of_metrics())


def _plain_words(text: str) -> str:
    return " ".join(re.sub(r"\[.*?\]|[^a-z0-9 ]", " ", text.casefold()).split())


@cache
def _names_of_metrics() -> tuple[dict[str, str], ...]:
    return read_rows(Path(__file__).with_name("metric_names.csv"))
