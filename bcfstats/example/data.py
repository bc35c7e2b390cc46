"""Fictional example data, made by a seeded generator: areas, observations and targets of no real place."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.metrics import METRICS, get_metric
from bcfstats.define.schemes import DEFAULT_SCHEME, LOCAL, Scheme
from bcfstats.define.schemes import scheme as scheme_of
from bcfstats.errors import InputError, ParameterError
from bcfstats.example.series import (
    PRESENT,
    RECIPE,
    SERIES,
    SERIES_SINCE_2016,
    Array,
    Series,
    delays,
    draw,
    periods,
    stream,
)
from bcfstats.read.data import FICTIONAL, Data
from bcfstats.read.prepare import prepare

NUMBERS = ["numerator", "denominator", "value", "lower_ci", "upper_ci"]


def with_faults(
    table: pd.DataFrame, areas: pd.DataFrame, seed: int, faults: Sequence[dict[str, Any]]
) -> pd.DataFrame:
    """Put faults in, each in areas of its own; the tiny last area gets none."""
    left = list(areas["area_code"].to_numpy()[stream(seed, "faults").permutation(len(areas) - 1)])
    for fault in faults:
        hit = left[: fault["areas"]]
        left = left[fault["areas"] :]
        rows = table["metric"].eq(fault["metric"]) & table["area_code"].isin(hit)
        rows &= table["period_start"].ge(pd.Timestamp(fault["start"]))
        rows &= table["period_end"].le(pd.Timestamp(fault["end"]))
        table = _FAULTS[fault["what"]](table, rows, fault)
    return table


def _absent(table: pd.DataFrame, rows: pd.Series, fault: dict[str, Any]) -> pd.DataFrame:
    return table[~rows].reset_index(drop=True)


def _scaled(table: pd.DataFrame, rows: pd.Series, fault: dict[str, Any]) -> pd.DataFrame:
    table.loc[rows, "numerator"] = np.round(table.loc[rows, "numerator"] * fault["factor"])
    return table


def _rounded(table: pd.DataFrame, rows: pd.Series, fault: dict[str, Any]) -> pd.DataFrame:
    table.loc[rows, "numerator"] = 5 * np.round(table.loc[rows, "numerator"] / 5)
    table.loc[rows, ["status", "status_note"]] = ["rounded", fault["about"]]
    return table


def _not_available(table: pd.DataFrame, rows: pd.Series, fault: dict[str, Any]) -> pd.DataFrame:
    table.loc[rows, NUMBERS] = np.nan
    table.loc[rows, ["status", "status_note"]] = ["not_available", fault["about"]]
    return table


_FAULTS = {"absent": _absent, "scaled": _scaled, "rounded": _rounded, "not_available": _not_available}


def with_suppression(table: pd.DataFrame) -> pd.DataFrame:
    """Hide counts of 1 to 5 people, as publishers of hospital and social care statistics do."""
    rule = RECIPE["suppression"]
    small = table["numerator"].between(1, rule["largest"]) & ~table["metric"].isin(rule["not_people"])
    table.loc[small, ["numerator", "value", "lower_ci", "upper_ci"]] = np.nan
    table.loc[small, ["status", "status_note"]] = ["suppressed", rule["about"]]
    return table


LAST_OF_2014, LAST_OF_PRESENT = pd.Timestamp(2015, 6, 30), pd.Timestamp(2026, 9, 30)
MAX_AREAS = 7_000
_ROWS_OF_A_FILE = 250_000


def example_areas(n_areas: int = 150, seed: int = 2014) -> pd.DataFrame:
    """Give fictional areas: which places the example data are about."""
    _check(n_areas, seed)
    stems, endings = RECIPE["names"]["stems"].split(), RECIPE["names"]["endings"].split()
    drawn = stream(seed, "names").permutation(len(stems) * len(endings))[:n_areas]
    names = [stems[i // len(endings)] + endings[i % len(endings)] for i in drawn]
    number = np.arange(1, n_areas + 1)
    region = (number - 1) * len(RECIPE["names"]["regions"]) // n_areas
    return pd.DataFrame(
        {
            "area_code": [f"X06{i:06d}" for i in number],
            "area_name": names,
            "area_type": "Fictional area",
            "region_code": [f"X12{i:06d}" for i in region + 1],
            "region": np.array(RECIPE["names"]["regions"], dtype=object)[region],
            "council_code": [f"X{i:04d}" for i in number],
            "board": names,
        }
    )


def example_observations(
    n_areas: int = 150, seed: int = 2014, *, scheme: Scheme | str = DEFAULT_SCHEME
) -> pd.DataFrame:
    """Give fictional observations of the metrics of a scheme, from April 2010 at the earliest.

    A scheme that pays has every metric of 2013 and 2014 to June 2015; the others have their own, to six
    months after their last period or to September 2026.
    """
    _check(n_areas, seed)
    wanted, rules = _series_of(scheme), scheme_of(scheme)
    last = _last_day(rules)
    areas = example_areas(n_areas, seed)
    frames = [_series_table(series, areas, seed, last) for series in wanted]
    faults = RECIPE["faults"] if rules.pays else PRESENT["faults"]
    table = with_faults(pd.concat(frames, ignore_index=True), areas, seed, faults)
    table["vintage"] = last + pd.offsets.MonthEnd(2)
    table["source"] = FICTIONAL
    return _with_values(with_suppression(table))


def _series_of(scheme: Scheme | str) -> tuple[Series, ...]:
    rules = scheme_of(scheme)
    if rules.pays:
        return SERIES
    local = "local" if LOCAL in rules.metrics else "none"
    asked = tuple(
        one
        for one in (*SERIES, *SERIES_SINCE_2016)
        if one.metric in rules.metrics or get_metric(one.metric).group == local
    )
    if not asked:
        raise ParameterError(
            "There are no example data for this scheme.", found=rules.id, do=rules.no_plan or "Use another."
        )
    return asked


def _last_day(rules: Scheme) -> pd.Timestamp:
    if rules.pays:
        return LAST_OF_2014
    ends = [window.end for one in rules.payments for window in one.metrics.values() if window is not None]
    last = pd.Timestamp(max(ends)).as_unit("us") + pd.offsets.MonthEnd(6)
    return min(last, LAST_OF_PRESENT)


def write_example(
    folder: str | Path,
    *,
    n_areas: int = 150,
    seed: int = 2014,
    scheme: Scheme | str = DEFAULT_SCHEME,
) -> Path:
    """Write the example data as CSV files, as a user would put them into `data/raw`."""
    folder = Path(folder)
    table = example_observations(n_areas, seed, scheme=scheme)
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(example_areas(n_areas, seed), folder / "areas.csv")
    for frequency, rows in table.groupby("frequency"):
        firsts = range(0, len(rows), _ROWS_OF_A_FILE)
        for number, first in enumerate(firsts, start=1):
            part = f"_{number}" if len(firsts) > 1 else ""
            write_csv(rows[first : first + _ROWS_OF_A_FILE], folder / f"observations_{frequency}{part}.csv")
    return folder


def example_data(*, n_areas: int = 150, seed: int = 2014, scheme: Scheme | str = DEFAULT_SCHEME) -> Data:
    """Give the example data as `load` gives real ones: written as files, read, checked and prepared.

    Parameters
    ----------
    n_areas, seed
        How many areas, and which random numbers.
    scheme : Scheme or str
        Whose metrics: those of 2013 and 2014, or those of a year since 2016.

    Returns
    -------
    Data
        With `is_example` true.

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Notes
    -----
    When not to use it: for any statement about a real place.

    Examples
    --------
    >>> data = example_data(n_areas=3)
    >>> data.is_example, data.areas["area_code"].tolist()
    (True, ['X06000001', 'X06000002', 'X06000003'])
    """
    with tempfile.TemporaryDirectory() as folder:
        raw = write_example(Path(folder, "raw"), n_areas=n_areas, seed=seed, scheme=scheme)
        prepared = prepare(raw, Path(folder, "processed"))
    if prepared.exit_code:
        refused = "; ".join(f"{name}: {reason}" for name, reason in prepared.refused_files.items())
        raise InputError(
            "The example data could not be read back.", found=refused, do="Install bcfstats again."
        )
    return prepared.data


def _check(n_areas: int, seed: int) -> None:
    if not 1 <= n_areas <= MAX_AREAS:
        raise ParameterError(
            "The example cannot have this many areas.",
            found=str(n_areas),
            do=f"Give n_areas from 1 to {MAX_AREAS:,}.",
        )
    if seed < 0:
        raise ParameterError("A seed cannot be negative.", found=str(seed), do="Give 0 or more.")


def _series_table(series: Series, areas: pd.DataFrame, seed: int, last: pd.Timestamp) -> pd.DataFrame:
    """Draw a series for all areas and periods: a row per metric, period and area, values still to be made."""
    starts, ends = periods(series, last)
    n = len(areas)
    if series.kind == "delay":
        drawn = delays(series, starts, n, seed)
    else:
        drawn = {series.metric: draw(series, starts, ends, n, seed)}
    table = pd.concat(
        [_laid_out(name, numbers, series, areas, starts, ends) for name, numbers in drawn.items()]
    )
    return pd.concat([table, _years_of(table)], ignore_index=True) if series.yearly else table


def _laid_out(
    name: str,
    drawn: dict[str, Array],
    series: Series,
    areas: pd.DataFrame,
    starts: pd.DatetimeIndex,
    ends: pd.DatetimeIndex,
) -> pd.DataFrame:
    metric = get_metric(name)
    after = starts >= pd.Timestamp(series.step.get("start", "2010-04-01"))
    basis = np.where(after, series.step.get("after", "fictional"), series.step.get("before", ""))
    fields = {name: numbers.ravel() for name, numbers in drawn.items()}
    for name in {"value", "lower_ci", "upper_ci"} & set(fields):
        fields[name] = fields[name] * (1.0 if series.kind == "score" else metric.multiplier)
    return pd.DataFrame(
        {
            "area_code": np.tile(areas["area_code"], len(starts)),
            "area_name": np.tile(areas["area_name"], len(starts)),
            "metric": metric.id,
            "period_start": np.repeat(starts, len(areas)),
            "period_end": np.repeat(ends, len(areas)),
            "frequency": "quarter" if series.months == 3 else metric.frequency,
            **{name: fields.get(name, np.nan) for name in NUMBERS},
            "status": "ok",
            "status_note": "",
            "basis": np.repeat(basis.astype(object), len(areas)),
        }
    )


def _years_of(quarters: pd.DataFrame) -> pd.DataFrame:
    """Add quarters up to the years that end with each of them, over the people of the last."""
    ordered = quarters.sort_values(["area_code", "period_start"])
    of_area = ordered.groupby("area_code")
    start, total = of_area["period_start"].shift(3), of_area["numerator"].rolling(4).sum()
    years = ordered.assign(period_start=start, numerator=total.to_numpy(), frequency="year")
    return years.dropna(subset="period_start").sort_values(["period_start", "area_code"])


def _with_values(table: pd.DataFrame) -> pd.DataFrame:
    """Work out the values that are quotients; published scores and standardised rates are there already."""
    multiplier = table["metric"].map({name: get_metric(name).multiplier for name in table["metric"].unique()})
    quotient = table["numerator"] / table["denominator"] * multiplier
    return table.assign(value=table["value"].where(table["value"].notna(), quotient))


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write the same bytes on every system: ten figures, plain line ends."""
    table.to_csv(path, index=False, float_format="%.10g", date_format="%Y-%m-%d", lineterminator="\n")


