"""Plans followed in the year: where each goal stands at each month or quarter, and what is still needed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from bcfstats.define.levels import LEVELS
from bcfstats.define.metrics import METRICS, Metric
from bcfstats.define.periods import Period, parse_date
from bcfstats.define.schemes import Scheme, scheme
from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.kinds import counted_by_month
from bcfstats.judge.outlook import Floats, NoOutlook, of_area
from bcfstats.judge.outlooks import Outlooks, payment_window
from bcfstats.judge.panel import monthly_panel
from bcfstats.judge.phasing import check_phases, phased, season_in, season_of
from bcfstats.judge.progress import SURE, outcome_ahead
from bcfstats.judge.targets import proposal
from bcfstats.judge.windows import Grid, in_parts, usable_rows
from bcfstats.read.observations import as_frame, typed
from bcfstats.read.targets import TARGET_TYPES
from bcfstats.stats.rows import critical_value
from bcfstats.stats.tolerance import reached
from bcfstats.words import in_100, number, of_100

ON_TRACK, OFF_TRACK, EARLY, NO_DATA = "on track", "not on track", "too early to tell", "no data"
MET, MISSED = "met", "not met"
FEWEST = 20  # degrees of freedom below which quarters are taken as independent counts
GOAL_COLUMNS = ["area_code", "metric", "window", "goal", "parts", "source"]
NEEDED = ("area_code", "metric", "payment", "target_value", "target_numerator", "change_percent")
COLUMNS = [
    *("area_code", "area_name", "metric", "goal_period", "period", "unit", "plan", "actual", "plan_so_far"),
    *("actual_so_far", "goal", "outcome", "outcome_lower", "outcome_upper", "chance", "status"),
    *("return_word", "needed", "periods_left", "missing", "why", "method", "source"),
]


def track(
    observations: pd.DataFrame,
    plan: pd.DataFrame,
    rules: Scheme | str = "bcf-2025-26",
    *,
    known_until: Period | str | None = None,
    metrics: Mapping[str, Metric] = METRICS,
) -> pd.DataFrame:
    """Follow the goals of a plan, as `read_targets` gives it, a row a board, metric and period so far.

    A goal for a year is phased (`phase`); goals for its months or quarters are taken as they stand, and add
    up to the year where it has none. Counts are in people, other metrics in their unit. On track is a chance
    of 80 in 100 of meeting the year's goal, not on track up to 20; between it is too early to tell, and the
    return's word follows the plan so far. A period without its figure has no data; after it, its part of the
    year is forecast as that of the periods to come, and left out of the plan so far.
    """
    rules = scheme(rules)
    looks = Outlooks(observations, rules, metrics=metrics)
    rows, plan = looks.observations, as_plan(plan, metrics)
    until = None if known_until is None else Period.of(known_until)
    goals, closed = goals_of(plan, looks, metrics)
    tables = [
        _Year(rows.loc[rows["metric"] == name], metrics[str(name)], window, looks, until).follow(of, rules)
        for (name, window), of in goals.groupby(["metric", "window"], sort=False)
    ]
    texts = dict.fromkeys(("goal_period", "period", "unit", "method"), "")
    closed = closed.assign(**texts, status=NO_DATA, return_word=rules.status_words["no_data"])
    table = pd.concat([*tables, closed.reindex(columns=COLUMNS)], ignore_index=True)
    names = pd.concat([rows, plan]).drop_duplicates("area_code").set_index("area_code")["area_name"]
    return table.assign(area_name=table["area_code"].map(names).fillna(""))[COLUMNS]


def phase_plan(
    observations: pd.DataFrame,
    plan: pd.DataFrame,
    rules: Scheme | str = "bcf-2025-26",
    *,
    by: str = "quarter",
    path: str = "level",
    start: str | None = None,
    metrics: Mapping[str, Metric] = METRICS,
) -> pd.DataFrame:
    """Phase the goals of a plan (`phase`): a plan by month or quarter, or a goal with the reason why not.

    For a step or a ramp the count without the work is what is expected if nothing is done.
    """
    looks = Outlooks(observations, rules, metrics=metrics)
    goals, closed = goals_of(as_plan(plan, metrics), looks, metrics)
    rows: list[dict[str, Any]] = [
        {"area": row["area_code"], "metric": row["metric"], "reason": row["why"]}
        for row in closed.to_dict("records")
    ]
    first = None if start is None else parse_date(start)
    if start is not None and first is None:
        raise ParameterError("This is not a day.", found=f"'{start}'", do="Write 1 October 2025.")
    seasons: dict[tuple[str, Period], pd.DataFrame] = {}
    for goal in goals.to_dict("records"):
        metric, window, area = metrics[goal["metric"]], goal["window"], goal["area_code"]
        view = of_area(looks.of(metric, str(window)), area)
        unchanged = None if isinstance(view, NoOutlook) else float(view.expected_events[0])
        told = {"area": area, "metric": metric.id}
        if not np.isfinite(goal["goal"]):
            rows.append({**told, "reason": "the goal cannot be worked out as a count"})
            continue
        try:
            check_phases(metric, window, by)
            if (metric.id, window) not in seasons:
                of = looks.observations["metric"] == metric.id
                seasons[metric.id, window] = season_of(looks.observations.loc[of], metric, window)
            index = season_in(seasons[metric.id, window], area, window)
            made = phased(index, window, by, goal["goal"], path, first, unchanged)
        except (InputError, ParameterError) as error:
            rows.append({**told, "reason": error.what})
            continue
        pairs = zip(made["period"], made["target"], strict=True)
        rows += [
            {**told, "payment": period, "target_numerator": count, "source": goal["source"], "reason": ""}
            for period, count in pairs
        ]
    return pd.DataFrame(rows, columns=["area", "metric", "payment", "target_numerator", "source", "reason"])


def as_plan(plan: pd.DataFrame, metrics: Mapping[str, Metric]) -> pd.DataFrame:
    """Take a plan as `read_targets` gives it."""
    plan = typed(as_frame(plan, "plan", TARGET_TYPES, NEEDED), TARGET_TYPES)
    unknown = sorted(set(plan["metric"]) - set(metrics))
    if unknown:
        raise ParameterError("There is no such metric.", found=", ".join(unknown))
    if plan.empty:
        raise InputError("The plan has no goal.", do="Give one row a board, metric and period.")
    return plan


def latest(tracked: pd.DataFrame) -> pd.DataFrame:
    """Keep the last state of each goal: that of the last period with a figure."""
    known = tracked["status"] != NO_DATA
    keys = ["area_code", "metric", "goal_period"]
    ordered = tracked.assign(known=known).sort_values("known", kind="stable")
    last = ordered.drop_duplicates(keys, keep="last").drop(columns="known")
    return last.sort_index().reset_index(drop=True)


def goals_of(
    plan: pd.DataFrame, looks: Outlooks, metrics: Mapping[str, Metric]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the goals (window, what is asked in it, the plan of its parts), and those without a period."""
    goals: list[dict[str, Any]] = []
    closed: list[dict[str, Any]] = []
    for (area, name), rows in plan.groupby(["area_code", "metric"], sort=False):
        metric = metrics[str(name)]
        asked: dict[Period, float] = {}
        for row in rows.to_dict("records"):
            window = payment_window(metric, row["payment"], looks.rules)
            if isinstance(window, NoOutlook):
                closed.append(
                    {"area_code": area, "metric": name, "why": window.reason, "source": row["source"]}
                )
                continue
            if window in asked:
                raise InputError("A board has two goals for one metric and period.", found=f"{area}, {name}")
            asked[window] = _asked(row, metric, window, looks)
        source = "; ".join(dict.fromkeys(filter(None, rows["source"])))
        for window in _wholes(asked):
            parts = {part: value for part, value in asked.items() if window.contains(part) and part != window}
            total = sum(parts.values()) if counts_people(metric) else np.nan
            goal = {"window": window, "goal": asked.get(window, total), "parts": parts}
            goals.append({"area_code": area, "metric": name, "source": source, **goal})
    return pd.DataFrame(goals, columns=GOAL_COLUMNS), pd.DataFrame(closed)


