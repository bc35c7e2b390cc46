"""Targets to choose from, judged beforehand: a page shows what each would mean and computes nothing."""

import numpy as np
import pandas as pd

from bcfstats.define.metrics import Metric
from bcfstats.define.schemes import Scheme
from bcfstats.judge.ambitions import weigh
from bcfstats.judge.outlook import Floats, Outlook

WORSE, BETTER = 20, 120  # steps to either side of the baseline
PERCENT = 0.5  # of the baseline, or as percentage points
KEPT = [
    *("area_code", "metric", "payment", "target_value", "ambition_percent", "ambition_per_month", "verdict"),
    *("payment_line", "p_paid_do_nothing", "p_paid_if_half_delivered", "p_paid_if_delivered"),
]
COLUMNS = [*KEPT, "reason"]


def candidates_of(view: Outlook, payment: str, rules: Scheme) -> pd.DataFrame:
    """Judge a row of targets around each area's baseline, as `assess_ambitions` does, from low to high.

    Changes told in per cent go by half a per cent of the baseline, those told in points by round values half
    a percentage point apart, or by the last decimal shown. `reason` says why one cannot be judged. An area
    without a baseline, or with one of nothing, has no row, nor has a value that is not possible.
    """
    steps = np.sort(view.direction * np.arange(-WORSE, BETTER + 1))
    useful = view.take(np.flatnonzero((view.reason == "") & (view.value > 0)))
    if not useful.value.size:
        return pd.DataFrame(columns=COLUMNS)
    each = useful.take(np.repeat(np.arange(len(useful.value)), len(steps)))
    frame, target, missing = weigh(_rows(useful, payment, steps), each, rules)
    return frame.assign(reason=missing.verdict).loc[target.reason == "", COLUMNS].reset_index(drop=True)


def _rows(view: Outlook, payment: str, steps: Floats) -> pd.DataFrame:
    by_percent = view.metric.kind.change == "ratio"
    nothing = np.full(len(view.value) * len(steps), np.nan)
    return pd.DataFrame(
        {
            "area_code": np.repeat(view.area_codes, len(steps)),
            "payment": payment,
            "target_value": nothing if by_percent else _round_values(view.value, steps, view.metric),
            "target_numerator": nothing,
            "change_percent": np.tile(PERCENT * steps, len(view.value)) if by_percent else nothing,
            "baseline_value": nothing,
            "against": "baseline",
        }
    )


def _round_values(start: Floats, steps: Floats, metric: Metric) -> Floats:
    """Give values that a reader can write down, around each start."""
    size = PERCENT if metric.unit == "%" else 10.0**-metric.decimals
    values = size * (np.round(start / size)[:, None] + steps)
    return np.round(values, max(metric.decimals, 1)).ravel()
