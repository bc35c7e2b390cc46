"""The outlook of a rate counted by month: like-for-like months, the panel's history, the forecast."""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period
from bcfstats.judge.baseline import window_figures
from bcfstats.judge.kinds import Figures, chance
from bcfstats.judge.outlook import (
    Floats,
    History,
    NoOutlook,
    Outlook,
    Texts,
    extreme_notes,
    history_of,
    joined,
)
from bcfstats.judge.panel import COVERED, NO_PANEL, Panel, monthly_panel
from bcfstats.judge.windows import Grid, breaks_between, expected_people
from bcfstats.stats.forecast import Forecast, do_nothing_forecast
from bcfstats.stats.history import (
    HistoryScale,
    history_scale,
    like_for_like_changes,
    moderated_dispersion,
    monthly_prior,
    own_history,
)
from bcfstats.stats.monthly_model import fit_monthly

MONTHS = 12
SMALL = "counts are too small for a chance or a range: fewer than 60 in a usual month"
PARTIAL = "the baseline lacks some of the window's months"


def months_ahead(
    rows: pd.DataFrame,
    metric: Metric,
    window: Period,
    lag: int,
    known_until: Period | None = None,
    england: float | None = None,
) -> Outlook | NoOutlook:
    """Give the outlook of a rate counted by month, or the reason why there is none.

    Only what ended before the window, and by `known_until`, is known. A year is added to `lag` while the
    baseline is not known yet. `england` stands in for the forecast's own national movement.
    """
    if not window.is_whole_months or window.n_months > MONTHS:
        return NoOutlook(f"{window.label} is not one to twelve whole months")
    past = history_panel(monthly_panel(rows, metric), metric, window, known_until)
    if not past.months:
        return NoOutlook(f"no months of {metric.short_name} were published before {window.label}")
    last = past.months[-1]
    while window.shift_years(-lag).end > last.end:
        lag += 1
    before = window.shift_years(-lag)
    gap = months_between(last, window)
    start = window_figures(Grid(rows, metric), before).set_index("area_code").reindex(list(past.area_codes))
    base = start["denominator"].to_numpy(dtype=float)
    growth = _growth(past)
    people = expected_people(
        rows, metric, window, start["denominator"] * growth**lag, hindsight=known_until is None
    )
    days = np.array([month.days for month in window.months], dtype=float)
    usual = history_scale(
        past.counts,
        past.exposure,
        past.calendar_months,
        window=window.n_months,
        lag=MONTHS * lag,
        gap=gap,
        prior=monthly_prior(metric.id, window.n_months, MONTHS * min(lag, 2)),
    )
    exposure = np.where(np.isfinite(people), people, 1.0)[:, None] * days
    ahead = _forecast(past, metric, gap, window, exposure, england)
    small = usual.small | ahead.small
    model = fit_monthly(past.counts, past.exposure, past.calendar_months)
    now = replace(
        Figures.of(start, metric),
        denominator=start["person_days"].to_numpy(dtype=float),
        unrounded=start["value"].to_numpy(dtype=float),
        dispersion=moderated_dispersion(model),
        df=np.where(model.df > 0, model.df, np.nan),
    )
    later = people * days.sum()
    events = start["numerator"].to_numpy(dtype=float)
    value = start["value"].to_numpy(dtype=float)
    per_person_day = days.sum() / window.n_months * metric.multiplier
    history = _history(past, window.n_months, MONTHS * min(lag, 2))
    notes = extreme_notes(history.changes, MONTHS * min(lag, 2), "ratio")
    return Outlook(
        metric=metric,
        window=window,
        before=before,
        lag=lag,
        scale="ratio",
        known_until=last.label,
        area_codes=np.array(past.area_codes, dtype=object),
        area_names=start["area_name"].fillna("").to_numpy(dtype=object),
        value=value,
        lower=start["lower"].to_numpy(dtype=float),
        upper=start["upper"].to_numpy(dtype=float),
        numerator=events,
        denominator=base,
        people=people,
        periods=window.n_months,
        expected=ahead.value / ahead.exposure * per_person_day,
        expected_scale=np.where(small, np.nan, ahead.log_scale),
        expected_df=ahead.df,
        area_scale=np.where(small, np.nan, ahead.area_scale),
        area_df=ahead.area_df,
        england_scale=np.full(len(small), ahead.england_scale),
        no_chance=np.where(small, SMALL, "").astype(object),
        usual_scale=usual.scale,
        usual_df=usual.df,
        noise_least=chance(metric).least(metric, now, later),
        noise_test=lambda places, value: chance(metric).p_value(
            metric, now.take(places), value, later[places]
        ),
        places=np.arange(len(past.area_codes)),
        history=history,
        method=f"history: {_first(usual.source)}; forecast: {ahead.method}, {ahead.source}",
        reason=_reasons(start, value, usual, ahead, metric, before, window),
        warnings=joined(_warnings(start, usual, ahead, lag, before, window), notes),
    )


