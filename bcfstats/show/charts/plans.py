"""Charts of all boards' plans: by size, and from the smallest ambition to the largest. No board is named."""

import numpy as np
import pandas as pd

from bcfstats.define.metrics import Metric
from bcfstats.judge.verdicts import UNKNOWN
from bcfstats.show.charts.chart import Chart
from bcfstats.show.charts.drawing import figure_with_ticks
from bcfstats.words import number, signed

UNIT = "change asked for, % of the baseline"
SMOOTH = 15
FEWEST = 5
EDGE = 0.05


def funnel_of_plans(plans: pd.DataFrame, metric: Metric, payment: str) -> Chart | None:
    """Draw each plan's ambition by the size of its area, with what would stand out from usual movement.

    Parameters
    ----------
    plans : DataFrame
        From `national_overview`.
    metric : Metric
    payment : str

    Returns
    -------
    Chart or None
        None with fewer than five plans. The line is the running median, over areas of similar size, of the
        smallest change that would be significant.
    """
    rows = _drawn(plans, metric, payment).dropna(subset=["baseline_denominator"])
    rows = rows.sort_values("baseline_denominator")
    if len(rows) < FEWEST:
        return None
    needed = 100 * (rows["minimum_significant_value"] / rows["baseline_value"] - 1)
    line = needed.rolling(SMOOTH, center=True, min_periods=1).median()
    people, size = rows["baseline_denominator"].to_numpy() / 1000, rows["ambition_percent"].to_numpy()
    figure, axes, colour = figure_with_ticks(UNIT)
    axes.axhline(0, color=colour["text"], linewidth=0.8)
    axes.plot(people, line, color=colour["emphasis"], linewidth=1.6, linestyle=(0, (4, 2)))
    axes.plot(people, size, "o", color=colour["series"], markersize=4, alpha=0.7)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")
    axes.xaxis.set_minor_formatter(lambda x, _: "")
    axes.set_xlabel("Thousand people, or cases, under the metric", color=colour["text"])
    beyond = int((rows["history_p"] <= 0.025).sum())
    alt = (
        f"{metric.short_name}, {payment}: {len(rows)} plans ask for {_span(size)}, by size of area. "
        f"{beyond} of them ask for more than usual movement between years explains."
    )
    caption = (
        f"{metric.short_name}, {payment}: dots are plans, the dashed line is the change that would stand out "
        "from usual movement. Areas are not named."
    )
    data = [[number(1000 * x), signed(y), signed(z)] for x, y, z in zip(people, size, needed, strict=True)]
    return Chart(figure, alt, caption, ["Denominator", "Change asked for, %", "Needed, %"], data)


def spread_of_plans(plans: pd.DataFrame, metric: Metric, payment: str) -> Chart | None:
    """Draw the ambitions from the smallest to the largest, each over what is expected if nothing is done.

    Parameters are those of `funnel_of_plans`.
    """
    rows = _drawn(plans, metric, payment)
    if len(rows) < FEWEST:
        return None
    base = rows["baseline_value"]
    sign = -1.0 if metric.polarity == "lower" else 1.0
    rows = rows.assign(
        low=100 * (rows["do_nothing_lower"] / base - 1), high=100 * (rows["do_nothing_upper"] / base - 1)
    ).sort_values("ambition_percent", key=lambda x: sign * x)
    place = np.arange(len(rows), dtype=float)
    figure, axes, colour = figure_with_ticks(UNIT)
    axes.axhline(0, color=colour["text"], linewidth=0.8)
    axes.vlines(place, rows["low"], rows["high"], color=colour["comparison"], linewidth=1.6, alpha=0.6)
    axes.plot(place, rows["ambition_percent"], "o", color=colour["series"], markersize=3.5)
    axes.set_xticks([])
    bottom, top = rows["low"].quantile(EDGE), rows["high"].quantile(1 - EDGE)
    axes.set_ylim(
        min(bottom, rows["ambition_percent"].min()) - 5, max(top, rows["ambition_percent"].max()) + 5
    )
    axes.set_xlabel("Plans, from the smallest ambition to the largest", color=colour["text"])
    inside = int(rows["ambition_percent"].between(rows["low"], rows["high"]).sum())
    size = rows["ambition_percent"].to_numpy()
    alt = (
        f"{metric.short_name}, {payment}: {len(rows)} plans ask for {_span(size)}. {inside} lie within "
        "the 80 % limits of what is expected if nothing is done."
    )
    caption = (
        f"{metric.short_name}, {payment}: dots are plans, bars the 80 % limits of the outcome if nothing is "
        "done (the longest are cut off at the edge). Areas are not named."
    )
    data = [
        [str(i + 1), signed(row.ambition_percent), signed(row.low), signed(row.high)]
        for i, row in enumerate(rows.itertuples())
    ]
    headings = ["Plan", "Change asked for, %", "Expected, lower, %", "Expected, upper, %"]
    return Chart(figure, alt, caption, headings, data)


def _drawn(plans: pd.DataFrame, metric: Metric, payment: str) -> pd.DataFrame:
    chosen = (plans["metric"] == metric.id) & (plans["payment"] == payment) & (plans["verdict"] != UNKNOWN)
    return plans.loc[chosen & plans["ambition_percent"].notna()]


def _span(size: np.ndarray) -> str:
    low, middle, high = (signed(float(x)) for x in np.quantile(size, [0.0, 0.5, 1.0]))
    return f"{low} to {high} %, the middle one {middle} %"
