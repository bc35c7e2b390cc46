"""The results of a run without the small numbers: done once, before anything is saved or shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period
from bcfstats.disclose.rules import (
    Rule,
    are_published,
    blanked,
    hide_with,
    rounded,
    rules_of,
    small,
    totals_to_keep,
)
from bcfstats.judge.assessment import with_first_editions
from bcfstats.judge.changes import taken_together
from bcfstats.judge.results import LATEST, NOT_COMPARED, TABLES, Results
from bcfstats.judge.standings import standings
from bcfstats.judge.windows import USABLE
from bcfstats.read.data import Data

KEY = ["area_code", "metric", "period_start", "period_end"]
SIDES = ("baseline", "outcome")
NUMBERS = ("numerator", "value", "lower", "upper")
WITH_TOTALS = ("windows", "trends", "outlooks", "ladders", "assessments")
SMALL_TOTAL = "the total is a small number, or would give one away"
PUBLISHED = "these figures are published already"
EXAMPLE = "these figures are made up"
OWN = (
    "these are figures of your own, shown as they are; if they count people and are not published, "
    "set 'disclosure' in bcfstats.toml"
)
RATES = "Rates and intervals are those of the unrounded counts."
Flags = NDArray[np.bool_]
Setting = str | dict[str, int] | None


@dataclass(frozen=True)
class _Hidden:
    """What of one metric is hidden."""

    metric: Metric
    rule: Rule
    rows: pd.DataFrame  # the metric's observations, with `hidden`

    @property
    def areas(self) -> list[str]:
        return sorted(self.rows.loc[self.rows["hidden"], "area_code"].unique())


def disclose(data: Data, assess: Callable[[Data], Results], setting: Setting = None) -> Results:
    """Assess the data, and keep only what may be shown: all is computed from what is not hidden.

    Where a month is small, all the months of that area are hidden; what rests on its totals over windows is
    computed from the true counts and put back, rounded, where no total leads back to a small month.
    """
    rules = rules_of(data, setting)
    true = assess(data)
    hidden = [mask for metric in true.metrics if (mask := _hidden(data, metric, rules)) is not None]
    kept = true
    if any(mask.areas for mask in hidden):
        kept = _without_small(true, _assessed(_masked(data, hidden), assess, true), hidden)
        kept = _among_shown(kept)
    kept = _with_rounding(kept, hidden)
    published = data.earlier[are_published(replace(data, observations=data.earlier))]
    if len(published):
        windows = with_first_editions(kept.windows, data.observations, published, true.metrics)
        kept = replace(kept, windows=windows)
    areas = kept.areas.assign(problem=_problems(kept.areas["problem"])) if hidden else kept.areas
    return replace(kept, areas=areas, about=kept.about | {"disclosure": list(_told(data, rules, true))})


def without_small(data: Data, metrics: Iterable[Metric], setting: Setting = None) -> Data:
    """Take the small numbers out of the data, and what would give them away; `disclose` keeps more."""
    rules = rules_of(data, setting)
    return _masked(data, [mask for metric in metrics if (mask := _hidden(data, metric, rules)) is not None])


def _hidden(data: Data, metric: Metric, rules: pd.Series[Any]) -> _Hidden | None:
    """Find the figures of a metric that are hidden; nothing where no rule hides any."""
    rows = data.observations.loc[data.observations["metric"] == metric.id]
    ours = np.array([one.largest > 0 for one in rules.loc[rows.index]], dtype=bool)
    if not ours.any():
        return None
    why: Rule = rules.loc[rows.index[ours][0]]
    hidden = small(rows, metric, why.largest) & ours
    if hidden.any():
        hidden = _with_others(rows, metric, hidden, ours, why, data.areas)
    return _Hidden(metric, why, rows.assign(hidden=hidden))


def _with_others(
    rows: pd.DataFrame, metric: Metric, hidden: Flags, ours: Flags, why: Rule, areas: pd.DataFrame
) -> Flags:
    """Hide whole monthly series, and areas enough for totals of regions and of England to tell nothing."""
    area, codes = pd.factorize(rows["area_code"])
    period, periods = pd.factorize(rows["period_start"].astype(str) + rows["period_end"].astype(str))
    counts, flags = np.full((len(codes), len(periods)), np.nan), np.zeros((len(codes), len(periods)), bool)
    counts[area, period] = np.where(ours, rows["numerator"].to_numpy(dtype=float), np.nan)
    flags[area, period] = hidden
    monthly = metric.frequency == "month"
    if monthly:
        flags |= flags.any(axis=1, keepdims=True) & np.isfinite(counts)
    sizes = rows.groupby("area_code")["denominator"].last().reindex(codes).to_numpy(dtype=float)
    regions = areas.drop_duplicates("area_code").set_index("area_code")["region"].reindex(codes)
    for groups in (pd.factorize(regions.fillna(""))[0], np.zeros(len(codes), dtype=np.int64)):
        flags = hide_with(counts, flags, groups, sizes, why.largest, whole=monthly)
    return np.asarray(flags[area, period] & ours)


def _masked(data: Data, hidden: list[_Hidden]) -> Data:
    """Take the hidden figures out of the data, and the metrics of which nothing is left."""
    observations = data.observations
    for mask in hidden:
        plain = replace(mask.rule, round_to=0)
        shown = blanked(mask.rows.drop(columns="hidden"), mask.rows["hidden"].to_numpy(), mask.metric, plain)
        left = shown["status"].isin(USABLE) & np.isfinite(shown["value"].to_numpy(dtype=float))
        others = observations.loc[observations["metric"] != mask.metric.id]
        observations = pd.concat([others, shown]).sort_index() if left.any() else others
    return replace(data, observations=observations)


def _assessed(masked: Data, assess: Callable[[Data], Results], true: Results) -> Results:
    if len(masked.observations):
        return assess(masked)
    return replace(true, **{name: getattr(true, name).iloc[:0] for name in TABLES if name != "areas"})


def _without_small(true: Results, masked: Results, hidden: list[_Hidden]) -> Results:
    """Put together what is computed without the hidden figures and the totals that may be shown."""
    made = {name: getattr(masked, name) for name in TABLES}
    tables = {name: table if len(table) else getattr(true, name).iloc[:0] for name, table in made.items()}
    tables |= {"areas": true.areas, "series": _series(true.series, hidden)}
    for mask in hidden:
        if mask.metric.frequency != "month":
            tables["trends"] = _without_trend(tables["trends"], mask)
            continue
        for code in mask.areas:
            own = {name: _of(getattr(true, name), code, mask.metric) for name in WITH_TOTALS}
            own = _with_totals(own, mask, code)
            tables |= {name: _in_place(tables[name], rows) for name, rows in own.items()}
    return replace(true, **tables)


def _among_shown(kept: Results) -> Results:
    """Compare areas, and findings of an area, among what is shown: a rank among hidden ones tells of them."""
    windows, trends = taken_together(kept.windows, kept.trends)
    among, peers = standings(kept.windows, kept.areas, {metric.id: metric for metric in kept.metrics})
    return replace(kept, windows=windows, trends=trends, standings=among, peers=peers)


def _series(series: pd.DataFrame, hidden: list[_Hidden]) -> pd.DataFrame:
    blocks = [series.loc[~series["metric"].isin([mask.metric.id for mask in hidden])]]
    for mask in hidden:
        rows = series.loc[series["metric"] == mask.metric.id]
        flags = rows.merge(mask.rows[[*KEY, "hidden"]], on=KEY, how="left")["hidden"].to_numpy(dtype=bool)
        blocks.append(blanked(rows, flags, mask.metric, replace(mask.rule, round_to=0)))
    return pd.concat(blocks).sort_index()


def _without_trend(trends: pd.DataFrame, mask: _Hidden) -> pd.DataFrame:
    """Say that there is no trend where years of it are hidden: those left are not a fair sample."""
    if trends.empty:
        return trends
    rows = (trends["metric"] == mask.metric.id) & trends["area_code"].isin(mask.areas)
    frame = trends.copy()
    frame.loc[rows, ["slope", "slope_lower", "slope_upper", "slope_p"]] = np.nan
    frame.loc[rows, "reason"] = "some of its figures are suppressed as small numbers"
    return frame


def _with_totals(own: dict[str, pd.DataFrame], mask: _Hidden, code: str) -> dict[str, pd.DataFrame]:
    """Keep of an area's true results those that rest on totals which may be shown."""
    windows = own["windows"]
    kept = _kept_totals(windows, mask, code)
    withheld = {
        side: np.array([period not in kept for period in windows[f"{side}_period"]], dtype=bool)
        for side in SIDES
    }
    whole = set(windows.loc[~withheld["baseline"], "payment"])
    own = {
        name: rows.loc[rows["payment"].isin(whole)] if "payment" in rows and name != "windows" else rows
        for name, rows in own.items()
    }
    own["windows"] = _withheld(windows, withheld)
    own["trends"] = own["trends"] if kept else own["trends"].iloc[:0]
    return {name: _coarse(rows, mask.metric) for name, rows in own.items()}


