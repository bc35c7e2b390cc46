"""Measures from the Adult Social Care Outcomes Framework: open data, and since 2023-24 tables.

Open data (NHS Digital, HSCIC) are one file a year with one row a figure. The tables are a workbook with one
sheet a measure, which is known by its name and year: codes such as 2C have meant several measures over time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from bcfstats.define.areas import NOT_LISTED, area_names, code_of
from bcfstats.define.datafiles import read_rows
from bcfstats.define.metrics import CODES, METRICS, CodeYears, Metric
from bcfstats.define.periods import Period, financial_year
from bcfstats.errors import InputError, ParameterError
from bcfstats.read.headings import meant_in_words
from bcfstats.read.marks import Cell, NotANumber, parse_number, read_cell
from bcfstats.read.observations import (
    NOT_THE_QUOTIENT,
    POPULATION_TYPES,
    TO_NEAREST_5,
    check_observations,
    typed,
)
from bcfstats.read.reading import Check, FileReading, Refusal, by_area, place_of
from bcfstats.read.workbook import Book, Rows, Text, as_text, cell_text, find_table, has_table

FRAMEWORK = "ASCOF"
KIND = "Measures from the Adult Social Care Outcomes Framework"
KIND_TABLES = f"{KIND}, one table a measure"
ADULTS = "2C1"  # its denominator is the population aged 18 and over
FIRST_YEAR_OF_SALT = 2014
_COLUMNS = (
    "ASCOF Measure Code",
    "Disaggregation Level",
    "Measure Type",
    "Measure Value",
    "Geographical Level",
    "Geographical Code",
    "Geographical Description",
)
_YEARS = ("financial year", "reporting period", "reporting year", "year", "fin year")
_HEADINGS = ("local authority code", "local authority", "ons area code")
_COLUMN = re.compile(r"(\d{4}) to (\d{4}) - (numerator|denominator|outcome)")
_TITLE_ROWS = 20
_NOT_THERE = Cell(math.nan, "not_available", "not in the file")
_ENOUGH_COUNTS = 5  # by chance all of five counts are multiples of 5 once in 3,000 times


class _Entry(NamedTuple):
    """One measure of one place: its published cells by type."""

    level: str
    code: str
    name: str
    measure: str
    row: int
    cells: dict[str, Cell]

    def number(self, kind: str) -> float:
        return self.cells[kind].value if kind in self.cells else math.nan


def recognises(source: Book | Text) -> bool:
    """Whether this has the columns of the open-data file, or tables of measures by council and year."""
    if has_table(source, *_COLUMNS):
        return True
    return isinstance(source, Book) and next(_tables(source), None) is not None


def read(source: Book | Text) -> FileReading:
    """Read the measures the fund uses, and where it is there the adult population behind 2C(1)."""
    table = find_table(source, *_COLUMNS)
    if table is None:
        assert isinstance(source, Book)
        return _read_tables(source)
    table = as_text(table)
    refused: list[Refusal] = []
    rows: list[dict[str, Any]] = []
    populations, warnings, years = [], [], []
    for part, column in _by_year(table):
        entries = list(_entries(part, source.path.name, refused))
        start, how = column or _year(part, entries, source)
        year = financial_year(date(start, 4, 1))
        metrics = _metrics_in(start)
        rounded = _rounded(entries, metrics)
        rows += [
            _row(entry, METRICS[metrics[entry.measure]], year, rounded, source.path.name)
            for entry in entries
            if entry.measure in metrics
        ]
        populations.append(_populations(entries, start, source.path.name))
        others = sorted({entry.measure for entry in entries} - {*metrics, ADULTS})
        warnings += [f"The year {year.label} was told from {how}."]
        warnings += [
            f"In {year.label} the code {code} is that of another measure: left out." for code in others
        ]
        years.append(year.label)
    frames = by_area(rows)
    return FileReading(
        path=source.path,
        kind=KIND,
        publisher="NHS Digital (HSCIC)",
        title=KIND,
        period=" to ".join(dict.fromkeys([min(years), max(years)])),
        **frames,
        populations=typed(pd.concat(populations), POPULATION_TYPES),
        rows_read=len(table),
        refused=tuple(refused),
        checks=tuple(_quotients(frames["observations"])),
        warnings=tuple(warnings),
    )


def _by_year(table: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, tuple[int, str] | None]]:
    """Part a file of several years by its column of years; a file of one year may have none."""
    column = next((name for name in _YEARS if name in table.columns), None)
    if column is None or not len(table):
        yield table, None
        return
    for written, rows in table.groupby(column, sort=True):
        try:
            year = Period.parse(written, "year")
        except ParameterError as error:
            raise InputError(error.what, where=f"the column '{column}'", found=f"'{written}'") from None
        if year != financial_year(year.start):
            raise InputError(
                "A year of the framework is a financial year.",
                where=f"the column '{column}'",
                found=f"'{written}'",
                do=f"Write {financial_year(year.end).label}, if that is meant.",
            )
        yield rows, (year.start.year, f"the column '{column}'")


def _entries(table: pd.DataFrame, where: str, refused: list[Refusal]) -> Iterator[_Entry]:
    """Bring the rows of one place and measure together; only totals, not age groups or sexes."""
    table = table.assign(measure=table["ascof measure code"].map(_measure))
    ons = next((name for name in table.columns if name.startswith("ons ")), "geographical code")
    wanted = table[table["measure"].isin([*(_measure(one.code) for one in _measures()), ADULTS])]
    wanted = wanted[wanted["disaggregation level"].str.strip().str.casefold() == "total"]
    keys = ["geographical level", ons, "geographical code", "geographical description", "measure"]
    for (level, code, council, name, measure), rows in wanted.groupby(keys, sort=False):
        cells: dict[str, Cell] = {}
        place = f"{where}, {name}, {measure}"
        for number, kind, value in zip(rows.index, rows["measure type"], rows["measure value"], strict=True):
            try:
                cell = read_cell(value, "ASCOF")
            except NotANumber:
                cell = Cell(math.nan, "not_available", f"'{value}' is not a number")
                refused.append(Refusal(f"{place}, row {number}, {kind}", str(value), "this is not a number"))
            if not _same(cells.setdefault(kind.strip().casefold(), cell), cell):
                refused.append(
                    Refusal(f"{place}, row {number}, {kind}", str(value), "given twice, differently")
                )
                cells[kind.strip().casefold()] = Cell(math.nan, "not_available", "given twice, differently")
        yield _Entry(
            level.strip().casefold(),
            _place(level, code, council),
            name.strip(),
            measure,
            int(rows.index[0]),
            cells,
        )


def _same(one: Cell, other: Cell) -> bool:
    return one.value == other.value or (math.isnan(one.value) and math.isnan(other.value))


def _measure(code: object) -> str:
    """Give a measure code in one spelling: "2A(2)_1415", "2A(2)" and "2A2" are the same."""
    return re.sub(r"_\d{4}$|[()\s]", "", str(code).strip()).upper()


def _place(level: str, ons: str, council: str) -> str:
    if level.strip().casefold() != "council":
        return ons.strip() if re.fullmatch(r"E\d{8}", ons.strip()) else council.strip()
    return code_of(ons, council) or ons.strip()


def _year(table: pd.DataFrame, entries: list[_Entry], source: Book | Text) -> tuple[int, str]:
    """Tell the first calendar year of the financial year, by content if possible."""
    for code in table["ascof measure code"].unique():
        if match := re.search(r"_(\d\d)\d\d$", str(code).strip()):
            return 2000 + int(match[1]), f"the measure code '{code}'"
    england = [entry for entry in entries if entry.measure == "2A2" and entry.level == "england"]
    for entry in england:
        for known in _known_years():
            if entry.number("denominator") == parse_number(known["england_aged_65_and_over"]):
                return int(known["year"]), "England's population aged 65 and over in 2A(2)"
            if entry.number("outcome") == parse_number(known["england_2a2"]):
                return int(known["year"]), "England's value of 2A(2)"
    match = re.search(r"(?<!\d)(?:20)?(\d\d)[-_ ]?(\d\d)(?!\d)", source.path.stem)
    if match and int(match[2]) == int(match[1]) + 1:
        return 2000 + int(match[1]), "the file name, as its content does not say"
    raise InputError(
        "The year of this file cannot be told from its content.",
        where=source.path.name,
        do="Put the year into the file name, for example '2017-18', and try again.",
    )


@cache
def _known_years() -> tuple[dict[str, str], ...]:
    return read_rows(Path(__file__).with_name("outcomes_framework_years.csv"))


@cache
def _measures() -> tuple[CodeYears, ...]:
    """List what each code has meant: those that changed their meaning, and those of the registry."""
    changed = [one for one in CODES if one.framework == FRAMEWORK]
    others = [
        CodeYears(FRAMEWORK, metric.code, "", "", metric.id, metric.name)
        for metric in METRICS.values()
        if metric.framework == FRAMEWORK and metric.code not in {one.code for one in changed}
    ]
    return tuple(one for one in (*changed, *others) if one.metric)


def _metrics_in(year: int) -> dict[str, str]:
    """Give the metric of each measure code as it was in a year: a code may become that of another measure."""
    return {_measure(one.code): one.metric for one in _measures() if one.holds(year)}


def _rounded(entries: list[_Entry], measures: Iterable[str]) -> set[tuple[str, str]]:
    """Find the counts published to the nearest 5: measure and type where every council's is a multiple.

    It takes as many counts as cannot all be multiples by chance; numerators and denominators count together.
    """
    rounded: set[tuple[str, str]] = set()
    for measure in measures:
        councils = [entry for entry in entries if entry.measure == measure and entry.level == "council"]
        counts = {
            kind: [number for entry in councils if not math.isnan(number := entry.number(kind))]
            for kind in ("numerator", "denominator")
        }
        whole = {kind: numbers for kind, numbers in counts.items() if all(n % 5 == 0 for n in numbers)}
        if sum(map(len, whole.values())) >= _ENOUGH_COUNTS:
            rounded |= {(measure, kind) for kind, numbers in whole.items() if numbers}
    return rounded


def _row(
    entry: _Entry, metric: Metric, year: Period, rounded: set[tuple[str, str]], source: str
) -> dict[str, Any]:
    outcome = entry.cells.get("outcome", _NOT_THERE)
    lower, upper, notes = _interval(entry, metric.kind.is_share)
    status = outcome.status
    coarse = [kind for kind in ("numerator", "denominator") if (entry.measure, kind) in rounded]
    if status == "ok" and coarse:
        status = "rounded" if "numerator" in coarse else status
        notes.append(f"{' and '.join(coarse)} {TO_NEAREST_5}")
    return {
        "area_code": entry.code,
        "area_name": area_names().get(entry.code, entry.name),
        "area_type": _area_type(entry),
        "metric": metric.id,
        "period_start": year.start,
        "period_end": year.end,
        "frequency": metric.frequency,
        "numerator": entry.number("numerator"),
        "denominator": entry.number("denominator"),
        "value": outcome.value,
        "lower_ci": lower,
        "upper_ci": upper,
        "status": status,
        "status_note": "; ".join([note for note in (outcome.note, *notes) if note]),
        "basis": _basis(entry.measure, year),
        "source": source,
    }


def _interval(entry: _Entry, proportion: bool) -> tuple[float, float, list[str]]:
    """Turn the published margin of error into limits, and say how many people answered."""
    notes = []
    value, margin, base = entry.number("outcome"), entry.number("margin of error"), entry.number("base")
    if base > 0:
        notes.append(f"{base:,.0f} people answered; numerator and denominator are weighted to all")
    if not margin > 0:
        if margin == 0:
            notes.append("the margin of error is published as 0, which is a rounded figure: not used")
        return math.nan, math.nan, notes
    highest = 100.0 if proportion else math.inf
    return max(value - margin, 0.0), min(value + margin, highest), notes


def _area_type(entry: _Entry) -> str:
    if entry.level == "council":
        return "" if entry.code in area_names() else NOT_LISTED
    return "country" if entry.level == "england" else entry.level


def _basis(measure: str, year: Period) -> str:
    if measure not in ("2A2", "2B1"):
        return ""
    return "SALT" if year.start.year >= FIRST_YEAR_OF_SALT else "ASC-CAR"


def _populations(entries: list[_Entry], year: int, source: str) -> pd.DataFrame:
    rows = [
        {
            "area_code": entry.code, "year": year, "age_group": "18+",
            "population": entry.number("denominator"), "series": "published by age",
            "basis": "ASCOF 2C(1) denominator", "source": source, "estimated": False,
        }
        for entry in entries
        if entry.measure == ADULTS and entry.level in ("council", "england")
        and entry.number("denominator") > 0
    ]  # fmt: skip
    return typed(rows, POPULATION_TYPES)


def _quotients(observations: pd.DataFrame) -> Iterator[Check]:
    """Compare every council's value with its numerator and denominator."""
    problems = check_observations(observations, METRICS)
    for metric, rows in observations.groupby("metric"):
        counted = rows[["value", "numerator", "denominator"]].notna().all(axis="columns")
        if counted.any():
            wrong = problems[(problems["metric"] == metric) & (problems["reason"] == NOT_THE_QUOTIENT)]
            yield Check(
                f"{metric}: value = numerator / denominator for every council",
                wrong.empty,
                f"{counted.sum() - len(wrong)} of {counted.sum()} councils agree within published rounding",
            )


