"""Change against history: how far rates move between two years when nothing is targeted."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from bcfstats.errors import ParameterError
from bcfstats.stats.dispersion import prior_variance, shrink_to_panel
from bcfstats.stats.monthly_model import (
    PARAMETERS,
    Array,
    MonthlyModel,
    as_months,
    autocorrelation_tables,
    divide,
    fit_panel,
    rates_above_zero,
)
from bcfstats.stats.rows import (
    CONFIDENCE,
    MINIMUM_AREAS,
    POWER,
    as_number,
    as_numbers,
    check_whole,
    critical_value,
)
from bcfstats.stats.tolerance import settled

_FILE = Path(__file__).with_name("priors.toml")


@dataclass(frozen=True, slots=True)
class MonthlyPrior:
    """Shipped scale of like-for-like log changes over a window of months."""

    name: str
    title: str
    source: str
    window: int
    scale: float
    df: float  # how many changes of an area's own it weighs as much as
    drift: float  # the usual national log change a year


@dataclass(frozen=True, slots=True)
class AnnualPrior:
    """Standard deviation of the true change between two years; `unit` is "log" for ratios."""

    name: str
    title: str
    source: str
    tau: float
    unit: str


def monthly_prior(name: str, window: int, lag: int = 12) -> MonthlyPrior | None:
    """Return the shipped scale for a monthly metric, or None where none is shipped."""
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
    """Return the shipped between-year standard deviation of an annual metric, or None."""
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


INFINITE_DF = 1e6
NOISE_KEPT = 0.6  # in the same months both rise by chance: on later months the slope is far lower
FROM_PANEL = "history of all areas"
FROM_PRIOR = "national prior"
NEVER_CHANGED = "no area's rate has ever changed: only noise within the windows is allowed for"
FROM_OWN = "the area's own months, corrected for autocorrelation"
OWN_WARNING = "no history of other areas: without a real change 10 to 20 in 100 would be called significant"


def like_for_like_changes(counts: Array, exposure: Array, window: int, lag: int) -> Array:
    """Log change of every window of the series against the same months `lag` months before."""
    rate = log_window_rates(counts, exposure, window)
    return rate[:, lag:] - rate[:, : rate.shape[1] - lag] if rate.shape[1] > lag else rate[:, :0]


def log_window_rates(counts: Array, exposure: Array, window: int) -> Array:
    """Log rate of every window of whole months, shape (areas, months - window + 1)."""
    total, time, seen = (rolling_sums(x, window) for x in (counts, exposure, (exposure > 0).astype(float)))
    return np.log(rates_above_zero(total, np.where(seen > window - 0.5, time, 0.0)))


def rolling_sums(values: Array, window: int) -> Array:
    """Sum of every run of months, shape (areas, months - window + 1)."""
    if window > values.shape[1]:
        return np.empty((len(values), 0))
    sums = np.cumsum(np.hstack([np.zeros((len(values), 1)), values]), axis=1)
    return np.asarray(sums[:, window:] - sums[:, : sums.shape[1] - window])


@dataclass(frozen=True, slots=True)
class Own:
    """An area's own history: mean square of centred changes, what they are worth, how many, the median."""

    mean_square: Array
    df: Array
    n: npt.NDArray[np.intp]
    drift: float


@dataclass(frozen=True, slots=True)
class Found:
    """A variance for every area, its degrees of freedom, and where they come from."""

    variance: Array
    df: Array
    prior_variance: Array
    prior_df: float
    noise_slope: float
    source: str
    warning: str
    drift: float | None = None


def own_history(changes: Array, centre: float | None = None) -> Own:
    """Mean square of each area's changes and what overlapping changes are worth."""
    known = np.isfinite(changes)
    n = known.sum(axis=1)
    drift = float(np.median(changes[known])) if known.any() else 0.0
    centred = np.where(known, settled(changes - (drift if centre is None else centre), 1.0), 0.0)
    mean_square = divide((centred**2).sum(axis=1), n)
    present = known.astype(float)
    products = centred.T @ centred
    powers = (centred**2).T @ present
    scale = powers * powers.T
    squared = np.where(scale > 0, products**2 / np.where(scale > 0, scale, 1.0), 1.0)
    overlap = ((present @ squared) * present).sum(axis=1)
    return Own(mean_square, np.maximum(divide(n.astype(float) ** 2, overlap), 1.0), n, drift)


