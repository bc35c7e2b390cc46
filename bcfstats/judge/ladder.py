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
from bcfstats.judge.targets import (
    NO_VALUE,
    NOT_KNOWN,
    USUAL_CUTOFFS,
    Cutoffs,
    Peers,
    events_better,
    least_challenging,
    noise_is_known,
    paid_by_luck,
    possible,
    reach,
    why_missing,
)
from bcfstats.stats.tolerance import better
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
NOT_NEEDED = "not needed: luck rarely gets as far as the baseline"
RANGE, NO_END = "from the one to the other", "from the one on"
UNTRIED, NEITHER, IMPOSSIBLE = "challenging only", "none is both", "none is possible"
COLUMNS = [
    *("area_code", "area_name", "metric", "payment", "rung", "what", "value", "ambition_percent"),
    *("per_month", "payment_line", "p_paid_no_change", "p_paid_do_nothing", "p_paid_if_half_delivered"),
    *("p_paid_if_delivered", "reach", "feasible", "note"),
]


@dataclass(frozen=True)
class Ladder:
    """Rungs of ambition, from the easiest to the hardest of each area, and advice in words and values."""

    rungs: pd.DataFrame
    advice: Mapping[str, str]
    recommended: pd.DataFrame


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
    **Method.** The rungs have no fixed order: they are sorted for each area. The best quartile and decile are
    of the peers' yearly changes over the same span of months; of what lies beyond the middle change only the
    share is counted that was still there a year later (regression to the mean, `regression_to_mean`).

    **When not to use.** For a period whose outcome is known: use `payment`.
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
    levels = _levels(view, share, peers, cutoffs)
    made = [_rung(view, name, *level, share, peers, cutoffs) for name, level in levels.items()]
    n, words = len(view.area_codes), [RUNGS[name].format(f"{100 * cutoffs.good_luck:g}") for name in levels]
    rungs = pd.DataFrame(
        {
            "area_code": np.tile(view.area_codes, len(levels)),
            "area_name": np.tile(view.area_names, len(levels)),
            "metric": view.metric.id,
            "payment": payment,
            "rung": np.repeat(list(levels), n),
            "what": np.repeat([rules.said(what) for what in words], n),
            **{name: np.concatenate([rung[name] for rung in made]) for name in made[0]},
        },
        columns=COLUMNS,
    )
    hardness = view.direction * rungs["value"].to_numpy(dtype=float)
    order = np.lexsort((hardness, rungs["area_code"].to_numpy(dtype=str)))
    rungs = rungs.iloc[order].reset_index(drop=True)
    advised = recommended(view, share, peers, cutoffs)
    advice = _advice(view, advised, share, cutoffs)
    return Ladder(rungs, {code: rules.said(text) for code, text in advice.items()}, advised)


def peer_change(view: Outlook, quantile: float, peers: Peers | None) -> Floats:
    """Improvement of the best peers, less what is usually lost again; NaN where there is no history."""
    past = view.direction * view.history.changes
    place = {code: i for i, code in enumerate(view.history.area_codes)}
    kept = view.history.kept if np.isfinite(view.history.kept) else 1.0
    cache: dict[tuple[str, ...], float] = {}
    changes = []
    for code in view.area_codes.tolist():
        key = tuple(peers.get(code, ())) if peers else ()
        if key not in cache:
            those: Ints = np.array([place[other] for other in key if other in place] or list(place.values()))
            known = past[those][np.isfinite(past[those])]
            middle, best = np.quantile(known, [0.5, quantile]) if known.size else (np.nan, np.nan)
            cache[key] = float(middle + kept * (best - middle))
        changes.append(cache[key])
    return np.array(changes)


def _levels(
    view: Outlook, share: float, peers: Peers | None, cutoffs: Cutoffs
) -> dict[str, tuple[Floats, np.ndarray]]:
    """Give each rung's value, and whether what it rests on is known."""
    quartile, decile = (peer_change(view, best, peers) for best in (0.75, 0.9))
    usual, ahead = np.isfinite(view.usual_scale), np.isfinite(view.expected_scale)
    return {
        "no_change": (view.value, np.isfinite(view.value)),
        "trend": (view.expected, np.isfinite(view.expected)),
        "beats_noise": (view.noise_least, noise_is_known(view)),
        "significant": (view.minimum_significant(), usual),
        "detectable": (view.detectable(), usual),
        "best_quartile": (view.better_by(view.value, quartile), np.isfinite(quartile)),
        "best_decile": (view.better_by(view.value, decile), np.isfinite(decile)),
        "rarely_by_luck": (paid_by_luck(view, share, cutoffs.good_luck), ahead),
    }


