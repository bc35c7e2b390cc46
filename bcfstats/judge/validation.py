"""Would the methods have been right? Placebo test, coverage and forecast error on any monthly panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from bcfstats.define.metrics import Metric, get_metric
from bcfstats.define.periods import Period
from bcfstats.judge.panel import Panel, longest_run, monthly_panel
from bcfstats.judge.screening import screen
from bcfstats.read.observations import as_observations
from bcfstats.stats.backtest import (
    CHALLENGERS,
    CLIMATOLOGY,
    LEVELS,
    Challenger,
    backtest,
    reliability,
)
from bcfstats.stats.forecast import METHOD
from bcfstats.stats.history import MINIMUM_MONTHS
from bcfstats.stats.placebo import METHODS, placebo

WINDOWS = (6, 9)
LEADS = ((1, 6), (1, 9), (4, 9), (4, 12))


@dataclass(frozen=True)
class Validation:
    """What happened when the methods were tried on months whose outcome is known.

    `placebo`: shares of areas called significant when nothing was targeted. `forecast`: `mase` of each method
    by lead and origin. `coverage`: of intervals. `reliability`: chances given beside what happened, with
    England as it is usually and once its movement is known. `scores`: Brier and ranked probability scores.
    """

    name: str
    description: str
    placebo: pd.DataFrame
    forecast: pd.DataFrame
    coverage: pd.DataFrame
    reliability: pd.DataFrame
    scores: pd.DataFrame


def validate_observations(
    observations: pd.DataFrame,
    metric: str | Metric,
    *,
    name: str = "",
    until: date | None = None,
    windows: Sequence[int] = WINDOWS,
    leads: Sequence[tuple[int, int]] = LEADS,
    challengers: Mapping[str, Challenger] = CHALLENGERS,
) -> Validation | None:
    """Validate the panel of a monthly metric; None where it is too short for any window.

    `until` is the last day to use: before a target was in force. `leads` are windows forecast, in months from
    the end of the history.
    """
    metric = metric if isinstance(metric, Metric) else get_metric(metric)
    rows = as_observations(observations.loc[observations["metric"] == metric.id])
    panel = monthly_panel(screen(rows, {metric.id: metric}).observations, metric).on_last_basis()
    run = longest_run(panel)
    if run is None:
        return None
    panel = panel.within(Period(run.start, min(run.end, until or run.end)))
    if len(panel.months) < MINIMUM_MONTHS + min(windows):
        return None
    return validate_panel(
        panel, name=name or metric.id, windows=windows, leads=leads, challengers=challengers
    )


def validate_panel(
    panel: Panel,
    *,
    name: str,
    windows: Sequence[int] = WINDOWS,
    leads: Sequence[tuple[int, int]] = LEADS,
    challengers: Mapping[str, Challenger] = CHALLENGERS,
) -> Validation:
    """Validate a panel: every window and every origin with two years of history before it.

    Rates are per day: people in the area change little within the years compared.
    """
    first, last = panel.months[0].label, panel.months[-1].label
    tests = [
        _backtest(panel, lead, challengers) for lead in leads if MINIMUM_MONTHS + lead[1] <= len(panel.months)
    ]
    results = [
        pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
        for frames in zip(*tests, strict=True)
    ]
    forecast, coverage, reliable, scores = results or [pd.DataFrame()] * 4
    return Validation(
        name=name,
        description=f"{len(panel.area_codes)} areas, {len(panel.months)} months, {first} to {last}",
        placebo=_placebo(panel, windows),
        forecast=forecast,
        coverage=coverage,
        reliability=reliable,
        scores=scores,
    )


def _placebo(panel: Panel, windows: Sequence[int]) -> pd.DataFrame:
    frames = []
    for window in windows:
        for removed in (False, True):
            tried = placebo(
                panel.counts,
                panel.days,
                panel.calendar_months,
                window=window,
                remove_national=removed,
            )
            starts = [panel.months[i].start for i in tried.starts]
            for method in METHODS:
                frames.append(
                    pd.DataFrame(
                        {
                            "window": window,
                            "national_removed": removed,
                            "start": starts,
                            "areas": tried.n_areas,
                            "method": method,
                            "two_sided": tried.two_sided[method],
                            "falls": tried.falls[method],
                        }
                    )
                )
    return pd.concat(frames, ignore_index=True)


def _backtest(
    panel: Panel, lead: tuple[int, int], challengers: Mapping[str, Challenger]
) -> tuple[pd.DataFrame, ...]:
    first, last = lead
    tried = backtest(
        panel.counts, panel.days, panel.calendar_months, first=first, last=last, challengers=challengers
    )
    shared = {
        "first": first,
        "last": last,
        "origin": [panel.months[i - 1].end for i in tried.origins],
        "areas": tried.n_areas,
    }
    forecast = [pd.DataFrame({**shared, "method": name, "mase": mase}) for name, mase in tried.mase.items()]
    coverage = [
        pd.DataFrame({**shared, "level": level, "covered": tried.coverage[level]}) for level in LEVELS
    ]
    reliable = []
    for known, chance in ((False, tried.predicted), (True, tried.given_england)):
        given, happened, n = reliability(chance, tried.happened)
        reliable.append(
            pd.DataFrame(
                {
                    "first": first,
                    "last": last,
                    "england_known": known,
                    "given": given,
                    "happened": happened,
                    "predictions": n,
                }
            )
        )
    brier = {METHOD: tried.brier(tried.predicted), CLIMATOLOGY: tried.brier(tried.usual)}
    scores = pd.DataFrame(
        [
            {"first": first, "last": last, "method": name, "crps": np.nanmean(crps), "brier": brier.get(name)}
            for name, crps in tried.crps.items()
            if crps.size
        ]
    )
    return pd.concat(forecast), pd.concat(coverage), pd.concat(reliable), scores
