"""Everything a report needs, computed once for all areas before any notebook runs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

import numpy as np
import pandas as pd

from bcfstats.define.metrics import METRICS, Metric
from bcfstats.define.periods import Period
from bcfstats.define.schemes import DEFAULT_SCHEME, LOCAL, Scheme, scheme
from bcfstats.errors import InputError
from bcfstats.judge.ambitions import COLUMNS as ASSESSMENT_COLUMNS
from bcfstats.judge.ambitions import assess_targets
from bcfstats.judge.baseline import interval_of, window_figures
from bcfstats.judge.candidates import COLUMNS as CANDIDATE_COLUMNS
from bcfstats.judge.candidates import candidates_of
from bcfstats.judge.changes import change, outlook_table, taken_together, with_history
from bcfstats.judge.decision import MET, MISSED, due_of
from bcfstats.judge.ladder import ladder_of
from bcfstats.judge.outlook import NoOutlook, Outlook
from bcfstats.judge.outlooks import Outlooks
from bcfstats.judge.panel import COVERED, longest_run, monthly_panel
from bcfstats.judge.patterns import season_table, trend_table
from bcfstats.judge.results import LATEST, Results
from bcfstats.judge.screening import Trusted, screen
from bcfstats.judge.standings import nation, standings
from bcfstats.judge.windows import Grid, usable_rows, with_values
from bcfstats.read.data import Data
from bcfstats.read.observations import KEY, check_observations, problems_by_area
from bcfstats.words import number

MONTHS_IN_YEAR = 12
BY_METRIC = ("windows", "trends", "seasons", "outlooks", "ladders", "candidates")
NO_ASSESSMENTS = pd.DataFrame(columns=ASSESSMENT_COLUMNS)


def assess(
    data: Data,
    rules: Scheme | str = DEFAULT_SCHEME,
    *,
    metrics: Mapping[str, Metric] = METRICS,
    targets: pd.DataFrame | None = None,
    allocations: pd.DataFrame | None = None,
    trusted: Sequence[Trusted] = (),
    each: Callable[..., Iterable[dict[str, list[pd.DataFrame]]]] = map,
) -> Results:
    """Compute baselines, changes, trends, seasons, outlooks and ladders for every area and metric.

    Proposed targets, from `read_targets`, are judged as well, with the money of `read_allocations` on them;
    `trusted` are months the analyst vouches for; `each` calls a function with each metric, as `map` does.
    An area whose observations break a rule is left out of every calculation and named in `areas`.
    """
    rules = scheme(rules)
    data = data.at(rules)
    problems = problems_by_area(check_observations(data.observations, metrics))
    observations = data.observations
    if problems:
        observations = observations.loc[~observations["area_code"].isin(list(problems))]
    screened = screen(observations, metrics, trusted)
    observations = screened.observations
    names = set(observations["metric"].unique())
    present = [metrics[name] for name in metrics if name in names]
    if not present:
        raise InputError("There are no usable observations.", do="Prepare some published files first.")
    due = [row for row in due_of(rules) if row["metric"] in (LOCAL, *metrics)]
    named = {row["metric"] for row in due} | (set() if targets is None else set(targets["metric"]))
    looks = Outlooks(observations, rules, metrics=metrics)

    def rows_of(metric: Metric) -> pd.DataFrame:
        return observations.loc[observations["metric"] == metric.id]

    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in BY_METRIC}
    for made in each(lambda metric: _of_metric(metric, rows_of(metric), looks, rules), present):
        for name, frames in made.items():
            tables[name] += frames
    series = [series_table(rows_of(metric), metric) for metric in present]  # too large to be sent by `each`
    areas = _areas(data, problems)
    compared, sloped = taken_together(_stack(tables["windows"]), _stack(tables["trends"]))
    among, peers = standings(compared, areas, metrics)
    return Results(
        areas=areas,
        series=pd.concat(series, ignore_index=True),
        windows=compared,
        trends=sloped,
        seasons=_stack(tables["seasons"]),
        outlooks=_stack(tables["outlooks"]),
        ladders=_stack(tables["ladders"]),
        candidates=_stack([rows for rows in tables["candidates"] if len(rows)]).reindex(
            columns=CANDIDATE_COLUMNS
        ),
        findings=screened.findings,
        standings=among,
        peers=peers,
        assessments=NO_ASSESSMENTS if targets is None else assess_targets(targets, looks, allocations),
        metrics=tuple(metrics[name] for name in metrics if name in names | named),
        about={
            "scheme": rules.id,
            "scheme_title": rules.told,
            "is_example": data.is_example,
            "pays": rules.pays,
            "word": rules.word,
            "due": due,
            "england": nation(data.others, among),
            "follows": {name: list(rules.what_follows(name == MET)) for name in (MET, MISSED)},
        },
    )


def _of_metric(
    metric: Metric, rows: pd.DataFrame, looks: Outlooks, rules: Scheme
) -> dict[str, list[pd.DataFrame]]:
    """Compute what rests on one metric alone."""
    made: dict[str, list[pd.DataFrame]] = {name: [] for name in BY_METRIC}
    for label, before, after in comparisons_of(rows, metric, rules):
        seen = _same_windows(looks.of(metric, str(after)), before)
        window = with_history(change(rows, metric, before, after, label=label), seen)
        made["windows"].append(window)
        if seen is not None:
            ladder = ladder_of(seen, label, rules)
            made["outlooks"].append(outlook_table(seen, label, ladder.recommended))
            made["ladders"].append(ladder.rungs)
            if label != LATEST:
                made["candidates"].append(candidates_of(_still_open(seen, window), label, rules))
    made["trends"].append(trend_table(rows, metric))
    if metric.frequency == "month":
        made["seasons"].append(season_table(rows, metric))
    return made


def with_first_editions(
    windows: pd.DataFrame, observations: pd.DataFrame, earlier: pd.DataFrame, metrics: Sequence[Metric]
) -> pd.DataFrame:
    """Say beside each baseline what it was as first published, where it has been revised since."""
    every = pd.concat([earlier, observations])
    first = every.sort_values("vintage", na_position="first", kind="stable").drop_duplicates(KEY)
    windows = windows.reset_index(drop=True)
    notes = windows["baseline_warnings"].to_dict() if len(windows) else {}
    for metric in metrics:
        revised = set(earlier.loc[earlier["metric"] == metric.id, "area_code"])
        grids = [Grid(rows.loc[rows["area_code"].isin(revised)], metric) for rows in (first, observations)]
        mine = windows.loc[windows["metric"].eq(metric.id) & windows["area_code"].isin(revised)]
        for (before, after), rows in mine.groupby(["baseline_period", "outcome_period"]):
            both = Period.parse(before), Period.parse(after)
            was, now = (window_figures(grid, *both).set_index("area_code") for grid in grids)
            for i, code in rows.loc[np.isfinite(rows["baseline_value"]), "area_code"].items():
                then, since = (number(edition["value"][code], metric.decimals) for edition in (was, now))
                if then != since and was["n_present"][code] == rows["baseline_n_present"][i]:
                    notes[i] = "; ".join(filter(None, (notes[i], f"as first published it was {then}")))
    return windows.assign(baseline_warnings=pd.Series(notes, dtype="object")) if notes else windows


def _same_windows(seen: Outlook | NoOutlook, before: Period) -> Outlook | None:
    """Keep an outlook that starts from the baseline that a change is measured from."""
    return seen if isinstance(seen, Outlook) and seen.before == before else None


def _still_open(seen: Outlook, window: pd.DataFrame) -> Outlook:
    """Keep the areas whose outcome is not known yet."""
    known = np.isfinite(window[["outcome_value", "outcome_whole_value"]].to_numpy(dtype=float)).all(axis=1)
    return seen.take(np.flatnonzero(~pd.Index(seen.area_codes).isin(window.loc[known, "area_code"])))


def comparisons_of(rows: pd.DataFrame, metric: Metric, rules: Scheme) -> list[tuple[str, Period, Period]]:
    """List the comparisons to make (label, baseline, outcome): each payment, then the latest year."""
    lag = rules.baseline_lag_months // MONTHS_IN_YEAR
    paid = [
        (payment.id, window.shift_years(-lag), window)
        for payment in rules.payments
        if (window := payment.metrics.get(metric.id)) is not None
    ]
    latest = latest_year(rows, metric)
    if latest is None or latest in [(before, after) for _, before, after in paid]:
        return paid
    return [*paid, (LATEST, *latest)]


def latest_year(rows: pd.DataFrame, metric: Metric) -> tuple[Period, Period] | None:
    """Find the latest year with data and the year it can be compared with.

    For a monthly metric: the last twelve months in a row that most areas have figures for, and the twelve
    before them. For others: the last published period and the last before it that covers the same months,
    of those that at least half as many areas have a figure for as for any other.
    """
    if metric.frequency == "month":
        run = longest_run(monthly_panel(rows, metric))
        if run is None or run.n_months < MONTHS_IN_YEAR:
            return None
        last = Period(run.months[-MONTHS_IN_YEAR].start, run.end)
        return last.shift_years(-1), last
    periods = published(rows, metric)
    if metric.frequency in ("quarter", "year") and (whole := _whole_year(rows, metric, periods)) is not None:
        return whole.shift_years(-1), whole
    same_months = [period for period in periods[:-1] if _begins(period) == _begins(periods[-1])]
    return (same_months[-1], periods[-1]) if same_months else None


def published(rows: pd.DataFrame, metric: Metric) -> list[Period]:
    """List the periods, but those that fewer than half as many areas have a figure for as for another."""
    areas = usable_rows(rows, metric).groupby(["period_start", "period_end"])["area_code"].nunique()
    many = areas.index[areas >= areas.max() / 2]
    return sorted(Period(start.date(), end.date()) for start, end in many)


def _whole_year(rows: pd.DataFrame, metric: Metric, periods: list[Period]) -> Period | None:
    """Find the latest twelve months that quarters add up to in most areas, as in the year before."""
    grid = Grid(rows, metric)
    for period in reversed(periods):
        if not period.is_whole_months or period.n_months >= MONTHS_IN_YEAR:
            continue
        year = Period(period.shift_years(-1).end + timedelta(days=1), period.end)
        both = (grid.over(window) for window in (year.shift_years(-1), year))
        if all((made["n_present"] == made["n_expected"]).mean() >= COVERED for made in both):
            return year
    return None


def _begins(period: Period) -> tuple[int, int]:
    return period.start.month, period.n_months


def series_table(rows: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Give every observation of a metric its interval where one can be made."""
    frame = with_values(rows, metric).sort_values(["area_code", "period_start"], ignore_index=True)
    events, denominator, value, lower_ci, upper_ci = (
        frame[name].to_numpy(dtype=float)
        for name in ("events", "denominator", "value", "lower_ci", "upper_ci")
    )
    shown = frame["status"].isin(["ok", "rounded", "suspect"]).to_numpy()
    value = np.where(shown, value, np.nan)
    lower, upper, method, _ = interval_of(metric, events, denominator, value, lower_ci, upper_ci)
    return frame.assign(value=value, lower=lower, upper=upper, method=method).drop(
        columns=["lower_ci", "upper_ci", "events"]
    )


def _areas(data: Data, problems: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    named = data.observations[["area_code", "area_name"]].drop_duplicates("area_code")
    areas = named.merge(data.areas.drop(columns="area_name"), on="area_code", how="left")
    areas["problem"] = [" ".join(problems.get(code, ())) for code in areas["area_code"]]
    return areas.sort_values("area_code", ignore_index=True)


def _stack(frames: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
