"""The local metric: the menu of nine, and any alternative held against the six criteria."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bcfstats.define.datafiles import near_misses
from bcfstats.define.metrics import METRICS, Metric, get_metric
from bcfstats.define.periods import Period
from bcfstats.errors import ParameterError
from bcfstats.judge.panel import usable
from bcfstats.judge.verdicts import GOOD, VERDICTS

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
    """List the metrics an area may choose from (paragraph 46 of the annex), with what to know of each.

    Returns
    -------
    DataFrame
        One row per metric of the local menu: `metric framework code name statistic better frequency lag
        breaks caveats`.

    Examples
    --------
    >>> len(local_menu())
    9
    """
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
            "breaks": "; ".join(f"{found.date}: {found.what}" for found in metric.breaks),
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
        If the metric or a criterion is unknown, or an answer has no evidence.

    Notes
    -----
    Decided by figures: fewer than 10 events or people is too small, 30 or more is not (published limits stand
    in for a survey's sample); more than one in ten periods suppressed, suspect or missing is a quality issue;
    a figure for 2014/15 must be there (paragraph 45), and figures at least every year. These limits are
    choices. A person's answer never overrides what figures have decided against.
    """
    metric = metric if isinstance(metric, Metric) else get_metric(metric, metrics)
    given = dict(answers or {})
    for key, (_, evidence) in given.items():
        if key not in CRITERIA:
            raise ParameterError(
                "There is no such criterion.", found=f"'{key}'", do=near_misses(key, CRITERIA)
            )
        if not evidence.strip():
            raise ParameterError("An answer needs its evidence.", found=f"'{key}'")
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
    bad = 1 - len(usable(rows, metric.id)) / len(rows)
    if bad > BAD_SHARE:
        return NOT_MET, f"{100 * bad:.0f} % of its periods are suppressed, suspect or missing"
    good = usable(rows, metric.id).sort_values("period_end")
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
    told = f"{metric.source}; {metric.publisher}"
    unnamed = any(word in told.casefold() for word in UNNAMED)
    return (ASK, f"the source is open: {told}") if unnamed else (MET, told)


def _timely(metric: Metric, rows: pd.DataFrame) -> tuple[str, str]:
    good = usable(rows, metric.id)
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
    if verdict is None:
        return ASK, "no ambition has been assessed"
    return (MET if verdict == GOOD else NOT_MET), f"the ambition is {VERDICTS[verdict].words}"


def _gaming(metric: Metric) -> str:
    if not metric.kind.per_resident and not metric.kind.is_survey:
        return "; a share can also rise because fewer are counted below it: look at the denominator"
    return ""
