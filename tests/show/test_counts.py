"""Counts of findings and verdicts, their maps and the pages that carry them."""

import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from bcfstats.define.areas import areas_frame
from bcfstats.define.metrics import METRICS
from bcfstats.example.data import example_data, example_targets
from bcfstats.judge.assessment import assess
from bcfstats.judge.results import (
    AGAINST_HISTORY,
    AGAINST_NOISE,
    BETTER,
    LATEST,
    NOT_COMPARED,
    UNCLEAR,
    WORSE,
)
from bcfstats.judge.verdicts import VERDICTS
from bcfstats.show.all_areas import areas_page
from bcfstats.show.counts import count, counts_section, findings, in_line, in_order, verdicts
from bcfstats.show.tile_map import SEVERAL, answers, layout
from tests.browser.rules import contrast

HOSTILE = """</script><script>alert("1")</script> & 'Sons'"""
AREAS = pd.DataFrame(
    {
        "area_code": ["X1", "X2", "X3", "X4"],
        "area_name": ["Ash", "Birch", "Cedar", "Dogwood"],
        "region": ["North", "North", "South", None],
    }
)


def windows(*rows):
    names = ["area_code", "metric", "payment", "finding"]
    periods = {"baseline_period": "2013-04/2014-03", "outcome_period": "2014-04/2015-03"}
    return pd.DataFrame(rows, columns=names).assign(**periods)


def test_categories_are_those_of_the_results():
    assert answers("finding").names == [BETTER, UNCLEAR, WORSE, NOT_COMPARED]
    assert answers("verdict").names == list(VERDICTS)
    assert all(category.meaning for name in ("finding", "verdict") for category in answers(name).categories)


@pytest.mark.parametrize("name", ["finding", "verdict"])
def test_a_tile_never_speaks_by_colour_alone(name):
    """Each answer has a mark of its own, in an ink that WCAG's 3:1 sets apart from its colour."""
    categories = answers(name).categories
    assert len({category.mark for category in categories}) == len(categories)
    assert len({category.colour for category in categories}) == len(categories)
    assert all(contrast(category.ink, category.colour) >= 3 for category in categories)


def test_payments_are_counted_where_any_area_could_be_compared_else_the_latest_year():
    found = findings(
        windows(
            ("X1", "delayed_transfers", "2015-04", BETTER),
            ("X2", "delayed_transfers", "2015-04", NOT_COMPARED),
            ("X1", "delayed_transfers", "2015-10", NOT_COMPARED),
            ("X1", "delayed_transfers", LATEST, WORSE),
            ("X1", "reablement", "2015-10", NOT_COMPARED),
            ("X1", "reablement", LATEST, UNCLEAR),
            ("X1", "patient_experience", "2015-10", NOT_COMPARED),
        ),
        AREAS,
    )
    kept = found[["metric", "payment", "area_code", "category"]].to_numpy().tolist()
    assert kept == [
        ["delayed_transfers", "2015-04", "X1", BETTER],
        ["delayed_transfers", "2015-04", "X2", NOT_COMPARED],
        ["reablement", LATEST, "X1", UNCLEAR],
        ["patient_experience", "2015-10", "X1", NOT_COMPARED],
    ]
    assert found["region"].unique().tolist() == ["North"]


def test_counts_keep_every_case_and_their_order():
    cases = pd.DataFrame(
        {
            "metric": ["reablement", "delayed_transfers", "delayed_transfers", "reablement"],
            "payment": ["2015-10", "2015-10", "2015-04", LATEST],
            "category": [BETTER, WORSE, WORSE, UNCLEAR],
        }
    )
    counts = count(in_order(cases, METRICS), ["metric", "payment"], answers("finding"))
    assert counts.index.tolist() == [
        ("reablement", "2015-10"),
        ("reablement", LATEST),
        ("delayed_transfers", "2015-04"),
        ("delayed_transfers", "2015-10"),
    ]
    assert counts.to_numpy().tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0]]


def test_england_is_laid_out_only_for_its_own_areas():
    england = areas_frame()
    assert layout(england, is_example=False).of_england
    assert len(layout(england.head(3), is_example=False).spots) == 152  # areas without a result are drawn too
    assert not layout(england, is_example=True).of_england
    assert not layout(AREAS, is_example=False).of_england


@pytest.mark.parametrize("n_areas", [1, 9, 150])
def test_other_areas_stand_in_blocks_by_region(n_areas):
    rng = np.random.default_rng(2014)
    areas = pd.DataFrame({"area_code": [f"X{i}" for i in range(n_areas)], "area_name": "Place"})
    areas["region"] = rng.choice(["East", "West", "Mid"], n_areas)
    plan = layout(areas, is_example=True)
    assert set(plan.spots) == set(areas["area_code"])
    places = [(spot.column, spot.row) for spot in plan.spots.values()]
    names = [(column, row) for _, column, row in plan.names]
    assert len({*places, *names}) == len(places) + len(names)
    assert {name for name, _, _ in plan.names} == set(areas["region"])
    assert max(column for column, _ in places) < 15


