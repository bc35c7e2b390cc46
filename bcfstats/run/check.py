"""What is there, what is missing, what is wrong: told before anything is run."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from bcfstats.define.periods import Period
from bcfstats.define.schemes import scheme
from bcfstats.judge.targets import against_baseline
from bcfstats.read.data import Data, load
from bcfstats.read.observations import check_observations, problems_by_area
from bcfstats.read.prepare import Prepared
from bcfstats.read.targets import read_targets
from bcfstats.run.settings import Settings, all_metrics
from bcfstats.show.sentences import value
from bcfstats.show.words import number, signed

SHOWN = 20  # lines of detail; the manifest has them all


def describe_prepared(found: Prepared) -> list[str]:
    """Say what `prepare` read, refused and wrote; the manifest has all of it."""
    totals, files = found.manifest["totals"], found.manifest["files"]
    read = [entry for entry in files if "kind" in entry]
    kinds = pd.Series([entry["kind"] for entry in read], dtype=object).value_counts(sort=False)
    observations = found.data.observations
    refused = [
        f"Row refused: {entry['file']}, {row['where']}: {row['reason']} (found {row['found']})"
        for entry in read
        for row in entry.get("refused_rows", [])
    ]
    failed = [
        f"Check failed: {entry['file']}: {check['name']}: {check['detail']}"
        for entry in read
        for check in entry.get("checks", [])
        if not check["passed"]
    ]
    return [
        *(f"{count:>5} {kind}" for kind, count in kinds.items()),
        *(f"File refused: {name}: {reason}" for name, reason in found.refused_files.items()),
        *_some(refused),
        *_some(failed),
        f"{totals['rows_read']:,} rows read, {totals['rows_refused']:,} refused; "
        f"{len(observations):,} observations of {observations['metric'].nunique()} metrics "
        f"in {observations['area_code'].nunique()} areas.",
    ]


def _some(lines: list[str]) -> list[str]:
    more = len(lines) - SHOWN
    return lines if more <= 0 else [*lines[:SHOWN], f"... and {more} more like these: see manifest.json"]


def describe_data(settings: Settings) -> tuple[int, list[str]]:
    """Say, per metric, which areas and periods there are and what is missing or broken.

    Returns
    -------
    int, list of str
        Exit code (1 where an area's data are broken), and lines to print.
    """
    data = load(settings.processed)
    metrics = all_metrics(settings)
    broken = problems_by_area(check_observations(data.observations, metrics))
    lines = list(_metric_lines(data))
    for code, problems in list(broken.items())[:SHOWN]:
        lines.append(f"Broken: {code}: {problems[0]}" + (" and more" if len(problems) > 1 else ""))
    if not broken:
        lines.append("No area's data are broken.")
    return (1 if broken else 0), lines


def describe_targets(settings: Settings, targets: Path) -> tuple[int, list[str]]:
    """Check a file of targets, and set each target beside its baseline.

    Returns
    -------
    int, list of str
        Exit code (1 where a target is not an improvement or has no baseline), and lines to print.

    Raises
    ------
    InputError
        If any row cannot be used: every such row is named.
    """
    data, metrics = load(settings.processed), all_metrics(settings)
    rules = scheme(settings.scheme, metrics)
    proposed = read_targets(targets, areas=data.areas, metrics=metrics, scheme=rules)
    table = against_baseline(data.observations, proposed, rules, metrics)
    lines = [
        f"{row['area_name']}, {metrics[row['metric']].short_name}, {row['payment']}: "
        f"baseline {value(row['baseline_value'], metrics[row['metric']])} ({row['baseline_period']}), "
        f"target {value(row['target_value'], metrics[row['metric']])} ({signed(row['ambition_percent'])}%). "
        f"{row['note']}"
        for row in table.to_dict("records")
    ]
    wrong = int((~table["is_improvement"]).sum())
    lines.append(f"{number(len(table))} targets, {number(wrong)} not an improvement or without a baseline.")
    return (1 if wrong else 0), lines


def _metric_lines(data: Data) -> Iterator[str]:
    for metric, rows in data.observations.groupby("metric", sort=True):
        usable = rows["status"].isin(["ok", "rounded"]) & np.isfinite(rows["value"].to_numpy(dtype=float))
        span = Period(rows["period_start"].min().date(), rows["period_end"].max().date())
        marks = rows["status"].value_counts()
        odd = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in marks.items() if name != "ok")
        areas, figures = rows["area_code"].nunique(), int(usable.sum())
        yield f"{metric}: {areas} areas, {span.label}, {figures:,} usable figures" + (
            f" ({odd})" if odd else ""
        )
