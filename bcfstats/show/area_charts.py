"""The charts of a report, drawn from an area's rows of the results."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period, month_of
from bcfstats.show import charts, sentences
from bcfstats.show.words import interval, number

MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FINANCIAL_YEAR = [*range(4, 13), 1, 2, 3]
Row = Mapping[str, Any]


def history_chart(
    area: str, metric: Metric, series: pd.DataFrame, windows: Sequence[Row], source: str | None = None
) -> charts.Chart:
    """Draw the whole series of one metric in one area.

    Parameters
    ----------
    area : str
        Name of the area.
    metric : Metric
    series : DataFrame
        Its rows of the series table, in order of time.
    windows : sequence of mappings
        Its rows of the windows table; the first is shaded.
    source : str, optional
        Whose figures they are, if not the metric's publisher's.
    """
    labels, values = period_labels(series), series["value"].to_numpy(dtype=float)
    limits = "" if metric.frequency == "month" else ", with 95% intervals"
    words = {
        "unit": sentences.unit(metric),
        "caption": f"{metric.short_name}, {area}, {labels[0]} to {labels[-1]}{limits}. "
        f"Source: {source or metric.publisher}",
        "alt": _history_words(area, metric, labels, values),
    }
    if metric.frequency == "month":
        return _monthly_history(metric, series, windows, words)
    return _annual_history(metric, series, words)


def season_chart(area: str, rows: pd.DataFrame) -> charts.Chart:
    """Draw the month indices of one metric in one area beside those of all areas.

    Parameters
    ----------
    area : str
        Name of the area.
    rows : DataFrame
        Its twelve rows of the seasons table.
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
        caption=f"Month indices per day, {area}, shrunk towards all areas",
        alt=(
            f"Line chart of month indices for {area}. Highest in {names[high]} "
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
    metric: Metric, series: pd.DataFrame, windows: Sequence[Row], words: dict[str, str]
) -> charts.Chart:
    months = pd.to_datetime(series["period_start"]).dt.to_period("M")
    every = pd.period_range(months.min(), months.max(), freq="M")
    values = pd.Series(series["value"].to_numpy(dtype=float), index=months).reindex(every).to_numpy()
    starts = [month.start_time.date() for month in every]
    spans = [
        charts.Span(Period.parse(row[f"{side}_period"]), side, row[f"{side}_value"])
        for row in windows[:1]
        for side in ("baseline", "outcome")
        if np.isfinite(row[f"{side}_value"])
    ]
    return charts.history(
        starts,
        values,
        headings=["Month", "Value"],
        rows=[
            [month_of(start).label, sentences.value(v, metric)]
            for start, v in zip(starts, values, strict=True)
        ],
        spans=spans,
        breaks=[found.date for found in metric.breaks if starts[0] < found.date <= starts[-1]],
        **words,
    )


def _annual_history(metric: Metric, series: pd.DataFrame, words: dict[str, str]) -> charts.Chart:
    labels = period_labels(series)
    values, lower, upper = (series[name].to_numpy(dtype=float) for name in ("value", "lower", "upper"))
    starts = pd.to_datetime(series["period_start"]).dt.date.tolist()
    basis = series["basis"].fillna("").tolist()
    joined = [False] + [
        basis[i] == basis[i - 1]
        and not any(starts[i - 1] < found.date <= starts[i] for found in metric.breaks)
        for i in range(1, len(labels))
    ]
    return charts.annual(
        labels,
        values,
        lower,
        upper,
        headings=["Period", "Value", "95% interval", "Definition in force"],
        rows=[
            [
                label,
                sentences.value(v, metric),
                interval(low, high, metric.decimals),
                definition or "as published",
            ]
            for label, v, low, high, definition in zip(labels, values, lower, upper, basis, strict=True)
        ],
        joined=joined,
        **words,
    )


def _history_words(area: str, metric: Metric, labels: list[str], values: NDArray[np.float64]) -> str:
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        span = f"from {labels[0]} to {labels[-1]}"
        return f"Chart of {metric.short_name} for {area}: no figure is available {span}."
    first, last = known[0], known[-1]
    high, low = known[np.argmax(values[known])], known[np.argmin(values[known])]
    say = [f"{sentences.value(values[i], metric)} in {labels[i]}" for i in (first, last, high, low)]
    return (
        f"Chart of {metric.short_name} for {area}, {sentences.unit(metric)}: from {say[0]} to {say[1]}; "
        f"highest {say[2]}, lowest {say[3]}."
    )
