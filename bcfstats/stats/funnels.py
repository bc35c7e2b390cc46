"""Funnel limits: how far from the average an area of each size lies by chance."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from bcfstats.errors import ParameterError
from bcfstats.stats.estimates import Estimate, estimate
from bcfstats.stats.rows import (
    Floats,
    Level,
    as_rows,
    at_levels,
    check_level,
    critical_value,
    named,
    negative,
    not_a_number,
    not_positive,
    reasons,
    usable,
)


def funnel_limits(
    denominator: npt.ArrayLike,
    average: npt.ArrayLike,
    *,
    kind: Literal["proportion", "rate"],
    between_area_variance: npt.ArrayLike | None = None,
    confidence_level: Level = (0.95, 0.998),
    multiplier: float = 1,
) -> Estimate:
    """Limits within which areas of each size vary by chance around the average.

    It answers: which areas are further from the average than chance, and than areas usually are?

    Parameters
    ----------
    denominator : array_like
        People at risk of each area; for a standardised ratio the expected events, with `kind="rate"`.
    average : array_like
        The average, or a target, in the unit of the multiplier; 1 for a standardised ratio.
    kind : "proportion" or "rate"
        What the average is of.
    between_area_variance : array_like, optional
        Variance between areas beyond chance (`paule_mandel`): of shares, or of logs of rates. Given, the
        limits widen by it; absent, they show chance alone.
    confidence_level : float or sequence of float
        (0.95, 0.998) for the usual pair.
    multiplier : float
        100 for percentages, 100_000 for rates.

    Returns
    -------
    Estimate
        `value` is the average; limits stay within what is possible.

    Raises
    ------
    ParameterError
        If the shapes disagree or an option is not understood.

    Notes
    -----
    Spiegelhalter (2005) Statistics in Medicine 24:1185-1202, doi:10.1002/sim.1970. Chance alone: the value
    whose own interval just touches the average, Wilson's for a proportion, exact for a rate. With a
    between-area variance: average -+ z sqrt(chance + between), on logs for a rate (Spiegelhalter 2005,
    doi:10.1136/qshc.2005.013755). Chance alone flags far too many areas where denominators are large. Not a
    league table, and not a test of change.

    Examples
    --------
    >>> limits = funnel_limits([100, 400], 80, kind="proportion", multiplier=100, confidence_level=0.95)
    >>> limits.lower.round(1), limits.upper.round(1)
    (array([72.2, 76.1]), array([87.8, 83.9]))
    """
    if kind not in ("proportion", "rate"):
        raise ParameterError("The kind is not known.", found=repr(kind), do="Use proportion or rate.")
    n, centre, tau2 = as_rows(
        denominator=denominator,
        average=average,
        between_area_variance=0.0 if between_area_variance is None else between_area_variance,
    )
    centre = centre / multiplier
    most = 1.0 if kind == "proportion" else np.inf
    reason = reasons(
        n.shape,
        not_a_number("denominator", n),
        not_positive("denominator", n),
        not_a_number("average", centre),
        ("the average is outside what is possible", (centre <= 0) | (centre >= most)),
        not_a_number("between-area variance", tau2),
        negative("between-area variance", tau2),
    )
    n, centre, tau2 = usable(reason, n, centre, tau2)

    def limits(level: float) -> tuple[Floats, Floats]:
        if kind == "rate" and between_area_variance is None:
            lower, upper = _exact_rate_limits(n, centre, level)
        elif kind == "rate":
            spread = critical_value(level) * np.sqrt(1 / (n * centre) + tau2)
            lower, upper = centre * np.exp(-spread), centre * np.exp(spread)
        else:
            spread = critical_value(level) * np.sqrt(centre * (1 - centre) / n + tau2)
            lower, upper = centre - spread, centre + spread
        return np.maximum(lower, 0.0) * multiplier, np.minimum(upper, most) * multiplier

    exact = "exact Poisson" if kind == "rate" else "Wilson"
    name = exact if between_area_variance is None else "chance and between-area variance"
    return estimate(
        centre * multiplier,
        at_levels(limits, confidence_level),
        confidence_level,
        named(name, reason),
        reason,
    )


def _exact_rate_limits(n: Floats, centre: Floats, level: float) -> tuple[Floats, Floats]:
    """Return the rates whose exact Poisson limit is the average: counts need not be whole."""
    tail, expected = (1 - check_level(level)) / 2, n * centre
    low = special.gdtrib(1.0, 1 - tail, expected) - 1
    return low / n, special.gdtrib(1.0, tail, expected) / n
