"""The tile map of England against the register of areas, and against where places are.

Latitudes and longitudes are those of the towns or the middle of the counties, in degrees to one decimal, as
any atlas has them.
"""

from collections import defaultdict

import numpy as np
import pytest
from scipy.stats import spearmanr

from bcfstats.define.areas import AREAS, TILES, find_area

PLACES = {
    "Northumberland": (55.3, -2.0),
    "Newcastle upon Tyne": (55.0, -1.6),
    "Sunderland": (54.9, -1.4),
    "Cumbria": (54.5, -3.2),
    "Middlesbrough": (54.6, -1.2),
    "York": (54.0, -1.1),
    "Leeds": (53.8, -1.5),
    "Kingston upon Hull": (53.7, -0.3),
    "Blackpool": (53.8, -3.0),
    "Liverpool": (53.4, -3.0),
    "Manchester": (53.5, -2.2),
    "Sheffield": (53.4, -1.5),
    "Lincolnshire": (53.1, -0.3),
    "Nottingham": (53.0, -1.1),
    "Derby": (52.9, -1.5),
    "Stoke-on-Trent": (53.0, -2.2),
    "Shropshire": (52.6, -2.7),
    "Birmingham": (52.5, -1.9),
    "Leicester": (52.6, -1.1),
    "Peterborough": (52.6, -0.2),
    "Norfolk": (52.7, 1.0),
    "Suffolk": (52.2, 1.0),
    "Herefordshire": (52.1, -2.7),
    "Gloucestershire": (51.8, -2.2),
    "Oxfordshire": (51.8, -1.3),
    "Essex": (51.8, 0.6),
    "Bristol": (51.5, -2.6),
    "Reading": (51.5, -1.0),
    "Westminster": (51.5, -0.1),
    "Kent": (51.2, 0.7),
    "Southampton": (50.9, -1.4),
    "Brighton and Hove": (50.8, -0.1),
    "Isle of Wight": (50.7, -1.3),
    "Bournemouth": (50.7, -1.9),
    "Somerset": (51.1, -2.9),
    "Devon": (50.7, -3.8),
    "Plymouth": (50.4, -4.1),
    "Cornwall": (50.4, -4.9),
    "Isles of Scilly": (49.9, -6.3),
}
NEIGHBOURS = [
    ("Westminster", "City of London"),
    ("Camden", "Islington"),
    ("Hackney", "Tower Hamlets"),
    ("Kent", "Medway"),
    ("Kent", "East Sussex"),
    ("Cornwall", "Plymouth"),
    ("Devon", "Torbay"),
    ("Devon", "Somerset"),
    ("Poole", "Bournemouth"),
    ("Liverpool", "Sefton"),
    ("Manchester", "Salford"),
    ("Birmingham", "Solihull"),
    ("Leicester", "Leicestershire"),
    ("Nottingham", "Nottinghamshire"),
    ("Derby", "Derbyshire"),
    ("Norfolk", "Suffolk"),
    ("Essex", "Thurrock"),
    ("Hull", "East Riding of Yorkshire"),
    ("Newcastle upon Tyne", "Gateshead"),
    ("Isle of Wight", "Southampton"),
    ("Croydon", "Sutton"),
]
ACROSS_WATER = {"Isles of Scilly"}


def tile(name):
    return TILES[find_area(name).area_code]


def test_every_area_has_one_tile_and_no_two_share_one():
    assert set(TILES) == set(AREAS)
    assert len({(found.column, found.row) for found in TILES.values()}) == len(AREAS) == 152


def test_labels_are_short_and_tell_areas_apart():
    labels = [found.label for found in TILES.values()]
    assert len(set(labels)) == 152
    assert all(2 <= len(label) <= 4 and label.isalpha() for label in labels)
    for code, found in TILES.items():  # the letters of a label come from the name, in its order
        rest = iter(AREAS[code].area_name.lower())
        assert all(letter in rest for letter in found.label.lower()), (found.label, AREAS[code].area_name)


def pieces(places):
    """Count groups of tiles that hang together by their edges."""
    left, found = set(places), 0
    while left:
        found, edge = found + 1, [left.pop()]
        while edge:
            column, row = edge.pop()
            for step in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                place = (column + step[0], row + step[1])
                if place in left:
                    left.remove(place)
                    edge.append(place)
    return found


def test_each_region_is_in_one_piece_but_for_scilly():
    regions = defaultdict(list)
    for code, found in TILES.items():
        if AREAS[code].area_name not in ACROSS_WATER:
            regions[AREAS[code].region].append((found.column, found.row))
    assert {region: pieces(places) for region, places in regions.items()} == dict.fromkeys(regions, 1)
    assert len(regions) == 9
    assert pieces([place for places in regions.values() for place in places]) == 1


def centre(region, axis):
    return np.mean([getattr(TILES[code], axis) for code, area in AREAS.items() if area.region == region])


def test_regions_lie_as_they_do():
    rows = ["North East", "Yorkshire and The Humber", "East Midlands", "East of England", "London"]
    assert [centre(region, "row") for region in rows] == sorted(centre(region, "row") for region in rows)
    assert centre("North West", "row") < centre("West Midlands", "row") < centre("South West", "row")
    assert centre("London", "row") < centre("South East", "row")
    for west, east in [
        ("North West", "Yorkshire and The Humber"),
        ("West Midlands", "East Midlands"),
        ("East Midlands", "East of England"),
        ("South West", "South East"),
        ("South East", "London"),
    ]:
        assert centre(west, "column") < centre(east, "column")


def test_tiles_lie_as_the_places_do():
    tiles = [tile(name) for name in PLACES]
    latitude, longitude = zip(*PLACES.values(), strict=True)
    assert spearmanr([found.row for found in tiles], latitude).statistic < -0.95
    assert spearmanr([found.column for found in tiles], longitude).statistic > 0.85


@pytest.mark.parametrize(("one", "other"), NEIGHBOURS)
def test_neighbours_touch(one, other):
    a, b = tile(one), tile(other)
    assert max(abs(a.column - b.column), abs(a.row - b.row)) == 1


def test_boroughs_of_london_make_a_block():
    london = [TILES[code] for code, area in AREAS.items() if area.region == "London"]
    columns, rows = ({getattr(found, axis) for found in london} for axis in ("column", "row"))
    assert len(columns) * len(rows) <= 35  # 33 boroughs
