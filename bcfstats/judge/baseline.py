"""The baseline: what a metric was over a window, in every area, and how sure that is."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bcfstats.define.levels import LEVELS
from bcfstats.define.metrics import Metric, get_metric
from bcfstats.define.periods import Period
from bcfstats.errors import ParameterError
from bcfstats.judge.kinds import Floats, chance, counted_by_month, scatters_by_month
from bcfstats.judge.panel import month_to_month_dispersion, monthly_panel
from bcfstats.judge.windows import NOT_EXACT, USABLE, in_window, with_basis
from bcfstats.read.observations import each_once
from bcfstats.stats.monthly_model import month_noise
from bcfstats.stats.rows import critical_value

COLUMNS = [
    "area_code",
    "area_name",
    "metric",
    "period",
    "numerator",
    "denominator",
    "exposure",
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
COMPARED = ("events", "used", "shared", "word", "dispersion")
ADDED, WEIGHTED = "numerators over denominators", "values weighted by the people asked"
TOO_FEW = "no interval: too few months before it to measure month-to-month noise"
FROM_MONTHS = "interval from how months scatter, of the area and of all areas"
PUBLISHED = "as published"


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
        For example "Apr-Dec 2013": a published period, or one that published months, quarters or years add up
        to exactly. Whole months for a monthly metric.
    area : str, optional
        One area's code; every area with any data if not given.

    Returns
    -------
    DataFrame
        One row per area: `numerator`, `denominator` (of a population the average of the periods, of people
        counted one by one their sum), `exposure` (what the value is per), `value` in the metric's unit with
        `lower` and `upper` (95 %), periods expected and present and those `missing`, `person_days`, `basis`,
        `method`, and `reason` where there is no value or no interval. A rate over several periods is the
        average per period, a stock the average of its counts; a missing period is left out, named, and never
        counted as zero. What the periods cannot be added up to has no value, and the reason says so.

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
    window = Period.of(window)
    observations = each_once(observations)
    rows = observations.loc[observations["metric"] == metric.id]
    if area is not None:
        _check_area(rows, metric, area)
    figures = window_figures(rows, metric, window)[COLUMNS]
    return figures if area is None else figures.loc[figures["area_code"] == area].reset_index(drop=True)


def window_figures(
    rows: pd.DataFrame, metric: Metric, window: Period, same_as: Period | None = None
) -> pd.DataFrame:
    """Give a metric over a window in every area; with `same_as`, over the periods that both years have.

    The columns are those of `baseline`, with `used` (the periods in words), `word` for them,
    `shared` (whether both years have any of them) and `dispersion`.
    """
    if metric.frequency == "month":
        _ = window.months  # part of a month is refused
    if rows.empty:
        return pd.DataFrame(columns=[*COLUMNS, *COMPARED])
    rows = with_basis(rows)
    frame = in_window(rows, metric, window, same_as)
    frame = frame.assign(metric=metric.id, period=str(window), dispersion=1.0)
    if counted_by_month(metric):
        frame = _with_month_to_month_interval(frame, rows, metric, window)
    elif scatters_by_month(metric):
        frame = _with_interval_of_months(frame, rows, metric, window)
    else:
        names = ("events", "exposure", "value", "lower_ci", "upper_ci")
        numbers = (frame[name].to_numpy(dtype=float) for name in names)
        frame["lower"], frame["upper"], frame["method"], frame["no_interval"] = interval_of(metric, *numbers)
    several, one = frame["n_expected"] > 1, frame["word"].str[:-1]
    added = WEIGHTED if metric.kind.is_survey else ADDED
    added = added + (", average per " + one if metric.kind.per_resident else one.str[:0])
    by_counts = (frame["method"] != PUBLISHED) & (frame["method"] != "")
    frame["method"] = frame["method"].where(~several, added.where(~by_counts, added + "; " + frame["method"]))
    nothing = _why_missing(rows, frame["area_code"], window)
    nothing = np.where(several, "no " + one + " of it has a usable figure; of the last, " + nothing, nothing)
    nothing = np.where(frame["reason"] != "", frame["reason"], nothing)
    no_rate = "no population for these " + frame["word"] + ", so no rate"
    frame["reason"] = np.select(
        [frame["n_present"] == 0, frame["value"].isna()], [nothing, no_rate], default=frame["no_interval"]
    )
    return _refuse_breaks(_described(frame, rows, metric, window, same_as is not None), metric, window)


def _with_month_to_month_interval(
    frame: pd.DataFrame, rows: pd.DataFrame, metric: Metric, window: Period
) -> pd.DataFrame:
    """Give monthly rates the log interval with each area's own dispersion about its trend and season."""
    panel = monthly_panel(rows, metric).until(window)
    measured = pd.Series(month_to_month_dispersion(panel), index=list(panel.area_codes), dtype=float)
    dispersion = measured.reindex(frame["area_code"]).to_numpy(dtype=float)
    value, events = (frame[name].to_numpy(dtype=float) for name in ("value", "events"))
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(dispersion / np.where(events > 0, events, np.nan))
    spread = np.exp(critical_value(LEVELS.interval) * error)
    known = np.isfinite(value * spread)
    return frame.assign(
        dispersion=dispersion,
        lower=value / spread,
        upper=value * spread,
        method=np.where(known, "interval from month-to-month dispersion", ""),
        no_interval=np.where(known, "", TOO_FEW),
    )


