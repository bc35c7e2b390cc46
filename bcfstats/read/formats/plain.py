"""A plain table of observations as a user keeps it: one row per area, metric and period, CSV or workbook."""

from __future__ import annotations

from datetime import date

import pandas as pd

from bcfstats.define.areas import known_codes
from bcfstats.define.periods import Period, is_plausible, month_of, parse_date
from bcfstats.errors import InputError, ParameterError
from bcfstats.read.marks import read_column
from bcfstats.read.observations import NUMBERS, OBSERVATION_TYPES, add_note, typed
from bcfstats.read.reading import FileReading, Refusal
from bcfstats.read.workbook import Book, Text, cell_text, find_table

KIND = "plain table of observations"
_TEXTS = ("area_name", "metric", "frequency", "status", "status_note", "basis", "source")


def recognises(source: Book | Text) -> bool:
    """Whether this has a metric, an area, and a value or a numerator."""
    return _table(source) is not None


def read(source: Book | Text) -> FileReading:
    """Read a plain table of observations."""
    table = _table(source)
    assert table is not None
    where = source.path.name
    texts = {name: _text(table, name) for name in _TEXTS}
    area = _text(table, "area_code" if "area_code" in table.columns else "area")
    numbers = {name: read_column(table[name], "any") for name in NUMBERS if name in table.columns}
    frame = pd.DataFrame({name: read["value"] for name, read in numbers.items()} | texts).assign(
        area_code=area.map(lambda code: known_codes().get(code, code)),
        vintage=_dates(table["vintage"]) if "vintage" in table.columns else pd.NaT,
        source=texts["source"].mask(texts["source"] == "", where),
        **_periods(table, where),
    )
    wrong = _wrong(table, frame, numbers)
    frame = _with_status(frame, numbers)
    return FileReading(
        path=source.path,
        kind=KIND,
        title=source.path.stem,
        observations=typed(frame.drop(index=list(wrong)), OBSERVATION_TYPES),
        rows_read=len(frame),
        refused=tuple(
            Refusal(f"{where}, row {row}, {frame.at[row, 'area_code']}, {column}", found, reason)
            for row, (column, found, reason) in wrong.items()
        ),
    )


def _table(source: Book | Text) -> pd.DataFrame | None:
    for area in ("area_code", "area"):
        for number in ("value", "numerator"):
            table = find_table(source, "metric", area, number)
            if table is not None:
                return table
    return None


def _text(table: pd.DataFrame, name: str) -> pd.Series:
    """Give a column as text without outer blanks; empty where it is not there."""
    if name not in table.columns:
        return pd.Series("", table.index, dtype="str")
    cells = table[name]
    return cells.map(cell_text) if cells.dtype == object else cells.str.strip()


def _periods(table: pd.DataFrame, where: str) -> dict[str, pd.Series]:
    """Read each row's first and last day; missing where it has none."""
    ends = ("period_start", "period_end")
    if set(ends) <= set(table.columns):
        return {name: _dates(table[name]) for name in ends}
    if "period" in table.columns:
        read = {cell: _period(cell) for cell in table["period"].unique()}
        periods = table["period"].map(read)
        return {
            name: pd.to_datetime(periods.map(lambda period, end=end: getattr(period, end, None)))
            for name, end in zip(ends, ("start", "end"), strict=True)
        }
    missing = next(name for name in ends if name not in table.columns)
    raise InputError(
        f"The table has no column '{missing}'.",
        where=where,
        found=", ".join(str(name) for name in table.columns if name),
        do="Give each row 'period_start' and 'period_end', or 'period'.",
    )


def _dates(cells: pd.Series) -> pd.Series:
    read = {cell: parse_date(cell) for cell in cells.unique()}
    return pd.to_datetime(cells.map(read))


def _period(cell: object) -> Period | None:
    """Read a period; a date, which a spreadsheet makes of "Apr 2014", is its month."""
    try:
        period = month_of(cell) if isinstance(cell, date) else Period.parse(str(cell))
    except ParameterError:
        return None
    return period if is_plausible(period.start, period.end) else None


def _with_status(frame: pd.DataFrame, numbers: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Fill in statuses that are not given: what marks say where neither value nor numerator is there."""
    main = [numbers[name] for name in ("value", "numerator") if name in numbers]
    there = pd.concat([read["value"].notna() for read in main], axis="columns").any(axis="columns")
    hidden = pd.concat([read["status"] == "suppressed" for read in main], axis="columns").any(axis="columns")
    status = pd.Series("not_available", frame.index).mask(hidden, "suppressed").mask(there, "ok")
    frame = frame.assign(status=frame["status"].str.casefold().mask(frame["status"] == "", status))
    for name, read in numbers.items():
        frame = add_note(frame, read["status"] == "suppressed", f"{name} " + read["note"])
    return add_note(frame, ~there & ~hidden & (frame["status_note"] == ""), main[0]["note"])


def _wrong(
    table: pd.DataFrame, frame: pd.DataFrame, numbers: dict[str, pd.DataFrame]
) -> dict[int, tuple[str, str, str]]:
    """Name the first thing wrong in each row that cannot be read: column, what stands there, reason."""
    wrong: dict[int, tuple[str, str, str]] = {}
    for name, column in (("area_code", "area"), ("metric", "metric")):
        for row in frame.index[frame[name] == ""]:
            wrong[row] = (column, "nothing", f"the row names no {column}; merged cells name it only once")
    for name, read in numbers.items():
        for row in frame.index[read["status"] == ""]:
            wrong.setdefault(row, (name, str(table.at[row, name]), "this is text where a number belongs"))
    for name in ("period_start", "period_end"):
        column = name if name in table.columns else "period"
        for row in frame.index[frame[name].isna()]:
            wrong.setdefault(row, (column, str(table.at[row, column]), "this is not a date or period"))
    return wrong
