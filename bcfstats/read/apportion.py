"""Commissioners' counts turned into areas' counts by shares of population."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from bcfstats.define.areas import area_names
from bcfstats.define.datafiles import read_rows
from bcfstats.read.observations import OBSERVATION_TYPES, add_note, mark_suspect, typed

COMMISSIONERS = "clinical commissioning group"
BASIS = "estimated from commissioners by population shares"
_MONTH = ["metric", "period_start", "period_end"]
_WORTH_SAYING = 0.01  # share of an area's people below which a commissioner's problem is not the area's


class Apportioned(NamedTuple):
    """Areas' counts, and sentences on what could not be given to any area."""

    observations: pd.DataFrame
    notes: tuple[str, ...]


def apportion(others: pd.DataFrame, shares: pd.DataFrame) -> Apportioned:
    """Turn counts of commissioners into counts of areas, by where their people live.

    Assumes that people use hospital alike wherever they live in a commissioner's area, and that shares, of
    one year, hold in all. An area has no figure for a month in which one of its commissioners has none. What
    NHS England commissions, and primary care trusts, for which there are no shares, stay apart.
    """
    counts = others[others["area_type"] == COMMISSIONERS]
    if counts.empty or shares.empty:
        no_shares = [f"{len(counts):,} rows of commissioners are kept apart: no file of shares."]
        notes = [*_apart(others), *(no_shares if len(counts) else [])]
        return Apportioned(typed((), OBSERVATION_TYPES), tuple(notes))
    divisions: dict[frozenset[str], pd.DataFrame] = {}
    months, unmapped = [], []
    for _, month in counts.groupby(_MONTH, sort=True):
        codes = frozenset(month["area_code"])
        if codes not in divisions:
            divisions[codes] = _division(codes, shares)
        division = divisions[codes]
        months.append(_month(month, division, shares))
        unmapped.append(month[~month["area_code"].isin(division["commissioner"])])
    notes = [*_apart(others), *_unmapped(pd.concat(unmapped))]
    return Apportioned(_with_changes(pd.concat(months, ignore_index=True)), tuple(notes))


def _apart(others: pd.DataFrame) -> list[str]:
    """Say how much belongs to no area by its nature."""
    notes = []
    reasons = {
        "direct commissioning": "NHS England's own commissioning belongs to no area",
        "primary care trust": "there are no population shares of primary care trusts",
    }
    for kind, reason in reasons.items():
        rows = others[others["area_type"] == kind]
        for metric, counts in rows.groupby("metric"):
            months = counts["period_start"].nunique()
            total = f"{counts['numerator'].sum():,.0f} in {months} months"
            notes.append(f"{metric}: {total} are kept apart: {reason}.")
    return notes


def _unmapped(rows: pd.DataFrame) -> list[str]:
    return [
        f"{metric}: {code} {counts['area_name'].iloc[0]}, {counts['numerator'].sum():,.0f} in {len(counts)} "
        "months, is kept apart: it is not in the file of shares."
        for (metric, code), counts in rows.groupby(["metric", "area_code"])
    ]


def _division(codes: frozenset[str], shares: pd.DataFrame) -> pd.DataFrame:
    """Divide each commissioner with known shares: `commissioner area_code weight area_share members split`.

    `members` are the commissioners of the shares file that a row stands for; `split` says that a merged
    commissioner is divided by population between areas that had a commissioner each.
    """
    pairs = pd.DataFrame(
        [
            (code, " ".join(members), member)
            for published, members in _units(codes, set(shares["commissioner"]))
            for code in published
            for member in members
        ],
        columns=["published", "members", "commissioner"],
    )
    pieces = pairs.merge(shares, on="commissioner")
    merged = pieces["members"].str.contains(" ")
    pieces = pieces.assign(weight=pieces["population"].where(merged, pieces["share"]))
    keys = ["published", "members", "area_code"]
    division = pieces.groupby(keys, as_index=False)[["weight", "area_share"]].sum(min_count=1)
    merged = division["members"].str.contains(" ")
    by_code = division.groupby("published")
    return division.assign(
        weight=division["weight"].mask(merged, division["weight"] / by_code["weight"].transform("sum")),
        split=merged & (by_code["area_code"].transform("size") > 1),
    ).rename(columns={"published": "commissioner"})


