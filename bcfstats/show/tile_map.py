"""Tile maps: one equal tile an area, its answer by colour and mark, and the area's label under it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from bcfstats.define.areas import AREAS, TILES
from bcfstats.judge.national import NO_REGION
from bcfstats.show.page import fill
from bcfstats.show.tallies import Kind

WIDTH, BLOCK, ABREAST = 15, 7, 2  # in tiles: of every map, of a block; and how many blocks side by side
LETTERS = 4


@dataclass(frozen=True)
class Spot:
    """The place of one area's tile, in tiles from the left and from the top, and its label."""

    column: int
    row: int
    label: str
    region: str


@dataclass(frozen=True)
class Layout:
    """A map of equal tiles.

    Attributes
    ----------
    spots : mapping of str to Spot
        By area code.
    names : tuple of (text, column, row)
        Names of regions, each above its tiles; none on the map of England.
    of_england : bool
        Whether the tiles stand as the areas of England lie.
    """

    spots: Mapping[str, Spot]
    names: tuple[tuple[str, int, int], ...]
    of_england: bool

    @property
    def height(self) -> int:
        """Number of rows."""
        return max((spot.row for spot in self.spots.values()), default=0) + 1

    def borders(self) -> list[tuple[int, int, bool]]:
        """Give the edges between tiles of different regions, and around them all.

        Returns
        -------
        list of (column, row, across)
            Where the edge begins; whether it runs across (to the right) or down.
        """
        region = {(spot.column, spot.row): spot.region for spot in self.spots.values()}
        edges = set()
        for (column, row), name in region.items():
            for place, other in (
                ((column, row, True), (column, row - 1)),
                ((column, row + 1, True), (column, row + 1)),
                ((column, row, False), (column - 1, row)),
                ((column + 1, row, False), (column + 1, row)),
            ):
                if region.get(other) != name:
                    edges.add(place)
        return sorted(edges)


def layout(areas: pd.DataFrame, *, is_example: bool) -> Layout:
    """Lay out the tiles of a map.

    It answers: where on the map is each area?

    Parameters
    ----------
    areas : DataFrame
        With `area_code`, `area_name` and `region`.
    is_example : bool
        Whether the areas are made up.

    Returns
    -------
    Layout
        The map of England with all its 152 areas of 2014, where every area is one of them; otherwise blocks
        of tiles by region, in the order of the areas, which are no map of anything.
    """
    if not is_example and len(areas) and set(areas["area_code"]) <= set(TILES):
        spots = {
            code: Spot(tile.column - 1, tile.row - 1, tile.label, AREAS[code].region)
            for code, tile in TILES.items()
        }
        return Layout(spots, (), of_england=True)
    return _by_region(areas)


def _by_region(areas: pd.DataFrame) -> Layout:
    """Give each region a block of tiles with its name above, two blocks abreast."""
    rows = areas.assign(region=areas["region"].fillna("").replace("", NO_REGION))
    regions = list(rows.groupby("region", sort=False))
    spots, names, top = {}, [], 0
    for first in range(0, len(regions), ABREAST):
        beside = regions[first : first + ABREAST]
        for left, (region, inside) in zip(range(0, WIDTH, BLOCK + 1), beside, strict=False):
            names.append((str(region), left, top))
            for place, area in enumerate(inside.itertuples()):
                down, right = divmod(place, BLOCK)
                label = "".join(filter(str.isalnum, str(area.area_name)))[:LETTERS]
                spots[str(area.area_code)] = Spot(left + right, top + 1 + down, label, str(region))
        top += 1 + max(-(-len(inside) // BLOCK) for _, inside in beside)
    return Layout(spots, tuple(names), of_england=False)


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
