"""A chart: its picture without a title inside it, the finding in words, and its data."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote

from markupsafe import Markup, escape

from bcfstats.show.charts.drawing import svg_of
from bcfstats.show.page import fill, html_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SAFE_IN_ADDRESS = " '/:;=,()!*-_.~+@"


@dataclass(frozen=True)
class Chart:
    """A chart with what a reader who cannot see it needs."""

    figure: "Figure" = field(repr=False, compare=False)
    alt: str  # the finding: what is shown, over which period, first, last, lowest and highest
    caption: str  # measure, area and period
    headings: Sequence[str]
    rows: Sequence[Sequence[object]]  # the data drawn, one row a point, as they are to be read
    note: str = ""  # how to read it, and its source

    @cached_property
    def svg(self) -> str:
        """Draw the chart as SVG, its text as text."""
        return svg_of(self.figure)

    def svg_file(self) -> str:
        """Give the SVG with its name and the finding inside it, for where no page says them."""
        start, rest = self.svg.split(">", 1)
        inside = Markup("<title>{}</title><desc>{}</desc>").format(self.caption, self.alt)
        return f"{start} role='img' aria-label='{escape(self.caption)}'>{inside}{rest}"

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
            note=self.note,
            table=html_table(self.headings, self.rows, self.caption),
        )

    _repr_html_ = __html__
