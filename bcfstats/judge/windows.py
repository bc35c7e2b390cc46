"""A metric over a window, in every area: the periods it is published for, added up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bcfstats.define.areas import AREAS
from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
USABLE = ("ok", "rounded")  # suppressed, suspect and not-available figures take no part in a calculation
NUMBERS = ("numerator", "denominator", "value", "lower_ci", "upper_ci", "events")
NOT_EXACT = (
    "the published counts do not give the published values exactly: "
    "values are as published, and counts give the size of noise only"
)
BOUNDARY = " [boundaries "
LENGTHS = {"month": 1, "quarter": 3, "year": 12}
WORDS = {1: "months", 3: "quarters", 12: "years"}
BOUNDARIES: Mapping[str, tuple[date, ...]] = {
    code: area.boundary_break_dates for code, area in AREAS.items() if area.boundary_break_dates
}


def usable_rows(observations: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Keep the observations of a metric that may be used, each with its value and basis."""
    chosen = (observations["metric"] == metric.id) & observations["status"].isin(USABLE)
    return with_basis(with_values(observations.loc[chosen], metric))


def with_values(rows: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Fill in values that follow from the counts, and `events`: the numerators that the values stand for.

    They are the counts, but where the counts were published rounded or not at all: their quotient is then
    further from the value than the value's own rounding allows, and the value decides.
    """
    if metric.kind.is_standardised or "value" not in rows:
        return rows.assign(events=rows["numerator"])
    people = rows["denominator"].where(rows["denominator"] > 0)
    made = rows["numerator"] / people * metric.multiplier
    value = rows["value"].where(rows["value"].notna(), made)
    if not metric.kind.is_quotient:
        return rows.assign(value=value, events=rows["numerator"])
    close = (made - value).abs() <= 0.5 * 10.0 ** -max(metric.decimals, 1) + 1e-9
    told = value / metric.multiplier * people
    return rows.assign(value=value, events=rows["numerator"].where(close | told.isna(), told))


def with_basis(rows: pd.DataFrame) -> pd.DataFrame:
    """Say in the basis which boundaries an area's figures are for, where they changed."""
    told = rows["basis"].fillna("").astype(str) if "basis" in rows else pd.Series("", index=rows.index)
    moved = rows["area_code"].isin(BOUNDARIES)
    if not moved.any():
        return rows.assign(basis=told)
    bare = ~told.str.contains(BOUNDARY, regex=False)
    for code in set(rows.loc[moved, "area_code"]):
        for day in BOUNDARIES[code]:
            later = (rows["area_code"] == code) & (pd.to_datetime(rows["period_end"]) >= pd.Timestamp(day))
            since = np.where(later, "since", "before")
            told = told.mask(
                bare & (rows["area_code"] == code), told + BOUNDARY + since + f" {day.day} {day:%B %Y}]"
            )
    return rows.assign(basis=told)


def breaks_between(metric: Metric, codes: pd.Index, before: Period, after: Period) -> "pd.Series[str]":
    """Say for each area what changed between two windows, or within one: the series, or its boundaries."""
    first = [found for found in metric.breaks if before.start < found.date <= after.end]
    if first:
        return pd.Series(f"series break on {first[0].date}: {first[0].what}", index=codes)
    moved = {
        code: f"the boundaries of the area changed on {day.day} {day:%B %Y}"
        for code, days in BOUNDARIES.items()
        for day in days
        if before.start < day <= after.end
    }
    return pd.Series([moved.get(code, "") for code in codes], index=codes, dtype=object)


@dataclass(frozen=True, eq=False)
class Pieces:
    """Figures of the equal periods that a window is made of: areas by periods.

    `known` says whether a figure can be used: for a window of one period its value, for several the counts.
    """

    periods: tuple[Period, ...]
    numbers: Mapping[str, Floats]
    known: Flags

    @property
    def months(self) -> int:
        """Calendar months of one period; zero where it is not whole months."""
        return self.periods[0].n_months if self.periods[0].is_whole_months else 0


def in_window(
    rows: pd.DataFrame, metric: Metric, window: Period, same_as: Period | None = None
) -> pd.DataFrame:
    """Add up a metric over a window, in every area that has any row: one row an area.

    With `same_as`, the same window of another year, only periods that both have are used, where there are any
    (`shared`). `exposure` is what the value is per: the denominator, times the periods where the people of a
    population are counted once a period; `n_expected n_present missing used` are periods, `word` their name;
    `reason` says why the periods there are do not add up to the window.
    """
    areas = np.array(sorted(rows["area_code"].unique()), dtype=object)
    years = 0 if same_as is None else same_as.start.year - window.start.year
    good = usable_rows(_touching(rows, [window, window.shift_years(years)]), metric)
    best: pd.DataFrame | None = None
    for periods in divisions(good, metric, window, years):
        here = pieces(good, metric, areas, periods)
        used: Flags = here.known
        shared: Flags = np.zeros(len(areas), dtype=bool)
        if same_as is not None:
            published = set(_periods(good)[1])
            like = tuple(_like(period.shift_years(years), published, metric) for period in periods)
            there = pieces(good, metric, areas, like)
            both = used & there.known
            shared = np.asarray(both.any(axis=1))
            used = np.where(shared[:, None], both, used)
        made = _added(here, used, metric).assign(shared=shared).set_index(areas)
        if best is None:
            best = made
        else:
            better = (made["n_present"] * made["months"] > best["n_present"] * best["months"]).to_numpy()
            best = pd.concat([best.loc[~better], made.loc[better]]).loc[areas]
    frame = _nothing(areas, good, metric, window) if best is None else best
    return frame.infer_objects().rename_axis("area_code").reset_index()


def _touching(rows: pd.DataFrame, windows: list[Period]) -> pd.DataFrame:
    """Keep the rows of periods that reach into one of some windows."""
    starts, ends = (pd.to_datetime(rows[f"period_{end}"]) for end in ("start", "end"))
    touch = [(starts <= pd.Timestamp(one.end)) & (ends >= pd.Timestamp(one.start)) for one in windows]
    return rows.loc[np.logical_or.reduce(touch)]


def divisions(rows: pd.DataFrame, metric: Metric, window: Period, years: int = 0) -> list[tuple[Period, ...]]:
    """List the ways to divide a window into equal periods that there are figures for, the longest first."""
    own = set(_periods(rows)[1])
    there = own | ({_like(period.shift_years(-years), own, metric) for period in own} if years else set())
    found: list[tuple[Period, ...]] = [(window,)] if window in there else []
    if metric.frequency == "wave" and not found:
        inside = tuple(sorted(period for period in there if window.contains(period)))
        apart = all(one.end < other.start for one, other in pairwise(inside))
        weighed = len(inside) == 1 or rows["denominator"].notna().any()
        return [inside] if inside and apart and weighed else []
    if not window.is_whole_months:
        return found
    lengths = {period.n_months for period in there if period.is_whole_months}
    for length in sorted(lengths, reverse=True):
        if length < window.n_months and window.n_months % length == 0:
            periods = in_parts(window, length)
            if there & set(periods):
                found.append(periods)
    return found


def _like(period: Period, known: set[Period], metric: Metric) -> Period:
    """Give the period itself, or for a survey the one wave whose time it shares."""
    over = [wave for wave in known if wave.start <= period.end and period.start <= wave.end]
    return over[0] if metric.frequency == "wave" and len(over) == 1 else period


def in_parts(window: Period, length: int) -> tuple[Period, ...]:
    """Divide a window into periods of so many months."""
    months = window.months
    return tuple(Period(months[i].start, months[i + length - 1].end) for i in range(0, len(months), length))


def pieces(
    rows: pd.DataFrame, metric: Metric, areas: NDArray[np.object_], periods: tuple[Period, ...]
) -> Pieces:
    """Lay the figures of some periods out as areas by periods."""
    column = {period: i for i, period in enumerate(periods)}
    code, there = _periods(rows)
    at = np.array([column.get(period, -1) for period in there], dtype=np.int64)[code]
    kept = rows.loc[at >= 0]
    place = np.searchsorted(areas.astype(str), kept["area_code"].to_numpy(dtype=str)), at[at >= 0]
    numbers = {}
    for name in NUMBERS:
        numbers[name] = np.full((len(areas), len(periods)), np.nan)
        if name in kept:
            numbers[name][place] = kept[name].to_numpy(dtype=float)
    if len(periods) == 1 and metric.frequency != "month":
        return Pieces(periods, numbers, np.isfinite(numbers["value"]))
    known = np.isfinite(numbers["events"])
    if metric.kind.is_standardised or not metric.kind.needs_population:
        known &= np.isfinite(numbers["denominator"]) & (not metric.kind.is_standardised)
    return Pieces(periods, numbers, known)


def _periods(rows: pd.DataFrame) -> tuple[NDArray[np.int64], list[Period]]:
    """Give the different periods of some rows, and which of them each row has."""
    ends = [pd.to_datetime(rows[f"period_{end}"]) for end in ("start", "end")]
    starts, first = pd.factorize(ends[0])
    stops, last = pd.factorize(ends[1])
    code, pairs = pd.factorize(starts * (len(last) + 1) + stops)
    return code, [
        Period(first[pair // (len(last) + 1)].date(), last[pair % (len(last) + 1)].date()) for pair in pairs
    ]


def _added(here: Pieces, used: Flags, metric: Metric) -> pd.DataFrame:
    """Add up the periods used in each area."""
    n = used.sum(axis=1)
    some = np.where(n > 0, n, np.nan)
    x, people, events = (
        np.where(used, here.numbers[name], 0.0).sum(axis=1) for name in ("numerator", "denominator", "events")
    )
    days = np.array([period.days for period in here.periods], dtype=float)
    person_days = np.where(used, here.numbers["denominator"] * days, 0.0).sum(axis=1)
    mean = people / some
    if metric.nature == "stock":
        numerator, events, denominator, exposure = x / some, events / some, mean, mean
    else:
        numerator, events = (np.where(n > 0, total, np.nan) for total in (x, events))
        own = not metric.kind.per_resident
        exposure = np.where(n > 0, people if own else people * _times(here, some, metric) / some, np.nan)
        denominator = exposure if own else mean
    with np.errstate(divide="ignore", invalid="ignore"):
        value = events / exposure * metric.multiplier
    value = np.where(exposure > 0, value, np.nan)
    lower, upper = (_limit(here, used, metric, name) for name in ("lower_ci", "upper_ci"))
    if len(here.periods) == 1 and metric.frequency != "month":
        value = np.where(used[:, 0], here.numbers["value"][:, 0], np.nan)
    labels = np.array([period.label for period in here.periods], dtype=object)
    kinds, kind = np.unique(used, axis=0, return_inverse=True)  # few, for thousands of areas
    return pd.DataFrame(
        {
            "numerator": numerator,
            "events": events,
            "denominator": denominator,
            "exposure": exposure,
            "value": value,
            "lower_ci": lower,
            "upper_ci": upper,
            "person_days": np.where(n > 0, person_days, np.nan),
            "n_expected": len(here.periods),
            "n_present": n,
            "missing": np.array(["; ".join(labels[~row]) for row in kinds], dtype=object)[kind.ravel()],
            "used": np.array([_runs(here.periods, row) for row in kinds], dtype=object)[kind.ravel()],
            "months": max(here.months, 1),
            "word": "waves" if metric.frequency == "wave" else WORDS.get(here.months, "periods"),
            "reason": "",
        }
    )


def _times(here: Pieces, n: Floats, metric: Metric) -> Floats:
    """Count how often the people of a rate are counted: quarters of a yearly rate add up to one year."""
    share = here.months / LENGTHS.get(metric.frequency, here.months or 1)
    return np.maximum(n * share, 1.0) if 0 < share < 1 else n


def _limit(here: Pieces, used: Flags, metric: Metric, name: str) -> Floats:
    """Published limit of a window: that of its one period, or made from those of several by their weights."""
    limit, value, people = (here.numbers[part] for part in (name, "value", "denominator"))
    if len(here.periods) == 1:
        return np.where(used[:, 0], limit[:, 0], np.nan)
    weight = np.where(used, people, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = weight / weight.sum(axis=1, keepdims=True)
        half = np.sqrt((np.where(used, weight * (limit - value), 0.0) ** 2).sum(axis=1))
        middle = np.where(used, weight * value, 0.0).sum(axis=1)
    made = middle + np.where(name == "upper_ci", half, -half)
    return np.where(used.any(axis=1) & metric.kind.is_survey, np.clip(made, *metric.bounds), np.nan)


def _runs(periods: tuple[Period, ...], used: NDArray[np.bool_]) -> str:
    """Name the periods used, those that follow each other as one."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], used.astype(int), [0]])))
    return "; ".join(
        Period(periods[first].start, periods[last - 1].end).label
        for first, last in zip(edges[::2], edges[1::2], strict=True)
    )


def _nothing(areas: NDArray[np.object_], rows: pd.DataFrame, metric: Metric, window: Period) -> pd.DataFrame:
    """Say that a window cannot be made of the periods there are, or that none of it is there."""
    touched = sorted(
        period for period in _periods(rows)[1] if period.start <= window.end and window.start <= period.end
    )
    reason = ""
    periods: tuple[Period, ...] = (window,)
    if touched:
        shown = ", ".join(period.label for period in touched[:3]) + " and others" * (len(touched) > 3)
        reason = f"the figures there are, for {shown}, do not add up to {window.label}"
    elif (length := LENGTHS.get(metric.frequency)) and window.is_whole_months:
        periods = in_parts(window, length) if window.n_months % length == 0 else periods
    empty = pieces(rows.iloc[:0], metric, areas, periods)
    return _added(empty, empty.known, metric).assign(shared=False, reason=reason).set_index(areas)


def expected_people(
    rows: pd.DataFrame, metric: Metric, window: Period, projected: "pd.Series[float]", *, hindsight: bool
) -> Floats:
    """Give each area's denominator in a window to come: the population where it is known, else projected."""
    wanted: Floats = projected.to_numpy(dtype=float)
    if not (hindsight and metric.kind.per_resident):
        return wanted
    starts, ends = (pd.to_datetime(rows[f"period_{end}"]) for end in ("start", "end"))
    inside = (starts >= pd.Timestamp(window.start)) & (ends <= pd.Timestamp(window.end))
    known = rows.loc[inside].groupby("area_code")["denominator"].mean().reindex(projected.index)
    return np.asarray(np.where(known > 0, known, wanted))


def overlap(rows: pd.DataFrame) -> bool:
    """Whether periods share days, as years that end with each quarter do."""
    periods = sorted(_periods(rows)[1])
    return any(later.start <= earlier.end for earlier, later in pairwise(periods))


def whole_years(rows: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Add figures of months or quarters up to years, back from the last period there is; whole years only."""
    ends = [period.end for period in _periods(usable_rows(rows, metric))[1]]
    found: list[pd.DataFrame] = []
    year = Period(max(ends).replace(day=1), max(ends)) if ends else None
    while year is not None:
        first = year.shift_years(-1).end + timedelta(days=1)
        made = in_window(rows, metric, Period(first, year.end))
        made = made.loc[made["n_present"] == made["n_expected"]]
        found.append(
            made.assign(period_start=pd.Timestamp(first), period_end=pd.Timestamp(year.end), basis="")
        )
        year = year.shift_years(-1) if len(made) else None
    return with_basis(pd.concat(found[::-1], ignore_index=True)) if found else usable_rows(rows, metric)