def test_borders_are_the_edges_between_regions():
    plan = layout(AREAS.head(3), is_example=True)
    # two tiles in a row make six edges around them, one tile four: no edge between the two
    assert len(plan.borders()) == 6 + 4


def test_counts_in_a_line_leave_out_what_there_is_none_of():
    counts = pd.Series({"too_easy": 3, "unprecedented": 0, "within_noise": 1200})
    assert in_line(counts, answers("verdict")) == "3 too easy, 1,200 no more than chance"


def test_counts_of_one_region_are_those_of_its_cases():
    cases = pd.DataFrame({"region": ["Kent"] * 3, "category": ["better", "worse", "better"]})
    assert count(cases, ["region"], answers("finding")).loc["Kent"].tolist() == [2, 0, 1, 0]


def section(found, of, areas=AREAS):
    made = counts_section(found, answers(of), areas, layout(areas, is_example=True), METRICS)
    return BeautifulSoup(made, "html.parser")


def cells(table):
    return [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in table.tbody.find_all("tr")]


def test_a_section_counts_by_metric_and_region_and_says_what_each_tile_shows():
    rows = [("X1", BETTER), ("X2", WORSE), ("X3", WORSE)]
    found = findings(windows(*((code, "delayed_transfers", "2015-04", name) for code, name in rows)), AREAS)
    page = section(found, "finding")
    by_metric, by_region, on_map, data = page.find_all("table")
    assert cells(by_metric) == [["Delayed transfers of care, April 2015 payment", *"102030"]]
    assert cells(by_region) == [
        ["North", *"10102"],
        ["South", *"00101"],
        ["All areas", *"10203"],
    ]
    assert cells(on_map) == cells(by_region)
    assert cells(data) == [
        ["Ash", "North", "better"],
        ["Birch", "North", "worse"],
        ["Cedar", "South", "worse"],
        ["Dogwood", "not known", "no result"],
    ]
    alt = page.find("svg", class_="map")["aria-label"]
    assert "of 3 areas, 1 better, 2 worse" in alt
    assert "Better: North 1 of 2." in alt
    assert "Worse: North 1 of 2, South 1 of 1." in alt
    caption = page.figcaption.get_text()
    assert caption == "1 better, 2 worse; 1 with no result. 2014/15 against 2013/14."
    assert "not verdicts on a target" in page.get_text()
    tiles = [use["href"] for use in page.find("svg", class_="map").find_all("use")]
    assert tiles == ["#finding0", "#finding2", "#finding2", "#blank", "#labels", "#borders"]


@pytest.mark.parametrize(
    ("against", "words"),
    [
        ([AGAINST_HISTORY, AGAINST_HISTORY, ""], ""),
        ([AGAINST_HISTORY, AGAINST_NOISE, ""], "1 of these is held against noise"),
        ([AGAINST_NOISE] * 3, "All are held against noise"),
    ],
)
def test_findings_that_allow_for_noise_only_are_counted_and_said(against, words):
    rows = windows(*((code, "reablement", "2015-10", BETTER) for code in ("X1", "X2", "X3")))
    page = section(findings(rows.assign(finding_against=against), AREAS), "finding")
    by_metric = page.find("table")
    assert by_metric.thead.find_all("th")[-1].get_text() == "Against noise only"
    assert cells(by_metric)[0][-1] == str(against.count(AGAINST_NOISE))
    told = page.figcaption.get_text(), page.find("svg", class_="map")["aria-label"]
    assert all(("held against noise" in text) == bool(words) and words in text for text in told)


def judged(*rows):
    frame = pd.DataFrame(rows, columns=["area_code", "metric", "payment", "verdict"])
    return verdicts(frame.assign(baseline_period=None, target_period=None), AREAS)


def test_local_metrics_share_a_map_and_different_verdicts_of_an_area_are_said_to_be_several():
    found = judged(
        ("X1", "falls_injuries", "2015-04", "too_easy"),
        ("X2", "social_contact", "2015-04", "within_noise"),
        ("X3", "falls_injuries", "2015-04", "within_noise"),
        ("X3", "social_contact", "2015-04", "too_easy"),
    )
    page = section(found, "verdict")
    assert [tag.get_text() for tag in page.find_all("h3")] == [
        "Metrics of the local menu, April 2015 payment: of 4 targets, 0 challenging and achievable"
    ]
    assert len(cells(page.find_all("table")[0])) == 2  # counted apart
    tiles = [use["href"] for use in page.find("svg", class_="map").find_all("use")]
    assert tiles[:4] == ["#verdict3", "#verdict2", f"#{SEVERAL}", "#blank"]


def test_a_metric_without_any_answer_is_counted_but_not_drawn():
    page = section(judged(("X1", "patient_experience", "2015-10", "cannot_be_assessed")), "verdict")
    assert page.find("svg", class_="map") is None
    assert cells(page.find("table")) == [["Patient experience, October 2015 payment", *"00000011"]]


