"""One area's report: what the notebook calls, part by part."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period
from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.results import BETTER, LATEST, NOT_COMPARED, WORSE, Results
from bcfstats.show import sentences
from bcfstats.show.charts import chart as charts
from bcfstats.show.charts.area import history_chart, ladder_chart, period_labels, season_chart
from bcfstats.show.charts.chance import chance_chart
from bcfstats.show.charts.peers import peers_chart
from bcfstats.show.page import fill
from bcfstats.show.palettes import ANALYSIS_FUNCTION, icon
from bcfstats.show.parts import Part, html_table
from bcfstats.words import EXAMPLE, EXAMPLE_SOURCE, day, interval, listed, number, signed

MOST_MESSAGES = 5
DETECTABLE, AT_80_PER_CENT = "detectable", "the level of 80% power"


@dataclass(frozen=True)
class AreaReport:
    """The results of one area, ready to be shown.

    Attributes
    ----------
    area : dict
        Code, name, type, region and board.
    results : Results
        The tables, cut to this area.
    metrics : tuple of Metric
        The metrics this area has figures for, in the order of the registry.
    """

    area: dict[str, Any]
    results: Results
    metrics: tuple[Metric, ...]

    def heading(self) -> Part:
        """Say who, what and when."""
        about = self.results.about
        facts = [
            ("Area", f"{self.area['area_name']} ({self.area['area_code']})"),
            ("Region", self.area.get("region") or "not known"),
            ("Health and Wellbeing Board", self.area.get("board") or self.area["area_name"]),
            ("Metrics with figures", str(len(self.metrics))),
            ("Payment scheme", f"{about['scheme_title']} ({about['scheme']})"),
        ]
        note = EXAMPLE if about["is_example"] else ""
        return Part(fill("heading.html.j2", name=self.area["area_name"], facts=facts, note=note))

    def key_messages(self) -> Part:
        """Give at most five findings: verdicts on proposed targets, then changes, the clearest first."""
        rows = self._windows()
        judged = [
            f"{self._metric(row).short_name}, {_payment(row['payment'])}: {row['reasons'].split('. ')[0]}"
            for row in self._rows("assessments")
        ]
        order = {WORSE: 0, BETTER: 1, NOT_COMPARED: 3}
        compared = sorted(
            (row for row in rows if row["finding"] != NOT_COMPARED),
            key=lambda row: (order.get(row["finding"], 2), row["payment"] == LATEST),
        )
        found = [(self._icon(row), sentences.finding(row, self._metric(row))) for row in compared]
        told = [*((Markup(), message) for message in judged), *found][:MOST_MESSAGES]
        messages = [Markup("{}{}.").format(mark, message.rstrip(".")) for mark, message in told]
        return Part(fill("messages.html.j2", messages=messages or ["No two periods can be compared yet."]))

    def summary(self) -> Part:
        """Tabulate every comparison: baseline, outcome, change and finding."""
        rows = [
            [
                self._metric(row).short_name,
                _payment(row["payment"]),
                _windows_compared(row),
                sentences.value(row["baseline_value"], self._metric(row)),
                sentences.value(row["outcome_value"], self._metric(row)),
                _change(row),
                self._icon(row) + row["finding"],
                row["finding_against"] or "not held against anything",
            ]
            for row in self._windows()
        ]
        headings = ["Metric", "Payment", "Periods", "Baseline", "Outcome", "Change (95% interval)"]
        headings += ["Finding", "Held against"]
        return Part(
            html_table(headings, rows, f"Every comparison for {self.area['area_name']}", numeric=(3, 4))
        )

    def sections(self) -> list[Part]:
        """Give one section a metric: finding, chart, table, method and warnings."""
        return [self.section(metric.id) for metric in self.metrics]

    def section(self, metric: str) -> Part:
        """Give the section of one metric.

        Raises
        ------
        ParameterError
            If the area has no figures for it.
        """
        chosen = next((found for found in self.metrics if found.id == metric), None)
        if chosen is None:
            raise ParameterError(
                f"{self.area['area_name']} has no figures for this metric.",
                found=f"'{metric}'",
                do=f"It has: {', '.join(found.id for found in self.metrics)}.",
            )
        rows = self._windows(metric)
        shown = next((row for row in rows if row["finding"] != NOT_COMPARED), rows[0] if rows else None)
        chance = self._chance(chosen)
        return Part(
            fill(
                "section.html.j2",
                metric=chosen,
                polarity=sentences.polarity(chosen),
                finding=self._icon(shown) + sentences.finding(shown, chosen) if shown else chosen.short_name,
                levels=_levels(rows, self._rows("outlooks", metric), chosen),
                held_against=sentences.held_against(shown) if shown else "",
                proposals=[
                    (_payment(row["payment"]), row["reasons"]) for row in self._rows("assessments", metric)
                ],
                standing=self._standing_words(chosen),
                peers=self.peers_chart(metric),
                chance_words=sentences.chances(*chance[1:]) if chance else "",
                chance=self.chance_chart(metric),
                ladders=self._ladders(chosen),
                history=self.history_chart(metric),
                table=self._window_table(rows, chosen),
                trend=self._trend(chosen),
                season=self.season_chart(metric),
                season_words=self._season_words(chosen),
                notes=self._notes(chosen, rows),
            )
        )

    def history_chart(self, metric: str) -> charts.Chart | None:
        """Draw the whole series of one metric, with its windows and breaks; nothing if it is hidden."""
        return history_chart(
            self.area["area_name"],
            self._named(metric),
            self._series(metric),
            self._windows(metric),
            outlooks=self._rows("outlooks", metric),
            targets=self._rows("assessments", metric),
            source=self._source,
            look=self._look,
        )

    def peers_chart(self, metric: str) -> charts.Chart | None:
        """Draw where the area stands among the others, or nothing where that cannot be said."""
        rows, peers = self._rows("standings", metric), self._rows("peers", metric)
        name, chosen = self.area["area_name"], self._named(metric)
        if not rows:
            return None
        return peers_chart(name, chosen, rows[0], peers, source=self._source, look=self._look)

    def chance_chart(self, metric: str) -> charts.Chart | None:
        """Draw the chance of payment of the proposed target, or else of the rung that would be detected."""
        found, name = self._chance(self._named(metric)), self.area["area_name"]
        return chance_chart(name, self._named(metric), *found, look=self._look) if found else None

    def season_chart(self, metric: str) -> charts.Chart | None:
        """Draw the month indices of one metric, or nothing where there are none."""
        seasons = self.results.seasons
        rows = seasons.loc[seasons["metric"] == metric] if len(seasons) else seasons
        if rows.empty or not np.isfinite(rows["index"]).all():
            return None
        return season_chart(self.area["area_name"], self._named(metric), rows, self._look)

    def all_charts(self) -> dict[str, charts.Chart]:
        """Give every chart of the report under a name that a file can have."""
        found: dict[str, charts.Chart | None] = {}
        for metric in self.metrics:
            ladders = (chart for _, _, chart in self._ladders(metric))
            found[f"{metric.id}-history"] = self.history_chart(metric.id)
            found |= {f"{metric.id}-ladder-{place}": chart for place, chart in enumerate(ladders, 1)}
            found[f"{metric.id}-peers"] = self.peers_chart(metric.id)
            found[f"{metric.id}-chance"] = self.chance_chart(metric.id)
            found[f"{metric.id}-season"] = self.season_chart(metric.id)
        return {name: chart for name, chart in found.items() if chart is not None}

    def data_notes(self) -> Part:
        """List what is missing, suppressed or doubtful in the area's figures."""
        series = self.results.series
        odd = series.loc[series["status"] != "ok"]
        rows = [
            [
                self._named(metric).short_name,
                status.replace("_", " "),
                str(len(found)),
                listed(period_labels(found)[:6]) + (" and others" if len(found) > 6 else ""),
                "; ".join(dict.fromkeys(note for note in found["status_note"].fillna("") if note)),
            ]
            for (metric, status), found in odd.groupby(["metric", "status"], sort=True)
        ]
        sources = sorted({str(name).split(" [")[0] for name in series["source"].dropna()})
        table = (
            html_table(
                ["Metric", "Status", "Figures", "Periods", "Note"], rows, "Figures that are not plain figures"
            )
            if rows
            else Markup("<p>Every figure is as published, without marks.</p>")
        )
        found = [
            f"{self._named(row['metric']).short_name}, {Period.parse(row['period']).label}: {row['what']} "
            f"({signed(row['change_percent'], 0)}%), {row['consequence']}."
            for row in self._rows("findings")
        ]
        return Part(fill("data_notes.html.j2", table=table, sources=sources, findings=found))

    def how_made(self) -> Part:
        """Say which version made the report, from which inputs, by which rules."""
        return Part(fill("how_made.html.j2", about=self.results.about))

    @property
    def _look(self) -> str:
        return str(self.results.about.get("palette", ANALYSIS_FUNCTION))

    @property
    def _source(self) -> str | None:
        return EXAMPLE_SOURCE if self.results.about["is_example"] else None

    def _icon(self, row: dict[str, Any]) -> Markup:
        return icon(row["finding"], self._look)

    def _windows(self, metric: str | None = None) -> list[dict[str, Any]]:
        return self._rows("windows", metric)

    def _rows(self, table: str, metric: str | None = None) -> list[dict[str, Any]]:
        """Give the area's rows of one table of the results, of one metric or of all."""
        rows = self._records(table)
        return [dict(row) for row in rows if metric is None or row["metric"] == metric]

    def _records(self, table: str) -> list[dict[str, Any]]:
        """Turn a table into plain values, once: pandas is slow at it."""
        kept: dict[str, list[dict[str, Any]]] = self.__dict__.setdefault("_kept", {})
        if table not in kept:
            kept[table] = list(getattr(self.results, table).to_dict("records"))
        return kept[table]

    def _series(self, metric: str) -> pd.DataFrame:
        return self.results.series.loc[self.results.series["metric"] == metric].reset_index(drop=True)

    def _ladders(self, metric: Metric) -> list[tuple[str, str, charts.Chart | None]]:
        """Give each payment's ladder: what it takes to be significant, and every rung."""
        rungs = self._rows("ladders", metric.id)
        return [
            (
                _payment(row["payment"]),
                sentences.needed(row, metric),
                ladder_chart(
                    self.area["area_name"],
                    metric,
                    Period.parse(row["period"]),
                    [rung for rung in rungs if rung["payment"] == row["payment"]],
                    self._look,
                ),
            )
            for row in self._rows("outlooks", metric.id)
            if row["payment"] != LATEST and np.isfinite(row["expected"])
        ]

    def _standing_words(self, metric: Metric) -> str:
        return " ".join(sentences.standing(row, metric) for row in self._rows("standings", metric.id))

    def _chance(self, metric: Metric) -> tuple[Period, dict[str, Any], str] | None:
        """Find the level whose chance of payment is shown: its window, its row, and what it is."""
        windows = {row["payment"]: row["period"] for row in self._rows("outlooks", metric.id)}
        targets = [
            (
                row["target_period"],
                row,
                f"the proposed target of {sentences.value(row['target_value'], metric)}",
            )
            for row in self._rows("assessments", metric.id)
        ]
        rungs = [
            (
                windows[row["payment"]],
                row,
                f"a target of {sentences.value(row['value'], metric)}, {AT_80_PER_CENT}",
            )
            for row in self._rows("ladders", metric.id)
            if row["rung"] == DETECTABLE and row["payment"] != LATEST
        ]
        for period, row, level in [*targets, *rungs]:
            if all(np.isfinite(row[chance]) for chance in sentences.CHANCES):
                return Period.parse(period), row, level
        return None

    def _named(self, metric: str) -> Metric:
        return next(found for found in self.metrics if found.id == metric)

    def _metric(self, row: dict[str, Any]) -> Metric:
        return self._named(row["metric"])

    def _trend(self, metric: Metric) -> str:
        rows = self.results.trends
        rows = rows.loc[rows["metric"] == metric.id]
        return sentences.trend(rows.iloc[0].to_dict()) if len(rows) else ""

    def _season_words(self, metric: Metric) -> str:
        rows = self.results.seasons
        rows = rows.loc[rows["metric"] == metric.id] if len(rows) else rows
        if rows.empty:
            return "" if metric.frequency == "month" else "Published once a period: season cannot be seen."
        first = rows.iloc[0]
        if first["reason"]:
            return f"Season: {first['reason']}."
        return sentences.season(first["national_p"], first["note"], float(rows["own_weight"].mean()))

    def _window_table(self, rows: list[dict[str, Any]], metric: Metric) -> Markup:
        headings = ["Period", "Numerator", "Denominator", "Value", "95% interval", "Role"]
        told: dict[str, list[object]] = {}
        for row in rows:
            for side in ("baseline", "outcome"):
                role = f"{side} of {_payment(row['payment'])}"
                cells = told.setdefault(row[f"{side}_period"], [*_window_cells(row, metric, side), ""])
                cells[-1] = f"{cells[-1]}; {role}" if cells[-1] else role
        return html_table(
            headings,
            [told[period] for period in sorted(told)],
            f"{metric.short_name}, {metric.unit}",
            numeric=(1, 2, 3),
        )

    def _notes(self, metric: Metric, rows: list[dict[str, Any]]) -> list[str]:
        methods = [f"Compared by {row['change_method']}" for row in rows if row["finding"] != NOT_COMPARED]
        warnings = [
            f"{Period.parse(row[f'{side}_period']).label}: {row[f'{side}_warnings']}"
            for row in rows
            for side in ("baseline", "outcome")
            if row[f"{side}_warnings"]
        ]
        breaks = [
            f"Series break on {day(b.date)}: {b.what}" for b in metric.breaks if self._covers(metric, b.date)
        ]
        bases = [
            f"Definition in force: {row[f'{side}_basis']}"
            for row in rows
            for side in ("baseline", "outcome")
            if row[f"{side}_basis"]
        ]
        notes = [*methods, *bases, *warnings, *breaks, *metric.caveats]
        return list(dict.fromkeys(note if note.endswith(".") else f"{note}." for note in notes))

    def _covers(self, metric: Metric, when: Any) -> bool:
        series = self._series(metric.id)
        return bool((pd.to_datetime(series["period_end"]).dt.date >= when).any())