def example_targets(
    n_areas: int = 150, seed: int = 2014, *, scheme: Scheme | str = DEFAULT_SCHEME
) -> pd.DataFrame:
    """Give fictional ambitions for the payments, or the periods planned for, of a scheme."""
    areas = example_areas(n_areas, seed)["area_code"].to_numpy()
    local = [metric.id for metric in METRICS.values() if metric.group == "local"]
    picked = stream(seed, "targets", "local").choice(local, n_areas)
    frames = [
        pd.DataFrame(
            {"area": areas, "metric": picked if metric == "local" else metric, "payment": payment.id}
        )
        for payment in scheme_of(scheme).payments
        for metric in payment.metrics
    ]
    table = pd.concat(frames, ignore_index=True).sort_values("area", kind="stable", ignore_index=True)
    table["change_percent"] = _ambitions(table["metric"], seed)
    return table.assign(source=FICTIONAL)


def write_example_targets(
    path: str | Path, *, n_areas: int = 150, seed: int = 2014, scheme: Scheme | str = DEFAULT_SCHEME
) -> Path:
    """Write `example_targets` as a CSV file, which belongs beside the raw folder, not in it."""
    write_csv(example_targets(n_areas, seed, scheme=scheme), Path(path))
    return Path(path)


def _ambitions(metrics: pd.Series, seed: int) -> Array:
    """Draw the change asked for, in per cent: minus where lower is better, unless it goes the wrong way."""
    kinds, random = RECIPE["targets"]["kinds"], stream(seed, "targets", "changes")
    kind = random.choice(len(kinds), len(metrics), p=[kind["share"] for kind in kinds])
    where = random.random(len(metrics))
    lower = metrics.map({metric.id: metric.polarity == "lower" for metric in METRICS.values()}).to_numpy(bool)
    low, high = (np.array([[kind["higher"][side], kind["lower"][side]] for kind in kinds]) for side in (0, 1))
    column = lower.astype(int)
    size = low[kind, column] + where * (high - low)[kind, column]
    change: Array = np.round(np.where(lower, -size, size), 1)
    return change
