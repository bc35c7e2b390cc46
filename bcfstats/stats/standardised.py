"""Rates standardised for age, directly and indirectly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bcfstats.stats.estimates import Estimate, byar_limits, estimate, poisson_estimate
from bcfstats.stats.rows import (
    CONFIDENCE,
    Flags,
    Floats,
    Groups,
    Level,
    above_zero,
    as_rows,
    blanked,
    check_multiplier,
    critical_value,
    group_rows,
    named,
    negative,
    not_a_number,
    reasons,
)

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
