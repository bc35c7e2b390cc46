"""Months laid out as areas by months: every month there, days by the calendar, gaps missing."""

import calendar

import numpy as np
import pandas as pd

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.judge.panel import longest_run, month_to_month_dispersion, monthly_panel

METRIC = METRICS["delayed_transfers"]


def test_areas_and_months_are_in_order_and_a_gap_is_missing(months):
    second = months([7.0, 8.0, 9.0, 10.0], area_code="X0").drop(index=2)
    panel = monthly_panel(pd.concat([months([1.0, 2.0, 3.0]), second], ignore_index=True), METRIC)
    assert panel.area_codes == ("X0", "X1")
    assert panel.months == Period.parse("Apr-Jul 2012").months
    assert np.array_equal(panel.counts, [[7, 8, np.nan, 10], [1, 2, 3, np.nan]], equal_nan=True)


def test_exposure_is_people_times_days_of_the_calendar(months):
    panel = monthly_panel(months([1.0] * 24, denominator=1000.0), METRIC)
    days = [calendar.monthrange(2012 + (3 + i) // 12, (3 + i) % 12 + 1)[1] for i in range(24)]
    assert panel.exposure.tolist() == [[1000.0 * n for n in days]]
    assert panel.until(Period.parse("2013-03")).days.tolist() == days[:12]


def test_the_longest_run_has_no_month_without_figures(months):
    rows = months([1.0] * 12).drop(index=[3])
    assert longest_run(monthly_panel(rows, METRIC)) == Period.parse("Aug 2012 - Mar 2013")
    assert longest_run(monthly_panel(rows.iloc[:0], METRIC)) is None


def test_dispersion_of_poisson_months_is_about_one_and_never_below(months):
    random = np.random.default_rng(5)
    areas = [months(random.poisson(200, 48).astype(float).tolist(), area_code=f"X{i}") for i in range(60)]
    found = month_to_month_dispersion(monthly_panel(pd.concat(areas, ignore_index=True), METRIC))
    assert (found >= 1).all()
    assert 1.0 < found.mean() < 1.3  # the mean of max(1, chi-squared with 35 degrees / 35) is 1.1
