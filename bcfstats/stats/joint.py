"""Several chances together, when what is good for one tends to be good for another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from bcfstats.errors import ParameterError
from bcfstats.stats.rows import Floats

_NODES = 61
_POINTS, _WEIGHTS = np.polynomial.hermite_e.hermegauss(_NODES)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True, slots=True, eq=False)
class JointProbability:
    """How many of several correlated events happen.

    Attributes
    ----------
    number : ndarray, shape (rows, events + 1)
        Chance that exactly 0, 1, 2 ... of the row's events happen.
    all : ndarray, shape (rows,)
        Chance that every one happens; NaN where a row has no events.
    none : ndarray, shape (rows,)
        Chance that none does.
    n_events : ndarray of int, shape (rows,)
        Events with a known chance.
    correlation : float
        Assumed between every two events.
    """

    number: Floats
    all: Floats
    none: Floats
    n_events: npt.NDArray[np.intp]
    correlation: float

    def at_least(self, needed: npt.ArrayLike) -> Floats:
        """Chance that at least so many happen, shape (rows,)."""
        counts = np.arange(self.number.shape[1])
        wanted = counts >= np.asarray(needed)[..., None]
        return np.asarray((self.number * wanted).sum(axis=1))


def joint_probability(probabilities: npt.ArrayLike, correlation: float = 0.0) -> JointProbability:
    """Chance that several events happen together.

    It answers: if each metric has its own chance of payment, what is the chance that all are paid?

    Parameters
    ----------
    probabilities : array, shape (rows, events)
        Chance of each event, 0 to 1; NaN where the row has no such event.
    correlation : float
        Between every two events on the normal scale, from 0 (independent) to below 1.

    Returns
    -------
    JointProbability

    Raises
    ------
    ParameterError
        If a chance or the correlation is out of range.

    Notes
    -----
    One common normal factor with equal loadings (Vasicek 2002, Risk 15:160; the one-factor case of Dunnett
    and Sobel 1955): given the factor the events are independent, and their number is counted exactly; the
    factor is integrated out by Gauss-Hermite quadrature. The correlation between metrics is not known: show
    the answer for several.

    Examples
    --------
    >>> six = [[0.8] * 6]
    >>> [round(float(joint_probability(six, rho).all[0]), 2) for rho in (0.0, 0.2)]
    [0.26, 0.35]
    """
    given = np.atleast_2d(np.asarray(probabilities, dtype=float))
    if not 0 <= correlation < 1:
        raise ParameterError("The correlation is not from 0 to below 1.", found=f"{correlation:g}")
    if np.any((given < 0) | (given > 1)):
        raise ParameterError("A chance is not between 0 and 1.", do="Write 80 % as 0.8.")
    known = np.isfinite(given)
    bound = special.ndtri(np.where(known, given, 0.5))
    conditional = special.ndtr((bound[..., None] + np.sqrt(correlation) * _POINTS) / np.sqrt(1 - correlation))
    conditional = np.where(known[..., None], conditional, 0.0)
    number = _count(conditional) @ _WEIGHTS
    n = known.sum(axis=1)
    empty = n == 0
    whole = np.take_along_axis(number, n[:, None], axis=1)[:, 0]
    return JointProbability(
        np.where(empty[:, None], np.nan, number),
        np.where(empty, np.nan, whole),
        np.where(empty, np.nan, number[:, 0]),
        n,
        correlation,
    )


def _count(chances: Floats) -> Floats:
    """Distribution of the number of independent events, shape (rows, events + 1, nodes)."""
    rows, events, nodes = chances.shape
    found = np.zeros((rows, events + 1, nodes))
    found[:, 0] = 1.0
    for event in range(events):
        p = chances[:, event, None]
        found[:, 1:] = found[:, 1:] * (1 - p) + found[:, :-1] * p
        found[:, :1] *= 1 - p
    return found
