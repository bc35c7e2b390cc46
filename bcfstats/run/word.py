"""A report as a Word document, for committee papers: the page's headings, sentences, tables and charts."""

import io
import zipfile
from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote

from bcfstats.errors import NotDoneError
from bcfstats.files import now
from bcfstats.show.charts.chart import Chart

PICTURE = "data:image/svg+xml,"
BLOCKS = {"h1", "h2", "h3", "h4", "p", "li", "figcaption", "caption", "header"}
LEFT_OUT = {"details", "style", "title", "head"}  # what a page folds away is for the page
WIDTH_CM = 16


def word_document(page: str, charts: Sequence[Chart], title: str) -> bytes:
    """Make a Word document of a report's page."""
    try:
        import docx
    except ImportError:
        raise NotDoneError(
            "Word documents need the package python-docx.", do="Install it with: pip install python-docx"
        ) from None
    document = docx.Document()
    document.core_properties.title = title
    document.core_properties.language = "en-GB"
    writer = _Writer(document, {chart.svg: chart for chart in charts})
    writer.feed(page)
    writer.close()
    out, dated = io.BytesIO(), io.BytesIO()
    document.save(out)
    time = max(now().timetuple()[:6], (1980, 1, 1, 0, 0, 0))  # the first that a zip file can hold
    with zipfile.ZipFile(out) as parts, zipfile.ZipFile(dated, "w") as archive:
        for name in parts.namelist():
            archive.writestr(zipfile.ZipInfo(name, time), parts.read(name), zipfile.ZIP_DEFLATED)
    return dated.getvalue()


class _Writer(HTMLParser):
    """Writes the parts of a page to a document as they come."""

    def __init__(self, document: Any, charts: dict[str, Chart]) -> None:
        super().__init__()
        self.document, self.charts = document, charts
        self.text: list[str] = []
        self.rows: list[list[str]] = []
        self.skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in LEFT_OUT or (tag == "a" and ("class", "skip") in attrs):
            self.skipped += 1
        elif self.skipped:
            self.skipped += tag == "a"
        elif tag == "img":
            self._picture({name: value or "" for name, value in attrs})
        elif tag == "tr":
            self.rows.append([])
        if tag in BLOCKS or tag in ("td", "th"):
            self.text = []

    def handle_endtag(self, tag: str) -> None:
        if self.skipped:
            self.skipped -= tag in LEFT_OUT or tag == "a"
        elif tag in BLOCKS:
            self._block(tag, " ".join("".join(self.text).split()))
        elif tag in ("td", "th"):
            self.rows[-1].append(" ".join("".join(self.text).split()))
        elif tag == "table":
            self._table()

    def handle_data(self, data: str) -> None:
        if not self.skipped:
            self.text.append(data)

    def _block(self, tag: str, text: str) -> None:
        if not text:
            return
        if tag[0] == "h" and tag[1:].isdigit():
            self.document.add_heading(text, level=int(tag[1:]))
        else:
            styles = {"li": "List Bullet", "figcaption": "Caption", "caption": "Caption"}
            self.document.add_paragraph(text, style=styles.get(tag))
        self.text = []

    def _table(self) -> None:
        from docx.oxml import OxmlElement

        rows, self.rows = self.rows, []
        table = self.document.add_table(len(rows), len(rows[0]), style="Table Grid")
        for cells, texts in zip(table.rows, rows, strict=True):
            for cell, text in zip(cells.cells, texts, strict=True):
                cell.text = text
        for cell in table.rows[0].cells:
            cell.paragraphs[0].runs[0].bold = True
        table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))  # repeated on every page
        self.document.add_paragraph()

    def _picture(self, given: dict[str, str]) -> None:
        from docx.shared import Cm

        chart = self.charts.get(unquote(given.get("src", "").removeprefix(PICTURE)))
        if chart is None:
            self.document.add_paragraph(given.get("alt", ""))
            return
        picture = self.document.add_picture(io.BytesIO(chart.png()), width=Cm(WIDTH_CM))
        picture._inline.docPr.set("descr", given.get("alt", ""))
