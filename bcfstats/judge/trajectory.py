"""Trajectory: an ambition for a window phased by month or quarter, with the season."""

import numpy as np
import pandas as pd

from bcfstats.define.metrics import Metric, get_metric
from bcfstats.define.periods import Period
from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.outlook_months import history_panel
from bcfstats.judge.panel import monthly_panel
from bcfstats.stats.season import seasonal_indices

QUARTER = 3
FLAT = "no season could be measured: months are in proportion to their days"


def trajectory(
    observations: pd.DataFrame,
    metric: str | Metric,
    window: Period | str,
    area: str,
    total: float,
    *,
    by: str = "month",
) -> pd.DataFrame:
    """Phase a target for a window of months.

    It answers: what should the count be by the end of each month, or quarter, to be on the way to the target?

    Parameters
    ----------
    observations : DataFrame
        With the observation columns.
    metric : str or Metric
        A monthly metric.
    window : Period or str
        The months the target is for.
    area : str
        Area code.
    total : float
        The target as a count over the whole window (the target's value times the population and months, over
        the multiplier).
    by : "month" or "quarter"

    Returns
    -------
    DataFrame
        One row per month or quarter: `period`, `days`, `season` (month index, 1 is average), `share` of the
        total, `target`, `cumulative`, and a `note`.

    Raises
    ------
    ParameterError
        If the metric is not monthly, or `by` is not understood, or quarters do not fit the window.
    InputError
        If the area has no history before the window.

    Notes
    -----
    Each month's share is its days times the area's month index, shrunk to all areas (`seasonal_indices`),
    measured on months before the window.

    Examples
    --------
    >>> import pandas as pd
    >>> starts = pd.date_range("2011-04", periods=36, freq="MS")
    >>> rows = pd.DataFrame({"area_code": "X", "metric": "delayed_transfers", "period_start": starts,
    ...     "period_end": starts + pd.offsets.MonthEnd(0), "frequency": "month", "status": "ok",
    ...     "numerator": 10.0 * starts.days_in_month, "denominator": 100_000.0})
    >>> trajectory(rows, "delayed_transfers", "2014/15", "X", 3650, by="quarter")["target"].round(1).tolist()
    [910.0, 920.0, 920.0, 900.0]
    """
    metric = metric if isinstance(metric, Metric) else get_metric(metric)
    window = Period.parse(window) if isinstance(window, str) else window
    if metric.frequency != "month" or by not in ("month", "quarter"):
        raise ParameterError(
            "Only a monthly metric can be phased, by month or quarter.", found=f"{metric.id}, by {by}"
        )
    if by == "quarter" and window.n_months % QUARTER:
        raise ParameterError("The window is not whole quarters.", found=window.label, do="Phase it by month.")
    rows = observations.loc[observations["metric"] == metric.id]
    past = history_panel(monthly_panel(rows, metric.id), metric, window, None)
    if area not in past.area_codes:
        raise InputError("The area has no months before the window.", where=window.label, found=f"'{area}'")
    place = past.area_codes.index(area)
    index = seasonal_indices(past.counts, past.exposure, past.calendar_months).index[place]
    flat = not np.isfinite(index).all()
    index = np.ones(12) if flat else index
    days = np.array([month.days for month in window.months], dtype=float)
    season = np.array([index[month.start.month - 1] for month in window.months])
    share = days * season / (days * season).sum()
    table = pd.DataFrame(
        {
            "period": [month.label for month in window.months],
            "days": days.astype(int),
            "season": season,
            "share": share,
            "target": total * share,
        }
    )
    if by == "quarter":
        table = _by_quarter(table, window)
    return table.assign(cumulative=table["target"].cumsum(), note=FLAT if flat else "")


def _by_quarter(table: pd.DataFrame, window: Period) -> pd.DataFrame:
    months = window.months
    quarter = np.arange(len(months)) // QUARTER
    table = table.assign(weighted=table["season"] * table["days"])
    summed = table.groupby(quarter)[["days", "share", "target", "weighted"]].sum()
    labels = [
        Period(months[i].start, months[i + QUARTER - 1].end).label for i in range(0, len(months), QUARTER)
    ]
    return summed.assign(period=labels, season=summed["weighted"] / summed["days"]).reindex(
        columns=["period", "days", "season", "share", "target"]
    )
