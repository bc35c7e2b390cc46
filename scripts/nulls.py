"""Panels simulated without any change, and how often the history scale finds one in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bcfstats.errors import ParameterError
from bcfstats.show.validation_page import section
from bcfstats.stats.history import history_scale, log_window_rates

Array = NDArray[np.float64]
SEED = 2014
DAYS = np.array([31.0, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
SMALLEST, LARGEST = 60.0, 5000.0
VOLATILITY_SD = 0.45


@dataclass(frozen=True, slots=True)
class NullKind:
    """How a monthly rate moves by itself."""

    autocorrelation: float
    sd: float
    step: float
    shape: float
    middle: float


KINDS: Mapping[str, NullKind] = MappingProxyType(
    {
        "Poisson": NullKind(0.0, 0.0, 0.0, np.inf, 460),
        "admissions, autocorrelated": NullKind(0.5, 0.03, 0.0, 1000, 2000),
        "admissions, wandering level": NullKind(0.5, 0.03, 0.012, 1000, 2000),
        "delayed days, autocorrelated": NullKind(0.7, 0.22, 0.0, 50, 460),
        "delayed days, wandering level": NullKind(0.7, 0.22, 0.07, 50, 460),
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class NullPanel:
    """Counts (areas by months), days and calendar month of each month, and how volatile each area is."""

    counts: Array
    days: Array
    calendar_month: NDArray[np.intp]
    volatility: Array


def null_panel(
    kind: str, seed: int, *, areas: int = 152, months: int = 45, heterogeneous: bool = False
) -> NullPanel:
    """Simulate a panel without any change of level but the wandering of its kind (one of `KINDS`)."""
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


def simulated_nulls(seed: int = SEED, repeats: int = 40, areas: int = 152) -> pd.DataFrame:
    """Try the history scale on simulated panels without change: shares of areas called significant."""
    rows = []
    for kind in KINDS:
        for heterogeneous in (False, True):
            for history, window in ((36, 9), (24, 6)):
                thirds = [
                    _null_thirds(
                        null_panel(
                            kind,
                            seed + repeat,
                            areas=areas,
                            months=history + window,
                            heterogeneous=heterogeneous,
                        ),
                        history,
                        window,
                    )
                    for repeat in range(repeats)
                ]
                mean = np.mean(thirds, axis=0)
                rows.append(
                    {
                        "kind": kind,
                        "heterogeneous": heterogeneous,
                        "history": history,
                        "window": window,
                        "overall": mean[0],
                        **(
                            dict(zip(("steady", "middle", "volatile"), mean[1:], strict=True))
                            if heterogeneous
                            else {}
                        ),
                    }
                )
    return pd.DataFrame(rows)


def _null_thirds(made: NullPanel, history: int, window: int) -> Array:
    """Share called significant: of all areas, then of the steady, middle and volatile third."""
    known = made.counts[:, :history], made.days[:history], made.calendar_month[:history]
    found = history_scale(*known, window=window)
    rate = log_window_rates(made.counts, np.broadcast_to(made.days, made.counts.shape), window)
    significant = found.p_value(rate[:, history] - rate[:, history - 12]) < 0.05
    thirds = np.array_split(np.argsort(made.volatility, kind="stable"), 3)
    return np.array([significant.mean(), *(significant[third].mean() for third in thirds)])


def nulls_section(nulls: pd.DataFrame, seed: int = SEED) -> str:
    """Write what was found in them as a section of the page of validation."""
    rows = [
        [
            str(row.kind) + (", sizes and volatility differ" if row.heterogeneous else ""),
            f"{row.history} and {row.window} months",
            *(
                "" if np.isnan(share := getattr(row, name)) else f"{100 * share:.1f}"
                for name in ("overall", "steady", "middle", "volatile")
            ),
        ]
        for row in nulls.itertuples()
    ]
    headings = ["panel", "history and window", "all areas", "steady third", "middle third", "volatile third"]
    return section(
        "## Simulated panels in which nothing happens",
        f"Share called significant by the history of all areas, in per cent (nominal 5). Seed {seed}.",
        headings,
        rows,
    )
