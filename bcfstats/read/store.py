"""Write a file or a folder all at once: either everything new is there, or everything old still is."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from bcfstats.errors import InputError
from bcfstats.read.data import MANIFEST, aside

PARTS = ".*.part"  # what a killed process may leave of a file it was writing


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
    OSError: no space left
    >>> target.read_text(), [found.name for found in target.parent.iterdir()]
    ('first', ['notes.txt'])
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
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
    InputError
        If the folder cannot be written or replaced.
    """
    fresh = folder.with_name(f".{folder.name}.new-{os.getpid()}")
    try:
        _write(fresh, folder, tables, manifest)
        _swap(fresh, folder)
    except OSError as error:
        raise InputError(
            "The prepared data could not be written; what was there before is untouched.",
            where=str(folder),
            found=error.strerror or str(error),
            do="Close programs that have files of it open, check space and rights, and try again.",
        ) from None
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
