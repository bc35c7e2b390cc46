"""Confidence limits in closed form: Wilson for proportions, exact and Byar for counts."""

from __future__ import annotations

import numpy as np
from scipy import special

from bcfstats.stats.rows import Floats, check_level, critical_value

EXACT_BELOW = 10


def wilson_limits(numerator: Floats, denominator: Floats, z: Floats | float) -> tuple[Floats, Floats]:
    """Wilson's score limits of a proportion; `z` may be one number or one a row.

    Wilson (1927) JASA 22:209-212, doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> import numpy as np
    >>> lower, upper = wilson_limits(np.array([81.0]), np.array([263.0]), 1.959963984540054)
    >>> lower.round(4), upper.round(4)  # Newcombe (1998) Statistics in Medicine 17:857, table I
    (array([0.2553]), array([0.3662]))
    """
    square = z * z
    middle = 2 * numerator + square
    spread = z * np.sqrt(square + 4 * numerator * (1 - numerator / denominator))
    scale = 0.5 / (denominator + square)
    lower = np.where(numerator == 0, 0.0, np.maximum((middle - spread) * scale, 0.0))
    upper = np.where(numerator == denominator, 1.0, np.minimum((middle + spread) * scale, 1.0))
    return lower, upper


def poisson_limits(count: Floats, confidence_level: float) -> tuple[Floats, Floats]:
    """Limits of a Poisson mean: exact below 10 events, Byar's approximation from 10.

    Examples
    --------
    >>> import numpy as np
    >>> lower, upper = poisson_limits(np.array([0.0, 12.0]), 0.95)
    >>> lower.round(5), upper.round(5)
    (array([0.     , 6.19351]), array([ 3.68888, 20.96286]))
    """
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
    """Exact limits of a Poisson mean from the chi-squared distribution; the lower limit of 0 is 0.

    Garwood (1936) Biometrika 28:437-442, doi:10.1093/biomet/28.3-4.437.
    """
    tail = (1 - check_level(confidence_level)) / 2
    lower = np.where(count > 0, special.gammaincinv(np.where(count > 0, count, 1.0), tail), 0.0)
    return lower, np.asarray(special.gammainccinv(count + 1, tail))


def byar_limits(count: Floats, z: float) -> tuple[Floats, Floats]:
    """Byar's approximation to the exact limits of a Poisson mean, for counts of 10 or more.

    Breslow and Day (1987) Statistical Methods in Cancer Research II, IARC, page 69.
    """
    return count * _cube(_byar_factor(count, -z)), (count + 1) * _cube(_byar_factor(count + 1, z))


def _byar_factor(count: Floats, z: float) -> Floats:
    return np.maximum(1 - 1 / (9 * count) + z / (3 * np.sqrt(count)), 0.0)


def _cube(value: Floats) -> Floats:
    return value * value * value
