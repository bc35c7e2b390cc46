"""Where an area stands, as drawn: places are measured in the picture."""

import re

import numpy as np
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.show import sentences
from bcfstats.show.charts.areas import peers_chart
from bcfstats.show.palettes import palette

METRIC = METRICS["care_home_admissions"]
STANDING = {
    "period": "2014-04/2015-03",
    "value": 500.0,
    "lower": 450.0,
    "upper": 560.0,
    "n_areas": 8,
    "n_better": 3,
    "lowest": 100.0,
    "p10": 310.0,
    "p25": 400.0,
    "median": 520.0,
    "p75": 610.0,
    "p90": 700.0,
    "highest": 2000.0,
    "group": "North",
    "n_group": 3.0,
    "n_group_better": 1.0,
    "reason": "",
}
PEERS = [{"peer": name, "value": value} for name, value in (("B", 640.0), ("A", 420.0), ("C", 777.0))]


def draw(**given):
    return peers_chart("Here", METRIC, STANDING | given, PEERS)


def test_dots_of_peers_lie_in_proportion_to_their_values():
    """Places in the picture are a straight line of the values: three peers and the area itself."""
    groups = re.findall(r"<g style='([^']*)'>((?: <use [^>]*/>)+)", draw().svg)
    fill = palette()["common"].lower()
    (dots,) = [uses for style, uses in groups if fill in style]
    (own,) = [uses for style, uses in groups if palette()["neutral"].lower() in style]
    x = [float(place) for place in re.findall(r" x='([\d.]+)'", dots)]
    here = float(re.findall(r" x='([\d.]+)'", own)[0])
    slope = (x[2] - x[0]) / (777 - 420)
    assert slope > 0
    assert x[1] - x[0] == pytest.approx(slope * (640 - 420), abs=0.03)
    assert here - x[0] == pytest.approx(slope * (500 - 420), abs=0.03)


def test_area_is_named_in_the_picture_and_areas_beyond_the_frame_in_words():
    svg = draw().svg
    assert ">Here: 500.0<" in svg
    assert ">100.0 to 2,000.0<" in svg
    assert ">3 others of<" in svg


def test_data_of_the_chart_are_the_area_the_strip_and_its_peers_in_order():
    rows = draw().rows
    assert rows[0] == ["Here", "500.0"]
    assert [value for _, value in rows[1:8]] == [
        "100.0",
        "310.0",
        "400.0",
        "520.0",
        "610.0",
        "700.0",
        "2,000.0",
    ]
    assert rows[8:] == [["A", "420.0"], ["B", "640.0"], ["C", "777.0"]]


def test_finding_says_middle_counts_and_noise():
    words = sentences.standing(STANDING, METRIC)
    assert "In 2014/15 it was 500.0; the middle of 8 areas was 520.0." in words
    assert "3 of 7 other areas were better, and 1 of 3 others in North." in words
    assert "holds the middle" in words
    assert "leaves the middle out" in sentences.standing(STANDING | {"upper": 515.0}, METRIC)
    assert words in draw().alt
    assert all(len(sentence.split()) <= 25 for sentence in re.split(r"(?<=\.) ", words))


def test_strip_of_too_few_areas_has_no_quarters():
    chart = draw(n_areas=4)
    assert [row[0] for row in chart.rows] == ["Here", "A", "B", "C"]
    assert "quarters" not in chart.note
    assert "quarters" in draw().note


def test_area_without_a_figure_or_without_others_has_no_chart_but_words():
    assert draw(value=np.nan) is None
    told = sentences.standing(STANDING | {"value": np.nan, "reason": "it is marked suppressed"}, METRIC)
    assert told == "It is not set beside others: it is marked suppressed."
    assert draw(n_areas=1) is None
    assert "No other area" in sentences.standing(STANDING | {"n_areas": 1}, METRIC)