# Tables, one sheet a measure


class _Table(NamedTuple):
    """One sheet: its title, the row of headings, and the columns of each year's parts."""

    sheet: str
    title: str
    at: int
    columns: dict[int, dict[str, int]]


def _tables(source: Book) -> Iterator[_Table]:
    for sheet in source.sheet_names:
        rows = source.rows(sheet)
        for at, row in enumerate(rows[:_TITLE_ROWS]):
            names = [" ".join(cell_text(cell).split()).casefold() for cell in row]
            if tuple(names[:3]) == _HEADINGS:
                columns: dict[int, dict[str, int]] = {}
                for place, name in enumerate(names):
                    if heading := _COLUMN.fullmatch(name):
                        columns.setdefault(int(heading[1]), {})[heading[3]] = place
                if columns:
                    yield _Table(sheet, cell_text(rows[0][0]), at, columns)
                break


def _read_tables(source: Book) -> FileReading:
    """Read the measures that are metrics, of every year in their tables."""
    refused: list[Refusal] = []
    rows: list[dict[str, Any]] = []
    left_out, n_read, years = [], 0, set()
    for table in _tables(source):
        known = {year: line for year in table.columns if (line := meant_in_words(table.title, year))}
        if not known:
            left_out.append(table.sheet.removeprefix("Table_"))
            continue
        lines = source.rows(table.sheet)[table.at + 1 :]
        n_read += len(lines)
        years |= set(known)
        for year, line in known.items():
            where = f"{source.path.name}, {table.sheet}"
            rows += _rows_of(lines, table, line, financial_year(date(year, 4, 1)), where, refused)
    frames = by_area(rows)
    labels = [financial_year(date(year, 4, 1)).label for year in sorted(years)]
    return FileReading(
        path=source.path,
        kind=KIND_TABLES,
        publisher="Department of Health and Social Care",
        title=KIND_TABLES,
        period=" to ".join(dict.fromkeys(labels[:1] + labels[-1:])),
        **frames,
        rows_read=n_read,
        refused=tuple(refused),
        checks=tuple(_quotients(frames["observations"])),
        warnings=(f"Tables of measures that are no metric were left out: {', '.join(left_out)}.",)
        * bool(left_out),
    )


