"""The charts of a report, drawn from an area's rows of the results."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period, month_of
from bcfstats.show import sentences
from bcfstats.show.charts import chart as charts
from bcfstats.show.palettes import ANALYSIS_FUNCTION, MARK_OF
from bcfstats.words import interval, number, signed

MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FINANCIAL_YEAR = [*range(4, 13), 1, 2, 3]
SHADED = "Shaded: the two windows compared, each with its level"
TINTED = "Tinted: 80% interval of what was to be expected if nothing was done, with its middle"
DASHED = "Dashed: the proposed target"
PAID_FROM = ", and the line it is paid from"
SHORT_RUNGS = {
    "no_change": "No change",
    "trend": "Trend only",
    "beats_noise": "Beats noise",
    "significant": "Significant",
    "detectable": "80% power",
    "best_quartile": "Peers' best quarter",
    "best_decile": "Peers' best tenth",
    "rarely_by_luck": "Rarely by luck",
}
SUPPRESSED = "suppressed"
LONGEST_ON_AXIS = 9
Row = Mapping[str, Any]


def history_chart(
    area: str,
    metric: Metric,
    series: pd.DataFrame,
    windows: Sequence[Row],
    *,
    outlooks: Sequence[Row] = (),
    targets: Sequence[Row] = (),
    source: str | None = None,
    look: str = ANALYSIS_FUNCTION,
) -> charts.Chart | None:
    """Draw the whole series of one metric in one area; nothing where no figure of it is shown.

    Parameters
    ----------
    area : str
        Name of the area.
    metric : Metric
    series : DataFrame
        Its rows of the series table, in order of time.
    windows : sequence of mappings
        Its rows of the windows table; the first is shaded.
    outlooks, targets : sequences of mappings
        Its rows of the outlooks and assessments tables; those of the first window are drawn.
    source : str, optional
        Whose figures they are, if not the metric's publisher's.
    look : str
        Name of a palette.
    """
    labels, values = period_labels(series), series["value"].to_numpy(dtype=float)
    if not np.isfinite(values).any():
        return None
    limits = "" if metric.frequency == "month" else ", with 95% intervals"
    shown = _Shown(next(iter(windows), None), outlooks, targets)
    words = {
        "unit": sentences.unit(metric),
        "caption": f"{metric.short_name}, {area}, {labels[0]} to {labels[-1]}{limits}",
        "note": f"Source: {source or metric.publisher}. {shown.key(metric)}".rstrip(". "),
        "alt": f"{_history_words(area, metric, labels, values)}{shown.words(metric)}",
        "look": look,
    }
    draw = _monthly_history if metric.frequency == "month" else _annual_history
    return draw(metric, series, shown, words)


@dataclass(frozen=True)
class _Shown:
    """The window that is drawn, with what was expected of it and the target proposed for it."""

    window: Row | None
    outlooks: Sequence[Row]
    targets: Sequence[Row]

    @property
    def outcome(self) -> str:
        return Period.parse(self.window["outcome_period"]).label if self.window else ""

    @property
    def mark(self) -> str:
        return MARK_OF.get(self.window["finding"], "") if self.window else ""

    @property
    def fan(self) -> charts.Fan | None:
        for row in self._of(self.outlooks, "expected"):
            limits = row["expected_lower"], row["expected_upper"]
            return charts.Fan(Period.parse(row["period"]), row["expected"], *limits)
        return None

    @property
    def target(self) -> charts.Target | None:
        for row in self._of(self.targets, "target_value"):
            period = Period.parse(row["target_period"])
            return charts.Target(period, row["target_value"], row["payment_line"])
        return None

    def _of(self, rows: Sequence[Row], name: str) -> Iterator[Row]:
        wanted = self.window["payment"] if self.window else None
        return (row for row in rows if row["payment"] == wanted and np.isfinite(row[name]))

    def key(self, metric: Metric) -> str:
        """Say what is drawn besides the series."""
        told = [SHADED] if metric.frequency == "month" and self.window else []
        told += [TINTED] if self.fan else []
        told += [DASHED + PAID_FROM * bool(np.isfinite(self.target.payment_line))] if self.target else []
        told += (
            [f"The mark on the outcome says: {self.window['finding']}"] if self.window and self.mark else []
        )
        return ". ".join(told)

    def words(self, metric: Metric) -> str:
        """Say for who cannot see them where these lie."""
        told = []
        if fan := self.fan:
            told.append(f"{sentences.value(fan.expected, metric)} was to be expected if nothing was done")
        if target := self.target:
            level, line = (sentences.value(x, metric) for x in (target.level, target.payment_line))
            told.append(
                f"the target is {level}" + f", paid from {line}" * bool(np.isfinite(target.payment_line))
            )
        return f" In {self.outcome} {'; '.join(told)}." if told else ""


def season_chart(
    area: str, metric: Metric, rows: pd.DataFrame, look: str = ANALYSIS_FUNCTION
) -> charts.Chart:
    """Draw the month indices of one metric in one area beside those of all areas.

    Parameters
    ----------
    area : str
        Name of the area.
    metric : Metric
    rows : DataFrame
        Its twelve rows of the seasons table.
    look : str
        Name of a palette.
    """
    found = rows.set_index("month").loc[FINANCIAL_YEAR].to_dict("records")
    names = [MONTH_NAMES[month - 1] for month in FINANCIAL_YEAR]
    index = np.array([row["index"] for row in found], dtype=float)
    high, low = int(index.argmax()), int(index.argmin())
    return charts.season(
        names,
        index,
        np.array([row["national_index"] for row in found], dtype=float),
        names=(area, "All areas"),
        unit="Index, 1 = an average day",
        caption=f"{metric.short_name}, {area}: month indices per day, shrunk towards all areas",
        look=look,
        alt=(
            f"Line chart of month indices of {metric.short_name} for {area}. Highest in {names[high]} "
            f"({number(index[high], 2)}), lowest in {names[low]} ({number(index[low], 2)})."
        ),
        headings=["Month", area, "95% interval", "All areas"],
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
    return [
        Period(start.date(), end.date()).label
        for start, end in zip(
            pd.to_datetime(series["period_start"]), pd.to_datetime(series["period_end"]), strict=True
        )
    ]


def _monthly_history(
    metric: Metric,
    series: pd.DataFrame,
    shown: _Shown,
    words: dict[str, str],
) -> charts.Chart:
    months = pd.to_datetime(series["period_start"]).dt.to_period("M")
    every = pd.period_range(months.min(), months.max(), freq="M")
    values = pd.Series(series["value"].to_numpy(dtype=float), index=months).reindex(every).to_numpy()
    status = pd.Series(series["status"].to_numpy(), index=months).reindex(every)
    starts = [month.start_time.date() for month in every]
    spans = [
        charts.Span(
            Period.parse(row[f"{side}_period"]), side, row[f"{side}_value"], shown.mark * (side == "outcome")
        )
        for row in ([shown.window] if shown.window else [])
        for side in ("baseline", "outcome")
        if np.isfinite(row[f"{side}_value"])
    ]
    return charts.history(
        starts,
        values,
        headings=["Month", "Value"],
        rows=[
            [month_of(start).label, _shown(v, mark, metric)]
            for start, v, mark in zip(starts, values, status, strict=True)
        ],
        spans=spans,
        fan=shown.fan,
        target=shown.target,
        breaks=[found.date for found in metric.breaks if starts[0] < found.date <= starts[-1]],
        **words,
    )


def ladder_chart(
    area: str, metric: Metric, window: Period, rungs: Sequence[Row], look: str = ANALYSIS_FUNCTION
) -> charts.Chart | None:
    """Draw what each level of ambition would mean; nothing where no level is a possible value.

    Parameters
    ----------
    area : str
        Name of the area.
    metric : Metric
    window : Period
        The months or year the payment rests on.
    rungs : sequence of mappings
        The area's rows of the ladders table for one payment, from the easiest to the hardest.
    look : str
        Name of a palette.
    """
    shown = [rung for rung in rungs if np.isfinite(rung["value"])]
    if not shown:
        return None
    values = np.array([rung["value"] for rung in shown], dtype=float)
    names = [SHORT_RUNGS[rung["rung"]] for rung in shown]
    caption = (
        f"Levels of ambition for {metric.short_name}, {window.label}, {area}, "
        "with the chance of payment if nothing is done"
    )
    return charts.ladder(
        names,
        values,
        [_in_100(rung["p_paid_do_nothing"]) for rung in shown],
        base=next((rung["value"] for rung in shown if rung["rung"] == "no_change"), values[0]),
        unit=sentences.unit(metric),
        caption=caption,
        look=look,
        alt=f"{caption}: from {sentences.value(values[0], metric)} ({names[0].lower()}) "
        f"to {sentences.value(values[-1], metric)} ({names[-1].lower()}).",
        headings=[
            "Level",
            "Value",
            "Change from baseline",
            "Paid if nothing is done, in 100",
            "Paid if delivered, in 100",
            "Peers' years that did as much, in 100",
            "Note",
        ],
        rows=[
            [
                rung["what"],
                sentences.value(rung["value"], metric),
                f"{signed(rung['ambition_percent'])}%",
                _hundredths(rung["p_paid_do_nothing"]),
                _hundredths(rung["p_paid_if_delivered"]),
                _hundredths(rung["reach"]),
                rung["note"],
            ]
            for rung in rungs
        ],
    )


def _in_100(chance: float) -> str:
    if not np.isfinite(chance):
        return ""
    return f"{_hundredths(chance)} in 100".replace("under ", "<").replace("over ", ">")


def _hundredths(chance: float) -> str:
    """Write a chance as so many in 100."""
    if not np.isfinite(chance):
        return "none"
    if 0.01 <= chance <= 0.99:
        return number(100 * chance)
    return "under 1" if chance < 0.5 else "over 99"


def _annual_history(
    metric: Metric, series: pd.DataFrame, shown: _Shown, words: dict[str, str]
) -> charts.Chart:
    labels = period_labels(series)
    values, lower, upper = (series[name].to_numpy(dtype=float) for name in ("value", "lower", "upper"))
    starts, ends = (pd.to_datetime(series[f"period_{side}"]).dt.date.tolist() for side in ("start", "end"))
    basis = series["basis"].fillna("").tolist()
    joined = [False] + [
        basis[i] == basis[i - 1]
        and not any(starts[i - 1] < found.date <= starts[i] for found in metric.breaks)
        for i in range(1, len(labels))
    ]
    return charts.annual(
        [_on_axis(label, start, end) for label, start, end in zip(labels, starts, ends, strict=True)],
        values,
        lower,
        upper,
        headings=["Period", "Value", "95% interval", "Definition in force"],
        rows=[
            [
                label,
                _shown(v, mark, metric),
                interval(low, high, metric.decimals),
                definition or "as published",
            ]
            for label, v, mark, low, high, definition in zip(
                labels, values, series["status"], lower, upper, basis, strict=True
            )
        ],
        joined=joined,
        place_of_outcome=labels.index(shown.outcome) if shown.outcome in labels else None,
        mark=shown.mark,
        fan=shown.fan,
        target=shown.target,
        **words,
    )


def _on_axis(label: str, start: date, end: date) -> str:
    """Shorten a label to what an axis has room for: months above, year below."""
    if len(label) <= LONGEST_ON_AXIS:
        return label
    year = f"{start.year}" if start.year == end.year else f"{start.year}/{end:%y}"
    return f"{start:%b}\u2013{end:%b}\n{year}"


def _shown(amount: float, status: object, metric: Metric) -> str:
    return SUPPRESSED if status == SUPPRESSED else sentences.value(amount, metric)


def _history_words(area: str, metric: Metric, labels: list[str], values: NDArray[np.float64]) -> str:
    known = np.flatnonzero(np.isfinite(values))
    first, last = known[0], known[-1]
    high, low = known[np.argmax(values[known])], known[np.argmin(values[known])]
    say = [f"{sentences.value(values[i], metric)} in {labels[i]}" for i in (first, last, high, low)]
    return (
        f"Chart of {metric.short_name} for {area}, {sentences.unit(metric)}: from {say[0]} to {say[1]}; "
        f"highest {say[2]}, lowest {say[3]}."
    )
