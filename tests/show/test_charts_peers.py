"""Where an area stands, and its chance of payment, as drawn: places and dots are counted in the picture."""

import re

import numpy as np
import pytest
from scipy import ndimage

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.show import sentences
from bcfstats.show.charts.chance import chance_chart
from bcfstats.show.charts.peers import peers_chart
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


def chance(nothing, half, full, look="analysis_function"):
    row = dict(zip(sentences.CHANCES, (nothing, half, full), strict=True))
    return chance_chart(
        "Here", METRIC, Period.parse("2014/15"), row, "the proposed target of 450.0", look=look
    )


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


def dots_in(picture, colour):
    """Count the separate patches of a colour in a PNG."""
    from io import BytesIO

    from matplotlib.image import imread

    wanted = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    close = np.abs(imread(BytesIO(picture))[..., :3] - wanted).max(axis=-1) < 0.1
    patches, n = ndimage.label(close)
    sizes = ndimage.sum_labels(close, patches, np.arange(1, n + 1))
    return int((sizes > 20).sum())  # letters are of another colour, edges of dots are thinner


@pytest.mark.parametrize(
    ("chances", "dots"), [((0.12, 0.38, 0.81), 131), ((0.0, 0.004, 1.0), 100), ((0.5, 0.51, 0.01), 102)]
)
def test_as_many_dots_are_filled_as_the_chances_say(chances, dots):
    assert dots_in(chance(*chances).png(), palette()["series"]) == dots


def test_chances_are_told_as_natural_frequencies():
    chart = chance(0.12, 0.38, 0.997)
    assert [row[1] for row in chart.rows] == ["12 in 100", "38 in 100", "more than 99 in 100"]
    assert "12 in 100 areas like this would be paid if nothing is done" in chart.alt
    assert all(f">{told}<" in chart.svg for _, told in chart.rows)