def test_nothing_to_count_is_said():
    page = section(findings(pd.DataFrame(), AREAS), "finding")
    assert "There is nothing to count." in page.get_text()


# The index


@pytest.fixture(scope="module")
def results(example_results):
    return _made(example_results)


@pytest.fixture(scope="module")
def all_results():
    """All 150 example areas with their targets, as `bcfstats run` has them."""
    targets = example_targets().rename(columns={"area": "area_code"})
    targets = targets.assign(target_value=np.nan, target_numerator=np.nan, against="baseline")
    return _made(assess(example_data(), targets=targets))


def _made(results):
    return replace(results, about=results.about | {"version": "0.1.0", "created": "2 January 2015"})


def index(results, failures=None):
    reports = {
        code: f"areas/{code}.html" for code in results.areas["area_code"] if code not in (failures or {})
    }
    return areas_page(results, reports, failures or {})


@pytest.mark.slow
def test_index_of_all_areas_is_small(all_results):
    assert len(all_results.areas) == 150
    assert len(index(all_results).encode()) < 300_000


@pytest.mark.slow
def test_index_of_seven_thousand_areas_is_a_list_under_a_megabyte(all_results):
    """As many as there are practices: each has its row, none a tile that nobody could find."""
    copies = range(47)
    many = {
        name: pd.concat(
            [frame.assign(area_code=frame["area_code"] + f"{copy:02}") for copy in copies], ignore_index=True
        )
        for name in ("areas", "windows")
        if len(frame := getattr(all_results, name))
    }
    text = index(replace(all_results, **many, assessments=all_results.assessments.iloc[:0]))
    page = BeautifulSoup(text, "lxml")
    assert len(cells(page.find("div", id="areas").table)) == 150 * len(copies) > 7_000
    assert page.find("svg", class_="map") is None
    assert len(text.encode()) < 1_000_000


def test_index_counts_what_the_results_hold(results):
    page = BeautifulSoup(index(results), "lxml")
    tables = {table.caption.get_text(): cells(table) for table in page.find_all("table")}
    total = tables["Verdicts by region: number of targets, all metrics together"][-1]
    expected = Counter(results.assessments["verdict"])
    assert total == [
        "All areas",
        *(f"{expected[name]:,}" for name in VERDICTS),
        f"{len(results.assessments):,}",
    ]
    listed = np.array(
        [row[3:] for row in tables["Areas, with a link to each report; the last 4 columns count findings"]],
        dtype=int,
    )
    regions = tables["Findings by region: number of comparisons, all metrics together"][-1]
    assert [f"{n:,}" for n in listed.sum(axis=0)] == regions[1:5]
    assert "These areas have no place on a map of England" in page.get_text()


def test_the_table_of_the_maps_leads_to_each_report_there_is(results):
    page = BeautifulSoup(index(results, {"X06000002": "No figures."}), "lxml")
    for table in page.find("details", class_="each"), page.find("div", id="areas"):
        links = [link["href"] for link in table.find_all("a")]
        assert len(links) == len(set(links)) == len(results.areas) - 1
        assert "areas/X06000002.html" not in links


def test_policy_names_the_one_script_which_holds_no_data(results):
    text = index(results)
    page = BeautifulSoup(text, "lxml")
    policy = page.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy
    assert "script-src 'unsafe-inline'" not in policy
    assert results.areas["area_name"][0] not in scripts[0]
    assert page.find("div", id="tools").has_attr("hidden")  # the script shows it
    assert page.find("button") is None  # and makes the buttons


def test_hostile_names_stay_text(results):
    areas = results.areas.assign(
        area_name=[HOSTILE, *results.areas["area_name"][1:]], region=[HOSTILE, *results.areas["region"][1:]]
    )
    text = index(replace(results, areas=areas), {"X06000002": HOSTILE})
    page = BeautifulSoup(text, "lxml")
    assert len(page.find_all("script")) == 1
    assert text.count("<script") == text.count("</script") == 1
    assert page.get_text().count(HOSTILE) > 4
    assert "no report. " + HOSTILE in page.find("div", id="areas").get_text()


def test_index_of_england_is_a_map_of_england(results):
    """The same results under real codes: areas the results do not have are drawn as such."""
    real = areas_frame().head(3)
    code = dict(zip(results.areas["area_code"], real["area_code"], strict=False))
    frames = {
        name: getattr(results, name)
        .assign(area_code=getattr(results, name)["area_code"].map(code))
        .dropna(subset=["area_code"])
        for name in ("windows", "assessments")
    }
    changed = replace(
        results, **frames, areas=real.assign(problem=""), about=results.about | {"is_example": False}
    )
    page = BeautifulSoup(index(changed), "lxml")
    assert "one of the 152 upper-tier areas of England" in page.get_text()
    tiles = [use["href"] for use in page.find("svg", class_="map").find_all("use")]
    assert len(tiles) == 152 + 2
    assert tiles.count("#blank") == 149
