"""The upper-tier areas of England since 2014: names, codes, regions, boards, and when each was there."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bcfstats.define.datafiles import near_misses, read_rows
from bcfstats.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Tile:
    """The place of an area on the tile map."""

    area_code: str
    label: str
    column: int
    row: int


def _read_tiles(path: Path) -> dict[str, Tile]:
    return {
        row["area_code"]: Tile(row["area_code"], row["label"], int(row["column"]), int(row["row"]))
        for row in read_rows(path)
    }


TILES: Mapping[str, Tile] = MappingProxyType(_read_tiles(Path(__file__).with_name("tiles.csv")))


AREA_COLUMNS = ("area_code", "area_name", "area_type", "region_code", "region", "council_code", "board")


@dataclass(frozen=True)
class Area:
    """An upper-tier local authority, the area of a health and wellbeing board, under the code it began with.

    It ends where others take its place, and goes on where it has a later code of its own.
    """

    area_code: str
    area_name: str
    area_type: str = ""
    region_code: str = ""
    region: str = ""
    council_codes: tuple[str, ...] = ()  # first that of ASCOF, then that of the delayed transfers files
    board: str = ""  # two areas may share one
    variants: tuple[str, ...] = ()  # other names found in published files
    predecessor_codes: tuple[str, ...] = ()
    later_codes: tuple[tuple[str, date], ...] = ()  # its own later ONS codes, and since when
    successors: tuple[tuple[str, date], ...] = ()  # other areas that took all of it or a part, and since when
    boundary_break_dates: tuple[date, ...] = ()  # from then on its name or codes mean another area
    note: str = ""
    start: date | None = None  # its first day, where it began after April 2013

    @property
    def end(self) -> date | None:
        """Its last day, where others took its place."""
        return self.successors[0][1] - timedelta(days=1) if self.successors and not self.later_codes else None

    @property
    def span(self) -> str:
        """When it began or ended, in words; empty where it was there all the time."""
        days = (("since", self.start), ("to", self.end))
        return ", ".join(f"{what} {day.day} {day:%B %Y}" for what, day in days if day)

    def is_there(self, first: date, last: date) -> bool:
        """Whether it was there on a day of a period."""
        return (self.start is None or self.start <= last) and (self.end is None or self.end >= first)

    @property
    def council_code(self) -> str:
        """The council (CASSR) code used in ASCOF; empty where none is known."""
        return self.council_codes[0] if self.council_codes else ""

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code that means this area: the ONS code it began with, others of its own, council codes."""
        later = [code for code, _ in self.later_codes]
        return (self.area_code, *self.predecessor_codes, *later, *self.council_codes)


def find_area(text: str, areas: Mapping[str, Area] | Iterable[Area] | pd.DataFrame | None = None) -> Area:
    """Find an area by name or code.

    Parameters
    ----------
    text : str
        Name, ONS code or council code. Capitals, accents, punctuation, "&", "Council", "London Borough of",
        "UA" and the like do not matter.
    areas : mapping of code to Area, iterable of Area, or DataFrame, optional
        Where to look: all areas since 2014 if not given. A table needs `area_code` and `area_name`, and may
        have the other columns of `areas_frame`.

    Returns
    -------
    Area

    Raises
    ------
    ParameterError
        If there is none, with the nearest names; if there are several; or if it is an area of another time
        than those given, with what became of it or what it came from.

    Examples
    --------
    >>> find_area("Medway Towns UA").area_code
    'E06000035'
    >>> find_area("London Borough of Hammersmith & Fulham").council_code
    '705'
    """
    return area_finder(areas)(text)


def area_finder(
    areas: Mapping[str, Area] | Iterable[Area] | pd.DataFrame | None = None,
) -> Callable[[str], Area]:
    """Give what finds areas among these: the same as `find_area`, for many texts."""
    listed = list(REGISTER.values()) if areas is None else _listed(areas)
    return partial(_find, listed, _default_index() if areas is None else _index(listed))


def codes_of(texts: Sequence[str], areas: Mapping[str, Area] | Iterable[Area] | pd.DataFrame) -> list[str]:
    """Give the codes of the areas that are named; the list is not even looked at where none is."""
    return [area.area_code for area in map(area_finder(areas), texts)] if texts else []


def _find(listed: list[Area], index: Index, text: str) -> Area:
    wanted = str(text).strip()
    if len(wanted) > LONGEST_NAME:
        raise ParameterError(
            "This is too long for the name of an area.",
            found=f"{len(wanted):,} characters that begin with '{wanted[:40]}'",
            do="Give its name or code.",
        )
    matches = _matches(wanted, index)
    exactly = [area for area in matches if area.area_code == wanted]  # codes may differ in capitals only
    if len(exactly or matches) == 1:
        return (exactly or matches)[0]
    if matches:
        raise _several(wanted, matches)
    if other := _of_another_time(wanted, listed):
        raise other
    if kind := kind_of_place(wanted)[1]:
        raise ParameterError(
            f"'{wanted}' is {_KINDS[kind]}, not an area with a board.", do="Give an upper-tier area."
        )
    raise ParameterError(
        "There is no such area.",
        found=f"'{text}'",
        do=near_misses(wanted, [name for area in listed for name in (area.area_name, *area.variants)]),
    )


