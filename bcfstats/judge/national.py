"""The national and regional picture: all ambitions added up, verdicts by region, outlying plans."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bcfstats.define.schemes import payment_key
from bcfstats.errors import InputError
from bcfstats.judge.outlook import Floats
from bcfstats.judge.verdicts import UNKNOWN, VERDICTS
from bcfstats.read.observations import as_frame
from bcfstats.stats.multiple import adjust_p_values
from bcfstats.words import signed

ENGLAND = "England"
NO_REGION = "no region given"
FALSE_SHARE = 0.05
OUTLYING = 3.5
FEWEST_PLANS = 10
MAD_TO_SD = 1.4826
COMPOSITE = [
    *("metric", "payment", "region", "boards", "assessed", "baseline_value", "target_value"),
    *("do_nothing_value", "ambition_percent", "events_better", "money_at_stake", "left_out", "note"),
]


@dataclass(frozen=True)
class Overview:
    """All boards' ambitions together: added up, their verdicts counted, and each plan with what stands out.

    A figure of the composite is of the boards counted as `assessed`; those left out are named. Plans are in
    order of area, never ranked.
    """

    composite: pd.DataFrame
    verdicts: pd.DataFrame
    plans: pd.DataFrame
    notes: tuple[str, ...]


_ASSESSED = {
    **dict.fromkeys(("area_code", "area_name", "metric", "payment", "verdict"), "str"),
    **dict.fromkeys(
        ("baseline_value", "baseline_denominator", "target_value", "do_nothing_value"), "float64"
    ),
    **dict.fromkeys(("ambition_percent", "events_better", "history_p", "money_at_stake"), "float64"),
}


def national_overview(assessments: pd.DataFrame, areas: pd.DataFrame) -> Overview:
    """Add up the ambitions of all boards, and look for plans that stand out.

    It answers: what do all plans ask for together, where are they weak, and which look unlike the others?

    Parameters
    ----------
    assessments : DataFrame
        From `assess_ambitions`, of many areas.
    areas : DataFrame
        With `area_code` and `region`.

    Returns
    -------
    Overview

    Raises
    ------
    InputError
        If there are no assessments, or a board has two targets for one metric and payment.

    Notes
    -----
    **Method.** Composite values are weighted by the baseline's denominators: the value of all these areas
    taken as one. A metric without denominators has no composite. p-values against history are adjusted over
    all boards and metrics at once (Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x),
    since of 912 tests without any true change 23 would look significant. A plan is outlying where its
    ambition is further than 3.5 robust standard deviations from the median plan (median absolute deviation)
    of the same metric and payment; that makes it a question, not a fault.

    **When not to use.** To rank areas.
    """
    assessments = as_frame(assessments, "assessments", _ASSESSED)
    areas = as_frame(areas, "areas", {"area_code": "str", "region": "str"})
    if assessments.empty:
        raise InputError("There are no assessments to add up.", do="Assess a file of targets first.")
    region = areas.drop_duplicates("area_code").set_index("area_code")["region"]
    plans, repeats = _once(assessments)
    plans = plans.assign(region=[region.get(code) or NO_REGION for code in plans["area_code"]])
    q = adjust_p_values(plans["history_p"].to_numpy(dtype=float))
    plans = plans.assign(history_q=q, significant_overall=q <= FALSE_SHARE, outlying=_outlying(plans))
    plans = plans.sort_values(["metric", "payment", "area_code"], kind="stable", ignore_index=True)
    both = pd.concat([plans, plans.assign(region=ENGLAND)])
    groups = both.groupby(["metric", "payment", "region"], sort=True)
    composite = pd.DataFrame(
        [_composite((str(a), str(b), str(c)), rows) for (a, b, c), rows in groups], columns=COMPOSITE
    )
    counts = (
        groups["verdict"].value_counts().unstack(fill_value=0).reindex(columns=list(VERDICTS), fill_value=0)
    )
    return Overview(composite, counts.reset_index().rename_axis(columns=None), plans, _notes(plans, repeats))


def _once(assessments: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Keep one row of each board, metric and payment, and count the others; refuse two different ones."""
    key = assessments["payment"].map(payment_key)
    spelt = assessments["payment"].groupby(key).transform("first") if len(key) else assessments["payment"]
    plans = assessments.assign(payment=spelt)
    plans = plans.loc[~plans.astype(str).duplicated()]
    names = ["area_code", "metric", "payment"]
    twice = plans.loc[plans.duplicated(names), names]
    if len(twice):
        raise InputError(
            "A board has two targets for one metric and payment.",
            found=", ".join(map(str, twice.iloc[0])),
            do="Keep the one that counts.",
        )
    return plans, len(assessments) - len(plans)


