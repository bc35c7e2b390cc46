"""Shares of each commissioner's population that live in each upper-tier area."""

from __future__ import annotations

import math

import pandas as pd

from bcfstats.define.areas import known_codes
from bcfstats.errors import InputError
from bcfstats.read.marks import parse_number
from bcfstats.read.observations import SHARE_TYPES, typed
from bcfstats.read.reading import Check, FileReading, Refusal
from bcfstats.read.workbook import Book, Text, find_table, has_table

KIND = "population shares of commissioners"
_COLUMNS = ("ccg13", "utla", "share_of_ccg")


def recognises(source: Book | Text) -> bool:
    """Whether this has a commissioner, an area and the share of the commissioner in the area."""
    return has_table(source, *_COLUMNS)


def read(source: Book | Text) -> FileReading:
    """Read the shares; `share_of_utla` and `pop2017` are read too where they are there."""
    table = find_table(source, *_COLUMNS)
    assert table is not None
    rows, refused = [], []
    for number, line in zip(table.index, table.to_dict("records"), strict=True):
        share = parse_number(line["share_of_ccg"])
        area = known_codes().get(str(line["utla"]).strip())
        if area is None or share is None or not 0 <= share <= 1:
            reason = "an area of the register and a share from 0 to 1 are needed"
            found = f"{line['utla']}, {line['share_of_ccg']}"
            refused.append(Refusal(f"{source.path.name}, row {number}", found, reason))
            continue
        rows.append(
            {
                "commissioner": str(line["ccg13"]).strip(),
                "area_code": area,
                "share": share,
                "area_share": parse_number(line.get("share_of_utla")),
                "population": parse_number(line.get("pop2017")),
                "source": source.path.name,
            }
        )
    shares = typed(rows, SHARE_TYPES).drop_duplicates(ignore_index=True)
    twice = shares[shares.duplicated(["commissioner", "area_code"])]
    if len(twice):
        raise InputError(
            "A commissioner has two different shares in one area, and nothing tells which one counts.",
            where=source.path.name,
            found=", ".join(f"{row.commissioner} in {row.area_code}" for row in twice[:5].itertuples()),
            do="Leave one of them out.",
        )
    return FileReading(
        path=source.path,
        kind=KIND,
        publisher="derived from the Office for National Statistics",
        title="Population shares of commissioners in upper-tier areas",
        shares=shares,
        rows_read=len(table),
        refused=tuple(refused),
        checks=(_shares_add_up(shares),),
    )


def _shares_add_up(shares: pd.DataFrame) -> Check:
    sums = shares.groupby("commissioner")["share"].sum()
    wrong = [code for code, total in sums.items() if not math.isclose(total, 1, abs_tol=0.001)]
    detail = f"{len(sums) - len(wrong)} of {len(sums)} commissioners" + (
        f"; not {', '.join(wrong)}" if wrong else ""
    )
    return Check("shares of each commissioner add up to 1", not wrong, detail)
