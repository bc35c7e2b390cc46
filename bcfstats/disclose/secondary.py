"""Secondary suppression: what else must be hidden so that totals do not give a small number away."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def hide_with(
    counts: Floats,
    hidden: Flags,
    groups: NDArray[np.int64],
    sizes: Floats,
    largest: int,
    *,
    whole: bool = False,
) -> Flags:
    """Hide more areas until the totals of their groups give no hidden small count away."""
    found = hidden.copy()
    order = np.argsort(np.where(np.isfinite(sizes), sizes, np.inf), kind="stable")
    for group in np.unique(groups[hidden.any(axis=1)]):
        for candidate in order[groups[order] == group]:
            needed = _given_away(counts[groups == group], found[groups == group], largest)
            useful = needed & ~found[candidate] & (counts[candidate] > 0)
            if useful.any():
                found[candidate] |= np.isfinite(counts[candidate]) if whole else useful
    return found


def _given_away(counts: Floats, hidden: Flags, largest: int) -> Flags:
    """Find the periods whose total tells of a hidden count: it stands alone, or the hidden sum is too low."""
    many = (hidden & (counts != 0)).sum(axis=0)
    together = np.where(hidden, np.nan_to_num(counts), 0).sum(axis=0)
    few = (hidden & (counts > 0) & (counts < largest + 0.5)).any(axis=0)
    return np.asarray(hidden.any(axis=0) & ((many == 1) | (few & (together < largest + many - 1))))


def totals_to_keep(
    counts: Floats, windows: Sequence[NDArray[np.int64]], largest: int, first: Sequence[int]
) -> list[int]:
    """Choose the totals over hidden months to show: none small, every small month left free to be any."""
    sums = [float(np.nansum(counts[window])) for window in windows]
    large = [i for i, total in enumerate(sums) if total < 0.5 or total > largest + 0.5]
    for kept in (large, [i for i in large if i not in first]):
        if kept and not _tells(counts, [windows[i] for i in kept], largest):
            return kept
    return []


def _tells(counts: Floats, windows: Sequence[NDArray[np.int64]], largest: int) -> bool:
    """Say whether totals over months pin a small month down, or add up to a small total."""
    from scipy.optimize import linprog

    inside = np.array([np.isin(np.arange(len(counts)), window) for window in windows], dtype=float)
    kinds, kind_of = np.unique(inside, axis=1, return_inverse=True)
    kind_of = kind_of.ravel()  # numpy 2.0.0 gives it another shape
    sums = np.bincount(kind_of, np.nan_to_num(counts), kinds.shape[1])
    for kind in np.unique(kind_of[(counts > 0) & (counts < largest + 0.5) & inside.any(axis=0)]):
        aim = np.where(np.arange(len(sums)) == kind, 1.0, 0.0)
        least, most = (
            sign * linprog(sign * aim, A_eq=kinds, b_eq=kinds @ sums, bounds=(0, None)).fun
            for sign in (1, -1)
        )
        alone = int(((kind_of == kind) & np.isfinite(counts)).sum()) == 1
        if most < largest + 0.5 * (not alone) - 1e-6 or (alone and least > 1 + 1e-6):
            return True
    return False
