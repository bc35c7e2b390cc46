"""Proportions, crude and standardised rates, and means, each with its confidence limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from bcfstats.stats.rows import (
    CONFIDENCE,
    Flags,
    Floats,
    Groups,
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


FEWEST_EVENTS = 10


class _Bands:
    """Age bands to be added up: along the last axis, or by the label of each row."""

    def __init__(self, groups: npt.ArrayLike | None, rows: int) -> None:
        self.by: Groups | None = None if groups is None else group_rows(groups, rows)
        self.label = None if self.by is None else self.by.label

    def total(self, values: Floats) -> Floats:
        return np.asarray(values.sum(axis=-1)) if self.by is None else self.by.total(values)

    def any(self, flag: Flags) -> Flags:
        return np.asarray(self.total(flag.astype(float)) > 0)


def directly_standardised_rate(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike,
    standard_population: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    numerator_variance: npt.ArrayLike | None = None,
    confidence_level: Level = CONFIDENCE,
    multiplier: float = 100_000,
) -> Estimate:
    """Rate the area would have with the standard population's ages, with Dobson's limits.

    It answers: what would the rate be if every area had the same age structure?

    Parameters
    ----------
    numerator, denominator : array_like
        Events and people in each age band: bands along the last axis, or one band a row with `groups`.
    standard_population : array_like
        People of each band in the standard population.
    groups : array_like, optional
        The area of each row; the answer then has one value a group, in the order of `Estimate.groups`.
    numerator_variance : array_like, optional
        Variance of each band's events where a person can have several: persons times the square of
        their events, added up. The events themselves, as for independent events, when absent.
    confidence_level : float or sequence of float
        0.95 for 95 %; (0.95, 0.998) gives both.
    multiplier : float
        100_000 for a rate per 100,000.

    Returns
    -------
    Estimate
        NaN with a reason below 10 events in all, or where any band has a missing number or no population.

    Raises
    ------
    ParameterError
        If the shapes disagree, an input is text or a confidence level is not between 0 and 1.

    Notes
    -----
    Dobson, Kuulasmaa, Eberle and Scherer (1991) Statistics in Medicine 10:457-462,
    doi:10.1002/sim.4780100317, on Byar's limits of the total; a lower limit below zero becomes zero. Too
    narrow where a band with a large weight has few events (Fay and Feuer 1997, Statistics in Medicine
    16:791-801).

    Examples
    --------
    >>> rate = directly_standardised_rate([5, 20, 75], [9000, 6000, 3000], [5000, 3000, 2000])
    >>> f"{rate.value:.0f} ({rate.lower:.0f} to {rate.upper:.0f})"
    '628 (510 to 764)'
    """
    spread = numerator if numerator_variance is None else numerator_variance
    events, population, weight, variance = as_rows(
        numerator=numerator,
        denominator=denominator,
        standard_population=standard_population,
        numerator_variance=spread,
    )
    multiplier = check_multiplier(multiplier)
    keep = np.atleast_1d if groups is None else np.ravel
    events, population, weight, variance = (keep(given) for given in (events, population, weight, variance))
    bands = _Bands(groups, events.size)
    checks = [check for check in _band_checks(events, population, weight, variance) if check[1].any()]
    flagged = [(text, bands.any(flag)) for text, flag in checks]
    if checks:
        population = np.where(population > 0, population, np.nan)
    share, total, whole = weight / population, bands.total(events), bands.total(weight)
    reason = reasons(
        total.shape,
        *flagged,
        ("the standard population is empty", whole == 0),
        (f"fewer than {FEWEST_EVENTS} events: too few to standardise", total < FEWEST_EVENTS),
    )
    rate, spread_of_rate = bands.total(share * events), bands.total(share * share * variance)
    rate, spread_of_rate, whole, total = blanked(reason, rate, spread_of_rate, whole, total)
    value, error = rate / whole, np.sqrt(spread_of_rate / total) / whole

    def limits(level: float) -> tuple[Floats, Floats]:
        lower, upper = byar_limits(total, float(critical_value(level)))
        return (
            np.maximum(value + error * (lower - total), 0.0) * multiplier,
            (value + error * (upper - total)) * multiplier,
        )

    method = named("Dobson", reason)
    return estimate(value * multiplier, limits, confidence_level, method, reason, bands.label)


def _band_checks(
    events: Floats, population: Floats, weight: Floats, variance: Floats
) -> list[tuple[str, Flags]]:
    return [
        ("the events of an age band are missing", ~np.isfinite(events)),
        ("the population of an age band is missing", ~np.isfinite(population)),
        ("the standard population of an age band is missing", ~np.isfinite(weight)),
        ("the variance of an age band is missing", ~np.isfinite(variance)),
        ("the events of an age band are below zero", (events < 0) | (variance < 0)),
        ("an age band has no population", population <= 0),
        ("the standard population of an age band is below zero", weight < 0),
    ]


def standardised_ratio(
    observed: npt.ArrayLike,
    expected: npt.ArrayLike,
    *,
    confidence_level: Level = CONFIDENCE,
    multiplier: float = 1,
) -> Estimate:
    """Observed events over expected events, with exact or Byar's limits of the observed.

    It answers: were there more events than the reference's rates would give?

    Parameters
    ----------
    observed : array_like
        Events.
    expected : array_like
        Events at the reference's rates: people times the reference's rate, added up over age bands.
    confidence_level : float or sequence of float
        0.95 for 95 %.
    multiplier : float
        1 for a ratio, 100 for an index.

    Returns
    -------
    Estimate
        `method` is "Exact" below 10 events and "Byar" from 10.

    Raises
    ------
    ParameterError
        If the shapes disagree, an input is text or a confidence level is not between 0 and 1.

    Notes
    -----
    Breslow and Day (1987), chapter 2. The expected number is taken as known. Compare each area with the
    reference, not areas with one another: each has its own weights.

    Examples
    --------
    >>> ratio = standardised_ratio(120, 94.5, multiplier=100)
    >>> f"{ratio.value:.0f} ({ratio.lower:.0f} to {ratio.upper:.0f})"
    '127 (105 to 152)'
    """
    multiplier = check_multiplier(multiplier)
    count, e = as_rows(observed=observed, expected=expected)
    reason = reasons(
        count.shape,
        not_a_number("observed number", count),
        negative("observed number", count),
        *above_zero("expected number", e),
    )
    count, e = blanked(reason, count, e)
    return poisson_estimate(count, multiplier / e, confidence_level, reason)
