"""The money of each area: from its allocation letter, or from its share of the national pots."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from bcfstats.define.areas import Area, area_finder
from bcfstats.define.schemes import DEFAULT_SCHEME, Scheme, scheme
from bcfstats.errors import InputError, ParameterError
from bcfstats.read.headings import find_by_area, lines_of
from bcfstats.read.marks import parse_number, parse_share
from bcfstats.read.targets import canonical_payment
from bcfstats.read.workbook import cell_text, open_file

COLUMNS = ["area_code", "payment", "pounds", "is_estimate", "note"]
MILLION = Decimal(1_000_000)
ESTIMATE = "estimate: {:g} % of the national £{:,.0f} million"


def read_allocations(
    path: str | Path,
    rules: Scheme | str = DEFAULT_SCHEME,
    *,
    areas: Mapping[str, Area] | Iterable[Area] | pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Read what each area may earn for its metrics at each payment.

    One row per area and payment: `area`, `payment`, and `pounds` (from the allocation letter) or
    `national_share_percent` (the area's share of England), which gives an estimate.
    """
    rules = scheme(rules)
    if not rules.pays:
        raise InputError("No money rests on the metrics of this scheme.", found=rules.id)
    source = open_file(Path(path))
    table = find_by_area(source, "payment")
    if table is None:
        raise InputError(
            "This is not a table of allocations: the columns area and payment are needed.",
            where=source.path.name,
            do="Give one row per area and payment, with pounds or national_share_percent.",
        )
    rows, problems, find = [], [], area_finder(areas)
    for number, line in lines_of(table):
        try:
            rows.append(_row(line, rules, find))
        except ParameterError as error:
            problems.append(f"row {number}: {error}")
    seen: dict[tuple[object, ...], int] = {}
    for number, row in zip(table.index, rows, strict=False) if not problems else ():
        first = seen.setdefault(tuple(row[:2]), number)
        if first != number:
            problems.append(f"row {number}: {row[0]} has its sum for {row[1]} already, in row {first}")
    if problems:
        raise InputError(
            f"{len(problems)} rows of the allocations cannot be used.",
            where=source.path.name,
            found="; ".join(problems),
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(line: Mapping[str, Any], rules: Scheme, find: Callable[[str], Area]) -> list[object]:
    code = find(str(line["area"])).area_code
    payment = rules.payment(canonical_payment(line["payment"], rules))
    pounds = parse_number(cell_text(line.get("pounds")).replace("£", "", 1))
    share = parse_share(line.get("national_share_percent"))
    if (pounds is None) == (share is None) or (pounds or share or 0) < 0:
        raise ParameterError("Give one of pounds and national_share_percent, and nothing negative.")
    if pounds is not None:
        return [code, payment.id, pounds, False, "as allocated"]
    national = payment.metrics_millions
    if national is None:
        raise ParameterError("The national sum of this payment is not known.", found=payment.label)
    sum_ = national * MILLION * Decimal(repr(share)) / 100
    return [code, payment.id, float(sum_), True, ESTIMATE.format(share, national)]
