"""Colours against the formula of WCAG 2.2, and shapes that tell findings apart without them."""

import io
import re
from itertools import combinations

import numpy as np
import pytest
from matplotlib.figure import Figure

from bcfstats.errors import InputError
from bcfstats.run.settings import load_settings
from bcfstats.show.charts.drawing import MARKERS, Plot, svg_of
from bcfstats.show.palettes import OUTLINES, icon, palette

LOOKS = ("analysis_function", "making_data_count")
LINES = ("series", "comparison", "emphasis", "alert", "text", "outline")
MARKS = ("common", "better", "worse", "neutral")
GRAPHICS = 3  # success criterion 1.4.11


def contrast_on_white(colour):
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("role", LINES)
def test_lines_and_words_stand_out_from_white(look, role):
    assert contrast_on_white(palette(look)[role]) >= GRAPHICS


def test_making_data_count_keeps_its_hues_which_alone_would_not_pass():
    """The colours of NHSRplotthedots; grey and blue are 2.4:1 and 2.5:1 on white."""
    found = {role: palette("making_data_count")[role].lower() for role in MARKS}
    assert found == {"common": "#a6a6a6", "better": "#00b0f0", "worse": "#e46c0a", "neutral": "#490092"}
    assert contrast_on_white(found["common"]) < GRAPHICS
    assert contrast_on_white(found["better"]) < GRAPHICS


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("kind", MARKS)
def test_every_mark_is_drawn_with_its_outline(look, kind):
    plot = Plot("unit", (0, 4), (0, 1), look=look)
    plot.mark([1, 2, 3], [0.5] * 3, kind)
    svg = svg_of(plot.figure)
    (style,) = re.findall(r"<g style='([^']*)'> <use", svg)
    assert f"fill: {palette(look)[kind].lower()}" in style
    (edge,) = re.findall(r"stroke: (#\w{6})", style)
    assert contrast_on_white(edge) >= GRAPHICS


def test_marks_differ_in_shape_even_without_colour():
    """Drawn in one colour on one spot, no two of them cover the same pixels."""
    drawn = {}
    for kind in MARKS:
        figure = Figure(figsize=(1, 1))
        figure.add_axes((0, 0, 1, 1)).plot([0], [0], MARKERS[kind], color="black", markersize=40)
        out = io.BytesIO()
        figure.savefig(out, format="raw", dpi=72)
        drawn[kind] = np.frombuffer(out.getvalue(), dtype=np.uint8).reshape(72, 72, 4)[..., 0] < 128
    for one, other in combinations(MARKS, 2):
        assert (drawn[one] ^ drawn[other]).sum() > 0.1 * drawn[one].sum(), (one, other)
    assert len(set(OUTLINES.values())) == len(MARKS)


def test_icon_is_for_eyes_only_and_names_no_finding_it_does_not_know():
    assert 'aria-hidden="true"' in icon("better")
    assert icon("better") != icon("worse") != icon("no clear change")
    assert icon("not compared") == ""
    assert "#00B0F0" in icon("better", "making_data_count")


def test_palette_is_a_setting_and_an_unknown_one_is_refused_at_once(tmp_path):
    file = tmp_path / "bcfstats.toml"
    file.write_text('palette = "making_data_count"\n', encoding="utf-8")
    assert load_settings(file).palette == "making_data_count"
    file.write_text('palette = "rainbow"\n', encoding="utf-8")
    with pytest.raises(InputError, match="analysis_function or making_data_count"):
        load_settings(file)
