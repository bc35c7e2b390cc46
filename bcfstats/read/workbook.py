"""Open workbooks and CSV text; nothing here knows a publisher."""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from bcfstats.errors import InputError
from bcfstats.files import read_bytes
from bcfstats.read.binary import check_binary, with_known_codes
from bcfstats.read.marks import PERCENT, SCALED, as_shown
from bcfstats.read.processes import MOST_BYTES, MOST_CSV_CELLS, MOST_LINES, apart, damaged, too_large
from bcfstats.read.zipped import Hidden, check_zipped, with_known_errors

OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIPPED_WORKBOOK = b"PK"
Rows = list[list[Any]]
Ranges = list[tuple[tuple[int, int], tuple[int, int]]]
_ROWS_SEARCHED = 20
_LONGEST_HEADER = 100_000
LONGEST_CELL = 2_000  # characters; no name, number or note is longer, and what is, is cut and can be none
# what nobody sees: control characters, soft hyphens, marks of direction and of byte order, joiners
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_BLANKS = re.compile("[\u00a0\u2007\u2009\u202f]")

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "upright lines"}
_ROWS_LOOKED_AT = 40
_LONGEST_START = 100_000  # characters
_SAID = re.compile(r'\s*"?sep=([,;|\t])"?[,;|\t]*\s*[\r\n]', re.IGNORECASE)
_DECIMAL = re.compile(r"[+-]?£?(\d[\d.]*)?(,\d+)*(\.\d+)?%?")
_THOUSANDS = re.compile(r"[+-]?£?\d{1,3}(,\d{3})+(\.\d+)?%?")
_SURELY_THOUSANDS = re.compile(
    r"[+-]?£?\d{1,3}((,\d{3}){2,}(\.\d+)?|(,\d{3})+\.\d+)%?|(?!\d{1,3}\.\d{3}$)[+-]?£?\d+\.\d+%?"
)


@dataclass(frozen=True)
class Book:
    """A workbook: its sheets by name, each a list of rows, read when first asked for.

    `sheet_names` are those that can be seen, as written in the file; from `hidden_names` nothing is taken.
    """

    path: Path
    sheet_names: tuple[str, ...]
    hidden_names: tuple[str, ...]
    _book: Any = field(repr=False, compare=False)
    _lost: Mapping[str, Hidden] = field(repr=False, compare=False)
    _rows: dict[str, Rows] = field(default_factory=dict, repr=False, compare=False)
    _merged: dict[str, Ranges] = field(default_factory=dict, repr=False, compare=False)

    def rows(self, name: str) -> Rows:
        """Give every row of one sheet, empty leading rows and columns kept."""
        if name not in self._rows:
            rows, merged = _calamine(self.path, lambda: _read_sheet(self._book, name))
            _put_back(rows, self._lost.get(name, {}))
            self._rows[name] = [
                [cut(seen(cell)) if type(cell) is str else cell for cell in row] for row in rows
            ]
            self._merged[name] = merged
        return self._rows[name]

    def merged(self, name: str, row: int) -> list[int]:
        """Give the first column of each cell of a row that is merged over several columns."""
        self.rows(name)
        ranges = self._merged[name]
        return [first for (top, first), (bottom, last) in ranges if top <= row <= bottom and first < last]

    def described(self) -> str:
        """Give the names of its sheets, for a message."""
        hidden = f"; hidden, and so not read: {', '.join(self.hidden_names[:8])}" if self.hidden_names else ""
        return "a workbook with the sheets " + ", ".join(self.sheet_names[:8]) + hidden

    def find_sheet(self, *wanted: str) -> str | None:
        """Give the name of the first sheet called one of `wanted`, case and outer blanks aside."""
        tidy = {name.strip().casefold(): name for name in self.sheet_names}
        return next((tidy[name.casefold()] for name in wanted if name.casefold() in tidy), None)