def _composite(key: tuple[str, str, str], rows: pd.DataFrame) -> list[object]:
    """Add up plans for one metric and payment: every figure is of the boards counted as assessed."""
    judged = (rows["verdict"] != UNKNOWN).to_numpy()
    weight = rows["baseline_denominator"].to_numpy(dtype=float)
    names = ("baseline_value", "target_value", "do_nothing_value")
    values = [rows[name].to_numpy(dtype=float) for name in names]
    weighed = judged & np.isfinite(weight) & np.isfinite(np.sum(values, axis=0))
    inside = weighed if weighed.any() else judged
    baseline, target, expected = (_weighted(value[weighed], weight[weighed]) for value in values)
    named = zip(rows["area_name"], rows["area_code"], strict=True)
    called = [name if isinstance(name, str) and name else code for name, code in named]
    left_out = ", ".join(name for name, kept in zip(called, inside, strict=True) if not kept)
    none = "no population to weigh by" if judged.any() else "no target could be assessed"
    some = f"of {inside.sum()} of {len(rows)} boards" if inside.any() and left_out else ""
    note = "; ".join(filter(None, ("" if weighed.any() else none, some)))
    events, money = (rows[name].to_numpy(dtype=float)[inside] for name in ("events_better", "money_at_stake"))
    return [
        *(*key, len(rows), int(inside.sum()), baseline, target, expected),
        100 * (target / baseline - 1) if baseline else np.nan,
        *(part.sum() if part.size else np.nan for part in (events, money)),
        left_out,
        note,
    ]


def _weighted(values: Floats, weight: Floats) -> float:
    return float((values * weight).sum() / weight.sum()) if values.size and weight.sum() > 0 else float("nan")


def _outlying(plans: pd.DataFrame) -> list[str]:
    """Say of each plan whether it asks for far more, or far less, than others for the same metric."""
    texts = pd.Series("", index=plans.index)
    for _, rows in plans.groupby(["metric", "payment"]):
        size = rows["ambition_percent"].where(rows["verdict"] != UNKNOWN)
        spread = MAD_TO_SD * (size - size.median()).abs().median()
        if size.notna().sum() < FEWEST_PLANS or not spread > 0:
            continue
        away = (size - size.median()) / spread
        usual = f"where the middle plan asks for {signed(size.median())} %"
        for i in away.index[away.abs() > OUTLYING]:
            texts[i] = f"asks for {signed(size[i])} % {usual}"
    return [str(text) for text in texts]


def _notes(plans: pd.DataFrame, repeats: int) -> tuple[str, ...]:
    tested = int(plans["history_p"].notna().sum())
    alone = int((plans["history_p"] <= FALSE_SHARE / 2).sum())
    together = int(plans["significant_overall"].sum())
    return (
        f"Of {tested:,} ambitions, {alone:,} stand out from history alone, {together:,} taken together.",
        f"Without any true change, {round(tested * FALSE_SHARE / 2):,} of {tested:,} would by chance.",
        "Outlying plans are questions to ask, not faults. Areas are not ranked.",
        *([f"{repeats:,} rows stood twice or more and are counted once."] if repeats else []),
    )
