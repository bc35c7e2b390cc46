"""Read a table of targets: every problem in it is named before anything is used."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from bcfstats.define.areas import Area, area_finder, areas_frame
from bcfstats.define.metrics import METRICS, Metric, get_metric
from bcfstats.define.periods import Period
from bcfstats.errors import InputError, ParameterError
from bcfstats.files import write_whole
from bcfstats.read.headings import find_meant, lines_of, nearest_headings
from bcfstats.read.marks import parse_number, parse_share
from bcfstats.read.observations import TABLES, typed
from bcfstats.read.workbook import cell_text, open_file

if TYPE_CHECKING:
    from bcfstats.define.schemes import Scheme

COLUMNS = ("area", "metric", "payment", "change_percent", "source")
KEY = COLUMNS[:3]
TARGET_TYPES = TABLES["targets"]
WAYS = ("target_value", "target_numerator", "change_percent")
_AGAINST = ("baseline", "projected")
_MOST_SHOWN = 30
_PER_CENT = re.compile(r"(?<=\d)\s*per ?cent\s*$", re.IGNORECASE)
_MOST_LOOKED_FOR = 200
_SMALLEST_CHANGE = 0.2  # per cent: no plan is for less, so less is a fraction


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
        period; the column may be called `period`), and one of `target_value` (in the metric's unit),
        `target_numerator` (a count) and `change_percent` (minus for a reduction). May have `baseline_value`,
        `against` ("baseline", which is meant where nothing is said, or "projected") and `source`.
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
    read = read_rows_of_targets(path, areas=areas, metrics=metrics, scheme=scheme)
    if read.problems:
        raise read.error
    return read.rows


@dataclass(frozen=True)
class TargetRows:
    """The rows of a file of targets that can be used, and what is wrong with the others, by row."""

    rows: pd.DataFrame
    left_out: tuple[tuple[str, str], ...]  # the area's code, empty where it is not known, and the problem
    file: str

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, without the areas."""
        return tuple(problem for _, problem in self.left_out)

    @property
    def error(self) -> InputError:
        """Every problem in one error."""
        count = len(self.problems)
        more = f"; and {count - _MOST_SHOWN} more" if count > _MOST_SHOWN else ""
        return InputError(
            f"The targets have {count} problem{'s' * (count > 1)}"
            f"{' or more' * (count >= _MOST_LOOKED_FOR)}; none was read.",
            where=self.file,
            found="; ".join(text.removesuffix(".") for text in self.problems[:_MOST_SHOWN]) + more,
            do="Correct these rows and try again.",
        )


def read_rows_of_targets(
    path: str | Path,
    *,
    areas: Mapping[str, Area] | Iterable[Area] | pd.DataFrame | None = None,
    metrics: Mapping[str, Metric] = METRICS,
    scheme: Scheme | None = None,
) -> TargetRows:
    """Read targets as `read_targets` does, but keep the rows without a problem where others have one."""
    source = open_file(Path(path))
    table = find_meant(source, _is_of_targets)
    if table is None:
        named = [f"{what} ('{heading}')" for what, heading in nearest_headings(source)[0].items()]
        raise InputError(
            "This is not a table of targets: the columns area, metric and payment are needed.",
            where=source.path.name,
            found="the columns " + ", ".join(named) if named else "",
            do="Give one row per area, metric and payment, with one of " + ", ".join(WAYS) + ".",
        )
    if "payment" not in table:
        table = table.rename(columns={"period": "payment"})
    reader = _RowReader(areas if isinstance(areas, pd.DataFrame) else areas_frame(areas), metrics, scheme)
    rows, good, left_out = {}, {}, []
    for row, line in lines_of(table):
        if any(map(_filled, line.values())) and len(reader.problems) < _MOST_LOOKED_FOR:
            before = len(reader.problems)
            rows[row] = reader.read(line, f"row {row}")
            if len(reader.problems) == before:
                good[row] = rows[row]
            left_out += [(rows[row]["area_code"], problem) for problem in reader.problems[before:]]
    repeated, fractions = _repeated(rows), _fractions(rows)
    left_out += [("", problem) for problem in fractions]
    left_out += [(rows[row]["area_code"], problem) for row, problem in repeated.items()]
    left_out += [] if rows else [("", "no row is filled in")]
    kept = [] if fractions else [line for row, line in good.items() if row not in repeated]
    read = TargetRows(typed(kept, TARGET_TYPES), tuple(left_out), source.path.name)
    if not kept or len(reader.problems) >= _MOST_LOOKED_FOR:
        raise read.error
    return read


def _is_of_targets(names: set[str]) -> bool:
    when = "payment" in names or ("period" in names and bool({*WAYS} & names))
    return "metric" in names and when and bool({"area", "area_code"} & names)


def canonical_payment(cell: object, scheme: Scheme | None = None) -> str:
    """Give a payment in one spelling: the scheme's id, "2015-04" for a month, else the label of the period.

    Spreadsheets make a date, or "Apr-15", of "2015-04".
    """
    if scheme is not None:
        try:
            return scheme.payment(cell_text(cell)).id
        except ParameterError:
            pass
    period = Period.parse(cell if isinstance(cell, date) else cell_text(cell), "month")
    if not period.is_whole_months or period.n_months > 1:
        return period.label
    month = f"{period.start:%Y-%m}"
    return month if scheme is None or not scheme.pays else scheme.payment(month).id


