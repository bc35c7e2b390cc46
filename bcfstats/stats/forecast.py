"""What happens if nothing is done: the forecast of a part-year total, with intervals from its own errors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import special

from bcfstats.errors import ParameterError
from bcfstats.stats.history import (
    FEW_EVENTS,
    SMALL_MEDIAN,
    Found,
    MonthlyPrior,
    check_panel,
    check_prior,
    from_panel,
    history_scale,
    like_for_like_changes,
    median_month,
    moderated_dispersion,
    own_dispersion,
    own_history,
)
from bcfstats.stats.level import (
    DEFAULT_ALPHA,
    DEFAULT_DRIFT,
    Grid,
    MonthlyCounts,
    PanelLevel,
    Rolled,
    log_totals,
    panel_level,
    roll,
)
from bcfstats.stats.monthly_model import Array, MonthlyModel, as_months, divide, fit_panel
from bcfstats.stats.rows import (
    FORECAST_CONFIDENCE,
    MINIMUM_AREAS,
    NORMAL_MAD,
    as_number,
    as_numbers,
    check_flag,
    check_number,
    critical_value,
    masked_median,
)
from bcfstats.stats.tolerance import settled


def with_england(
    panel: MonthlyCounts, value: Array, first: int, last: int, ahead: Array, england: float
) -> Array:
    """Scale all areas alike so that the nation moves as told."""
    england = check_number("movement of England", england, -1, np.inf, "Write -5 % as -0.05.")
    same = panel.month.size + np.arange(first, last + 1) - 1 - lag_of(last)
    before = panel.counts[:, same[same >= 0]]
    whole = (panel.exposure[:, same[same >= 0]] > 0).all(axis=1) & np.isfinite(value) & (same >= 0).all()
    if not whole.any():
        raise ParameterError(
            "England's movement cannot be set: no area has all of the same months before.",
            do="Give a longer history, or leave the setting out.",
        )
    rate = before[whole].sum() / panel.exposure[whole][:, same].sum() * (1 + england)
    return np.asarray(value * rate * ahead[whole].sum() / value[whole].sum())


def lag_of(last: int) -> int:
    """Months back to the last same months that are known."""
    return 12 * (1 + (last - 1) // 12)


FROM_ERRORS = "errors of the same method at the same lead, all areas"
INSTEAD = "yearly like-for-like changes in place of forecast errors"
MINIMUM_ORIGINS = 2
_BENDS_AT, _BENDS_STEPS = 1.5, 20


@dataclass(frozen=True, slots=True)
class _Errors:
    """Past errors in two parts: England's at each origin, and each area's beside England and reversion."""

    national: Array
    own: Array
    reversion: float

    @property
    def known(self) -> bool:
        return bool(self.own.shape[1] >= MINIMUM_ORIGINS)


def _in_two_parts(errors: Array, unusual: Array, fit: npt.NDArray[np.bool_]) -> _Errors:
    """Take each origin's median error out, then what areas give back of an unusual recent level."""
    inside = np.isfinite(errors) & fit[:, None]
    national = masked_median(errors.T, inside.T)
    own = errors - national
    usable = inside & np.isfinite(unusual)
    if errors.shape[1] < MINIMUM_ORIGINS or int(usable.sum()) < MINIMUM_AREAS:
        return _Errors(national, own, 0.0)
    reversion = _robust_slope(unusual[usable], own[usable])
    own = own - reversion * np.where(np.isfinite(unusual), unusual, 0.0)
    return _Errors(national, own - masked_median(own.T, inside.T), reversion)


def _robust_slope(x: Array, y: Array) -> float:
    """Slope through the origin by Huber's weights, which bend at 1.5 robust standard deviations."""
    weight, slope = np.ones(x.size), 0.0
    for _ in range(_BENDS_STEPS):
        power = float((weight * x) @ x)
        if power <= 0:
            return 0.0
        slope = float((weight * x) @ y) / power
        rest = np.abs(y - slope * x)
        limit = _BENDS_AT * NORMAL_MAD * float(np.median(rest))
        weight = np.minimum(1.0, limit / np.maximum(rest, 1e-12))
    return slope