def _wholes(asked: Iterable[Period]) -> list[Period]:
    """Find the windows that no other contains; months or quarters in a row without a year are one."""
    windows = sorted(asked)
    top = [one for one in windows if not any(two.contains(one) for two in windows if two != one)]
    short = len({one.n_months for one in top}) == 1 and top[0].n_months in (1, 3)
    in_a_row = all(later.start - earlier.end == timedelta(days=1) for earlier, later in pairwise(top))
    return [Period(top[0].start, top[-1].end)] if short and in_a_row else top


def counts_people(metric: Metric) -> bool:
    """Whether a plan of a metric is told in people or events, rather than in its value."""
    return metric.kind.needs_population and metric.kind.tells_events


def _asked(row: dict[str, Any], metric: Metric, window: Period, looks: Outlooks) -> float:
    """What a row of a plan asks for: whole people where they are counted, else a value."""
    counted = counts_people(metric)
    if counted and np.isfinite(row["target_numerator"]):
        return float(np.round(row["target_numerator"]))
    view = of_area(looks.of(metric, str(window)), row["area_code"])
    if isinstance(view, NoOutlook):
        return float("nan") if counted else float(row["target_value"])
    value = proposal(view, pd.DataFrame([row])).value[0]
    return float(np.floor(value / view.values_per_event[0] + 0.5) if counted else value)


