"""What a run leaves behind besides its reports: results, failures, the index and the record."""

import csv
import io
import json
import platform
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Any

import pandas as pd

import bcfstats
from bcfstats.judge.results import Results
from bcfstats.run.files import safe_text
from bcfstats.run.fingerprint import PACKAGES
from bcfstats.run.report import Job, Outcome
from bcfstats.show.index_page import areas_page
from bcfstats.show.words import file_stem

TREND = ["slope", "slope_lower", "slope_upper", "slope_unit", "n", "period", "method", "note", "reason"]
SOURCE_LINE_LIMIT = 300


def results_table(results: Results) -> pd.DataFrame:
    """Lay every comparison of every area out as one tidy table, with the trend of its metric.

    Parameters
    ----------
    results : Results

    Returns
    -------
    DataFrame
        One row per area, metric and payment.
    """
    if results.windows.empty:
        return pd.DataFrame(columns=["area_code", "area_name", "metric", "payment"])
    names = {metric.id: metric for metric in results.metrics}
    frame = results.windows.copy()
    frame.insert(3, "metric_name", [names[metric].short_name for metric in frame["metric"]])
    frame.insert(4, "unit", [names[metric].unit for metric in frame["metric"]])
    frame.insert(5, "polarity", [names[metric].polarity for metric in frame["metric"]])
    slopes = results.trends.reindex(columns=["area_code", "metric", *TREND]).rename(
        columns={name: f"trend_{name}" for name in TREND}
    )
    order = {metric: place for place, metric in enumerate(names)}
    return (
        frame.merge(slopes, on=["area_code", "metric"], how="left")
        .sort_values(
            ["area_code", "metric", "payment"], key=lambda c: c.map(order) if c.name == "metric" else c
        )
        .reset_index(drop=True)
    )


def failures_table(outcomes: Sequence[Outcome]) -> str:
    """Write the reports that could not be made as CSV: area, cell, the cell's first line, reason."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["area_code", "area_name", "cell", "source", "reason"])
    for outcome in outcomes:
        if outcome.reason:
            source = outcome.source.strip()[:SOURCE_LINE_LIMIT]
            cells = [outcome.area_code, outcome.area_name, outcome.cell, source, outcome.reason]
            writer.writerow(map(safe_text, cells))
    return out.getvalue()


def index_page(results: Results, outcomes: Sequence[Outcome]) -> str:
    """Write the page that lists every area with a link to its report, or why there is none."""
    reports = {made.area_code: f"areas/{made.stem}.html" for made in outcomes if not made.reason}
    failures = {failed.area_code: failed.reason for failed in outcomes if failed.reason}
    return areas_page(results, reports, failures)


def run_record(
    results: Results,
    jobs: Sequence[Job],
    outcomes: Sequence[Outcome],
    started: datetime,
    settings: dict[str, Any],
) -> str:
    """Write what was run: versions, settings, inputs with their checksums, and what came of it."""
    failed = sum(bool(outcome.reason) for outcome in outcomes)
    record = {
        "bcfstats": bcfstats.__version__,
        "python": platform.python_version(),
        "system": platform.system(),
        "packages": {name: version(name) for name in PACKAGES},
        "started": started.isoformat(timespec="seconds"),
        "ended": datetime.now().astimezone().isoformat(timespec="seconds"),
        "settings": settings,
        "about": results.about,
        "reports": {"made": len(outcomes) - failed, "failed": failed},
        "areas": [outcome.area_code for outcome in outcomes],
        "fingerprints": {job.area_code: job.fingerprint for job in jobs},
    }
    return json.dumps(record, indent=1, default=str, ensure_ascii=False)


def stem_of(area: dict[str, Any]) -> str:
    """Name an area's files."""
    return file_stem(str(area["area_code"]), str(area["area_name"]))
