"""How much rates usually wander from year to year: figures shipped for panels too small to show it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bcfstats.errors import ParameterError

_FILE = Path(__file__).with_name("priors.toml")


@dataclass(frozen=True, slots=True)
class MonthlyPrior:
    """Scale of like-for-like log changes over some months.

    Attributes
    ----------
    name, title, source : str
        Metric, what was measured and where it comes from.
    window : int
        Months of the windows compared.
    scale : float
        Moderated standard deviation of the log change.
    df : float
        How many changes of an area's own it weighs as much as.
    drift : float
        Usual national log change a year.
    """

    name: str
    title: str
    source: str
    window: int
    scale: float
    df: float
    drift: float


@dataclass(frozen=True, slots=True)
class AnnualPrior:
    """Standard deviation of the true change between two years; `unit` is "log" for ratios."""

    name: str
    title: str
    source: str
    tau: float
    unit: str


def monthly_prior(name: str, window: int, lag: int = 12) -> MonthlyPrior | None:
    """Return the shipped scale for a monthly metric, or None where none is shipped.

    Parameters
    ----------
    name : str
        Metric id.
    window : int
        Months in each window; between the windows measured (6, 9, 12) the scale is interpolated, beyond them
        the nearest is taken.
    lag : int
        12 or 24 months between the windows.

    Raises
    ------
    ParameterError
        If the lag is neither.

    Examples
    --------
    >>> monthly_prior("delayed_transfers", 9).scale
    0.33
    >>> monthly_prior("reablement", 9) is None
    True
    """
    if lag not in (12, 24):
        raise ParameterError("The lag must be 12 or 24 months.", found=str(lag))
    table = _tables().get(name, {})
    if "windows" not in table:
        return None
    known = {int(months): values for months, values in table["windows"].items()}
    ratio = 1.0 if lag == 12 else float(table["lag24_ratio"])
    scale = _between(known, window, "prior_sd") * ratio
    return MonthlyPrior(
        name,
        table["title"],
        table["source"],
        window,
        scale,
        _between(known, window, "prior_df"),
        table["drift"],
    )


def annual_prior(name: str) -> AnnualPrior | None:
    """Return the shipped between-year standard deviation of an annual metric, or None.

    Examples
    --------
    >>> annual_prior("reablement").tau
    5.2
    """
    table = _tables().get(name, {})
    if "tau" not in table:
        return None
    return AnnualPrior(name, table["title"], table["source"], float(table["tau"]), table["scale"])


def _between(known: dict[int, dict[str, float]], window: int, key: str) -> float:
    below = max((m for m in known if m <= window), default=min(known))
    above = min((m for m in known if m >= window), default=max(known))
    if below == above:
        return float(known[below][key])
    share = (window - below) / (above - below)
    return float((1 - share) * known[below][key] + share * known[above][key])


@cache
def _tables() -> dict[str, dict[str, Any]]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))
