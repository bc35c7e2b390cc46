"""What a board has chosen, judged: verdicts, chances of payment, risks, and the file of targets."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period
from bcfstats.judge.board import Board, as_paid
from bcfstats.judge.payment import ambiguity
from bcfstats.judge.plan import ambition_consistency
from bcfstats.judge.progress import progress, trajectory
from bcfstats.judge.risk import payment_chances, risk_register
from bcfstats.judge.verdicts import UNKNOWN, VERDICTS, counted
from bcfstats.read.targets import keep_targets
from bcfstats.read.template import export_template, load_template
from bcfstats.show import sentences
from bcfstats.show.page import fill
from bcfstats.show.parts import Part, section
from bcfstats.words import in_100, number, signed

CASES = {"do_nothing": "nothing is done", "half": "half is delivered", "delivered": "all is delivered"}
NOT_CONFIRMED = "The headings and labels are not confirmed: compare them with your own copy of the template."
Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Chosen:
    """One board's targets and their assessments.

    Attributes
    ----------
    board : Board
    targets : DataFrame
        As `read_targets` gives them.
    assessments : DataFrame
        As `assess_ambitions` gives them: one row per target.
    """

    board: Board
    targets: pd.DataFrame
    assessments: pd.DataFrame

    def verdicts(self) -> Part:
        """Tabulate the targets with their verdicts and chances."""
        rows = [
            [
                *self._names(row),
                sentences.value(row["baseline_value"], self._metric(row)),
                sentences.value(row["target_value"], self._metric(row)),
                f"{signed(row['ambition_percent'])}%",
                VERDICTS[row["verdict"]].words,
                *(_chance(row[name]) for name in ("p_paid_do_nothing", "p_paid_if_delivered", "reach")),
            ]
            for row in self._rows()
        ]
        headings = ["Metric", "Payment", "Baseline", "Target", "Change", "Verdict", "Paid if nothing is done"]
        headings += ["Paid if all is delivered", "Past yearly changes as good"]
        return section(
            f"{len(rows)} targets: {counted(self.assessments['verdict'])}.",
            table=(headings, rows, "Targets and verdicts", (2, 3, 4, 6, 7, 8)),
        )

    def reasons(self) -> Part:
        """Explain each verdict in sentences."""
        reasons = [
            (", ".join(self._names(row)), VERDICTS[row["verdict"]].words, row["reasons"])
            for row in self._rows()
        ]
        return Part(fill("reasons.html.j2", reasons=reasons))

    def chances(self, correlation: float = 0.2) -> Part:
        """Tell the chance that each payment is earned in all its metrics.

        Parameters
        ----------
        correlation : float
            Between every two metrics, as in `payment_chances`. It is not known: try several.
        """
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
                *(_chance(row[f"all_{case}"]) for case in CASES),
                *(number(row[f"expected_{case}"], 1) for case in CASES),
                row["note"],
            ]
            for row in table.to_dict("records")
        ]
        headings = ["Payment", "Metrics with a chance"]
        headings += [f"All paid if {words}" for words in CASES.values()]
        headings += [f"Metrics paid on average if {words}" for words in CASES.values()]
        return section(
            ambiguity(self.board.rules),
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
            for row in found.to_dict("records")
        ]
        headings = ["Metric", "Payment", "Risk", "Likely shortfall", "Shortfall in the worst tenth", "Of"]
        return section(found["what_follows"].iloc[0], table=(headings, rows, "Risks", (3, 4)))

    def consistency(self, groups: pd.DataFrame, shares: pd.DataFrame) -> Part:
        """Hold the targets against the ambitions of commissioning groups (`ambition_consistency`)."""
        found = ambition_consistency(self.assessments, groups, shares)
        rows = [
            [
                *self._names(row),
                f"{signed(row['ambition_percent'])}%",
                f"{signed(row['implied_percent'])}%" if np.isfinite(row["implied_percent"]) else "not known",
                row["groups"],
                row["finding"],
                row["note"],
            ]
            for row in found.to_dict("records")
        ]
        headings = ["Metric", "Payment", "Board's change", "Groups' change", "Groups", "Finding", "Note"]
        return section(table=(headings, rows, "The board's targets and the groups' ambitions", (2, 3)))

    def phased(self, metric: str, payment: str, by: str = "quarter") -> Part:
        """Split a target for months into quarters or months, with the season (`trajectory`)."""
        row = next(row for row in self._rows() if (row["metric"], row["payment"]) == (metric, payment))
        window, found = Period.parse(row["target_period"]), self._metric(row)
        total = row["target_value"] / found.multiplier * row["baseline_denominator"] * window.n_months
        plan = trajectory(self.board.observations, found, window, self.board.area_code, total, by=by)
        rows = [
            [part["period"], str(part["days"]), number(part["target"]), number(part["cumulative"])]
            for part in plan.to_dict("records")
        ]
        return section(
            f"{found.short_name}: {number(total)} over {window.label}, with the population of the baseline.",
            table=(["Period", "Days", "Target", "By its end"], rows, "The target by period", (1, 2, 3)),
        )

    def progress(self, known_until: str) -> Part:
        """Say how far each monthly ambition had come by a month (`progress`)."""
        monthly = self.assessments["metric"].map(lambda name: self.board.metrics[name].frequency == "month")
        followed = self.assessments.loc[monthly & (self.assessments["verdict"] != UNKNOWN)]
        if followed.empty:
            return section("None of these targets can be followed by the month.")
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
                row["sentence"].split(". ", 1)[-1],
            ]
            for row in found.to_dict("records")
        ]
        return section(
            table=(
                ["Metric", "Payment", "Months known", "Status", "Why"],
                rows,
                f"Progress to {known_until}",
                (),
            )
        )

    def template_csv(self) -> str:
        """Write the planning template's table as CSV text (`export_template`)."""
        paid = as_paid(self.board, self.assessments)
        return export_template(paid, self.board.area_code, metrics=self.board.metrics)

    def template(self) -> Part:
        """Show what to type into the planning template's table."""
        board, headings, *lines = csv.reader(io.StringIO(self.template_csv()))
        rows, label = [], ""
        for line in lines:
            label = line[0] or label
            rows.append([label, line[1] or "Period", *line[2:]])
        told = () if load_template().confirmed else (NOT_CONFIRMED,)
        table = ([headings[0], "Row", *headings[2:]], rows, ": ".join(board), ())
        return section(*told, table=table)

    def write(self, path: str | Path) -> Part:
        """Write the targets into a CSV file that `bcfstats check` reads; its other rows stay as they are."""
        rows = [
            {**row, "area": row["area_code"], "change_percent": f"{row['change_percent']:g}"}
            for row in self.targets.to_dict("records")
        ]
        written = keep_targets(
            path,
            rows,
            pd.DataFrame({"area_code": [self.board.area_code], "area_name": [self.board.area_name]}),
        )
        return section(f"{len(rows)} targets of {self.board.area_name} are in {written}.")

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {str(name): value for name, value in row.items()} for row in self.assessments.to_dict("records")
        ]

    def _metric(self, row: Row) -> Metric:
        return self.board.metrics[row["metric"]]

    def _names(self, row: Row) -> list[str]:
        return [self._metric(row).short_name, row["payment"]]


def _chance(chance: float) -> str:
    return in_100(chance) if np.isfinite(chance) else "not known"
