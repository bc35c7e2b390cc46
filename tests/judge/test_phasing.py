"""Goals phased by hand: days, season, steps and ramps, and whole people that add up."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.phasing import phase, whole_people
from bcfstats.judge.windows import in_parts
from tests.judge.made_up import panel

CARE = METRICS["long_term_care_home_admissions"]


def seasonal():
    rng = np.random.default_rng(6)
    rows = panel(n_areas=25, months=48, wander=0.0)
    winter = rows["period_start"].dt.month.isin([12, 1, 2])
    days = rows["period_start"].dt.days_in_month
    rows["numerator"] = rng.poisson(40 * days * np.where(winter, 1.3, 1.0)).astype(float)
    return rows


def test_a_plan_follows_the_season_and_the_days():
    """Winter months carry 1.3 times the daily count of others: shares by hand."""
    found = phase(seasonal(), "delayed_transfers", "2014/15", "X00", 12_000)
    days = np.array([30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 28, 31])
    weight = days * np.where(np.isin(np.arange(12), [8, 9, 10]), 1.3, 1.0)
    assert found["target"].to_numpy() == pytest.approx(12_000 * weight / weight.sum(), rel=0.03)
    assert found["cumulative"].iloc[-1] == pytest.approx(12_000)
    quarters = phase(seasonal(), "delayed_transfers", "2014/15", "X00", 12_000, by="quarter")
    assert quarters["target"].to_numpy() == pytest.approx(
        found["target"].to_numpy().reshape(4, 3).sum(axis=1), abs=2
    )  # each whole by itself


def test_a_short_history_has_no_season_and_says_so():
    rows = seasonal()
    rows = rows.loc[rows["period_start"] >= pd.Timestamp("2013-06-01")]
    found = phase(rows, "delayed_transfers", "Apr-Sep 2014", "X00", 183)
    assert found["target"].tolist() == pytest.approx(found["days"].tolist())
    assert "no season" in found["note"][0]


def test_what_cannot_be_phased_is_refused():
    with pytest.raises(ParameterError, match="counted over a period"):
        phase(seasonal(), "reablement", "2014/15", "X00", 1)
    with pytest.raises(ParameterError, match="quarters"):
        phase(seasonal(), "delayed_transfers", "Apr-May 2014", "X00", 1, by="quarter")
    with pytest.raises(InputError, match="X99"):
        phase(seasonal(), "delayed_transfers", "2014/15", "X99", 1)


def quarters(counts, first="2024-04", area="X00", people=50_000.0):
    """Give an area's admissions by quarter."""
    starts = pd.date_range(first, periods=len(counts), freq="QS-APR")
    frame = pd.DataFrame({"period_start": starts, "period_end": starts + pd.offsets.QuarterEnd(0)})
    return frame.assign(
        numerator=np.array(counts, dtype=float), area_code=area, area_name=f"Area {area}", metric=CARE.id,
        frequency="quarter", denominator=people, status="ok", source="test",
    )  # fmt: skip


def test_five_per_cent_fewer_of_312_admissions_by_quarter_is_296_whole_people():
    """296.4 people; by 91, 92, 92 and 90 of 365 days 73.90, 74.71, 74.71 and 73.08: 294, and 2 more to .90
    and the first .71."""
    found = phase(quarters([78] * 4), CARE, "2025/26", "X00", 0.95 * 312, by="quarter")
    exact = 296.4 * np.array([91, 92, 92, 90]) / 365
    assert exact == pytest.approx([73.897, 74.709, 74.709, 73.085], abs=5e-4)
    assert found["target"].tolist() == [74, 75, 74, 73]
    assert found["cumulative"].tolist() == [74, 149, 223, 296]
    assert "in proportion to their days" in found["note"][0]


def test_a_step_from_october_leaves_the_first_half_as_it_was():
    """312 by days, 183 of 365 before October; the 15.6 fewer all fall in the 182 days after."""
    given = {"by": "quarter", "path": "step", "start": "2025-10-01", "unchanged": 312}
    found = phase(quarters([78] * 4), CARE, "2025/26", "X00", 296.4, **given)
    share = np.array([91, 92, 92, 90]) / 365
    exact = 312 * share - 15.6 * np.array([0, 0, 92, 90]) / 182
    assert found["share"].to_numpy() * 296.4 == pytest.approx(exact)
    assert found["target"].tolist() == [78, 78, 71, 69]


def test_a_ramp_from_april_has_a_seventh_of_its_change_in_the_first_half():
    """The change grows evenly, as the day does: the first 91 days hold 91^2 / 365^2 of it."""
    given = {"by": "quarter", "path": "ramp", "start": date(2025, 4, 1), "unchanged": 312}
    found = phase(quarters([78] * 4), CARE, "2025/26", "X00", 296.4, **given)
    until = np.array([0, 91, 183, 275, 365]) ** 2 / 365**2
    exact = 312 * np.array([91, 92, 92, 90]) / 365 - 15.6 * np.diff(until)
    assert found["share"].to_numpy() * 296.4 == pytest.approx(exact, rel=1e-4)


def test_the_season_of_quarters_is_that_of_all_areas_together():
    """Every area has 300 in winter and 200 else: 4,500 a year are too few to tell, 18,000 are not."""
    few = pd.concat([quarters([200, 200, 200, 300], area=f"X{i:02d}") for i in range(5)])
    assert "no season" in phase(few, CARE, "2025/26", "X00", 900, by="quarter")["note"][0]
    many = pd.concat([quarters([200, 200, 200, 300], area=f"X{i:02d}") for i in range(20)])
    found = phase(many, CARE, "2025/26", "X00", 900, by="quarter")
    assert found["target"].tolist() == [200, 200, 200, 300]
    assert found["note"].tolist() == [""] * 4
    months = phase(many, CARE, "2025/26", "X00", 900)
    assert months["target"].to_numpy().reshape(4, 3).sum(axis=1) == pytest.approx([200] * 3 + [300], abs=2)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"path": "leap"}, "no such path"),
        ({"path": "step"}, "needs a start"),
        ({"path": "step", "start": "2026-03-30", "unchanged": 312}, "too late"),
        ({"path": "ramp", "start": "2026-04-01", "unchanged": 312}, "too late"),
        ({"by": "week"}, "by month or quarter"),
    ],
)
def test_a_path_that_cannot_be_is_refused(wrong, match):
    with pytest.raises(ParameterError, match=match):
        phase(quarters([78] * 4), CARE, "2025/26", "X00", 296, **wrong)


@settings(deadline=None)
@given(st.lists(st.floats(0, 500), min_size=1, max_size=12))
def test_whole_people_add_up_and_none_is_a_person_off(exact):
    found = whole_people(np.array(exact))
    assert found.sum() == np.floor(sum(exact) + 0.5 + 1e-9)
    assert (np.abs(found - exact) < 1 + 1e-6).all()
    assert (found == np.round(found)).all()


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["level", "step", "ramp"]), st.integers(240, 400), st.integers(0, 6))
def test_every_path_adds_up_to_the_goal(path, goal, month):
    start = in_parts(Period.parse("2025/26"), 1)[month].start
    found = phase(quarters([78] * 4), CARE, "2025/26", "X00", goal, path=path, start=start, unchanged=312)
    assert found["target"].sum() == goal