def _rung(
    view: Outlook,
    name: str,
    value: Floats,
    known: np.ndarray,
    share: float,
    peers: Peers | None,
    cutoffs: Cutoffs,
) -> dict[str, np.ndarray]:
    """Say of each area what one rung would mean."""
    value = possible(view, value)
    size = view.improvement(view.value, value)
    half = view.improvement(view.value, (view.value + value) / 2)
    line = view.value - share * (view.value - value)
    past = reach(view.history, size, view.direction, view.area_codes, peers)
    no_way = np.where(view.reason != "", view.reason, why_missing(value, known))
    worse = (no_way == "") & better(view.value, value, view.direction)
    none = (no_way == "") & ~worse & ~better(value, view.value, view.direction)
    rare = (no_way == "") & (past.share < cutoffs.reach)
    note = np.select(
        [no_way != "", worse, none, rare],
        [
            no_way,
            NOT_NEEDED if name == "rarely_by_luck" else "worse than the baseline: no improvement",
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

    return {
        "value": np.where(view.reason == "", value, np.nan),
        "ambition_percent": percent,
        "per_month": np.where(counted, events, np.nan),
        "payment_line": paid(line),
        "p_paid_no_change": paid(view.chance_if_nothing_changes(line)),
        "p_paid_do_nothing": paid(view.chance(line)),
        "p_paid_if_half_delivered": paid(view.chance(line, np.maximum(half, 0))),
        "p_paid_if_delivered": paid(view.chance(line, np.maximum(size, 0))),
        "reach": past.share,
        "feasible": note == "",
        "note": note,
    }


def recommended(
    view: Outlook, share: float, peers: Peers | None = None, cutoffs: Cutoffs = USUAL_CUTOFFS
) -> pd.DataFrame:
    """Find the targets that are beyond noise, rarely paid by luck and within what peers have done.

    `challenging_value` is the least that is challenging, `achievable_value` the furthest that peers went;
    `recommended` says what they are to each other, and is empty where nothing can be said.
    """
    rare, why = least_challenging(view, share, cutoffs.good_luck)
    done = reach(view.history, view.improvement(view.value, rare), view.direction, view.area_codes, peers)
    past = view.direction * view.history.changes
    known = past[np.isfinite(past)]
    furthest = float(np.quantile(known, 1 - cutoffs.good_reach)) if known.size else float("nan")
    most = possible(view, view.better_by(view.value, np.full(len(view.value), furthest)))
    within = done.share >= cutoffs.good_reach
    finding = np.select(
        [
            view.reason != "",
            why == NO_VALUE,
            why != "",
            np.isnan(done.share),
            within & np.isnan(most),
            within,
        ],
        ["", IMPOSSIBLE, NOT_KNOWN, UNTRIED, NO_END, RANGE],
        default=NEITHER,
    )
    can_advise = finding != ""
    values = {
        "challenging": np.where(can_advise, rare, np.nan),
        "achievable": np.where(can_advise, most, np.nan),
    }
    return pd.DataFrame(
        {
            **{f"{name}_value": value for name, value in values.items()},
            **{f"{name}_per_month": view.per_month(events_better(view, x)) for name, x in values.items()},
            "recommended": finding,
        }
    )


def advise(view: Outlook, share: float, peers: Peers | None, cutoffs: Cutoffs) -> dict[str, str]:
    """Say in a sentence which targets are recommended."""
    return _advice(view, recommended(view, share, peers, cutoffs), share, cutoffs)


def _advice(view: Outlook, advised: pd.DataFrame, share: float, cutoffs: Cutoffs) -> dict[str, str]:
    rare, most = (advised[name].to_numpy(dtype=float) for name in ("challenging_value", "achievable_value"))
    luck = view.chance(view.value - share * (view.value - most))
    words = _Advice(view.metric, cutoffs)
    return {
        code: f"Nothing can be said: {reason}." if reason else words.told(*numbers)
        for code, reason, *numbers in zip(
            view.area_codes, view.reason, rare, most, advised["recommended"], luck, strict=True
        )
    }


@dataclass(frozen=True)
class _Advice:
    metric: Metric
    cutoffs: Cutoffs

    def told(self, rare: float, most: float, finding: str, luck: float) -> str:
        """Advise on targets from the least that is challenging to the furthest that peers went."""
        from_, to = (f"{value:,.{self.metric.decimals}f}" for value in (rare, most))
        worse = "lower" if self.metric.polarity == "lower" else "higher"
        return {
            IMPOSSIBLE: "No value that is possible would be beyond chance and rarely paid for doing nothing.",
            NOT_KNOWN: "Which target would be beyond chance and rarely paid by luck cannot be worked out.",
            UNTRIED: f"Targets of {from_} or {worse} are challenging; whether they are achievable cannot be "
            "told: there is no history to compare with.",
            NO_END: f"Targets of {from_} or {worse} are challenging and achievable.",
            RANGE: f"Targets from {from_} to {to} are challenging and achievable."
            if from_ != to
            else f"A target of {to} is challenging and achievable.",
            NEITHER: f"No target is both challenging and achievable. At {to}, as far as the best "
            f"{100 * self.cutoffs.good_reach:g} in 100 went, {in_100(luck)} would be paid for doing nothing.",
        }[finding]