def _area_scale(
    panel: MonthlyCounts,
    errors: _Errors,
    value: Array,
    model: MonthlyModel,
    small: npt.NDArray[np.bool_],
    prior: MonthlyPrior | None,
    minimum_areas: int,
    window: tuple[int, int],
) -> Found:
    """Moderated scale of the areas' own errors, never below the noise of the window's own count."""
    first, last = window
    parts = own_history(errors.own, centre=0.0)
    noise = divide(own_dispersion(model), np.maximum(value, 0.5))
    n_areas = int(((parts.n > 0) & ~small & np.isfinite(noise)).sum())
    if n_areas >= minimum_areas and errors.known:
        found = replace(from_panel(parts, noise, small), source=FROM_ERRORS)
    else:
        instead = history_scale(
            np.where(panel.exposure > 0, panel.counts, np.nan),
            panel.exposure,
            panel.month,
            window=last - first + 1,
            lag=lag_of(last),
            prior=prior,
            minimum_areas=minimum_areas,
        )
        source = next((text for text in instead.source if text), "")
        warning = next((text for text in instead.warning if text and text != FEW_EVENTS), "")
        variance, before = instead.history_scale**2, instead.prior_scale**2
        source = f"{INSTEAD}: {source}"
        found = Found(variance, instead.df, before, instead.prior_df, 0.0, source, warning)
    floor = divide(moderated_dispersion(model), np.maximum(value, 0.5))
    return replace(found, variance=np.fmax(found.variance, floor) + 0 * found.variance)


def _england_scale(
    panel: MonthlyCounts, errors: _Errors, fit: npt.NDArray[np.bool_], window: int, lag: int
) -> tuple[float, float]:
    """Root mean square of England's errors, or of its yearly changes, and how many are independent."""
    moved = errors.national[np.isfinite(errors.national)]
    if not errors.known:
        changes = like_for_like_changes(panel.counts[fit], panel.exposure[fit], window, lag)
        moved = masked_median(changes.T, np.isfinite(changes.T))
        moved = moved[np.isfinite(moved)]
    if not moved.size:
        return 0.0, 1.0
    return float(np.sqrt((settled(moved, 1.0) ** 2).mean())), (moved.size + window - 1) / window


METHOD = "panel seasonal level"
NO_SEASON = "less than 18 months: no season is allowed for"
MINIMUM_HISTORY = 6
_WIDEST = 300.0  # on the log scale: beyond it a limit says nothing, and numbers overflow


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """Expected events over the target window if nothing changes."""

    value: Array  # median forecast of the total
    log_scale: Array  # scale of the log error, area and England together
    df: Array  # its degrees of freedom
    area_scale: Array  # what areas do beside England
    area_df: Array
    england_scale: (
        float  # how far England usually is from its own forecast; 0 where that is told or not known
    )
    england_df: float
    reversion: float  # share of an unusual recent level that does not last, with its sign
    exposure: Array  # days or person-days of the window: value / exposure is the rate
    alpha: float  # smoothing of the level
    drift_share: float  # share of the national drift that goes on
    drift_percent: float  # national drift, per cent a year, before the share and damping
    tuned: bool  # whether smoothing and share were chosen on this panel
    n_origins: int  # past origins the errors come from
    small: npt.NDArray[np.bool_]  # counts too small for a log error
    method: str  # how it was made
    source: str  # where the scale comes from
    warning: npt.NDArray[np.object_]  # what a reader must know; why there is no answer
    reason: npt.NDArray[np.object_]

    def interval(self, confidence_level: float = FORECAST_CONFIDENCE) -> tuple[Array, Array]:
        """Lower and upper limits of the total."""
        half = np.minimum(critical_value(confidence_level, self.df) * self.log_scale, _WIDEST)
        return self.value * np.exp(-half), self.value * np.exp(half)

    def probability_at_most(self, total: npt.ArrayLike) -> Array:
        """Chance that the total is no higher than this if nothing is done."""
        given = as_numbers("total", total)
        ratio = np.log(divide(np.where(given > 0, given, np.nan), self.value))
        chance = special.stdtr(self.df, divide(ratio, self.log_scale))
        return np.asarray(np.where(given <= 0, np.where(np.isfinite(self.value), 0.0, np.nan), chance))

    def excludes(
        self, total: npt.ArrayLike, confidence_level: float = FORECAST_CONFIDENCE
    ) -> npt.NDArray[np.bool_]:
        """Whether the interval leaves this total out, such as last year's."""
        lower, upper = self.interval(confidence_level)
        given = as_numbers("total", total)
        return np.asarray((given < lower) | (given > upper))


