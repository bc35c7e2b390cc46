"""A plain table of observations as a user keeps it: one row per area, metric and period, CSV or workbook.

Headings may be those of other tables ("Local authority", "Financial year"); months or years may stand across
the columns; England, regions and totals are set apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from bcfstats.define.areas import kind_of_place, known_codes
from bcfstats.define.metrics import get_metric
from bcfstats.define.periods import Period, is_plausible, parse_date
from bcfstats.errors import InputError, ParameterError
from bcfstats.read.across import is_period, one_row_a_period, periods_across
from bcfstats.read.headings import areas_of, find_meant, month_and_year, nearest_headings
from bcfstats.read.marks import read_column
from bcfstats.read.observations import NUMBERS, OBSERVATION_TYPES, OTHER_TYPES, add_note, typed
from bcfstats.read.reading import FileReading, Refusal
from bcfstats.read.workbook import Book, Text, cell_text

if TYPE_CHECKING:
    from bcfstats.define.metrics import Metric

KIND = "plain table of observations"
_TEXTS = ("area_name", "frequency", "status", "status_note", "basis", "source")
_SHARES = ("value", "lower_ci", "upper_ci")  # columns that may be percentages
_APART = ("country", "region", "total")
_PARTS = ("numerator", "denominator", "value")
_ENDS = ("period_start", "period_end")
_SHOWN = 5  # rows or cells named of many


class _Wrong(NamedTuple):
    """What is wrong in a row: the column, what stands there, the reason, and what to do."""

    column: str
    found: str
    reason: str
    do: str = ""


def recognises(source: Book | Text) -> bool:
    """Whether this has a metric, an area, and a value, a numerator, or periods across the columns."""
    return find_meant(source, lambda names: _is_long(names) or _is_wide(names)) is not None


def _is_long(names: set[str]) -> bool:
    numbers = {"value", "numerator"} & names or any(name.startswith("rate_per_") for name in names)
    return _named(names) and bool(numbers)


def _is_wide(names: set[str]) -> bool:
    return _named(names) and not {"period", *_ENDS} & names and len(periods_across(names)) > 1


def _named(names: set[str]) -> bool:
    return "metric" in names and bool({"area_code", "area"} & names)


def missing(source: Book | Text) -> tuple[str, str]:
    """Say what of a plain table was found in a file that is none, and what it lacks."""
    found, others = nearest_headings(source)
    names, across = set(found), periods_across(others)
    if not {"area", "area_code", "metric"} & names or (len(names) < 2 and len(across) < 2):
        return "", ""
    lacking = [] if "metric" in names else ["metric (the id of the metric, such as delayed_transfers)"]
    lacking += [] if {"area", "area_code"} & names else ["area"]
    if across:
        lacking += [] if "measure" in names else ["measure (numerator, denominator or value)"]
    else:
        lacking += [] if {"value", "numerator"} & names else ["value or numerator"]
        lacking += [] if {"period", *_ENDS} & names else ["period"]
    said = [name if name == heading else f"{name} ('{heading}')" for name, heading in found.items()]
    said += [f"{len(across)} periods across the columns (from {across[0]} to {across[-1]})"] if across else []
    return "a table with " + ", ".join(said), f"To be read it needs also: {', '.join(lacking)}. "


def read(source: Book | Text, metrics: Mapping[str, Metric]) -> FileReading:
    """Read a plain table of observations; rows that cannot be read are refused, and named by reason.

    Areas that are not in the register stand as they are written; `place.place` finds their codes.
    """
    where = source.path.name
    table = find_meant(source, _is_long)
    if table is None:
        table = find_meant(source, _is_wide)
        assert table is not None
        table = one_row_a_period(table, where)
    table, notes = _without_notes(table)
    area = areas_of(table)
    known = {text: _metric(text, metrics) for text in _text(table, "metric").unique()}
    undefined = {text: one for text, one in known.items() if isinstance(one, str)}
    metric = _text(table, "metric").map({**known, **dict.fromkeys(undefined)})
    table = _with_rate(table, metric, where)
    percent = _percentages(table, metric)
    numbers = {
        name: read_column(_without_sign(table[name], percent.get(name)), "any")
        for name in NUMBERS
        if name in table.columns
    }
    texts = {name: _text(table, name) for name in _TEXTS}
    frequency = texts["frequency"].mask(
        texts["frequency"] == "", metric.map(lambda one: one.frequency if one else "").astype("str")
    )
    periods, unread = _periods(table, frequency, where)
    frame = pd.DataFrame({name: read["value"] for name, read in numbers.items()} | texts).assign(
        area_code=area.map(lambda code: known_codes().get(code, code)),
        metric=_text(table, "metric"),
        vintage=_dates(table["vintage"]) if "vintage" in table.columns else pd.NaT,
        source=texts["source"].mask(texts["source"] == "", where),
        **periods,
    )
    places = {text: kind_of_place(text) for text in frame["area_code"].unique()}
    kinds = frame["area_code"].map({text: kind for text, (_, kind) in places.items()})
    apart = kinds.isin(_APART)
    wrong = _wrong(table, frame[~apart], numbers, unread, undefined)
    for row, problem in _fractions(frame[~apart], metric, percent).items():
        wrong.setdefault(row, problem)
    frame = _with_status(frame, numbers)
    return FileReading(
        path=source.path,
        kind=KIND,
        title=source.path.stem,
        observations=typed(frame[~apart].drop(index=list(wrong)), OBSERVATION_TYPES),
        others=typed(_others(frame[apart], metric, kinds, places), OTHER_TYPES),
        rows_read=len(frame),
        refused=tuple(_refusals(wrong, frame, where)),
        warnings=(*notes, *_told_apart(area[apart])),
    )


def _text(table: pd.DataFrame, name: str) -> pd.Series:
    """Give a column as text without outer blanks; empty where it is not there."""
    if name not in table.columns:
        return pd.Series("", table.index, dtype="str")
    cells = table[name]
    return cells.map(cell_text) if cells.dtype == object else cells.str.strip()


def _metric(text: str, metrics: Mapping[str, Metric]) -> Metric | str:
    """Give the metric, or what to do where there is none."""
    try:
        return get_metric(text, metrics)
    except ParameterError as error:
        return error.do


def _without_notes(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Part the rows of the table from notes below it, which fill one cell only."""
    filled = (table.map(cell_text) != "").sum(axis="columns")
    notes = table[filled == 1] if len(table.columns) > 2 else table.iloc[:0]
    if notes.empty:
        return table, []
    shown = "; ".join(
        f"row {row}: '{''.join(map(cell_text, cells))[:80]}'"
        for row, *cells in notes.head(_SHOWN).itertuples()
    )
    return table.drop(index=notes.index), [f"Taken for notes, as only one cell is filled: {shown}."]


