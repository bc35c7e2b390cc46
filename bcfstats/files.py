"""Files are read and written whole or not at all, never through a link, and nothing half-made stays."""

from __future__ import annotations

import errno
import getpass
import hashlib
import json
import math
import os
import shutil
import socket
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from bcfstats.errors import InputError, NotDoneError, ParameterError

if TYPE_CHECKING:
    import pandas as pd

# Reading


def read_bytes(path: Path, most: int) -> bytes:
    """Read a file that stays as it is meanwhile, and has at most so many bytes."""
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                kind = "a folder" if stat.S_ISDIR(before.st_mode) else "a pipe, socket or device"
                raise InputError("This is no ordinary file.", where=str(path), found=kind, do="Name a file.")
            content = file.read(most + 1)
            after = os.fstat(file.fileno())
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        raise InputError(
            "The file cannot be read.",
            where=str(path),
            found=getattr(error, "strerror", "") or str(error),
            do="Check that it exists, that you may read it, and that it is not open in another program.",
        ) from None
    if len(content) > most:
        raise InputError(
            "The file is too large to be read.",
            where=path.name,
            found=f"{before.st_size:,} bytes; a file of this kind may have {most:,}",
            do="Cut it into smaller files, or save only what is needed of it.",
        )
    if _state(before) != _state(after) or len(content) != after.st_size:
        raise changed(path.name)
    return content


def changed(name: str) -> InputError:
    """Give the refusal of a file of which half may be old and half new."""
    return InputError(
        "The file changed while it was read.",
        where=name,
        do="Wait until it is saved or copied, then try again.",
    )


def state(path: Path) -> tuple[int, ...]:
    """Give what differs once a file has been replaced or written to; nothing where it is gone."""
    try:
        return _state(os.lstat(path))
    except OSError:
        return ()


def _state(status: os.stat_result) -> tuple[int, ...]:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _open_at_once(name: str, flags: int) -> int:
    """Open without waiting for a program at the other end, as a named pipe would."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


# Folders of one process alone

OWNER = "owner.lock"
PART = ".part"  # ends the name of a folder in which a file is until it is whole
_swept: set[tuple[Path, str, str]] = set()


@contextmanager
def own_folder(parent: Path | None = None, *, prefix: str = "bcfstats-", suffix: str = "") -> Iterator[Path]:
    """Make a folder for a while; where this process is killed, the next one to make such a folder removes it.

    Its name cannot be foreseen. A lock on a file in it says that its owner lives.
    """
    parent = Path(tempfile.gettempdir()) if parent is None else parent
    if (parent, prefix, suffix) not in _swept:
        _swept.add((parent, prefix, suffix))
        sweep(parent, prefix, suffix)
    folder, lock = _owned(parent, prefix, suffix)
    try:
        yield folder
    finally:
        lock.close()
        shutil.rmtree(folder, ignore_errors=True)


def _owned(parent: Path, prefix: str, suffix: str) -> tuple[Path, TextIO]:
    """Make a folder and lock it; another one where it was swept away before it was locked."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=suffix, dir=parent))
        with suppress(FileNotFoundError):
            lock = _open_lock(folder / OWNER, os.O_CREAT)
            try:
                if _taken(lock) and (folder / OWNER).exists():
                    return folder, lock
            except OSError:  # no locks here: nobody will take it for left over
                return folder, lock
            lock.close()


def sweep(parent: Path, prefix: str, suffix: str = "") -> None:
    """Remove the folders of processes that have ended; one that names no owner only where it is hidden."""
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            named = entry.name.startswith(prefix) and entry.name.endswith(suffix)
            if named and entry.is_dir(follow_symlinks=False):
                _remove_if_left(Path(entry))


def _remove_if_left(folder: Path) -> None:
    """Remove a folder whose lock can be had, while it is held: its owner may be about to take it."""
    with suppress(OSError):
        inside = {path.name for path in folder.iterdir()}
        if OWNER in inside:
            with _open_lock(folder / OWNER) as lock:
                if not _taken(lock):
                    return
                shutil.rmtree(folder, ignore_errors=True)
        if OWNER in inside or (inside and folder.name.startswith(".")):
            shutil.rmtree(folder, ignore_errors=True)  # Windows removes no open file


