"""Revised editions: both are kept, and figures can be had as they stood on a day."""

from datetime import date

import pandas as pd
import pytest

from bcfstats.read.data import load
from bcfstats.read.prepare import prepare

HEAD = "area,metric,period,numerator,denominator,vintage"
FIRST = ["Leeds,reablement,2014/15,80,100,2015-10-01", "Kent,reablement,2014/15,170,200,2015-10-01"]
REVISED = ["Leeds,reablement,2014/15,76,100,2016-07-10"]


@pytest.fixture
def data(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "first.csv").write_text("\n".join([HEAD, *FIRST]) + "\n", encoding="utf-8")
    (raw / "revised.csv").write_text("\n".join([HEAD, *REVISED]) + "\n", encoding="utf-8")
    prepare(raw, tmp_path / "processed")
    return load(tmp_path / "processed")


def values(data):
    return dict(zip(data.observations["area_name"], data.observations["value"], strict=True))


def test_the_latest_edition_counts_and_the_earlier_is_kept(data):
    assert values(data) == {"Leeds": 76, "Kent": 85}
    assert data.earlier[["area_name", "value", "source"]].values.tolist() == [["Leeds", 80, "first.csv"]]


@pytest.mark.parametrize(
    ("day", "known"),
    [
        (date(2015, 9, 30), {}),
        (date(2015, 10, 1), {"Leeds": 80, "Kent": 85}),
        (date(2016, 7, 9), {"Leeds": 80, "Kent": 85}),
        (date(2016, 7, 10), {"Leeds": 76, "Kent": 85}),
    ],
)
def test_figures_as_they_stood_on_a_day(data, day, known):
    assert values(data.as_of(day)) == known


def test_an_edition_without_a_date_came_before_one_with_a_date(data):
    undated = data.earlier.assign(vintage=pd.NaT)
    moved = type(data)(data.observations, data.areas, data.others, data.manifest, earlier=undated)
    assert values(moved.as_of(date(2015, 1, 1))) == {"Leeds": 80}
