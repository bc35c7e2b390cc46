"""A folder of published files becomes one checked set of tables, with a manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

import bcfstats
from bcfstats.define.areas import AREAS, areas_frame
from bcfstats.define.metrics import METRICS
from bcfstats.errors import InputError
from bcfstats.files import replace_folder, restore_folder
from bcfstats.read.apportion import apportion
from bcfstats.read.bounds import read_bytes
from bcfstats.read.data import FICTIONAL, Data
from bcfstats.read.denominators import check_denominators, join_denominators
from bcfstats.read.formats import plain
from bcfstats.read.formats.own_areas import place
from bcfstats.read.observations import (
    AREA_TYPES,
    OBSERVATION_TYPES,
    OTHER_TYPES,
    POPULATION_TYPES,
    SHARE_TYPES,
    check_observations,
    problems_by_area,
    typed,
    validate,
)
from bcfstats.read.reading import Check, FileReading
from bcfstats.read.recognise import read_content
from bcfstats.read.settle import settle_populations, settle_shares, settle_vintages

if TYPE_CHECKING:
    from bcfstats.define.metrics import Metric

MOST_LISTED = 20
_PARTS = {
    "observations": OBSERVATION_TYPES,
    "others": OTHER_TYPES,
    "populations": POPULATION_TYPES,
    "shares": SHARE_TYPES,
    "areas": AREA_TYPES,
}


@dataclass(frozen=True)
class _File:
    """One file of the raw folder: read, refused with the reason, or the same as another."""

    name: str
    digest: str
    reading: FileReading | None = None
    refused: str = ""
    same_as: str = ""


@dataclass(frozen=True)
class Prepared:
    """What `prepare` did.

    Parameters
    ----------
    data : Data
        The tables as written; empty when nothing was usable.
    manifest : mapping
        What was read from which file, refused, checked and decided.
    refused_files : mapping of str to str
        File to the reason it could not be read.
    exit_code : int
        0: all files were read; 1: some were refused, the others are kept; 2: nothing usable, nothing written.
    """

    data: Data
    manifest: Mapping[str, Any]
    refused_files: Mapping[str, str]
    exit_code: int


def prepare(raw: str | Path, processed: str | Path, *, metrics: Mapping[str, Metric] = METRICS) -> Prepared:
    """Read every file of a folder and write one checked set of tables.

    Parameters
    ----------
    raw : str or pathlib.Path
        Folder of published files, in any folders below it and of any name. Nothing in it is changed.
    processed : str or pathlib.Path
        Folder for `observations.parquet`, `others.parquet`, `populations.parquet`, `areas.parquet` and
        `manifest.json`. It is replaced as a whole at the end, or not at all.
    metrics : mapping of str to Metric, optional
        The metrics that rows may be of; those of the fund if not given.

    Returns
    -------
    Prepared

    Raises
    ------
    InputError
        If `raw` is no folder, or `processed` cannot be written.
    """
    raw, processed = Path(raw), Path(processed)
    if not raw.is_dir():
        raise InputError("There is no such folder.", where=str(raw), do="Name the folder of published files.")
    restore_folder(processed)
    files = _placed(list(_read_all(raw, processed, metrics)))
    tables, decisions, checks = _combine([file.reading for file in files if file.reading], metrics)
    usable = len(tables["observations"]) > 0
    manifest = _manifest(files, tables, decisions, checks, metrics)
    refused = {file.name: file.refused for file in files if file.refused}
    if usable:
        validate(tables["observations"], "observations")
        replace_folder(processed, tables, manifest)
    data = Data(
        tables["observations"], tables["areas"], tables["others"], manifest, bool(manifest["is_example"])
    )
    return Prepared(data, manifest, refused, 2 if not usable else int(bool(refused)))


def find_files(raw: Path, processed: Path) -> Iterator[Path]:
    """Give the files to read, by path: no hidden files, lock files, README or prepared data."""
    for path in sorted(raw.rglob("*")):
        parts = path.relative_to(raw).parts
        hidden = any(part.startswith((".", "~$")) for part in parts)
        inside = processed.resolve() in path.resolve().parents
        if path.is_file() and not (hidden or inside or path.stem.casefold().startswith("readme")):
            yield path


def _read_all(raw: Path, processed: Path, metrics: Mapping[str, Metric]) -> Iterator[_File]:
    """Read each file once."""
    seen: dict[str, str] = {}
    for path in find_files(raw, processed):
        name, digest = path.relative_to(raw).as_posix(), ""
        try:
            content = read_bytes(path)
            digest = hashlib.sha256(content).hexdigest()
            if digest in seen:
                yield _File(name, digest, same_as=seen[digest])
                continue
            seen[digest] = name
            yield _File(name, digest, reading=read_content(path, content, metrics))
        except InputError as error:
            yield _File(name, digest, refused=str(error))
        except Exception as error:  # one file that no reader foresaw must not cost the others
            found = f"{type(error).__name__}: {error}"
            yield _File(name, digest, refused=f"The file could not be read. Where: {name}. Found: {found}.")


def _placed(files: list[_File]) -> list[_File]:
    """Find the areas that plain tables name, now that all lists of areas are read."""
    own = _together([file.reading for file in files if file.reading], "areas")
    plain_files = [file.reading and file.reading.kind == plain.KIND for file in files]
    return [
        replace(file, reading=place(file.reading, own)) if file.reading and is_plain else file
        for file, is_plain in zip(files, plain_files, strict=True)
    ]


def _described(file: _File) -> dict[str, Any]:
    """Describe a file for the manifest."""
    entry: dict[str, Any] = {"file": file.name, "sha256": file.digest}
    if file.refused:
        return {**entry, "refused": file.refused}
    reading = file.reading
    if reading is None:
        return {**entry, "kind": f"the same file as {file.same_as}"}
    return {
        **entry,
        "kind": reading.kind,
        "publisher": reading.publisher,
        "title": reading.title,
        "period": reading.period,
        "published": _iso(reading.published),
        "revised": _iso(reading.revised),
        "rows_read": reading.rows_read,
        "rows_refused": sum(refusal.rows for refusal in reading.refused),
        "refused_rows": [vars(refusal) for refusal in reading.refused[:MOST_LISTED]],
        "checks": [vars(check) for check in reading.checks],
        "warnings": list(reading.warnings),
    }


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _combine(
    readings: list[FileReading], metrics: Mapping[str, Metric]
) -> tuple[dict[str, pd.DataFrame], dict[str, list[str]], tuple[Check, ...]]:
    """Bring the readings together: vintages, shares, denominators."""
    parts = {name: _together(readings, name) for name in _PARTS}
    observed, others = settle_vintages(parts["observations"]), settle_vintages(parts["others"])
    people, shares = settle_populations(parts["populations"]), settle_shares(parts["shares"])
    shared = apportion(others.frame, shares.frame)
    own = typed(pd.concat([observed.frame, shared.observations]), OBSERVATION_TYPES)
    checked, checks = check_denominators(own, people.frame, metrics)
    joined = join_denominators(checked, people.frame, metrics)
    order = ["metric", "area_code", "period_start"]
    observations = typed(joined.frame.sort_values(order, kind="stable"), OBSERVATION_TYPES)
    tables = {
        "observations": observations,
        "others": typed(others.frame.sort_values(order, kind="stable"), OTHER_TYPES),
        "populations": people.frame,
        "areas": _areas(observations, parts["areas"]),
    }
    decisions = {
        "vintages": [*observed.replaced, *others.replaced],
        "conflicts": [*observed.conflicts, *others.conflicts],
        "commissioners": [*shares.conflicts, *shared.notes],
        "populations": [*people.conflicts, *joined.notes],
    }
    return tables, decisions, checks


def _together(readings: list[FileReading], name: str) -> pd.DataFrame:
    frames = [getattr(reading, name) for reading in readings if len(getattr(reading, name))]
    return typed(pd.concat(frames) if frames else (), _PARTS[name])


def _areas(observations: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """Give the register of 2014 where any of it is observed, and the areas that files define."""
    register = areas_frame() if observations["area_code"].isin(list(AREAS)).any() else areas_frame({})
    return typed(pd.concat([register, own]).drop_duplicates("area_code"), AREA_TYPES)


def _manifest(
    files: list[_File],
    tables: Mapping[str, pd.DataFrame],
    decisions: Mapping[str, list[str]],
    checks: tuple[Check, ...],
    metrics: Mapping[str, Metric],
) -> dict[str, Any]:
    observations = tables["observations"]
    problems = problems_by_area(check_observations(observations, metrics))
    entries = [_described(file) for file in files]
    return {
        "bcfstats": bcfstats.__version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "is_example": _is_example(observations),
        "totals": {
            "files": len(files),
            "files_refused": sum("refused" in entry for entry in entries),
            "rows_read": sum(entry.get("rows_read", 0) for entry in entries),
            "rows_refused": sum(entry.get("rows_refused", 0) for entry in entries),
            **{name: len(table) for name, table in tables.items()},
            "checks_failed": sum(not c["passed"] for entry in entries for c in entry.get("checks", ()))
            + sum(not check.passed for check in checks),
        },
        "checks": [vars(check) for check in checks],
        "decisions": {name: _capped(sentences) for name, sentences in decisions.items()},
        "problems": {code: list(sentences[:MOST_LISTED]) for code, sentences in problems.items()},
        "files": entries,
    }


def _capped(sentences: list[str], most: int = 200) -> list[str]:
    rest = len(sentences) - most
    return [*sentences[:most], f"... and {rest} more."] if rest > 0 else sentences


def _is_example(observations: pd.DataFrame) -> bool:
    return bool(observations["source"].str.contains(FICTIONAL, regex=False).any())
