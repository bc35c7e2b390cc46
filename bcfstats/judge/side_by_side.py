"""Areas beside each other: their values, how far each is from the average, and which can be told apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bcfstats.define.areas import codes_of
from bcfstats.define.levels import LEVELS
from bcfstats.define.metrics import METRICS, Metric, get_metric
from bcfstats.define.periods import Period
from bcfstats.errors import InputError
from bcfstats.judge.assessment import latest_year, published
from bcfstats.judge.baseline import window_figures
from bcfstats.judge.kinds import BY_LIMITS, Figures, chance, change_columns, has_funnel
from bcfstats.judge.screening import sound
from bcfstats.judge.windows import Grid
from bcfstats.read.data import Data
from bcfstats.stats.comparisons import Comparison
from bcfstats.stats.control_charts import funnel_limits
from bcfstats.stats.dispersion import paule_mandel
from bcfstats.stats.multiple import adjust_p_values

CHOSEN, PEER, OTHER = "chosen", "peer", "other"
ABOVE, BELOW, WITHIN, UNKNOWN = "above", "below", "within", "not known"
POOLED, MIDDLE = "all areas together", "the middle area"
FUNNEL = (LEVELS.interval, 0.998)
WINSORISED = 0.1
MOST_PAIRS, SHOWN_FIRST = 15, 3
AREA_COLUMNS = [
    *("area_code", "area_name", "role", "numerator", "denominator", "value", "lower", "upper", "exposure"),
    *("position", "unusual", "reason"),
]
YEAR_COLUMNS = ["area_code", "value", "period"]
MOST_YEARS = 8
PAIR_COLUMNS = ["first", "second", "change", "lower", "upper", "p_value", "p_adjusted", "finding", "reason"]


@dataclass(frozen=True, eq=False)
class SideBySide:
    """Areas in one window, and what can be said of the differences between them.

    An area's `position` is to the average, beyond chance; `unusual` the same beyond what areas of its size
    usually differ by. `between` is the standard deviation between areas beyond chance (of logs for rates);
    `funnel` has limits by chance alone, where counts allow them; `years` the same months of each year of one
    definition; `stayed` of the lowest `quarter` of areas were in it a year before.
    """

    metric: Metric
    period: Period
    areas: pd.DataFrame
    pairs: pd.DataFrame
    average: float
    average_of: str
    funnel: pd.DataFrame | None
    between: float
    change_unit: str
    years: pd.DataFrame
    stayed: int
    quarter: int


def compare_areas(
    data: Data,
    metric: str,
    areas: Sequence[str] = (),
    window: str | None = None,
    *,
    peers: Mapping[str, Sequence[str]] | None = None,
    metrics: Mapping[str, Metric] = METRICS,
) -> SideBySide:
    """Set areas beside each other in one window, to tell which differ from the average or from each other.

    Areas that lack part of the window are left out. Shares and rates of independent events are held against
    funnel limits of 99.8 %, by chance alone and widened by the variance between areas (`paule_mandel`, a
    tenth winsorised at each end); others are above or below the average where their interval leaves it out.
    P-values of pairs are after Benjamini and Hochberg. Not for a change (`assess`), nor across a change of
    definition.

    >>> from bcfstats import example_data
    >>> found = compare_areas(example_data(n_areas=20), "reablement", ["Aldamount", "Ilvacliff"], "2013/14")
    >>> found.period.label, len(found.areas), found.pairs["finding"].tolist()
    ('2013/14', 20, ['lower'])
    """
    measured = get_metric(metric, metrics)
    known = data.observations.loc[data.observations["metric"] == measured.id]
    if known.empty:
        raise InputError("There are no figures of this metric.", found=measured.id)
    rows = sound(known, metrics).observations
    grid = Grid(rows, measured)
    period = Period.of(window) if window else _latest(rows, measured)
    table = _values(grid, period)
    first = data.areas.sort_values("area_name")["area_code"].iloc[:SHOWN_FIRST]
    codes = codes_of(areas, data.areas) or first.tolist()
    table["role"] = _roles(table["area_code"], codes, peers)
    if not np.isfinite(table["value"]).any():
        raise InputError("No area has a figure for the whole window.", where=measured.id, found=period.label)
    average, average_of = _average(table, measured, period)
    table, funnel, between = _positions(table, measured, average)
    years = _years(grid, period)
    stayed, quarter = _stayed(years, period)
    return SideBySide(
        metric=measured,
        period=period,
        areas=table[AREA_COLUMNS],
        pairs=_pairs(table, measured, codes),
        average=average,
        average_of=average_of,
        funnel=funnel,
        between=between,
        change_unit="%" if measured.kind.change == "ratio" else measured.points,
        years=years,
        stayed=stayed,
        quarter=quarter,
    )


def _latest(rows: pd.DataFrame, metric: Metric) -> Period:
    """Take the latest year, or where there is none to compare the latest period that is published."""
    if not (there := published(rows, metric)):
        raise InputError("No area has a usable figure.", where=metric.id)
    year = latest_year(rows, metric)
    return year[1] if year else there[-1]


def _values(grid: Grid, period: Period) -> pd.DataFrame:
    """Give each area's value in the window, missing where some months are."""
    table = window_figures(grid, period)
    part = table["n_present"] < table["n_expected"]
    share = table["n_present"].astype(str) + " of " + table["n_expected"].astype(str)
    some = part & (table["n_present"] > 0)
    table.loc[some, "reason"] = share[some] + " " + table["word"][some] + "s have a usable figure"
    table.loc[part, ["value", "lower", "upper"]] = np.nan
    return table


