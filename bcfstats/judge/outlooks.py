"""The outlook of any metric for any payment of a scheme, computed once."""

from collections.abc import Mapping

import pandas as pd

from bcfstats.define.metrics import METRICS, Metric, get_metric
from bcfstats.define.periods import Period
from bcfstats.define.schemes import Scheme, scheme
from bcfstats.errors import ParameterError
from bcfstats.judge.kinds import counted_by_month
from bcfstats.judge.outlook import NoOutlook, Outlook
from bcfstats.judge.outlook_monthly import months_ahead
from bcfstats.judge.outlook_yearly import years_ahead
from bcfstats.read.observations import each_once

MONTHS = 12
GIVE_PERIOD = "write the period in place of the payment, such as 2014/15, or set it in a scheme of your own"


class Outlooks:
    """What can be said of payment windows before any target is set: each computed once, for all areas.

    `known_until` is what may be known (everything before the window if not given); `england` lets the
    nation's total move by this share from the baseline, in place of the forecast's own (rates counted by
    month only).
    """

    def __init__(
        self,
        observations: pd.DataFrame,
        rules: Scheme | str,
        *,
        known_until: Period | str | None = None,
        england: float | None = None,
        metrics: Mapping[str, Metric] = METRICS,
    ) -> None:
        self.observations = each_once(observations)
        self.rules = scheme(rules)
        self.metrics = metrics
        self._known = None if known_until is None else Period.of(known_until)
        self._england = england
        self._made: dict[tuple[str, Period], Outlook | NoOutlook] = {}

    def of(self, metric: str | Metric, payment: str) -> Outlook | NoOutlook:
        """Give the outlook of a metric for a payment of the scheme, or for a period such as "2014/15"."""
        metric = metric if isinstance(metric, Metric) else get_metric(metric, self.metrics)
        window = payment_window(metric, payment, self.rules)
        if isinstance(window, NoOutlook):
            return window
        key = metric.id, window
        if key not in self._made:
            self._made[key] = self._outlook(metric, window)
        return self._made[key]

    def _outlook(self, metric: Metric, window: Period) -> Outlook | NoOutlook:
        rows = self.observations.loc[self.observations["metric"] == metric.id]
        if rows.empty:
            return NoOutlook(f"there are no observations of {metric.short_name}")
        lag = self.rules.baseline_lag_months // MONTHS
        if counted_by_month(metric):
            return months_ahead(rows, metric, window, lag, self._known, self._england)
        return years_ahead(rows, metric, window, lag, self._known)


def payment_window(metric: Metric, payment: str, rules: Scheme) -> Period | NoOutlook:
    """Find the period a metric is paid on, or the reason why there is none."""
    try:
        found = rules.payment(payment)
    except ParameterError:
        return Period.parse(payment)
    paid_as = found.paid_as(metric)
    if paid_as is None and not rules.pays:
        return Period.parse(found.id)  # a goal of one's own
    if paid_as is None:
        return NoOutlook(found.reasons.get(metric.id, f"{metric.short_name} is not part of this payment"))
    window = found.metrics[paid_as]
    if window is None:
        return NoOutlook(f"{found.reasons[paid_as].rstrip('.')}; {GIVE_PERIOD}")
    return window
