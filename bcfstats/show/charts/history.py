"""A metric over time: its series with the windows compared, what was expected and the target; its season."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bcfstats.define.levels import LEVELS
from bcfstats.define.metrics import UNUSUAL, Metric, Unusual
from bcfstats.define.periods import Period, month_of
from bcfstats.show import sentences
from bcfstats.show.charts.chart import Chart
from bcfstats.show.charts.drawing import Dashes, Floats, Plot, ends
from bcfstats.show.palettes import ANALYSIS_FUNCTION, MAKING_DATA_COUNT, MARK_OF
from bcfstats.show.sentences import INTERVAL, ResultRow
from bcfstats.words import MONTH_NAMES, interval, number, percent

FINANCIAL_YEAR = [*range(4, 13), 1, 2, 3]
BOTH_SHADED = "Shaded: the two windows compared, each with its level"
MATCHED = " over the months that both have"
BASELINE_SHADED = "Shaded: the baseline, with its level"
FAN = f"{percent(LEVELS.forecast)} interval of what was to be expected if nothing was done"
TINTED = f"Tinted: {FAN}, with its middle"
DASHED = "Dashed: the proposed target"
PAID_FROM = ", and the line it is paid from"
SUPPRESSED = "suppressed"
SIDES = ("baseline", "outcome")
LONGEST_ON_AXIS = 9
BESIDE = 0.24  # of the width before it, for the names of lines
ENDS = ("lower", "upper")
Rows = list[list[object]]


def history_chart(
    area: str,
    metric: Metric,
    series: pd.DataFrame,
    windows: Sequence[ResultRow],
    *,
    outlooks: Sequence[ResultRow] = (),
    targets: Sequence[ResultRow] = (),
    source: str = "",
    look: str = ANALYSIS_FUNCTION,
) -> Chart | None:
    """Draw the whole series of one metric in one area; nothing where no figure of it is shown.

    The first of the windows is shaded, with the outlook and the target of its payment.
    """
    labels, values = period_labels(series), series["value"].to_numpy(dtype=float)
    if not np.isfinite(values).any():
        return None
    window = next(iter(windows), None)
    around = _Around(window, _of(window, outlooks, "expected"), _of(window, targets, "target_value"))
    monthly = metric.frequency == "month"
    plot, headings, rows = (_draw_months if monthly else _draw_years)(metric, series, around, look)
    limits = "" if monthly else f", with {INTERVAL}s"
    hatched = [f"Hatched: {time.words}" for time, _ in _set_apart(series)]
    return Chart(
        plot.figure,
        alt=_alt(area, metric, labels, values) + around.in_words(metric),
        caption=f"{metric.short_name}, {area}, {labels[0]} to {labels[-1]}{limits}",
        headings=headings,
        rows=rows,
        note=". ".join([f"Source: {source or metric.publisher}", *around.key(monthly=monthly), *hatched]),
    )


@dataclass(frozen=True)
class _Around:
    """What is drawn around a series: the windows compared, what was expected of the outcome, its target."""

    window: ResultRow | None
    outlook: ResultRow | None
    target: ResultRow | None

    @property
    def levels(self) -> list[tuple[str, Period, float]]:
        """Give the windows that have a value: baseline or outcome, period, value."""
        row = self.window
        return [
            (side, Period.parse(row[f"{side}_period"]), row[f"{side}_value"])
            for side in SIDES
            if row and np.isfinite(row[f"{side}_value"])
        ]

    @property
    def outcome(self) -> str:
        return Period.parse(self.window["outcome_period"]).label if self.window else ""

    @property
    def mark(self) -> str:
        return MARK_OF.get(self.window["finding"], "") if self.window else ""

    @property
    def values(self) -> list[float]:
        """Give all values drawn besides the series, which the scale must hold."""
        drawn = [level for _, _, level in self.levels]
        drawn += [self.outlook[name] for name in ("expected_lower", "expected_upper")] if self.outlook else []
        return drawn + (
            [self.target[name] for name in ("target_value", "payment_line")] if self.target else []
        )

    def key(self, *, monthly: bool) -> list[str]:
        """Say what is drawn besides the series."""
        words = [self._shaded] if monthly and self.levels else []
        words += [TINTED] if self.outlook else []
        words += [DASHED + PAID_FROM * bool(np.isfinite(self.target["payment_line"]))] if self.target else []
        return words + (
            [f"The mark on the outcome says: {self.window['finding']}"] if self.window and self.mark else []
        )

    @property
    def _shaded(self) -> str:
        if self.window is None or len(self.levels) < len(SIDES):
            return BASELINE_SHADED
        partly = self.window["outcome_n_present"] < self.window["outcome_n_expected"]
        return BOTH_SHADED + MATCHED * bool(partly)

    def in_words(self, metric: Metric) -> str:
        """Say for who cannot see them where these lie."""
        words = []
        if self.outlook:
            expected = sentences.value(self.outlook["expected"], metric)
            words.append(f"{expected} was to be expected if nothing was done")
        if self.target:
            level, line = (sentences.value(self.target[x], metric) for x in ("target_value", "payment_line"))
            paid_from = f", paid from {line}" if np.isfinite(self.target["payment_line"]) else ""
            words.append(f"the target is {level}{paid_from}")
        return f" In {self.outcome} {'; '.join(words)}." if words else ""

    def beside(self, across: tuple[float, float], edge: float) -> tuple[float, float]:
        """Leave room for names to the right of the outcome's edge."""
        room = BESIDE * (edge - across[0]) if self.outlook or self.target else 0.0
        return across[0], max(across[1], edge + room)

    def draw(self, plot: Plot, edges: tuple[float, float]) -> None:
        """Draw what was expected of the outcome and its target, between two places, and name them."""
        named: list[tuple[float, str, str]] = []
        if self.outlook:
            limits, middle = [self.outlook[f"expected_{end}"] for end in ENDS], self.outlook["expected"]
            plot.band(edges, (limits[0], limits[1]), "emphasis", alpha=0.15)
            plot.line(edges, [middle] * 2, "text", dashes=(0, (1, 1.5)))
            named.append((middle, "forecast", "emphasis"))
        if self.target:
            level, line = self.target["target_value"], self.target["payment_line"]
            plot.line(edges, [level] * 2, "alert", width=2.2, dashes=(0, (4, 2)))
            named.append((level, "target", "text"))
            if np.isfinite(line):
                plot.line(edges, [line] * 2, "text", width=1.2, dashes=(0, (4, 2)))
                named.append((line, "line", "text"))
        plot.names(edges[1], named)


