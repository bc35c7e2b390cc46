"""Which window a payment is paid on, and that each outlook is computed once."""

import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.define.schemes import scheme
from bcfstats.judge.outlook import NoOutlook
from bcfstats.judge.outlooks import Outlooks, payment_window

RULES = scheme("bcf-2013-12")


@pytest.mark.parametrize(
    ("payment", "window"),
    [("2015-04", "Apr-Dec 2014"), ("2015-10", "Jan-Jun 2015"), ("2016/17", "2016/17")],
)
def test_a_payment_has_the_window_of_the_annex_and_a_period_is_itself(payment, window):
    """Better Care Fund annex, December 2013: delayed transfers are paid on these months."""
    assert payment_window(METRICS["delayed_transfers"], payment, RULES) == Period.parse(window)


def test_what_a_payment_does_not_pay_says_so():
    seen = payment_window(METRICS["reablement"], "2015-04", RULES)
    assert isinstance(seen, NoOutlook)
    assert seen.reason


def test_an_outlook_is_computed_once_for_a_metric_and_window(months):
    looks = Outlooks(months([100.0 + i % 12 for i in range(36)]), RULES)
    assert looks.of("delayed_transfers", "2015-04") is looks.of("delayed_transfers", "Apr-Dec 2014")
    assert isinstance(looks.of("reablement", "2015-10"), NoOutlook)
