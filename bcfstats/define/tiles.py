"""Where each upper-tier area of England stands on a map of equal tiles."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType


@dataclass(frozen=True)
class Tile:
    """The place of an area on the tile map.

    Attributes
    ----------
    area_code : str
        ONS code of 2014.
    label : str
        At most four letters, unlike those of any other tile.
    column, row : int
        From the west and from the north, both from 1.
    """

    area_code: str
    label: str
    column: int
    row: int


def _read_tiles(path: Path) -> dict[str, Tile]:
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["area_code"]: Tile(row["area_code"], row["label"], int(row["column"]), int(row["row"]))
            for row in csv.DictReader(file)
        }


TILES: Mapping[str, Tile] = MappingProxyType(_read_tiles(Path(__file__).with_name("tiles.csv")))