def _kept_totals(windows: pd.DataFrame, mask: _Hidden, code: str) -> set[str]:
    rows = mask.rows.loc[(mask.rows["area_code"] == code) & mask.rows["hidden"]]
    rows = rows.sort_values("period_start")
    counts = np.where(rows["status"].isin(USABLE), rows["numerator"].to_numpy(dtype=float), np.nan)
    latest = windows["payment"] == LATEST
    texts = list(dict.fromkeys([*windows["baseline_period"], *windows["outcome_period"]]))
    paid = set(windows.loc[~latest, [f"{side}_period" for side in SIDES]].to_numpy().ravel())
    starts, ends = (pd.to_datetime(rows[name]).dt.date.to_numpy() for name in ("period_start", "period_end"))
    months = []
    for text in texts:
        window = Period.parse(text)
        months.append(np.flatnonzero((starts >= window.start) & (ends <= window.end)))
    first = [i for i, text in enumerate(texts) if text not in paid]
    return {texts[i] for i in totals_to_keep(counts, months, mask.rule.largest, first)}


def _withheld(windows: pd.DataFrame, withheld: dict[str, Flags]) -> pd.DataFrame:
    """Take away the sides that may not be shown, and every change that would lead back to one."""
    frame = windows.copy()
    for side, rows in withheld.items():
        frame.loc[rows, [f"{side}_{name}" for name in NUMBERS]] = np.nan
        frame.loc[rows, f"{side}_reason"] = SMALL_TOTAL
    frame.loc[withheld["outcome"], [f"outcome_whole_{name}" for name in ("value", "lower", "upper")]] = np.nan
    incomplete = (frame["matched_months"] < frame["outcome_n_expected"]).to_numpy(dtype=bool)
    frame.loc[incomplete, [f"{side}_{name}" for side in SIDES for name in NUMBERS]] = np.nan
    gone = withheld["baseline"] | withheld["outcome"] | incomplete
    frame.loc[gone, [name for name in frame if name.startswith("change") and frame[name].dtype == float]] = (
        np.nan
    )
    frame.loc[gone, [name for name in ("noise_p", "history_p") if name in frame]] = np.nan
    frame.loc[gone, [name for name in ("finding", "noise_finding") if name in frame]] = NOT_COMPARED
    frame.loc[gone, "finding_against"] = ""
    frame.loc[gone, "change_reason"] = SMALL_TOTAL
    return frame


