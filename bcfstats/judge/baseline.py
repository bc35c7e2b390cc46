"""The baseline: what a metric was over a window, in every area, and how sure that is."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bcfstats.define.levels import LEVELS
from bcfstats.define.metrics import Metric, get_metric
from bcfstats.define.periods import Period
from bcfstats.errors import ParameterError
from bcfstats.judge.kinds import Floats, chance, counted_by_month, scatters_by_month
from bcfstats.judge.panel import month_to_month_dispersion, monthly_panel
from bcfstats.judge.windows import NOT_EXACT, USABLE, Grid, Texts
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
    grid = Grid(each_once(observations), metric)
    if area is not None:
        _check_area(grid, area)
    figures = window_figures(grid, window)[COLUMNS]
    return figures if area is None else figures.loc[figures["area_code"] == area].reset_index(drop=True)


def window_figures(grid: Grid, window: Period, same_as: Period | None = None) -> pd.DataFrame:
    """Give a metric over a window in every area; with `same_as`, over the periods that both years have.

    The columns are those of `baseline`, with `used` (the periods in words), `word` for one of them,
    `shared` (whether both years have any of them) and `dispersion`.
    """
    metric = grid.metric
    if metric.frequency == "month":
        _ = window.months  # part of a month is refused
    if not grid.areas.size:
        return pd.DataFrame(columns=[*COLUMNS, *COMPARED])
    made: dict[str, Any] = {"dispersion": 1.0, **grid.over(window, same_as)}
    made |= _interval(grid, window, made)
    several, word, method = made["n_expected"] > 1, made["word"], made["method"].astype(object)
    added = (WEIGHTED if metric.kind.is_survey else ADDED) + np.where(
        metric.kind.per_resident, ", average per " + word, ""
    )
    by_counts = (method != PUBLISHED) & (method != "")
    nothing = np.where(several, "no " + word + " of it has a usable figure; of the last, ", "")
    nothing = np.where(made["reason"] != "", made["reason"], nothing + _why_missing(grid, window))
    no_rate = "no population for these " + word + "s, so no rate"
    basis = grid.told("basis", window)
    broken = _break_inside(metric, window, basis)
    return pd.DataFrame(
        {
            **made,
            **{name: np.where(broken == "", made[name], np.nan) for name in ("value", "lower", "upper")},
            "area_code": grid.areas,
            "area_name": grid.names,
            "metric": metric.id,
            "period": str(window),
            "basis": basis,
            "method": np.where(several, added + np.where(by_counts, "; " + method, ""), method),
            "reason": np.select(
                [broken != "", made["n_present"] == 0, np.isnan(made["value"])],
                [broken, nothing, no_rate],
                made["no_interval"],
            ),
            "warnings": _warnings(grid, window, made, matched=same_as is not None),
        },
        columns=[*COLUMNS, *COMPARED],
    )


def _interval(grid: Grid, window: Period, made: Mapping[str, Any]) -> dict[str, Any]:
    """Give the figures of a window their interval: lower, upper, method, and why there is none."""
    metric = grid.metric
    if counted_by_month(metric):
        return _month_to_month_interval(grid, window, made)
    if scatters_by_month(metric):
        return _interval_of_months(grid, window, made)
    numbers = (made[name] for name in ("events", "exposure", "value", "lower_ci", "upper_ci"))
    names = ("lower", "upper", "method", "no_interval")
    return dict(zip(names, interval_of(metric, *numbers), strict=True))


def _month_to_month_interval(grid: Grid, window: Period, made: Mapping[str, Any]) -> dict[str, Any]:
    """Give monthly rates the log interval with each area's own dispersion about its trend and season."""
    panel = monthly_panel(grid.rows, grid.metric).until(window)
    measured = pd.Series(month_to_month_dispersion(panel), index=list(panel.area_codes), dtype=float)
    dispersion = measured.reindex(grid.areas).to_numpy(dtype=float)
    value, events = made["value"], made["events"]
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(dispersion / np.where(events > 0, events, np.nan))
    spread = np.exp(critical_value(LEVELS.interval) * error)
    known = np.isfinite(value * spread)
    return {
        "dispersion": dispersion,
        "lower": value / spread,
        "upper": value * spread,
        "method": np.where(known, "interval from month-to-month dispersion", ""),
        "no_interval": np.where(known, "", TOO_FEW),
    }


