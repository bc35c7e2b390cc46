"""A folder of published files becomes one checked set of tables, with a manifest."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

import bcfstats
from bcfstats.define.areas import REGISTER, areas_frame, known_codes
from bcfstats.define.metrics import METRICS
from bcfstats.errors import BcfStatsError, InputError
from bcfstats.files import changed, now, read_bytes, replace_folder, restore_folder, state
from bcfstats.read.apportion import apportion
from bcfstats.read.data import FICTIONAL, Data
from bcfstats.read.denominators import check_denominators, join_denominators
from bcfstats.read.observations import (
    AREA_TYPES,
    OBSERVATION_TYPES,
    OTHER_TYPES,
    check_observations,
    problems_by_area,
    typed,
    validate,
)
from bcfstats.read.processes import MOST_BYTES, Question, apart, in_order
from bcfstats.read.reading import TABLES, Check, FileReading
from bcfstats.read.recognise import read_together
from bcfstats.read.settle import (
    place,
    same_as_known,
    set_apart,
    settle_populations,
    settle_shares,
    settle_vintages,
)

if TYPE_CHECKING:
    from bcfstats.define.metrics import Metric

MOST_LISTED, MOST_SENTENCES = 20, 200
FILES_AT_ONCE, BYTES_AT_ONCE = 50, 500_000
FILES_PER_PROCESS = 25  # to start another process takes as long as to read some files
SECONDS_BETWEEN_LINES = 5.0
_NOTES = re.compile(r"readme([ ._-].*)?", re.IGNORECASE | re.DOTALL)
_NOTE_KINDS = {"", ".md", ".txt", ".rst", ".html", ".htm", ".pdf", ".doc", ".docx"}
_RECENT = 2_000_000_000  # nanoseconds: within them a file may change twice and keep its time


@dataclass(frozen=True)
class _File:
    """One file of the raw folder: read, refused with the reason, or the same as another."""

    path: Path
    name: str
    digest: str = ""
    reading: FileReading | None = None
    refused: str = ""
    same_as: str = ""
    state: tuple[int, ...] = ()
    read_at: int = 0


@dataclass(frozen=True)
class Prepared:
    """What `prepare` did."""

    data: Data  # the tables as written; empty when nothing was usable
    manifest: Mapping[str, Any]  # what was read from which file, refused, checked and decided
    refused_files: Mapping[str, str]  # file to the reason it could not be read
    exit_code: int  # 0: all files read; 1: some refused, the others kept; 2: nothing usable or written


def prepare(raw: str | Path, processed: str | Path, *, metrics: Mapping[str, Metric] = METRICS) -> Prepared:
    """Read every file of a folder and write one checked set of tables.

    Parameters
    ----------
    raw : str or pathlib.Path
        Folder of published files, in any folders below it and of any name. Nothing in it is changed.
    processed : str or pathlib.Path
        Folder for `observations.parquet`, `others.parquet`, `populations.parquet`, `areas.parquet`,
        `earlier.parquet` (figures since revised) and `manifest.json`. It is replaced as a whole at the end,
        or not at all.
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
    listed = entries(raw, processed)
    files = _read_all([entry for entry in listed if not entry.passed], metrics)
    passed = {entry.name: entry.passed for entry in listed if entry.passed}
    tables, manifest = _combined(files, passed, metrics)
    while (looked_at := _without_changed(files)) != files:
        files = looked_at
        tables, manifest = _combined(files, passed, metrics)
    refused = {file.name: file.refused for file in files if file.refused}
    usable = len(tables["observations"]) > 0
    if usable:
        validate(tables["observations"], "observations")
        replace_folder(processed, tables, manifest)
    held = (tables["observations"], tables["areas"], tables["others"], manifest)
    data = Data(*held, bool(manifest["is_example"]), tables["earlier"])
    return Prepared(data, manifest, refused, 2 if not usable else int(bool(refused)))


