"""The list of areas and the maps in a real browser: search, sort, no script at all, hostile names."""

import re
from types import SimpleNamespace

import pandas as pd
import pytest

from bcfstats.define.areas import areas_frame
from bcfstats.define.metrics import METRICS
from bcfstats.judge.results import BETTER, NOT_COMPARED, UNCLEAR, WORSE
from bcfstats.show.all_areas import areas_page
from tests.browser.rules import broken_rules, contrast

pytestmark = pytest.mark.slow

HOSTILE = """<img src=x onerror="document.title='run'"></script><script>document.title='run'</script>"""
LAST = "Áaby & Co"  # sorts before Barking, by the rules of English
FINDINGS = [BETTER, UNCLEAR, WORSE, NOT_COMPARED]


@pytest.fixture(scope="module")
def england(tmp_path_factory):
    """Make an index of the real areas: findings that follow from their place in the list, two odd names."""
    areas = areas_frame().assign(problem="")
    areas.loc[0, "area_name"], areas.loc[1, "area_name"] = HOSTILE, LAST
    codes = areas["area_code"]
    windows = pd.DataFrame(
        {
            "area_code": [*codes[:150], *codes],
            "metric": ["delayed_transfers"] * 150 + ["reablement"] * 152,
            "payment": ["2015-04"] * 150 + ["2015-10"] * 152,
            "finding": [FINDINGS[i % 4] for i in range(150)] + [BETTER] * 2 + [UNCLEAR] * 150,
            "baseline_period": "2013-04/2014-03",
            "outcome_period": "2014-04/2015-03",
        }
    )
    about = {"is_example": False, "version": "0", "created": "today", "scheme": "s", "scheme_title": "t"}
    results = SimpleNamespace(
        areas=areas,
        windows=windows,
        assessments=pd.DataFrame(columns=["area_code", "metric", "payment", "verdict"]),
        metrics=(METRICS["reablement"], METRICS["delayed_transfers"]),
        about=about,
    )
    path = tmp_path_factory.mktemp("england") / "index.html"
    reports = {code: f"areas/{code}.html" for code in codes}
    path.write_text(areas_page(results, reports, {}), encoding="utf-8")
    return path


def names(page):
    return page.locator("#areas tbody tr:visible th").all_inner_texts()


def test_search_narrows_the_list_and_says_how_many_are_left(open_page, england):
    page = open_page(england).page
    box = page.get_by_role("searchbox", name="Search by area, code or region")
    assert page.get_by_role("status").inner_text() == (
        "152 of 152 areas, most to look at first; the first 25 are shown."
    )
    for text, count in [("london", 33), ("LONDON city", 1), ("e09000001", 1), ("aaby", 1), ("nowhere", 0)]:
        box.fill(text)
        assert page.get_by_role("status").inner_text().startswith(f"{count} of 152 areas, most to look")
        assert len(names(page)) == min(count, 25)
    box.fill("")
    page.get_by_role("button", name="Show all").click()
    assert len(names(page)) == 152


def test_filters_narrow_the_list_together(open_page, england):
    page = open_page(england).page
    page.get_by_label("Region", exact=True).select_option("London")
    page.get_by_label("Metric", exact=True).select_option(label="Delayed transfers of care")
    everything = int(page.get_by_role("status").inner_text().split()[0])
    page.get_by_label("Result", exact=True).select_option("Worse")
    worse = int(page.get_by_role("status").inner_text().split()[0])
    assert 0 < worse < everything <= 33
    assert all(int(n) for n in page.locator("#areas tbody tr:visible td:nth-child(5)").all_inner_texts())


def test_index_is_four_screens_and_few_tab_stops(open_page, england):
    page = open_page(england).page
    assert page.evaluate("document.documentElement.scrollHeight") <= 4 * 720
    stops = page.locator(
        "#areas :is(a, button):visible, .contents a, .tools :is(input, select, button):visible"
    )
    assert stops.count() < 60


def test_searching_by_keyboard_alone_leads_to_a_report(open_page, england):
    page = open_page(england).page
    page.get_by_role("searchbox").focus()
    page.keyboard.type("rutl")
    for _ in range(11):  # three filters, the region that scrolls, the buttons, then the only link left
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "areas/E06000017.html"


