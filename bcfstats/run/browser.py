"""A page as PDF, printed by a browser that the system has."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bcfstats.errors import ReportError
from bcfstats.read.store import whole

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
    """Find Chromium, Chrome or Edge, on the path or where Windows and macOS keep them.

    Raises
    ------
    ReportError
        If there is none.
    """
    found = next(filter(None, map(shutil.which, NAMES)), None)
    found = found or next((place for place in PLACES if Path(place).is_file()), None)
    if found is None:
        raise ReportError(
            "PDF files are printed by Chromium, Chrome or Edge, and none of them was found.",
            do="Install one of them, or open the page in any browser and print it.",
        )
    return found


def print_page(page: Path, target: Path) -> None:
    """Print a page to PDF, tagged for screen readers as far as the browser does it.

    Parameters
    ----------
    page, target : Path
        The HTML file and the PDF file.

    Raises
    ------
    ReportError
        If there is no browser, or it prints nothing.
    """
    with whole(target) as part:
        said = _print(page, part)
        if not part.is_file():
            raise ReportError("The browser printed no PDF.", where=str(page), found=said)


def _print(page: Path, target: Path) -> str:
    """Run the browser and give the last line of what it says."""
    with tempfile.TemporaryDirectory(prefix="bcf", ignore_cleanup_errors=True) as profile:
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
