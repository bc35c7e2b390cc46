import numpy as np
import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.baseline import baseline
from bcfstats.judge.panel import longest_run, monthly_panel
from bcfstats.read.data import load


def test_value_is_the_average_per_month_and_days_are_counted(months):
    found = baseline(months([100.0] * 24), "delayed_transfers", "Apr-Dec 2013").iloc[0]
    assert (found["numerator"], found["denominator"], found["value"]) == (900, 100_000, 100)
    assert found["person_days"] == 275 * 100_000  # April to December has 275 days: methods.md G31
    assert (found["n_expected"], found["n_present"], found["missing"]) == (9, 9, "")


def test_missing_month_is_left_out_named_and_never_zero(months):
    rows = months([100.0] * 24)
    rows = rows.loc[rows["period_start"] != "2013-06-01"]
    found = baseline(rows, "delayed_transfers", "Apr-Dec 2013").iloc[0]
    assert (found["numerator"], found["value"], found["n_present"]) == (800, 100, 8)
    assert found["missing"] == "June 2013"
    assert "8 of 9 months" in found["warnings"]


@pytest.mark.parametrize("status", ["suppressed", "not_available", "suspect"])
def test_figures_that_are_not_usable_are_missing(months, status):
    rows = months([100.0] * 24)
    rows.loc[rows["period_start"] == "2013-06-01", ["status", "status_note"]] = [status, "a note"]
    found = baseline(rows, "delayed_transfers", "Apr-Dec 2013").iloc[0]
    assert found["missing"] == "June 2013"
    assert "a note" in found["warnings"]


def test_leap_february_counts_29_days(months):
    found = baseline(months([50.0] * 60), "delayed_transfers", "Jan-Jun 2016").iloc[0]
    assert found["person_days"] == 182 * 100_000


def test_interval_of_constant_months_is_never_narrower_than_poisson(months):
    """Dispersion is never below 1: the log interval is value x exp(+-1.96 / sqrt(900))."""
    found = baseline(months([100.0] * 36), "delayed_transfers", "Apr-Dec 2013").iloc[0]
    spread = np.exp(1.959963984540054 / 30)
    assert found["lower"] == pytest.approx(100 / spread, rel=1e-9)
    assert found["upper"] == pytest.approx(100 * spread, rel=1e-9)


def test_no_history_gives_a_value_and_the_reason_for_no_interval(months):
    found = baseline(months([100.0] * 9, "2013-04"), "delayed_transfers", "Apr-Dec 2013").iloc[0]
    assert found["value"] == 100
    assert np.isnan(found["lower"])
    assert "too few months" in found["reason"]


def test_window_without_any_figure_is_missing_with_the_reason(months):
    found = baseline(months([100.0] * 12), "delayed_transfers", "Apr-Dec 2015").iloc[0]
    assert np.isnan(found["value"])
    assert found["n_present"] == 0
    assert "no month of it has a usable figure" in found["reason"]


def test_no_population_gives_the_count_and_the_reason_for_no_rate(months):
    rows = months([100.0] * 24, denominator=float("nan"))
    found = baseline(rows, "delayed_transfers", "Apr-Dec 2013").iloc[0]
    assert found["numerator"] == 900
    assert np.isnan(found["value"])
    assert found["reason"] == "no population for these months, so no rate"


def test_proportion_has_wilson_limits(years):
    """82 of 100: 73.3326 to 88.2998 (methods.md G15)."""
    rows = years("reablement", [{"numerator": 82.0, "denominator": 100.0, "value": 82.0}])
    found = baseline(rows, "reablement", "2013/14").iloc[0]
    assert found[["lower", "upper"]].tolist() == pytest.approx([73.3326, 88.2998], abs=5e-5)
    assert found["method"] == "Wilson"


def test_rounded_counts_take_the_numerator_from_the_published_value(years):
    """230 of 320 is 71.9 %; 72.7 % was published from unrounded counts, so Wilson is about 72.7."""
    rows = years("reablement", [{"numerator": 230.0, "denominator": 320.0, "value": 72.7}])
    found = baseline(rows, "reablement", "2013/14").iloc[0]
    middle = (72.7 + 1.959964**2 / 6.4) / (1 + 1.959964**2 / 320)  # centre of Wilson's interval
    assert (found["lower"] + found["upper"]) / 2 == pytest.approx(middle, abs=1e-4)


def test_published_limits_are_kept(years):
    published = {"numerator": float("nan"), "value": 44.0, "lower_ci": 39.5, "upper_ci": 48.5}
    rows = years("social_contact", [published])
    found = baseline(rows, "social_contact", "2013/14").iloc[0]
    assert found[["value", "lower", "upper"]].tolist() == [44.0, 39.5, 48.5]
    assert found["method"] == "as published"


def test_break_inside_the_window_is_refused(years):
    rows = years("care_home_admissions", [{"numerator": 100.0, "denominator": 20_000.0, "value": 500.0}])
    rows["period_start"], rows["period_end"] = pd.Timestamp("2014-01-01"), pd.Timestamp("2014-12-31")
    found = baseline(rows, "care_home_admissions", "2014").iloc[0]
    assert np.isnan(found["value"])
    assert "series break inside the window on 2014-04-01" in found["reason"]