def areas_frame(areas: Mapping[str, Area] | Iterable[Area] | None = None) -> pd.DataFrame:
    """Give areas as a table, one row each."""
    import pandas as pd

    rows = [
        [getattr(area, column) for column in AREA_COLUMNS]
        for area in _listed(AREAS if areas is None else areas)
    ]
    return pd.DataFrame(rows, columns=list(AREA_COLUMNS), dtype="object")


def code_of(ons: str, council: str = "", end: date | None = None) -> str:
    """Give the area that the codes in a row mean: the ONS code where it has one, else that of the council.

    A code that came with new boundaries means no area in a period that ended before: "" then, as for others.
    """
    ons = ons.strip()
    since = _since_new_boundaries().get(ons)
    if since and end and end < since:
        return ""
    return known_codes().get(ons if re.fullmatch(r"E\d{8}", ons) else council.strip(), "")


@cache
def _since_new_boundaries() -> Mapping[str, date]:
    return {
        code: since
        for area in REGISTER.values()
        for code, since in area.later_codes
        if since in area.boundary_break_dates
    }


LONGEST_NAME = 300
Index = tuple[dict[str, list[Area]], dict[str, list[Area]]]


def _index(areas: list[Area]) -> Index:
    names: dict[str, list[Area]] = {}
    codes: dict[str, list[Area]] = {}
    boards: dict[str, list[Area]] = {}
    for area in areas:
        for key in {_plain(name) for name in (area.area_name, *area.variants)}:
            names.setdefault(key, []).append(area)
        for code in area.codes:
            codes.setdefault(code.upper(), []).append(area)
        boards.setdefault(_plain(area.board), []).append(area)
    boards.pop("", None)
    return boards | names, codes


@cache
def _default_index() -> Index:
    return _index(list(REGISTER.values()))


_PREFIX = re.compile(r"^(the )?((london|royal|metropolitan) borough|city|county|council) of (the )?")
_SUFFIX = re.compile(
    r"( (city|county) of)?(( metropolitan| london| royal)* (borough|district)| county| city)?"
    r"( council| corporation| unitary authority| ua)?$"
)


def _plain(text: str) -> str:
    """The text without capitals, accents and punctuation."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    plain = re.sub(r"['.]", "", plain.replace("&", " and "))
    return re.sub(r"[^a-z0-9]+", " ", plain).strip()


def _spellings(text: str) -> list[str]:
    """The text as it is, then without words such as "Council" at its end, then without those at its start."""
    shorter = _SUFFIX.sub("", _plain(text))
    return [_plain(text), shorter, _PREFIX.sub("", shorter)]


def _matches(text: str, index: Index) -> list[Area]:
    """Find the areas that go by a code, or by a name in any spelling."""
    names, codes = index
    return codes.get(text.upper()) or next(filter(None, map(names.get, _spellings(text))), [])


def _several(text: str, matches: list[Area]) -> ParameterError:
    which = ", ".join(f"{area.area_name} ({area.area_code})" for area in matches)
    return ParameterError(
        f"'{text}' stands for {len(matches)} areas.", found=which, do="Give the name or code of one of them."
    )


def _of_another_time(text: str, listed: list[Area]) -> ParameterError | None:
    """Say of an area that is not among those listed when it was there, and what took its place or gave it."""
    here = {area.area_code for area in listed}
    elsewhere = _matches(text, _default_index())
    if len(elsewhere) != 1 or elsewhere[0].area_code in here or not here & set(REGISTER):
        return None
    area = elsewhere[0]
    times = [
        f"it {what} on {day.day} {day:%B %Y}"
        for what, day in (("began", area.start), ("ended", area.end))
        if day
    ]
    others = [REGISTER[code] for code, _ in area.successors] if area.end else came_from(area.area_code)
    which = " and ".join(f"{other.area_name} ({other.area_code})" for other in others)
    what = "all or part of it went to" if area.end else "it covers all or part of"
    return ParameterError(
        f"{area.area_name} ({area.area_code}) is not among these areas.",
        found="; ".join([*times, *([f"{what} {which}"] if which else [])]),
        do="Give an area of that time, or choose the scheme of a year in which it is there.",
    )


def came_from(code: str) -> list[Area]:
    """Give the areas that an area took all of, or a part."""
    return [area for area in REGISTER.values() if code in dict(area.successors)]


def same_ground(area: Area) -> list[Area]:
    """Give the areas that cover the same ground together: those it came from and went to, and theirs."""
    reached: dict[str, Area] = {}
    new = [area]
    while new:
        one = new.pop()
        if one.area_code not in reached:
            reached[one.area_code] = one
            new += [*came_from(one.area_code), *(REGISTER[code] for code, _ in one.successors)]
    return sorted(reached.values(), key=lambda one: one.area_name)


def _listed(areas: Mapping[str, Area] | Iterable[Area] | pd.DataFrame) -> list[Area]:
    if hasattr(areas, "columns"):
        return _from_frame(areas)
    return list(areas.values() if isinstance(areas, Mapping) else areas)


def _from_frame(frame: pd.DataFrame) -> list[Area]:
    for column in ("area_code", "area_name"):
        if column not in frame.columns:
            raise ParameterError(
                f"The list of areas has no column '{column}'.",
                found=", ".join(map(str, frame.columns)),
                do="Add it: one code and one name for each area.",
            )
    columns = [column for column in AREA_COLUMNS if column in frame.columns]
    rows = frame[columns].astype("object").where(frame[columns].notna(), "").astype(str).to_dict("records")
    return [_listed_area(row) for row in rows]


def _listed_area(row: Any) -> Area:
    """Give the area that a row repeats, with its other names and codes, or an area of the user's."""
    known = REGISTER.get(row["area_code"])
    if known and known.area_name == row["area_name"]:
        return known
    council_code = row.pop("council_code", "")
    return Area(council_codes=(council_code,) if council_code else (), **row)


