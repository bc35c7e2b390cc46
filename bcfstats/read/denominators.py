"""Populations joined to counts, and counts' own denominators checked against populations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from bcfstats.read.formats.population import BY_AGE, COMPONENTS, DERIVED
from bcfstats.read.observations import add_note, mark_suspect
from bcfstats.read.reading import Check

if TYPE_CHECKING:
    from bcfstats.define.metrics import Metric

AGE_GROUPS = {"all ages": "all", "18 and over": "18+", "65 and over": "65+"}
PREFERENCE = (BY_AGE, COMPONENTS, DERIVED)
# how far a denominator may be from the population of its own year, and of a neighbouring one
_SAME_YEAR, _OTHER_YEAR = 0.02, 0.10


class Joined(NamedTuple):
    """Observations with denominators, and a sentence on each metric's populations."""

    frame: pd.DataFrame
    notes: tuple[str, ...]


def join_denominators(
    observations: pd.DataFrame, populations: pd.DataFrame, metrics: Mapping[str, Metric]
) -> Joined:
    """Give counts of a crude rate their population, and compute the rate.

    A period takes the mid-year population in its financial year. A metric takes all from one series, the
    one that covers most of its rows, so that no change of a rate comes from one of source. Where it lacks
    the year, its nearest year is taken; where it lacks the area, another series; a note says so.
    """
    frame, notes = observations, []
    for name, metric in metrics.items():
        bare = frame["denominator"].isna() & frame["value"].isna() & frame["numerator"].notna()
        rows = (frame["metric"] == name) & bare
        if not metric.kind.needs_population or not rows.any():
            continue
        group = AGE_GROUPS.get(metric.age_group)
        people = populations[populations["age_group"] == group].dropna(subset=["population"])
        matched = _people_of(frame.loc[rows, ["area_code", "period_start"]], people)
        frame = _with_population(frame, matched, metric)
        notes.append(_sentence(metric, matched))
    return Joined(frame, tuple(notes))


def _people_of(rows: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Find population, year, series and source for each row; the index is that of `rows`."""
    wanted = pd.DataFrame({"area_code": rows["area_code"], "wanted": _midyear(rows["period_start"])})
    pairs = wanted.drop_duplicates()
    exact = pairs.merge(people, left_on=["area_code", "wanted"], right_on=["area_code", "year"])
    covered = exact.drop_duplicates(["area_code", "wanted", "series"])["series"].value_counts()
    order = sorted(PREFERENCE, key=lambda series: (-covered.get(series, 0), PREFERENCE.index(series)))
    ranked = pairs.merge(people, on="area_code").assign(
        place=lambda both: both["series"].map(order.index),
        away=lambda both: (both["year"] - both["wanted"]).abs(),
    )
    best = ranked.sort_values(["place", "away", "year"], kind="stable").drop_duplicates(
        ["area_code", "wanted"]
    )
    best = best.assign(main=order[0])
    return wanted.reset_index().merge(best, on=["area_code", "wanted"], how="left").set_index("index")


def _midyear(start: pd.Series) -> pd.Series:
    return start.dt.year - (start.dt.month < 4).astype("int64")


def _with_population(frame: pd.DataFrame, matched: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    population = matched["population"].reindex(frame.index)
    got = population.notna()
    rate = frame["numerator"] / population.where(population > 0) * metric.multiplier
    estimated = matched["estimated"].eq(True).map({True: " (estimate)", False: ""})
    source = "; population: " + matched["source"].fillna("") + estimated
    frame = frame.assign(
        denominator=frame["denominator"].mask(got, population),
        value=frame["value"].mask(got, rate),
        source=frame["source"].mask(got, frame["source"] + source.reindex(frame.index).fillna("")),
    )
    for rows, note in _remarks(matched, metric):
        rows = rows.reindex(frame.index, fill_value=False)
        frame = add_note(frame, rows, note if isinstance(note, str) else note.reindex(frame.index).fillna(""))
    return frame


def _remarks(matched: pd.DataFrame, metric: Metric) -> list[tuple[pd.Series, pd.Series | str]]:
    """Say where a population is of another year or series, or is not there at all."""
    got = matched["population"].notna()
    year = matched["year"].astype("Int64").astype("str")
    wanted = matched["wanted"].astype("str")
    return [
        (
            got & (matched["year"] != matched["wanted"]),
            "population of mid-" + year + " in place of mid-" + wanted,
        ),
        (got & (matched["series"] != matched["main"]), "population from another source than for other areas"),
        (~got, f"no population ({metric.age_group}) for this area: no rate"),
    ]


def _sentence(metric: Metric, matched: pd.DataFrame) -> str:
    got = matched["population"].notna()
    if not got.any():
        return f"{metric.id}: no population ({metric.age_group}); counts are kept without rates."
    main = matched.loc[got & (matched["series"] == matched["main"])]
    bases = ", ".join(sorted(main["basis"].unique()))
    other_year = (got & (matched["year"] != matched["wanted"])).sum()
    return (
        f"{metric.id}: population ({metric.age_group}) from {', '.join(sorted(main['source'].unique()))} "
        f"({bases}) for {len(main):,} rows; {other_year:,} rows with the nearest year, "
        f"{(got & (matched['series'] != matched['main'])).sum():,} from another source, "
        f"{(~got).sum():,} without."
    )


def check_denominators(
    observations: pd.DataFrame, populations: pd.DataFrame, metrics: Mapping[str, Metric]
) -> tuple[pd.DataFrame, tuple[Check, ...]]:
    """Compare denominators in files with populations published by age; rows far from them are suspect."""
    ons = populations[(populations["series"] == BY_AGE) & populations["basis"].str.startswith("ONS")]
    checks, frame = [], observations
    for name, metric in metrics.items():
        group = AGE_GROUPS.get(metric.age_group)
        rows = frame[(frame["metric"] == name) & frame["denominator"].notna()]
        people = ons[ons["age_group"] == group]
        if (
            not metric.kind.per_resident
            or metric.kind.is_standardised
            or group is None
            or rows.empty
            or people.empty
        ):
            continue
        matched = _people_of(rows[["area_code", "period_start"]], people)
        away = (matched["year"] - matched["wanted"]).abs()
        near = matched[away <= 1]
        ratio = rows["denominator"].reindex(near.index) / near["population"] - 1
        wrong = ratio.abs() > np.where(away[near.index] == 0, _SAME_YEAR, _OTHER_YEAR)
        notes = _whose(rows["denominator"].reindex(near.index)[wrong], near[wrong], people)
        flags = wrong[wrong].reindex(frame.index, fill_value=False)
        frame = mark_suspect(frame, flags, notes.reindex(frame.index).fillna(""))
        detail = f"{(~wrong).sum():,} of {len(near):,} denominators" + "".join(
            f"; {note}" for note in notes[:5]
        )
        checks.append(Check(f"{name}: denominators agree with ONS populations", not wrong.any(), detail))
    return frame, tuple(checks)


def _whose(denominators: pd.Series, matched: pd.DataFrame, people: pd.DataFrame) -> pd.Series:
    """Say whose population a wrong denominator is, if it is anyone's."""
    notes = {}
    for index, denominator in denominators.items():
        same_year = people[people["year"] == matched.at[index, "year"]]
        owners = same_year.loc[same_year["population"] == denominator, "area_code"]
        whose = f", which is that of {owners.iloc[0]}" if len(owners) else ""
        own, area = matched.at[index, "population"], matched.at[index, "area_code"]
        notes[index] = f"{area}: denominator {denominator:,.0f}{whose}; its population is {own:,.0f}"
    return pd.Series(notes, dtype="str")
