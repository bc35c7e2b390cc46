"""The ladder: what each level of ambition would mean, from no change to the best peers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bcfstats.define.levels import LEVELS
from bcfstats.define.metrics import METRICS, Metric
from bcfstats.define.periods import Period
from bcfstats.define.schemes import DEFAULT_SCHEME, Scheme, scheme
from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.outlook import Floats, Ints, NoOutlook, Outlook
from bcfstats.judge.outlooks import Outlooks
from bcfstats.judge.targets import USUAL_CUTOFFS, Cutoffs, Peers, reach
from bcfstats.words import in_100, of_100

RUNGS = {
    "no_change": "No change: the baseline",
    "trend": "Trend only: what is expected if nothing is done",
    "beats_noise": "Beats noise: just beyond chance within the two periods",
    "significant": "Significant: just beyond usual movement between years",
    "detectable": f"Detectable: found significant in {of_100(LEVELS.power)} of 100 such periods",
    "best_quartile": "Peers' best quartile of yearly changes, less what is usually lost again",
    "best_decile": "Peers' best decile of yearly changes, less what is usually lost again",
    "rarely_by_luck": "Rarely by luck: paid for doing nothing {} times in 100",
}
COLUMNS = [
    *("area_code", "area_name", "metric", "payment", "rung", "what", "value", "ambition_percent"),
    *("per_month", "payment_line", "p_paid_no_change", "p_paid_do_nothing", "p_paid_if_half_delivered"),
    *("p_paid_if_delivered", "reach", "feasible", "note"),
]


@dataclass(frozen=True)
class Ladder:
    """Rungs of ambition, from the easiest to the hardest of each area.

    Attributes
    ----------
    rungs : DataFrame
        One row per area and rung, in the columns `COLUMNS` names.
    advice : Mapping
        For each area, which ambitions are challenging and achievable, or that none is.
    """

    rungs: pd.DataFrame
    advice: Mapping[str, str]


def ambition_ladder(
    observations: pd.DataFrame,
    metric: str | Metric,
    payment: str,
    rules: Scheme | str = DEFAULT_SCHEME,
    *,
    area: str | None = None,
    peers: Peers | None = None,
    known_until: Period | str | None = None,
    metrics: Mapping[str, Metric] = METRICS,
    cutoffs: Cutoffs = USUAL_CUTOFFS,
) -> Ladder:
    """Show what each level of ambition would mean for an area.

    It answers: what should our target be, and what would it take to be sure that it was reached?

    Parameters
    ----------
    observations : DataFrame
        With the observation columns.
    metric : str or Metric
    payment : str
        A payment of the scheme, or a period.
    rules : Scheme or str
    area : str, optional
        One area's code; all areas if not given.
    peers : mapping of area code to codes, optional
        Whose history counts; all areas if not given.
    known_until, metrics, cutoffs
        As in `assess_ambitions`.

    Returns
    -------
    Ladder
        `value` is missing, and `feasible` false, where a rung cannot be climbed; the `note` says why.

    Raises
    ------
    InputError
        If nothing can be said of this metric and payment.
    ParameterError
        If the area has no observations.

    Notes
    -----
    The rungs have no fixed order: they are sorted for each area. The best quartile and decile are of the
    peers' yearly changes over the same span of months; of what lies beyond the middle change only the share
    is counted that was still there a year later (regression to the mean, `regression_to_mean`).
    """
    rules = scheme(rules)
    seen = Outlooks(observations, rules, known_until=known_until, metrics=metrics).of(metric, payment)
    if isinstance(seen, NoOutlook):
        raise InputError("There is nothing to build a ladder on.", where=payment, found=seen.reason)
    places = np.arange(len(seen.area_codes))
    if area is not None:
        places = np.flatnonzero(seen.area_codes == area)
        if not places.size:
            raise ParameterError("This area has no observations of the metric.", found=f"'{area}'")
    return ladder_of(seen.take(places), payment, rules, peers, cutoffs)


def ladder_of(
    view: Outlook, payment: str, rules: Scheme, peers: Peers | None = None, cutoffs: Cutoffs = USUAL_CUTOFFS
) -> Ladder:
    """Build the ladder on an outlook that is at hand."""
    share = rules.line_share
    values = {**_values(view, peers), "rarely_by_luck": view_at_luck(view, share, cutoffs.good_luck)}
    parts = [_rung(view, name, value, share, peers, payment, cutoffs) for name, value in values.items()]
    rungs = pd.concat(parts, ignore_index=True)
    rungs["hardness"] = view.direction * rungs["value"]
    rungs = rungs.sort_values(["area_code", "hardness"], kind="stable", ignore_index=True)[COLUMNS]
    return Ladder(rungs, advise(view, share, peers, cutoffs))


def view_at_luck(view: Outlook, share: float, luck: float) -> Floats:
    """Target whose line is reached with just this chance if nothing is done."""
    return view.value + (view.line_with_chance(luck) - view.value) / share


def peer_change(view: Outlook, quantile: float, peers: Peers | None) -> Floats:
    """Improvement of the best peers, less what is usually lost again; NaN where there is no history."""
    past = view.direction * view.history.changes
    place = {code: i for i, code in enumerate(view.history.area_codes)}
    kept = view.history.kept if np.isfinite(view.history.kept) else 1.0
    cache: dict[tuple[str, ...], float] = {}
    found = []
    for code in view.area_codes.tolist():
        key = tuple(peers.get(code, ())) if peers else ()
        if key not in cache:
            chosen: Ints = np.array([place[other] for other in key if other in place] or list(place.values()))
            known = past[chosen][np.isfinite(past[chosen])]
            middle, best = np.quantile(known, [0.5, quantile]) if known.size else (np.nan, np.nan)
            cache[key] = float(middle + kept * (best - middle))
        found.append(cache[key])
    return np.array(found)


def _values(view: Outlook, peers: Peers | None) -> dict[str, Floats]:
    return {
        "no_change": view.value,
        "trend": view.expected,
        "beats_noise": view.noise_least,
        "significant": view.minimum_significant(),
        "detectable": view.detectable(),
        "best_quartile": view.better_by(view.value, peer_change(view, 0.75, peers)),
        "best_decile": view.better_by(view.value, peer_change(view, 0.9, peers)),
    }


def _rung(
    view: Outlook, name: str, value: Floats, share: float, peers: Peers | None, payment: str, cutoffs: Cutoffs
) -> pd.DataFrame:
    size = view.improvement(view.value, value)
    half = view.improvement(view.value, (view.value + value) / 2)
    line = view.value - share * (view.value - value)
    past = reach(view.history, size, view.direction, view.area_codes, peers)
    no_way = np.where(view.reason != "", view.reason, np.where(np.isfinite(value), "", "no possible value"))
    worse = (no_way == "") & (size < -1e-9)
    none = (no_way == "") & ~worse & (np.abs(size) <= 1e-9)
    rare = (no_way == "") & (past.share < cutoffs.reach)
    note = np.select(
        [no_way != "", worse, none, rare],
        [
            no_way,
            "worse than the baseline: no improvement",
            "no improvement",
            "hardly any area on record did this",
        ],
        default="",
    )
    nothing = worse | none
    with np.errstate(divide="ignore", invalid="ignore"):
        percent = 100 * (value / view.value - 1)
        events = view.per_month(view.direction * (value - view.value) / view.values_per_event)
    counted = view.metric.kind.tells_events

    def paid(chance: Floats) -> Floats:
        return np.where(nothing | (no_way != ""), np.nan, chance)

    return pd.DataFrame(
        {
            "area_code": view.area_codes,
            "area_name": view.area_names,
            "metric": view.metric.id,
            "payment": payment,
            "rung": name,
            "what": RUNGS[name].format(f"{100 * cutoffs.good_luck:g}"),
            "value": np.where(view.reason == "", value, np.nan),
            "ambition_percent": percent,
            "per_month": events if counted else np.nan,
            "payment_line": paid(line),
            "p_paid_no_change": paid(view.chance_if_nothing_changes(line)),
            "p_paid_do_nothing": paid(view.chance(line)),
            "p_paid_if_half_delivered": paid(view.chance(line, np.maximum(half, 0))),
            "p_paid_if_delivered": paid(view.chance(line, np.maximum(size, 0))),
            "reach": past.share,
            "feasible": (note == ""),
            "note": note,
        }
    )


def advise(view: Outlook, share: float, peers: Peers | None, cutoffs: Cutoffs) -> dict[str, str]:
    """Say which targets are beyond noise, rarely paid by luck and within what peers have done."""
    rare = view_at_luck(view, share, cutoffs.good_luck)
    for other in (view.noise_least, view.expected):
        rare = np.where(view.direction * (other - rare) > 0, other, rare)
    done = reach(view.history, view.improvement(view.value, rare), view.direction, view.area_codes, peers)
    past = view.direction * view.history.changes
    known = past[np.isfinite(past)]
    furthest = float(np.quantile(known, 1 - cutoffs.good_reach)) if known.size else float("nan")
    most = view.better_by(view.value, np.full(len(view.value), furthest))
    luck = view.chance(view.value - share * (view.value - most))
    advice = {}
    for i, code in enumerate(view.area_codes.tolist()):
        rare_, most_ = (f"{value[i]:,.{view.metric.decimals}f}" for value in (rare, most))
        if view.reason[i] or not np.isfinite(rare[i]) or not np.isfinite(done.share[i]):
            advice[code] = "No ladder can be built here."
        elif done.share[i] >= cutoffs.good_reach and not np.isfinite(most[i]):
            worse = "lower" if view.metric.polarity == "lower" else "higher"
            advice[code] = f"Targets of {rare_} or {worse} are challenging and achievable."
        elif done.share[i] >= cutoffs.good_reach:
            advice[code] = f"Targets from {rare_} to {most_} are challenging and achievable."
        else:
            advice[code] = (
                f"No target is both challenging and achievable. At {most_}, as far as the best 5 in 100 "
                f"went, {in_100(luck[i])} would be paid for doing nothing."
            )
    return advice
