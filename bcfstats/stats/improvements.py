"""Minimum significant improvement, and improvement detectable with a stated power, by kind of metric."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from bcfstats.errors import ParameterError
from bcfstats.stats import two_samples
from bcfstats.stats.change import (
    NOTHING_VARIES,
    Scale,
    dispersion_reasons,
    interval_reasons,
    mean_reasons,
    variance_reasons,
    welch,
)
from bcfstats.stats.estimates import inside, proportion_reasons, rate_reasons
from bcfstats.stats.rows import (
    CONFIDENCE,
    POWER,
    Floats,
    Texts,
    above_zero,
    as_number,
    as_numbers,
    as_rows,
    blanked,
    check_choice,
    check_level,
    check_multiplier,
    check_within,
    critical_value,
    first_reason,
    higher_is_better,
    labelled,
    named,
    reasons,
    unwrap,
)
from bcfstats.stats.tolerance import RELATIVE, negligible

RATES = ("crude_rate", "modelled_ratio", "directly_standardised_rate")
SHARES = ("proportion", "survey_proportion")
STATISTICS = (*RATES, *SHARES, "mean")
NO_TARGET = "no target could be significant"
ANYTHING = (-np.inf, np.inf)
WITH_VARIANCE = "pooled difference with between-year variance"


@dataclass(frozen=True, slots=True, eq=False)
class Improvement:
    """The smallest improvement of the kind asked for, one a row."""

    value: Floats  # the value to reach, in the unit of the multiplier; NaN where none would do
    change: Floats  # that value less the baseline
    ratio: Floats  # and over the baseline
    # the whole number of events or people that reaches it in the later denominator; NaN for means and for
    # values given with limits
    numerator: Floats
    confidence_level: float  # two-sided: 0.95 means significant at 2.5 % in the improving direction
    # chance of a significant result if the true value is `value`; None for the smallest observed improvement
    # that is significant
    power: float | None
    method: Texts  # the formula used for the row
    reason: Texts  # why there is no value, empty where there is one


@dataclass(frozen=True, slots=True, eq=False)
class _Wanted:
    """What an improvement must be: which way, how sure, with what power, within what bounds."""

    polarity: npt.ArrayLike
    confidence_level: float
    power: float | None
    within: tuple[float, float] = ANYTHING

    @property
    def z_power(self) -> float:
        """Normal quantile of the power asked for: zero where only significance is."""
        if self.power is None:
            return 0.0
        power = as_number(self.power)
        if power is None or not 0.5 <= power < 1:
            raise ParameterError(
                "The power is not between 0.5 and 1.", found=f"{self.power!r}", do="Write 80 % as 0.8."
            )
        return float(special.ndtri(power))

    def improvement(
        self,
        baseline: Floats,
        reached: Floats,
        method: Texts,
        reason: Texts,
        numerator: Floats | float = np.nan,
        multiplier: float = 1.0,
    ) -> Improvement:
        """Return an `Improvement` from the baseline and the value to reach, both before the multiplier."""
        reason = first_reason(reason, reasons(reached.shape, (NO_TARGET, np.isnan(reached))))
        return Improvement(
            unwrap(reached * multiplier),
            unwrap((reached - baseline) * multiplier),
            unwrap(reached / np.where(baseline == 0, np.nan, baseline)),
            unwrap(np.broadcast_to(numerator, reached.shape)),
            check_level(self.confidence_level),
            self.power,
            unwrap(np.where(reason != "", "", method)),
            unwrap(reason),
        )

    def from_standard_error(
        self,
        base: Floats,
        error: Floats,
        scale: Scale,
        method: str,
        reason: Texts,
        degrees_of_freedom: npt.ArrayLike = np.inf,
    ) -> Improvement:
        """Return the improvement of (t + z_power) standard errors from checked rows."""
        low, high = check_within(self.within)
        size = 1.0 if scale == "ratio" else base
        reason = first_reason(reason, reasons(base.shape, (NOTHING_VARIES, negligible(error, size))))
        base, error = blanked(reason, base, error)
        direction = np.where(higher_is_better(self.polarity, base.shape), 1.0, -1.0)
        step = direction * (critical_value(self.confidence_level, degrees_of_freedom) + self.z_power) * error
        reached = base * np.exp(step) if scale == "ratio" else base + step
        reached = np.where((reached >= low) & (reached <= high), reached, np.nan)
        return self.improvement(base, reached, named(method, reason), reason)


def minimum_significant_improvement(statistic: str, **baseline: Any) -> Improvement:
    """Smallest observed improvement that would be significant.

    It answers: what must we see before we can say that it is not chance?

    Parameters
    ----------
    statistic : str
        "crude_rate", "modelled_ratio", "directly_standardised_rate", "proportion", "survey_proportion"
        or "mean".
    polarity : "lower", "higher" or array of them
        Which way is better.
    **baseline
        What is known of the baseline, by name:

        - counts and proportions: `numerator`, `denominator`, with `later_denominator`, `multiplier`, and
          `dispersion` and `degrees_of_freedom` (counts) or `design_effect` (proportions) as in the
          comparisons;
        - means: `value`, `standard_deviation`, `sample_size`, with `later_sample_size` and `within`, the
          smallest and largest possible value;
        - any statistic with published limits: `value`, `lower`, `upper`, with `published_level`, `within`
          (for proportions by default 0 to 1, or to 100 if an upper limit is above 1),
          and `denominator` and `later_denominator` if the later value will rest on more or fewer people;
        - for all of them `between_year_variance` and `confidence_level`.

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
    return _size(statistic, baseline)


