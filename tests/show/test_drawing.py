"""Scales whose marks are round, inside the limits, and told apart."""

from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from bcfstats.show.charts.drawing import ends, round_sizes, round_values, svg_of


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.013, 0.0142), (-7, 93), (1e6, 1.2e6), (-0.5, 0.5)])
def test_marks_are_few_even_inside_and_written_apart(low, high):
    values, texts = round_values(low, high)
    assert 2 <= len(values) <= 7
    assert all(low - 1e-9 <= value <= high + 1e-9 for value in values)
    assert np.allclose(np.diff(values), values[1] - values[0])
    assert len(set(texts)) == len(texts)
    assert np.allclose([float(text.replace(",", "")) for text in texts], values)


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
