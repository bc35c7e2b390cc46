"""Proposed targets as values: from a value, a count or a change, against the baseline or the projection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from bcfstats.define.levels import LEVELS
from bcfstats.judge.outlook import Floats, History, Outlook, Texts, joined
from bcfstats.stats.tolerance import RELATIVE, better
from bcfstats.words import number

Peers = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Cutoffs:
    """Where an ambition becomes too easy or unheard of: choices of policy, not facts.

    `luck` and `good_luck` are chances of payment if nothing is done: above the first it is too easy, up to
    the second challenging. `reach` and `good_reach` are shares of peer history that did as much: below the
    first it is unprecedented, from the second on achievable. Between the two of a pair it is borderline.
    """

    luck: float = 0.25
    good_luck: float = 0.20
    reach: float = 0.025
    good_reach: float = 0.05


USUAL_CUTOFFS = Cutoffs()


@dataclass(frozen=True, eq=False)
class Reach:
    """Share of peer history that did as much, with a 95 % interval.

    The changes looked at overlap; `n_areas` is how many areas they belong to.
    """

    share: Floats
    lower: Floats
    upper: Floats
    n_changes: Floats
    n_areas: Floats


def reach(
    history: History,
    improvement: Floats,
    direction: float,
    areas: Texts,
    peers: Peers | None = None,
) -> Reach:
    """Count how many past yearly changes of an area's peers were at least as good as an improvement.

    Improvements are on the working scale, positive for the better; areas without peers are held against all.
    The interval is Jeffreys' (Brown, Cai and DasGupta 2001, doi:10.1214/ss/1009213286) on the number of
    independent changes that the overlapping ones are worth.
    """
    place = {code: i for i, code in enumerate(history.area_codes)}
    n = len(improvement)
    columns = np.full((5, n), np.nan)
    keys = [tuple(peers.get(code, ())) if peers else () for code in areas.tolist()]
    for key in dict.fromkeys(keys):
        rows = np.array([i for i, other in enumerate(keys) if other == key])
        others = [place[code] for code in key if code in place] or list(range(len(history.area_codes)))
        columns[:, rows] = _against(history, np.array(others), improvement[rows], direction)
    return Reach(*columns)


def _against(history: History, others: np.ndarray, improvement: Floats, direction: float) -> Floats:
    past = direction * history.changes[others]
    seen = np.isfinite(past)
    ordered = np.sort(past[seen])
    if ordered.size == 0:
        return np.full((5, len(improvement)), np.nan)
    at_least = ordered.size - np.searchsorted(ordered, improvement - RELATIVE, side="left")
    share = np.where(np.isnan(improvement), np.nan, at_least / ordered.size)
    worth = history.worth[others].sum()
    x = share * worth
    lower = np.where(x <= 0, 0.0, special.betaincinv(x + 0.5, worth - x + 0.5, LEVELS.tail))
    upper = np.where(x >= worth, 1.0, special.betaincinv(x + 0.5, worth - x + 0.5, 1 - LEVELS.tail))
    size, areas = (np.full(len(share), float(k)) for k in (ordered.size, seen.any(axis=1).sum()))
    return np.stack([share, lower, upper, size, areas])


NO_VALUE, NOT_KNOWN = "no possible value", "cannot be worked out"


def possible(view: Outlook, value: Floats) -> Floats:
    """Keep values that the metric can take; NaN for others."""
    lowest, highest = view.metric.bounds
    return np.where((value >= lowest) & (value <= highest), value, np.nan)


def noise_is_known(view: Outlook) -> np.ndarray:
    """Whether a change can be held against chance at all, whatever its size."""
    return np.isfinite(view.noise_test(view.places, view.value))


def paid_by_luck(view: Outlook, share: float, luck: float) -> Floats:
    """Target whose line is reached with just this chance if nothing is done; NaN where none is possible."""
    return possible(view, view.value + (view.line_with_chance(luck) - view.value) / share)


def least_challenging(view: Outlook, share: float, luck: float) -> tuple[Floats, Texts]:
    """Least target that is beyond noise, beats the forecast and is paid by luck no more often than this.

    The texts say where there is none: no value that is possible is all three, or it cannot be worked out.
    """
    value = paid_by_luck(view, share, luck)
    for other in (view.value, view.expected, view.noise_least):
        value = np.where(np.isnan(other) | (view.direction * (other - value) > 0), other, value)
    value = possible(view, value)
    known = noise_is_known(view) & np.isfinite(view.expected_scale) & (view.reason == "")
    return value, why_missing(value, known)


def why_missing(value: Floats, known: np.ndarray) -> Texts:
    """Say why a value is missing: it could not be worked out, or it was, and no such value is possible."""
    return np.where(np.isfinite(value), "", np.where(known, NO_VALUE, NOT_KNOWN)).astype(object)


CLAIM_TOLERANCE = 0.01
WHOLE_WINDOW = 0.3
FEWEST_MONTHS = 3


@dataclass(frozen=True, eq=False)
class Proposal:
    """Targets in the metric's unit, one entry a target.

    `start` is where the way to the target is measured from: the baseline, or the projection where it is set
    against that; only a target that `improves` on its start has a payment line. `events` are those better
    than if the baseline went on in the expected population.
    """

    value: Floats
    start: Floats
    improves: np.ndarray
    from_projection: np.ndarray
    beats_baseline: np.ndarray
    beats_forecast: np.ndarray
    events: Floats
    reason: Texts
    warnings: Texts


def proposal(view: Outlook, targets: pd.DataFrame) -> Proposal:
    """Turn target rows of one metric and payment, lined up with an outlook, into values."""
    given = {
        name: targets[name].to_numpy(dtype=float)
        for name in ("target_value", "target_numerator", "change_percent", "baseline_value")
    }
    projected = (targets["against"] == "projected").to_numpy()
    base = np.where(projected, view.expected, view.value)
    value = given["target_value"]
    value = np.where(np.isnan(value), given["target_numerator"] * view.values_per_event, value)
    value = np.where(np.isnan(value), base * (1 + given["change_percent"] / 100), value)
    beats_baseline, beats_forecast, improves = (
        better(value, other, view.direction) for other in (view.value, view.expected, base)
    )
    counted = np.isfinite(given["target_numerator"])
    reason = _reasons(view, value)
    return Proposal(
        value=value,
        start=base,
        improves=improves & (reason == ""),
        from_projection=projected,
        beats_baseline=beats_baseline,
        beats_forecast=beats_forecast,
        events=np.where(reason == "", events_better(view, value), np.nan),
        reason=reason,
        warnings=_warnings(view, given["baseline_value"], counted),
    )


def events_better(view: Outlook, value: Floats) -> Floats:
    """Events fewer (or more, where more is better) than the baseline rate would bring."""
    if view.metric.kind.is_standardised:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(view.direction * (value / view.value - 1) * view.numerator)
    if not view.metric.kind.tells_events:
        return np.full(len(value), np.nan)
    return np.asarray(view.direction * (value - view.value) / view.values_per_event)


def _reasons(view: Outlook, value: Floats) -> Texts:
    lowest, highest = view.metric.bounds
    over = view.periods
    with np.errstate(divide="ignore", invalid="ignore"):
        whole = np.abs(value / (view.value * over) - 1) < WHOLE_WINDOW
    why = np.where(value < lowest, f"the target is below {lowest or 'zero'}", "")
    unit = " %" if view.metric.unit == "%" else ""
    why = np.where(value > highest, f"the target is above {highest:g}{unit}", why)
    mistaken = (
        f"the target looks like a rate for all {over} months: this metric's value is the average per month"
    )
    why = np.where(whole & (over >= FEWEST_MONTHS), mistaken, why)
    return np.where((why == "") & ~np.isfinite(value), "the target's value cannot be worked out", why).astype(
        object
    )


def _warnings(view: Outlook, claimed: Floats, counted: np.ndarray) -> Texts:
    decimals = view.metric.decimals
    with np.errstate(invalid="ignore"):
        room = np.maximum(CLAIM_TOLERANCE * np.abs(view.value), 10.0**-decimals)
        differs = np.abs(claimed - view.value) > room
    claim = np.array(
        [
            f"the target file gives a baseline of {number(a, decimals)}, the data {number(b, decimals)}"
            if flag
            else ""
            for a, b, flag in zip(claimed, view.value, differs, strict=True)
        ],
        dtype=object,
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = 100 * (view.people / view.denominator - 1)
    people = np.array(
        [
            f"a count: over the population expected in the window, {abs(g):.1f} % "
            f"{'more' if g > 0 else 'fewer'} people than at baseline"
            if flag and np.isfinite(g) and abs(g) >= 0.05
            else ""
            for g, flag in zip(growth, counted, strict=True)
        ],
        dtype=object,
    )
    return joined(claim, people)
