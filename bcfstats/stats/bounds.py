"""Suppressed and rounded counts carried as intervals: bounds on the answer, never a guess."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bcfstats.errors import ParameterError
from bcfstats.stats.change import Comparison
from bcfstats.stats.estimates import Estimate
from bcfstats.stats.rows import Floats, Texts, as_rows, first_reason, reasons, unwrap

SUPPRESSED_RANGE = (1, 7)


@dataclass(frozen=True, slots=True, eq=False)
class CountBounds:
    """The smallest and largest count a published cell can stand for.

    Attributes
    ----------
    lower, upper : ndarray
        Equal where the count is known; NaN where nothing is.
    """

    lower: Floats
    upper: Floats

    def __add__(self, other: CountBounds) -> CountBounds:
        """Add two counts, each known within bounds."""
        return CountBounds(self.lower + other.lower, self.upper + other.upper)

    def sum(self, axis: int = -1) -> CountBounds:
        """Add up counts along an axis, such as the months of a year."""
        return CountBounds(self.lower.sum(axis=axis), self.upper.sum(axis=axis))


@dataclass(frozen=True, slots=True, eq=False)
class BoundedEstimate:
    """What an estimate can be, given what the counts can be.

    Attributes
    ----------
    value_lower, value_upper : ndarray
        The smallest and largest value.
    lower, upper : ndarray
        The lowest lower and highest upper confidence limit.
    method, reason : ndarray of str
        As in `Estimate`.
    """

    value_lower: Floats
    value_upper: Floats
    lower: Floats
    upper: Floats
    method: Texts
    reason: Texts


@dataclass(frozen=True, slots=True, eq=False)
class BoundedComparison:
    """What a comparison can be, given what the counts can be.

    Attributes
    ----------
    value_lower, value_upper : ndarray
        The smallest and largest change.
    lower, upper : ndarray
        The lowest lower and highest upper confidence limit.
    p_improvement_lower, p_improvement_upper : ndarray
        The smallest and largest one-sided p-value: significant for certain if the larger is, perhaps if
        only the smaller is.
    method, reason : ndarray of str
        As in `Comparison`.
    """

    value_lower: Floats
    value_upper: Floats
    lower: Floats
    upper: Floats
    p_improvement_lower: Floats
    p_improvement_upper: Floats
    method: Texts
    reason: Texts


def count_bounds(
    count: npt.ArrayLike,
    *,
    suppressed: npt.ArrayLike = False,
    suppressed_range: tuple[float, float] = SUPPRESSED_RANGE,
    rounded_to: npt.ArrayLike = 1,
) -> CountBounds:
    """Bounds of counts some of which were suppressed or rounded before publication.

    It answers: what can this "*", or this multiple of five, have been?

    Parameters
    ----------
    count : array_like
        Published counts; NaN where suppressed or missing.
    suppressed : array_like of bool
        Cells shown as "*".
    suppressed_range : pair of float
        What the publisher says that it stands for: (1, 7) for hospital data.
    rounded_to : array_like
        5 for counts rounded to the nearest five; 1 for exact counts.

    Returns
    -------
    CountBounds
        A missing count that was not suppressed stays missing. A count rounded to zero may have been zero.

    Raises
    ------
    ParameterError
        If the shapes disagree, an input is text, or the range or rounding makes no sense.

    Notes
    -----
    Rounding to the nearest m of a whole number moves it by at most floor(m / 2). Not for counts perturbed
    at random, nor for suppression to hide another cell (secondary), whose range is not 1 to 7: give that
    range, or leave it missing.

    Examples
    --------
    >>> bounds = count_bounds([float("nan"), 20, 3], suppressed=[True, False, False], rounded_to=[1, 5, 1])
    >>> bounds.lower, bounds.upper
    (array([ 1., 18.,  3.]), array([ 7., 22.,  3.]))
    """
    x, base, hidden = as_rows(count=count, rounded_to=rounded_to, suppressed=suppressed)
    low, high = suppressed_range
    if not 0 <= low <= high or np.any(~(base >= 1)):
        raise ParameterError(
            "The range of suppressed counts or the rounding makes no sense.",
            found=f"{suppressed_range}, {rounded_to!r}",
            do="Give a range such as (1, 7) and a rounding of 1 or more.",
        )
    slack = np.floor(base / 2)
    return CountBounds(
        unwrap(np.where(hidden == 1, low, np.maximum(x - slack, np.minimum(x, 0.0)))),
        unwrap(np.where(hidden == 1, high, x + slack)),
    )


Counts = CountBounds | npt.ArrayLike


def bounded_estimate(
    estimator: Callable[..., Estimate], numerator: Counts, denominator: Counts, *, share: bool = False
) -> BoundedEstimate:
    """Bounds of a rate or proportion whose counts are known within bounds.

    It answers: what can the rate be, and its confidence limits, whatever the hidden counts were?

    Parameters
    ----------
    estimator : callable
        `crude_rate`, `standardised_ratio` or `proportion`, with `functools.partial` for options; one
        confidence level.
    numerator, denominator : CountBounds or array_like
        Counts, known or within bounds.
    share : bool
        The numerator is part of the denominator (`proportion`).

    Returns
    -------
    BoundedEstimate

    Raises
    ------
    ParameterError
        If the shapes disagree or an input is text.

    Notes
    -----
    A rate rises with its numerator and falls with its denominator, and so do its limits: the bounds are at
    two corners. They are what is possible, not what is likely; confidence is that of the worst case (Manski
    2003, Partial Identification of Probability Distributions).

    Examples
    --------
    >>> from bcfstats.stats.estimates import proportion
    >>> hidden = count_bounds(float("nan"), suppressed=True)
    >>> share = bounded_estimate(proportion, hidden, 20, share=True)
    >>> f"{share.value_lower:.2f} to {share.value_upper:.2f}; limits {share.lower:.2f} to {share.upper:.2f}"
    '0.05 to 0.35; limits 0.01 to 0.57'
    """
    x, n = _bounds(numerator), _bounds(denominator)
    low_x, high_x, low_n, high_n = as_rows(
        numerator=x.lower, numerator_upper=x.upper, denominator=n.lower, denominator_upper=n.upper
    )
    if share:
        high_x = np.minimum(high_x, high_n)
        low_n = np.maximum(low_n, high_x)
    least, most = estimator(low_x, high_n), estimator(high_x, low_n)
    return BoundedEstimate(
        unwrap(np.asarray(least.value)),
        unwrap(np.asarray(most.value)),
        unwrap(np.asarray(least.lower)),
        unwrap(np.asarray(most.upper)),
        most.method,
        unwrap(_joined(low_x.shape, least.reason, most.reason)),
    )


def bounded_comparison(
    compare: Callable[..., Comparison],
    numerator: Counts,
    denominator: npt.ArrayLike,
    baseline_numerator: Counts,
    baseline_denominator: npt.ArrayLike,
) -> BoundedComparison:
    """Bounds of a change between counts that are known within bounds.

    It answers: is the change significant whatever the hidden counts were?

    Parameters
    ----------
    compare : callable
        `compare_rates` or `compare_proportions`, with `functools.partial` for its options; one confidence
        level.
    numerator, baseline_numerator : CountBounds or array_like
        Counts, known or within bounds.
    denominator, baseline_denominator : array_like
        Known.

    Returns
    -------
    BoundedComparison

    Raises
    ------
    ParameterError
        If the shapes disagree or an input is text.

    Notes
    -----
    The change rises with the later count and falls with that at baseline, and the one-sided p-value goes
    with it: the bounds are at two corners. As `bounded_estimate`.

    Examples
    --------
    >>> from functools import partial
    >>> from bcfstats.stats.comparisons import compare_rates
    >>> change = bounded_comparison(
    ...     partial(compare_rates, polarity="lower"), count_bounds(float("nan"), suppressed=True), 1, 30, 1)
    >>> f"{change.value_lower:.2f} to {change.value_upper:.2f}, p up to {change.p_improvement_upper:.4f}"
    '0.03 to 0.23, p up to 0.0001'
    """
    x, x0 = _bounds(numerator), _bounds(baseline_numerator)
    least = compare(x.lower, denominator, x0.upper, baseline_denominator)
    most = compare(x.upper, denominator, x0.lower, baseline_denominator)
    p = np.stack([np.asarray(least.p_improvement), np.asarray(most.p_improvement)])
    return BoundedComparison(
        least.value,
        most.value,
        least.lower,
        most.upper,
        unwrap(p.min(axis=0)),
        unwrap(p.max(axis=0)),
        most.method,
        unwrap(_joined(p.shape[1:], least.reason, most.reason)),
    )


def _bounds(counts: Counts) -> CountBounds:
    if isinstance(counts, CountBounds):
        return counts
    known = np.asarray(counts, dtype=float)
    return CountBounds(known, known)


def _joined(shape: tuple[int, ...], *found: Texts) -> Texts:
    texts = [np.broadcast_to(np.asarray(text, dtype=object), shape) for text in found]
    return first_reason(*texts, reasons(shape))
