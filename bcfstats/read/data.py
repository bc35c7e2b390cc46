"""The prepared data, read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from bcfstats.define.areas import REGISTER, Area, find_area, same_ground
from bcfstats.define.metrics import METRICS, Metric
from bcfstats.errors import InputError, ParameterError
from bcfstats.files import MANIFEST, aside
from bcfstats.read.observations import AREA_TYPES, KEY, OBSERVATION_TYPES, as_frame, as_observations, typed

if TYPE_CHECKING:
    from bcfstats.define.schemes import Scheme

FICTIONAL = "bcfstats example data (fictional)"  # the source of every example row
TABLES = ("observations", "others", "populations", "areas")


@dataclass(frozen=True)
class Data:
    """Everything a report needs."""

    observations: pd.DataFrame = field(repr=False)  # one row per area, metric and period
    areas: pd.DataFrame = field(repr=False)
    others: pd.DataFrame = field(repr=False)  # England, regions, commissioners and others, with `area_type`
    manifest: Mapping[str, Any] = field(repr=False)  # what was read from which file, refused and checked
    is_example: bool = False  # whether the areas and figures are made up
    # figures as they stood before they were revised
    earlier: pd.DataFrame = field(default_factory=lambda: typed((), OBSERVATION_TYPES), repr=False)

    def __post_init__(self) -> None:
        """Take tables of a user at the same door as everywhere."""
        object.__setattr__(self, "observations", as_observations(self.observations))
        areas = as_frame(self.areas, "areas", AREA_TYPES, ("area_code", "area_name"))
        object.__setattr__(self, "areas", areas)

    def of(self, *metrics: str) -> Data:
        """Give the figures of some metrics alone: what is computed of them takes less time."""
        return replace(self, observations=_only(self.observations, self.observations["metric"].isin(metrics)))

    def as_of(self, day: date) -> Data:
        """Give the figures as they stood on a day: what was revised later is as it was before.

        A figure whose edition has no date counts as published before those that have one.
        """
        every = pd.concat([self.earlier, self.observations], ignore_index=True)
        known = every[~(every["vintage"] > pd.Timestamp(day))].sort_values("vintage", na_position="first")
        kept = known.drop_duplicates(KEY, keep="last").sort_index()
        return replace(self, observations=typed(kept, OBSERVATION_TYPES))

    def joined(self, name: str, metrics: Mapping[str, Metric] = METRICS) -> Data:
        """Put an area together with those it was split or merged with: one area of constant boundaries.

        It takes the place of its parts. Counts add where all of the parts have them; other figures have none.
        """
        areas = same_ground(find_area(name))
        if len(areas) == 1:
            raise ParameterError(
                "This area was neither split nor merged: it needs no sum.", where="joined", found=name
            )
        codes, now = [part.area_code for part in areas], [part for part in areas if part.end is None]
        whole = {
            "area_code": "+".join(part.area_code for part in now),
            "area_name": " with ".join(part.area_name for part in now),
        }
        kept = {
            table: rows[~rows["area_code"].isin(codes)]
            for table, rows in (("observations", self.observations), ("earlier", self.earlier))
        }
        mine = self.observations[self.observations["area_code"].isin(codes)]
        groups = mine.groupby(["metric", "period_start", "period_end", "frequency"], as_index=False)
        sums = [_sum(rows, areas, metrics.get(str(key[0]))) | whole for key, rows in groups]
        added = typed(sums, OBSERVATION_TYPES)
        kept["observations"] = typed(pd.concat([kept["observations"], added]), OBSERVATION_TYPES)
        places = self.areas[~self.areas["area_code"].isin(codes)]
        place = {"area_type": "areas added up", "region": now[0].region, "region_code": now[0].region_code}
        one = typed([{**whole, **place, "board": whole["area_name"]}], AREA_TYPES)
        return replace(self, areas=typed(pd.concat([places, one]), AREA_TYPES), **kept)

    def at(self, rules: Scheme) -> Data:
        """Give the areas there are in the years of a scheme, with their figures; those of a list stay."""
        windows = [window for payment in rules.payments for window in payment.metrics.values() if window]
        first = min((window.start for window in windows), default=date.min)
        last = max((window.end for window in windows), default=date.max)
        own = self.manifest.get("own_areas", ())
        others = {code: area for code, area in REGISTER.items() if code not in own}
        gone = [code for code, area in others.items() if not area.is_there(first, last)]
        tables = {
            name: _only(table, ~table["area_code"].isin(gone))
            for name, table in (("observations", self.observations), ("areas", self.areas))
        }
        return replace(self, **tables)


def _only(table: pd.DataFrame, kept: pd.Series[bool]) -> pd.DataFrame:
    """Keep some rows; where that is all of them, without a second copy of a table that may be large."""
    return table if kept.all() else table.loc[kept]


def _sum(rows: pd.DataFrame, areas: list[Area], metric: Metric | None) -> dict[str, Any]:
    """Add up the parts of an area in one period, or say why that cannot be done."""
    first = rows.iloc[0]
    start, end = first["period_start"].date(), first["period_end"].date()
    days = [day for part in areas for day in (part.start, part.end and part.end + timedelta(days=1)) if day]
    there = {part.area_code: part.area_name for part in areas if part.is_there(start, end)}
    good = rows[
        rows["status"].isin(["ok", "rounded"]) & rows[["numerator", "denominator"]].notna().all(axis=1)
    ]
    lacking = [there[code] for code in there if code not in set(good["area_code"])]
    made = {name: first[name] for name in ("metric", "period_start", "period_end", "frequency")}
    made |= {"vintage": rows["vintage"].max(), "source": "; ".join(sorted(set(rows["source"])))}
    why = f"no usable figure of {' and '.join(lacking)} to add" if lacking else ""
    if any(start < day <= end for day in days):
        why = "an area began or ended within the period"
    if metric is None or not metric.kind.is_exact:
        why = "figures of this kind cannot be added up"
    if metric is None or why:
        return made | {"status": "not_available", "status_note": why}
    count, of = good["numerator"].sum(), good["denominator"].sum()
    rounded = (good["status"] == "rounded").any()
    return made | {
        "numerator": count,
        "denominator": of,
        "value": metric.multiplier * count / of if of else float("nan"),
        "status": "rounded" if rounded else "ok",
        "status_note": "the sum of " + " and ".join(there.values()),
        "basis": "; ".join(sorted(set(good["basis"]) - {""})),
    }


def load(processed: str | Path) -> Data:
    """Read what `prepare` wrote.

    Broken rows do not stop this: `check_observations` names them, so that only their area is stopped.

    Parameters
    ----------
    processed : str or pathlib.Path
        The folder given to `prepare`.

    Returns
    -------
    Data

    Raises
    ------
    InputError
        If the folder holds no prepared data, or a file of it is damaged.
    """
    folder = Path(processed)
    if not folder.exists() and aside(folder).is_dir():
        folder = aside(folder)  # it is being replaced, or was when a process was killed
    if not (folder / MANIFEST).is_file():
        raise InputError(
            "There is no prepared data here.",
            where=str(folder),
            do="Run 'bcfstats prepare' first, or name the folder it wrote to.",
        )
    try:
        written = (folder / MANIFEST).read_bytes()
        manifest = json.loads(written)
        tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in TABLES}
        given = folder / "earlier.parquet"  # not among what others write for themselves
        earlier = pd.read_parquet(given) if given.is_file() else typed((), OBSERVATION_TYPES)
        changed = (folder / MANIFEST).read_bytes() != written
    except (OSError, ValueError) as error:
        raise InputError(
            "The prepared data is damaged or incomplete.",
            where=str(folder),
            found=str(error).splitlines()[0],
            do="Run 'bcfstats prepare' again.",
        ) from None
    if changed:
        raise InputError(
            "The prepared data were replaced while they were read.",
            where=str(folder),
            do="Try again when 'bcfstats prepare' has ended.",
        )
    missing = [name for name in OBSERVATION_TYPES if name not in tables["observations"].columns]
    if missing:
        raise InputError(
            "The prepared data is of another version: columns are missing.",
            where=str(folder / "observations.parquet"),
            found=", ".join(missing),
            do="Run 'bcfstats prepare' again.",
        )
    return Data(
        tables["observations"],
        tables["areas"],
        tables["others"],
        manifest,
        bool(manifest.get("is_example", False)),
        earlier,
    )
