"""A goal for a year as a plan by month or quarter: season, days and the path of the work, in whole people."""

from datetime import date

import numpy as np
import pandas as pd

from bcfstats.define.metrics import Metric, get_metric
from bcfstats.define.periods import Period
from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.kinds import counted_by_month
from bcfstats.judge.outlook import Floats
from bcfstats.judge.outlook_monthly import history_panel
from bcfstats.judge.panel import monthly_panel
from bcfstats.judge.windows import Grid, in_parts, usable_rows
from bcfstats.read.observations import each_once
from bcfstats.stats.season import seasonal_indices

LENGTHS = {"month": 1, "quarter": 3}
PATHS = ("level", "step", "ramp")
FEWEST_COUNTED = 10_000  # below it the quarters of a year differ by chance about as much as by season
FLAT = "no season could be measured: periods are in proportion to their days"
NOT_COUNTED = "Only what is counted over a period can be phased, by month or quarter."


def phase(
    observations: pd.DataFrame,
    metric: str | Metric,
    window: Period | str,
    area: str,
    total: float,
    *,
    by: str = "month",
    path: str = "level",
    start: date | str | None = None,
    unchanged: float | None = None,
) -> pd.DataFrame:
    """Phase a year's count: what it should be in each month or quarter, in whole people that add up to it.

    A period's share is its days times the area's season, shrunk to all areas and measured before the window.
    With a step or a ramp from a start date the year's count would be `unchanged` without the work; from that
    day on all of the change is there, or it grows evenly to the end, and the year comes to `total`.
    """
    metric = metric if isinstance(metric, Metric) else get_metric(metric)
    window = Period.of(window)
    check_phases(metric, window, by)
    rows = each_once(observations)
    seasons = season_of(rows.loc[rows["metric"] == metric.id], metric, window)
    return phased(season_in(seasons, area, window), window, by, total, path, start, unchanged)


def check_phases(metric: Metric, window: Period, by: str) -> None:
    """Refuse what is not counted over a period, and a window that months or quarters do not fill."""
    if by not in LENGTHS or metric.nature != "flow" or not metric.kind.tells_events:
        raise ParameterError(NOT_COUNTED, found=f"{metric.id}, by {by}")
    if window.n_months % LENGTHS[by]:
        raise ParameterError("The window is not whole quarters.", found=window.label, do="Phase it by month.")


def season_in(seasons: pd.DataFrame, area: str, window: Period) -> Floats:
    """Take the index of an area from that of all (`season_of`)."""
    if area not in seasons.index:
        what = "The area has no figures before the window."
        raise InputError(what, where=window.label, found=f"'{area}'")
    return np.asarray(seasons.loc[area], dtype=float)


def phased(
    index: Floats,
    window: Period,
    by: str,
    total: float,
    path: str = "level",
    start: date | str | None = None,
    unchanged: float | None = None,
) -> pd.DataFrame:
    """Phase a count by the index of each calendar month, missing where none was measured."""
    note = "" if np.isfinite(index).all() else FLAT
    index = np.ones(12) if note else index
    days = np.array([month.days for month in window.months], dtype=float)
    season = index[[month.start.month - 1 for month in window.months]]
    weight = days * season
    by_month = _along(path, window, start, weight / weight.sum(), total, unchanged)
    periods = in_parts(window, LENGTHS[by])
    lasts, weight, exact = (
        values.reshape(len(periods), -1).sum(axis=1) for values in (days, weight, by_month)
    )
    target = whole_people(exact)
    return pd.DataFrame(
        {
            "period": [period.label for period in periods],
            "days": lasts.astype(int),
            "season": weight / lasts,
            "share": exact / exact.sum() if exact.sum() else weight / weight.sum(),
            "target": target,
            "cumulative": target.cumsum(),
            "note": note,
        }
    )


def whole_people(exact: Floats) -> Floats:
    """Round numbers to whole ones that add up to their rounded sum: the largest remainders are rounded up."""
    down = np.floor(exact + 1e-9)
    short = round(np.floor(exact.sum() + 0.5 + 1e-9) - down.sum())
    up = np.argsort(-np.round(exact - down, 9), kind="stable")[:short]
    down[up] += 1
    return down


def season_of(rows: pd.DataFrame, metric: Metric, window: Period) -> pd.DataFrame:
    """Give the index of each calendar month before a window in every area (1 is an average day), or NaN.

    By month the season is an area's own, shrunk to all areas; by quarter it is that of all areas together.
    """
    if counted_by_month(metric):
        past = history_panel(monthly_panel(rows, metric), metric, window, None)
        if not past.area_codes:
            return pd.DataFrame()
        index = seasonal_indices(past.counts, past.exposure, past.calendar_months).index
        return pd.DataFrame(np.asarray(index), index=list(past.area_codes))
    areas = rows.loc[pd.to_datetime(rows["period_end"]) < pd.Timestamp(window.start), "area_code"].unique()
    return pd.DataFrame([_by_quarter(rows, metric, window)] * len(areas), index=sorted(areas))


def _by_quarter(rows: pd.DataFrame, metric: Metric, window: Period) -> Floats:
    """Season of the quarters of up to five years before a window, of areas that have all of a year."""
    months = np.full(12, np.nan)
    if window.n_months != 12:
        return months
    grid = Grid(usable_rows(rows, metric), metric)
    counted, days = np.zeros(4), np.zeros(4)
    for back in range(1, 6):
        quarters = in_parts(window.shift_years(-back), 3)
        events = grid.pieces(quarters).numbers["events"]
        whole = np.isfinite(events).all(axis=1)
        counted += events[whole].sum(axis=0)
        days += whole.sum() * np.array([quarter.days for quarter in quarters])
    if counted.sum() >= FEWEST_COUNTED:
        index = (counted / days) / (counted.sum() / days.sum())
        months[[month.start.month - 1 for month in window.months]] = np.repeat(index, 3)
    return months


def _along(
    path: str, window: Period, start: date | str | None, share: Floats, total: float, unchanged: float | None
) -> Floats:
    """Spread a total over months by their shares and by how much of the change is there in each."""
    if path not in PATHS:
        raise ParameterError("There is no such path.", found=f"'{path}'", do=f"Use {', '.join(PATHS)}.")
    if path == "level":
        return total * share
    if start is None or unchanged is None:
        raise ParameterError(
            "A step or a ramp needs a start, and the count without any change.",
            do="Give start and unchanged.",
        )
    first = date.fromisoformat(str(start))
    there = np.array([_there(month, first, window.end, path) for month in window.months])
    weight = (share * there).sum()
    size = (unchanged - total) / weight if weight else np.inf
    if not size <= unchanged:
        raise ParameterError(
            "The work starts too late for this total: the change would be more than all there is.",
            where=window.label,
            found=f"from {first}, {unchanged:,.0f} to {total:,.0f}",
        )
    return np.asarray(unchanged * share - size * share * there)


def _there(month: Period, start: date, end: date, path: str) -> float:
    """Give the share of the change that is there over a month: all from a day on, or growing to the end."""
    days = np.arange(month.days) + (month.start - start).days
    if path == "step":
        return float((days >= 0).mean())
    return float(np.clip((days + 0.5) / max((end - start).days + 1, 1), 0, 1).mean())
