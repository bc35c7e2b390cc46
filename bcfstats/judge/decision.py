"""What to decide: where an area is in each metric and payment window, what to aim for, what came of it."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import pandas as pd

from bcfstats.define.levels import LEVELS
from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period
from bcfstats.define.schemes import LOCAL, Scheme
from bcfstats.judge import verdicts
from bcfstats.judge.changes import finding_together
from bcfstats.judge.ladder import NEITHER, NO_END, RANGE
from bcfstats.judge.outlook import NO_FIGURES
from bcfstats.judge.results import LATEST, NOT_COMPARED, Results
from bcfstats.judge.targets import NOT_KNOWN
from bcfstats.judge.verdicts import BEATEN, GOOD, NOISE, NOT_BETTER, UNPRECEDENTED
from bcfstats.stats.tolerance import reached

TO_COME, PARTLY_IN, KNOWN = "to come", "partly in", "known"
MET, MISSED = "met", "missed"
UNKNOWN, EASY, FAR = "not known", "too easy", "too far"
CHALLENGE = {
    **dict.fromkeys((NOT_BETTER, BEATEN, NOISE, verdicts.EASY), EASY),
    UNPRECEDENTED: FAR,
    GOOD: "yes",
}
QUESTIONS = {
    "clear_baseline": "Clear baseline",
    "trend": "Trend",
    "season": "Season",
    "challenge": "Challenging yet achievable",
    "significant": "Significant",
}
AHEAD = ("expected", "expected_lower", "expected_upper", "challenging_value", "achievable_value")
NAN = math.nan
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Decision:
    """One metric and payment window of one area; NaN or an empty text where something is not known.

    `reason` says why no target can be recommended. Recommended is from the least target that is challenging
    to the furthest that peers have gone, where that is further; `found` says whether it is, and `why_unknown`
    why that cannot be told.
    """

    area_code: str
    metric: str
    payment: str
    period: str = ""
    stage: str = TO_COME
    reason: str = ""
    latest_period: str = ""
    latest_value: float = NAN
    latest_per_month: float = NAN
    latest_change: float = NAN
    latest_change_unit: str = ""
    latest_finding: str = ""
    expected: float = NAN
    expected_lower: float = NAN
    expected_upper: float = NAN
    challenging_value: float = NAN
    achievable_value: float = NAN
    found: str = ""
    why_unknown: str = ""
    recommended_from: float = NAN
    recommended_to: float = NAN
    recommended_from_percent: float = NAN
    recommended_to_percent: float = NAN
    recommended_from_per_month: float = NAN
    recommended_to_per_month: float = NAN
    target_value: float = NAN
    target_percent: float = NAN
    target_per_month: float = NAN
    verdict: str = ""
    payment_line: float = NAN
    p_paid_do_nothing: float = NAN
    money_at_stake: float = NAN
    outcome_value: float = NAN
    result: str = ""
    clear_baseline: str = "none"
    trend: str = UNKNOWN
    season: str = UNKNOWN
    challenge: str = UNKNOWN
    significant: str = UNKNOWN

    @property
    def recommended(self) -> tuple[float, ...]:
        """Both ends of the targets recommended; nothing where they are not both known."""
        ends = self.recommended_from, self.recommended_to
        return ends if all(map(math.isfinite, ends)) else ()


KEYS = ["area_code", "metric", "payment"]
COLUMNS = [field.name for field in fields(Decision)]


def due_of(rules: Scheme) -> list[dict[str, str]]:
    """List what a scheme asks a target for: metric, payment, period, and the reason where that is open."""
    return [
        {
            "metric": name,
            "payment": payment.id,
            "period": str(window or ""),
            "reason": payment.reasons.get(name, "") if window is None else "",
        }
        for payment in rules.payments
        for name, window in payment.metrics.items()
    ]


def decisions(results: Results) -> list[Decision]:
    """Tell what there is to decide, a row per area, headline metric and payment window.

    Headline metrics are those the scheme pays on and those a target is proposed for. Everything is taken from
    the tables as they may be shown: nothing is computed anew but differences of what is there.
    """
    tables = _Tables(results)
    return [found for code in results.areas["area_code"] for found in tables.decide(code)]


def decision_table(results: Results) -> pd.DataFrame:
    """Lay the decisions out as a table, one row per area, metric and payment, without those still open."""
    rows = [asdict(found) for found in decisions(results) if found.payment]
    return pd.DataFrame(rows, columns=COLUMNS)


class _Tables:
    """The rows of the results by area, metric and payment."""

    def __init__(self, results: Results) -> None:
        self.due = {(row["metric"], row["payment"]): row for row in results.about.get("due", ())}
        self.metrics = {metric.id: metric for metric in results.metrics}
        self.place = {name: i for i, name in enumerate(self.metrics)}
        self.windows, self.outlooks, self.targets = (
            _by(table, *KEYS) for table in (results.windows, results.outlooks, results.assessments)
        )
        self.trends, self.seasons = (_by(table, *KEYS[:2]) for table in (results.trends, results.seasons))
        self.keys: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for code, name, payment in [*self.windows, *self.targets]:
            if payment != LATEST:
                self.keys[code].add((name, payment))

    def decide(self, code: str) -> Iterator[Decision]:
        """Give the decisions in the order of the metrics; what is still open comes last, once a metric."""
        told = self.keys[code] | {key for key, row in self.due.items() if row["period"]}
        for name, payment in sorted(
            told, key=lambda key: (self.place[key[0]], self._when(code, key), key[1])
        ):
            metric = self.metrics[name]
            local = self.due.get((LOCAL, payment)) if metric.group == LOCAL else None
            ours = self.due.get((name, payment)) or local
            yield self._decide(code, metric, payment, ours["reason"] if ours else "")
        done = {name for name, _ in told} | {self.metrics[name].group for name, _ in told}
        for name, reason in {row["metric"]: row["reason"] for row in self.due.values()}.items():
            if name not in done:
                yield Decision(code, name, "", reason=reason)

    def _when(self, code: str, key: tuple[str, str]) -> str:
        window = self.windows.get((code, *key))
        return str(window["outcome_period"]) if window else self.due.get(key, {}).get("period", "")

    def _decide(self, code: str, metric: Metric, payment: str, still_open: str) -> Decision:
        key = code, metric.id, payment
        window, outlook, target = self.windows.get(key), self.outlooks.get(key), self.targets.get(key)
        stage = _stage(window)
        before = self.windows.get((code, metric.id, LATEST))
        reason = still_open or _reason(window, outlook, target)
        told: dict[str, Any] = {"stage": stage, "reason": reason}
        told["period"] = window["outcome_period"] if window else _text(target, "target_period")
        told |= _latest(metric, window if stage != TO_COME else before)
        told |= _ahead(outlook or _known_with(target), window or target) if not reason else {}
        told |= _proposed(target, window, metric, stage)
        told["clear_baseline"] = _baseline(window, target, reason)
        told["trend"] = told_trend(self.trends.get(key[:2]), metric)
        told["season"] = _season(self.seasons.get(key[:2]), metric)
        told["challenge"] = (
            CHALLENGE.get(told["verdict"], UNKNOWN) if target else _both(told.get("found", ""))
        )
        told["significant"] = _significant(told, outlook, target, metric)
        return Decision(code, metric.id, payment, **told)


def _by(table: pd.DataFrame, *names: str) -> dict[tuple[str, ...], Row]:
    """Give the first row of each key: what is given twice is told once."""
    if table.empty:
        return {}
    rows = table.drop_duplicates(list(names)).to_dict("records")
    return {tuple(row[name] for name in names): row for row in rows}


def _text(row: Row | None, name: str) -> str:
    return row[name] if row and isinstance(row[name], str) else ""


def _stage(window: Row | None) -> str:
    if window is None or window["outcome_n_present"] == 0 or not math.isfinite(window["outcome_value"]):
        return TO_COME
    return KNOWN if math.isfinite(window["outcome_whole_value"]) else PARTLY_IN


def _latest(metric: Metric, row: Row | None) -> dict[str, Any]:
    """Take where the area is, from the window's own figures or else the latest year's."""
    if row is None:
        return {}
    whole = row["periods"] != "months"
    months = Period.parse(row["outcome_period"]).n_months if whole else row["outcome_n_present"]
    counted = metric.nature == "flow" and metric.kind.tells_events and months > 0
    return {
        "latest_period": row["outcome_period"],
        "latest_value": row["outcome_value"],
        "latest_per_month": row["outcome_numerator"] / months if counted else NAN,
        "latest_change": row["change"],
        "latest_change_unit": row["change_unit"],
        "latest_finding": finding_together(row),
    }


def _ahead(outlook: Row | None, window: Row | None) -> dict[str, Any]:
    """Take what was expected if nothing was done, and the targets recommended on it."""
    if outlook is None or window is None:
        return {}
    told = {name: outlook[name] for name in AHEAD}
    told["found"] = found = outlook["recommended"]
    told["why_unknown"] = outlook["warnings"] if found == NOT_KNOWN else ""
    for end, name in (("from", "challenging"), ("to", "achievable")):
        if found == RANGE or (found == NO_END and end == "from"):
            value = outlook[f"{name}_value"]
            told[f"recommended_{end}"] = value
            told[f"recommended_{end}_percent"] = _percent(value, window["baseline_value"])
            told[f"recommended_{end}_per_month"] = outlook[f"{name}_per_month"]
    return told


def _known_with(target: Row | None) -> Row | None:
    """Take what is recommended from the judgement of a target whose period is in no comparison."""
    if target is None or not isinstance(target["recommended"], str):
        return None
    names = {"expected": "do_nothing_value", "expected_lower": "do_nothing_lower"}
    names |= {"expected_upper": "do_nothing_upper"}
    told = {name: target[names.get(name, name)] for name in (*AHEAD, "recommended")}
    told["warnings"] = target["why_unknown"]
    return told | {"challenging_per_month": NAN, "achievable_per_month": NAN}


def _percent(value: float, start: float) -> float:
    return 100 * (value / start - 1) if start else NAN


def _proposed(target: Row | None, window: Row | None, metric: Metric, stage: str) -> dict[str, Any]:
    """Take the proposed target and its verdict, and whether a known outcome has reached its line."""
    outcome = window["outcome_whole_value"] if window and stage == KNOWN else NAN
    if target is None:
        return {"verdict": "", "outcome_value": outcome}
    line = target["payment_line"]
    result = ""
    if math.isfinite(outcome) and math.isfinite(line):
        result = MET if reached(outcome, line, metric.direction) else MISSED
    return {
        "target_value": target["target_value"],
        "target_percent": target["ambition_percent"],
        "target_per_month": target["ambition_per_month"],
        "verdict": target["verdict"],
        "payment_line": line,
        "p_paid_do_nothing": target["p_paid_do_nothing"],
        "money_at_stake": target["money_at_stake"],
        "outcome_value": outcome,
        "result": result,
    }


def _reason(window: Row | None, outlook: Row | None, target: Row | None) -> str:
    if outlook is not None:
        return str(outlook["reason"])
    if window is None:
        known = target is not None and math.isfinite(target["baseline_value"])
        return "" if known else NO_FIGURES
    if not math.isfinite(window["baseline_value"]):
        return f"no baseline: {window['baseline_reason'] or NO_FIGURES}"
    return str(window["change_reason"]) if window["finding"] == NOT_COMPARED else ""


def _baseline(window: Row | None, target: Row | None, reason: str) -> str:
    if window is None:
        return "clear" if target and math.isfinite(target["baseline_value"]) else "none"
    if reason or not math.isfinite(window["baseline_value"]):
        return "none"
    return "clear" if window["baseline_n_present"] == window["baseline_n_expected"] else "in part"


def told_trend(row: Row | None, metric: Metric) -> str:
    """Name the long-run trend in a word: clear where it stands out among all findings of the area."""
    if row is None or not math.isfinite(row["slope_lower"]):
        return UNKNOWN
    low, high = sorted(metric.direction * row[f"slope_{end}"] for end in ("lower", "upper"))
    clear = row["q_value"] <= LEVELS.significance
    return "better" if clear and low > 0 else "worse" if clear and high < 0 else "unclear"


def _season(row: Row | None, metric: Metric) -> str:
    """Every window is compared with the same months, so that a season is in both alike."""
    if metric.frequency != "month":
        return "not needed"
    if row is None or not math.isfinite(row["national_p"]):
        return UNKNOWN
    return "allowed for" if row["national_p"] < LEVELS.significance else "none seen"


def _both(found: str) -> str:
    return {RANGE: "possible", NO_END: "possible", NEITHER: "not both"}.get(found, UNKNOWN)


def _significant(told: Row, outlook: Row | None, target: Row | None, metric: Metric) -> str:
    """Say whether the target, or else every target recommended, stands out from usual movement."""
    least = target["minimum_significant_value"] if target else (outlook or {}).get("minimum_significant", NAN)
    value = told["target_value"] if target else told.get("recommended_from", NAN)
    furthest = value if target else told.get("recommended_to", NAN)
    if not (math.isfinite(least) and math.isfinite(value)):
        return UNKNOWN
    if metric.direction * (value - least) >= 0:
        return "yes"
    return "in part" if metric.direction * (furthest - least) >= 0 else "no"
