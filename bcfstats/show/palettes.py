"""Colours and shapes by the part they play: a finding is never told by colour alone."""

import tomllib
from functools import cache
from pathlib import Path

from markupsafe import Markup

from bcfstats.errors import ParameterError
from bcfstats.judge.results import BETTER, UNCLEAR, WORSE

ANALYSIS_FUNCTION, MAKING_DATA_COUNT = "analysis_function", "making_data_count"
MARK_OF = {BETTER: "better", WORSE: "worse", UNCLEAR: "common"}
OUTLINES = {  # of an icon 12 wide and 12 high
    "common": "M6 1a5 5 0 1 0 .01 0z",
    "better": "M6 1 11 11H1z",
    "worse": "M6 11 1 1h10z",
    "neutral": "M6 .5 11.5 6 6 11.5.5 6z",
}


@cache
def palette(name: str = ANALYSIS_FUNCTION) -> dict[str, str]:
    """Return the colours of a palette by the part they play."""
    table = tomllib.loads((Path(__file__).parent / "palettes.toml").read_text(encoding="utf-8"))
    if name not in table:
        raise ParameterError("There is no such palette.", found=f"'{name}'", do=f"Use {' or '.join(table)}.")
    return dict(table[name])


def icon(finding: str, look: str = ANALYSIS_FUNCTION) -> Markup:
    """Draw the mark of a finding to stand before its words: triangle up for better, down for worse."""
    if finding not in MARK_OF:
        return Markup()
    mark, colour = MARK_OF[finding], palette(look)
    return Markup(
        '<svg class="mark" width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">'
        '<path d="{}" fill="{}" stroke="{}"/></svg> '
    ).format(OUTLINES[mark], colour[mark], colour["outline"])
