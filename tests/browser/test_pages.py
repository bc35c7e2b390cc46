"""Every page of a run in a real browser: axe, keyboard, reflow, print, and no network.

The rules are those of WCAG 2.2, level AA; axe-core is Deque's implementation of what can be checked by
machine. What it cannot check is left to people.
"""

import io
import re
import zlib

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from bcfstats.define.metrics import METRICS
from bcfstats.show.charts.history import season_chart
from bcfstats.show.page import style
from bcfstats.show.palettes import palette
from tests.browser.rules import broken_rules, contrast

pytestmark = pytest.mark.slow

FOCUSABLE = "a[href], button:not([hidden]), input, select, summary, [tabindex='0']"
WCAG_CONTRAST = 3  # of graphics and of the mark of the focus: success criteria 1.4.11 and 2.4.13
# As success criterion 1.4.12 sets it: nothing may be lost when a reader sets text wider.
TEXT_SPACING = (
    "* {line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important}"
)


# Of each chart: its alternative text, how tall letters are, words outside it, words that lie on each other.
LETTERS = """() => [...document.querySelectorAll('main figure img')].map(chart => {
    const shown = chart.getBoundingClientRect(), holder = document.createElement('div')
    holder.innerHTML = decodeURIComponent(chart.src.slice(chart.src.indexOf(',') + 1))
    document.body.append(holder)
    const svg = holder.querySelector('svg'), scale = shown.width / svg.viewBox.baseVal.width
    svg.setAttribute('width', shown.width)
    svg.setAttribute('height', shown.height)
    const [frame, words] = [svg.getBoundingClientRect(), [...svg.querySelectorAll('text')]]
    const boxes = words.map(word => [word.textContent, word.getBoundingClientRect()])
    const outside = boxes.filter(([, box]) => box.left < frame.left - 1 || box.right > frame.right + 1)
    const meets = (a, b) => a.left < b.right - 1 && b.left < a.right - 1
        && Math.abs((a.top + a.bottom) - (b.top + b.bottom)) / 2 < 0.6 * (a.bottom - a.top)
    const meeting = boxes.flatMap(([word, box], i) =>
        boxes.slice(i + 1).filter(other => meets(box, other[1])).map(other => [word, other[0]]))
    const height = Math.min(...words.map(word => parseFloat(getComputedStyle(word).fontSize))) * scale
    holder.remove()
    return [chart.alt, height, outside.map(([word]) => word), meeting]
})"""


@pytest.fixture(scope="module", params=["index", "area", "overview"])
def path(run_folder, overview, request):
    area = sorted(run_folder.glob("areas/*"))[0]
    return {"index": run_folder / "index.html", "area": area, "overview": overview}[request.param]


def open_details(page):
    page.evaluate("for (const found of document.querySelectorAll('details')) found.open = true")


@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing(open_page, path, width):
    page = open_page(path, width).page
    assert broken_rules(page) == {}
    open_details(page)
    assert broken_rules(page) == {}


def test_axe_finds_what_is_broken(open_page, path):
    page = open_page(path).page
    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend',"
        """ '<img src="data:,"><p style="color:#bbb">pale</p><h5>out of order</h5>')"""
    )
    assert {"image-alt", "color-contrast", "heading-order"} <= broken_rules(page).keys()


def test_page_says_nothing_and_asks_for_nothing(open_page, path):
    opened = open_page(path)
    open_details(opened.page)
    opened.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    opened.page.wait_for_load_state("networkidle")
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith("data:")] == [path.resolve().as_uri()]


def test_the_page_would_not_load_what_is_outside(open_page, path):
    """The page's own policy refuses it, whatever a file name or a note in the data may contain."""
    opened = open_page(path)
    with opened.page.expect_console_message() as told:
        opened.page.evaluate("new Image().src = 'https://example.org/x.png'")
    assert "Content Security Policy" in told.value.text


def focused(page):
    """Where the focus is among the page's stops, and whether it can be seen."""
    return page.evaluate(
        """selector => {
            const here = document.activeElement, style = getComputedStyle(here)
            const box = here.getBoundingClientRect()
            let ground = here
            while (getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)' && ground.parentElement)
                ground = ground.parentElement
            return {
                place: [...document.querySelectorAll(selector)].indexOf(here),
                outline: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
                colour: style.outlineColor, ground: getComputedStyle(ground).backgroundColor,
                onScreen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
            }
        }""",
        FOCUSABLE,
    )


def test_keyboard_reaches_everything_in_order_and_shows_where_it_is(open_page, path):
    page = open_page(path).page
    open_details(page)
    stops = page.locator(FOCUSABLE).count()
    for place in range(stops):
        page.keyboard.press("Tab")
        here = focused(page)
        assert here["place"] == place, "the order of the keyboard is not that of the page"
        assert here["onScreen"], f"stop {place} is out of sight"
        assert here["outline"] >= 2, f"stop {place} does not show that it is in focus"
        assert contrast(here["colour"], here["ground"]) >= WCAG_CONTRAST
    page.keyboard.press("Tab")
    assert focused(page)["place"] == -1, "the keyboard does not leave the page"