def _roles(
    codes: "pd.Series[str]", named: Sequence[str], peers: Mapping[str, Sequence[str]] | None
) -> "pd.Series[str]":
    near = set((peers or {}).get(named[0], ()))
    return codes.map(lambda code: CHOSEN if code in named else PEER if code in near else OTHER)


def _average(table: pd.DataFrame, metric: Metric, period: Period) -> tuple[float, str]:
    whole = table.loc[np.isfinite(table["value"])]
    if metric.kind.is_exact and whole["events"].notna().all():
        return float(metric.multiplier * whole["events"].sum() / whole["exposure"].sum()), POOLED
    return float(whole["value"].median()), MIDDLE


def _positions(
    table: pd.DataFrame, metric: Metric, average: float
) -> tuple[pd.DataFrame, pd.DataFrame | None, float]:
    if not has_funnel(metric):
        position = _outside(np.full(len(table), average), table["lower"], table["upper"], flip=True)
        return table.assign(position=position, unusual=UNKNOWN), None, float("nan")
    kind: Literal["proportion", "rate"] = "proportion" if metric.kind.is_share else "rate"
    tau2 = _between(table, metric, average, kind)
    exposure = table["exposure"].to_numpy(dtype=float)
    given: dict[str, Any] = {"kind": kind, "confidence_level": FUNNEL, "multiplier": metric.multiplier}
    chance = funnel_limits(exposure, average, **given)
    usual = funnel_limits(exposure, average, between_area_variance=tau2, **given)
    value = table["value"].to_numpy(dtype=float)
    table = table.assign(
        position=_outside(value, chance.lower[1], chance.upper[1]),
        unusual=_outside(value, usual.lower[1], usual.upper[1]),
    )
    known = exposure[np.isfinite(value) & (exposure > 0)]
    sizes = np.geomspace(known.min(), known.max(), 60)
    drawn = funnel_limits(sizes, average, **given)
    funnel = pd.DataFrame({"exposure": sizes})
    for i, level in enumerate(FUNNEL):
        funnel[f"lower_{level:g}"], funnel[f"upper_{level:g}"] = drawn.lower[i], drawn.upper[i]
    return table, funnel, float(np.sqrt(tau2))


