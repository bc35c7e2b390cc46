"""Plans followed in the year: a care home goal through four quarters by hand, and every other state."""

from math import erf, exp, log, sqrt

import numpy as np
import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.progress import progress
from bcfstats.judge.tracking import latest, phase_plan, rest_of_year, track
from bcfstats.show.all_areas import tracking_page
from bcfstats.stats.rows import critical_value
from tests.judge.made_up import panel
from tests.judge.test_phasing import quarters

CARE = "long_term_care_home_admissions"
PEOPLE = 50_000
EIGHTY = 1.2815515655446004  # of 100 normal values 80 lie within so many standard deviations


def normal(z):
    return (1 + erf(z / sqrt(2))) / 2


def plan(*rows, area="X00", metric=CARE, **given):
    """Give plan rows of (period, change in per cent) or of given targets."""
    base = {
        "area_code": area,
        "area_name": "",
        "metric": metric,
        "against": "baseline",
        "source": "HWB, 3 March",
    }
    numbers = dict.fromkeys(("target_value", "target_numerator", "change_percent", "baseline_value"), np.nan)
    return pd.DataFrame([{**base, **numbers, "payment": period, **row, **given} for period, row in rows])


FIVE_LESS = plan(("2025/26", {"change_percent": -5.0}))


def council(*this_year):
    """Give 312 admissions in 2024/25, 78 a quarter, and the quarters of 2025/26 so far."""
    return quarters([78] * 4 + list(this_year))


def by_hand(known, goal=296, quarters=(0, 1, 2, 3)):
    """What 2025/26 comes to once some quarters are known: every number of the method, in plain arithmetic."""
    days = [91, 92, 92, 90]
    share = sum(days[quarter] for quarter in quarters[: len(known)]) / 365
    done, due, ahead = sum(known), 312 * share, 312 * (1 - share)
    level = 0.235**2 + 2 / 312  # what care home admissions usually move by, and the noise of two years
    weight = level / (level + 1 / due)
    rest = ahead * exp(weight * log(done / due))
    error = sqrt(weight / due + 1 / ahead)
    chance = normal(log((goal - done) / rest) / error)
    return done + rest, done + rest / exp(EIGHTY * error), done + rest * exp(EIGHTY * error), chance


def test_five_per_cent_fewer_than_312_through_four_quarters_by_hand():
    """Goal 296 (312 less 5 % is 296.4), planned 74, 75, 74 and 73; 80, 70, 66 and 72 came: 288."""
    found = track(council(80, 70, 66, 72), FIVE_LESS)
    assert found["goal"].tolist() == [296] * 4
    assert found["plan"].tolist() == [74, 75, 74, 73]
    assert found["plan_so_far"].tolist() == [74, 149, 223, 296]
    assert found["actual_so_far"].tolist() == [80, 150, 216, 288]
    assert found["needed"].tolist() == [216, 146, 80, 8]
    for k, known in enumerate(([80], [80, 70], [80, 70, 66])):
        row = found.iloc[k]
        made = [row[name] for name in ("outcome", "outcome_lower", "outcome_upper", "chance")]
        assert made == pytest.approx(by_hand(known), rel=1e-9)
    assert by_hand([80])[0] == pytest.approx(319.72, abs=0.01)
    assert by_hand([80])[3] == pytest.approx(0.197, abs=0.001)
    assert found["status"].tolist() == ["not on track", "too early to tell", "on track", "met"]
    assert "ASCOF 2A(2)" in found["method"][0]  # what the usual movement rests on
    assert found["return_word"].tolist() == ["not on track", "not on track", "on track", "on track"]
    assert found["source"].tolist() == ["HWB, 3 March"] * 4
    assert (
        "80 can still come in the quarter left, 80 a quarter; so far there were 72 a quarter"
        in found["why"][2]
    )


def test_a_year_that_came_to_more_than_its_goal_is_not_met():
    found = track(council(80, 78, 77, 72), FIVE_LESS)
    assert found["status"].tolist()[-1] == "not met"
    assert found["return_word"].tolist()[-1] == "not on track"


def test_later_quarters_are_not_used():
    whole = track(council(80, 70, 66, 72), FIVE_LESS, known_until="Sep 2025")
    part = track(council(80, 70), FIVE_LESS)
    pd.testing.assert_frame_equal(whole, part)
    assert latest(whole)["period"].tolist() == ["2025-07/2025-09"]


