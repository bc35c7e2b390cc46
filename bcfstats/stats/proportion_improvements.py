"""How far a proportion must move to be significantly different, or detectably so."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.optimize import elementwise

from bcfstats.stats.change import higher_is_better
from bcfstats.stats.comparisons import variance_reasons
from bcfstats.stats.estimates import proportion_reasons
from bcfstats.stats.rows import (
    Floats,
    as_rows,
    critical_value,
    first_reason,
    named,
    not_a_number,
    not_positive,
    reasons,
    usable,
)
from bcfstats.stats.target import Improvement, improvement, power_value, whole_number
from bcfstats.stats.two_samples import newcombe_limits, pooled_variance

_NUDGE = 1e-12


def proportion_improvement(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike,
    *,
    polarity: npt.ArrayLike,
    later_denominator: npt.ArrayLike | None = None,
    design_effect: npt.ArrayLike = 1.0,
    between_year_variance: npt.ArrayLike | None = None,
    power: float | None = None,
    confidence_level: float = 0.95,
    multiplier: float = 1,
) -> Improvement:
    """Return how far a proportion must move for `compare_proportions` to call it an improvement.

    Parameters
    ----------
    numerator, denominator : array_like
        People counted and people at risk at baseline.
    polarity : "lower", "higher" or array of them
        Which way is better.
    later_denominator : array_like, optional
        People at risk later; as many as at baseline when absent.
    design_effect, between_year_variance : array_like
        As in `compare_proportions`.
    power : float, optional
        Chance of a significant result wanted; without it the smallest significant improvement.
    confidence_level : float
        0.95 for 2.5 % in the improving direction.
    multiplier : float
        100 for percentages.

    Returns
    -------
    Improvement
        Missing where not even everyone (or no one) would be significant: near the ceiling.

    Raises
    ------
    ParameterError
        If the shapes disagree or an option is not understood.

    Notes
    -----
    The share at which Newcombe's limit touches no difference; with a between-year variance, z pooled
    standard errors; with power, z pooled standard errors and z_power under the change (Fleiss, Levin and
    Paik 2003, chapter 4).

    Examples
    --------
    >>> target = proportion_improvement(164, 200, polarity="higher", multiplier=100)
    >>> round(float(target.value), 2), float(target.numerator)
    (88.94, 178.0)
    """
    x0, n0, n1, effect, tau2 = as_rows(
        numerator=numerator,
        denominator=denominator,
        later_denominator=denominator if later_denominator is None else later_denominator,
        design_effect=design_effect,
        between_year_variance=0.0 if between_year_variance is None else between_year_variance,
    )
    reason = first_reason(
        proportion_reasons(x0, n0),
        reasons(
            x0.shape,
            not_a_number("later denominator", n1),
            not_positive("later denominator", n1),
            not_a_number("design effect", effect),
            not_positive("design effect", effect),
        ),
        variance_reasons(tau2),
    )
    x0, n0, n1, effect, tau2 = usable(reason, x0, n0, n1, effect, tau2)
    higher = np.broadcast_to(higher_is_better(polarity), x0.shape)
    z, z_power = float(critical_value(confidence_level)), power_value(power)
    start = np.where(higher, x0, n0 - x0) / n0
    if power is None and between_year_variance is None:
        name, reached = "Newcombe", _newcombe_share(start, n0 / effect, n1 / effect, z)
    else:
        name = "pooled difference" + (
            " with between-year variance" if between_year_variance is not None else ""
        )
        reached = _pooled_share(start, n0 / effect, n1 / effect, tau2, z, z_power)
    reached = np.where(higher, reached, 1 - reached)
    return improvement(
        x0 / n0,
        reached,
        whole_number(reached * n1, higher),
        multiplier,
        confidence_level,
        power,
        named(name, reason),
        reason,
    )


def _newcombe_share(start: Floats, n0: Floats, n1: Floats, z: float) -> Floats:
    """Return the higher share whose Newcombe limit against `start` is zero."""

    def limit(share: Floats, p0: Floats, m: Floats, n: Floats) -> Floats:
        return newcombe_limits(share * n, n, p0 * m, m, z)[0]

    return _root(limit, start, (n0, n1))


def _pooled_share(start: Floats, n0: Floats, n1: Floats, tau2: Floats, z: float, z_power: float) -> Floats:
    """Return the higher share that is z pooled standard errors, and z_power of its own, from `start`."""

    def gap(share: Floats, p0: Floats, m: Floats, n: Floats, tau2: Floats) -> Floats:
        no_change = pooled_variance(share * n, n, p0 * m, m)
        change = p0 * (1 - p0) / m + share * (1 - share) / n
        return share - p0 - z * np.sqrt(no_change + tau2) - z_power * np.sqrt(change + tau2)

    return _root(gap, start, (n0, n1, tau2))


def _root(function: Callable[..., Floats], start: Floats, inputs: tuple[Floats, ...]) -> Floats:
    ends = (np.minimum(start + _NUDGE, 1.0), np.ones(start.shape))
    root: Floats = elementwise.find_root(function, ends, args=(start, *inputs)).x
    return np.where(start < 1, root, np.nan)
