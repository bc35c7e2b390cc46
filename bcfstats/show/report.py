"""One area's report: what the notebook calls, part by part."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period
from bcfstats.define.schemes import payment_label
from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.changes import finding_together
from bcfstats.judge.decision import Decision, decisions, told_trend
from bcfstats.judge.results import LATEST, NOT_COMPARED, TABLES, Results
from bcfstats.judge.standings import peers_of
from bcfstats.show import sentences
from bcfstats.show.charts.ambitions import ladder_chart
from bcfstats.show.charts.areas import peers_chart, spine
from bcfstats.show.charts.chart import Chart
from bcfstats.show.charts.drawing import Plot, svg_of
from bcfstats.show.charts.history import history_chart, period_labels, season_chart
from bcfstats.show.decisions import HOW_TO_READ, PAID_RARELY, REACHED_RARELY, cards, follows, lead, slider
from bcfstats.show.page import FOLDER, Part, fill, fill_environment, html_table, linked
from bcfstats.show.palettes import ANALYSIS_FUNCTION, icon
from bcfstats.show.sentences import INTERVAL, ResultRow, rows_of
from bcfstats.words import (
    EXAMPLE_SOURCE,
    MISSING,
    day,
    interval,
    listed,
    number,
    signed,
    spoken,
    with_unit,
)

MOST_PERIODS = 6
NO_HISTORY = Markup("<p>No chart is drawn: no figure of this series can be shown.</p>")
SPINE = (
    "Each line runs from the worst area on the left to the best on the right. "
    "The dot is this area, the bar the middle one; the darker part holds half of all areas. "
    "England is as published, or else all areas counted that have a figure."
)


@dataclass(frozen=True)
class AreaReport:
    """The results of one area, ready to be shown."""

    area: dict[str, Any]
    results: Results
    metrics: tuple[Metric, ...]

    def decision(self) -> Part:
        """Say what to decide: the findings that matter most, then a card a decision."""
        decided = self._decisions
        metrics = {metric.id: metric for metric in self.results.metrics}
        return Part(
            fill(
                "decision.html.j2",
                name=self.area["area_name"],
                sections=[(metric.id, metric.short_name) for metric in self.metrics],
                lead=[*lead(self._rows("windows"), decided, metrics)],
                cards=cards(decided, metrics, self.results.about.get("word", "target"), pays=self._pays),
                left_out=[
                    problem
                    for code, problem in self.results.about.get("targets_left_out", ())
                    if code == self.area["area_code"]
                ],
                how_to_read=HOW_TO_READ + (PAID_RARELY if self._pays else REACHED_RARELY),
                follows=follows(decided, self.results.about.get("follows", {})),
            )
        )

    def glance(self) -> Part:
        """Set every metric beside the middle area of all and of its region, with trend and last change."""
        rows = [self._at_a_glance(metric) for metric in self.metrics]
        headings = [
            "Metric",
            "Period",
            "Value",
            "England",
            "Middle area",
            "Middle of region",
            "Worst to best area",
            "Trend",
        ]
        headings += ["Change in a year"]
        table = html_table(headings, rows, f"{self.area['area_name']} beside all areas", numeric=(2, 3, 4, 5))
        counted = sentences.together(self._rows("windows"), self._rows("trends"))
        return Part(fill("glance.html.j2", intro=f"{SPINE} {counted}", table=table))

    def _at_a_glance(self, metric: Metric) -> list[object]:
        name = linked(metric.short_name, f"#{metric.id}")
        row = next(iter(self._rows("standings", metric.id)), None)
        if row is None:
            last = self._series(metric.id).iloc[-1]
            period = Period(last["period_start"].date(), last["period_end"].date())
            figure = sentences.value(last["value"], metric)
            return [name, period.label, figure, *[MISSING] * 3, "none", NOT_COMPARED, NOT_COMPARED]
        around = [row["value"], *(peer["value"] for peer in self._rows("peers", metric.id))]
        region = float(np.median(around)) if row["group"] else np.nan
        values = [sentences.value(x, metric) for x in (row["value"], row["median"], region)]
        values.insert(1, self._england(row, metric))
        last = next(one for one in self._rows("windows", metric.id) if one["payment"] == row["payment"])
        unit = last["change_unit"].removeprefix("percentage ")
        moved = icon(finding_together(last), self._look) + sentences.moved(last["change"], unit)
        trends = [told_trend(one, metric) for one in self._rows("trends", metric.id)]
        return [
            name,
            Period.parse(row["period"]).label,
            *values,
            spine(row, metric, self._look),
            *(trends or [NOT_COMPARED]),
            moved if np.isfinite(last["change"]) else NOT_COMPARED,
        ]

    def _england(self, row: ResultRow, metric: Metric) -> str:
        """Write England's published value in the period, or that of all areas together, which is said."""
        period, published = self.results.about.get("england", {}).get(metric.id, ("", np.nan))
        if period == row["period"]:
            return sentences.value(published, metric)
        if not np.isfinite(row["together"]):
            return MISSING
        return f"{sentences.value(row['together'], metric)} ({row['n_areas']} areas)"

    def summary(self) -> Part:
        """Tabulate every comparison: baseline, outcome, change and finding."""
        rows = [
            [
                self._metric(row).short_name,
                self._paid(row),
                _windows_compared(row),
                sentences.value(row["baseline_value"], self._metric(row)),
                sentences.value(row["outcome_value"], self._metric(row)),
                _change(row),
                icon(row["finding"], self._look) + row["finding"],
                row["finding_against"] or "none",
            ]
            for row in self._rows("windows")
        ]
        headings = ["Metric", "Payment", "Periods", "Baseline", "Outcome", f"Change ({INTERVAL})"]
        headings += ["Finding", "Held against"]
        return Part(
            html_table(headings, rows, f"Every comparison for {self.area['area_name']}", numeric=(3, 4))
        )

    def sections(self) -> list[Part]:
        """Give one section a metric: finding, chart, table, method and warnings."""
        return [self.section(metric.id) for metric in self.metrics]

    def section(self, metric: str) -> Part:
        """Give the section of one metric."""
        if metric not in {known.id for known in self.metrics}:
            raise ParameterError(
                f"{self.area['area_name']} has no figures for this metric.",
                found=f"'{metric}'",
                do=f"It has: {', '.join(known.id for known in self.metrics)}.",
            )
        about = self._named(metric)
        rows = self._rows("windows", metric)
        shown = sentences.clearest(rows)
        return Part(
            fill(
                "section.html.j2",
                metric=about,
                is_headline=any(one.metric == metric and not one.reason for one in self._decisions),
                polarity=sentences.polarity(about),
                title=sentences.title(shown, about) if shown else about.short_name,
                levels=[
                    (self._paid(row), *told)
                    for row, told in zip(
                        rows, _levels(rows, self._rows("outlooks", metric), about), strict=True
                    )
                ],
                held_against=sentences.held_against(shown) if shown else "",
                proposals=[(self._paid(row), row["reasons"]) for row in self._rows("assessments", metric)],
                standing=" ".join(sentences.standing(row, about) for row in self._rows("standings", metric)),
                peers=self.peers_chart(metric),
                ladders=self._ladders(about),
                sliders=self._sliders(about),
                history=self.history_chart(metric),
                no_history=NO_HISTORY,
                table=self._window_table(rows, about),
                trend=" ".join(sentences.trend(row) for row in self._rows("trends", metric)),
                season=self.season_chart(metric),
                season_words=self._season_words(about),
                notes=self._notes(about, rows),
            )
        )

    def history_chart(self, metric: str) -> Chart | None:
        """Draw the whole series of one metric, with its windows and breaks; nothing if it is hidden."""
        return history_chart(
            self.area["area_name"],
            self._named(metric),
            self._series(metric),
            self._rows("windows", metric),
            outlooks=self._rows("outlooks", metric),
            targets=self._rows("assessments", metric),
            source=self._source,
            look=self._look,
        )

    def peers_chart(self, metric: str) -> Chart | None:
        """Draw where the area stands among the others, or nothing where that cannot be said."""
        rows, peers = self._rows("standings", metric), self._rows("peers", metric)
        name, about = self.area["area_name"], self._named(metric)
        return (
            peers_chart(name, about, rows[0], peers, source=self._source, look=self._look) if rows else None
        )

    def season_chart(self, metric: str) -> Chart | None:
        """Draw the month indices of one metric, or nothing where there are none."""
        seasons = self.results.seasons
        rows = seasons.loc[seasons["metric"] == metric] if len(seasons) else seasons
        if rows.empty or not np.isfinite(rows["index"]).all():
            return None
        return season_chart(self.area["area_name"], self._named(metric), rows, self._look)

    def all_charts(self) -> dict[str, Chart]:
        """Give every chart of the report under a name that a file can have."""
        charts: dict[str, Chart | None] = {}
        for metric in self.metrics:
            charts[f"{metric.id}-history"] = self.history_chart(metric.id)
            charts |= {
                f"{metric.id}-ladder-{i}": chart
                for i, (_, _, chart) in enumerate(self._ladders(metric), start=1)
            }
            charts[f"{metric.id}-peers"] = self.peers_chart(metric.id)
            charts[f"{metric.id}-season"] = self.season_chart(metric.id)
        return {name: chart for name, chart in charts.items() if chart is not None}

    def data_notes(self) -> Part:
        """List what is missing, suppressed or doubtful in the area's figures."""
        series = self.results.series
        odd = series.loc[series["status"] != "ok"]
        rows = [
            [
                self._named(metric).short_name,
                spoken(status),
                str(len(marked)),
                listed(period_labels(marked)[:MOST_PERIODS]) + " and others" * (len(marked) > MOST_PERIODS),
                "; ".join(dict.fromkeys(note for note in marked["status_note"].fillna("") if note)),
            ]
            for (metric, status), marked in odd.groupby(["metric", "status"], sort=True)
        ]
        sources = sorted({str(name) for name in series["source"].dropna()})
        table = (
            html_table(
                ["Metric", "Status", "Figures", "Periods", "Note"], rows, "Figures that are not plain figures"
            )
            if rows
            else Markup("<p>Every figure is as published, without marks.</p>")
        )
        movements = [
            f"{self._named(row['metric']).short_name}, {Period.parse(row['period']).label}: {row['what']} "
            f"({signed(row['change_percent'], 0)}%), {row['consequence']}."
            for row in self._rows("findings")
        ]
        return Part(fill("data_notes.html.j2", table=table, sources=sources, movements=movements))

    def how_made(self) -> Part:
        """Say which version made the report, from which inputs, by which rules."""
        facts = [
            ("Area", f"{self.area['area_name']} ({self.area['area_code']})"),
            ("Region", self.area.get("region") or "not known"),
            ("Health and Wellbeing Board", self.area.get("board") or self.area["area_name"]),
            ("Metrics with figures", str(len(self.metrics))),
        ]
        return Part(fill("how_made.html.j2", about=self.results.about, facts=facts))

    @cached_property
    def _decisions(self) -> list[Decision]:
        return decisions(replace(self.results, areas=pd.DataFrame([self.area])))

    @property
    def _pays(self) -> bool:
        return bool(self.results.about.get("pays", True))

    def _paid(self, row: ResultRow) -> str:
        """Name a row's payment, or the period planned for where the scheme pays nothing."""
        label = row["payment"]
        if self._pays or label == LATEST:
            return sentences.payment(label)
        return payment_label(label)

    @property
    def _look(self) -> str:
        return str(self.results.about.get("palette", ANALYSIS_FUNCTION))

    @property
    def _source(self) -> str:
        return EXAMPLE_SOURCE if self.results.about["is_example"] else ""

    def _rows(self, table: str, metric: str | None = None) -> list[dict[str, Any]]:
        """Give the area's rows of one table of the results, of one metric or of all."""
        kept: dict[str, list[dict[str, Any]]] = self.__dict__.setdefault("_kept", {})
        if table not in kept:  # pandas is slow at it
            kept[table] = rows_of(getattr(self.results, table))
        return [dict(row) for row in kept[table] if metric is None or row["metric"] == metric]

    def _series(self, metric: str) -> pd.DataFrame:
        return self.results.series.loc[self.results.series["metric"] == metric].reset_index(drop=True)

    def _ladders(self, metric: Metric) -> list[tuple[str, str, Chart | None]]:
        """Give each payment's ladder, what is still open first: what is significant, and every rung."""
        rungs = self._rows("ladders", metric.id)
        still_open = {row["payment"] for row in self._rows("candidates", metric.id)}
        outlooks = self._rows("outlooks", metric.id)
        decided = {one.payment: one for one in self._decisions if one.metric == metric.id}
        return [
            (
                self._paid(row),
                sentences.needed(row, metric),
                ladder_chart(
                    self.area["area_name"],
                    metric,
                    Period.parse(row["period"]),
                    [rung for rung in rungs if rung["payment"] == row["payment"]],
                    self._look,
                    recommended=decided[row["payment"]].recommended,
                    target=decided[row["payment"]].target_value,
                    pays=self._pays,
                ),
            )
            for row in sorted(outlooks, key=lambda row: row["payment"] not in still_open)
            if row["payment"] != LATEST and np.isfinite(row["expected"])
        ]

    def _sliders(self, metric: Metric) -> list[Markup]:
        """Give a slider for each payment whose outcome is still to come, or partly in."""
        rows = self._rows("candidates", metric.id)
        known = {row["payment"]: row["known"] for row in self._rows("outlooks", metric.id)}
        word = self.results.about.get("word", "target")
        found: list[Markup] = []
        for one in self._decisions:
            steps = [row for row in rows if row["payment"] == one.payment]
            if one.metric == metric.id and steps and not one.reason:
                paid = self._paid({"payment": one.payment}) if self._pays else ""
                name = f"{metric.id}-{len(found)}"
                found.append(slider(name, paid, steps, metric, one, known[one.payment], word))
        return found

    def _named(self, metric: str) -> Metric:
        return next(known for known in self.results.metrics if known.id == metric)

    def _metric(self, row: ResultRow) -> Metric:
        return self._named(row["metric"])

    def _season_words(self, metric: Metric) -> str:
        rows = self._rows("seasons", metric.id)
        if not rows:
            return "" if metric.frequency == "month" else "Published once a period: season cannot be seen."
        if rows[0]["reason"]:
            return f"Season: {rows[0]['reason']}."
        own_weight = float(np.mean([row["own_weight"] for row in rows]))
        return sentences.season(rows[0]["national_p"], rows[0]["note"], own_weight)

    def _window_table(self, rows: list[dict[str, Any]], metric: Metric) -> Markup:
        headings = ["Period", "Numerator", "Denominator", "Value", INTERVAL, "Role"]
        table: dict[tuple[str, str], list[object]] = {}
        for row in rows:
            for side in ("baseline", "outcome"):
                role = f"{side} of {self._paid(row)}"
                of = row[f"{side}_period"], row[f"{side}_missing"]  # the same period may lack other months
                cells = table.setdefault(of, [*_window_cells(row, metric, side), ""])
                cells[-1] = f"{cells[-1]}; {role}" if cells[-1] else role
        return html_table(
            headings,
            [cells for _, cells in sorted(table.items())],
            f"{metric.short_name}, {metric.unit}",
            numeric=(1, 2, 3),
        )

    def _notes(self, metric: Metric, rows: list[dict[str, Any]]) -> list[str]:
        sides = [(row, side) for row in rows for side in ("baseline", "outcome")]
        last = pd.to_datetime(self._series(metric.id)["period_end"]).dt.date.max()
        notes = [
            *(f"Compared by {row['change_method']}" for row in rows if row["finding"] != NOT_COMPARED),
            *(f"Definition in force: {row[f'{x}_basis']}" for row, x in sides if row[f"{x}_basis"]),
            *(
                f"{Period.parse(row[f'{x}_period']).label}: {row[f'{x}_warnings']}"
                for row, x in sides
                if row[f"{x}_warnings"]
            ),
            *(f"Series break on {day(b.date)}: {b.what}" for b in metric.breaks if b.date <= last),
            *metric.caveats,
        ]
        return list(dict.fromkeys(note if note.endswith(".") else f"{note}." for note in notes))


