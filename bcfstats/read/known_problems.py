"""Published figures that are known to be false or to be of another area."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import pandas as pd

from bcfstats.define.periods import Period
from bcfstats.read.observations import mark_suspect


def mark_known_problems(frame: pd.DataFrame) -> pd.DataFrame:
    """Give known false figures the status "suspect" and say why; the numbers stay as published.

    Parameters
    ----------
    frame : pandas.DataFrame
        Observations or others, by ONS or commissioner code.

    Returns
    -------
    pandas.DataFrame
        The same rows.

    Notes
    -----
    The list is `known_problems.csv`; no last month means from then on. Bournemouth and Poole in April 2019:
    Poole falls to zero and Bournemouth more than doubles in the month before the two councils' successor
    appears. Admissions: the Notes sheet of the return names the trust, and the commissioner's own series
    falls and recovers with it.
    """
    codes = {problem["code"] for problem in _known_problems()}
    if not frame["area_code"].isin(codes).any():
        return frame
    for problem in _known_problems():
        first = pd.Timestamp(Period.parse(problem["first_month"]).start)
        last = (
            pd.Timestamp(Period.parse(problem["last_month"]).end)
            if problem["last_month"]
            else pd.Timestamp.max
        )
        rows = (
            (frame["area_code"] == problem["code"])
            & (frame["metric"] == problem["metric"])
            & (frame["period_start"] >= first)
            & (frame["period_end"] <= last)
        )
        frame = mark_suspect(frame, rows, problem["note"])
    return frame


@cache
def _known_problems() -> tuple[dict[str, str], ...]:
    with Path(__file__).with_name("known_problems.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))
