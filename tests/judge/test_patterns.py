"""Trends, seasons, windows and published changes, against scipy, exact series and hand arithmetic."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.define.schemes import scheme
from bcfstats.judge.assessment import _same_windows, comparisons_of, latest_year
from bcfstats.judge.changes import change
from bcfstats.judge.panel import longest_run, month_to_month_dispersion, monthly_panel
from bcfstats.judge.patterns import season_table, trend_table
from tests.judge.made_up import outlook, panel, yearly

Z = 1.959963984540054
DAYS = METRICS["delayed_transfers"]


# Years


def test_shares_have_sens_slope_over_the_years():
    """scipy's Theil-Sen on the years since the first, a year being 365.25 days."""
    values = 70 + np.random.default_rng(1).normal(0, 3, (3, 8))
    found = trend_table(yearly("reablement", values, 300.0), METRICS["reablement"])
    days = np.array([(pd.Timestamp(2010 + k, 4, 1) - pd.Timestamp(2010, 4, 1)).days for k in range(8)])
    for row, series in zip(found.to_dict("records"), values, strict=True):
        assert row["slope"] == pytest.approx(stats.theilslopes(series, days / 365.25)[0])
        assert row["slope_lower"] < row["slope"] < row["slope_upper"]
    assert set(found["n"]) == {8}
    assert set(found["slope_unit"]) == {"percentage points"}
    assert set(found["period"]) == {"2010-04/2018-03"}


def test_four_years_have_no_slope_and_five_do():
    values = 70 + np.random.default_rng(2).normal(0, 3, (2, 5))
    values[0, 2] = np.nan
    found = trend_table(yearly("reablement", values, 300.0), METRICS["reablement"]).set_index("area_code")
    assert np.isnan(found.loc["X00", "slope"])
    assert found.loc["X00", "reason"] == "too few to test: 4 points"
    assert np.isfinite(found.loc["X01", "slope_upper"])
    assert found.loc["X01", "reason"] == ""


def test_scores_are_in_points():
    found = trend_table(yearly("carer_quality_of_life", np.full((1, 5), 8.0), 400.0),
                        METRICS["carer_quality_of_life"])  # fmt: skip
    assert found["slope_unit"][0] == "points"


def test_a_yearly_rate_that_falls_by_five_per_cent_has_that_slope():
    values = 600 * 0.95 ** np.arange(6) * np.linspace(0.8, 1.2, 25)[:, None]
    found = trend_table(yearly("care_home_admissions", values, 30_000.0, first=2007),
                        METRICS["care_home_admissions"])  # fmt: skip
    assert found["slope"].to_numpy() == pytest.approx(np.full(25, -5.0))
    assert set(found["slope_unit"]) == {"%"}
    assert (found["slope_lower"] <= found["slope"]).all()


def test_a_year_missing_in_the_middle_keeps_its_place():
    """600, 570 and then two years on: 0.95 to the power of the years, not of the figures."""
    values = 600 * 0.95 ** np.arange(6) * np.ones((25, 1))
    rows = yearly("care_home_admissions", values, 30_000.0, first=2007)
    rows = rows.loc[rows["period_start"] != "2009-04-01"]
    found = trend_table(rows, METRICS["care_home_admissions"])
    assert found["slope"].to_numpy() == pytest.approx(np.full(25, -5.0))
    assert set(found["n"]) == {5}


def test_only_the_years_since_the_last_break_count():
    """Care home admissions were redefined in April 2014: of 2011/12 to 2016/17 three years are left."""
    rng = np.random.default_rng(3)
    values = 600 * np.exp(rng.normal(0, 0.02, (25, 6)))
    found = trend_table(yearly("care_home_admissions", values, 30_000.0, first=2011),
                        METRICS["care_home_admissions"])  # fmt: skip
    assert set(found["n"]) == {3}
    assert set(found["period"]) == {"2014-04/2017-03"}


def test_no_usable_figures_are_no_table():
    rows = yearly("reablement", np.full((1, 5), 70.0), 300.0, status="suppressed")
    assert trend_table(rows, METRICS["reablement"]).empty
    assert trend_table(panel(n_areas=1, months=3).assign(status="suppressed"), DAYS).empty
    assert season_table(panel(n_areas=1, months=3).assign(status="suppressed"), DAYS).empty


# Months


def grown(per_year=0.1, winter=1.0, n_areas=25):
    """Daily counts that grow evenly, January and February higher; almost without noise."""
    rows = panel(n_areas=n_areas, months=48, wander=0.0)
    days = rows["period_start"].dt.days_in_month
    t = (rows["period_start"].dt.year - 2010) + (rows["period_start"].dt.month - 1) / 12
    high = np.where(rows["period_start"].dt.month <= 2, winter, 1.0)
    rows["numerator"] = np.round(1e6 * days * np.exp(per_year * t) * high)
    return rows


