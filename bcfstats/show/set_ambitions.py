"""Setting one board's ambitions, as a notebook walks through it: each factor in words and a table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.metrics import METRICS, Metric, get_metric
from bcfstats.define.periods import Period
from bcfstats.define.schemes import DEFAULT_SCHEME, Scheme
from bcfstats.errors import ParameterError
from bcfstats.judge import board as judge
from bcfstats.judge.ambitions import assess_ambitions
from bcfstats.judge.assessment import series_table
from bcfstats.judge.board import Board, as_paid, as_targets, board_metrics
from bcfstats.judge.ladder import ladder_of
from bcfstats.judge.outlook import NoOutlook, Outlook
from bcfstats.judge.patterns import season_table
from bcfstats.judge.payment import ambiguity
from bcfstats.judge.phasing import phase
from bcfstats.judge.plan import ambition_consistency
from bcfstats.judge.progress import progress
from bcfstats.judge.risk import payment_chances, risk_register
from bcfstats.judge.verdicts import NOT_BETTER, UNKNOWN, counted, words_of
from bcfstats.read.data import Data
from bcfstats.read.targets import keep_targets
from bcfstats.read.template import export_template, load_template, template_rows
from bcfstats.show import sentences
from bcfstats.show.charts.ambitions import ladder_chart
from bcfstats.show.charts.chart import Chart
from bcfstats.show.charts.history import history_chart, season_chart
from bcfstats.show.page import Part, Table, fill, section
from bcfstats.show.sentences import INTERVAL, LIMITS, POWER, ResultRow, rows_of
from bcfstats.words import (
    EXAMPLE,
    EXAMPLE_SOURCE,
    MONTH_NAMES,
    NOT_KNOWN,
    in_100,
    interval,
    number,
    p_value,
    with_unit,
)

SOURCE = "set_ambitions notebook"
DELIVERED = {"do_nothing": "nothing is done", "half": "half is delivered", "delivered": "all is delivered"}
NOT_ASKED = "none: no improvement"
NOT_CONFIRMED = "The headings and labels are not confirmed: compare them with your own copy of the template."


@dataclass(frozen=True, eq=False)
class _OfBoard:
    """What one board's tables have in common: its names for things, in the words of its scheme."""

    board: Board

    def _told(self, *paragraphs: str, table: Table | None = None, note: str = "") -> Part:
        said = self.board.rules.said
        if table is not None:
            headings, rows, caption, numeric = table
            table = [said(text) for text in headings], rows, said(caption), numeric
        return section(*map(said, paragraphs), table=table, note=note)

    def _metric(self, row: ResultRow) -> Metric:
        return self.board.metrics[row["metric"]]

    def _names(self, row: ResultRow) -> list[str]:
        return [self._metric(row).short_name, row["payment"]]