def history_panel(panel: Panel, metric: Metric, window: Period, known_until: Period | None) -> Panel:
    """Cut a panel to what was known: months before the window, on the definition in force at their end."""
    ends = [month.end for month in panel.months]
    kept = [
        i
        for i, end in enumerate(ends)
        if end < window.start and (known_until is None or end <= known_until.end)
    ]
    covered = [i for i in kept if np.isfinite(panel.counts[:, i]).mean() >= COVERED]
    if not covered:
        return NO_PANEL
    last = panel.months[covered[-1]]
    breaks = [found.date for found in metric.breaks if found.date <= last.end]
    first = max([panel.months[covered[0]].start, *breaks])
    return panel.within(Period(first, last.end)).on_last_basis()


def months_between(last: Period, window: Period) -> int:
    """Count the months after the last one known and before the window."""
    years, months = window.start.year - last.start.year, window.start.month - last.start.month
    return MONTHS * years + months - 1


def _growth(past: Panel) -> Floats:
    """Yearly growth of each area's denominator as it was last seen; 1 where it cannot be told."""
    people = past.denominators
    if people.shape[1] <= MONTHS:
        return np.ones(len(people))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = people[:, -1] / people[:, -1 - MONTHS]
    return np.where(np.isfinite(ratio), ratio, 1.0)


def _forecast(
    past: Panel, metric: Metric, gap: int, window: Period, exposure: Floats, england: float | None
) -> Forecast:
    return do_nothing_forecast(
        past.counts,
        past.exposure,
        past.calendar_months,
        first=gap + 1,
        last=gap + window.n_months,
        target_exposure=exposure,
        england=england,
        prior=monthly_prior(metric.id, window.n_months),
    )


def _history(past: Panel, window: int, lag: int) -> History:
    counts = np.where(np.isfinite(past.exposure), past.counts, np.nan)
    seen = np.isfinite(counts)
    exposure = np.where(seen, past.exposure, 0.0)
    changes = like_for_like_changes(np.where(seen, counts, 0.0), exposure, window, lag)
    own = own_history(changes) if changes.size else None
    worth = np.where(own.n > 0, own.df, 0.0) if own is not None else np.zeros(len(counts))
    span = f"{past.months[0].label} to {past.months[-1].label}"
    return history_of(past.area_codes, changes, worth, lag, span)


def _reasons(
    start: pd.DataFrame,
    value: Floats,
    usual: HistoryScale,
    ahead: Forecast,
    metric: Metric,
    before: Period,
    window: Period,
) -> Texts:
    broken = breaks_between(metric, start.index, before, window)
    none = start["reason"].fillna("no figures for this area").to_numpy(dtype=object)
    found = np.where((broken != "") | np.isfinite(value), broken, none)
    found = np.where((found == "") & (value == 0), "nothing was counted in the baseline months", found)
    found = np.where(found == "", usual.reason, found)
    return np.where(found == "", ahead.reason, found).astype(object)


def _warnings(
    start: pd.DataFrame, usual: HistoryScale, ahead: Forecast, lag: int, before: Period, window: Period
) -> Texts:
    n = len(start)
    told = start["warnings"].fillna("").to_numpy(dtype=object)
    small = np.where(usual.small | ahead.small, SMALL, "").astype(object)
    partly = np.where(start["n_present"].fillna(0).to_numpy() < window.n_months, PARTIAL, "").astype(object)
    older = f"the baseline is {lag} years back, {before.label}: a later one was not known" if lag > 1 else ""
    shipped = np.where(usual.small, "", usual.warning).astype(object)
    return joined(told, small, partly, np.full(n, older, dtype=object), shipped)


def _first(texts: NDArray[np.object_]) -> str:
    known = [text for text in texts.tolist() if text]
    return known[0] if known else ""
