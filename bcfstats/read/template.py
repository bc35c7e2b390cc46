"""The planning template's table of outcomes and metrics: written for a board, and read back as targets."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.areas import find_area
from bcfstats.define.datafiles import check_keys, read_toml, texts
from bcfstats.define.metrics import METRICS, Metric
from bcfstats.define.periods import Period
from bcfstats.errors import InputError, ParameterError
from bcfstats.read.marks import parse_number, parse_share
from bcfstats.read.observations import typed
from bcfstats.read.targets import TARGET_TYPES
from bcfstats.read.workbook import Text, open_file

SETTINGS = Path(__file__).with_name("template.toml")
PARTS = ("value", "numerator", "denominator")


@dataclass(frozen=True)
class Template:
    """Headings and labels of the template."""

    headings: tuple[str, ...]
    value: str
    numerator: str
    denominator: str
    not_applicable: str
    board: str
    payments: tuple[str, ...]  # of the fourth and fifth column
    labels: Mapping[str, str]  # of metrics; others go by their full name
    confirmed: bool  # whether the labels are those of the template as it was issued


def load_template(path: str | Path = SETTINGS) -> Template:
    """Read headings and labels; those shipped are not confirmed."""
    where = Path(path).name
    words: dict[str, type] = dict.fromkeys((*PARTS, "not_applicable", "board"), str)
    required = {"headings": list, "payments": list, "labels": dict, "confirmed": bool, **words}
    entry = check_keys(read_toml(Path(path)), where, required, {})
    lists = {name: texts(entry, name, where) for name in ("headings", "payments")}
    if len(lists["headings"]) != 3 + len(lists["payments"]):
        raise InputError("The headings do not fit the payments.", where=where, do="Give three more headings.")
    return Template(**{**entry, **lists})


def template_rows(
    assessments: pd.DataFrame,
    area: str,
    *,
    template: Template | None = None,
    metrics: Mapping[str, Metric] = METRICS,
) -> list[list[str]]:
    """Give a board's ambitions as the rows of the planning template's table: what to type into it."""
    template = template or load_template()
    rows = assessments.loc[assessments["area_code"] == area]
    if rows.empty:
        raise ParameterError("There are no ambitions of this area.", found=f"'{area}'")
    lines = [[template.board, str(rows["area_name"].iloc[0] or area)], list(template.headings)]
    for name, of_metric in rows.groupby("metric", sort=False):
        by_payment = {row["payment"]: row for row in of_metric.to_dict("records")}
        lines += _block(metrics[str(name)], by_payment, template)
    return lines


def export_template(assessments: pd.DataFrame, area: str, **more: Any) -> str:
    """Write the rows of `template_rows` as CSV text."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(template_rows(assessments, area, **more))
    return out.getvalue()


def read_template(
    path: str | Path,
    *,
    area: str | None = None,
    template: Template | None = None,
    areas: Any = None,
    metrics: Mapping[str, Metric] = METRICS,
) -> pd.DataFrame:
    """Read a filled template back as targets."""
    template = template or load_template()
    source = open_file(Path(path))
    lines = _lines(source)
    where = source.path.name
    code = _board(lines, template, area, areas, where)
    labels = {label.casefold(): name for name, label in template.labels.items()}
    labels |= {metric.name.casefold(): metric.id for metric in metrics.values()}
    kinds = {getattr(template, part).casefold(): part for part in PARTS}
    targets: list[dict[str, Any]] = []
    current = ""
    read: dict[str, int] = {}
    cells: dict[str, list[float | None]] = {}
    for number, line in enumerate(lines, start=1):
        padded = [*line, *[""] * (len(template.headings) - len(line))]
        label, part = padded[0].casefold(), kinds.get(padded[1].casefold())
        if label in labels:
            targets += _targets(code, current, cells, template)
            current, cells = labels[label], {}
            if current in read:
                raise InputError(
                    "A metric stands in the template twice, and nothing tells which one counts.",
                    where=f"{where}, rows {read[current]} and {number}",
                    found=padded[0],
                    do="Leave one of them out.",
                )
            read[current] = number
        if (label in labels) != (part == "value") or (part and not current):
            raise _unknown(padded, f"{where}, row {number}")
        if part:
            share = metrics[current].multiplier == 100 and part == "value"
            cells[part] = [_number(cell, template, f"{where}, row {number}", share) for cell in padded[2:]]
    targets += _targets(code, current, cells, template)
    if not targets:
        raise InputError(
            "No metric of the template was found, or none has a value.",
            where=where,
            do="Labels are settings: compare template.toml with your copy of the template.",
        )
    return typed(targets, TARGET_TYPES)


