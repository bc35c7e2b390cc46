"""A goal built from schemes of work: what they add up to, beside doing nothing, the goal and the peers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from bcfstats.define.levels import LEVELS
from bcfstats.define.metrics import METRICS, Metric
from bcfstats.define.periods import Period
from bcfstats.define.schemes import Scheme, scheme
from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.outlook import Floats, NoOutlook, Outlook, of_area
from bcfstats.judge.outlooks import Outlooks
from bcfstats.judge.progress import SURE
from bcfstats.judge.targets import reach
from bcfstats.judge.tracking import as_plan, counts_people, goals_of
from bcfstats.read.observations import as_frame
from bcfstats.read.papers import WORK_TYPES
from bcfstats.stats.rows import critical_value
from bcfstats.words import capital, in_100, number, of_100

ADDS_UP, MAY, DOES_NOT, BY_ITSELF, UNTOLD = (
    *("adds up to the goal", "may add up to the goal", "does not add up to the goal"),
    *("the goal comes without it", "cannot be told"),
)
COLUMNS = [
    *(
        "area_code",
        "metric",
        "period",
        "work",
        "effect",
        "effect_lower",
        "effect_upper",
        "all_low",
        "all_high",
    ),
    *("do_nothing", "goal", "needed", "outcome", "outcome_lower", "outcome_upper", "chance", "peers"),
    *("finding", "why", "source"),
]


def effects_of(work: pd.DataFrame, window: Period) -> pd.DataFrame:
    """Give each scheme of work its effect in a window: people not reached before, by effect, by time.

    `sd` is the standard deviation of people times effect, each within its limits in 80 of 100 cases and
    independent of the other; `low` and `high` are with both at their lower and at their upper limits.
    """
    days = np.array([(window.end - max(start.date(), window.start)).days + 1 for start in work["start"]])
    there = np.clip(days / window.days, 0, 1) * (1 - work["overlap"].to_numpy(dtype=float))
    z = 2 * critical_value(LEVELS.forecast)
    middle, spread = {}, {}
    for name in ("people", "effect"):
        low, middle[name], high = (
            work[f"{name}{end}"].to_numpy(dtype=float) for end in ("_low", "", "_high")
        )
        spread[name] = ((high - low) / z) ** 2
    mean = middle["people"] * middle["effect"]
    variance = np.prod([middle[name] ** 2 + spread[name] for name in middle], axis=0) - mean**2
    ends = (work[f"people_{end}"].to_numpy() * work[f"effect_{end}"].to_numpy() for end in ("low", "high"))
    low, high = (there * end for end in ends)
    return work.assign(there=there, mean=there * mean, sd=there * np.sqrt(variance), low=low, high=high)


def goals_from_work(
    observations: pd.DataFrame,
    work: pd.DataFrame,
    plan: pd.DataFrame,
    rules: Scheme | str = "bcf-2025-26",
    *,
    metrics: Mapping[str, Metric] = METRICS,
) -> pd.DataFrame:
    """Add schemes of work up, and hold the sum against doing nothing, the goal and what peers have done.

    One row a board and metric of the work, as `read_work` gives it, with goals as `read_targets` gives them.
    The sum's limits take schemes of work to succeed or fail independently; `all_low` and `all_high` are those
    of all going badly or well together. Chance: the forecast's error and the work's, taken as independent.
    `peers` is the share of all areas' past changes over as many years that were as good.
    """
    rules = scheme(rules)
    looks = Outlooks(observations, rules, metrics=metrics)
    work = as_frame(work, "schemes of work", WORK_TYPES)
    if work.empty:
        raise InputError("There are no schemes of work.", do="Give one row a scheme of work.")
    wrong = sorted(
        name for name in set(work["metric"]) if name not in metrics or not counts_people(metrics[name])
    )
    if wrong:
        raise ParameterError("Only events of a population can be added up.", found=", ".join(wrong))
    goals, _ = goals_of(as_plan(plan, metrics), looks, metrics)
    rows = []
    for (area, name, period), own in work.groupby(["area_code", "metric", "period"], sort=False):
        labels = goals["window"].map(lambda window: window.label)
        asked = goals.loc[(goals["area_code"] == area) & (goals["metric"] == name)]
        asked = asked.loc[labels == period] if period else asked
        if len(asked) != 1:
            what = "There is no goal for this work." if asked.empty else "The work may be for several goals."
            where = ", ".join(filter(None, (area, name, period)))
            raise InputError(what, found=where, do="Give each work its period, and that period its goal.")
        columns = _row(own, metrics[str(name)], asked.iloc[0], looks)
        rows.append({"area_code": area, "metric": name, **columns})
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def _row(work: pd.DataFrame, metric: Metric, goal: "pd.Series[Any]", looks: Outlooks) -> dict[str, Any]:
    window: Period = goal["window"]
    effects, sign = effects_of(work, window), metric.direction
    total, sd = float(effects["mean"].sum()), float(np.sqrt((effects["sd"] ** 2).sum()))
    half = critical_value(LEVELS.forecast) * sd
    row: dict[str, Any] = {
        "period": str(window),
        "work": "; ".join(f"{one.work}: {number(one.mean, 1)}" for one in effects.itertuples()),
        "effect": total,
        "effect_lower": total - half,
        "effect_upper": total + half,
        "all_low": float(effects["low"].sum()),
        "all_high": float(effects["high"].sum()),
        "goal": goal["goal"],
        "source": goal["source"],
    }
    view = of_area(looks.of(metric, str(window)), str(work["area_code"].iloc[0]))
    if isinstance(view, NoOutlook):
        return row | {"finding": UNTOLD, "why": f"{_sum(row, metric)} {capital(view.reason)}."}
    nothing = float(view.expected_events[0])
    error = float(view.expected_scale[0]) * (
        nothing if view.scale == "ratio" else 1 / view.values_per_event[0]
    )
    outcome, both = nothing + sign * total, float(np.hypot(error, sd))
    row |= {
        "do_nothing": nothing,
        "needed": sign * (goal["goal"] - nothing),
        "outcome": outcome,
        "outcome_lower": outcome - critical_value(LEVELS.forecast) * both,
        "outcome_upper": outcome + critical_value(LEVELS.forecast) * both,
        "chance": float(special.ndtr(sign * (outcome - goal["goal"]) / both)) if both > 0 else np.nan,
        "peers": _as_good(view, outcome),
    }
    row["finding"] = _finding(row)
    return row | {"why": _why(row, metric)}


def _as_good(view: Outlook, outcome: float) -> float:
    """Share of all areas' past changes at least as good as from the baseline to an outcome."""
    value: Floats = np.array([outcome * view.values_per_event[0]])
    size = view.improvement(view.value, value)
    return float(reach(view.history, size, view.direction, view.area_codes).share[0])


