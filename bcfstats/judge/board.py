"""One board's metrics: which targets a scheme asks of it, and its choices as targets."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.areas import find_area
from bcfstats.define.metrics import METRICS, Metric, get_metric
from bcfstats.define.periods import Period
from bcfstats.define.schemes import DEFAULT_SCHEME, LOCAL, Payment, Scheme, payment_key, scheme
from bcfstats.errors import ParameterError
from bcfstats.judge.ladder import advise
from bcfstats.judge.outlook import NO_FIGURES, NoOutlook, Outlook, of_area
from bcfstats.judge.outlooks import Outlooks
from bcfstats.judge.patterns import season_table, trend_table
from bcfstats.judge.screening import sound
from bcfstats.judge.targets import NOT_KNOWN, USUAL_CUTOFFS, noise_is_known, possible, why_missing
from bcfstats.read.data import Data
from bcfstats.read.observations import typed
from bcfstats.read.targets import TARGET_TYPES

DUE_COLUMNS = ["metric", "payment", "paid", "paid_in", "period", "note"]


@dataclass(frozen=True, eq=False)
class Board:
    """One board's metrics, and what can be said of each before a target is set.

    `due` has a row per target to be set: `metric`, `payment` (as a targets file has it), `paid` (ids of the
    payments it counts for) and `paid_in` (in words), `period`, `note`. Each outlook is of this area alone;
    `observations` are what may be judged, of all areas.
    """

    area_code: str
    area_name: str
    rules: Scheme
    observations: pd.DataFrame
    due: pd.DataFrame
    outlooks: Mapping[tuple[str, str], Outlook | NoOutlook]
    metrics: Mapping[str, Metric]
    is_example: bool


def board_metrics(
    data: Data,
    area: str | None = None,
    rules: Scheme | str = DEFAULT_SCHEME,
    *,
    local_metric: str | None = None,
    periods: Mapping[str, str] | None = None,
    metrics: Mapping[str, Metric] = METRICS,
) -> Board:
    """Bring together a board's metrics: those of the scheme, and the one it has chosen itself.

    The first area by name is taken where none is given. Without a local metric that one is left out;
    `periods` are what is agreed, by metric, where the scheme leaves them open.
    """
    rules = scheme(rules)
    code = find_area(area, data.areas).area_code if area else _first(data.areas)
    known = data.observations.loc[data.observations["metric"].isin(set(metrics))]
    observations = sound(known, metrics).observations
    due = metrics_due(rules, local_metric, periods or {}, metrics)
    outlooks = Outlooks(observations, rules, metrics=metrics)
    return Board(
        area_code=code,
        area_name=str(data.areas.set_index("area_code")["area_name"][code]),
        rules=rules,
        observations=observations,
        due=due,
        outlooks={
            (row.metric, row.payment): of_area(outlooks.of(row.metric, row.payment), code)
            for row in due.itertuples()
        },
        metrics=metrics,
        is_example=data.is_example,
    )


def metrics_due(
    rules: Scheme, local_metric: str | None, periods: Mapping[str, str], metrics: Mapping[str, Metric]
) -> pd.DataFrame:
    """List the targets a scheme asks of a board, one row each, in the columns `DUE_COLUMNS` names."""
    rules.must_plan()
    rows: dict[tuple[str, str], dict[str, object]] = {}
    paid: dict[tuple[str, str], list[Payment]] = defaultdict(list)
    for payment in rules.payments:
        for name, window in payment.metrics.items():
            if name == LOCAL and local_metric is None:
                continue
            metric = get_metric(str(local_metric) if name == LOCAL else name, metrics).id
            if payment.paid_as(metrics[metric]) != name:
                raise ParameterError(
                    "This metric cannot be chosen as the local one: it is paid for already, or is not local.",
                    found=f"'{local_metric}'",
                )
            agreed = periods.get(metric) if window is None else None
            key = metric, agreed or payment.id
            paid[key].append(payment)
            period = Period.parse(agreed) if agreed else window
            note = "" if window else payment.reasons[name].rstrip(".")
            rows[key] = {
                "metric": metric,
                "payment": key[1],
                "paid": tuple(one.id for one in paid[key]),
                "paid_in": ", ".join(one.label for one in paid[key]),
                "period": str(period or ""),
                "note": f"{note}; agreed here: {period.label}" if note and period else note,
            }
    return pd.DataFrame(rows.values(), columns=DUE_COLUMNS)


def as_targets(board: Board, chosen: Sequence[tuple[str, str, float]], source: str) -> pd.DataFrame:
    """Turn choices of (metric, payment, change in per cent) into targets, as `read_targets` gives them."""
    due = list(zip(board.due["metric"], board.due["payment"], strict=True))
    spelt = {(metric, payment_key(payment)): payment for metric, payment in due}
    ids = [(get_metric(metric, board.metrics).id, payment) for metric, payment, _ in chosen]
    keys = [(metric, spelt.get((metric, payment_key(payment)), payment)) for metric, payment in ids]
    wrong = [key for i, key in enumerate(keys) if key not in due or key in keys[:i]]
    if wrong or not keys:
        raise ParameterError(
            "Each target that is due can be chosen once.",
            found=", ".join(wrong[0]) if wrong else "no choice",
            do="Due are: " + "; ".join(f"{metric}, {payment}" for metric, payment in sorted(due)) + ".",
        )
    rows = [
        {
            "area_code": board.area_code,
            "area_name": board.area_name,
            "metric": metric,
            "payment": payment,
            "change_percent": float(change),
            "against": "baseline",
            "source": source,
        }
        for (metric, payment), (_, _, change) in zip(keys, chosen, strict=True)
    ]
    return typed(rows, TARGET_TYPES)


def as_paid(board: Board, assessments: pd.DataFrame) -> pd.DataFrame:
    """Lay assessments out by payment: a target for an agreed period counts in each payment it is due in."""
    due = board.due[["metric", "payment", "paid"]]
    joined = assessments.merge(due, on=["metric", "payment"]).explode("paid")
    return joined.assign(payment=joined["paid"]).drop(columns="paid").reset_index(drop=True)


def _first(areas: pd.DataFrame) -> str:
    return str(areas.sort_values("area_name")["area_code"].iloc[0])


Seen = Outlook | NoOutlook


def clear_baselines(board: Board) -> pd.DataFrame:
    """Tell for each target whether there is a clear baseline against which to compare."""
    return _each(board, _baseline)


def expected_trends(board: Board) -> pd.DataFrame:
    """Tell for each target how the metric has moved, and what it would be if nothing were done."""
    return _each(board, _trend)


def seasons_of(board: Board) -> pd.DataFrame:
    """Tell for each target how the season bears on the months paid on: 1 is an average day of the year."""
    return _each(board, _season)


def improvements_needed(board: Board) -> pd.DataFrame:
    """Tell for each target what it takes to be significant, in the metric's unit and in per cent."""
    return _each(board, _needed)


