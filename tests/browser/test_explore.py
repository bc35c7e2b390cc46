"""JupyterLab, as an analyst starts it, opens the notebook to explore with, runs it and shows the result."""

import pytest

import bcfstats as bcf
from scripts.browsing import ROOT, jupyterlab, run_all_cells

NOTEBOOK = ROOT / "notebooks" / "explore.ipynb"


@pytest.fixture(scope="module")
def notebook(browser, tmp_path_factory):
    """Open the notebook in JupyterLab and run all its cells."""
    with jupyterlab(NOTEBOOK, tmp_path_factory.mktemp("lab")) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 1600})
        run_all_cells(page, address)
        yield page
        page.close()


def outputs(page, kind):
    return page.locator(f".jp-OutputArea [data-mime-type='application/vnd.jupyter.{kind}']")


def test_every_cell_runs_without_an_error(notebook):
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
