"""The baseline: what a metric was over a window, in every area, and how sure that is."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bcfstats.define.levels import LEVELS
from bcfstats.define.metrics import Metric, get_metric
from bcfstats.define.periods import Period
from bcfstats.errors import ParameterError
from bcfstats.judge.kinds import Floats, chance
from bcfstats.judge.panel import Panel, month_to_month_dispersion, monthly_panel, usable
from bcfstats.stats.rows import critical_value

COLUMNS = [
    "area_code",
    "area_name",
    "metric",
    "period",
    "numerator",
    "denominator",
    "value",
    "lower",
    "upper",
    "n_expected",
    "n_present",
    "missing",
    "person_days",
    "basis",
    "method",
    "reason",
    "warnings",
]
AVERAGE = "numerators over denominators, average per month"
PUBLISHED = "as published"
HALF_A_DECIMAL = 0.05 + 1e-9


def baseline(
    observations: pd.DataFrame, metric: str | Metric, window: Period | str, area: str | None = None
) -> pd.DataFrame:
    """Compute the baseline of a metric over a window.

    It answers: what was the level, over which periods, and how sure is that?

    Parameters
    ----------
    observations : DataFrame
        With the observation columns, one row per area and period.
    metric : str or Metric
        Metric id or framework code, or a metric of one's own.
    window : Period or str
        For example "Apr-Dec 2013". Whole months for a monthly metric; the published period for others.
    area : str, optional
        One area's code; every area with any data if not given.

    Returns
    -------
    DataFrame
        One row per area: `numerator`, `denominator` (of a monthly metric the average of the months),
        `value` in the metric's unit with `lower` and `upper` (95 %), periods expected and present and those
        `missing`, `person_days`, `basis`, `method`, and `reason` where there is no value or no interval.
        The value of a monthly metric is the average per month; a missing month is left out, named, and
        never counted as zero.

    Raises
    ------
    ParameterError
        If the metric or area is unknown, or a monthly metric is asked for part of a month.

    Notes
    -----
    **Method.** Wilson (proportions) and exact or Byar (rates of independent events) intervals; for monthly
    counts that are not independent, the log interval with the area's own dispersion about its trend and
    season, which allows for month-to-month noise only. Published limits are kept where there are any.

    **When not to use.** To compare windows of different months, or windows on either side of a series break:
    a window with a break inside it has no baseline, and the reason says so.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"area_code": "E06000045", "area_name": "Southampton", "metric": "reablement",
    ...     "period_start": pd.to_datetime(["2015-04-01"]), "period_end": pd.to_datetime(["2016-03-31"]),
    ...     "frequency": "year", "numerator": 136.0, "denominator": 173.0, "value": 78.6,
    ...     "lower_ci": float("nan"), "upper_ci": float("nan"), "status": "ok", "status_note": "",
    ...     "basis": "SALT"})
    >>> baseline(rows, "reablement", "2015/16")[["value", "lower", "upper"]].round(1).values.tolist()
    [[78.6, 71.9, 84.1]]
    """
    metric = metric if isinstance(metric, Metric) else get_metric(metric)
    window = Period.parse(window) if isinstance(window, str) else window
    rows = observations.loc[observations["metric"] == metric.id]
    if area is not None:
        _check_area(rows, metric, area)
    found = (
        _monthly(rows, metric, window) if metric.frequency == "month" else _published(rows, metric, window)
    )
    found = _refuse_breaks(found, metric, window)
    return found if area is None else found.loc[found["area_code"] == area].reset_index(drop=True)


def window_sums(
    panel: Panel, columns: NDArray[np.int64], only: NDArray[np.bool_] | None = None
) -> dict[str, Floats]:
    """Add up the months of a window, leaving out those without a usable count.

    Parameters
    ----------
    panel : Panel
    columns : array of int
        The panel's columns in the window.
    only : array of bool, shape (areas, columns), optional
        The months to use; every month with a usable count if not given.

    Returns
    -------
    dict of arrays, shape (areas,)
        `numerator`, `denominator` (average of the months), `person_days`, `present` (months used).
    """
    counts, people, days = panel.counts[:, columns], panel.denominators[:, columns], panel.days[columns]
    used = np.isfinite(counts) if only is None else only
    present = used.sum(axis=1)
    share = np.where(present > 0, present, np.nan)
    return {
        "numerator": np.where(present > 0, np.where(used, counts, 0).sum(axis=1), np.nan),
        "denominator": np.where(used, people, 0).sum(axis=1) / share,
        "person_days": np.where(used, people * days, 0).sum(axis=1) / np.where(present > 0, 1, np.nan),
        "present": present.astype(float),
    }


def _monthly(rows: pd.DataFrame, metric: Metric, window: Period) -> pd.DataFrame:
    months = window.months
    panel = monthly_panel(rows, metric.id)
    columns = panel.columns(window)
    sums = window_sums(panel, columns)
    known = np.isfinite(panel.counts[:, columns])
    labels = np.array([panel.months[i].label for i in columns], dtype=object)
    beyond = [month.label for month in months if month not in panel.months]
    dispersion = month_to_month_dispersion(panel.until(window))
    with np.errstate(divide="ignore", invalid="ignore"):
        value = sums["numerator"] / (sums["denominator"] * sums["present"]) * metric.multiplier
        events = np.where(sums["numerator"] > 0, sums["numerator"], np.nan)
        spread = np.exp(critical_value(LEVELS.interval) * np.sqrt(dispersion / events))
    frame = pd.DataFrame(
        {
            "area_code": list(panel.area_codes),
            "metric": metric.id,
            "period": str(window),
            "numerator": sums["numerator"],
            "denominator": sums["denominator"],
            "value": value,
            "lower": value / spread,
            "upper": value * spread,
            "n_expected": len(months),
            "n_present": sums["present"].astype(int),
            "missing": ["; ".join([*labels[~row], *beyond]) for row in known],
            "person_days": sums["person_days"],
        }
    )
    frame["reason"] = np.where(frame["n_present"] == 0, "no month of it has a usable figure", "")
    no_rate = (frame["reason"] == "") & ~np.isfinite(frame["value"])
    frame.loc[no_rate, "reason"] = "no population for these months, so no rate"
    no_interval = (frame["reason"] == "") & ~np.isfinite(frame["lower"])
    frame.loc[no_interval, "reason"] = "no interval: too few months before it to measure month-to-month noise"
    frame["method"] = np.where(
        np.isfinite(frame["lower"]), f"{AVERAGE}; interval from month-to-month dispersion", AVERAGE
    )
    return _described(frame, rows, window)


def _published(rows: pd.DataFrame, metric: Metric, window: Period) -> pd.DataFrame:
    good = usable(rows, metric.id)
    good = _inside(good, window)
    if metric.frequency not in ("wave", "quarter"):
        good = good.loc[pd.to_datetime(good["period_start"]) == pd.Timestamp(window.start)]
        good = good.loc[pd.to_datetime(good["period_end"]) == pd.Timestamp(window.end)]
    good = good.sort_values(["area_code", "period_end"]).groupby("area_code").tail(1)
    areas = pd.Index(sorted(rows["area_code"].unique()), name="area_code")
    wanted = good.set_index("area_code").reindex(areas)
    numerator, denominator, value, lower_ci, upper_ci = (
        wanted[name].to_numpy(dtype=float)
        for name in ("numerator", "denominator", "value", "lower_ci", "upper_ci")
    )
    lower, upper, method, reason = interval_of(metric, numerator, denominator, value, lower_ci, upper_ci)
    present = np.isfinite(value)
    nothing = _why_missing(rows, areas, window)
    frame = pd.DataFrame(
        {
            "area_code": areas,
            "metric": metric.id,
            "period": str(window),
            "numerator": numerator,
            "denominator": denominator,
            "value": value,
            "lower": lower,
            "upper": upper,
            "n_expected": 1,
            "n_present": present.astype(int),
            "missing": np.where(present, "", window.label),
            "person_days": denominator * window.days,
            "method": method,
            "reason": np.where(present, reason, nothing),
        }
    )
    return _described(frame, rows, window)


def interval_of(
    metric: Metric,
    numerator: Floats,
    denominator: Floats,
    value: Floats,
    lower_ci: Floats,
    upper_ci: Floats,
) -> tuple[Floats, Floats, NDArray[np.str_], NDArray[np.str_]]:
    """Give one published figure per row its 95 % interval, by the metric's kind.

    Returns
    -------
    lower, upper, method, reason : arrays, shape (rows,)
        Published limits where there are any; else Wilson or exact/Byar where the counts allow it; else NaN
        with the reason.
    """
    published = np.isfinite(lower_ci) & np.isfinite(upper_ci)
    numerator = _unrounded(numerator, denominator, value, metric.multiplier)
    interval = chance(metric).interval
    made = interval(metric, numerator, denominator) if interval else None
    lower = lower_ci if made is None else np.where(published, lower_ci, made.lower)
    upper = upper_ci if made is None else np.where(published, upper_ci, made.upper)
    known = np.isfinite(lower) & np.isfinite(upper) & np.isfinite(value)
    method = np.where(
        published | ~known, PUBLISHED, "" if made is None else np.asarray(made.method, dtype=str)
    )
    reason = np.where(known, "", "no interval: none is published and the counts to make one are not")
    return np.where(known, lower, np.nan), np.where(known, upper, np.nan), method, reason


def _unrounded(numerator: Floats, denominator: Floats, value: Floats, multiplier: float) -> Floats:
    """Take the numerator from the published value where the published counts were rounded.

    Counts are known to be rounded where their quotient is further from the value than the value's own
    rounding, to one decimal place, allows.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.abs(numerator / denominator * multiplier - value) > HALF_A_DECIMAL
    return np.where(apart, value / multiplier * denominator, numerator)


