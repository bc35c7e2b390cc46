"""Tile maps: one equal tile an area, its answer by colour and mark, and the area's label under it."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from bcfstats.show.page import fill
from bcfstats.show.tallies import Kind
from bcfstats.show.tile_layout import WIDTH, Layout

SIDE = 20  # units of the picture that a tile is wide and high
BLANK, SEVERAL = "blank", "several"


def tile_parts(plan: Layout, kinds: Sequence[Kind]) -> Markup:
    """Draw once what all maps of a page are made of: tiles of each answer, labels, borders of regions.

    Parameters
    ----------
    plan : Layout
        From `layout`.
    kinds : sequence of Kind
        Whose answers the maps show.

    Returns
    -------
    Markup
        Draws nothing by itself; to stand on the page before its maps.
    """
    edges = "".join(
        f"M{column * SIDE} {row * SIDE}{'h' if across else 'v'}{SIDE}"
        for column, row, across in plan.borders()
    )
    return fill("tile_parts.html.j2", plan=plan, kinds=kinds, edges=edges, side=SIDE)


def tile_map(plan: Layout, answers: Mapping[str, str], of: Kind, alt: str) -> Markup:
    """Draw a map from the parts on the same page.

    Parameters
    ----------
    plan : Layout
        The one of the parts.
    answers : mapping of str to str
        By area code: the name of a category of the kind, or `SEVERAL`. Areas without one are drawn as such.
    of : Kind
    alt : str
        What the map shows, for who cannot see it.

    Returns
    -------
    Markup
    """
    names = {name: f"{of.id}{place}" for place, name in enumerate(of.names)} | {SEVERAL: SEVERAL}
    tiles = [
        (spot.column * SIDE, spot.row * SIDE, names.get(answers.get(code, ""), BLANK))
        for code, spot in plan.spots.items()
    ]
    return fill("tile_map.html.j2", plan=plan, tiles=tiles, alt=alt, side=SIDE, width=WIDTH)
