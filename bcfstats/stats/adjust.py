"""Comparisons adjusted: for what a comparator did, and for how many were made."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bcfstats.errors import ParameterError
from bcfstats.stats.change import Comparison, comparison
from bcfstats.stats.rows import (
    Floats,
    as_rows,
    critical_value,
    first_reason,
    named,
    reasons,
    unwrap,
    upper_tail,
    usable,
)


def difference_of_differences(
    change: Comparison, comparator: Comparison, *, polarity: npt.ArrayLike | None = None
) -> Comparison:
    """Change beyond the comparator's change, from the two changes and their limits.

    It answers: did this area change by more than areas like it did over the same time?

    Parameters
    ----------
    change, comparator : Comparison
        The area's change and the comparator's, on one scale and at one confidence level. The comparator
        must not contain the area: take it out of England first.
    polarity : "lower", "higher" or array of them, optional
        Which way is better; without it `p_improvement` is missing.

    Returns
    -------
    Comparison
        On the same scale: a difference of differences, or a ratio of ratios.

    Raises
    ------
    ParameterError
        If the two are on different scales or levels, or at several levels.

    Notes
    -----
    Limits from the two intervals as Newcombe (2001) Statistics in Medicine 20:2885-2893 does for proportions;
    ratios as logs. p-values from the distance to no difference in units of the half-width on that side, so
    they agree with the limits. Says nothing about why: areas that start from an extreme drift back to the
    middle unaided.

    Examples
    --------
    >>> from bcfstats.stats.comparisons import compare_rates
    >>> area, others = compare_rates(800, 1, 1000, 1), compare_rates(98_000, 1, 100_000, 1)
    >>> beyond = difference_of_differences(area, others, polarity="lower")
    >>> f"{beyond.value:.3f} ({beyond.lower:.3f} to {beyond.upper:.3f})"
    '0.816 (0.744 to 0.896)'
    """
    level = change.confidence_level
    if change.scale != comparator.scale or level != comparator.confidence_level or isinstance(level, tuple):
        raise ParameterError(
            "The two changes cannot be set against each other.",
            found=f"{change.scale} at {level} and {comparator.scale} at {comparator.confidence_level}",
            do="Compare both on one scale at one confidence level.",
        )
    forward, back = (_log, np.exp) if change.scale == "ratio" else (np.asarray, np.asarray)
    inputs = (change.value, change.lower, change.upper, comparator.value, comparator.lower, comparator.upper)
    names = ("value", "lower", "upper", "comparator", "comparator_lower", "comparator_upper")
    d1, l1, u1, d0, l0, u0 = as_rows(
        **{name: forward(np.asarray(given)) for name, given in zip(names, inputs, strict=True)}
    )
    missing = ~np.isfinite(d1 + l1 + u1 + d0 + l0 + u0)
    reason = first_reason(
        *np.broadcast_arrays(np.asarray(change.reason, object), np.asarray(comparator.reason, object), d1)[
            :2
        ],
        reasons(d1.shape, ("a change has no value or limits on this scale", missing)),
    )
    d1, l1, u1, d0, l0, u0 = usable(reason, d1, l1, u1, d0, l0, u0)
    value, below, above = d1 - d0, np.hypot(d1 - l1, u0 - d0), np.hypot(u1 - d1, d0 - l0)
    half = np.where(value > 0, below, above)
    flat = half == 0
    z = np.where(flat, np.nan, value / np.where(flat, 1.0, half)) * critical_value(level)
    return comparison(
        back(value),
        (back(value - below), back(value + above)),
        change.scale,
        upper_tail(-z),
        upper_tail(z),
        polarity,
        level,
        named("from the limits of two changes", reason),
        first_reason(reason, reasons(d1.shape, ("nothing varies: there is no error to test with", flat))),
    )


def _log(values: Floats) -> Floats:
    return np.log(np.where(values > 0, values, np.nan))


def adjust_p_values(p_values: npt.ArrayLike) -> Floats:
    """p-values adjusted for the number of tests, by Benjamini and Hochberg.

    It answers: among all these areas, which changes stand out when so many were looked at?

    Parameters
    ----------
    p_values : array_like
        All the tests of one question, such as every area's change in one metric; NaN where there was none.

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
    areas; one area looked at for its own sake needs no adjustment.

    Examples
    --------
    >>> adjust_p_values([0.01, 0.04, 0.03, None]).round(4)
    array([0.03, 0.04, 0.04,  nan])
    """
    (p,) = as_rows(p_values=p_values)
    if np.any((p < 0) | (p > 1)):
        raise ParameterError(
            "A p-value is not between 0 and 1.", found=f"{np.nanmin(p):g} to {np.nanmax(p):g}"
        )
    given = np.flatnonzero(~np.isnan(p))
    order = given[np.argsort(-p.ravel()[given], kind="stable")]
    rank = np.arange(order.size, 0, -1)
    adjusted = np.full(p.size, np.nan)
    adjusted[order] = np.minimum.accumulate(p.ravel()[order] * (order.size / rank))
    return unwrap(adjusted.reshape(p.shape))
