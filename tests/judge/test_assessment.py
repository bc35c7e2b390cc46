import numpy as np
import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.errors import InputError
from bcfstats.judge.assessment import assess, latest_year, with_first_editions
from bcfstats.judge.changes import change
from bcfstats.judge.results import LATEST, Results
from bcfstats.read.data import Data

AREAS = pd.DataFrame(
    {
        name: ["X1", "X2"] if name == "area_code" else ["", ""]
        for name in ("area_code", "area_name", "area_type", "region_code", "region", "council_code", "board")
    }
)


def as_data(rows):
    return Data(rows, AREAS, rows.iloc[:0], {"files": []}, is_example=True)


@pytest.fixture
def two_areas(months):
    rng = np.random.default_rng(1)
    return pd.concat(
        [
            months(list(rng.poisson(300, 48).astype(float)), area_code=code, area_name=f"Area {code}")
            for code in ("X1", "X2")
        ],
        ignore_index=True,
    )


def test_each_payment_and_the_latest_year_are_compared(two_areas):
    results = assess(as_data(two_areas))
    assert set(results.windows["payment"]) == {"2015-04", "2015-10", LATEST}
    assert len(results.windows) == 6
    latest = results.windows.loc[results.windows["payment"] == LATEST].iloc[0]
    assert (latest["baseline_period"], latest["outcome_period"]) == ("2014-04/2015-03", "2015-04/2016-03")
    assert len(results.seasons) == 24
    assert results.trends["n"].tolist() == [48, 48]


def test_broken_area_is_named_and_stops_only_itself(two_areas):
    alone = assess(as_data(two_areas.loc[two_areas["area_code"] == "X1"]))
    two_areas.loc[(two_areas["area_code"] == "X2") & (two_areas.index % 48 == 3), "numerator"] = -1.0
    results = assess(as_data(two_areas))
    problems = results.areas.set_index("area_code")["problem"]
    assert problems["X1"] == ""
    assert "July 2012" in problems["X2"] or "2012-07" in problems["X2"]
    assert set(results.windows["area_code"]) == {"X1"}
    pd.testing.assert_frame_equal(results.windows, alone.windows)


def test_results_come_back_as_they_were_saved(two_areas, tmp_path):
    results = assess(as_data(two_areas))
    results.save(tmp_path / "tables")
    again = Results.load(tmp_path / "tables")
    assert again.metrics == results.metrics
    assert again.about == results.about
    by_area = results.windows.sort_values("area_code", kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(again.windows, by_area, check_dtype=False)


def test_folder_without_results_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not hold the results"):
        Results.load(tmp_path)


def test_nothing_usable_is_refused(two_areas):
    with pytest.raises(InputError, match="no usable observations"):
        assess(as_data(two_areas.iloc[:0]))


def test_latest_year_of_a_series_with_a_gap_is_the_last_twelve_months_in_a_row(months):
    rows = pd.concat([months([5.0] * 30, "2012-04"), months([5.0], "2017-04")])
    before, after = latest_year(rows, METRICS["delayed_transfers"])
    assert after == Period.parse("Oct 2013 - Sep 2014")
    assert before == Period.parse("Oct 2012 - Sep 2013")


@pytest.mark.slow
def test_every_area_of_the_real_files_has_results(real_results):
    results = real_results
    assert (results.areas["problem"] == "").all()
    days = results.windows.loc[
        (results.windows["metric"] == "delayed_transfers") & (results.windows["payment"] == "2015-04")
    ]
    assert len(days) == 151
    admissions = results.windows.loc[
        (results.windows["metric"] == "care_home_admissions") & (results.windows["payment"] == "2015-10")
    ]
    assert len(admissions) == 152
    assert (admissions["finding"] == "not compared").all()  # the 2014 break: domain.md section 9, trap 1


@pytest.mark.slow
def test_no_result_is_missing_without_a_reason(real_results):
    windows = real_results.windows
    for side in ("baseline", "outcome"):
        missing = windows[f"{side}_value"].isna() | windows[f"{side}_lower"].isna()
        assert (windows.loc[missing, f"{side}_reason"] != "").all()
    uncompared = windows["change"].isna() | windows["change_lower"].isna()
    assert (windows.loc[uncompared, "change_reason"] != "").all()


def test_waves_are_compared_with_the_same_wave_a_year_before(years):
    """Summer is never compared with winter (domain.md section 9, trap 4)."""
    rows = years(
        "patient_experience", [{"value": 70.0, "lower_ci": 66.0, "upper_ci": 74.0} for _ in range(4)]
    )
    starts = ["2013-04-01", "2013-10-01", "2014-04-01", "2014-10-01"]
    ends = ["2013-09-30", "2014-03-31", "2014-09-30", "2015-03-31"]
    rows = rows.assign(
        period_start=pd.to_datetime(starts),
        period_end=pd.to_datetime(ends),
        frequency="wave",
        numerator=float("nan"),
    )
    before, after = latest_year(rows, METRICS["patient_experience"])
    assert (str(before), str(after)) == ("2013-10/2014-03", "2014-10/2015-03")
    assert latest_year(rows.iloc[2:], METRICS["patient_experience"]) is None


def test_a_baseline_that_was_revised_says_what_it_was(years):
    """Of 100 discharges 80 were first published for 2013/14, then 76; the second area was not revised."""
    rows = pd.concat(
        [years("reablement", [{"numerator": n, "denominator": 100.0, "value": n} for n in (76.0, 90.0)])] * 2
    )
    rows["area_code"] = np.repeat(["X00", "X01"], 2)
    rows["vintage"] = pd.Timestamp("2016-07-10")
    metric = METRICS["reablement"]
    before, after = Period.parse("2013/14"), Period.parse("2014/15")
    windows = change(rows, metric, before, after, label="x")
    earlier = rows.head(1).assign(numerator=80.0, value=80.0, vintage=pd.Timestamp("2015-10-01"))
    found = with_first_editions(windows, rows, earlier, [metric])
    assert found["baseline_warnings"].tolist() == ["as first published it was 80.0", ""]
    pd.testing.assert_frame_equal(
        found.drop(columns="baseline_warnings"), windows.drop(columns="baseline_warnings")
    )
    same = with_first_editions(windows, rows, earlier.assign(numerator=76.0, value=76.0), [metric])
    assert same["baseline_warnings"].tolist() == ["", ""]
