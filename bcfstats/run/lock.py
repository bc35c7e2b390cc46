"""One process at a time writes to a folder: a lock that the operating system lets go when its holder dies."""

import errno
import getpass
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TextIO

from bcfstats.errors import InputError

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
    InputError
        If another process, or another run of this one, holds it; or if the folder cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "reports"
    >>> with sole_use(folder), sole_use(folder):
    ...     pass
    Traceback (most recent call last):
    bcfstats.errors.InputError: Another run is writing to this folder...
    >>> folder.exists()
    False
    """
    is_new = not folder.exists()
    try:
        with _opened(folder) as file:
            if not _taken(file):
                file.seek(0)
                raise InputError(
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
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / NAME).open("a+", encoding="utf-8")
    except OSError as error:
        raise InputError(
            "The folder cannot be written to.",
            where=str(folder),
            found=error.strerror or str(error),
            do="Give another folder with --out, or ask for the right to write there.",
        ) from None


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
