"""How every chart is drawn: its frame, its labels, its colours, and the picture as SVG or PNG.

A chart of a report is drawn straight on a figure of matplotlib, without axes of matplotlib's own: an area's
report has dozens of charts, and ticks that are made and hidden again would take most of its time. No state
is shared between charts, and nothing is registered to be closed.
"""

import io
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from numpy.typing import ArrayLike, NDArray

from bcfstats.show.palettes import ANALYSIS_FUNCTION, palette
from bcfstats.words import capital, number

Floats = NDArray[np.float64]
Dashes = tuple[float, tuple[float, ...]] | Literal["solid"]
WIDTH, WIDE = 4.1, 7.2  # inches: letters are 12 pixels tall on a phone of 390; of charts that name many areas
POINTS_PER_INCH = 72
SIZE = 10
FONT = FontProperties(family=["DejaVu Sans", "sans-serif"], size=SIZE)
HALF_A_DIGIT, A_DIGIT = 0.365 * SIZE, 0.76 * SIZE  # of DejaVu Sans
LINE, GAP = 1.2 * SIZE, 6
ROOM_BESIDE, EDGE = 34, 0.01  # for values beside a chart, in points; a share of the width that stays free
STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": SIZE,
    "svg.fonttype": "none",
    "svg.hashsalt": "bcfstats",
    "text.parse_math": False,
}
TAG = re.compile(r"<[^>]+>\s*")
NAME_OR_TURN = re.compile(r' (?:id="[^"]*_\d+"|transform="rotate\(-?0 [^"]*")')
DECIMALS = re.compile(r"(\.\d\d)\d+")
FONT_OF_TAG, FONT_OF_ALL = (
    "font-size: 10px; font-family: DejaVu Sans, sans-serif; ",
    "text{font:10px DejaVu Sans,sans-serif;paint-order:stroke;stroke:#fff;stroke-width:2px}",
)
GROUP = re.compile(r"<g> <use [^>]*( style='[^']*')/> (?:<use [^>]*\1/> )*</g>")
SPACES = re.compile(r"\s+")
MARKERS = {"common": "o", "better": "^", "worse": "v", "neutral": "D"}


class Label(Text):
    """Text written from its baseline: where text stays text, its place needs no measuring of letters."""

    def draw(self, renderer: Any) -> None:
        """Write the text."""
        if not hasattr(renderer, "writer"):  # not into SVG
            super().draw(renderer)
            return
        x, y = self.get_transform().transform(self.get_position())
        height = renderer.get_canvas_width_height()[1]
        context = renderer.new_gc()
        context.set_foreground(self.get_color())
        renderer.draw_text(
            context, x, height - y, self.get_text(), self.get_fontproperties(), 0, ismath=False, mtext=self
        )
        context.restore()


