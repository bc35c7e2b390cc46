"""Minimum significant improvement, and improvement detectable with a stated power, by kind of metric."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from bcfstats.errors import ParameterError
from bcfstats.stats.change import Scale
from bcfstats.stats.comparisons import mean_reasons, variance_reasons, welch
from bcfstats.stats.proportion_improvements import proportion_improvement
from bcfstats.stats.rate_improvements import rate_improvement
from bcfstats.stats.rows import (
    as_rows,
    critical_value,
    first_reason,
    not_a_number,
    not_positive,
    reasons,
    usable,
)
from bcfstats.stats.surveys import interval_reasons
from bcfstats.stats.target import Improvement, from_standard_error, improvement_from_standard_error

__all__ = [
    "Improvement",
    "detectable_improvement",
    "estimate_improvement",
    "improvement_from_standard_error",
    "mean_improvement",
    "minimum_significant_improvement",
    "proportion_improvement",
    "rate_improvement",
]

RATES = ("crude_rate", "modelled_ratio", "directly_standardised_rate")
SHARES = ("proportion", "survey_proportion")
STATISTICS = (*RATES, *SHARES, "mean")


def minimum_significant_improvement(statistic: str, **baseline: Any) -> Improvement:
    """Smallest observed improvement that would be significant.

    It answers: what must we see before we can say that it is not chance?

    Parameters
    ----------
    statistic : str
        "crude_rate", "modelled_ratio", "directly_standardised_rate", "proportion", "survey_proportion",
        "mean".
    **baseline
        What is known of the baseline, by name, with `polarity` ("lower" or "higher") and any other argument
        of the function named: `numerator`, `denominator` for counts (`rate_improvement`) and proportions
        (`proportion_improvement`); `value`, `standard_deviation`, `sample_size` for means
        (`mean_improvement`); or, for any statistic, `value`, `lower`, `upper` (`estimate_improvement`).

    Returns
    -------
    Improvement
        If the true value moves this far the result is significant with a chance of only 50 %: it is not a
        target to set, see `detectable_improvement`.

    Raises
    ------
    ParameterError
        If the statistic is not known, or what is given does not describe it.

    Notes
    -----
    Each kind's own test (`compare_proportions`, `compare_rates`, `compare_means`, `compare_estimates`) solved
    for the later value, one-sided at half of one minus the confidence level. Without `between_year_variance`
    noise only, which real year-to-year change far exceeds.

    Examples
    --------
    >>> target = minimum_significant_improvement(
    ...     "proportion", numerator=164, denominator=200, polarity="higher", multiplier=100)
    >>> f"{target.value:.1f} %: {target.numerator:.0f} of 200 people"
    '88.9 %: 178 of 200 people'
    """
    return _by_statistic(statistic, baseline)(**baseline)


def detectable_improvement(statistic: str, *, power: float = 0.8, **baseline: Any) -> Improvement:
    """Smallest true improvement that gives the stated chance of a significant result.

    It answers: how much must we achieve to be fairly sure that the figures will show it?

    Parameters
    ----------
    statistic : str
        As in `minimum_significant_improvement`.
    power : float
        The chance, 0.8 for 80 %.
    **baseline
        As in `minimum_significant_improvement`.

    Returns
    -------
    Improvement

    Raises
    ------
    ParameterError
        If the statistic is not known, or what is given does not describe it.

    Notes
    -----
    z standard errors as the test has them, and z_power as they are if the improvement is real. In standard
    errors that is 2.80 for 80 % against 1.96 for significance alone, so 70 % of the way to a target of this
    size lies the smallest significant improvement (1.96 / 2.80 = 0.70).

    Examples
    --------
    >>> target = detectable_improvement("crude_rate", numerator=1000, denominator=1, polarity="lower")
    >>> round(float(target.ratio), 3)
    0.879
    """
    return _by_statistic(statistic, baseline)(power=power, **baseline)


def _by_statistic(statistic: str, baseline: dict[str, Any]) -> Callable[..., Improvement]:
    if statistic not in STATISTICS:
        raise ParameterError(
            "The statistic is not known.", found=repr(statistic), do=f"Use one of {', '.join(STATISTICS)}."
        )
    if "lower" in baseline:
        return _on_logs if statistic in RATES else estimate_improvement
    if statistic == "mean":
        return mean_improvement
    if statistic == "directly_standardised_rate":
        raise ParameterError(
            "A directly standardised rate needs its limits.", do="Give value, lower and upper."
        )
    return proportion_improvement if statistic in SHARES else rate_improvement


def _on_logs(**baseline: Any) -> Improvement:
    return estimate_improvement(**{"scale": "ratio", **baseline})


def mean_improvement(
    value: npt.ArrayLike,
    standard_deviation: npt.ArrayLike,
    sample_size: npt.ArrayLike,
    *,
    polarity: npt.ArrayLike,
    later_sample_size: npt.ArrayLike | None = None,
    between_year_variance: npt.ArrayLike = 0.0,
    power: float | None = None,
    within: tuple[float, float] = (-np.inf, np.inf),
    confidence_level: float = 0.95,
) -> Improvement:
    """Return how far a mean must move for `compare_means` to call it an improvement.

    Parameters
    ----------
    value, standard_deviation, sample_size : array_like
        Of the people asked at baseline.
    polarity : "lower", "higher" or array of them
        Which way is better.
    later_sample_size : array_like, optional
        People asked later; as many as at baseline when absent.
    between_year_variance : array_like
        As in `compare_means`.
    power : float, optional
        Chance of a significant result wanted; without it the smallest significant improvement.
    within : pair of float
        Smallest and largest possible score.
    confidence_level : float
        0.95 for 2.5 % in the improving direction.

    Returns
    -------
    Improvement

    Raises
    ------
    ParameterError
        If the shapes disagree or an option is not understood.

    Notes
    -----
    (t + z_power) standard errors, Welch's degrees of freedom, the same standard deviation in both periods.

    Examples
    --------
    >>> round(float(mean_improvement(18.7, 2.5, 420, polarity="higher").change), 3)
    0.339
    """
    base, deviation, n0, n1, tau2 = as_rows(
        value=value,
        standard_deviation=standard_deviation,
        sample_size=sample_size,
        later_sample_size=sample_size if later_sample_size is None else later_sample_size,
        between_year_variance=between_year_variance,
    )
    reason = first_reason(
        mean_reasons(base, deviation, n0),
        mean_reasons(base, deviation, n1, " in the later period"),
        variance_reasons(tau2),
    )
    base, deviation, n0, n1, tau2 = usable(reason, base, deviation, n0, n1, tau2)
    error, df = welch(deviation, n1, deviation, n0, tau2)
    return from_standard_error(
        base, error, df, "difference", polarity, power, within, confidence_level, "Welch", reason
    )


def estimate_improvement(
    value: npt.ArrayLike,
    lower: npt.ArrayLike,
    upper: npt.ArrayLike,
    *,
    polarity: npt.ArrayLike,
    scale: Scale = "difference",
    denominator: npt.ArrayLike = 1.0,
    later_denominator: npt.ArrayLike | None = None,
    between_year_variance: npt.ArrayLike = 0.0,
    power: float | None = None,
    within: tuple[float, float] = (-np.inf, np.inf),
    published_level: float = 0.95,
    confidence_level: float = 0.95,
) -> Improvement:
    """Return how far a published value must move for `compare_estimates` to call it an improvement.

    Parameters
    ----------
    value, lower, upper : array_like
        The baseline and its published limits.
    polarity : "lower", "higher" or array of them
        Which way is better.
    scale : "difference" or "ratio"
        As in `compare_estimates`.
    denominator, later_denominator : array_like
        Sample sizes or populations, if the later value will rest on more or fewer people.
    between_year_variance : array_like
        As in `compare_estimates`.
    power : float, optional
        Chance of a significant result wanted; without it the smallest significant improvement.
    within : pair of float
        Smallest and largest possible value, such as (0, 100) for a percentage.
    published_level : float
        The level of the limits.
    confidence_level : float
        0.95 for 2.5 % in the improving direction.

    Returns
    -------
    Improvement

    Raises
    ------
    ParameterError
        If the shapes disagree or an option is not understood.

    Notes
    -----
    (z + z_power) sqrt(se^2 (1 + n0 / n1) + tau^2), se from the limits, of logs for a ratio.

    Examples
    --------
    >>> rate = estimate_improvement(2000, 1900, 2105, polarity="lower", scale="ratio")
    >>> round(float(rate.value), 1)
    1860.2
    """
    base, low, high, n0, n1, tau2 = as_rows(
        value=value,
        lower=lower,
        upper=upper,
        denominator=denominator,
        later_denominator=denominator if later_denominator is None else later_denominator,
        between_year_variance=between_year_variance,
    )
    reason = first_reason(
        interval_reasons(base, low, high, scale),
        reasons(
            base.shape,
            not_a_number("denominator", n0),
            not_positive("denominator", n0),
            not_a_number("later denominator", n1),
            not_positive("later denominator", n1),
        ),
        variance_reasons(tau2),
    )
    base, low, high, n0, n1, tau2 = usable(reason, base, low, high, n0, n1, tau2)
    width = np.log(high / low) if scale == "ratio" else high - low
    error = width / (2 * critical_value(published_level))
    error = np.sqrt(error * error * (1 + n0 / n1) + tau2)
    method = "log ratio from published limits" if scale == "ratio" else "difference from published limits"
    df = np.full(base.shape, np.inf)
    return from_standard_error(
        base, error, df, scale, polarity, power, within, confidence_level, method, reason
    )
