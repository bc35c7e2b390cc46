"""A user's own list of areas."""

from __future__ import annotations

from bcfstats.define.areas import AREA_COLUMNS
from bcfstats.read.observations import AREA_TYPES, typed
from bcfstats.read.reading import FileReading, Refusal
from bcfstats.read.workbook import Book, Text, as_text, find_table

KIND = "list of areas"
_TELLING = ("area_type", "region", "region_code", "council_code", "board")


def recognises(source: Book | Text) -> bool:
    """Whether this has codes and names of areas, something more about them, and no figures."""
    table = find_table(source, "area_code", "area_name")
    if table is None:
        return False
    names = set(table.columns)
    return not names & {"metric", "value", "numerator", "period"} and bool(names & set(_TELLING))


def read(source: Book | Text) -> FileReading:
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
        kind=KIND,
        title=source.path.stem,
        areas=typed(texts[~(again | blank)], AREA_TYPES),
        rows_read=int((~empty).sum()),
        refused=tuple(refused),
    )
