"""How large a file may be, counted before anything of it is unpacked or kept."""

from __future__ import annotations

from dataclasses import dataclass

from bcfstats.errors import InputError

MOST_BYTES = 100_000_000  # of a file
MOST_UNPACKED = 200_000_000  # bytes of all parts of a zipped workbook
MOST_PARTS = 5_000
MOST_CELLS = 1_500_000  # of all sheets of a workbook, empty ones between filled ones too
MOST_TEXT = 50_000_000  # characters in cells; the same text in two cells counts twice
MOST_LINES = 500_000  # of a CSV file
MOST_CSV_CELLS = 8_000_000
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
    """What a workbook holds, counted sheet by sheet; too much of it is refused at once."""

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
