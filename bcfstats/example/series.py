"""Fictional series: levels that wander from period to period, and what is counted or asked about them."""

from __future__ import annotations

import math
import tomllib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]


def _recipe(name: str) -> dict[str, Any]:
    return tomllib.loads(files("bcfstats.example").joinpath(name).read_text(encoding="utf-8"))


RECIPE, PRESENT = _recipe("example.toml"), _recipe("present.toml")


@dataclass(frozen=True)
class Series:
    """How one fictional metric behaves: one `[[series]]` of `example.toml`, where each number is named."""

    metric: str
    kind: str
    level: float
    months: int = 12
    between: float = 0.0
    drift: float = 0.0
    season: tuple[float, ...] = (1.0,) * 12
    volatility: float = 0.0
    calm: float = 0.0
    walk: float = 0.0
    reversion: float = 0.0
    shock: float = 0.0
    persistence: float = 0.0
    noise: float = 0.0
    stray: Mapping[str, float] = field(default_factory=dict)
    step: Mapping[str, Any] = field(default_factory=dict)
    people: str = ""
    cases: Mapping[str, float] = field(default_factory=dict)
    margin: float = 0.0
    respondents: int = 0
    case_mix: float = 0.0
    years: tuple[int, ...] = ()
    first: date = date(2010, 4, 1)
    delay: Mapping[str, float] = field(default_factory=dict)
    gap: Mapping[str, Any] = field(default_factory=dict)
    yearly: bool = False


SERIES = tuple(Series(**series) for series in RECIPE["series"])
SERIES_SINCE_2016 = tuple(Series(**series) for series in PRESENT["series"])


def stream(seed: int, *words: str) -> np.random.Generator:
    """Give the random numbers of one purpose: the same for the same seed and words, whatever else is made."""
    return np.random.default_rng([seed, zlib.crc32("/".join(words).encode())])


def periods(series: Series, last: pd.Timestamp) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
    """Give first and last days of the periods since the first day that are over by the last day."""
    starts = pd.date_range(series.first, last, freq=pd.DateOffset(months=series.months))
    ends = starts + pd.DateOffset(months=series.months) - pd.Timedelta(days=1)
    kept = (ends <= last) & (np.isin(starts.year, series.years) if series.years else True)
    return starts[kept], ends[kept]


def draw(
    series: Series, starts: pd.DatetimeIndex, ends: pd.DatetimeIndex, n_areas: int, seed: int
) -> dict[str, Array]:
    """Draw one series for all areas and periods."""
    year = (starts.year - (starts.month < 4)).to_numpy()
    size = people(n_areas, seed, series.people or "all", np.array([2012]))[0]
    level = level_paths(series, starts, size, seed)
    if series.kind == "score":
        return surveyed(series, level, seed)
    if series.cases:
        of = cases(series, size, len(starts), seed)
    else:
        of = people(n_areas, seed, series.people, year)
    if series.kind == "proportion":
        return {"numerator": successes(series, level, of, seed), "denominator": of}
    days = ((ends - starts).days + 1).to_numpy().astype(float)
    count = counted(series, level, of, days, seed)
    rates = standardised(series, count, of, seed) if series.case_mix else {}
    return {"numerator": count, "denominator": of, **rates}


def people(n_areas: int, seed: int, group: str, years: NDArray[np.int64]) -> Array:
    """Give the people of a group, shape (years, areas): whole numbers that grow slowly."""
    recipe = RECIPE["people"]
    share = recipe["groups"][group]
    total = recipe["median"] * np.exp(recipe["spread"] * stream(seed, "people").standard_normal(n_areas))
    if n_areas > 1:
        total[-1] = recipe["smallest"]
    spread = share["spread"] * stream(seed, "people", group).standard_normal(n_areas)
    grown = np.exp(share["growth"] * (years - 2012))
    persons: Array = np.round(grown[:, None] * total * share["share"] * np.exp(spread))
    return persons


def level_paths(series: Series, starts: pd.DatetimeIndex, size: Array, seed: int) -> Array:
    """Give every area's true level in every period, on the scale the series wanders on."""
    n, shape = len(size), (len(starts), len(size))

    def normal(purpose: str, of: int | tuple[int, int] = shape) -> Array:
        return stream(seed, series.metric, purpose).standard_normal(of)

    calmer = np.maximum(size / np.median(size), 0.4) ** -series.calm
    restless = np.exp(series.volatility * normal("volatility", n)) * calmer
    passing = series.shock * np.sqrt(1 - series.persistence**2) * normal("shock")
    passing[:1] = series.shock * normal("first shock", n)
    moved = carried(series.walk * normal("walk"), 1 - series.reversion)
    moved += carried(passing, series.persistence) + series.noise * normal("noise")
    month = np.log(series.season)[(starts.month.to_numpy() - 4) % 12]
    national: Array = _scaled_level(series) + series.drift * _years_since_first(series, starts) + month
    place: Array = series.between * normal("between", n) + _errors(series, starts, shape, seed)
    return national[:, None] + place + restless * moved


def carried(steps: Array, keep: float) -> Array:
    """Add up steps down the periods, keeping a share of what was there: x[t] = keep * x[t-1] + step[t]."""
    total = steps.copy()
    for period in range(1, len(steps)):
        total[period] += keep * total[period - 1]
    return total