def _rows_of(
    lines: Rows, table: _Table, measure: dict[str, str], year: Period, where: str, refused: list[Refusal]
) -> Iterator[dict[str, Any]]:
    metric = METRICS[measure["metric"]]
    for number, row in enumerate(lines, start=table.at + 2):
        council, name, ons = (cell_text(cell) for cell in row[:3])
        if not name:
            continue
        is_region, has_code = ons.startswith("E12"), ons.startswith("E")
        kind = "region" if is_region else NOT_LISTED if has_code else "council type"
        cells: dict[str, Cell] = {}
        for part, at in table.columns[year.start.year].items():
            try:
                cells[part] = read_cell(row[at], "ASCOF")
            except NotANumber as error:
                refused.append(Refusal(f"{where}, row {number}, {name}", str(error), "this is not a number"))
                cells[part] = Cell(math.nan, "not_available", f"'{error}' is not a number")
        outcome = cells.get("outcome", _NOT_THERE)
        yield {
            **place_of(ons if has_code else "", name, council, year.end, otherwise=kind),
            "metric": metric.id,
            "period_start": year.start,
            "period_end": year.end,
            "frequency": metric.frequency,
            **{part: cells[part].value for part in ("numerator", "denominator") if part in cells},
            "value": outcome.value,
            "status": outcome.status,
            "status_note": outcome.note,
            "basis": measure["basis"],
            "source": where,
        }
