"""What a reader takes away from a run: figures, charts, Word and PDF."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bcfstats.define.areas import AREAS, Area, find_area
from bcfstats.errors import InputError, NotDoneError, ParameterError
from bcfstats.files import own_folder, safe_csv, sole_use, whole, write_whole
from bcfstats.judge.results import Results
from bcfstats.run.fingertips import fingertips_table
from bcfstats.run.resume import made_reports
from bcfstats.run.word import word_document
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
    found = next(filter(None, map(shutil.which, NAMES)), None)
    found = found or next((place for place in PLACES if Path(place).is_file()), None)
    if found is None:
        raise NotDoneError(
            "PDF files are printed by Chromium, Chrome or Edge, and none of them was found.",
            do="Install one of them, or open the page in any browser and print it.",
        )
    return found


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
    fingertips: bool = False,
    docx: bool = False,
    pdf: bool = False,
    charts: str = "",
) -> Iterator[Path]:
    """Write what is asked for beside a run's reports, from what the run saved, without small numbers."""
    if charts and charts not in PICTURES:
        raise ParameterError("Charts are svg or png.", found=f"'{charts}'")
    if not (fingertips or docx or pdf or charts):
        raise ParameterError(
            "Nothing is asked for.", do="Give one or more of --fingertips, --docx, --pdf and --charts."
        )
    results = Results.load(run_folder / "tables")
    with sole_use(run_folder):
        if fingertips:
            target = run_folder / "fingertips.csv"
            write_whole(target, safe_csv(fingertips_table(results)), encoding="utf-8-sig")
            yield target
        if docx or pdf or charts:
            for code, page in _pages(run_folder, results, areas):
                yield from _of_area(run_folder, results, code, page, docx=docx, pdf=pdf, charts=charts)


def _of_area(
    run_folder: Path, results: Results, code: str, page: Path, *, docx: bool, pdf: bool, charts: str
) -> Iterator[Path]:
    drawn = open_report(code, results).all_charts() if docx or charts else {}
    if charts:
        folder = run_folder / "charts" / page.stem
        for name, chart in drawn.items():
            with whole(folder / f"{name}.{charts}") as part:
                part.write_bytes(chart.png() if charts == "png" else chart.svg_file().encode())
            yield folder / f"{name}.{charts}"
    if docx:
        target = page.with_suffix(".docx")
        title = f"{results.areas.set_index('area_code')['area_name'][code]}: Better Care Fund metrics"
        document = word_document(page.read_text(encoding="utf-8"), list(drawn.values()), title)
        with whole(target) as part:
            part.write_bytes(document)
        yield target
    if pdf:
        print_page(page, page.with_suffix(".pdf"))
        yield page.with_suffix(".pdf")


def _pages(run_folder: Path, results: Results, wanted: Sequence[str]) -> list[tuple[str, Path]]:
    """Find the pages of this run, of the areas that are wanted or of all that have one."""
    rows = {str(row["area_code"]): row for row in results.areas.fillna("").to_dict("records")}
    known = [AREAS.get(code) or Area(code, str(row["area_name"])) for code, row in rows.items()]
    codes = [find_area(text, known).area_code for text in wanted] or list(rows)
    pages = made_reports(run_folder, results)
    lost = [rows[code]["area_name"] for code in codes if code not in pages]
    if wanted and lost:
        raise InputError(
            "There is no report of this run in the folder.",
            where=str(run_folder),
            found=", ".join(lost),
            do="'bcfstats run --resume' makes what is missing, changed, or left from an earlier run.",
        )
    return [(code, pages[code]) for code in codes if code in pages]
