"""Scales whose marks are round, inside the limits, and told apart; words that keep apart, in the picture."""

from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.textpath import TextPath

from bcfstats.show.charts.drawing import FONT, WIDTH, Plot, ends, lines_of, round_sizes, round_values, svg_of


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.013, 0.0142), (-7, 93), (1e6, 1.2e6), (-0.5, 0.5)])
def test_marks_are_few_even_inside_and_written_apart(low, high):
    values, texts = round_values(low, high)
    assert 2 <= len(values) <= 7
    assert all(low - 1e-9 <= value <= high + 1e-9 for value in values)
    assert np.allclose(np.diff(values), values[1] - values[0])
    assert len(set(texts)) == len(texts)
    assert np.allclose([float(text.replace(",", "").replace("−", "-")) for text in texts], values)


def test_sizes_are_one_two_five_of_each_power():
    places, texts = round_sizes((np.log10(150), np.log10(2500)))
    assert texts == ["200", "500", "1,000", "2,000"]
    assert np.allclose(10 ** np.array(places), [200, 500, 1000, 2000])


def test_ends_hold_all_values_with_room():
    assert ends([1, 5], [np.nan, 3], margin=0.5) == (-1, 7)
    assert ends([2, 4], low=0) == (0, 4.6)
    low, high = ends([np.nan])
    assert low < high


def test_svg_is_whole_xml_with_its_text_as_text():
    figure = Figure(figsize=(2, 1))
    figure.text(0.5, 0.5, "as text")
    text = svg_of(figure)
    assert "as text" in "".join(ElementTree.fromstring(text).itertext())
    assert "DOCTYPE" not in text


def texts(plot):
    """Give each text of a drawing with its left and right edge and its height, as matplotlib measures."""
    canvas = FigureCanvasAgg(plot.figure)
    words = [artist for artist in plot.figure.artists if isinstance(artist, Text)]
    boxes = {text.get_text(): text.get_window_extent(canvas.get_renderer()) for text in words}
    return {name: (box.x0, box.x1, (box.y0 + box.y1) / 2) for name, box in boxes.items()}


@pytest.mark.parametrize("labels", [["2014/15"] * 12, ["Apr\u2013Sep\n2014"] * 9, ["1"] * 26])
def test_labels_below_never_meet_and_the_last_is_always_there(labels):
    plot = Plot("unit", (0, len(labels)), (0, 1))
    labels = [f"{chr(97 + i)}{label}" for i, label in enumerate(labels)]
    plot.label_places(np.arange(len(labels), dtype=float), labels)
    found = {name: place for name, place in texts(plot).items() if name[0].islower()}
    assert list(found)[-1] == labels[-1].split("\n")[0]
    rows = list(found.values())
    assert len(rows) > 2
    assert all(right < left for (_, right, _), (left, *_) in pairwise(rows))


def test_no_word_leaves_the_picture_and_a_long_unit_is_broken():
    plot = Plot("delayed days per 100,000 people aged 18 and over, average per month", (0, 1), (0, 1))
    plot.text(0.99, 0.5, "a name that is long")
    plot.text(0.01, 0.5, "another that is long", align="right")
    found = texts(plot)
    assert len(found) == 4
    assert all(left >= 0 and right <= WIDTH * plot.figure.dpi for left, right, _ in found.values())


def test_names_of_lines_stand_apart_in_the_order_of_their_values():
    plot = Plot("unit", (0, 1), (0, 1))
    plot.names(0.5, [(0.52, "target", "text"), (0.5, "forecast", "emphasis"), (0.51, "line", "text")])
    found = texts(plot)
    heights = [found[name][2] for name in ("forecast", "line", "target")]
    assert np.diff(heights).min() * 72 / plot.figure.dpi > 8
    assert np.mean(heights) == pytest.approx(plot._y(0.51) * plot.height * plot.figure.dpi, abs=3)


def test_lines_hold_their_words_in_order_and_none_is_wider_than_asked():
    words = "Bath and North East Somerset"
    lines = list(lines_of(words, 8))
    assert " ".join(lines) == words
    assert len(lines) > 1
    sizes = [TextPath((0, 0), line, prop=FONT).get_extents().width for line in lines]
    assert max(sizes) <= 8 * FONT.get_size()
    assert list(lines_of("", 8)) == []
    assert list(lines_of("\u4e2d\u6587\x07\ufeff", 2)) == ["\u4e2d\u6587", "\x07\ufeff"]  # not in the font
