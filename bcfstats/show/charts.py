"""Charts: each gives a picture without a title inside it, the finding in words, and its data.

Figures are drawn on the object interface of matplotlib, so that no state is shared between charts
and nothing is registered to be closed.
"""

import io
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from bcfstats.define.periods import Period
from bcfstats.show.page import fill
from bcfstats.show.tables import html_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
SAFE_IN_ADDRESS = " /:;=,()!*-_.~+@"
STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "svg.fonttype": "none",
    "svg.hashsalt": "bcfstats",
}


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


@cache
def palette(name: str = "analysis_function") -> dict[str, str]:
    """Return the colours of a palette by the part they play."""
    table = tomllib.loads((Path(__file__).parent / "palettes.toml").read_text(encoding="utf-8"))
    return dict(table[name])


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
    figure, axes, colour = _figure(unit)
    axes.plot(np.array(starts, dtype="datetime64[D]"), values, color=colour["series"], linewidth=1.6)
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
    return Chart(_svg(figure), alt, caption, headings, rows, figure)


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
    figure, axes, colour = _figure(unit, height=0.42 * len(rungs) + 1.1, left=0.28)
    place = np.arange(len(rungs), dtype=float)[::-1]
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", color=colour["grid"], linewidth=0.7)
    axes.axvline(base, color=colour["text"], linewidth=0.8)
    axes.hlines(place, base, values, color=colour["comparison"], linewidth=2)
    axes.plot(values, place, "o", color=colour["series"], markersize=7)
    for x, y, chance in zip(values, place, chances, strict=True):
        side, step = ("right", -8) if x < base else ("left", 8)
        axes.annotate(chance, (x, y), (step, -3), textcoords="offset points", ha=side, color=colour["text"])
    axes.set_yticks(place, rungs)
    axes.set_xmargin(0.22)
    return Chart(_svg(figure), alt, caption, headings, rows, figure)


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
    figure, axes, colour = _figure(unit)
    place = np.arange(len(labels), dtype=float)
    known = np.isfinite(lower) & np.isfinite(upper)
    axes.vlines(place[known], lower[known], upper[known], color=colour["comparison"], linewidth=2)
    for i in range(1, len(labels)):
        if joined[i]:
            axes.plot(place[i - 1 : i + 1], values[i - 1 : i + 1], color=colour["series"], linewidth=1.6)
    axes.plot(place, values, "o", color=colour["series"], markersize=6)
    axes.set_xticks(place, labels)
    axes.set_xlim(-0.5, len(labels) - 0.5)
    axes.set_ylim(bottom=0)
    return Chart(_svg(figure), alt, caption, headings, rows, figure)


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
    figure, axes, colour = _figure(unit)
    place = np.arange(len(months))
    axes.axhline(1.0, color=colour["text"], linewidth=0.8)
    for values, tint, dashes, name in (
        (nation, colour["comparison"], (4, 2), names[1]),
        (area, colour["series"], (), names[0]),
    ):
        (line,) = axes.plot(place, values, color=tint, linewidth=1.8, marker="o", markersize=4, label=name)
        if dashes:
            line.set_dashes(dashes)
    axes.set_xticks(place, months)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False)
    return Chart(_svg(figure), alt, caption, headings, rows, figure)


def _figure(unit: str, *, height: float = 3.2, left: float = 0.09) -> "tuple[Figure, Axes, dict[str, str]]":
    import matplotlib as mpl
    from matplotlib.figure import Figure

    colour = palette()
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, height))
        axes = figure.add_axes((left, 0.38 / height, 0.97 - left, 1 - 0.83 / height))
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(axis="y", color=colour["grid"], linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=colour["text"], length=0)
    axes.locator_params(axis="y", nbins=6)
    figure.text(0.01, 1 - 0.1 / height, unit[:1].upper() + unit[1:], va="top", color=colour["text"])
    axes.set_ymargin(0.15)
    return figure, axes, colour


def _draw_fan(axes: "Axes", fan: Fan, colour: dict[str, str]) -> None:
    edges = [_x(fan.period.start), _x(fan.period.end)]
    axes.fill_between(edges, fan.lower, fan.upper, color=colour["emphasis"], alpha=0.15, linewidth=0)
    axes.plot(edges, [fan.expected] * 2, color=colour["text"], linewidth=1.6, linestyle=(0, (1, 1.5)))


def _mark_breaks(axes: "Axes", breaks: Sequence[date], colour: dict[str, str]) -> None:
    for when in breaks:
        axes.axvline(_x(when), color=colour["alert"], linewidth=1.4, linestyle=(0, (2, 2)))


def _x(when: date) -> Any:
    return np.datetime64(when, "D")


def _svg(figure: "Figure") -> str:
    import matplotlib as mpl

    out = io.StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(out, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = out.getvalue()
    return text[text.index("<svg") :]  # without the prologue that names a document type elsewhere
