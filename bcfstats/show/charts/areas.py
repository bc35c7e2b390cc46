"""Areas beside each other: one among all as a strip; some named among the rest; all plans, none named."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from bcfstats.define.levels import LEVELS
from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period
from bcfstats.judge.side_by_side import CHOSEN, FUNNEL, OTHER, PEER, SideBySide
from bcfstats.judge.standings import OTHERS, QUANTILES
from bcfstats.judge.verdicts import UNKNOWN
from bcfstats.show import sentences
from bcfstats.show.charts.chart import Chart
from bcfstats.show.charts.drawing import (
    POINTS_PER_INCH,
    SIZE,
    WIDE,
    Floats,
    Plot,
    ends,
    lines_of,
    round_sizes,
    width_of,
)
from bcfstats.show.palettes import ANALYSIS_FUNCTION, palette
from bcfstats.show.sentences import INTERVAL, LIMITS, ResultRow, rows_of
from bcfstats.words import interval, number, percent, plural, signed

QUANTILE_NAMES = dict(
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
FEWEST = 5  # areas, or plans, that a chart with tenths and quarters, or a line, can be drawn of
STRIP = (0.78, 1.22)
STYLES = (("emphasis", "D"), ("series", "s"), ("comparison", "^"), ("alert", "v"))
ROW_HEIGHT, HIGH = 0.27, 3.2
KEY_AT = 0.05  # above the chart, as a share of it
NAMES_BESIDE = 10.5  # times the size of letters


def peers_chart(
    area: str,
    metric: Metric,
    row: ResultRow,
    peers: Sequence[ResultRow],
    *,
    source: str = "",
    look: str = ANALYSIS_FUNCTION,
) -> Chart | None:
    """Draw where an area stands among the others; nothing where it has no figure, or nobody else has.

    `row` is its row of the standings table, `peers` its rows of the peers table.
    """
    if not np.isfinite(row["value"]) or row["n_areas"] < 2:
        return None
    peers = sorted(peers, key=lambda peer: float(peer["value"]))
    own, lowest, highest = (sentences.value(row[name], metric) for name in ("value", "lowest", "highest"))
    others = np.array([peer["value"] for peer in peers], dtype=float)
    places = list(QUANTILES) if row["n_areas"] >= FEWEST else []
    across = ends(row["p10"], row["p90"], others, row["value"], margin=0.1)
    names = "\n".join((f"All {row['n_areas']} areas", f"{lowest} to {highest}")), _group(row, len(peers))
    plot = Plot(metric.unit, across, (-0.5, 1.95), height=2.2, names=names, look=look)
    plot.label_values(below=True)
    _draw_all(plot, row, places)
    _draw_group(plot, row["value"], f"{area}: {own}", others)
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
            *([QUANTILE_NAMES[key], sentences.value(row[key], metric)] for key in places),
            *([peer["peer"], sentences.value(peer["value"], metric)] for peer in peers),
        ],
    )


def _draw_all(plot: Plot, row: ResultRow, places: Sequence[str]) -> None:
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


def _group(row: ResultRow, n: int) -> str:
    if n == 0:
        return ""
    if row["group"] == OTHERS:
        return plural(n, "other area")
    return "\n".join([f"{plural(n, 'other')} of", *lines_of(row["group"], NAMES_BESIDE)])


def spine(row: ResultRow, metric: Metric, look: str = ANALYSIS_FUNCTION) -> Markup:
    """Draw where an area stands as a line from the worst area to the best, to stand in a table."""
    if not np.isfinite(row["value"]) or row["n_areas"] < FEWEST:
        return Markup()
    low, high = row["lowest"], row["highest"]
    shares = {name: (row[name] - low) / ((high - low) or 1.0) for name in ("value", "p25", "median", "p75")}
    if metric.polarity == "lower":
        shares = {name: 1 - share for name, share in shares.items()}
    at = {name: round(8 + 144 * share, 1) for name, share in shares.items()}
    left, right = sorted((at["p25"], at["p75"]))
    ends = " to ".join(sentences.value(row[name], metric) for name in ("lowest", "highest"))
    colour = palette(look)
    return Markup(
        '<svg class="spine" role="img" aria-label="{}" width="160" height="18" viewBox="0 0 160 18">'
        '<path d="M8 9h144" stroke="{}" stroke-width="6"/><path d="M{} 9H{}" stroke="{}" stroke-width="10"/>'
        '<path d="M{} 1v16" stroke="#000" stroke-width="2"/>'
        '<circle cx="{}" cy="9" r="6" fill="{}" stroke="{}"/></svg>'
    ).format(
        ends,
        colour["grid"],
        left,
        right,
        colour["common"],
        at["median"],
        at["value"],
        colour["series"],
        "#fff",
    )


def funnel_of_areas(beside: SideBySide, source: str) -> Chart:
    """Draw every area by its size, with the limits within which chance alone keeps it."""
    areas, funnel, metric = _known(beside), beside.funnel, beside.metric
    if funnel is None:
        raise ValueError("This metric has no funnel.")
    size = np.log10(areas["exposure"].to_numpy(dtype=float))
    limits = [funnel[f"{side}_{level:g}"].to_numpy() for level in FUNNEL for side in ("lower", "upper")]
    values = areas["value"].to_numpy(dtype=float)
    up = ends(values, *[part[8:] for part in limits], margin=0.06)
    plot = Plot(metric.unit, ends(size, margin=0.06), up, width=WIDE, height=HIGH)
    plot.label_values()
    plot.line(plot.across, [beside.average] * 2, "text", width=1)
    for i, line in enumerate(limits):
        shown = np.where((line >= plot.up[0]) & (line <= plot.up[1]), line, np.nan)
        dashes: Any = (0, (2, 2)) if i < 2 else "solid"
        plot.line(np.log10(funnel["exposure"]), shown, "text", width=1, dashes=dashes)
    role = areas["role"].to_numpy()
    plot.points(size[role == OTHER], values[role == OTHER], "paper", size=3.5, edge="text")
    plot.points(size[role == PEER], values[role == PEER], "text", size=4)
    for (colour, marker), row in zip(_styles(beside), _chosen(areas), strict=False):
        x = np.log10(row["exposure"])
        plot.points([x], [row["value"]], colour, size=8, marker=marker, edge="outline")
    _key(plot, beside)
    plot.label_places(*round_sizes(plot.across))
    narrow, wide = map(percent, FUNNEL)
    about = f"{metric.short_name}, {beside.period.label}"
    outside, unusual = (int(areas[x].isin(["above", "below"]).sum()) for x in ("position", "unusual"))
    return Chart(
        plot.figure,
        alt=f"Funnel of {about}: {outside} of {len(areas)} areas lie outside the {wide} limits of chance, "
        f"{unusual} beyond what areas usually differ by. {_named(beside)}",
        caption=f"{about}: {len(areas)} areas by size (across: people or cases). Line: {beside.average_of}. "
        f"Limits by chance alone: dashed {narrow}, full {wide}. Source: {source}",
        headings=["Area", "Role", "Value", "Denominator"],
        rows=[[*_cells(row, metric), number(row["denominator"])] for row in _by_name(areas)],
    )


def intervals_of_areas(beside: SideBySide, source: str) -> Chart:
    """Draw the chosen areas and their peers with their intervals, by name: the order says nothing."""
    areas, metric = _known(beside), beside.metric
    shown = _by_name(areas.loc[areas["role"] != OTHER]) or _by_name(areas)[:20]
    place = np.arange(len(shown), dtype=float)[::-1]
    values, lower, upper = (
        np.array([row[name] for row in shown], dtype=float) for name in ("value", "lower", "upper")
    )
    across = ends(values, lower, upper, [beside.average], margin=0.08)
    height, named = ROW_HEIGHT * len(shown) + 0.95, [row["area_name"] for row in shown]
    plot = Plot(metric.unit, across, (-0.7, len(shown) - 0.3), height=height, width=WIDE, names=named)
    plot.label_values(below=True)
    plot.line([beside.average] * 2, plot.up, "text", width=1)
    plot.bars(lower, upper, place, place, "text", width=0.8)
    names = [row["area_name"] for row in _chosen(areas)]
    for y, row in zip(place, shown, strict=True):
        here = row["area_name"] in names
        colour, marker = _styles(beside)[names.index(row["area_name"])] if here else ("paper", "o")
        plot.points([row["value"]], [y], colour, size=8 if here else 5, marker=marker, edge="outline")
    plot.label_places(place, named, beside=True)
    return Chart(
        plot.figure,
        alt=f"Values with intervals of {len(shown)} areas. {_named(beside)}",
        caption=f"{metric.short_name}, {beside.period.label}, with {INTERVAL}s: chosen areas in colour, "
        f"their peers hollow, by name. Line: {beside.average_of}. Source: {source}",
        headings=["Area", "Role", "Value", INTERVAL],
        rows=[[*_cells(row, metric), interval(row["lower"], row["upper"], metric.decimals)] for row in shown],
    )


def years_of_areas(beside: SideBySide, source: str) -> Chart:
    """Draw the same months of every year, chosen areas named, all others thin."""
    metric, names = beside.metric, [row["area_name"] for row in _chosen(beside.areas)]
    wide = beside.years.pivot(index="area_code", columns="period", values="value")
    wide = wide[sorted(wide.columns, key=lambda text: Period.parse(text).start)]
    code = beside.areas.set_index("area_name")["area_code"]
    labels = [Period.parse(text).label for text in wide.columns]
    place = np.arange(len(labels), dtype=float)
    others = wide.drop(index=[code[name] for name in names if code[name] in wide.index]).to_numpy(dtype=float)
    top = float(np.nanquantile(others, 0.99)) if np.isfinite(others).any() else 1.0
    mine = wide.reindex([code[name] for name in names]).to_numpy(dtype=float)
    across, up = (-0.4, len(labels) - 0.6), ends(mine, others[others <= top], margin=0.08)
    plot = Plot(metric.unit, across, up, width=WIDE, height=HIGH)
    plot.label_values()
    gap = np.full((len(others), 1), np.nan)
    thin = np.where(others <= plot.up[1], others, np.nan)
    lines = np.concatenate([thin, gap], axis=1).ravel()
    plot.line(np.tile(np.append(place, np.nan), len(others)), lines, "grid", width=0.7)
    for (colour, marker), row in zip(_styles(beside), mine, strict=False):
        plot.line(place, row, colour, width=2)
        plot.points(place, row, colour, size=7, marker=marker, edge="outline")
    _key(plot, beside)
    plot.label_places(place, [label.replace(" to ", " to\n") for label in labels])
    span = f"first {labels[0]}, last {labels[-1]}"
    moved = "; ".join(
        f"{name} from {sentences.value(row[0], metric)} to {sentences.value(row[-1], metric)}"
        for name, row in zip(names, mine, strict=True)
    )
    spread = wide.agg(["min", "median", "max"]).to_numpy(dtype=float)
    return Chart(
        plot.figure,
        alt=f"Lines of {metric.short_name}, {span}: {moved}.",
        caption=f"{metric.short_name}, the same months of each year, {span}. "
        f"Thin lines: the other areas (the highest one in 100 values cut off). Source: {source}",
        headings=["Period", *names, "Lowest area", "Middle area", "Highest area"],
        rows=[
            [label, *(sentences.value(float(x), metric) for x in (*mine[:, i], *spread[:, i]))]
            for i, label in enumerate(labels)
        ],
    )


def _known(beside: SideBySide) -> pd.DataFrame:
    return beside.areas.loc[np.isfinite(beside.areas["value"])]


def _chosen(areas: pd.DataFrame) -> list[dict[str, Any]]:
    return _by_name(areas.loc[areas["role"] == CHOSEN])


def _by_name(areas: pd.DataFrame) -> list[dict[str, Any]]:
    return rows_of(areas.sort_values("area_name"))


def _styles(beside: SideBySide) -> list[tuple[str, str]]:
    """Give each chosen area a colour and a shape, by name; they begin again after four."""
    n = int((beside.areas["role"] == CHOSEN).sum())
    return [STYLES[i % len(STYLES)] for i in range(n)]


def _named(beside: SideBySide) -> str:
    values = [
        f"{row['area_name']} {sentences.value(row['value'], beside.metric)}"
        for row in _chosen(_known(beside))
    ]
    average = f"{beside.average_of} {sentences.value(beside.average, beside.metric)}"
    return f"{'; '.join([*values, average])}."


def _cells(row: ResultRow, metric: Metric) -> list[object]:
    return [row["area_name"], row["role"], sentences.value(row["value"], metric)]


def _key(plot: Plot, beside: SideBySide) -> None:
    """Write above the chart which mark is which area."""
    (left, right), (low, high) = plot.across, plot.up
    inch = (right - left) / WIDE / (plot.right - plot.left)
    x, y = left, high + KEY_AT * (high - low)
    for (colour, marker), row in zip(_styles(beside), _chosen(beside.areas), strict=True):
        plot.points([x + 0.1 * inch], [y], colour, size=8, marker=marker, edge="outline")
        plot.text(x + 0.22 * inch, y, row["area_name"])
        x += (0.45 + width_of(row["area_name"]) * SIZE / POINTS_PER_INCH) * inch


CHANGE = "change asked for, % of the baseline"
SMOOTH = 15  # areas of similar size whose median the line is
CUT = 0.05  # share of the bars that may be cut off at either end


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
    plot = Plot(CHANGE, ends(at, margin=0.06), ends(size, line, 0.0))
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
    up = ends(low.quantile(CUT), high.quantile(1 - CUT), size, 0.0, margin=0.08)
    plot = Plot(CHANGE, ends(place, margin=0.05), up)
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
