"""What no figure tells: a board's answers, groups' ambitions, schemes of work, its money, and its peers."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from bcfstats.define.areas import AREAS, Area, area_finder, areas_frame
from bcfstats.define.metrics import METRICS, get_metric
from bcfstats.define.periods import Period, parse_date
from bcfstats.define.schemes import DEFAULT_SCHEME, Scheme, scheme
from bcfstats.errors import InputError, ParameterError
from bcfstats.read.headings import each_row, find_by_area, lines_of, open_by_area
from bcfstats.read.marks import parse_number, parse_share
from bcfstats.read.observations import TABLES, typed
from bcfstats.read.targets import canonical_payment
from bcfstats.read.workbook import cell_text, open_file

ANSWER_COLUMNS = ["area_code", "question", "answer", "evidence"]
GROUP_COLUMNS = ["area_code", "commissioner", "area_share", "metric", "change_percent"]


def read_answers(path: str | Path, areas: pd.DataFrame) -> pd.DataFrame:
    """Read answers, a row each: `area`, `question` (a condition or criterion), `answer` and `evidence`."""

    def row(line: dict[str, Any]) -> list[object]:
        return [cell_text(line.get(name)) for name in ANSWER_COLUMNS[1:]]

    return _read(path, areas, {"question", "answer"}, row, ANSWER_COLUMNS)


def read_groups(path: str | Path, areas: pd.DataFrame, metrics: Any = METRICS) -> pd.DataFrame:
    """Read commissioning groups' ambitions: `area`, `commissioner`, `area_share`, `metric`, `change_percent`.

    A share is of the area's people, as 0.7 or 70 %.
    """

    def row(line: dict[str, Any]) -> list[object]:
        share, change = parse_share(line["area_share"], 1.0), parse_number(line["change_percent"])
        if share is None or not 0 <= share <= 1 or change is None:
            found = f"'{cell_text(line['area_share'])}', '{cell_text(line['change_percent'])}'"
            raise ParameterError("A share from 0 to 1, or to 100 %, and a change are needed.", found=found)
        name = get_metric(cell_text(line["metric"]), metrics).id
        return [cell_text(line["commissioner"]), share, name, change]

    needed = {"commissioner", "area_share", "metric", "change_percent"}
    return _read(path, areas, needed, row, GROUP_COLUMNS)


def _read(
    path: str | Path,
    areas: pd.DataFrame,
    needed: set[str],
    row: Callable[[dict[str, Any]], list[object]],
    columns: list[str],
) -> pd.DataFrame:
    """Read a table, every problem named before any row is used."""
    what, do = "The table has not the columns needed.", f"Give {', '.join(['area', *columns[1:]])}."
    name, table = open_by_area(path, *needed, what=what, do=do)
    find = area_finder(areas)
    rows, problems, _ = each_row(table, lambda line: [find(str(line["area"])).area_code, *row(line)])
    if problems:
        raise InputError("The table cannot be used; nothing was read.", where=name, found=problems)
    return pd.DataFrame(rows, columns=columns)


LIMITS = ("low", "high")
WORK_TYPES = TABLES["work"]
NEEDED = {"metric", "work", "people", "period_start", "effect"}  # of these "start" is period_start


def read_work(path: str | Path, areas: pd.DataFrame, metrics: Any = METRICS) -> pd.DataFrame:
    """Read a table of schemes of work: one row a scheme of work, every problem named before any is used.

    `area`, `metric`, `work` (its name), `people` reached in the period, `start` (a day or month), `effect`
    (events fewer, or more where more is better, for each person reached, over a whole period) and optionally
    `period`, `people_low`, `people_high`, `effect_low`, `effect_high` (it lies between them in 80 of 100
    cases) and `overlap` (share of these people whom other work on the list reaches already).
    """
    name, table = open_by_area(
        path,
        *NEEDED,
        what="This is not a table of schemes of work.",
        do="Give the columns area, metric, work, people, start and effect, one row a scheme of work.",
    )
    find = area_finder(areas)
    rows, problems, count = each_row(table, lambda line: _row_of_work(line, find, metrics))
    if problems:
        what = f"The schemes of work have {count} problems; none was read."
        raise InputError(what, where=name, found=problems, do="Correct these rows and try again.")
    return typed(rows, WORK_TYPES)


def _row_of_work(line: dict[str, Any], find: Callable[[str], Area], metrics: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "area_code": find(str(line["area"])).area_code,
        "metric": get_metric(cell_text(line["metric"]), metrics).id,
        "period": Period.parse(cell_text(line["period"])).label if cell_text(line.get("period")) else "",
        "work": cell_text(line["work"]),
        "start": _start(line["period_start"]),
        "overlap": _number(line, "overlap", 0.0),
    }
    for name in ("people", "effect"):
        row[name] = middle = _number(line, name, None)
        low, high = (_number(line, f"{name}_{end}", middle) for end in LIMITS)
        if not 0 <= low <= middle <= high:
            raise InputError(f"'{name}' does not lie between its limits.", found=f"{low}, {middle}, {high}")
        row[f"{name}_low"], row[f"{name}_high"] = low, high
    if not 0 <= row["overlap"] <= 1:
        raise InputError("'overlap' is a share from 0 to 1, or 0 % to 100 %.", found=str(row["overlap"]))
    return row


def _start(cell: object) -> pd.Timestamp:
    """Take a day, or the first day of a month or longer period."""
    return pd.Timestamp(parse_date(cell) or Period.parse(cell_text(cell)).start)


def _number(line: dict[str, Any], name: str, usual: float | None) -> float:
    cell = line.get(name)
    if not cell_text(cell) and usual is not None:
        return usual
    number = parse_share(cell, 1.0) if name == "overlap" else parse_number(cell)
    if number is None:
        raise InputError(f"'{name}' is not a number.", found=f"'{cell_text(cell)}'")
    return number


# The money of each area: from its allocation letter, or from its share of the national pots

MONEY_COLUMNS = ["area_code", "payment", "pounds", "is_estimate", "note"]
_MILLION = Decimal(1_000_000)
_ESTIMATE = "estimate: {:g} % of the national £{:,.0f} million"


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
    name, table = open_by_area(
        path,
        "payment",
        what="This is not a table of allocations: the columns area and payment are needed.",
        do="Give one row per area and payment, with pounds or national_share_percent.",
    )
    rows, problems, find = [], [], area_finder(areas)
    for number, line in lines_of(table):
        try:
            rows.append(_money(line, rules, find))
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
            where=name,
            found="; ".join(problems),
        )
    return pd.DataFrame(rows, columns=MONEY_COLUMNS)


def _money(line: Mapping[str, Any], rules: Scheme, find: Callable[[str], Area]) -> list[object]:
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
    sum_ = national * _MILLION * Decimal(repr(share)) / 100
    return [code, payment.id, float(sum_), True, _ESTIMATE.format(share, national)]


# Groups of areas to compare with: by region, by type, or a user's own

_BY = {"region": "region", "type": "area_type"}


def peers_by(by: str, areas: pd.DataFrame | None = None) -> dict[str, tuple[str, ...]]:
    """Group areas by "region" or "type": each area's peers, without itself."""
    if by not in _BY:
        raise ParameterError("There is no such grouping.", found=f"'{by}'", do=f"Use {' or '.join(_BY)}.")
    frame = areas_frame() if areas is None else areas
    return _in_groups(dict(zip(frame["area_code"], frame[_BY[by]], strict=True)))


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
    return (
        {code: tuple(dict.fromkeys(peers)) for code, peers in listed.items()} if pairs else _in_groups(groups)
    )


def _in_groups(groups: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    members: dict[str, list[str]] = {}
    for code, group in groups.items():
        members.setdefault(group, []).append(code)
    return {
        code: tuple(other for other in members[group] if other != code)
        for code, group in groups.items()
        if group and len(members[group]) > 1
    }