def test_two_definitions_inside_the_window_are_refused(months):
    rows = months([100.0] * 24)
    rows.loc[rows["period_start"] >= "2013-07-01", "basis"] = "new"
    rows.loc[rows["period_start"] < "2013-07-01", "basis"] = "old"
    found = baseline(rows, "delayed_transfers", "Apr-Dec 2013").iloc[0]
    assert np.isnan(found["value"])
    assert "two definitions" in found["reason"]


def test_part_of_a_month_and_unknown_names_are_refused(months):
    rows = months([100.0] * 24)
    with pytest.raises(ParameterError, match="whole"):
        baseline(rows, "delayed_transfers", "2013-04-10/2013-06-30")
    with pytest.raises(ParameterError, match="X2"):
        baseline(rows, "delayed_transfers", "Apr-Dec 2013", "X2")
    with pytest.raises(ParameterError, match="delayed_transfers"):
        baseline(rows, "delayed_transfer", "Apr-Dec 2013")


def test_longest_run_stops_at_gaps(months):
    rows = pd.concat([months([5.0] * 14), months([5.0] * 3, "2015-07")])
    panel = monthly_panel(rows, METRICS["delayed_transfers"])
    assert panel.counts.shape == (1, 42)
    assert longest_run(panel) == Period.parse("Apr 2012 - May 2013")


@pytest.fixture(scope="module")
def published(real_processed):
    return load(real_processed)


def test_southampton_as_published(published):
    """domain.md section 5: 7,335 days over 192,045 adults is 424.4 a month; the same months later 510.0."""
    expected = {"Apr-Dec 2013": (7335, 424.4), "Apr-Dec 2014": (8897, 510.0), "Jan-Jun 2014": (5072, 436.1)}
    for window, (days, rate) in expected.items():
        found = baseline(published.observations, "delayed_transfers", window, "E06000045").iloc[0]
        assert found["numerator"] == days
        if window != "Jan-Jun 2014":  # two financial years, two populations: 436.1 is over one of them
            assert round(found["value"], 1) == rate
    assert (
        baseline(published.observations, "delayed_transfers", "Apr-Dec 2013", "E06000045")["denominator"][0]
        == 192_045
    )


@pytest.mark.parametrize(
    ("area", "first", "second"), [("E08000024", 343.0, 117.4), ("E06000044", 95.5, 109.8)]
)
def test_sunderland_and_portsmouth_as_published(published, area, first, second):
    """domain.md section 5."""
    values = [
        round(baseline(published.observations, "delayed_transfers", window, area)["value"][0], 1)
        for window in ("Apr-Dec 2013", "Apr-Dec 2014")
    ]
    assert values == [first, second]


def test_no_events_at_all_is_zero_without_an_interval(months):
    found = baseline(months([0.0] * 36), "delayed_transfers", "Apr-Dec 2013").iloc[0]
    assert found["value"] == 0
    assert np.isnan(found["lower"])
    assert "no interval" in found["reason"]


# What a user may give


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.drop(columns=["basis", "status_note", "lower_ci"]),
        lambda frame: frame.astype({"status": "category", "metric": "category", "area_code": "category"}),
        lambda frame: frame.assign(period_start=frame["period_start"].astype(str)),
        lambda frame: frame.assign(period_end=frame["period_end"].dt.tz_localize("Europe/London")),
        lambda frame: frame.astype({"numerator": "Int64", "denominator": object}),
    ],
    ids=["columns left out", "categories", "dates as text", "time zone", "nullable"],
)
def test_the_same_observations_in_other_types_give_the_same_baseline(months, change):
    frame = months([100.0] * 36)
    expected = baseline(frame, "delayed_transfers", "Apr-Dec 2013")
    pd.testing.assert_frame_equal(baseline(change(frame), "delayed_transfers", "Apr-Dec 2013"), expected)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda frame: frame.drop(columns="status"), "status"),
        (lambda frame: frame.assign(period_start="some day"), "days"),
        (lambda frame: frame.assign(period_start=frame["period_start"] + pd.Timedelta(hours=7)), "days"),
        (lambda frame: frame.assign(numerator="many"), "numbers"),
        (lambda frame: frame.assign(numerator=frame["numerator"].astype(str)), "numbers"),
        (lambda frame: frame.to_dict("records"), "table"),
    ],
)
def test_what_is_no_table_of_observations_is_refused_by_name(months, change, what):
    with pytest.raises(InputError, match=what):
        baseline(change(months([100.0] * 36)), "delayed_transfers", "Apr-Dec 2013")


@pytest.mark.parametrize("window", [None, 2013, pd.Period("2013-04")])
def test_what_is_no_window_is_refused(months, window):
    with pytest.raises(ParameterError, match="not a period"):
        baseline(months([100.0] * 36), "delayed_transfers", window)


def test_no_observations_give_no_rows(months):
    assert baseline(months([100.0] * 36).iloc[:0], "delayed_transfers", "Apr-Dec 2013").empty