def test_a_plan_by_quarter_is_judged_as_it_stands():
    """70, 75, 75 and 76 are 296 in the year; the plan so far is 70, not 74."""
    names = ("Q1 2025/26", "Q2 2025/26", "Q3 2025/26", "Q4 2025/26")
    given = zip(names, (70.0, 75.0, 75.0, 76.0), strict=True)
    own = plan(*[(name, {"target_numerator": count}) for name, count in given])
    found = track(council(80, 70), own)
    assert (found["goal"].tolist(), found["plan_so_far"].tolist()) == ([296, 296], [70, 145])
    assert found["chance"].tolist() == pytest.approx(track(council(80, 70), FIVE_LESS)["chance"].tolist())


def test_windows_that_overlap_are_goals_of_their_own_and_months_in_a_row_are_one():
    """Two payments of 2013: April to December and October to March are no parts of each other."""
    rows = panel(months=57, wander=0.01)
    given = [(name, {"change_percent": -5.0}) for name in ("Apr-Dec 2014", "Oct 2014 - Mar 2015")]
    found = latest(track(rows, plan(*given, metric="delayed_transfers"), "bcf-2013-12"))
    assert found["goal_period"].tolist() == ["2014-04/2014-12", "2014-10/2015-03"]
    assert found["periods_left"].tolist() == [0, 3]
    months = [(name, {"target_numerator": 900.0}) for name in ("Apr 2014", "May 2014", "Jun 2014")]
    quarter = track(rows, plan(*months, metric="delayed_transfers"), "bcf-2013-12")
    assert quarter["goal_period"].unique().tolist() == ["2014-04/2014-06"]
    assert quarter["goal"].unique().tolist() == [2700]


def test_a_quarter_that_is_not_there_takes_nothing_from_those_that_are():
    """July to September is suppressed: its part of the year is forecast, as that of January to March is."""
    rows = council(80, 70, 66, 72)
    rows.loc[rows["period_start"] == "2025-07-01", "status"] = "suppressed"
    other = quarters([78] * 4 + [80, 70, 66, 72], area="X01")
    found = track(pd.concat([rows, other]), pd.concat([FIVE_LESS, FIVE_LESS.assign(area_code="X09")]))
    here, nobody = (found.loc[found["area_code"] == code] for code in ("X00", "X09"))
    assert here["status"].tolist() == ["not on track", "no data", "too early to tell", "too early to tell"]
    assert here["return_word"].tolist()[1] == "data not available"
    assert here["plan"].tolist() == [74, 75, 74, 73]
    assert here["plan_so_far"].tolist() == [74, 74, 148, 221]  # of the quarters that are there
    assert here["actual_so_far"].tolist() == [80, 80, 146, 218]
    assert here["chance"].isna().tolist() == [False, True, False, False]
    for row, known in ((2, [80, 66]), (3, [80, 66, 72])):
        made = [here.iloc[row][name] for name in ("outcome", "outcome_lower", "outcome_upper", "chance")]
        assert made == pytest.approx(by_hand(known, quarters=(0, 2, 3)), rel=1e-9)
    assert here["missing"].tolist() == ["", "", *["July to September 2025"] * 2]
    assert here["why"].iloc[1] == (
        "Long-term care home admissions: there is no usable figure for July to September 2025."
    )
    assert "Missing, and left out of both: July to September 2025." in here["why"].iloc[3]
    assert "78 can still come in the quarter left or missing" in here["why"].iloc[3]
    assert nobody["status"].tolist() == ["no data"] * 4
    assert latest(found)["period"].tolist() == ["2026-01/2026-03", "2026-01/2026-03"]


def test_a_month_missing_from_a_monthly_count_takes_nothing_from_the_rest():
    rows = panel(metric="emergency_admissions_65", months=57, first="2021-04", wander=0.01)
    rows = rows.loc[rows["period_start"] < "2026-04-01"]
    goal = plan(("2025/26", {"target_numerator": 11_500.0}), metric="emergency_admissions_65")
    gap = rows.loc[(rows["area_code"] != "X00") | (rows["period_start"] != "2025-07-01")]
    whole, found = track(rows, goal), track(gap, goal)
    assert found["status"].tolist()[3] == "no data"
    assert (found["status"] == "no data").sum() == 1
    assert found["chance"].notna().sum() == len(found) - 1
    before = found["period"] < "2025-07"
    assert found.loc[before, "outcome"].tolist() == whole.loc[before, "outcome"].tolist()
    after = found["period"] > "2025-08"
    near = found.loc[after, "outcome"] / whole.loc[after, "outcome"]
    assert near.between(0.95, 1.05).all()  # a twelfth of the year is guessed
    assert (found.loc[after, "missing"] == "July 2025").all()
    assert found["status"].iloc[-1] not in ("met", "not met")  # a year with a month missing is not over


