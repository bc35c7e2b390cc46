"""Take the pictures of docs/images, of example data only: python -m scripts.screenshots."""

import io
import tempfile
from pathlib import Path

from bcfstats.example.data import write_example
from bcfstats.read.prepare import prepare
from bcfstats.run.batch import run_batch
from bcfstats.run.settings import Settings
from tests.browser.browsing import ROOT, chromium, jupyterlab, run_all_cells

IMAGES = ROOT / "docs" / "images"
AREAS = 8
CHART = "section#delayed_transfers figure"


def reports(folder):
    """Make the reports of a few example areas, with their index."""
    write_example(folder / "raw", n_areas=AREAS)
    prepare(folder / "raw", folder / "processed")
    settings = Settings(
        processed=folder / "processed", out=folder / "out", notebook=ROOT / "notebooks" / "area_report.ipynb"
    )
    return run_batch(settings, stream=io.StringIO())


def pictures(browser, run):
    """Take the index, the top of a report, and a chart with its table."""
    page = browser.new_page(viewport={"width": 1000, "height": 660})
    page.goto(run.index.as_uri())
    page.screenshot(path=IMAGES / "index.png")
    page.goto(run.page(run.outcomes[0]).as_uri())
    page.screenshot(path=IMAGES / "report.png")
    page.locator(CHART).first.evaluate("found => found.scrollIntoView()")
    page.screenshot(path=IMAGES / "chart.png")


def explore(browser, folder):
    """Take the pickers of the notebook to explore with, after all its cells have run."""
    with jupyterlab(ROOT / "notebooks" / "explore.ipynb", folder) as address:
        page = browser.new_page(viewport={"width": 1200, "height": 800})
        run_all_cells(page, address)
        page.get_by_label("Metric", exact=True).select_option(label="Delayed transfers of care")
        page.get_by_text("would be paid if nothing is done").wait_for()
        page.locator(".jupyter-widgets").first.evaluate("found => found.scrollIntoView()")
        page.screenshot(path=IMAGES / "explore.png")
        page.close()


def main():
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        run = reports(Path(made) / "run")
        (Path(made) / "lab").mkdir()
        with chromium() as browser:
            pictures(browser, run)
            explore(browser, Path(made) / "lab")


if __name__ == "__main__":
    main()
