"""Areas beside each other: by hand where that can be done, and how often alike areas are told apart."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.errors import InputError, ParameterError
from bcfstats.example.data import example_data
from bcfstats.judge.side_by_side import ABOVE, BELOW, FUNNEL, WITHIN, compare_areas
from bcfstats.read.data import Data
from bcfstats.read.papers import peers_by


@pytest.fixture(scope="module")
def data():
    return example_data(n_areas=40)


def made(numerators, people, metric="reablement", years=("2013/14",)):
    """Yearly figures of areas named A, B and so on."""
    rows = [
        {
            "area_code": f"X{i:08d}",
            "area_name": f"Area {i:04d}",
            "metric": metric,
            "period_start": pd.Timestamp(f"{year[:4]}-04-01"),
            "period_end": pd.Timestamp(f"{int(year[:4]) + 1}-03-31"),
            "frequency": "year",
            "numerator": float(x),
            "denominator": float(n),
            "value": 100 * x / n if metric == "reablement" else 100_000 * x / n,
            "lower_ci": np.nan,
            "upper_ci": np.nan,
            "status": "ok",
            "status_note": "",
            "basis": "",
        }
        for year in years
        for i, (x, n) in enumerate(zip(numerators, people, strict=True))
    ]
    frame = pd.DataFrame(rows)
    areas = frame[["area_code", "area_name"]].drop_duplicates().assign(region="", area_type="")
    return Data(frame, areas.reset_index(drop=True), pd.DataFrame(), {})


def test_average_is_that_of_the_summed_counts():
    found = compare_areas(made([80, 10], [100, 20]), "reablement", ["Area 0000"], "2013/14")
    assert found.average == pytest.approx(100 * 90 / 120)  # not (80 + 50) / 2


def test_pair_is_newcombes_published_interval():
    """Newcombe (1998) Statistics in Medicine 17:873-890, method 10, example (a): 56/70 against 48/80."""
    found = compare_areas(made([48, 56], [80, 70]), "reablement", ["Area 0000", "Area 0001"], "2013/14")
    pair = found.pairs.iloc[0]
    assert [pair["change"], pair["lower"], pair["upper"]] == pytest.approx([20.0, 5.24, 33.39], abs=0.005)
    assert pair["finding"] == "higher"


def test_areas_that_are_alike_seldom_lie_outside_the_limits():
    """2,000 areas with one true share: about 2 in 1,000 lie beyond 99.8 % limits (exact tails are uneven)."""
    random = np.random.default_rng(7)
    people = random.integers(60, 600, 2000)
    counts = random.binomial(people, 0.8)
    found = compare_areas(made(counts, people), "reablement", [], "2013/14")
    outside = found.areas["position"].isin([ABOVE, BELOW]).mean()
    assert outside < 0.006  # 0.002 with a standard error of 0.001, and Wilson's tails by up to as much again
    assert found.between < 0.01  # a true spread of none


def test_spread_between_areas_is_found_and_widens_the_limits():
    random = np.random.default_rng(8)
    people = random.integers(200, 900, 1000)
    truth = random.normal(0.8, 0.05, 1000).clip(0.01, 0.99)
    found = compare_areas(made(random.binomial(people, truth), people), "reablement", [], "2013/14")
    # A normal spread winsorised at its tenths keeps 0.679 of its variance (z = 1.2816:
    # 0.8 - 2 z phi(z) + 0.2 z^2).
    sampling = np.mean(0.16 / people)
    left = np.sqrt(0.679 * (0.05**2 + sampling) - sampling)
    assert found.between == pytest.approx(left, rel=0.05)  # 1,000 areas: standard error 3 %
    counts = found.areas[["position", "unusual"]].isin([ABOVE, BELOW]).sum()
    assert counts["position"] > 10 * max(counts["unusual"], 1)


def test_funnel_drawn_is_the_funnel_judged_by():
    found = compare_areas(made([70, 95, 240], [100, 100, 300]), "reablement", [], "2013/14")
    funnel, areas = found.funnel, found.areas
    lower, upper = (
        np.interp(areas["exposure"], funnel["exposure"], funnel[f"{side}_{FUNNEL[1]:g}"])
        for side in ("lower", "upper")
    )
    inside = (areas["value"] >= lower) & (areas["value"] <= upper)
    assert inside.tolist() == (areas["position"] == WITHIN).tolist() == [True, False, True]


def test_rates_of_independent_events_have_a_funnel_and_delayed_days_have_none(data):
    assert compare_areas(data, "care_home_admissions", [], "2013/14").funnel is not None
    days = compare_areas(data, "delayed_transfers", [], "Apr-Dec 2014")
    assert days.funnel is None
    assert (days.areas["unusual"] == "not known").all()


def test_area_without_every_month_is_left_out_and_says_so(data):
    rows = data.observations
    gone = (
        (rows["area_code"] == "X06000001")
        & (rows["metric"] == "delayed_transfers")
        & (rows["period_start"] == "2014-05-01")
    )
    found = compare_areas(
        replace(data, observations=rows.loc[~gone]), "delayed_transfers", [], "Apr-Dec 2014"
    )
    row = found.areas.set_index("area_code").loc["X06000001"]
    assert np.isnan(row["value"])
    assert row["reason"] == "8 of 9 months have a usable figure"


def test_years_stop_at_a_change_of_definition(data):
    found = compare_areas(data, "care_home_admissions", [], "2014/15")
    assert found.years["period"].unique().tolist() == ["2014-04/2015-03"]
    assert (found.stayed, found.quarter) == (0, 0)
    assert METRICS["care_home_admissions"].breaks[0].date.isoformat() == "2014-04-01"


def test_who_stayed_in_the_lowest_quarter_is_counted_by_hand():
    first = made([10, 20, 30, 40, 50, 60, 70, 80], [100] * 8, years=("2012/13",)).observations
    second = made([30, 10, 20, 40, 50, 60, 70, 80], [100] * 8).observations
    both = pd.concat([first, second], ignore_index=True)
    data = made([1] * 8, [100] * 8)
    found = compare_areas(replace(data, observations=both), "reablement", [], "2013/14")
    assert (found.stayed, found.quarter) == (1, 2)  # 10 and 20 first; then the second area is among the two


def test_peers_of_the_first_area_are_marked(data):
    peers = peers_by("region", data.areas)
    found = compare_areas(data, "reablement", ["Aldamount", "Ilvacliff"], peers=peers)
    region = data.areas.set_index("area_code")["region"]
    marked = found.areas.loc[found.areas["role"] == "peer", "area_code"]
    assert set(marked) <= set(peers["X06000001"])
    assert set(region[marked]) == {region["X06000001"]}


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (("reablement", ["Aldamont"], "2013/14"), ParameterError),
        (("reablemnt", [], "2013/14"), ParameterError),
        (("reablement", [], "1998/99"), InputError),
    ],
)
def test_what_cannot_be_compared_is_told(data, given, error):
    with pytest.raises(error):
        compare_areas(data, *given)