# Writing


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

    Examples
    --------
    >>> target = Path(tempfile.mkdtemp()) / "notes.txt"
    >>> with whole(target) as part:
    ...     _ = part.write_text("first")
    >>> with whole(target) as part:
    ...     _ = part.write_text("sec")
    ...     raise OSError("no space left")
    Traceback (most recent call last):
    bcfstats.errors.NotDoneError: It could not be written...
    >>> target.read_text(), [path.name for path in target.parent.iterdir()]
    ('first', ['notes.txt'])
    """
    with writing(path, "What was there before is untouched."):
        path.parent.mkdir(parents=True, exist_ok=True)
        with own_folder(path.parent, prefix=".", suffix=PART) as folder:
            part = folder / f"new{path.suffix}"
            yield part
            _retried(lambda: part.replace(path))


def write_whole(path: Path, content: str | bytes, *, encoding: str = "utf-8") -> None:
    """Write a file so that its name always holds either the old content or the new, never half of one."""
    with whole(path) as part:
        part.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV that is safe to open, and that Excel reads as UTF-8."""
    write_whole(path, safe_csv(table), encoding="utf-8-sig")


def _retried(rename: Callable[[], object]) -> None:
    """Rename, for two seconds again where another program holds the file, as OneDrive does for a moment."""
    for seconds in (0.05, 0.15, 0.3, 0.5, 1.0):
        with suppress(PermissionError):
            rename()
            return
        time.sleep(seconds)
    rename()


def clear_parts(folder: Path) -> None:
    """Remove what killed processes have left half-written in a folder that nobody else is writing to."""
    for part in folder.glob(f".*{PART}"):
        if part.is_dir() and not part.is_symlink():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)


LONGEST_PATH = 259  # Windows opens no longer one


def fitting(folder: Path, stem: str, suffix: str) -> str:
    """Shorten the name of a file so that its whole path is one that Windows opens too.

    Examples
    --------
    >>> fitting(Path("/reports"), "E06000001-hartlepool", ".html")
    'E06000001-hartlepool'
    >>> len(str(Path("/") / fitting(Path("/"), "a" * 300, ".html"))) + len(".html")
    259
    """
    room = LONGEST_PATH - len(str(folder.absolute() / "x")) + 1 - len(suffix)
    if len(stem) <= room:
        return stem
    digest = hashlib.sha256(stem.encode()).hexdigest()[:8]
    if room < 2 * len(digest):
        raise InputError(
            "The name of this folder is too long: files in it could not be opened on Windows.",
            where=str(folder),
            do="Give a folder whose path is shorter, nearer to the top.",
        )
    return f"{stem[: room - len(digest) - 1].rstrip('-')}-{digest}"


# A folder of tables

MANIFEST = "manifest.json"


def aside(folder: Path) -> Path:
    """Say where a folder stands for the moment in which a new one takes its place."""
    return folder.with_name(f".{folder.name}.before")


def replace_folder(folder: Path, tables: Mapping[str, pd.DataFrame], manifest: Mapping[str, Any]) -> None:
    """Write tables, each as `name.parquet`, and a manifest beside a folder, then put them in its place.

    Other files in the folder, such as a README, are carried over. An error or an interruption before the last
    step leaves the folder as it was.
    """
    with writing(folder, "The prepared data that were there are untouched."):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with own_folder(folder.parent, prefix=_new(folder)) as beside:
            _write(beside / "new", folder, tables, manifest)
            _swap(beside / "new", folder)


def _new(folder: Path) -> str:
    return f".{folder.name}.new-"


def restore_folder(folder: Path) -> None:
    """Put right what an interruption of `replace_folder` left: the old folder comes back, a new one stays."""
    sweep(folder.parent, _new(folder))
    before = aside(folder)
    if before.is_dir() and not before.is_symlink():
        if folder.exists():
            shutil.rmtree(before, ignore_errors=True)
        else:
            _retried(lambda: before.rename(folder))


def _write(new: Path, folder: Path, tables: Mapping[str, pd.DataFrame], manifest: Mapping[str, Any]) -> None:
    new.mkdir()
    for name, table in tables.items():
        table.to_parquet(new / f"{name}.parquet", index=False)
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (new / MANIFEST).write_text(text + "\n", encoding="utf-8")
    for other in folder.iterdir() if folder.is_dir() else ():
        if not (new / other.name).exists():
            copy = shutil.copytree if other.is_dir() else shutil.copy2
            copy(other, new / other.name)