@dataclass(frozen=True, eq=False)
class Targets(_OfBoard):
    """One board's targets, and what was made of them: verdicts, chances of payment, risks, files."""

    targets: pd.DataFrame
    assessments: pd.DataFrame

    def verdicts(self) -> Part:
        """Tabulate the targets with their verdicts and chances."""
        rows = [
            [
                *self._names(row),
                sentences.value(row["baseline_value"], self._metric(row)),
                sentences.value(row["target_value"], self._metric(row)),
                with_unit(row["ambition_percent"], "%"),
                words_of(row),
                *(
                    NOT_ASKED if row["verdict"] == NOT_BETTER else _chance(row[name])
                    for name in ("p_paid_do_nothing", "p_paid_if_delivered", "reach")
                ),
            ]
            for row in self._rows()
        ]
        headings = ["Metric", "Payment", "Baseline", "Target", "Change", "Verdict", "Paid if nothing is done"]
        headings += ["Paid if all is delivered", "Past yearly changes as good"]
        return self._told(
            f"{len(rows)} targets: {counted(self.assessments['verdict'])}.",
            table=(headings, rows, "Targets and verdicts", (2, 3, 4, 6, 7, 8)),
        )

    def reasons(self) -> Part:
        """Explain each verdict in sentences."""
        reasons = [(", ".join(self._names(row)), words_of(row), row["reasons"]) for row in self._rows()]
        return Part(fill("reasons.html.j2", reasons=reasons))

    def chances(self, correlation: float = 0.2) -> Part:
        """Say how likely each payment is to be earned in all its metrics."""
        table = payment_chances(
            as_paid(self.board, self.assessments),
            self.board.rules,
            correlation=correlation,
            metrics=self.board.metrics,
        )
        rows = [
            [
                self.board.rules.payment(row["payment"]).label,
                f"{row['metrics_known']} of {row['metrics_due']}",
                *(_chance(row[f"all_{case}"]) for case in DELIVERED),
                *(number(row[f"expected_{case}"], 1) for case in DELIVERED),
                row["note"],
            ]
            for row in rows_of(table)
        ]
        headings = ["Payment", "Metrics with a chance"]
        headings += [f"All paid if {words}" for words in DELIVERED.values()]
        headings += [f"Metrics paid on average if {words}" for words in DELIVERED.values()]
        return self._told(
            *([ambiguity(self.board.rules)] if self.board.rules.pays else []),
            f"The chances are joined with a correlation of {correlation:g}, which is not known: try several.",
            table=([*headings, "Note"], rows, "Chance that every metric of a payment is paid", range(2, 8)),
        )

    def risks(self) -> Part:
        """Tabulate the rows for the shared risk register."""
        found = risk_register(self.assessments, self.board.rules, metrics=self.board.metrics)
        rows = [
            [
                *self._names(row),
                row["risk"],
                number(row["likely_shortfall"]),
                number(row["large_shortfall"]),
                str(row["shortfall_of"]) if isinstance(row["shortfall_of"], str) else "",
            ]
            for row in rows_of(found)
        ]
        headings = ["Metric", "Payment", "Risk", "Likely shortfall", "Shortfall in the worst tenth", "Of"]
        return self._told(found["what_follows"].iloc[0], table=(headings, rows, "Risks", (3, 4)))

    def consistency(self, groups: pd.DataFrame, shares: pd.DataFrame) -> Part:
        """Hold the targets against the ambitions of commissioning groups (`ambition_consistency`)."""
        found = ambition_consistency(self.assessments, groups, shares)
        rows = [
            [
                *self._names(row),
                with_unit(row["ambition_percent"], "%"),
                with_unit(row["implied_percent"], "%"),
                row["groups"],
                row["finding"],
                row["note"],
            ]
            for row in rows_of(found)
        ]
        headings = ["Metric", "Payment", "Board's change", "Groups' change", "Groups", "Finding", "Note"]
        return self._told(table=(headings, rows, "The board's targets and the groups' ambitions", (2, 3)))

    def phased(self, metric: str | None = None, payment: str | None = None, by: str = "quarter") -> Part:
        """Split a target, the first that can be if unnamed, into quarters or months (`phase`)."""
        why = "There is no such target."
        for row in self._rows():
            if metric not in (None, row["metric"]) or payment not in (None, row["payment"]):
                continue
            try:
                return self._phased(row, by)
            except ParameterError as error:
                why = error.what
        return section(why)

    def _phased(self, row: ResultRow, by: str) -> Part:
        found = self._metric(row)
        seen = self.board.outlooks[(row["metric"], row["payment"])]
        if isinstance(seen, NoOutlook) or not np.isfinite(row["target_value"]):
            raise ParameterError(f"{found.short_name} cannot be split: its target is not known.")
        window = Period.parse(row["target_period"])
        total = row["target_value"] / found.multiplier * row["baseline_denominator"] * seen.periods
        plan = phase(self.board.observations, found, window, self.board.area_code, total, by=by)
        rows = [
            [part["period"], str(part["days"]), number(part["target"]), number(part["cumulative"])]
            for part in rows_of(plan)
        ]
        return self._told(
            f"{found.short_name}: {number(total)} over {window.label}, with the population of the baseline.",
            table=(["Period", "Days", "Target", "By its end"], rows, "The target by period", (1, 2, 3)),
        )

    def progress(self, known_until: str | None = None) -> Part:
        """Say how far each monthly ambition had come by a month, the sixth if unnamed (`progress`)."""
        monthly = self.assessments["metric"].map(lambda name: self.board.metrics[name].frequency == "month")
        followed = self.assessments.loc[monthly & (self.assessments["verdict"] != UNKNOWN)]
        if followed.empty:
            return self._told("None of these targets can be followed by the month.")
        known_until = known_until or str(Period.parse(followed["target_period"].iloc[0]).months[:6][-1])
        found = progress(
            self.board.observations,
            followed,
            self.board.rules,
            known_until=known_until,
            metrics=self.board.metrics,
        )
        rows = [
            [
                *self._names(row),
                f"{row['months_known']:.0f} of {row['months']:.0f}",
                row["status"],
                self.board.rules.said(row["why"]),
            ]
            for row in rows_of(found)
        ]
        return self._told(
            table=(
                ["Metric", "Payment", "Months known", "Status", "Why"],
                rows,
                f"Progress to {known_until}",
                (),
            ),
        )

    def template_csv(self) -> str:
        """Write the planning template's table as CSV text (`export_template`)."""
        paid = as_paid(self.board, self.assessments)
        return export_template(paid, self.board.area_code, metrics=self.board.metrics)

    def template(self) -> Part:
        """Show what to type into the planning template's table."""
        paid = as_paid(self.board, self.assessments)
        made = template_rows(paid, self.board.area_code, metrics=self.board.metrics)
        board, headings, *lines = made
        rows, label = [], ""
        for line in lines:
            label = line[0] or label
            rows.append([label, line[1] or "Period", *line[2:]])
        remark = () if load_template().confirmed else (NOT_CONFIRMED,)
        table = ([headings[0], "Row", *headings[2:]], rows, ": ".join(board), ())
        return section(*remark, table=table)

    def write(self, path: str | Path) -> Part:
        """Write the targets into a CSV file that `bcfstats check` reads; its other rows stay as they are."""
        rows = [
            {**row, "area": row["area_code"], "change_percent": f"{row['change_percent']:g}"}
            for row in rows_of(self.targets)
        ]
        written = keep_targets(
            path,
            rows,
            pd.DataFrame({"area_code": [self.board.area_code], "area_name": [self.board.area_name]}),
        )
        return section(f"{len(rows)} targets of {self.board.area_name} are in {written}.")

    def _rows(self) -> list[dict[str, Any]]:
        return rows_of(self.assessments)


