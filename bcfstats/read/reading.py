"""What reading one file gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from bcfstats.define.areas import ENGLAND, NOT_LISTED, area_names, code_of
from bcfstats.read.observations import (
    AREA_TYPES,
    OBSERVATION_TYPES,
    OTHER_TYPES,
    POPULATION_TYPES,
    SHARE_TYPES,
    typed,
)


@dataclass(frozen=True)
class Check:
    """Something recomputed from a file and compared with what the file itself says."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Refusal:
    """Rows that were not taken over for one reason: where they stand, what was found there, and why."""

    where: str
    found: str
    reason: str
    rows: int = 1


TABLES = {
    "observations": OBSERVATION_TYPES,
    "others": OTHER_TYPES,
    "populations": POPULATION_TYPES,
    "shares": SHARE_TYPES,
    "areas": AREA_TYPES,
}


@dataclass(frozen=True)
class FileReading:
    """What one file holds: rows of use, rows refused, and what was checked."""

    path: Path
    kind: str  # its format, such as "delayed transfers of care by local authority"
    publisher: str = ""  # this and the next as the file says or as its format implies; "" where unknown
    title: str = ""
    period: str = ""
    published: date | None = None
    revised: date | None = None
    # rows of areas; of the nation, regions, commissioners and others; what the file says of people and areas
    observations: pd.DataFrame = field(default_factory=lambda: typed((), OBSERVATION_TYPES), repr=False)
    others: pd.DataFrame = field(default_factory=lambda: typed((), OTHER_TYPES), repr=False)
    populations: pd.DataFrame = field(default_factory=lambda: typed((), POPULATION_TYPES), repr=False)
    shares: pd.DataFrame = field(default_factory=lambda: typed((), SHARE_TYPES), repr=False)
    areas: pd.DataFrame = field(default_factory=lambda: typed((), AREA_TYPES), repr=False)
    rows_read: int = 0
    refused: tuple[Refusal, ...] = ()
    checks: tuple[Check, ...] = ()
    warnings: tuple[str, ...] = ()  # what the publisher or the reader notes about the file

    def __getstate__(self) -> dict[str, Any]:
        """Leave empty tables behind, where a reading goes from one process to another."""
        return {name: held for name, held in vars(self).items() if name not in TABLES or len(held)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update({name: typed((), kinds) for name, kinds in TABLES.items()} | state)


def place_of(
    ons: str, name: str, council: str = "", end: date | None = None, *, otherwise: str = NOT_LISTED
) -> dict[str, str]:
    """Give code, name and type of a published row's place; the type is empty for an area of the register."""
    if code := code_of(ons, council, end):
        return {"area_code": code, "area_name": area_names()[code], "area_type": ""}
    if ons.strip() == ENGLAND:
        return {"area_code": ENGLAND, "area_name": "England", "area_type": "country"}
    return {"area_code": ons.strip() or council, "area_name": name, "area_type": otherwise}


def by_area(rows: Iterable[Mapping[str, Any]]) -> dict[str, pd.DataFrame]:
    """Part rows of areas from those that have an `area_type`: of the nation, regions and others."""
    listed = list(rows)
    return {
        "observations": typed([row for row in listed if not row["area_type"]], OBSERVATION_TYPES),
        "others": typed([row for row in listed if row["area_type"]], OTHER_TYPES),
    }