def _read_areas(path: Path) -> dict[str, Area]:
    areas = {row["area_code"]: _area(row) for row in read_rows(path)}
    began = {code: since for area in areas.values() for code, since in area.successors}
    return {code: replace(area, start=began.get(code)) for code, area in areas.items()}


def _area(row: dict[str, Any]) -> Area:
    lists: dict[str, Any] = {name: tuple(filter(None, row.pop(name).split("|"))) for name in _LISTS}
    dated = {
        name: tuple((code, date.fromisoformat(day)) for code, day in map(str.split, lists[name]))
        for name in ("later_codes", "successors")
    }
    breaks = tuple(map(date.fromisoformat, lists["boundary_break_dates"]))
    return Area(**row | lists | dated | {"boundary_break_dates": breaks})


_LISTS = (
    "council_codes", "variants", "predecessor_codes", "later_codes", "successors", "boundary_break_dates",
)  # fmt: skip
REGISTER: Mapping[str, Area] = MappingProxyType(_read_areas(Path(__file__).with_name("areas.csv")))
AREAS: Mapping[str, Area] = MappingProxyType(  # the 152 of the fund's first years
    {code: area for code, area in REGISTER.items() if area.start is None}
)


ENGLAND = "E92000001"
NOT_LISTED = "area that is not in the register"
_KINDS = {
    "country": "a country",
    "region": "a region",
    "total": "a total",
    "district": "a district, which has no board: its county has",
    "commissioner": "a commissioner of the NHS",
    "ward": "a ward",
}
_CODES = {
    **dict.fromkeys(("E92", "W92", "S92", "N92", "K02", "K03", "K04"), "country"),
    **dict.fromkeys(("E12", "E40"), "region"),
    **dict.fromkeys(("E38", "E54"), "commissioner"),
    "E07": "district",
    "E05": "ward",
}
_TOTAL = re.compile(r"((grand|overall|sub) ?)?totals?|all( areas| councils| local authorities)?")


def kind_of_place(text: str) -> tuple[str, str]:
    """Say what a code or name is that is no area: its code, where one is known, and its kind, or ""."""
    plain, code = _plain(text), str(text).strip().upper()
    regions = _regions()
    if plain in ("england", "england total", "total england", "all england") or code == ENGLAND:
        return ENGLAND, "country"
    if plain in ("wales", "scotland", "northern ireland", "united kingdom", "great britain"):
        return plain, "country"
    if plain in regions:
        return regions[plain], "region"
    if re.fullmatch(r"[EKNSW]\d{8}", code):
        return code, _CODES.get(code[:3], "")
    return code, "total" if _TOTAL.fullmatch(plain) else ""


@cache
def _regions() -> Mapping[str, str]:
    return MappingProxyType({_plain(area.region): area.region_code for area in AREAS.values()})


@cache
def known_codes() -> Mapping[str, str]:
    """Give every code that means exactly one area, with the ONS code the area began with."""
    return MappingProxyType({code: area.area_code for area in REGISTER.values() for code in area.codes})


@cache
def area_names() -> Mapping[str, str]:
    """Give the name of each area by the ONS code it began with."""
    return MappingProxyType({code: area.area_name for code, area in REGISTER.items()})