def _interval_of_months(grid: Grid, window: Period, made: Mapping[str, Any]) -> dict[str, Any]:
    """Give quotients of monthly counts an interval from how the area's and the panel's months scatter."""
    metric, value = grid.metric, made["value"]
    panel = monthly_panel(grid.rows, metric)
    on_logs = metric.kind.scale == "ratio"
    with np.errstate(divide="ignore", invalid="ignore"):
        values = panel.counts / panel.denominators * metric.multiplier
        values = np.log(values) if on_logs else values
    values[~np.isfinite(values)] = np.nan
    columns = panel.columns(window)
    weights = np.where(np.isfinite(values[:, columns]), panel.denominators[:, columns], 0.0)
    half = pd.Series(month_noise(values).half_width(weights, LEVELS.interval), index=list(panel.area_codes))
    by = half.reindex(grid.areas).to_numpy(dtype=float)
    low, high = (value / np.exp(by), value * np.exp(by)) if on_logs else (value - by, value + by)
    known = np.isfinite(low) & np.isfinite(high)
    return {
        "lower": np.clip(low, *metric.bounds),
        "upper": np.clip(high, *metric.bounds),
        "method": np.where(known, FROM_MONTHS, ""),
        "no_interval": np.where(known, "", TOO_FEW),
    }


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


def _why_missing(grid: Grid, window: Period) -> Texts:
    """Say for each area why a window has no usable figure, in the publisher's words where there are any."""
    status, note = grid.last_told(window)
    bare = np.where(note != "", "it has no value and no counts: " + note, "it has no value and no counts")
    marked = "it is marked " + np.char.replace(status.astype(str), "_", " ").astype(object)
    marked = marked + np.where(note != "", ": " + note, "")
    return np.where(status == "", "none is in the data", np.where(np.isin(status, USABLE), bare, marked))


def _warnings(grid: Grid, window: Period, made: Mapping[str, Any], *, matched: bool) -> list[str]:
    """Say of each area what of the window is missing, what the publisher noted and what is not exact."""
    whose = " in both years; each figure is of those" if matched else "; it is of those"
    partial = [
        f"{n} of {of} {word}s have a usable figure{whose}, without {missing}" if 0 < n < of else ""
        for n, of, word, missing in zip(
            *(made[name] for name in ("n_present", "n_expected", "word", "missing")), strict=True
        )
    ]
    apart = (np.abs(made["events"] - made["numerator"]) > 0) & grid.metric.kind.is_exact
    remarks = zip(partial, grid.told("status_note", window), np.where(apart, NOT_EXACT, ""), strict=True)
    return ["; ".join(filter(None, texts)) for texts in remarks]


def _break_inside(metric: Metric, window: Period, basis: Texts) -> Texts:
    """Say for each area which change of definition inside the window keeps it from having a value."""
    inside = [one for one in metric.breaks if window.start < one.date <= window.end]
    if inside:
        what = f"series break inside the window on {inside[0].date}: {inside[0].what}"
        return np.full(len(basis), what, dtype=object)
    mixed = ["two definitions inside the window: " + one if "; " in one else "" for one in basis]
    return np.array(mixed, dtype=object)


def _check_area(grid: Grid, area: str) -> None:
    if area not in grid.areas:
        raise ParameterError(
            f"There are no observations of {grid.metric.id} for this area.",
            found=f"'{area}'",
            do="Give an area code that is in the observations; find_area turns a name into its code.",
        )
