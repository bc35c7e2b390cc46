"""A user's own list of areas, and the areas that rows of plain tables name."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from bcfstats.define.areas import AREA_COLUMNS, AREAS, find_area
from bcfstats.errors import ParameterError
from bcfstats.read.observations import AREA_TYPES, typed
from bcfstats.read.reading import FileReading, Refusal
from bcfstats.read.workbook import Book, Text, as_text, find_table

KIND = "list of areas"
_MOST_UNKNOWN = 200
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


def place(reading: FileReading, own: pd.DataFrame) -> FileReading:
    """Give each observation the code and name of its area; rows of unknown areas are refused."""
    names = {code: area.area_name for code, area in AREAS.items()}
    names |= dict(zip(own["area_code"], own["area_name"], strict=True))
    frame = reading.observations
    found = _found([text for text in frame["area_code"].unique() if text not in names], own)
    codes = frame["area_code"].map({text: code for text, (code, _) in found.items() if code})
    code = codes.where(codes.notna(), frame["area_code"])
    unknown = ~code.isin(list(names))
    refused = [
        Refusal(f"{reading.path.name}, {row.metric}", row.area_code, found[row.area_code][1])
        for row in frame[unknown].itertuples()
    ]
    placed = frame.assign(area_code=code, area_name=code.map(names))[~unknown].reset_index(drop=True)
    return replace(reading, observations=placed, refused=(*reading.refused, *refused))


def _found(wanted: list[str], own: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Give code and reason for each text; a file of which no area is known must not take for ever."""
    found: dict[str, tuple[str, str]] = {}
    unknown = 0
    for text in wanted:
        if unknown < _MOST_UNKNOWN:
            found[text] = _find(text, own)
            unknown += not found[text][0]
        else:
            found[text] = "", f"{_MOST_UNKNOWN} areas of this file are not known: no more were looked up"
    return found


def _find(text: str, own: pd.DataFrame) -> tuple[str, str]:
    """Give the code, or "" and the reason."""
    try:
        return find_area(text).area_code, ""
    except ParameterError as error:
        if own.empty:
            return "", str(error)
    try:
        return find_area(text, own).area_code, ""
    except ParameterError as error:
        return "", str(error)