def _others(
    frame: pd.DataFrame, metric: pd.Series, kinds: pd.Series, places: Mapping[str, tuple[str, str]]
) -> pd.DataFrame:
    """Give the rows of England and regions, under their codes; totals are of nobody knows which areas."""
    rows = frame[(kinds.reindex(frame.index) != "total") & frame[list(_ENDS)].notna().all(axis="columns")]
    return rows.assign(
        area_type=kinds.reindex(rows.index),
        area_code=rows["area_code"].map({text: code for text, (code, _) in places.items()}),
        metric=metric.reindex(rows.index).map(lambda one: one.id if one else ""),
    )


def _told_apart(areas: pd.Series) -> list[str]:
    if areas.empty:
        return []
    counts = areas.value_counts(sort=False)
    shown = ", ".join(f"{name} ({count})" for name, count in counts.items())
    return [f"Rows that are no area's were set apart: {shown}."]


def _with_rate(table: pd.DataFrame, metric: pd.Series, where: str) -> pd.DataFrame:
    """Take a column such as "rate per 100,000" for the value, where that is what the metrics are per."""
    rates = [name for name in table.columns if str(name).startswith("rate_per_")]
    if "value" in table.columns or not rates:
        return table
    per = float(rates[0].removeprefix("rate_per_"))
    multipliers = {one.multiplier for one in metric if one}
    if multipliers - {per} and not {"numerator"} & set(table.columns):
        raise InputError(
            f"The rates are per {per:,.0f}, and those of the metric are not.",
            where=where,
            found=", ".join(f"{one.id}: per {one.multiplier:,.0f}" for one in metric.dropna().unique()[:3]),
            do="Give numerator and denominator, or the value in the metric's unit.",
        )
    return table if multipliers - {per} else table.rename(columns={rates[0]: "value"})