class Plot:
    """A chart's frame, on which lines, points, bands and labels are put at places of its two scales."""

    def __init__(
        self,
        unit: str,
        across: tuple[float, float],
        up: tuple[float, float],
        *,
        height: float = 2.7,
        width: float = WIDTH,
        names: Sequence[str] = (),  # of places, to be written beside
        look: str = ANALYSIS_FUNCTION,
        figure: Any = None,  # a part of a page, of that height and width
    ) -> None:
        self.figure = figure or Figure(figsize=(width, height))
        self.colour = palette(look)
        self.across, self.up, self.height, self.width = across, up, height, width
        beside = max([ROOM_BESIDE, *(SIZE * width_of(line) for name in names for line in name.split("\n"))])
        self.left, self.right = (beside + 13) / POINTS_PER_INCH / width, 0.97
        title = [*lines_of(capital(unit), (1 - 2 * EDGE) * self._wide)]
        self.bottom = 0.38 / height
        self.top = 1 - 0.45 / height - self._tall(LINE) * max(len(title) - 1, 0)
        for line, words in enumerate(title):
            self._write(EDGE, 1 - 0.1 / height - self._tall(A_DIGIT + LINE * line), words, "left")

    def line(
        self, x: ArrayLike, y: ArrayLike, colour: str, *, width: float = 1.6, dashes: Dashes = "solid"
    ) -> None:
        """Join places by a line; a missing value is a gap."""
        places = self._x(x), self._y(y)
        self._add(Line2D(*places, color=self.colour[colour], linewidth=width, linestyle=dashes))

    def points(
        self, x: ArrayLike, y: ArrayLike, colour: str, *, size: float = 6, marker: str = "o", edge: str = ""
    ) -> None:
        """Mark places."""
        around = self.colour[edge or colour]
        style: Any = {"linestyle": "none", "marker": marker, "markersize": size, "markeredgecolor": around}
        self._add(Line2D(self._x(x), self._y(y), markerfacecolor=self.colour[colour], **style))

    def mark(self, x: ArrayLike, y: ArrayLike, kind: str, *, size: float = 9) -> None:
        """Mark places by what they tell: common, better, worse or neutral, each with a shape of its own."""
        self.points(np.atleast_1d(x), np.atleast_1d(y), kind, size=size, marker=MARKERS[kind], edge="outline")

    def bars(
        self, x0: ArrayLike, x1: ArrayLike, y0: ArrayLike, y1: ArrayLike, colour: str, *, width: float = 2
    ) -> None:
        """Draw a straight line from each first place to each second."""
        x, y, to_x, to_y = np.broadcast_arrays(*map(np.atleast_1d, (x0, y0, x1, y1)))
        gap = np.full(x.shape, np.nan)
        places = self._x(np.ravel([x, to_x, gap], order="F")), self._y(np.ravel([y, to_y, gap], order="F"))
        self._add(Line2D(*places, color=self.colour[colour], linewidth=width, solid_capstyle="butt"))

    def band(
        self, x: tuple[float, float], y: tuple[float, float] | None, colour: str, alpha: float = 1
    ) -> None:
        """Fill a rectangle, over the whole height where no values are given."""
        (left, right), (low, high) = self._x(x), self._y(self.up if y is None else y)
        fill: Any = {"facecolor": self.colour[colour], "alpha": alpha, "linewidth": 0}
        self._add(Rectangle((left, low), right - left, high - low, **fill))

    def hatch(self, x: tuple[float, float], words: str) -> None:
        """Hatch a stretch over the whole height, and say at its foot what it is."""
        (left, right), (low, high) = self._x(x), self._y(self.up)
        lines: Any = {"fill": False, "hatch": "///", "edgecolor": self.colour["grid"], "linewidth": 0}
        self._add(Rectangle((left, low), right - left, high - low, **lines))
        self.text(x[0], self.up[0], words, shift=(2, 8))

    def text(
        self,
        x: float,
        y: float,
        words: str,
        colour: str = "text",
        *,
        align: str = "left",
        shift: tuple[float, float] = (0, 0),
    ) -> None:
        """Write words level with a place, moved by so many points."""
        across, up = shift[0] / POINTS_PER_INCH / self.width, self._tall(shift[1] - HALF_A_DIGIT)
        self._write(float(self._x(x)) + across, float(self._y(y)) + up, words, align, colour)

    def names(self, x: float, named: Sequence[tuple[float, str, str]]) -> None:
        """Write names right of a place, each level with its value, or as near as it can without meeting."""
        named = sorted(named)
        levels = self._y([value for value, *_ in named]) / self._tall(SIZE)
        steps = np.arange(len(named), dtype=float)
        apart = np.maximum.accumulate(levels - steps) + steps
        for level, place, (value, words, colour) in zip(levels, apart, named, strict=True):
            shift = place - level - np.mean(apart - levels)
            self.text(x, value, words, colour, shift=(3, SIZE * float(shift)))

    def label_places(
        self, places: Sequence[float] | Floats, labels: Sequence[str], *, beside: bool = False
    ) -> None:
        """Draw the base line and write the labels of the scale that counts places: below, or beside."""
        self._add(Line2D([self.left, self.right], [self.bottom] * 2, color="black", linewidth=1.1))
        every = slice(None) if beside else self._apart(places, labels)
        for place, label in zip(places[every], labels[every], strict=True):
            for line, words in enumerate(lines := label.split("\n")):
                down = LINE * (line - (len(lines) - 1) / 2)
                if beside:
                    self.text(self.across[0], place, words, align="right", shift=(-9, -down))
                else:
                    self._write_below(place, words, LINE * line)

    def label_values(self, *, below: bool = False) -> None:
        """Draw a light line at round values and write them beside it, or below."""
        values, labels = round_values(*(self.across if below else self.up))
        every = self._apart(values, labels) if below else slice(None)
        values, labels = values[every], labels[every]
        (left, right), (low, high) = self.across, self.up
        if below:
            self.bars(values, values, low, high, "grid", width=0.7)
        else:
            self.bars(left, right, values, values, "grid", width=0.7)
        self.figure.artists[-1].set_zorder(0.5)
        for value, label in zip(values, labels, strict=True):
            if below:
                self._write_below(value, label)
            else:
                self.text(left, value, label, align="right", shift=(-5, 0))

    def key(self, names: Sequence[tuple[str, str, Dashes]]) -> None:
        """Make room above for what the lines to be drawn are: name, colour and dashes."""
        self.top -= self._tall(LINE)
        x, y = self.left, self.top + self._tall(11)
        for name, colour, dashes in names:
            style: Any = {"color": self.colour[colour], "linewidth": 1.8, "linestyle": dashes}
            self._add(Line2D([x, x + 0.06], [y, y], **style))
            self._write(x + 0.08, y - self._tall(HALF_A_DIGIT), name, "left")
            x += 0.13 + width_of(name) / self._wide

    def _apart(self, places: Sequence[float] | Floats, labels: Sequence[str]) -> slice:
        """Choose so many labels, evenly and with the last, that none below meets the next."""
        at = self._x(places) * self._wide
        rooms = np.array([max(map(width_of, label.split("\n"))) + GAP / SIZE for label in labels])
        for step in range(1, len(labels)):
            every = slice((len(labels) - 1) % step, None, step)
            if (np.diff(at[every]) >= (rooms[every][1:] + rooms[every][:-1]) / 2).all():
                return every
        return slice(-1, None)

    def _write_below(self, place: float, words: str, down: float = 0) -> None:
        self._write(float(self._x(place)), self.bottom - self._tall(4 + A_DIGIT + down), words, "center")

    def _write(self, x: float, y: float, words: str, align: str, colour: str = "text") -> None:
        """Write words at a share of the width and height, moved so far that none leaves the picture."""
        wide = width_of(words) / self._wide
        first = x - wide * {"left": 0, "center": 0.5, "right": 1}[align]
        x += max(min(first, 1 - EDGE / 2 - wide), EDGE / 2) - first
        given: Any = {"color": self.colour[colour], "horizontalalignment": align, "fontproperties": FONT}
        self._add(Label(x, y, words, parse_math=False, **given))

    def _add(self, artist: Any) -> None:
        artist.set_transform(self.figure.transSubfigure)
        self.figure.add_artist(artist)

    def _x(self, places: ArrayLike) -> Floats:
        low, high = self.across
        share = (np.asarray(places, dtype=float) - low) / (high - low)
        return np.asarray(self.left + (self.right - self.left) * share)

    def _y(self, values: ArrayLike) -> Floats:
        low, high = self.up
        share = (np.asarray(values, dtype=float) - low) / (high - low)
        return np.asarray(self.bottom + (self.top - self.bottom) * share)

    def _tall(self, points: float) -> float:
        return points / POINTS_PER_INCH / self.height

    @property
    def _wide(self) -> float:
        """How wide the chart is, in times the size of its letters."""
        return self.width * POINTS_PER_INCH / SIZE