def _of(window: ResultRow | None, rows: Iterable[ResultRow], name: str) -> ResultRow | None:
    """Find the row of the window's payment in which a value is known."""
    wanted = window["payment"] if window else None
    return next((row for row in rows if row["payment"] == wanted and np.isfinite(row[name])), None)


def _draw_months(
    metric: Metric, series: pd.DataFrame, around: _Around, look: str
) -> tuple[Plot, list[str], Rows]:
    """Draw a monthly series: missing months are gaps, windows are shaded with their level."""
    months = pd.PeriodIndex(pd.to_datetime(series["period_start"]), freq="M")
    shown = series.set_index(months)[["value", "status"]]
    shown = shown.reindex(pd.period_range(months.min(), months.max(), freq="M"))
    values = shown["value"].to_numpy(dtype=float)
    starts = [month.start_time.date() for month in shown.index]
    drawn = [*(period for _, period, _ in around.levels), *_outcome_period(around)]
    days = [_day(start) for start in starts]
    across = ends(days, [day for period in drawn for day in _edges(period)], margin=0.05)
    across = around.beside(across, max((_edges(period)[1] for period in drawn), default=0.0))
    plot = Plot(sentences.unit(metric), across, ends(values, around.values, low=0), look=look)
    plot.label_values()
    for time, marked in _set_apart(series):
        first, last = series["period_start"].iloc[marked[0]], series["period_end"].iloc[marked[-1]]
        plot.hatch((_day(first), _day(last)), time.what)
    for tint, (side, period, level) in zip(("comparison", "emphasis"), around.levels, strict=False):
        edges = _edges(period)
        plot.band(edges, None, "band")
        plot.line(edges, [level] * 2, tint, width=2.6)
        inside, step = ("right", -2) if side == "baseline" else ("left", 2)  # towards the other
        plot.text(edges[inside == "right"], plot.up[1], side, tint, align=inside, shift=(step, -6))
    for period in _outcome_period(around):
        around.draw(plot, _edges(period))
    plot.line(days, values, "series")
    known = np.isfinite(np.concatenate([[np.nan], values, [np.nan]]))
    alone = known[1:-1] & ~known[:-2] & ~known[2:]
    plot.points(np.array(days)[alone], values[alone], "series", size=4)
    if look == MAKING_DATA_COUNT:
        plot.mark(days, values, "common", size=4)
    for side, period, level in around.levels:
        if side == "outcome" and around.mark:
            plot.mark(sum(_edges(period)) / 2, level, around.mark)
    for found in metric.breaks:
        if starts[0] < found.date <= starts[-1]:
            plot.line([_day(found.date)] * 2, plot.up, "alert", width=1.4, dashes=(0, (2, 2)))
    plot.label_places(*_years(starts))
    rows: Rows = [
        [month_of(start).label, _shown(value, status, metric)]
        for start, value, status in zip(starts, values, shown["status"], strict=True)
    ]
    return plot, ["Month", "Value"], rows