def rest_of_year(
    done: Floats, share: Floats, expected: Floats, scale: Floats, noise_so_far: Floats, noise_rest: Floats
) -> tuple[Floats, Floats]:
    """Forecast what the rest of a year adds, and the standard error of its log.

    `expected` is the year's total if nothing is done, `scale` the standard error of its log; `share` of it
    was due by now. What came instead, `done` (a half where nothing came), moves the level by its weight
    against its own noise.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        seen = np.log(np.where(done > 0, done, 0.5) / (expected * share))
        weight = scale**2 / (scale**2 + noise_so_far)
        rest = expected * (1 - share) * np.exp(weight * seen)
        error = np.sqrt(weight * noise_so_far + noise_rest)
    return rest, error


@dataclass(frozen=True)
class _State:
    """How the year looks once some of its periods are known, one entry an area."""

    so_far: Floats
    outcome: Floats
    lower: Floats
    upper: Floats
    chance: Floats


class _Year:
    """One metric over the window of a goal, in every area."""

    def __init__(
        self, rows: pd.DataFrame, metric: Metric, window: Period, looks: Outlooks, until: Period | None
    ) -> None:
        self.rows, self.metric, self.window = rows, metric, window
        self.counts = counts_people(metric)
        frequencies = set(rows["frequency"])
        self.by = next((name for name in ("month", "quarter") if name in frequencies), "")
        self.periods: tuple[Period, ...] = (window,)
        if self.by and window.is_whole_months and window.n_months % (3 if self.by == "quarter" else 1) == 0:
            self.periods = in_parts(window, 3 if self.by == "quarter" else 1)
        grid = Grid(usable_rows(rows, metric), metric)
        self.areas, self.figures = grid.areas, grid.pieces(self.periods)
        inside = [until is None or period.end <= until.end for period in self.periods]
        name = "events" if self.counts else "value"
        self.actual = np.where(inside, self.figures.numbers[name], np.nan)
        self.known = np.isfinite(self.actual)
        self.season = season_of(rows, metric, window) if self.counts else pd.DataFrame()
        seen = looks.of(metric, str(window))
        self.seen = None if isinstance(seen, NoOutlook) else seen
        self.reason, self.method = (seen.reason, "") if isinstance(seen, NoOutlook) else ("", seen.method)
        self.past = grid.pieces(tuple(p.shift_years(-1) for p in self.periods))
        self.panel = monthly_panel(rows, metric) if counted_by_month(metric) else None

    def follow(self, goals: pd.DataFrame, rules: Scheme) -> pd.DataFrame:
        """Give a row for each goal and each period up to the last that any area has a figure for."""
        place = {code: i for i, code in enumerate(self.areas)}
        goal, plan = np.full(len(self.areas), np.nan), np.full(self.actual.shape, np.nan)
        last = int(np.flatnonzero(self.known.any(axis=0)).max(initial=-1)) + 1
        for row in goals.to_dict("records"):
            if row["area_code"] in place:
                goal[place[row["area_code"]]] = row["goal"]
                plan[place[row["area_code"]]] = self._plan(row)
        states = [self._state(k, goal) for k in range(1, last + 1)]
        found = []
        for row in goals.to_dict("records"):
            i = place.get(row["area_code"], -1)
            for k in range(max(last, 1)):
                numbers = self._numbers(i, k, states[k], plan) if i >= 0 and last > 0 else {}
                missing = [] if i < 0 else [self.periods[j].label for j in range(k) if not self.known[i, j]]
                found.append(self._row(row, k, numbers, missing, rules))
        return pd.DataFrame(found).reindex(columns=COLUMNS)

    def _plan(self, row: Mapping[str, Any]) -> Floats:
        """Give the plan of each period: as it stands, or phased from the year's or a longer period's."""
        parts: Mapping[Period, float] = row["parts"] or {self.window: row["goal"]}
        found = []
        for period in self.periods:
            whole = next((part for part in parts if part.contains(period)), None)
            if whole is None:
                found.append(np.nan)
            elif whole == period or not self.counts or not np.isfinite(parts[whole]):
                found.append(parts[whole])
            else:
                none = np.full(12, np.nan)
                known = row["area_code"] in self.season.index
                index = self.season.loc[row["area_code"]].to_numpy(dtype=float) if known else none
                of = phased(index, whole, self.by, parts[whole]).set_index("period")["target"]
                found.append(float(of[period.label]))
        return np.array(found)

    def _state(self, k: int, goal: Floats) -> _State:
        """Say what the year comes to once so many of its periods are known, if nothing more changes."""
        n, whole = len(self.periods), self.known[:, :k].all(axis=1)
        so_far = self._so_far(k)
        if k == n:
            met = reached(so_far, goal, self.metric.direction)
            chance = np.where(np.isfinite(goal), met.astype(float), np.nan)
            complete = _State(so_far, so_far, so_far, so_far, chance)
        elif self.panel is not None:
            complete = _State(so_far, *self._by_month(k, goal))
        else:
            complete = self._ahead(k, goal, so_far)
        if whole.all() or (k < n and self.panel is None):
            return complete
        ahead = self._ahead(k, goal, so_far)
        pairs = zip(vars(complete).values(), vars(ahead).values(), strict=True)
        return _State(*(np.where(whole, seen, guessed) for seen, guessed in pairs))

    def _ahead(self, k: int, goal: Floats, so_far: Floats) -> _State:
        """Forecast what is not known of the year from the outlook at its start, moved by what is."""
        lower_is_better, known = self.metric.polarity == "lower", self.known[:, :k]
        expected, scale = self._expected()
        days = np.array([period.days for period in self.periods], dtype=float)
        weight = days * self._season_of_periods()
        share = (known * weight[:k]).sum(axis=1) / weight.sum()
        done = so_far if self.counts else so_far * share
        if self.counts:
            expected = np.where(expected > 0, expected, np.nan)
            spread, parts, ahead = self._dispersion() / expected, share, 1 - share
        else:
            n, parts = len(self.periods), known.sum(axis=1)
            spread, ahead = np.full(len(parts), self._scatter()), n - parts
            scale = np.sqrt(scale**2 + spread / n)
        with np.errstate(divide="ignore", invalid="ignore"):  # where nothing is known, or all is
            noise, later = spread / parts, spread / ahead
            rest, error = rest_of_year(done, share, expected, scale, noise, later)
            half = np.where(ahead > 0, np.exp(critical_value(LEVELS.forecast) * error), np.nan)
            z = np.log(np.maximum(goal - done, 0) / rest) / error
        at_most = np.where(np.isfinite(goal + rest), special.ndtr(z), np.nan)
        chance = at_most if lower_is_better else 1 - at_most
        return _State(so_far, done + rest, done + rest / half, done + rest * half, chance)

    def _so_far(self, k: int) -> Floats:
        """Add up the counts there are so far; of other metrics, their value over the periods so far."""
        known = self.known[:, :k]
        weight = self.figures.numbers["denominator"][:, :k]
        weight = np.where(np.isfinite(weight), weight, 1.0) * known
        if self.counts:
            total = np.where(known, self.actual[:, :k], 0.0).sum(axis=1)
            return np.where(known.any(axis=1), total, np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(
                (np.where(known, self.actual[:, :k], 0.0) * weight).sum(axis=1) / weight.sum(axis=1)
            )

    def _by_month(self, k: int, goal: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Forecast the rest of a monthly count by the panel of all areas (`do_nothing_forecast`)."""
        assert self.panel is not None
        known = Period(self.window.start, self.periods[k - 1].end)
        covered = self.panel.columns(known).tolist()
        at = np.array([self.panel.area_codes.index(code) for code in self.areas])
        people = self.panel.denominators[at, covered[-1]] if covered else np.full(len(at), np.nan)
        per_value = people * self.window.n_months / self.metric.multiplier
        lines = pd.DataFrame({"payment_line": goal / per_value})
        given = (self.panel, self.metric, self.window, known, covered, lines, at)
        outcome, low, high, chance = outcome_ahead(*given)
        return outcome * per_value, low * per_value, high * per_value, chance

    def _expected(self) -> tuple[Floats, Floats]:
        """Give the year's total, or value, if nothing is done, and the standard error of its log."""
        nothing = np.full(len(self.areas), np.nan)
        if self.seen is None:
            return nothing, nothing
        place = {code: i for i, code in enumerate(self.seen.area_codes)}
        at = np.array([place.get(code, -1) for code in self.areas])
        total = self.seen.expected_events if self.counts else self.seen.expected
        scale = self.seen.expected_scale
        scale = scale if self.seen.scale == "ratio" else scale / self.seen.expected
        return np.where(at >= 0, total[at], np.nan), np.where(at >= 0, scale[at], np.nan)

    def _season_of_periods(self) -> Floats:
        """Average the index of the months of each period; one where there is no season."""
        if self.season.empty or not np.isfinite(self.season.iloc[0]).all():
            return np.ones(len(self.periods))
        index = self.season.iloc[0].to_numpy(dtype=float)  # by quarter it is that of all areas
        return np.array([np.mean([index[month.start.month - 1] for month in p.months]) for p in self.periods])

    def _dispersion(self) -> float:
        """Say how much more than independent counts the periods of a year vary in an area, of all areas."""
        events = self.past.numbers["events"]
        whole = events[np.isfinite(events).all(axis=1)]
        weight = np.array([period.days for period in self.periods]) * self._season_of_periods()
        df = len(whole) * (len(self.periods) - 1)
        if df < FEWEST:
            return 1.0
        mean = whole.sum(axis=1, keepdims=True) * weight / weight.sum()
        return max(1.0, float(((whole - mean) ** 2 / mean).sum() / df))

    def _scatter(self) -> float:
        """Variance of the log of one period's value about its area's and its period's, over all areas."""
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.log(self.past.numbers["value"])
        values = values[np.isfinite(values).all(axis=1)]
        df = (len(values) - 1) * (values.shape[1] - 1)
        if df < FEWEST:
            return float("nan")
        rest = values - values.mean(axis=1, keepdims=True) - values.mean(axis=0) + values.mean()
        return float((rest**2).sum() / df)

    def _numbers(self, i: int, k: int, state: _State, plan: Floats) -> dict[str, float]:
        """Lay out what is known of an area at the end of a period; nothing is expected without its figure."""
        planned = plan[i, : k + 1][self.known[i, : k + 1]]
        so_far = {
            "plan": plan[i, k],
            "actual": self.actual[i, k],
            "plan_so_far": float(planned.sum() if self.counts else planned.mean())
            if planned.size
            else np.nan,
            "actual_so_far": state.so_far[i],
        }
        if not self.known[i, k]:
            return so_far
        return so_far | {
            "outcome": state.outcome[i],
            "outcome_lower": state.lower[i],
            "outcome_upper": state.upper[i],
            "chance": state.chance[i],
        }

    def _row(
        self, goal: Mapping[str, Any], k: int, numbers: dict[str, float], missing: list[str], rules: Scheme
    ) -> dict[str, Any]:
        row: dict[str, Any] = {**dict.fromkeys(COLUMNS, np.nan), **numbers, "goal": goal["goal"]}
        left = len(self.periods) - k - 1
        status = self._status(row, left, bool(missing))
        row |= {
            "area_code": goal["area_code"],
            "metric": self.metric.id,
            "goal_period": str(self.window),
            "period": str(self.periods[k]),
            "unit": self.metric.event if self.counts else self.metric.unit,
            "status": status,
            "return_word": self._return_word(row, status, rules),
            "needed": row["goal"] - row["actual_so_far"] if self.counts else np.nan,
            "periods_left": left,
            "missing": "; ".join(missing),
            "method": self.method,
            "source": goal["source"],
        }
        return row | {"why": self._why(row, missing)}

    def _status(self, row: Mapping[str, Any], left: int, incomplete: bool) -> str:
        if not np.isfinite(row["actual"]):
            return NO_DATA
        if left == 0 and not incomplete and np.isfinite(row["chance"]):
            return MET if row["chance"] == 1 else MISSED
        if row["chance"] >= SURE:
            return ON_TRACK
        return OFF_TRACK if row["chance"] <= 1 - SURE else EARLY

    def _return_word(self, row: Mapping[str, Any], status: str, rules: Scheme) -> str:
        """Choose the word of the return, which knows no "too early": there the plan so far decides."""
        words = rules.status_words
        if status == NO_DATA:
            return words["no_data"]
        level = reached(row["actual_so_far"], row["plan_so_far"], self.metric.direction)
        good = status in (ON_TRACK, MET) or (status == EARLY and level)
        return words["on_track" if good else "not_on_track"]

    def _why(self, row: Mapping[str, Any], missing: list[str]) -> str:
        """Say what a state rests on, in sentences."""
        period, short = Period.parse(row["period"]).label, self.metric.short_name
        until = period.rpartition(" to ")[2]
        if row["status"] == NO_DATA:
            return f"{short}: there is no usable figure for {period}."
        decimals, unit = (0, f" {row['unit']}") if self.counts else (self.metric.decimals, "")
        names = ("actual_so_far", "plan_so_far", "goal")
        so_far, plan, goal = (number(row[name], decimals) for name in names)
        told = (
            f"{short} to {until}: {so_far}{unit}, planned {plan}; the goal for {self.window.label} is {goal}."
        )
        if missing:
            told += f" Missing, and left out of both: {'; '.join(missing)}."
        left = int(row["periods_left"]) + len(missing)
        if left == 0:
            return told
        if not np.isfinite(row["chance"]):
            why = self.reason or "what the year would come to cannot be worked out"
            return f"{told} No chance can be given: {why.rstrip('.')}."
        low, high, middle = (number(row[f"outcome{end}"], decimals) for end in ("_lower", "_upper", ""))
        told += (
            f" If nothing more changes about {middle} is expected, between {low} and {high} in "
            f"{of_100(LEVELS.forecast)} of 100 such cases: {in_100(row['chance'])} would meet the goal."
        )
        if not self.counts:
            return told
        needed, done = max(row["needed"], 0.0), row["actual_so_far"]
        ahead = (f"the {self.by}" if left == 1 else f"the {left} {self.by}s") + " left or missing"
        ahead = ahead if missing else ahead.removesuffix(" or missing")
        fewer = "can still come" if self.metric.polarity == "lower" else "must still come"
        return told + (
            f" {number(needed)} {fewer} in {ahead}, {number(needed / left)} a {self.by}; "
            f"so far there were {number(done / (len(self.periods) - left))} a {self.by}."
        )