@dataclass(frozen=True)
class Text:
    """A text file of separated values."""

    path: Path
    content: str = field(repr=False)

    @cached_property
    def separator(self) -> str:
        """The sign between the columns."""
        return separator(self.content)

    @cached_property
    def top(self) -> list[tuple[int, list[str]]]:
        """The first rows, each with the place in `content` where it begins."""
        taken = 0

        def lines() -> Iterator[str]:
            nonlocal taken
            for line in io.StringIO(self.content[:_LONGEST_HEADER], newline=""):
                taken += len(line)
                yield line

        rows: list[tuple[int, list[str]]] = []
        try:
            reader = csv.reader(lines(), delimiter=self.separator)
            while len(rows) < _ROWS_SEARCHED:
                start = taken
                rows.append((start, [" ".join(cut(name).split()) for name in next(reader)]))
        except StopIteration:
            pass
        except csv.Error as error:
            raise self._not_rows(str(error)) from None
        return rows

    @property
    def header(self) -> tuple[str, ...]:
        """The first row that has several cells, or else the first, outer blanks removed."""
        rows = [row for _, row in self.top]
        return tuple(next((row for row in rows if sum(map(bool, row)) > 1), rows[0] if rows else []))

    @property
    def ends_within_a_row(self) -> bool:
        """Whether no line break follows the last row, as where a file is cut short."""
        return not self.content.endswith(("\n", "\r"))

    @cached_property
    def rows(self) -> Rows:
        """Every row as it stands, for tables whose rows differ in length."""
        try:
            reader = csv.reader(io.StringIO(self.content, newline=""), delimiter=self.separator)
            return [[cut(cell) for cell in row] for row in reader]
        except csv.Error as error:
            raise self._not_rows(str(error)) from None

    def below(self, at: int) -> pd.DataFrame:
        """Give the cells below a row of `top` as text; the index is the row as a spreadsheet shows it."""
        start, names = self.top[at]
        content, width = self.content[start:], len(names)
        lines = max(content.count("\n"), content.count("\r"))
        if lines > MOST_LINES or lines * width > MOST_CSV_CELLS:
            raise too_large(
                self.path.name,
                f"{lines:,} lines of {width} columns; a file may have {MOST_LINES:,} lines and "
                f"{MOST_CSV_CELLS:,} cells",
            )
        try:
            with warnings.catch_warnings():  # a row longer than the headings would only be warned of, and cut
                warnings.simplefilter("error", pd.errors.ParserWarning)
                frame = pd.read_csv(
                    io.StringIO(content),
                    sep=self.separator,
                    dtype=str,
                    keep_default_na=False,
                    header=0,
                    names=list(range(width)),
                    index_col=False,
                    skip_blank_lines=False,
                )
        except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError) as error:
            raise self._not_rows(str(error).strip()) from None
        if self.ends_within_a_row and self._last_row_is_short(width):
            raise InputError(
                "The file is cut short: its last row has fewer cells than the first.",
                where=f"{self.path.name}, row {at + len(frame) + 1}",
                do="Download or copy it again.",
            )
        frame = frame.fillna("").set_axis(range(at + 2, at + 2 + len(frame)))
        if len(content) > LONGEST_CELL:
            for column in frame:
                if (frame[column].str.len() > LONGEST_CELL).any():
                    frame[column] = frame[column].map(cut)
        return frame if self.separator == "," else plain_decimals(frame, self.path.name)

    def _last_row_is_short(self, width: int) -> bool:
        last = re.split(r"[\r\n]", self.content[-_LONGEST_HEADER:])[-1]
        return '"' not in last and last.count(self.separator) < width - 1

    def _not_rows(self, found: str) -> InputError:
        return InputError(
            "The rows of this CSV file do not all have the columns of its first row.",
            where=self.path.name,
            found=found,
            do="Save it again as CSV, or as .xlsx.",
        )


def separator(content: str) -> str:
    """Tell what separates the columns: what a line "sep=;" says, else the sign that makes most columns."""
    if said := _SAID.match(content):
        return said[1]
    return max(SEPARATORS, key=lambda sign: _columns_made(content, sign))


def _columns_made(content: str, sign: str) -> int:
    """Count the cells right of the first, in the rows that are as wide as most."""
    reader = csv.reader(io.StringIO(content[:_LONGEST_START], newline=""), delimiter=sign)
    widths: list[int] = []
    try:
        while len(widths) < _ROWS_LOOKED_AT:
            widths.append(len(next(reader)))
    except (StopIteration, csv.Error):
        pass
    most = Counter(width for width in widths if width > 1).most_common(1)
    return (most[0][0] - 1) * most[0][1] if most else 0


