"""A real Chromium, as Debian ships it, and pages of example data for it to open."""

import io
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bcfstats.example.data import write_example, write_example_targets
from bcfstats.read.prepare import prepare
from bcfstats.run.batch import run_batch
from bcfstats.run.check import describe_overview
from bcfstats.run.settings import Settings
from tests.browser.browsing import ROOT, SECONDS, chromium


@pytest.fixture(scope="session")
def run_folder(broken_processed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make reports for two areas with targets, an index that also names the area with broken data."""
    folder = tmp_path_factory.mktemp("pages")
    out, notebook = folder / "reports", ROOT / "notebooks" / "area_report.ipynb"
    targets = (write_example_targets(folder / "targets.csv", n_areas=3),)
    settings = Settings(processed=broken_processed, out=out, notebook=notebook, targets=targets)
    result = run_batch(settings, stream=io.StringIO())
    assert len(result.failed) == 1
    return out


@pytest.fixture(scope="session")
def overview(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the overview of the targets of enough boards for its charts."""
    folder = tmp_path_factory.mktemp("overview")
    write_example(folder / "raw", n_areas=40)
    prepare(folder / "raw", folder / "processed")
    targets = write_example_targets(folder / "targets.csv", n_areas=40)
    describe_overview(Settings(processed=folder / "processed"), targets, out=folder)
    return folder / "overview.html"


@pytest.fixture(scope="module")
def browser(need):
    """Start Chromium for one module; its loop must not be running when other modules start theirs."""
    need("chromium")
    with chromium() as started:
        yield started


@dataclass
class Opened:
    """A page in the browser, with what it said and asked for while it was open."""

    page: object
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def open_page(browser):
    """Open files of ours, each in a context of its own."""
    contexts = []

    def opened(path: Path, width: int = 1280, height: int = 1024, *, script: bool = True) -> Opened:
        viewport = {"width": width, "height": height}
        context = browser.new_context(viewport=viewport, java_script_enabled=script)
        context.set_default_timeout(SECONDS * 1000)
        contexts.append(context)
        found = Opened(context.new_page())
        found.page.on("console", lambda message: found.said.append(message.text))
        found.page.on("pageerror", lambda error: found.said.append(str(error)))
        found.page.on(
            "dialog", lambda dialog: (found.said.append(f"dialog: {dialog.message}"), dialog.dismiss())
        )
        found.page.on("request", lambda request: found.asked.append(request.url))
        found.page.goto(path.resolve().as_uri())
        return found

    yield opened
    for context in contexts:
        context.close()
