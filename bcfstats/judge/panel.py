"""A metric as a panel: areas by months, ready for the functions on arrays."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bcfstats.define.metrics import UNUSUAL, Metric
from bcfstats.define.periods import Period
from bcfstats.judge.kinds import counted_by_month
from bcfstats.judge.windows import usable_rows
from bcfstats.stats.monthly_model import fit_monthly

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]
NEEDED = (
    *("area_code", "metric", "period_start", "period_end", "numerator", "denominator", "value"),
    *("status", "basis"),
)
ENOUGH = 24  # months
COVERED = 0.5  # a month counts as published when at least half of the areas have a figure


@dataclass(frozen=True)
class Panel:
    """Monthly counts of one metric: areas by months, every calendar month from the first to the last.

    `basis` is the definition in force, empty where there is no usable count; `per_day` says whether what is
    counted grows with the days of a month and the people of an area.
    """

    area_codes: tuple[str, ...]
    months: tuple[Period, ...]
    counts: Floats
    denominators: Floats
    basis: Texts
    per_day: bool = True

    @property
    def days(self) -> Floats:
        """Days in each month, shape (months,)."""
        return np.array([month.days for month in self.months], dtype=float)

    @property
    def calendar_months(self) -> NDArray[np.int64]:
        """Calendar month of each column, 1 to 12, shape (months,)."""
        return np.array([month.start.month for month in self.months], dtype=np.int64)

    @property
    def exposure(self) -> Floats:
        """Person-days, shape (areas, months), or the denominator alone; days where there is none at all."""
        if not self.per_day:
            return self.denominators
        people = self.denominators if np.isfinite(self.denominators).any() else np.ones_like(self.counts)
        return people * self.days

    def columns(self, window: Period) -> NDArray[np.int64]:
        """Find the columns of the months of a window that the panel reaches."""
        return np.array([i for i, month in enumerate(self.months) if window.contains(month)], dtype=np.int64)

    def until(self, window: Period) -> "Panel":
        """Cut the panel after a window: what was known when it ended."""
        return self._cut([i for i, month in enumerate(self.months) if month.end <= window.end])

    def within(self, window: Period) -> "Panel":
        """Cut the panel to the months of a window."""
        return self._cut(self.columns(window).tolist())

    def _cut(self, kept: list[int]) -> "Panel":
        months = tuple(self.months[i] for i in kept)
        columns = {name: getattr(self, name)[:, kept] for name in ("counts", "denominators", "basis")}
        return replace(self, months=months, **columns)

    def on_last_basis(self) -> "Panel":
        """Leave out the months of an area before its latest definition or level began."""
        if not self.months:
            return self
        known = self.basis != ""
        last = np.where(known.any(axis=1), self.basis.shape[1] - 1 - known[:, ::-1].argmax(axis=1), 0)
        newest = np.take_along_axis(self.basis, last[:, None], axis=1)
        return replace(self, counts=np.where(self.basis == newest, self.counts, np.nan))


NO_PANEL = Panel((), (), np.empty((0, 0)), np.empty((0, 0)), np.empty((0, 0), dtype=object))


def monthly_panel(observations: pd.DataFrame, metric: Metric) -> Panel:
    """Lay the monthly observations of a metric out as areas by months; of neither where there are none."""
    monthly = observations.loc[observations["frequency"] == "month"]
    rows = usable_rows(monthly[[name for name in NEEDED if name in monthly]], metric)
    if rows.empty:
        return NO_PANEL
    starts = pd.to_datetime(rows["period_start"])
    month = (starts.dt.year * 12 + starts.dt.month).to_numpy()
    month = month - month.min()
    area, areas = pd.factorize(rows["area_code"], sort=True)
    shape = (len(areas), int(month.max()) + 1)
    counts, denominators = np.full(shape, np.nan), np.full(shape, np.nan)
    basis = np.full(shape, "", dtype=object)
    counts[area, month] = rows["events"].to_numpy(dtype=float)
    basis[area, month] = np.where(rows["events"].notna(), rows["basis"] + " ", "")
    denominators[area, month] = rows["denominator"].to_numpy(dtype=float)
    first = starts.min()
    whole = Period(first.date(), (first + pd.DateOffset(months=shape[1], days=-1)).date())
    return Panel(tuple(areas.tolist()), whole.months, counts, denominators, basis, counted_by_month(metric))


def month_to_month_dispersion(panel: Panel) -> Floats:
    """Measure how much more than Poisson each area's months scatter about trend and season; never below 1."""
    if not panel.area_codes:
        return np.empty(0)
    dispersion = fit_monthly(panel.counts, panel.exposure, panel.calendar_months).dispersion
    return np.where(np.isfinite(dispersion), np.maximum(dispersion, 1.0), np.nan)


def longest_run(panel: Panel) -> Period | None:
    """Find the longest run of months without a gap, the later of two as long.

    Two years or more since the last unusual time count before any longer run.
    """
    if not panel.months:
        return None
    covered = np.isfinite(panel.counts).mean(axis=0) >= COVERED
    edges = np.flatnonzero(np.diff(np.concatenate([[0], covered.astype(int), [0]])))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return None
    since = max(time.end for time in UNUSUAL)
    recent = [i for i in range(len(starts)) if panel.months[starts[i]].start > since]
    enough = [i for i in recent if ends[i] - starts[i] >= ENOUGH]
    best = max(enough or range(len(starts)), key=lambda i: (ends[i] - starts[i], i))
    return Period(panel.months[starts[best]].start, panel.months[ends[best] - 1].end)
