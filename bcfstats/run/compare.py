"""Two runs side by side: which numbers moved, which judgements changed, which rows came and went."""

import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.areas import Area, codes_of
from bcfstats.define.metrics import get_metric
from bcfstats.errors import InputError
from bcfstats.files import MANIFEST, write_csv
from bcfstats.run.resume import NOT_INPUT
from bcfstats.words import listed

PUBLISHED, PREPARED = "input", "prepared"
TOLD_BY_CHECKSUM = ("metrics", "targets")
OF_THE_RUN = ("stopped", "not_made_again")  # recorded with the settings, chosen by nobody
MOST_NAMED = 6  # files or settings a line; more are counted


@dataclass(frozen=True)
class Differences:
    """What two runs record differently, each as lines to be read."""

    data: tuple[str, ...]
    settings: tuple[str, ...]
    code: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """Say what differs, or that nothing does."""
        lines = [*self.data, *self.settings, *self.code, *self.unknown]
        return lines or ["Both runs record the same files, settings, code and packages."]

    def why(self, moved: bool) -> str:
        """Say what can be the reason, and no more: with two differences, neither is named the cause."""
        kinds = {"the data": self.data, "the settings": self.settings, "the code": self.code}
        differ = [name for name, lines in kinds.items() if lines]
        if not moved:
            verb = "differs" if differ == ["the code"] else "differ"
            return f"No number moved, though {listed(differ)} {verb}." if differ else "No number moved."
        if self.unknown and len(differ) < 2:
            return "Why they moved cannot be told: a run does not record all that it was made from."
        if not differ:
            return "Nothing recorded differs: a result was edited, or the machines compute differently."
        if len(differ) == 1:
            return f"The numbers moved because of {differ[0]}: all else that is recorded is the same."
        return (
            f"{listed(differ).capitalize()} {'both' if len(differ) == 2 else 'all'} differ: which of them "
            "moved a number cannot be told from these two runs. Change one at a time and run again."
        )


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Differences:
    """Compare the records of two runs."""
    files = _files(before), _files(after)
    published, prepared, targets, metrics, scheme = (
        _changed(*files, kind) for kind in (PUBLISHED, PREPARED, "targets", "metrics", "scheme")
    )
    if prepared and not published:
        published = ["Prepared data differ, though the published files are the same: prepare them again."]
    return Differences(
        data=(*published, *targets),
        settings=(*_settings(before, after), *metrics, *scheme),
        code=tuple(_code(before, after)),
        unknown=tuple(_unknown(before, after)),
    )


def _files(record: Mapping[str, Any]) -> dict[tuple[str, str], list[str]]:
    """Checksums by kind and name of file; several files may have one name."""
    about = record["about"]
    read = [*((PUBLISHED, *entry) for entry in about.get("inputs", [])), *about.get("files", [])]
    by_name: dict[tuple[str, str], list[str]] = {}
    for kind, name, checksum in read:
        if name != MANIFEST:  # holds the date of preparing
            by_name.setdefault((kind, name), []).append(checksum)
    return {key: sorted(checksums) for key, checksums in by_name.items()}


def _changed(before: Mapping[Any, Any], after: Mapping[Any, Any], kind: str) -> list[str]:
    names = [name for of, name in sorted(before.keys() | after.keys()) if of == kind]
    groups = {
        "changed": [n for n in names if (kind, n) in before and (kind, n) in after],
        "only in the second": [n for n in names if (kind, n) not in before],
        "only in the first": [n for n in names if (kind, n) not in after],
    }
    groups["changed"] = [n for n in groups["changed"] if before[kind, n] != after[kind, n]]
    lists = [f"{_some(files)} ({how})" for how, files in groups.items() if files]
    return [f"{kind.capitalize()} files: {'; '.join(lists)}."] if lists else []


def _settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    left_out = {*NOT_INPUT, *TOLD_BY_CHECKSUM, *OF_THE_RUN}
    one, two = before["settings"], after["settings"]
    for name in sorted((one.keys() | two.keys()) - left_out):
        values = [str(settings.get(name) or "not set") for settings in (one, two)]
        if name == "scheme":
            values = [Path(value).name for value in values]  # a file of one's own is told by its checksum
        if values[0] != values[1]:
            yield f"Setting {name}: {values[0]}, then {values[1]}."


