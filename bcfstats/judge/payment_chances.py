"""The chance that a board is paid for all its metrics, and the money it may expect."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bcfstats.define.metrics import METRICS, Metric
from bcfstats.define.schemes import Scheme, scheme
from bcfstats.errors import ParameterError
from bcfstats.judge.payment import place
from bcfstats.stats.joint import joint_probability

CASES = {
    "do_nothing": "p_paid_do_nothing",
    "half": "p_paid_if_half_delivered",
    "delivered": "p_paid_if_delivered",
}
INCOMPLETE = "{} of {} metrics due have a chance: not the whole payment"


def payment_chances(
    assessments: pd.DataFrame,
    rules: Scheme | str = "bcf-2013-12",
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
        the plans delivered the chance that every metric is paid (`all_...`) and the expected number of
        metrics paid (`expected_...`); `money_at_stake` and `money_expected_...`; a `note`.

    Raises
    ------
    ParameterError
        If the correlation is out of range, or no assessment belongs to a payment of the scheme.

    Notes
    -----
    One common factor with equal loadings (`joint_probability`). Where not every metric due has a chance, the
    chance of the whole payment is missing.
    """
    rules = scheme(rules) if isinstance(rules, str) else rules
    due = {payment.id: payment for payment in rules.payments}
    paid = [
        payment in due and place(due[payment], metrics[metric]) is not None
        for metric, payment in zip(assessments["metric"], assessments["payment"], strict=True)
    ]
    rows = assessments.loc[paid]
    if rows.empty:
        raise ParameterError("None of these ambitions belongs to a payment of the scheme.", found=rules.id)
    keys = ["area_code", "payment"]
    order = rows.groupby(keys).cumcount()
    table = rows.groupby(keys, as_index=False).agg(
        area_name=("area_name", "first"), money_at_stake=("money_at_stake", lambda x: x.sum(min_count=1))
    )
    table["metrics_due"] = [len(due[payment].metrics) for payment in table["payment"]]
    for case, column in CASES.items():
        wide = rows.assign(order=order).pivot(index=keys, columns="order", values=column)
        chances = wide.reindex(pd.MultiIndex.from_frame(table[keys])).to_numpy(dtype=float)
        found = joint_probability(chances, correlation)
        table["metrics_known"] = found.n_events
        whole = found.n_events == table["metrics_due"].to_numpy()
        table[f"all_{case}"] = np.where(whole, found.all, np.nan)
        table[f"expected_{case}"] = np.where(found.n_events > 0, np.nansum(chances, axis=1), np.nan)
        money = (rows[column] * rows["money_at_stake"]).groupby([rows[key] for key in keys]).sum(min_count=1)
        table[f"money_expected_{case}"] = money.to_numpy(dtype=float)
    table["note"] = [
        "" if known == wanted else INCOMPLETE.format(known, wanted)
        for known, wanted in zip(table["metrics_known"], table["metrics_due"], strict=True)
    ]
    return table
