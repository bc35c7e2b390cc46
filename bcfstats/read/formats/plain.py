"""A user's own tables: observations, one row per area, metric and period, or a list of areas.

Headings may be those of other tables ("Local authority", "Financial year"); months or years may stand across
the columns; England, regions and totals are set apart. Columns are lists here: files may be many and small.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from bcfstats.define.areas import AREA_COLUMNS, area_names, code_of, kind_of_place, known_codes
from bcfstats.define.metrics import CodeYearError, get_metric
from bcfstats.define.periods import Period, financial_year, is_plausible, parse_date
from bcfstats.errors import InputError, ParameterError
from bcfstats.read.headings import (
    areas_of,
    find_meant,
    has_meant,
    is_meant_in_words,
    is_period,
    meant_in_words,
    month_and_year,
    nearest_headings,
    one_row_a_period,
    periods_across,
)
from bcfstats.read.marks import Cell, read_column
from bcfstats.read.observations import AREA_TYPES, NUMBERS, OBSERVATION_TYPES, OTHER_TYPES, typed
from bcfstats.read.reading import FileReading, Refusal
from bcfstats.read.workbook import Book, Text, as_text, cell_text, find_table

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from bcfstats.define.metrics import Metric

KIND, KIND_AREAS = "plain table of observations", "list of areas"
_TELLING = {"area_type", "region", "region_code", "council_code", "board"}  # of a list of areas
_TEXTS = ("area_name", "frequency", "status", "status_note", "basis", "source")
_SHARES = ("value", "lower_ci", "upper_ci")  # columns that may be percentages
_APART = ("country", "region", "total")
_ENDS = ("period_start", "period_end")
_SHOWN = 5  # rows or cells named of many
Columns = dict[str, list[Any]]


class _Wrong(NamedTuple):
    """What is wrong in a row: the column, what stands there, the reason, and what to do."""

    column: str
    found: str
    reason: str
    do: str = ""


def recognises(source: Book | Text) -> bool:
    """Whether this has a metric, an area, and a value, a numerator, or periods across; or lists areas."""
    return has_meant(source, lambda names: _is_long(names) or _is_wide(names)) or _lists_areas(source)


def _is_long(names: set[str]) -> bool:
    numbers = {"value", "numerator"} & names or any(name.startswith("rate_per_") for name in names)
    return _named(names) and bool(numbers)


def _is_wide(names: set[str]) -> bool:
    return _named(names) and not {"period", *_ENDS} & names and len(periods_across(names)) > 1


def _named(names: set[str]) -> bool:
    return "metric" in names and bool({"area_code", "area"} & names)


def missing(source: Book | Text) -> tuple[str, str]:
    """Say what of a plain table was found in a file that is none, and what it lacks."""
    known, others = nearest_headings(source)
    names, across = set(known), periods_across(others)
    if not {"area", "area_code", "metric"} & names or (len(names) < 2 and len(across) < 2):
        return "", ""
    lacking = [] if "metric" in names else ["metric (the id of the metric, such as delayed_transfers)"]
    lacking += [] if {"area", "area_code"} & names else ["area"]
    if across:
        lacking += [] if "measure" in names else ["measure (numerator, denominator or value)"]
    else:
        lacking += [] if {"value", "numerator"} & names else ["value or numerator"]
        lacking += [] if {"period", *_ENDS} & names else ["period"]
    said = [name if name == heading else f"{name} ('{heading}')" for name, heading in known.items()]
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
        if table is None:
            return _read_areas(source)
        table = one_row_a_period(table, where)
    table, notes = _without_notes(table)
    rows, areas = table.index.tolist(), areas_of(table)
    cells: Columns = {str(name): table[name].tolist() for name in table}
    texts = {name: _text(cells, name, len(rows)) for name in (*_TEXTS, "metric")}
    given = cells.get("period", [""] * len(rows))
    pairs = list(zip(texts["metric"], given, strict=True))
    known = {pair: _metric(*pair, metrics) for pair in set(pairs)}
    undefined = {at: one for at, pair in enumerate(pairs) if isinstance(one := known[pair], str)}
    metric = [None if isinstance(one := known[pair], str) else one for pair in pairs]
    cells = _with_rate(cells, metric, where)
    percent = _percentages(cells, metric)
    numbers = {
        name: read_column(_without_sign(cells[name], percent.get(name, ())), "any")
        for name in NUMBERS
        if name in cells
    }
    frequency = [
        text or (one.frequency if one else "") for text, one in zip(texts["frequency"], metric, strict=True)
    ]
    ends, unread = _periods(table, cells, frequency, where)
    codes, names = known_codes(), area_names()
    area_codes = [codes.get(text, text) for text in areas]
    columns: Columns = {
        "basis": texts["basis"],
        "metric": [one.id if one else text for one, text in zip(metric, texts["metric"], strict=True)],
        **{name: [cell.value for cell in read] for name, read in numbers.items()},
        **ends,
        **_statuses(texts, numbers),
        "area_code": area_codes,
        "area_name": [
            names.get(code, text) for code, text in zip(area_codes, texts["area_name"], strict=True)
        ],
        "frequency": frequency,
        "vintage": _dates(cells["vintage"]) if "vintage" in cells else [None] * len(rows),
        "source": [text or where for text in texts["source"]],
    }
    unread |= _of_another_kind(cells, metric)
    for at, (text, end) in enumerate(zip(areas, ends["period_end"], strict=True)):
        if text != area_codes[at] and end and not code_of(text, text, end):
            reason = "the code came with new boundaries, after this period: whose figure it is cannot be told"
            unread[at] = _Wrong("area", text, reason)
    places = {text: kind_of_place(text) for text in set(columns["area_code"])}
    kinds = [places[text][1] for text in columns["area_code"]]
    apart = [at for at, kind in enumerate(kinds) if kind in _APART]
    own = [at for at, kind in enumerate(kinds) if kind not in _APART]
    wrong = _wrong(own, columns, cells, numbers, unread, undefined)
    for at, problem in _fractions(own, columns, metric, percent).items():
        wrong.setdefault(at, problem)
    return FileReading(
        path=source.path,
        kind=KIND,
        title=source.path.stem,
        observations=typed(_at(columns, [at for at in own if at not in wrong]), OBSERVATION_TYPES),
        others=typed(_others(columns, apart, metric, places), OTHER_TYPES),
        rows_read=len(rows),
        refused=tuple(_refusals(wrong, columns["area_code"], rows, where)),
        warnings=(*notes, *_told_apart([areas[at] for at in apart])),
    )


def _at(columns: Columns, places: list[int]) -> Columns:
    return {name: [cells[at] for at in places] for name, cells in columns.items()}


def _text(cells: Columns, name: str, length: int) -> list[str]:
    """Give a column as text without outer blanks; empty where it is not there."""
    return [cell_text(cell) for cell in cells[name]] if name in cells else [""] * length


def _metric(text: str, period: object, metrics: Mapping[str, Metric]) -> Metric | str:
    """Give the metric that a code or name meant in a period, or what to do where there is none."""
    try:
        return get_metric(text, metrics)
    except ParameterError as error:
        do = error.do
        needs_year = isinstance(error, CodeYearError)
    named = next(
        (
            one
            for one in metrics.values()
            if text.casefold() in (one.name.casefold(), one.short_name.casefold())
        ),
        None,
    )
    if named or not (needs_year or is_meant_in_words(text)):
        return named or do
    try:
        year = financial_year(Period.parse(period, "year").start).start.year
        if needs_year:
            return get_metric(f"{text} {year}/{(year + 1) % 100:02d}", metrics)
        return metrics[meant_in_words(text, year)["metric"]]
    except (ParameterError, KeyError):
        return "The name meant another measure in other years: write the id of the metric."


def _without_notes(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Part the rows of the table from notes below it, which fill one cell only."""
    if len(table.columns) <= 2:
        return table, []
    lines = zip(table.index, zip(*(table[name].tolist() for name in table), strict=True), strict=True)
    filled = {row: [text for cell in cells if (text := cell_text(cell))] for row, cells in lines}
    notes = {row: texts[0] for row, texts in filled.items() if len(texts) == 1}
    if not notes:
        return table, []
    shown = "; ".join(f"row {row}: '{text[:80]}'" for row, text in list(notes.items())[:_SHOWN])
    return table.drop(index=list(notes)), [f"Taken for notes, as only one cell is filled: {shown}."]


