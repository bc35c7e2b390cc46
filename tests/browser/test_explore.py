"""JupyterLab, as an analyst starts it, opens the notebook, runs it, and its pickers answer."""

import re

import pandas as pd
import pytest

import bcfstats as bcf
from tests.browser.browsing import ROOT, jupyterlab, run_all_cells, slowness

pytestmark = pytest.mark.slow

MOST_SECONDS = 1.0  # a fifth of it on a usual machine that does nothing else
FOLLOW = """key => new Promise(told => {
    const shown = document.querySelector(".widget-html"), before = shown.innerText
    const start = performance.now()
    new MutationObserver(() => shown.innerText !== before && told((performance.now() - start) / 1000))
        .observe(shown, {childList: true, subtree: true, characterData: true})
    const handle = document.querySelector(".widget-hslider .noUi-handle")
    handle.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}))
})"""
NOTEBOOK = ROOT / "notebooks" / "explore.ipynb"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def notebook(browser, folder):
    """Open the notebook in JupyterLab and run all its cells."""
    with jupyterlab(NOTEBOOK, folder) as address:
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
    data = bcf.example_data()
    first = data.areas.sort_values("area_name")["area_code"].iloc[0]
    found = bcf.baseline(data.observations, "delayed_transfers", "Apr-Dec 2014", first)
    shown = outputs(notebook, "stdout").filter(has_text="2014-04/2014-12").inner_text().split()
    expected = found[["numerator", "value", "lower", "upper"]].iloc[0].round(1)
    assert [float(text) for text in shown[-5:-1]] == expected.tolist()


def test_charts_are_drawn_with_their_words(notebook):
    charts = notebook.locator(".jp-OutputArea figure img")
    charts.nth(1).wait_for()
    assert all(chart.evaluate("found => found.naturalWidth") > 0 for chart in charts.all())
    assert all(len(chart.get_attribute("alt")) > 40 for chart in charts.all())


def picked(page, metric, ambition):
    """Pick Aldamount, a metric and a change from the baseline; give what is shown when it is there."""
    page.get_by_label("Area", exact=True).fill("Aldamount")
    page.get_by_label("Area", exact=True).press("Enter")
    page.get_by_label("Metric", exact=True).select_option(label=metric)
    page.locator(".widget-readout").first.fill(str(ambition))
    page.locator(".widget-readout").first.press("Enter")
    shown = page.locator(".widget-html").first
    shown.get_by_text(re.compile(rf"\({ambition:+.1f}%\)".replace("-", "−"))).wait_for()
    return " ".join(shown.inner_text().split())


def expected(metric, payment, ambition):
    row = {"area_code": "X06000001", "metric": metric, "payment": payment, "change_percent": ambition}
    empty = {"target_value": float("nan"), "target_numerator": float("nan"), "against": "baseline"}
    observations = bcf.sound(bcf.example_data().observations).observations
    return bcf.assess_ambitions(observations, pd.DataFrame([row | empty])).iloc[0]


def test_moving_the_pickers_shows_what_the_package_says(notebook):
    told = {ambition: picked(notebook, "Delayed transfers of care", ambition) for ambition in (-3.5, -40.0)}
    for ambition, text in told.items():
        found = expected("delayed_transfers", "2015-04", ambition)
        assert found["reasons"] in text
        assert f"{100 * found['p_paid_do_nothing']:.0f} would be paid if nothing is done" in text
    assert told[-3.5] != told[-40.0]


def test_it_opens_on_a_target_that_can_be_judged(notebook):
    shown = " ".join(notebook.locator(".widget-html").first.inner_text().split())
    assert "would be paid if nothing is done" in shown


def test_the_sentence_follows_the_slider_at_once(notebook):
    """From the key that moves the slider to the words on the page, the best of five on a busy machine."""
    picked(notebook, "Delayed transfers of care", -20.0)
    seconds = [notebook.evaluate(FOLLOW, "ArrowRight") for _ in range(5)]
    assert min(seconds) < MOST_SECONDS * slowness()


def test_the_slider_moves_by_keyboard(notebook):
    text = picked(notebook, "Delayed transfers of care", -10.0)
    notebook.locator(".widget-hslider .noUi-handle").first.press("ArrowRight")
    shown = notebook.locator(".widget-html").first
    shown.get_by_text("(−9.5%)").wait_for()
    assert " ".join(shown.inner_text().split()) != text


def test_a_target_kept_is_one_that_can_be_read(notebook, folder):
    picked(notebook, "Delayed transfers of care", -12.5)
    notebook.get_by_role("button", name="Keep this target").click()
    notebook.get_by_text("Kept in targets-example.csv").wait_for()
    kept = bcf.read_targets(folder / "targets-example.csv", areas=bcf.example_data().areas)
    assert kept[["area_code", "metric", "payment", "change_percent"]].to_numpy().tolist() == [
        ["X06000001", "delayed_transfers", "2015-04", -12.5]
    ]