def _code(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    versions = [
        {name: record.get(name) for name in ("bcfstats", "python", "system")} | record.get("packages", {})
        for record in (before, after)
    ]
    for name in dict.fromkeys([*versions[0], *versions[1]]):
        pair = [version.get(name) or "not recorded" for version in versions]
        if pair[0] != pair[1]:
            yield f"{name}: {pair[0]}, then {pair[1]}."
    codes = [record["about"].get("code") for record in (before, after)]
    if all(codes) and codes[0] != codes[1]:
        yield "The code of bcfstats differs."


def _unknown(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for place, record in (("first", before), ("second", after)):
        if not (record["about"].get("code") and record["about"].get("files")):
            yield f"The {place} run, of an earlier version, does not record its code and prepared data."


def _some(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


KEYS = ["area_code", "metric", "payment"]
SAVED = {"outlook": "outlooks", "target": "assessments"}  # besides the comparisons in results.csv
JUDGEMENTS = ("verdict", "finding", "noise_finding")
JUDGEMENT, APPEARED, VANISHED, COLUMN, NUMBER, WORDS, ROUNDING = KINDS = (
    "judgement changed",
    "row appeared",
    "row vanished",
    "column in one run only",
    "number moved",
    "words changed",
    "rounding",
)
NAMED = ["table", "area_name", "metric", "payment", "figure"]
COLUMNS = ["kind", "table", "area_code", *NAMED[1:], "before", "after", "difference"]
ROUNDING_SHARE = 1e-9  # of a number: other machines and releases sum in another order
_EMPTY = pd.DataFrame(index=pd.MultiIndex.from_arrays([[], [], []], names=KEYS))
SHOWN, LONGEST = 8, 80  # lines of each kind, characters of a text; the CSV file has it all


@dataclass(frozen=True)
class RunComparison:
    """What moved between two runs, and what differs in what they were made from."""

    changes: pd.DataFrame
    differences: Differences

    @property
    def moved(self) -> bool:
        """Whether anything differs by more than rounding."""
        return bool((self.changes["kind"] != ROUNDING).any())


def compare_runs(
    before: Path, after: Path, areas: Sequence[str] = (), metrics: Sequence[str] = ()
) -> RunComparison:
    """Tell which numbers differ between two runs, of some areas and metrics or of all, and why."""
    records = [_record(folder) for folder in (before, after)]
    first, second = (_tables(folder) for folder in (before, after))
    changes = pd.concat([_changes(name, first[name], second[name]) for name in first], ignore_index=True)
    names = _names(first) | _names(second)
    changes["area_name"] = changes["area_code"].map(names).fillna("")
    known = [Area(str(code), str(name)) for code, name in names.items()]
    own = set(changes["metric"])
    wanted = {"area_code": codes_of(areas, known)}
    wanted["metric"] = [text if text in own else get_metric(text).id for text in metrics]
    for column, named in wanted.items():
        changes = changes.loc[changes[column].isin(named)] if named else changes
    order = changes["kind"].map(KINDS.index).argsort(kind="stable")
    return RunComparison(changes.iloc[order].reset_index(drop=True), differences(*records))


def describe_comparison(
    before: Path,
    after: Path,
    *,
    out: Path | None = None,
    areas: Sequence[str] = (),
    metrics: Sequence[str] = (),
) -> tuple[int, list[str]]:
    """Compare two runs in a few plain lines, and write every change as CSV where asked."""
    comparison = compare_runs(before, after, areas, metrics)
    differ, moved = comparison.differences, comparison.moved
    lines = [*_lines_of(comparison.changes), *differ.lines, differ.why(moved)]
    if out is not None:
        sides = {side: comparison.changes[side].map(_number_or_text) for side in ("before", "after")}
        write_csv(out, comparison.changes.assign(**sides))
        lines.append(f"Every change: {out}")
    return int(moved), lines


def _record(folder: Path) -> dict[str, Any]:
    """Read what a run records; refuse a folder whose tables are newer than its results."""
    try:
        record: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        about = json.loads((folder / "tables" / "about.json").read_text(encoding="utf-8"))
        whole = about["made_from"] == record["about"]["made_from"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            "This folder does not hold a run that can be compared.",
            where=str(folder),
            found=f"{type(error).__name__}: {error}",
            do="Give the folder that 'bcfstats run' wrote.",
        ) from None
    if not whole:
        raise InputError(
            "The tables of this run are newer than its results: it was not finished.",
            where=str(folder),
            do="Finish it with: bcfstats run --resume.",
        )
    return record


def _tables(folder: Path) -> dict[str, pd.DataFrame]:
    """Read the tables of a run, every cell as the text it is, by area, metric and payment."""
    try:
        texts = {"comparison": (folder / "results.csv").read_text(encoding="utf-8-sig")}
        for name, table in SAVED.items():
            texts[name] = pd.read_parquet(folder / "tables" / f"{table}.parquet").to_csv(index=False)
        tables = {
            name: pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
            for name, text in texts.items()
        }
    except (OSError, ValueError) as error:
        raise InputError(
            "The results of a run cannot be read.", where=str(folder), found=str(error)
        ) from None
    for name, table in tables.items():
        missing = [key for key in KEYS if key not in table]
        if len(table) and (missing or table.duplicated(KEYS).any()):
            raise InputError(
                "Rows cannot be told apart by area, metric and payment.",
                where=f"{folder}, {name}",
                found=f"no column {missing[0]}" if missing else "the same row twice",
            )
    return {name: table.set_index(KEYS) if len(table) else _EMPTY for name, table in tables.items()}


def _names(tables: dict[str, pd.DataFrame]) -> dict[str, str]:
    rows = tables["comparison"].reset_index()
    return dict(zip(rows["area_code"], rows["area_name"], strict=True)) if "area_name" in rows else {}


def _changes(name: str, first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """List every difference between two tables."""
    shared = [column for column in first if column in second]
    rows = first.index.intersection(second.index, sort=False)
    one, two = (table.loc[rows, shared].to_numpy(dtype=object) for table in (first, second))
    row, column = np.nonzero(one != two)
    cells = rows.take(row).to_frame(index=False)
    cells["figure"] = np.array(shared, dtype=object)[column]
    cells["before"], cells["after"] = one[row, column], two[row, column]
    cells["kind"], cells["difference"] = _kinds(cells)
    gone = [table.index.difference(rows).to_frame(index=False) for table in (first, second)]
    columns = [set(table) - set(shared) for table in (first, second) if len(first) and len(second)]
    tables = [
        cells,
        gone[0].assign(kind=VANISHED),
        gone[1].assign(kind=APPEARED),
        *(
            pd.DataFrame({"figure": sorted(names), "kind": COLUMN, side: "there"})
            for side, names in zip(("before", "after"), columns, strict=False)
        ),
    ]
    changes = pd.concat([part for part in tables if len(part)] or [cells], ignore_index=True)
    changes = changes.assign(table=name).reindex(columns=COLUMNS)
    difference = changes["difference"].astype(float)
    return changes.astype(object).where(changes.notna(), "").assign(difference=difference)


def _kinds(cells: pd.DataFrame) -> tuple[Any, Any]:
    """Tell numbers from words, and a number that moved from one summed in another order."""
    before, after = (
        pd.to_numeric(cells[side], errors="coerce").to_numpy(float) for side in ("before", "after")
    )
    numeric = (np.isfinite(before) | (cells["before"] == "")) & (np.isfinite(after) | (cells["after"] == ""))
    difference = after - before
    with np.errstate(invalid="ignore"):
        rounding = np.abs(difference) <= ROUNDING_SHARE * np.maximum(np.abs(before), np.abs(after))
    judged = cells["figure"].isin(JUDGEMENTS)
    kinds = np.select([judged, numeric & rounding, numeric], [JUDGEMENT, ROUNDING, NUMBER], default=WORDS)
    return kinds, np.where(numeric & ~judged, difference, np.nan)


def _lines_of(changes: pd.DataFrame) -> Iterator[str]:
    """Say how many there are of each kind, with the first few; numbers that moved farthest first."""
    for kind in KINDS:
        rows = changes.loc[changes["kind"] == kind]
        if rows.empty:
            continue
        yield f"{kind.capitalize()}: {len(rows):,}."
        if kind == ROUNDING:
            continue
        if kind == NUMBER:
            share = rows["difference"].abs() / pd.to_numeric(rows["before"]).abs()
            rows = rows.loc[share.sort_values(ascending=False, kind="stable", na_position="first").index]
        yield from (f"  {_line(row)}" for row in rows.head(SHOWN).to_dict("records"))
        if len(rows) > SHOWN:
            yield f"  ... and {len(rows) - SHOWN:,} more: --out writes them all."


def _line(row: dict[str, Any]) -> str:
    where = ", ".join(row[name] for name in NAMED if row[name])
    if row["kind"] in (APPEARED, VANISHED):
        return where
    if row["kind"] == COLUMN:
        return f"{where}: in the {'first' if row['before'] else 'second'} run only"
    moved = "" if np.isnan(row["difference"]) else f" ({row['difference']:+.6g})"
    return f"{where}: {_shown(row['before'])}, then {_shown(row['after'])}{moved}"


def _shown(cell: str) -> str:
    """Shorten a cell for a line: six digits of a number, the beginning of a text."""
    content = _number_or_text(cell)
    if isinstance(content, float):
        return f"{content:.6g}"
    return (content if len(content) <= LONGEST else f"{content[:LONGEST]}...") or "missing"


def _number_or_text(cell: str) -> float | str:
    return float(cell) if re.fullmatch(r"[+-]?[\d.]+(e[+-]?\d+)?", cell) else cell
