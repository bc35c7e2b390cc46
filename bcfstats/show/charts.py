"""Charts: each gives a picture without a title inside it, the finding in words, and its data."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from markupsafe import Markup

from bcfstats.define.periods import Period
from bcfstats.show.drawing import Floats, bare_figure, label_places, label_values, svg_of
from bcfstats.show.page import fill
from bcfstats.show.tables import html_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SAFE_IN_ADDRESS = " /:;=,()!*-_.~+@"


@dataclass(frozen=True)
class Chart:
    """A chart with what a reader who cannot see it needs.

    Attributes
    ----------
    svg : str
        The picture, text kept as text.
    alt : str
        The finding: what is shown, over which period, first, last, lowest and highest.
    caption : str
        Measure, area, period and source.
    headings, rows : sequences
        The data drawn, one row a point, as they are to be read.
    figure : matplotlib Figure
        What the picture was drawn from.
    """

    svg: str
    alt: str
    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[object]]
    figure: "Figure" = field(repr=False, compare=False)

    def png(self) -> bytes:
        """Draw the chart as a PNG picture, for slides and Word documents."""
        out = io.BytesIO()
        self.figure.savefig(out, format="png", dpi=200, metadata={"Software": None})
        return out.getvalue()

    def __html__(self) -> str:
        """Write the figure with its alternative text and its data table."""
        return fill(
            "figure.html.j2",
            source=Markup(quote(self.svg, safe=SAFE_IN_ADDRESS)),
            alt=self.alt,
            caption=self.caption,
            table=html_table(self.headings, self.rows, self.caption, numeric=range(1, len(self.headings))),
        )

    _repr_html_ = __html__


@dataclass(frozen=True)
class Span:
    """A stretch of time to be shaded, with its level drawn across it."""

    period: Period
    label: str
    level: float


@dataclass(frozen=True)
class Fan:
    """What is expected over a stretch of time if nothing is done, with its 80 % limits."""

    period: Period
    expected: float
    lower: float
    upper: float


def history(
    starts: Sequence[date],
    values: Floats,
    *,
    unit: str,
    caption: str,
    alt: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[object]],
    spans: Sequence[Span] = (),
    fan: Fan | None = None,
    target: Span | None = None,
    breaks: Sequence[date] = (),
) -> Chart:
    """Draw a monthly series; missing months are gaps, windows are shaded with their level."""
    figure, axes, colour = bare_figure(unit)
    axes.plot([_x(start) for start in starts], values, color=colour["series"], linewidth=1.6)
    for place, span in enumerate(spans):
        tint = colour["comparison"] if place % 2 == 0 else colour["emphasis"]
        axes.axvspan(_x(span.period.start), _x(span.period.end), color=colour["band"], linewidth=0)
        axes.plot([_x(span.period.start), _x(span.period.end)], [span.level] * 2, color=tint, linewidth=2.6)
        axes.annotate(
            span.label,
            (_x(span.period.start), 1),
            (2, -11),
            ("data", "axes fraction"),
            textcoords="offset points",
            color=tint,
        )
    if fan is not None:
        _draw_fan(axes, fan, colour)
    if target is not None:
        edges = [_x(target.period.start), _x(target.period.end)]
        axes.plot(edges, [target.level] * 2, color=colour["alert"], linewidth=2.2, linestyle=(0, (4, 2)))
        axes.annotate(
            target.label, (edges[1], target.level), (3, -3), textcoords="offset points", color=colour["text"]
        )
    _mark_breaks(axes, breaks, colour)
    axes.set_ylim(bottom=0)
    label_places(axes, *_years(starts), colour)
    label_values(axes, colour)
    return Chart(svg_of(figure), alt, caption, headings, rows, figure)


def ladder(
    rungs: Sequence[str],
    values: Floats,
    chances: Sequence[str],
    *,
    base: float,
    unit: str,
    caption: str,
    alt: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[object]],
) -> Chart:
    """Draw levels of ambition as steps from the baseline, each with its chance of payment by luck."""
    figure, axes, colour = bare_figure(unit, height=0.42 * len(rungs) + 1.1, left=0.28)
    place = np.arange(len(rungs), dtype=float)[::-1]
    axes.axvline(base, color=colour["text"], linewidth=0.8)
    axes.hlines(place, base, values, color=colour["comparison"], linewidth=2)
    axes.plot(values, place, "o", color=colour["series"], markersize=7)
    for x, y, chance in zip(values, place, chances, strict=True):
        side, step = ("right", -8) if x < base else ("left", 8)
        axes.annotate(chance, (x, y), (step, -3), textcoords="offset points", ha=side, color=colour["text"])
    axes.set_xmargin(0.22)
    axes.set_ylim(-0.5, len(rungs) - 0.5)
    label_places(axes, place, rungs, colour, across=True)
    label_values(axes, colour, across=True)
    return Chart(svg_of(figure), alt, caption, headings, rows, figure)


def annual(
    labels: Sequence[str],
    values: Floats,
    lower: Floats,
    upper: Floats,
    *,
    unit: str,
    caption: str,
    alt: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[object]],
    joined: Sequence[bool],
) -> Chart:
    """Draw a yearly series with its intervals; points of different definitions are not joined.

    `joined[i]` says whether point i may be joined to the point before it.
    """
    figure, axes, colour = bare_figure(unit)
    place = np.arange(len(labels), dtype=float)
    known = np.isfinite(lower) & np.isfinite(upper)
    axes.vlines(place[known], lower[known], upper[known], color=colour["comparison"], linewidth=2)
    for i in range(1, len(labels)):
        if joined[i]:
            axes.plot(place[i - 1 : i + 1], values[i - 1 : i + 1], color=colour["series"], linewidth=1.6)
    axes.plot(place, values, "o", color=colour["series"], markersize=6)
    axes.set_xlim(-0.5, len(labels) - 0.5)
    axes.set_ylim(bottom=0)
    label_places(axes, place, labels, colour)
    label_values(axes, colour)
    return Chart(svg_of(figure), alt, caption, headings, rows, figure)


def season(
    months: Sequence[str],
    area: Floats,
    nation: Floats,
    *,
    names: tuple[str, str],
    unit: str,
    caption: str,
    alt: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[object]],
) -> Chart:
    """Draw an area's month indices beside those of all areas together (1 is an average day)."""
    figure, axes, colour = bare_figure(unit)
    place = np.arange(len(months), dtype=float)
    axes.axhline(1.0, color=colour["text"], linewidth=0.8)
    for values, tint, dashes, name, left in (
        (nation, colour["comparison"], (0, (4, 2)), names[1], 0.8),
        (area, colour["series"], "solid", names[0], 0.36),
    ):
        axes.plot(place, values, color=tint, linewidth=1.8, linestyle=dashes)
        axes.plot(place, values, "o", color=tint, markersize=4)
        key: Any = {"transform": axes.transAxes, "clip_on": False}
        axes.plot([left, left + 0.05], [1.07] * 2, color=tint, linewidth=1.8, linestyle=dashes, **key)
        axes.text(left + 0.06, 1.07, name, va="center_baseline", color=colour["text"], **key)
    label_places(axes, place, months, colour)
    label_values(axes, colour)
    return Chart(svg_of(figure), alt, caption, headings, rows, figure)


def _years(starts: Sequence[date]) -> tuple[list[float], list[str]]:
    """Place the years of a monthly series at their Januaries, or each month where there are few."""
    if len(starts) < 2 * 12:
        chosen = list(starts)[:: max(1, len(starts) // 6)]
        return [_x(start) for start in chosen], [f"{start:%b %Y}" for start in chosen]
    chosen = [start for start in starts if start.month == 1]
    return [_x(start) for start in chosen], [str(start.year) for start in chosen]


def _draw_fan(axes: "Axes", fan: Fan, colour: dict[str, str]) -> None:
    edges = [_x(fan.period.start), _x(fan.period.end)]
    axes.fill_between(edges, fan.lower, fan.upper, color=colour["emphasis"], alpha=0.15, linewidth=0)
    axes.plot(edges, [fan.expected] * 2, color=colour["text"], linewidth=1.6, linestyle=(0, (1, 1.5)))


def _mark_breaks(axes: "Axes", breaks: Sequence[date], colour: dict[str, str]) -> None:
    for when in breaks:
        axes.axvline(_x(when), color=colour["alert"], linewidth=1.4, linestyle=(0, (2, 2)))


def _x(when: date) -> float:
    return float(when.toordinal())
