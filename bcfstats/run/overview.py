"""The national and regional picture of a file of targets: printed, and written as a page and tables."""

from pathlib import Path

import numpy as np
import pandas as pd

from bcfstats.files import safe_csv, write_whole
from bcfstats.judge.national import ENGLAND, Overview, national_overview
from bcfstats.judge.verdicts import UNKNOWN, VERDICTS
from bcfstats.run.check import assess_file
from bcfstats.run.settings import Settings, all_metrics
from bcfstats.show.overview_page import overview_page
from bcfstats.show.sentences import value
from bcfstats.words import number, signed

PAGE = "overview.html"
TABLES = ("composite", "verdicts", "plans")


def describe_overview(
    settings: Settings, targets: Path, *, allocations: Path | None = None, out: Path | None = None
) -> tuple[int, list[str]]:
    """Add up a file of targets, say what stands out, and write page and tables where asked.

    The exit code is 1 where some target could not be assessed.
    """
    data, table = assess_file(settings, targets, allocations=allocations)
    found = national_overview(table, data.areas)
    if out is not None:
        for name in TABLES:
            write_whole(out / f"{name}.csv", safe_csv(getattr(found, name)), encoding="utf-8-sig")
        page = overview_page(found, data.areas, all_metrics(settings), is_example=data.is_example)
        write_whole(out / PAGE, page)
    lines = [*_composite_lines(found, settings), *found.notes, *_outlying_lines(found.plans)]
    lines += [] if out is None else [f"Page and tables: {out / PAGE}"]
    return (1 if (table["verdict"] == UNKNOWN).any() else 0), lines


def _composite_lines(found: Overview, settings: Settings) -> list[str]:
    """Give each metric and payment a line for England, then one for each region."""
    metrics = all_metrics(settings)
    verdicts = found.verdicts.set_index(["metric", "payment", "region"])
    regions = found.composite["region"] != ENGLAND
    ordered = found.composite.assign(is_region=regions).sort_values(
        ["metric", "payment", "is_region", "region"], kind="stable"
    )
    lines = []
    for row in ordered.to_dict("records"):
        metric = metrics[row["metric"]]
        counts = verdicts.loc[(row["metric"], row["payment"], row["region"])]
        told = ", ".join(f"{count} {VERDICTS[str(name)].words}" for name, count in counts.items() if count)
        start = "    " if row["is_region"] else f"{metric.short_name}, {row['payment']}, "
        values = (
            f": {value(row['baseline_value'], metric)} to {value(row['target_value'], metric)} "
            f"({signed(row['ambition_percent'])}%)"
        )
        shown = values if np.isfinite(row["target_value"]) else ""
        lines.append(f"{start}{row['region']}, {number(row['boards'])} boards{shown}: {told}")
    return lines


def _outlying_lines(plans: pd.DataFrame) -> list[str]:
    odd = plans.loc[plans["outlying"] != ""]
    return [
        f"Outlying: {row.area_name or row.area_code}, {row.metric}, {row.payment}: {row.outlying}"
        for row in odd.itertuples()
    ]
