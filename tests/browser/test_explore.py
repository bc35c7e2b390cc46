"""JupyterLab, as an analyst starts it, opens the notebook to explore with, runs it and shows the result."""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

import bcfstats as bcf

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "notebooks" / "explore.ipynb"
SECONDS = 120  # to start, or to run every cell, on a busy machine


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Start JupyterLab on this machine alone, with a token, on a copy of the notebook; stop it after."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copy(NOTEBOOK, folder)
    own = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    environment = {**os.environ, **own, "IPYTHONDIR": str(folder / "ipython"), "PYTHONPATH": str(ROOT)}
    settings = folder / "config" / "lab" / "user-settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    # every cell on the page, not only those in sight, so that all of it can be looked at
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    options = [
        "--no-browser",
        "--allow-root",
        "--ServerApp.port=0",
        f"--IdentityProvider.token={secrets.token_hex()}",
        f"--ServerApp.root_dir={folder}",
        "--LabApp.news_url=",  # asks nobody for news
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], env=environment, stdout=log, stderr=log
        )
        try:
            yield _address(server, folder)
        finally:
            server.terminate()
            server.wait(SECONDS)


def _address(server, folder):
    """Where the server says that it answers, once it does."""
    for _ in range(SECONDS * 4):
        assert server.poll() is None, (folder / "log").read_text()
        for written in (folder / "runtime").glob("jpserver-*.json"):
            told = json.loads(written.read_text() or "{}")
            if told:
                return f"{told['url']}lab/tree/explore.ipynb?token={told['token']}"
        time.sleep(0.25)
    raise AssertionError((folder / "log").read_text())


@pytest.fixture(scope="module")
def notebook(browser, lab):
    """Open the notebook and run all its cells."""
    page = browser.new_page(viewport={"width": 1280, "height": 1600})
    page.set_default_timeout(SECONDS * 1000)
    page.goto(lab)
    page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for()
    page.get_by_text(re.compile(r"Python 3.* \| Idle")).first.wait_for()  # the kernel is up
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    yield page
    page.close()


def outputs(page, kind):
    return page.locator(f".jp-OutputArea [data-mime-type='application/vnd.jupyter.{kind}']")


def test_every_cell_runs_without_an_error(notebook):
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    last = sum(cell.cell_type == "code" for cell in cells)
    notebook.locator(f"text='[{last}]:'").first.wait_for()
    assert outputs(notebook, "error").count() == 0
    assert outputs(notebook, "stderr").count() == 0


def test_the_figures_shown_are_those_of_the_package(notebook):
    found = bcf.baseline(bcf.example_data().observations, "delayed_transfers", "Apr-Dec 2014", "X06000001")
    shown = outputs(notebook, "stdout").filter(has_text="2014-04/2014-12").inner_text().split()
    expected = found[["numerator", "value", "lower", "upper"]].iloc[0].round(1)
    assert [float(text) for text in shown[-5:-1]] == expected.tolist()


def test_charts_are_drawn_with_their_words(notebook):
    charts = notebook.locator(".jp-OutputArea figure img")
    charts.nth(1).wait_for()
    assert all(chart.evaluate("found => found.naturalWidth") > 0 for chart in charts.all())
    assert all(len(chart.get_attribute("alt")) > 40 for chart in charts.all())
