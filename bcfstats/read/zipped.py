"""Zipped workbooks (.xlsx, .xlsm, .ods): how much they unpack to, and what their cells hide.

The library that reads workbooks makes room for every cell between the first and the last, gives blanks
for errors and for formulas without a result, and stops the whole program where memory runs out. So each
part is unpacked and counted here first, piece by piece.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from xml.parsers import expat

from bcfstats.errors import InputError
from bcfstats.read.marks import BUILT_IN, PERCENT, SCALED, sign_of
from bcfstats.read.processes import (
    MOST_CELLS,
    MOST_PARTS,
    MOST_UNPACKED,
    Tally,
    damaged,
    protected,
    too_large,
)

Hidden = dict[tuple[int, int], str]
NO_RESULT = "a formula without a result: open the file in Excel and save it"
_ENTRY = b"PK\x01\x02"
_SHARED = re.compile(rb"[<:]sst[\s>]")
_LOCAL_HEADER = 30
_NUMBERS = ("", "n")  # kinds of cell
_TOLD_BY_TEXT = frozenset("se")  # kinds of cell: a shared text, an error
_LONGEST_MARK = 100  # more than a number or an error has
_ERRORS = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A")
_MOST_COLUMNS = 16_384
_UNKNOWN_ERROR = re.compile(
    rb"(<(?:\w+:)?v>\s*)(?!(?:%s)\s*<)#[^<]*(</)" % b"|".join(re.escape(error.encode()) for error in _ERRORS)
)
_ERROR = re.compile(r"#\S{2,30}|Err:\d+")


def check_zipped(name: str, content: bytes) -> dict[str, Hidden]:
    """Refuse what cannot be opened safely, and find the cells that would come out blank."""
    listed = list(_parts(name, content))
    files = dict(listed)
    if len(files) < len(listed):
        raise damaged(name, "two parts of one name")
    names = set(files)
    if "META-INF/manifest.xml" in names and "content.xml" in names:
        return _check_ods(name, files)
    if "xl/workbook.bin" in names:
        raise InputError(
            "The workbook is of the kind .xlsb, which is not read.", where=name, do="Save it as .xlsx."
        )
    if "xl/workbook.xml" not in names:
        raise InputError(
            "The file is a zip archive, not a workbook.",
            where=name,
            found=", ".join(sorted(names)[:5]) or "nothing",
            do="Unpack it and give the files inside.",
        )
    return _check_xlsx(name, files)


def _parts(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """Unpack part after part, and never more than may be."""
    if content.count(_ENTRY) > MOST_PARTS:
        raise too_large(name, f"an archive of more than {MOST_PARTS:,} parts")
    left = MOST_UNPACKED
    try:
        for part in zipfile.ZipFile(io.BytesIO(content)).infolist():
            if part.flag_bits & 1:
                raise protected(name)
            unpacked = _unpacked(content, part, left)
            left -= len(unpacked)
            if left < 0:
                raise too_large(name, f"it unpacks to more than {MOST_UNPACKED:,} bytes")
            yield part.filename, unpacked
    except (zipfile.BadZipFile, zlib.error, struct.error, ValueError, NotImplementedError) as error:
        raise damaged(name, str(error)) from None


def _unpacked(content: bytes, part: zipfile.ZipInfo, left: int) -> bytes:
    """Unpack one part, at most one byte more than is `left`, whatever size it says it has."""
    name_length, extra_length = struct.unpack_from("<HH", content, part.header_offset + _LOCAL_HEADER - 4)
    start = part.header_offset + _LOCAL_HEADER + name_length + extra_length
    packed = memoryview(content)[start : start + part.compress_size]
    if part.compress_type == zipfile.ZIP_STORED:
        unpacked = bytes(packed[: left + 1])
    elif part.compress_type == zipfile.ZIP_DEFLATED:
        unpacked = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, left + 1)
    else:
        raise ValueError(f"a part packed by method {part.compress_type}")
    if len(unpacked) <= left and (len(unpacked), zlib.crc32(unpacked)) != (part.file_size, part.CRC):
        raise ValueError(f"the part {part.filename} is not what it was when it was packed")
    return unpacked


def _check_xlsx(name: str, files: Mapping[str, bytes]) -> dict[str, Hidden]:
    """Count the cells of every sheet, whatever its part is called."""
    tally = Tally(name)
    lengths: list[int] = []
    for part, xml in files.items():
        if part.casefold().endswith("sharedstrings.xml") or _SHARED.search(xml):
            lengths += _lengths_of_shared(name, xml)
    signs = _signs_of_styles(name, files.get("xl/styles.xml", b""))
    hidden = {
        part: _Sheet(name, lengths, tally, signs).hidden_in(xml)
        for part, xml in files.items()
        if b"sheetData" in xml
    }
    return {sheet: hidden.get(part, {}) for sheet, part in _sheets(name, files).items()}


def _signs_of_styles(name: str, xml: bytes) -> dict[str, str]:
    """Give the sign of each style of cells whose numbers are not shown as they are held, by its number."""
    signs = {str(number): sign for number, sign in BUILT_IN.items()}
    styles: dict[str, str] = {}
    count, inside = 0, False

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal count, inside
        if tag == "numFmt":
            signs[attributes.get("numFmtId", "")] = sign_of(attributes.get("formatCode", ""))
        elif tag == "cellXfs":
            inside = True
        elif tag == "xf" and inside:
            if sign := signs.get(attributes.get("numFmtId", ""), ""):
                styles[str(count)] = sign
            count += 1

    def end(tag: str) -> None:
        nonlocal inside
        inside = inside and tag != "cellXfs"

    if xml:
        _parse(name, xml, start, end)
    return styles


def with_known_errors(content: bytes, lost: Mapping[str, Hidden]) -> bytes:
    """Write errors that the library does not know, and would take for damage, as one that it knows."""
    shown = {text for cells in lost.values() for text in cells.values()}
    if not any(_ERROR.fullmatch(text) for text in shown - {*_ERRORS}):
        return content
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w") as new:
        for part in old.infolist():
            xml = old.read(part)
            new.writestr(part, _UNKNOWN_ERROR.sub(rb"\1#N/A\2", xml) if b"sheetData" in xml else xml)
    return packed.getvalue()


def _sheets(name: str, files: Mapping[str, bytes]) -> dict[str, str]:
    """Give the part of each sheet, by the name of the sheet."""
    targets: dict[str, str] = {}
    sheets: dict[str, str] = {}

    def relation(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship":
            target = attributes.get("Target", "")
            targets[attributes.get("Id", "")] = (
                target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            )

    def sheet(tag: str, attributes: dict[str, str]) -> None:
        if tag == "sheet":
            ids = [value for key, value in attributes.items() if key.endswith(":id")]
            sheets[attributes.get("name", "")] = targets.get("".join(ids), "")

    _parse(name, files.get("xl/_rels/workbook.xml.rels", b"<none/>"), relation)
    _parse(name, files["xl/workbook.xml"], sheet)
    return sheets


def _parse(
    name: str,
    xml: bytes,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Go through XML once; `start` and `end` get tags without their prefix."""
    parser = _parser(lambda tag, attributes: start(tag.rpartition(":")[2], attributes))
    if end:
        parser.EndElementHandler = lambda tag: end(tag.rpartition(":")[2])
    parser.CharacterDataHandler = text
    _run(name, parser, xml)


