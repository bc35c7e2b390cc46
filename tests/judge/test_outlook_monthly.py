"""What the outlook of a monthly rate knows, and when: the months before its window and no later one."""

import numpy as np
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.judge.outlook import NoOutlook
from bcfstats.judge.outlook_monthly import history_panel, months_ahead, months_between
from bcfstats.judge.panel import monthly_panel

METRIC = METRICS["delayed_transfers"]


@pytest.mark.parametrize(
    ("last", "window", "gap"),
    [("2014-03", "Apr-Dec 2014", 0), ("2014-01", "Apr-Dec 2014", 2), ("2012-12", "Apr-Dec 2014", 15)],
)
def test_months_between_are_counted(last, window, gap):
    assert months_between(Period.parse(last), Period.parse(window)) == gap


def test_history_ends_before_the_window_and_by_the_day_that_is_known(months):
    panel = monthly_panel(months([100.0] * 48), METRIC)  # April 2012 to March 2016
    window = Period.parse("Apr-Dec 2014")
    assert history_panel(panel, METRIC, window, None).months[-1] == Period.parse("2014-03")
    known = Period.parse("2013-12")
    assert history_panel(panel, METRIC, window, known).months[-1] == known
    assert history_panel(panel, METRIC, Period.parse("Apr-Dec 2011"), None).months == ()


def test_figures_of_the_window_and_later_change_nothing_in_the_outlook(months):
    window = Period.parse("Apr-Dec 2014")
    rows = months([100.0 + i % 12 for i in range(48)])
    later = rows.assign(numerator=rows["numerator"].where(rows["period_start"] < "2014-04-01", 999.0))
    first, second = (months_ahead(frame, METRIC, window, 1) for frame in (rows, later))
    for name in ("value", "expected", "expected_scale", "usual_scale", "noise_least"):
        assert np.array_equal(getattr(first, name), getattr(second, name), equal_nan=True), name


def test_a_window_of_more_than_a_year_has_no_outlook(months):
    seen = months_ahead(months([100.0] * 36), METRIC, Period.parse("Apr 2013 - Mar 2015"), 1)
    assert isinstance(seen, NoOutlook)
    assert "not one to twelve whole months" in seen.reason