def _others(
    columns: Columns, apart: list[int], metric: list[Metric | None], places: Mapping[str, tuple[str, str]]
) -> Columns:
    """Give the rows of England and regions, under their codes; totals are of nobody knows which areas."""
    kinds = [places[code] for code in columns["area_code"]]
    kept = [at for at in apart if kinds[at][1] != "total" and all(columns[name][at] for name in _ENDS)]
    return _at(columns, kept) | {
        "area_type": [kinds[at][1] for at in kept],
        "area_code": [kinds[at][0] for at in kept],
        "metric": [one.id if (one := metric[at]) else "" for at in kept],
    }


def _told_apart(areas: list[str]) -> list[str]:
    if not areas:
        return []
    shown = ", ".join(f"{name} ({count})" for name, count in Counter(areas).items())
    return [f"Rows that are no area's were set apart: {shown}."]


def _with_rate(cells: Columns, metric: list[Metric | None], where: str) -> Columns:
    """Take a column such as "rate per 100,000" for the value, where that is what the metrics are per."""
    rates = [name for name in cells if name.startswith("rate_per_")]
    if "value" in cells or not rates:
        return cells
    per = float(rates[0].removeprefix("rate_per_"))
    measured = {one.id: one for one in metric if one}.values()
    if all(one.multiplier == per for one in measured):
        return {"value" if name == rates[0] else name: column for name, column in cells.items()}
    if "numerator" not in cells:
        raise InputError(
            f"The rates are per {per:,.0f}, and those of the metric are not.",
            where=where,
            found=", ".join(f"{one.id}: per {one.multiplier:,.0f}" for one in list(measured)[:3]),
            do="Give numerator and denominator, or the value in the metric's unit.",
        )
    return cells