def open_report(area_code: str, source: Results | str | Path | None = None) -> AreaReport:
    """Open one area's results, to read and to show in a notebook.

    Parameters
    ----------
    area_code : str
        Code of the area.
    source : Results or str or Path, optional
        What `assess` gave, or the folder written by `bcfstats run`; the example data, assessed afresh, if
        not given.

    Returns
    -------
    AreaReport

    Raises
    ------
    ParameterError
        If the area is not in the results.
    InputError
        If the folder holds no results, or the area's observations cannot be used.

    Examples
    --------
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
    code = area["area_code"]

    def own(frame: pd.DataFrame) -> pd.DataFrame:
        return frame if frame.empty else frame.loc[frame["area_code"] == code].reset_index(drop=True)

    mine = Results(
        areas=results.areas,
        series=own(results.series),
        windows=own(results.windows),
        trends=own(results.trends),
        seasons=own(results.seasons),
        outlooks=own(results.outlooks),
        ladders=own(results.ladders),
        assessments=own(results.assessments),
        findings=own(results.findings),
        standings=own(results.standings),
        peers=own(results.peers),
        metrics=results.metrics,
        about=results.about,
    )
    told = set(mine.series["metric"])
    return AreaReport(area, mine, tuple(metric for metric in results.metrics if metric.id in told))


def _levels(rows: list[dict[str, Any]], outlooks: list[dict[str, Any]], metric: Metric) -> list[list[str]]:
    ahead = {row["payment"]: sentences.expected(row, metric) for row in outlooks}
    return [
        [
            _payment(row["payment"]),
            sentences.level(row, metric, "baseline"),
            sentences.level(row, metric, "outcome"),
            f"{sentences.change(row)} {ahead.get(row['payment'], '')}".rstrip(),
        ]
        for row in rows
    ]


def _payment(label: str) -> str:
    return "latest year" if label == LATEST else f"{Period.parse(label).label} payment"


def _windows_compared(row: dict[str, Any]) -> str:
    before, after = sentences.windows(row)
    return f"{after} against {before}"


def _change(row: dict[str, Any]) -> str:
    if row["finding"] == NOT_COMPARED:
        return "not compared"
    unit = "%" if row["change_unit"] == "%" else f" {row['change_unit']}"
    size = f"{signed(row['change'])}{unit}"
    limits = interval(row["change_lower"], row["change_upper"], 1, as_change=True)
    return f"{size} ({limits})" if np.isfinite(row["change_lower"]) else size


def _window_cells(row: dict[str, Any], metric: Metric, side: str) -> list[object]:
    limits = interval(row[f"{side}_lower"], row[f"{side}_upper"], metric.decimals)
    return [
        Period.parse(row[f"{side}_period"]).label,
        number(row[f"{side}_numerator"]),
        number(row[f"{side}_denominator"]),
        sentences.value(row[f"{side}_value"], metric),
        limits,
    ]
