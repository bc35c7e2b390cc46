"""Change against history: how far rates move between two years when nothing is targeted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from bcfstats.errors import ParameterError
from bcfstats.stats.dispersion import shrink_to_panel
from bcfstats.stats.glm import Array, MonthlyModel, divide, fit_panel, monthly_panel
from bcfstats.stats.priors import MonthlyPrior
from bcfstats.stats.rows import critical_value
from bcfstats.stats.wander import (
    FROM_PANEL,
    Found,
    Own,
    from_own_months,
    from_panel,
    from_prior,
    like_for_like_changes,
    own_history,
)

MINIMUM_AREAS = 20
MINIMUM_MONTHS = 24
SMALL_MEDIAN = 60.0
FEW_EVENTS = "too few events in a usual month for a log ratio: use an exact method"


@dataclass(frozen=True, slots=True, eq=False)
class HistoryScale:
    """Scale of an area's like-for-like log change when nothing is targeted.

    Attributes
    ----------
    scale : ndarray, shape (areas,)
        Standard error of the log change for the verdict: the larger of the next two.
    history_scale, noise_scale : ndarray, shape (areas,)
        From history; from short-run noise within the two windows alone.
    df : ndarray, shape (areas,)
        Degrees of freedom of Student's t for `scale`.
    own_scale, own_df : ndarray, shape (areas,)
        The area's own history, and how many independent changes it is worth.
    prior_scale : ndarray, shape (areas,)
        What areas as noisy as this one usually show.
    prior_df : float
        How much the prior weighs; infinite where areas do not differ beyond chance.
    noise_slope : float
        How the variance grows with short-run noise, 0 to 1.
    drift : float
        Median log change over all areas and windows of the history.
    n_changes : ndarray of int, shape (areas,)
        Historic changes of the area (they overlap).
    n_areas : int
        Areas the prior was fitted to.
    small : ndarray of bool, shape (areas,)
        Counts too small for a log ratio: use an exact method.
    source : ndarray of str, shape (areas,)
        Where the scale comes from.
    warning : ndarray of str, shape (areas,)
        What a reader must know about it.
    reason : ndarray of str, shape (areas,)
        Why there is no answer; empty where there is one.
    """

    scale: Array
    history_scale: Array
    noise_scale: Array
    df: Array
    own_scale: Array
    own_df: Array
    prior_scale: Array
    prior_df: float
    noise_slope: float
    drift: float
    n_changes: npt.NDArray[np.intp]
    n_areas: int
    small: npt.NDArray[np.bool_]
    source: npt.NDArray[np.object_]
    warning: npt.NDArray[np.object_]
    reason: npt.NDArray[np.object_]

    def minimum_significant_ratio(self, confidence_level: float = 0.95) -> Array:
        """Ratio of rates that a fall must reach to be significant: exp(-t scale)."""
        return np.asarray(np.exp(-critical_value(confidence_level, self.df) * self.scale))

    def detectable_ratio(self, confidence_level: float = 0.95, power: float = 0.8) -> Array:
        """True ratio of rates that is found significant with this power: exp(-(t + z) scale)."""
        t = critical_value(confidence_level, self.df) + special.ndtri(power)
        return np.asarray(np.exp(-t * self.scale))

    def p_value(self, log_change: npt.ArrayLike) -> Array:
        """Two-sided p-value of a like-for-like log change."""
        distance = np.abs(divide(np.asarray(log_change, dtype=float), self.scale))
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
    exposure : array, shape (months,) or (areas, months)
        Days in the month, or person-days.
    calendar_month : array of int, shape (months,)
        1 to 12.
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
    mean square, divided by a power of the area's short-run noise 2 phi / baseline count (fitted over areas,
    between 0 and 1), is moderated as in Smyth 2004 (doi:10.2202/1544-6115.1027) with degrees of freedom
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
    y, e, month = monthly_panel(counts, exposure, calendar_month)
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


def _check_spans(window: int, lag: int, gap: int) -> None:
    if window < 1 or lag < window or gap < 0:
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
