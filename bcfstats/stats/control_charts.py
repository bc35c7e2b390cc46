"""XmR charts: process limits from moving ranges, and the Making Data Count rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy import special

from bcfstats.errors import ParameterError
from bcfstats.stats.change import higher_is_better
from bcfstats.stats.estimates import Estimate, estimate
from bcfstats.stats.rows import (
    CHART_CONFIDENCE,
    Flags,
    Floats,
    Level,
    Texts,
    as_rows,
    at_levels,
    blanked,
    check_level,
    critical_value,
    named,
    negative,
    not_a_number,
    not_positive,
    reasons,
    unwrap,
)


def funnel_limits(
    denominator: npt.ArrayLike,
    average: npt.ArrayLike,
    *,
    kind: Literal["proportion", "rate"],
    between_area_variance: npt.ArrayLike | None = None,
    confidence_level: Level = CHART_CONFIDENCE,
    multiplier: float = 1,
) -> Estimate:
    """Limits within which areas of each size vary by chance around the average.

    `kind` is that of the average; a between-area variance (`paule_mandel`), of shares or of logs of rates,
    widens the limits, which else show chance alone. Spiegelhalter (2005) Statistics in Medicine 24:1185-1202,
    doi:10.1002/sim.1970. Chance alone: the value whose own interval just touches the average, Wilson's for a
    proportion, exact for a rate. With a between-area variance: average -+ z sqrt(chance + between), on logs
    for a rate (Spiegelhalter 2005, doi:10.1136/qshc.2005.013755). Chance alone flags far too many areas where
    denominators are large. Not a league table, and not a test of change.
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
    n, centre, tau2 = blanked(reason, n, centre, tau2)

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


RANGES_TO_LIMIT = 2.66
RANGES_TO_SCREEN = 3.267
NEAR = 2 / 3
RUN = 7
TRIAL_BELOW = 13


@dataclass(frozen=True, slots=True, eq=False)
class XmrLimits:
    """Process limits, one a series.

    Attributes
    ----------
    mean, lower, upper : ndarray
        Mean and process limits; limits are NaN where there are none.
    lower_near, upper_near : ndarray
        Two thirds of the way to the limits: beyond is "close to the limit".
    moving_range : ndarray
        Average moving range used.
    points : ndarray of int
        Values the limits rest on.
    trial : ndarray of bool
        Fewer than 13 points: limits that will still move.
    reason : ndarray of str
        Why there are no limits; empty where there are.
    """

    mean: Floats
    lower: Floats
    upper: Floats
    lower_near: Floats
    upper_near: Floats
    moving_range: Floats
    points: npt.NDArray[np.intp]
    trial: Flags
    reason: Texts


@dataclass(frozen=True, slots=True, eq=False)
class SpcSignals:
    """Which points the rules flag, shape of the values.

    Attributes
    ----------
    outside : ndarray of bool
        Outside a process limit.
    shift : ndarray of bool
        In a run of seven or more on one side of the mean.
    trend : ndarray of bool
        In seven or more that each rise, or each fall.
    near_limit : ndarray of bool
        One of two in three consecutive points beyond two thirds of the way to the same limit, all three on
        that side of the mean.
    signal : ndarray of str
        "improvement" or "concern" by polarity, "high" or "low" without one, empty where nothing is flagged.
        A point inside the limits that is part of a trend goes by the trend's direction, any other by its side
        of the mean.
    """

    outside: Flags
    shift: Flags
    trend: Flags
    near_limit: Flags
    signal: Texts


def xmr_limits(
    values: npt.ArrayLike,
    *,
    within: tuple[float, float] = (-np.inf, np.inf),
    screen: bool = False,
) -> XmrLimits:
    """Mean and process limits of a series from its average moving range.

    It answers: within what limits does this measure vary from month to month if nothing changes?

    Parameters
    ----------
    values : array_like
        In order of time along the last axis; NaN where a value is missing.
    within : pair of float
        Smallest and largest possible value, such as (0, 100) for a percentage: limits stop there.
    screen : bool
        Leave out, once, moving ranges of 3.267 times their average or more, unless that would leave no
        variation.

    Returns
    -------
    XmrLimits
        No limits, with the reason, for fewer than two neighbouring values or a series that never varies.

    Raises
    ------
    ParameterError
        If an input is text.

    Notes
    -----
    Mean -+ 2.66 average moving range (Shewhart; Wheeler 1993, Understanding Variation; NHS England, Making
    Data Count). A range is taken only between neighbours that are both there. To judge later points against
    a baseline, take the limits from the baseline's values. Not for seasonal or autocorrelated series, whose
    points flag themselves, nor to test a target.

    Examples
    --------
    >>> limits = xmr_limits([10, 12, 11, 13, 12, 10])
    >>> f"{limits.mean:.2f} ({limits.lower:.2f} to {limits.upper:.2f}), trial: {limits.trial}"
    '11.33 (7.08 to 15.59), trial: True'
    """
    (x,) = as_rows(values=values)
    there = np.isfinite(x)
    x = np.where(there, x, np.nan)
    points = there.sum(axis=-1)
    mean = np.where(there, x, 0.0).sum(axis=-1) / np.where(points > 0, points, np.nan)
    average = _average_moving_range(np.abs(np.diff(x, axis=-1)), screen)
    reason = reasons(
        mean.shape,
        ("fewer than two neighbouring values", np.isnan(average)),
        ("every value is the same: no variation to set limits by", average == 0),
    )
    spread = np.where(reason == "", RANGES_TO_LIMIT * average, np.nan)
    lower, upper, lower_near, upper_near = (
        unwrap(np.clip(mean + share * spread, *within)) for share in (-1.0, 1.0, -NEAR, NEAR)
    )
    return XmrLimits(
        unwrap(mean),
        lower,
        upper,
        lower_near,
        upper_near,
        unwrap(average),
        unwrap(np.asarray(points)),
        unwrap(np.asarray(points < TRIAL_BELOW)),
        unwrap(reason),
    )


