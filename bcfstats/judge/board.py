"""One board's metrics: which targets a scheme asks of it, and its choices as targets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.areas import find_area
from bcfstats.define.metrics import METRICS, Metric, get_metric
from bcfstats.define.periods import Period
from bcfstats.define.schemes import LOCAL, Scheme, scheme
from bcfstats.errors import ParameterError
from bcfstats.judge.outlook import Outlook
from bcfstats.judge.outlooks import outlook
from bcfstats.judge.screening import sound
from bcfstats.read.data import Data
from bcfstats.read.observations import typed
from bcfstats.read.targets import TARGET_TYPES

NO_FIGURES = "there are no figures for this area"
DUE_COLUMNS = ["metric", "payment", "paid_in", "period", "note"]


@dataclass(frozen=True, eq=False)
class Board:
    """One board's metrics, and what can be said of each before a target is set.

    Attributes
    ----------
    area_code, area_name : str
    rules : Scheme
    observations : DataFrame
        What may be judged, of all areas (`sound`).
    due : DataFrame
        One row per target to be set: `metric`, `payment` (as a targets file has it: a payment, or the period
        agreed where the scheme leaves it open), `paid_in` (the payments it counts for), `period`, `note`.
    outlooks : mapping of (metric, payment) to Outlook or str
        One entry long, of this area; a text says why there is none.
    metrics : mapping of str to Metric
    is_example : bool
    """

    area_code: str
    area_name: str
    rules: Scheme
    observations: pd.DataFrame
    due: pd.DataFrame
    outlooks: Mapping[tuple[str, str], Outlook | str]
    metrics: Mapping[str, Metric]
    is_example: bool


def board_metrics(
    data: Data,
    area: str | None = None,
    rules: Scheme | str = "bcf-2013-12",
    *,
    local_metric: str | None = None,
    periods: Mapping[str, str] | None = None,
    metrics: Mapping[str, Metric] = METRICS,
) -> Board:
    """Bring together a board's metrics: those of the scheme, and the one it has chosen itself.

    It answers: for which metrics must we set an ambition, and what is known of each?

    Parameters
    ----------
    data : Data
        From `load` or `example_data`.
    area : str, optional
        Name or code; the first by name if not given.
    rules : Scheme or str
    local_metric : str, optional
        The metric chosen locally (paragraphs 45 to 47); without it the local one is left out.
    periods : mapping of metric to period, optional
        What is agreed where the scheme leaves the period open.
    metrics : mapping of str to Metric
        The registry, with metrics of one's own added.

    Returns
    -------
    Board

    Raises
    ------
    ParameterError
        If the area, a metric or a period is not known.

    Examples
    --------
    >>> from bcfstats import example_data
    >>> found = board_metrics(example_data(n_areas=20), "Aldamount", local_metric="falls_injuries",
    ...     periods={"falls_injuries": "2014/15"})
    >>> found.due.loc[found.due["metric"] == "falls_injuries", ["payment", "paid_in"]].values.tolist()
    [['2014/15', 'April 2015, October 2015']]
    """
    rules = scheme(rules) if isinstance(rules, str) else rules
    chosen = find_area(area, data.areas).area_code if area else _first(data.areas)
    known = data.observations.loc[data.observations["metric"].isin(set(metrics))]
    observations = sound(known, metrics).observations
    due = metrics_due(rules, local_metric, periods or {}, metrics)
    return Board(
        area_code=chosen,
        area_name=str(data.areas.set_index("area_code")["area_name"][chosen]),
        rules=rules,
        observations=observations,
        due=due,
        outlooks={
            (row.metric, row.payment): _outlook_of(observations, chosen, row, rules, metrics)
            for row in due.itertuples()
        },
        metrics=metrics,
        is_example=data.is_example,
    )


def metrics_due(
    rules: Scheme, local_metric: str | None, periods: Mapping[str, str], metrics: Mapping[str, Metric]
) -> pd.DataFrame:
    """List the targets a scheme asks of a board, one row each, in the columns `DUE_COLUMNS` names.

    Examples
    --------
    >>> found = metrics_due(scheme("bcf-2013-12"), None, {}, METRICS)
    >>> found.loc[found["metric"] == "reablement", ["payment", "period"]].values.tolist()
    [['2015-10', '2014-04/2015-03']]
    """
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for payment in rules.payments:
        for name, window in payment.metrics.items():
            if name == LOCAL and local_metric is None:
                continue
            metric = get_metric(local_metric if name == LOCAL and local_metric else name, metrics).id
            agreed = periods.get(metric) if window is None else None
            key = metric, agreed or payment.id
            period = Period.parse(agreed) if agreed else window
            note = "" if window else payment.reasons[name].rstrip(".")
            paid_in = f"{rows[key]['paid_in']}, {payment.label}" if key in rows else payment.label
            rows[key] = {
                "metric": metric,
                "payment": key[1],
                "paid_in": paid_in,
                "period": str(period or ""),
                "note": f"{note}; agreed here: {period.label}" if note and period else note,
            }
    return pd.DataFrame(rows.values(), columns=DUE_COLUMNS)


def as_targets(board: Board, chosen: Sequence[tuple[str, str, float]], source: str) -> pd.DataFrame:
    """Turn choices into targets, as `read_targets` gives them.

    Parameters
    ----------
    board : Board
    chosen : sequence of (metric, payment, change)
        The change from the baseline in per cent, minus for a reduction.
    source : str

    Raises
    ------
    ParameterError
        If a choice is for a target that is not due, or there are two for one.

    Examples
    --------
    >>> from bcfstats import example_data
    >>> board = board_metrics(example_data(n_areas=2), "Aldamount")
    >>> made = as_targets(board, [("delayed_transfers", "2015-04", -20)], "the board")
    >>> made[["area_name", "payment", "change_percent"]].values.tolist()
    [['Aldamount', '2015-04', -20.0]]
    """
    due = set(zip(board.due["metric"], board.due["payment"], strict=True))
    keys = [(get_metric(metric, board.metrics).id, payment) for metric, payment, _ in chosen]
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
    """Lay assessments out by payment: a target for an agreed period counts in each payment it is due in.

    Examples
    --------
    >>> from bcfstats import example_data
    >>> board = board_metrics(example_data(n_areas=2), "Aldamount", local_metric="social_contact",
    ...     periods={"social_contact": "2014/15"})
    >>> one = pd.DataFrame({"metric": ["social_contact"], "payment": ["2014/15"]})
    >>> as_paid(board, one)["payment"].tolist()
    ['2015-04', '2015-10']
    """
    ids = {payment.label: payment.id for payment in board.rules.payments}
    due = board.due.assign(paid=[[ids[name] for name in text.split(", ")] for text in board.due["paid_in"]])
    joined = assessments.merge(due[["metric", "payment", "paid"]], on=["metric", "payment"]).explode("paid")
    return joined.assign(payment=joined["paid"]).drop(columns="paid").reset_index(drop=True)


def _first(areas: pd.DataFrame) -> str:
    return str(areas.sort_values("area_name")["area_code"].iloc[0])


def _outlook_of(
    observations: pd.DataFrame, area: str, due: Any, rules: Scheme, metrics: Mapping[str, Metric]
) -> Outlook | str:
    seen = outlook(observations, metrics[due.metric], due.payment, rules)
    if isinstance(seen, str):
        return seen
    here = np.flatnonzero(seen.area_codes == area)
    return seen.take(here) if here.size else NO_FIGURES
