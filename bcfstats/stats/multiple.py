"""Many tests at once, and several chances at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from bcfstats.errors import ParameterError
from bcfstats.stats.rows import Floats, as_number, as_rows, as_table, unwrap


def adjust_p_values(p_values: npt.ArrayLike, axis: int | None = None) -> Floats:
    """p-values adjusted for the number of tests, by Benjamini and Hochberg.

    It answers: among all these changes, which stand out when so many were looked at?

    Parameters
    ----------
    p_values : array_like
        The tests that are looked at together, such as every area's change in one metric or every change on an
        area's page; NaN where there was none.
    axis : int, optional
        Along which tests are taken together, each line by itself; all of them if not given.

    Returns
    -------
    ndarray, shape of `p_values`
        Adjusted p-values: calling all those at or below 0.05 findings, no more than 5 % of the findings are
        expected to be false. NaN stays NaN and does not count as a test.

    Raises
    ------
    ParameterError
        If an input is text or a p-value is not between 0 and 1.

    Notes
    -----
    Benjamini and Hochberg (1995) JRSS-B 57:289-300, doi:10.1111/j.2517-6161.1995.tb02031.x. For lists of many
    areas, and for many metrics of one; one metric of one area looked at for its own sake needs no adjustment.

    Examples
    --------
    >>> adjust_p_values([0.01, 0.04, 0.03, None]).round(4)
    array([0.03, 0.04, 0.04,  nan])
    >>> adjust_p_values([[0.01, 0.04], [0.03, None]], axis=1).round(4).tolist()
    [[0.02, 0.04], [0.03, nan]]
    """
    (p,) = as_rows(p_values=p_values)
    if np.any((p < 0) | (p > 1)):
        raise ParameterError(
            "A p-value is not between 0 and 1.", found=f"{np.nanmin(p):g} to {np.nanmax(p):g}"
        )
    if axis is None:
        return unwrap(_adjusted(p.ravel()).reshape(p.shape))
    return unwrap(np.apply_along_axis(_adjusted, axis, p) if p.size else p)


def _adjusted(p: Floats) -> Floats:
    """Adjust one line of tests; a missing one is no test."""
    from statsmodels.stats.multitest import multipletests

    given = ~np.isnan(p)
    adjusted = np.full(p.shape, np.nan)
    if given.any():
        adjusted[given] = multipletests(p[given], method="fdr_bh")[1]
    return adjusted


_NODES = 61
_POINTS, _WEIGHTS = np.polynomial.hermite_e.hermegauss(_NODES)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True, slots=True, eq=False)
class JointProbability:
    """How many of several correlated events happen."""

    number: Floats  # chance that exactly 0, 1, 2 ... of the row's events happen
    all: Floats  # chance that every one happens; NaN where a row has no events
    none: Floats  # chance that none does
    n_events: npt.NDArray[np.intp]  # events with a known chance
    correlation: float  # assumed between every two events

    def at_least(self, needed: npt.ArrayLike) -> Floats:
        """Chance that at least so many happen, shape (rows,)."""
        counts = np.arange(self.number.shape[1])
        wanted = counts >= np.asarray(needed)[..., None]
        return np.asarray((self.number * wanted).sum(axis=1))


def joint_probability(probabilities: npt.ArrayLike, correlation: float = 0.0) -> JointProbability:
    """Chance that several events, (rows, events) with NaN for none, happen together: one normal factor."""
    given, checked = as_table("probabilities", probabilities), as_number(correlation)
    if checked is None or not 0 <= checked < 1:
        raise ParameterError("The correlation is not from 0 to below 1.", found=f"{correlation!r}")
    correlation = checked
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
    chance_of = np.zeros((rows, events + 1, nodes))
    chance_of[:, 0] = 1.0
    for event in range(events):
        p = chances[:, event, None]
        chance_of[:, 1:] = chance_of[:, 1:] * (1 - p) + chance_of[:, :-1] * p
        chance_of[:, :1] *= 1 - p
    return chance_of
