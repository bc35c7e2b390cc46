"""Which format a file has, told by its content and never by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bcfstats.define.metrics import METRICS
from bcfstats.errors import InputError
from bcfstats.files import read_bytes
from bcfstats.read.bounds import MOST_BYTES
from bcfstats.read.formats import activity_return as mar
from bcfstats.read.formats import delayed_transfers as dtoc
from bcfstats.read.formats import fingertips, fingertips_extract, own_areas, plain, population, shares
from bcfstats.read.formats import outcomes_framework as ascof
from bcfstats.read.observations import complete, mark_rounded, split_impossible
from bcfstats.read.processes import apart
from bcfstats.read.reading import FileReading, Refusal
from bcfstats.read.settle import mark_known_problems
from bcfstats.read.workbook import Book, Text, open_content

if TYPE_CHECKING:
    from bcfstats.define.metrics import Metric

NOT_USED = "not a file bcfstats uses"
FORMATS = (dtoc, mar, ascof, shares, fingertips, fingertips_extract, plain, own_areas, population)
KNOWN_KINDS = (
    "delayed transfers of care by local authority (.xls)",
    "Monthly Activity Return by commissioner (.xls)",
    "Measures from the Adult Social Care Outcomes Framework (.csv)",
    "ONS population estimates (.xls, .csv)",
    "population shares of commissioners (.csv)",
    "Fingertips exports (.csv)",
    "plain tables of observations, and lists of areas (.csv, .xlsx)",
)
_LOOKUPS = {
    ("LAD15CD", "RGN15CD"): "a lookup of districts to regions: the register of areas has them",
    ("LAD15CD", "CTY15CD"): "a lookup of districts to counties: the register of areas has them",
    ("LADCD", "LADCD_ACTIVE"): "a history of area codes: the register of areas has them",
    ("area", "metric", "payment"): "targets: give them to 'bcfstats check' instead",
    ("area", "row_type", "metric", "period"): "notes on plans and outturns, not a table of observations",
    ("month", "A00"): "a panel without areas or metrics",
}


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
    source = open_content(path, content)
    if reason := _why_not_used(source):
        return FileReading(path=source.path, kind=NOT_USED, warnings=(reason,))
    for module in FORMATS:
        if module.recognises(source):
            needs_metrics = module in (fingertips, fingertips_extract, plain)
            reading = module.read(source, metrics) if needs_metrics else module.read(source)
            return checked(_with_doubt(reading, source), metrics)
    found, do = plain.missing(source)
    raise InputError(
        "This file has none of the formats that are known.",
        where=source.path.name,
        found=found or _shown(source),
        do=do + "Known are: " + "; ".join(KNOWN_KINDS) + ".",
    )


def _with_doubt(reading: FileReading, source: Book | Text) -> FileReading:
    """Say so where the last row may not be whole."""
    if isinstance(source, Book) or not source.ends_within_a_row:
        return reading
    doubt = "The file does not end with a line break: if it was cut short, its last row may be wrong."
    return replace(reading, warnings=(*reading.warnings, doubt))


def checked(reading: FileReading, metrics: Mapping[str, Metric]) -> FileReading:
    """Take out the rows that cannot be right, and mark those known or seen to be doubtful."""
    if reading.observations.empty and reading.others.empty:
        return reading
    completed = complete(reading.observations, metrics)
    n_twice = len(reading.observations) - len(completed)
    completed = mark_rounded(completed, metrics)
    kept, problems = split_impossible(completed, metrics) if len(completed) else (completed, completed)
    first = problems[~problems.index.duplicated()]
    refused = tuple(_refusal(reading, problem) for problem in first.to_dict("records"))
    twice = f"{n_twice:,} rows repeat another with the same numbers: each figure was counted once."
    return replace(
        reading,
        observations=mark_known_problems(kept),
        others=mark_known_problems(reading.others),
        refused=(*reading.refused, *refused),
        warnings=(*reading.warnings, *((twice,) if n_twice else ())),
    )


def _refusal(reading: FileReading, problem: Mapping[str, str]) -> Refusal:
    parts = (reading.path.name, problem["area_code"], problem["metric"], problem["period"], problem["column"])
    return Refusal(", ".join(parts), problem["found"], problem["reason"])


def _why_not_used(source: Book | Text) -> str:
    if isinstance(source, Book):
        return ""
    if source.content.lstrip()[:1] in ("{", "["):
        return "JSON, not a table"
    names = set(source.header)
    return next((why for columns, why in _LOOKUPS.items() if names.issuperset(columns)), "")


def _shown(source: Book | Text) -> str:
    if isinstance(source, Book):
        return source.described()
    return "text that starts with " + repr(source.content.lstrip()[:80])