def detectable_improvement(statistic: str, *, power: float = POWER, **baseline: Any) -> Improvement:
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
    return _size(statistic, {"power": power, **baseline})


def _size(statistic: str, baseline: dict[str, Any]) -> Improvement:
    """Call the function of this statistic with what is known of the baseline."""
    function = _by_statistic(statistic, baseline)
    try:
        inspect.signature(function).bind(**baseline)
    except TypeError as error:
        raise ParameterError(
            "What is given does not describe the baseline.",
            found=f"{', '.join(baseline) or 'nothing'}: {error}",
            do="Give numerator and denominator, or value, standard_deviation and sample_size for a mean, or "
            "value, lower and upper; and polarity.",
        ) from None
    return function(**baseline)


def _by_statistic(statistic: str, baseline: dict[str, Any]) -> Callable[..., Improvement]:
    check_choice("statistic", statistic, STATISTICS)
    if "lower" in baseline:
        if statistic in RATES:
            baseline.setdefault("scale", "ratio")
        if statistic in SHARES:
            baseline.setdefault("within", (0.0, _top(baseline.get("upper", 1.0))))
        return estimate_improvement
    if statistic == "mean":
        return mean_improvement
    if statistic == "directly_standardised_rate":
        raise ParameterError(
            "A directly standardised rate needs its limits.", do="Give value, lower and upper."
        )
    return proportion_improvement if statistic in SHARES else rate_improvement


def _top(upper: npt.ArrayLike) -> float:
    """Return all, in the unit of published limits: 100 if any is above 1, else 1."""
    return 100.0 if np.any(as_numbers("upper limit", upper) > 1 + RELATIVE) else 1.0


def mean_improvement(
    value: npt.ArrayLike,
    standard_deviation: npt.ArrayLike,
    sample_size: npt.ArrayLike,
    *,
    polarity: npt.ArrayLike,
    later_sample_size: npt.ArrayLike | None = None,
    between_year_variance: npt.ArrayLike = 0.0,
    power: float | None = None,
    within: tuple[float, float] = ANYTHING,
    confidence_level: float = CONFIDENCE,
) -> Improvement:
    """Return how far a mean must move for `compare_means` to call it an improvement."""
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
    base, deviation, n0, n1, tau2 = blanked(reason, base, deviation, n0, n1, tau2)
    error, df = welch(deviation, n1, deviation, n0, tau2)
    wanted = _Wanted(polarity, confidence_level, power, within)
    return wanted.from_standard_error(base, error, "difference", "Welch", reason, df)


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
    within: tuple[float, float] = ANYTHING,
    published_level: float = CONFIDENCE,
    confidence_level: float = CONFIDENCE,
) -> Improvement:
    """Return how far a published value must move for `compare_estimates` to call it an improvement."""
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
            *above_zero("denominator", n0),
            *above_zero("later denominator", n1),
        ),
        variance_reasons(tau2),
    )
    base, low, high, n0, n1, tau2 = blanked(reason, base, low, high, n0, n1, tau2)
    width = np.log(high / low) if scale == "ratio" else high - low
    error = width / (2 * critical_value(published_level))
    error = np.sqrt(error * error * (1 + n0 / n1) + tau2)
    method = "log ratio from published limits" if scale == "ratio" else "difference from published limits"
    wanted = _Wanted(polarity, confidence_level, power, within)
    return wanted.from_standard_error(base, error, scale, method, reason)


