"""Charts of areas beside each other: some are named and highlighted, the others stay in the background."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.periods import Period
from bcfstats.judge.side_by_side import CHOSEN, FUNNEL, OTHER, PEER, SideBySide
from bcfstats.show import sentences
from bcfstats.show.charts.chart import Chart
from bcfstats.show.charts.drawing import WIDTH, Floats, Plot, ends
from bcfstats.words import interval, number

STYLES = (("emphasis", "D"), ("series", "s"), ("comparison", "^"), ("alert", "v"))
ROW_HEIGHT = 0.27
KEY_AT, LETTER = 0.05, 0.085  # above the chart, as a share of it; inches
Row = dict[str, Any]


def funnel_of_areas(found: SideBySide, source: str) -> Chart:
    """Draw every area by its size, with the limits within which chance alone keeps it.

    Parameters
    ----------
    found : SideBySide
        With a funnel.
    source : str
        Whose figures they are.
    """
    areas, funnel, metric = _known(found), found.funnel, found.metric
    if funnel is None:
        raise ValueError("This metric has no funnel.")
    size = np.log10(areas["exposure"].to_numpy(dtype=float))
    limits = [funnel[f"{side}_{level:g}"].to_numpy() for level in FUNNEL for side in ("lower", "upper")]
    values = areas["value"].to_numpy(dtype=float)
    plot = Plot(
        metric.unit, ends(size, margin=0.06), ends(values, *[part[8:] for part in limits], margin=0.06)
    )
    plot.label_values()
    plot.line(plot.across, [found.average] * 2, "text", width=1)
    for i, line in enumerate(limits):
        shown = np.where((line >= plot.up[0]) & (line <= plot.up[1]), line, np.nan)
        dashes: Any = (0, (2, 2)) if i < 2 else "solid"
        plot.line(np.log10(funnel["exposure"]), shown, "text", width=1, dashes=dashes)
    _background(plot, areas, size, values)
    for (colour, marker), row in zip(_styles(found), _rows(areas, CHOSEN), strict=False):
        x = np.log10(row["exposure"])
        plot.points([x], [row["value"]], colour, size=8, marker=marker, edge="outline")
    _key(plot, found)
    ticks, labels = _sizes(plot.across)
    plot.label_places(ticks, labels)
    outside = int(areas["position"].isin(["above", "below"]).sum())
    usual = int(areas["unusual"].isin(["above", "below"]).sum())
    caption = (
        f"{metric.short_name}, {found.period.label}: {len(areas)} areas by size (across: people or cases). "
        f"Line: {found.average_of}. Limits by chance alone: dashed 95%, full 99.8%. Source: {source}"
    )
    alt = (
        f"Funnel of {metric.short_name}, {found.period.label}: {outside} of {len(areas)} areas lie outside "
        f"the 99.8% limits of chance, {usual} beyond what areas usually differ by. {_named(found)}"
    )
    return Chart(plot.figure, alt, caption, _headings("Denominator"), _table(areas, found, "denominator"))


def intervals_of_areas(found: SideBySide, source: str) -> Chart:
    """Draw the chosen areas and their peers with their intervals, by name: the order says nothing.

    Parameters are those of `funnel_of_areas`.
    """
    areas, metric = _known(found), found.metric
    shown = areas.loc[areas["role"] != OTHER].sort_values("area_name")
    shown = shown if len(shown) else areas.sort_values("area_name").head(20)
    place = np.arange(len(shown), dtype=float)[::-1]
    values, lower, upper = (shown[name].to_numpy(dtype=float) for name in ("value", "lower", "upper"))
    height = ROW_HEIGHT * len(shown) + 0.95
    across = ends(values, lower, upper, [found.average], margin=0.08)
    plot = Plot(metric.unit, across, (-0.7, len(shown) - 0.3), height=height, left=0.24)
    plot.label_values(below=True)
    plot.line([found.average] * 2, plot.up, "text", width=1)
    plot.bars(lower, upper, place, place, "text", width=0.8)
    names = [row["area_name"] for row in _rows(areas, CHOSEN)]
    for y, row in zip(place, shown.to_dict("records"), strict=True):
        here = row["area_name"] in names
        colour, marker = _styles(found)[names.index(row["area_name"])] if here else ("paper", "o")
        plot.points([row["value"]], [y], colour, size=8 if here else 5, marker=marker, edge="outline")
    plot.label_places(place, shown["area_name"].tolist(), beside=True)
    caption = (
        f"{metric.short_name}, {found.period.label}, with 95% intervals: chosen areas in colour, their peers "
        f"hollow, by name. Line: {found.average_of}. Source: {source}"
    )
    alt = f"Values with intervals of {len(shown)} areas. {_named(found)}"
    return Chart(plot.figure, alt, caption, _headings("95% interval"), _table(shown, found, "interval"))


def years_of_areas(found: SideBySide, source: str) -> Chart:
    """Draw the same months of every year, chosen areas named, all others thin.

    Parameters are those of `funnel_of_areas`.
    """
    metric, names = found.metric, [row["area_name"] for row in _rows(found.areas, CHOSEN)]
    wide = found.years.pivot(index="area_code", columns="period", values="value")
    wide = wide[sorted(wide.columns, key=lambda text: Period.parse(text).start)]
    code = found.areas.set_index("area_name")["area_code"]
    labels = [Period.parse(text).label for text in wide.columns]
    place = np.arange(len(labels), dtype=float)
    others = wide.drop(index=[code[name] for name in names if code[name] in wide.index]).to_numpy(dtype=float)
    top = float(np.nanquantile(others, 0.99)) if np.isfinite(others).any() else 1.0
    mine = wide.reindex([code[name] for name in names]).to_numpy(dtype=float)
    plot = Plot(metric.unit, (-0.4, len(labels) - 0.6), ends(mine, others[others <= top], margin=0.08))
    plot.label_values()
    gap = np.full((len(others), 1), np.nan)
    thin = np.where(others <= plot.up[1], others, np.nan)
    lines = np.concatenate([thin, gap], axis=1).ravel()
    plot.line(np.tile(np.append(place, np.nan), len(others)), lines, "grid", width=0.7)
    for (colour, marker), row in zip(_styles(found), mine, strict=False):
        plot.line(place, row, colour, width=2)
        plot.points(place, row, colour, size=7, marker=marker, edge="outline")
    _key(plot, found)
    plot.label_places(place, [_short(label) for label in labels])
    caption = (
        f"{metric.short_name}, the same months of each year, first {labels[0]}, last {labels[-1]}. "
        f"Thin lines: the other areas (the highest one in 100 values cut off). Source: {source}"
    )
    told = "; ".join(
        f"{name} from {sentences.value(row[0], metric)} to {sentences.value(row[-1], metric)}"
        for name, row in zip(names, mine, strict=True)
    )
    rows = [
        [label, *(sentences.value(value, metric) for value in mine[:, i]), *_spread(wide.iloc[:, i], found)]
        for i, label in enumerate(labels)
    ]
    headings = ["Period", *names, "Lowest area", "Middle area", "Highest area"]
    return Chart(
        plot.figure,
        f"Lines of {metric.short_name}, first {labels[0]}, last {labels[-1]}: {told}.",
        caption,
        headings,
        rows,
    )


def _known(found: SideBySide) -> pd.DataFrame:
    return found.areas.loc[np.isfinite(found.areas["value"])]


def _rows(areas: pd.DataFrame, role: str) -> list[Row]:
    return [dict(row) for row in areas.loc[areas["role"] == role].sort_values("area_name").to_dict("records")]


def _styles(found: SideBySide) -> list[tuple[str, str]]:
    """Give each chosen area a colour and a shape, by name; they begin again after four."""
    n = int((found.areas["role"] == CHOSEN).sum())
    return [STYLES[i % len(STYLES)] for i in range(n)]


def _background(plot: Plot, areas: pd.DataFrame, x: Floats, y: Floats) -> None:
    role = areas["role"].to_numpy()
    plot.points(x[role == OTHER], y[role == OTHER], "paper", size=3.5, edge="text")
    plot.points(x[role == PEER], y[role == PEER], "text", size=4)


def _sizes(across: tuple[float, float]) -> tuple[list[float], list[str]]:
    """Choose round sizes on a scale of powers of ten."""
    every = [step * 10.0**power for power in range(9) for step in (1, 2, 5)]
    inside = [size for size in every if across[0] <= np.log10(size) <= across[1]]
    return [float(np.log10(size)) for size in inside], [number(size) for size in inside]


def _named(found: SideBySide) -> str:
    told = [
        f"{row['area_name']} {sentences.value(row['value'], found.metric)}"
        for row in _rows(found.areas, CHOSEN)
        if np.isfinite(row["value"])
    ]
    average = f"{found.average_of} {sentences.value(found.average, found.metric)}"
    return f"{'; '.join([*told, average])}."


def _headings(last: str) -> list[str]:
    return ["Area", "Role", "Value", last]


def _table(areas: pd.DataFrame, found: SideBySide, last: str) -> list[Sequence[object]]:
    decimals = found.metric.decimals
    return [
        [
            row["area_name"],
            row["role"],
            sentences.value(row["value"], found.metric),
            number(row["denominator"])
            if last == "denominator"
            else interval(row["lower"], row["upper"], decimals),
        ]
        for row in areas.sort_values("area_name").to_dict("records")
    ]


def _key(plot: Plot, found: SideBySide) -> None:
    """Write above the chart which mark is which area."""
    (left, right), (low, high) = plot.across, plot.up
    inch = (right - left) / WIDTH / (plot.right - plot.left)
    x, y = left, high + KEY_AT * (high - low)
    for (colour, marker), row in zip(_styles(found), _rows(found.areas, CHOSEN), strict=True):
        plot.points([x + 0.1 * inch], [y], colour, size=8, marker=marker, edge="outline")
        plot.text(x + 0.22 * inch, y, row["area_name"])
        x += (0.45 + LETTER * len(row["area_name"])) * inch


def _short(label: str) -> str:
    """Write a period in two lines where it is long."""
    return label.replace(" to ", " to\n")


def _spread(values: "pd.Series[float]", found: SideBySide) -> list[str]:
    return [sentences.value(float(x), found.metric) for x in (values.min(), values.median(), values.max())]