def _of_another_kind(cells: Columns, metric: list[Metric | None]) -> dict[int, _Wrong]:
    """Find the rows whose column "measure" says that the value is a count, or per other people."""
    wrong: dict[int, _Wrong] = {}
    for at, cell in enumerate(cells["measure"]) if {"measure", "value"} <= set(cells) else ():
        text = cell_text(cell).casefold()
        per = re.search(r"per (\d[\d,]*)", text)
        other = per and (one := metric[at]) and float(per[1].replace(",", "")) != one.multiplier
        if other or re.match(r"(count|number|numerator|denominator|population)\b", text):
            do = "Give values in the metric's unit, and counts in a column 'numerator'."
            wrong[at] = _Wrong("measure", cell_text(cell)[:80], "this is not the value of the metric", do)
    return wrong


def _percentages(cells: Columns, metric: list[Metric | None]) -> dict[str, set[int]]:
    """Find the cells that are written as percentages, where the metric is one."""
    of_hundred = [one is not None and one.multiplier == 100 for one in metric]
    return {
        name: {
            at
            for at, cell in enumerate(cells[name])
            if of_hundred[at] and isinstance(cell, str) and cell.rstrip().endswith("%")
        }
        for name in _SHARES
        if name in cells
    }


def _without_sign(cells: list[Any], percent: Collection[int]) -> list[Any]:
    if not percent:
        return cells
    return [cell.rstrip().rstrip("%") if at in percent else cell for at, cell in enumerate(cells)]


def _fractions(
    own: list[int], columns: Columns, metric: list[Metric | None], percent: Mapping[str, set[int]]
) -> dict[int, _Wrong]:
    """Find the metrics in per cent of which every plain value lies between 0 and 1: these may be fractions.

    Counts that give the value as a percentage show that it is one.
    """
    of_metric: dict[str, list[int]] = {}
    for at in own if "value" in columns else ():
        one = metric[at]
        if (
            one
            and one.multiplier == 100
            and at not in percent["value"]
            and columns["value"][at] == columns["value"][at]
        ):
            of_metric.setdefault(one.id, []).append(at)
    wrong: dict[int, _Wrong] = {}
    for name, places in of_metric.items():
        values = [columns["value"][at] for at in places]
        if not all(0 <= value <= 1 for value in values) or not any(values):
            continue
        if all(_is_quotient(columns, at) for at in places):
            continue
        reason = f"all values of {name}, which is in per cent, lie between 0 and 1: they may be fractions"
        do = "Write 85.7 or 85.7%, or give the cells the format of percentages."
        wrong |= {at: _Wrong("value", f"{columns['value'][at]:.10g}", reason, do) for at in places}
    return wrong


