"""Charts of all boards' plans: by size, and from the smallest ambition to the largest. No board is named."""

import numpy as np
import pandas as pd

from bcfstats.define.levels import LEVELS
from bcfstats.define.metrics import Metric
from bcfstats.judge.verdicts import UNKNOWN
from bcfstats.show.charts.chart import Chart
from bcfstats.show.charts.drawing import Floats, Plot, ends, round_sizes
from bcfstats.show.sentences import LIMITS
from bcfstats.words import number, signed

UNIT = "change asked for, % of the baseline"
SMOOTH = 15  # areas of similar size whose median the line is
FEWEST = 5
EDGE = 0.05  # share of the bars that may be cut off at either end


def funnel_of_plans(plans: pd.DataFrame, metric: Metric, payment: str) -> Chart | None:
    """Draw each plan's ambition by the size of its area, with what would stand out from usual movement.

    The line is the running median, over areas of similar size, of the smallest change that would be
    significant. Nothing is drawn of fewer than five plans.
    """
    rows = _drawn(plans, metric, payment).dropna(subset=["baseline_denominator"])
    rows = rows.sort_values("baseline_denominator")
    if len(rows) < FEWEST:
        return None
    needed = 100 * (rows["minimum_significant_value"] / rows["baseline_value"] - 1)
    line = needed.rolling(SMOOTH, center=True, min_periods=1).median().to_numpy(dtype=float)
    people, size = (rows[name].to_numpy(dtype=float) for name in ("baseline_denominator", "ambition_percent"))
    at = np.log10(people)
    plot = Plot(UNIT, ends(at, margin=0.06), ends(size, line, 0.0))
    plot.label_values()
    plot.line(plot.across, [0, 0], "text", width=0.8)
    plot.line(at, line, "emphasis", dashes=(0, (4, 2)))
    plot.points(at, size, "series", size=4)
    plot.label_places(*round_sizes(plot.across))
    beyond = int((rows["history_p"] <= LEVELS.tail).sum())
    return Chart(
        plot.figure,
        alt=f"{metric.short_name}, {payment}: {len(rows)} plans ask for {_span(size)}, by size of area. "
        f"{beyond} of them ask for more than usual movement between years explains.",
        caption=f"{metric.short_name}, {payment}: dots are plans (across: people or cases), the dashed line "
        "is the change that would stand out from usual movement. Areas are not named.",
        headings=["Denominator", "Change asked for, %", "Needed, %"],
        rows=[[number(x), signed(y), signed(z)] for x, y, z in zip(people, size, needed, strict=True)],
    )


def spread_of_plans(plans: pd.DataFrame, metric: Metric, payment: str) -> Chart | None:
    """Draw the ambitions from the smallest to the largest, each over what is expected if nothing is done."""
    rows = _drawn(plans, metric, payment)
    if len(rows) < FEWEST:
        return None
    rows = rows.sort_values("ambition_percent", key=lambda x: metric.direction * x)
    low, high = (100 * (rows[f"do_nothing_{end}"] / rows["baseline_value"] - 1) for end in ("lower", "upper"))
    size, place = rows["ambition_percent"].to_numpy(dtype=float), np.arange(len(rows), dtype=float)
    up = ends(low.quantile(EDGE), high.quantile(1 - EDGE), size, 0.0, margin=0.08)
    plot = Plot(UNIT, ends(place, margin=0.05), up)
    plot.label_values()
    plot.line(plot.across, [0, 0], "text", width=0.8)
    plot.bars(place, place, low.clip(*up), high.clip(*up), "comparison", width=1.6)
    plot.points(place, size, "series", size=3.5)
    plot.label_places([], [])
    inside = int(((low <= size) & (size <= high)).sum())
    return Chart(
        plot.figure,
        alt=f"{metric.short_name}, {payment}: {len(rows)} plans ask for {_span(size)}. {inside} lie within "
        f"the {LIMITS} of what is expected if nothing is done.",
        caption=f"{metric.short_name}, {payment}: dots are plans, from the smallest ambition to the largest, "
        f"bars the {LIMITS} of the outcome if nothing is done (the longest are cut off at the edge). "
        "Areas are not named.",
        headings=["Plan", "Change asked for, %", "Expected, lower, %", "Expected, upper, %"],
        rows=[
            [str(i), *(signed(float(x)) for x in each)]
            for i, each in enumerate(zip(size, low, high, strict=True), start=1)
        ],
    )


def _drawn(plans: pd.DataFrame, metric: Metric, payment: str) -> pd.DataFrame:
    mine = (plans["metric"] == metric.id) & (plans["payment"] == payment) & (plans["verdict"] != UNKNOWN)
    return plans.loc[mine & plans["ambition_percent"].notna()]


def _span(size: Floats) -> str:
    low, middle, high = (signed(float(x)) for x in np.quantile(size, [0.0, 0.5, 1.0]))
    return f"{low} to {high} %, the middle one {middle} %"