def moderate(variances: Array, df: Array, prior_variance: float, prior_df: float) -> tuple[Array, Array]:
    """Draw variances towards a prior (Smyth 2004); an area without one takes the prior alone."""
    own = np.isfinite(variances)
    freedom = np.where(own, df, 0.0)
    if np.isinf(prior_df):
        return np.full(variances.shape, prior_variance), np.full(variances.shape, INFINITE_DF)
    total = prior_df + freedom
    weighted = prior_df * (prior_variance if prior_df > 0 else 0.0) + freedom * np.where(own, variances, 0.0)
    variance = np.divide(weighted, total, out=np.full(total.shape, np.nan), where=total > 0)
    return variance, np.minimum(total, INFINITE_DF)


def from_panel(own: Own, noise: Array, small: npt.NDArray[np.bool_]) -> Found:
    """Moderate each area's mean square towards what areas as noisy as it show."""
    fit = np.isfinite(own.mean_square) & np.isfinite(noise) & ~small
    if not (own.mean_square[fit] > 0).any():
        zero = np.zeros(noise.shape)
        return Found(zero, zero + INFINITE_DF, zero, np.inf, 0.0, FROM_PANEL, NEVER_CHANGED)
    middle = float(np.median(own.mean_square[fit])) or float(own.mean_square[fit].mean())
    floor = 1e-5 * middle
    square = np.where(own.n > 0, np.maximum(own.mean_square, floor), np.nan)
    x = np.log(np.where(noise > 0, noise, np.nan))
    centre = float(x[fit].mean())
    away, target = x[fit] - centre, np.log(square[fit])
    power = float(away @ away)
    slope = NOISE_KEPT * float(np.clip(away @ target / power, 0, 1)) if power > 1e-12 else 0.0
    expected = np.exp(slope * np.where(np.isfinite(x), x - centre, 0.0))
    prior, prior_df = prior_variance((square / expected)[fit], own.df[fit])
    variance, df = moderate(square / expected, own.df, prior, prior_df)
    return Found(variance * expected, df, prior * expected, prior_df, slope, FROM_PANEL, "")


def from_prior(own: Own, noise: Array, prior: MonthlyPrior) -> Found:
    """Moderate towards a shipped scale."""
    variance, df = moderate(own.mean_square, np.ones(noise.shape), prior.scale**2, prior.df)
    source = f"{FROM_PRIOR}: {prior.title}, {prior.window} months ({prior.source})"
    constant = np.full(noise.shape, prior.scale**2)
    warning = "the panel is too small or too short to measure its own history"
    return Found(variance, df, constant, prior.df, 0.0, source, warning, prior.drift)


def from_own_months(model: MonthlyModel, month: npt.NDArray[np.intp], window: int, lag: int) -> Found:
    """Variance of a change from the area's own months alone, first-order autocorrelation allowed for."""
    if (model.reason != "").all():
        empty = np.full(model.slope.shape, np.nan)
        return Found(empty, empty, empty, 0.0, 0.0, FROM_OWN, OWN_WARNING)
    tables = autocorrelation_tables(month)
    contrast = np.zeros(lag + window)
    contrast[:window], contrast[lag:] = -1 / window, 1 / window
    rho = tables.true_rho(model.autocorrelation)
    variance = model.residual_variance * tables.variance(contrast, model.autocorrelation)
    df = np.maximum(4.0, (model.n_months - PARAMETERS) * (1 - rho) / (1 + rho))
    return Found(variance, df, np.full(variance.shape, np.nan), 0.0, 0.0, FROM_OWN, OWN_WARNING)


MINIMUM_MONTHS = 24
SMALL_MEDIAN = 60.0
FEW_EVENTS = "too few events in a usual month for a log ratio: use an exact method"


@dataclass(frozen=True, slots=True, eq=False)
class HistoryScale:
    """Scale of an area's like-for-like log change when nothing is targeted."""

    scale: Array  # standard error of the log change for the verdict: the larger of the next two
    history_scale: Array  # from history
    noise_scale: Array  # from short-run noise within the two windows alone
    df: Array  # degrees of freedom of Student's t for `scale`
    own_scale: Array  # the area's own history
    own_df: Array  # how many independent changes it is worth
    prior_scale: Array  # what areas as noisy as this one usually show
    prior_df: float  # how much the prior weighs; infinite where areas do not differ beyond chance
    noise_slope: float  # how the variance grows with short-run noise, 0 to 1
    drift: float  # median log change over all areas and windows of the history
    n_changes: npt.NDArray[np.intp]  # historic changes of the area (they overlap)
    n_areas: int  # areas the prior was fitted to
    small: npt.NDArray[np.bool_]  # counts too small for a log ratio: use an exact method
    source: npt.NDArray[np.object_]  # where the scale comes from
    warning: npt.NDArray[np.object_]  # what a reader must know about it
    reason: npt.NDArray[np.object_]  # why there is no answer; empty where there is one

    def minimum_significant_ratio(self, confidence_level: float = CONFIDENCE) -> Array:
        """Ratio of rates that a fall must reach to be significant: exp(-t scale)."""
        return np.asarray(np.exp(-critical_value(confidence_level, self.df) * self.scale))

    def detectable_ratio(self, confidence_level: float = CONFIDENCE, power: float = POWER) -> Array:
        """True ratio of rates that is found significant with this power: exp(-(t + z) scale)."""
        t = critical_value(confidence_level, self.df) + special.ndtri(power)
        return np.asarray(np.exp(-t * self.scale))

    def p_value(self, log_change: npt.ArrayLike) -> Array:
        """Two-sided p-value of a like-for-like log change."""
        distance = np.abs(divide(as_numbers("log_change", log_change), self.scale))
        p = 2 * special.stdtr(self.df, -np.where(np.isfinite(distance), distance, np.nan))
        return np.asarray(p)


