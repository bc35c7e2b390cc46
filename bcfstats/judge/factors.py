"""What a board bears in mind when it sets ambitions: paragraphs 50 and 51 of the annex, target by target."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.periods import Period
from bcfstats.judge.ambitions import USUAL_CUTOFFS
from bcfstats.judge.board import NO_FIGURES, Board
from bcfstats.judge.ladder import advise
from bcfstats.judge.outlook import Outlook
from bcfstats.judge.patterns import season_table, trend_table

Seen = Outlook | str


def clear_baselines(board: Board) -> pd.DataFrame:
    """Tell for each target whether there is a clear baseline against which to compare.

    Returns
    -------
    DataFrame
        One row per target due: `baseline_period`, `value` with `lower` and `upper` (95 %), `numerator`,
        `denominator`, `clear` (there is one, and what follows can be compared with it), `remark`.

    Examples
    --------
    >>> from bcfstats import example_data
    >>> from bcfstats.judge.board import board_metrics
    >>> board = board_metrics(example_data(n_areas=20), "Aldamount")
    >>> found = clear_baselines(board)
    >>> found.loc[~found["clear"], "metric"].tolist()
    ['care_home_admissions', 'patient_experience']
    """
    return _each(board, _baseline)


def expected_trends(board: Board) -> pd.DataFrame:
    """Tell for each target how the metric has moved, and what it would be if nothing were done.

    Returns
    -------
    DataFrame
        One row per target due: `slope` with its interval, as `trend_table` gives them, from the periods
        before the one paid on; `expected` with 80 % limits, and `expected_percent` (against the baseline).

    Examples
    --------
    >>> from bcfstats import example_data
    >>> from bcfstats.judge.board import board_metrics
    >>> found = expected_trends(board_metrics(example_data(n_areas=20), "Aldamount")).iloc[0]
    >>> bool(found["expected_lower"] < found["expected"] < found["expected_upper"])
    True
    """
    return _each(board, _trend)


def seasons_of(board: Board) -> pd.DataFrame:
    """Tell for each target how the season bears on the months paid on.

    Returns
    -------
    DataFrame
        One row per target due: `window_index` (the months paid on, 1 is an average day of the year),
        `highest` and `lowest` calendar month with their index, `national_p` (is there a season at all),
        `own_weight`, `remark`.

    Examples
    --------
    >>> from bcfstats import example_data
    >>> from bcfstats.judge.board import board_metrics
    >>> found = seasons_of(board_metrics(example_data(n_areas=20), "Aldamount"))
    >>> admissions = found.loc[found["metric"] == "avoidable_emergency_admissions", "window_index"]
    >>> (admissions > 1).tolist()  # April to September, October to March
    [False, True]
    """
    return _each(board, _season)


def improvements_needed(board: Board) -> pd.DataFrame:
    """Tell for each target what it takes to be statistically significant.

    Returns
    -------
    DataFrame
        One row per target due: `baseline`, `beyond_noise` (just beyond chance within the two periods),
        `significant` (just beyond usual movement between years), `detectable` (found in 80 of 100 such
        periods), in the metric's unit, and the same in per cent of the baseline; `remark`.

    Examples
    --------
    >>> from bcfstats import example_data
    >>> from bcfstats.judge.board import board_metrics
    >>> found = improvements_needed(board_metrics(example_data(n_areas=20), "Aldamount")).iloc[0]
    >>> bool(found["baseline"] > found["beyond_noise"] > found["detectable"])
    True
    """
    return _each(board, _needed)


def reachable_targets(board: Board) -> pd.DataFrame:
    """Tell for each target which values are challenging and yet achievable (`ambition_ladder`).

    Returns
    -------
    DataFrame
        One row per target due, with `advice`.

    Examples
    --------
    >>> from bcfstats import example_data
    >>> from bcfstats.judge.board import board_metrics
    >>> board = board_metrics(example_data(n_areas=20), "Aldamount")
    >>> print(reachable_targets(board)["advice"][6][:57])
    Nothing can be said: The details were to be confirmed (43
    """
    return _each(board, _advice)


def _each(board: Board, tell: Callable[[Board, Any, Seen], dict[str, object]]) -> pd.DataFrame:
    """Tell something of every target due, in its row."""
    rows = [
        {
            "metric": row.metric,
            "payment": row.payment,
            "period": row.period,
            **tell(board, row, board.outlooks[(row.metric, row.payment)]),
        }
        for row in board.due.itertuples()
    ]
    return pd.DataFrame(rows)


def _baseline(_: Board, __: Any, seen: Seen) -> dict[str, object]:
    if isinstance(seen, str):
        empty = dict.fromkeys(("value", "lower", "upper", "numerator", "denominator"), np.nan)
        return {"baseline_period": "", **empty, "clear": False, "remark": seen}
    numbers = {name: getattr(seen, name)[0] for name in ("value", "lower", "upper", "numerator")}
    return {
        "baseline_period": str(seen.before),
        **numbers,
        "denominator": seen.denominator[0],
        "clear": not seen.reason[0],
        "remark": "; ".join(filter(None, (seen.reason[0], seen.warnings[0]))),
    }


def _trend(board: Board, due: Any, seen: Seen) -> dict[str, object]:
    metric = board.metrics[due.metric]
    table = trend_table(_before(board, due), metric) if due.period else pd.DataFrame()
    mine = table.loc[table["area_code"] == board.area_code] if len(table) else table
    told = {str(name): value for name, value in mine.iloc[0].items()} if len(mine) else {}
    told["trend_period"] = told.pop("period", "")
    told = {"slope": np.nan, "reason": NO_FIGURES, "note": "", **told}
    if isinstance(seen, str) or seen.reason[0]:
        nothing = dict.fromkeys(("expected", "expected_lower", "expected_upper", "expected_percent"), np.nan)
        return told | nothing | {"remark": seen if isinstance(seen, str) else seen.reason[0]}
    low, high = seen.expected_interval()
    ahead = {"expected": seen.expected[0], "expected_lower": low[0], "expected_upper": high[0]}
    return told | ahead | {"expected_percent": _percent(seen.expected[0], seen), "remark": ""}


def _season(board: Board, due: Any, _: Seen) -> dict[str, object]:
    metric = board.metrics[due.metric]
    names = ("window_index", "highest", "highest_index", "lowest", "lowest_index", "national_p", "own_weight")
    nothing: dict[str, object] = dict.fromkeys(names, np.nan)
    if metric.frequency != "month" or not due.period:
        whole = "published once a period: the same period a year before has the same season in it"
        return nothing | {"remark": whole if due.period else due.note}
    table = season_table(_before(board, due), metric)
    mine = table.loc[table["area_code"] == board.area_code] if len(table) else table
    if mine.empty or not np.isfinite(mine["index"]).all():
        return nothing | {"remark": "no season could be measured"}
    index = dict(zip(mine["month"], mine["index"], strict=True))
    window = Period.parse(due.period)
    days = np.array([month.days for month in window.months], dtype=float)
    inside = np.array([index[month.start.month] for month in window.months])
    high, low = max(index, key=index.__getitem__), min(index, key=index.__getitem__)
    first = mine.iloc[0]
    return {
        "window_index": float((days * inside).sum() / days.sum()),
        "highest": high,
        "highest_index": index[high],
        "lowest": low,
        "lowest_index": index[low],
        "national_p": first["national_p"],
        "own_weight": float(mine["own_weight"].mean()),
        "remark": str(first["note"]),
    }


def _needed(_: Board, __: Any, seen: Seen) -> dict[str, object]:
    names = ("beyond_noise", "significant", "detectable")
    if isinstance(seen, str) or seen.reason[0]:
        nothing = dict.fromkeys(("baseline", *names, *(f"{name}_percent" for name in names)), np.nan)
        return {**nothing, "remark": seen if isinstance(seen, str) else seen.reason[0]}
    levels = (seen.noise_least[0], seen.minimum_significant()[0], seen.detectable()[0])
    values = dict(zip(names, levels, strict=True))
    percent = {f"{name}_percent": _percent(value, seen) for name, value in values.items()}
    return {"baseline": seen.value[0], **values, **percent, "remark": ""}


def _advice(board: Board, _: Any, seen: Seen) -> dict[str, object]:
    if isinstance(seen, str):
        return {"advice": f"Nothing can be said: {seen.rstrip('.')}."}
    if seen.reason[0]:
        return {"advice": f"Nothing can be said: {seen.reason[0].rstrip('.')}."}
    share = 1.0 if board.rules.pass_share is None else float(board.rules.pass_share)
    return {"advice": advise(seen, share, None, USUAL_CUTOFFS)[board.area_code]}


def _before(board: Board, due: Any) -> pd.DataFrame:
    """Rows of a metric that ended before the period paid on: what can be known when the target is set."""
    rows = board.observations.loc[board.observations["metric"] == due.metric]
    return rows.loc[pd.to_datetime(rows["period_end"]).dt.date < Period.parse(due.period).start]


def _percent(value: float, seen: Outlook) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(100 * (value / seen.value[0] - 1))