def _outcome_period(around: _Around) -> list[Period]:
    """Give the outcome's period where something is drawn across it."""
    needed = around.window and (around.outlook or around.target)
    return [Period.parse(around.window["outcome_period"])] if around.window and needed else []


def _draw_years(
    metric: Metric, series: pd.DataFrame, around: _Around, look: str
) -> tuple[Plot, list[str], Rows]:
    """Draw a yearly series with its intervals; points of different definitions are not joined."""
    labels = period_labels(series)
    values, lower, upper = (series[name].to_numpy(dtype=float) for name in ("value", "lower", "upper"))
    starts, finish = (pd.to_datetime(series[f"period_{side}"]).dt.date.tolist() for side in ("start", "end"))
    basis = series["basis"].fillna("").tolist()
    place = np.arange(len(labels), dtype=float)
    up = ends(values, lower, upper, around.values, low=0)
    at = labels.index(around.outcome) if around.outcome in labels else None
    across = around.beside((-0.5, len(labels) - 0.5), 0.0 if at is None else at + 0.3)
    plot = Plot(sentences.unit(metric), across, up, look=look)
    plot.label_values()
    for time, marked in _set_apart(series):
        plot.hatch((marked[0] - 0.5, marked[-1] + 0.5), time.what)
    if at is not None:
        around.draw(plot, (at - 0.3, at + 0.3))
    known = np.isfinite(lower) & np.isfinite(upper)
    plot.bars(place[known], place[known], lower[known], upper[known], "comparison")
    firsts = [i for i in range(len(labels)) if i == 0 or not _joined(i, basis, starts, metric)]
    for first, last in pairwise([*firsts, len(labels)]):
        if last - first > 1:
            plot.line(place[first:last], values[first:last], "series")
    plot.points(place, values, "series")
    if at is not None and around.mark:
        plot.mark(at, values[at], around.mark)
    named = [_on_axis(*each) for each in zip(labels, starts, finish, strict=True)]
    plot.label_places(place, named)
    rows: Rows = [
        [
            label,
            _shown(value, status, metric),
            interval(low, high, metric.decimals),
            definition or "as published",
        ]
        for label, value, status, low, high, definition in zip(
            labels, values, series["status"], lower, upper, basis, strict=True
        )
    ]
    return plot, ["Period", "Value", INTERVAL, "Definition in force"], rows


def _set_apart(series: pd.DataFrame) -> list[tuple[Unusual, NDArray[np.int64]]]:
    """Find the rows of each time that is no guide to ordinary ones, unless somebody vouches for them."""
    notes = series["status_note"].to_numpy()
    found = ((time, np.flatnonzero(notes == time.words)) for time in UNUSUAL)
    return [(time, rows) for time, rows in found if rows.size]


