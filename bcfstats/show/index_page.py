"""The index of a run: every area with a link to its report, and what was found by metric and region."""

from collections.abc import Mapping

import pandas as pd

from bcfstats.judge.results import Results
from bcfstats.show.page import fill, script, script_hash, style
from bcfstats.show.tallies import count, findings, kind, told, verdicts
from bcfstats.show.tally_section import tally_section
from bcfstats.show.tile_map import layout, tile_parts
from bcfstats.words import EXAMPLES


def areas_page(results: Results, reports: Mapping[str, str], failures: Mapping[str, str]) -> str:
    """Write the page that lists every area of a run.

    Parameters
    ----------
    results : Results
    reports : mapping of str to str
        By area code: the address of its report, as seen from the index.
    failures : mapping of str to str
        By area code: why its report could not be made.

    Returns
    -------
    str
        One HTML file with everything inside it. Its script, which makes the list searchable and sortable,
        holds no data; the page says all there is to say without it.
    """
    areas, metrics = results.areas, {metric.id: metric for metric in results.metrics}
    plan = layout(areas, is_example=results.about["is_example"])
    found, judged = findings(results.windows, areas), verdicts(results.assessments, areas)
    shown = [(kind("verdict"), judged)] * (len(judged) > 0) + [(kind("finding"), found)]
    return str(
        fill(
            "index.html.j2",
            style=style("index.css"),
            script=script("index.js"),
            script_hash=script_hash("index.js"),
            rows=_rows(areas, reports, failures, found, judged),
            headings=kind("finding").names,
            judged=len(judged) > 0,
            parts=tile_parts(plan, [of for of, _ in shown]),
            sections=[tally_section(cases, of, areas, plan, metrics, reports) for of, cases in shown],
            about=results.about,
            made=len(reports),
            failed=len(failures),
            banner=EXAMPLES if results.about["is_example"] else "",
        )
    )


def _rows(
    areas: pd.DataFrame,
    reports: Mapping[str, str],
    failures: Mapping[str, str],
    found: pd.DataFrame,
    judged: pd.DataFrame,
) -> list[dict[str, object]]:
    """Give each area of the run its row: name, link or reason, its counts and its verdicts in words."""
    counts = count(found, ["area_code"], kind("finding"))
    answers = {str(code): told(row) for code, row in count(judged, ["area_code"], kind("verdict")).iterrows()}
    rows = [
        {
            "name": area["area_name"],
            "code": code,
            "region": area.get("region") or "not known",
            "link": reports.get(code, ""),
            "reason": failures.get(code, ""),
            "verdicts": answers.get(code, "no target"),
            "counts": counts.loc[code].tolist() if code in counts.index else [0] * counts.shape[1],
        }
        for area in areas.fillna("").to_dict("records")
        if (code := area["area_code"]) in reports or code in failures
    ]
    return sorted(rows, key=lambda row: str(row["name"]))
