"""Several files together: which area each row is of, and which of several figures counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from bcfstats.define.areas import REGISTER, Area, area_finder, area_names, find_area, known_codes
from bcfstats.errors import ParameterError
from bcfstats.read.formats import plain
from bcfstats.read.observations import (
    KEY,
    NUMBERS,
    OBSERVATION_TYPES,
    OTHER_TYPES,
    mark_known_problems,
    period_text,
    typed,
)
from bcfstats.read.reading import FileReading, Refusal
from bcfstats.read.recognise import checked

if TYPE_CHECKING:
    from bcfstats.define.metrics import Metric

_MOST_UNKNOWN = 200
_UPPER_TIER = re.compile(r"E(06|08|09|10)\d{6}")


# Which area


def place(reading: FileReading, own: pd.DataFrame, metrics: Mapping[str, Metric]) -> FileReading:
    """Give each observation its area; `own` are the areas that files define besides the register.

    Rows of plain tables may name areas by code or name, and those of unknown areas are refused. Rows of
    published files that were set apart are taken back where the user's list has their area.
    """
    if reading.kind == plain.KIND and not set(reading.observations["area_code"]) <= set(area_names()):
        reading = _with_codes(reading, own, metrics)
    if own.empty or reading.others.empty:
        return reading
    mine = reading.others["area_code"].isin(list(own["area_code"]))
    if not mine.any():
        return reading
    names = dict(zip(own["area_code"], own["area_name"], strict=True))
    rows = reading.others[mine]
    rows = rows.assign(area_name=rows["area_code"].map(names))
    added = checked([replace(reading, observations=typed(rows, OBSERVATION_TYPES), refused=())], metrics)[0]
    return replace(
        reading,
        observations=typed(pd.concat([reading.observations, added.observations]), OBSERVATION_TYPES),
        others=typed(reading.others[~mine], OTHER_TYPES),
        refused=(*reading.refused, *added.refused),
    )


def same_as_known(own: pd.DataFrame) -> pd.DataFrame:
    """Give the areas of a user's list that are in the register, under any of their codes."""
    return own[own["area_code"].isin(list(known_codes()))]


def set_apart(readings: Iterable[FileReading], observations: pd.DataFrame) -> list[str]:
    """Name the upper-tier areas whose rows no run uses, or only runs of some years, with their number."""
    others = [reading.others.assign(file=reading.path.name) for reading in readings if len(reading.others)]
    rows = pd.concat(others) if others else pd.DataFrame({"area_code": [], "area_name": [], "file": []})
    rows = rows[rows["area_code"].astype("str").str.fullmatch(_UPPER_TIER)]
    counts = observations["area_code"].value_counts()
    first, last = observations["period_start"].min(), observations["period_end"].max()
    spans = [
        area
        for area in REGISTER.values()
        if area.area_code in counts and (area.start or (area.end and first.date() < area.end < last.date()))
    ]
    return [
        *(
            f"{own['area_name'].iloc[0]} ({code}): {len(own):,} rows of {own['file'].nunique():,} "
            f"file{'s' * (own['file'].nunique() > 1)}, such as {own['file'].iloc[0]}. It is not in the "
            "register: to use its figures name it in a list of areas of your own."
            for code, own in rows.groupby("area_code")
        ),
        *(
            f"{area.area_name} ({area.area_code}): {counts[area.area_code]:,} rows, used by runs of "
            f"years in which it is there. {area.note}"
            for area in spans
        ),
    ]


def _with_codes(reading: FileReading, own: pd.DataFrame, metrics: Mapping[str, Metric]) -> FileReading:
    names = {**dict(zip(own["area_code"], own["area_name"], strict=True)), **area_names()}
    frame = reading.observations
    looked_up = _found([text for text in frame["area_code"].unique() if text not in names], own)
    codes = frame["area_code"].map({text: code for text, (code, _) in looked_up.items() if code})
    code = codes.where(codes.notna(), frame["area_code"])
    unknown = ~code.isin(list(names))
    refused = [
        Refusal(f"{reading.path.name}, {rows['metric'].iloc[0]}", text, looked_up[text][1], len(rows))
        for text, rows in frame[unknown].groupby("area_code", sort=False)
    ]
    placed = frame.assign(area_code=code, area_name=code.map(names))[~unknown].reset_index(drop=True)
    placed = replace(reading, observations=placed, refused=(*reading.refused, *refused))
    if placed.observations.duplicated(KEY).any():  # an area by its name in one row, by its code in another
        return checked([placed], metrics)[0]
    return replace(placed, observations=mark_known_problems(placed.observations))


def _found(wanted: list[str], own: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Give code and reason for each text; a file of which no area is known must not take for ever."""
    places: dict[str, tuple[str, str]] = {}
    if not wanted:
        return places
    unknown, find = 0, None if own.empty else area_finder(own)
    mine = {name.casefold(): code for code, name in zip(own["area_code"], own["area_name"], strict=True)}
    for text in wanted:
        if unknown < _MOST_UNKNOWN:
            places[text] = _find(text, find, mine.get(text.casefold(), ""))
            unknown += not places[text][0]
        else:
            places[text] = "", f"{_MOST_UNKNOWN} areas of this file are not known: no more were looked up"
    return places


def _find(text: str, find: Callable[[str], Area] | None, mine: str) -> tuple[str, str]:
    """Give the code, or "" and the reason; `mine` is the code of the user's own area of this very name."""
    reason = ""
    try:
        code = find_area(text).area_code
        if mine and code != mine:
            return (
                "",
                f"'{text}' stands for 2 areas, {code} of the register and {mine} of yours: give the code",
            )
        return code, ""
    except ParameterError as error:
        reason = str(error)
    try:
        return (mine or find(text).area_code, "") if find else ("", reason)
    except ParameterError as error:
        return "", str(error)


# Which figure


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