def _units(codes: Collection[str], known: set[str]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Pair published commissioners with those of the shares file: mostly one with itself."""
    own = [((code,), (code,)) for code in sorted(codes) if code in known]
    grouped = [
        (published, members)
        for published, members in _groups()
        if set(published) <= set(codes) - known and set(members) <= known
    ]
    return [*own, *grouped]


@cache
def _groups() -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    rows = read_rows(Path(__file__).with_name("commissioner_groups.csv"))
    return tuple((tuple(row["published"].split()), tuple(row["shares"].split())) for row in rows)


def _month(month: pd.DataFrame, division: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    """Divide one month's counts."""
    first = month.iloc[0]
    pieces = division.merge(
        month[["area_code", "numerator", "status", "status_note", "vintage"]],
        left_on="commissioner",
        right_on="area_code",
        suffixes=("", "_of_commissioner"),
    )
    pieces = pieces.assign(count=pieces["numerator"] * pieces["weight"])
    by_area = pieces.groupby("area_code")
    frame = pd.DataFrame(
        {
            "numerator": by_area["count"].agg(lambda counts: counts.sum(skipna=False)),
            "vintage": by_area["vintage"].max(),
            "commissioners": by_area["commissioner"].agg(lambda codes: " ".join(sorted(codes))),
            "split": by_area["split"].any(),
        }
    ).reindex(shares["area_code"].unique())
    split = frame["split"].eq(True)
    frame = frame.reset_index().assign(
        **{name: first[name] for name in (*_MONTH, "frequency")},
        area_name=lambda rows: rows["area_code"].map(dict(area_names())),
        status="ok",
        status_note="",
        basis=split.map(
            {True: f"{BASIS}; a merged commissioner divided by population", False: BASIS}
        ).tolist(),
        source=f"{first['source']}; shares: {shares['source'].iloc[0]}",
    )
    frame = _without_incomplete(frame, set(" ".join(division["members"].unique()).split()), shares)
    return _with_doubts(frame, pieces)


def _without_incomplete(frame: pd.DataFrame, covered: set[str], shares: pd.DataFrame) -> pd.DataFrame:
    """Leave out the figures of areas with a commissioner that has none, and say what share is mapped."""
    lost = shares[~shares["commissioner"].isin(covered)]
    for area, rows in lost.groupby("area_code"):
        here = frame["area_code"] == area
        mapped = 1 - rows["area_share"].sum(skipna=False)
        known = f"; the others cover {mapped:.0%} of its people" if pd.notna(mapped) else ""
        frame.loc[here, ["numerator", "status"]] = [float("nan"), "not_available"]
        note = f"no figure for commissioner {', '.join(rows['commissioner'])}{known}"
        frame = add_note(frame, here, note)
    unpublished = frame["numerator"].isna() & (frame["status"] == "ok")
    frame.loc[unpublished, "status"] = "not_available"
    return add_note(frame, unpublished, "the figure of one of its commissioners is missing")


def _with_doubts(frame: pd.DataFrame, pieces: pd.DataFrame) -> pd.DataFrame:
    """Carry what makes a commissioner's figure suspect over to the areas where many of its people live."""
    matters = ~(pieces["area_share"] < _WORTH_SAYING)
    doubtful = pieces[(pieces["status"] == "suspect") & matters]
    for part in doubtful.itertuples():
        here = (frame["area_code"] == part.area_code) & frame["numerator"].notna()
        frame = mark_suspect(frame, here, f"{part.commissioner}: {part.status_note}")
    return frame


def _with_changes(frame: pd.DataFrame) -> pd.DataFrame:
    """Say in which month the set of an area's commissioners changed, from that month on."""
    frame = frame.sort_values(["metric", "area_code", "period_start"])
    series = frame.groupby(["metric", "area_code"])
    before = series["commissioners"].shift()
    changed = before.notna() & frame["commissioners"].notna() & (before != frame["commissioners"])
    month = frame["period_start"].dt.strftime("%B %Y")
    note = (
        "commissioners since "
        + month
        + ": "
        + frame["commissioners"].fillna("")
        + " (before: "
        + before.fillna("")
        + ")"
    )
    since = note.where(changed).groupby([frame["metric"], frame["area_code"]]).ffill()
    return typed(add_note(frame, since.notna(), since.fillna("")), OBSERVATION_TYPES)
