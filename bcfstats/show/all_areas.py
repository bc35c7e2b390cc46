"""Pages over all areas: the index of a run, the overview of a file of targets, and plans followed."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period
from bcfstats.define.schemes import payment_label
from bcfstats.judge.decision import CHALLENGE, EASY
from bcfstats.judge.national import ENGLAND, Overview
from bcfstats.judge.results import WORSE, Results
from bcfstats.judge.tracking import counts_people, latest
from bcfstats.judge.verdicts import VERDICTS
from bcfstats.show.charts.areas import funnel_of_plans, spread_of_plans
from bcfstats.show.counts import count, counts_section, findings, for_payment, in_line, in_order, verdicts
from bcfstats.show.page import fill, html_table, linked, script, script_hash, style
from bcfstats.show.sentences import rows_of, value
from bcfstats.show.tile_map import Answers, answers, layout, tile_parts
from bcfstats.words import EXAMPLES, capital, in_10, number, plural, with_unit

AGAIN = "bcfstats run --resume"
FIRST = "Areas without a report come first, then those with most changes for the worse."
FIRST_JUDGED = f"{FIRST[:-1]}, then those with most targets that ask for too little."
# One a possible answer, in their order, for the filters of the index
SIGNS = {"finding": "0123", "verdict": "abcdefg"}
FEW_NAMED = 5
EXAMPLE_PLANS = "Example data: every area and figure on this page is made up."


def areas_page(
    results: Results,
    reports: Mapping[str, str],
    failures: Mapping[str, str],
    waiting: Collection[str] = (),
    progress: str = "",
) -> str:
    """Write the page that lists every area of a run, with the address of its report or why it has none.

    `waiting` are codes of areas whose reports are not made yet, `progress` what there is to say of those.

    Its script, which makes the list searchable and sortable, holds no data; the page says all there is to say
    without it.
    """
    areas, metrics = results.areas, {metric.id: metric for metric in results.metrics}
    plan = layout(areas, is_example=results.about["is_example"])
    found, judged = findings(results.windows, areas), verdicts(results.assessments, areas)
    shown = [(answers("verdict"), judged)] * (len(judged) > 0) + [(answers("finding"), found)]
    signs, places = _outcomes(shown, metrics)
    rows = _rows(areas, reports, failures, set(waiting), found, judged, signs)
    state = (
        f"{number(len(reports))} of {plural(len(rows), 'report')} {'is' if len(rows) == 1 else 'are'} made."
    )
    if failures:
        state += f" {plural(len(failures), 'area')} failed: the list says why. To try again: {AGAIN}."
    return str(
        fill(
            "index.html.j2",
            style=style("index.css"),
            script=script("index.js"),
            script_hash=script_hash("index.js"),
            rows=rows,
            headings=answers("finding").names,
            judged=len(judged) > 0,
            parts=tile_parts(plan, [of for of, _ in shown]),
            sections=[counts_section(cases, of, areas, plan, metrics, reports) for of, cases in shown],
            filters=[
                ("Region", [(name, name) for name in sorted({str(row["region"]) for row in rows})]),
                (
                    "Metric",
                    [(" ".join(map(str, at)), metrics[name].short_name) for name, at in places.items()],
                ),
                ("Result", [(sign, capital(words)) for of, _ in shown for sign, words in _signs(of)]),
            ],
            about=results.about,
            made=len(reports),
            state=state,
            first=FIRST_JUDGED if len(judged) else FIRST,
            progress=progress,
            banner=EXAMPLES if results.about["is_example"] else "",
        )
    )


def _signs(of: Answers) -> Iterator[tuple[str, str]]:
    """Give each answer a sign of its own, with its words."""
    return zip(SIGNS[of.id], of.words.values(), strict=False)


def _outcomes(
    shown: Sequence[tuple[Answers, pd.DataFrame]], metrics: Mapping[str, Metric]
) -> tuple[dict[str, str], dict[str, list[int]]]:
    """Write each area's answers as one sign a metric and payment, and say where those of a metric stand."""
    parts: list[pd.Series[str]] = []
    places: dict[str, list[int]] = defaultdict(list)
    for of, cases in shown:
        signs = {name: sign for name, (sign, _) in zip(of.names, _signs(of), strict=True)}
        for (metric, _), rows in in_order(cases, metrics).groupby(["metric", "payment"], sort=False):
            places[str(metric)].append(len(parts))
            parts.append(rows.drop_duplicates("area_code").set_index("area_code")["category"].map(signs))
    table = pd.concat(parts, axis=1).fillna(".") if parts else pd.DataFrame()
    ordered = {name: places[name] for name in metrics if name in places}
    return {str(code): "".join(row) for code, row in zip(table.index, table.to_numpy(), strict=True)}, ordered