def counted(series: Series, level: Array, persons: Array, days: Array, seed: int) -> Array:
    """Draw Poisson counts from log rates per person-year."""
    expected = np.exp(level) * persons * (days / 365.25)[:, None]
    return stream(seed, series.metric, "count").poisson(expected).astype(float)


def cases(series: Series, size: Array, periods: int, seed: int) -> Array:
    """Draw how many people a proportion rests on, shape (periods, areas): larger areas have more."""
    of_area = stream(seed, series.metric, "cases").standard_normal(len(size))
    of_period = stream(seed, series.metric, "cases by period").standard_normal((periods, len(size)))
    middle = series.cases["median"] * (size / np.median(size)) ** 0.9
    drawn = middle * np.exp(series.cases["spread"] * of_area + series.cases.get("period", 0.1) * of_period)
    return np.maximum(np.round(drawn), 1.0)


def successes(series: Series, level: Array, of: Array, seed: int) -> Array:
    """Draw binomial counts from logits."""
    drawn = stream(seed, series.metric, "success").binomial(of.astype(np.int64), 1 / (1 + np.exp(-level)))
    return drawn.astype(float)


def surveyed(series: Series, level: Array, seed: int) -> dict[str, Array]:
    """Draw published survey results: value to one decimal, limits to two, and respondents."""
    wider = np.exp(0.1 * stream(seed, series.metric, "margin").standard_normal(level.shape))
    error = stream(seed, series.metric, "answers").standard_normal(level.shape)
    margin = series.margin * wider
    value = np.round(level + margin / 1.96 * error, 1)
    return {
        "denominator": np.round(series.respondents / wider**2),
        "value": value,
        "lower_ci": np.round(value - margin, 2),
        "upper_ci": np.round(value + margin, 2),
    }


def delays(series: Series, starts: pd.DatetimeIndex, n_areas: int, seed: int) -> dict[str, dict[str, Array]]:
    """Draw discharges, those delayed and their bed days: the average delay and its two parts, by metric."""
    size = people(n_areas, seed, "all", np.array([2012]))[0]
    all_, recipe, shape = cases(series, size, len(starts), seed), series.delay, (len(starts), n_areas)
    if series.gap:
        hit = stream(seed, series.metric, "gap").permutation(n_areas - 1)[: series.gap["areas"]]
        inside = (starts >= pd.Timestamp(series.gap["start"])) & (starts <= pd.Timestamp(series.gap["end"]))
        all_[np.ix_(inside, hit)] = np.round(all_[np.ix_(inside, hit)] * series.gap["share"]) + 1
    delayed = successes(series, level_paths(series, starts, size, seed), all_, seed)
    of_area = recipe["between"] * stream(seed, series.metric, "days").standard_normal(n_areas)
    of_month = recipe["month"] * stream(seed, series.metric, "days by month").standard_normal(shape)
    mean = 1 + (recipe["middle"] - 1) * np.exp(of_area + of_month)
    several = np.maximum(delayed, 1) / recipe["person"] ** 2
    drawn = stream(seed, series.metric, "bed days").gamma(several) / several
    days = delayed + np.round(delayed * (mean - 1) * drawn)
    return {
        "average_discharge_delay": {"numerator": days, "denominator": all_},
        "discharged_on_ready_date": {"numerator": all_ - delayed, "denominator": all_},
        "days_if_delayed": {"numerator": days, "denominator": delayed},
    }


def standardised(series: Series, count: Array, persons: Array, seed: int) -> dict[str, Array]:
    """Give a standardised rate per person with 95 % limits: Byar's of the count, scaled (Dobson 1991)."""
    mix = np.exp(series.case_mix * stream(seed, series.metric, "case mix").standard_normal(count.shape[1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(count > 0, count * (1 - 1 / (9 * count) - 1.96 / (3 * np.sqrt(count))) ** 3, 0.0)
    more = count + 1
    high = more * (1 - 1 / (9 * more) + 1.96 / (3 * np.sqrt(more))) ** 3
    rates = {"value": count, "lower_ci": low, "upper_ci": high}
    return {name: mix * number / persons for name, number in rates.items()}


def _scaled_level(series: Series) -> float:
    """Put the middle level on the scale the series wanders on."""
    if series.kind == "score":
        return series.level
    odds = 1 - series.level if series.kind in ("proportion", "delay") else 1.0
    return math.log(series.level / odds)


def _years_since_first(series: Series, starts: pd.DatetimeIndex) -> Array:
    days: Array = (starts - pd.Timestamp(series.first)).days.to_numpy().astype(float)
    return days / 365.25


def _errors(series: Series, starts: pd.DatetimeIndex, shape: tuple[int, int], seed: int) -> Array:
    """Recording errors of single periods, and the shift where a definition changes."""
    error = np.zeros(shape)
    if series.stray:
        hit = stream(seed, series.metric, "stray").random(shape) < series.stray["share"]
        error += (
            hit * series.stray["spread"] * stream(seed, series.metric, "stray size").standard_normal(shape)
        )
    if series.step:
        own = stream(seed, series.metric, "step").standard_normal(shape[1])
        after = starts.to_numpy() >= np.datetime64(series.step["start"])
        error += after[:, None] * (series.step["shift"] + series.step["spread"] * own)
    return error
