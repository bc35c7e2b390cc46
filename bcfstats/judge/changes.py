"""Change between a window and the same months before: how large, which way, and beyond what noise."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bcfstats.define.levels import LEVELS
from bcfstats.define.metrics import UNUSUAL, Metric
from bcfstats.define.periods import Period
from bcfstats.judge.baseline import COLUMNS, window_figures
from bcfstats.judge.kinds import DISPERSED, Figures, chance, change_columns, counted_by_month
from bcfstats.judge.outlook import Outlook
from bcfstats.judge.results import (
    AGAINST_HISTORY,
    AGAINST_NOISE,
    BETTER,
    NOT_COMPARED,
    UNCLEAR,
    WORSE,
)
from bcfstats.judge.windows import Floats, Grid, Texts, breaks_between
from bcfstats.stats.multiple import adjust_p_values


def outlook_table(seen: Outlook, label: str, recommended: pd.DataFrame) -> pd.DataFrame:
    """Lay an outlook out as a table; `label` is the payment it belongs to, or "latest"."""
    low, high = seen.expected_interval()
    return pd.DataFrame(
        {
            "area_code": seen.area_codes,
            "metric": seen.metric.id,
            "payment": label,
            "period": str(seen.window),
            "known": str(seen.known_until),
            "expected": seen.expected,
            "expected_lower": low,
            "expected_upper": high,
            "minimum_significant": seen.minimum_significant(),
            "detectable": seen.detectable(),
            **recommended,
            "method": seen.method,
            "reason": seen.reason,
            "warnings": seen.warnings,
        }
    )


def with_history(changes: pd.DataFrame, seen: Outlook | None) -> pd.DataFrame:
    """Hold each change against the usual year-to-year change, where an outlook of the same windows tells it.

    The finding against noise stays in `noise_finding`. Where history can be told and both windows are whole,
    a change is "better" or "worse" only beyond it; elsewhere the finding stays, and `finding_against` says
    so.
    """
    frame = changes.assign(noise_finding=changes["finding"], history_p=np.nan)
    frame["history_p"] = _history_p(frame, seen)
    known = frame["history_p"].notna() & (frame["finding"] != NOT_COMPARED)
    p = frame["history_p"]
    verdict = np.select([p < LEVELS.tail, p > 1 - LEVELS.tail], [BETTER, WORSE], default=UNCLEAR)
    frame["finding"] = np.where(known, verdict, frame["finding"])
    frame["finding_against"] = np.where(
        frame["finding"] == NOT_COMPARED, "", np.where(known, AGAINST_HISTORY, AGAINST_NOISE)
    )
    return frame


def _history_p(frame: pd.DataFrame, seen: Outlook | None) -> NDArray[np.float64]:
    if seen is None:
        return np.full(len(frame), np.nan)
    outcome = frame.set_index("area_code")["outcome_value"].reindex(seen.area_codes).to_numpy(dtype=float)
    by_area = pd.Series(seen.usual_p(outcome), index=seen.area_codes)
    complete = (frame["baseline_n_present"] == frame["baseline_n_expected"]) & (
        frame["outcome_n_present"] == frame["outcome_n_expected"]
    )
    p = by_area.reindex(frame["area_code"]).to_numpy(dtype=float)
    return np.where(complete.to_numpy(dtype=bool), p, np.nan)


def taken_together(windows: pd.DataFrame, trends: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Adjust the two-sided p-value of each comparison and trend for all those of its area, as `q_value`."""
    codes = [frame["area_code"] for frame in (windows, trends) if not frame.empty]
    if not codes:
        return windows, trends
    area = pd.Series(pd.factorize(pd.concat(codes))[0])
    place = area.groupby(area).cumcount()
    table = np.full((area.max() + 1, place.max() + 1), np.nan)
    slope_p = trends.get("slope_p", pd.Series(np.nan, trends.index))
    table[area, place] = np.concatenate([_two_sided(windows), slope_p])
    q = adjust_p_values(table, axis=1)[area, place]
    return windows.assign(q_value=q[: len(windows)]), trends.assign(q_value=q[len(windows) :])


def _two_sided(windows: pd.DataFrame) -> NDArray[np.float64]:
    """Give the two-sided p-value that each finding rests on."""
    if windows.empty:
        return np.empty(0)
    p = windows["history_p"].where(windows["finding_against"] == AGAINST_HISTORY, windows["noise_p"])
    return np.where(windows["finding"] != NOT_COMPARED, np.minimum(2 * np.minimum(p, 1 - p), 1.0), np.nan)


def finding_together(row: Mapping[str, Any]) -> str:
    """Give the finding of a comparison, but only what stands out when all of the area are taken together."""
    alone = str(row["finding"])
    return UNCLEAR if alone in (BETTER, WORSE) and not row["q_value"] <= LEVELS.significance else alone


