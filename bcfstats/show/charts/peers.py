"""The chart of where an area stands: all areas as a strip, those of its group as dots, itself by name."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period
from bcfstats.judge.standings import OTHERS, QUANTILES
from bcfstats.show import sentences
from bcfstats.show.charts.chart import Chart
from bcfstats.show.charts.drawing import Floats, Plot, ends
from bcfstats.show.palettes import ANALYSIS_FUNCTION

NAMES = dict(
    zip(
        QUANTILES,
        (
            "Lowest of all areas",
            "A tenth of areas below",
            "A quarter below",
            "Middle of all areas",
            "A quarter above",
            "A tenth above",
            "Highest of all areas",
        ),
        strict=True,
    )
)
SHADES = ", shaded between the tenths and the quarters, with the middle"
FEWEST = 5  # areas that a strip with its tenths and quarters can be drawn of
STRIP = (0.78, 1.22)
Row = Mapping[str, Any]


def peers_chart(
    area: str,
    metric: Metric,
    row: Row,
    peers: Sequence[Row],
    *,
    source: str | None = None,
    look: str = ANALYSIS_FUNCTION,
) -> Chart | None:
    """Draw where an area stands among the others; nothing where it has no figure, or nobody else has.

    Parameters
    ----------
    area : str
        Name of the area.
    metric : Metric
    row : mapping
        Its row of the standings table.
    peers : sequence of mappings
        Its rows of the peers table.
    source : str, optional
        Whose figures they are, if not the metric's publisher's.
    look : str
        Name of a palette.
    """
    if not np.isfinite(row["value"]) or row["n_areas"] < 2:
        return None
    peers = sorted(peers, key=lambda peer: float(peer["value"]))
    own, lowest, highest = (sentences.value(row[name], metric) for name in ("value", "lowest", "highest"))
    others = np.array([peer["value"] for peer in peers], dtype=float)
    places = list(QUANTILES) if row["n_areas"] >= FEWEST else []
    plot = _plot(row, others, metric.unit, look)
    _draw_all(plot, row, places)
    _draw_group(plot, row["value"], f"{area}: {own}", others)
    names = f"All {row['n_areas']} areas,\n{lowest} to {highest}", _group(row, len(peers))
    plot.label_places([1, 0], names, beside=True)
    return Chart(
        plot.figure,
        alt=f"Strip of {metric.short_name} for {area}. {sentences.standing(row, metric)} "
        f"Lowest {lowest}, highest {highest}.",
        caption=f"{metric.short_name}, {Period.parse(row['period']).label}, {area} beside other areas",
        note=f"Strip: lowest to highest area{SHADES * bool(places)}. "
        "Dots: other areas of its group. Areas differ in age, need and recording. "
        f"Source: {source or metric.publisher}",
        headings=["Area, or place among all", "Value"],
        rows=[
            [area, own],
            *([NAMES[key], sentences.value(row[key], metric)] for key in places),
            *([peer["peer"], sentences.value(peer["value"], metric)] for peer in peers),
        ],
    )


def _plot(row: Row, others: Floats, unit: str, look: str) -> Plot:
    """Make the frame, wide enough for the area, its group and the middle eight tenths of all."""
    across = ends(row["p10"], row["p90"], others, row["value"], margin=0.1)
    plot = Plot(unit, across, (-0.5, 1.95), height=2.1, left=0.29, look=look)
    plot.label_values(below=True)
    return plot


def _draw_all(plot: Plot, row: Row, places: Sequence[str]) -> None:
    """Draw all areas as a strip, which may go on beyond the frame; a line only where it has no places."""
    low, high = plot.across
    if places:
        plot.band((row["p10"], row["p90"]), STRIP, "band")
        plot.band((row["p25"], row["p75"]), STRIP, "grid")
    plot.bars(max(row["lowest"], low), min(row["highest"], high), 1, 1, "text", width=0.8)
    inside = [row[name] for name in places if low <= row[name] <= high]
    plot.bars(inside, inside, *STRIP, "text", width=1.2)


def _draw_group(plot: Plot, value: float, name: str, others: Floats) -> None:
    """Draw the areas of the group as dots, and the area itself by name across both rows."""
    plot.mark(others, np.zeros(others.size), "common", size=6)
    plot.line([value] * 2, (-0.3, 1.5), "emphasis", width=1.2)
    plot.mark([value] * 2, [0, 1], "neutral")
    align, step = ("right", 6) if value > sum(plot.across) / 2 else ("left", -6)
    plot.text(value, 1.7, name, "emphasis", align=align, shift=(step, 0))


def _group(row: Row, n: int) -> str:
    if n == 0:
        return ""
    if row["group"] == OTHERS:
        return f"{n} other area{'s' * (n > 1)}"
    return f"{n} other{'s' * (n > 1)} of\n{row['group']}"
