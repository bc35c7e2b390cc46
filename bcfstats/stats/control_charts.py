"""XmR charts: process limits from moving ranges, and the Making Data Count rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy import special

from bcfstats.errors import ParameterError
from bcfstats.stats.estimates import Estimate, estimate
from bcfstats.stats.rows import (
    CHART_CONFIDENCE,
    Flags,
    Floats,
    Level,
    Texts,
    above_zero,
    as_numbers,
    as_rows,
    blanked,
    check_choice,
    check_flag,
    check_level,
    check_multiplier,
    check_number,
    check_whole,
    check_within,
    critical_value,
    higher_is_better,
    masked_median,
    named,
    negative,
    not_a_number,
    reasons,
    unwrap,
)
from bcfstats.stats.tolerance import constant, largest, settled


def funnel_limits(
    denominator: npt.ArrayLike,
    average: npt.ArrayLike,
    *,
    kind: Literal["proportion", "rate"],
    between_area_variance: npt.ArrayLike | None = None,
    confidence_level: Level = CHART_CONFIDENCE,
    multiplier: float = 1,
) -> Estimate:
    """Limits within which areas of each size vary by chance around the average."""
    check_choice("kind", kind, ("proportion", "rate"))
    multiplier = check_multiplier(multiplier)
    n, centre, tau2 = as_rows(
        denominator=denominator,
        average=average,
        between_area_variance=0.0 if between_area_variance is None else between_area_variance,
    )
    centre = centre / multiplier
    most = 1.0 if kind == "proportion" else np.inf
    reason = reasons(
        n.shape,
        *above_zero("denominator", n),
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
    return estimate(centre * multiplier, limits, confidence_level, named(name, reason), reason)


def _exact_rate_limits(n: Floats, centre: Floats, level: float) -> tuple[Floats, Floats]:
    """Return the rates whose exact Poisson limit is the average: counts need not be whole."""
    tail, expected = (1 - check_level(level)) / 2, n * centre
    low = special.gdtrib(1.0, 1 - tail, expected) - 1
    return low / n, special.gdtrib(1.0, tail, expected) / n


RANGES_TO_LIMIT = 2.66
SIGMAS = 3.0
RANGES_TO_SCREEN = 3.267
NEAR = 2 / 3
RUN = 7
TRIAL_BELOW = 13


@dataclass(frozen=True, slots=True, eq=False)
class XmrLimits:
    """Centre line and process limits, one a series."""

    mean: Floats  # centre line: the mean, or the median if that was asked for
    lower: Floats  # process limits; NaN where there are none
    upper: Floats
    lower_near: Floats  # two thirds of the way to the limits: beyond is "close to the limit"
    upper_near: Floats
    moving_range: Floats  # average moving range used
    points: npt.NDArray[np.intp]  # values the limits rest on
    trial: Flags  # fewer than 13 points: limits that will still move
    reason: Texts  # why there are no limits; empty where there are
    # where the points begin that each set of limits is for: one value a point along the last axis if the
    # limits were rebased, else empty
    starts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SpcSignals:
    """Which points the rules flag, shape of the values."""

    outside: Flags  # outside a process limit
    shift: Flags  # in a run of seven or more (or as many as were asked for) on one side of the centre line
    trend: Flags  # in as many that each rise, or each fall
    # one of two in three consecutive points beyond two thirds of the way to the same limit, all three on that
    # side of the centre line
    near_limit: Flags
    # "improvement" or "concern" by polarity, "high" or "low" without one, empty where nothing is flagged. A
    # point inside the limits that is part of a trend goes by the trend's direction, any other by its side of
    # the centre line
    signal: Texts


def xmr_limits(
    values: npt.ArrayLike,
    *,
    within: tuple[float, float] = (-np.inf, np.inf),
    screen: bool = False,
    centre: Literal["mean", "median"] = "mean",
    sigma: float | None = SIGMAS,
    baseline: int | None = None,
    rebase: Sequence[int] = (),
) -> XmrLimits:
    """Centre line and process limits of a series from its average moving range.

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
    centre : "mean" or "median"
        The centre line. With the median it is that of a run chart, and one odd point does not move it.
    sigma : float or None
        Where the limits stand: 3 for the usual 2.66 average moving ranges; None for a centre line without
        limits, which with the median is a run chart.
    baseline : int, optional
        Freeze the limits: only so many first points (of the series, or of each stretch) set them.
    rebase : sequence of int
        Positions of the points, counted from 0, at which new limits begin, such as the month a service
        changed. Centre line and limits then have one value a point.

    Returns
    -------
    XmrLimits
        No limits, with the reason, for fewer than two neighbouring values or a series that never varies.

    Raises
    ------
    ParameterError
        If an input is text or an option is not understood.

    Notes
    -----
    Centre -+ 2.66 average moving range (Shewhart; Wheeler 1993, Understanding Variation; NHS England, Making
    Data Count). A range is taken only between neighbours that are both there. Not for seasonal or
    autocorrelated series, whose points flag themselves, nor to test a target. Rebase at a known change of the
    service, never because points are flagged.

    Examples
    --------
    >>> limits = xmr_limits([10, 12, 11, 13, 12, 10])
    >>> f"{limits.mean:.2f} ({limits.lower:.2f} to {limits.upper:.2f}), trial: {limits.trial}"
    '11.33 (7.08 to 15.59), trial: True'
    """
    x = np.atleast_1d(as_numbers("values", values))
    screen = check_flag("screen", screen)
    check_choice("centre", centre, ("mean", "median"))
    ends, width = check_within(within), np.nan
    if sigma is not None:
        width = RANGES_TO_LIMIT * check_number("sigma", sigma, 0, np.inf, "Use 3.") / SIGMAS
    first = x.shape[-1] if baseline is None else check_whole("baseline", baseline)
    starts = _starts(rebase, x.shape[-1])
    bounds = list(pairwise((*starts, x.shape[-1])))
    stretches = [_limits(x[..., a:b][..., :first], ends, screen, centre, width) for a, b in bounds]
    if len(stretches) == 1:
        return stretches[0]

    def each_point(name: str) -> Any:
        columns = [np.asarray(getattr(limits, name))[..., None] for limits in stretches]
        return np.concatenate(
            [part.repeat(b - a, -1) for part, (a, b) in zip(columns, bounds, strict=True)], -1
        )

    return XmrLimits(**{name: each_point(name) for name in _PER_SERIES}, starts=starts)


_PER_SERIES = (
    *("mean", "lower", "upper", "lower_near", "upper_near"),
    *("moving_range", "points", "trial", "reason"),
)


def _starts(rebase: object, points: int) -> tuple[int, ...]:
    """Return where each set of limits begins, from the first point on."""
    given = list(rebase) if isinstance(rebase, Iterable) else [rebase]
    starts = (0, *(check_whole("position to rebase at", at) for at in given))
    if given and any(after <= before for before, after in pairwise((*starts, points))):
        raise ParameterError(
            "The positions to rebase at are not in order within the series.",
            found=f"{starts[1:]} for {points} points",
            do="Count points from 0.",
        )
    return starts


def _limits(x: Floats, within: tuple[float, float], screen: bool, centre: str, width: float) -> XmrLimits:
    """Limits of one stretch of every series."""
    there = np.isfinite(x)
    x = np.where(there, x, np.nan)
    points = there.sum(axis=-1)
    if centre == "median":
        mean = masked_median(x, there)
    else:
        mean = np.where(there, x, 0.0).sum(axis=-1) / np.where(points > 0, points, np.nan)
    size = largest(x)
    ranges = np.abs(settled(np.diff(x, axis=-1), size))
    average, limited = _average_moving_range(ranges, screen), bool(np.isfinite(width))
    reason = reasons(
        mean.shape,
        ("no values", (points == 0) & (not limited)),
        ("fewer than two neighbouring values", limited & np.isnan(average)),
        ("every value is the same: no variation to set limits by", limited & constant(x)),
        ("no neighbouring values differ: no moving range to set limits by", limited & (average == 0)),
    )
    spread = np.where(reason == "", width * average, np.nan)
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
    values: npt.ArrayLike, limits: XmrLimits, *, polarity: npt.ArrayLike | None = None, run: int = RUN
) -> SpcSignals:
    """Points that the Making Data Count rules flag as special cause.

    It answers: has the process changed, and for the better or the worse?

    Parameters
    ----------
    values : array_like
        In order of time along the last axis; NaN where a value is missing.
    limits : XmrLimits
        From these values, or from a baseline's. A centre line without limits leaves the rules of a run chart:
        shift and trend.
    polarity : "lower", "higher" or array of them (one a series), optional
        Which way is better.
    run : int
        Points in a row that make a shift or a trend.

    Returns
    -------
    SpcSignals
        A missing value is never flagged and breaks every run, and so does a new set of limits. A point on the
        centre line breaks a run of one side, a tie a trend. Nothing is flagged where there are no limits.

    Raises
    ------
    ParameterError
        If an input is text or the polarity is not understood.

    Notes
    -----
    NHS England, Making Data Count: outside the limits; seven on one side; seven rising or falling; two of
    three close to a limit, points beyond the limit counted. Values closer to a line than rounding are on it.
    On a steady series of independent points some rule flags within nine months in about 6 to 8 % of series,
    on real ones far more often: no proof that a programme worked.

    Examples
    --------
    >>> values = [10, 12, 11, 13, 12, 10, 11, 12, 10, 11, 13, 11, 18]
    >>> found = spc_signals(values, xmr_limits(values[:12]), polarity="lower")
    >>> found.signal[-1], bool(found.outside[-1])
    ('concern', True)
    """
    x = np.atleast_1d(as_numbers("values", values))
    run = check_whole("run", run, 2)
    if not isinstance(limits, XmrLimits):
        raise ParameterError("The limits are not those of `xmr_limits`.", found=f"{limits!r:.80}")
    if limits.starts:
        bounds = list(pairwise((*limits.starts, x.shape[-1])))
        stretches = [_flags(x[..., a:b], _stretch(limits, a), run) for a, b in bounds]
        flags = [np.concatenate(part, axis=-1) for part in zip(*stretches, strict=True)]
    else:
        flags = list(_flags(x, limits, run))
    outside, shift, rising, falling, near, above = flags
    flagged = outside | shift | rising | falling | near
    high = np.where(~outside & (rising | falling), rising, above)
    return SpcSignals(outside, shift, rising | falling, near, _signal(flagged, high, polarity))


def _stretch(limits: XmrLimits, start: int) -> XmrLimits:
    """One set of limits out of several."""
    columns: dict[str, Any] = {name: np.asarray(getattr(limits, name))[..., start] for name in _PER_SERIES}
    return XmrLimits(**columns)


def _flags(x: Floats, limits: XmrLimits, run: int) -> tuple[Flags, ...]:
    """Outside, shift, rising, falling and near the limit; and which points are above the centre line."""
    known = np.isfinite(x) & np.asarray(limits.reason == "")[..., None]
    x = np.where(known, x, np.nan)
    mean, lower, upper, lower_near, upper_near = (
        np.asarray(limit)[..., None]
        for limit in (limits.mean, limits.lower, limits.upper, limits.lower_near, limits.upper_near)
    )
    size = np.fmax(largest(x), np.abs(mean))
    over, under, beyond_upper, beyond_lower, close_upper, close_lower = (
        settled(distance, size) > 0
        for distance in (x - mean, mean - x, x - upper, lower - x, x - upper_near, lower_near - x)
    )
    step = settled(np.diff(x, axis=-1), size)
    return (
        beyond_upper | beyond_lower,
        _in_run(over, run) | _in_run(under, run),
        _in_trend(step > 0, run),
        _in_trend(step < 0, run),
        _two_of_three(over, close_upper) | _two_of_three(under, close_lower),
        over,
    )


def _signal(flagged: Flags, high: Flags, polarity: npt.ArrayLike | None) -> Texts:
    if polarity is None:
        names, first = np.array(["high", "low", ""], dtype=object), high
    else:
        better = higher_is_better(polarity, flagged.shape[:-1])[..., None]
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


def _in_trend(step: Flags, run: int) -> Flags:
    """Flag the points of a run or more that each go the same way: a step less than points."""
    points = np.zeros((*step.shape[:-1], step.shape[-1] + 1), dtype=bool)
    if step.shape[-1] >= run - 1:
        points = _spread(np.all(_windows(step, run - 1), axis=-1), run, step.shape[-1] + 1)
    return points


def _two_of_three(side: Flags, near: Flags) -> Flags:
    """Flag the near points of three neighbours that are all on one side, two or more of them near."""
    if side.shape[-1] < 3:
        return np.zeros(side.shape, dtype=bool)
    hit = np.all(_windows(side, 3), axis=-1) & (np.sum(_windows(near, 3), axis=-1) >= 2)
    return near & _spread(hit, 3, side.shape[-1])
