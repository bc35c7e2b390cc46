"""How much of a difference is rounding: one relative tolerance, and what is negligible by it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

RELATIVE = 1e-9  # far above what double precision loses, far below what any published figure shows

_Floats = npt.NDArray[np.float64]
_Flags = npt.NDArray[np.bool_]


def negligible(difference: npt.ArrayLike, size: npt.ArrayLike) -> _Flags:
    """Whether a difference between numbers of this size is no more than rounding; False where missing."""
    given = np.abs(np.asarray(difference, dtype=float))
    return np.asarray(given <= RELATIVE * np.abs(np.asarray(size, dtype=float)))


def settled(difference: _Floats, size: npt.ArrayLike) -> _Floats:
    """Return the difference, exactly zero where it is no more than rounding."""
    return np.where(negligible(difference, size), 0.0, difference)


def reached(value: npt.ArrayLike, line: npt.ArrayLike, direction: float) -> _Flags:
    """Whether a value is at a line, but for rounding, or on its better side; False where one is missing."""
    beyond = direction * (np.asarray(value, dtype=float) - np.asarray(line, dtype=float))
    return np.asarray((beyond >= 0) | negligible(beyond, line))


def better(value: npt.ArrayLike, than: npt.ArrayLike, direction: float) -> _Flags:
    """Whether a value is on the better side of another by more than rounding; False where one is missing."""
    beyond = direction * (np.asarray(value, dtype=float) - np.asarray(than, dtype=float))
    return np.asarray((beyond > 0) & ~negligible(beyond, than))


def largest(values: _Floats) -> _Floats:
    """Largest size of the values along the last axis, which keeps its place; missing ones left out."""
    sizes = np.where(np.isfinite(values), np.abs(values), 0.0)
    return np.asarray(sizes.max(axis=-1, initial=0.0, keepdims=True))


def constant(values: _Floats) -> _Flags:
    """Whether the values along the last axis are all the same but for rounding; True where there are none."""
    seen = np.isfinite(values)
    high = np.where(seen, values, -np.inf).max(axis=-1, initial=-np.inf)
    low = np.where(seen, values, np.inf).min(axis=-1, initial=np.inf)
    spread = np.where(high >= low, high - np.where(high >= low, low, 0.0), 0.0)
    return negligible(spread, largest(values)[..., 0])
