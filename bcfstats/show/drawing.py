"""How every chart is drawn: figure, labels, round values, palette, and the picture as SVG.

Figures are drawn on the object interface of matplotlib, so that no state is shared between charts
and nothing is registered to be closed.
"""

import io
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "svg.fonttype": "none",
    "svg.hashsalt": "bcfstats",
}


@cache
def palette(name: str = "analysis_function") -> dict[str, str]:
    """Return the colours of a palette by the part they play."""
    table = tomllib.loads((Path(__file__).parent / "palettes.toml").read_text(encoding="utf-8"))
    return dict(table[name])


def figure_with_ticks(unit: str) -> "tuple[Figure, Axes, dict[str, str]]":
    """Make a figure with ticks of matplotlib's choice: dear, and easy."""
    figure, axes, colour = bare_figure(unit)
    axes.set_axis_on()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(axis="y", color=colour["grid"], linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=colour["text"], length=0)
    axes.locator_params(axis="y", nbins=6)
    return figure, axes, colour


def bare_figure(
    unit: str, *, height: float = 3.2, left: float = 0.09
) -> "tuple[Figure, Axes, dict[str, str]]":
    """Make a figure without ticks, which cost more than all else: see `label_places` and `label_values`."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    colour = palette()
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, height))
        axes = figure.add_axes((left, 0.38 / height, 0.97 - left, 1 - 0.83 / height))
    axes.set_axis_off()
    figure.text(0.01, 1 - 0.1 / height, unit[:1].upper() + unit[1:], va="top", color=colour["text"])
    axes.set_ymargin(0.15)
    return figure, axes, colour


def label_places(
    axes: "Axes",
    places: Sequence[float] | Floats,
    labels: Sequence[str],
    colour: dict[str, str],
    *,
    across: bool = False,
) -> None:
    """Write labels along the axis that counts places: below the chart, or beside it where bars lie across."""
    axes.plot([0, 1], [0, 0], transform=axes.transAxes, color="black", linewidth=1.1, clip_on=False)
    for place, label in zip(places, labels, strict=True):
        if across:
            beside = axes.get_yaxis_transform()
            axes.text(
                -0.02, place, label, transform=beside, ha="right", va="center_baseline", color=colour["text"]
            )
        else:
            below = axes.get_xaxis_transform()
            axes.text(place, -0.025, label, transform=below, ha="center", va="top", color=colour["text"])


def label_values(axes: "Axes", colour: dict[str, str], *, across: bool = False) -> None:
    """Draw a light line at round values and write them beside it."""
    low, high = sorted(axes.get_xlim() if across else axes.get_ylim())
    values, labels = round_values(low, high)
    if across:
        below = axes.get_xaxis_transform()
        axes.vlines(values, 0, 1, transform=below, color=colour["grid"], linewidth=0.7, zorder=0.5)
        for value, label in zip(values, labels, strict=True):
            axes.text(value, -0.025, label, transform=below, ha="center", va="top", color=colour["text"])
        return
    beside = axes.get_yaxis_transform()
    axes.hlines(values, 0, 1, transform=beside, color=colour["grid"], linewidth=0.7, zorder=0.5)
    for value, label in zip(values, labels, strict=True):
        axes.text(
            -0.01, value, label, transform=beside, ha="right", va="center_baseline", color=colour["text"]
        )


def round_values(low: float, high: float) -> tuple[list[float], list[str]]:
    """Choose at most seven round values between two limits, with as many decimals as tell them apart.

    Examples
    --------
    >>> round_values(0, 1234)
    ([0.0, 250.0, 500.0, 750.0, 1000.0], ['0', '250', '500', '750', '1,000'])
    >>> round_values(0.92, 1.07)[1]
    ['0.95', '1.00', '1.05']
    """
    size = 10.0 ** np.floor(np.log10((high - low) / 6))
    step = next(step for step in size * np.array([1, 2, 2.5, 5, 10]) if (high - low) / step <= 6)
    decimals = next(places for places in range(12) if np.isclose(round(step, places), step, rtol=1e-9))
    values = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step + 0.0  # no -0
    return values.tolist(), [f"{value:,.{decimals}f}" for value in values]


def svg_of(figure: "Figure") -> str:
    """Write a figure as SVG, its text as text."""
    import matplotlib as mpl

    out = io.StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(out, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = out.getvalue()
    return text[text.index("<svg") :]  # without the prologue that names a document type elsewhere