def lines_of(text: str, width: float, *, bold: bool = False) -> Iterator[str]:
    """Break a text into lines no wider than so many times the size of its letters."""
    line = ""
    for word in text.split():
        while width_of(word, bold=bold) > width:  # no word may leave its column
            cuts = range(len(word) - 1, 0, -1)
            fits = next(i for i in cuts if width_of(word[:i], bold=bold) <= width or i == 1)
            if line:
                yield line
            line = ""
            yield word[:fits]
            word = word[fits:]
        longer = f"{line} {word}".lstrip()
        if width_of(longer, bold=bold) > width:
            yield line
            longer = word
        line = longer
    if line:
        yield line


def width_of(text: str, *, bold: bool = False) -> float:
    """How wide a text is, in times the size of its letters; Word's fonts are no wider."""
    return sum(_advance(letter, bold) for letter in text)


@cache
def _advance(letter: str, bold: bool) -> float:
    font = FONT.copy()
    font.set_weight("bold" if bold else "normal")
    face = get_font(findfont(font))
    face.set_size(100, POINTS_PER_INCH)
    if not face.get_char_index(ord(letter)):  # the font lacks it: no other is wider than its size
        return 1.0
    return float(face.load_char(ord(letter)).linearHoriAdvance) / 65536 / 100


