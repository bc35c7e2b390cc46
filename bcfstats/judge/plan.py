"""What else a plan is held against: conditions, criteria for a local metric, commissioners' ambitions."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.datafiles import near_misses
from bcfstats.define.metrics import METRICS, Metric, get_metric
from bcfstats.define.periods import Period
from bcfstats.define.schemes import DEFAULT_SCHEME, Scheme, payment_key, scheme
from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.verdicts import GOOD, UNKNOWN, VERDICTS
from bcfstats.judge.windows import usable_rows
from bcfstats.read.observations import as_frame, each_once
from bcfstats.words import signed

ANSWERS = ("yes", "no", "in progress")
NOT_RECORDED = "not recorded"


def national_conditions(
    answers: pd.DataFrame, payment: str = "2015-04", rules: Scheme | str = DEFAULT_SCHEME
) -> pd.DataFrame:
    """Set the answers recorded beside the conditions that a payment rests on, one row an area and condition.

    A condition is given by its number in the payment or by its text; whether it is met, people judge.
    """
    rules = scheme(rules)
    texts = [text for pot in rules.payment(payment).pots for text in pot.conditions]
    if not texts:
        raise ParameterError("This payment rests on no national conditions.", found=f"{rules.id}, {payment}")
    needed = ("area_code", "condition", "answer")
    answers = as_frame(answers, "answers", dict.fromkeys((*needed, "evidence"), "str"), needed)
    given = answers.assign(
        condition=[_condition(cell, texts) for cell in answers["condition"]],
        answer=[_answer(cell) for cell in answers["answer"]],
    )
    if given.duplicated(["area_code", "condition"]).any():
        twice = given.loc[given.duplicated(["area_code", "condition"]), ["area_code", "condition"]].iloc[0]
        raise ParameterError(
            "Two answers are given to one condition.", found=f"{twice.iloc[0]}, {twice.iloc[1]}"
        )
    every = pd.MultiIndex.from_product(
        [given["area_code"].unique(), texts], names=["area_code", "condition"]
    ).to_frame(index=False)
    table = every.merge(given, on=["area_code", "condition"], how="left")
    table = table.reindex(columns=["area_code", "condition", "answer", "evidence", "answered_on"])
    table["answer"] = table["answer"].fillna(NOT_RECORDED)
    table[["evidence", "answered_on"]] = table[["evidence", "answered_on"]].astype(object).fillna("")
    bare = (table["answer"] == "yes") & (table["evidence"].astype(str).str.strip() == "")
    return table.assign(payment=payment, note=bare.map({True: "no evidence is recorded", False: ""}))


def _condition(given: object, texts: list[str]) -> str:
    text = str(given).strip()
    if text.isdigit() and 1 <= int(text) <= len(texts):
        return texts[int(text) - 1]
    matches = [known for known in texts if text and text.casefold() in known.casefold()]
    if len(matches) == 1:
        return matches[0]
    raise ParameterError(
        "There is no such condition.",
        found=f"'{text}'",
        do=f"Give a number from 1 to {len(texts)}. {near_misses(text, texts)}",
    )


def _answer(given: object) -> str:
    text = str(given).strip().casefold()
    if text not in ANSWERS:
        raise ParameterError(
            "The answer is not understood.", found=f"'{given}'", do=f"Use {', '.join(ANSWERS)}."
        )
    return text


APART = 1.0
COVERED = 0.9
AGREES, DIFFERS, UNTOLD = "agrees", "differs", "cannot be told"


def ambition_consistency(
    assessments: pd.DataFrame,
    commissioners: pd.DataFrame,
    shares: pd.DataFrame,
    *,
    apart: float = APART,
) -> pd.DataFrame:
    """Hold board targets against the ambitions their commissioning groups have set (paragraphs 29 and 49).

    The groups' changes are weighted by their shares of the area's people, so that they are approximate where
    rates differ much; below 90 % of the people nothing is concluded. `apart` is in percentage points.
    """
    text = dict.fromkeys(("area_code", "metric", "payment"), "str")
    assessments = as_frame(assessments, "assessments", {**text, "ambition_percent": "float64"})
    kinds = {"commissioner": "str", "metric": "str", "change_percent": "float64"}
    commissioners = as_frame(commissioners, "commissioners' ambitions", kinds)
    kinds = {"commissioner": "str", "area_code": "str", "area_share": "float64"}
    shares = as_frame(shares, "shares", kinds)
    if "payment" in commissioners:
        commissioners = commissioners.assign(payment=commissioners["payment"].map(payment_key))
    twice = shares.loc[shares.duplicated(["commissioner", "area_code"]), ["commissioner", "area_code"]]
    if len(twice):
        named = ", ".join(map(str, twice.iloc[0]))
        raise InputError("A commissioning group has two shares of one area.", found=named)
    key = ["commissioner", "metric", *(["payment"] if "payment" in commissioners else [])]
    if commissioners.duplicated(key).any():
        twice = commissioners.loc[commissioners.duplicated(key), key].iloc[0].tolist()
        raise InputError("A commissioning group has two ambitions.", found=", ".join(map(str, twice)))
    rows = assessments.loc[assessments["metric"].isin(set(commissioners["metric"]))]
    names = ["area_code", "area_name", "metric", "payment", "ambition_percent"]
    compared = [_compare(row, commissioners, shares, apart) for row in rows.to_dict("records")]
    left = rows.reindex(columns=names).reset_index(drop=True)
    columns = ["groups", "covered", "implied_percent", "difference", "finding", "note"]
    return left.join(pd.DataFrame(compared, columns=columns))


def _compare(
    row: dict[str, object], commissioners: pd.DataFrame, shares: pd.DataFrame, apart: float
) -> dict[str, object]:
    theirs = commissioners.loc[commissioners["metric"] == row["metric"]]
    if "payment" in theirs:
        theirs = theirs.loc[theirs["payment"] == payment_key(str(row["payment"]))]
    both = shares.loc[shares["area_code"] == row["area_code"]].merge(
        theirs[["commissioner", "change_percent"]], on="commissioner"
    )
    both = both.dropna(subset=["area_share", "change_percent"]).sort_values("area_share", ascending=False)
    covered = float(both["area_share"].sum())
    groups = ", ".join(f"{g.commissioner} ({100 * g.area_share:.0f} %)" for g in both.itertuples())
    implied = (
        float((both["area_share"] * both["change_percent"]).sum() / covered) if covered else float("nan")
    )
    asked = float(row["ambition_percent"])  # type: ignore[arg-type]
    difference = asked - implied
    known = covered >= COVERED and np.isfinite(difference)
    finding = UNTOLD if not known else AGREES if abs(difference) <= apart else DIFFERS
    note = ""
    if not np.isfinite(asked):
        note = "the board's own change is not known"
    elif covered < COVERED:
        note = f"only {100 * covered:.0f} % of the area's people are in groups with an ambition"
    elif finding == DIFFERS:
        note = f"the board asks for {signed(asked)} %, its groups together for {signed(implied)} %"
    return {
        "groups": groups,
        "covered": covered,
        "implied_percent": implied,
        "difference": difference,
        "finding": finding,
        "note": note,
    }


CRITERIA = {
    "strategy": "has a clear, demonstrable link with the Joint Health and Wellbeing Strategy",
    "robust": "data is robust and reliable, with no major data quality issues (not subject to small numbers)",
    "source": "comes from an established, reliable (ideally published) source",
    "timely": "timely data is available, in line with requirements for pay for performance",
    "challenging": "the achievement of the locally set level of ambition is suitably challenging",
    "incentives": "creates the right incentives",
}
MET, NOT_MET, ASK = "met", "not met", "to be answered"
BASELINE_YEAR = Period.parse("2014/15")
SMALL, FEW = 10, 30
BAD_SHARE = 0.1
UNNAMED = ("not confirmed", "depends", "to be agreed")


def local_menu(metrics: Mapping[str, Metric] = METRICS) -> pd.DataFrame:
    """List the metrics an area may choose from (paragraph 46 of the annex), with what to know of each."""
    rows = [
        {
            "metric": metric.id,
            "framework": metric.framework,
            "code": metric.code,
            "name": metric.name,
            "statistic": metric.statistic.replace("_", " "),
            "better": metric.polarity,
            "frequency": metric.frequency,
            "lag": metric.lag,
            "breaks": "; ".join(f"{one.date}: {one.what}" for one in metric.breaks),
            "caveats": " ".join(metric.caveats),
        }
        for metric in metrics.values()
        if metric.group == "local"
    ]
    return pd.DataFrame(rows)


def screen_local_metric(
    metric: str | Metric,
    observations: pd.DataFrame,
    area: str,
    *,
    answers: Mapping[str, tuple[bool, str]] | None = None,
    verdict: str | None = None,
    metrics: Mapping[str, Metric] = METRICS,
) -> pd.DataFrame:
    """Hold a local metric against the six criteria of paragraph 47.

    It answers: may this metric be used, as far as figures can tell, and what has a person still to answer?

    Parameters
    ----------
    metric : str or Metric
        From the menu, or an area's own.
    observations : DataFrame
        With the observation columns.
    area : str
        Area code.
    answers : mapping of criterion to (met, evidence), optional
        What people have answered: keys "strategy", "incentives", or any other left open.
    verdict : str, optional
        Of the proposed ambition, from `assess_ambitions`.
    metrics : mapping of str to Metric, optional

    Returns
    -------
    DataFrame
        Six rows: `criterion`, `text`, `finding` ("met", "not met", "to be answered"), `evidence`,
        `decided_by` ("figures", "a person", "nobody yet").

    Raises
    ------
    ParameterError
        If the metric, a criterion or the verdict is unknown, or an answer has no evidence.

    Notes
    -----
    Decided by figures: fewer than 10 events or people is too small, 30 or more is not (published limits stand
    in for a survey's sample); more than one in ten periods suppressed, suspect or missing is a quality issue;
    a figure for 2014/15 must be there (paragraph 45), and figures at least every year. These limits are
    choices. A person's answer never overrides what figures have decided against.
    """
    metric = metric if isinstance(metric, Metric) else get_metric(metric, metrics)
    given: dict[str, Any] = dict(answers or {})
    if verdict is not None and verdict not in VERDICTS:
        do = near_misses(verdict, VERDICTS)
        raise ParameterError("There is no such verdict.", found=f"'{verdict}'", do=do)
    for key, answer in given.items():
        if not (isinstance(answer, tuple | list) and len(answer) == 2 and isinstance(answer[1], str)):
            found, do = f"'{key}': {answer!r}", 'Write (True, "the evidence").'
            raise ParameterError("An answer is not understood.", found=found, do=do)
        if key not in CRITERIA:
            raise ParameterError(
                "There is no such criterion.", found=f"'{key}'", do=near_misses(key, CRITERIA)
            )
        if not answer[1].strip():
            raise ParameterError("An answer needs its evidence.", found=f"'{key}'")
    observations = each_once(observations)
    rows = observations.loc[(observations["metric"] == metric.id) & (observations["area_code"] == area)]
    decided = {
        "strategy": (ASK, "only people can say"),
        "robust": _robust(metric, rows),
        "source": _source(metric),
        "timely": _timely(metric, rows),
        "challenging": _challenging(verdict),
        "incentives": (ASK, "only people can say" + _gaming(metric)),
    }
    return pd.DataFrame([_row(key, *decided[key], given.get(key)) for key in CRITERIA])


def _row(key: str, finding: str, evidence: str, answer: tuple[bool, str] | None) -> dict[str, str]:
    decided_by = "nobody yet" if finding == ASK else "figures"
    if answer is not None and finding == ASK:
        finding, evidence, decided_by = MET if answer[0] else NOT_MET, answer[1], "a person"
    elif answer is not None:
        evidence = f"{evidence}; answered besides: {'yes' if answer[0] else 'no'}, {answer[1]}"
    return {
        "criterion": key,
        "text": CRITERIA[key],
        "finding": finding,
        "evidence": evidence,
        "decided_by": decided_by,
    }


def _robust(metric: Metric, rows: pd.DataFrame) -> tuple[str, str]:
    if rows.empty:
        return NOT_MET, "there are no figures for this area"
    bad = 1 - len(usable_rows(rows, metric)) / len(rows)
    if bad > BAD_SHARE:
        return NOT_MET, f"{100 * bad:.0f} % of its periods are suppressed, suspect or missing"
    good = usable_rows(rows, metric).sort_values("period_end")
    last = good.iloc[-1]
    if metric.kind.is_survey:
        if np.isfinite(last["lower_ci"]) and np.isfinite(last["upper_ci"]):
            half = (last["upper_ci"] - last["lower_ci"]) / 2
            return (
                ASK,
                f"a survey: {last['value']:.1f}, give or take {half:.1f}; is that enough to see a change?",
            )
        return NOT_MET, "a survey without published limits: what is chance cannot be told"
    least = float(np.nanmin(_people(metric, good))) if len(good) else float("nan")
    if not np.isfinite(least):
        return ASK, "no counts are published: judge from the published limits"
    if least < SMALL:
        return NOT_MET, f"small numbers: {least:,.0f} in one period"
    if least < FEW:
        return ASK, f"few: {least:,.0f} in one period; is that enough to see a change?"
    return MET, f"at least {least:,.0f} in every period"


def _people(metric: Metric, rows: pd.DataFrame) -> np.ndarray:
    """Give the smaller of those counted and those not, for a share; the events, for a rate."""
    numerator = rows["numerator"].to_numpy(dtype=float)
    if not metric.kind.is_counted_share:
        return (
            np.where(np.isfinite(numerator), numerator, np.nan)
            if np.isfinite(numerator).any()
            else np.array([np.nan])
        )
    others = rows["denominator"].to_numpy(dtype=float) - numerator
    smaller = np.minimum(numerator, others)
    return smaller if np.isfinite(smaller).any() else np.array([np.nan])


def _source(metric: Metric) -> tuple[str, str]:
    source = f"{metric.source}; {metric.publisher}"
    unnamed = any(word in source.casefold() for word in UNNAMED)
    return (ASK, f"the source is open: {source}") if unnamed else (MET, source)


def _timely(metric: Metric, rows: pd.DataFrame) -> tuple[str, str]:
    good = usable_rows(rows, metric)
    if good.empty:
        return NOT_MET, "there are no figures for this area"
    ends = pd.to_datetime(good["period_end"]).drop_duplicates().sort_values()
    if len(ends) > 1 and (ends.diff().dt.days.iloc[-3:] > 400).any():
        return NOT_MET, "figures come less often than every year: no change can be seen in time"
    starts = pd.to_datetime(good["period_start"]).dt.date
    inside = (starts >= BASELINE_YEAR.start) & (
        pd.to_datetime(good["period_end"]).dt.date <= BASELINE_YEAR.end
    )
    if not inside.any():
        return ASK, f"no figure for {BASELINE_YEAR.label} yet: will a baseline be there (paragraph 45)?"
    lag = metric.lag if metric.lag != "not confirmed" else "how soon figures come out is not confirmed"
    return MET, f"a figure for {BASELINE_YEAR.label} is there; {lag}"


def _challenging(verdict: str | None) -> tuple[str, str]:
    if verdict is None or verdict == UNKNOWN:
        return ASK, "no ambition has been assessed" if verdict is None else "the ambition cannot be assessed"
    return (MET if verdict == GOOD else NOT_MET), f"the ambition is {VERDICTS[verdict].words}"


def _gaming(metric: Metric) -> str:
    if not metric.kind.per_resident and not metric.kind.is_survey:
        return "; a share can also rise because fewer are counted below it: look at the denominator"
    return ""
