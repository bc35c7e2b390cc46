"""Trend and season of a metric in every area, from the stretch of its series that is one definition."""

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bcfstats.define.metrics import UNUSUAL, Metric
from bcfstats.define.periods import Period
from bcfstats.judge.kinds import counted_by_month
from bcfstats.judge.panel import NO_PANEL, Panel, longest_run, monthly_panel
from bcfstats.judge.windows import BOUNDARY, overlap, usable_rows, whole_years
from bcfstats.stats.kendall import mann_kendall, sens_slope
from bcfstats.stats.season import seasonal_indices, seasonality_test
from bcfstats.stats.trend import panel_trend, trend

FEWEST_FOR_INTERVAL = 5
DAYS_IN_YEAR = 365.25


def trend_table(rows: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Estimate the slope per year of one metric in every area, since its last series break.

    One row per area: slope with limits in `slope_unit` a year, `n` points, their period, method, note,
    reason.
    """
    return _monthly_trend(rows, metric) if counted_by_month(metric) else _annual_trend(rows, metric)


def season_table(rows: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Give the month indices of one monthly metric in every area, shrunk to all areas.

    One row per area and calendar month; `own_weight` is the share of the area's own departure that is kept,
    `national_p` a test of seasonality on the total of the areas with a figure in every month.
    """
    panel = _one_definition(monthly_panel(rows, metric), metric)
    if not panel.months:
        return pd.DataFrame()
    season = seasonal_indices(panel.counts, panel.exposure, panel.calendar_months)
    complete = np.isfinite(panel.counts).all(axis=1)
    total = seasonality_test(
        panel.counts[complete].sum(axis=0), panel.exposure[complete].sum(axis=0), panel.calendar_months
    )
    areas = len(panel.area_codes)
    return pd.DataFrame(
        {
            "area_code": np.repeat(panel.area_codes, 12),
            "metric": metric.id,
            "month": np.tile(np.arange(1, 13), areas),
            "index": season.index.ravel(),
            "lower": season.lower.ravel(),
            "upper": season.upper.ravel(),
            "national_index": np.tile(season.national_index, areas),
            "own_weight": season.own_weight.ravel(),
            "national_p": total.p_value,
            "note": np.repeat(np.asarray(season.note, dtype=str), 12),
            "reason": np.repeat(np.asarray(season.reason, dtype=str), 12),
        }
    )


def _monthly_trend(rows: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    panel = _one_definition(monthly_panel(rows, metric), metric)
    if not panel.months:
        return pd.DataFrame()
    found = trend(panel.counts, panel.exposure, panel.calendar_months)
    return pd.DataFrame(
        {
            "area_code": panel.area_codes,
            "metric": metric.id,
            "slope": found.percent_per_year,
            "slope_lower": found.lower,
            "slope_upper": found.upper,
            "slope_p": found.p_value,
            "slope_unit": "%",
            "n": found.n_months,
            "points": "months",
            "period": str(Period(panel.months[0].start, panel.months[-1].end)),
            "method": "log-linear trend with month effects, interval widened for autocorrelation",
            "note": found.note,
            "reason": np.asarray(found.reason, dtype=str),
        }
    )


def _annual_trend(rows: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    apart = metric.frequency not in ("month", "quarter") and not overlap(rows)
    good = usable_rows(rows, metric) if apart else whole_years(rows, metric)
    good = good.loc[np.isfinite(good["value"].to_numpy(dtype=float))]
    starts = pd.to_datetime(good["period_start"])
    good = good.loc[starts.dt.date >= _since(metric, good)]
    good, across = _after_the_unusual(good)
    good = _on_last_boundaries(good)
    if good.empty:
        return pd.DataFrame()
    values = good.pivot(index="area_code", columns="period_start", values="value")
    ends = pd.to_datetime(good["period_end"]).max()
    first = pd.Timestamp(values.columns.min())
    times = (pd.DatetimeIndex(values.columns) - first).days.to_numpy() / DAYS_IN_YEAR
    fit = _panel_slope if metric.kind.per_resident else _sens_slope
    n = np.isfinite(values.to_numpy(dtype=float)).sum(axis=1)
    return pd.DataFrame(
        {
            "area_code": values.index,
            "metric": metric.id,
            **fit(values, good, metric, times),
            "n": n,
            "points": "points",
            "period": str(Period(first.date(), ends.date())),
            "note": across,
        }
    )


def _panel_slope(
    values: pd.DataFrame, good: pd.DataFrame, metric: Metric, times: NDArray[np.float64]
) -> dict[str, object]:
    """Slope of the log rate, its error from how all areas shift between years; one column a year."""
    years = np.round(times).astype(int)
    rates = np.full((len(values), years.max() + 1), np.nan)
    rates[:, years] = values.to_numpy(dtype=float)
    counts = good.groupby("area_code")["events"].mean().reindex(values.index).to_numpy(dtype=float)
    noise = np.where(np.isfinite(counts) & (counts > 0), 1 / np.maximum(counts, 1), 0.0)
    fitted = panel_trend(rates, noise if metric.independent_events else 0.0)
    return {
        "slope": fitted.percent_per_year,
        "slope_lower": fitted.lower,
        "slope_upper": fitted.upper,
        "slope_p": fitted.p_value,
        "slope_unit": "%",
        "method": "log-linear trend, interval from how all areas shift between years",
        "reason": np.asarray(fitted.reason, dtype=str),
    }


def _sens_slope(
    values: pd.DataFrame, good: pd.DataFrame, metric: Metric, times: NDArray[np.float64]
) -> dict[str, object]:
    """Sen's slope of the values themselves; an interval only where there are points enough to test."""
    fitted = sens_slope(values.to_numpy(dtype=float), times)
    enough = fitted.n >= FEWEST_FOR_INTERVAL
    few = np.char.add(np.char.add("too few to test: ", fitted.n.astype(str)), " points")
    return {
        "slope": np.where(enough, fitted.slope, np.nan),
        "slope_lower": np.where(enough, fitted.lower, np.nan),
        "slope_upper": np.where(enough, fitted.upper, np.nan),
        "slope_p": np.where(enough, mann_kendall(values.to_numpy(dtype=float)).p_value, np.nan),
        "slope_unit": metric.points,
        "method": "Sen's slope",
        "reason": np.where(enough, np.asarray(fitted.reason, dtype=str), few),
    }


def _one_definition(panel: Panel, metric: Metric) -> Panel:
    """Cut a panel to its longest stretch without gaps, after the last series break in it."""
    run = longest_run(panel)
    if run is None:
        return NO_PANEL
    since = [one.date for one in metric.breaks if run.start < one.date <= run.end]
    return panel.within(Period(max(since, default=run.start), run.end)).on_last_basis()


def _on_last_boundaries(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep the figures of each area that are for its latest boundaries."""
    boundaries = rows["basis"].str.partition(BOUNDARY)[2] if len(rows) else rows["basis"]
    last = boundaries.groupby(rows["area_code"]).transform("last")
    return rows.loc[boundaries == last]


def _after_the_unusual(rows: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Keep the years after an unusual time that has figures on both sides and none of use in it; say so."""
    for time in UNUSUAL:
        starts, ends = rows["period_start"], rows["period_end"]
        before, after = starts < pd.Timestamp(time.start), ends > pd.Timestamp(time.end)
        if before.any() and after.any() and (before | (starts > pd.Timestamp(time.end))).all():
            return rows.loc[after & ~before], time.level
    return rows, ""


def _since(metric: Metric, rows: pd.DataFrame) -> date:
    last = pd.to_datetime(rows["period_end"]).max()
    dates = [one.date for one in metric.breaks if pd.Timestamp(one.date) <= last]
    return max(dates, default=date.min)
