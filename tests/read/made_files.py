"""Small files made from rows of cells, quickly: CSV, .xlsx, .ods and old .xls.

They hold what the readers need and nothing more, written without the library that reads them.
"""

from __future__ import annotations

import csv
import io
import math
import struct
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from xml.sax.saxutils import escape, quoteattr

Cells = Sequence[Sequence[Any]]
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_DAY_ZERO = date(1899, 12, 30)
_ERRORS = {"#N/A": 0x2A, "#GETTING_DATA": 0x2B, "#UNKNOWN!": 0x99}  # other ones are divisions by zero
_FORMATS = ("0.0%", "#,##0.0,", '0.0"%"', "£#,##0")


class Shown(float):
    """A number with one of the number formats above."""

    def __new__(cls, value: float, code: str) -> Shown:
        """Keep the number and the place of its format."""
        shown = super().__new__(cls, value)
        shown.style = _FORMATS.index(code) + 2
        shown.code = code
        return shown

    style: int
    code: str


_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><numFmts>'
    + "".join(
        f"<numFmt numFmtId='{164 + n}' formatCode={quoteattr(code)}/>" for n, code in enumerate(_FORMATS)
    )
    + '</numFmts><cellStyleXfs><xf numFmtId="9"/></cellStyleXfs><cellXfs><xf numFmtId="0"/>'
    '<xf numFmtId="14" applyNumberFormat="1"/>'
    + "".join(f'<xf numFmtId="{164 + n}"/>' for n in range(len(_FORMATS)))
    + "</cellXfs></styleSheet>"
)


def to_csv(rows: Cells, *, delimiter: str = ",", line_end: str = "\n") -> str:
    """Give rows as CSV text."""
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator=line_end).writerows(rows)
    return stream.getvalue()


