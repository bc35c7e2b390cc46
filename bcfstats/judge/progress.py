"""Progress in year: the months so far, what the rest may bring, the chance of reaching the line."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.levels import LEVELS
from bcfstats.define.metrics import METRICS, Metric
from bcfstats.define.periods import Period
from bcfstats.define.schemes import DEFAULT_SCHEME, Scheme, scheme
from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.kinds import counted_by_month
from bcfstats.judge.outlook import Floats
from bcfstats.judge.outlook_monthly import history_panel
from bcfstats.judge.outlooks import payment_window
from bcfstats.judge.panel import COVERED, Panel, monthly_panel
from bcfstats.read.observations import as_frame, each_once
from bcfstats.stats.forecast import do_nothing_forecast
from bcfstats.stats.history import monthly_prior
from bcfstats.words import in_100, number

ON_TRACK, OFF_TRACK, TOO_EARLY, REACHED, MISSED, UNKNOWN = (
    *("on track", "off track", "too early to say", "reached", "not reached", "cannot be told"),
)
SURE = 0.8
_GOALS = {**dict.fromkeys(("area_code", "metric", "payment"), "str"), "payment_line": "float64"}


def progress(
    observations: pd.DataFrame,
    assessments: pd.DataFrame,
    rules: Scheme | str = DEFAULT_SCHEME,
    *,
    known_until: Period | str | None = None,
    metrics: Mapping[str, Metric] = METRICS,
) -> pd.DataFrame:
    """Tell how far each ambition of a monthly metric has come inside its payment window.

    The rest of the window is forecast as if nothing more changes; the months so far are taken as they are.
    On track from a chance of 80 in 100, off track up to 20, too early between: a choice, not a law.
    """
    rules = scheme(rules)
    goals = as_frame(assessments, "assessments", _GOALS).reset_index(drop=True)
    keys = goals[["area_code", "metric"]].assign(payment=goals["payment"].map(rules.payment_id))
    if keys.duplicated().any():
        twice = ", ".join(keys.loc[keys.duplicated()].iloc[0])
        raise InputError("A board has two ambitions for one metric and payment.", found=twice)
    unknown = sorted(set(goals["metric"]) - set(metrics))
    if unknown:
        raise ParameterError("There is no such metric.", found=", ".join(unknown))
    until = None if known_until is None else Period.of(known_until)
    observations = each_once(observations)
    tables = []
    for (name, payment), rows in goals.groupby(["metric", "payment"], sort=False):
        metric = metrics[str(name)]
        window = payment_window(metric, str(payment), rules)
        if counted_by_month(metric) and isinstance(window, Period):
            seen = observations.loc[observations["metric"] == metric.id]
            tables.append(_progress(seen, rows, metric, window, until))
    if not tables:
        raise ParameterError("None of these ambitions has monthly figures to follow.")
    return pd.concat(tables).sort_index().reset_index(drop=True)


def _progress(
    rows: pd.DataFrame, goals: pd.DataFrame, metric: Metric, window: Period, until: Period | None
) -> pd.DataFrame:
    panel = monthly_panel(rows, metric)
    columns = panel.columns(window)
    covered = [
        i
        for i in columns
        if np.isfinite(panel.counts[:, i]).mean() >= COVERED
        and (until is None or panel.months[i].end <= until.end)
    ]
    months = window.n_months
    n_known = len(covered) if covered and panel.months[covered[0]].start == window.start else 0
    covered = covered[:n_known]
    place = {code: i for i, code in enumerate(panel.area_codes)}
    at = np.array([place.get(code, -1) for code in goals["area_code"]])
    known = Period(window.start, panel.months[covered[-1]].end) if n_known else None
    so_far, before, counted = _so_far(panel, metric, known, covered)
    outcome, low, high, chance = outcome_ahead(panel, metric, window, known, covered, goals, at)
    frame = pd.DataFrame(
        {
            "area_code": goals["area_code"],
            "metric": metric.id,
            "payment": goals["payment"],
            "months_known": np.where(at >= 0, counted[at], 0),
            "months": months,
            "so_far": so_far[at],
            "same_months_before": before[at],
            "outcome": outcome,
            "lower": low,
            "upper": high,
            "payment_line": goals["payment_line"],
            "chance": chance,
        }
    )
    frame.loc[at < 0, ["so_far", "same_months_before"]] = np.nan
    return _with_status(frame, metric, n_known, known)


def _so_far(
    panel: Panel, metric: Metric, known: Period | None, covered: list[int]
) -> tuple[Floats, Floats, Floats]:
    """Average per month over the months known, the same months a year before, and how many an area has."""
    areas = len(panel.area_codes)
    if known is None:
        nothing = np.full(areas, np.nan)
        return nothing, nothing, np.zeros(areas)
    earlier = panel.columns(known.shift_years(-1))
    counted = np.isfinite(panel.counts[:, covered]).sum(axis=1)

    def value(columns: list[int]) -> Floats:
        if len(columns) != len(covered):
            return np.full(areas, np.nan)
        people = panel.denominators[:, columns].mean(axis=1)
        return np.asarray(panel.counts[:, columns].mean(axis=1) / people * metric.multiplier)

    return value(covered), value(earlier.tolist()), counted.astype(float)


def outcome_ahead(
    panel: Panel,
    metric: Metric,
    window: Period,
    known: Period | None,
    covered: list[int],
    goals: pd.DataFrame,
    at: np.ndarray,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Value over the whole window with 80 % limits, and the chance that it is as good as the line."""
    nothing = np.full(len(goals), np.nan)
    line = goals["payment_line"].to_numpy(dtype=float)
    if known is None:
        return nothing, nothing, nothing, nothing
    done = panel.counts[:, covered].sum(axis=1)
    people = panel.denominators[:, covered[-1]]
    rest = len(window.months) - len(covered)
    value_of_one = metric.multiplier / (people * window.n_months)
    if rest == 0:
        value = _at(done * value_of_one * people / panel.denominators[:, covered].mean(axis=1), at)
        better = value <= line if metric.polarity == "lower" else value >= line
        return value, value, value, np.where(np.isfinite(value), better.astype(float), np.nan)
    past = history_panel(panel, metric, Period(window.months[len(covered)].start, window.end), known)
    days = np.array([month.days for month in window.months[len(covered) :]], dtype=float)
    ahead = do_nothing_forecast(
        past.counts,
        past.exposure,
        past.calendar_months,
        first=1,
        last=rest,
        target_exposure=np.where(np.isfinite(people), people, 1.0)[:, None] * days,
        prior=monthly_prior(metric.id, rest),
    )
    low, high = ahead.interval(LEVELS.forecast)
    total = line / _at(value_of_one, at) - _at(done, at)
    at_most = ahead.probability_at_most(total[:, None])[np.arange(len(at)), at]
    chance = at_most if metric.polarity == "lower" else 1 - at_most
    values = ((done + part) * value_of_one for part in (ahead.value, low, high))
    return (*(_at(value, at) for value in values), chance)