def test_monthly_growth_is_found_whatever_the_season():
    found = trend_table(grown(winter=1.3), DAYS)
    assert found["slope"].to_numpy() == pytest.approx(np.full(25, 100 * np.expm1(0.1)), rel=1e-3)
    assert set(found["period"]) == {"2010-04/2014-03"}
    assert set(found["n"]) == {48}


def test_month_indices_by_hand():
    """January and February at 1.3 times the rest, as daily rates; one line an area and calendar month."""
    found = season_table(grown(0.0, winter=1.3), DAYS)
    assert found["month"].tolist() == list(range(1, 13)) * 25
    one = found.loc[found["area_code"] == "X07"].set_index("month")
    ratio = one["index"] / one.loc[6, "index"]
    assert ratio.to_numpy() == pytest.approx([1.3, 1.3] + [1.0] * 10, rel=1e-4)
    assert one["national_index"].to_numpy() == pytest.approx(one["index"].to_numpy(), rel=1e-4)
    assert found["national_p"].eq(0).all()  # nothing but the season varies


def test_the_longest_stretch_counts_and_of_two_as_long_the_later(months):
    rows = pd.concat([months([5.0] * 6), months([6.0] * 6, "2013-04"), months([7.0] * 2, "2014-04")])
    assert longest_run(monthly_panel(rows, METRICS["delayed_transfers"])) == Period.parse("Apr-Sep 2013")
    assert longest_run(monthly_panel(rows.head(0), METRICS["delayed_transfers"])) is None


def test_half_of_the_areas_make_a_month(months):
    both, one = months([5.0] * 6), months([5.0] * 8, area_code="X2")
    assert longest_run(monthly_panel(pd.concat([both, one]), METRICS["delayed_transfers"])).n_months == 8
    third = months([5.0] * 6, area_code="X3")
    assert (
        longest_run(monthly_panel(pd.concat([both, one, third]), METRICS["delayed_transfers"])).n_months == 6
    )


def test_a_panel_without_any_population_counts_days(months):
    found = monthly_panel(months([5.0] * 3, denominator=np.nan), METRICS["delayed_transfers"])
    assert found.exposure.tolist() == [[30, 31, 30]]
    assert monthly_panel(months([5.0] * 3), METRICS["delayed_transfers"]).exposure[0, 1] == 31 * 100_000
    assert found.calendar_months.tolist() == [4, 5, 6]


def test_months_before_the_last_definition_of_an_area_are_left_out(months):
    rows = months([5.0] * 6, basis="old")
    rows.loc[rows["period_start"] >= "2012-07-01", "basis"] = "new"
    rows.loc[rows["period_start"] == "2012-09-01", "numerator"] = np.nan
    found = monthly_panel(rows, METRICS["delayed_transfers"]).on_last_basis()
    assert np.isfinite(found.counts[0]).tolist() == [False] * 3 + [True] * 2 + [False]


def test_dispersion_is_never_below_one_and_missing_with_few_months(months):
    found = monthly_panel(months([100.0] * 36), METRICS["delayed_transfers"])
    assert month_to_month_dispersion(found).tolist() == [1.0]
    assert np.isnan(month_to_month_dispersion(found.within(Period.parse("Apr-Sep 2012")))).all()
    assert (
        month_to_month_dispersion(monthly_panel(months([1.0]).head(0), METRICS["delayed_transfers"])).size
        == 0
    )


# Windows


def test_the_latest_year_is_the_last_twelve_months_in_a_row(months):
    rows = months([5.0] * 30)
    assert latest_year(rows, DAYS) == (
        Period.parse("Oct 2012 - Sep 2013"),
        Period.parse("Oct 2013 - Sep 2014"),
    )
    assert latest_year(months([5.0] * 12), DAYS)[1] == Period.parse("2012/13")
    assert latest_year(months([5.0] * 11), DAYS) is None


def test_the_latest_published_year_is_compared_with_the_last_of_the_same_months():
    rows = yearly("reablement", np.full((1, 3), 70.0), 300.0)
    metric = METRICS["reablement"]
    assert latest_year(rows, metric) == (Period.parse("2011/12"), Period.parse("2012/13"))
    assert latest_year(rows.head(1), metric) is None
    three = yearly("reablement", np.full((3, 3), 70.0), 300.0)
    later = three["period_start"] == three["period_start"].max()
    alone = three.loc[~later | (three["area_code"] == three["area_code"].min())]
    assert latest_year(three, metric)[1] == Period.parse("2012/13")
    assert latest_year(alone, metric)[1] == Period.parse("2011/12")  # one of three areas is not most
    half = rows.assign(period_start=rows["period_start"] + pd.DateOffset(months=6))
    assert latest_year(pd.concat([rows.head(2), half.tail(1)]), metric) is None


