"""Panels in which nothing happens, to try methods on: every change they call significant is false."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from bcfstats.errors import ParameterError
from bcfstats.stats.glm import Array

DAYS = np.array([31.0, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
SMALLEST, LARGEST = 60.0, 5000.0
VOLATILITY_SD = 0.45


@dataclass(frozen=True, slots=True)
class Kind:
    """How a monthly rate moves by itself.

    Attributes
    ----------
    autocorrelation, sd : float
        Of the months about the level, on the log scale.
    step : float
        Standard deviation of the level's monthly steps.
    shape : float
        Gamma shape of the extra-Poisson scatter of single months; infinite for none.
    middle : float
        Events in the median area's month.
    """

    autocorrelation: float
    sd: float
    step: float
    shape: float
    middle: float


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "Poisson": Kind(0.0, 0.0, 0.0, np.inf, 460),
        "admissions, autocorrelated": Kind(0.5, 0.03, 0.0, 1000, 2000),
        "admissions, wandering level": Kind(0.5, 0.03, 0.012, 1000, 2000),
        "delayed days, autocorrelated": Kind(0.7, 0.22, 0.0, 50, 460),
        "delayed days, wandering level": Kind(0.7, 0.22, 0.07, 50, 460),
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class NullPanel:
    """Counts (areas by months), days and calendar month of each month, and how volatile each area is."""

    counts: Array
    days: Array
    calendar_month: npt.NDArray[np.intp]
    volatility: Array


def null_panel(
    kind: str, seed: int, *, areas: int = 152, months: int = 45, heterogeneous: bool = False
) -> NullPanel:
    """Simulate a panel without any change of level but the wandering of its kind.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    seed : int
        Same seed, same panel.
    areas, months : int
        Size.
    heterogeneous : bool
        Sizes of 60 to 5,000 a month instead of near the kind's own, and standard deviations of everything
        beyond Poisson multiplied by a log-normal factor of its own for each area (0.45 on the log scale).

    Returns
    -------
    NullPanel

    Raises
    ------
    ParameterError
        If the kind is not known.

    Notes
    -----
    Sizes, scatter, autocorrelation and wander are near those of the published delayed days to March 2015
    (median month 460 days, relative residual SD 0.30, lag-1 autocorrelation 0.55, SD of the nine-month yearly
    change 0.30) and of non-elective admissions by commissioner to December 2016 (2,000; 0.05; 0.4; 0.06).

    Examples
    --------
    >>> null_panel("Poisson", 1, areas=3, months=24).counts.shape
    (3, 24)
    """
    if kind not in KINDS:
        raise ParameterError(
            "There is no such kind of panel.", found=kind, do=f"Use one of {', '.join(KINDS)}."
        )
    how, rng = KINDS[kind], np.random.default_rng(seed)
    if heterogeneous:
        size = np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST), (areas, 1)))
        volatility = np.exp(VOLATILITY_SD * rng.normal(size=(areas, 1)))
    else:
        size = np.maximum(how.middle * np.exp(0.6 * rng.normal(size=(areas, 1))), 100)
        volatility = np.ones((areas, 1))
    wander = np.cumsum(rng.normal(size=(areas, months)), axis=1)
    level = how.sd * _autoregressive(rng, areas, months, how.autocorrelation) + how.step * wander
    month = np.arange(months) % 12 + 1
    days = DAYS[month - 1]
    mean = size * np.exp(volatility * level) * days / DAYS.mean()
    if np.isfinite(how.shape):
        shape = how.shape / volatility**2
        mean = mean * rng.gamma(shape, 1 / shape, (areas, months))
    return NullPanel(rng.poisson(mean).astype(float), days, month, volatility[:, 0])


def _autoregressive(rng: np.random.Generator, areas: int, months: int, rho: float) -> Array:
    noise = rng.normal(size=(areas, months))
    for k in range(1, months):
        noise[:, k] = rho * noise[:, k - 1] + np.sqrt(1 - rho**2) * noise[:, k]
    return noise
