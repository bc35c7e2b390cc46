"""The payment line: which metrics reach it, what money rests on them, and what follows."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bcfstats.define.metrics import METRICS, Metric, get_metric
from bcfstats.define.periods import Period
from bcfstats.define.schemes import DEFAULT_SCHEME, Scheme, scheme
from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.baseline import baseline
from bcfstats.judge.windows import breaks_between
from bcfstats.read.observations import as_frame
from bcfstats.stats.tolerance import RELATIVE
from bcfstats.words import sentence

READINGS = {
    "distance": "{} of the way from baseline to target, in each indicator",
    "level": "{} of the target level, in each indicator",
    "count": "{} of the indicators, each reaching its target in full",
}
NO_WAY = "the target is no improvement: {} of the way to it has no meaning"
AMBIGUITY = "'{} of the ambition' can be read in three ways; the reading used here is: {}."
KEYS = ("area_code", "metric", "payment")
VALUES = ("baseline_value", "target_value", "outcome_value", "projected_value")
NEEDED = (*KEYS, *VALUES[:3])
BOARD_COLUMNS = [
    *("area_code", "payment", "metrics_due", "metrics_judged", "metrics_achieved", "metrics_needed"),
    *("achieved", "money_at_stake", "money_on_achieved", "what_follows", "note"),
]
INEXACT = (float, np.floating)
OPERATIONS = 4  # a float of low precision may be off by its last digit for each of so many operations


@dataclass(frozen=True)
class Payments:
    """What a set of outcomes earns, row by row and board by board, in which reading of the line."""

    metrics: pd.DataFrame
    boards: pd.DataFrame
    reading: str
    notes: tuple[str, ...]


def payment(
    outcomes: pd.DataFrame,
    rules: Scheme | str = DEFAULT_SCHEME,
    *,
    reading: str = "distance",
    allocations: pd.DataFrame | None = None,
    metrics: Mapping[str, Metric] = METRICS,
) -> Payments:
    """Judge outcomes against the payment line of a scheme.

    It answers: did each metric get far enough, what money rests on it, and what follows?

    Parameters
    ----------
    outcomes : DataFrame
        One row per area, metric and payment: `area_code metric payment baseline_value target_value
        outcome_value`, and optionally `projected_value` where the target was set against a projection, and
        the `reason` why there is no outcome. Values may be numbers, text, Decimal or Fraction; a float counts
        as the decimal number it prints as, give or take the last digit it can hold.
    rules : Scheme or str
        A scheme with a pass share.
    reading : "distance", "level" or "count"
        How "70 % or more of the levels of ambition" is read (paragraph 57 of the annex of 2013).
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
        If a column is missing, or a value is no number.

    Notes
    -----
    **Method.** All comparisons are of exact fractions: a result of exactly 70 % counts as achieved. Every
    metric due carries an equal share of the money (paragraph 48). A metric given more than once, or a second
    local metric, never stands in for another one: the board's count takes it once, as achieved or missed
    where all its rows agree, and as not known where they do not.

    **When not to use.** For the scheme of July 2014, which pays by degrees (`quarterly_payment`).

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"area_code": "X", "metric": "delayed_transfers", "payment": "2015-04",
    ...     "baseline_value": 1000, "target_value": 900, "outcome_value": [930, 931]})
    >>> payment(rows).metrics[["line", "share", "achieved"]].values.tolist()
    [[930.0, 0.7, True], [930.0, 0.69, False]]
    """
    rules = scheme(rules)
    if reading not in READINGS:
        raise ParameterError(
            "The reading is not known.", found=f"'{reading}'", do=f"Use {', '.join(READINGS)}."
        )
    if rules.pass_share is None:
        raise ParameterError(
            "This scheme has no line to pass.",
            found=rules.id,
            do="Use quarterly_payment for it." if rules.pays else "No money rests on its metrics.",
        )
    outcomes = as_frame(outcomes, "outcomes", dict.fromkeys(KEYS, "str"), NEEDED)
    columns = {name: list(outcomes[name].array) for name in (*KEYS, *VALUES, "reason") if name in outcomes}
    given = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    rows = [_judge(row, rules, reading, metrics) for row in given]
    names = [*NEEDED, "paid_as", "line", "share", "achieved", "weight", "reason"]
    judged = pd.DataFrame(rows, columns=names).astype({"achieved": "boolean"})
    judged = with_money(judged, judged["weight"], allocations)
    words, notes = reading_words(rules, reading), (ambiguity(rules, reading), *rules.caveats)
    boards = _boards(judged, rules, reading)
    return Payments(judged.drop(columns="paid_as"), boards, words, notes)


def reading_words(rules: Scheme, reading: str = "distance") -> str:
    """Say how the payment line of a scheme is read."""
    return READINGS[reading].format(rules.line_words)


def ambiguity(rules: Scheme, reading: str = "distance") -> str:
    """Say that the rule can be read in three ways, and which reading is used."""
    return AMBIGUITY.format(rules.line_words, reading_words(rules, reading))


def exact(value: Any) -> Fraction | None:
    """Give a number as the exact fraction it is written as; None where it is missing."""
    if value is None or value is pd.NaT or value is pd.NA or isinstance(value, Fraction):
        return value if isinstance(value, Fraction) else None
    if isinstance(value, str) and not value.strip():
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise InputError(
            "A value is not a number.", found=f"'{value}'", do="Leave it empty where there is none."
        ) from None
    return Fraction(number) if number.is_finite() else None


def _rounding(value: Any) -> Fraction:
    """How far a computed number may be from what it stands for: nothing but for floats."""
    if not isinstance(value, INEXACT):
        return Fraction(0)
    share = max(RELATIVE, OPERATIONS * float(np.finfo(type(value)).eps))
    return Fraction(abs(float(value))) * Fraction(share)


def payment_line(start: Fraction, target: Fraction, share: Fraction, reading: str, polarity: str) -> Fraction:
    """Give the value that counts as achieved."""
    if reading == "distance":
        return start - share * (start - target)
    if reading == "level":
        return target * share if polarity == "higher" else target / share
    return target


def _judge(
    row: Mapping[str, Any], rules: Scheme, reading: str, metrics: Mapping[str, Metric]
) -> dict[str, Any]:
    metric, due = get_metric(row["metric"], metrics), rules.payment(row["payment"])
    values = {name: exact(row.get(name)) for name in VALUES}
    judged = {**{name: row[name] for name in NEEDED}, "line": np.nan, "share": np.nan, "achieved": None}
    judged |= {"metric": metric.id, "payment": due.id, "paid_as": due.paid_as(metric)}
    judged["weight"] = float(due.weight(metric))
    if not judged["weight"]:
        return judged | {"reason": due.reasons.get(metric.id, "not part of this payment")}
    first, target, outcome, projected = values.values()
    start = first if projected is None else projected
    if start is None or target is None:
        return judged | {"reason": "no baseline" if start is None else "no target"}
    sign = 1 if metric.polarity == "higher" else -1
    if sign * (target - start) <= _rounding(row["target_value"]):
        return judged | {"reason": NO_WAY.format(rules.line_words)}
    line = payment_line(start, target, Fraction(rules.pass_share or 0), reading, metric.polarity)
    judged["line"] = min(max(float(line), metric.bounds[0]), metric.bounds[1])
    if outcome is None:
        return judged | {"reason": row.get("reason") or "no outcome yet"}
    reached = sign * (outcome - line) >= -_rounding(row["outcome_value"])
    return judged | {"share": float((start - outcome) / (start - target)), "achieved": reached, "reason": ""}


def with_money(rows: pd.DataFrame, weight: npt.ArrayLike, allocations: pd.DataFrame | None) -> pd.DataFrame:
    """Add the money of each row: its weight of what its area may earn for metrics at its payment."""
    if allocations is None:
        return rows.assign(money_at_stake=np.nan, money_is_estimate=False)
    money = allocations.set_index(["area_code", "payment"])
    money_of = money.reindex(pd.MultiIndex.from_frame(rows[["area_code", "payment"]]))
    share = np.asarray(weight, dtype=float)
    pounds = np.where(share > 0, np.round(money_of["pounds"].to_numpy(dtype=float) * share, 2), np.nan)
    guessed = money_of["is_estimate"].eq(True).to_numpy(dtype=bool) & np.isfinite(pounds)
    return rows.assign(money_at_stake=pounds, money_is_estimate=guessed)


def _boards(judged: pd.DataFrame, rules: Scheme, reading: str) -> pd.DataFrame:
    rows = []
    for (area, payment_id), group in judged.loc[judged["weight"] > 0].groupby(["area_code", "payment"]):
        answers = {place: common(answered) for place, answered in group.groupby("paid_as")["achieved"]}
        yes, no = ([place for place in answers if answers[place] is wanted] for wanted in (True, False))
        money = group.drop_duplicates("paid_as").set_index("paid_as")["money_at_stake"]
        n_due = len(rules.payment(payment_id).metrics)
        needed = n_due if reading != "count" else -(-n_due * Fraction(rules.pass_share or 0) // 1)
        achieved = True if len(yes) >= needed else False if n_due - len(no) < needed else None
        rows.append(
            {
                "area_code": area,
                "payment": payment_id,
                "metrics_due": n_due,
                "metrics_judged": len(yes) + len(no),
                "metrics_achieved": len(yes),
                "metrics_needed": int(needed),
                "achieved": achieved,
                "money_at_stake": money.sum(skipna=False),
                "money_on_achieved": money[yes].sum(skipna=False),
                "what_follows": " ".join(rules.what_follows(achieved)),
                "note": repeats_note(group["paid_as"]),
            }
        )
    return pd.DataFrame(rows, columns=BOARD_COLUMNS).astype({"achieved": "boolean"})


def common(values: "pd.Series[Any]") -> Any:
    """Give the value that all rows of one place in a payment share; missing where they do not."""
    first = values.iloc[0]
    agree = not values.isna().any() and (values == first).all()
    return (bool(first) if values.dtype == "boolean" else float(first)) if agree else None


def repeats_note(places: "pd.Series[str]") -> str:
    """Name the places of a payment that have more than one row."""
    twice = list(dict.fromkeys(places[places.duplicated()]))
    return f"given more than once, counted once at most: {', '.join(twice)}" if twice else ""


ROUND = 6


_ASSESSED = {
    **dict.fromkeys(("area_code", "metric", "payment", "baseline_period", "target_period", "against"), "str"),
    **dict.fromkeys(("baseline_value", "baseline_numerator", "baseline_denominator"), "float64"),
    **dict.fromkeys(("target_value", "do_nothing_value", "ambition_percent"), "float64"),
}


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
    improvement. Nor has one across a change of definition or boundaries. A target set in per cent is the
    exact per cent of the baseline.
    """
    rows: list[dict[str, Any]] = []
    order: list[int] = []
    frame = as_frame(assessments, "assessments", _ASSESSED).reset_index(drop=True)
    unknown = sorted(set(frame["metric"]) - set(metrics))
    if unknown:
        raise ParameterError("There is no such metric.", found=", ".join(unknown))
    dated = frame["target_period"] != ""
    for (name, period), same in frame.loc[dated].groupby(["metric", "target_period"], sort=False):
        metric, window = metrics[str(name)], Period.parse(str(period))
        after = baseline(observations, metric, window).set_index("area_code")
        for i, row in zip(same.index, same.to_dict("records"), strict=True):
            before = Period.parse(row["baseline_period"]) if row.get("baseline_period") else window
            broken = breaks_between(metric, [row["area_code"]], before, window)[0]
            rows.append(
                {**_base(row), "outcome_value": None, "reason": broken}
                if broken
                else _outcome(row, metric, after)
            )
            order.append(i)
    for i, row in zip(frame.index[~dated], frame.loc[~dated].to_dict("records"), strict=True):
        rows.append({**_base(row), "outcome_value": None, "reason": "no payment window"})
        order.append(i)
    columns = ["area_code", "metric", "payment", "baseline_value", "target_value", "outcome_value"]
    table = pd.DataFrame(rows, index=order, columns=[*columns, "projected_value", "reason"], dtype=object)
    return table.sort_index()


