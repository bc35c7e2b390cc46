"""Every area has a tile of its own; borders run where regions meet."""

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from bcfstats.define.areas import AREAS
from bcfstats.show.tile_map import Layout, Spot, answers, layout, tile_map


def table(codes, region="North"):
    return pd.DataFrame(
        {"area_code": codes, "area_name": [f"Area {code}" for code in codes], "region": region}
    )


@pytest.mark.parametrize("areas", [table([f"X{i}" for i in range(30)]), table(list(AREAS)[:40])])
def test_no_two_areas_share_a_tile(areas):
    plan = layout(areas, is_example=areas["area_code"][0].startswith("X"))
    places = [(spot.column, spot.row) for spot in plan.spots.values()]
    assert len(set(places)) == len(places) >= len(areas)
    assert set(areas["area_code"]) <= set(plan.spots)
    assert plan.height == max(row for _, row in places) + 1


def test_borders_of_one_tile_are_its_four_sides_and_of_two_alike_none_between():
    one = Layout({"a": Spot(0, 0, "A", "r")}, (), of_england=False)
    assert len(one.borders()) == 4
    alike = Layout({"a": Spot(0, 0, "A", "r"), "b": Spot(1, 0, "B", "r")}, (), of_england=False)
    assert len(alike.borders()) == 6
    apart = Layout({"a": Spot(0, 0, "A", "r"), "b": Spot(1, 0, "B", "s")}, (), of_england=False)
    assert len(apart.borders()) == 7


def test_a_map_has_a_tile_for_each_area_and_its_finding_in_words():
    plan = layout(table([f"X{i}" for i in range(5)]), is_example=True)
    seen = answers("verdict")
    drawn = str(tile_map(plan, {"X1": seen.names[0]}, seen, "Five areas & one answer"))
    assert "Five areas &amp; one answer" in drawn
    assert len(BeautifulSoup(drawn, "html.parser").find_all("use")) >= 5
