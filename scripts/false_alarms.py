"""How often the methods call a change where nothing was targeted, on published figures of whole panels.

    python -m scripts.false_alarms FOLDER

FOLDER holds the tidy table of the discharge delays of 2024-25 and the open data of the outcomes framework, at
any depth. Half-years of discharge delay stand against each other in councils whose discharges covered never
fell below half; years of care home admissions and reablement against the year before, the usual movement
taken from the other pairs of years. Beside ours stands the test that takes what is counted as independent.
"""

import sys
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from bcfstats.define.levels import LEVELS
from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.judge.baseline import window_figures
from bcfstats.judge.kinds import Figures, chance
from bcfstats.judge.windows import Grid
from bcfstats.read.recognise import read_file
from bcfstats.stats.annual import annual_scale
from bcfstats.stats.comparisons import compare_proportions, compare_rates

DELAYS = {
    "average_discharge_delay": ("bd", "n"),
    "discharged_on_ready_date": ("same", "n"),
    "days_if_delayed": ("bd", "delayed"),
}
HALVES = Period.parse("2024-04/2024-09"), Period.parse("2024-10/2025-03")
BREAK_FREE = ("2014/15", "2015/16", "2016/17", "2017/18")  # 2018/19 is recalculated: a break


def delays(table: pd.DataFrame) -> pd.DataFrame:
    """Give the monthly discharge delays of councils as observations of the average and its parts."""
    start = pd.to_datetime("1 " + table["month"])
    frames = []
    for metric, (numerator, denominator) in DELAYS.items():
        counts = {"numerator": table[numerator] * 1.0, "denominator": table[denominator] * 1.0}
        frame = pd.DataFrame(
            {"area_code": table["code"], "area_name": table["name"], "metric": metric, **counts}
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            value = METRICS[metric].multiplier * frame["numerator"] / frame["denominator"]
        ends = {"period_start": start, "period_end": start + pd.offsets.MonthEnd(0), "frequency": "month"}
        rest = {"lower_ci": np.nan, "upper_ci": np.nan, "status": "ok", "status_note": "", "basis": ""}
        frames.append(frame.assign(value=value, **ends, **rest))
    return pd.concat(frames, ignore_index=True)


def well_covered(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep councils whose discharges never fell below half of their own median month."""
    people = rows.loc[rows["metric"] == "average_discharge_delay"].groupby("area_code")["denominator"]
    kept = people.min() / people.median() >= 0.5
    return rows.loc[rows["area_code"].isin(kept.index[kept])]


def of_halves(rows: pd.DataFrame, name: str) -> tuple[int, float, float]:
    """Share of councils called changed between the half-years: ours, and with events taken as independent."""
    metric = METRICS[name]
    grid = Grid(rows, metric)
    before, after = (Figures.of(window_figures(grid, half), metric) for half in HALVES)
    made = chance(metric).compare(metric, after, before, metric.polarity)
    plain = compare_proportions if metric.kind.is_share else compare_rates
    counts = (after.numerator, after.denominator, before.numerator, before.denominator)
    usual = plain(*counts, polarity=metric.polarity)
    return len(before.value), _called(made.p_improvement), _called(usual.p_improvement)


def of_years(rows: pd.DataFrame, name: str) -> tuple[int, float, float]:
    """Share of yearly changes called, the movement between years measured on the other pairs of years."""
    metric = METRICS[name]
    grid = Grid(rows, metric)
    tables = [window_figures(grid, Period.parse(year)).set_index("area_code") for year in BREAK_FREE]
    areas = tables[0].index
    on_logs = metric.kind.scale == "ratio"
    x, n = (
        np.column_stack([t.reindex(areas)[side] for t in tables]) for side in ("numerator", "denominator")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.log(x / n) if on_logs else 100 * x / n
        variance = 1 / x if on_logs else value * (100 - value) / n
    change, error = np.diff(value, axis=1), variance[:, 1:] + variance[:, :-1]
    ours, plain = [], []
    for held, (first, last) in enumerate(pairwise(range(len(BREAK_FREE)))):
        others = [i for i in range(change.shape[1]) if i != held]
        scale = annual_scale(change[:, others], error[:, others], error[:, held])
        known = np.isfinite(change[:, held]) & np.isfinite(error[:, held])
        ours += list((np.abs(change[:, held]) > scale.half_width())[known])
        test = compare_rates if on_logs else compare_proportions
        found = test(x[:, last], n[:, last], x[:, first], n[:, first], polarity=metric.polarity)
        plain += list(_beyond(found.p_improvement)[known])
    return len(ours), float(np.mean(ours)), float(np.mean(plain))


def _beyond(p: object) -> np.ndarray:
    p = np.asarray(p, dtype=float)
    return (p < LEVELS.tail) | (p > 1 - LEVELS.tail)


def _called(p: object) -> float:
    return float(np.mean(_beyond(p)))


def measure(folder: Path) -> pd.DataFrame:
    """Measure every panel that the folder has: number of comparisons, share called by ours and by counts."""
    found = {}
    for path in sorted(folder.rglob("drd_utla_monthly_2024-25_tidy.csv")):
        rows = well_covered(delays(pd.read_csv(path)))
        found |= {name: of_halves(rows, name) for name in DELAYS}
    files = sorted(folder.rglob("meas-from-asc-of-*-open-data.csv"))
    if files:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rows = pd.concat([read_file(path).observations for path in files], ignore_index=True)
        rows = rows.sort_values("vintage").drop_duplicates(
            ["area_code", "metric", "period_start"], keep="first"
        )
        found |= {name: of_years(rows, name) for name in ("care_home_admissions", "reablement")}
    return pd.DataFrame.from_dict(found, orient="index", columns=["comparisons", "ours", "by_counts"])


if __name__ == "__main__":
    print(measure(Path(sys.argv[1])).round(3).to_string())
