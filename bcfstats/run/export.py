"""What a reader takes away from a run: figures, charts, Word and PDF."""

import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pandas as pd

from bcfstats.define.areas import codes_of
from bcfstats.define.metrics import get_metric
from bcfstats.define.periods import Period
from bcfstats.errors import InputError, NotDoneError, ParameterError
from bcfstats.files import now, own_folder, sole_use, whole, write_csv, write_whole
from bcfstats.judge.results import Results
from bcfstats.judge.verdicts import VERDICTS
from bcfstats.run.records import results_table
from bcfstats.run.resume import made_reports
from bcfstats.show.charts.chart import Chart
from bcfstats.show.charts.history import period_labels
from bcfstats.show.edition import Edition, board_edition
from bcfstats.show.report import open_report

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge", "microsoft-edge")
PLACES = (
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    r"C:\Program Files\Microsoft\Edge\Application\msedge.exe",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
SECONDS = 120


def find_browser() -> str:
    """Find Chromium, Chrome or Edge, on the path or where Windows and macOS keep them."""
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    browser = browser or next((place for place in PLACES if Path(place).is_file()), None)
    if browser is None:
        raise NotDoneError(
            "PDF files are printed by Chromium, Chrome or Edge, and none of them was found.",
            do="Install one of them, or open the page in any browser and print it.",
        )
    return browser


def print_page(page: Path, target: Path) -> None:
    """Print a page to PDF, tagged for screen readers as far as the browser does it."""
    with whole(target) as part:
        said = _print(page, part)
        if not part.is_file():
            raise NotDoneError("The browser printed no PDF.", where=str(page), found=said)


def _print(page: Path, target: Path) -> str:
    """Run the browser and give the last line of what it says."""
    with own_folder() as profile:
        command = [
            find_browser(),
            "--headless",
            "--disable-gpu",
            "--no-first-run",
            "--no-pdf-header-footer",
            "--export-tagged-pdf",
            f"--user-data-dir={profile}",
            f"--print-to-pdf={target.resolve()}",
            page.resolve().as_uri(),
        ]
        if sys.platform == "linux" and os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # Chromium refuses to start for root without it
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return f"nothing after {SECONDS} seconds"
        return " ".join(done.stderr.strip().splitlines()[-1:])


PICTURES = ("svg", "png")


def export(
    run_folder: Path,
    *,
    areas: Sequence[str] = (),
    metrics: Sequence[str] = (),
    fingertips: bool = False,
    docx: bool = False,
    pdf: bool = False,
    board: bool = False,
    charts: str = "",
) -> Iterator[Path]:
    """Write what is asked for beside a run's reports, from what the run saved, without small numbers.

    Figures and charts are those of the areas and metrics that are named; documents are whole reports.
    """
    if charts and charts not in PICTURES:
        raise ParameterError("Charts are svg or png.", found=f"'{charts}'")
    if not (fingertips or docx or pdf or board or charts):
        raise ParameterError(
            "Nothing is asked for.",
            do="Give one or more of --fingertips, --docx, --pdf, --board and --charts.",
        )
    results = Results.load(run_folder / "tables")
    known = {metric.id: metric for metric in results.metrics}
    wanted = [get_metric(text, known).id for text in metrics] or list(known)
    codes = _codes(results, areas)
    with sole_use(run_folder):
        if fingertips:
            target = run_folder / "fingertips.csv"
            write_csv(target, fingertips_table(results, codes, wanted))
            yield target
        if docx or pdf or board or charts:
            pages = _pages(run_folder, results, codes, must=bool(areas))
            for code, page in pages:
                made = _of_area(run_folder, results, code, page, wanted, docx=docx, pdf=pdf, charts=charts)
                yield from made
            yield from _board_editions(run_folder, pages) if board else ()


def _board_editions(run_folder: Path, pages: Sequence[tuple[str, Path]]) -> Iterator[Path]:
    """Write each area's two pages for its board: all of them as PDF, then as Word, which may be missing."""
    editions = {
        page.with_name(f"{page.stem}-board"): board_edition(Results.load(run_folder / "tables", code))
        for code, page in pages
    }
    for ending in (".pdf", ".docx"):
        for stem, edition in editions.items():
            path = stem.with_name(stem.name + ending)
            write_whole(path, edition.pdf() if ending == ".pdf" else _in_word(edition))
            yield path


def _in_word(edition: Edition) -> bytes:
    document = new_document(edition.title)
    edition.write(document)
    return saved(document)


def _of_area(
    run_folder: Path,
    results: Results,
    code: str,
    page: Path,
    metrics: Sequence[str],
    *,
    docx: bool,
    pdf: bool,
    charts: str,
) -> Iterator[Path]:
    drawn = open_report(code, results).all_charts() if docx or charts else {}
    if charts:
        folder = run_folder / "charts" / page.stem
        wanted = {name: chart for name, chart in drawn.items() if name.rpartition("-")[0] in metrics}
        for name, chart in wanted.items():
            target = folder / f"{name}.{charts}"
            write_whole(target, chart.png() if charts == "png" else chart.svg_file())
            yield target
    if docx:
        target = page.with_suffix(".docx")
        title = f"{results.areas.set_index('area_code')['area_name'][code]}: Better Care Fund metrics"
        document = word_document(page.read_text(encoding="utf-8"), list(drawn.values()), title)
        write_whole(target, document)
        yield target
    if pdf:
        print_page(page, page.with_suffix(".pdf"))
        yield page.with_suffix(".pdf")


def _codes(results: Results, wanted: Sequence[str]) -> list[str]:
    """Give the codes of the areas that are wanted, or of all."""
    codes = codes_of(wanted, results.areas)
    return codes or results.areas["area_code"].tolist()


def _pages(run_folder: Path, results: Results, codes: Sequence[str], *, must: bool) -> list[tuple[str, Path]]:
    """Find the pages of this run of some areas; each must be there, or those that are will do."""
    pages = made_reports(run_folder, results)
    names = results.areas.set_index("area_code")["area_name"]
    lost = [str(names[code]) for code in codes if code not in pages]
    if must and lost:
        raise InputError(
            "There is no report of this run in the folder.",
            where=str(run_folder),
            found=", ".join(lost),
            do="'bcfstats run --resume' makes what is missing, changed, or left from an earlier run.",
        )
    return [(code, pages[code]) for code in codes if code in pages]


MONTHS_IN_YEAR = 12
# As in an export of indicators for counties and unitary authorities, in its order
COLUMNS = (
    *("Indicator ID", "Indicator Name", "Parent Code", "Parent Name", "Area Code", "Area Name", "Area Type"),
    *("Sex", "Age", "Category Type", "Category", "Time period", "Value"),
    *("Lower CI 95.0 limit", "Upper CI 95.0 limit", "Lower CI 99.8 limit", "Upper CI 99.8 limit"),
    *("Count", "Denominator", "Value note", "Recent Trend", "Compared to England value or percentiles"),
    *("Compared to Region value or percentiles", "Time period Sortable", "New data", "Compared to goal"),
)


def fingertips_table(results: Results, codes: Sequence[str], wanted: Sequence[str]) -> pd.DataFrame:
    """Lay figures, comparisons and targets out under the column names of a Fingertips export.

    What is no published figure says so under Category Type and Category, as a breakdown does.
    """
    rows = pd.concat([_figures(results), _judged(results_table(results))], ignore_index=True)
    rows = rows.loc[rows["area_code"].isin(codes) & rows["metric"].isin(wanted)]
    of = [{metric.id: metric for metric in results.metrics}[name] for name in rows["metric"]]
    areas = results.areas.set_index("area_code").reindex(rows["area_code"])
    columns = {
        "Indicator ID": [metric.fingertips_id for metric in of],
        "Indicator Name": [metric.name for metric in of],
        "Parent Code": areas["region_code"].to_numpy(),
        "Parent Name": areas["region"].to_numpy(),
        "Area Code": rows["area_code"],
        "Area Name": areas["area_name"].to_numpy(),
        "Area Type": areas["area_type"].to_numpy(),
        "Age": [metric.age_group for metric in of],
    }
    return rows.assign(**columns).reindex(columns=list(COLUMNS))


def _figures(results: Results) -> pd.DataFrame:
    """Give every figure of the series as a row."""
    series = results.series.reset_index(drop=True)
    status = series["status"].str.replace("_", " ").str.capitalize()
    note = series["status_note"].fillna("")
    starts = pd.to_datetime(series["period_start"])
    month = starts.dt.month.where(series["frequency"] == "month", 0)
    named = {
        "Time period": period_labels(series),
        "Value": series["value"],
        "Lower CI 95.0 limit": series["lower"],
        "Upper CI 95.0 limit": series["upper"],
        "Count": series["numerator"],
        "Denominator": series["denominator"],
        "Value note": status.where(note == "", status + ": " + note).mask(series["status"] == "ok", note),
        "Time period Sortable": starts.dt.year * 10_000 + month * 100,
    }
    return series[["area_code", "metric"]].assign(**named)


def _judged(rows_of_area: pd.DataFrame) -> pd.DataFrame:
    """Give what was compared, recommended and proposed as rows: one a comparison, end of range and target."""
    compared = rows_of_area.loc[rows_of_area["finding"].notna() & np.isfinite(rows_of_area["outcome_value"])]
    figures = {
        "Category Type": "Compared with the same months a year before",
        "Category": compared["finding"],
        "Value": compared["outcome_value"],
        "Lower CI 95.0 limit": compared["outcome_lower"],
        "Upper CI 95.0 limit": compared["outcome_upper"],
        "Count": compared["outcome_numerator"],
        "Denominator": compared["outcome_denominator"],
    }
    tables = [compared.assign(**figures)]
    ends = {"Recommended from": "recommended_from", "Recommended to": "recommended_to"}
    for category, column in {**ends, "Proposed": "target_value"}.items():
        rows = rows_of_area.loc[np.isfinite(rows_of_area[column])]
        note = rows["verdict"].map(lambda name: VERDICTS[name].words if name else "")
        note = note if category == "Proposed" else ""
        tables.append(rows.assign(**{"Category Type": "Target", "Category": category, "Value": rows[column]}))
        tables[-1]["Value note"] = note
        tables[-1]["Compared to goal"] = rows["result"] if category == "Proposed" else ""
    every = pd.concat(tables, ignore_index=True)
    periods = {text: Period.parse(text) for text in every["outcome_period"].unique()}
    sortable = {
        text: one.start.year * 10_000 + one.start.month * 100 * (one.n_months < MONTHS_IN_YEAR)
        for text, one in periods.items()
    }
    return every.assign(
        **{
            "Time period": every["outcome_period"].map(lambda text: periods[text].label),
            "Time period Sortable": every["outcome_period"].map(sortable),
        }
    ).reindex(columns=["area_code", "metric", *COLUMNS])


PICTURE = "data:image/svg+xml,"
BLOCKS = {"h1", "h2", "h3", "h4", "p", "li", "dt", "dd", "figcaption", "caption", "header"}
LEFT_OUT = {"nav", "summary", "style", "title", "head"}  # what is for the page alone; so is a chart's data
WIDTH_CM = 16


def word_document(page: str, charts: Sequence[Chart], title: str) -> bytes:
    """Make a Word document of a report's page."""
    document = new_document(title)
    writer = _Writer(document, {chart.svg: chart for chart in charts})
    writer.feed(page)
    writer.close()
    return saved(document)


def new_document(title: str) -> Any:
    """Begin a document of python-docx."""
    try:
        import docx
    except ImportError:
        raise NotDoneError(
            "Word documents need the package python-docx.", do="Install it with: pip install python-docx"
        ) from None
    document = docx.Document()
    document.core_properties.title = title
    document.core_properties.language = "en-GB"
    return document


def saved(document: Any) -> bytes:
    """Write a document, dated so that it can be made again byte by byte."""
    out, dated = io.BytesIO(), io.BytesIO()
    document.save(out)
    time = max(now().timetuple()[:6], (1980, 1, 1, 0, 0, 0))  # the first that a zip file can hold
    with zipfile.ZipFile(out) as packed, zipfile.ZipFile(dated, "w") as archive:
        for name in packed.namelist():
            archive.writestr(zipfile.ZipInfo(name, time), packed.read(name), zipfile.ZIP_DEFLATED)
    return dated.getvalue()


def add_table(document: Any, rows: Sequence[Sequence[str]], *, by_length: bool = False) -> None:
    """Write rows of text as a table, the first as its head, which every page repeats.

    Small letters, and columns as wide as their texts are long, make room for many columns.
    """
    from docx.oxml import OxmlElement
    from docx.shared import Pt

    table = document.add_table(len(rows), len(rows[0]), style="Table Grid")
    for cells, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(cells.cells, texts, strict=True):
            cell.text = text
    for cell in table.rows[0].cells:
        cell.paragraphs[0].runs[0].bold = True
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    if by_length:
        part, style = document.sections[0], document.styles["Table Grid"]
        style.font.size = Pt(8)
        room = part.page_width - part.left_margin - part.right_margin
        columns = [[*column] for column in zip(*rows, strict=True)]
        usual = [sum(map(len, column)) / len(rows) for column in columns]
        words = [max(map(len, " ".join(column).split()), default=0) for column in columns]
        wanted = [min(max(size, word + 2), 60) for size, word in zip(usual, words, strict=True)]
        table.autofit = False
        for column, share in zip(table.columns, wanted, strict=True):
            for cell in column.cells:
                cell.width = int(room * share / sum(wanted))
            column.width = int(room * share / sum(wanted))
    document.add_paragraph()


class _Writer(HTMLParser):
    """Writes the parts of a page to a document as they come."""

    def __init__(self, document: Any, charts: dict[str, Chart]) -> None:
        super().__init__()
        self.document, self.charts = document, charts
        self.text: list[str] = []
        self.rows: list[list[str]] = []
        self.skipped = 0
        self.in_figure = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.in_figure |= tag == "figure"
        if self._is_left_out(tag) or (tag == "a" and given.get("class") == "skip"):
            self.skipped += 1
        elif self.skipped:
            self.skipped += tag == "a"
        elif tag == "img":
            self._picture(given)
        elif tag == "svg" and "aria-label" in given:
            self.text.append(given["aria-label"])
        elif tag == "tr":
            self.rows.append([])
        if tag in BLOCKS or tag in ("td", "th"):
            self.text = []

    def handle_endtag(self, tag: str) -> None:
        self.in_figure &= tag != "figure"
        if self.skipped:
            self.skipped -= self._is_left_out(tag) or tag == "a"
        elif tag in BLOCKS:
            self._block(tag, " ".join("".join(self.text).split()))
        elif tag in ("td", "th"):
            self.rows[-1].append(" ".join("".join(self.text).split()))
        elif tag == "table":
            self._table()

    def _is_left_out(self, tag: str) -> bool:
        return tag in LEFT_OUT or (tag == "table" and self.in_figure)

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
        rows, self.rows = self.rows, []
        add_table(self.document, rows)

    def _picture(self, given: dict[str, str]) -> None:
        from docx.shared import Cm

        chart = self.charts.get(unquote(given.get("src", "").removeprefix(PICTURE)))
        if chart is None:
            self.document.add_paragraph(given.get("alt", ""))
            return
        picture = self.document.add_picture(io.BytesIO(chart.png()), width=Cm(WIDTH_CM))
        picture._inline.docPr.set("descr", given.get("alt", ""))
