import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from bcfstats.define.metrics import METRICS
from bcfstats.judge.ambitions import COLUMNS
from bcfstats.judge.national import national_overview
from bcfstats.show.all_areas import overview_page
from bcfstats.show.charts.areas import funnel_of_plans, spread_of_plans

DAYS = METRICS["delayed_transfers"]


def plans(n=20):
    """Plans from -1 to -20 %, of which -11 to -20 are beyond usual movement."""
    size = -np.arange(1.0, n + 1)
    frame = pd.DataFrame(
        {
            "area_code": [f"X{i:02d}" for i in range(n)],
            "area_name": [f"Secretshire {i}" for i in range(n)],
            "metric": "delayed_transfers",
            "payment": "2015-04",
            "baseline_value": 100.0,
            "target_value": 100 + size,
            "baseline_denominator": np.linspace(1e4, 1e6, n),
            "minimum_significant_value": 89.5,
            "ambition_percent": size,
            "do_nothing_value": 100.0,
            "do_nothing_lower": 94.5,
            "do_nothing_upper": 110.0,
            "history_p": np.where(size < -10.5, 0.01, 0.4),
            "events_better": 1.0,
            "money_at_stake": np.nan,
            "verdict": "within_noise",
        }
    ).reindex(columns=COLUMNS)
    return national_overview(frame, pd.DataFrame({"area_code": [], "region": []}))


def test_funnel_says_how_many_plans_stand_out():
    chart = funnel_of_plans(plans().plans, DAYS, "2015-04")
    assert "20 plans ask for \u221220.0 to \u22121.0 %" in chart.alt
    assert "10 of them ask for more" in chart.alt
    assert len(chart.rows) == 20


def test_spread_says_how_many_plans_lie_within_the_forecast():
    chart = spread_of_plans(plans().plans, DAYS, "2015-04")
    assert "5 lie within" in chart.alt  # -1 to -5 against a lower limit of -5.5


@pytest.mark.parametrize("draw", [funnel_of_plans, spread_of_plans])
def test_too_few_plans_are_not_drawn(draw):
    assert draw(plans(4).plans, DAYS, "2015-04") is None


def overview(n=20, *, is_example=True):
    found = plans(n)
    areas = found.plans[["area_code", "area_name"]].assign(region="Secretia")
    return BeautifulSoup(overview_page(found, areas, METRICS, is_example=is_example), "html.parser")


def test_no_board_is_named_in_a_chart_of_plans_and_an_example_says_so():
    page = overview()
    charts = [figure for figure in page.find_all("figure") if figure.find("img")]
    assert len(charts) == 2
    assert not any("Secretshire" in str(chart) or "X01" in str(chart) for chart in charts)
    assert "made up" in page.header.get_text()
    assert overview(is_example=False).find("header") is None


def test_overview_counts_verdicts_and_maps_every_board():
    page = overview()
    tables = {table.caption.get_text(): table for table in page.find_all("table")}
    by_region = tables["Verdicts by region: number of targets, all metrics together"]
    assert [cell.get_text() for cell in by_region.tbody.find_all("tr")[-1].find_all("td")] == [
        *("0", "0", "20", "0", "0", "0", "0", "20")
    ]
    tiles = [use["href"] for use in page.find("svg", class_="map").find_all("use")]
    assert tiles.count("#verdict2") == 20
    assert len(tables["Verdicts of each area, as the maps show them"].tbody.find_all("tr")) == 20
    assert [int(tag.name[1]) for tag in page.find_all(["h1", "h2", "h3", "h4"])] == [1, 2, 2, 2, 3, 2, 3]