@dataclass(frozen=True, eq=False)
class Ambitions(_OfBoard):
    """What the figures say of each factor of paragraphs 50 and 51, for one board; then the choice."""

    def heading(self) -> Part:
        """Say whose ambitions these are, by which rules, and which targets are due."""
        rows = [
            [
                self._metric(row).short_name,
                row["payment"],
                row["paid_in"],
                _label(row["period"]) or "not fixed",
                row["note"] or "fixed by the scheme",
            ]
            for row in rows_of(self.board.due)
        ]
        headings = ["Metric", "Payment, as a targets file has it", "Paid in", "Rests on", "Period"]
        return self._told(
            f"{self.board.rules.title}. {self.board.rules.status}",
            note=EXAMPLE if self.board.is_example else "",
            table=(headings, rows, f"Targets that {self.board.area_name} has to set", ()),
        )

    def baselines(self) -> Part:
        """Say for which targets there is a clear baseline."""
        found = self._each(judge.clear_baselines)
        rows = [
            [
                *self._names(row),
                _label(row["baseline_period"]) or "none",
                sentences.value(row["value"], self._metric(row)),
                interval(row["lower"], row["upper"], self._metric(row).decimals),
                number(row["numerator"]),
                "clear" if row["clear"] else "not clear",
                row["remark"],
            ]
            for row in found
        ]
        clear = sum(row["clear"] for row in found)
        headings = ["Metric", "Payment", "Baseline", "Value", INTERVAL, "Numerator", "Finding", "Note"]
        return self._told(
            f"{clear} of {len(rows)} targets have a clear baseline: "
            "the same months a year before, on the same definition.",
            table=(headings, rows, "Baselines", (3, 4, 5)),
        )

    def trends(self) -> Part:
        """Say how each metric has moved, and what is expected if nothing is done."""
        found = self._each(judge.expected_trends)
        rows = [
            [
                *self._names(row),
                _slope(row),
                sentences.value(row["expected"], self._metric(row)),
                interval(row["expected_lower"], row["expected_upper"], self._metric(row).decimals),
                with_unit(row["expected_percent"], "%"),
                row["remark"],
            ]
            for row in found
        ]
        better = [row for row in found if self._improves(row)]
        names = "; ".join(", ".join(self._names(row)) for row in better)
        headings = ["Metric", "Payment", "Long-run trend, a year", "If nothing is done", LIMITS]
        return self._told(
            f"{len(better)} of {len(rows)} are expected to be better than their baseline if nothing is done"
            + (f": {names}. Only a target beyond that asks for more than the trend." if better else "."),
            table=([*headings, "Against the baseline", "Note"], rows, "Long-run trends", (2, 3, 4, 5)),
        )

    def seasons(self) -> Part:
        """Say how the season bears on the months that are paid on."""
        rows = []
        for row in self._each(judge.seasons_of):
            known = np.isfinite(row["window_index"])
            rows.append(
                [
                    *self._names(row),
                    number(row["window_index"], 2) if known else "no index",
                    _month(row["highest"], row["highest_index"]) if known else "none",
                    _month(row["lowest"], row["lowest_index"]) if known else "none",
                    p_value(row["national_p"]) if known else "none",
                    row["remark"],
                ]
            )
        headings = ["Metric", "Payment", "Months paid on", "Highest month", "Lowest month", "p of a season"]
        return self._told(
            "Every baseline is of the same months as those paid on, so that the season is in both alike. "
            "An index of 1 is an average day of the year.",
            table=([*headings, "Note"], rows, "Seasons", (2, 5)),
        )

    def reachable(self) -> Part:
        """Say which targets are challenging and yet achievable."""
        rows = [[*self._names(row), row["advice"]] for row in self._each(judge.reachable_targets)]
        return self._told(
            "Challenging: paid for doing nothing at most 20 times in 100, beyond chance and beyond what is "
            "expected anyway. Achievable: at least 5 in 100 past yearly changes of all areas were as good.",
            table=(["Metric", "Payment", "Advice"], rows, "Challenging and achievable targets", ()),
        )

    def needed(self) -> Part:
        """Say what it takes to be statistically significant."""
        levels = ("beyond_noise", "significant", "detectable")
        found = self._each(judge.improvements_needed)
        rows = [
            [
                *self._names(row),
                sentences.value(row["baseline"], self._metric(row)),
                *(_level(row, name, self._metric(row)) for name in levels),
                row["remark"],
            ]
            for row in found
        ]
        headings = ["Metric", "Payment", "Baseline", "Beyond chance within the two periods"]
        headings += ["Beyond usual movement between years", f"Would be found with {POWER}", "Note"]
        return self._told(
            "An improvement short of the first level may be purely an artefact of variation. "
            "One short of the second is no larger than such figures move when nothing is targeted.",
            table=(headings, rows, "Levels for a statistically significant improvement", (2, 3, 4, 5)),
        )

    def history(self, metric: str | None = None) -> Chart | Part:
        """Draw a metric (the first due if unnamed) up to its first period paid on, and what is expected."""
        due, seen = self._due(metric)
        rows = self._before(due)
        mine = series_table(rows.loc[rows["area_code"] == self.board.area_code], self._metric(due))
        windows, ahead = [], []
        if isinstance(seen, Outlook):
            side = {"baseline_period": str(seen.before), "baseline_value": seen.value[0]}
            side |= {"outcome_period": str(seen.window), "outcome_value": np.nan, "finding": ""}
            windows = [{"payment": due["payment"], **side}]
            low, high = seen.expected_interval()
            expected = {"expected": seen.expected[0], "expected_lower": low[0], "expected_upper": high[0]}
            ahead = [{"payment": due["payment"], "period": str(seen.window), **expected}]
        drawn = history_chart(
            self.board.area_name,
            self._metric(due),
            mine.reset_index(drop=True),
            windows,
            outlooks=ahead,
            source=EXAMPLE_SOURCE if self.board.is_example else "",
        )
        return drawn or self._told(f"{self._metric(due).short_name}: there is no figure to draw.")

    def season(self, metric: str | None = None) -> Chart | Part:
        """Draw the month indices of a metric from the months before those paid on; or say why not."""
        due, _ = self._due(metric)
        found = self._metric(due)
        table = season_table(self._before(due), found) if found.frequency == "month" else pd.DataFrame()
        mine = table.loc[table["area_code"] == self.board.area_code] if len(table) else table
        if mine.empty or not np.isfinite(mine["index"]).all():
            return self._told(f"{found.short_name}: no season can be measured.")
        return season_chart(self.board.area_name, found, mine)

    def ladder(self, metric: str | None = None, payment: str | None = None) -> Chart | Part:
        """Draw what each level of ambition would mean; or say why there is no such level."""
        first, _ = self._due(metric)
        found, payment = self._metric(first), payment or first["payment"]
        seen = self.board.outlooks.get((found.id, payment), NoOutlook("no such target is due"))
        if isinstance(seen, NoOutlook) or seen.reason[0]:
            why = seen.reason if isinstance(seen, NoOutlook) else seen.reason[0]
            return self._told(f"{found.short_name}, {payment}: no ladder can be drawn, {why.rstrip('.')}.")
        ladder = ladder_of(seen, payment, self.board.rules)
        due = self.board.due.set_index(["metric", "payment"])
        window = Period.parse(due["period"][(found.id, payment)])
        drawn = ladder_chart(self.board.area_name, found, window, rows_of(ladder.rungs))
        return drawn or self._told(f"{found.short_name}, {payment}: no level is a possible value.")

    def choose(
        self, changes: Sequence[tuple[str, str, float]], *, allocations: pd.DataFrame | None = None
    ) -> Targets:
        """Judge what the board has chosen: for each target metric, payment and change in per cent."""
        board = self.board
        targets = as_targets(board, changes, SOURCE)
        judged = assess_ambitions(
            board.observations, targets, board.rules, allocations=allocations, metrics=board.metrics
        )
        return Targets(board, targets, judged.assign(area_name=board.area_name))

    def improved(self, percent: float = 5.0) -> list[tuple[str, str, float]]:
        """Give every target that is due an improvement of so many per cent, to be changed by hand."""
        return [
            (row["metric"], row["payment"], self._metric(row).direction * percent)
            for row in rows_of(self.board.due)
        ]

    def _each(self, factor: Callable[[Board], pd.DataFrame]) -> list[dict[str, Any]]:
        return rows_of(factor(self.board))

    def _improves(self, row: ResultRow) -> bool:
        return bool(self._metric(row).direction * row["expected_percent"] > 0)

    def _due(self, metric: str | None) -> tuple[dict[str, Any], Any]:
        """Find the first target due, of a metric if one is named, and its outlook."""
        rows = self.board.due.loc[self.board.due["period"] != ""]
        if metric is not None:
            rows = rows.loc[rows["metric"] == get_metric(metric, self.board.metrics).id]
        if rows.empty:
            raise ParameterError("No target with a period is due for this metric.", found=f"'{metric}'")
        row = {str(key): value for key, value in rows.iloc[0].items()}
        return row, self.board.outlooks[(row["metric"], row["payment"])]

    def _before(self, due: ResultRow) -> pd.DataFrame:
        rows = self.board.observations.loc[self.board.observations["metric"] == due["metric"]]
        return rows.loc[pd.to_datetime(rows["period_end"]).dt.date < Period.parse(due["period"]).start]


