"""Survey percentages, published margins of error, and ratios to a modelled denominator."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bcfstats.errors import ParameterError
from bcfstats.stats.change import Scale
from bcfstats.stats.estimates import Estimate, estimate, poisson_limits, rate_reasons, wilson_limits
from bcfstats.stats.rows import (
    Floats,
    Level,
    Texts,
    as_rows,
    at_levels,
    critical_value,
    first_reason,
    named,
    not_a_number,
    not_positive,
    reasons,
    unwrap,
    usable,
)


def survey_proportion(
    value: npt.ArrayLike,
    sample_size: npt.ArrayLike,
    *,
    design_effect: npt.ArrayLike = 1.0,
    confidence_level: Level = 0.95,
    multiplier: float = 1,
) -> Estimate:
    """Survey percentage with Wilson's limits on its effective sample size.

    It answers: how sure can we be of a weighted percentage?

    Parameters
    ----------
    value : array_like
        The published share, in the unit of the multiplier.
    sample_size : array_like
        People who answered, unweighted.
    design_effect : array_like
        Variance of the survey's estimate over that of a simple random sample of the same size; 1 for none.
    confidence_level : float or sequence of float
        0.95 for 95 %.
    multiplier : float
        1 for a share, 100 for a percentage.

    Returns
    -------
    Estimate

    Raises
    ------
    ParameterError
        If the shapes disagree, an input is text or a confidence level is not between 0 and 1.

    Notes
    -----
    Effective sample size n / design effect (Kish 1965, Survey Sampling, 8.2), then Wilson's interval. No
    correction for a finite population: the answer is about the care that people receive, not about the people
    who happened to be asked. Where only a margin of error is published use `published_estimate`.

    Examples
    --------
    >>> share = survey_proportion(61.2, 480, design_effect=1.2, multiplier=100)
    >>> f"{share.lower:.1f} to {share.upper:.1f}"
    '56.3 to 65.8'
    """
    p, n, effect = as_rows(value=value, sample_size=sample_size, design_effect=design_effect)
    p = p / multiplier
    reason = reasons(
        p.shape,
        not_a_number("value", p),
        ("the value is not between nothing and all", (p < 0) | (p > 1)),
        not_a_number("sample size", n),
        not_positive("sample size", n),
        not_a_number("design effect", effect),
        not_positive("design effect", effect),
    )
    p, n, effect = usable(reason, p, n, effect)
    size = n / effect

    def limits(level: float) -> tuple[Floats, Floats]:
        lower, upper = wilson_limits(p * size, size, float(critical_value(level)))
        return lower * multiplier, upper * multiplier

    return estimate(
        p * multiplier,
        at_levels(limits, confidence_level),
        confidence_level,
        named("Wilson on the effective sample size", reason),
        reason,
    )


def effective_sample_size(
    value: npt.ArrayLike,
    margin_of_error: npt.ArrayLike,
    *,
    published_level: float = 0.95,
    multiplier: float = 1,
) -> Floats:
    """Simple random sample that would have the published margin of error.

    It answers: how many answers is this survey worth?

    Parameters
    ----------
    value, margin_of_error : array_like
        In the unit of the multiplier.
    published_level : float
        The level of the margin.
    multiplier : float
        1 for shares, 100 for percentages.

    Returns
    -------
    ndarray
        NaN where a number is missing, the margin is zero, or the share is nothing or all.

    Raises
    ------
    ParameterError
        If the shapes disagree or an input is text.

    Notes
    -----
    p (1 - p) z^2 / margin^2 (Kish 1965, 8.2). A margin with a finite population correction gives a size
    larger than the people asked.

    Examples
    --------
    >>> round(float(effective_sample_size(61.2, 4.775, multiplier=100)))
    400
    """
    p, margin = as_rows(value=value, margin_of_error=margin_of_error)
    p, margin = p / multiplier, margin / multiplier
    fit = (p > 0) & (p < 1) & (margin > 0)
    p, margin = np.where(fit, p, np.nan), np.where(fit, margin, np.nan)
    return unwrap(p * (1 - p) * (critical_value(published_level) / margin) ** 2)


def published_estimate(
    value: npt.ArrayLike,
    *,
    margin_of_error: npt.ArrayLike | None = None,
    lower: npt.ArrayLike | None = None,
    upper: npt.ArrayLike | None = None,
    scale: Scale = "difference",
    within: tuple[float, float] = (-np.inf, np.inf),
    published_level: float = 0.95,
    confidence_level: Level = 0.95,
) -> Estimate:
    """Published value with its published limits, at the level asked for.

    It answers: what are the limits of a published percentage, score or rate at 95 %, or at 99.8 %?

    Parameters
    ----------
    value : array_like
        In the unit published.
    margin_of_error : array_like, optional
        Half the width of the published interval; or give
    lower, upper : array_like, optional
        the published limits.
    scale : "difference" or "ratio"
        Whether limits stretch in proportion to the difference from the value, or to its logarithm (rates).
    within : pair of float
        Smallest and largest possible value, such as (0, 100) for a percentage.
    published_level : float
        The level of the limits given.
    confidence_level : float or sequence of float
        The level of the limits returned; at `published_level` they are the published ones.

    Returns
    -------
    Estimate

    Raises
    ------
    ParameterError
        If neither a margin nor both limits are given, the shapes disagree or an input is text.

    Notes
    -----
    Each limit's distance from the value times z / published z (Altman and Bland 2011, doi:10.1136/bmj.d2304).
    Published margins may hold a finite population correction (the adult social care survey's do): they then
    describe the people surveyed, and are a little narrow for the care behind their answers.

    Examples
    --------
    >>> score = published_estimate(19.1, margin_of_error=0.4, confidence_level=(0.95, 0.998))
    >>> score.lower.round(2), score.upper.round(2)
    (array([18.7 , 18.47]), array([19.5 , 19.73]))
    """
    if margin_of_error is not None:
        (middle, margin) = as_rows(value=value, margin_of_error=margin_of_error)
        low, high = middle - margin, middle + margin
    elif lower is not None and upper is not None:
        middle, low, high = as_rows(value=value, lower=lower, upper=upper)
    else:
        raise ParameterError(
            "A published value needs its uncertainty.", do="Give margin_of_error, or lower and upper."
        )
    reason = interval_reasons(middle, low, high, scale)
    centre, low, high = usable(reason, middle, low, high)
    forward, back = (np.log, np.exp) if scale == "ratio" else (np.asarray, np.asarray)

    def limits(level: float) -> tuple[Floats, Floats]:
        stretch = critical_value(level) / critical_value(published_level)
        c, low_, high_ = forward(centre), forward(low), forward(high)
        ends = (c - (c - low_) * stretch, c + (high_ - c) * stretch)
        return np.clip(back(ends[0]), *within), np.clip(back(ends[1]), *within)

    return estimate(
        np.where(np.isfinite(middle), middle, np.nan),
        at_levels(limits, confidence_level),
        confidence_level,
        named("published limits", reason),
        reason,
    )


def interval_reasons(value: Floats, lower: Floats, upper: Floats, scale: Scale, suffix: str = "") -> Texts:
    """Return why published limits give no standard error."""
    not_logged = (lower <= 0) if scale == "ratio" else np.zeros(value.shape, dtype=bool)
    return reasons(
        value.shape,
        not_a_number(f"value{suffix}", value),
        not_a_number(f"lower limit{suffix}", lower),
        not_a_number(f"upper limit{suffix}", upper),
        (f"the limits do not enclose the value{suffix}", (lower > value) | (value > upper)),
        (f"the lower limit{suffix} is zero or below: no ratio", not_logged),
    )


def modelled_ratio(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike,
    *,
    denominator_lower: npt.ArrayLike | None = None,
    denominator_upper: npt.ArrayLike | None = None,
    published_level: float = 0.95,
    confidence_level: Level = 0.95,
    multiplier: float = 1,
) -> Estimate:
    """Count over a modelled number of people, such as dementia diagnoses over estimated prevalence.

    It answers: what share of the people estimated to have the condition is recorded, and how sure can we be?

    Parameters
    ----------
    numerator : array_like
        People recorded.
    denominator : array_like
        People estimated by the model.
    denominator_lower, denominator_upper : array_like, optional
        Limits of that estimate; without them it is taken as known, and `method` says so.
    published_level : float
        The level of those limits.
    confidence_level : float or sequence of float
        0.95 for 95 %.
    multiplier : float
        1 for a ratio, 100 for a percentage.

    Returns
    -------
    Estimate
        The ratio may pass 1: more may be recorded than the model expects.

    Raises
    ------
    ParameterError
        If only one limit is given, the shapes disagree or an input is text.

    Notes
    -----
    Poisson limits of the count; with limits of the denominator, the interval for a ratio from the two of
    Donner and Zou (2012) Statistical Methods in Medical Research 21:347-359. The model is the same in both
    periods, so its error does not belong in a comparison of an area with itself: use `compare_rates`. Not a
    proportion: the people recorded are not drawn from the people modelled.

    Examples
    --------
    >>> share = modelled_ratio(1850, 3000, denominator_lower=2700, denominator_upper=3330, multiplier=100)
    >>> f"{share.value:.1f} ({share.lower:.1f} to {share.upper:.1f})"
    '61.7 (55.0 to 69.2)'
    """
    if (denominator_lower is None) != (denominator_upper is None):
        raise ParameterError("A modelled denominator needs both its limits, or neither.")
    known = denominator_lower is None or denominator_upper is None
    count, people, low, high = as_rows(
        numerator=numerator,
        denominator=denominator,
        denominator_lower=denominator if denominator_lower is None else denominator_lower,
        denominator_upper=denominator if denominator_upper is None else denominator_upper,
    )
    reason = first_reason(
        rate_reasons(count, people), interval_reasons(people, low, high, "ratio", " of the denominator")
    )
    count, people, low, high = usable(reason, count, people, low, high)

    def limits(level: float) -> tuple[Floats, Floats]:
        stretch = critical_value(level) / critical_value(published_level)
        ends = people * (low / people) ** stretch, people * (high / people) ** stretch
        lower, upper = ratio_limits(count, poisson_limits(count, level), people, ends)
        return lower * multiplier, upper * multiplier

    lower, upper = at_levels(limits, confidence_level)
    at_any_level = lower.max(axis=0) if lower.ndim > reason.ndim else lower
    vague = (reason == "") & np.isnan(at_any_level)
    return estimate(
        count / people * multiplier,
        (lower, upper),
        confidence_level,
        named("Poisson, modelled denominator taken as known" if known else "Donner-Zou", reason),
        first_reason(reason, reasons(reason.shape, ("the modelled denominator is too uncertain", vague))),
    )


def ratio_limits(
    top: Floats, top_limits: tuple[Floats, Floats], bottom: Floats, bottom_limits: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    """Limits of a ratio from the limits of its two parts; NaN where the bottom's are too wide."""
    ratio, low, high = top / bottom, top_limits[0] / bottom, top_limits[1] / bottom
    under, over = bottom_limits[0] / bottom, bottom_limits[1] / bottom
    over = np.where(over < 2, over, np.nan)
    lower = (ratio - _root(ratio, low, over)) / (over * (2 - over))
    return lower, (ratio + _root(ratio, high, under)) / (under * (2 - under))


def _root(ratio: Floats, end: Floats, other: Floats) -> Floats:
    inside = ratio * ratio - end * other * (2 * ratio - end) * (2 - other)
    return np.asarray(np.sqrt(np.maximum(inside, 0.0)))
