"""Which format a file has, told by its content and never by its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bcfstats.define.datafiles import read_rows
from bcfstats.define.metrics import METRICS
from bcfstats.errors import BcfStatsError, InputError
from bcfstats.files import read_bytes
from bcfstats.read.formats import (
    discharge_ready,
    fingertips,
    nhs_england,
    plain,
    population,
)
from bcfstats.read.formats import outcomes_framework as ascof
from bcfstats.read.observations import FILE, complete, mark_known_problems, mark_rounded, split_impossible
from bcfstats.read.processes import MOST_BYTES, apart
from bcfstats.read.reading import FileReading, Refusal
from bcfstats.read.workbook import Book, Text, cell_text, open_content

if TYPE_CHECKING:
    from bcfstats.define.metrics import Metric

NOT_USED = "not a file bcfstats uses"
FORMATS = (nhs_england, discharge_ready, ascof, fingertips, plain, population)
KNOWN_KINDS = (
    "delayed transfers of care by local authority (.xls)",
    "Monthly Activity Return by commissioner (.xls)",
    "Discharge Ready Date statistics by council (.csv, .xlsx)",
    "Measures from the Adult Social Care Outcomes Framework (.csv, .xlsx, .ods)",
    "ONS population estimates (.xls, .csv)",
    "population shares of commissioners (.csv)",
    "Fingertips exports (.csv)",
    "plain tables of observations, and lists of areas (.csv, .xlsx)",
)
PLAIN_TABLE = (
    "Of anything else make a plain table with the columns area, metric, period, numerator and denominator."
)
_TITLE_ROWS = 10
_NOT_USED = read_rows(Path(__file__).with_name("not_used.csv"))  # by title, or by columns


def read_file(path: str | Path, *, metrics: Mapping[str, Metric] = METRICS) -> FileReading:
    """Read one published file, whatever its format and its name.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; it is only read.
    metrics : mapping of str to Metric
        The metrics that rows may be of.

    Returns
    -------
    FileReading
        Rows that cannot be right are in `refused` with the reason; a file that is known but of no use has the
        kind "not a file bcfstats uses" and says why in `warnings`.

    Raises
    ------
    InputError
        If the file cannot be opened, has no format that is known, or lacks what its format needs.
    """
    path = Path(path)
    return apart(path.name, read_content, path, read_bytes(path, MOST_BYTES), dict(metrics))


def read_content(path: Path, content: bytes, metrics: Mapping[str, Metric]) -> FileReading:
    """Read what a file holds, as `read_file` does; `path` is only named."""
    return checked([_unchecked(path, content, metrics)], metrics)[0]


def read_together(
    files: Sequence[tuple[Path, bytes]], metrics: Mapping[str, Metric]
) -> list[FileReading | BcfStatsError]:
    """Read several files, which are checked at once: that takes a fraction of the time for small ones."""
    readings: list[FileReading | BcfStatsError] = []
    for path, content in files:
        try:
            readings.append(_unchecked(path, content, metrics))
        except BcfStatsError as error:
            readings.append(error)
    done = iter(checked([one for one in readings if isinstance(one, FileReading)], metrics))
    return [next(done) if isinstance(one, FileReading) else one for one in readings]


def _unchecked(path: Path, content: bytes, metrics: Mapping[str, Metric]) -> FileReading:
    source = open_content(path, content)
    if reason := _why_not_used(source):
        return FileReading(path=source.path, kind=NOT_USED, warnings=(reason,))
    for module in FORMATS:
        if module.recognises(source):
            needs_metrics = module in (fingertips, plain)
            reading = module.read(source, metrics) if needs_metrics else module.read(source)
            return _with_doubt(reading, source)
    found, do = plain.missing(source)
    raise InputError(
        "This file has none of the formats that are known.",
        where=source.path.name,
        found=found or _shown(source),
        do=f"{do}Known are: {'; '.join(KNOWN_KINDS)}. {PLAIN_TABLE}",
    )


def _with_doubt(reading: FileReading, source: Book | Text) -> FileReading:
    """Say so where the last row may not be whole."""
    if isinstance(source, Book) or not source.ends_within_a_row:
        return reading
    doubt = "The file does not end with a line break: if it was cut short, its last row may be wrong."
    return replace(reading, warnings=(*reading.warnings, doubt))


def checked(readings: Sequence[FileReading], metrics: Mapping[str, Metric]) -> list[FileReading]:
    """Take out the rows that cannot be right, and mark those known or seen to be doubtful."""
    with_rows = [one for one in readings if len(one.observations) or len(one.others)]
    if not with_rows:
        return list(readings)
    completed = complete(_joined([one.observations for one in with_rows]), metrics)
    completed = mark_rounded(completed, metrics)
    kept, problems = split_impossible(completed, metrics) if len(completed) else (completed, completed)
    first = problems[~problems.index.duplicated()]
    refused: dict[int, list[Refusal]] = {}
    for number, problem in zip(completed.loc[first.index, FILE], first.to_dict("records"), strict=True):
        refused.setdefault(number, []).append(_refusal(with_rows[number], problem))
    n_left = completed[FILE].value_counts()
    observations = _parted(mark_known_problems(kept), len(with_rows))
    others = _parted(mark_known_problems(_joined([one.others for one in with_rows])), len(with_rows))
    done = iter(
        replace(
            one,
            observations=next(observations),
            others=next(others),
            refused=(*one.refused, *refused.get(number, ())),
            warnings=(*one.warnings, *_told_twice(len(one.observations) - int(n_left.get(number, 0)))),
        )
        for number, one in enumerate(with_rows)
    )
    return [next(done) if len(one.observations) or len(one.others) else one for one in readings]


def _joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put the rows of several files into one table that says which file each is of."""
    files = np.repeat(np.arange(len(frames)), [len(frame) for frame in frames])
    return pd.concat(frames, ignore_index=True).assign(**{FILE: files})


def _parted(frame: pd.DataFrame, n_files: int) -> Iterator[pd.DataFrame]:
    """Give each file its rows back."""
    ends = np.searchsorted(frame[FILE], np.arange(n_files + 1))
    rows = frame.drop(columns=FILE)
    for first, end in pairwise(ends):
        yield rows.iloc[first:end].reset_index(drop=True)


def _told_twice(n_twice: int) -> tuple[str, ...]:
    return (f"{n_twice:,} rows repeat another with the same numbers: each figure was counted once.",) * (
        n_twice > 0
    )


def _refusal(reading: FileReading, problem: Mapping[str, str]) -> Refusal:
    where = (reading.path.name, problem["area_code"], problem["metric"], problem["period"], problem["column"])
    return Refusal(", ".join(where), problem["found"], problem["reason"])


def _why_not_used(source: Book | Text) -> str:
    """Give the reason a file that is known is of no use here; "" for others."""
    if isinstance(source, Book):
        top = source.rows(source.sheet_names[0])[:_TITLE_ROWS] if source.sheet_names else []
        first = next((text for row in top for cell in row if (text := cell_text(cell))), "")
        title = (nhs_england.title_of(source) or first).casefold()
        return next((row["why"] for row in _NOT_USED if row["title"] and title.startswith(row["title"])), "")
    if source.content.lstrip()[:1] in ("{", "["):
        return "JSON, not a table"
    names = set(source.header)
    with_columns = (row for row in _NOT_USED if row["columns"])
    return next((row["why"] for row in with_columns if names.issuperset(row["columns"].split("|"))), "")


def _shown(source: Book | Text) -> str:
    if isinstance(source, Book):
        return source.described()
    return "text that starts with " + repr(source.content.lstrip()[:80])