def test_an_average_leaves_a_missing_month_out():
    """Bed days 240 and 160 of 200 discharges each, the month between them missing: 1.0 day so far."""
    starts = pd.date_range("2024-04", periods=15, freq="MS")
    days = [*np.linspace(190, 210, 12), 240.0, 999.0, 160.0]
    frames = [
        pd.DataFrame({"period_start": starts, "numerator": np.roll(days[:12], i).tolist() + days[12:]})
        for i in range(3)
    ]
    rows = pd.concat([frame.assign(area_code=f"X{i:02d}") for i, frame in enumerate(frames)]).assign(
        metric="average_discharge_delay", frequency="month", denominator=200.0, status="ok", area_name="A"
    )
    rows["period_end"] = rows["period_start"] + pd.offsets.MonthEnd(0)
    rows = rows.loc[(rows["area_code"] != "X00") | (rows["period_start"] != "2025-05-01")]
    found = track(rows, plan(("2025/26", {"target_value": 0.95}), metric="average_discharge_delay"))
    assert found["actual_so_far"].tolist() == pytest.approx([1.2, 1.2, 1.0])
    assert found["status"].tolist()[1] == "no data"
    assert np.isfinite(found["chance"].iloc[2])


def test_a_count_by_month_is_forecast_as_progress_does():
    rows = panel(metric="emergency_admissions_65", months=57, first="2021-04", wander=0.01)
    rows = rows.loc[rows["period_start"] < "2025-10-01"]
    goal = plan(("2025/26", {"target_numerator": 11_500.0}), metric="emergency_admissions_65")
    found = track(rows, goal).iloc[-1]
    line = pd.DataFrame(
        {"area_code": ["X00"], "metric": "emergency_admissions_65", "payment": "2025/26",
         "payment_line": 11_500 / 2 / 12}
    )  # fmt: skip
    same = progress(rows, line, "bcf-2025-26").iloc[0]
    assert found["outcome"] == pytest.approx(same["outcome"] * 2 * 12)
    assert found["chance"] == pytest.approx(same["chance"])
    assert found["periods_left"] == 6
    by_month = track(rows, goal)["plan"].tolist()
    assert len(by_month) == 6
    assert all(count == round(count) for count in by_month)


def test_an_average_is_followed_in_its_unit_with_the_noise_of_all_areas_months():
    """Bed days over discharges: so far 220 of 200 and 180 of 200 discharges are 1.0 day."""
    rng = np.random.default_rng(3)
    starts = pd.date_range("2024-04", periods=14, freq="MS")
    frames = []
    for i in range(12):
        days = np.concatenate([rng.normal(200, 20, 12), [220.0, 180.0]])
        frame = pd.DataFrame({"period_start": starts, "period_end": starts + pd.offsets.MonthEnd(0)})
        frames.append(frame.assign(area_code=f"X{i:02d}", numerator=days))
    rows = pd.concat(frames).assign(
        metric="average_discharge_delay", frequency="month", denominator=200.0, status="ok", area_name="A"
    )
    goal = plan(("2025/26", {"target_value": 0.95}), metric="average_discharge_delay")
    found = track(rows, goal)
    assert found["actual_so_far"].tolist() == pytest.approx([1.1, 1.0])
    assert found["plan"].tolist() == [0.95, 0.95]
    assert found["needed"].isna().all()
    assert found["outcome_lower"][1] < found["outcome"][1] < found["outcome_upper"][1]
    logs = np.log(rows["numerator"].to_numpy().reshape(12, 14)[:, :12] / 200)
    rest = logs - logs.mean(axis=1, keepdims=True) - logs.mean(axis=0) + logs.mean()
    scatter = (rest**2).sum() / (11 * 11)
    half = np.log(found["outcome_upper"][1] - 61 / 365) - np.log(found["outcome"][1] - 61 / 365)
    assert half / EIGHTY >= np.sqrt(scatter / 10) * (1 - 1e-9)  # at least the ten months to come


