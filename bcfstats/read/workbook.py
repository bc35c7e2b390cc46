"""Open workbooks and CSV text; nothing here knows a publisher."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from bcfstats.errors import InputError

OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIPPED_WORKBOOK = b"PK"
Rows = list[list[Any]]
_ROWS_SEARCHED = 20


@dataclass(frozen=True)
class Book:
    """A workbook: its sheets by name, each a list of rows, read when first asked for.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    sheet_names : tuple of str
        As written in the file, trailing blanks included.
    """

    path: Path
    sheet_names: tuple[str, ...]
    _book: Any = field(repr=False, compare=False)
    _rows: dict[str, Rows] = field(default_factory=dict, repr=False, compare=False)

    def rows(self, name: str) -> Rows:
        """Give every row of one sheet, empty leading rows and columns kept."""
        if name not in self._rows:
            self._rows[name] = _calamine(
                self.path, lambda: self._book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            )
        return self._rows[name]

    def find_sheet(self, *wanted: str) -> str | None:
        """Give the name of the first sheet called one of `wanted`, case and outer blanks aside."""
        tidy = {name.strip().casefold(): name for name in self.sheet_names}
        return next((tidy[name.casefold()] for name in wanted if name.casefold() in tidy), None)


@dataclass(frozen=True)
class Text:
    """A text file of comma separated values.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    content : str
        All of it.
    encoding : str
        The encoding it was read in.
    """

    path: Path
    content: str = field(repr=False)
    encoding: str

    @cached_property
    def header(self) -> tuple[str, ...]:
        """The first row, outer blanks removed."""
        first = next(csv.reader(io.StringIO(self.content, newline="")), [])
        return tuple(name.strip() for name in first)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Every cell as text, blank cells as empty text; the columns are `header`."""
        columns = list(range(len(self.header)))
        try:
            with (
                warnings.catch_warnings()
            ):  # a row longer than the first one would only be warned of, and cut
                warnings.simplefilter("error", pd.errors.ParserWarning)
                frame = pd.read_csv(
                    io.StringIO(self.content),
                    dtype=str,
                    keep_default_na=False,
                    header=0,
                    names=columns,
                    index_col=False,
                )
        except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
            raise InputError(
                "The rows of this CSV file do not all have the columns of its first row.",
                where=self.path.name,
                found=str(error).strip(),
                do="Save it again as CSV, or as .xlsx.",
            ) from None
        return frame.fillna("").set_axis(list(self.header), axis="columns")


def find_table(source: Book | Text, *columns: str) -> pd.DataFrame | None:
    """Find the table that has all of `columns`, whatever stands above it.

    Parameters
    ----------
    source : Book or Text
        Where to look: the first row of a text, the first rows of each sheet of a workbook.
    columns : str
        Headings the table must have; case and outer blanks do not matter.

    Returns
    -------
    pandas.DataFrame or None
        Headings in lower case; the index is the row number as a spreadsheet shows it. None if there is no
        such table.
    """
    wanted = {column.casefold() for column in columns}
    if isinstance(source, Text):
        names = [name.casefold() for name in source.header]
        if not wanted <= set(names):
            return None
        frame = source.frame.set_axis(names, axis="columns")
        return frame.set_axis(range(2, len(frame) + 2), axis="index")
    for sheet in source.sheet_names:
        rows = source.rows(sheet)
        for at, row in enumerate(rows[:_ROWS_SEARCHED]):
            names = [" ".join(str(cell).split()).casefold() for cell in row]
            if wanted <= set(names):
                below = rows[at + 1 :]
                return pd.DataFrame(
                    below, columns=names, index=range(at + 2, at + 2 + len(below)), dtype=object
                )
    return None


def as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Give every cell of a table as text without outer blanks, as `cell_text` does one."""
    return table.map(cell_text)


def cell_text(cell: object) -> str:
    """Give a cell as text; a whole number loses its decimals, as a code stored as a number needs.

    Examples
    --------
    >>> cell_text(716.0), cell_text(" 00KB "), cell_text(3.5)
    ('716', '00KB', '3.5')
    """
    if isinstance(cell, float) and cell.is_integer():
        return f"{cell:.0f}"
    return "" if cell is None else str(cell).strip()


def open_file(path: Path) -> Book | Text:
    """Open a file as a workbook or as CSV text, by its content and not by its name.

    Parameters
    ----------
    path : pathlib.Path
        The file; it is only read.

    Returns
    -------
    Book or Text

    Raises
    ------
    InputError
        If it is empty, cannot be read, is a damaged workbook, or is neither a workbook nor text.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            "The file cannot be read.",
            where=str(path),
            found=error.strerror or str(error),
            do="Check that it exists, that you may read it, and that it is not open in another program.",
        ) from None
    if not content.strip():
        raise InputError("The file is empty.", where=path.name, do="Download or save it again.")
    if content.startswith((OLD_WORKBOOK, ZIPPED_WORKBOOK)):
        return _open_book(path, content)
    return _open_text(path, content)


def _open_book(path: Path, content: bytes) -> Book:
    if content.startswith(ZIPPED_WORKBOOK) and not zipfile.is_zipfile(io.BytesIO(content)):
        raise InputError(
            "The workbook is cut short: its last part is missing.",
            where=path.name,
            found=f"{len(content)} bytes",
            do="Download or copy it again.",
        )
    import python_calamine

    book = _calamine(path, lambda: python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)))
    return Book(path, tuple(book.sheet_names), book)


def _calamine(path: Path, read: Any) -> Any:
    """Run a calamine call; a damaged workbook becomes one clear error, also where the library panics."""
    try:
        return read()
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # a panic inside the library is not an Exception
        raise InputError(
            "The workbook is damaged, protected by a password, or not a workbook.",
            where=path.name,
            found=str(error).strip(),
            do="Open it in Excel and save it again, without a password.",
        ) from None


def _open_text(path: Path, content: bytes) -> Text:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        encoding = "cp1252"
        text = content.decode(encoding, errors="replace")
    if "\x00" in text or text.count("�") > 10:
        raise InputError(
            "The file is neither a workbook nor text.",
            where=path.name,
            do="Give the .xls, .xlsx, .ods or .csv file as it was published.",
        )
    if text.lstrip()[:1] == "<":
        raise InputError(
            "The file is a web page, not a workbook or CSV.",
            where=path.name,
            do="Download the file itself; a browser may have saved the page around it.",
        )
    return Text(path, text, encoding)