def do_nothing_forecast(
    counts: npt.ArrayLike,
    exposure: npt.ArrayLike,
    calendar_month: npt.ArrayLike,
    *,
    first: int,
    last: int,
    target_exposure: npt.ArrayLike,
    tune: bool = True,
    england: float | None = None,
    prior: MonthlyPrior | None = None,
    minimum_areas: int = MINIMUM_AREAS,
    small_median: float = SMALL_MEDIAN,
) -> Forecast:
    """Forecast each area's total over a run of months ahead, if things go on as they have.

    It answers: what would the payment window's total be without the plan, and within what limits?

    Parameters
    ----------
    counts : array, shape (areas, months)
        Events in each month of the history; NaN where not published or not believed.
    exposure, calendar_month : array, shape (months,), or (areas, months) for the exposure
        Days in the month, or person-days; 1 to 12.
    first, last : int
        First and last month of the window, counted from the end of the history: 4 and 12 from a December are
        April to December.
    target_exposure : array, shape (window,) or (areas, window)
        Days, or person-days, of the window's months.
    tune : bool
        Choose smoothing and drift on the panel by rolling origin, where it holds twelve origins; else, and
        without tuning, 0.3 and all of the drift.
    england : float, optional
        Let the nation's total move by this share from the same months a year (or two) before, 0.05 for a rise
        of 5 %, in place of the forecast's national movement. The interval then holds only what areas do
        beside the nation.
    prior : MonthlyPrior, optional
        Shipped scale to use where the panel is too short or too small.
    minimum_areas : int
        Fewest areas with errors of their own that the panel is measured by.
    small_median : float
        An area whose median month has fewer events takes no part in tuning or scale and is flagged `small`.

    Returns
    -------
    Forecast

    Raises
    ------
    InputError
        If shapes disagree or a count is negative.
    ParameterError
        If the window is not one to come.

    Notes
    -----
    Log daily rate = shrunk season (`seasonal_indices`) + level + national drift, less what areas gave back of
    an unusual half-year at past origins. The level is an exponentially weighted mean, the drift the panel's
    median slope damped by 0.965 a month; an area's own slope has no weight, since extrapolating it forecasts
    worse than last year's value. Past errors at the same lead have two parts: England's, the median area's,
    and the area's beside it, whose scale is moderated as in `history_scale`. Limits hold both, so that they
    are right over years, not within one.

    Not for a series after a break (see `breaks`), nor for small counts.

    Examples
    --------
    >>> import numpy as np
    >>> month = np.tile(np.arange(1, 13), 4)
    >>> counts = np.random.default_rng(1).poisson(900, (30, 48))
    >>> found = do_nothing_forecast(counts, np.ones(48), month, first=4, last=12, target_exposure=np.ones(9))
    >>> lower, upper = found.interval(0.95)
    >>> bool(np.mean((lower < 8100) & (8100 < upper)) > 0.8), found.source
    (True, 'errors of the same method at the same lead, all areas')
    """
    panel = MonthlyCounts(*as_months(counts, exposure, calendar_month))
    check_window(first, last)
    tune = check_flag("tune", tune)
    check_prior(prior)
    minimum_areas, small_median = check_panel(minimum_areas, small_median)
    ahead = _target_exposure(target_exposure, len(panel.counts), last - first + 1)
    grid = Grid() if tune else Grid(np.array([DEFAULT_ALPHA]), np.array([DEFAULT_DRIFT]))
    rolled = roll(panel, first, last, grid)
    return forecast_from(
        panel,
        rolled,
        first,
        last,
        ahead,
        england=england,
        prior=prior,
        minimum_areas=minimum_areas,
        small_median=small_median,
    )


def forecast_from(
    panel: MonthlyCounts,
    rolled: Rolled,
    first: int,
    last: int,
    ahead: Array,
    *,
    england: float | None = None,
    prior: MonthlyPrior | None = None,
    minimum_areas: int = MINIMUM_AREAS,
    small_median: float = SMALL_MEDIAN,
) -> Forecast:
    """Forecast from past forecasts already rolled: `do_nothing_forecast` without its checks."""
    grid = rolled.grid
    small = median_month(panel.counts, panel.exposure) < small_median
    best = rolled.tuned(~small)
    alpha, share = best or grid.default
    state = panel_level(panel, grid.alphas[[alpha]])
    months = (panel.month[-1:].sum() - 1 + np.arange(first, last + 1)) % 12 + 1
    log_value = log_totals(state, months, np.arange(first, last + 1.0), ahead, grid.shares[[share]])[0, :, 0]
    errors = _in_two_parts(rolled.errors[:, alpha, :, share].T, rolled.unusual.T, ~small)
    value = np.exp(log_value + errors.reversion * np.where(np.isfinite(state.unusual), state.unusual, 0.0))
    nation = (0.0, 1.0)
    if england is not None:
        value = with_england(panel, value, first, last, ahead, england)
    elif int((~small).sum()) >= minimum_areas:
        nation = _england_scale(panel, errors, ~small, last - first + 1, lag_of(last))
    model = fit_panel(panel.counts, panel.exposure, panel.month)
    found = _area_scale(panel, errors, value, model, small, prior, minimum_areas, (first, last))
    chosen = Tuning(
        grid.alphas[alpha], grid.shares[share], best is not None, rolled.origins.size, errors.reversion
    )
    parts = _Parts(np.sqrt(found.variance), found.df, *nation)
    return _assemble(panel, state, value, found, parts, model, small, ahead, chosen)