def test_a_payment_that_is_the_latest_year_is_not_compared_twice():
    rows = panel(n_areas=1, months=60)
    labels = [label for label, _, _ in comparisons_of(rows, DAYS, scheme("bcf-2013-12"))]
    assert labels == ["2015-04", "2015-10", "latest"]
    before = {label: pair for label, *pair in comparisons_of(rows, DAYS, scheme("bcf-2013-12"))}
    assert before["2015-04"] == [Period.parse("Apr-Dec 2013"), Period.parse("Apr-Dec 2014")]


# Published changes


def published(metric, first, second):
    rows = yearly(metric, np.array([[first[0], second[0]]]), 400.0, first=2013)
    rows["lower_ci"], rows["upper_ci"] = [first[1], second[1]], [first[2], second[2]]
    return change(rows, METRICS[metric], Period.parse("2013/14"), Period.parse("2014/15"), label="x").iloc[0]


def test_scores_with_published_limits_differ_by_hand():
    """18.0 and 18.6, each give or take 0.3: 0.6, give or take 0.3 times the root of 2."""
    found = published("care_related_quality_of_life", (18.0, 17.7, 18.3), (18.6, 18.3, 18.9))
    half = 0.3 * np.sqrt(2)
    assert found[["change", "change_lower", "change_upper"]].tolist() == pytest.approx(
        [0.6, 0.6 - half, 0.6 + half]
    )
    assert (found["change_unit"], found["finding"]) == ("points", "better")
    assert found["noise_p"] == pytest.approx(stats.norm.sf(0.6 / (half / Z)))


def test_standardised_rates_with_published_limits_have_a_ratio_by_hand():
    """2,000 to 1,600, limits 10 % apart each way on the log scale: a fifth less."""
    width = np.log(1.1)
    found = published("falls_injuries", (2000, 2000 / 1.1, 2200), (1600, 1600 / 1.1, 1760))
    limits = [100 * (0.8 * np.exp(sign * np.sqrt(2) * width) - 1) for sign in (-1, 1)]
    assert found[["change", "change_lower", "change_upper"]].tolist() == pytest.approx([-20.0, *limits])
    assert (found["change_unit"], found["finding"]) == ("%", "better")


def test_a_yearly_rate_has_a_rate_ratio():
    """130 of 20,000 and 104 of 20,000: a fifth less, one-sided p of the score test."""
    rows = yearly("care_home_admissions", np.array([[650.0, 520.0]]), 20_000.0, first=2011)
    found = change(rows, METRICS["care_home_admissions"], Period.parse("2011/12"), Period.parse("2012/13"),
                   label="x").iloc[0]  # fmt: skip
    assert found["change"] == pytest.approx(-20.0)
    z = (104 - 117) / np.sqrt(234 / 4)
    assert found["noise_p"] == pytest.approx(stats.norm.cdf(z))
    assert found["finding"] == "no clear change"


def test_history_is_only_held_against_the_same_baseline():
    """Figures to 2012/13: for 2014/15 the outlook starts two years back, so it says nothing of 2013/14."""
    rows = yearly("reablement", 70 + np.random.default_rng(3).normal(0, 2.0, (30, 3)), 300.0)
    before = Period.parse("2013/14")
    assert outlook(rows, "reablement", "2014/15").before == Period.parse("2012/13")
    assert _same_windows(outlook(rows, "reablement", "2014/15"), before) is None
    later = yearly("reablement", 70 + np.random.default_rng(3).normal(0, 2.0, (30, 4)), 300.0)
    assert _same_windows(outlook(later, "reablement", "2014/15"), before).before == before
    assert _same_windows(outlook(rows.head(0), "reablement", "2014/15"), before) is None


def test_a_trend_does_not_run_across_the_pandemic():
    """Level until 2019/20, 10 points more each year from 2022/23; the two years between are suspect."""
    metric = replace(METRICS["reablement"], breaks=())
    values = np.array([[100.0] * 4 + [50.0] * 2 + [60.0, 70.0, 80.0, 90.0]])
    rows = yearly("reablement", np.minimum(values, 95.0).repeat(3, axis=0), 400.0, first=2016)
    rows.loc[rows["period_start"].dt.year.isin([2020, 2021]), "status"] = "suspect"
    found = trend_table(rows, metric)
    assert found["period"].tolist() == ["2022-04/2026-03"] * 3
    assert found["n"].tolist() == [4] * 3
    assert (
        found["note"].tolist()
        == ["the COVID-19 pandemic lies between: a level before and one after, not a trend"] * 3
    )
    trusted = trend_table(rows.assign(status="ok"), metric)
    assert trusted["period"].tolist() == ["2016-04/2026-03"] * 3
    before = trend_table(rows.loc[rows["period_start"] < "2021"], metric)
    assert before["note"].tolist() == [""] * 3