def ends(*values: ArrayLike, margin: float = 0.15, low: float | None = None) -> tuple[float, float]:
    """Choose the ends of a scale that holds all values, with a margin; from `low` if that is given."""
    found = np.concatenate([np.ravel(np.asarray(part, dtype=float)) for part in values])
    found = found[np.isfinite(found)]
    least, most = (float(found.min()), float(found.max())) if found.size else (0.0, 1.0)
    first = least if low is None else low
    room = margin * (most - first) or margin * abs(most) or 1.0
    return (first - room if low is None else low), most + room


def round_values(low: float, high: float) -> tuple[list[float], list[str]]:
    """Choose at most seven round values between two limits, with as many decimals as tell them apart."""
    size = 10.0 ** np.floor(np.log10((high - low) / 6))
    step = next(step for step in size * np.array([1, 2, 2.5, 5, 10]) if (high - low) / step <= 6)
    decimals = next(places for places in range(12) if np.isclose(round(step, places), step, rtol=1e-9))
    values = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step + 0.0  # no -0
    return values.tolist(), [number(value, decimals) for value in values]


def round_sizes(across: tuple[float, float]) -> tuple[list[float], list[str]]:
    """Choose round numbers, and write them, on a scale of powers of ten."""
    every = [step * 10.0**power for power in range(9) for step in (1, 2, 5)]
    inside = [size for size in every if across[0] <= np.log10(size) <= across[1]]
    return [float(np.log10(size)) for size in inside], [number(size) for size in inside]


def svg_of(figure: Figure) -> str:
    """Write a figure as SVG, its text as text, without what no reader needs."""
    out = io.StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(out, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = out.getvalue()
    text = text[text.index("<svg") :]  # without the prologue that names a document type elsewhere
    text = GROUP.sub(_with_one_style, TAG.sub(_shortened, text).replace(FONT_OF_TAG, ""))
    return text.replace("</style>", f"{FONT_OF_ALL}</style>", 1)


def _with_one_style(group: "re.Match[str]") -> str:
    """Give the style of marks that are all alike to the group that holds them."""
    style = group[1]
    return group[0].replace(style, "").replace("<g>", f"<g{style}>", 1)


def _shortened(tag: "re.Match[str]") -> str:
    """Round a tag's places to hundredths of a point, and leave out turns by no angle and empty names."""
    text = NAME_OR_TURN.sub("", tag[0])
    text = DECIMALS.sub(r"\1", text).replace("'", "").replace('"', "'")
    return SPACES.sub(" ", text)
