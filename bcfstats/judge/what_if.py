"""One ambition at a time: what would this target mean? Quick enough to follow a slider."""

from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.metrics import METRICS, Metric
from bcfstats.define.schemes import Scheme, scheme
from bcfstats.judge.ambitions import assess_against
from bcfstats.judge.assessment import comparisons_of
from bcfstats.judge.outlook import Outlook
from bcfstats.judge.outlooks import outlook
from bcfstats.read.data import Data

Assessment = dict[str, Any]


class WhatIf:
    """Judge one target after another on the same data; each outlook is computed once.

    Parameters
    ----------
    data : Data
        Prepared observations, or the example data.
    rules : Scheme or str
        The payment scheme.

    Examples
    --------
    >>> from bcfstats import example_data
    >>> what_if = WhatIf(example_data(n_areas=40))
    >>> easy = what_if.judge("X06000003", "delayed_transfers", "2015-04", -1.0)
    >>> hard = what_if.judge("X06000003", "delayed_transfers", "2015-04", -40.0)
    >>> bool(easy["p_paid_do_nothing"] > hard["p_paid_do_nothing"])
    True
    """

    def __init__(self, data: Data, rules: Scheme | str = "bcf-2013-12") -> None:
        self.data = data
        self.rules = scheme(rules) if isinstance(rules, str) else rules
        self._outlooks: dict[tuple[str, str], Outlook | str] = {}

    @property
    def metrics(self) -> list[Metric]:
        """The metrics there are figures for."""
        present = set(self.data.observations["metric"])
        return [metric for name, metric in METRICS.items() if name in present]

    def payments(self, metric: str) -> list[tuple[str, str]]:
        """List the windows a metric can be judged on, as (label to show, payment or period)."""
        rows = self.data.observations.loc[self.data.observations["metric"] == metric]
        return [
            (f"{after.label} against {before.label}", str(after))
            for _, before, after in comparisons_of(rows, METRICS[metric], self.rules)
        ]

    def judge(self, area_code: str, metric: str, payment: str, change_percent: float) -> Assessment:
        """Judge a change from the baseline, in per cent.

        Returns
        -------
        dict
            The columns of an assessment: chances, reach, verdict, reasons.
        """
        key = metric, payment
        if key not in self._outlooks:
            self._outlooks[key] = outlook(self.data.observations, metric, payment, self.rules)
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
        table = assess_against(pd.DataFrame([target]), METRICS[metric], self._outlooks[key], self.rules)
        return {str(name): value for name, value in table.iloc[0].items()}
