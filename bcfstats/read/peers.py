"""Groups of areas to compare with: by region, by type, or a user's own."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from bcfstats.define.areas import AREAS, area_finder, areas_frame
from bcfstats.errors import InputError, ParameterError
from bcfstats.read.headings import find_by_area, lines_of
from bcfstats.read.workbook import open_file

BY = {"region": "region", "type": "area_type"}


def peers_by(by: str, areas: pd.DataFrame | None = None) -> dict[str, tuple[str, ...]]:
    """Group areas by "region" or "type": each area's peers, without itself."""
    if by not in BY:
        raise ParameterError("There is no such grouping.", found=f"'{by}'", do=f"Use {' or '.join(BY)}.")
    frame = areas_frame() if areas is None else areas
    return _peers(dict(zip(frame["area_code"], frame[BY[by]], strict=True)))


def read_peers(path: str | Path, areas: pd.DataFrame | None = None) -> dict[str, tuple[str, ...]]:
    """Read groups of areas from a file: `area` and `group`, or `area` and `peer`, one row a pair."""
    source = open_file(Path(path))
    table = find_by_area(source, "peer")
    pairs = table is not None
    if table is None:
        table = find_by_area(source, "group")
    if table is None:
        raise InputError(
            "This is not a table of peers: it needs area and group, or area and peer.", where=source.path.name
        )
    find = area_finder(AREAS if areas is None else areas)
    listed: dict[str, list[str]] = {}
    groups: dict[str, str] = {}
    for row, line in lines_of(table):
        try:
            code = find(str(line["area"])).area_code
            peer = find(str(line["peer"])).area_code if pairs else ""
        except ParameterError as error:
            raise InputError(error.what, where=f"{source.path.name}, row {row}", found=error.found) from None
        if pairs and peer != code:
            listed.setdefault(code, []).append(peer)
        elif not pairs and groups.setdefault(code, str(line["group"]).strip()) != str(line["group"]).strip():
            raise InputError(
                "An area stands in two groups.",
                where=f"{source.path.name}, row {row}",
                found=str(line["area"]),
            )
    return {code: tuple(dict.fromkeys(peers)) for code, peers in listed.items()} if pairs else _peers(groups)


def _peers(groups: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    members: dict[str, list[str]] = {}
    for code, group in groups.items():
        members.setdefault(group, []).append(code)
    return {
        code: tuple(other for other in members[group] if other != code)
        for code, group in groups.items()
        if group and len(members[group]) > 1
    }
