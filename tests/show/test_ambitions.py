"""A chance of payment as drawn: dots are counted in the picture."""

from io import BytesIO

import numpy as np
import pytest
from matplotlib.image import imread
from scipy import ndimage

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.show import sentences
from bcfstats.show.charts.ambitions import chance_chart
from bcfstats.show.palettes import palette

METRIC = METRICS["care_home_admissions"]


def chance(nothing, half, full, look="analysis_function"):
    row = dict(zip(sentences.CHANCES, (nothing, half, full), strict=True))
    return chance_chart(
        "Here", METRIC, Period.parse("2014/15"), row, "the proposed target of 450.0", look=look
    )


def dots_in(picture, colour):
    """Count the separate patches of a colour in a PNG."""
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