@dataclass(frozen=True, slots=True)
class _Parts:
    """Scale and degrees of freedom of the area's part of the error and of England's."""

    area_scale: Array
    area_df: Array
    england_scale: float
    england_df: float

    def together(self) -> tuple[Array, Array]:
        """Scale of both, with degrees of freedom after Welch and Satterthwaite."""
        area, nation = self.area_scale**2, self.england_scale**2
        total = area + nation
        spread = area**2 / self.area_df + nation**2 / self.england_df
        return np.sqrt(total), divide(total**2, spread)


@dataclass(frozen=True, slots=True)
class Tuning:
    """Smoothing, drift share, whether tuned, how many origins gave errors, and the reversion they show."""

    alpha: float
    share: float
    tuned: bool
    n_origins: int
    reversion: float


def check_window(first: int, last: int) -> None:
    """Refuse a window that is not one to twelve months to come."""
    months = [as_number(month) for month in (first, last)]
    whole = [month for month in months if month is not None and month == np.floor(month)]
    if len(whole) < 2 or not 1 <= whole[0] <= whole[1] <= whole[0] + 11:
        raise ParameterError(
            "The window to forecast is not one to twelve months to come.",
            found=f"months {first} to {last} after the history",
            do="Count from the month after the history: 4 and 12 from a December are April to December.",
        )


def _target_exposure(given: npt.ArrayLike, areas: int, window: int) -> Array:
    ahead = as_numbers("target_exposure", given)
    if ahead.shape not in ((window,), (areas, window), (1, window)):
        raise ParameterError(
            "The window's exposure does not have one value a month.",
            found=f"{ahead.shape} for {window} months",
            do="Give the days, or person-days, of each month of the window.",
        )
    return np.broadcast_to(ahead, (areas, window))


def _assemble(
    panel: MonthlyCounts,
    state: PanelLevel,
    value: Array,
    found: Found,
    parts: _Parts,
    model: MonthlyModel,
    small: npt.NDArray[np.bool_],
    ahead: Array,
    chosen: Tuning,
) -> Forecast:
    n = (panel.exposure > 0).sum(axis=1)
    scale, df = parts.together()
    few = np.char.add(n.astype(str), f" months of data, {MINIMUM_HISTORY} are needed").astype(object)
    reason = np.where(n < MINIMUM_HISTORY, few, "").astype(object)
    reason = np.where((reason == "") & (panel.counts.sum(axis=1) == 0), "no events at all", reason)
    reason = np.where((reason == "") & ~np.isfinite(value), "the window's days or people are missing", reason)
    unknown = np.where(model.reason == "", "nothing to measure the error by", model.reason)
    warning = np.where(small, FEW_EVENTS, found.warning if state.has_season else NO_SEASON).astype(object)
    warning = np.where(
        ~np.isfinite(scale), np.char.add("no limits: ", unknown.astype(str)).astype(object), warning
    )
    ok = reason == ""
    return Forecast(
        value=np.where(ok, value, np.nan),
        log_scale=np.where(ok, scale, np.nan),
        df=np.where(ok, df, np.nan),
        area_scale=np.where(ok, parts.area_scale, np.nan),
        area_df=np.where(ok, parts.area_df, np.nan),
        england_scale=parts.england_scale,
        england_df=parts.england_df,
        reversion=chosen.reversion,
        exposure=ahead.sum(axis=1),
        alpha=float(chosen.alpha),
        drift_share=float(chosen.share),
        drift_percent=100 * float(np.expm1(12 * state.drift)),
        tuned=chosen.tuned,
        n_origins=chosen.n_origins,
        small=small,
        method=METHOD,
        source=found.source,
        warning=np.where(ok, warning, "").astype(object),
        reason=reason.astype(object),
    )
