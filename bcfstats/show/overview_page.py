"""The overview of a file of targets: all plans added up, verdicts counted and mapped, plans by size."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from bcfstats.define.metrics import Metric
from bcfstats.judge.national import ENGLAND, Overview
from bcfstats.show.charts.plans import funnel_of_plans, spread_of_plans
from bcfstats.show.page import fill, style
from bcfstats.show.parts import html_table
from bcfstats.show.sentences import value
from bcfstats.show.tallies import comparison, in_order, kind, payment_words, verdicts
from bcfstats.show.tally_section import tally_section
from bcfstats.show.tile_map import layout, tile_parts
from bcfstats.words import number, signed

EXAMPLE = "Example data: every area and figure on this page is made up."


def overview_page(
    found: Overview, areas: pd.DataFrame, metrics: Mapping[str, Metric], *, is_example: bool
) -> str:
    """Write the overview as one page: notes, England's composite, verdicts with maps, charts of plans.

    Parameters
    ----------
    found : Overview
        From `national_overview`.
    areas : DataFrame
        With `area_code`, `area_name` and `region`: the areas that plans may be of.
    metrics : mapping of str to Metric
        In the order they are to be shown in.
    is_example : bool
        Whether areas and figures are made up.

    Returns
    -------
    str
        One HTML file with everything inside it. The maps and their table name boards; the charts of plans
        name none.
    """
    plan = layout(areas, is_example=is_example)
    of, judged = kind("verdict"), verdicts(found.plans, areas)
    return str(
        fill(
            "overview.html.j2",
            style=style("index.css"),
            banner=EXAMPLE if is_example else "",
            notes=found.notes,
            table=_composite(found, metrics),
            parts=tile_parts(plan, [of]),
            verdicts=tally_section(judged, of, areas, plan, metrics),
            sections=_charts(found, metrics),
        )
    )


def _composite(found: Overview, metrics: Mapping[str, Metric]) -> Markup:
    """Write the plans of all boards added up, a row for each metric and payment."""
    headings = ["Metric", "Payment", "Plans", "Baseline", "If nothing is done", "Target", "Change asked for"]
    rows = []
    for row in _of_england(found, metrics):
        metric = metrics[row["metric"]]
        known = np.isfinite(row["ambition_percent"])
        values = [value(row[f"{name}_value"], metric) for name in ("baseline", "do_nothing", "target")]
        change = f"{signed(row['ambition_percent'])}%" if known else "not available"
        payment = payment_words(row["payment"]).removesuffix(" payment")
        rows.append([metric.short_name, payment, number(row["boards"]), *values, change])
    return html_table(headings, rows, "All plans added up, weighted by population", numeric=range(2, 7))


def _charts(found: Overview, metrics: Mapping[str, Metric]) -> list[dict[str, Any]]:
    """Draw the charts of plans of each metric and payment that has enough of them."""
    sections = []
    for row in _of_england(found, metrics):
        metric = metrics[row["metric"]]
        drawn = (draw(found.plans, metric, row["payment"]) for draw in (funnel_of_plans, spread_of_plans))
        charts = [Markup(chart.__html__()) for chart in drawn if chart is not None]
        if charts:
            sections.append({"heading": comparison(metric, row["payment"]), "parts": charts})
    return sections


def _of_england(found: Overview, metrics: Mapping[str, Metric]) -> list[dict[str, Any]]:
    of_england = found.composite.loc[found.composite["region"] == ENGLAND]
    rows: list[dict[str, Any]] = in_order(of_england, metrics).to_dict("records")
    return rows
