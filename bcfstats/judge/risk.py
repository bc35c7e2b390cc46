"""Rows for the shared risk register: the chance and size of falling short, and what follows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.metrics import METRICS, Metric
from bcfstats.define.schemes import Scheme, scheme
from bcfstats.judge.ambitions import UNKNOWN
from bcfstats.judge.payment import consequences
from bcfstats.judge.verdicts import in_100

COLUMNS = [
    *("area_code", "area_name", "metric", "payment", "risk", "chance_short_if_nothing_done"),
    *("chance_short_if_half_delivered", "chance_short_if_delivered", "likely_shortfall", "large_shortfall"),
    *("shortfall_of", "pounds_at_stake", "pounds_are_estimate", "what_follows", "mitigation", "owner"),
]


def risk_register(
    assessments: pd.DataFrame,
    rules: Scheme | str = "bcf-2013-12",
    *,
    metrics: Mapping[str, Metric] = METRICS,
) -> pd.DataFrame:
    """Give each ambition a row for the shared risk register.

    It answers: how likely is it that we fall short, by how many people or events, and what follows?

    Parameters
    ----------
    assessments : DataFrame
        From `assess_ambitions`.
    rules : Scheme or str
    metrics : mapping of str to Metric, optional

    Returns
    -------
    DataFrame
        Columns `COLUMNS`. `likely_shortfall` is how far the forecast lies from the payment line if nothing
        is done, `large_shortfall` the same at the worse 80 % limit (as bad or worse in 10 of 100), both in
        events or people over the window; zero where the line is reached. `mitigation` and `owner` are for
        people to fill in. An ambition that cannot be assessed has a row that says so.

    Notes
    -----
    The sum at stake is held back, not withdrawn, in 2015/16 (paragraphs 56 to 60 of the annex).
    """
    rules = scheme(rules) if isinstance(rules, str) else rules
    follows = " ".join(consequences(rules, False))
    rows = [_row(row, metrics[row["metric"]], follows) for row in assessments.to_dict("records")]
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(row: Mapping[str, Any], metric: Metric, follows: str) -> dict[str, Any]:
    base = {name: row[name] for name in ("area_code", "area_name", "metric", "payment")}
    base |= {"what_follows": follows, "mitigation": "", "owner": ""}
    base |= {"pounds_at_stake": row["money_at_stake"], "pounds_are_estimate": row["money_is_estimate"]}
    if row["verdict"] == UNKNOWN:
        return base | {"risk": f"{metric.short_name}: the risk cannot be told. {row['reasons']}"}
    short = {
        "chance_short_if_nothing_done": 1 - row["p_paid_do_nothing"],
        "chance_short_if_half_delivered": 1 - row["p_paid_if_half_delivered"],
        "chance_short_if_delivered": 1 - row["p_paid_if_delivered"],
    }
    worse = "do_nothing_upper" if metric.polarity == "lower" else "do_nothing_lower"
    likely, large = (_shortfall(row, metric, row[name]) for name in ("do_nothing_value", worse))
    told = (
        f"{metric.short_name} falls short of {row['payment_line']:,.{metric.decimals}f}: "
        f"{in_100(short['chance_short_if_nothing_done'])} if nothing is done, "
        f"{in_100(short['chance_short_if_delivered'])} if the plan delivers in full."
    )
    what = "events or people" if np.isfinite(likely) else ""
    return (
        base
        | short
        | {"risk": told, "likely_shortfall": likely, "large_shortfall": large, "shortfall_of": what}
    )


def _shortfall(row: Mapping[str, Any], metric: Metric, outcome: float) -> float:
    """Events over the window between an outcome and the payment line."""
    way = row["target_value"] - row["baseline_value"]
    direction = 1.0 if metric.polarity == "higher" else -1.0
    if not np.isfinite(row["events_better"]) or way == 0:
        return float("nan")
    events_per_value = row["events_better"] / (direction * way)
    return float(max(direction * (row["payment_line"] - outcome), 0.0) * events_per_value)