def _unknown(line: list[str], where: str) -> InputError:
    return InputError(
        "A label of the template is not known.",
        where=where,
        found=f"'{line[0]}', '{line[1]}'",
        do="Labels are settings: compare template.toml with your copy of the template.",
    )


def _block(metric: Metric, rows: Mapping[str, Mapping[str, Any]], template: Template) -> list[list[str]]:
    """Give the four lines of a metric; its target as a count is over the baseline's denominator."""
    first = next(iter(rows.values()))
    baseline = [first["baseline_value"], first["baseline_numerator"], first["baseline_denominator"]]
    columns = [_cells(metric, *baseline)]
    periods = [", ".join(dict.fromkeys(_label(row["baseline_period"]) for row in rows.values()))]
    for payment in template.payments:
        row = rows.get(payment)
        if row is None:
            columns.append([template.not_applicable] * 3)
            periods.append(template.not_applicable)
            continue
        people = row["baseline_denominator"]
        count = row["target_value"] / metric.multiplier * people * _months(metric, row["target_period"])
        columns.append(_cells(metric, row["target_value"], count, people))
        periods.append(_label(row["target_period"]))
    label = template.labels.get(metric.id, metric.name)
    names = (template.value, template.numerator, template.denominator)
    lines = [[label if i == 0 else "", names[i], *(column[i] for column in columns)] for i in range(3)]
    return [*lines, ["", "", *(f"({period})" if period else "" for period in periods)]]


def _cells(metric: Metric, value: float, numerator: float, denominator: float) -> list[str]:
    return [_text(value, metric.decimals), _text(numerator, 0), _text(denominator, 0)]


def _months(metric: Metric, period: object) -> int:
    """How many months a value is the average of: a rate by the month; a ratio is over the whole period."""
    is_average = metric.frequency == "month" and metric.kind.per_resident
    return Period.parse(period).n_months if is_average and isinstance(period, str) else 1


def _text(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}" if np.isfinite(value) else ""


def _label(period: object) -> str:
    return Period.parse(period).label if isinstance(period, str) and period else ""


def _lines(source: Any) -> list[list[str]]:
    if isinstance(source, Text):
        return [[cell.strip() for cell in row] for row in source.rows]
    rows = [row for sheet in source.sheet_names for row in source.rows(sheet)]
    return [["" if cell is None else str(cell).strip() for cell in row] for row in rows]


def _board(lines: list[list[str]], template: Template, area: str | None, areas: Any, where: str) -> str:
    named = next(
        (row[1] for row in lines if len(row) > 1 and row[0].casefold() == template.board.casefold()), ""
    )
    if not (area or named):
        raise InputError("The template does not name its board.", where=where, do="Give the area.")
    try:
        return find_area(area or named, areas).area_code
    except ParameterError as error:
        raise InputError(error.what, where=where, found=error.found, do=error.do) from None


def _number(cell: str, template: Template, where: str, share: bool) -> float | None:
    if not cell or cell.casefold() == template.not_applicable.casefold():
        return None
    number = parse_share(cell) if share else parse_number(cell)
    if number is None:
        raise InputError("A cell of the template is not a number.", where=where, found=f"'{cell}'")
    if share and 0 < number <= 1 and not cell.endswith("%"):
        raise InputError(
            "A value in per cent may be a fraction.",
            where=where,
            found=f"'{cell}'",
            do=f"Write {100 * number:g} or {number:g}%.",
        )
    return number


def _targets(
    code: str, metric: str, cells: Mapping[str, list[float | None]], template: Template
) -> list[dict[str, Any]]:
    if not metric:
        return []
    empty: list[float | None] = [None] * (1 + len(template.payments))
    value, numerator = (cells.get(name, empty) for name in ("value", "numerator"))
    rows = []
    for i, payment in enumerate(template.payments, start=1):
        if value[i] is None and numerator[i] is None:
            continue
        given = {"target_value": value[i]} if value[i] is not None else {"target_numerator": numerator[i]}
        rows.append(
            {
                "area_code": code,
                "metric": metric,
                "payment": payment,
                "baseline_value": value[0] if i == 1 else None,
                "against": "baseline",
                "source": "planning template",
                **given,
            }
        )
    return rows
