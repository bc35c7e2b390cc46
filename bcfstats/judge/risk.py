"""Rows for the shared risk register: the chance and size of falling short, and what follows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.metrics import METRICS, Metric, get_metric
from bcfstats.define.schemes import DEFAULT_SCHEME, Scheme, scheme
from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.payment import common, repeats_note
from bcfstats.read.observations import as_frame
from bcfstats.stats.multiple import joint_probability
from bcfstats.words import in_100

CASES = {
    "do_nothing": "p_paid_do_nothing",
    "half": "p_paid_if_half_delivered",
    "delivered": "p_paid_if_delivered",
}
INCOMPLETE = "{} of {} metrics due have a chance: not the whole payment"


_CHANCES = {
    **dict.fromkeys(("area_code", "area_name", "metric", "payment"), "str"),
    **dict.fromkeys((*CASES.values(), "money_at_stake"), "float64"),
}


_RISKS = {
    **_CHANCES,
    "reasons": "str",
    **dict.fromkeys(("baseline_value", "target_value", "events_better", "payment_line"), "float64"),
    **dict.fromkeys(("do_nothing_value", "do_nothing_lower", "do_nothing_upper"), "float64"),
}


def payment_chances(
    assessments: pd.DataFrame,
    rules: Scheme | str = DEFAULT_SCHEME,
    *,
    correlation: float = 0.2,
    metrics: Mapping[str, Metric] = METRICS,
) -> pd.DataFrame:
    """Join the chances of a board's metrics.

    It answers: if each metric has its own chance, what is the chance that "each of the indicators" is paid?

    Parameters
    ----------
    assessments : DataFrame
        From `assess_ambitions`.
    rules : Scheme or str
    correlation : float
        Between every two metrics, on the normal scale. It is not known: try several.
    metrics : mapping of str to Metric, optional

    Returns
    -------
    DataFrame
        One row per area and payment: `metrics_due`, `metrics_known`, and for nothing done, half and all of
        the plans delivered the chance that every metric is paid (`all_...`) and, of the metrics known, the
        expected number paid (`expected_...`); `money_at_stake` and `money_expected_...`; a `note`.

    Raises
    ------
    ParameterError
        If the correlation is out of range, or no assessment belongs to a payment of the scheme.

    Notes
    -----
    **Method.** One common factor with equal loadings (`joint_probability`). Where not every metric due has a
    chance, the chance of the whole payment is missing. A metric with several targets, or a second local
    metric, counts once, and only where all its chances are the same.

    **When not to use.** For targets of several boards together: their chances hang together in other ways.
    """
    rules = scheme(rules)
    due = {payment.id: payment for payment in rules.payments}
    assessments = as_frame(assessments, "assessments", _CHANCES)
    rows = assessments.assign(payment=[rules.payment_id(text) for text in assessments["payment"]])
    rows["paid_as"] = [
        due[payment].paid_as(get_metric(metric, metrics)) if payment in due else None
        for metric, payment in zip(rows["metric"], rows["payment"], strict=True)
    ]
    rows = rows.dropna(subset="paid_as")
    if rows.empty:
        raise ParameterError("None of these ambitions belongs to a payment of the scheme.", found=rules.id)
    keys = ["area_code", "payment"]
    places = rows.groupby([*keys, "paid_as"])
    once = pd.DataFrame({name: places[name].agg(common) for name in (*CASES.values(), "money_at_stake")})
    table = rows.groupby(keys, as_index=False).agg(area_name=("area_name", "first"))
    at = pd.MultiIndex.from_frame(table[keys])
    money = once["money_at_stake"].astype(float)
    table["money_at_stake"] = money.groupby(keys).sum(min_count=1).reindex(at).to_numpy()
    table["metrics_due"] = [len(due[payment].metrics) for payment in table["payment"]]
    known = table["metrics_due"].to_numpy()
    for case, column in CASES.items():
        chance = once[column].astype(float)
        chances = chance.unstack("paid_as").reindex(at).to_numpy(dtype=float)
        joint = joint_probability(chances, correlation)
        known = np.minimum(known, joint.n_events)
        whole = joint.n_events == table["metrics_due"].to_numpy()
        table[f"all_{case}"] = np.where(whole, joint.all, np.nan)
        table[f"expected_{case}"] = np.where(joint.n_events > 0, np.nansum(chances, axis=1), np.nan)
        expected = (chance * money).groupby(keys).sum(min_count=1)
        table[f"money_expected_{case}"] = expected.reindex(at).to_numpy()
    table.insert(table.columns.get_loc("metrics_due") + 1, "metrics_known", known)
    repeats = rows.groupby(keys)["paid_as"].agg(repeats_note).reindex(at)
    table["note"] = [
        "; ".join(filter(None, ("" if known == wanted else INCOMPLETE.format(known, wanted), twice)))
        for known, wanted, twice in zip(table["metrics_known"], table["metrics_due"], repeats, strict=True)
    ]
    return table


COLUMNS = [
    *("area_code", "area_name", "metric", "payment", "risk", "chance_short_if_nothing_done"),
    *("chance_short_if_half_delivered", "chance_short_if_delivered", "likely_shortfall", "large_shortfall"),
    *("shortfall_of", "pounds_at_stake", "pounds_are_estimate", "what_follows", "mitigation", "owner"),
]


def risk_register(
    assessments: pd.DataFrame,
    rules: Scheme | str = DEFAULT_SCHEME,
    *,
    metrics: Mapping[str, Metric] = METRICS,
) -> pd.DataFrame:
    """Give each ambition a row for the shared risk register, in the columns `COLUMNS`.

    A shortfall is how far the forecast, or its worse 80 % limit, lies from the payment line, in events or
    people over the window. `mitigation` and `owner` are for people to fill in. Not a ranking of areas.
    """
    rules = scheme(rules)
    given = as_frame(assessments, "assessments", _RISKS).drop_duplicates()
    keys = [given["area_code"], given["metric"], given["payment"].map(rules.payment_id)]
    twice = pd.concat(keys, axis=1).loc[lambda rows: rows.duplicated()]
    if len(twice):
        found = ", ".join(twice.iloc[0])
        raise InputError("Two targets rest on the same money.", found=found, do="Keep the one that counts.")
    follows = " ".join(rules.what_follows(False))
    rows = [_row(row, metrics[row["metric"]], follows) for row in given.to_dict("records")]
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(row: Mapping[str, Any], metric: Metric, follows: str) -> dict[str, Any]:
    base = {name: row[name] for name in ("area_code", "area_name", "metric", "payment")}
    base |= {"what_follows": follows, "mitigation": "", "owner": ""}
    base |= {"pounds_at_stake": row["money_at_stake"], "pounds_are_estimate": row["money_is_estimate"]}
    if not np.isfinite(row["payment_line"]):
        return base | {"risk": f"{metric.short_name}: the risk cannot be told. {row['reasons']}"}
    short = {
        "chance_short_if_nothing_done": 1 - row["p_paid_do_nothing"],
        "chance_short_if_half_delivered": 1 - row["p_paid_if_half_delivered"],
        "chance_short_if_delivered": 1 - row["p_paid_if_delivered"],
    }
    worse = "do_nothing_upper" if metric.polarity == "lower" else "do_nothing_lower"
    likely, large = (_shortfall(row, metric, row[name]) for name in ("do_nothing_value", worse))
    sentence = (
        f"{metric.short_name} falls short of {row['payment_line']:,.{metric.decimals}f}: "
        f"{in_100(short['chance_short_if_nothing_done'])} if nothing is done, "
        f"{in_100(short['chance_short_if_delivered'])} if the plan delivers in full."
    )
    what = "events or people" if np.isfinite(likely) else ""
    return (
        base
        | short
        | {"risk": sentence, "likely_shortfall": likely, "large_shortfall": large, "shortfall_of": what}
    )


def _shortfall(row: Mapping[str, Any], metric: Metric, outcome: float) -> float:
    """Events over the window between an outcome and the payment line."""
    way = row["target_value"] - row["baseline_value"]
    if not np.isfinite(row["events_better"]) or way == 0:
        return float("nan")
    events_per_value = row["events_better"] / (metric.direction * way)
    return float(max(metric.direction * (row["payment_line"] - outcome), 0.0) * events_per_value)
