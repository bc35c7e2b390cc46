"""Other forecasts of the same part-year total, behind one interface, to hold ours against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from bcfstats.errors import ParameterError
from bcfstats.stats.glm import Array, divide, fit_panel
from bcfstats.stats.level import Panel

Challenger = Callable[[Panel, int, int, Array], Array]


def same_months_last_year(panel: Panel, first: int, last: int, ahead: Array) -> Array:
    """Forecast every month at the daily rate of the same month in the last twelve.

    Parameters
    ----------
    panel : Panel
        The history.
    first, last : int
        Window, in months from the end of the history.
    ahead : ndarray, shape (areas, window)
        Exposure of the window.

    Returns
    -------
    ndarray, shape (areas,)
        Total over the window; NaN where a month is missing.
    """
    at = panel.month.size - 12 + (np.arange(first, last + 1) - 1) % 12
    if panel.month.size < 12:
        return np.full(len(panel.counts), np.nan)
    return np.asarray((ahead * divide(panel.counts[:, at], panel.exposure[:, at])).sum(axis=1))


def trend_and_months(panel: Panel, first: int, last: int, ahead: Array) -> Array:
    """Extrapolate the quasi-Poisson model's trend and month effects; arguments as `same_months_last_year`."""
    model = fit_panel(panel.counts, panel.exposure, panel.month)
    month = panel.month - 1
    log_rate = np.log(divide(model.fitted, panel.exposure)) - model.month_effects[:, month]
    time = np.arange(panel.month.size) / 12
    level = divide(
        np.where(np.isfinite(log_rate), log_rate - model.slope[:, None] * time, 0.0).sum(axis=1),
        np.isfinite(log_rate).sum(axis=1),
    )
    steps = np.arange(first, last + 1)
    then = (panel.month.size - 1 + steps) / 12
    months = (panel.month[-1:].sum() - 1 + steps) % 12
    rate = np.exp(level[:, None] + model.slope[:, None] * then + model.month_effects[:, months])
    return np.asarray((ahead * rate).sum(axis=1))


def auto_ets(panel: Panel, first: int, last: int, ahead: Array) -> Array:
    """Exponential smoothing chosen for every area by `statsforecast`, on the log daily rate.

    Needs the optional extra `forecast`; arguments as `same_months_last_year`.
    """
    return _statsforecast("AutoETS", panel, first, last, ahead)


def auto_theta(panel: Panel, first: int, last: int, ahead: Array) -> Array:
    """Theta method chosen for every area by `statsforecast`, on the log daily rate; as `auto_ets`."""
    return _statsforecast("AutoTheta", panel, first, last, ahead)


def _statsforecast(name: str, panel: Panel, first: int, last: int, ahead: Array) -> Array:
    """Fit one model to each complete series: the library has no other way."""
    model = _model(name)
    rate = np.log(divide(panel.counts + 0.5, panel.exposure))
    whole = np.isfinite(rate).all(axis=1)
    paths = np.full((len(rate), last - first + 1), np.nan)
    for i in np.flatnonzero(whole):
        paths[i] = np.exp(model.forecast(rate[i], h=last)["mean"][first - 1 :])
    return np.asarray((ahead * paths).sum(axis=1))


def _model(name: str) -> Any:
    try:
        from statsforecast import models
    except ImportError:
        raise ParameterError(
            f"{name} needs the package statsforecast, which is not installed.",
            do="Install the extra: pip install 'bcfstats[forecast]', or leave the challenger out.",
        ) from None
    return getattr(models, name)(season_length=12)


CHALLENGERS: Mapping[str, Challenger] = MappingProxyType(
    {"same months last year": same_months_last_year, "trend and months (GLM)": trend_and_months}
)
OPTIONAL_CHALLENGERS: Mapping[str, Challenger] = MappingProxyType(
    {"AutoETS": auto_ets, "AutoTheta": auto_theta}
)