def open_report(area_code: str, source: Results | str | Path | None = None) -> AreaReport:
    """Open one area's results, of a run's folder or from `assess`; of the example data if none are given.

    >>> report = open_report("X06000001")
    >>> report.area["area_code"], len(report.metrics) > 10
    ('X06000001', True)
    """
    results = source if isinstance(source, Results) else _results(area_code, source)
    rows = results.areas.loc[results.areas["area_code"] == area_code]
    if rows.empty:
        raise ParameterError(
            "This area is not in the results.",
            found=f"'{area_code}'",
            do="See the index for the areas there are.",
        )
    area = rows.iloc[0].fillna("").to_dict()
    if area["problem"]:
        raise InputError(
            f"The observations of {area['area_name']} cannot be used.",
            found=area["problem"],
            do="Correct them and prepare again.",
        )
    return _cut(area, results)


def _results(area_code: str, run_folder: str | Path | None) -> Results:
    if run_folder is not None:
        return Results.load(Path(run_folder) / "tables", area_code)
    from bcfstats.example.data import example_data
    from bcfstats.judge.assessment import assess

    return assess(example_data())


def _cut(area: dict[str, Any], results: Results) -> AreaReport:
    """Keep the area's own rows of every table, and the metrics it has figures for."""
    mine = {}
    for name in TABLES:
        rows = getattr(results, name)
        own = name != "areas" and not rows.empty
        mine[name] = rows.loc[rows["area_code"] == area["area_code"]].reset_index(drop=True) if own else rows
    mine["peers"] = peers_of(area["area_code"], results.standings, results.peers)
    present = set(mine["series"]["metric"])
    metrics = tuple(metric for metric in results.metrics if metric.id in present)
    return AreaReport(area, replace(results, **mine), metrics)


