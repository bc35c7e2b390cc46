"""The same figure in several files: which one counts."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from bcfstats.define.datafiles import read_rows
from bcfstats.define.periods import Period
from bcfstats.read.observations import KEY, NUMBERS, mark_suspect, period_text


def mark_known_problems(frame: pd.DataFrame) -> pd.DataFrame:
    """Mark the figures in `known_problems.csv` as suspect and say why; numbers stay as published."""
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
        said = frame["status_note"].str.contains(problem["note"], regex=False)
        frame = mark_suspect(frame, rows & ~said, problem["note"])
    return frame


@cache
def _known_problems() -> tuple[dict[str, str], ...]:
    return read_rows(Path(__file__).with_name("known_problems.csv"))


class Settled(NamedTuple):
    """Observations with each figure once; which rows gave way to which; conflicts of which none was kept."""

    frame: pd.DataFrame
    replaced: tuple[str, ...]
    conflicts: tuple[str, ...]
    earlier: pd.DataFrame = pd.DataFrame()  # rows that gave way to later editions


def settle_vintages(frame: pd.DataFrame) -> Settled:
    """Keep one row per area, metric and period: the latest revised, else published.

    Of one vintage, the row that says most is kept where all agree in what they say; where they differ, all
    are left out and named, as nothing tells which is right. A figure without a date gives way to a dated one.
    """
    again = frame.duplicated(KEY, keep=False)
    if not again.any():
        return Settled(frame, (), ())
    several = frame[again]
    vintage = several["vintage"].fillna(pd.Timestamp.min)
    latest = vintage.groupby([several[name] for name in KEY]).transform("max")
    newest = several[vintage == latest]
    differ = newest.groupby(KEY)[NUMBERS].transform("nunique").gt(1).any(axis=1)
    fullest = newest[NUMBERS].notna().sum(axis="columns").sort_values(ascending=False, kind="stable").index
    kept = newest[~differ].reindex(fullest[~differ.reindex(fullest)]).drop_duplicates(KEY)
    settled = pd.concat([frame[~again], kept]).sort_index().reset_index(drop=True)
    older = several[vintage < latest]
    return Settled(settled, _replaced(older, newest), _conflicts(newest[differ]), older)


def settle_populations(frame: pd.DataFrame) -> Settled:
    """Keep one population per area, year, age group and basis.

    Equal figures are kept once. Different ones, such as an estimate and its revision, are all left out and
    named: nothing in the files tells which came later.
    """
    key = ["area_code", "year", "age_group", "series", "basis"]
    once = frame.drop_duplicates([*key, "population"])
    differ = once.duplicated(key, keep=False)
    conflicts = tuple(
        f"{area}, mid-{year}, population {group}: "
        f"{' and '.join(f'{row.population:,.10g} ({row.source})' for row in rows.itertuples())} differ; "
        "none was kept."
        for (area, year, group), rows in once[differ].groupby(["area_code", "year", "age_group"])
    )
    return Settled(once[~differ].reset_index(drop=True), (), conflicts)


def settle_shares(frame: pd.DataFrame) -> Settled:
    """Keep one share per commissioner and area; where files differ, no share can be trusted."""
    once = frame.drop_duplicates([name for name in frame.columns if name != "source"])
    if not once.duplicated(["commissioner", "area_code"]).any():
        return Settled(once.reset_index(drop=True), (), ())
    files = ", ".join(sorted(once["source"].unique()))
    conflict = f"The population shares of commissioners differ between {files}: none was used. Keep one file."
    return Settled(frame.iloc[:0], (), (conflict,))


def _replaced(older: pd.DataFrame, newest: pd.DataFrame) -> tuple[str, ...]:
    pairs = older[[*KEY, "source", "vintage"]].merge(
        newest.drop_duplicates(KEY)[[*KEY, "source", "vintage"]], on=KEY, suffixes=("", "_new")
    )
    counts = pairs.groupby(["source", "vintage", "source_new", "vintage_new"], dropna=False).size()
    return tuple(
        f"{count} rows of {source} ({_dated(vintage)}) gave way to {new} ({_dated(new_vintage)})."
        for (source, vintage, new, new_vintage), count in counts.items()
    )


def _dated(vintage: pd.Timestamp) -> str:
    return "no date" if pd.isna(vintage) else f"{vintage:%Y-%m-%d}"


def _conflicts(rows: pd.DataFrame) -> tuple[str, ...]:
    def sentence(group: pd.DataFrame) -> str:
        first = group.iloc[0]
        name = next(name for name in NUMBERS if group[name].nunique() > 1)
        there = group[group[name].notna()]
        numbers = zip(there[name], there["source"], strict=True)
        differing = " and ".join(f"{number:.10g} ({source})" for number, source in numbers)
        differing = differing if name == "numerator" else f"{name} {differing}"
        period = period_text(first.period_start, first.period_end)
        where = f"{first.area_name} ({first.area_code}), {first.metric}, {period}"
        return f"{where}: {differing} differ; neither was kept."

    return tuple(sentence(group) for _, group in rows.groupby(KEY, sort=True))
