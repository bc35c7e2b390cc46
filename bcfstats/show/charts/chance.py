"""The chart of a chance of payment: so many of a hundred dots."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period
from bcfstats.show import sentences
from bcfstats.show.charts.chart import Chart
from bcfstats.show.charts.drawing import Plot
from bcfstats.show.palettes import ANALYSIS_FUNCTION
from bcfstats.words import in_100

CASES = ("If nothing is done", "If the plan delivers half", "If it delivers in full")
IN_A_ROW = 50
APART = 0.15


def chance_chart(
    area: str,
    metric: Metric,
    window: Period,
    row: Mapping[str, Any],
    level: str,
    *,
    look: str = ANALYSIS_FUNCTION,
) -> Chart:
    """Draw how many of a hundred areas like this would be paid, by how much of the plan is delivered.

    Parameters
    ----------
    area : str
        Name of the area.
    metric : Metric
    window : Period
        The months or year the payment rests on.
    row : mapping
        A row of the assessments or ladders table whose chances are known.
    level : str
        What the level is, such as "the proposed target of 250.0".
    look : str
        Name of a palette.
    """
    chances = [float(row[name]) for name in sentences.CHANCES]
    told = [in_100(chance) for chance in chances]
    up, height = (-0.5, len(CASES) - 0.5), 0.42 * len(CASES) + 0.75
    unit = "of 100 areas like this one, those that would be paid"
    plot = Plot(unit, (-1.0, 1.24 * IN_A_ROW), up, height=height, left=0.29, look=look)
    places = np.arange(len(CASES), dtype=float)[::-1]
    _draw_dots(plot, chances, places)
    for place, case, text in zip(places, CASES, told, strict=True):
        plot.text(plot.across[0], place, case, align="right", shift=(-9, 0))
        plot.text(IN_A_ROW, place, text, shift=(6, 0))
    return Chart(
        plot.figure,
        alt=f"Dots, 100 for each case. {sentences.chances(row, level)}",
        caption=f"Chance of payment for {metric.short_name}, {window.label}, {area}, at {level}",
        note="Each dot is one of 100 areas; those filled would be paid",
        headings=["Case", "Paid"],
        rows=list(zip(CASES, told, strict=True)),
    )


def _draw_dots(plot: Plot, chances: list[float], places: np.ndarray) -> None:
    """Draw two rows of dots for each chance, all of them hollow, then those that are paid filled."""
    levels = np.ravel([places + APART, places - APART], order="F").tolist()
    for colour, size in (("text", 4.6), ("paper", 3.2)):
        plot.dots([IN_A_ROW] * len(levels), levels, colour, size=size)
    counts = [round(100 * chance) for chance in chances]
    filled = [part for n in counts for part in (min(n, IN_A_ROW), max(n - IN_A_ROW, 0))]
    plot.dots(filled, levels, "series", size=4.6)
