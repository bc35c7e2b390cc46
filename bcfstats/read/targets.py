"""Read a table of targets: every problem in it is named before anything is used."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from bcfstats.define.areas import Area, areas_frame, find_area
from bcfstats.define.metrics import METRICS, Metric, get_metric
from bcfstats.define.periods import Period
from bcfstats.errors import InputError, ParameterError
from bcfstats.files import write_whole
from bcfstats.read.marks import month_number, parse_number
from bcfstats.read.observations import typed
from bcfstats.read.workbook import cell_text, find_table, open_file

if TYPE_CHECKING:
    from bcfstats.define.schemes import Scheme

COLUMNS = ("area", "metric", "payment", "change_percent", "source")
KEY = COLUMNS[:3]
TARGET_TYPES = {
    "area_code": "str",
    "area_name": "str",
    "metric": "str",
    "payment": "str",
    "target_value": "float64",
    "target_numerator": "float64",
    "change_percent": "float64",
    "baseline_value": "float64",
    "against": "str",
    "source": "str",
}
WAYS = ("target_value", "target_numerator", "change_percent")
_AGAINST = ("baseline", "projected")
_MOST_SHOWN = 30
_MOST_LOOKED_FOR = 200


def read_targets(
    path: str | Path,
    *,
    areas: Mapping[str, Area] | Iterable[Area] | pd.DataFrame | None = None,
    metrics: Mapping[str, Metric] = METRICS,
    scheme: Scheme | None = None,
) -> pd.DataFrame:
    """Read targets from a CSV file or a workbook.

    Parameters
    ----------
    path : str or pathlib.Path
        One row per area, metric and payment: `area` (code or name), `metric`, `payment` ("2015-04", or a
        period), and one of `target_value` (in the metric's unit), `target_numerator` (a count) and
        `change_percent` (minus for a reduction). May have `baseline_value`, `against` ("baseline", which is
        meant where nothing is said, or "projected") and `source`.
    areas : mapping, iterable of Area or DataFrame, optional
        The areas that rows may name; those of 2014 if not given.
    metrics : mapping of str to Metric, optional
        The metrics that rows may name; those of the fund if not given.
    scheme : Scheme, optional
        The payments that rows may name; if not given, any month or period will do.

    Returns
    -------
    pandas.DataFrame
        `area_code area_name metric payment target_value target_numerator change_percent baseline_value
        against source`, in the order of the file.

    Raises
    ------
    InputError
        One error that lists every problem by row; nothing is read by half.
    """
    source = open_file(Path(path))
    table = find_table(source, "area", "metric", "payment")
    if table is None:
        raise InputError(
            "This is not a table of targets: the columns area, metric and payment are needed.",
            where=source.path.name,
            do="Give one row per area, metric and payment, with one of " + ", ".join(WAYS) + ".",
        )
    reader = _RowReader(areas if isinstance(areas, pd.DataFrame) else areas_frame(areas), metrics, scheme)
    lines = zip(table.index, table.to_dict("records"), strict=True)
    rows = {}
    for row, line in lines:
        if any(map(_filled, line.values())) and len(reader.problems) < _MOST_LOOKED_FOR:
            rows[row] = reader.read(line, f"row {row}")
    problems = [*reader.problems, *_repeated(rows)] if rows else ["no row is filled in"]
    if problems:
        more = f"; and {len(problems) - _MOST_SHOWN} more" if len(problems) > _MOST_SHOWN else ""
        raise InputError(
            f"The targets have {len(problems)} problem{'s' * (len(problems) > 1)}"
            f"{' or more' * (len(problems) >= _MOST_LOOKED_FOR)}; none was read.",
            where=source.path.name,
            found="; ".join(problems[:_MOST_SHOWN]) + more,
            do="Correct these rows and try again.",
        )
    return typed(list(rows.values()), TARGET_TYPES)


def _filled(cell: object) -> bool:
    return cell is not None and bool(str(cell).strip())


class _RowReader:
    """Reads one row after the other and keeps a list of what is wrong."""

    def __init__(self, areas: pd.DataFrame, metrics: Mapping[str, Metric], scheme: Scheme | None) -> None:
        self.areas, self.metrics, self.scheme = areas, metrics, scheme
        self.names = dict(zip(areas["area_code"], areas["area_name"], strict=True))
        self.codes: dict[str, str] = {}
        self.problems: list[str] = []

    def read(self, line: Mapping[str, Any], where: str) -> dict[str, Any]:
        """Read a row; what is wrong goes to `problems`."""
        text = {name: cell_text(cell) for name, cell in line.items()}
        code = self._area(text["area"], where)
        metric = self._metric(text["metric"], where)
        numbers = {name: self._number(line.get(name), name, where) for name in (*WAYS, "baseline_value")}
        self._check_ways(line, numbers, metric, where)
        against = text.get("against", "").casefold() or "baseline"
        if against not in _AGAINST:
            self.problems.append(f"{where}, against: '{against}' is neither baseline nor projected")
        return {
            **numbers,
            "area_code": code,
            "area_name": self.names.get(code, ""),
            "metric": metric.id if metric else "",
            "payment": self._payment(line["payment"], where),
            "against": against,
            "source": text.get("source", ""),
        }

    def _area(self, text: str, where: str) -> str:
        if text in self.names:
            return text
        if text not in self.codes:
            try:
                self.codes[text] = find_area(text, self.areas).area_code
            except ParameterError as error:
                self.problems.append(f"{where}, area: {error}")
                return ""
        return self.codes[text]

    def _metric(self, text: str, where: str) -> Metric | None:
        try:
            return get_metric(text, self.metrics)
        except ParameterError as error:
            self.problems.append(f"{where}, metric: {error}")
            return None

    def _payment(self, cell: Any, where: str) -> str:
        text = _payment_text(cell)
        try:
            if self.scheme is None or not re.fullmatch(r"\d{4}-\d\d", text):
                Period.parse(text)
            else:
                self.scheme.payment(text)
        except ParameterError as error:
            self.problems.append(f"{where}, payment: {error}")
        return text

    def _number(self, cell: Any, name: str, where: str) -> float:
        number = parse_number(cell)
        if number is None:
            if _filled(cell):
                self.problems.append(f"{where}, {name}: '{cell}' is not a number")
            return math.nan
        if number < 0 and name != "change_percent":
            self.problems.append(f"{where}, {name}: {number:g} is negative")
        elif number < -100:
            self.problems.append(f"{where}, {name}: {number:g} is a fall of more than 100 %")
        return number

    def _check_ways(
        self, line: Mapping[str, Any], numbers: Mapping[str, float], metric: Metric | None, where: str
    ) -> None:
        given = [name for name in WAYS if _filled(line.get(name))]
        if len(given) > 1:
            self.problems.append(f"{where}: {' and '.join(given)} are given; give one of them")
        elif not given:
            self.problems.append(f"{where}: no target; give one of {', '.join(WAYS)}")
        highest = metric.bounds[1] if metric else math.inf
        unit = " %" if metric and metric.unit == "%" else ""
        for name in ("target_value", "baseline_value"):
            if numbers[name] > highest:
                self.problems.append(f"{where}, {name}: {numbers[name]:g} is above {highest:g}{unit}")


def _payment_text(cell: Any) -> str:
    """Give a payment as text; spreadsheets make a date, or "Apr-15", of "2015-04"."""
    if isinstance(cell, date):
        return f"{cell:%Y-%m}"
    text = cell_text(cell)
    match = re.fullmatch(r"([A-Za-z]{3})-(\d\d)", text)
    number = month_number(match[1]) if match else None
    return f"20{match[2]}-{number:02d}" if match and number else text


def _repeated(rows: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """Name rows that set a target for the same area, metric and payment."""
    first: dict[tuple[str, ...], int] = {}
    problems = []
    for row, values in rows.items():
        key = (values["area_code"], values["metric"], values["payment"])
        if all(key) and first.setdefault(key, row) != row:
            problems.append(f"row {row}: {', '.join(key)} has a target already, in row {first[key]}")
    return problems


def keep_targets(path: str | Path, rows: Sequence[Mapping[str, object]], areas: pd.DataFrame) -> Path:
    """Add targets to a CSV file; one for the same area, metric and payment is replaced."""
    file = Path(path)
    columns, kept = _read(file)
    replaced = {tuple(str(row[name]).casefold() for name in KEY) for row in rows}
    kept = [row for row in kept if _key(row, areas) not in replaced]
    columns = [*columns, *(name for name in COLUMNS if name not in columns)]
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows([*kept, *({name: str(row[name]) for name in COLUMNS} for row in rows)])
    try:
        write_whole(file, out.getvalue())
    except OSError as error:
        raise InputError(
            "The targets could not be written.",
            where=str(file),
            found=str(error.strerror),
            do="Close the file if it is open in another program, such as Excel, and try again.",
        ) from None
    return file


def _read(file: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Read the rows kept so far, every column of them."""
    if not file.exists():
        return list(COLUMNS), []
    try:
        lines = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    except (OSError, UnicodeDecodeError, csv.Error):
        lines = []
    names = [name.strip().casefold() for name in lines[0]] if lines else []
    if not set(KEY) <= set(names) or not set(WAYS) & set(names):
        raise InputError(
            "This file is not a CSV table of targets: nothing was added to it.",
            where=file.name,
            do="Name another file, or one whose first line has area, metric, payment and change_percent.",
        )
    return names, [dict(zip(names, line, strict=False)) for line in lines[1:] if any(line)]


def _key(row: Mapping[str, str], areas: pd.DataFrame) -> tuple[str, ...]:
    try:
        area = find_area(row.get("area", ""), areas).area_code
    except ParameterError:
        area = row.get("area", "")
    return tuple(text.strip().casefold() for text in (area, row.get("metric", ""), row.get("payment", "")))