def _why_missing(rows: pd.DataFrame, areas: pd.Index, window: Period) -> NDArray[np.object_]:
    """Say for each area why a window has no usable figure, in the publisher's words where there are any."""
    told = _inside(rows, window).groupby("area_code")[["status", "status_note"]].last().reindex(areas)
    status = told["status"].fillna("").astype(str).str.replace("_", " ")
    note = told["status_note"].fillna("").astype(str)
    words = status + np.where(note != "", ": " + note, "")
    return np.where(status == "", "none is in the data", "it is marked " + words)


def _described(frame: pd.DataFrame, rows: pd.DataFrame, window: Period) -> pd.DataFrame:
    """Add names, the basis in force and warnings."""
    inside = _inside(rows, window)
    names = rows.groupby("area_code")["area_name"].last()
    frame["area_name"] = frame["area_code"].map(names)
    bases, notes = (_joined(inside, column) for column in ("basis", "status_note"))
    frame["basis"] = [bases.get(code, "") for code in frame["area_code"]]
    partial = (frame["n_present"] > 0) & (frame["n_present"] < frame["n_expected"])
    missing = (
        frame["n_present"].astype(str)
        + " of "
        + frame["n_expected"].astype(str)
        + " months have a usable figure; the average is over those (missing: "
        + frame["missing"].astype(str)
        + ")"
    )
    frame["warnings"] = [
        "; ".join(filter(None, (warning, notes.get(code, ""))))
        for code, warning in zip(frame["area_code"], np.where(partial, missing, ""), strict=True)
    ]
    return frame[COLUMNS].sort_values("area_code", ignore_index=True)