def to_zip(parts: Mapping[str, str | bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """Pack parts as a zip archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return stream.getvalue()


def to_xlsx(sheets: Mapping[str, Cells], hidden: Sequence[str] = ()) -> bytes:
    """Give sheets of rows as an .xlsx workbook."""
    numbered = list(enumerate(sheets.items(), 1))
    listed = "".join(
        f'<sheet name={quoteattr(_legal(name))} sheetId="{n}" r:id="r{n}"'
        f"{' state=' + quoteattr('hidden') if name in hidden else ''}/>"
        for n, (name, _) in numbered
    )
    relations = "".join(
        f'<Relationship Id="r{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n, _ in numbered
    )
    head = f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
    return to_zip(
        {
            "[Content_Types].xml": _TYPES,
            "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="r1" '
            f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f"{head}<sheets>{listed}</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELATIONS}">{relations}</Relationships>',
            "xl/styles.xml": _STYLES,
            **{f"xl/worksheets/sheet{n}.xml": _worksheet(rows) for n, (_, rows) in numbered},
        }
    )


def _worksheet(rows: Cells) -> str:
    body = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows)
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData></worksheet>'


def _cell(value: Any) -> str:
    """A text that begins with "=" is a formula without a result, one with "#" an error."""
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{value:d}</v></c>'
    if isinstance(value, date):
        return f'<c s="1"><v>{(value - _DAY_ZERO).days}</v></c>'
    if isinstance(value, int | float):
        style = f' s="{value.style}"' if isinstance(value, Shown) else ""
        return f"<c{style}><v>{float(value)!r}</v></c>"
    text = escape(_legal(str(value)))
    if text.startswith("="):
        return f"<c><f>{text[1:]}</f></c>"
    if text.startswith("#"):
        return f'<c t="e"><v>{text}</v></c>'
    return f'<c t="inlineStr"><is><t>{text}</t></is></c>'


def _legal(text: str) -> str:
    """Leave out what XML cannot hold."""
    return "".join(c for c in text if c in "\t\n\r" or " " <= c < "\ud800" or "\ue000" <= c < "\ufffe")


def to_ods(sheets: Mapping[str, Cells]) -> bytes:
    """Give sheets of rows as an .ods workbook."""
    tables = "".join(
        f"<table:table table:name={quoteattr(_legal(name))}>"
        + "".join(
            f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows or [[""]]
        )
        + "</table:table>"
        for name, rows in sheets.items()
    )
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text", "style", "number")
    )
    return to_zip(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": "<manifest:manifest xmlns:manifest="
            '"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"></manifest:manifest>',
            "content.xml": f"<office:document-content {spaces}><office:automatic-styles>"
            '<number:number-style style:name="N3"><number:number number:display-factor="1000"/>'
            '</number:number-style><style:style style:name="ce3" style:data-style-name="N3"/>'
            f"</office:automatic-styles><office:body><office:spreadsheet>{tables}"
            "</office:spreadsheet></office:body></office:document-content>",
        }
    )


def _ods_cell(value: Any) -> str:
    if value is None or value == "":
        return "<table:table-cell/>"
    if isinstance(value, Shown):
        kind = "percentage" if value.code == "0.0%" else "float"
        style = f' table:style-name="ce{value.style}"'
        return f'<table:table-cell{style} office:value-type="{kind}" office:value="{float(value)!r}"/>'
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f'<table:table-cell office:value-type="float" office:value="{value!r}"/>'
    if isinstance(value, date):
        return f'<table:table-cell office:value-type="date" office:date-value="{value}"/>'
    text = escape(_legal(str(value)))
    if text.startswith(("#", "Err:")):
        return (
            '<table:table-cell table:formula="of:=1/0" office:value-type="float" office:value="0">'
            f"<text:p>{text}</text:p></table:table-cell>"
        )
    return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'


def to_xls(sheets: Mapping[str, Cells], *, hidden: Sequence[str] = (), password: bool = False) -> bytes:
    """Give sheets of rows as an old binary workbook."""
    bodies = [_binary_sheet(rows) for rows in sheets.values()]
    names = [name[:31] for name in sheets]
    head = _record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 6))
    head += _record(0x2F, b"\x01\x00" + bytes(52)) if password else b""
    for n, code in enumerate(_FORMATS):
        text = code.encode("utf-16-le")
        head += _record(0x41E, struct.pack("<HHB", 164 + n, len(code), 1) + text)
    for number in (0, 14, *range(164, 164 + len(_FORMATS))):
        head += _record(0xE0, struct.pack("<HH", 0, number) + bytes(16))
    tail = _record(0x0A, b"")
    length = len(head) + len(tail) + sum(4 + 8 + 2 * len(name) for name in names)
    starts = [length + sum(map(len, bodies[:n])) for n in range(len(bodies))]
    listed = b"".join(
        _record(
            0x85,
            struct.pack("<IBBBB", start, name in hidden, 0, len(name), 1)
            + name.encode("utf-16-le", "replace"),
        )
        for start, name in zip(starts, names, strict=True)
    )
    return to_compound({"Workbook": head + listed + tail + b"".join(bodies)})


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _binary_sheet(rows: Cells) -> bytes:
    width = max(map(len, rows), default=0)
    records = [
        _record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 6)),
        _record(0x200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0)),
        *(_binary_cell(r, c, cell) for r, row in enumerate(rows) for c, cell in enumerate(row)),
        _record(0x0A, b""),
    ]
    return b"".join(records)


def _binary_cell(row: int, column: int, value: Any) -> bytes:
    place = struct.pack("<HHH", row, column, value.style if isinstance(value, Shown) else 0)
    if value is None or value == "":
        return b""
    if isinstance(value, bool):
        return _record(0x205, place + struct.pack("<BB", value, 0))
    if isinstance(value, int | float) and abs(value) < 1e300:
        return _record(0x203, place + struct.pack("<d", value))
    if isinstance(value, float) or str(value).startswith("#"):
        return _record(0x205, place + bytes([_ERRORS.get(str(value), 7), 1]))
    text = str(value)[:4000].encode("utf-16-le", "replace")
    return _record(0x204, place + struct.pack("<HB", len(text) // 2, 1) + text)


def to_compound(streams: Mapping[str, bytes]) -> bytes:
    """Give streams as a compound file: header, allocation, directory, streams."""
    size, end, free = 512, 0xFFFFFFFE, 0xFFFFFFFF
    padded = {name: stream.ljust(4096, b"\x00") for name, stream in streams.items()}
    counts = [math.ceil(len(stream) / size) for stream in padded.values()]
    n_directory = math.ceil((len(padded) + 1) / 4)
    n_table = 1
    while n_table * 128 < n_table + n_directory + sum(counts):
        n_table += 1
    table = [0xFFFFFFFD] * n_table + [*range(n_table + 1, n_table + n_directory), end]
    entries = [_directory_entry("Root Entry", 5, end, 0, 1)]
    for name, count in zip(padded, counts, strict=True):
        start = len(table)
        table += [*range(start + 1, start + count), end]
        entries.append(_directory_entry(name, 2, start, len(padded[name]), free))
    table += [free] * (n_table * 128 - len(table))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIIII", 0, n_table, n_table, 0, 4096, end, 0, end, 0, 0)[:36]
    header += struct.pack("<109I", *range(n_table), *[free] * (109 - n_table))
    sectors = [
        struct.pack(f"<{len(table)}I", *table),
        b"".join(entries).ljust(n_directory * size, b"\x00"),
        *(stream.ljust(math.ceil(len(stream) / size) * size, b"\x00") for stream in padded.values()),
    ]
    return header + b"".join(sectors)


def _directory_entry(name: str, kind: int, start: int, length: int, child: int) -> bytes:
    text = (name + "\0").encode("utf-16-le")
    return (
        text.ljust(64, b"\x00")
        + struct.pack("<HBBIII", len(text), kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
        + bytes(36)
        + struct.pack("<IQ", start, length)
    )