def _percentages(table: pd.DataFrame, metric: pd.Series) -> dict[str, pd.Series]:
    """Mark the cells that are written as percentages, where the metric is one."""
    of_hundred = metric.map(lambda one: one is not None and one.multiplier == 100).astype(bool)
    return {
        name: of_hundred & table[name].map(lambda cell: isinstance(cell, str) and cell.rstrip().endswith("%"))
        for name in _SHARES
        if name in table.columns
    }


def _without_sign(cells: pd.Series, percent: pd.Series | None) -> pd.Series:
    if percent is None or not percent.any():
        return cells
    return cells.mask(percent, cells[percent].map(lambda cell: str(cell).rstrip().rstrip("%")))


def _fractions(frame: pd.DataFrame, metric: pd.Series, percent: Mapping[str, pd.Series]) -> dict[int, _Wrong]:
    """Find the metrics in per cent of which every plain value lies between 0 and 1: these may be fractions.

    Counts that give the value as a percentage show that it is one.
    """
    wrong: dict[int, _Wrong] = {}
    if "value" not in frame.columns:
        return wrong
    plain = frame[~percent["value"].reindex(frame.index) & frame["value"].notna()]
    for one, rows in plain.groupby(metric.map(lambda one: one.id if one else "").reindex(plain.index)):
        kind = metric[rows.index[0]]
        share = kind is not None and kind.multiplier == 100
        if not share or not rows["value"].between(0, 1).all() or not rows["value"].any():
            continue
        counts = rows.reindex(columns=["numerator", "denominator"])
        if ((counts["numerator"] / counts["denominator"] * 100 - rows["value"]).abs() < 0.051).all():
            continue
        reason = f"all values of {one}, which is in per cent, lie between 0 and 1: they may be fractions"
        do = "Write 85.7 or 85.7%, or give the cells the format of percentages."
        wrong |= {row: _Wrong("value", f"{value:.10g}", reason, do) for row, value in rows["value"].items()}
    return wrong


def _periods(
    table: pd.DataFrame, frequency: pd.Series, where: str
) -> tuple[dict[str, pd.Series], dict[int, _Wrong]]:
    """Read each row's first and last day; where it has none, say why."""
    if set(_ENDS) <= set(table.columns):
        dates = {name: _dates(table[name]) for name in _ENDS}
        return dates, {
            row: _Wrong(name, cell_text(table.at[row, name]), "this is not a date or period")
            for name in reversed(_ENDS)
            for row in table.index[dates[name].isna()]
        }
    cells, column = month_and_year(table), "month and year"
    if "period" in table.columns:
        cells, column = table["period"], "period"
    if cells is None:
        lacking = next(name for name in _ENDS if name not in table.columns)
        raise InputError(
            f"The table has no column '{lacking}'.",
            where=where,
            found=", ".join(str(name) for name in table.columns if name),
            do="Give each row 'period_start' and 'period_end', or 'period'.",
        )
    months = frequency.eq("month").any() and any(_is_surely_month(cell) for cell in cells.unique())
    pairs = pd.Series(list(zip(cells, frequency, strict=True)), table.index, dtype=object)
    read = {pair: _period(*pair, months=months) for pair in pairs.unique()}
    found = pairs.map(read)
    unread = {
        row: _Wrong(column, cell_text(cells[row]), *found[row])
        for row in table.index
        if isinstance(found[row], tuple)
    }
    return {
        name: pd.to_datetime(found.map(lambda one, end=end: getattr(one, end, None)))
        for name, end in zip(_ENDS, ("start", "end"), strict=True)
    }, unread