def _joined(i: int, basis: Sequence[str], starts: Sequence[date], metric: Metric) -> bool:
    """Say whether a year may be joined to the one before: one definition, and no break between."""
    return basis[i] == basis[i - 1] and not any(
        starts[i - 1] < found.date <= starts[i] for found in metric.breaks
    )


def season_chart(area: str, metric: Metric, rows: pd.DataFrame, look: str = ANALYSIS_FUNCTION) -> Chart:
    """Draw the month indices of one metric in one area beside those of all areas (1 is an average day)."""
    found: list[Any] = rows.set_index("month").loc[FINANCIAL_YEAR].to_dict("records")
    names = [MONTH_NAMES[month - 1] for month in FINANCIAL_YEAR]
    index, nation = (np.array([row[x] for row in found], dtype=float) for x in ("index", "national_index"))
    place = np.arange(len(names), dtype=float)
    plot = Plot("Index, 1 = an average day", ends(place, margin=0.05), ends(index, nation, 1.0), look=look)
    dashed: Dashes = (0, (4, 2))
    plot.key([("All areas", "comparison", dashed), (area, "series", "solid")])
    plot.label_values()
    plot.line(plot.across, [1, 1], "text", width=0.8)
    for values, colour, dashes in ((nation, "comparison", dashed), (index, "series", "solid")):
        plot.line(place, values, colour, width=1.8, dashes=dashes)
        plot.points(place, values, colour, size=4)
    plot.label_places(place, names)
    high, low = int(index.argmax()), int(index.argmin())
    return Chart(
        plot.figure,
        alt=(
            f"Line chart of month indices of {metric.short_name} for {area}. Highest in {names[high]} "
            f"({number(index[high], 2)}), lowest in {names[low]} ({number(index[low], 2)})."
        ),
        caption=f"{metric.short_name}, {area}: month indices per day, shrunk towards all areas",
        headings=["Month", area, INTERVAL, "All areas"],
        rows=[
            [
                name,
                number(row["index"], 3),
                interval(row["lower"], row["upper"], 3),
                number(row["national_index"], 3),
            ]
            for name, row in zip(names, found, strict=True)
        ],
    )


def period_labels(series: pd.DataFrame) -> list[str]:
    """Name the period of each row."""
    starts, finish = (pd.to_datetime(series[f"period_{side}"]).dt.date for side in ("start", "end"))
    return [Period(*both).label for both in zip(starts, finish, strict=True)]


def _on_axis(label: str, start: date, end: date) -> str:
    """Shorten a label to what an axis has room for: months above, year below."""
    if len(label) <= LONGEST_ON_AXIS:
        return label
    year = f"{start.year}" if start.year == end.year else f"{start.year}/{end:%y}"
    return f"{start:%b}\u2013{end:%b}\n{year}"


def _years(starts: Sequence[date]) -> tuple[list[float], list[str]]:
    """Place the years of a monthly series at their Januaries, or each month where there are few."""
    if len(starts) < 2 * 12:
        return [_day(start) for start in starts], [f"{start:%b %Y}" for start in starts]
    some = [start for start in starts if start.month == 1]
    return [_day(start) for start in some], [str(start.year) for start in some]


def _edges(period: Period) -> tuple[float, float]:
    return _day(period.start), _day(period.end)


def _day(when: date) -> float:
    return float(when.toordinal())


def _shown(amount: float, status: object, metric: Metric) -> str:
    return SUPPRESSED if status == SUPPRESSED else sentences.value(amount, metric)


def _alt(area: str, metric: Metric, labels: list[str], values: Floats) -> str:
    known = np.flatnonzero(np.isfinite(values))
    high, low = known[np.argmax(values[known])], known[np.argmin(values[known])]
    first, last, highest, lowest = (
        f"{sentences.value(values[i], metric)} in {labels[i]}" for i in (known[0], known[-1], high, low)
    )
    return (
        f"Chart of {metric.short_name} for {area}, {sentences.unit(metric)}: from {first} to {last}; "
        f"highest {highest}, lowest {lowest}."
    )