def _filled(cell: object) -> bool:
    return cell is not None and bool(str(cell).strip())


class _RowReader:
    """Reads one row after the other and keeps a list of what is wrong."""

    def __init__(self, areas: pd.DataFrame, metrics: Mapping[str, Metric], scheme: Scheme | None) -> None:
        self.find, self.metrics, self.scheme = area_finder(areas), metrics, scheme
        self.asked = {name for payment in scheme.payments for name in payment.metrics} if scheme else set()
        self.names = dict(zip(areas["area_code"], areas["area_name"], strict=True))
        self.codes: dict[str, str] = {}
        self.problems: list[str] = []

    def read(self, line: Mapping[str, Any], where: str) -> dict[str, Any]:
        """Read a row; what is wrong goes to `problems`."""
        line = {
            name: _PER_CENT.sub("%", cell) if isinstance(cell, str) else cell for name, cell in line.items()
        }
        text = {name: cell_text(cell) for name, cell in line.items()}
        code = self._area(text["area"], where)
        metric = self._metric(text["metric"], where)
        numbers = {
            name: self._number(line.get(name), name, metric, where) for name in (*WAYS, "baseline_value")
        }
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
            "signed": cell_text(line.get("change_percent")).endswith("%"),
            "against": against,
            "source": text.get("source", ""),
        }

    def _area(self, text: str, where: str) -> str:
        if text in self.names:
            return text
        if text not in self.codes:
            try:
                self.codes[text] = self.find(text).area_code
            except ParameterError as error:
                self.problems.append(f"{where}, area: {error}")
                return ""
        return self.codes[text]

    def _metric(self, text: str, where: str) -> Metric | None:
        try:
            return get_metric(text, self.metrics, self.asked)
        except ParameterError as error:
            self.problems.append(f"{where}, metric: {error}")
            return None

    def _payment(self, cell: Any, where: str) -> str:
        try:
            return canonical_payment(cell, self.scheme)
        except ParameterError as error:
            self.problems.append(f"{where}, payment: {error}")
            return ""

    def _number(self, cell: Any, name: str, metric: Metric | None, where: str) -> float:
        written = cell_text(cell)
        may_be_share = name == "change_percent" or (name != "target_numerator" and _in_percent(metric))
        number = parse_share(cell) if may_be_share else parse_number(cell)
        if number is None:
            if written:
                what = f"a percentage, and {name} is none" if written.endswith("%") else "not a number"
                self.problems.append(f"{where}, {name}: '{written}' is {what}")
            return math.nan
        if number < 0 and name != "change_percent":
            self.problems.append(f"{where}, {name}: {number:g} is negative")
        elif number < -100:
            self.problems.append(f"{where}, {name}: {number:g} is a fall of more than 100 %")
        elif name != "change_percent" and may_be_share and 0 < number <= 1 and not written.endswith("%"):
            self.problems.append(
                f"{where}, {name}: {number:g} may be a fraction; write {100 * number:g} or {number:g}%"
            )
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


def _in_percent(metric: Metric | None) -> bool:
    return metric is not None and metric.multiplier == 100


def _fractions(rows: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """Say so where all changes are so small that they must be fractions: -0.035 for -3.5 %."""
    changes = [row["change_percent"] for row in rows.values() if abs(row["change_percent"]) > 0]
    if (
        not changes
        or max(map(abs, changes)) > _SMALLEST_CHANGE
        or any(row["signed"] for row in rows.values())
    ):
        return []
    first = changes[0]
    meant = f"write {100 * first:g} or {first:g}%"
    return [f"change_percent: all changes, such as {first:g}, may be fractions; {meant}"]


def _repeated(rows: Mapping[int, Mapping[str, Any]]) -> dict[int, str]:
    """Name rows that set a target for the same area, metric and payment."""
    first: dict[tuple[str, ...], int] = {}
    problems = {}
    for row, values in rows.items():
        key = (values["area_code"], values["metric"], values["payment"])
        if all(key) and first.setdefault(key, row) != row:
            problems[row] = f"row {row}: {', '.join(key)} has a target already, in row {first[key]}"
    return problems


def keep_targets(path: str | Path, rows: Sequence[Mapping[str, object]], areas: pd.DataFrame) -> Path:
    """Add targets to a CSV file; one for the same area, metric and payment is replaced."""
    file = Path(path)
    columns, kept = _read(file)
    find = area_finder(areas)
    replaced = {_key({name: str(row[name]) for name in KEY}, find) for row in rows}
    kept = [row for row in kept if _key(row, find) not in replaced]
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


def _key(row: Mapping[str, str], find: Callable[[str], Area]) -> tuple[str, ...]:
    """Give area, metric and payment in one spelling each, or as they are written."""
    read: tuple[Callable[[str], str], ...] = (
        lambda text: find(text).area_code,
        lambda text: get_metric(text).id,
        canonical_payment,
    )
    key = []
    for name, canonical in zip(KEY, read, strict=True):
        text = str(row.get(name, ""))
        with suppress(ParameterError):
            text = canonical(text)
        key.append(text.strip().casefold())
    return tuple(key)