def _swap(new: Path, folder: Path) -> None:
    before = aside(folder)
    shutil.rmtree(before, ignore_errors=True)
    if folder.exists():
        _retried(lambda: folder.rename(before))
    try:
        _retried(lambda: new.rename(folder))
    except BaseException:
        restore_folder(folder)
        raise
    shutil.rmtree(before, ignore_errors=True)


# Text for spreadsheets

RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # the last four in Japanese settings
SKIPPED_BY_SPREADSHEETS = ("\t", "\r", "\n")
Cell = TypeVar("Cell")


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
    """Write a table as CSV that no spreadsheet takes a formula from, numbers to twelve significant digits.

    The digits after those differ between machines and releases of numpy.
    """

    def written(cell: Any) -> Any:
        return f"{cell:.12g}" if isinstance(cell, float) and math.isfinite(cell) else safe_text(cell)

    cells = {name: table[name].map(written) for name in table.select_dtypes(exclude="number")}
    safe = table.assign(**cells).rename(columns=safe_text)
    return str(safe.to_csv(index=False, lineterminator="\n", float_format="%.12g"))


LONGEST_TIME = 11  # digits


def now() -> datetime:
    """Give the time to write into files: SOURCE_DATE_EPOCH where that is set, to make them again."""
    fixed = os.getenv("SOURCE_DATE_EPOCH")
    if not fixed:
        return datetime.now().astimezone()
    if not fixed.isdecimal() or len(fixed) > LONGEST_TIME:
        do = "Give seconds since 1970, or unset it."
        raise ParameterError("SOURCE_DATE_EPOCH is not a time.", found=f"'{fixed}'", do=do)
    return datetime.fromtimestamp(int(fixed), UTC)


# One run at a time

NAME = "run.lock"
OWNER_LENGTH = 300
FAR = 2**30  # the byte that is locked, beyond the text: Windows lets nobody read what is locked
HELD = {errno.EACCES, errno.EAGAIN, errno.EDEADLK, getattr(errno, "EDEADLOCK", errno.EDEADLK)}


@contextmanager
def sole_use(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder; it is made where it is missing, and goes again if nothing is written.

    A file `run.lock` stays in the folder; it is the lock on it that counts, and it says who holds it.

    Examples
    --------
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
        with _locked(folder) as file:
            file.truncate(0)
            with suppress(OSError):  # on a full disk it counts as well
                os.write(file.fileno(), _owner().encode())
            yield
            file.truncate(0)
    finally:
        if is_new and {entry.name for entry in folder.glob("*")} == {NAME}:
            with suppress(OSError):
                (folder / NAME).unlink()
                folder.rmdir()


def _locked(folder: Path) -> TextIO:
    """Open the lock of a folder and take it."""
    with writing(folder, "Another folder can be given with --out."):
        folder.mkdir(parents=True, exist_ok=True)
        file = _open_lock(folder / NAME, os.O_CREAT)
        if _taken(file):
            return file
    with file:
        file.seek(0)
        raise NotDoneError(
            "Another run is writing to this folder.",
            where=str(folder),
            found=file.read(OWNER_LENGTH).strip() or "its owner is not named",
            do="Wait until it has ended, or give another folder with --out.",
        )


def _open_lock(path: Path, flags: int = 0) -> TextIO:
    """Open a file to lock it, and none that a link leads to: what is locked is written to."""
    ours = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    if path.is_symlink():
        raise OSError(errno.ELOOP, f"{path.name} is a link to another file: remove it")
    file = os.fdopen(os.open(path, ours | flags, 0o666), "r+", encoding="utf-8", errors="replace")
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        file.close()
        raise OSError(errno.ELOOP, f"{path.name} is no file of its own: remove it")
    return file


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
        if error.errno in HELD:
            return False
        file.close()
        raise
    return True


def _owner() -> str:
    user = ""
    with suppress(OSError, KeyError, ImportError):  # a user without a name
        user = f" of {getpass.getuser()}"
    started = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    return f"process {os.getpid()}{user} on {socket.gethostname()}, since {started}\n"