def _finding(row: Mapping[str, Any]) -> str:
    if not np.isfinite(row["chance"]):
        return UNTOLD
    if row["needed"] <= 0:
        return BY_ITSELF
    return ADDS_UP if row["chance"] >= SURE else DOES_NOT if row["chance"] <= 1 - SURE else MAY


def _sum(row: Mapping[str, Any], metric: Metric) -> str:
    word = "fewer" if metric.polarity == "lower" else "more"
    low, high, worst, best = (
        number(row[name]) for name in ("effect_lower", "effect_upper", "all_low", "all_high")
    )
    return (
        f"The work adds up to {number(row['effect'])} {metric.event} {word}, between {low} and {high} in "
        f"{of_100(LEVELS.forecast)} of 100 cases; {worst} if all goes badly, {best} if all goes well."
    )


def _why(row: Mapping[str, Any], metric: Metric) -> str:
    """Say what the finding rests on, in sentences."""
    if row["finding"] == UNTOLD:
        return f"{_sum(row, metric)} Whether that is enough cannot be worked out."
    goal, nothing = (number(row[name]) for name in ("goal", "do_nothing"))
    need = "." if row["needed"] <= 0 else f": {number(row['needed'])} are needed."
    meaning = (
        f"If nothing is done about {nothing} are expected; the goal is {goal}{need} "
        f"Of such plans {in_100(row['chance'])} would meet it."
    )
    if np.isfinite(row["peers"]):
        meaning += f" Of all areas' past changes {in_100(row['peers'])} were as good."
    return f"{_sum(row, metric)} {meaning}"
