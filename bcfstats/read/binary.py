"""Old binary workbooks (.xls): how far their sheets reach, and what their cells hide.

A compound file holds streams cut into sectors; the stream of the workbook is a run of records, each with a
type, a length and its content. Only what decides about memory and meaning is looked at here; the values are
read by the library for workbooks.

Notes
-----
Layouts: Microsoft, [MS-CFB] Compound File Binary File Format and [MS-XLS] Excel Binary File Format.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from bcfstats.read.marks import BUILT_IN, sign_of
from bcfstats.read.processes import Tally, damaged, protected
from bcfstats.read.zipped import Hidden

_LAST_SECTOR = 0xFFFFFFFA  # numbers from here on end a chain
_SMALL_STREAM, _SMALL_SECTOR, _ENTRY = 4096, 64, 128
_EOF, _FILEPASS, _CONTINUE, _BOUNDSHEET, _SST, _LABELSST = 0x0A, 0x2F, 0x3C, 0x85, 0xFC, 0xFD
_DIMENSIONS, _FORMULA, _BOOLERR, _MULRK = 0x200, 0x06, 0x205, 0xBD
_FORMAT, _XF = 0x41E, 0xE0
_NUMBERS = {_FORMULA, 0x203, 0x27E}  # kinds of cell that hold one number
_CELLS = {_FORMULA, _LABELSST, _BOOLERR, _MULRK, 0x203, 0x204, 0x27E}  # and numbers, labels
UNKNOWN = "#ERROR!"  # an error whose code is not known
_ERRORS = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!",
    0x2A: "#N/A", 0x2B: "#GETTING_DATA",
}  # fmt: skip


def check_binary(name: str, content: bytes) -> dict[str, Hidden]:
    """Refuse what cannot be opened safely; give, by sheet, the cells that would not come out as shown."""
    try:
        streams = _Streams(content)
        if "EncryptedPackage" in streams.entries:
            raise protected(name)
        stream = next((streams.read(key) for key in ("Workbook", "Book") if key in streams.entries), None)
        if stream is None:
            raise damaged(name, "it holds no stream of a workbook")
        return _check_stream(name, stream)
    except (struct.error, IndexError, ValueError) as error:
        raise damaged(name, str(error)) from None


def with_known_codes(content: bytes, lost: Mapping[str, Hidden]) -> bytes:
    """Write the codes of errors that the library does not know, and would take for damage, as #N/A."""
    if not any(UNKNOWN in cells.values() for cells in lost.values()):
        return content
    streams = _Streams(content)
    name = next(key for key in ("Workbook", "Book") if key in streams.entries)
    start, size = streams.entries[name]
    if size < _SMALL_STREAM:
        return content
    sectors = _follow(start, streams.table)
    stream, known = streams.read(name), bytearray(content)
    starts = [
        struct.unpack_from("<I", record)[0] for kind, record in _records(stream, 0) if kind == _BOUNDSHEET
    ]
    for at in starts:
        for kind, record in _records(stream, at):
            if _error(kind, record) == UNKNOWN:
                place = at + 4 + (6 if kind == _BOOLERR else 8)
                known[(sectors[place // streams.size] + 1) * streams.size + place % streams.size] = 0x2A
            at += 4 + len(record)
    return bytes(known)


class _Streams:
    """The streams of a compound file."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        shift = struct.unpack_from("<H", content, 30)[0]
        if shift not in (9, 12):
            raise ValueError("sectors of an unknown size")
        self.size = 1 << shift
        n_directory, n_table = struct.unpack_from("<II", content, 40)
        directory, small_table, n_small, more, n_more = struct.unpack_from("<I8xIIII", content, 48)
        for declared in (n_directory, n_table, n_small, n_more):
            self._check_declared(declared * self.size)
        self.table = self._allocation(more, n_more)
        self.entries = dict(self._directory(self._chain(directory)))
        root = next(iter(self.entries.values()), (_LAST_SECTOR, 0))
        self.small = self._chain(root[0])
        self.small_table = _numbers(self._chain(small_table))

    def _check_declared(self, size: int) -> None:
        """Refuse a length beyond that of the file: room would be made for it."""
        if size > len(self.content):
            raise ValueError(f"{size:,} bytes in a file of {len(self.content):,}")

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self.size
        sector = self.content[start : start + self.size]
        if not sector:
            raise ValueError(f"sector {number} is missing")
        return sector

    def _allocation(self, more: int, n_more: int) -> list[int]:
        """Which sector follows which: the sectors of this table are listed in the header, and beyond it."""
        listed = list(struct.unpack_from("<109I", self.content, 76))
        for _ in range(min(n_more, len(self.content) // self.size)):
            if more >= _LAST_SECTOR:
                break
            *numbers, more = _numbers(self._sector(more))
            listed += numbers
        return [number for at in listed if at < _LAST_SECTOR for number in _numbers(self._sector(at))]

    def _chain(self, number: int) -> bytes:
        """Join the sectors that follow each other; a ring of them is an error."""
        numbers = _follow(number, self.table)
        return b"".join(map(self._sector, numbers))

    def _directory(self, entries: bytes) -> Iterator[tuple[str, tuple[int, int]]]:
        for at in range(0, len(entries) - _ENTRY + 1, _ENTRY):
            length = min(struct.unpack_from("<H", entries, at + 64)[0], 64)
            name = entries[at : at + max(length - 2, 0)].decode("utf-16-le", errors="replace")
            start, size, more = struct.unpack_from("<III", entries, at + 116)
            self._check_declared(size if self.size == 512 else size + (more << 32))
            yield name, (start, size)

    def read(self, name: str) -> bytes:
        """Give one stream; small ones are kept together in a stream of their own."""
        start, size = self.entries[name]
        if size >= _SMALL_STREAM:
            return self._chain(start)[:size]
        sectors = (
            self.small[at * _SMALL_SECTOR :][:_SMALL_SECTOR] for at in _follow(start, self.small_table)
        )
        return b"".join(sectors)[:size]


def _numbers(sector: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(sector) // 4}I", sector[: len(sector) // 4 * 4])


def _follow(number: int, table: list[int] | tuple[int, ...]) -> list[int]:
    numbers: list[int] = []
    while number < _LAST_SECTOR:
        if len(numbers) > len(table):
            raise ValueError("its sectors follow each other in a ring")
        numbers.append(number)
        number = table[number]
    return numbers


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Give type and content of each record up to the end of a sheet, long ones joined."""
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        yield kind, stream[at + 4 : at + 4 + length]
        if kind == _EOF:
            return
        at += 4 + length


def _check_stream(name: str, stream: bytes) -> dict[str, Hidden]:
    tally = Tally(name)
    sheets: list[tuple[str, int]] = []
    shared: list[bytes] = []
    last = 0
    signs = dict(BUILT_IN)
    styles: list[str] = []
    for kind, record in _records(stream, 0):
        if kind == _FILEPASS:
            raise protected(name)
        if kind == _BOUNDSHEET:
            sheets.append((_sheet_name(record), struct.unpack_from("<I", record)[0]))
        if kind == _FORMAT:
            signs[struct.unpack_from("<H", record)[0]] = sign_of(_format_code(record))
        if kind == _XF:
            styles.append(signs.get(struct.unpack_from("<H", record, 2)[0], ""))
        if kind == _SST or (kind == _CONTINUE and last == _SST):
            shared.append(record)
        last = last if kind == _CONTINUE else kind
    lengths = _string_lengths(shared)
    return {sheet: _check_sheet(tally, _records(stream, start), lengths, styles) for sheet, start in sheets}


def _format_code(record: bytes) -> str:
    """Read a number format: of Excel 97 and later, or of Excel 5 and 95, which has one byte a character."""
    count, wide = struct.unpack_from("<HB", record, 2)
    if len(record) == 5 + count * (1 + (wide & 1)):
        return record[5:].decode("utf-16-le" if wide & 1 else "latin-1", errors="replace")
    return record[3:].decode("latin-1", errors="replace")


def _sheet_name(record: bytes) -> str:
    """Read the name of a sheet: one byte a character, or two."""
    count, wide = record[6], record[7] & 1
    text = record[8 : 8 + count * (1 + wide)]
    return text.decode("utf-16-le" if wide else "latin-1", errors="replace")


def _string_lengths(records: list[bytes]) -> list[int]:
    """Give the length of each text that cells share; it may run on in the next record."""
    if not records:
        return []
    count = struct.unpack_from("<i", records[0], 4)[0]
    if not 0 <= count <= sum(map(len, records)) // 3:
        raise ValueError(f"{count:,} texts in {sum(map(len, records)):,} bytes")
    lengths = []
    rest = _Rest(records, 8)
    for _ in range(count):
        rest.next_if_empty()
        characters, flags = struct.unpack("<HB", rest.take(3))
        runs = struct.unpack("<H", rest.take(2))[0] if flags & 8 else 0
        extra = struct.unpack("<I", rest.take(4))[0] if flags & 4 else 0
        rest.skip_characters(characters, flags & 1)
        rest.skip(runs * 4 + extra)
        lengths.append(characters)
    return lengths


class _Rest:
    """What is left of a record and of those that continue it."""

    def __init__(self, records: list[bytes], at: int) -> None:
        self.records, self.number, self.at = records, 0, at

    @property
    def left(self) -> int:
        return len(self.records[self.number]) - self.at

    def next_if_empty(self) -> None:
        if self.left <= 0 and self.number + 1 < len(self.records):
            self.number, self.at = self.number + 1, 0

    def take(self, count: int) -> bytes:
        taken = self.records[self.number][self.at : self.at + count]
        self.at += count
        return taken

    def skip(self, count: int) -> None:
        while count > 0:
            self.next_if_empty()
            if self.left <= 0:
                raise ValueError("the shared texts are cut short")
            step = min(count, self.left)
            self.at, count = self.at + step, count - step

    def skip_characters(self, count: int, wide: int) -> None:
        """A record that continues a text says again whether its characters are wide."""
        while True:
            step = min(count, self.left // (1 + wide))
            self.at, count = self.at + step * (1 + wide), count - step
            if not count:
                return
            if self.number + 1 >= len(self.records):
                raise ValueError("the shared texts are cut short")
            self.number, self.at = self.number + 1, 0
            wide = self.take(1)[0] & 1


def _check_sheet(
    tally: Tally, records: Iterator[tuple[int, bytes]], lengths: list[int], styles: list[str]
) -> Hidden:
    """Count one sheet, by its cells and by what it declares; both take memory."""
    rows = columns = 0
    kind = None
    hidden: Hidden = {}
    for kind, record in records:
        if kind in _CELLS:
            row, column = struct.unpack_from("<HH", record)
            rows = max(rows, row + 1)
            columns = max(columns, column + 1)
            if kind == _MULRK:
                columns = max(columns, struct.unpack("<H", record[-2:])[0] + 1)
            if kind == _LABELSST and (at := struct.unpack_from("<I", record, 6)[0]) < len(lengths):
                tally.add_text(lengths[at])
            if error := _error(kind, record):
                hidden[row, column] = error
            elif (kind in _NUMBERS or kind == _MULRK) and any(styles):
                hidden |= {(row, column + n): sign for n, sign in _signs(kind, record, styles)}
        elif kind == _DIMENSIONS:
            _check_declared(record)
    if kind != _EOF:
        raise ValueError("a sheet is cut short")
    tally.add_sheet(rows, columns)
    return hidden


def _signs(kind: int, record: bytes, styles: list[str]) -> Iterator[tuple[int, str]]:
    """Give the signs of numbers that are not shown as they are held, by their place in the record."""
    n_cells = (len(record) - 6) // 6 if kind == _MULRK else 1
    for n in range(n_cells):
        style = struct.unpack_from("<H", record, 4 + 6 * n)[0]
        if style < len(styles) and styles[style]:
            yield n, styles[style]


def _error(kind: int, record: bytes) -> str:
    """Give the error a cell shows, if it does."""
    if kind == _BOOLERR and record[7]:
        return _ERRORS.get(record[6], UNKNOWN)
    if kind == _FORMULA and record[6] == 2 and record[12:14] == b"\xff\xff":
        return _ERRORS.get(record[8], UNKNOWN)
    return ""


def _check_declared(record: bytes) -> None:
    """Refuse a declared size that no sheet of this kind can have: room would be made for it."""
    form = {10: "<HHHH", 14: "<IIHH"}.get(len(record))
    if form is None:
        raise ValueError("the size of a sheet is not readable")
    first_row, last_row, first_column, last_column = struct.unpack_from(form, record)
    if last_row > 65_536 or last_column > 256 or first_row > last_row or first_column > last_column:
        raise ValueError(f"a sheet that says it reaches to row {last_row:,} and column {last_column:,}")
