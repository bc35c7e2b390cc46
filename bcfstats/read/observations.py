"""The tidy frame of observations: its columns, its schema, and what can be wrong in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from bcfstats.define.datafiles import read_rows, read_toml
from bcfstats.define.metrics import get_metric
from bcfstats.define.periods import Period
from bcfstats.errors import InputError, ParameterError
from bcfstats.read.marks import STATUSES

if TYPE_CHECKING:
    from bcfstats.define.metrics import Kind, Metric

TABLES: Mapping[str, dict[str, str]] = read_toml(Path(__file__).with_name("tables.toml"))
OBSERVATION_TYPES, POPULATION_TYPES = TABLES["observations"], TABLES["populations"]
SHARE_TYPES, AREA_TYPES = TABLES["shares"], TABLES["areas"]
OTHER_TYPES = {**OBSERVATION_TYPES, "area_type": "str"}
KEY = ["area_code", "metric", "period_start", "period_end"]
FILE = "file"  # the column that tells rows of several files apart, where these are checked at once
NEEDED = ["area_code", "metric", "period_start", "period_end", "frequency", "status"]
NUMBERS = ["numerator", "denominator", "value", "lower_ci", "upper_ci"]
TO_NEAREST_5 = "published to the nearest 5"
_ROUNDED_TO = 5  # adult social care counts are rounded to the nearest 5
NOT_THE_QUOTIENT = "the value is not numerator / denominator x multiplier"


def typed(
    rows: Iterable[Mapping[str, Any]] | Mapping[str, list[Any]] | pd.DataFrame, types: Mapping[str, str]
) -> pd.DataFrame:
    """Build a frame with exactly the columns of `types`; absent text becomes "", absent numbers NaN.

    Rows come as mappings, or as columns of one length.
    """
    if isinstance(rows, Mapping):
        length = len(next(iter(rows.values()), ()))
        if not length:
            return _without_rows(tuple(types.items())).copy(deep=False)
        absent = [None] * length
        columns = {name: _column(rows.get(name, absent), kind) for name, kind in types.items()}
        return pd.DataFrame(columns, copy=False)
    if not isinstance(rows, pd.DataFrame):
        listed = list(rows)
        return typed({name: [row.get(name) for row in listed] for name in types}, types)
    frame = rows.reindex(columns=list(types)).reset_index(drop=True)
    texts = {
        name: frame[name].astype(object).where(frame[name].notna(), "")
        for name, kind in types.items()
        if kind == "str"
    }
    return frame.assign(**texts).astype(dict(types))


@cache
def _without_rows(types: tuple[tuple[str, str], ...]) -> pd.DataFrame:
    return pd.DataFrame({name: _column([], kind) for name, kind in types})


def _column(cells: list[Any], kind: str) -> Any:
    """Build one column as an array, as a `Series` costs more; what is missing becomes "" in text."""
    if kind == "float64":
        return np.array(cells, dtype=kind)
    if kind == "str":
        cells = ["" if cell is None or cell != cell else str(cell) for cell in cells]
    return pd.array(cells, dtype=kind)


def as_observations(given: object) -> pd.DataFrame:
    """Take what a user gives as observations: dates as days, numbers as numbers, absent text as ""."""
    frame = as_frame(given, "observations", OBSERVATION_TYPES, NEEDED)
    absent = {name: kind for name, kind in OBSERVATION_TYPES.items() if name not in frame}
    frame = frame.assign(**{name: _column([None] * len(frame), kind) for name, kind in absent.items()})
    undated = frame["period_start"].isna() | frame["period_end"].isna()
    if undated.any():
        raise InputError(
            "Rows of the observations have no period.",
            found=f"{undated.sum()} of {len(frame)} rows",
            do="Give every row the first and the last day of its period.",
        )
    return frame


def each_once(given: object) -> pd.DataFrame:
    """Take observations of which each area has one row a metric and period; refuse repeats by name."""
    frame = as_observations(given)
    twice = frame.loc[frame.duplicated(KEY)]
    if len(twice):
        row = twice.iloc[0]
        period = period_text(row["period_start"], row["period_end"])
        raise InputError(
            "An area has more than one figure of a metric for one period.",
            found=f"{row['area_code']}, {row['metric']}, {period}; {len(twice):,} such rows",
            do="Keep the row that counts.",
        )
    return frame


def as_frame(
    given: object, what: str, types: Mapping[str, str], needed: Iterable[str] | None = None
) -> pd.DataFrame:
    """Take what a user gives as a table with columns of these kinds; those not needed may be absent."""
    if not isinstance(given, pd.DataFrame):
        raise InputError(f"The {what} are not a table.", found=type(given).__name__, do="Give a DataFrame.")
    missing = [name for name in (types if needed is None else needed) if name not in given]
    if missing:
        raise InputError(f"Columns are missing from the {what}.", found=", ".join(missing))
    wrong = {name: kind for name, kind in types.items() if name in given and str(given[name].dtype) != kind}
    return given.assign(**{name: _as_kind(given[name], what, name, kind) for name, kind in wrong.items()})


def _as_kind(cells: pd.Series, what: str, name: str, kind: str) -> pd.Series:
    if kind == "str":
        return cells.astype(object).where(cells.notna(), "").astype("str")
    try:
        if kind == "float64":
            return _as_numbers(cells)
        days = pd.to_datetime(cells, format="ISO8601")
        days = days if days.dt.tz is None else days.dt.tz_localize(None)
        if ((days != days.dt.normalize()) & days.notna()).any():
            raise ValueError("a time of day")
        return days.astype(kind)
    except (TypeError, ValueError, AttributeError) as error:
        held = "numbers" if kind == "float64" else "days"
        do = "Give counts and values as numbers." if kind == "float64" else "Give dates such as 2014-04-01."
        raise InputError(
            f"A column of the {what} does not hold {held}.", where=name, found=str(error)[:80], do=do
        ) from None


def _as_numbers(cells: pd.Series) -> pd.Series:
    """Cells as numbers; a number in single precision is what it prints as. Text is none, "12" included."""
    if cells.dtype.kind in "mM" or cells.map(lambda cell: isinstance(cell, pd.Timestamp)).any():
        raise TypeError("dates")
    if cells.dtype.kind not in "iufb" and (texts := [cell for cell in cells if isinstance(cell, str)]):
        raise TypeError(f"text such as '{texts[0][:40]}'")
    if cells.dtype.kind == "f" and getattr(cells.dtype, "itemsize", 8) < 8:
        cells = cells.astype("str").where(cells.notna())
    return pd.to_numeric(cells.astype(object).where(cells.notna(), np.nan)).astype("float64")


def validate(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Refuse a frame that has not the shape of observations; what single rows hold is not judged here."""
    import pandera.errors
    import pandera.pandas as table

    checks = {"status": table.Check.isin(STATUSES)}
    may_be_missing = (*NUMBERS, "vintage")
    columns = {
        name: table.Column(kind, checks.get(name), nullable=name in may_be_missing)
        for name, kind in OBSERVATION_TYPES.items()
    }
    schema: Any = table.DataFrameSchema(columns, strict=True, ordered=True)
    try:
        return schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases[["column", "check", "failure_case"]].head(3)
        found = "; ".join(f"{row.column}: {row.check} ({row.failure_case})" for row in cases.itertuples())
        raise InputError(
            "This is not a table of observations.",
            where=where,
            found=found,
            do="Run 'bcfstats prepare' again.",
        ) from None


