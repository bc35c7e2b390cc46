"""What a target would mean: levels of ambition as steps, and a chance of payment as so many of 100 dots."""

from collections.abc import Sequence

import numpy as np

from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period
from bcfstats.show import sentences
from bcfstats.show.charts.chart import Chart
from bcfstats.show.charts.drawing import Plot, ends
from bcfstats.show.palettes import ANALYSIS_FUNCTION
from bcfstats.show.sentences import ResultRow
from bcfstats.words import in_100, of_100, with_unit

SHORT_RUNGS = {
    "no_change": "No change",
    "trend": "Trend only",
    "beats_noise": "Beats noise",
    "significant": "Significant",
    "detectable": sentences.POWER,
    "best_quartile": "Peers' best quarter",
    "best_decile": "Peers' best tenth",
    "rarely_by_luck": "Rarely by luck",
}
RUNG_HEADINGS = (
    *("Level", "Value", "Change from baseline", "Paid if nothing is done, in 100"),
    *("Paid if delivered, in 100", "Peers' years that did as much, in 100", "Note"),
)
CASES = ("If nothing is done", "If the plan delivers half", "If it delivers in full")
IN_A_ROW = 50
APART = 0.15


def ladder_chart(
    area: str, metric: Metric, window: Period, rungs: Sequence[ResultRow], look: str = ANALYSIS_FUNCTION
) -> Chart | None:
    """Draw levels of ambition as steps from the baseline, each with its chance of payment by luck.

    The rungs are those of one payment, from the easiest to the hardest; nothing is drawn where no level is a
    possible value.
    """
    shown = [rung for rung in rungs if np.isfinite(rung["value"])]
    if not shown:
        return None
    values = np.array([rung["value"] for rung in shown], dtype=float)
    names = [SHORT_RUNGS[rung["rung"]] for rung in shown]
    base = next((rung["value"] for rung in shown if rung["rung"] == "no_change"), values[0])
    across, height = ends(values, base, margin=0.28), 0.42 * len(shown) + 1.1
    unit = sentences.unit(metric)
    plot = Plot(unit, across, (-0.5, len(shown) - 0.5), height=height, left=0.28, look=look)
    place = np.arange(len(shown), dtype=float)[::-1]
    plot.label_values(below=True)
    plot.line([base] * 2, plot.up, "text", width=0.8)
    plot.bars(base, values, place, place, "comparison")
    plot.points(values, place, "series", size=7)
    for x, y, rung in zip(values, place, shown, strict=True):
        align, step = ("right", -8) if x < base else ("left", 8)
        plot.text(x, y, _beside_step(rung["p_paid_do_nothing"]), align=align, shift=(step, 0))
    plot.label_places(place, names, beside=True)
    caption = (
        f"Levels of ambition for {metric.short_name}, {window.label}, {area}, "
        "with the chance of payment if nothing is done"
    )
    first, last = (f"{sentences.value(values[i], metric)} ({names[i].lower()})" for i in (0, -1))
    rows = [
        [
            rung["what"],
            sentences.value(rung["value"], metric),
            with_unit(rung["ambition_percent"], "%"),
            *(of_100(rung[name]) for name in ("p_paid_do_nothing", "p_paid_if_delivered", "reach")),
            rung["note"],
        ]
        for rung in rungs
    ]
    return Chart(plot.figure, f"{caption}: from {first} to {last}.", caption, RUNG_HEADINGS, rows)


def _beside_step(chance: float) -> str:
    """Write a chance where there is little room."""
    if not np.isfinite(chance):
        return ""
    return f"{of_100(chance)} in 100".replace("under ", "<").replace("over ", ">")


def chance_chart(
    area: str,
    metric: Metric,
    window: Period,
    row: ResultRow,
    target: str,
    *,
    look: str = ANALYSIS_FUNCTION,
) -> Chart:
    """Draw how many of a hundred areas like this would be paid, by how much of the plan is delivered."""
    chances = [float(row[name]) for name in sentences.CHANCES]
    paid = [in_100(chance) for chance in chances]
    up, height = (-0.5, len(CASES) - 0.5), 0.42 * len(CASES) + 0.75
    unit = "of 100 areas like this one, those that would be paid"
    plot = Plot(unit, (-1.0, 1.24 * IN_A_ROW), up, height=height, left=0.29, look=look)
    places = np.arange(len(CASES), dtype=float)[::-1]
    _draw_dots(plot, chances, places)
    for place, case, text in zip(places, CASES, paid, strict=True):
        plot.text(plot.across[0], place, case, align="right", shift=(-9, 0))
        plot.text(IN_A_ROW, place, text, shift=(6, 0))
    return Chart(
        plot.figure,
        alt=f"Dots, 100 for each case. {sentences.chances(row, target)}",
        caption=f"Chance of payment for {metric.short_name}, {window.label}, {area}, at {target}",
        note="Each dot is one of 100 areas; those filled would be paid",
        headings=["Case", "Paid"],
        rows=list(zip(CASES, paid, strict=True)),
    )


def _draw_dots(plot: Plot, chances: list[float], places: np.ndarray) -> None:
    """Draw two rows of dots for each chance, all of them hollow, then those that are paid filled."""
    levels = np.ravel([places + APART, places - APART], order="F").tolist()
    for colour, size in (("text", 4.6), ("paper", 3.2)):
        plot.dots([IN_A_ROW] * len(levels), levels, colour, size=size)
    counts = [round(100 * chance) for chance in chances]
    filled = [part for n in counts for part in (min(n, IN_A_ROW), max(n - IN_A_ROW, 0))]
    plot.dots(filled, levels, "series", size=4.6)