def _base(row: Mapping[str, Any]) -> dict[str, Any]:
    base = {name: row[name] for name in ("area_code", "metric", "payment", "baseline_value", "target_value")}
    projected = row["do_nothing_value"] if row["against"] == "projected" else None
    return {**base, "projected_value": projected}


def _outcome(row: Mapping[str, Any], metric: Metric, after: pd.DataFrame) -> dict[str, Any]:
    base = _base(row)
    start = _value(metric, row["baseline_numerator"], row["baseline_denominator"], row["baseline_value"])
    base |= {"baseline_value": start, "target_value": _target(row, start), "outcome_value": None}
    if row["area_code"] not in after.index:
        return {**base, "reason": "no figures for this area"}
    later = after.loc[row["area_code"]]
    if later["n_present"] < later["n_expected"]:
        return {**base, "reason": f"missing: {later['missing']}"}
    value = _value(metric, later["numerator"], later["denominator"], later["value"])
    return {**base, "outcome_value": value, "reason": "" if value is not None else str(later["reason"])}


def _value(metric: Metric, numerator: float, denominator: float, published: float) -> Fraction | None:
    """Give the value as the fraction its counts make, or the published number where they do not make it."""
    if not np.isfinite(published):
        return None
    if not metric.kind.is_exact or not np.isfinite(numerator) or not 0 < denominator < np.inf:
        return exact(float(published))
    made = Fraction(numerator) / Fraction(denominator) * Fraction(metric.multiplier)
    periods = max(round(float(made) / published), 1) if published else 1  # of a rate, an average per period
    made /= periods
    return made if abs(float(made) - published) <= RELATIVE * abs(published) else exact(float(published))


