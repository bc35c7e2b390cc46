"""The outlook by the same window of each year: its last figure, and how figures move between years."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period
from bcfstats.judge.baseline import window_figures
from bcfstats.judge.kinds import Figures, chance, sampling_variance
from bcfstats.judge.outlook import Floats, NoOutlook, Outlook, Texts, extreme_notes, history_of, joined
from bcfstats.judge.windows import Grid, breaks_between, expected_people, usable_rows
from bcfstats.stats.annual import AnnualScale, annual_forecast, annual_scale
from bcfstats.stats.history import AnnualPrior, annual_prior

MOST_YEARS_BACK = 3
MOST_YEARS = 12
LEVEL, LAST = "the level of past years with half the national movement", "the last figure"


def years_ahead(
    rows: pd.DataFrame, metric: Metric, window: Period, lag: int, known_until: Period | None = None
) -> Outlook | NoOutlook:
    """Give the outlook of a metric from the same window of earlier years, or the reason why there is none.

    Parameters are those of `months_ahead`; the window is the published period paid on.
    """
    known = _known(rows, metric, window, known_until)
    grid = Grid(known, metric)
    found = _baseline(grid, window, lag)
    if isinstance(found, NoOutlook):
        return found
    before, lag, start = found
    if any(before.start < changed.date <= before.end for changed in metric.breaks):
        return NoOutlook(f"the definition changed within {before.label}")
    scale = metric.kind.scale
    areas = start.index.to_numpy(dtype=object)
    series = _series(grid, before, scale)
    changes, variances = series.changes(lag)
    now = Figures.of(start, metric)
    usual = annual_scale(changes, variances, 2 * sampling_variance(metric, now), prior=_prior(metric, scale))
    worth = np.isfinite(changes).sum(axis=1) / lag
    ahead = _forecast(series, now.value, usual, lag, scale)
    growth = _growth(known, metric, start.index)
    n = len(areas)
    people = expected_people(
        rows, metric, window, start["denominator"] * growth**lag, hindsight=known_until is None
    )
    per_resident = metric.nature == "flow" and metric.kind.per_resident
    times = (start["exposure"] / start["denominator"]).max() if per_resident else 1.0
    periods = round(times) if np.isfinite(times) else 1
    later = people * periods
    df = np.full(n, usual.df)
    return Outlook(
        metric=metric,
        window=window,
        before=before,
        lag=lag,
        scale=scale,
        known_until=before.label,
        area_codes=areas,
        area_names=start["area_name"].fillna("").to_numpy(dtype=object),
        value=now.value,
        lower=now.lower,
        upper=now.upper,
        numerator=start["numerator"].to_numpy(dtype=float),
        denominator=start["denominator"].to_numpy(dtype=float),
        people=people,
        periods=periods,
        expected=ahead.value,
        expected_scale=ahead.scale,
        expected_df=ahead.df,
        area_scale=ahead.scale,
        area_df=ahead.df,
        england_scale=np.zeros(n),
        no_chance=np.full(n, "", dtype=object),
        usual_scale=usual.scale,
        usual_df=df,
        noise_least=chance(metric).least(metric, now, later),
        noise_test=lambda places, value: chance(metric).p_value(
            metric, now.take(places), value, later[places]
        ),
        places=np.arange(n),
        history=history_of(tuple(areas.tolist()), changes, worth, lag, series.span),
        method=f"history: {usual.source}; forecast: {ahead.method}",
        reason=_reasons(start, usual, metric, before, window),
        warnings=joined(
            _warnings(start, usual, lag, before, changes.shape[1]), extreme_notes(changes, lag, scale)
        ),
    )


def _known(rows: pd.DataFrame, metric: Metric, window: Period, known_until: Period | None) -> pd.DataFrame:
    """Keep the periods that ended before the window, and before what may be known ends."""
    ends = pd.to_datetime(rows["period_end"]).dt.date
    kept = (ends < window.start) & (rows["metric"] == metric.id)
    return rows.loc[kept if known_until is None else kept & (ends <= known_until.end)]


def _baseline(grid: Grid, window: Period, lag: int) -> tuple[Period, int, pd.DataFrame] | NoOutlook:
    reason = f"no figure of {grid.metric.short_name} for the {MOST_YEARS_BACK} years before {window.label}"
    unusable = []
    for years in range(lag, MOST_YEARS_BACK + 1):
        before = window.shift_years(-years)
        figures = window_figures(grid, before).set_index("area_code")
        if figures["n_present"].any():
            return before, years, figures
        if grid.touching(before).size:
            unusable.append(f"{before.label} cannot be used: {figures['reason'].mode()[0]}")
    return NoOutlook(unusable[0] if unusable else reason)


@dataclass(frozen=True, eq=False)
class YearlyValues:
    """Values on the working scale, one column a year, on the definition in force at the end."""

    values: Floats
    variances: Floats
    span: str

    def changes(self, lag: int) -> tuple[Floats, Floats]:
        """Changes over so many years, and their sampling variances."""
        values, variances = self.values, self.variances
        return values[:, lag:] - values[:, :-lag], variances[:, lag:] + variances[:, :-lag]


def _series(grid: Grid, last: Period, scale: str) -> YearlyValues:
    """Lay the published years out, back to the last series break or change of basis."""
    tables, metric = [], grid.metric
    for back in range(MOST_YEARS):
        period = last.shift_years(-back)
        broken = any(period.start < found.date <= last.end for found in metric.breaks)
        if broken or period.end < grid.periods[0].start:
            break
        like = last if metric.frequency == "wave" and back else None
        tables.append(window_figures(grid, period, like))
    newest = tables[0]["basis"].to_numpy()
    values, variances = [], []
    for table in tables:
        now = Figures.of(table, metric)
        whole = (table["n_present"] == table["n_expected"]).to_numpy()
        known = (table["basis"].to_numpy() == newest) & np.isfinite(now.value) & whole
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.log(now.value) if scale == "ratio" else now.value
        values.append(np.where(known & np.isfinite(value), value, np.nan))
        variances.append(sampling_variance(metric, now))
    held = [i for i, column in enumerate(values) if np.isfinite(column).any()]
    first = max(held, default=0)
    span = Period(last.shift_years(-first).start, last.end).label
    return YearlyValues(
        np.column_stack(values[first::-1] if first else values[:1]),
        np.column_stack(variances[first::-1] if first else variances[:1]),
        span,
    )


def _prior(metric: Metric, scale: str) -> AnnualPrior | None:
    found = annual_prior(metric.id)
    return found if found is not None and (found.unit == "log") == (scale == "ratio") else None


def _growth(rows: pd.DataFrame, metric: Metric, areas: pd.Index) -> Floats:
    """Yearly growth of the population under a rate; 1 for those under percentages and scores."""
    if not metric.kind.per_resident:
        return np.ones(len(areas))
    good = usable_rows(rows, metric).dropna(subset=["denominator"])
    people = good.pivot_table(index="area_code", columns="period_start", values="denominator").reindex(areas)
    a_year_before = people.columns <= people.columns.max() - pd.DateOffset(years=1)
    if not a_year_before.any():
        return np.ones(len(areas))
    ratio = (people.iloc[:, -1] / people.loc[:, a_year_before].iloc[:, -1]).to_numpy(dtype=float)
    return np.where(np.isfinite(ratio), ratio, 1.0)


@dataclass(frozen=True, eq=False)
class Ahead:
    """The do-nothing forecast in the metric's unit, and its error on the working scale."""

    value: Floats
    scale: Floats
    df: Floats
    method: str


