"""Proposed targets beside their baselines: how far they ask to go, and which way."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bcfstats.define.metrics import Metric
from bcfstats.define.schemes import Scheme
from bcfstats.judge.baseline import baseline

MONTHS_IN_YEAR = 12


def against_baseline(
    observations: pd.DataFrame, targets: pd.DataFrame, rules: Scheme, metrics: Mapping[str, Metric]
) -> pd.DataFrame:
    """Set each proposed target beside the baseline of the same months a year before.

    It answers: from where to where does the target go, in per cent, and is it an improvement at all?

    Parameters
    ----------
    observations : DataFrame
        With the observation columns.
    targets : DataFrame
        From `read_targets`: area_code, metric, payment, and one of target_value, target_numerator and
        change_percent.
    rules : Scheme
        The payment scheme: which window each payment is judged on.
    metrics : mapping of str to Metric

    Returns
    -------
    DataFrame
        One row per target, in the given order: `baseline_period`, `baseline_value`, `target_value`,
        `ambition_percent` (change from baseline), `is_improvement` and a `note`.

    Notes
    -----
    A target given as a count is turned into a rate with the baseline's population; over a window of months
    it is the count of the whole window. This does not judge whether a target is significant or achievable.
    """
    pieces = [
        _one_window(observations, found, metrics[str(metric)], str(payment), rules)
        for (metric, payment), found in targets.groupby(["metric", "payment"], sort=False)
    ]
    return pd.concat(pieces).sort_index()


def _one_window(
    observations: pd.DataFrame, targets: pd.DataFrame, metric: Metric, payment: str, rules: Scheme
) -> pd.DataFrame:
    window = rules.payment(payment).metrics.get(metric.id)
    frame = targets.assign(baseline_period="", baseline_value=np.nan, people=np.nan, reason="")
    if window is None:
        frame["reason"] = f"{metric.short_name} has no window in this payment"
    else:
        before = window.shift_years(-(rules.baseline_lag_months // MONTHS_IN_YEAR))
        known = baseline(observations, metric, before).set_index("area_code").reindex(frame["area_code"])
        share = known["n_present"] if metric.frequency == "month" else 1
        frame["baseline_period"] = str(before)
        frame["baseline_value"] = known["value"].to_numpy(dtype=float)
        frame["people"] = (known["denominator"] * share).to_numpy(dtype=float)
        frame["reason"] = known["reason"].fillna("no figures for this area").to_numpy()
    start = frame["baseline_value"]
    from_count = frame["target_numerator"] / frame["people"] * metric.multiplier
    from_change = start * (1 + frame["change_percent"] / 100)
    frame["target_value"] = frame["target_value"].fillna(from_count).fillna(from_change)
    frame["ambition_percent"] = 100 * (frame["target_value"] / start - 1)
    better = frame["target_value"] < start if metric.polarity == "lower" else frame["target_value"] > start
    frame["is_improvement"] = better & start.notna()
    frame["note"] = np.select(
        [start.isna(), frame["is_improvement"]],
        ["No baseline: " + frame["reason"] + ".", ""],
        default=f"Not an improvement: {metric.polarity} is better.",
    )
    return frame.drop(columns=["people", "reason"])
