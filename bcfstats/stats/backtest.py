"""How good the do-nothing forecast would have been: every origin inside a panel, against the challengers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from bcfstats.errors import ParameterError
from bcfstats.stats.forecast import METHOD, Forecast, check_window, forecast_from, lag_of
from bcfstats.stats.history import SMALL_MEDIAN, check_panel, like_for_like_changes
from bcfstats.stats.level import Grid, MonthlyCounts, Rolled, roll
from bcfstats.stats.monthly_model import Array, as_months, divide, fit_panel
from bcfstats.stats.rows import CONFIDENCE, FORECAST_CONFIDENCE, MINIMUM_AREAS, check_flag, check_whole

Challenger = Callable[[MonthlyCounts, int, int, Array], Array]


def same_months_last_year(panel: MonthlyCounts, first: int, last: int, ahead: Array) -> Array:
    """Forecast every month at the daily rate of the same month in the last twelve; NaN without it."""
    at = panel.month.size - 12 + (np.arange(first, last + 1) - 1) % 12
    if panel.month.size < 12:
        return np.full(len(panel.counts), np.nan)
    return np.asarray((ahead * divide(panel.counts[:, at], panel.exposure[:, at])).sum(axis=1))


def trend_and_months(panel: MonthlyCounts, first: int, last: int, ahead: Array) -> Array:
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


def auto_ets(panel: MonthlyCounts, first: int, last: int, ahead: Array) -> Array:
    """Exponential smoothing chosen for every area by `statsforecast`, on the log daily rate."""
    return _statsforecast("AutoETS", panel, first, last, ahead)


def auto_theta(panel: MonthlyCounts, first: int, last: int, ahead: Array) -> Array:
    """Theta method chosen for every area by `statsforecast`, on the log daily rate; as `auto_ets`."""
    return _statsforecast("AutoTheta", panel, first, last, ahead)


def _statsforecast(name: str, panel: MonthlyCounts, first: int, last: int, ahead: Array) -> Array:
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
            do="Install it with: pip install statsforecast, or leave the challenger out.",
        ) from None
    return getattr(models, name)(season_length=12)


CHALLENGERS: Mapping[str, Challenger] = MappingProxyType(
    {"same months last year": same_months_last_year, "trend and months (GLM)": trend_and_months}
)
OPTIONAL_CHALLENGERS: Mapping[str, Challenger] = MappingProxyType(
    {"AutoETS": auto_ets, "AutoTheta": auto_theta}
)


LEVELS = (FORECAST_CONFIDENCE, CONFIDENCE)
FALLS = (0.025, 0.05, 0.10, 0.20, 0.30)
CLIMATOLOGY, LAST_YEAR = "past changes of all areas", "same months last year"
SCORED = (METHOD, CLIMATOLOGY, LAST_YEAR)
_NORMAL = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class Backtest:
    """Forecast errors at every origin."""

    origins: npt.NDArray[np.intp]  # months of history at each
    n_areas: npt.NDArray[np.intp]  # areas scored at each
    # mean absolute error of the window's rate over the mean absolute change of the area's monthly rate on the
    # year before, by method; mean over areas
    mase: dict[str, Array]
    coverage: dict[float, Array]  # share of areas inside the interval of that level
    # continuous ranked probability score of the log total, mean over areas: of the forecast, of all past
    # like-for-like changes (`CLIMATOLOGY`), and of no change with their spread (`LAST_YEAR`)
    crps: dict[str, Array]
    # chance given to the total being at least 2.5, 5, 10, 20 and 30 % below the same months before, and
    # whether it was: for a reliability diagram. The predictions are not independent
    predicted: Array
    happened: npt.NDArray[np.bool_]
    given_england: Array  # the same chance once England's own movement is known
    usual: Array  # the share of past changes that were such falls
    at: npt.NDArray[np.intp]  # which origin each prediction is of
    third: npt.NDArray[np.intp]  # and which third of areas by size: 0 small, 2 large

    def reliability(self, bins: int = 10) -> tuple[Array, Array, npt.NDArray[np.intp]]:
        """Mean chance given, share that happened, and number of predictions, in bins of equal width."""
        return reliability(self.predicted, self.happened, bins)

    def brier(self, chance: Array, origins: npt.NDArray[np.bool_] | None = None) -> float:
        """Mean squared distance of a chance from what happened, over all origins or some of them."""
        kept = np.ones(chance.size, dtype=bool) if origins is None else origins[self.at]
        miss = (chance - self.happened)[kept]
        return float((miss**2).mean()) if miss.size else float("nan")


def reliability(
    chance: Array, happened: npt.NDArray[np.bool_], bins: int = 10
) -> tuple[Array, Array, npt.NDArray[np.intp]]:
    """Mean chance given, share that happened, and number of predictions, in bins of equal width."""
    at = np.clip((chance * bins).astype(int), 0, bins - 1)
    n = np.bincount(at, minlength=bins)
    return (
        divide(np.bincount(at, weights=chance, minlength=bins), n),
        divide(np.bincount(at, weights=happened.astype(float), minlength=bins), n),
        n,
    )


def backtest(
    counts: npt.ArrayLike,
    exposure: npt.ArrayLike,
    calendar_month: npt.ArrayLike,
    *,
    first: int,
    last: int,
    minimum_history: int = 24,
    challengers: Mapping[str, Challenger] = CHALLENGERS,
    tune: bool = True,
    minimum_areas: int = MINIMUM_AREAS,
    small_median: float = SMALL_MEDIAN,
) -> Backtest:
    """Forecast from every origin with what was known then, and score the forecasts.

    It answers: would this forecast have been right, and would a simpler one have done as well?

    Parameters
    ----------
    counts, exposure, calendar_month : array
        As `do_nothing_forecast`.
    first, last : int
        Window, in months from the end of the history.
    minimum_history : int
        Months of history at the first origin.
    challengers : mapping of str to function
        Other forecasts (`challengers.CHALLENGERS`).
    tune, minimum_areas, small_median
        As `do_nothing_forecast`.

    Returns
    -------
    Backtest
        Areas with all months of history and window and no small counts are scored.

    Raises
    ------
    InputError
        If shapes disagree or a count is negative.
    ParameterError
        If the window is not one to come.

    Notes
    -----
    Rolling origin; smoothing, drift and scale at each origin are chosen on earlier origins alone. MASE after
    Hyndman and Koehler 2006 (doi:10.1016/j.ijforecast.2006.03.001).

    Examples
    --------
    >>> import numpy as np
    >>> counts = np.random.default_rng(1).poisson(900, (30, 48))
    >>> found = backtest(counts, np.ones(48), np.tile(np.arange(1, 13), 4), first=1, last=6)
    >>> len(found.origins), sorted(found.mase)
    (19, ['panel seasonal level', 'same months last year', 'trend and months (GLM)'])
    """
    check_window(first, last)
    tune = check_flag("tune", tune)
    minimum_history = check_whole("minimum history", minimum_history)
    minimum_areas, small_median = check_panel(minimum_areas, small_median)
    if not isinstance(challengers, Mapping) or not all(callable(made) for made in challengers.values()):
        raise ParameterError("The challengers are not functions by name.", found=f"{challengers!r:.80}")
    panel = MonthlyCounts(*as_months(counts, exposure, calendar_month))
    grid = Grid() if tune else Grid(Grid().alphas[1:2], Grid().shares[2:])
    rolled = roll(panel, first, last, grid)
    origins = np.arange(minimum_history, panel.month.size - last + 1)
    scores = [
        _score(panel, rolled, int(origin), first, last, challengers, minimum_areas, small_median)
        for origin in origins
    ]
    names = [METHOD, *challengers]
    chances = [score.chances for score in scores]
    return Backtest(
        origins=origins,
        n_areas=np.array([score.n for score in scores], dtype=np.intp),
        mase={name: np.array([score.mase[name] for score in scores]) for name in names},
        coverage={level: np.array([score.coverage[level] for score in scores]) for level in LEVELS},
        crps={name: np.array([score.crps[name] for score in scores]) for name in SCORED},
        predicted=_joined([one.given for one in chances], float),
        happened=_joined([one.happened for one in chances], bool),
        given_england=_joined([one.given_england for one in chances], float),
        usual=_joined([one.usual for one in chances], float),
        at=_joined([np.full(one.given.size, i) for i, one in enumerate(chances)], np.intp),
        third=_joined([one.third for one in chances], np.intp),
    )


def _joined(arrays: list[npt.NDArray[Any]], kind: Any) -> npt.NDArray[Any]:
    return np.concatenate(arrays).astype(kind) if arrays else np.empty(0, dtype=kind)


@dataclass(frozen=True, slots=True, eq=False)
class _Chances:
    """Chances of falls at one origin, one prediction an area and fall."""

    given: Array
    happened: npt.NDArray[np.bool_]
    given_england: Array
    usual: Array
    third: npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class _Score:
    n: int
    mase: dict[str, float]
    coverage: dict[float, float]
    crps: dict[str, float]
    chances: _Chances


def _score(
    panel: MonthlyCounts,
    rolled: Rolled,
    origin: int,
    first: int,
    last: int,
    challengers: Mapping[str, Challenger],
    minimum_areas: int,
    small_median: float,
) -> _Score:
    known, target = panel.before(origin), slice(origin + first - 1, origin + last)
    ahead, actual = panel.exposure[:, target], panel.counts[:, target].sum(axis=1)
    forecast = forecast_from(
        known,
        rolled.until(origin, last),
        first,
        last,
        ahead,
        minimum_areas=minimum_areas,
        small_median=small_median,
    )
    scored = (panel.exposure[:, : origin + last] > 0).all(axis=1) & ~forecast.small
    scored &= np.isfinite(forecast.value) & np.isfinite(forecast.log_scale)
    usual = _seasonal_naive_error(known)
    values = {METHOD: forecast.value, **{k: f(known, first, last, ahead) for k, f in challengers.items()}}
    length = ahead.sum(axis=1)
    error = {name: divide(np.abs(value - actual), length * usual)[scored] for name, value in values.items()}
    before = _before(known, first, last, length)
    changes = like_for_like_changes(known.counts, known.exposure, last - first + 1, lag_of(last))
    past = np.sort(changes[scored][np.isfinite(changes[scored])])
    return _Score(
        int(scored.sum()),
        {
            name: float(e[np.isfinite(e)].mean()) if np.isfinite(e).any() else np.nan
            for name, e in error.items()
        },
        {level: _covered(forecast, actual, level, scored) for level in LEVELS},
        _ranked(forecast, past, before, actual, scored),
        _falls(forecast, past, before, actual, scored),
    )


def _seasonal_naive_error(known: MonthlyCounts) -> Array:
    rate = divide(known.counts, known.exposure)
    change = np.abs(rate[:, 12:] - rate[:, :-12])
    return divide(np.where(np.isfinite(change), change, 0.0).sum(axis=1), np.isfinite(change).sum(axis=1))


def _covered(forecast: Forecast, actual: Array, level: float, scored: npt.NDArray[np.bool_]) -> float:
    inside = ~forecast.excludes(actual, level)[scored]
    return float(inside.mean()) if inside.size else float("nan")


def _before(known: MonthlyCounts, first: int, last: int, length: Array) -> Array:
    """Total of the window at the daily rate of the same months before; NaN where they are not known."""
    same = known.month.size + np.arange(first, last + 1) - 1 - lag_of(last)
    if same[0] < 0:
        return np.full(len(known.counts), np.nan)
    return divide(known.counts[:, same].sum(axis=1), known.exposure[:, same].sum(axis=1)) * length


def _falls(
    forecast: Forecast, past: Array, before: Array, actual: Array, scored: npt.NDArray[np.bool_]
) -> _Chances:
    """Chances of the falls of `FALLS`, area by area, and whether they happened."""
    kept = np.flatnonzero(scored & np.isfinite(before))
    ratio = actual[kept].sum() / forecast.value[kept].sum() if kept.size else 1.0
    known = replace(
        forecast, value=forecast.value * ratio, log_scale=forecast.area_scale, df=forecast.area_df
    )
    falls = np.array(FALLS)[:, None]
    lines = before * (1 - falls)
    chance, given_england = (
        np.stack([one.probability_at_most(line)[kept] for line in lines]) for one in (forecast, known)
    )
    usual = np.searchsorted(past, np.log1p(-falls), side="right") / max(past.size, 1)
    third = np.argsort(np.argsort(before[kept], kind="stable")) * 3 // max(kept.size, 1)
    shape = chance.shape
    return _Chances(
        chance.ravel(),
        (actual[kept] <= lines[:, kept]).ravel(),
        given_england.ravel(),
        np.broadcast_to(usual, shape).ravel(),
        np.broadcast_to(third, shape).ravel(),
    )


def _ranked(
    forecast: Forecast, past: Array, before: Array, actual: Array, scored: npt.NDArray[np.bool_]
) -> dict[str, float]:
    """Continuous ranked probability score of the log total, by method."""
    kept = scored & np.isfinite(before) & (before > 0) & (actual > 0)
    if not kept.any() or past.size < 2:
        return dict.fromkeys(SCORED, float("nan"))
    change = np.log(actual[kept] / before[kept])
    spread = np.sqrt((past**2).mean())
    z = np.log(actual[kept] / forecast.value[kept]) / forecast.log_scale[kept]
    ours = forecast.log_scale[kept] * _student_crps(z, forecast.df[kept])
    grid = np.quantile(past, (np.arange(99) + 1) / 100)
    away = change[:, None] - grid
    level = (np.arange(99) + 1) / 100
    pinball = 2 * np.where(away >= 0, level * away, (level - 1) * away).mean(axis=1)
    naive = spread * _student_crps(change / spread, np.full(change.shape, _NORMAL))
    return {METHOD: float(ours.mean()), CLIMATOLOGY: float(pinball.mean()), LAST_YEAR: float(naive.mean())}


def _student_crps(z: Array, df: Array) -> Array:
    """Score of Student's t at z standard units (Jordan, Krueger, Lerch 2019, doi:10.18637/jss.v090.i12)."""
    df = np.clip(df, 1.01, _NORMAL)
    tails = np.exp(-(df + 1) / 2 * np.log1p(z * z / df))
    density = special.poch(df / 2, 0.5) / np.sqrt(np.pi * df) * tails
    beta = np.exp(special.betaln(0.5, df - 0.5) - 2 * special.betaln(0.5, df / 2))
    return np.asarray(
        z * (2 * special.stdtr(df, z) - 1)
        + 2 * density * (df + z * z) / (df - 1)
        - 2 * np.sqrt(df) / (df - 1) * beta
    )
