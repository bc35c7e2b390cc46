"""How large a file may be, counted before anything of it is unpacked or kept."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from bcfstats.errors import InputError

MOST_BYTES = 100_000_000  # of a file
MOST_UNPACKED = 200_000_000  # bytes of all parts of a zipped workbook
MOST_PARTS = 5_000
MOST_CELLS = 1_500_000  # of all sheets of a workbook, empty ones between filled ones too
MOST_TEXT = 50_000_000  # characters in cells; the same text in two cells counts twice
MOST_LINES = 300_000  # of a CSV file
MOST_CSV_CELLS = 6_000_000
_SPLIT = "Cut it into smaller files, or save only the sheet with the table, as .xlsx or CSV."


def too_large(where: str, found: str) -> InputError:
    """Give the refusal of a file that would fill the memory."""
    return InputError("The file is too large to be read.", where=where, found=found, do=_SPLIT)


def damaged(where: str, found: str) -> InputError:
    """Give the refusal of a workbook whose parts do not fit together."""
    return InputError(
        "The workbook is damaged, or not a workbook.",
        where=where,
        found=found,
        do="Open it in Excel and save it again, or download it again.",
    )


def protected(where: str) -> InputError:
    """Give the refusal of a workbook that only a password opens."""
    return InputError(
        "The workbook is protected by a password.",
        where=where,
        do="Open it in Excel with its password and save it without one.",
    )


@dataclass
class Tally:
    """What a workbook holds, counted sheet by sheet; too much of it is refused at once.

    Parameters
    ----------
    where : str
        The file, for the message.
    """

    where: str
    cells: int = 0
    characters: int = 0

    def add_sheet(self, rows: int, columns: int) -> None:
        """Count a sheet from its first cell to its last, as it is kept in memory."""
        self.cells += rows * columns
        if self.cells > MOST_CELLS:
            raise too_large(
                self.where, f"a sheet that reaches to row {rows:,} and column {columns:,}; "
                f"all sheets together may have {MOST_CELLS:,} cells"
            )  # fmt: skip

    def add_text(self, characters: int) -> None:
        """Count the text of cells."""
        self.characters += characters
        if self.characters > MOST_TEXT:
            raise too_large(self.where, f"more than {MOST_TEXT:,} characters in cells")


def read_bytes(path: Path) -> bytes:
    """Read a file that stays as it is meanwhile.

    Raises
    ------
    InputError
        If it cannot be read, is no ordinary file, is too large, or changes while it is read.
    """
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise InputError("This is no ordinary file.", where=str(path), do="Give a file of data.")
            if before.st_size > MOST_BYTES:
                raise too_large(path.name, f"{before.st_size:,} bytes; a file may have {MOST_BYTES:,}")
            content = file.read(MOST_BYTES + 1)
            after = os.fstat(file.fileno())
    except OSError as error:
        raise InputError(
            "The file cannot be read.",
            where=str(path),
            found=error.strerror or str(error),
            do="Check that it exists, that you may read it, and that it is not open in another program.",
        ) from None
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or (
        len(content) != after.st_size
    ):
        raise InputError(
            "The file changed while it was read.",
            where=path.name,
            do="Wait until it is saved or copied, then try again.",
        )
    return content


def _open_at_once(name: str, flags: int) -> int:
    """Open without waiting for a program at the other end, as a named pipe would."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