def plain_decimals(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Write the decimals of a table that commas do not separate with a point, where they have a comma.

    "577,8" can only be a decimal. "1,204" is one where others in the file are; else it may be thousands.
    """
    texts = {text.strip() for column in frame for text in frame[column].unique()}
    numbers = {text for text in texts if ("," in text or "." in text) and _DECIMAL.fullmatch(text)}
    commas = {text for text in numbers if "," in text}
    decimals = sorted(text for text in commas if not _THOUSANDS.fullmatch(text))
    thousands = sorted(text for text in numbers if _SURELY_THOUSANDS.fullmatch(text))
    if not commas or (thousands and not decimals):
        return frame
    if not decimals or thousands:
        examples = [f"'{text}'" for text in (decimals[:1] + thousands[:1] or sorted(commas)[:2])]
        raise InputError(
            "Whether a comma is a decimal comma or parts thousands cannot be told.",
            where=where,
            found=" and ".join(examples),
            do="Save the table as .xlsx, or as CSV separated by commas.",
        )
    pointed = {text: text.replace(".", "").replace(",", ".") for text in numbers}
    return frame.apply(lambda column: column.map(lambda text: pointed.get(text.strip(), text)))


def find_table(source: Book | Text, *columns: str) -> pd.DataFrame | None:
    """Find the table that has all of `columns`, whatever stands above it; None if there is no such table.

    Headings come in lower case; the index is the row number as a spreadsheet shows it.
    """
    wanted = {column.casefold() for column in columns}
    return find_where(source, lambda names: wanted <= set(names))


def find_where(
    source: Book | Text,
    fits: Callable[[list[str]], bool],
    meaning: Callable[[list[str]], list[str]] | None = None,
) -> pd.DataFrame | None:
    """Find the table whose headings fit, as they stand or by their meaning; None if there is none."""
    place = _headings(source, fits, meaning)
    return _cut_out(source, *place) if place else None


def has_where(
    source: Book | Text,
    fits: Callable[[list[str]], bool],
    meaning: Callable[[list[str]], list[str]] | None = None,
) -> bool:
    """Whether there is a table whose headings fit, which takes less time than to find it."""
    return _headings(source, fits, meaning) is not None


def has_table(source: Book | Text, *columns: str) -> bool:
    """Whether there is a table that has all of `columns`."""
    wanted = {column.casefold() for column in columns}
    return has_where(source, lambda names: wanted <= set(names))


def _headings(
    source: Book | Text,
    fits: Callable[[list[str]], bool],
    meaning: Callable[[list[str]], list[str]] | None,
) -> tuple[str, int, list[str]] | None:
    """Give sheet, row and headings of the one table whose headings fit."""
    first: dict[str, tuple[str, int, list[str]]] = {}
    for sheet, at, names in rows_at_the_top(source, meaning):
        if sheet not in first and fits(names):
            first[sheet] = sheet, at, names
    if len(first) > 1:
        raise InputError(
            "The table stands on several sheets, and nothing tells which one counts.",
            where=source.path.name,
            found=", ".join(first),
            do="Put it on one sheet, or each sheet into a file of its own.",
        )
    return next(iter(first.values()), None)


def rows_at_the_top(
    source: Book | Text, meaning: Callable[[list[str]], list[str]] | None = None
) -> Iterator[tuple[str, int, list[str]]]:
    """Give sheet, row and cells of each row that may hold headings, in lower case, or what they mean."""
    if isinstance(source, Text):
        rows = [("", at, row) for at, (_, row) in enumerate(source.top)]
    else:
        rows = [
            (sheet, at, row)
            for sheet in source.sheet_names
            for at, row in enumerate(source.rows(sheet)[:_ROWS_SEARCHED])
        ]
    for sheet, at, row in rows:
        names = [" ".join(cell_text(cell).split()).casefold() for cell in row]
        yield sheet, at, meaning(names) if meaning else names


def _cut_out(source: Book | Text, sheet: str, at: int, names: list[str]) -> pd.DataFrame:
    if isinstance(source, Text):
        return _tidy(source.below(at), names, source.path.name)
    where = f"{source.path.name}, {sheet}"
    if wide := [names[column] for column in source.merged(sheet, at) if names[column]]:
        raise InputError(
            "A heading is merged over several columns: which one it means cannot be told.",
            where=f"{where}, row {at + 1}",
            found=", ".join(f"'{name}'" for name in wide),
            do="Unmerge the headings, and give each column its own.",
        )
    below = source.rows(sheet)[at + 1 :]
    frame = pd.DataFrame(below, range(at + 2, at + 2 + len(below)), range(len(names)), dtype=object)
    return _tidy(frame, names, where)


def _tidy(frame: pd.DataFrame, names: list[str], where: str) -> pd.DataFrame:
    """Name the columns; columns without a heading and rows without a cell are left out."""
    twice = sorted(name for name, count in Counter(names).items() if name and count > 1)
    if twice:
        raise InputError(
            "A column stands there more than once, and nothing tells which one counts.",
            where=where,
            found=", ".join(f"'{name}'" for name in twice),
            do="Leave one of them out, or rename it.",
        )
    named = frame.set_axis(names, axis="columns").loc[:, [name != "" for name in names]]
    return named[(named.to_numpy(object) != "").any(axis=1)]


def as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Give every cell of a table as text without outer blanks, as `cell_text` does one."""
    return table.map(cell_text)


def cell_text(cell: object) -> str:
    """Give a cell as text; a whole number loses its decimals, as a code stored as a number needs."""
    if isinstance(cell, float) and cell.is_integer():
        return f"{cell:.0f}"
    return "" if cell is None else str(cell).strip()


def seen(text: str) -> str:
    """Give a text as it is seen: without invisible characters, and with plain blanks."""
    if text.isascii() and text.isprintable():
        return text
    return _BLANKS.sub(" ", _UNSEEN.sub("", text))


def cut(text: str) -> str:
    """Shorten a text before any pattern sees it: patterns take long for long texts."""
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"


def open_file(path: Path) -> Book | Text:
    """Open a file as a workbook or as text, by its content and not by its name."""
    content = read_bytes(path, MOST_BYTES)
    is_book = content.startswith((OLD_WORKBOOK, ZIPPED_WORKBOOK))
    return apart(path.name, _whole_book, path, content) if is_book else open_content(path, content)


def _whole_book(path: Path, content: bytes) -> Book:
    """Read every sheet of a workbook that can be seen, so that nothing is left to be opened."""
    book = _open_book(path, content)
    for name in book.sheet_names:
        book.rows(name)
    return replace(book, _book=None)


def open_content(path: Path, content: bytes) -> Book | Text:
    """Open what a file holds, as `open_file` does; `path` is only for messages."""
    if not content.strip():
        raise InputError("The file is empty.", where=path.name, do="Download or save it again.")
    if content.startswith((OLD_WORKBOOK, ZIPPED_WORKBOOK)):
        return _open_book(path, content)
    return _open_text(path, content)


def _open_book(path: Path, content: bytes) -> Book:
    if content.startswith(OLD_WORKBOOK):
        lost = check_binary(path.name, content)
    elif zipfile.is_zipfile(io.BytesIO(content)):
        lost = check_zipped(path.name, content)
    else:
        raise InputError(
            "The workbook is cut short: its last part is missing.",
            where=path.name,
            found=f"{len(content)} bytes",
            do="Download or copy it again.",
        )
    import python_calamine as calamine

    known = with_known_codes if content.startswith(OLD_WORKBOOK) else with_known_errors
    content = known(content, lost)
    book = _calamine(path, lambda: calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)))
    sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == calamine.SheetTypeEnum.WorkSheet]
    if any(len(sheet.name) > LONGEST_CELL for sheet in sheets):
        raise damaged(path.name, "a sheet whose name is longer than a cell may be")
    shown = [sheet.name for sheet in sheets if sheet.visible == calamine.SheetVisibleEnum.Visible]
    hidden = [sheet.name for sheet in sheets if sheet.visible != calamine.SheetVisibleEnum.Visible]
    return Book(path, tuple(shown), tuple(hidden), book, lost)


def _read_sheet(book: Any, name: str) -> tuple[Rows, Ranges]:
    sheet = book.get_sheet_by_name(name)
    return sheet.to_python(skip_empty_area=False), sheet.merged_cell_ranges or []


def _put_back(rows: Rows, lost: Hidden) -> None:
    """Put errors, formulas without a result and numbers as they are shown where the library has them not."""
    if not lost:
        return
    height = max(row for row, _ in lost) + 1
    width = max([column + 1 for _, column in lost] + [len(row) for row in rows[:1]])
    rows.extend([] for _ in range(len(rows), height))
    for cells in rows:
        cells.extend([""] * (width - len(cells)))
    for (row, column), text in lost.items():
        rows[row][column] = as_shown(rows[row][column], text) if text in (PERCENT, SCALED) else text


def _calamine(path: Path, read: Any) -> Any:
    """Run a calamine call; a damaged workbook becomes one clear error, also where the library panics."""
    try:
        return read()
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # a panic inside the library is not an Exception
        raise damaged(path.name, str(error).strip()) from None


def _open_text(path: Path, content: bytes) -> Text:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
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
    return Text(path, seen(text))
