"""Where each area stands among the others: the latest figures of a metric, side by side."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bcfstats.define.metrics import METRICS, Metric
from bcfstats.define.periods import Period
from bcfstats.judge.baseline import window_figures
from bcfstats.judge.windows import Floats, Grid, Texts

QUANTILES = {"lowest": 0.0, "p10": 0.1, "p25": 0.25, "median": 0.5, "p75": 0.75, "p90": 0.9, "highest": 1.0}
STANDING_COLUMNS = [
    *("area_code", "metric", "payment", "period", "value", "lower", "upper", "n_areas", "n_better"),
    *(*QUANTILES, "together", "group", "n_group", "n_group_better", "reason"),
]
NEEDED = [
    *("area_code", "area_name", "metric", "payment", "outcome_period", "outcome_n_present", "outcome_reason"),
    *("outcome_denominator", "outcome_whole_value", "outcome_whole_lower", "outcome_whole_upper"),
]
PEER_COLUMNS = ["group", "metric", "area_code", "peer", "value"]
PART = "some of its window has no usable figure"
OTHERS = "all other areas"
NATION = "E92000001"  # England's code in published files
FEW = 20  # areas that can all be named where none is of the same region


def standings(
    windows: pd.DataFrame, areas: pd.DataFrame, metrics: Mapping[str, Metric]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Set each area's latest figure beside those of all areas and of its group.

    Nothing is looked at but the windows table as it may be shown: a figure that is not in it cannot be told
    from here. Taken is the outcome window that ends last, the longer of two, of those that at least half as
    many areas have whole as of any other. The group is the region; where no other area of it has a figure,
    all others if they are few. Quantiles are the seventh of Hyndman and Fan (1996),
    doi:10.1080/00031305.1996.10473566. No league table: neighbours in rank mostly differ by noise.
    """
    if windows.empty:
        return pd.DataFrame(columns=STANDING_COLUMNS), pd.DataFrame(columns=PEER_COLUMNS)
    regions = areas.drop_duplicates("area_code").set_index("area_code")["region"].fillna("").to_dict()
    found = [
        _of_metric(_latest(rows), metrics[str(metric)], regions)
        for metric, rows in windows[NEEDED].groupby("metric", sort=False)
    ]
    tables, peers = zip(*found, strict=True)
    return pd.concat(tables, ignore_index=True), pd.concat(peers, ignore_index=True)


def _latest(rows: pd.DataFrame) -> pd.DataFrame:
    """Choose the comparison whose outcome ends last, of those that many areas have."""
    parts = dict(list(rows.groupby("payment", sort=False)))
    counts = {label: _whole(part).sum() for label, part in parts.items()}
    periods = {label: Period.parse(part["outcome_period"].iloc[0]) for label, part in parts.items()}
    many = [label for label in parts if counts[label] >= max(counts.values()) / 2]
    return parts[max(many, key=lambda label: (periods[label].end, periods[label].days))]


def _whole(rows: pd.DataFrame) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(rows["outcome_whole_value"].to_numpy(dtype=float)))


def _of_metric(
    rows: pd.DataFrame, metric: Metric, regions: Mapping[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare the areas of one metric in one window."""
    known, value = _whole(rows), rows["outcome_whole_value"].to_numpy(dtype=float)
    group = np.full(len(rows), "", dtype=object)
    group[known] = _groups(rows["area_code"][known], regions)
    n_group, n_group_better = np.full((2, len(rows)), np.nan)
    for name in set(group) - {""}:
        mine = group == name
        n_group[mine], n_group_better[mine] = mine.sum() - 1, _better(value[mine], metric)
    quantiles = np.nanquantile(value, list(QUANTILES.values())) if known.any() else [np.nan] * len(QUANTILES)
    told = pd.DataFrame(
        {
            **rows[["area_code", "area_name", "metric", "payment"]],
            "period": rows["outcome_period"],
            **{name: rows[f"outcome_whole_{name}"] for name in ("value", "lower", "upper")},
            "n_areas": known.sum(),
            "n_better": _better(np.where(known, value, np.nan), metric),
            **dict(zip(QUANTILES, quantiles, strict=True)),
            "together": _together(rows, metric),
            "group": group,
            "n_group": n_group,
            "n_group_better": n_group_better,
            "reason": _reasons(rows, known),
        }
    )
    peers = told.loc[group != ""].rename(columns={"area_name": "peer"})[PEER_COLUMNS]
    return told[STANDING_COLUMNS], peers


def _better(value: Floats, metric: Metric) -> Floats:
    """Count for each of some values how many of the others are better."""
    return np.asarray(pd.Series(-metric.direction * value).rank(method="min") - 1)


def _together(rows: pd.DataFrame, metric: Metric) -> float:
    """Give the value of all areas shown as if they were one: each counts by its denominator."""
    weight = rows["outcome_denominator"].where(_whole(rows)).to_numpy(dtype=float)
    if not metric.kind.is_quotient or not np.nansum(weight) > 0 or np.isnan(weight[_whole(rows)]).any():
        return float("nan")
    return float(np.nansum(weight * rows["outcome_whole_value"]) / np.nansum(weight))


def nation(others: pd.DataFrame, standings: pd.DataFrame) -> dict[str, tuple[str, float]]:
    """Give England's value of each metric, as it is published, in the period that areas are compared in."""
    rows, found = others.loc[others["area_code"] == NATION], {}
    compared = standings.drop_duplicates("metric")[["metric", "period"]]
    for name, period in compared.itertuples(index=False):
        mine = rows.loc[rows["metric"] == name]
        if name not in METRICS or mine.empty:
            continue
        (value,) = window_figures(Grid(mine, METRICS[name]), Period.parse(period))["value"]
        if np.isfinite(value):
            found[name] = period, round(float(value), METRICS[name].decimals)
    return found


def _reasons(rows: pd.DataFrame, known: NDArray[np.bool_]) -> "pd.Series[str]":
    part = pd.Series(PART, index=rows.index).where(rows["outcome_n_present"] > 0, "")
    return rows["outcome_reason"].where(rows["outcome_reason"] != "", part).where(~known, "")


def _groups(codes: "pd.Series[str]", regions: Mapping[str, str]) -> Texts:
    """Give each area its region, or all others where it is alone there and they are few."""
    region = np.array([regions.get(code, "") for code in codes], dtype=object)
    of = Counter(region)
    alone = np.array([name == "" or of[name] == 1 for name in region], dtype=bool)
    if len(codes) <= FEW and alone.any():
        return np.full(len(codes), OTHERS, dtype=object)
    return np.where(alone, "", region)


def peers_of(area_code: str, standings: pd.DataFrame, peers: pd.DataFrame) -> pd.DataFrame:
    """Give the other areas of an area's groups: as many rows for each area as it has neighbours."""
    if standings.empty or peers.empty:
        return peers
    own = standings.loc[standings["area_code"] == area_code, ["metric", "group"]]
    others = peers.loc[peers["area_code"] != area_code]
    return others.merge(own, on=["metric", "group"]).reset_index(drop=True)