def history_scale(
    counts: npt.ArrayLike,
    exposure: npt.ArrayLike,
    calendar_month: npt.ArrayLike,
    *,
    window: int,
    lag: int = 12,
    gap: int = 0,
    prior: MonthlyPrior | None = None,
    minimum_areas: int = MINIMUM_AREAS,
    small_median: float = SMALL_MEDIAN,
) -> HistoryScale:
    """Measure from the past of all areas how far a rate moves between two years when nobody acts.

    It answers: is a change from the baseline to the same months later more than this area, and areas like it,
    usually show?

    Parameters
    ----------
    counts : array, shape (areas, months)
        The history: months before the target window. NaN where not published or not believed.
    exposure, calendar_month : array, shape (months,), or (areas, months) for the exposure
        Days in the month, or person-days; 1 to 12.
    window : int
        Months in the target window, and in the baseline before it.
    lag : int
        Months from baseline to target: 12, or 24.
    gap : int
        Months between the end of the history and the start of the target window.
    prior : MonthlyPrior, optional
        Shipped scale to use where the panel is too short or too small (`priors.monthly_prior`).
    minimum_areas : int
        Fewest areas with changes of their own that the panel is measured by.
    small_median : float
        An area whose median month has fewer events takes no part in the prior and is flagged `small`.

    Returns
    -------
    HistoryScale

    Raises
    ------
    InputError
        If shapes disagree or a count is negative.
    ParameterError
        If window, lag or gap cannot be used.

    Notes
    -----
    Historic changes are those of every start month, centred on their median over areas and windows. Their
    mean square, divided by a power of the area's short-run noise 2 phi / baseline count (0.6 of that fitted
    over areas), is moderated as in Smyth 2004 (doi:10.2202/1544-6115.1027) with degrees of freedom
    K^2 / sum r_jk^2 for K overlapping changes of correlation r_jk. The verdict's scale is never below the
    noise alone.

    Simulated at a nominal 5 %: 4 to 7 % false positives where a Poisson test gives up to 88 % and a
    quasi-Poisson test 46 %; `docs/validation.md` has the same on published data. Against a common shock to
    all areas it protects only as far as the history holds such shocks.

    Do not use it for small counts (`small`), nor for months that were themselves under a target.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> level = np.cumsum(rng.normal(0, 0.03, (40, 48)), axis=1)
    >>> counts = rng.poisson(500 * np.exp(level))
    >>> found = history_scale(counts, np.ones(48), np.tile(np.arange(1, 13), 4), window=9)
    >>> bool(0.07 < np.median(found.scale) < 0.14), str(found.source[0])
    (True, 'history of all areas')
    """
    y, e, month = as_months(counts, exposure, calendar_month)
    check_prior(prior)
    minimum_areas, small_median = check_panel(minimum_areas, small_median)
    _check_spans(window, lag, gap)
    changes = like_for_like_changes(y, e, window, lag)
    model = fit_panel(y, e, month)
    baseline = _baseline_counts(y, e, window, month.size + gap - lag)
    small = median_month(y, e) < small_median
    noise = 2 * divide(own_dispersion(model), np.maximum(baseline, 0.5))
    moderated = 2 * divide(moderated_dispersion(model), np.maximum(baseline, 0.5))
    parts = own_history(changes)
    n_areas = int(((parts.n > 0) & ~small & np.isfinite(noise)).sum())
    if n_areas >= minimum_areas and month.size >= MINIMUM_MONTHS:
        found = from_panel(parts, noise, small)
    elif prior is not None:
        found = from_prior(parts, noise, prior)
    else:
        found = from_own_months(model, month, window, lag)
    return _assemble(found, parts, np.sqrt(moderated), small, n_areas, model, e)


