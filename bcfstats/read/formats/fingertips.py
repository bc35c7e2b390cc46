"""Fingertips (Public Health England): the CSV export of indicators, and reduced extracts, values only."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bcfstats.define.datafiles import read_rows
from bcfstats.define.periods import Period, is_plausible
from bcfstats.errors import InputError, ParameterError
from bcfstats.read.marks import NotANumber, read_cell
from bcfstats.read.reading import FileReading, Refusal, by_area, place_of
from bcfstats.read.workbook import Book, Text, as_text, find_table, find_where, has_table, has_where

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from bcfstats.define.metrics import Metric

KIND = "Fingertips export"
KIND_EXTRACT = "reduced Fingertips extract"
PUBLISHER = "Public Health England (Fingertips)"
_COLUMNS = {"indicatorid", "indicatorname", "areacode", "areaname", "areatype", "timeperiod", "value"}
_EXTRACT = ("area_code", "area_name", "period", "value", "indicator", "measure", "significance")
_AGES = {"all ages": "All ages", "18 and over": "18+ yrs", "65 and over": "65+ yrs"}
_NUMBERS = {
    "value": "value",
    "numerator": "count",
    "denominator": "denominator",
    "lower_ci": "lowerci950limit",
    "upper_ci": "upperci950limit",
}


def recognises(source: Book | Text) -> bool:
    """Whether this has the columns of an export, or of a reduced extract."""
    return has_where(source, _fits, _plainly) or has_table(source, *_EXTRACT)


def _fits(names: list[str]) -> bool:
    return set(names) >= _COLUMNS


def _plainly(names: list[str]) -> list[str]:
    """Give headings without blanks and points, which R writes in other places."""
    return [re.sub(r"[^a-z0-9]", "", name) for name in names]


def read(source: Book | Text, metrics: Mapping[str, Metric]) -> FileReading:
    """Read the indicators that are metrics."""
    table = find_where(source, _fits, _plainly)
    if table is None:
        return _read_extract(source, metrics)
    table = as_text(table)
    if table.empty:
        raise InputError("The export has no rows.", where=source.path.name, do="Export it again.")
    known = {metric.fingertips_id: metric for metric in metrics.values() if metric.fingertips_id}
    titles = table["indicatorname"].str.split().str.join(" ")  # names have line breaks inside
    names = dict(zip(table["indicatorid"].str.strip(), titles, strict=True))
    unknown = {number: name for number, name in names.items() if number not in known}
    if len(unknown) == len(names):
        raise InputError(
            "No indicator of this file is a metric.",
            where=source.path.name,
            found="; ".join(f"{number} '{name}'" for number, name in unknown.items()),
            do="If one of them is a metric of yours, describe it in your metrics file and add a line such as "
            f"'fingertips_id = \"{next(iter(names))}\"'.",
        )
    ages = {metric.id: _age(table, metric, source) for number, metric in known.items() if number in names}
    refused: list[Refusal] = []
    rows = []
    for number, line in zip(table.index, table.to_dict("records"), strict=True):
        if metric := known.get(line["indicatorid"].strip()):
            where = f"{source.path.name}, row {number}, {line['areaname']}"
            row = _as_row(
                metric,
                partial(_area, ages[metric.id], line),
                line["timeperiod"],
                {name: line.get(column, "") for name, column in _NUMBERS.items()},
                line.get("valuenote", ""),
                where,
                refused,
            )
            rows.extend([row] if row else [])
    return FileReading(
        path=source.path,
        kind=KIND,
        publisher=PUBLISHER,
        title="; ".join(names.values()),
        **by_area(rows),
        rows_read=len(table),
        refused=tuple(refused),
        warnings=tuple(
            f"Indicator {number} '{name}' is no metric: left out." for number, name in unknown.items()
        ),
    )


def _as_row(
    metric: Metric,
    place: Callable[[date], dict[str, str]],
    period: str,
    cells: Mapping[str, str],
    note: str,
    where: str,
    refused: list[Refusal],
) -> dict[str, Any] | None:
    """Build one observation from published text; None, with a refusal, where it cannot be read."""
    try:
        when = _period(period, metric)
        if not is_plausible(when.start, when.end):
            raise ParameterError("This is not a period of our time.", found=period)
        read = {name: read_cell(cell, "Fingertips") for name, cell in cells.items()}
    except (ParameterError, NotANumber) as error:
        if isinstance(error, ParameterError):
            what = error.what.rstrip(".")
            refused.append(Refusal(where, period, what[:1].lower() + what[1:]))
        else:
            refused.append(Refusal(where, str(error), "this is not a number"))
        return None
    value = read["value"]
    hidden = value.status != "ok" and re.search(r"suppress|small number|disclos", note, re.I)
    return {
        **place(when.end),
        "metric": metric.id,
        "period_start": when.start,
        "period_end": when.end,
        "frequency": metric.frequency,
        **{name: cell.value for name, cell in read.items()},
        "status": "suppressed" if hidden else value.status,
        "status_note": "; ".join(part for part in (value.note, note.strip()) if part),
        "source": where.split(", row")[0],
    }


def _period(text: str, metric: Metric) -> Period:
    """Read a period; Fingertips writes "2023/24 Q3" of a financial year and "2023 Q3" of a calendar year."""
    if quarter := re.fullmatch(r"\s*(\d{4}) Q([1-4])\s*", text):
        last = 3 * int(quarter[2])
        text = f"{quarter[1]}-{last - 2:02d}/{quarter[1]}-{last:02d}"
    if re.fullmatch(r"\s*\d{4}(/\d\d)? - \d\d(/\d\d)?\s*", text):
        raise ParameterError("Several years taken together are no figure of a single one.", found=text)
    return Period.parse(text, metric.frequency)


def _age(table: pd.DataFrame, metric: Metric, source: Book | Text) -> str:
    """Tell which of the ages in the export is that of the metric."""
    rows = table[table["indicatorid"].str.strip() == metric.fingertips_id]
    ages = list(rows["age"].str.strip().unique()) if "age" in table.columns else []
    wanted = _AGES.get(metric.age_group, "")
    if wanted in ages or len(ages) <= 1:
        return wanted if wanted in ages else "".join(ages)
    raise InputError(
        f"The export has several ages, and none is that of '{metric.id}' ({metric.age_group}).",
        where=source.path.name,
        found=", ".join(ages),
        do="Export one age only.",
    )


def _area(age: str, line: Mapping[str, str], end: date) -> dict[str, str]:
    """Give code, name and type; parts of a population, by decile, age or sex, are no areas."""
    kind = line["areatype"].strip().casefold()
    place = place_of(line["areacode"], line["areaname"].strip(), end=end, otherwise=kind)
    parts = (
        (line.get("category", "").strip(), "", line.get("categorytype", "").strip().casefold()),
        (line.get("age", age).strip(), age, "another age"),
        (line.get("sex", "").strip() or "Persons", "Persons", "one sex"),
    )
    for part, whole, kind in parts:
        if part != whole:
            code, name = f"{place['area_code']}|{part}", f"{place['area_name']}, {part}"
            return {"area_code": code, "area_name": name, "area_type": kind}
    return place


def _read_extract(source: Book | Text, metrics: Mapping[str, Metric]) -> FileReading:
    """Read an extract of an indicator that is a metric: values without counts and intervals."""
    table = find_table(source, *_EXTRACT)
    assert table is not None
    table = as_text(table)
    refused: list[Refusal] = []
    rows = []
    for number, line in zip(table.index, table.to_dict("records"), strict=True):
        entry = _indicators().get(line["indicator"].strip())
        if entry is None or entry["metric"] not in metrics:
            raise InputError(
                "The indicator of this extract is not a metric.",
                where=source.path.name,
                found=f"'{line['indicator']}'",
                do="Use the full Fingertips export of the indicator, and name its ID in your metrics file.",
            )
        code, name, kind = line["area_code"], line["area_name"].strip(), "district or other area"
        place = partial(place_of, code, name, "", otherwise=kind)
        where = f"{source.path.name}, row {number}, {line['area_name']}"
        cells = {"value": line["value"]}
        row = _as_row(metrics[entry["metric"]], place, line["period"], cells, entry["note"], where, refused)
        rows.extend([row] if row else [])
    return FileReading(
        path=source.path,
        kind=KIND_EXTRACT,
        publisher=PUBLISHER,
        title=str(table["indicator"].iloc[0]) if len(table) else "",
        **by_area(rows),
        rows_read=len(table),
        refused=tuple(refused),
        warnings=("This extract has values only, without counts and intervals, and no counties.",),
    )


@cache
def _indicators() -> dict[str, dict[str, str]]:
    rows = read_rows(Path(__file__).with_name("fingertips_extract.csv"))
    return {row["indicator"]: row for row in rows}
