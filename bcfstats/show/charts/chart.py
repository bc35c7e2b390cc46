"""Charts: each gives a picture without a title inside it, the finding in words, and its data."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NotRequired, TypedDict, Unpack
from urllib.parse import quote

import numpy as np
from markupsafe import Markup, escape

from bcfstats.define.periods import Period
from bcfstats.show.charts.drawing import Dashes, Floats, Plot, ends, svg_of
from bcfstats.show.page import fill
from bcfstats.show.palettes import ANALYSIS_FUNCTION, MAKING_DATA_COUNT
from bcfstats.show.parts import html_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SAFE_IN_ADDRESS = " '/:;=,()!*-_.~+@"


@dataclass(frozen=True)
class Chart:
    """A chart with what a reader who cannot see it needs.

    Attributes
    ----------
    figure : matplotlib Figure
        What is drawn.
    alt : str
        The finding: what is shown, over which period, first, last, lowest and highest.
    caption : str
        Measure, area and period.
    headings, rows : sequences
        The data drawn, one row a point, as they are to be read.
    note : str
        How to read it, and its source.
    """

    figure: "Figure" = field(repr=False, compare=False)
    alt: str
    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[object]]
    note: str = ""

    @cached_property
    def svg(self) -> str:
        """Draw the chart as SVG, its text as text."""
        return svg_of(self.figure)

    def svg_file(self) -> str:
        """Give the SVG with its name and the finding inside it, for where no page says them."""
        start, rest = self.svg.split(">", 1)
        told = Markup("<title>{}</title><desc>{}</desc>").format(self.caption, self.alt)
        return f"{start} role='img' aria-label='{escape(self.caption)}'>{told}{rest}"

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
            caption=f"{self.caption}. {self.note}" if self.note else self.caption,
            table=html_table(self.headings, self.rows, self.caption),
        )

    _repr_html_ = __html__


@dataclass(frozen=True)
class Span:
    """A stretch of time to be shaded, with its level drawn across it, and what the level tells."""

    period: Period
    label: str
    level: float
    mark: str = ""


@dataclass(frozen=True)
class Target:
    """The value proposed for a stretch of time, and the value from which it is paid."""

    period: Period
    level: float
    payment_line: float


@dataclass(frozen=True)
class Fan:
    """What is expected over a stretch of time if nothing is done, with its 80 % limits."""

    period: Period
    expected: float
    lower: float
    upper: float


class Words(TypedDict):
    """What every chart is given to say besides what it draws, as `Chart` has it, and its palette."""

    unit: str
    caption: str
    alt: str
    headings: Sequence[str]
    rows: Sequence[Sequence[object]]
    note: NotRequired[str]
    look: NotRequired[str]


def history(
    starts: Sequence[date],
    values: Floats,
    *,
    spans: Sequence[Span] = (),
    fan: Fan | None = None,
    target: Target | None = None,
    breaks: Sequence[date] = (),
    **words: Unpack[Words],
) -> Chart:
    """Draw a monthly series; missing months are gaps, windows are shaded with their level."""
    levels = [span.level for span in spans] + ([target.level, target.payment_line] if target else [])
    shaded = [day for part in (*spans, fan, target) if part for day in _edges(part.period)]
    days = [_x(start) for start in starts]
    up = ends(values, levels, [fan.lower, fan.upper] if fan else [], low=0)
    plot = _plot(words, ends(days, shaded, margin=0.05), up)
    plot.label_values()
    for place, span in enumerate(spans):
        tint, edges = ("comparison", "emphasis")[place % 2], _edges(span.period)
        plot.band(edges, None, "band")
        plot.line(edges, [span.level] * 2, tint, width=2.6)
        plot.text(edges[0], plot.up[1], span.label, tint, shift=(2, -6))
    if fan is not None:
        _draw_fan(plot, _edges(fan.period), fan)
    plot.line(days, values, "series")
    if words.get("look") == MAKING_DATA_COUNT:
        plot.mark(days, values, "common", size=4)
    for span in spans:
        if span.mark:
            plot.mark(sum(_edges(span.period)) / 2, span.level, span.mark)
    if target is not None:
        _draw_target(plot, _edges(target.period), target)
    for when in breaks:
        plot.line([_x(when)] * 2, plot.up, "alert", width=1.4, dashes=(0, (2, 2)))
    plot.label_places(*_years(starts))
    return _chart(plot, words)


def _draw_fan(plot: Plot, edges: tuple[float, float], fan: Fan) -> None:
    """Draw what is expected if nothing is done, with its limits."""
    plot.band(edges, (fan.lower, fan.upper), "emphasis", alpha=0.15)
    plot.line(edges, [fan.expected] * 2, "text", dashes=(0, (1, 1.5)))


def _draw_target(plot: Plot, edges: tuple[float, float], target: Target) -> None:
    """Draw the target and the line it is paid from, each with its name at its end."""
    apart = 4 if target.level > target.payment_line else -4
    plot.line(edges, [target.level] * 2, "alert", width=2.2, dashes=(0, (4, 2)))
    plot.text(edges[1], target.level, "target", shift=(3, apart))
    if np.isfinite(target.payment_line):
        plot.line(edges, [target.payment_line] * 2, "text", width=1.2, dashes=(0, (4, 2)))
        plot.text(edges[1], target.payment_line, "line", shift=(3, -apart))


def ladder(
    rungs: Sequence[str],
    values: Floats,
    chances: Sequence[str],
    *,
    base: float,
    **words: Unpack[Words],
) -> Chart:
    """Draw levels of ambition as steps from the baseline, each with its chance of payment by luck."""
    across = ends(values, base, margin=0.28)
    height = 0.42 * len(rungs) + 1.1
    plot = _plot(words, across, (-0.5, len(rungs) - 0.5), height=height, left=0.28)
    place = np.arange(len(rungs), dtype=float)[::-1]
    plot.label_values(below=True)
    plot.line([base] * 2, plot.up, "text", width=0.8)
    plot.bars(base, values, place, place, "comparison")
    plot.points(values, place, "series", size=7)
    for x, y, chance in zip(values, place, chances, strict=True):
        align, step = ("right", -8) if x < base else ("left", 8)
        plot.text(x, y, chance, align=align, shift=(step, 0))
    plot.label_places(place, rungs, beside=True)
    return _chart(plot, words)


def annual(
    labels: Sequence[str],
    values: Floats,
    lower: Floats,
    upper: Floats,
    *,
    joined: Sequence[bool],
    place_of_outcome: int | None = None,
    mark: str = "",
    fan: Fan | None = None,
    target: Target | None = None,
    **words: Unpack[Words],
) -> Chart:
    """Draw a yearly series with its intervals; points of different definitions are not joined.

    `joined[i]` says whether point i may be joined to the point before it; mark, fan and target are those of
    the outcome.
    """
    place = np.arange(len(labels), dtype=float)
    levels = [fan.lower, fan.upper] if fan else [], [target.level, target.payment_line] if target else []
    up = ends(values, lower, upper, *levels, low=0)
    plot = _plot(words, (-0.5, len(labels) - 0.5), up)
    plot.label_values()
    if place_of_outcome is not None:
        edges = place_of_outcome - 0.3, place_of_outcome + 0.3
        if fan is not None:
            _draw_fan(plot, edges, fan)
        if target is not None:
            _draw_target(plot, edges, target)
    known = np.isfinite(lower) & np.isfinite(upper)
    plot.bars(place[known], place[known], lower[known], upper[known], "comparison")
    for first, last in _runs(joined):
        plot.line(place[first:last], values[first:last], "series")
    plot.points(place, values, "series")
    if place_of_outcome is not None and mark:
        plot.mark(place_of_outcome, values[place_of_outcome], mark)
    plot.label_places(place, labels)
    return _chart(plot, words)


def season(
    months: Sequence[str],
    area: Floats,
    nation: Floats,
    *,
    names: tuple[str, str],
    **words: Unpack[Words],
) -> Chart:
    """Draw an area's month indices beside those of all areas together (1 is an average day)."""
    place = np.arange(len(months), dtype=float)
    plot = _plot(words, ends(place, margin=0.05), ends(area, nation, 1.0))
    plot.label_values()
    plot.line(plot.across, [1, 1], "text", width=0.8)
    lines: tuple[tuple[str, str, Dashes], ...] = (
        (names[0], "series", "solid"),
        (names[1], "comparison", (0, (4, 2))),
    )
    for (_, colour, dashes), values in zip(reversed(lines), (nation, area), strict=True):
        plot.line(place, values, colour, width=1.8, dashes=dashes)
        plot.points(place, values, colour, size=4)
    plot.key(lines, (0.36, 0.8))
    plot.label_places(place, months)
    return _chart(plot, words)


