"""Setting one board's ambitions, as a notebook walks through it: each factor in sentences, then its table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.metrics import METRICS, Metric, get_metric
from bcfstats.define.periods import Period
from bcfstats.define.schemes import DEFAULT_SCHEME, Scheme
from bcfstats.errors import ParameterError
from bcfstats.judge import board as factors
from bcfstats.judge.ambitions import assess_ambitions
from bcfstats.judge.assessment import series_table
from bcfstats.judge.board import Board, as_targets, board_metrics
from bcfstats.judge.ladder import ladder_of
from bcfstats.judge.outlook import NoOutlook, Outlook
from bcfstats.judge.patterns import season_table
from bcfstats.read.data import Data
from bcfstats.show import sentences
from bcfstats.show.charts.area import MONTH_NAMES, history_chart, ladder_chart, season_chart
from bcfstats.show.charts.chart import Chart
from bcfstats.show.chosen import Chosen
from bcfstats.show.parts import Part, section
from bcfstats.words import EXAMPLE, EXAMPLE_SOURCE, interval, number, signed

SOURCE = "set_ambitions notebook"
SHADED = ". Shaded: the baseline, with its level. Tinted: 80% limits of what is expected if nothing is done"
Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Ambitions:
    """What the figures say of each factor of paragraphs 50 and 51, for one board; then the choice.

    Attributes
    ----------
    board : Board
    """

    board: Board

    @property
    def area_code(self) -> str:
        """Code of the board's area."""
        return self.board.area_code

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
            for row in self.board.due.to_dict("records")
        ]
        headings = ["Metric", "Payment, as a targets file has it", "Paid in", "Rests on", "Period"]
        return section(
            f"{self.board.rules.title}. {self.board.rules.status}",
            note=EXAMPLE if self.board.is_example else "",
            table=(headings, rows, f"Targets that {self.board.area_name} has to set", ()),
        )

    def baselines(self) -> Part:
        """Say for which targets there is a clear baseline."""
        found = self._told(factors.clear_baselines)
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
        headings = ["Metric", "Payment", "Baseline", "Value", "95% interval", "Numerator", "Finding", "Note"]
        return section(
            f"{clear} of {len(rows)} targets have a clear baseline: "
            "the same months a year before, on the same definition.",
            table=(headings, rows, "Baselines", (3, 4, 5)),
        )

    def trends(self) -> Part:
        """Say how each metric has moved, and what is expected if nothing is done."""
        found = self._told(factors.expected_trends)
        rows = [
            [
                *self._names(row),
                _slope(row),
                sentences.value(row["expected"], self._metric(row)),
                interval(row["expected_lower"], row["expected_upper"], self._metric(row).decimals),
                _percent(row["expected_percent"]),
                row["remark"],
            ]
            for row in found
        ]
        better = [row for row in found if self._improves(row)]
        names = "; ".join(", ".join(self._names(row)) for row in better)
        headings = ["Metric", "Payment", "Long-run trend, a year", "If nothing is done", "80% limits"]
        return section(
            f"{len(better)} of {len(rows)} are expected to be better than their baseline if nothing is done"
            + (f": {names}. Only a target beyond that asks for more than the trend." if better else "."),
            table=([*headings, "Against the baseline", "Note"], rows, "Long-run trends", (2, 3, 4, 5)),
        )

    def seasons(self) -> Part:
        """Say how the season bears on the months that are paid on."""
        rows = []
        for row in self._told(factors.seasons_of):
            known = np.isfinite(row["window_index"])
            rows.append(
                [
                    *self._names(row),
                    number(row["window_index"], 2) if known else "no index",
                    _month(row["highest"], row["highest_index"]) if known else "none",
                    _month(row["lowest"], row["lowest_index"]) if known else "none",
                    _p_value(row["national_p"]) if known else "none",
                    row["remark"],
                ]
            )
        headings = ["Metric", "Payment", "Months paid on", "Highest month", "Lowest month", "p of a season"]
        return section(
            "Every baseline is of the same months as those paid on, so that the season is in both alike. "
            "An index of 1 is an average day of the year.",
            table=([*headings, "Note"], rows, "Seasons", (2, 5)),
        )

    def reachable(self) -> Part:
        """Say which targets are challenging and yet achievable."""
        rows = [[*self._names(row), row["advice"]] for row in self._told(factors.reachable_targets)]
        return section(
            "Challenging: paid for doing nothing at most 20 times in 100, beyond chance and beyond what is "
            "expected anyway. Achievable: at least 5 in 100 past yearly changes of all areas were as good.",
            table=(["Metric", "Payment", "Advice"], rows, "Challenging and achievable targets", ()),
        )

    def needed(self) -> Part:
        """Say what it takes to be statistically significant."""
        levels = ("beyond_noise", "significant", "detectable")
        found = self._told(factors.improvements_needed)
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
        headings += ["Beyond usual movement between years", "Would be found with 80% power", "Note"]
        return section(
            "An improvement short of the first level may be purely an artefact of variation. "
            "One short of the second is no larger than such figures move when nothing is targeted.",
            table=(headings, rows, "Levels for a statistically significant improvement", (2, 3, 4, 5)),
        )

    def history(self, metric: str) -> Chart | Part:
        """Draw a metric up to its first period paid on, with baseline and what is expected."""
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
            source=EXAMPLE_SOURCE if self.board.is_example else None,
        )
        if drawn is None:
            return section(f"{self._metric(due).short_name}: there is no figure to draw.")
        return replace(drawn, caption=drawn.caption.partition(". Shaded")[0] + SHADED * bool(windows))

    def season(self, metric: str) -> Chart | Part:
        """Draw the month indices of a metric from the months before those paid on; or say why not."""
        due, _ = self._due(metric)
        found = self._metric(due)
        table = season_table(self._before(due), found) if found.frequency == "month" else pd.DataFrame()
        mine = table.loc[table["area_code"] == self.board.area_code] if len(table) else table
        if mine.empty or not np.isfinite(mine["index"]).all():
            return section(f"{found.short_name}: no season can be measured.")
        return season_chart(self.board.area_name, found, mine)

    def ladder(self, metric: str, payment: str) -> Chart | Part:
        """Draw what each level of ambition would mean; or say why there is no such level."""
        found = get_metric(metric, self.board.metrics)
        seen = self.board.outlooks.get((found.id, payment), NoOutlook("no such target is due"))
        if isinstance(seen, NoOutlook) or seen.reason[0]:
            why = seen.reason if isinstance(seen, NoOutlook) else seen.reason[0]
            return section(f"{found.short_name}, {payment}: no ladder can be drawn, {why.rstrip('.')}.")
        ladder = ladder_of(seen, payment, self.board.rules)
        due = self.board.due.set_index(["metric", "payment"])
        window = Period.parse(due["period"][(found.id, payment)])
        drawn = ladder_chart(self.board.area_name, found, window, ladder.rungs.to_dict("records"))
        return drawn or section(f"{found.short_name}, {payment}: no level is a possible value.")

    def choose(
        self, chosen: Sequence[tuple[str, str, float]], *, allocations: pd.DataFrame | None = None
    ) -> Chosen:
        """Judge what the board has chosen, as `bcfstats check` judges it.

        Parameters
        ----------
        chosen : sequence of (metric, payment, change)
            The change from the baseline in per cent, minus for a reduction.
        allocations : DataFrame, optional
            From `read_allocations`: the money behind each payment.

        Raises
        ------
        ParameterError
            If a choice is for a target that is not due, or there are two for one.
        """
        board = self.board
        targets = as_targets(board, chosen, SOURCE)
        judged = assess_ambitions(
            board.observations, targets, board.rules, allocations=allocations, metrics=board.metrics
        )
        return Chosen(board, targets, judged.assign(area_name=board.area_name))

    def _told(self, tell: Callable[[Board], pd.DataFrame]) -> list[dict[str, Any]]:
        return [dict(row) for row in tell(self.board).to_dict("records")]

    def _metric(self, row: Row) -> Metric:
        return self.board.metrics[row["metric"]]

    def _names(self, row: Row) -> list[str]:
        return [self._metric(row).short_name, row["payment"]]

    def _improves(self, row: Row) -> bool:
        sign = -1.0 if self._metric(row).polarity == "lower" else 1.0
        return bool(sign * row["expected_percent"] > 0)

    def _due(self, metric: str) -> tuple[dict[str, Any], Any]:
        """Find the first target due for a metric, and its outlook."""
        name = get_metric(metric, self.board.metrics).id
        rows = self.board.due.loc[(self.board.due["metric"] == name) & (self.board.due["period"] != "")]
        if rows.empty:
            raise ParameterError("No target with a period is due for this metric.", found=f"'{metric}'")
        row = {str(key): value for key, value in rows.iloc[0].items()}
        return row, self.board.outlooks[(row["metric"], row["payment"])]

    def _before(self, due: Row) -> pd.DataFrame:
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


def _label(period: str) -> str:
    return Period.parse(period).label if period else ""


def _percent(value: float) -> str:
    return f"{signed(value)}%" if np.isfinite(value) else "not known"


def _slope(row: Row) -> str:
    if not np.isfinite(row["slope"]):
        return str(row["reason"]) or "not known"
    unit = "%" if row["slope_unit"] == "%" else f" {row['slope_unit']}"
    limits = interval(row["slope_lower"], row["slope_upper"], 1, as_change=True)
    return f"{signed(row['slope'])}{unit} ({limits})"


def _month(month: float, index: float) -> str:
    return f"{MONTH_NAMES[int(month) - 1]} ({number(index, 2)})"


def _p_value(p: float) -> str:
    return "below 0.001" if p < 0.001 else number(p, 3)


def _level(row: Row, name: str, metric: Metric) -> str:
    if not np.isfinite(row[name]):
        return "no possible value" if np.isfinite(row["baseline"]) else "not known"
    return f"{sentences.value(row[name], metric)} ({_percent(row[f'{name}_percent'])})"