def test_the_rest_of_a_year_takes_its_level_from_what_was_sure_and_its_error_from_what_was_not():
    """A level known exactly stays; one not known at all becomes what was seen."""
    arrays = [np.array([x]) for x in (80.0, 0.25, 312.0)]
    sure, _ = rest_of_year(*arrays, np.array([1e-9]), np.array([1 / 78]), np.array([1 / 234]))
    open_, error = rest_of_year(*arrays, np.array([1e9]), np.array([1 / 78]), np.array([1 / 234]))
    assert sure[0] == pytest.approx(234)
    assert open_[0] == pytest.approx(240)
    assert error[0] == pytest.approx(sqrt(1 / 78 + 1 / 234))
    assert critical_value(0.8) == pytest.approx(EIGHTY)


def test_the_chances_come_true():
    """1,500 councils whose level moves as their history says: of chances near 30 % and 70 % as many met."""
    rng = np.random.default_rng(7)
    level = 312 * np.exp(rng.normal(0, 0.15, 1500))
    came = rng.poisson(level[:, None] * np.array([91, 92, 92, 90]) / 365)
    done, share = came[:, :2].sum(axis=1).astype(float), np.full(1500, 183 / 365)
    expected = np.full(1500, 312.0)
    noise = 1 / (expected * share), 1 / (expected * (1 - share))
    rest, error = rest_of_year(done, share, expected, np.full(1500, 0.15), *noise)
    goals = done + rest * np.exp(rng.normal(0, 1, 1500) * error)
    chance = np.array([normal(z) for z in np.log((goals - done) / rest) / error])
    met = came.sum(axis=1) <= goals
    for low, high in ((0.2, 0.4), (0.6, 0.8)):
        inside = (chance > low) & (chance < high)
        assert met[inside].mean() == pytest.approx(chance[inside].mean(), abs=0.08)  # 3 standard errors


@pytest.mark.parametrize(
    ("wrong", "error", "match"),
    [
        (pd.concat([FIVE_LESS, FIVE_LESS]), InputError, "two goals"),
        (FIVE_LESS.assign(metric="foo"), ParameterError, "no such metric"),
        (FIVE_LESS.drop(columns="metric"), InputError, "Columns are missing"),
        (FIVE_LESS.iloc[:0], InputError, "no goal"),
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused(wrong, error, match):
    with pytest.raises(error, match=match):
        track(council(80), wrong)


def test_a_goal_without_a_past_is_told_without_a_chance():
    rows = quarters([80, 70], first="2025-04")
    found = track(rows, plan(("2025/26", {"target_numerator": 296.0})))
    assert found["plan"].tolist() == [74, 75]
    assert found["chance"].isna().all()
    assert found["status"].tolist() == ["too early to tell"] * 2
    assert "No chance can be given" in found["why"][1]


def test_a_goal_whose_period_is_open_is_told_and_the_others_are_followed():
    rows = panel(months=57, wander=0.01)
    both = pd.concat(
        [
            plan(("2015-04", {"change_percent": -5.0}), metric="delayed_transfers"),
            plan(("2015-10", {"change_percent": 5.0}), metric="patient_experience"),
        ]
    )
    tracked = track(rows, both, "bcf-2013-12")
    assert "nan" not in tracking_page(tracked, metrics=METRICS, is_example=False, board="Board")
    found = latest(tracked).set_index("metric")
    assert found.loc["patient_experience", "status"] == "no data"
    assert "to be confirmed" in found.loc["patient_experience", "why"]
    assert found.loc["delayed_transfers", "periods_left"] == 0


def test_a_phased_plan_is_followed_as_it_stands():
    """A step in October from 312 to 296: 77.79, 78.64, 78.64 less 16 x 92 / 182, 76.93 less 16 x 90 / 182."""
    made = phase_plan(council(), FIVE_LESS, path="step", start="1 October 2025")
    assert made["target_numerator"].tolist() == [78, 79, 70, 69]
    assert made["source"].tolist() == ["HWB, 3 March"] * 4
    written = made.rename(columns={"area": "area_code"}).assign(target_value=np.nan, change_percent=np.nan)
    found = track(council(80, 70), written)
    assert (found["goal"].tolist(), found["plan_so_far"].tolist()) == ([296, 296], [78, 157])


def test_a_goal_that_cannot_be_phased_says_why():
    late = phase_plan(council(), FIVE_LESS, path="step", start="2026-03-31")
    assert "too late" in late["reason"][0]
    with pytest.raises(ParameterError, match="not a day"):
        phase_plan(council(), FIVE_LESS, path="step", start="soon")
    nobody = phase_plan(council(), FIVE_LESS.assign(area_code="X09"))
    assert "cannot be worked out" in nobody["reason"][0]