def _rows(
    areas: pd.DataFrame,
    reports: Mapping[str, str],
    failures: Mapping[str, str],
    waiting: Collection[str],
    found: pd.DataFrame,
    judged: pd.DataFrame,
    signs: Mapping[str, str],
) -> list[dict[str, Any]]:
    """Give each area of the run its row, what there is most to look at first.

    That is an area without a report, then most findings for the worse, then most targets that ask too little.
    """
    counts = count(found, ["area_code"], answers("finding"))
    of = answers("verdict")
    by_area = count(judged, ["area_code"], of)
    lines = {str(code): in_line(row, of) for code, row in by_area.iterrows()}
    easy = by_area[[name for name in of.names if CHALLENGE.get(name) == EASY]].sum(axis=1)
    rows = [
        {
            "name": area["area_name"],
            "region": area.get("region") or "not known",
            "link": reports.get(code, ""),
            "reason": "Not made yet." if code in waiting else failures.get(code, ""),
            "verdicts": lines.get(code, "no target"),
            "counts": counts.loc[code].tolist() if code in counts.index else [0] * counts.shape[1],
            "outcomes": signs.get(code, "."),
            "order": (
                code not in failures,
                -int(counts[WORSE].get(code, 0)),
                -int(easy.get(code, 0)),
                area["area_name"],
            ),
        }
        for area in rows_of(areas.fillna(""))
        if (code := area["area_code"]) in reports or code in failures or code in waiting
    ]
    return sorted(rows, key=lambda row: row["order"])


def overview_page(
    overview: Overview, areas: pd.DataFrame, metrics: Mapping[str, Metric], *, is_example: bool
) -> str:
    """Write the overview of all plans as one page: notes, England's composite, verdicts with maps, charts.

    The maps and their table name boards; the charts of plans name none.
    """
    plan = layout(areas, is_example=is_example)
    of, judged = answers("verdict"), verdicts(overview.plans, areas)
    return str(
        fill(
            "overview.html.j2",
            style=style("index.css"),
            banner=EXAMPLE_PLANS if is_example else "",
            notes=overview.notes,
            table=_composite(overview, metrics),
            empty=_not_assessed(overview, metrics),
            outlying=_outlying(overview.plans, metrics),
            parts=tile_parts(plan, [of]),
            verdicts=counts_section(judged, of, areas, plan, metrics),
            sections=_charts(overview, metrics),
        )
    )


def _composite(overview: Overview, metrics: Mapping[str, Metric]) -> Markup:
    """Write the plans of all boards added up, a row for each metric and payment with some assessed."""
    headings = ["Metric", "Payment", "Plans assessed", "Baseline", "If nothing is done", "Target"]
    headings += ["Change asked for", "Left out"]
    rows = []
    for row in _of_england(overview, metrics):
        metric = metrics[row["metric"]]
        if not row["assessed"]:
            continue
        values = [value(row[f"{name}_value"], metric) for name in ("baseline", "do_nothing", "target")]
        change = with_unit(row["ambition_percent"], "%")
        label = payment_label(row["payment"])
        plans = f"{number(row['assessed'])} of {number(row['boards'])}"
        rows.append([metric.short_name, label, plans, *values, change, left_out(row)])
    return html_table(headings, rows, "All plans added up, weighted by population", numeric=range(2, 7))


def left_out(row: Mapping[str, Any]) -> str:
    """Name the boards that are not in a sum where they are few, else count them."""
    count = int(row["boards"] - row["assessed"])
    return str(row["left_out"]) if count <= FEW_NAMED else f"{number(count)} boards, named in composite.csv"


def _not_assessed(overview: Overview, metrics: Mapping[str, Metric]) -> str:
    """Name the metrics and payments of which no plan could be assessed."""
    rows = [row for row in _of_england(overview, metrics) if not row["assessed"]]
    named = [f"{metrics[row['metric']].short_name}, {payment_label(row['payment'])}" for row in rows]
    return f"No plan could be assessed of: {'; '.join(named)}." if named else ""


def _outlying(plans: pd.DataFrame, metrics: Mapping[str, Metric]) -> Markup:
    """Name the plans that ask for far more, or far less, than others for the same metric."""
    rows = [
        [
            row["area_name"] or row["area_code"],
            metrics[row["metric"]].short_name,
            payment_label(row["payment"]),
            capital(row["outlying"]),
            capital(VERDICTS[row["verdict"]].words),
        ]
        for row in rows_of(plans.loc[plans["outlying"] != ""])
    ]
    headings = ["Area", "Metric", "Payment", "What stands out", "Verdict"]
    caption = f"Outlying plans: {number(len(rows))} of {number(len(plans))}"
    return html_table(headings, rows, caption) if rows else Markup("<p>No plan is outlying.</p>")