def change(
    observations: pd.DataFrame, metric: Metric, before: Period, after: Period, *, label: str
) -> pd.DataFrame:
    """Compare a window with the same months of an earlier year, in every area.

    One row per area: the columns of `baseline` twice (`baseline_...`, `outcome_...`), both of the periods
    that the two windows have in common (`matched`, `matched_months`); the change with its interval, in per
    cent or points; `noise_p` (one-sided, in the improving direction, noise only), `finding`, method and
    reason. The outcome over its own whole window is `outcome_whole_value`. Windows on either side of a series
    break, or of a change of boundaries, are shown and not compared. It does not say that a change is
    significant against the usual year-to-year change: see `with_history`.
    """
    grid = Grid(observations, metric)
    first, last = (window_figures(grid, *both) for both in ((before, after), (after, before)))
    broken = _across_a_break(metric, before, after, first, last)
    compared = _compared(metric, first, last)
    for name in ("change", "change_lower", "change_upper", "noise_p"):
        compared[name] = np.where(broken == "", compared[name], np.nan)
    compared["change_reason"] = np.where(broken == "", compared["change_reason"], broken)
    frame = pd.DataFrame(
        {
            "area_code": first["area_code"],
            "area_name": first["area_name"],
            "metric": metric.id,
            "payment": label,
            **{f"baseline_{name}": first[name] for name in COLUMNS[3:]},
            **{f"outcome_{name}": last[name] for name in COLUMNS[3:]},
            **_whole(grid, after, last),
            **compared,
            "finding": _findings(metric, compared),
        }
    )
    if levels := [time.level for time in UNUSUAL if before.start < time.start and time.end < after.end]:
        notes = frame["outcome_warnings"]
        frame["outcome_warnings"] = notes + np.where(notes == "", "", "; ") + "; ".join(levels)
    return frame


def _whole(grid: Grid, after: Period, last: pd.DataFrame) -> dict[str, Floats]:
    """Give the outcome over its own whole window, where nothing of it is missing."""
    own = last
    if (last["n_present"] < last["n_expected"]).any():
        own = window_figures(grid, after)
    whole = own["n_present"] == own["n_expected"]
    return {
        f"outcome_whole_{name}": np.where(whole, own[name], np.nan) for name in ("value", "lower", "upper")
    }


def _compared(metric: Metric, first: pd.DataFrame, last: pd.DataFrame) -> dict[str, Any]:
    """Compare two windows, of the same periods, by the metric's kind."""
    how, shared = chance(metric), last["shared"].to_numpy(dtype=bool)
    several, word = last["n_expected"].to_numpy() > 1, last["word"].to_numpy(dtype=object)
    before, after = (_figures(frame, metric, last, shared | ~several) for frame in (first, last))
    made = how.compare(metric, after, before, metric.polarity)
    nothing = "no " + word + " is in both windows"
    return {
        **change_columns(metric, made),
        "change_method": DISPERSED.method if counted_by_month(metric) else how.method,
        "change_reason": np.where(several & ~shared, nothing, np.asarray(made.reason)),
        "matched_months": np.where(shared, last["n_present"], 0),
        "matched": np.where(shared, last["used"], ""),
        "periods": word + "s",
    }


def _figures(frame: pd.DataFrame, metric: Metric, last: pd.DataFrame, compared: NDArray[np.bool_]) -> Figures:
    """Take the figures that are compared; of months, per person-day with the dispersion of the outcome."""
    made = Figures.of(frame, metric)
    known = {name: np.where(compared, getattr(made, name), np.nan) for name in ("numerator", "value")}
    made = replace(made, **known)
    if not counted_by_month(metric):
        return made
    days = frame["person_days"].to_numpy(dtype=float)
    return replace(made, denominator=days, dispersion=last["dispersion"].to_numpy(dtype=float))


def _across_a_break(
    metric: Metric, before: Period, after: Period, first: pd.DataFrame, last: pd.DataFrame
) -> Texts:
    """Say for each area why its two windows are not comparable, or nothing."""
    reason = breaks_between(metric, first["area_code"], before, after)
    was, now = (frame["basis"].to_numpy(dtype=object) for frame in (first, last))
    differ = (reason == "") & (was != now) & (was != "") & (now != "")
    return np.where(differ, "the definition changed from " + was + " to " + now, reason)


def _findings(metric: Metric, compared: Mapping[str, Any]) -> NDArray[np.str_]:
    """Name the change: better or worse only where its interval leaves out no change."""
    low, high = (metric.direction * compared[f"change_{end}"] for end in ("lower", "upper"))
    return np.select(
        [np.isnan(compared["change"]), np.minimum(low, high) > 0, np.maximum(low, high) < 0],
        [NOT_COMPARED, BETTER, WORSE],
        default=UNCLEAR,
    )
