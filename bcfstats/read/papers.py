"""What a board knows and no figure tells: its answers to conditions and criteria, its groups' ambitions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from bcfstats.define.areas import find_area
from bcfstats.define.metrics import METRICS, get_metric
from bcfstats.errors import InputError, ParameterError
from bcfstats.read.headings import each_row, find_meant
from bcfstats.read.marks import parse_number, parse_share
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
    table = find_meant(source, lambda names: names >= needed and bool({"area", "area_code"} & names))
    if table is None:
        wanted = ", ".join(["area", *columns[1:]])
        raise InputError(
            "The table has not the columns needed.", where=source.path.name, do=f"Give {wanted}."
        )
    rows, found, _ = each_row(table, lambda line: [find_area(str(line["area"]), areas).area_code, *row(line)])
    if found:
        raise InputError("The table cannot be used; nothing was read.", where=source.path.name, found=found)
    return pd.DataFrame(rows, columns=columns)
