"""One ambition at a time: what would this target mean? Quick enough to follow a slider."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.metrics import METRICS, Metric
from bcfstats.define.schemes import DEFAULT_SCHEME, Scheme, scheme
from bcfstats.judge.ambitions import assess_against
from bcfstats.judge.assessment import comparisons_of
from bcfstats.judge.outlook import NoOutlook
from bcfstats.judge.outlooks import Outlooks
from bcfstats.judge.results import LATEST
from bcfstats.judge.screening import sound
from bcfstats.read.data import Data

Assessment = dict[str, Any]


class WhatIf:
    """Judge one target after another on the same data; each outlook is computed once."""

    def __init__(
        self, data: Data, rules: Scheme | str = DEFAULT_SCHEME, *, metrics: Mapping[str, Metric] = METRICS
    ) -> None:
        self.data = data
        self.rules = scheme(rules)
        known = data.observations.loc[data.observations["metric"].isin(set(metrics))]
        self.observations = sound(known, metrics).observations
        present = set(self.observations["metric"])
        self.metrics = [metric for name, metric in metrics.items() if name in present]
        self._outlooks = Outlooks(self.observations, self.rules, metrics=metrics)

    def payments(self, metric: str) -> list[tuple[str, str]]:
        """List the windows a metric can be judged on, as (label to show, payment or period)."""
        asked = self._metric(metric)
        rows = self.observations.loc[self.observations["metric"] == metric]
        return [
            (
                f"{_paid(label, self.rules)}: {after.label} against {before.label}",
                str(after) if label == LATEST else label,
            )
            for label, before, after in comparisons_of(rows, asked, self.rules)
        ]

    def assessable(self, metric: str, payment: str) -> tuple[str, ...]:
        """Name the areas a target can be judged for, by code; none where the reason is the same for all."""
        seen = self._outlooks.of(self._metric(metric), payment)
        return () if isinstance(seen, NoOutlook) else tuple(seen.area_codes[seen.reason == ""].tolist())

    def moves_with_england(self, metric: str, payment: str) -> bool:
        """Whether it is known how far England usually moves: of rates counted by month."""
        seen = self._outlooks.of(self._metric(metric), payment)
        return not isinstance(seen, NoOutlook) and bool((seen.england_scale > 0).any())

    def judge(
        self, area_code: str, metric: str, payment: str, change_percent: float, england: float = 0.0
    ) -> Assessment:
        """Judge a change from the baseline, in per cent: the columns of an assessment.

        England is as usual, or so many of its usual movements better than expected.
        """
        asked = self._metric(metric)
        seen = self._outlooks.of(asked, payment)
        if england and not isinstance(seen, NoOutlook):
            seen = seen.with_england(england)
        target = {
            "area_code": area_code,
            "metric": metric,
            "payment": payment,
            "target_value": np.nan,
            "target_numerator": np.nan,
            "change_percent": float(change_percent),
            "baseline_value": np.nan,
            "against": "baseline",
        }
        table = assess_against(pd.DataFrame([target]), asked, seen, self.rules)
        return {str(name): value for name, value in table.iloc[0].items()}

    def _metric(self, name: str) -> Metric:
        return next(metric for metric in self.metrics if metric.id == name)


def _paid(label: str, rules: Scheme) -> str:
    return "Latest year" if label == LATEST else rules.payment(label).label + " payment" * rules.pays