def _plot(words: Words, across: tuple[float, float], up: tuple[float, float], **given: float) -> Plot:
    return Plot(words["unit"], across, up, look=words.get("look", ANALYSIS_FUNCTION), **given)


def _chart(plot: Plot, words: Words) -> Chart:
    told = words["alt"], words["caption"], words["headings"], words["rows"], words.get("note", "")
    return Chart(plot.figure, *told)


def _runs(joined: Sequence[bool]) -> list[tuple[int, int]]:
    """Find the stretches of points that are joined, two or more, as first and one past last."""
    firsts = [place for place, is_joined in enumerate(joined) if not is_joined]
    return [(a, b) for a, b in pairwise([*firsts, len(joined)]) if b - a > 1]


def _years(starts: Sequence[date]) -> tuple[list[float], list[str]]:
    """Place the years of a monthly series at their Januaries, or each month where there are few."""
    if len(starts) < 2 * 12:
        chosen = list(starts)[:: max(1, len(starts) // 6)]
        return [_x(start) for start in chosen], [f"{start:%b %Y}" for start in chosen]
    chosen = [start for start in starts if start.month == 1]
    return [_x(start) for start in chosen], [str(start.year) for start in chosen]


def _edges(period: Period) -> tuple[float, float]:
    return _x(period.start), _x(period.end)


def _x(when: date) -> float:
    return float(when.toordinal())
