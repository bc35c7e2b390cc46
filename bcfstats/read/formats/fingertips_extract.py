"""Reduced extracts of Fingertips indicators: values only, by district and unitary authority."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bcfstats.errors import InputError
from bcfstats.read.formats.fingertips import PUBLISHER, as_row, place
from bcfstats.read.observations import OBSERVATION_TYPES, OTHER_TYPES, typed
from bcfstats.read.reading import FileReading, Refusal
from bcfstats.read.workbook import Book, Text, as_text, find_table, has_table

if TYPE_CHECKING:
    from bcfstats.define.metrics import Metric

KIND = "reduced Fingertips extract"
_COLUMNS = ("area_code", "area_name", "period", "value", "indicator", "measure", "significance")


def recognises(source: Book | Text) -> bool:
    """Whether this has the columns of a reduced extract."""
    return has_table(source, *_COLUMNS)


def read(source: Book | Text, metrics: Mapping[str, Metric]) -> FileReading:
    """Read an extract of an indicator that is a metric: values without counts and intervals."""
    table = find_table(source, *_COLUMNS)
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
        area = place(line["area_code"], line["area_name"], "district or other area")
        where = f"{source.path.name}, row {number}, {line['area_name']}"
        cells = {"value": line["value"]}
        row = as_row(metrics[entry["metric"]], area, line["period"], cells, entry["note"], where, refused)
        rows.extend([row] if row else [])
    return FileReading(
        path=source.path,
        kind=KIND,
        publisher=PUBLISHER,
        title=str(table["indicator"].iloc[0]) if len(table) else "",
        observations=typed([row for row in rows if not row["area_type"]], OBSERVATION_TYPES),
        others=typed([row for row in rows if row["area_type"]], OTHER_TYPES),
        rows_read=len(table),
        refused=tuple(refused),
        warnings=("This extract has values only, without counts and intervals, and no counties.",),
    )


@cache
def _indicators() -> dict[str, dict[str, str]]:
    with Path(__file__).with_name("fingertips_extract.csv").open(encoding="utf-8", newline="") as stream:
        return {row["indicator"]: row for row in csv.DictReader(stream)}
