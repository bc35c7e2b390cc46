"""The page of `validate`: Markdown with tables, and the reliability diagram as SVG."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
import pandas as pd

from bcfstats.judge.validation import Validation
from bcfstats.stats.forecast import METHOD
from bcfstats.stats.placebo import METHODS
from bcfstats.words import between

_SIDE, _EDGE = 320, 48


def validation_page(validations: Iterable[Validation]) -> str:
    """Write what was found as Markdown."""
    parts = [part for validation in validations for part in _panel_sections(validation)]
    return "\n\n".join(parts) + "\n"


def _panel_sections(validation: Validation) -> list[str]:
    sections = [f"## {validation.name}", f"{validation.description}."]
    sections += [_placebo_section(validation.placebo)]
    if not validation.forecast.empty:
        sections += [_forecast_section(validation.forecast), _coverage_section(validation)]
        sections += [_reliability_section(validation.reliability), _scores_section(validation.scores)]
    return sections


def _placebo_section(frame: pd.DataFrame) -> str:
    rows = []
    for (window, removed), part in frame.groupby(["window", "national_removed"], sort=False):
        mean = part.groupby("method")["two_sided"].mean()
        ours = part.loc[part["method"] == METHODS[-1]]
        change = "national change removed" if removed else "as published"
        rows.append(
            [
                f"{window} months",
                change,
                str(ours["start"].nunique()),
                _range(ours["areas"]),
                *(_percent(mean[method]) for method in METHODS),
                f"{_percent(ours['two_sided'].min())} to {_percent(ours['two_sided'].max())}",
                _percent(ours["falls"].mean()),
            ]
        )
    headings = ["window", "change", "windows", "areas", *METHODS, "single windows", "falls"]
    return section(
        "### Called significant when nothing was targeted",
        "Mean over all windows of the share of areas with p < 0.05, in per cent (nominal 5); the last "
        "two columns are for the history of all areas: lowest and highest single window, and significant "
        "falls (nominal 2.5).",
        headings,
        rows,
    )


def _forecast_section(frame: pd.DataFrame) -> str:
    methods = list(dict.fromkeys(frame["method"]))
    rows = []
    for (first, last), part in frame.groupby(["first", "last"], sort=False):
        mean = part.groupby("method")["mase"].mean()
        best = mean.drop(METHOD).min()
        errors = [f"{mean[method]:.3f}" for method in methods]
        origins = str(part["origin"].nunique())
        rows.append([_lead(first, last), origins, *errors, f"{mean[METHOD] / best:.2f}"])
    return section(
        "### Forecast error (MASE)",
        "Mean over areas and origins of the error of the window's daily rate, over the area's mean "
        "monthly change on the year before. The last column is ours over the best other.",
        ["window", "origins", *methods, "ratio"],
        rows,
    )


def _coverage_section(validation: Validation) -> str:
    frame = validation.coverage
    rows = []
    for (first, last), part in frame.groupby(["first", "last"], sort=False):
        for level, at in part.groupby("level"):
            covered = at["covered"]
            rows.append(
                [
                    _lead(first, last),
                    f"{level:.0%}",
                    _percent(covered.mean()),
                    f"{_percent(covered.min())} to {_percent(covered.max())}",
                    " ".join(f"{100 * value:.0f}" for value in covered),
                ]
            )
    origins = pd.to_datetime(frame["origin"])
    return section(
        "### Interval coverage",
        f"Per cent of areas whose total fell inside, at every origin in turn from {origins.min():%B %Y}. "
        "Areas share what happens to the nation: single origins lie far from the mean.",
        ["window", "interval", "mean", "lowest and highest", "each origin"],
        rows,
    )


def _reliability_section(frame: pd.DataFrame) -> str:
    rows = [
        [
            "known" if known else "as it is usually",
            _percent(row.given / row.predictions),
            _percent(row.happened / row.predictions),
            f"{row.predictions:,.0f}",
        ]
        for known, part in frame.groupby("england_known")
        for row in _pooled(part).itertuples()
    ]
    return section(
        "### Reliability of the chances given",
        "The chance given to a total being at least 2.5, 5, 10, 20 or 30 % below the same months before "
        "if nothing is done, and how often it was, in per cent; all windows and origins together, so the "
        "predictions are not independent. Where the nation rose in these years, falls happened less "
        "often than the chances said: they hold over many years, not within a few. Once England's own "
        "movement is known, what is left is what areas do beside it.",
        ["England", "chance given", "happened", "predictions"],
        rows,
    )


def _scores_section(frame: pd.DataFrame) -> str:
    rows = [
        [
            _lead(row.first, row.last),
            row.method,
            f"{row.crps:.4f}",
            f"{row.brier:.4f}" if row.brier > 0 else "",
        ]
        for row in frame.itertuples()
    ]
    return section(
        "### Scores of the whole forecast",
        "Ranked probability score of the log total and Brier score of the chances of a fall: lower is "
        "better. The past changes of all areas are what anybody can know without a method.",
        ["window", "method", "ranked probability", "Brier"],
        rows,
    )


def _pooled(frame: pd.DataFrame) -> pd.DataFrame:
    """Sums over the windows of `given`, `happened` and `predictions` in each bin of chances."""
    n = frame["predictions"]
    sums = frame.assign(given=frame["given"] * n, happened=frame["happened"] * n)
    place = frame.groupby(["first", "last"]).cumcount()
    pooled = sums.groupby(place)[["given", "happened", "predictions"]].sum()
    return pooled.loc[pooled["predictions"] > 0]


def reliability_svg(frame: pd.DataFrame, title: str) -> str:
    """Draw the reliability of the chances given as SVG: on the diagonal they are right."""
    size = _SIDE + 2 * _EDGE
    pooled = _pooled(frame.loc[~frame["england_known"]])
    points = [
        (
            _EDGE + _SIDE * row.given / row.predictions,
            _EDGE + _SIDE * (1 - row.happened / row.predictions),
            2 + 9 * np.sqrt(row.predictions / pooled["predictions"].max()),
        )
        for row in pooled.itertuples()
    ]
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill="#12436D"/>' for x, y, r in points)
    ticks = "".join(
        f'<text x="{_EDGE + _SIDE * p / 100:.0f}" y="{_EDGE + _SIDE + 18}" text-anchor="middle">{p}</text>'
        f'<text x="{_EDGE - 8}" y="{_EDGE + _SIDE * (1 - p / 100) + 4:.0f}" text-anchor="end">{p}</text>'
        for p in range(0, 101, 20)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" width="{size}" height="{size}" '
        f'role="img" font-family="Arial, sans-serif" font-size="13"><title>{escape(title)}</title>'
        f'<rect width="{size}" height="{size}" fill="#fff"/>'
        f'<path d="M{_EDGE} {_EDGE}V{_EDGE + _SIDE}H{_EDGE + _SIDE}" fill="none" stroke="#3D3D3D"/>'
        f'<path d="M{_EDGE} {_EDGE + _SIDE}l{_SIDE} -{_SIDE}" stroke="#28A197" stroke-dasharray="6 4"/>'
        f"{dots}{ticks}"
        f'<text x="{size / 2}" y="{size - 8}" text-anchor="middle">chance given, %</text>'
        f'<text x="{_EDGE - 34}" y="{_EDGE - 16}">happened, %</text></svg>\n'
    )


def _lead(first: int, last: int) -> str:
    return f"months {first} to {last} ahead"


def _percent(share: float) -> str:
    return "" if not np.isfinite(share) else f"{100 * share:.1f}"


def _range(values: pd.Series) -> str:
    return between(str(int(values.min())), str(int(values.max())))


def section(title: str, words: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a heading, a sentence and a table."""
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    table = "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
    return "\n\n".join([title, words, table])