def _target(row: Mapping[str, Any], start: Fraction | None) -> Fraction | None:
    """Give the target as an exact per cent of the baseline where it was one."""
    value = row["target_value"]
    if start is None or not np.isfinite(value) or not np.isfinite(row["ambition_percent"]):
        return exact(float(value)) if np.isfinite(value) else None
    percent = Fraction(str(round(float(row["ambition_percent"]), ROUND)))
    made = start * (1 + percent / 100)
    return made if abs(float(made) - value) <= RELATIVE * abs(value) else exact(float(value))


Floats = npt.NDArray[np.float64]

UNIT_COST = "unit_cost_pounds"  # the setting of a scheme that pays for each admission avoided
UNCONFIRMED = "quarters, cumulative reckoning and unit cost are not confirmed: check them against your plan"
NOTES = (
    sentence(UNCONFIRMED),
    "Money that is not earned goes to services commissioned by the NHS.",
)


@dataclass(frozen=True, eq=False)
class QuarterlyPayment:
    """What a fall in admissions earns: pounds and admissions avoided, areas by quarters.

    `planned_pounds` is what each quarter could earn, `unearned_pounds` what was not earned of the quarters
    published; `avoided` is cumulative. From the first quarter that is not published on, figures are NaN.
    """

    planned_pounds: Floats
    earned_pounds: Floats
    unearned_pounds: Floats
    avoided: Floats
    unit_cost: float
    notes: tuple[str, ...] = NOTES


