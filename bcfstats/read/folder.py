"""What stands in a folder of files: what is to be read, and what is not, each with its reason."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import NamedTuple

_NOTES = re.compile(r"readme([ ._-].*)?", re.IGNORECASE | re.DOTALL)
_NOTE_KINDS = {"", ".md", ".txt", ".rst", ".html", ".htm", ".pdf", ".doc", ".docx"}


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
