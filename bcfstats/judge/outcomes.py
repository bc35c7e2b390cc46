"""What came of each ambition: outcomes in the form the payment rules are applied to."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.metrics import METRICS, Metric
from bcfstats.define.periods import Period
from bcfstats.judge.baseline import baseline
from bcfstats.judge.payment import exact

COUNTED = ("crude_rate", "proportion")
ROUND = 6
CLOSE = 1e-9


def outcomes(
    observations: pd.DataFrame, assessments: pd.DataFrame, *, metrics: Mapping[str, Metric] = METRICS
) -> pd.DataFrame:
    """Find what each assessed metric came to, as exactly as its counts allow.

    It answers: what does `payment` judge?

    Parameters
    ----------
    observations : DataFrame
        With the observation columns, the payment window among them.
    assessments : DataFrame
        From `assess_ambitions`.
    metrics : mapping of str to Metric, optional

    Returns
    -------
    DataFrame
        One row per assessment, for `payment`: `area_code metric payment baseline_value target_value
        outcome_value projected_value`, and a `reason` where there is no outcome. Values of counts are exact
        fractions, so that a result of just 70 % is neither lost nor won by rounding.

    Notes
    -----
    A window with a month missing, or marked suspect, has no outcome: a provider that did not submit is no
    improvement. A target set in per cent is the exact per cent of the baseline.
    """
    rows: list[dict[str, Any]] = []
    order: list[int] = []
    frame = assessments.reset_index(drop=True)
    told = frame["target_period"].notna()
    for (name, period), found in frame.loc[told].groupby(["metric", "target_period"], sort=False):
        metric, window = metrics[str(name)], Period.parse(str(period))
        after = baseline(observations, metric, window).set_index("area_code")
        for i, row in zip(found.index, found.to_dict("records"), strict=True):
            rows.append(_outcome(row, metric, window, after))
            order.append(i)
    for i, row in zip(frame.index[~told], frame.loc[~told].to_dict("records"), strict=True):
        rows.append({**_base(row), "outcome_value": None, "reason": "no payment window"})
        order.append(i)
    columns = ["area_code", "metric", "payment", "baseline_value", "target_value", "outcome_value"]
    table = pd.DataFrame(rows, index=order, columns=[*columns, "projected_value", "reason"], dtype=object)
    return table.sort_index()


def _base(row: Mapping[str, Any]) -> dict[str, Any]:
    base = {name: row[name] for name in ("area_code", "metric", "payment", "baseline_value", "target_value")}
    projected = row["do_nothing_value"] if row["against"] == "projected" else None
    return {**base, "projected_value": projected}


def _outcome(row: Mapping[str, Any], metric: Metric, window: Period, after: pd.DataFrame) -> dict[str, Any]:
    base = _base(row)
    start = _value(
        metric, row["baseline_numerator"], row["baseline_denominator"], window, row["baseline_value"]
    )
    base |= {"baseline_value": start, "target_value": _target(row, start), "outcome_value": None}
    if row["area_code"] not in after.index:
        return {**base, "reason": "no figures for this area"}
    found = after.loc[row["area_code"]]
    if found["n_present"] < found["n_expected"]:
        return {**base, "reason": f"missing: {found['missing']}"}
    value = _value(metric, found["numerator"], found["denominator"], window, found["value"])
    return {**base, "outcome_value": value, "reason": "" if value is not None else str(found["reason"])}


def _value(
    metric: Metric, numerator: float, denominator: float, window: Period, published: float
) -> Fraction | None:
    """Give the value as the fraction its counts make, or the published number where they do not make it."""
    if not np.isfinite(published):
        return None
    months = window.n_months if metric.frequency == "month" else 1
    if metric.statistic not in COUNTED or not np.isfinite(numerator) or not denominator > 0:
        return exact(float(published))
    made = Fraction(numerator) / Fraction(denominator) / months * Fraction(metric.multiplier)
    return made if abs(float(made) - published) <= CLOSE * abs(published) else exact(float(published))


def _target(row: Mapping[str, Any], start: Fraction | None) -> Fraction | None:
    """Give the target as an exact per cent of the baseline where it was one."""
    value = row["target_value"]
    if start is None or not np.isfinite(value) or not np.isfinite(row["ambition_percent"]):
        return exact(float(value)) if np.isfinite(value) else None
    percent = Fraction(str(round(float(row["ambition_percent"]), ROUND)))
    made = start * (1 + percent / 100)
    return made if abs(float(made) - value) <= CLOSE * abs(value) else exact(float(value))
