"""Fictional ambitions for the fictional areas of the example data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bcfstats.define.metrics import METRICS
from bcfstats.define.schemes import DEFAULT_SCHEME, Scheme
from bcfstats.define.schemes import scheme as scheme_of
from bcfstats.example.data import example_areas, write_csv
from bcfstats.example.series import RECIPE, Array, stream
from bcfstats.read.data import FICTIONAL


def example_targets(
    n_areas: int = 150, seed: int = 2014, *, scheme: Scheme | str = DEFAULT_SCHEME
) -> pd.DataFrame:
    """Give fictional ambitions for the payments, or the periods planned for, of a scheme."""
    areas = example_areas(n_areas, seed)["area_code"].to_numpy()
    local = [metric.id for metric in METRICS.values() if metric.group == "local"]
    chosen = stream(seed, "targets", "local").choice(local, n_areas)
    frames = [
        pd.DataFrame(
            {"area": areas, "metric": chosen if metric == "local" else metric, "payment": payment.id}
        )
        for payment in scheme_of(scheme).payments
        for metric in payment.metrics
    ]
    table = pd.concat(frames, ignore_index=True).sort_values("area", kind="stable", ignore_index=True)
    table["change_percent"] = _ambitions(table["metric"], seed)
    return table.assign(source=FICTIONAL)


def write_example_targets(
    path: str | Path, *, n_areas: int = 150, seed: int = 2014, scheme: Scheme | str = DEFAULT_SCHEME
) -> Path:
    """Write `example_targets` as a CSV file, which belongs beside the raw folder, not in it."""
    write_csv(example_targets(n_areas, seed, scheme=scheme), Path(path))
    return Path(path)


def _ambitions(metrics: pd.Series, seed: int) -> Array:
    """Draw the change asked for, in per cent: minus where lower is better, unless it goes the wrong way."""
    kinds, random = RECIPE["targets"]["kinds"], stream(seed, "targets", "changes")
    kind = random.choice(len(kinds), len(metrics), p=[kind["share"] for kind in kinds])
    where = random.random(len(metrics))
    lower = metrics.map({metric.id: metric.polarity == "lower" for metric in METRICS.values()}).to_numpy(bool)
    low, high = (np.array([[kind["higher"][side], kind["lower"][side]] for kind in kinds]) for side in (0, 1))
    column = lower.astype(int)
    size = low[kind, column] + where * (high - low)[kind, column]
    change: Array = np.round(np.where(lower, -size, size), 1)
    return change