def _is_quotient(columns: Columns, at: int) -> bool:
    counts = [columns[name][at] if name in columns else math.nan for name in ("numerator", "denominator")]
    return counts[1] > 0 and abs(counts[0] / counts[1] * 100 - columns["value"][at]) < 0.051


def _periods(
    table: pd.DataFrame, cells: Columns, frequency: list[str], where: str
) -> tuple[Columns, dict[int, _Wrong]]:
    """Read each row's first and last day; where it has none, say why."""
    if set(_ENDS) <= set(cells):
        dates = {name: _dates(cells[name]) for name in _ENDS}
        return dates, {
            at: _Wrong(name, cell_text(cells[name][at]), "this is not a date or period")
            for name in reversed(_ENDS)
            for at, day in enumerate(dates[name])
            if day is None
        }
    column = "period" if "period" in cells else "month and year"
    given = cells["period"] if "period" in cells else month_and_year(table)
    if given is None:
        lacking = next(name for name in _ENDS if name not in cells)
        raise InputError(
            f"The table has no column '{lacking}'.",
            where=where,
            found=", ".join(name for name in cells if name),
            do="Give each row 'period_start' and 'period_end', or 'period'.",
        )
    months = "month" in frequency and any(map(_is_surely_month, set(given)))
    pairs = list(zip(given, frequency, strict=True))
    read = {pair: _period(*pair, months=months) for pair in set(pairs)}
    periods = [read[pair] for pair in pairs]
    unread = {
        at: _Wrong(column, cell_text(given[at]), *one)
        for at, one in enumerate(periods)
        if not isinstance(one, Period)
    }
    return {
        name: [getattr(one, end, None) for one in periods]
        for name, end in zip(_ENDS, ("start", "end"), strict=True)
    }, unread


def _is_surely_month(cell: object) -> bool:
    """Whether this is a month in the form "2012-05", which can be nothing else."""
    text = cell_text(cell)
    return len(text) == 7 and text[4] == "-" and is_period(text) and Period.parse(text).n_months == 1


def _period(cell: object, frequency: str, *, months: bool) -> Period | tuple[str, str]:
    """Read a period, or give the reason why it cannot be read and what to do.

    Among months such as "2012-05" of a monthly metric, "2011-12" is a month too. A year alone may be a
    calendar year, or the financial year that begins or ends in it.
    """
    text = cell_text(cell)
    if re.fullmatch(r"(19|20)\d\d(\.0)?", text):
        year = int(text[:4])
        do = f"Write {year}/{(year + 1) % 100:02d} or {year - 1}/{year % 100:02d}, or {year}-01/{year}-12."
        return "which financial year is meant, or whether the calendar year is, cannot be told", do
    try:
        if months and frequency == "month" and isinstance(cell, str) and len(text) == 7:
            cell = f"{text}/{text}" if text[4] == "-" else cell
        period = Period.parse(cell, frequency)
    except ParameterError as error:
        return f"this is not a date or period: {error.what[0].lower()}{error.what[1:]}", error.do
    if is_plausible(period.start, period.end):
        return period
    return "this is not a date or period", ""


def _dates(cells: list[Any]) -> list[date | None]:
    read = {cell: parse_date(cell) for cell in set(cells)}
    return [read[cell] for cell in cells]


def _statuses(texts: Mapping[str, list[str]], numbers: Mapping[str, list[Cell]]) -> Columns:
    """Fill in statuses that are not given: what marks say where neither value nor numerator is there."""
    main = [numbers[name] for name in ("value", "numerator") if name in numbers]
    statuses, notes = [], []
    for at, (status, note) in enumerate(zip(texts["status"], texts["status_note"], strict=True)):
        cells = [read[at] for read in main]
        there = any(cell.value == cell.value for cell in cells)
        hidden = any(cell.status == "suppressed" for cell in cells)
        usual = "ok" if there else "suppressed" if hidden else "not_available"
        said = [
            note,
            *(f"{name} {read[at].note}" for name, read in numbers.items() if read[at].status == "suppressed"),
        ]
        if not there and not hidden and not any(said):
            said.append(cells[0].note)
        statuses.append(status.casefold() or usual)
        notes.append("; ".join(filter(None, said)))
    return {"status": statuses, "status_note": notes}


