"""Pages of areas whose names and notes are made to do harm, in Chromium: nothing runs, nothing is asked for.

They are opened as they are, and without their content-security policy: what is escaped needs none.
"""

import io
import re

import nbformat
import pytest

from bcfstats.run.batch import run_batch
from bcfstats.run.check import describe_overview
from bcfstats.run.export import export
from bcfstats.run.settings import Settings
from tests.browser.browsing import ROOT
from tests.run.hostile import AREAS, FORMULAS, MARKUP, prepared_hostile, write_hostile_targets

pytestmark = pytest.mark.slow

POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
CHOSEN = list(AREAS)[::2]  # every second area with a report; the index and the overview name them all


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    base = tmp_path_factory.mktemp("hostile")
    targets = write_hostile_targets(base / "targets.csv")
    settings = Settings(
        processed=prepared_hostile(base),
        out=base / "out",
        targets=(targets,),
        notebook=ROOT / "notebooks" / "area_report.ipynb",
        jobs=2,
    )
    result = run_batch(settings, areas=CHOSEN, stream=io.StringIO())
    assert result.exit_code == 0
    describe_overview(settings, targets, out=settings.out)
    return settings.out


def pages(out):
    return [out / "index.html", out / "overview.html", *sorted((out / "areas").glob("*.html"))]


def said_and_asked(open_page, path):
    """What a page says, on the console or in dialogs, and asks for, once all of it has been touched."""
    opened = open_page(path)
    opened.page.evaluate("for (const found of document.querySelectorAll('details')) found.open = true")
    for event in ("mouseover", "click", "focus", "error", "load"):
        opened.page.evaluate(
            "event => document.querySelectorAll('*').forEach(tag => tag.dispatchEvent(new Event(event)))",
            event,
        )
    opened.page.wait_for_load_state("networkidle")
    assert opened.page.evaluate("document.querySelectorAll('script').length") <= 1
    own = path.resolve().as_uri()
    return opened.said, [
        url for url in opened.asked if url != own and not url.startswith("data:image/svg+xml")
    ]


def test_every_page_opens_without_a_word(open_page, out):
    assert len(pages(out)) == len(CHOSEN) + 2
    for path in pages(out):
        assert said_and_asked(open_page, path) == ([], []), path


def test_nothing_runs_where_the_policy_is_taken_away(open_page, out, tmp_path):
    for path in pages(out):
        bare, count = POLICY.subn("", path.read_text(encoding="utf-8"))
        assert count == 1
        (tmp_path / path.name).write_text(bare, encoding="utf-8")
        assert said_and_asked(open_page, tmp_path / path.name) == ([], []), path


def test_the_dialog_of_a_page_that_is_not_escaped_would_be_seen(open_page, tmp_path):
    (tmp_path / "bad.html").write_text(f"<!DOCTYPE html><p>{MARKUP}</p>", encoding="utf-8")
    opened = open_page(tmp_path / "bad.html")
    assert any(text.startswith("dialog: ") for text in opened.said)


def test_every_picture_is_drawn(open_page, out):
    for path in pages(out):
        broken = open_page(path).page.evaluate(
            "Promise.all([...document.images].map(i => i.decode().then(() => '', () => i.alt)))"
        )
        assert [alt for alt in broken if alt] == [], path


def test_outputs_of_executed_notebooks_run_nothing_where_a_notebook_is_trusted(open_page, out, tmp_path):
    for place, path in enumerate(sorted((out / "notebooks").glob("*.ipynb"))):
        book = nbformat.read(path, as_version=4)
        parts = [
            output["data"]["text/html"]
            for cell in book.cells
            for output in cell.get("outputs", [])
            if "text/html" in output.get("data", {})
        ]
        assert len(parts) >= 5
        page = tmp_path / f"{place}.html"
        page.write_text(f"<!DOCTYPE html><meta charset=utf-8>{''.join(parts)}", encoding="utf-8")
        assert said_and_asked(open_page, page) == ([], []), path


@pytest.mark.needs("printing")
def test_a_hostile_report_is_printed(out):
    code = next(code for code, name in AREAS.items() if code in CHOSEN and name == FORMULAS[0])
    (path,) = export(out, areas=[code], pdf=True)
    assert path.read_bytes().startswith(b"%PDF-")
    assert path.read_bytes().rstrip().endswith(b"%%EOF")
