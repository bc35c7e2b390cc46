"""Proportions, crude rates and means, each with its confidence limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from bcfstats.stats.rows import (
    CONFIDENCE,
    Floats,
    Labels,
    Level,
    Texts,
    above_zero,
    as_level,
    as_rows,
    at_levels,
    blanked,
    check_level,
    check_multiplier,
    critical_value,
    group_rows,
    labelled,
    named,
    negative,
    not_a_number,
    reasons,
    unwrap,
)
from bcfstats.stats.tolerance import settled

EXACT_BELOW = 10


def wilson_limits(numerator: Floats, denominator: Floats, z: Floats | float) -> tuple[Floats, Floats]:
    """Wilson's score limits of a proportion; `z` may be one number or one a row."""
    square = z * z
    middle = 2 * numerator + square
    spread = z * np.sqrt(square + 4 * numerator * (1 - numerator / denominator))
    scale = 0.5 / (denominator + square)
    lower = np.where(numerator == 0, 0.0, np.maximum((middle - spread) * scale, 0.0))
    upper = np.where(numerator == denominator, 1.0, np.minimum((middle + spread) * scale, 1.0))
    return lower, upper


def poisson_limits(count: Floats, confidence_level: float) -> tuple[Floats, Floats]:
    """Limits of a Poisson mean: exact below 10 events, Byar's approximation from 10."""
    shape, count = count.shape, count.ravel()
    few = count < EXACT_BELOW
    many = np.where(few, EXACT_BELOW, count) if few.any() else count
    lower, upper = byar_limits(many, float(critical_value(confidence_level)))
    if few.any():
        distinct, place = np.unique(count[few], return_inverse=True)
        exact_lower, exact_upper = exact_limits(distinct, confidence_level)
        lower[few], upper[few] = exact_lower[place], exact_upper[place]
    return lower.reshape(shape), upper.reshape(shape)


def exact_limits(count: Floats, confidence_level: float) -> tuple[Floats, Floats]:
    """Exact limits of a Poisson mean from the chi-squared distribution; the lower limit of 0 is 0."""
    tail = (1 - check_level(confidence_level)) / 2
    lower = np.where(count > 0, special.gammaincinv(np.where(count > 0, count, 1.0), tail), 0.0)
    return lower, np.asarray(special.gammainccinv(count + 1, tail))


def byar_limits(count: Floats, z: float) -> tuple[Floats, Floats]:
    """Byar's approximation to the exact limits of a Poisson mean, for counts of 10 or more."""
    return count * _cube(_byar_factor(count, -z)), (count + 1) * _cube(_byar_factor(count + 1, z))


def _byar_factor(count: Floats, z: float) -> Floats:
    return np.maximum(1 - 1 / (9 * count) + z / (3 * np.sqrt(count)), 0.0)


def _cube(value: Floats) -> Floats:
    return value * value * value


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """A value and its confidence limits, one a row."""

    value: Floats  # the estimate, in the unit of the multiplier; NaN where it cannot be computed
    lower: Floats  # confidence limits in the same unit
    upper: Floats
    confidence_level: float | tuple[float, ...]  # 0.95 for 95 %
    method: Texts  # the formula used for the row
    reason: Texts  # why the value or its limits are missing; empty where nothing is
    groups: Labels | None = None  # where rows were grouped, the label of each value, sorted


def estimate(
    value: Floats,
    limits: Callable[[float], tuple[Floats, Floats]],
    confidence_level: Level,
    method: Texts,
    reason: Texts,
    groups: Labels | None = None,
) -> Estimate:
    """Return an `Estimate`, its arrays unwrapped to single numbers if that is what came in."""
    value, lower, upper = map(unwrap, (value, *at_levels(limits, confidence_level)))
    level = as_level(confidence_level)
    return Estimate(value, lower, upper, level, unwrap(method), unwrap(reason), groups)


def proportion(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike,
    *,
    confidence_level: Level = CONFIDENCE,
    multiplier: float = 1,
) -> Estimate:
    """Share of the denominator with Wilson's limits.

    It answers: what share is it, and how sure can we be?

    Parameters
    ----------
    numerator : array_like
        People or events counted; need not be whole.
    denominator : array_like
        People or events at risk, the numerator among them.
    confidence_level : float or sequence of float
        0.95 for 95 %; (0.95, 0.998) gives both.
    multiplier : float
        1 for a share, 100 for a percentage.

    Returns
    -------
    Estimate
        NaN with a reason where a number is missing, the denominator is zero or below, or the numerator
        is not between zero and the denominator.

    Raises
    ------
    ParameterError
        If the shapes disagree, an input is text or a confidence level is not between 0 and 1.

    Notes
    -----
    Wilson's score interval (Wilson 1927, doi:10.1080/01621459.1927.10502953; recommended by Newcombe 1998,
    doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E). Not for survey percentages with
    a design effect, unless both counts are divided by it, nor for a modelled denominator.

    Examples
    --------
    >>> share = proportion(82, 100, multiplier=100)
    >>> f"{share.value:.1f} % ({share.lower:.1f} to {share.upper:.1f})"
    '82.0 % (73.3 to 88.3)'
    """
    multiplier = check_multiplier(multiplier)
    x, n = as_rows(numerator=numerator, denominator=denominator)
    reason = proportion_reasons(x, n)
    x, n = blanked(reason, x, n)
    x = inside(x, n)

    def limits(level: float) -> tuple[Floats, Floats]:
        lower, upper = wilson_limits(x, n, float(critical_value(level)))
        return lower * multiplier, upper * multiplier

    return estimate(x / n * multiplier, limits, confidence_level, named("Wilson", reason), reason)