def _average_moving_range(ranges: Floats, screen: bool) -> Floats:
    average = _mean(ranges)
    if not screen:
        return average
    kept = np.where(ranges < RANGES_TO_SCREEN * average[..., None], ranges, np.nan)
    screened = _mean(kept)
    return np.where(screened > 0, screened, average)


def _mean(values: Floats) -> Floats:
    count = np.isfinite(values).sum(axis=-1)
    return np.asarray(np.nansum(values, axis=-1) / np.where(count > 0, count, np.nan))


def spc_signals(
    values: npt.ArrayLike, limits: XmrLimits, *, polarity: npt.ArrayLike | None = None
) -> SpcSignals:
    """Points that the Making Data Count rules flag as special cause.

    It answers: has the process changed, and for the better or the worse?

    Parameters
    ----------
    values : array_like
        In order of time along the last axis; NaN where a value is missing.
    limits : XmrLimits
        From these values, or from a baseline's.
    polarity : "lower", "higher" or array of them (one a series), optional
        Which way is better.

    Returns
    -------
    SpcSignals
        A missing value is never flagged and breaks every run. A point on the mean breaks a run of one side,
        a tie a trend. Nothing is flagged where there are no limits.

    Raises
    ------
    ParameterError
        If an input is text or the polarity is not understood.

    Notes
    -----
    NHS England, Making Data Count: outside the limits; seven on one side; seven rising or falling; two of
    three close to a limit, points beyond the limit counted. On a steady series of independent points some
    rule flags within nine months in about 6 to 8 % of series, on real ones far more often: no proof that a
    programme worked.

    Examples
    --------
    >>> values = [10, 12, 11, 13, 12, 10, 11, 12, 10, 11, 13, 11, 18]
    >>> found = spc_signals(values, xmr_limits(values[:12]), polarity="lower")
    >>> found.signal[-1], bool(found.outside[-1])
    ('concern', True)
    """
    (x,) = as_rows(values=values)
    usable = np.isfinite(x) & np.asarray(limits.reason == "")[..., None]
    x = np.where(usable, x, np.nan)
    mean, lower, upper, lower_near, upper_near = (
        np.asarray(limit)[..., None]
        for limit in (limits.mean, limits.lower, limits.upper, limits.lower_near, limits.upper_near)
    )
    above, below = x > mean, x < mean
    outside = (x > upper) | (x < lower)
    shift = _in_run(above, RUN) | _in_run(below, RUN)
    step = np.diff(x, axis=-1)
    rising, falling = _in_trend(step > 0), _in_trend(step < 0)
    near = _two_of_three(above, x > upper_near) | _two_of_three(below, x < lower_near)
    flagged = outside | shift | rising | falling | near
    high = np.where(~outside & (rising | falling), rising, above)
    return SpcSignals(outside, shift, rising | falling, near, _signal(flagged, high, polarity))


def _signal(flagged: Flags, high: Flags, polarity: npt.ArrayLike | None) -> Texts:
    if polarity is None:
        names, first = np.array(["high", "low", ""], dtype=object), high
    else:
        better = np.asarray(higher_is_better(polarity))[..., None]
        names, first = np.array(["improvement", "concern", ""], dtype=object), high == better
    return np.asarray(names[np.where(flagged, np.where(first, 0, 1), 2)], dtype=object)


def _windows(flag: Flags, length: int) -> Flags:
    return sliding_window_view(flag, length, axis=-1)


def _spread(hit: Flags, length: int, size: int) -> Flags:
    """Flag every point of each window of `length` that `hit`."""
    padded = np.zeros((*hit.shape[:-1], size + length - 1), dtype=bool)
    padded[..., length - 1 : length - 1 + hit.shape[-1]] = hit
    return np.asarray(_windows(padded, length).any(axis=-1))


def _in_run(flag: Flags, length: int) -> Flags:
    if flag.shape[-1] < length:
        return np.zeros(flag.shape, dtype=bool)
    return _spread(np.all(_windows(flag, length), axis=-1), length, flag.shape[-1])


def _in_trend(step: Flags) -> Flags:
    """Flag the points of seven or more that each go the same way: six steps."""
    points = np.zeros((*step.shape[:-1], step.shape[-1] + 1), dtype=bool)
    if step.shape[-1] >= RUN - 1:
        points = _spread(np.all(_windows(step, RUN - 1), axis=-1), RUN, step.shape[-1] + 1)
    return points


def _two_of_three(side: Flags, near: Flags) -> Flags:
    """Flag the near points of three neighbours that are all on one side, two or more of them near."""
    if side.shape[-1] < 3:
        return np.zeros(side.shape, dtype=bool)
    hit = np.all(_windows(side, 3), axis=-1) & (np.sum(_windows(near, 3), axis=-1) >= 2)
    return near & _spread(hit, 3, side.shape[-1])