def _forecast(series: YearlyValues, last: Floats, usual: AnnualScale, lag: int, scale: str) -> Ahead:
    """Forecast by the panel's level; by the last figure where the panel is too small to measure it by."""
    if not np.isfinite(series.variances).any():
        return Ahead(last, usual.scale, np.full(len(last), usual.df), LAST)
    found = annual_forecast(series.values, series.variances, ahead=lag)
    known = np.isfinite(found.value) & np.isfinite(found.scale)
    value = np.exp(found.value) if scale == "ratio" else found.value
    return Ahead(
        np.where(known, value, last),
        np.where(known, found.scale, usual.scale),
        np.where(known, found.df, usual.df),
        LEVEL if known.any() else LAST,
    )


def _reasons(
    start: pd.DataFrame, usual: AnnualScale, metric: Metric, before: Period, window: Period
) -> Texts:
    broken = breaks_between(metric, start.index, before, window)
    known = np.isfinite(start["value"].to_numpy(dtype=float))
    none = start["reason"].fillna("no figure").to_numpy(dtype=object)
    found = np.where((broken != "") | known, broken, none)
    zero = (start["value"] == 0).to_numpy()
    found = np.where((found == "") & zero, "nothing was counted in the baseline", found)
    no_error = start["reason"].where(start["reason"] != "", "its sampling error is not known").to_numpy()
    return np.where((found == "") & ~np.isfinite(usual.scale), no_error, found).astype(object)


def _warnings(start: pd.DataFrame, usual: AnnualScale, lag: int, before: Period, n_changes: int) -> Texts:
    n = len(start)
    older = f"the baseline is {lag} years back, {before.label}: a later one was not known" if lag > 1 else ""
    few = "two figures or fewer: no trend can be told" if n_changes < 2 else ""
    common = "; ".join(filter(None, (older, usual.warning, few)))
    told = start["warnings"].fillna("").to_numpy(dtype=object)
    return joined(told, np.full(n, common, dtype=object))
