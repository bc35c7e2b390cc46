"""Write a folder all at once: either everything new is there, or everything old still is."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from bcfstats.errors import InputError
from bcfstats.read.data import MANIFEST


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
    if not folder.exists() and _aside(folder).is_dir():
        _aside(folder).rename(folder)


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
    aside = _aside(folder)
    shutil.rmtree(aside, ignore_errors=True)
    if folder.exists():
        folder.rename(aside)
    try:
        fresh.rename(folder)
    except BaseException:
        restore_folder(folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.before")
