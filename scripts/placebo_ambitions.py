"""What ambitions of several sizes were paid for doing nothing, and whether the chances given were right.

Every window of the published months that has two years of history before it is treated as a payment window in
which nobody had a target. Run it as

    python -m scripts.placebo_ambitions ../shared/data ../shared/later --write docs/validation-ambitions.md

Published months are screened as every report screens them.
Nothing is drawn at random: there is no seed.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.example.data import example_data
from bcfstats.judge.baseline import baseline
from bcfstats.judge.outlook import Outlook
from bcfstats.judge.outlook_monthly import months_ahead
from bcfstats.judge.panel import monthly_panel
from bcfstats.judge.screening import screen
from bcfstats.stats.improvements import rate_improvement
from scripts.validate import prepared

SHARE = 0.7
FEWEST_MONTHS = 24
FALLS = (0.01, 0.02, 0.035, 0.05, 0.075, 0.10, 0.15, 0.20, 0.30, 0.40)
AMBITIONS = ("3.5 %", "Poisson significance", "minimum significant", "detectable")


def windows(rows: pd.DataFrame, metric: str, months: int, lead: int) -> list[Period]:
    """Windows of so many months with history before them, each a month after the one before."""
    panel = monthly_panel(rows, METRICS[metric])
    covered = np.isfinite(panel.counts).mean(axis=0) >= 0.5
    run = 0
    found = []
    for i, seen in enumerate(covered):
        run = run + 1 if seen else 0
        if run >= FEWEST_MONTHS + lead + months:
            found.append(Period(panel.months[i - months + 1].start, panel.months[i].end))
    return found


def one_window(rows: pd.DataFrame, metric: str, window: Period, lead: int) -> pd.DataFrame:
    """Outcome and outlook of every area whose baseline and outcome have all their months."""
    known = previous(window.months[0], lead + 1)
    view = months_ahead(rows, METRICS[metric], window, 1, known)
    assert isinstance(view, Outlook)
    after, before = (
        baseline(rows, metric, period).set_index("area_code").reindex(view.area_codes)
        for period in (window, view.before)
    )
    whole = ((after["n_present"] == window.n_months) & (before["n_present"] == window.n_months)).to_numpy()
    england = rate(after.loc[whole]) / rate(before.loc[whole]) - 1
    told = months_ahead(rows, METRICS[metric], window, 1, known, england)
    assert isinstance(told, Outlook)
    poisson = rate_improvement(view.numerator, 1.0, polarity="lower")
    frame = pd.DataFrame(
        {
            "origin": str(window),
            "year": window.end.year,
            "baseline": view.value,
            "outcome": after["value"].to_numpy(dtype=float),
            "3.5 %": 0.965 * view.value,
            "Poisson significance": poisson.ratio * view.value,
            "minimum significant": view.minimum_significant(),
            "detectable": view.detectable(),
            "missed by": np.log(after["value"].to_numpy(dtype=float) / view.expected),
        }
    )
    for fall in FALLS:
        line = view.value * (1 - SHARE * fall)
        frame[f"chance {fall}"] = view.chance(line)
        frame[f"told {fall}"] = told.chance(line)
        frame[f"paid {fall}"] = frame["outcome"] <= line
    return frame.loc[whole & (view.reason == "") & np.isfinite(frame["outcome"].to_numpy())]


def rate(frame: pd.DataFrame) -> float:
    return float(frame["numerator"].sum() / frame["person_days"].sum())


def previous(month: Period, back: int) -> Period:
    number = month.start.year * 12 + month.start.month - 1 - back
    return Period.parse(f"{number // 12}-{number % 12 + 1:02d}/{number // 12}-{number % 12 + 1:02d}")


def paid(frame: pd.DataFrame, ambition: str) -> pd.Series:
    line = frame["baseline"] - SHARE * (frame["baseline"] - frame[ambition])
    return frame["outcome"] <= line


def placebo_rows(frame: pd.DataFrame, label: str) -> list[str]:
    rows = []
    for ambition in AMBITIONS:
        won = paid(frame, ambition)
        by_window, by_year = (100 * won.groupby(frame[when]).mean() for when in ("origin", "year"))
        size = 100 * (1 - frame[ambition] / frame["baseline"]).median()
        rows.append(
            f"| {label} | {ambition} | {size:.1f} | {100 * won.mean():.1f} | {by_window.min():.1f} to "
            f"{by_window.max():.1f} | {', '.join(f'{year} {share:.1f}' for year, share in by_year.items())} |"
        )
    return rows


def long(frame: pd.DataFrame, which: str) -> pd.DataFrame:
    pieces = [
        pd.DataFrame(
            {"origin": frame["origin"], "p": frame[f"{which} {fall}"], "y": frame[f"paid {fall}"] * 1.0}
        )
        for fall in FALLS
    ]
    return pd.concat(pieces).dropna()


def calibration_row(frame: pd.DataFrame, label: str, which: str) -> str:
    told = long(frame, which)
    groups = told.groupby(np.minimum((told["p"] * 10).astype(int), 9))
    cells = {k: f"{100 * g['p'].mean():.0f} → {100 * g['y'].mean():.0f} ({len(g):,})" for k, g in groups}
    return f"| {label} | " + " | ".join(cells.get(k, "") for k in range(10)) + " |"


def score_row(frame: pd.DataFrame, label: str) -> str:
    told = long(frame, "chance")
    brier = ((told["p"] - told["y"]) ** 2).mean()
    base = told["y"].mean() * (1 - told["y"].mean())
    sums = told.groupby("origin")[["p", "y"]].mean()
    gap = 100 * (sums["y"] - sums["p"])
    worst = gap.abs().idxmax()
    return (
        f"| {label} | {frame['origin'].nunique()} | {len(frame):,} | {brier:.3f} | {base:.3f} | "
        f"{Period.parse(worst).label}: {gap[worst]:+.1f} | {100 * frame['missed by'].median():+.1f} |"
    )


def measure(observations: pd.DataFrame, cases: list[tuple[str, str, int, int]]) -> dict[str, list[str]]:
    tables: dict[str, list[str]] = {name: [] for name in ("placebo", "chance", "told", "score")}
    for metric, name, months, lead in cases:
        rows = observations.loc[observations["metric"] == metric]
        frames = [one_window(rows, metric, window, lead) for window in windows(rows, metric, months, lead)]
        frame = pd.concat(frames, ignore_index=True)
        label = f"{name}, {months} months, {lead} ahead"
        tables["placebo"] += placebo_rows(frame, label)
        tables["score"].append(score_row(frame, label))
        for which in ("chance", "told"):
            tables[which].append(calibration_row(frame, label, which))
    return tables


def page(real: dict[str, list[str]], example: dict[str, list[str]]) -> str:
    template = (Path(__file__).parent / "placebo_ambitions.md").read_text(encoding="utf-8")
    for prefix, tables in (("real", real), ("example", example)):
        for name, lines in tables.items():
            template = template.replace(f"<!-- {prefix} {name} -->", "\n".join(lines))
    return template


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", help="folders of published files")
    parser.add_argument("--write", type=Path, required=True, help="page to write")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        published = screen(prepared(given.folders, folder).observations, METRICS).observations
    days = [("delayed_transfers", "Delayed days", months, lead) for months in (9, 6) for lead in (0, 3)]
    admissions = [
        ("non_elective_admissions", "Admissions", months, lead) for months in (6, 3) for lead in (0, 3)
    ]
    given.write.write_text(
        page(measure(published, [*days, *admissions]), measure(example_data().observations, days)),
        encoding="utf-8",
        newline="\n",
    )


if __name__ == "__main__":
    main()
