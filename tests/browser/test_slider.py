"""Moving a target on a report's page: answers as of `assess_ambitions`, at once, and from the page alone."""

import io

import numpy as np
import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.example.data import example_data
from bcfstats.files import replace_folder
from bcfstats.judge.ambitions import assess_ambitions
from bcfstats.judge.screening import sound
from bcfstats.judge.verdicts import words_of
from bcfstats.run.batch import run_batch
from bcfstats.run.settings import Settings
from bcfstats.show.sentences import value
from bcfstats.words import in_10, sentence, signed
from tests.browser.browsing import slowness
from tests.browser.rules import broken_rules
from tests.judge.made_up import targets

pytestmark = pytest.mark.slow
PAYMENTS = {"delayed_transfers": "2015-04", "reablement": "2015-10"}  # a rate to lower, a share to raise
USUAL, TINY = "X06000001", "X06000012"
CHANCES = ("p_paid_do_nothing", "p_paid_if_half_delivered", "p_paid_if_delivered")
AT_ONCE = 50  # milliseconds, on a usual machine
SHOWN = """([metric, places]) => places.map(place => {
    const slider = document.getElementById(`move-${metric}-0`)
    slider.value = place
    slider.dispatchEvent(new Event('input'))
    return [...slider.parentElement.querySelectorAll('b')].map(cell => cell.textContent)
})"""
TIMED = """slider => {
    const output = slider.parentElement.querySelector('output')
    window.took = []
    slider.addEventListener('keydown', () => { window.pressed = performance.now() }, true)
    const told = () => took.push(performance.now() - pressed)
    new MutationObserver(told).observe(output, {subtree: true, childList: true})
}"""


@pytest.fixture(scope="module")
def observations():
    """Give what was known in March 2014, of as many areas as have a tiny one among them."""
    data = example_data(n_areas=12).of(*PAYMENTS)
    return data, data.observations.loc[data.observations["period_end"] < pd.Timestamp("2014-04-01")]


@pytest.fixture(scope="module")
def pages(observations, tmp_path_factory):
    """Make the pages of a usual and of a tiny area; the usual one has proposed to lower its delays."""
    folder = tmp_path_factory.mktemp("planning")
    data, rows = observations
    tables = {"observations": rows, "others": data.others, "populations": data.areas, "areas": data.areas}
    replace_folder(folder / "processed", tables, {"is_example": True, "files": []})
    given = folder / "targets.csv"
    given.write_text(f"area,metric,payment,change_percent\n{USUAL},delayed_transfers,2015-04,-20\n")
    settings = Settings(processed=folder / "processed", out=folder / "out", targets=(given,))
    assert not run_batch(settings, areas=[USUAL, TINY], stream=io.StringIO()).failed
    return {code: next((folder / "out" / "areas").glob(f"{code}-*.html")) for code in (USUAL, TINY)}


def chance(of):
    return in_10(of) if np.isfinite(of) else "none"


@pytest.mark.parametrize("metric", PAYMENTS)
def test_a_hundred_targets_are_told_as_they_are_judged(open_page, pages, observations, metric):
    """Two hundred in all: each read off the page, and judged anew by the value or change that it says."""
    opened = open_page(pages[USUAL])
    steps = 1 + int(opened.page.locator(f"#move-{metric}-0").get_attribute("max"))
    places = np.random.default_rng(1).choice(steps, 100).tolist()
    shown = opened.page.evaluate(SHOWN, [metric, places])
    asked = [cells[1].rstrip("%)").replace("−", "-").split(" (") for cells in shown]
    given = (
        [{"target_value": float(level.rstrip("%"))} for level, _ in asked]
        if metric == "reablement"
        else [{"change_percent": float(size)} for _, size in asked]
    )
    rows = [{"area_code": USUAL, "metric": metric, "payment": PAYMENTS[metric], **one} for one in given]
    usable = sound(observations[1], METRICS).observations
    judged = assess_ambitions(usable, targets(rows)).to_dict("records")
    about = METRICS[metric]
    for cells, row in zip(shown, judged, strict=True):
        level, line = value(row["target_value"], about), row["payment_line"]
        verdict = sentence(words_of(row))
        assert cells[0].startswith(verdict)
        assert cells[0].removeprefix(verdict).strip() in row["reasons"]
        assert cells[1] == f"{level} ({signed(row['ambition_percent'])}%)"
        assert cells[3] == (value(line, about) if np.isfinite(line) else "none")
        assert cells[4:] == [chance(row[name]) for name in CHANCES]
    assert len({cells[0] for cells in shown}) >= 3
    assert opened.said == []
    assert [url for url in opened.asked if url[:5] != "data:"] == [pages[USUAL].resolve().as_uri()]


def test_a_key_moves_the_target_at_once_and_says_where_it_is(open_page, pages):
    page = open_page(pages[USUAL]).page
    slider = page.get_by_role("slider", name="Move the ambition: April 2015 payment")
    cells = page.locator(".move", has=slider).locator("b")
    assert slider.get_attribute("aria-valuetext").endswith("(−20.0%)")  # where it starts: the proposed target
    slider.evaluate(TIMED)
    slider.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "PageUp", "Home", "End"):
        page.keyboard.press(key)
        level = cells.nth(1).inner_text()
        assert slider.get_attribute("aria-valuetext") == level
    assert level.endswith("(+10.0%)")
    assert cells.first.inner_text() == "Not an improvement."
    took = page.evaluate("took")
    assert len(took) == 6
    assert np.median(took) < AT_ONCE * slowness()


def test_an_area_too_small_for_a_chance_says_why_and_bounds_are_kept(open_page, pages):
    page = open_page(pages[TINY]).page
    first, *_ = page.evaluate(SHOWN, ["delayed_transfers", [0]])
    assert first[0].startswith("Cannot be assessed. Counts are too small for a chance or a range.")
    assert first[4:] == ["none"] * 3
    highest = open_page(pages[USUAL]).page.evaluate(SHOWN, ["reablement", [1000]])[0][1]
    assert highest.startswith("100.0%")


def test_without_script_and_on_paper_the_table_stands_there(open_page, pages):
    page = open_page(pages[USUAL], script=False).page
    assert page.locator(".move").first.is_hidden()
    assert page.locator("#delayed_transfers caption", has_text="Levels of ambition").count() == 1
    page = open_page(pages[USUAL]).page
    page.emulate_media(media="print")
    assert page.locator(".move").first.is_hidden()


@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_wrong_with_a_slider(open_page, pages, width):
    page = open_page(pages[USUAL], width).page
    assert broken_rules(page) == {}
    assert page.evaluate("document.documentElement.scrollWidth") == width
