"""Two periods or two areas compared, by kind of metric: the change, its limits and its p-values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from bcfstats.errors import ParameterError
from bcfstats.stats import two_samples
from bcfstats.stats.change import (
    AT_BASELINE,
    Asked,
    Comparison,
    Limits,
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
    Flags,
    Floats,
    Level,
    Texts,
    above_zero,
    as_rows,
    blanked,
    check_choice,
    check_level,
    critical_value,
    first_reason,
    labelled,
    named,
    reasons,
    upper_tail,
)

__all__ = ["Comparison", "compare_estimates", "compare_means", "compare_proportions", "compare_rates"]

_TESTS: Mapping[str, tuple[str, Callable[..., Floats], Callable[..., Limits]]] = MappingProxyType(
    {
        "newcombe": ("Newcombe", two_samples.newcombe_statistic, two_samples.newcombe_limits),
        "miettinen-nurminen": (
            "Miettinen-Nurminen",
            two_samples.proportion_score,
            two_samples.score_limits,
        ),
    }
)


def compare_proportions(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike,
    baseline_numerator: npt.ArrayLike,
    baseline_denominator: npt.ArrayLike,
    *,
    polarity: npt.ArrayLike | None = None,
    design_effect: npt.ArrayLike = 1.0,
    between_year_variance: npt.ArrayLike | None = None,
    method: Literal["newcombe", "miettinen-nurminen"] = "newcombe",
    scale: Scale = "difference",
    confidence_level: Level = CONFIDENCE,
) -> Comparison:
    """Difference or ratio of two independent proportions.

    It answers: has the share changed from baseline by more than chance, or do two areas differ?

    Parameters
    ----------
    numerator, denominator, baseline_numerator, baseline_denominator : array_like
        People counted and people at risk; an area's own, or the comparator's as baseline.
    polarity : "lower", "higher" or array of them, optional
        Which way is better; without it `p_improvement` is missing.
    design_effect : array_like
        Variance of the survey's estimate over that of a simple random sample of the same size.
    between_year_variance : array_like, optional
        Variance of the yearly change of the true share beyond sampling (`between_year_variance`). Given, the
        test is the difference over the root of pooled sampling variance plus it; absent, noise only.
    method : "newcombe" or "miettinen-nurminen"
        For the noise-only difference.
    scale : "difference" or "ratio"
        The ratio is compared by the score method, noise only.
    confidence_level : float or sequence of float
        0.95 for 95 %.

    Returns
    -------
    Comparison
        As shares. Limits and p-values agree: the interval at a level leaves out no change exactly where the
        p-value is below one minus that level. With none at baseline the ratio and its upper limit are
        missing, the p-values are not.

    Raises
    ------
    ParameterError
        If the shapes disagree or an option is not understood.

    Notes
    -----
    Newcombe (1998) Statistics in Medicine 17:873-890, method 10, its p-value being the level at which the
    interval touches no difference; or the score method of Miettinen and Nurminen (1985,
    doi:10.1002/sim.4780040211). Not for the same people asked twice, and noise only: real shares also move
    from year to year.

    Examples
    --------
    >>> change = compare_proportions(56, 70, 48, 80, polarity="higher")
    >>> f"{change.value:.2f} ({change.lower:.3f} to {change.upper:.3f}), p = {change.p_improvement:.4f}"
    '0.20 (0.052 to 0.334), p = 0.0041'
    """
    check_choice("method", method, tuple(_TESTS))
    check_choice("scale", scale, ("difference", "ratio"))
    if scale == "ratio" and between_year_variance is not None:
        raise ParameterError(
            "The variance between years is that of a difference of shares.", do="Leave it out, or the ratio."
        )
    x1, n1, x0, n0, effect, tau2 = as_rows(
        numerator=numerator,
        denominator=denominator,
        baseline_numerator=baseline_numerator,
        baseline_denominator=baseline_denominator,
        design_effect=design_effect,
        between_year_variance=0.0 if between_year_variance is None else between_year_variance,
    )
    reason = first_reason(
        proportion_reasons(x1, n1),
        proportion_reasons(x0, n0, AT_BASELINE),
        reasons(x1.shape, *above_zero("design effect", effect)),
        variance_reasons(tau2),
    )
    x1, n1, x0, n0, effect, tau2 = blanked(reason, x1, n1, x0, n0, effect, tau2)
    x1, x0 = inside(x1, n1), inside(x0, n0)
    counts, difference = (x1 / effect, n1 / effect, x0 / effect, n0 / effect), x1 / n1 - x0 / n0
    asked = Asked(polarity, confidence_level)
    if scale == "ratio":
        return _ratio_of_proportions(counts, asked, reason)
    if between_year_variance is not None:
        error = np.sqrt(two_samples.pooled_variance(*counts) + tau2)
        name = named("pooled difference with between-year variance", reason)
        return asked.from_standard_error(difference, error, "difference", name, reason)
    title, statistic, limits = _TESTS[method]
    z = statistic(*counts)
    return asked.comparison(
        difference,
        lambda level: limits(*counts, float(critical_value(level))),
        "difference",
        (upper_tail(-z), upper_tail(z)),
        named(title, reason),
        reason,
    )


def _ratio_of_proportions(
    counts: tuple[Floats, Floats, Floats, Floats], asked: Asked, reason: Texts
) -> Comparison:
    x1, n1, x0, n0 = counts
    z = two_samples.proportion_score(*counts)
    no_ratio = ("there were none at baseline: no ratio", x0 == 0)
    return asked.comparison(
        x1 / n1 / np.where(x0 > 0, x0 / n0, np.nan),
        lambda level: two_samples.score_limits_of_ratio(*counts, float(critical_value(level))),
        "ratio",
        (upper_tail(-z), upper_tail(z)),
        named("Miettinen-Nurminen ratio", reason),
        first_reason(reason, reasons(reason.shape, no_ratio)),
    )


def compare_rates(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike,
    baseline_numerator: npt.ArrayLike,
    baseline_denominator: npt.ArrayLike,
    *,
    polarity: npt.ArrayLike | None = None,
    dispersion: npt.ArrayLike = 1.0,
    degrees_of_freedom: npt.ArrayLike = np.inf,
    between_year_variance: npt.ArrayLike | None = None,
    confidence_level: Level = CONFIDENCE,
) -> Comparison:
    """Ratio of two independent rates.

    It answers: has the rate changed from baseline by more than chance, or do two areas differ?

    Parameters
    ----------
    numerator, denominator, baseline_numerator, baseline_denominator : array_like
        Events, and the population or days they happened in.
    polarity : "lower", "higher" or array of them, optional
        Which way is better; without it `p_improvement` is missing.
    dispersion : array_like
        Variance of the counts over their mean; 1 for independent events.
    degrees_of_freedom : array_like
        Of an estimated dispersion; infinite where it is known.
    between_year_variance : array_like, optional
        Variance of the yearly change of the true log rate beyond counting noise. Given, the test is the log
        ratio over the root of dispersion * (1 / events + 1 / baseline events) plus it; absent, noise only.
    confidence_level : float or sequence of float
        0.95 for 95 %.

    Returns
    -------
    Comparison
        On the ratio scale. `method` is "central mid-P" where both counts together are below 100 and the
        dispersion is 1, otherwise "score". With no events at baseline the ratio and its upper limit are
        missing, the p-values are not.

    Raises
    ------
    ParameterError
        If the shapes disagree or an option is not understood.

    Notes
    -----
    Given the total, the later count is binomial: score test and its inversion (Wilson's interval for the
    later period's share), or the central mid-P test (Lancaster 1961, doi:10.1080/01621459.1961.10482105),
    two-sided as twice the smaller tail. Quasi-Poisson with a dispersion above 1 (McCullagh and Nelder 1989,
    section 4.5). Not for bed days without a dispersion; not for part of a year against a whole one.

    Examples
    --------
    >>> change = compare_rates(914, 365, 1000, 365, polarity="lower")
    >>> f"{change.value:.3f} ({change.lower:.3f} to {change.upper:.3f}), p = {change.p_improvement:.4f}"
    '0.914 (0.836 to 1.000), p = 0.0247'
    """
    b, e1, a, e0, phi, df, tau2 = as_rows(
        numerator=numerator,
        denominator=denominator,
        baseline_numerator=baseline_numerator,
        baseline_denominator=baseline_denominator,
        dispersion=dispersion,
        degrees_of_freedom=degrees_of_freedom,
        between_year_variance=0.0 if between_year_variance is None else between_year_variance,
    )
    no_events = ("there were no events in either period", a + b == 0)
    reason = first_reason(
        rate_reasons(b, e1),
        rate_reasons(a, e0, AT_BASELINE),
        reasons(b.shape, no_events),
        dispersion_reasons(phi, df),
        variance_reasons(tau2),
    )
    b, e1, a, e0, phi, df, tau2 = blanked(reason, b, e1, a, e0, phi, df, tau2)
    counts, asked = _Counts(b, e1, a, e0, phi, df), Asked(polarity, confidence_level)
    if between_year_variance is not None:
        return counts.with_variance(tau2, asked, reason)
    return counts.by_noise(asked, reason)


@dataclass(frozen=True, slots=True, eq=False)
class _Counts:
    """Events and exposure of the later period and of the baseline, and how they scatter."""

    later: Floats
    later_exposure: Floats
    baseline: Floats
    baseline_exposure: Floats
    dispersion: Floats
    degrees_of_freedom: Floats

    def with_variance(self, tau2: Floats, asked: Asked, reason: Texts) -> Comparison:
        """Log ratio, its variance that of the counts and that between years."""
        no_log = ("there were no events in one of the periods: no log ratio", self.later * self.baseline == 0)
        reason = first_reason(reason, reasons(reason.shape, no_log))
        b, a = blanked(reason, self.later, self.baseline)
        error = np.sqrt(self.dispersion * (1 / a + 1 / b) + tau2)
        log_ratio = np.log(b / self.later_exposure / (a / self.baseline_exposure))
        name = named("log ratio with between-year variance", reason)
        return asked.from_standard_error(log_ratio, error, "ratio", name, reason, self.degrees_of_freedom)

    def by_noise(self, asked: Asked, reason: Texts) -> Comparison:
        """Score test, or central mid-P for few independent events."""
        b, a = self.later, self.baseline
        few = (a + b < two_samples.MID_P_BELOW) & (self.dispersion == 1) & np.isinf(self.degrees_of_freedom)
        no_ratio = ("there were no events at baseline: no ratio", a == 0)
        return asked.comparison(
            b / np.where(a > 0, a, np.nan) / (self.later_exposure / self.baseline_exposure),
            lambda level: self._limits(few, level),
            "ratio",
            self._p_values(few),
            labelled(few, "central mid-P", "score", reason),
            first_reason(reason, reasons(b.shape, no_ratio)),
        )

    def _p_values(self, few: Flags) -> Limits:
        b, a, df = self.later, self.baseline, self.degrees_of_freedom
        share = self.later_exposure / (self.baseline_exposure + self.later_exposure)
        z = two_samples.rate_score(b, a, share, self.dispersion)
        p_fall, p_rise = np.array(upper_tail(-z, df)), np.array(upper_tail(z, df))
        if np.any(few):
            p_fall[few] = two_samples.mid_p_below(b[few], a[few], share[few])
            p_rise[few] = two_samples.mid_p_below(a[few], b[few], 1 - share[few])
        return p_fall, p_rise

    def _limits(self, few: Flags, level: float) -> Limits:
        b, a, exposure_ratio = self.later, self.baseline, self.later_exposure / self.baseline_exposure
        z = critical_value(level, self.degrees_of_freedom) * np.sqrt(self.dispersion)
        limits = two_samples.score_ratio_limits(b, a, exposure_ratio, z)
        lower, upper = (np.array(limit) for limit in limits)
        if np.any(few):
            tail = (1 - check_level(level)) / 2
            by_mid_p = two_samples.mid_p_ratio_limits(b[few], a[few], exposure_ratio[few], tail)
            lower[few], upper[few] = by_mid_p
        return lower, upper


def compare_means(
    mean: npt.ArrayLike,
    standard_deviation: npt.ArrayLike,
    sample_size: npt.ArrayLike,
    baseline_mean: npt.ArrayLike,
    baseline_standard_deviation: npt.ArrayLike,
    baseline_sample_size: npt.ArrayLike,
    *,
    polarity: npt.ArrayLike | None = None,
    between_year_variance: npt.ArrayLike = 0.0,
    confidence_level: Level = CONFIDENCE,
) -> Comparison:
    """Difference of two independent means by Welch's test.

    It answers: has the average score changed by more than chance?

    Parameters
    ----------
    mean, standard_deviation, sample_size : array_like
        Of the people asked in the later period.
    baseline_mean, baseline_standard_deviation, baseline_sample_size : array_like
        Of the people asked at baseline.
    polarity : "lower", "higher" or array of them, optional
        Which way is better; without it `p_improvement` is missing.
    between_year_variance : array_like
        Variance of the yearly change of the true mean beyond sampling.
    confidence_level : float or sequence of float
        0.95 for 95 %.

    Returns
    -------
    Comparison
        On the difference scale.

    Raises
    ------
    ParameterError
        If the shapes disagree or an option is not understood.

    Notes
    -----
    Welch (1947, doi:10.1093/biomet/34.1-2.28) with Satterthwaite's degrees of freedom. Not for the same
    people asked twice, nor for weighted survey scores (`compare_estimates`).

    Examples
    --------
    >>> change = compare_means(19.1, 2.6, 400, 18.7, 2.5, 420, polarity="higher")
    >>> f"{change.value:.2f} ({change.lower:.2f} to {change.upper:.2f}), p = {change.p_value:.3f}"
    '0.40 (0.05 to 0.75), p = 0.025'
    """
    m1, s1, n1, m0, s0, n0, tau2 = as_rows(
        mean=mean,
        standard_deviation=standard_deviation,
        sample_size=sample_size,
        baseline_mean=baseline_mean,
        baseline_standard_deviation=baseline_standard_deviation,
        baseline_sample_size=baseline_sample_size,
        between_year_variance=between_year_variance,
    )
    reason = first_reason(
        mean_reasons(m1, s1, n1), mean_reasons(m0, s0, n0, AT_BASELINE), variance_reasons(tau2)
    )
    m1, s1, n1, m0, s0, n0, tau2 = blanked(reason, m1, s1, n1, m0, s0, n0, tau2)
    error, df = welch(s1, n1, s0, n0, tau2)
    asked = Asked(polarity, confidence_level)
    return asked.from_standard_error(
        m1 - m0, error, "difference", named("Welch", reason), reason, df, size=np.maximum(abs(m1), abs(m0))
    )


def compare_estimates(
    value: npt.ArrayLike,
    lower: npt.ArrayLike,
    upper: npt.ArrayLike,
    baseline_value: npt.ArrayLike,
    baseline_lower: npt.ArrayLike,
    baseline_upper: npt.ArrayLike,
    *,
    scale: Scale = "difference",
    polarity: npt.ArrayLike | None = None,
    between_year_variance: npt.ArrayLike = 0.0,
    published_level: float = CONFIDENCE,
    confidence_level: Level = CONFIDENCE,
) -> Comparison:
    """Difference or ratio of two independent values published with confidence limits.

    It answers: has the published value changed by more than chance?

    Parameters
    ----------
    value, lower, upper : array_like
        The later value and its limits; for a margin of error give value - margin and value + margin.
    baseline_value, baseline_lower, baseline_upper : array_like
        The same at baseline.
    scale : "difference" or "ratio"
        Ratio for rates (directly standardised rates among them), compared as logs; difference for
        percentages and scores.
    polarity : "lower", "higher" or array of them, optional
        Which way is better; without it `p_improvement` is missing.
    between_year_variance : array_like
        Variance of the yearly change of the true value (of its log, for a ratio) beyond sampling.
    published_level : float
        The level of the limits given.
    confidence_level : float or sequence of float
        The level of the limits returned.

    Returns
    -------
    Comparison

    Raises
    ------
    ParameterError
        If the shapes disagree or an option is not understood.

    Notes
    -----
    Standard error = (upper - lower) / (2 z), of logs for a ratio (Altman and Bland 2011,
    doi:10.1136/bmj.d2304). Do not look whether two intervals overlap instead: at equal precision that asks
    for a change 41 % larger. Not for percentages within a margin of 0 or 100 % (`compare_proportions` on
    effective sample sizes), nor for published limits so rounded that they show two figures.

    Examples
    --------
    >>> change = compare_estimates(1850, 1755, 1950, 2000, 1900, 2105, scale="ratio", polarity="lower")
    >>> f"{change.value:.3f} ({change.lower:.3f} to {change.upper:.3f}), p = {change.p_improvement:.3f}"
    '0.925 (0.859 to 0.996), p = 0.019'
    """
    check_choice("scale", scale, ("difference", "ratio"))
    v1, l1, u1, v0, l0, u0, tau2 = as_rows(
        value=value,
        lower=lower,
        upper=upper,
        baseline_value=baseline_value,
        baseline_lower=baseline_lower,
        baseline_upper=baseline_upper,
        between_year_variance=between_year_variance,
    )
    reason = first_reason(
        interval_reasons(v1, l1, u1, scale),
        interval_reasons(v0, l0, u0, scale, AT_BASELINE),
        variance_reasons(tau2),
    )
    v1, l1, u1, v0, l0, u0, tau2 = blanked(reason, v1, l1, u1, v0, l0, u0, tau2)
    forward = np.log if scale == "ratio" else np.asarray
    z = 2 * critical_value(published_level)
    error1, error0 = ((forward(u) - forward(low)) / z for low, u in ((l1, u1), (l0, u0)))
    return Asked(polarity, confidence_level).from_standard_error(
        forward(v1) - forward(v0),
        np.sqrt(error1 * error1 + error0 * error0 + tau2),
        scale,
        named(f"{'log ratio' if scale == 'ratio' else 'difference'} from published limits", reason),
        reason,
        size=1.0 if scale == "ratio" else np.maximum(abs(v1), abs(v0)),
    )