def check_prior(prior: object) -> None:
    """Refuse what is not a shipped scale."""
    if prior is not None and not isinstance(prior, MonthlyPrior):
        raise ParameterError("The prior is not one of `monthly_prior`.", found=f"{prior!r:.80}")


def check_panel(minimum_areas: object, small_median: object) -> tuple[int, float]:
    """Return the fewest areas a panel is measured by, and what a small median month is."""
    found = as_number(small_median)
    if found is None or not found >= 0:
        raise ParameterError("The small median is not zero or more events.", found=f"{small_median!r}")
    return check_whole("minimum number of areas", minimum_areas, 0), found


def _check_spans(window: int, lag: int, gap: int) -> None:
    for name, span, least in (("window", window, 1), ("lag", lag, 1), ("gap", gap, 0)):
        check_whole(name, span, least)
    if lag < window:
        raise ParameterError(
            "The window, lag and gap do not make a like-for-like comparison.",
            found=f"window {window}, lag {lag}, gap {gap} months",
            do="Use a window of 1 to 12 months, a lag of 12 or 24 and no negative gap.",
        )
    if lag % 12:
        raise ParameterError("The lag is not whole years.", found=f"{lag} months", do="Use 12 or 24.")


def _baseline_counts(y: Array, e: Array, window: int, start: int) -> Array:
    """Events in the baseline window where the history holds it whole, else a usual window's."""
    whole = np.where(e > 0, y, np.nan)
    usual = window * divide(y.sum(axis=1), (e > 0).sum(axis=1))
    if start < 0 or start + window > y.shape[1]:
        return usual
    total = whole[:, start : start + window].sum(axis=1)
    return np.where(np.isfinite(total), total, usual)


def median_month(y: Array, e: Array) -> Array:
    """Events in the middle month of each area; zero without any months."""
    if y.shape[1] == 0:
        return np.zeros(len(y))
    ordered = np.sort(np.where(e > 0, y, np.inf), axis=1)
    n = (e > 0).sum(axis=1)
    rows = np.arange(len(y))
    return np.where(n > 0, (ordered[rows, (n - 1) // 2] + ordered[rows, n // 2]) / 2, 0.0)


def _filled(values: Array) -> Array:
    """NaN replaced by the median of the other areas, or 1."""
    known = values[np.isfinite(values)]
    return np.where(np.isfinite(values), values, np.median(known) if known.size else 1.0)


def own_dispersion(model: MonthlyModel) -> Array:
    """Dispersion of each area, never below Poisson; the median area's where it has none."""
    return np.maximum(_filled(model.dispersion), 1.0)


def moderated_dispersion(model: MonthlyModel) -> Array:
    """Dispersion drawn towards all areas', never below Poisson."""
    drawn = shrink_to_panel(model.dispersion, np.maximum(model.df, 0.0)).value
    return np.maximum(_filled(np.where(np.isfinite(drawn), drawn, model.dispersion)), 1.0)


def _assemble(
    found: Found,
    own: Own,
    noise_scale: Array,
    small: npt.NDArray[np.bool_],
    n_areas: int,
    model: MonthlyModel,
    e: Array,
) -> HistoryScale:
    scale = np.sqrt(found.variance)
    empty = (e > 0).sum(axis=1) == 0
    reason = np.where(empty, "no months of data", "").astype(object)
    reason = np.where((reason == "") & ~np.isfinite(scale), model.reason.astype(object), reason)
    reason = np.where((reason == "") & ~np.isfinite(noise_scale), "no events at all", reason).astype(object)
    ok = reason == ""
    guarded = np.where(ok, np.fmax(scale, noise_scale), np.nan)
    warning = np.where(small & ok, FEW_EVENTS, found.warning).astype(object)
    alone = ok & (own.n == 0) & (found.source == FROM_PANEL)
    source = np.where(alone, f"{FROM_PANEL}; none of its own", found.source)
    return HistoryScale(
        scale=guarded,
        history_scale=np.where(ok, scale, np.nan),
        noise_scale=np.where(ok, noise_scale, np.nan),
        df=np.where(ok, found.df, np.nan),
        own_scale=np.sqrt(own.mean_square),
        own_df=np.where(own.n > 0, own.df, 0.0),
        prior_scale=np.sqrt(found.prior_variance),
        prior_df=found.prior_df,
        noise_slope=found.noise_slope,
        drift=own.drift if found.drift is None else found.drift,
        n_changes=own.n,
        n_areas=n_areas,
        small=small,
        source=np.where(ok, source, "").astype(object),
        warning=np.where(ok, warning, "").astype(object),
        reason=reason,
    )