def _at(values: Floats, at: np.ndarray) -> Floats:
    return np.where(at >= 0, values[at], np.nan)


def _with_status(frame: pd.DataFrame, metric: Metric, n_known: int, known: Period | None) -> pd.DataFrame:
    chance = frame["chance"]
    complete = n_known == frame["months"]
    frame["status"] = np.select(
        [
            np.full(len(frame), n_known == 0),
            chance.isna(),
            complete & (chance == 1),
            complete,
            chance >= SURE,
            chance <= 1 - SURE,
        ],
        [TOO_EARLY, UNKNOWN, REACHED, MISSED, ON_TRACK, OFF_TRACK],
        default=TOO_EARLY,
    )
    rows = frame.to_dict("records")
    frame["why"] = [_why(row, metric, known) for row in rows]
    frame["sentence"] = metric.short_name + ": " + frame["status"] + ". " + frame["why"]
    return frame


def _why(row: dict[Hashable, Any], metric: Metric, known: Period | None) -> str:
    """Say what the status rests on."""
    if known is None:
        return "No month of the window has been published."
    if row["status"] == UNKNOWN:
        return (
            "A month so far is missing." if np.isfinite(row["payment_line"]) else "There is no payment line."
        )
    outcome, line = (number(row[name], metric.decimals) for name in ("outcome", "payment_line"))
    if row["status"] in (REACHED, MISSED):
        return f"The outcome is {outcome}, the payment line {line}."
    return (
        f"With figures to {known.label.rpartition(' to ')[2]}, about {outcome} is expected. "
        f"If nothing more changes, {in_100(row['chance'])} areas like this reach the line of {line}."
    )