def _wrong(
    own: list[int],
    columns: Columns,
    cells: Columns,
    numbers: Mapping[str, list[Cell]],
    unread: Mapping[int, _Wrong],
    undefined: Mapping[int, str],
) -> dict[int, _Wrong]:
    """Name the first thing wrong in each row that cannot be read."""
    wrong: dict[int, _Wrong] = {}
    for at in own:
        name = columns["metric"][at]
        blank = [what for what, text in (("metric", name), ("area", columns["area_code"][at])) if not text]
        if blank:
            reason = f"the row names no {blank[0]}; merged cells name it only once"
            wrong[at] = _Wrong(blank[0], "nothing", reason)
        elif at in undefined:
            wrong[at] = _Wrong("metric", name[:80], "this metric is not defined", undefined[at])
        elif text := next((column for column, read in numbers.items() if not read[at].status), ""):
            shown = cell_text(cells[text][at])
            what = "this is a percentage" if shown.endswith("%") else "this is text"
            wrong[at] = _Wrong(text, shown, f"{what} where a number belongs")
        elif at in unread:
            wrong[at] = unread[at]
    return wrong


def _refusals(wrong: Mapping[int, _Wrong], areas: list[str], rows: list[Any], where: str) -> list[Refusal]:
    """Give one refusal a reason, with the number of rows and the first of them."""
    groups: dict[tuple[str, str], list[int]] = {}
    for at in sorted(wrong):
        groups.setdefault((wrong[at].column, wrong[at].reason), []).append(at)
    refusals = []
    for (column, reason), places in groups.items():
        place = f"row {rows[places[0]]}, {areas[places[0]]}"
        if len(places) > 1:
            more = f" and {len(places) - _SHOWN:,} more" if len(places) > _SHOWN else ""
            place = f"{len(places):,} rows ({', '.join(str(rows[at]) for at in places[:_SHOWN])}{more})"
        shown = list(dict.fromkeys(wrong[at].found for at in places))
        cells = ", ".join(shown[:_SHOWN]) + (", ..." if len(shown) > _SHOWN else "")
        reason = ". ".join(filter(None, (reason.rstrip("."), wrong[places[0]].do)))
        refusals.append(Refusal(f"{where}, {place}, {column}", cells, reason, len(places)))
    return refusals


# A list of areas


def _lists_areas(source: Book | Text) -> bool:
    """Whether this has codes and names of areas, something more about them, and no figures."""
    table = find_table(source, "area_code", "area_name")
    if table is None:
        return False
    names = set(table.columns)
    return not names & {"metric", "value", "numerator", "period"} and bool(names & _TELLING)


def _read_areas(source: Book | Text) -> FileReading:
    """Read a list of areas: `area_code area_name`, and any other columns of the register."""
    table = find_table(source, "area_code", "area_name")
    assert table is not None
    columns = [name for name in AREA_COLUMNS if name in table.columns]
    texts = as_text(table[columns])
    again = texts.duplicated("area_code") & (texts["area_code"] != "")
    blank = (texts["area_code"] == "") | (texts["area_name"] == "")
    empty = (texts == "").all(axis="columns")
    refused = [
        Refusal(f"{source.path.name}, row {row}", texts.at[row, "area_code"], reason)
        for rows, reason in (
            (again, "this code stands there more than once; the first row counts"),
            (blank & ~empty, "an area needs a code and a name"),
        )
        for row in texts.index[rows]
    ]
    return FileReading(
        path=source.path,
        kind=KIND_AREAS,
        title=source.path.stem,
        areas=typed(texts[~(again | blank)], AREA_TYPES),
        rows_read=int((~empty).sum()),
        refused=tuple(refused),
    )
