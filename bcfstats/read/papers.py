"""What a board knows and no figure tells: its answers, its groups' ambitions, its schemes of work."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from bcfstats.define.areas import Area, area_finder
from bcfstats.define.metrics import METRICS, get_metric
from bcfstats.define.periods import Period, parse_date
from bcfstats.errors import InputError, ParameterError
from bcfstats.read.headings import each_row, find_by_area
from bcfstats.read.marks import parse_number, parse_share
from bcfstats.read.observations import typed
from bcfstats.read.workbook import cell_text, open_file

ANSWER_COLUMNS = ["area_code", "question", "answer", "evidence"]
GROUP_COLUMNS = ["area_code", "commissioner", "area_share", "metric", "change_percent"]


def read_answers(path: str | Path, areas: pd.DataFrame) -> pd.DataFrame:
    """Read answers, a row each: `area`, `question` (a condition or criterion), `answer` and `evidence`."""

    def row(line: dict[str, Any]) -> list[object]:
        return [cell_text(line.get(name)) for name in ANSWER_COLUMNS[1:]]

    return _read(path, areas, {"question", "answer"}, row, ANSWER_COLUMNS)


def read_groups(path: str | Path, areas: pd.DataFrame, metrics: Any = METRICS) -> pd.DataFrame:
    """Read commissioning groups' ambitions: `area`, `commissioner`, `area_share`, `metric`, `change_percent`.

    A share is of the area's people, as 0.7 or 70 %.
    """

    def row(line: dict[str, Any]) -> list[object]:
        share, change = parse_share(line["area_share"], 1.0), parse_number(line["change_percent"])
        if share is None or not 0 <= share <= 1 or change is None:
            found = f"'{cell_text(line['area_share'])}', '{cell_text(line['change_percent'])}'"
            raise ParameterError("A share from 0 to 1, or to 100 %, and a change are needed.", found=found)
        name = get_metric(cell_text(line["metric"]), metrics).id
        return [cell_text(line["commissioner"]), share, name, change]

    needed = {"commissioner", "area_share", "metric", "change_percent"}
    return _read(path, areas, needed, row, GROUP_COLUMNS)


def _read(
    path: str | Path,
    areas: pd.DataFrame,
    needed: set[str],
    row: Callable[[dict[str, Any]], list[object]],
    columns: list[str],
) -> pd.DataFrame:
    """Read a table, every problem named before any row is used."""
    source = open_file(Path(path))
    table = find_by_area(source, *needed)
    if table is None:
        wanted = ", ".join(["area", *columns[1:]])
        raise InputError(
            "The table has not the columns needed.", where=source.path.name, do=f"Give {wanted}."
        )
    find = area_finder(areas)
    rows, problems, _ = each_row(table, lambda line: [find(str(line["area"])).area_code, *row(line)])
    if problems:
        raise InputError(
            "The table cannot be used; nothing was read.", where=source.path.name, found=problems
        )
    return pd.DataFrame(rows, columns=columns)


LIMITS = ("low", "high")
WORK_TYPES = {
    **dict.fromkeys(("area_code", "metric", "period", "work"), "str"),
    **dict.fromkeys(("people", "people_low", "people_high"), "float64"),
    "start": "datetime64[ns]",
    **dict.fromkeys(("effect", "effect_low", "effect_high", "overlap"), "float64"),
}
NEEDED = {"metric", "work", "people", "period_start", "effect"}  # of these "start" is period_start


def read_work(path: str | Path, areas: pd.DataFrame, metrics: Any = METRICS) -> pd.DataFrame:
    """Read a table of schemes of work: one row a scheme of work, every problem named before any is used.

    `area`, `metric`, `work` (its name), `people` reached in the period, `start` (a day or month), `effect`
    (events fewer, or more where more is better, for each person reached, over a whole period) and optionally
    `period`, `people_low`, `people_high`, `effect_low`, `effect_high` (it lies between them in 80 of 100
    cases) and `overlap` (share of these people whom other work on the list reaches already).
    """
    source = open_file(Path(path))
    table = find_by_area(source, *NEEDED)
    if table is None:
        raise InputError(
            "This is not a table of schemes of work.",
            where=source.path.name,
            do="Give the columns area, metric, work, people, start and effect, one row a scheme of work.",
        )
    find = area_finder(areas)
    rows, problems, count = each_row(table, lambda line: _row_of_work(line, find, metrics))
    if problems:
        what = f"The schemes of work have {count} problems; none was read."
        raise InputError(what, where=source.path.name, found=problems, do="Correct these rows and try again.")
    return typed(rows, WORK_TYPES)


def _row_of_work(line: dict[str, Any], find: Callable[[str], Area], metrics: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "area_code": find(str(line["area"])).area_code,
        "metric": get_metric(cell_text(line["metric"]), metrics).id,
        "period": Period.parse(cell_text(line["period"])).label if cell_text(line.get("period")) else "",
        "work": cell_text(line["work"]),
        "start": _start(line["period_start"]),
        "overlap": _number(line, "overlap", 0.0),
    }
    for name in ("people", "effect"):
        row[name] = middle = _number(line, name, None)
        low, high = (_number(line, f"{name}_{end}", middle) for end in LIMITS)
        if not 0 <= low <= middle <= high:
            raise InputError(f"'{name}' does not lie between its limits.", found=f"{low}, {middle}, {high}")
        row[f"{name}_low"], row[f"{name}_high"] = low, high
    if not 0 <= row["overlap"] <= 1:
        raise InputError("'overlap' is a share from 0 to 1, or 0 % to 100 %.", found=str(row["overlap"]))
    return row


def _start(cell: object) -> pd.Timestamp:
    """Take a day, or the first day of a month or longer period."""
    return pd.Timestamp(parse_date(cell) or Period.parse(cell_text(cell)).start)


def _number(line: dict[str, Any], name: str, usual: float | None) -> float:
    cell = line.get(name)
    if not cell_text(cell) and usual is not None:
        return usual
    number = parse_share(cell, 1.0) if name == "overlap" else parse_number(cell)
    if number is None:
        raise InputError(f"'{name}' is not a number.", found=f"'{cell_text(cell)}'")
    return number