def _between(table: pd.DataFrame, metric: Metric, average: float, kind: str) -> float:
    """Variance between areas beyond chance: of logs for rates, of shares for proportions."""
    share, exposure = table["value"].to_numpy(dtype=float) / metric.multiplier, table["exposure"]
    people = exposure.to_numpy(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = average / metric.multiplier
        if kind == "rate":
            own, variance = np.log(share), 1 / (people * middle)
        else:
            own, variance = share, middle * (1 - middle) / people
    good = np.isfinite(own) & np.isfinite(variance) & (variance > 0)
    variance_between = paule_mandel(own[good], variance[good], winsorise=WINSORISED).value
    return float(variance_between) if np.isfinite(variance_between) else 0.0


def _outside(value: object, lower: object, upper: object, *, flip: bool = False) -> NDArray[np.str_]:
    """Say where a value lies to its limits; flipped: where limits lie to a value."""
    x, low, high = (np.asarray(part, dtype=float) for part in (value, lower, upper))
    over, under = (x < low, x > high) if flip else (x > high, x < low)
    known = np.isfinite(x) & np.isfinite(low) & np.isfinite(high)
    return np.select([~known, over, under], [UNKNOWN, ABOVE, BELOW], default=WITHIN)


def _pairs(table: pd.DataFrame, metric: Metric, named: Sequence[str]) -> pd.DataFrame:
    """Compare each two of the chosen areas, the second with the first."""
    here = {code: i for i, code in enumerate(table["area_code"]) if code in named}
    pairs = list(combinations([here[code] for code in dict.fromkeys(named) if code in here], 2))[:MOST_PAIRS]
    if not pairs:
        return pd.DataFrame(columns=PAIR_COLUMNS)
    first, second = (table.iloc[[pair[side] for pair in pairs]] for side in (0, 1))
    made = _compared(second, first, metric)
    apart_by = change_columns(metric, made)
    change = np.asarray(apart_by["change"])
    adjusted = adjust_p_values(made.p_value)
    with np.errstate(invalid="ignore"):
        apart = adjusted <= LEVELS.significance
    finding = np.select(
        [~np.isfinite(change), apart & (change > 0), apart],
        [UNKNOWN, "higher", "lower"],
        "cannot be told apart",
    )
    return pd.DataFrame(
        {
            "first": first["area_name"].to_numpy(),
            "second": second["area_name"].to_numpy(),
            "change": change,
            "lower": apart_by["change_lower"],
            "upper": apart_by["change_upper"],
            "p_value": np.asarray(made.p_value),
            "p_adjusted": adjusted,
            "finding": finding,
            "reason": np.asarray(made.reason),
        }
    )


def _compared(after: pd.DataFrame, before: pd.DataFrame, metric: Metric) -> Comparison:
    """Compare by counts where chance follows from them, by limits elsewhere."""
    one, other = (
        replace(made, numerator=np.where(np.isfinite(made.value), made.numerator, np.nan))
        for made in (Figures.of(after, metric), Figures.of(before, metric))
    )
    how = chance(metric) if has_funnel(metric) else BY_LIMITS
    return how.compare(metric, one, other, None)


def _years(grid: Grid, period: Period) -> pd.DataFrame:
    """Give the same months of earlier years, back to the last change of definition."""
    tables = []
    for back in range(MOST_YEARS):
        earlier = period.shift_years(-back)
        if any(earlier.start < changed.date <= period.end for changed in grid.metric.breaks):
            break
        table = _values(grid, earlier)
        if not np.isfinite(table["value"]).any():
            break
        tables.append(table[["area_code", "value"]].assign(period=str(earlier)))
    return pd.concat(tables[::-1], ignore_index=True) if tables else pd.DataFrame(columns=YEAR_COLUMNS)


def _stayed(years: pd.DataFrame, period: Period) -> tuple[int, int]:
    """Count how many of the lowest quarter of areas were in the lowest quarter a year before."""
    wide = years.pivot(index="area_code", columns="period", values="value")
    now, before = str(period), str(period.shift_years(-1))
    if not {now, before} <= set(wide.columns):
        return 0, 0
    both = wide[[now, before]].dropna()
    quarter = len(both) // 4
    lowest = [set(both[when].nsmallest(quarter).index) for when in (now, before)]
    return len(lowest[0] & lowest[1]), quarter
