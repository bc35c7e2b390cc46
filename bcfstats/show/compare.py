"""Areas beside each other, for a notebook: charts, tables, and what may and may not be concluded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bcfstats.define.metrics import METRICS, Metric
from bcfstats.errors import InputError
from bcfstats.judge.kinds import has_funnel
from bcfstats.judge.side_by_side import ABOVE, BELOW, CHOSEN, UNKNOWN, WITHIN, SideBySide, compare_areas
from bcfstats.read.data import Data
from bcfstats.show import sentences
from bcfstats.show.charts.areas import funnel_of_areas, intervals_of_areas, years_of_areas
from bcfstats.show.charts.chart import Chart
from bcfstats.show.page import Part, section
from bcfstats.show.sentences import INTERVAL, ResultRow, rows_of
from bcfstats.words import EXAMPLE_SOURCE, EXAMPLES, interval, number, with_unit

MAY_NOT = (
    "An order by value is no league table: areas whose intervals overlap may well stand the other way round.",
    "Areas differ in age, need and recording, so a difference is a question, not an answer.",
    "Nothing is said of change or of cause: a plan is judged against its own area's past.",
)


@dataclass(frozen=True, eq=False)
class AreasCompared:
    """Areas in one window, ready to be shown."""

    beside: SideBySide
    source: str
    note: str

    def heading(self) -> Part:
        """Say what is compared, and with what."""
        metric, named = self.beside.metric, [row["area_name"] for row in self._rows(CHOSEN)]
        known = int(np.isfinite(self.beside.areas["value"]).sum())
        average = sentences.value(self.beside.average, metric)
        unit = "" if metric.unit == "%" else f"Figures are {metric.unit}. "
        return section(
            f"{metric.short_name}, {self.beside.period.label}: {', '.join(named)} among {known} areas.",
            f"{unit}The value of {self.beside.average_of} is {average}. {sentences.polarity(metric)}",
            note=self.note,
        )

    def chart(self) -> Chart:
        """Draw all areas by size with funnel limits where chance follows from counts, else intervals."""
        return self.intervals() if self.beside.funnel is None else funnel_of_areas(self.beside, self.source)

    def intervals(self) -> Chart:
        """Draw the chosen areas and their peers with their intervals, by name."""
        return intervals_of_areas(self.beside, self.source)

    def years(self) -> Chart:
        """Draw the same months of every year: chosen areas highlighted, the others thin."""
        return years_of_areas(self.beside, self.source)

    def table(self) -> Part:
        """Tabulate the chosen areas and their peers."""
        metric = self.beside.metric
        rows = [
            [
                row["area_name"],
                row["role"],
                number(row["numerator"]),
                number(row["denominator"]),
                sentences.value(row["value"], metric),
                interval(row["lower"], row["upper"], metric.decimals),
                _against_average(row),
                row["reason"],
            ]
            for row in [*self._rows(CHOSEN), *self._rows("peer")]
        ]
        headings = ["Area", "Role", "Numerator", "Denominator", "Value", INTERVAL]
        caption = f"{metric.short_name}, {self.beside.period.label}: chosen areas and peers, by name"
        return section(table=([*headings, "Against the average", "Note"], rows, caption, (2, 3, 4, 5)))

    def pairs(self) -> Part:
        """Tabulate the chosen areas two by two."""
        rows = [
            [
                f"{row['second']} against {row['first']}",
                with_unit(row["change"], self.beside.change_unit),
                interval(row["lower"], row["upper"], 1, as_change=True),
                row["finding"],
                row["reason"],
            ]
            for row in rows_of(self.beside.pairs)
        ]
        if not rows:
            return section("Choose two areas or more to compare them with each other.")
        return section(
            "Findings allow for the number of pairs (Benjamini and Hochberg).",
            table=(
                ["Pair", "Difference", INTERVAL, "Finding", "Note"],
                rows,
                "Areas two by two",
                (1, 2),
            ),
        )

    def conclusions(self) -> Part:
        """Say what may be concluded, and what may not."""
        known = self.beside.areas.loc[np.isfinite(self.beside.areas["value"])]
        counts = known["position"].value_counts()
        words = [self._position(row) for row in self._rows(CHOSEN)]
        if counts.get(UNKNOWN, 0) < len(known):
            words.append(
                f"Of {len(known)} areas, {counts.get(WITHIN, 0)} lie within chance of the average: "
                "they cannot be ranked."
            )
        if self.beside.quarter:
            by_chance = self.beside.quarter**2 / len(known)
            words.append(
                f"Of the {self.beside.quarter} lowest areas, {self.beside.stayed} were among the lowest "
                f"{self.beside.quarter} a year before; by chance alone it would be about {by_chance:.0f}."
            )
        return section(*words, *MAY_NOT)

    def _rows(self, role: str) -> list[dict[str, Any]]:
        areas = self.beside.areas
        return rows_of(areas.loc[areas["role"] == role].sort_values("area_name"))

    def _position(self, row: ResultRow) -> str:
        metric, name = self.beside.metric, row["area_name"]
        if not np.isfinite(row["value"]):
            return f"{name}: nothing can be said, {row['reason'] or 'there is no figure'}."
        against = f"{name}: {sentences.value(row['value'], metric)}, " + (
            f"the value of {self.beside.average_of} {sentences.value(self.beside.average, metric)}"
        )
        if row["position"] == UNKNOWN:
            return f"{against}. Without an interval nobody can tell whether that is chance."
        if row["position"] == WITHIN:
            return f"{against}. The difference is no larger than chance explains."
        return f"{against}. It lies {row['position']} by more than chance{_usual(row, self.beside)}"


def open_comparison(
    data: Data,
    metric: str,
    areas: Sequence[str] = (),
    window: str | None = None,
    *,
    peers: Mapping[str, Sequence[str]] | None = None,
    metrics: Mapping[str, Metric] = METRICS,
) -> AreasCompared:
    """Set areas beside each other, to be shown in a notebook.

    Parameters are those of `compare_areas`.

    Examples
    --------
    >>> from bcfstats import example_data
    >>> found = open_comparison(example_data(n_areas=20), "reablement", ["Aldamount"], "2013/14")
    >>> found.chart().caption[:47]
    'Still at home after reablement, 2013/14: 19 are'
    """
    beside = compare_areas(data, metric, areas, window, peers=peers, metrics=metrics)
    source = EXAMPLE_SOURCE if data.is_example else beside.metric.publisher
    return AreasCompared(beside, source, EXAMPLES if data.is_example else "")


def counted_metric(data: Data) -> str:
    """Name a metric whose counts tell chance: a share of people where there is one."""
    there = [metric for name, metric in METRICS.items() if (data.observations["metric"] == name).any()]
    counted = sorted(filter(has_funnel, there), key=lambda metric: not metric.kind.is_share)
    if not counted:
        raise InputError("No metric here has counts that tell chance.", do="Leave this part out.")
    return counted[0].id


def _usual(row: ResultRow, beside: SideBySide) -> str:
    if beside.funnel is None:
        return " within the period; how far it moves from year to year is another question."
    if row["unusual"] in (ABOVE, BELOW):
        return ", and further than areas of its size usually do."
    return ", but no further than areas of its size usually do."


def _against_average(row: ResultRow) -> str:
    if row["position"] in (UNKNOWN, WITHIN):
        return {UNKNOWN: "cannot be told", WITHIN: "within chance"}[row["position"]]
    unusual = ", unusually" if row["unusual"] == row["position"] else ""
    return f"{row['position']} by more than chance{unusual}"