def load_once() -> None:
    """Read fonts, draw a chart and compile the templates, so that processes forked later find them ready."""
    for path in FOLDER.glob("*.j2"):
        fill_environment().get_template(path.name)
    plot = Plot("unit", (0, 1), (0, 1))
    plot.label_values()
    plot.points([0, 1], [0, 1], "series")
    svg_of(plot.figure)


def _levels(rows: list[dict[str, Any]], outlooks: list[dict[str, Any]], metric: Metric) -> list[list[str]]:
    ahead = {row["payment"]: sentences.expected(row, metric) for row in outlooks}
    return [
        [
            sentences.level(row, metric, "baseline"),
            sentences.level(row, metric, "outcome"),
            f"{sentences.change(row)} {ahead.get(row['payment'], '')}".rstrip(),
        ]
        for row in rows
    ]


def _windows_compared(row: ResultRow) -> str:
    before, after = sentences.windows(row)
    return f"{after} against {before}"


def _change(row: ResultRow) -> str:
    if row["finding"] == NOT_COMPARED:
        return "not compared"
    size = with_unit(row["change"], row["change_unit"])
    limits = interval(row["change_lower"], row["change_upper"], 1, as_change=True)
    return f"{size} ({limits})" if np.isfinite(row["change_lower"]) else size


def _window_cells(row: ResultRow, metric: Metric, side: str) -> list[object]:
    limits = interval(row[f"{side}_lower"], row[f"{side}_upper"], metric.decimals)
    return [
        Period.parse(row[f"{side}_period"]).label + sentences.partly(row, side),
        number(row[f"{side}_numerator"]),
        number(row[f"{side}_denominator"]),
        sentences.value(row[f"{side}_value"], metric),
        limits,
    ]
