"""Write a file or a folder all at once: either everything new is there, or everything old still is."""

from __future__ import annotations

import errno
import getpass
import json
import os
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO, TypeVar

import pandas as pd

from bcfstats.errors import NotDoneError


def aside(folder: Path) -> Path:
    """Say where a folder stands for the moment in which a new one takes its place."""
    return folder.with_name(f".{folder.name}.before")


MANIFEST = "manifest.json"


PARTS = ".*.part"  # what a killed process may leave of a file it was writing


@contextmanager
def writing(where: Path, what: str = "What is there is whole, old or new.") -> Iterator[None]:
    """Tell in the user's words that something could not be written."""
    try:
        yield
    except OSError as error:
        raise NotDoneError(
            f"It could not be written. {what}",
            where=str(where),
            found=error.strerror or str(error),
            do="Check space and rights, close programs that have it open, and run the command again.",
        ) from error


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a name to write to; what is there at the end takes the place of `path`, or nothing does.

    Parameters
    ----------
    path : pathlib.Path
        The file to be written; its folder is made where it is missing.

    Yields
    ------
    pathlib.Path
        A hidden name beside it, of this process alone.

    Raises
    ------
    NotDoneError
        If the file could not be written: no room, no right, a program that has it open.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "notes.txt"
    >>> with whole(target) as part:
    ...     _ = part.write_text("first")
    >>> with whole(target) as part:
    ...     _ = part.write_text("sec")
    ...     raise OSError("no space left")
    Traceback (most recent call last):
    bcfstats.errors.NotDoneError: It could not be written...
    >>> target.read_text(), [found.name for found in target.parent.iterdir()]
    ('first', ['notes.txt'])
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with writing(path, "What was there before is untouched."):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield part
            part.replace(path)
    finally:
        with suppress(OSError):  # there is no such folder
            part.unlink(missing_ok=True)


def clear_parts(folder: Path) -> None:
    """Remove what killed processes have left half-written in a folder that nobody else is writing to."""
    for part in folder.glob(PARTS):
        part.unlink(missing_ok=True)


