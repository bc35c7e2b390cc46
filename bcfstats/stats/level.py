"""The panel seasonal level: shrunk season, smoothed level and national drift, at one origin or at many."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bcfstats.stats.history import rolling_sums
from bcfstats.stats.monthly_model import (
    AVERAGE_MONTH,
    MINIMUM_MONTHS,
    Array,
    blocks,
    divide,
    fit_panel,
    rates_above_zero,
    remembered,
)
from bcfstats.stats.rows import masked_median
from bcfstats.stats.season import shrink_season

ALPHAS = np.array([0.2, 0.3, 0.45, 0.6])
DRIFT_SHARES = np.array([0.0, 0.5, 1.0])
DEFAULT_ALPHA, DEFAULT_DRIFT = 0.3, 1.0
DAMPING = 0.965
TUNING_ORIGINS = 12
_START_MONTHS = 6
_TOTAL_MONTHS, _MOST_ABOVE = 9, 0.2
_RECENT_MONTHS, _USUAL_MONTHS = 6, 36


@dataclass(frozen=True, slots=True, eq=False)
class MonthlyCounts:
    """Counts and exposure with zero exposure where a month is missing, as `as_months` gives them."""

    counts: Array
    exposure: Array
    month: npt.NDArray[np.intp]

    def before(self, origin: int) -> MonthlyCounts:
        """Return the months before an origin."""
        return MonthlyCounts(self.counts[:, :origin], self.exposure[:, :origin], self.month[:origin])


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Smoothings of the level, and shares of the national drift, to choose from."""

    alphas: Array = field(default_factory=lambda: ALPHAS)
    shares: Array = field(default_factory=lambda: DRIFT_SHARES)

    @property
    def default(self) -> tuple[int, int]:
        """Places of the values nearest to the default."""
        alpha, share = np.abs(self.alphas - DEFAULT_ALPHA), np.abs(self.shares - DEFAULT_DRIFT)
        return int(alpha.argmin()), int(share.argmin())


@dataclass(frozen=True, slots=True, eq=False)
class PanelLevel:
    """State of every area at the end of its months."""

    level: Array  # (alphas, areas): smoothed log rate of an average month, season taken off
    season: Array  # shrunk log month effects
    drift: float  # median slope of the panel, log a month
    has_season: bool
    mean_above: Array  # how far the log of a mean rate lies above the mean of log rates
    behind: Array = field(default_factory=lambda: np.zeros(1))  # months that the smoothed level lags
    unusual: Array = field(default_factory=lambda: np.zeros(1))  # recent level less the usual one


def panel_level(panel: MonthlyCounts, alphas: Array) -> PanelLevel:
    """Estimate season, level and national drift from all months of a panel."""
    return _level(panel.counts, panel.exposure, panel.month, alphas)


@remembered(64)
def _level(counts: Array, exposure: Array, month: npt.NDArray[np.intp], alphas: Array) -> PanelLevel:
    panel = MonthlyCounts(counts, exposure, month)
    season = _season(panel)
    seen = panel.exposure > 0
    rate = np.log(AVERAGE_MONTH * rates_above_zero(panel.counts, panel.exposure))
    z = np.where(seen, rate - season[:, panel.month - 1], 0.0)
    slope = _median_slope(z, seen, panel.counts)
    some = blocks(len(z))
    return PanelLevel(
        np.hstack([_smoothed(z[rows], seen[rows], alphas) for rows in some]),
        season,
        slope,
        bool(season.any()),
        np.hstack([_mean_above_logs(z[rows], seen[rows]) for rows in some]),
        (1 - alphas) / alphas,
        _unusual(z, seen),
    )


def _unusual(z: Array, seen: npt.NDArray[np.bool_]) -> Array:
    """Mean of each area's last six months less that of its last 36, about the median area."""
    recent, usual = (
        divide(np.where(seen, z, 0.0)[:, -span:].sum(axis=1), seen[:, -span:].sum(axis=1))
        for span in (_RECENT_MONTHS, _USUAL_MONTHS)
    )
    away = recent - usual
    return away - masked_median(away, np.isfinite(away))


def _season(panel: MonthlyCounts) -> Array:
    if panel.month.size < MINIMUM_MONTHS:
        return np.zeros((len(panel.counts), 12))
    model = fit_panel(panel.counts, panel.exposure, panel.month)
    typical = divide(panel.counts.sum(axis=1), (panel.exposure > 0).sum(axis=1))
    season = shrink_season(model, panel.month, typical).log_index
    return np.where(np.isfinite(season), season, 0.0)


def _smoothed(z: Array, seen: npt.NDArray[np.bool_], alphas: Array) -> Array:
    """Exponentially weighted mean from the mean of the first six months seen; missing months are skipped."""
    after: npt.NDArray[np.intp] = np.cumsum(seen[:, ::-1], axis=1)[:, ::-1] - seen
    order = np.cumsum(seen, axis=1) * seen
    n = seen.sum(axis=1)
    begun = np.where((order > 0) & (order <= _START_MONTHS), z, 0.0).sum(axis=1)
    start = divide(begun, np.minimum(n, _START_MONTHS))
    later = np.where(order > 1, z, 0.0)
    powers = (1 - alphas[:, None]) ** np.arange(z.shape[1] + 1)
    first_weight = powers[:, np.maximum(n - 1, 0)]
    rest = np.stack([(later * power[after]).sum(axis=1) for power in powers])
    return np.asarray(alphas[:, None] * rest + first_weight * start)