def _with_interval_of_months(
    frame: pd.DataFrame, rows: pd.DataFrame, metric: Metric, window: Period
) -> pd.DataFrame:
    """Give quotients of monthly counts an interval from how the area's and the panel's months scatter."""
    panel = monthly_panel(rows, metric)
    on_logs = metric.kind.scale == "ratio"
    with np.errstate(divide="ignore", invalid="ignore"):
        values = panel.counts / panel.denominators * metric.multiplier
        values = np.log(values) if on_logs else values
    values[~np.isfinite(values)] = np.nan
    columns = panel.columns(window)
    weights = np.where(np.isfinite(values[:, columns]), panel.denominators[:, columns], 0.0)
    half = pd.Series(month_noise(values).half_width(weights, LEVELS.interval), index=list(panel.area_codes))
    value = frame["value"].to_numpy(dtype=float)
    by = half.reindex(frame["area_code"]).to_numpy(dtype=float)
    low, high = (value / np.exp(by), value * np.exp(by)) if on_logs else (value - by, value + by)
    known = np.isfinite(low) & np.isfinite(high)
    return frame.assign(
        lower=np.clip(low, *metric.bounds),
        upper=np.clip(high, *metric.bounds),
        method=np.where(known, FROM_MONTHS, ""),
        no_interval=np.where(known, "", TOO_FEW),
    )


def interval_of(
    metric: Metric,
    events: Floats,
    denominator: Floats,
    value: Floats,
    lower_ci: Floats,
    upper_ci: Floats,
) -> tuple[Floats, Floats, NDArray[np.str_], NDArray[np.str_]]:
    """Give one figure per row its interval, by the metric's kind: lower, upper, method, reason.

    Published limits where there are any; else from the counts where they allow it; else NaN with the reason.
    """
    published = np.isfinite(lower_ci) & np.isfinite(upper_ci)
    interval = chance(metric).interval
    made = interval(events, denominator, multiplier=metric.multiplier) if interval else None
    lower = lower_ci if made is None else np.where(published, lower_ci, made.lower)
    upper = upper_ci if made is None else np.where(published, upper_ci, made.upper)
    known = np.isfinite(lower) & np.isfinite(upper) & np.isfinite(value)
    method = np.where(
        published | ~known, PUBLISHED, "" if made is None else np.asarray(made.method, dtype=str)
    )
    reason = np.where(known, "", "no interval: none is published and the counts to make one are not")
    return np.where(known, lower, np.nan), np.where(known, upper, np.nan), method, reason


def _why_missing(rows: pd.DataFrame, areas: "pd.Series[str]", window: Period) -> NDArray[np.object_]:
    """Say for each area why a window has no usable figure, in the publisher's words where there are any."""
    told = _inside(rows, window).groupby("area_code")[["status", "status_note"]].last().reindex(areas)
    status = told["status"].fillna("").astype(str).str.replace("_", " ")
    note = told["status_note"].fillna("").astype(str)
    words = status + np.where(note != "", ": " + note, "")
    bare = np.where(note != "", "it has no value and no counts: " + note, "it has no value and no counts")
    told = np.where(status.isin(USABLE), bare, "it is marked " + words)
    return np.where(status == "", "none is in the data", told)


def _described(
    frame: pd.DataFrame, rows: pd.DataFrame, metric: Metric, window: Period, matched: bool
) -> pd.DataFrame:
    """Add names, the basis in force and warnings."""
    inside = _inside(rows, window)
    names = rows.groupby("area_code")["area_name"].last()
    frame["area_name"] = frame["area_code"].map(names)
    frame["basis"], notes = (_joined(inside, name, frame["area_code"]) for name in ("basis", "status_note"))
    partial = (frame["n_present"] > 0) & (frame["n_present"] < frame["n_expected"])
    present, expected = frame["n_present"].astype(str), frame["n_expected"].astype(str)
    whose = "in both years; each figure is of those, without" if matched else "; it is of those, without"
    have = present + " of " + expected + " " + frame["word"] + " have a usable figure "
    missing = (have + whose + " " + frame["missing"]).str.replace(" ;", ";")
    apart = ((frame["events"] - frame["numerator"]).abs() > 0) & metric.kind.is_exact
    remarks = zip(np.where(partial, missing, ""), notes, np.where(apart, NOT_EXACT, ""), strict=True)
    frame["warnings"] = ["; ".join(filter(None, texts)) for texts in remarks]
    return frame[[*COLUMNS, *COMPARED]].sort_values("area_code", ignore_index=True)


def _joined(rows: pd.DataFrame, column: str, areas: "pd.Series[str]") -> NDArray[np.object_]:
    """Join the distinct texts of a column, per area."""
    given = rows.loc[rows[column].fillna("").astype(str) != "", ["area_code", column]].drop_duplicates()
    several = given["area_code"].duplicated(keep=False)
    alone = given.loc[~several].set_index("area_code")[column].astype(object)
    both = given.loc[several].groupby("area_code")[column].agg("; ".join).astype(object)
    texts = pd.concat([alone, both]).reindex(areas).to_numpy(dtype=object)
    return np.where(pd.isna(texts), "", texts)


def _inside(rows: pd.DataFrame, window: Period) -> pd.DataFrame:
    """Keep the rows whose period lies in a window."""
    begins = pd.to_datetime(rows["period_start"]) >= pd.Timestamp(window.start)
    return rows.loc[begins & (pd.to_datetime(rows["period_end"]) <= pd.Timestamp(window.end))]


def _refuse_breaks(frame: pd.DataFrame, metric: Metric, window: Period) -> pd.DataFrame:
    """Take the value away where the definition changes inside the window, and say why."""
    inside = [one for one in metric.breaks if window.start < one.date <= window.end]
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
