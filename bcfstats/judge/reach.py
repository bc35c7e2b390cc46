"""Reach: how often peers have improved by as much in the past."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from bcfstats.judge.outlook import Floats, History, Texts

Peers = Mapping[str, Sequence[str]]


@dataclass(frozen=True, eq=False)
class Reach:
    """Share of peer history that did as much.

    Attributes
    ----------
    share, lower, upper : arrays, shape (rows,)
        Share of past changes at least as good, with a 95 % interval.
    n_changes : array of int
        Changes looked at (they overlap).
    n_areas : array of int
        Areas they belong to.
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
    """Count how many past yearly changes were at least as good as an improvement.

    Parameters
    ----------
    history : History
    improvement : array, shape (rows,)
        On the working scale, positive for the better.
    direction : float
        Plus one where higher is better, minus one where lower is.
    areas : array of str, shape (rows,)
        Whose improvement it is: it decides the peers.
    peers : mapping of area to areas, optional
        The areas to compare with; all areas where an area has none.

    Returns
    -------
    Reach
        The interval is Jeffreys' (Brown, Cai and DasGupta 2001, doi:10.1214/ss/1009213286) on the number of
        independent changes that the overlapping ones are worth.
    """
    place = {code: i for i, code in enumerate(history.area_codes)}
    n = len(improvement)
    found = np.full((5, n), np.nan)
    keys = [tuple(peers.get(code, ())) if peers else () for code in areas.tolist()]
    for key in dict.fromkeys(keys):
        rows = np.array([i for i, other in enumerate(keys) if other == key])
        chosen = [place[code] for code in key if code in place] or list(range(len(history.area_codes)))
        found[:, rows] = _against(history, np.array(chosen), improvement[rows], direction)
    return Reach(*found)


def _against(history: History, chosen: np.ndarray, improvement: Floats, direction: float) -> Floats:
    past = direction * history.changes[chosen]
    seen = np.isfinite(past)
    ordered = np.sort(past[seen])
    if ordered.size == 0:
        return np.full((5, len(improvement)), np.nan)
    at_least = ordered.size - np.searchsorted(ordered, improvement - 1e-12, side="left")
    share = np.where(np.isnan(improvement), np.nan, at_least / ordered.size)
    worth = history.worth[chosen].sum()
    x = share * worth
    lower = np.where(x <= 0, 0.0, special.betaincinv(x + 0.5, worth - x + 0.5, 0.025))
    upper = np.where(x >= worth, 1.0, special.betaincinv(x + 0.5, worth - x + 0.5, 0.975))
    size, areas = (np.full(len(share), float(k)) for k in (ordered.size, seen.any(axis=1).sum()))
    return np.stack([share, lower, upper, size, areas])