class _Rule(NamedTuple):
    """One thing that can be wrong: `wrong` marks the rows; an impossible row cannot be kept at all."""

    column: str
    wrong: pd.Series
    reason: str
    impossible: bool = True
    found: pd.Series | None = None  # what to show, where that is not the cell of the column


def check_observations(frame: pd.DataFrame, metrics: Mapping[str, Metric]) -> pd.DataFrame:
    """Find what is wrong in a frame of observations, row by row."""
    return _all_problems(frame, _rules(frame, metrics))


def problems_by_area(problems: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Gather the problems of each area into sentences, so that only that area is stopped."""
    return {
        str(code): tuple(
            f"{row.metric}, {row.period}, {row.column}: {row.reason} (found {row.found})."
            for row in rows.itertuples()
        )
        for code, rows in problems.groupby("area_code", sort=True)
    }


def complete(frame: pd.DataFrame, metrics: Mapping[str, Metric]) -> pd.DataFrame:
    """Fill in what follows from the rest: metric ids, frequencies, and values of counted metrics."""
    ids = {name: _metric_id(name, metrics) for name in frame["metric"].unique()}
    metric = frame["metric"].map(ids).astype("str")
    multiplier = metric.map({name: one.multiplier for name, one in metrics.items()}).astype("float64")
    frequency = metric.map({name: one.frequency for name, one in metrics.items()})
    counted = _known(metric, metrics, lambda kind: not kind.is_standardised) & (frame["denominator"] > 0)
    quotient = (frame["numerator"] / frame["denominator"] * multiplier).where(counted)
    completed = frame.assign(
        metric=metric,
        frequency=frame["frequency"].mask(frame["frequency"] == "", frequency.fillna("")),
        value=frame["value"].fillna(quotient),
    )
    return completed.drop_duplicates([*_within(frame, KEY), *NUMBERS, "status"], ignore_index=True)


def _within(frame: pd.DataFrame, names: list[str]) -> list[str]:
    """Give the columns, and that of the file, where rows of several files are checked at once."""
    return [*names, FILE] if FILE in frame else names


def _known(metric: pd.Series, metrics: Mapping[str, Metric], what: Callable[[Kind], bool]) -> pd.Series:
    """Say of each row whether its metric is known and of such a kind."""
    return metric.isin([name for name, one in metrics.items() if what(one.kind)])


def _metric_id(name: str, metrics: Mapping[str, Metric]) -> str:
    try:
        return get_metric(name, metrics).id
    except ParameterError:
        return name


def mark_rounded(frame: pd.DataFrame, metrics: Mapping[str, Metric]) -> pd.DataFrame:
    """Give the status "rounded" where counts to the nearest 5 explain why values are not their quotients.

    That is believed of a metric and period of which every count is a multiple of 5.
    """
    counts = frame[["numerator", "denominator"]]
    fives = (counts % _ROUNDED_TO == 0).all(axis="columns") | counts.isna().any(axis="columns")
    groups = [frame[name] for name in _within(frame, ["metric", "period_start", "period_end"])]
    only = fives.groupby(groups).transform("all") & counts.notna().all(axis="columns")
    may_be = only & (frame["status"] == "ok")
    if not may_be.any():
        return frame
    trial = frame.assign(status=frame["status"].mask(may_be, "rounded"))
    exact, rounded = (_apart(one, _numbers(one), metrics) for one in (frame, trial))
    explained = may_be & (exact & ~rounded).groupby(groups).transform("any") & ~rounded
    note = f"numerator and denominator {TO_NEAREST_5}: all counts are multiples of 5"
    return add_note(frame.assign(status=frame["status"].mask(explained, "rounded")), explained, note)


def split_impossible(frame: pd.DataFrame, metrics: Mapping[str, Metric]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part the rows that can be kept from the problems of those that cannot."""
    rules = list(_rules(frame, metrics))
    refused = _all_problems(frame, (rule for rule in rules if rule.impossible))
    kept = frame.drop(index=refused.index.unique())
    for rule in rules:
        if not rule.impossible:
            kept = mark_suspect(kept, rule.wrong.reindex(kept.index), rule.reason)
    return kept.reset_index(drop=True), refused


def mark_suspect(frame: pd.DataFrame, rows: pd.Series, note: str) -> pd.DataFrame:
    """Set status "suspect" where `rows` is true and add the note; numbers stay as published."""
    if not rows.any():
        return frame
    return add_note(frame.assign(status=frame["status"].mask(rows, "suspect")), rows, note)


def mark_known_problems(frame: pd.DataFrame) -> pd.DataFrame:
    """Mark the figures in `known_problems.csv` as suspect and say why; numbers stay as published."""
    codes = {problem["code"] for problem in _known_problems()}
    if not frame["area_code"].isin(codes).any():
        return frame
    for problem in _known_problems():
        first = pd.Timestamp(Period.parse(problem["first_month"]).start)
        last = (
            pd.Timestamp(Period.parse(problem["last_month"]).end)
            if problem["last_month"]
            else pd.Timestamp.max
        )
        rows = (
            (frame["area_code"] == problem["code"])
            & (frame["metric"] == problem["metric"])
            & (frame["period_start"] >= first)
            & (frame["period_end"] <= last)
        )
        said = frame["status_note"].str.contains(problem["note"], regex=False)
        frame = mark_suspect(frame, rows & ~said, problem["note"])
    return frame


@cache
def _known_problems() -> tuple[dict[str, str], ...]:
    return read_rows(Path(__file__).with_name("known_problems.csv"))


def add_note(frame: pd.DataFrame, rows: pd.Series, note: pd.Series | str) -> pd.DataFrame:
    """Add a sentence to `status_note` where `rows` is true, after what stands there."""
    before = frame["status_note"]
    added = before.where(before == "", before + "; ") + note
    return frame.assign(status_note=before.mask(rows, added))


def _all_problems(frame: pd.DataFrame, rules: Iterable[_Rule]) -> pd.DataFrame:
    tables = [_problems(frame, rule) for rule in rules if rule.wrong.any()]
    columns = ("area_code", "metric", "period", "column", "found", "reason")
    return pd.concat(tables) if tables else pd.DataFrame({name: pd.Series(dtype="str") for name in columns})


def _problems(frame: pd.DataFrame, rule: _Rule) -> pd.DataFrame:
    rows = frame[rule.wrong]
    cells = rows[rule.column] if rule.found is None else rule.found[rule.wrong]
    return pd.DataFrame(
        {
            "area_code": rows["area_code"].astype("str"),
            "metric": rows["metric"].astype("str"),
            "period": [period_text(*ends) for ends in zip(rows.period_start, rows.period_end, strict=True)],
            "column": rule.column,
            "found": [_shown(cell) for cell in cells],
            "reason": rule.reason,
        },
        index=rows.index,
    )


def period_text(start: Any, end: Any) -> str:
    """Name a period in words; two dates where it is none."""
    try:
        return Period(start, end).label
    except ParameterError:
        return f"{start} to {end}"


def _shown(cell: Any) -> str:
    return f"{cell:.10g}" if isinstance(cell, float) else str(cell)


def _rules(frame: pd.DataFrame, metrics: Mapping[str, Metric]) -> Iterator[_Rule]:
    shown = frame["value"].where(frame["numerator"].isna(), frame["numerator"])
    twice = frame.duplicated(_within(frame, KEY), keep=False)
    yield _Rule("period_start", twice, "the area has this period more than once", found=shown)
    yield _Rule("metric", ~frame["metric"].isin(list(metrics)), "this metric is not defined")
    yield _Rule("status", ~frame["status"].isin(STATUSES), f"the status is not one of {', '.join(STATUSES)}")
    yield _Rule(
        "period_end", ~(frame["period_end"] >= frame["period_start"]), "the period ends before it starts"
    )
    numbers = _numbers(frame)
    for column in NUMBERS:
        text = (numbers[column].isna() & frame[column].notna()) | _is_text(frame[column])
        yield _Rule(column, text, "this is text where a number belongs")
        yield _Rule(column, pd.Series(np.isinf(numbers[column]), frame.index), "the number is infinite")
    for column in ("numerator", "denominator"):
        yield _Rule(column, numbers[column] < 0, "a count cannot be negative")
    yield from _rules_of_metrics(frame, numbers, metrics)


def _is_text(cells: pd.Series) -> pd.Series:
    if cells.dtype.kind in "iuf":
        return pd.Series(False, cells.index)
    return cells.map(lambda cell: isinstance(cell, str)).astype(bool)


def _numbers(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[NUMBERS].apply(pd.to_numeric, errors="coerce")


def _apart(frame: pd.DataFrame, numbers: pd.DataFrame, metrics: Mapping[str, Metric]) -> pd.Series:
    """Mark the values that are not numerator / denominator x multiplier within published rounding."""
    metric, value = frame["metric"], numbers["value"]
    multiplier = metric.map({name: one.multiplier for name, one in metrics.items()}).astype("float64")
    survey = _known(metric, metrics, lambda kind: kind.is_survey)
    lowest, highest = _quotient_range(numbers, multiplier, frame, survey)
    outside = (value + _half_unit(value) < lowest) | (value - _half_unit(value) > highest)
    return _known(metric, metrics, lambda kind: kind.is_quotient) & (numbers["denominator"] > 0) & outside


def _rules_of_metrics(
    frame: pd.DataFrame, numbers: pd.DataFrame, metrics: Mapping[str, Metric]
) -> Iterator[_Rule]:
    """Rules that depend on what kind of statistic the metric is."""
    metric = frame["metric"]
    multiplier = metric.map({name: one.multiplier for name, one in metrics.items()}).astype("float64")
    highest = metric.map({name: one.bounds[1] for name, one in metrics.items()}).astype("float64")
    proportion = _known(metric, metrics, lambda kind: kind.is_share)
    value, numerator, denominator = (numbers[name] for name in ("value", "numerator", "denominator"))
    yield _Rule("value", proportion & (value > multiplier), "a proportion cannot be above 100 %")
    yield _Rule(
        "numerator", proportion & (numerator > denominator), "a proportion has more cases than people"
    )
    yield _Rule("value", ~proportion & (value > highest), "the value is above the highest there can be")
    yield _Rule("value", value < 0, "the value cannot be negative")
    yield _Rule("period_start", _not_a_month(frame, metrics), "a monthly metric needs calendar months")
    yield _Rule("denominator", (denominator == 0) & (numerator > 0), "there are cases but no people")
    yield _Rule("value", _apart(frame, numbers, metrics), NOT_THE_QUOTIENT, impossible=False)
    outside = (numbers["lower_ci"] - _half_unit(numbers["lower_ci"]) > value + _half_unit(value)) | (
        numbers["upper_ci"] + _half_unit(numbers["upper_ci"]) < value - _half_unit(value)
    )
    yield _Rule("value", outside, "the interval does not contain the value", impossible=False)


def _not_a_month(frame: pd.DataFrame, metrics: Mapping[str, Metric]) -> pd.Series:
    monthly = frame["metric"].isin([name for name, one in metrics.items() if one.frequency == "month"])
    start, end = frame["period_start"], frame["period_end"]
    whole = (start.dt.day == 1) & (end == start + pd.offsets.MonthEnd(0))
    return monthly & (end >= start) & ~whole


def _quotient_range(
    numbers: pd.DataFrame, multiplier: pd.Series, frame: pd.DataFrame, survey: pd.Series
) -> tuple[pd.Series, pd.Series]:
    """Lowest and highest value that the counts, rounded as published, allow."""
    numerator, denominator = numbers["numerator"], numbers["denominator"]
    coarse = frame["status"] == "rounded"
    weighted = survey.astype("float64") / 2
    top = weighted.mask(coarse, _ROUNDED_TO / 2)
    alone = frame["status_note"].astype("str").str.contains(f"denominator {TO_NEAREST_5}")
    bottom = weighted.mask(coarse | alone, _ROUNDED_TO / 2)
    slack = 1e-9 * np.maximum(multiplier, numbers["value"].abs().fillna(0.0))
    lowest = (numerator - top).clip(lower=0) / (denominator + bottom) * multiplier - slack
    highest = (numerator + top) / (denominator - bottom).clip(lower=0.5) * multiplier + slack
    return lowest, highest


def _half_unit(value: pd.Series) -> pd.Series:
    """Half of the last decimal place a value is shown with: 0.5 for 424, 0.05 for 424.4."""
    numbers = value.to_numpy()
    half = np.zeros(len(numbers))
    with np.errstate(invalid="ignore", over="ignore"):  # an infinite number is shown with no decimals
        for decimals in (4, 3, 2, 1, 0):
            scaled = numbers * 10.0**decimals
            half[np.abs(scaled - np.round(scaled)) < 1e-6] = 0.5 * 10.0**-decimals
    return pd.Series(half, value.index)