def replace_folder(folder: Path, tables: Mapping[str, pd.DataFrame], manifest: Mapping[str, Any]) -> None:
    """Write tables and manifest beside `folder`, then put them in its place.

    Other files in the folder, such as a README, are carried over. An error or an interruption before the last
    step leaves the folder as it was.

    Parameters
    ----------
    folder : pathlib.Path
        Where the tables belong.
    tables : mapping of str to pandas.DataFrame
        Name to table; each becomes `name.parquet`.
    manifest : mapping
        Becomes `manifest.json`.

    Raises
    ------
    NotDoneError
        If the folder cannot be written or replaced.
    """
    fresh = folder.with_name(f".{folder.name}.new-{os.getpid()}")
    try:
        with writing(folder, "The prepared data that were there are untouched."):
            _write(fresh, folder, tables, manifest)
            _swap(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def restore_folder(folder: Path) -> None:
    """Put a folder back that an interruption in the last step of `replace_folder` left aside."""
    if not folder.exists() and aside(folder).is_dir():
        aside(folder).rename(folder)


def _write(
    fresh: Path, folder: Path, tables: Mapping[str, pd.DataFrame], manifest: Mapping[str, Any]
) -> None:
    fresh.mkdir(parents=True)
    for name, table in tables.items():
        table.to_parquet(fresh / f"{name}.parquet", index=False)
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (fresh / MANIFEST).write_text(text + "\n", encoding="utf-8")
    for other in folder.iterdir() if folder.is_dir() else ():
        if not (fresh / other.name).exists():
            copy = shutil.copytree if other.is_dir() else shutil.copy2
            copy(other, fresh / other.name)


def _swap(fresh: Path, folder: Path) -> None:
    before = aside(folder)
    shutil.rmtree(before, ignore_errors=True)
    if folder.exists():
        folder.rename(before)
    try:
        fresh.rename(folder)
    except BaseException:
        restore_folder(folder)
        raise
    shutil.rmtree(before, ignore_errors=True)


RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # the last four in Japanese settings
SKIPPED_BY_SPREADSHEETS = ("\t", "\r", "\n")
Cell = TypeVar("Cell")


def write_whole(path: Path, text: str, *, encoding: str = "utf-8") -> None:
    """Write a file so that its name always holds either the old text or the new, never half of one.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "run.json"
    >>> write_whole(target, "{}")
    >>> target.read_text(), sorted(found.name for found in target.parent.iterdir())
    ('{}', ['run.json'])
    """
    with whole(path) as part:
        part.write_text(text, encoding=encoding, newline="")


def safe_text(cell: Cell) -> Cell | str:
    """Put an apostrophe before text that a spreadsheet would take for a formula; numbers stay as they are.

    Source: OWASP, CSV injection; blanks before the sign do not make it safe.

    Examples
    --------
    >>> safe_text("=HYPERLINK(1)"), safe_text(" @SUM(A1)"), safe_text("Leeds"), safe_text(-3.5)
    ("'=HYPERLINK(1)", "' @SUM(A1)", 'Leeds', -3.5)
    """
    if not isinstance(cell, str):
        return cell
    risky = cell.lstrip().startswith(RUN_BY_SPREADSHEETS) or cell.startswith(SKIPPED_BY_SPREADSHEETS)
    return f"'{cell}" if risky else cell


def safe_csv(table: pd.DataFrame) -> str:
    """Write a table as CSV that no spreadsheet takes a formula from."""
    return str(table.rename(columns=safe_text).map(safe_text).to_csv(index=False, lineterminator="\n"))


NAME = "run.lock"
OWNER_LENGTH = 300
FAR = 2**30  # the byte that is locked, beyond the text: Windows lets nobody read what is locked
HELD = {errno.EACCES, errno.EAGAIN, errno.EDEADLK, getattr(errno, "EDEADLOCK", errno.EDEADLK)}


@contextmanager
def sole_use(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder for a while.

    A file `run.lock` stays in the folder; it is the lock on it that counts, and it says who holds it. Where
    the file system knows no locks, nothing is kept out.

    Parameters
    ----------
    folder : Path
        Made where it is missing, and removed again if nothing was written to it.

    Raises
    ------
    NotDoneError
        If another process, or another run of this one, holds it; or if the folder cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "reports"
    >>> with sole_use(folder), sole_use(folder):
    ...     pass
    Traceback (most recent call last):
    bcfstats.errors.NotDoneError: Another run is writing to this folder...
    >>> folder.exists()
    False
    """
    is_new = not folder.exists()
    try:
        with _opened(folder) as file:
            if not _taken(file):
                file.seek(0)
                raise NotDoneError(
                    "Another run is writing to this folder.",
                    where=str(folder),
                    found=file.read(OWNER_LENGTH).strip() or "its owner is not named",
                    do="Wait until it has ended, or give another folder with --out.",
                )
            file.truncate(0)
            with suppress(OSError):  # on a full disk it counts as well
                os.write(file.fileno(), _owner().encode())
            yield
            file.truncate(0)
    finally:
        if is_new and {found.name for found in folder.glob("*")} == {NAME}:
            with suppress(OSError):
                (folder / NAME).unlink()
                folder.rmdir()


def _opened(folder: Path) -> TextIO:
    with writing(folder, "Another folder can be given with --out."):
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / NAME).open("a+", encoding="utf-8")


def _taken(file: TextIO) -> bool:
    """Take the lock, unless another holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(file.fileno(), FAR, os.SEEK_SET)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in HELD
    return True


def _owner() -> str:
    user = ""
    with suppress(OSError, KeyError, ImportError):  # a user without a name
        user = f" of {getpass.getuser()}"
    started = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    return f"process {os.getpid()}{user} on {socket.gethostname()}, since {started}\n"
