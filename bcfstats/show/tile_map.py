"""Tile maps: one equal tile an area, its answer by colour and mark, and the area's label under it."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from bcfstats.define.areas import AREAS, TILES
from bcfstats.judge.national import NO_REGION
from bcfstats.judge.verdicts import VERDICTS
from bcfstats.show.page import fill

MOST_TILES = 500
WIDTH, BLOCK, ABREAST = 15, 7, 2  # in tiles: of every map, of a block; and how many blocks side by side
SIDE = 20  # units of the picture that a tile is wide and high
LETTERS = 4
BLANK, SEVERAL = "blank", "several"


@dataclass(frozen=True)
class Category:
    """One answer of several: its name in the results, its words, what it means, and how its tile is drawn."""

    name: str
    words: str
    meaning: str
    colour: str
    ink: str
    mark: str


@dataclass(frozen=True)
class Answers:
    """What is counted, findings on the past or verdicts on proposed targets: every answer there is."""

    id: str  # "finding" or "verdict"
    categories: tuple[Category, ...]  # in the order they are shown in
    nothing: str  # name of the answer that says nothing
    headline: tuple[str, ...]  # names of the answers to be said first
    of_one: str  # what is counted on one map
    of_all: str
    none: str  # what an area has that is in none

    @property
    def words(self) -> dict[str, str]:
        """What each answer is called inside a sentence, in order."""
        return {category.name: category.words for category in self.categories}

    @property
    def names(self) -> list[str]:
        """Names of the answers, in order."""
        return list(self.words)


@cache
def answers(name: str) -> Answers:
    """Give the answers called "finding" or "verdict"."""
    found = tomllib.loads(Path(__file__).with_name("answers.toml").read_text(encoding="utf-8"))[name]
    verdicts = {verdict: asdict(words) for verdict, words in VERDICTS.items()}
    categories = (
        Category(**{"words": entry["name"], **verdicts.get(entry["name"], {}), **entry})
        for entry in found.pop("category")
    )
    return Answers(name, tuple(categories), **found | {"headline": tuple(found["headline"])})


@dataclass(frozen=True)
class Spot:
    """The place of one area's tile, in tiles from the left and from the top, and its label."""

    column: int
    row: int
    label: str
    region: str


@dataclass(frozen=True)
class Layout:
    """A map of equal tiles."""

    spots: Mapping[str, Spot]  # by area code
    names: tuple[tuple[str, int, int], ...]  # of regions, each above its tiles; none on the map of England
    of_england: bool  # whether the tiles stand as its areas lie

    @property
    def height(self) -> int:
        """Number of rows."""
        return max((spot.row for spot in self.spots.values()), default=0) + 1

    def borders(self) -> list[tuple[int, int, bool]]:
        """Give the edges between regions and around them: where each begins, and whether it runs across."""
        region = {(spot.column, spot.row): spot.region for spot in self.spots.values()}
        edges = set()
        for (column, row), name in region.items():
            for edge, other in (
                ((column, row, True), (column, row - 1)),
                ((column, row + 1, True), (column, row + 1)),
                ((column, row, False), (column - 1, row)),
                ((column + 1, row, False), (column + 1, row)),
            ):
                if region.get(other) != name:
                    edges.add(edge)
        return sorted(edges)


def layout(areas: pd.DataFrame, *, is_example: bool) -> Layout:
    """Lay out the tiles: as the 152 areas of England lie where every area is one of them, else in blocks.

    Blocks of tiles by region, in the order of the areas, are no map of anything. More areas than can be told
    apart as tiles get none.
    """
    if len(areas) > MOST_TILES:
        return Layout({}, (), of_england=False)
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
            for i, area in enumerate(inside.itertuples()):
                down, right = divmod(i, BLOCK)
                label = "".join(filter(str.isalnum, str(area.area_name)))[:LETTERS]
                spots[str(area.area_code)] = Spot(left + right, top + 1 + down, label, str(region))
        top += 1 + max(-(-len(inside) // BLOCK) for _, inside in beside)
    return Layout(spots, tuple(names), of_england=False)


def tile_parts(plan: Layout, shown: Sequence[Answers]) -> Markup:
    """Write what all maps of a page share: a tile for each answer, labels and borders."""
    edges = "".join(
        f"M{column * SIDE} {row * SIDE}{'h' if across else 'v'}{SIDE}"
        for column, row, across in plan.borders()
    )
    return fill("tile_parts.html.j2", plan=plan, shown=shown, edges=edges, side=SIDE)


def tile_map(plan: Layout, by_area: Mapping[str, str], of: Answers, alt: str) -> Markup:
    """Draw a map from the parts on the same page: each area's category, several, or none."""
    names = {name: f"{of.id}{i}" for i, name in enumerate(of.names)} | {SEVERAL: SEVERAL}
    tiles = [
        (spot.column * SIDE, spot.row * SIDE, names.get(by_area.get(code, ""), BLANK))
        for code, spot in plan.spots.items()
    ]
    return fill("tile_map.html.j2", plan=plan, tiles=tiles, alt=alt, side=SIDE, width=WIDTH)
