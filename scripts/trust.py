"""How far to trust which figure: the chances, intervals and tests on published months, in both eras.

python -m scripts.validate trust FOLDER...     prints the table at the head of docs/validation.md

The months of all folders are taken together and screened as every report screens them. Every forecast knows
only the months before it.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bcfstats.define.metrics import METRICS
from bcfstats.judge.panel import Panel, longest_run, monthly_panel
from bcfstats.judge.screening import screen
from bcfstats.stats.backtest import CLIMATOLOGY, Backtest, backtest, reliability
from bcfstats.stats.forecast import METHOD
from bcfstats.stats.history import MINIMUM_MONTHS, history_scale, like_for_like_changes
from bcfstats.stats.monthly_model import as_months
from bcfstats.stats.placebo import HISTORY, MOVEMENT, SIZE, placebo

LEADS = ((1, 6), (1, 9), (4, 9), (4, 12))
WINDOWS = (6, 9)
SHARE = 0.7  # of the way from baseline to target, where payment begins
FEWEST = 100  # predictions in a tenth that is judged


@dataclass(frozen=True)
class Era:
    """Origins whose window ended by a day, or after it."""

    name: str
    kept: np.ndarray


def screened(observations: pd.DataFrame, metric: str) -> Panel:
    rows = observations.loc[observations["metric"] == metric]
    panel = monthly_panel(screen(rows, METRICS).observations, METRICS[metric]).on_last_basis()
    run = longest_run(panel)
    assert run is not None
    return panel.within(run)


def eras(panel: Panel, ends: np.ndarray, until: str) -> list[Era]:
    day = pd.Timestamp(until).date()
    early = np.array([panel.months[i - 1].end <= day for i in ends], dtype=bool)
    return [Era(f"to {day:%B %Y}", early), Era(f"after {day:%B %Y}", ~early)]


def gap(chance: np.ndarray, happened: np.ndarray) -> tuple[float, str]:
    """Greatest distance of a tenth of chances from what happened, and all tenths, in per cent."""
    given, came, n = reliability(chance, happened)
    kept = n >= FEWEST
    tenths = " ".join(f"{100 * g:.0f}→{100 * c:.0f}" for g, c in zip(given[kept], came[kept], strict=True))
    return float(100 * np.abs(given - came)[kept].max(initial=0)), tenths


def chances(panel: Panel, name: str, until: str) -> list[list[str]]:
    rows = []
    for first, last in LEADS:
        found = backtest(
            panel.counts, panel.days, panel.calendar_months, first=first, last=last, challengers={}
        )
        for era in eras(panel, found.origins + last, until):
            rows.append([name, f"{first} to {last}", era.name, *chance_cells(found, era)])
    return rows


def chance_cells(found: Backtest, era: Era) -> list[str]:
    inside = era.kept[found.at]
    open_, _ = gap(found.predicted[inside], found.happened[inside])
    given, tenths = gap(found.given_england[inside], found.happened[inside])
    scores = [
        found.brier(found.predicted, era.kept),
        found.brier(found.usual, era.kept),
        *(float(np.nanmean(found.crps[method][era.kept])) for method in (METHOD, CLIMATOLOGY)),
    ]
    covered = [f"{100 * found.coverage[level][era.kept].mean():.1f}" for level in (0.8, 0.95)]
    return [
        str(int(era.kept.sum())),
        f"{open_:.1f}",
        f"{given:.1f}",
        tenths,
        *covered,
        *(f"{score:.4f}" for score in scores),
    ]


def alarms(panel: Panel, name: str, until: str) -> list[list[str]]:
    rows = []
    for window in WINDOWS:
        found = placebo(panel.counts, panel.days, panel.calendar_months, window=window, remove_national=True)
        for era in eras(panel, found.starts + window, until):
            thirds = [
                " ".join(f"{100 * share:.1f}" for share in found.thirds[by][era.kept].mean(axis=0))
                for by in (SIZE, MOVEMENT)
            ]
            share = 100 * found.two_sided[HISTORY][era.kept].mean()
            rows.append([name, f"{window} months", era.name, f"{share:.1f}", *thirds])
    return rows


def unearned(panel: Panel, name: str) -> list[list[str]]:
    """Per cent of areas that reach the line of a detectable target that nobody had, also by year."""
    y, e, month = as_months(panel.counts, panel.days, panel.calendar_months)
    rows = []
    for window in WINDOWS:
        paid: dict[int, list[float]] = {}
        for start in range(MINIMUM_MONTHS, month.size - window + 1):
            both = slice(start - 12, start + window)
            known = np.where(e > 0, y, np.nan)[:, :start], e[:, :start], month[:start]
            usual = history_scale(*known, window=window)
            ratio = np.exp(like_for_like_changes(y[:, both], e[:, both], window, 12)[:, 0])
            seen = np.isfinite(ratio) & np.isfinite(usual.scale) & ~usual.small
            won = ratio <= 1 - SHARE * (1 - usual.detectable_ratio())
            paid.setdefault(panel.months[start + window - 1].end.year, []).append(100 * won[seen].mean())
        each = np.concatenate(list(paid.values()))
        years = ", ".join(f"{year} {np.mean(shares):.1f}" for year, shares in paid.items())
        ends = f"{each.min():.1f} to {each.max():.1f}"
        rows.append([name, f"{window} months", str(each.size), f"{each.mean():.1f}", ends, years])
    return rows


def table(headings: list[str], rows: list[list[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def trust(panels: dict[str, tuple[Panel, str]]) -> str:
    """Tables of the chances and of the test, each panel in two eras split at a day."""
    told = [row for name, (panel, until) in panels.items() for row in chances(panel, name, until)]
    tested = [row for name, (panel, until) in panels.items() for row in alarms(panel, name, until)]
    lucky = [row for name, (panel, _) in panels.items() for row in unearned(panel, name)]
    return "\n\n".join(
        [
            table(
                [
                    *("panel", "months ahead", "windows ending", "origins", "gap", "gap given England"),
                    *("given→happened, given England", "in 80 %", "in 95 %", "Brier", "climatology"),
                    *("CRPS", "climatology"),
                ],
                told,
            ),
            table(
                ["panel", "window", "windows ending", "significant", "small to large", "steady to volatile"],
                tested,
            ),
            table(
                [
                    *("panel", "window", "windows", "paid for a detectable target", "single windows"),
                    "by the year that windows end in",
                ],
                lucky,
            ),
        ]
    )