def quarterly_payment(
    baseline: npt.ArrayLike,
    planned: npt.ArrayLike,
    actual: npt.ArrayLike,
    *,
    unit_cost: float | None = None,
) -> QuarterlyPayment:
    """Work out what avoided admissions earn under the scheme of July 2014, areas by quarters.

    Cumulative: what has been avoided so far, never more than the plan so far, less what was paid before; a
    later rise takes nothing back. NaN is a quarter that is not published.
    """
    _check_rows(baseline, planned, actual)
    before, plan, came = (np.atleast_2d(np.asarray(x, dtype=float)) for x in (baseline, planned, actual))
    if not before.shape == plan.shape == came.shape:
        raise ParameterError(
            "Baseline, plan and outcome must have the same areas and quarters.",
            found=f"{before.shape}, {plan.shape}, {came.shape}",
        )
    if any(np.any(x < 0) for x in (before, plan, came)):
        raise ParameterError("A count of admissions is below zero.")
    cost = float(scheme("bcf-2014-07").settings[UNIT_COST].value) if unit_cost is None else unit_cost
    target = np.maximum(np.cumsum(before - plan, axis=1), 0)
    avoided = np.cumsum(before - came, axis=1)
    so_far = np.maximum.accumulate(np.minimum(np.maximum(avoided, 0), target), axis=1) * cost
    earned, could = (
        np.diff(x, axis=1, prepend=0.0) for x in (so_far, np.maximum.accumulate(target, axis=1) * cost)
    )
    known = np.isfinite(earned)
    owed = np.where(known, could - earned, 0.0).sum(axis=1)
    return QuarterlyPayment(could, earned, np.where(known.any(axis=1), owed, np.nan), avoided, cost)