def _charts(overview: Overview, metrics: Mapping[str, Metric]) -> list[dict[str, Any]]:
    """Draw the charts of plans of each metric and payment that has enough of them."""
    sections = []
    for row in _of_england(overview, metrics):
        metric = metrics[row["metric"]]
        drawn = (draw(overview.plans, metric, row["payment"]) for draw in (funnel_of_plans, spread_of_plans))
        charts = [Markup(chart.__html__()) for chart in drawn if chart is not None]
        if charts:
            sections.append({"heading": for_payment(metric, row["payment"]), "parts": charts})
    return sections


def _of_england(overview: Overview, metrics: Mapping[str, Metric]) -> list[dict[str, Any]]:
    of_england = overview.composite.loc[overview.composite["region"] == ENGLAND]
    return rows_of(in_order(of_england, metrics))


TRACKED = [
    "Plan",
    "Actual",
    "Plan so far",
    "So far",
    "Goal",
    "Expected",
    "Chance",
    "Status",
    "For the return",
]
LEFT = "What is left: a goal less what came so far. Nothing here says why a figure moved."


def tracking_page(
    tracked: pd.DataFrame,
    *,
    metrics: Mapping[str, Metric],
    is_example: bool,
    word: str = "goal",
    board: str | None = None,
    links: Mapping[str, str] | None = None,
) -> str:
    """Write the page of a followed plan: all boards by their last state, or one board period by period."""
    last = latest(tracked)
    counts = last["status"].value_counts(sort=False)
    notes = [f"{len(last):,} {word}s: " + ", ".join(f"{n:,} {name}" for name, n in counts.items()) + "."]
    return str(
        fill(
            "tracking.html.j2",
            style=style("index.css"),
            banner=EXAMPLE_PLANS if is_example else "",
            title=f"{board or 'All boards'}: {word}s followed",
            notes=[*notes, LEFT],
            table=_last_states(last, metrics, links or {}),
            sections=[] if board is None else _period_by_period(tracked, metrics),
        )
    )


def _last_states(last: pd.DataFrame, metrics: Mapping[str, Metric], links: Mapping[str, str]) -> Markup:
    """Table the last state of each goal, as the quarterly return asks for it."""
    rows = []
    for row in rows_of(last):
        name, link = row["area_name"] or row["area_code"], links.get(row["area_code"])
        until = Period.parse(row["period"]).label.rpartition(" to ")[2] if row["period"] else ""
        needed = "" if not math.isfinite(row["needed"]) else number(row["needed"])
        rows.append(
            [linked(name, link), metrics[row["metric"]].short_name, until, *_state(row, metrics)[2:], needed]
        )
    headings = ["Board", "Metric", "Figures to", *TRACKED[2:], "Left of the goal"]
    return html_table(headings, rows, "Where each goal stands", numeric=(*range(3, 8), 10))


def _period_by_period(tracked: pd.DataFrame, metrics: Mapping[str, Metric]) -> list[dict[str, Any]]:
    """Table every period of each goal of one board, under what its last state means in sentences."""
    sections = []
    for name, rows in tracked.groupby("metric", sort=False):
        last, metric = rows_of(latest(rows))[-1], metrics[str(name)]
        told = [last["why"], f"Rests on {last['method']}." if last["method"] else ""]
        told.append(f"The goal of record: {last['source']}.")
        table = [
            [Period.parse(row["period"]).label if row["period"] else "none", *_state(row, metrics)]
            for row in rows_of(rows)
        ]
        caption = f"{metric.short_name}, {last['unit']}"
        sections.append(
            {
                "heading": metric.short_name,
                "paragraphs": [text for text in told[: 3 if last["source"] else 2] if text],
                "table": html_table(["Period", *TRACKED], table, caption, numeric=range(1, 8)),
            }
        )
    return sections


def _state(row: Mapping[str, Any], metrics: Mapping[str, Metric]) -> list[str]:
    """Write the state of a goal at the end of a period, in the columns `TRACKED`."""
    metric = metrics[row["metric"]]
    decimals = 0 if counts_people(metric) else metric.decimals
    names = ("plan", "actual", "plan_so_far", "actual_so_far", "goal", "outcome")
    numbers = [number(row[name], decimals) if math.isfinite(row[name]) else "" for name in names]
    chance = in_10(row["chance"]) if math.isfinite(row["chance"]) else ""
    return [*numbers, chance, row["status"], row["return_word"]]
