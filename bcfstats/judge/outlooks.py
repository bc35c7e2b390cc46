"""The outlook of any metric for any payment of a scheme."""

from collections.abc import Mapping

import pandas as pd

from bcfstats.define.metrics import METRICS, Metric, get_metric
from bcfstats.define.periods import Period
from bcfstats.define.schemes import DEFAULT_SCHEME, Scheme, scheme
from bcfstats.errors import ParameterError
from bcfstats.judge.outlook import Outlook
from bcfstats.judge.outlook_monthly import months_ahead
from bcfstats.judge.outlook_yearly import years_ahead

MONTHS = 12
GIVE_PERIOD = "write the period in place of the payment, such as 2014/15, or set it in a scheme of your own"


def outlook(
    observations: pd.DataFrame,
    metric: str | Metric,
    payment: str,
    rules: Scheme | str = DEFAULT_SCHEME,
    *,
    known_until: Period | str | None = None,
    england: float | None = None,
    metrics: Mapping[str, Metric] = METRICS,
) -> Outlook | str:
    """Find out all that can be said of a payment window before a target is set.

    Parameters
    ----------
    observations : DataFrame
        With the observation columns.
    metric : str or Metric
    payment : str
        A payment of the scheme, or a period such as "2014/15".
    rules : Scheme or str
    known_until : Period or str, optional
        What may be known: periods that ended by its end, such as "Dec 2013". Everything before the window if
        not given.
    england : float, optional
        Let the nation's total move by this share from the baseline, 0.05 for a rise of 5 %, in place of the
        forecast's own national movement; monthly metrics only.
    metrics : mapping of str to Metric, optional

    Returns
    -------
    Outlook or str
        A text is the reason why nothing can be said for any area.
    """
    rules = scheme(rules)
    metric = metric if isinstance(metric, Metric) else get_metric(metric, metrics)
    window = payment_window(metric, payment, rules)
    if isinstance(window, str):
        return window
    known = Period.parse(known_until) if isinstance(known_until, str) else known_until
    rows = observations.loc[observations["metric"] == metric.id]
    if rows.empty:
        return f"there are no observations of {metric.short_name}"
    lag = rules.baseline_lag_months // MONTHS
    if metric.frequency == "month":
        return months_ahead(rows, metric, window, lag, known, england)
    return years_ahead(rows, metric, window, lag, known)


def payment_window(metric: Metric, payment: str, rules: Scheme) -> Period | str:
    """Find the period a metric is paid on, or the reason why there is none."""
    try:
        found = rules.payment(payment)
    except ParameterError:
        return Period.parse(payment)
    paid_as = found.paid_as(metric)
    if paid_as is None:
        return found.reasons.get(metric.id, f"{metric.short_name} is not part of this payment")
    window = found.metrics[paid_as]
    return f"{found.reasons[paid_as].rstrip('.')}; {GIVE_PERIOD}" if window is None else window