def _mean_above_logs(z: Array, seen: npt.NDArray[np.bool_]) -> Array:
    """Log of the mean rate less the mean of the logs over nine months: totals are made of rates, not logs."""
    if z.shape[1] < _TOTAL_MONTHS:
        return np.zeros(len(z))
    centred = np.where(seen, z - divide(z.sum(axis=1), seen.sum(axis=1))[:, None], 0.0)
    logs, rates, n = (rolling_sums(x, _TOTAL_MONTHS) for x in (centred, np.exp(centred), seen.astype(float)))
    whole = n > _TOTAL_MONTHS - 0.5
    gap = np.log(np.maximum(rates, 1e-300) / _TOTAL_MONTHS) - logs / _TOTAL_MONTHS
    mean = divide(np.where(whole, gap, 0.0).sum(axis=1), whole.sum(axis=1))
    return np.minimum(np.where(np.isfinite(mean), mean, 0.0), _MOST_ABOVE)


def _median_slope(z: Array, seen: npt.NDArray[np.bool_], counts: Array) -> float:
    """Median over areas of the least-squares slope a month, of those seen for a year and a half."""
    t = np.arange(z.shape[1], dtype=float)
    n = seen.sum(axis=1)
    away = np.where(seen, t - divide((seen * t).sum(axis=1), n)[:, None], 0.0)
    slope = divide((away * z).sum(axis=1), (away**2).sum(axis=1))
    known = np.isfinite(slope) & (n >= MINIMUM_MONTHS) & (counts.sum(axis=1) > 0)
    return float(np.median(slope[known])) if known.any() else 0.0


def log_totals(
    state: PanelLevel, months: npt.NDArray[np.intp], leads: Array, exposure: Array, shares: Array
) -> Array:
    """Log of the expected events over the target months, shape (alphas, areas, shares)."""
    damped = DAMPING * (1 - DAMPING**leads) / (1 - DAMPING)
    growth = np.exp(state.drift * damped[:, None] * shares)
    base = exposure / AVERAGE_MONTH * np.exp(state.season[:, months - 1])
    total = base @ growth
    typical = (state.level + state.mean_above)[:, :, None]
    typical = typical + state.drift * state.behind[:, None, None] * shares
    return typical + np.log(np.where(total > 0, total, np.nan))


@dataclass(frozen=True, slots=True, eq=False)
class Rolled:
    """Forecasts of the same lead window from every origin inside a panel."""

    grid: Grid
    origins: npt.NDArray[np.intp]
    errors: Array  # log of actual over forecast, (origins, alphas, areas, shares); NaN: a month is missing
    unusual: Array  # of every area at every origin, as in `PanelLevel`

    def until(self, origin: int, last: int) -> Rolled:
        """Return the forecasts whose window had ended by an origin."""
        known = self.origins <= origin - last
        return Rolled(self.grid, self.origins[known], self.errors[known], self.unusual[known])

    def tuned(self, areas: npt.NDArray[np.bool_]) -> tuple[int, int] | None:
        """Places of the smoothing and the drift share with the least mean absolute log error."""
        size = np.abs(self.errors[:, :, areas])
        known = np.isfinite(size)
        if self.origins.size < TUNING_ORIGINS or not known.any() or size.shape[1] * size.shape[3] == 1:
            return None
        mean = np.where(known, size, 0.0).sum(axis=(0, 2)) / np.maximum(known.sum(axis=(0, 2)), 1)
        alpha, share = np.unravel_index(int(mean.argmin()), mean.shape)
        return int(alpha), int(share)


def roll(panel: MonthlyCounts, first: int, last: int, grid: Grid) -> Rolled:
    """Forecast a lead window (`first` to `last` months ahead) from every origin, with what was known then."""
    origins = np.arange(MINIMUM_MONTHS, panel.month.size - last + 1)
    areas = len(panel.counts)
    errors = np.empty((origins.size, grid.alphas.size, areas, grid.shares.size))
    unusual = np.empty((origins.size, areas))
    for i, origin in enumerate(origins):
        errors[i], unusual[i] = _errors_at(panel, int(origin), first, last, grid)
    return Rolled(grid, origins, errors, unusual)


def _errors_at(panel: MonthlyCounts, origin: int, first: int, last: int, grid: Grid) -> tuple[Array, Array]:
    target = slice(origin + first - 1, origin + last)
    exposure = panel.exposure[:, target]
    whole = (exposure > 0).all(axis=1)
    state = panel_level(panel.before(origin), grid.alphas)
    predicted = log_totals(state, panel.month[target], np.arange(first, last + 1.0), exposure, grid.shares)
    actual = np.log(np.where(whole, panel.counts[:, target].sum(axis=1) + 0.5, np.nan))
    return actual[None, :, None] - predicted, state.unusual