def test_first_stop_skips_to_the_content(open_page, path):
    page = open_page(path).page
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**#main")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_a_report_is_at_most_fifteen_screens_and_2500_words_with_all_folded(open_page, run_folder):
    page = open_page(sorted(run_folder.glob("areas/*"))[0], 1280, 720).page
    assert page.evaluate("document.documentElement.scrollHeight") <= 15 * 720
    words = page.evaluate(
        """() => {
            const texts = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT)
            let words = 0
            while (texts.nextNode())
                if (texts.currentNode.parentElement.checkVisibility())
                    words += texts.currentNode.textContent.split(/\\s+/).filter(Boolean).length
            return words
        }"""
    )
    assert 500 < words <= 2500


@pytest.mark.parametrize("name", ["area", "tiny", "overview"])
def test_letters_of_every_chart_can_be_read_on_a_phone_and_none_meets_another(
    open_page, run_folder, overview, name
):
    areas = sorted(run_folder.glob("areas/*"))
    page = open_page({"area": areas[0], "tiny": areas[1], "overview": overview}[name], 390, 844).page
    open_details(page)
    charts = page.evaluate(LETTERS)
    assert charts
    for alt, height, outside, meeting in charts:
        assert height >= 12, alt
        assert outside == [], alt
        assert meeting == [], alt


def test_keyboard_opens_the_data_of_a_chart_and_scrolls_its_table(open_page, run_folder):
    page = open_page(sorted(run_folder.glob("areas/*"))[0], 320, 256).page
    open_details(page)
    page.evaluate("document.querySelectorAll('figure details').forEach(found => { found.open = false })")
    summary = page.locator("figure summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("figure details").first.evaluate("found => found.open")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('figure .table')")
    wide = page.locator("#glance .table")
    wide.focus()
    assert wide.evaluate("found => found.scrollWidth > found.clientWidth")
    page.keyboard.press("ArrowRight")
    wide.evaluate("found => found.scrollLeft || new Promise(done => found.onscroll = done)")


@pytest.mark.parametrize("spacing", ["", TEXT_SPACING], ids=["as it is", "text set wider"])
def test_reflow_at_320_pixels(open_page, path, spacing):
    """What WCAG asks of 1280 pixels at 400 %: only tables scroll sideways, inside their own region."""
    page = open_page(path, 320, 256).page
    open_details(page)
    page.evaluate("css => document.head.insertAdjacentHTML('beforeend', `<style>${css}</style>`)", spacing)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    too_wide = page.evaluate(
        """() => [...document.querySelectorAll('main *')]
            .filter(found => !found.parentElement.closest('.table') && found.checkVisibility())
            .filter(found => found.getBoundingClientRect().right > innerWidth)
            .map(found => found.outerHTML.slice(0, 80))"""
    )
    assert too_wide == []


def printed_pages(pdf):
    """Content of each printed page, as drawing commands."""
    held = re.findall(rb"/Type /Page\b(?!s).*?/Contents (\d+) 0 R", pdf, re.DOTALL)
    return [_stream(pdf, int(number)) for number in held]


def _stream(pdf, number):
    found = re.search(rb"\n%d 0 obj\s*<<.*?/Length (\d+).*?>>\s*stream\r?\n" % number, pdf, re.DOTALL)
    return zlib.decompress(pdf[found.end() : found.end() + int(found[1])])


def test_print_is_complete_and_never_blank(open_page, path):
    page = open_page(path).page
    pdf = page.pdf(format="A4", tagged=True)
    pages = printed_pages(pdf)
    assert len(pages) >= 1 + page.locator("section:not(.minor, #glance)").count()
    words = [drawn.count(b"TJ") + drawn.count(b"Tj") for drawn in pages]
    assert min(words[:-1], default=6) > 5
    assert words[-1] > 0  # the last may hold what is left
    assert b"/StructTreeRoot" in pdf  # read aloud in order
    page.emulate_media(media="print")
    assert page.locator("summary:visible").count() == 0
    assert page.locator("details p:visible").count() == page.locator("details p").count()
    assert not page.locator(".skip").is_visible()
    ink, paper = page.locator("header").evaluate(
        "found => [getComputedStyle(found).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert contrast(ink, paper) >= 4.5


def test_lines_of_a_chart_can_be_told_apart_in_grey(open_page, tmp_path):
    """In the chart of the season, the area and all areas differ by grey as well as by dashes."""
    index = 1 + 0.1 * np.sin(np.arange(12))
    rows = pd.DataFrame({"month": range(1, 13), "index": index, "national_index": index[::-1]})
    drawn = season_chart("Here", METRICS["delayed_transfers"], rows.assign(lower=index, upper=index))
    (tmp_path / "chart.html").write_text(f"<style>{style()}</style>{drawn.__html__()}", encoding="utf-8")
    chart = open_page(tmp_path / "chart.html").page.locator("img")
    chart.evaluate("found => found.style.filter = 'grayscale(1)'")
    picture = imread(io.BytesIO(chart.screenshot()))[..., :3]
    assert np.ptp(picture, axis=-1).max() < 0.02  # grey indeed
    levels = {role: _grey(palette()[role]) for role in ("series", "comparison")}
    drawn = {role: int((np.abs(picture[..., 0] - level) < 0.02).sum()) for role, level in levels.items()}
    assert min(drawn.values()) > 200, drawn
    assert contrast(palette()["series"], palette()["comparison"]) >= WCAG_CONTRAST


def _grey(colour):
    """Grey of a colour under the CSS filter, which weighs the channels as they are stored."""
    return float(np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]) @ [0.2126, 0.7152, 0.0722])