def _is_surely_month(cell: object) -> bool:
    """Whether this is a month in the form "2012-05", which can be nothing else."""
    text = cell_text(cell)
    return len(text) == 7 and text[4] == "-" and is_period(text) and Period.parse(text).n_months == 1


def _period(cell: object, frequency: str, *, months: bool) -> Period | tuple[str, str]:
    """Read a period, or give the reason why it cannot be read and what to do.

    Among months such as "2012-05" of a monthly metric, "2011-12" is a month too.
    """
    try:
        if months and frequency == "month" and isinstance(cell, str) and len(cell.strip()) == 7:
            cell = f"{cell.strip()}/{cell.strip()}" if cell.strip()[4] == "-" else cell
        period = Period.parse(cell, frequency)
    except ParameterError as error:
        return f"this is not a date or period: {error.what[0].lower()}{error.what[1:]}", error.do
    if is_plausible(period.start, period.end):
        return period
    return "this is not a date or period", ""


def _dates(cells: pd.Series) -> pd.Series:
    read = {cell: parse_date(cell) for cell in cells.unique()}
    return pd.to_datetime(cells.map(read))


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
    table: pd.DataFrame,
    frame: pd.DataFrame,
    numbers: dict[str, pd.DataFrame],
    unread: Mapping[int, _Wrong],
    undefined: Mapping[str, str],
) -> dict[int, _Wrong]:
    """Name the first thing wrong in each row that cannot be read."""
    wrong: dict[int, _Wrong] = {}
    for name, column in (("area_code", "area"), ("metric", "metric")):
        for row in frame.index[frame[name] == ""]:
            wrong[row] = _Wrong(
                column, "nothing", f"the row names no {column}; merged cells name it only once"
            )
    for row in frame.index[frame["metric"].isin(list(undefined))]:
        name = frame.at[row, "metric"]
        wrong.setdefault(row, _Wrong("metric", name[:80], "this metric is not defined", undefined[name]))
    for name, read in numbers.items():
        for row in frame.index[read["status"].reindex(frame.index) == ""]:
            found = cell_text(table.at[row, name])
            what = "this is a percentage" if found.endswith("%") else "this is text"
            wrong.setdefault(row, _Wrong(name, found, f"{what} where a number belongs"))
    for row, problem in unread.items():
        if row in frame.index:
            wrong.setdefault(row, problem)
    return wrong


def _refusals(wrong: Mapping[int, _Wrong], frame: pd.DataFrame, where: str) -> list[Refusal]:
    """Give one refusal a reason, with the number of rows and the first of them."""
    groups: dict[tuple[str, str], list[int]] = {}
    for row in sorted(wrong):
        groups.setdefault((wrong[row].column, wrong[row].reason), []).append(row)
    refusals = []
    for (column, reason), rows in groups.items():
        place = f"row {rows[0]}, {frame.at[rows[0], 'area_code']}"
        if len(rows) > 1:
            more = f" and {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else ""
            place = f"{len(rows):,} rows ({', '.join(map(str, rows[:_SHOWN]))}{more})"
        cells = list(dict.fromkeys(wrong[row].found for row in rows))
        found = ", ".join(cells[:_SHOWN]) + (", ..." if len(cells) > _SHOWN else "")
        reason = ". ".join(filter(None, (reason.rstrip("."), wrong[rows[0]].do)))
        refusals.append(Refusal(f"{where}, {place}, {column}", found, reason, len(rows)))
    return refusals