def _coarse(frame: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Round what is computed from hidden months to the decimals it is shown with; totals stay whole."""
    whole = ("numerator", "denominator", "person_days")
    decimals = {
        name: 3 if name.startswith(("p_", "reach")) or name.endswith("_p") else max(1, metric.decimals)
        for name in frame.select_dtypes("float")
        if not name.endswith(whole)
    }
    return frame.round(decimals)


def _of(table: pd.DataFrame, code: str, metric: Metric) -> pd.DataFrame:
    if table.empty:
        return table
    return table.loc[(table["area_code"] == code) & (table["metric"] == metric.id)]


def _in_place(table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Put rows in the place of those of the same area, metric and payment."""
    if rows.empty:
        return table
    if table.empty:
        return rows.reset_index(drop=True)
    key = [name for name in ("area_code", "metric", "payment") if name in rows]
    there = pd.MultiIndex.from_frame(table[key]).isin(pd.MultiIndex.from_frame(rows[key]))
    return pd.concat([table.loc[~there], rows], ignore_index=True)


def _with_rounding(results: Results, hidden: list[_Hidden]) -> Results:
    """Round the counts that are shown, where the rule rounds."""
    tables = {name: getattr(results, name) for name in ("series", "windows", "assessments")}
    for found in (one for one in hidden if one.rule.round_to):
        kinds = ("numerator", "denominator") if found.metric.kind.counts_people else ("numerator",)
        for name, table in tables.items():
            columns = [column for column in table if str(column).endswith(kinds)]
            rows = table["metric"] == found.metric.id if len(table) else []
            if columns and np.any(rows):
                table = table.copy()
                table.loc[rows, columns] = rounded(table.loc[rows, columns], columns, found.rule)
                if name == "series":
                    table.loc[rows & (table["status"] == "ok"), "status"] = "rounded"
                tables[name] = table
    return replace(results, **tables)


def _problems(problems: pd.Series[Any]) -> pd.Series[Any]:
    """Leave out what was found from what is wrong with an area's figures: it may be a small number."""
    return problems.str.replace(r" \(found [^)]*\)", "", regex=True)


def _told(data: Data, rules: pd.Series[Any], true: Results) -> Iterator[str]:
    """Say which rule was used for which metrics, and where none was."""
    names = {metric.id: metric.short_name for metric in true.metrics}
    kind = np.where(are_published(data), PUBLISHED, EXAMPLE if data.is_example else OWN)
    each = pd.DataFrame({"rule": rules, "kind": kind, "metric": data.observations["metric"]})
    first = each.groupby(["metric", "kind"], sort=False)["rule"].first()  # it is the same for all of them
    metrics: dict[tuple[Rule, str], set[str]] = {}
    for (metric_id, whose), one in first.items():
        metrics.setdefault((one, whose), set()).add(metric_id)
    for (one, whose), of in metrics.items():
        used = ", ".join(name for metric_id, name in names.items() if metric_id in of)
        if used and one.largest == 0:
            yield f"Small numbers: no rule is used for {used}: {whose}."
        elif used:
            unsure = f" Not confirmed: {one.unconfirmed}." if one.unconfirmed else ""
            rates = f" {RATES}" if one.round_to else ""
            yield f"Small numbers, rule {one.id} ({one.what}; {one.source}): {used}.{rates}{unsure}"