def proportion_reasons(numerator: Floats, denominator: Floats, suffix: str = "") -> Texts:
    """Return why a row's counts make no proportion; `suffix` names the period they belong to."""
    return reasons(
        numerator.shape,
        not_a_number(f"numerator{suffix}", numerator),
        *above_zero(f"denominator{suffix}", denominator),
        negative(f"numerator{suffix}", settled(numerator, denominator)),
        (
            f"the numerator{suffix} is above the denominator",
            settled(numerator - denominator, denominator) > 0,
        ),
    )


def inside(numerator: Floats, denominator: Floats) -> Floats:
    """Return numerators that rounding has put outside none and all at those ends."""
    return np.clip(numerator, 0.0, denominator)


def crude_rate(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike,
    *,
    confidence_level: Level = CONFIDENCE,
    multiplier: float = 100_000,
) -> Estimate:
    """Events for each person, or each day, or 100,000 people, with exact or Byar's limits.

    It answers: how often does it happen, and how sure can we be?

    Parameters
    ----------
    numerator : array_like
        Events; need not be whole, may exceed the denominator.
    denominator : array_like
        Population, or days of exposure.
    confidence_level : float or sequence of float
        0.95 for 95 %; (0.95, 0.998) gives both.
    multiplier : float
        100_000 for a rate per 100,000.

    Returns
    -------
    Estimate
        `method` is "Exact" below 10 events and "Byar" from 10; NaN with a reason where a number is missing,
        the denominator is zero or below, or the numerator is below zero.

    Raises
    ------
    ParameterError
        If the shapes disagree, an input is text or a confidence level is not between 0 and 1.

    Notes
    -----
    Exact limits after Garwood (1936, doi:10.1093/biomet/28.3-4.437), Byar's after Breslow and Day (1987).
    Events must be independent of one another: not for bed days, nor for admissions where one person has
    several.

    Examples
    --------
    >>> rate = crude_rate([12, 3], [20_000, 0])
    >>> rate.value, rate.lower.round(2)
    (array([60., nan]), array([30.97,   nan]))
    >>> rate.reason[1]
    'the denominator is zero or below'
    """
    multiplier = check_multiplier(multiplier)
    count, exposure = as_rows(numerator=numerator, denominator=denominator)
    reason = rate_reasons(count, exposure)
    count, exposure = blanked(reason, count, exposure)
    return poisson_estimate(count, multiplier / exposure, confidence_level, reason)


def poisson_estimate(count: Floats, scale: Floats, confidence_level: Level, reason: Texts) -> Estimate:
    """Return a count and its Poisson limits, all times `scale`."""

    def limits(level: float) -> tuple[Floats, Floats]:
        lower, upper = poisson_limits(count, level)
        return lower * scale, upper * scale

    method = labelled(count < EXACT_BELOW, "Exact", "Byar", reason)
    return estimate(count * scale, limits, confidence_level, method, reason)


def rate_reasons(numerator: Floats, denominator: Floats, suffix: str = "") -> Texts:
    """Return why a row's counts make no rate; `suffix` names the period they belong to."""
    return reasons(
        numerator.shape,
        not_a_number(f"numerator{suffix}", numerator),
        *above_zero(f"denominator{suffix}", denominator),
        negative(f"numerator{suffix}", numerator),
    )


def mean(
    values: npt.ArrayLike, *, groups: npt.ArrayLike | None = None, confidence_level: Level = CONFIDENCE
) -> Estimate:
    """Average of people's scores with Student's t limits.

    It answers: what is the average, and how sure can we be?

    Parameters
    ----------
    values : array_like
        One score a person: along the last axis, or one a row with `groups`.
    groups : array_like, optional
        The group of each row; the answer then has one value a group, in the order of `Estimate.groups`.
    confidence_level : float or sequence of float
        0.95 for 95 %.

    Returns
    -------
    Estimate
        NaN with a reason where a score is missing; a single score has a mean but no limits.

    Raises
    ------
    ParameterError
        If the shapes disagree, an input is text or a confidence level is not between 0 and 1.

    Notes
    -----
    Student's t limits with n - 1 degrees of freedom (Student 1908, doi:10.1093/biomet/6.1.1). Not for
    weighted survey scores: use their published margin of error.

    Examples
    --------
    >>> score = mean([17, 19, 21, 18])
    >>> f"{score.value:.2f} ({score.lower:.2f} to {score.upper:.2f})"
    '18.75 (16.03 to 21.47)'
    """
    (x,) = as_rows(values=values)
    if groups is None:
        x = np.atleast_1d(x)
        n = np.full(x.shape[:-1], float(x.shape[-1]))
        average = x.sum(axis=-1) / np.maximum(n, 1)
        squares = np.square(x - average[..., None]).sum(axis=-1)
        return _t_estimate(average, squares, n, confidence_level)
    x = x.ravel()
    by = group_rows(groups, x.size)
    n = by.total(np.ones(x.size))
    average = by.total(x) / n
    squares = by.total(np.square(x - average[by.code]))
    return _t_estimate(average, squares, n, confidence_level, by.label)


def _t_estimate(
    average: Floats, squares: Floats, n: Floats, confidence_level: Level, groups: Labels | None = None
) -> Estimate:
    reason = reasons(
        average.shape,
        *above_zero("sample size", n),
        not_a_number("mean or one of its values", average),
        ("one value alone gives no limits", n <= 1),
        not_a_number("standard deviation", squares),
    )
    average = np.where((n > 0) & np.isfinite(average), average, np.nan)
    df, squares, n = blanked(reason, n - 1, squares, n)
    error = np.sqrt(squares / df / n)

    def limits(level: float) -> tuple[Floats, Floats]:
        margin = critical_value(level, df) * error
        return average - margin, average + margin

    return estimate(average, limits, confidence_level, named("Student's t", reason), reason, groups)
