"""The national and regional picture: all ambitions added up, verdicts by region, outlying plans."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bcfstats.errors import InputError
from bcfstats.judge.outlook import Floats
from bcfstats.judge.verdicts import UNKNOWN, VERDICTS
from bcfstats.stats.multiple import adjust_p_values

ENGLAND = "England"
NO_REGION = "no region given"
FALSE_SHARE = 0.05
OUTLYING = 3.5
FEWEST_PLANS = 10
MAD_TO_SD = 1.4826
COMPOSITE = [
    *("metric", "payment", "region", "boards", "assessed", "baseline_value", "target_value"),
    *("do_nothing_value", "ambition_percent", "events_better", "money_at_stake", "note"),
]


@dataclass(frozen=True)
class Overview:
    """All boards' ambitions together.

    Attributes
    ----------
    composite : DataFrame
        One row per metric, payment and region, and for England: boards with a target, values weighted by
        population, `ambition_percent`, events better than the baseline rate, money at stake.
    verdicts : DataFrame
        One row per metric, payment, region (and England): number of boards with each verdict.
    plans : DataFrame
        The assessments with `region`, `history_q` (false-discovery adjusted), `significant_overall`, and
        `outlying` (why a plan stands out, or empty). In order of area, never ranked.
    notes : tuple of str
        What a reader must know.
    """

    composite: pd.DataFrame
    verdicts: pd.DataFrame
    plans: pd.DataFrame
    notes: tuple[str, ...]


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
        If there are no assessments.

    Notes
    -----
    Composite values are weighted by the baseline's denominators: the value of all these areas taken as one.
    A metric without denominators has no composite. p-values against history are adjusted over all boards and
    metrics at once (Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x), since of 912 tests
    without any true change 23 would look significant. A plan is outlying where its ambition is further than
    3.5 robust standard deviations from the median plan (median absolute deviation) of the same metric and
    payment; that makes it a question, not a fault.

    Do not use it to rank areas.
    """
    if assessments.empty:
        raise InputError("There are no assessments to add up.", do="Assess a file of targets first.")
    region = areas.drop_duplicates("area_code").set_index("area_code")["region"]
    plans = assessments.assign(region=[region.get(code) or NO_REGION for code in assessments["area_code"]])
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
    return Overview(composite, counts.reset_index().rename_axis(columns=None), plans, _notes(plans))


def _composite(key: tuple[str, str, str], rows: pd.DataFrame) -> list[object]:
    known = rows.loc[rows["verdict"] != UNKNOWN]
    weight = known["baseline_denominator"].to_numpy(dtype=float)
    names = ("baseline_value", "target_value", "do_nothing_value")
    values = [known[name].to_numpy(dtype=float) for name in names]
    good = (
        np.isfinite(weight) & np.isfinite(np.sum(values, axis=0)) if len(known) else np.zeros(0, dtype=bool)
    )
    baseline, target, expected = (_weighted(value[good], weight[good]) for value in values)
    note = "" if good.any() else "no population to weigh by" if len(known) else "no target could be assessed"
    if good.any() and good.sum() < len(rows):
        note = f"of {good.sum()} of {len(rows)} boards"
    events, money = (rows[name].to_numpy(dtype=float) for name in ("events_better", "money_at_stake"))
    return [
        *(*key, len(rows), len(known), baseline, target, expected),
        100 * (target / baseline - 1) if baseline else np.nan,
        np.nansum(events) if np.isfinite(events).any() else np.nan,
        np.nansum(money) if np.isfinite(money).any() else np.nan,
        note,
    ]


def _weighted(values: Floats, weight: Floats) -> float:
    return float((values * weight).sum() / weight.sum()) if values.size and weight.sum() > 0 else float("nan")


def _outlying(plans: pd.DataFrame) -> list[str]:
    """Say of each plan whether it asks for far more, or far less, than others for the same metric."""
    told = pd.Series("", index=plans.index)
    for _, rows in plans.groupby(["metric", "payment"]):
        size = rows["ambition_percent"].where(rows["verdict"] != UNKNOWN)
        spread = MAD_TO_SD * (size - size.median()).abs().median()
        if size.notna().sum() < FEWEST_PLANS or not spread > 0:
            continue
        away = (size - size.median()) / spread
        direction = "asks for {:+.1f} % where the middle plan asks for {:+.1f} %"
        for i in away.index[away.abs() > OUTLYING]:
            told[i] = direction.format(size[i], size.median())
    return [str(text) for text in told]


def _notes(plans: pd.DataFrame) -> tuple[str, ...]:
    tested = int(plans["history_p"].notna().sum())
    alone = int((plans["history_p"] <= FALSE_SHARE / 2).sum())
    together = int(plans["significant_overall"].sum())
    return (
        f"Of {tested:,} ambitions, {alone:,} stand out from history alone, {together:,} taken together.",
        f"Without any true change, {round(tested * FALSE_SHARE / 2):,} of {tested:,} would by chance.",
        "Outlying plans are questions to ask, not faults. Areas are not ranked.",
    )
