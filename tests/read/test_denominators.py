"""Populations joined to counts."""

import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.read.denominators import check_denominators, join_denominators
from bcfstats.read.observations import OBSERVATION_TYPES, POPULATION_TYPES, typed

LEEDS, BRADFORD = "E08000035", "E08000032"


def days(*months, area=LEEDS):
    return typed(
        [{"area_code": area, "metric": "delayed_transfers", "period_start": f"{month}-01", "status": "ok",
          "period_end": pd.Timestamp(month) + pd.offsets.MonthEnd(0), "frequency": "month", "numerator": 300}
         for month in months], OBSERVATION_TYPES,
    )  # fmt: skip


def people(series, numbers, *, area=LEEDS, group="18+", basis="ONS", estimated=False):
    return typed(
        [{"area_code": area, "year": year, "age_group": group, "population": number, "series": series,
          "basis": basis, "source": f"{series}.csv", "estimated": estimated}
         for year, number in numbers.items()],
        POPULATION_TYPES,
    )  # fmt: skip


def test_the_mid_year_of_the_financial_year_counts():
    populations = people("derived table", {2012: 100_000, 2013: 200_000, 2014: 400_000})
    joined = join_denominators(days("2013-03", "2013-04", "2014-03", "2014-04"), populations, METRICS).frame
    assert joined["denominator"].tolist() == [100_000, 200_000, 200_000, 400_000]
    assert joined["value"].tolist() == [300, 150, 150, 75]
    assert joined["status_note"].tolist() == [""] * 4


def test_one_series_serves_all_years_of_a_metric():
    # two years published by age would make a step where they begin; the estimate covers all four
    estimate = people("derived table", dict.fromkeys(range(2012, 2016), 100_000), estimated=True)
    published = people("published by age", {2014: 130_000, 2015: 130_000})
    rows = days("2012-05", "2013-05", "2014-05", "2015-05")
    joined = join_denominators(rows, pd.concat([published, estimate]), METRICS)
    assert joined.frame["denominator"].tolist() == [100_000] * 4
    assert joined.frame["source"].str.contains("derived table.csv (estimate)", regex=False).all()
    later = join_denominators(rows.tail(2), pd.concat([estimate, published]), METRICS).frame
    assert later["denominator"].tolist() == [130_000] * 2  # where both cover as much, the published one


def test_the_nearest_year_is_taken_and_said():
    populations = people("derived table", {2012: 100_000, 2013: 100_000})
    joined = join_denominators(days("2011-05", "2012-05", "2013-05"), populations, METRICS).frame
    assert joined["status_note"].tolist() == ["population of mid-2012 in place of mid-2011", "", ""]


def test_another_series_is_taken_for_an_area_and_said():
    populations = pd.concat(
        [
            people("derived table", {2012: 1e5, 2013: 1e5}),
            people("published by age", {2013: 5e4}, area=BRADFORD),
        ]
    )
    rows = pd.concat([days("2012-05", "2013-05"), days("2013-05", area=BRADFORD)], ignore_index=True)
    joined = join_denominators(rows, populations, METRICS)
    assert joined.frame["status_note"].tolist() == [
        "",
        "",
        "population from another source than for other areas",
    ]
    assert "1 from another source" in joined.notes[0]


def test_a_count_without_population_keeps_its_count_and_says_why():
    joined = join_denominators(days("2013-05"), people("derived table", {2013: 1e5}, group="all"), METRICS)
    row = joined.frame.iloc[0]
    assert row["numerator"] == 300
    assert pd.isna(row["value"])
    assert row["status_note"] == "no population (18 and over) for this area: no rate"
    assert "no population" in joined.notes[0]


def test_given_values_and_denominators_are_left_alone():
    rows = days("2013-05").assign(denominator=5.0, value=7.0)
    joined = join_denominators(rows, people("derived table", {2013: 1e5}), METRICS)
    pd.testing.assert_frame_equal(joined.frame, rows)


def admissions(denominator):
    return typed(
        [{"area_code": LEEDS, "metric": "care_home_admissions", "period_start": "2015-04-01", "status": "ok",
          "period_end": "2016-03-31", "numerator": 100, "denominator": denominator}],
        OBSERVATION_TYPES,
    )  # fmt: skip


@pytest.mark.parametrize(("denominator", "passed"), [(100_000, True), (101_900, True), (97_000, False)])
def test_a_denominator_far_from_the_population_is_suspect(denominator, passed):
    populations = people("published by age", {2015: 100_000}, group="65+")
    frame, checks = check_denominators(admissions(denominator), populations, METRICS)
    assert checks[0].passed == passed
    assert frame["status"].tolist() == ["ok" if passed else "suspect"]


def test_a_neighbours_denominator_is_named():
    populations = pd.concat(
        [people("published by age", {2015: 100_000}, group="65+"),
         people("published by age", {2015: 71_234}, group="65+", area=BRADFORD)]
    )  # fmt: skip
    frame, checks = check_denominators(admissions(71_234), populations, METRICS)
    assert "which is that of E08000032" in frame["status_note"].iloc[0]
    assert "its population is 100,000" in checks[0].detail


def test_published_denominators_are_the_ons_populations(data, prepared):
    checks = {check["name"]: check for check in prepared.manifest["checks"]}
    check = checks["care_home_admissions: denominators agree with ONS populations"]
    assert check["detail"] == "456 of 456 denominators"
