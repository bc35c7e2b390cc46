"""A metric laid out once, areas by the periods it is published for, and added up over any window."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bcfstats.define.areas import AREAS
from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Texts = NDArray[np.object_]
Places = NDArray[np.int64]
USABLE = ("ok", "rounded")  # suppressed, suspect and not-available figures take no part in a calculation
NUMBERS = ("numerator", "denominator", "value", "lower_ci", "upper_ci", "events")
NOT_EXACT = (
    "the published counts do not give the published values exactly: "
    "values are as published, and counts give the size of noise only"
)
BOUNDARY = " [boundaries "
LENGTHS = {"month": 1, "quarter": 3, "year": 12}
WORDS = {1: "month", 3: "quarter", 12: "year"}
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
    counts, people, value = (
        rows[name].to_numpy(dtype=float) for name in ("numerator", "denominator", "value")
    )
    people = np.where(people > 0, people, np.nan)
    made = counts / people * metric.multiplier
    value = np.where(np.isnan(value), made, value)
    if not metric.kind.is_quotient:
        return rows.assign(value=value, events=counts)
    close = np.abs(made - value) <= 0.5 * 10.0 ** -max(metric.decimals, 1) + 1e-9
    told = value / metric.multiplier * people
    return rows.assign(value=value, events=np.where(close | np.isnan(told), counts, told))


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


def breaks_between(metric: Metric, codes: Iterable[str], before: Period, after: Period) -> Texts:
    """Say for each area what changed between two windows, or within one: the series, or its boundaries."""
    first = [found for found in metric.breaks if before.start < found.date <= after.end]
    if first:
        what = f"series break on {first[0].date}: {first[0].what}"
        return np.array([what for _ in codes], dtype=object)
    moved = {
        code: f"the boundaries of the area changed on {day.day} {day:%B %Y}"
        for code, days in BOUNDARIES.items()
        for day in days
        if before.start < day <= after.end
    }
    return np.array([moved.get(code, "") for code in codes], dtype=object)


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


class Grid:
    """A metric laid out once: areas by the periods it is published for, both in order.

    `numbers` are of the figures that may be used; `words` (status, note and basis) of all that are there.
    """

    def __init__(self, rows: pd.DataFrame, metric: Metric) -> None:
        rows = with_basis(with_values(rows.loc[rows["metric"] == metric.id], metric))
        area, areas = pd.factorize(rows["area_code"], sort=True)
        code, self.periods = _periods(rows)
        self.rows, self.metric = rows, metric
        self.areas: Texts = np.asarray(areas, dtype=object)
        self.names: Texts = np.full(len(areas), "", dtype=object)
        self.names[area] = rows["area_name"].to_numpy(dtype=object)
        shape = len(areas), len(self.periods) + 1  # the last column is for periods that are not there
        good = rows["status"].isin(USABLE).to_numpy(dtype=bool)
        self.numbers: dict[str, Floats] = {}
        for name in NUMBERS:
            self.numbers[name] = np.full(shape, np.nan)
            if name in rows:
                self.numbers[name][area[good], code[good]] = rows[name].to_numpy(dtype=float)[good]
        self.words: dict[str, tuple[Places, Texts]] = {}
        for name in ("status", "status_note", "basis"):
            told = rows[name].fillna("").to_numpy(dtype=object)
            codes, texts = pd.factorize(np.concatenate([[""], told]))
            self.words[name] = np.zeros(shape, dtype=np.int64), texts
            self.words[name][0][area, code] = codes[1:]
        self._column = {period: i for i, period in enumerate(self.periods)}
        self._usable = set(np.unique(code[good]).tolist())
        self._starts, self._ends = (
            np.array([getattr(period, end) for period in self.periods], dtype="datetime64[D]")
            for end in ("start", "end")
        )

    def touching(self, window: Period) -> Places:
        """Find the columns of the periods that share days with a window."""
        first, last = np.datetime64(window.start), np.datetime64(window.end)
        return np.flatnonzero((self._starts <= last) & (self._ends >= first))

    def inside(self, window: Period) -> Places:
        """Find the columns of the periods that lie in a window."""
        first, last = np.datetime64(window.start), np.datetime64(window.end)
        return np.flatnonzero((self._starts >= first) & (self._ends <= last))

    def told(self, name: str, window: Period) -> Texts:
        """Join for each area the different words that its figures in a window come with."""
        codes, texts = self.words[name]
        return _by_kind(codes[:, self.inside(window)], lambda row: "; ".join(texts[pd.unique(row[row > 0])]))

    def last_told(self, window: Period) -> tuple[Texts, Texts]:
        """Give for each area the status and the note of its last figure in a window; "" where none is."""
        inside, areas = self.inside(window), np.arange(len(self.areas))
        last = np.where(self.words["status"][0][:, inside] > 0, inside, -1).max(axis=1, initial=-1)
        told = (self.words[name] for name in ("status", "status_note"))
        status, note = (texts[codes[areas, last]] for codes, texts in told)
        return status, note

    def pieces(self, periods: tuple[Period, ...]) -> Pieces:
        """Take the figures of some periods."""
        at = [self._column.get(period, -1) for period in periods]
        numbers = {name: table.take(at, axis=1) for name, table in self.numbers.items()}
        if len(periods) == 1 and self.metric.frequency != "month":
            return Pieces(periods, numbers, np.isfinite(numbers["value"]))
        known = np.isfinite(numbers["events"])
        if self.metric.kind.is_standardised or not self.metric.kind.needs_population:
            known &= np.isfinite(numbers["denominator"]) & (not self.metric.kind.is_standardised)
        return Pieces(periods, numbers, known)

    def over(self, window: Period, same_as: Period | None = None) -> dict[str, NDArray[Any]]:
        """Add the metric up over a window: columns with an entry for each area.

        With `same_as`, the same window of another year, only periods that both have are used, where there are
        any (`shared`). `exposure` is what the value is per: the denominator, times the periods where the
        people of a population are counted once a period; `n_expected n_present missing used` are periods,
        `word` their name; `reason` says why the periods there are do not add up to the window.
        """
        years = 0 if same_as is None else same_as.start.year - window.start.year
        touched = {*self.touching(window), *self.touching(window.shift_years(years))} & self._usable
        own = {self.periods[i] for i in sorted(touched)}
        best: dict[str, NDArray[Any]] | None = None
        for periods in self._divisions(window, own, years):
            here = self.pieces(periods)
            used: Flags = here.known
            shared: Flags = np.zeros(len(self.areas), dtype=bool)
            if same_as is not None:
                like = tuple(_like(period.shift_years(years), own, self.metric) for period in periods)
                both = used & self.pieces(like).known
                shared = np.asarray(both.any(axis=1))
                used = np.where(shared[:, None], both, used)
            made = _added(here, used, self.metric) | {"shared": shared}
            if best is not None:
                better = made["n_present"] * made["months"] > best["n_present"] * best["months"]
                made = {name: np.where(better, made[name], old) for name, old in best.items()}
            best = made
        return self._nothing(window, own) if best is None else best

    def _divisions(self, window: Period, own: set[Period], years: int) -> list[tuple[Period, ...]]:
        """List the ways to divide a window into equal periods there are figures for, the longest first."""
        metric = self.metric
        there = own | ({_like(period.shift_years(-years), own, metric) for period in own} if years else set())
        found: list[tuple[Period, ...]] = [(window,)] if window in there else []
        if metric.frequency == "wave" and not found:
            inside = tuple(sorted(period for period in there if window.contains(period)))
            apart = all(one.end < other.start for one, other in pairwise(inside))
            people = self.numbers["denominator"][:, [self._column[period] for period in own]]
            weighed = len(inside) == 1 or np.isfinite(people).any()
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

    def _nothing(self, window: Period, own: set[Period]) -> dict[str, NDArray[Any]]:
        """Say that a window cannot be made of the periods there are, or that none of it is there."""
        touched = [self.periods[i] for i in self.touching(window) if self.periods[i] in own]
        reason = ""
        periods: tuple[Period, ...] = (window,)
        if touched:
            shown = ", ".join(period.label for period in touched[:3]) + " and others" * (len(touched) > 3)
            reason = f"the figures there are, for {shown}, do not add up to {window.label}"
        elif (length := LENGTHS.get(self.metric.frequency)) and window.is_whole_months:
            periods = in_parts(window, length) if window.n_months % length == 0 else periods
        numbers = {name: np.full((len(self.areas), len(periods)), np.nan) for name in NUMBERS}
        empty = Pieces(periods, numbers, np.isfinite(numbers["value"]))
        none = np.zeros(len(self.areas), dtype=bool)
        made = _added(empty, empty.known, self.metric)
        return made | {"shared": none, "reason": np.full(len(none), reason, dtype=object)}


def _like(period: Period, known: set[Period], metric: Metric) -> Period:
    """Give the period itself, or for a survey the one wave whose time it shares."""
    over = [wave for wave in known if wave.start <= period.end and period.start <= wave.end]
    return over[0] if metric.frequency == "wave" and len(over) == 1 else period


def in_parts(window: Period, length: int) -> tuple[Period, ...]:
    """Divide a window into periods of so many months."""
    months = window.months
    return tuple(Period(months[i].start, months[i + length - 1].end) for i in range(0, len(months), length))


def _periods(rows: pd.DataFrame) -> tuple[Places, list[Period]]:
    """Give which of its different periods each row has, and these in order."""
    days = (pd.to_datetime(rows[f"period_{end}"]) for end in ("start", "end"))
    first, last = (end.to_numpy(dtype="datetime64[D]") for end in days)
    key = (first.astype(np.int64) << 32) + (last - first).astype(np.int64)
    _, where, code = np.unique(key, return_index=True, return_inverse=True)
    return code, [Period(first[i].item(), last[i].item()) for i in where]


def _by_kind(table: NDArray[Any], text: Callable[[NDArray[Any]], str]) -> Texts:
    """Write a text for each row of a table, once for rows that are alike: few, for thousands of areas."""
    kinds, kind = np.unique(table, axis=0, return_inverse=True)
    return np.array([text(row) for row in kinds], dtype=object)[kind.ravel()]


def _added(here: Pieces, used: Flags, metric: Metric) -> dict[str, NDArray[Any]]:
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
    word = "wave" if metric.frequency == "wave" else WORDS.get(here.months, "period")
    return {
        "numerator": numerator,
        "events": events,
        "denominator": denominator,
        "exposure": exposure,
        "value": value,
        "lower_ci": lower,
        "upper_ci": upper,
        "person_days": np.where(n > 0, person_days, np.nan),
        "n_expected": np.full(len(n), len(here.periods)),
        "n_present": n,
        "missing": _by_kind(used, lambda row: "; ".join(labels[~row])),
        "used": _by_kind(used, lambda row: _runs(here.periods, row)),
        "months": np.full(len(n), max(here.months, 1)),
        "word": np.full(len(n), word, dtype=object),
        "reason": np.full(len(n), "", dtype=object),
    }


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
    return any(later.start <= earlier.end for earlier, later in pairwise(_periods(rows)[1]))


def whole_years(rows: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Add figures of months or quarters up to years, back from the last period there is; whole years only."""
    grid = Grid(usable_rows(rows, metric), metric)
    found: list[pd.DataFrame] = []
    end = max((period.end for period in grid.periods), default=None)
    year = None if end is None else Period(end.replace(day=1), end)
    while year is not None:
        first = year.shift_years(-1).end + timedelta(days=1)
        made = pd.DataFrame({"area_code": grid.areas, **grid.over(Period(first, year.end))})
        made = made.loc[made["n_present"] == made["n_expected"]]
        found.append(
            made.assign(period_start=pd.Timestamp(first), period_end=pd.Timestamp(year.end), basis="")
        )
        year = year.shift_years(-1) if len(made) else None
    return with_basis(pd.concat(found[::-1], ignore_index=True)) if found else usable_rows(rows, metric)
