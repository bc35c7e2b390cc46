"""The outlook of a yearly metric: its baseline by hand, and nothing known of its own year."""

import numpy as np

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.example.data import example_data
from bcfstats.judge.outlook_yearly import years_ahead
from bcfstats.judge.windows import USABLE

METRIC, WINDOW = METRICS["reablement"], Period.parse("2014/15")


def rows_of(n_areas=20):
    rows = example_data(n_areas=n_areas).observations
    return rows.loc[rows["metric"] == METRIC.id]


def test_the_baseline_is_the_share_of_the_year_before():
    rows = rows_of()
    seen = years_ahead(rows, METRIC, WINDOW, 1)
    year = rows.loc[(rows["period_start"] == str(seen.before.start)) & rows["status"].isin(USABLE)]
    by_hand = (100 * year["numerator"] / year["denominator"]).set_axis(year["area_code"])
    assert np.allclose(
        seen.value, by_hand.reindex(seen.area_codes), atol=0.051, equal_nan=True
    )  # one decimal


def test_figures_of_the_window_and_later_change_no_forecast():
    rows = rows_of()
    is_later = rows["period_end"] >= str(WINDOW.start)
    later = rows.assign(
        numerator=rows["numerator"].where(~is_later, 1.0), value=rows["value"].where(~is_later)
    )
    first, second = (years_ahead(frame, METRIC, WINDOW, 1) for frame in (rows, later))
    for name in ("value", "expected", "expected_scale", "usual_scale"):
        assert np.array_equal(getattr(first, name), getattr(second, name), equal_nan=True), name