def _joined(rows: pd.DataFrame, column: str) -> dict[str, str]:
    """Join the distinct texts of a column, per area."""
    told = rows.loc[rows[column].fillna("").astype(str) != "", ["area_code", column]].drop_duplicates()
    texts: dict[str, list[str]] = {}
    for code, text in told.itertuples(index=False):
        texts.setdefault(str(code), []).append(text)
    return {code: "; ".join(found) for code, found in texts.items()}


def _inside(rows: pd.DataFrame, window: Period) -> pd.DataFrame:
    """Keep the rows whose period lies in a window."""
    begins = pd.to_datetime(rows["period_start"]) >= pd.Timestamp(window.start)
    return rows.loc[begins & (pd.to_datetime(rows["period_end"]) <= pd.Timestamp(window.end))]


def _refuse_breaks(frame: pd.DataFrame, metric: Metric, window: Period) -> pd.DataFrame:
    """Take the value away where the definition changes inside the window, and say why."""
    inside = [found for found in metric.breaks if window.start < found.date <= window.end]
    reason = pd.Series("", index=frame.index)
    if inside:
        reason[:] = f"series break inside the window on {inside[0].date}: {inside[0].what}"
    mixed = frame["basis"].str.contains("; ", regex=False)
    reason = reason.where((reason != "") | ~mixed, "two definitions inside the window: " + frame["basis"])
    broken = reason != ""
    frame.loc[broken, ["value", "lower", "upper"]] = np.nan
    frame.loc[broken, "reason"] = reason[broken]
    return frame


def _check_area(rows: pd.DataFrame, metric: Metric, area: str) -> None:
    if area not in set(rows["area_code"]):
        raise ParameterError(
            f"There are no observations of {metric.id} for this area.",
            found=f"'{area}'",
            do="Give an area code that is in the observations; find_area turns a name into its code.",
        )