def open_ambitions(
    data: Data,
    area: str | None = None,
    rules: Scheme | str = DEFAULT_SCHEME,
    *,
    local_metric: str | None = None,
    periods: Mapping[str, str] | None = None,
    metrics: Mapping[str, Metric] = METRICS,
) -> Ambitions:
    """Open the setting of one board's ambitions, to be walked through in a notebook.

    Parameters are those of `board_metrics`.

    Examples
    --------
    >>> from bcfstats import example_data
    >>> found = open_ambitions(example_data(n_areas=20), "Aldamount")
    >>> "5 of 7 targets have a clear baseline" in found.baselines()
    True
    """
    return Ambitions(
        board_metrics(data, area, rules, local_metric=local_metric, periods=periods, metrics=metrics)
    )


def _chance(chance: float) -> str:
    return in_100(chance) if np.isfinite(chance) else NOT_KNOWN


def _label(period: str) -> str:
    return Period.parse(period).label if period else ""


def _slope(row: ResultRow) -> str:
    if not np.isfinite(row["slope"]):
        return str(row["reason"]) or NOT_KNOWN
    limits = interval(row["slope_lower"], row["slope_upper"], 1, as_change=True)
    return f"{with_unit(row['slope'], row['slope_unit'])} ({limits})"


def _month(month: float, index: float) -> str:
    return f"{MONTH_NAMES[int(month) - 1]} ({number(index, 2)})"


def _level(row: ResultRow, name: str, metric: Metric) -> str:
    if not np.isfinite(row[name]):
        return str(row[f"{name}_why"])
    return f"{sentences.value(row[name], metric)} ({with_unit(row[f'{name}_percent'], '%')})"