def _read_all(listed: list[Entry], metrics: Mapping[str, Metric]) -> list[_File]:
    """Read each file once, in processes of their own, small ones several at a time."""
    files: list[_File] = []
    asked: deque[list[int]] = deque()
    waiting: deque[list[tuple[Path, bytes]]] = deque()
    known = dict(metrics)

    def questions() -> Iterator[Question]:
        for batch in _batches(listed, files):
            asked.append(list(batch))
            waiting.append(list(batch.values()))
            yield files[asked[-1][0]].name, read_together, (waiting[-1], known)

    processes = min(os.cpu_count() or 1, 1 + len(listed) // FILES_PER_PROCESS)
    done, last = 0, time.monotonic()
    for answer in in_order(questions(), processes):
        batch = waiting.popleft()
        if (
            isinstance(answer, BcfStatsError) and len(batch) > 1
        ):  # which of them it is shows when each is alone
            answer = [one for file in batch for one in _alone(file, known)]
        for at, one in zip(asked.popleft(), answer if isinstance(answer, list) else [answer], strict=True):
            outcome = {"reading": one} if isinstance(one, FileReading) else {"refused": str(one)}
            files[at] = replace(files[at], **outcome)
        done += len(batch)
        last = _told(done, len(listed), last)
    return files


def _batches(listed: list[Entry], files: list[_File]) -> Iterator[dict[int, tuple[Path, bytes]]]:
    """Open the files and give those to be read, by their place in `files`, which grows."""
    seen: dict[str, str] = {}
    batch: dict[int, tuple[Path, bytes]] = {}
    size = 0
    for entry in listed:
        file, content = _opened(entry)
        if file.digest in seen:
            file = replace(file, same_as=seen[file.digest])
        elif not file.refused:
            seen[file.digest] = file.name
            if batch and (size + len(content) > BYTES_AT_ONCE or len(batch) == FILES_AT_ONCE):
                yield batch
                batch, size = {}, 0
            batch[len(files)] = Path(file.name), content
            size += len(content)
        files.append(file)
    if batch:
        yield batch


def _alone(file: tuple[Path, bytes], metrics: dict[str, Metric]) -> list[FileReading | BcfStatsError]:
    try:
        return apart(file[0].as_posix(), read_together, [file], metrics)
    except BcfStatsError as error:
        return [error]


def _opened(entry: Entry) -> tuple[_File, bytes]:
    """Take what a file holds, unless it is refused."""
    file = _File(
        entry.path, entry.name, refused=entry.refused, state=state(entry.path), read_at=time.time_ns()
    )
    if file.refused:
        return file, b""
    try:
        content = read_bytes(entry.path, MOST_BYTES)
    except InputError as error:
        return replace(file, refused=str(error)), b""
    return replace(file, digest=hashlib.sha256(content).hexdigest()), content


def _told(done: int, total: int, last: float) -> float:
    """Say every few seconds how many of many files are read; give when it was said last."""
    if total <= FILES_AT_ONCE or time.monotonic() - last < SECONDS_BETWEEN_LINES or not sys.stderr:
        return last
    with suppress(OSError):
        print(f"{done:,} of {total:,} files read", file=sys.stderr, flush=True)
    return time.monotonic()


def _without_changed(files: list[_File]) -> list[_File]:
    """Refuse the files that are no longer what was read: half of it may have been old, half new."""
    return [
        replace(file, reading=None, same_as="", refused=str(changed(file.name)))
        if not file.refused and _has_changed(file)
        else file
        for file in files
    ]


def _has_changed(file: _File) -> bool:
    if state(file.path) != file.state:
        return True
    if file.read_at - max(file.state[2:]) > _RECENT:
        return False
    try:
        return hashlib.sha256(read_bytes(file.path, MOST_BYTES)).hexdigest() != file.digest
    except InputError:
        return True


def _combined(
    files: list[_File], passed: Mapping[str, str], metrics: Mapping[str, Metric]
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Bring the files together, with the account of them."""
    placed, same, named = _placed(files, metrics)
    readings = [file.reading for file in placed if file.reading]
    tables, decisions, checks = _combine(readings, metrics)
    decisions |= {"areas": same, "set_apart": set_apart(readings, tables["observations"])}
    own = sorted({code for one in readings for code in one.areas["area_code"]} | {*named})
    return tables, _manifest(placed, passed, tables, decisions, checks, metrics, own)


def _placed(files: list[_File], metrics: Mapping[str, Metric]) -> tuple[list[_File], list[str], list[str]]:
    """Find the areas that rows are of, now that all lists of areas are read; give those known already."""
    own = _together([file.reading for file in files if file.reading], "areas")
    same = same_as_known(own)
    own = own.drop(index=same.index)
    notes = [
        f"{row.area_name} ({row.area_code}) of your list is {known_codes()[row.area_code]}, which is known: "
        "its figures are there."
        for row in same.itertuples()
        if known_codes()[row.area_code] != row.area_code
    ]

    def placed(reading: FileReading) -> FileReading:
        reading = place(reading, own, metrics)
        if reading.areas.empty:
            return reading
        return replace(
            reading, areas=reading.areas[~reading.areas["area_code"].isin(list(same["area_code"]))]
        )

    return (
        [replace(file, reading=placed(file.reading)) if file.reading else file for file in files],
        notes,
        [known_codes()[code] for code in same["area_code"]],
    )


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
    whole = {name: _together(readings, name) for name in TABLES}
    observed, others = settle_vintages(whole["observations"]), settle_vintages(whole["others"])
    people, shares = settle_populations(whole["populations"]), settle_shares(whole["shares"])
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
        "earlier": join_denominators(typed(observed.earlier, OBSERVATION_TYPES), people.frame, metrics).frame,
        "areas": _areas(observations, whole["areas"]),
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
    return typed(pd.concat(frames) if frames else (), TABLES[name])


def _areas(observations: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """Give the areas of the register that were there in the years observed, and those that files define."""
    rows = observations[observations["area_code"].isin(list(REGISTER))]
    first, last = rows["period_start"].min(), rows["period_end"].max()
    there = [area for area in REGISTER.values() if len(rows) and area.is_there(first.date(), last.date())]
    return typed(pd.concat([areas_frame(there), own]).drop_duplicates("area_code"), AREA_TYPES)


def _manifest(
    files: list[_File],
    passed: Mapping[str, str],
    tables: Mapping[str, pd.DataFrame],
    decisions: Mapping[str, list[str]],
    checks: tuple[Check, ...],
    metrics: Mapping[str, Metric],
    own: list[str],
) -> dict[str, Any]:
    observations = tables["observations"]
    problems = problems_by_area(check_observations(observations, metrics))
    described = [_described(file) for file in files]
    return {
        "bcfstats": bcfstats.__version__,
        "created": now().astimezone(UTC).isoformat(timespec="seconds"),
        "is_example": _is_example(observations),
        "own_areas": own,
        "totals": {
            "files": len(files),
            "files_refused": sum("refused" in entry for entry in described),
            "files_not_read": len(passed),
            "rows_read": sum(entry.get("rows_read", 0) for entry in described),
            "rows_refused": sum(entry.get("rows_refused", 0) for entry in described),
            **{name: len(table) for name, table in tables.items()},
            "checks_failed": sum(not c["passed"] for entry in described for c in entry.get("checks", ()))
            + sum(not check.passed for check in checks),
        },
        "checks": [vars(check) for check in checks],
        "decisions": {name: _capped(sentences) for name, sentences in decisions.items()},
        "problems": {code: list(sentences[:MOST_LISTED]) for code, sentences in problems.items()},
        "files": described,
        "not_read": dict(passed),
    }


def _capped(sentences: list[str]) -> list[str]:
    rest = len(sentences) - MOST_SENTENCES
    return [*sentences[:MOST_SENTENCES], f"... and {rest} more."] if rest > 0 else sentences


def _is_example(observations: pd.DataFrame) -> bool:
    return bool(observations["source"].str.contains(FICTIONAL, regex=False).any())


# What stands in the folder


class Entry(NamedTuple):
    """One thing in the folder: a file to read, or why it is passed over or refused."""

    path: Path
    name: str  # below the folder, as it can be printed
    passed: str = ""  # nothing is lost by it
    refused: str = ""  # something may be


def entries(raw: Path, processed: Path) -> list[Entry]:
    """List all that stands in a folder and below it, by name; no link is followed."""
    top, prepared = raw.resolve(), processed.resolve()
    listed: list[Entry] = []
    folders = [top]
    while folders:
        folder = folders.pop()
        try:
            inside = list(os.scandir(folder))
        except OSError as error:
            listed.append(_entry(folder, top, refused=f"The folder cannot be read: {error.strerror}."))
            continue
        for one in inside:
            path = folder / one.name
            passed, refused = _why_not(one, path, top, prepared)
            if passed or refused or not one.is_dir(follow_symlinks=False):
                listed.append(_entry(path, top, passed, refused))
            else:
                folders.append(path)
    return sorted(listed, key=lambda entry: entry.path)


def _why_not(one: os.DirEntry[str], path: Path, top: Path, prepared: Path) -> tuple[str, str]:
    """Say why something is passed over, or refused; neither where it is a file or folder to read."""
    if one.name.startswith((".", "~$")):
        return "hidden, or the lock of another program", ""
    try:
        status = one.stat(follow_symlinks=False)
        target = path.resolve(strict=True) if _is_link(status) else path
    except (OSError, RuntimeError):  # a ring of links is a RuntimeError before Python 3.13
        return "", "This is a link that leads nowhere, or it cannot be looked at."
    if path == prepared:
        return "the prepared data", ""
    if target != path:
        below = target.relative_to(top).parts if target.is_relative_to(top) else (".",)
        if prepared in (target, *target.parents) or any(part.startswith(".") for part in below):
            return "", "This is a link out of the folder, which is not followed: put the file itself here."
        return f"a link to {printable('/'.join(below))}, which is read where it stands", ""
    is_file = stat.S_ISREG(status.st_mode)
    if not is_file and not stat.S_ISDIR(status.st_mode):
        return "", "This is a pipe, a socket or a device, no file."
    if is_file and _NOTES.fullmatch(path.stem) and path.suffix.casefold() in _NOTE_KINDS:
        return "a note about the folder", ""
    return "", ""


def _is_link(status: os.stat_result) -> bool:
    """Whether this is a link, or what Windows calls a junction."""
    junction = getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", None)
    return stat.S_ISLNK(status.st_mode) or (
        junction is not None and getattr(status, "st_reparse_tag", 0) == junction
    )


def _entry(path: Path, top: Path, passed: str = "", refused: str = "") -> Entry:
    return Entry(path, printable(path.relative_to(top).as_posix()), passed, refused)


def printable(name: str) -> str:
    """Give a name as it can be printed: bytes that are no text, and controls, by their numbers."""
    return "".join(c if c.isprintable() else _number(c) for c in name)


def _number(character: str) -> str:
    byte = ord(character) - 0xDC00  # how Python keeps a byte that is no text
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else character.encode("unicode_escape").decode()