def reachable_targets(board: Board) -> pd.DataFrame:
    """Tell for each target which values are challenging and yet achievable."""
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
    if isinstance(seen, NoOutlook):
        empty = dict.fromkeys(("value", "lower", "upper", "numerator", "denominator"), np.nan)
        return {"baseline_period": "", **empty, "clear": False, "remark": seen.reason}
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
    columns = {str(name): value for name, value in mine.iloc[0].items()} if len(mine) else {}
    columns["trend_period"] = columns.pop("period", "")
    columns = {"slope": np.nan, "reason": NO_FIGURES, "note": "", **columns}
    if isinstance(seen, NoOutlook) or seen.reason[0]:
        nothing = dict.fromkeys(("expected", "expected_lower", "expected_upper", "expected_percent"), np.nan)
        return columns | nothing | {"remark": _why_not(seen)}
    low, high = seen.expected_interval()
    ahead = {"expected": seen.expected[0], "expected_lower": low[0], "expected_upper": high[0]}
    return columns | ahead | {"expected_percent": _percent(seen.expected[0], seen), "remark": ""}


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
    if isinstance(seen, NoOutlook) or seen.reason[0]:
        nothing = dict.fromkeys(("baseline", *names, *(f"{name}_percent" for name in names)), np.nan)
        whys = dict.fromkeys((f"{name}_why" for name in names), NOT_KNOWN)
        return {**nothing, **whys, "remark": _why_not(seen)}
    levels = (seen.noise_least, seen.minimum_significant(), seen.detectable())
    improvements = dict(zip(names, (possible(seen, level) for level in levels), strict=True))
    known = (noise_is_known(seen), *[np.isfinite(seen.usual_scale)] * 2)
    whys = {
        f"{name}_why": why_missing(improvements[name], reasons)[0]
        for name, reasons in zip(names, known, strict=True)
    }
    values = {name: value[0] for name, value in improvements.items()}
    percent = {f"{name}_percent": _percent(value, seen) for name, value in values.items()}
    return {"baseline": seen.value[0], **values, **percent, **whys, "remark": ""}


def _advice(board: Board, _: Any, seen: Seen) -> dict[str, object]:
    if isinstance(seen, NoOutlook) or seen.reason[0]:
        return {"advice": f"Nothing can be said: {_why_not(seen).rstrip('.')}."}
    share = board.rules.line_share
    return {"advice": board.rules.said(advise(seen, share, None, USUAL_CUTOFFS)[board.area_code])}


def _why_not(seen: Seen) -> str:
    """Say why nothing is known of the board's metric."""
    return seen.reason if isinstance(seen, NoOutlook) else str(seen.reason[0])


def _before(board: Board, due: Any) -> pd.DataFrame:
    """Rows of a metric that ended before the period paid on: what can be known when the target is set."""
    rows = board.observations.loc[board.observations["metric"] == due.metric]
    return rows.loc[pd.to_datetime(rows["period_end"]).dt.date < Period.parse(due.period).start]


def _percent(value: float, seen: Outlook) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(100 * (value / seen.value[0] - 1))
