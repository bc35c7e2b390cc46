"""The 70 % line: which metrics reach it, what money rests on them, and what follows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.metrics import METRICS, Metric
from bcfstats.define.schemes import LOCAL, Payment, Scheme, scheme
from bcfstats.errors import InputError, ParameterError

READINGS = {
    "distance": "70 % of the way from baseline to target, in each indicator",
    "level": "70 % of the target level, in each indicator",
    "count": "70 % of the indicators, each reaching its target in full",
}
AMBIGUITY = "Paragraph 57 can be read in three ways; the reading used here is: {}."
NEEDED = ("area_code", "metric", "payment", "baseline_value", "target_value", "outcome_value")
BOARD_COLUMNS = [
    *("area_code", "payment", "metrics_due", "metrics_judged", "metrics_achieved", "metrics_needed"),
    *("achieved", "money_at_stake", "money_on_achieved", "what_follows"),
]
_ACHIEVED, _SHORT = ("57", "56"), ("58", "60", "56")

Exact = Decimal | Fraction | int | float | str


@dataclass(frozen=True)
class Payments:
    """What a set of outcomes earns.

    Attributes
    ----------
    metrics : DataFrame
        One row per outcome: `line` (the value that counts as achieved), `share` (of the ambition reached),
        `achieved` (True, False, or missing with a `reason`), `weight`, `money_at_stake` and
        `money_is_estimate`.
    boards : DataFrame
        One row per area and payment: metrics due, judged and achieved, `achieved`, the money and the money on
        metrics that achieved, and `what_follows`.
    reading : str
        Which reading of the 70 % was used, in words.
    notes : tuple of str
        What a reader must know.
    """

    metrics: pd.DataFrame
    boards: pd.DataFrame
    reading: str
    notes: tuple[str, ...]


def payment(
    outcomes: pd.DataFrame,
    rules: Scheme | str = "bcf-2013-12",
    *,
    reading: str = "distance",
    allocations: pd.DataFrame | None = None,
    metrics: Mapping[str, Metric] = METRICS,
) -> Payments:
    """Judge outcomes against the 70 % line of a scheme.

    It answers: did each metric get far enough, what money rests on it, and what follows?

    Parameters
    ----------
    outcomes : DataFrame
        One row per area, metric and payment: `area_code metric payment baseline_value target_value
        outcome_value`, and optionally `projected_value` where the target was set against a projection. Values
        may be numbers, text, Decimal or Fraction; a float counts as the decimal number it prints as.
    rules : Scheme or str
        A scheme with a pass share.
    reading : "distance", "level" or "count"
        How paragraph 57 of the annex is read.
    allocations : DataFrame, optional
        From `read_allocations`: the money of each area and payment.
    metrics : mapping of str to Metric, optional
        The registry, with metrics of one's own added.

    Returns
    -------
    Payments

    Raises
    ------
    ParameterError
        If the reading is unknown, or the scheme has no such line.
    InputError
        If a column is missing.

    Notes
    -----
    All comparisons are of exact fractions: a result of exactly 70 % counts as achieved. Every metric due
    carries an equal share of the money (paragraph 48). No money is withdrawn in 2015/16 (paragraph 56).

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"area_code": "X", "metric": "delayed_transfers", "payment": "2015-04",
    ...     "baseline_value": 1000, "target_value": 900, "outcome_value": [930, 931]})
    >>> payment(rows).metrics[["line", "share", "achieved"]].values.tolist()
    [[930.0, 0.7, True], [930.0, 0.69, False]]
    """
    rules = scheme(rules) if isinstance(rules, str) else rules
    if reading not in READINGS:
        raise ParameterError(
            "The reading is not known.", found=f"'{reading}'", do=f"Use {', '.join(READINGS)}."
        )
    if rules.pass_share is None:
        raise ParameterError(
            "This scheme has no line to pass.", found=rules.id, do="Use quarterly_payment for it."
        )
    missing = [name for name in NEEDED if name not in outcomes]
    if missing:
        raise InputError("Columns are missing from the outcomes.", found=", ".join(missing))
    rows = [_judge(row, rules, reading, metrics) for row in outcomes.to_dict("records")]
    judged = pd.DataFrame(rows, columns=[*NEEDED, "line", "share", "achieved", "weight", "reason"])
    judged = _with_money(judged.astype({"achieved": "boolean"}), allocations)
    notes = (AMBIGUITY.format(READINGS[reading]), *rules.caveats)
    return Payments(judged, _boards(judged, rules, reading), READINGS[reading], notes)


def exact(value: Exact | None) -> Fraction | None:
    """Give a number as the exact fraction it is written as; None where it is missing.

    Examples
    --------
    >>> exact(0.1), exact("424.4"), exact(float("nan"))
    (Fraction(1, 10), Fraction(2122, 5), None)
    """
    if value is None or isinstance(value, Fraction):
        return value
    if isinstance(value, np.generic):
        value = value.item()
    number = Decimal(repr(value) if isinstance(value, float) else str(value))
    return Fraction(number) if number.is_finite() else None


def payment_line(start: Fraction, target: Fraction, share: Fraction, reading: str, polarity: str) -> Fraction:
    """Give the value that counts as achieved.

    Examples
    --------
    >>> payment_line(Fraction(1000), Fraction(900), Fraction(7, 10), "distance", "lower")
    Fraction(930, 1)
    >>> float(payment_line(Fraction(80), Fraction(90), Fraction(7, 10), "level", "higher"))
    63.0
    """
    if reading == "distance":
        return start - share * (start - target)
    if reading == "level":
        return target * share if polarity == "higher" else target / share
    return target


def place(found: Payment, metric: Metric) -> str | None:
    """Name a metric has among those of a payment: its own, "local", or None where it is not paid for."""
    if metric.id in found.metrics:
        return metric.id
    return LOCAL if LOCAL in found.metrics and metric.group == "local" else None


def _judge(
    row: Mapping[str, Any], rules: Scheme, reading: str, metrics: Mapping[str, Metric]
) -> dict[str, Any]:
    metric, share = metrics[row["metric"]], Fraction(rules.pass_share or 0)
    found = rules.payment(row["payment"])
    paid_as = place(found, metric)
    judged = {**{name: row[name] for name in NEEDED}, "line": np.nan, "share": np.nan, "achieved": None}
    judged["weight"] = float(found.weights[paid_as]) if paid_as else 0.0
    start = exact(row.get("projected_value"))
    start = exact(row["baseline_value"]) if start is None else start
    target, outcome = exact(row["target_value"]), exact(row["outcome_value"])
    if paid_as is None:
        return judged | {"reason": found.reasons.get(metric.id, "not part of this payment")}
    if start is None or target is None:
        return judged | {"reason": "no baseline" if start is None else "no target"}
    if (target >= start) if metric.polarity == "lower" else (target <= start):
        return judged | {"reason": "the target is no improvement: 70 % of the way to it has no meaning"}
    line = payment_line(start, target, share, reading, metric.polarity)
    judged["line"] = float(line)
    if outcome is None:
        return judged | {"reason": "no outcome yet"}
    reached = outcome <= line if metric.polarity == "lower" else outcome >= line
    return judged | {"share": float((start - outcome) / (start - target)), "achieved": reached, "reason": ""}


def _with_money(judged: pd.DataFrame, allocations: pd.DataFrame | None) -> pd.DataFrame:
    if allocations is None:
        return judged.assign(money_at_stake=np.nan, money_is_estimate=False)
    money = allocations.set_index(["area_code", "payment"])
    keys = pd.MultiIndex.from_frame(judged[["area_code", "payment"]])
    pounds = money["pounds"].reindex(keys).to_numpy(dtype=float)
    guessed = money["is_estimate"].reindex(keys).fillna(False).to_numpy(dtype=bool)
    return judged.assign(
        money_at_stake=np.round(pounds * judged["weight"].to_numpy(dtype=float), 2), money_is_estimate=guessed
    )


def _boards(judged: pd.DataFrame, rules: Scheme, reading: str) -> pd.DataFrame:
    rows = []
    for (area, payment_id), group in judged.loc[judged["weight"] > 0].groupby(["area_code", "payment"]):
        n_due = len(rules.payment(payment_id).metrics)
        yes, no = (int((group["achieved"] == answer).sum()) for answer in (True, False))
        needed = n_due if reading != "count" else -(-n_due * Fraction(rules.pass_share or 0) // 1)
        achieved = True if yes >= needed else False if n_due - no < needed else None
        money = group["money_at_stake"].to_numpy(dtype=float)
        rows.append(
            {
                "area_code": area,
                "payment": payment_id,
                "metrics_due": n_due,
                "metrics_judged": yes + no,
                "metrics_achieved": yes,
                "metrics_needed": int(needed),
                "achieved": achieved,
                "money_at_stake": money.sum(),
                "money_on_achieved": money[group["achieved"].fillna(False).to_numpy(dtype=bool)].sum(),
                "what_follows": " ".join(consequences(rules, achieved)),
            }
        )
    return pd.DataFrame(rows, columns=BOARD_COLUMNS).astype({"achieved": "boolean"})


def consequences(rules: Scheme, achieved: bool | None) -> tuple[str, ...]:
    """Say what follows from achieving or missing the ambition, in the words of the scheme.

    Examples
    --------
    >>> [text[-5:] for text in consequences(scheme("bcf-2013-12"), True)]
    ['(57).', '(56).']
    >>> consequences(scheme("bcf-2013-12"), None)
    ('Not every metric due has an outcome yet.',)
    """
    if achieved is None:
        return ("Not every metric due has an outcome yet.",)
    marks = {text: re.findall(r"\d\d", text.rpartition("(")[2]) for text in rules.consequences}
    wanted = _ACHIEVED if achieved else _SHORT
    return tuple(text for text, numbers in marks.items() if not numbers or set(numbers) & set(wanted))