def _parser(start: Callable[[str, dict[str, str]], None]) -> expat.XMLParserType:
    """Give a parser that accepts no definitions, with which a short text can be made to grow."""

    def no_definitions(*_: object) -> None:
        raise ValueError("a definition of entities")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = no_definitions
    return parser


def _run(name: str, parser: expat.XMLParserType, xml: bytes) -> None:
    try:
        parser.Parse(xml, True)
    except (expat.ExpatError, ValueError, OverflowError) as error:
        raise damaged(name, str(error)) from None


def _lengths_of_shared(name: str, xml: bytes) -> list[int]:
    """Give the length of each text that cells share, in order."""
    lengths: list[int] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "si":
            lengths.append(0)
        elif tag == "sst" and int(attributes.get("uniqueCount", 0)) > len(xml):  # room is made for them
            raise ValueError(f"{int(attributes['uniqueCount']):,} texts in {len(xml):,} bytes")

    def take(text: str) -> None:
        if lengths:
            lengths[-1] += len(text)

    _parse(name, xml, start, text=take)
    return lengths


class _Sheet:
    """One sheet of an .xlsx workbook: how far it reaches, and the cells that hide something.

    A cell that does not say where it is stands right of the one before; formats alone take no room. A cell
    is counted when the next one begins, which saves a call for each.
    """

    def __init__(self, name: str, lengths: list[int], tally: Tally, signs: Mapping[str, str]) -> None:
        self.name, self.lengths, self.tally, self.signs = name, lengths, tally, signs
        self.row_before, self.row, self.column = -1, -1, -1
        self.rows = self.columns = 0
        self.kind = self.text = self.sign = ""
        self.formula = self.valued = False
        self.hidden: Hidden = {}

    def hidden_in(self, xml: bytes) -> Hidden:
        """Go through the sheet once."""
        self.parser = _parser(self._start)
        _run(self.name, self.parser, xml)
        self._count()
        self.tally.add_sheet(self.rows, self.columns)
        return self.hidden

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if ":" in tag:
            tag = tag.rpartition(":")[2]
        if tag == "c":
            self._count()
            if "r" in attributes:
                self.row, self.column = _position(attributes["r"])
            else:
                self.row, self.column = self.row_before, self.column + 1
            self.kind = attributes.get("t", "")
            self.sign = self.signs.get(attributes.get("s", ""), "") if self.kind in _NUMBERS else ""
        elif tag == "v" or tag == "is":
            self.valued = True
            if self.formula or self.kind in _TOLD_BY_TEXT:
                self.text = ""
                self.parser.CharacterDataHandler = self._take
        elif tag == "f":
            self.formula = self.valued = True
        elif tag == "row":
            self._count()
            self.row_before = int(attributes["r"]) - 1 if "r" in attributes else self.row_before + 1
            self.row, self.column = self.row_before, -1

    def _take(self, text: str) -> None:
        if len(self.text) < _LONGEST_MARK:
            self.text += text

    def _count(self) -> None:
        """Count the cell that just ended, if it holds something."""
        if self.valued:
            self.valued = False
            if self.row >= self.rows:
                self.rows = self.row + 1
            if self.column >= self.columns:
                self.columns = self.column + 1
            if self.sign:
                self.hidden[self.row, self.column] = self.sign
        if self.formula or self.kind in _TOLD_BY_TEXT:
            self.parser.CharacterDataHandler = None
            self._look_inside(self.text.strip())

    def _look_inside(self, text: str) -> None:
        if self.formula and not text and self.kind != "str":
            self.hidden[self.row, self.column] = NO_RESULT
        elif self.kind == "e" and text:
            self.hidden[self.row, self.column] = text
        elif self.kind == "s" and text.isdecimal() and int(text) < len(self.lengths):
            self.tally.add_text(self.lengths[int(text)])
        self.formula, self.kind, self.text = False, "", ""