def test_list_is_sorted_by_any_column_and_says_so(open_page, england):
    page = open_page(england).page
    sorted_by = page.locator("#areas th[aria-sort]")
    assert sorted_by.count() == 0  # what there is most to look at comes first
    page.get_by_role("button", name="Show all").click()
    for column, heading in [(3, "No clear change"), (5, "Not compared")]:
        for direction in ("descending", "ascending"):
            page.get_by_role("button", name=heading, exact=True).press("Enter")
            shown = [
                int(n) for n in page.locator(f"#areas tbody td:nth-child({column + 1})").all_inner_texts()
            ]
            assert shown == sorted(shown, reverse=direction == "descending")
            assert page.get_by_role("status").inner_text().endswith(f"sorted by {heading}, {direction}.")
            assert sorted_by.count() == 1
            assert sorted_by.get_attribute("aria-sort") == direction
    page.get_by_role("button", name="Area", exact=True).press("Enter")
    assert names(page)[:3] == [HOSTILE, LAST, "Barking and Dagenham"]
    page.get_by_role("button", name="Area", exact=True).press(" ")
    assert names(page)[0] == "York"


def test_sorting_keeps_what_was_searched_for(open_page, england):
    page = open_page(england).page
    page.get_by_role("searchbox").fill("London")
    page.get_by_role("button", name="Area", exact=True).click()
    assert names(page)[0] == "Barking and Dagenham"
    assert len(names(page)) == 25


def test_without_script_everything_is_there_but_the_tools(open_page, england):
    page = open_page(england, script=False).page
    assert len(names(page)) == 152
    assert page.locator("#areas tbody a[href^='areas/']").count() == 152
    assert page.locator("input:visible, button:visible, select:visible").count() == 0
    assert page.locator("svg.map").count() == 2


def test_hostile_names_run_nothing_however_the_list_is_used(open_page, england):
    opened = open_page(england)
    page = opened.page
    page.get_by_role("searchbox").fill(HOSTILE)
    assert names(page) == [HOSTILE]
    page.get_by_role("button", name="Area", exact=True).click()
    assert page.title() == "Reports for 152 areas: Better Care Fund metrics"
    assert opened.said == []


def test_no_script_but_our_own_may_run(open_page, england):
    opened = open_page(england)
    with opened.page.expect_console_message() as told:
        opened.page.evaluate(
            "const found = document.createElement('script'); found.text = 'document.title = 1';"
            "document.body.append(found)"
        )
    assert "Content Security Policy" in told.value.text
    assert opened.page.title() != "1"


@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_on_the_map_of_england(open_page, england, width):
    page = open_page(england, width).page
    assert broken_rules(page) == {}
    page.get_by_role("searchbox").fill("london")
    page.get_by_role("button", name="Worse").click()
    assert broken_rules(page) == {}
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_map_is_drawn_for_all_152_areas_and_named_in_words(open_page, england):
    page = open_page(england).page
    page.get_by_text("Maps", exact=True).click()
    picture = page.get_by_role("img", name=re.compile("^Tile map. Delayed transfers of care, April 2015"))
    assert "of 150 areas, 38 better, 37 worse" in picture.get_attribute("aria-label")
    boxes = picture.evaluate(
        """map => [...map.querySelectorAll('use')].slice(0, 152).map(use => use.getBoundingClientRect())
            .map(box => [Math.round(box.x), Math.round(box.y), box.width])"""
    )
    assert len({(x, y) for x, y, _ in boxes}) == 152
    assert all(width > 20 for _, _, width in boxes)
    assert picture.locator("use[href='#blank']").count() == 2


def test_tiles_and_labels_stand_out_from_what_is_behind_them(open_page, england):
    page = open_page(england).page
    colours = page.evaluate(
        """() => ['.tile', '#labels text', '#borders path'].map(selector => {
            const style = getComputedStyle(document.querySelector(selector))
            return [style.fill, style.stroke]
        })"""
    )
    (tile, outline), (label, _), (_, border) = colours
    assert contrast(outline, "#FFFFFF") >= 3
    assert contrast(border, "#FFFFFF") >= 3
    assert contrast(label, tile) >= 4.5


def test_print_has_the_map_and_no_tools(open_page, england):
    page = open_page(england).page
    page.emulate_media(media="print")
    assert page.locator("svg.map:visible").count() == 2
    assert page.locator("#tools").is_hidden()
    assert page.locator("#areas thead th").first.is_visible()