def rate_improvement(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike,
    *,
    polarity: npt.ArrayLike,
    later_denominator: npt.ArrayLike | None = None,
    dispersion: npt.ArrayLike = 1.0,
    degrees_of_freedom: npt.ArrayLike = np.inf,
    between_year_variance: npt.ArrayLike | None = None,
    power: float | None = None,
    confidence_level: float = CONFIDENCE,
    multiplier: float = 1,
) -> Improvement:
    """Return how far a rate must move for `compare_rates` to call it an improvement."""
    a, e0, e1, phi, df, tau2 = as_rows(
        numerator=numerator,
        denominator=denominator,
        later_denominator=denominator if later_denominator is None else later_denominator,
        dispersion=dispersion,
        degrees_of_freedom=degrees_of_freedom,
        between_year_variance=0.0 if between_year_variance is None else between_year_variance,
    )
    multiplier, higher = check_multiplier(multiplier), higher_is_better(polarity, a.shape)
    logs = between_year_variance is not None
    reason = first_reason(
        rate_reasons(a, e0),
        variance_reasons(tau2),
        reasons(
            a.shape,
            *above_zero("later denominator", e1),
            ("there were no events at baseline: nothing to improve on", (a == 0) & (~higher | logs)),
        ),
        dispersion_reasons(phi, df),
    )
    a, e0, e1, phi, tau2 = blanked(reason, a, e0, e1, phi, tau2)
    wanted = _Wanted(polarity, confidence_level, power)
    z, share = critical_value(confidence_level, df), e1 / (e0 + e1)
    if between_year_variance is not None:
        variances = phi / a, phi * e0 / (a * e1)
        change = two_samples.log_change(*variances, tau2, z + wanted.z_power, higher)
        later = a * e1 / e0 * np.exp(change)
        method = named("log ratio with between-year variance", reason)
    elif power is not None:
        later = two_samples.detectable_count(a, share, phi, z, wanted.z_power, higher)
        method = named("score", reason)
    else:
        later = two_samples.significant_count(a, share, phi, z, higher)
        small = (phi == 1) & np.isinf(df) & (a < two_samples.MID_P_BELOW)
        by_mid_p = two_samples.small_count(a, share, later, check_level(confidence_level), higher)
        later = np.where(small, by_mid_p, later)
        few = small & (a + two_samples.whole_number(later, higher) < two_samples.MID_P_BELOW)
        method = labelled(few, "central mid-P", "score", reason)
    numerator = two_samples.whole_number(later, higher)
    return wanted.improvement(a / e0, later / e1, method, reason, numerator, multiplier)


def proportion_improvement(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike,
    *,
    polarity: npt.ArrayLike,
    later_denominator: npt.ArrayLike | None = None,
    design_effect: npt.ArrayLike = 1.0,
    between_year_variance: npt.ArrayLike | None = None,
    power: float | None = None,
    confidence_level: float = CONFIDENCE,
    multiplier: float = 1,
) -> Improvement:
    """Return how far a proportion must move for `compare_proportions` to call it an improvement."""
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
            *above_zero("later denominator", n1),
            *above_zero("design effect", effect),
        ),
        variance_reasons(tau2),
    )
    x0, n0, n1, effect, tau2 = blanked(reason, x0, n0, n1, effect, tau2)
    multiplier, higher = check_multiplier(multiplier), higher_is_better(polarity, x0.shape)
    x0 = inside(x0, n0)
    wanted, z = _Wanted(polarity, confidence_level, power), float(critical_value(confidence_level))
    start, sizes = np.where(higher, x0, n0 - x0) / n0, (n0 / effect, n1 / effect)
    if power is None and between_year_variance is None:
        name, reached = "Newcombe", two_samples.newcombe_share(start, *sizes, z)
    else:
        name = "pooled difference" if between_year_variance is None else WITH_VARIANCE
        reached = two_samples.pooled_share(start, *sizes, tau2, z, wanted.z_power)
    reached = np.where(higher, reached, 1 - reached)
    numerator = two_samples.whole_number(reached * n1, higher)
    return wanted.improvement(x0 / n0, reached, named(name, reason), reason, numerator, multiplier)
