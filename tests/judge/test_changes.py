import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.judge.changes import change, taken_together
from bcfstats.judge.results import AGAINST_NOISE, BETTER, NOT_COMPARED, UNCLEAR, WORSE
from tests.judge.made_up import yearly

DAYS = METRICS["delayed_transfers"]
BEFORE, AFTER = Period.parse("Apr-Dec 2013"), Period.parse("Apr-Dec 2014")


def compare(rows, metric=DAYS, before=BEFORE, after=AFTER):
    return change(rows, metric, before, after, label="2015-04").iloc[0]


def test_ratio_of_the_same_months_by_hand(months):
    """100 a month becomes 110 a month: +10 %, and both windows have 275 days."""
    found = compare(months([100.0] * 24 + [110.0] * 12))
    assert found["change"] == pytest.approx(10.0, rel=1e-12)
    assert (found["change_unit"], found["matched_months"]) == ("%", 9)
    assert found["baseline_value"] == 100
    assert found["outcome_value"] == 110


def test_months_missing_on_one_side_are_left_out_on_both(months):
    """Months that differ: only like is compared with like."""
    counts = [100.0] * 24 + [100.0] * 12
    counts[24 + 8] = 5000.0  # December 2014
    rows = months(counts)
    rows = rows.loc[rows["period_start"] != "2013-12-01"]
    found = compare(rows)
    assert found["matched_months"] == 8
    assert found["change"] == pytest.approx(0.0, abs=1e-9)


def test_leap_year_is_normalised_by_days(months):
    """The same count a day in January to June of 2015 (181 days) and 2016 (182) is no change."""
    starts = pd.date_range("2013-01-01", periods=48, freq="MS")
    rows = months([10.0 * start.days_in_month for start in starts], "2013-01")
    found = compare(rows, before=Period.parse("Jan-Jun 2015"), after=Period.parse("Jan-Jun 2016"))
    assert found["baseline_person_days"] * 182 == pytest.approx(found["outcome_person_days"] * 181)
    assert found["change"] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(("factor", "finding"), [(0.5, BETTER), (1.0, UNCLEAR), (2.0, WORSE)])
def test_lower_is_better(months, factor, finding):
    found = compare(months([100.0] * 24 + [100.0 * factor] * 12))
    assert found["finding"] == finding


@pytest.mark.parametrize(("numerator", "finding"), [(190.0, BETTER), (160.0, UNCLEAR), (120.0, WORSE)])
def test_higher_is_better(years, numerator, finding):
    pair = [160.0, numerator]
    rows = years("reablement", [{"numerator": x, "denominator": 200.0, "value": x / 2} for x in pair])
    found = compare(rows, METRICS["reablement"], Period.parse("2013/14"), Period.parse("2014/15"))
    assert found["finding"] == finding


def test_difference_of_proportions_is_newcombes(years):
    """56 of 70 against 48 of 80: 20 points, 5.24315 to 33.38727 (Newcombe 1998; methods.md G10)."""
    rows = years(
        "reablement",
        [
            {"numerator": 48.0, "denominator": 80.0, "value": 60.0},
            {"numerator": 56.0, "denominator": 70.0, "value": 80.0},
        ],
    )
    found = compare(rows, METRICS["reablement"], Period.parse("2013/14"), Period.parse("2014/15"))
    assert found[["change", "change_lower", "change_upper"]].tolist() == pytest.approx(
        [20.0, 5.24315, 33.38727], abs=5e-6
    )
    assert found["change_unit"] == "percentage points"


def test_series_break_between_the_windows_is_not_compared(years):
    """2A(2): 2013/14 is ASC-CAR, 2014/15 is SALT (domain.md section 9, trap 1)."""
    rows = years(
        "care_home_admissions",
        [{"numerator": 100.0, "denominator": 20_000.0, "value": 500.0} for _ in range(2)],
    )
    found = compare(rows, METRICS["care_home_admissions"], Period.parse("2013/14"), Period.parse("2014/15"))
    assert found["finding"] == NOT_COMPARED
    assert np.isnan(found["change"])
    assert "series break on 2014-04-01" in found["change_reason"]
    assert found["baseline_value"] == found["outcome_value"] == 500.0  # each level is still shown


def test_change_of_definition_in_the_data_is_not_compared(months):
    rows = months([100.0] * 36, basis="old")
    rows.loc[rows["period_start"] >= "2014-04-01", "basis"] = "new"
    found = compare(rows)
    assert found["finding"] == NOT_COMPARED
    assert found["change_reason"] == "the definition changed from old to new"


def test_no_month_in_common_says_so(months):
    rows = months([100.0] * 24)
    found = compare(rows)
    assert found["finding"] == NOT_COMPARED
    assert found["change_reason"] == "no month is in both windows"


def test_noisy_months_widen_the_interval(months):
    """Ten times the variance of Poisson makes an interval about three times as wide."""
    rng = np.random.default_rng(5)
    noisy = rng.negative_binomial(100 / 9, 1 / 10, 36).astype(float)  # dispersion 10
    quiet = compare(months(list(rng.poisson(100, 36).astype(float))))
    wide = compare(months(list(noisy)))
    width = [found["change_upper"] - found["change_lower"] for found in (quiet, wide)]
    assert width[1] > 2 * width[0]


def test_a_comparison_across_the_pandemic_is_of_levels():
    rows = yearly("reablement", np.full((2, 5), 80.0), 400.0, first=2018)
    first, last = Period.parse("2018/19"), Period.parse("2022/23")
    across = change(rows, METRICS["reablement"], first, last, label="x")
    assert across["outcome_warnings"].str.contains("a level before and one after, not a trend").all()
    for before, after in (("2018/19", "2019/20"), ("2020/21", "2021/22")):
        found = change(rows, METRICS["reablement"], Period.parse(before), Period.parse(after), label="x")
        assert not found["outcome_warnings"].str.contains("level").any()


@pytest.mark.parametrize("without", ["nothing", "windows", "trends", "both"])
def test_findings_of_an_area_are_taken_together_whichever_table_is_empty(without):
    """Benjamini and Hochberg by scipy, area by area; one-sided values are doubled from their nearer end."""
    noise = [0.005, 0.98, 0.3]
    windows = pd.DataFrame({"area_code": ["A", "A", "B"], "noise_p": noise, "history_p": np.nan})
    windows = windows.assign(finding_against=AGAINST_NOISE, finding=UNCLEAR)
    trends = pd.DataFrame({"area_code": ["B", "A"], "slope_p": [0.04, 0.5]})
    p = {"A": [0.01, 0.04, 0.5], "B": [0.6, 0.04]}
    if without in ("windows", "both"):
        windows, p = pd.DataFrame(), {"A": p["A"][2:], "B": p["B"][1:]}
    if without in ("trends", "both"):
        trends, p = pd.DataFrame(), {"A": p["A"][:2], "B": p["B"][:1]}
    both = [frame for frame in taken_together(windows, trends) if not frame.empty]
    assert len(both) == {"nothing": 2, "windows": 1, "trends": 1, "both": 0}[without]
    for area, values in p.items() if both else ():
        got = np.concatenate([frame.loc[frame["area_code"] == area, "q_value"] for frame in both])
        assert got == pytest.approx(stats.false_discovery_control(values), abs=1e-12)