def quarterly_outcomes(
    observations: pd.DataFrame,
    assessments: pd.DataFrame,
    rules: Scheme,
    *,
    metrics: Mapping[str, Metric] = METRICS,
) -> pd.DataFrame:
    """Work out what each quarter earns of the admissions planned and counted, areas and metrics by quarters.

    A plan is a share of the admissions of the baseline, whatever became of the population since.
    """
    places = {(one.id, name) for one in rules.payments for name in one.metrics}
    asked = assessments.assign(payment=assessments["payment"].map(rules.payment_id))
    asked = asked.loc[[place in places for place in zip(asked["payment"], asked["metric"], strict=True)]]
    asked = asked.reset_index(drop=True)
    reason = outcomes(observations, asked, metrics=metrics)["reason"]
    counted = pd.Series(np.nan, asked.index)
    for (name, period), rows in asked.loc[reason == ""].groupby(["metric", "target_period"]):
        after = baseline(observations, metrics[str(name)], Period.parse(str(period))).set_index("area_code")
        counted[rows.index] = after["numerator"].reindex(rows["area_code"]).to_numpy()
    before = asked["baseline_numerator"]
    planned = before * asked["target_value"] / asked["baseline_value"]
    asked = asked.assign(
        baseline_admissions=before, planned_admissions=planned, admissions=counted, reason=reason
    )
    given = ["baseline_admissions", "planned_admissions", "admissions"]
    quarters = [one.id for one in rules.payments]
    by_quarter = asked.set_index(["area_code", "metric", "payment"])
    each = {name: by_quarter[name].unstack().reindex(columns=quarters) for name in [*given, "reason"]}
    cost = float(rules.settings[UNIT_COST].value)
    paid = quarterly_payment(*(each[name].astype(float) for name in given), unit_cost=cost)
    why = each["reason"].where(each["planned_admissions"].notna(), "no target that can be judged")
    gap = np.isnan(paid.earned_pounds) & (why == "")
    each["reason"] = why.mask(gap, "nothing is known of a quarter before it")
    figures = {"avoided_so_far": paid.avoided, "planned_pounds": paid.planned_pounds}
    figures["earned_pounds"] = paid.earned_pounds
    each |= {name: pd.DataFrame(values, why.index, why.columns) for name, values in figures.items()}
    order = [*given, *figures, "reason"]
    return pd.concat({name: each[name].stack(future_stack=True) for name in order}, axis=1).reset_index()


def _check_rows(*given: npt.ArrayLike) -> None:
    """Refuse tables in which an area or quarter stands twice, or that are not of the same ones."""
    tables = [table for table in given if isinstance(table, pd.DataFrame)]
    for names in (name for table in tables for name in (table.index, table.columns)):
        if names.has_duplicates:
            twice = str(names[names.duplicated()][0])
            raise InputError("An area or quarter stands twice.", found=twice, do="Keep the one that counts.")
    for table in tables[1:]:
        if not (table.index.equals(tables[0].index) and table.columns.equals(tables[0].columns)):
            raise ParameterError("Baseline, plan and outcome must have the same areas and quarters.")