def _position(reference: str) -> tuple[int, int]:
    letters = reference.rstrip("0123456789")
    return int(reference[len(letters) :]) - 1, _column(letters)


@lru_cache(maxsize=20_000)
def _column(letters: str) -> int:
    """Give the number of a column, from 0, by its letters."""
    number = 0
    for letter in letters.upper():
        if not "A" <= letter <= "Z":
            raise ValueError(f"a column called '{letters[:20]}'")
        number = number * 26 + ord(letter) - 64
    return number - 1


def _check_ods(name: str, files: Mapping[str, bytes]) -> dict[str, Hidden]:
    if b"encryption-data" in files["META-INF/manifest.xml"]:
        raise protected(name)
    scan = _Ods(name)
    for part in ("styles.xml", "content.xml"):
        if part in files:
            _parse(name, files[part], scan.start, scan.end, scan.take)
    return scan.hidden


class _Ods:
    """The sheets of an .ods workbook; a row or cell may say that it stands there many times."""

    def __init__(self, name: str) -> None:
        self.tally = Tally(name)
        self.rows = self.empty_rows = self.columns = 0
        self.row_times = self.cell_times = 1
        self.cells = self.filled = self.length = 0
        self.hidden: dict[str, Hidden] = {}
        self.sheet, self.text, self.note, self.marked = "", "", False, 0
        self.cell: Mapping[str, str] = {}
        self.format = ""
        self.scaled: set[str] = set()  # names of number formats, and of styles of cells that use them
        self.styles: list[str] = []  # the usual style of the cells of each column

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "number-style":
            self.format = attributes.get("style:name", "")
        elif tag == "number" and int(attributes.get("number:display-factor", 1)) != 1:
            self.scaled.add(self.format)
        elif tag == "style" and attributes.get("style:data-style-name") in self.scaled:
            self.scaled.add(attributes.get("style:name", ""))
        elif tag == "annotation":
            self.note = True
        elif tag == "table":
            self.rows = self.empty_rows = self.columns = 0
            self.sheet, self.styles = attributes.get("table:name", ""), []
            self.hidden.setdefault(self.sheet, {})
        elif tag == "table-column":
            style = attributes.get("table:default-cell-style-name", "")
            repeated = min(_times(attributes, "table:number-columns-repeated"), _MOST_COLUMNS)
            self.styles += [style] * (repeated if len(self.styles) < _MOST_COLUMNS else 0)
        elif tag == "table-row":
            self.row_times = _times(attributes, "table:number-rows-repeated")
            self.cells = self.filled = 0
        elif tag in ("table-cell", "covered-table-cell"):
            self.cell, self.text = attributes, ""
            self.cell_times = _times(attributes, "table:number-columns-repeated")
            values = [text for key, text in attributes.items() if key.startswith("office:")]
            self.length = sum(map(len, values)) + ("table:formula" in attributes)
        elif tag == "s":
            self.length += _times(attributes, "text:c")

    def take(self, text: str) -> None:
        self.length += len(text)
        if not self.note and len(self.text) < _LONGEST_MARK:
            self.text += text

    def end(self, tag: str) -> None:
        if tag == "annotation":
            self.note = False
        elif tag in ("table-cell", "covered-table-cell"):
            if self.length and (mark := self._mark()):
                self._keep(mark)
            self.cells += self.cell_times
            if self.length:
                self.filled = self.cells
                self.tally.add_text(self.length * self.cell_times * self.row_times)
            self.length = 0
        elif tag == "table-row":
            self._end_row()
        elif tag == "table":
            self.tally.add_sheet(self.rows, self.columns)

    def _mark(self) -> str:
        """Give what the cell shows, where that is an error, or a number not as it is held."""
        kind, text = self.cell.get("office:value-type", ""), self.text.strip()
        if self.cell.get("calcext:value-type") == "error" or (kind != "string" and _ERROR.fullmatch(text)):
            return text or "#ERROR!"
        if "table:formula" in self.cell and _ERROR.fullmatch(text):
            return text
        if "table:formula" in self.cell and not kind and not text:
            return NO_RESULT
        if kind == "percentage":
            return PERCENT
        style = self.cell.get("table:style-name") or "".join(self.styles[self.cells : self.cells + 1])
        return SCALED if kind in ("float", "currency") and style in self.scaled else ""

    def _keep(self, mark: str) -> None:
        """Keep the mark for every cell it stands in."""
        self.marked += self.row_times * self.cell_times
        if self.marked > MOST_CELLS:
            raise too_large(self.tally.where, f"{self.marked:,} cells that repeat an error or a percentage")
        first = self.rows + self.empty_rows
        for row in range(first, first + self.row_times):
            for column in range(self.cells, self.cells + self.cell_times):
                self.hidden[self.sheet][row, column] = mark

    def _end_row(self) -> None:
        """Rows that are empty count only when something follows them."""
        if self.filled:
            self.rows += self.empty_rows + self.row_times
            self.empty_rows = 0
            self.columns = max(self.columns, self.filled)
        else:
            self.empty_rows += self.row_times


def _times(attributes: Mapping[str, str], name: str) -> int:
    times = int(attributes.get(name, 1))
    if times < 0:
        raise ValueError(f"{name} is {times}")
    return times
