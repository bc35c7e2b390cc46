"""Tables with months, quarters or years across their columns, turned into one row a period."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from bcfstats.define.periods import Period
from bcfstats.errors import InputError, ParameterError
from bcfstats.read.headings import meanings
from bcfstats.read.workbook import cell_text

_PARTS = ("numerator", "denominator", "value")


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
