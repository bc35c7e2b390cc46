from fractions import Fraction

import pandas as pd
import pytest

from bcfstats.judge.ambitions import assess_ambitions
from bcfstats.judge.payment import outcomes, payment
from bcfstats.read.data import load
from tests.judge.made_up import panel, targets


def judged(outcome_days, change=-10.0, baseline_days=1000.0):
    """X00 goes from so many days in each month of April to December 2013 to so many over the same of 2014."""
    rows = panel(months=57)
    own = rows["area_code"] == "X00"
    rows.loc[own & rows["period_start"].between("2013-04-01", "2013-12-01"), "numerator"] = baseline_days
    after = own & rows["period_start"].between("2014-04-01", "2014-12-01")
    rows.loc[after, "numerator"] = float(outcome_days // 9)
    rows.loc[own & (rows["period_start"] == "2014-12-01"), "numerator"] += outcome_days % 9
    goal = targets([{"area_code": "X00", "metric": "delayed_transfers", "change_percent": change}])
    return outcomes(rows, assess_ambitions(rows, goal))


@pytest.mark.parametrize(("days", "achieved"), [(8370, True), (8371, False)])
def test_exactly_70_per_cent_in_whole_days_counts_and_one_day_more_does_not(days, achieved):
    """9,000 days less 10 % is 8,100; 70 % of the way is 8,370."""
    found = payment(judged(days)).metrics.iloc[0]
    assert found["achieved"] == achieved
    assert found["share"] == pytest.approx((9000 - days) / 900)


@pytest.mark.parametrize("baseline_days", [333.0, 777.0, 1001.0])
def test_the_line_is_exact_where_decimals_never_end(baseline_days):
    """A tenth off 9 b days: the line is .93 x 9 b, met by the whole number of days below it."""
    days = int(9 * baseline_days * 93 // 100)
    assert payment(judged(days, baseline_days=baseline_days)).metrics["achieved"][0]
    assert not payment(judged(days + 1, baseline_days=baseline_days)).metrics["achieved"][0]


def test_a_month_that_was_not_submitted_is_no_improvement():
    rows = panel(months=57)
    gone = (rows["area_code"] == "X00") & (rows["period_start"] == "2014-06-01")
    goal = targets([{"area_code": "X00", "metric": "delayed_transfers", "change_percent": -3.5}])
    table = assess_ambitions(rows, goal)
    rows.loc[gone, ["numerator", "status"]] = [10.0, "suspect"]
    found = outcomes(rows, table)
    assert found["reason"][0] == "missing: June 2014"
    assert payment(found).metrics["achieved"].isna().all()


def test_a_change_of_definition_between_baseline_and_outcome_is_no_outcome():
    """Care home admissions before and since the collection changed on 1 April 2014."""
    rows = pd.DataFrame(
        {
            "area_code": "X00",
            "metric": "care_home_admissions",
            "payment": "2015-10",
            "baseline_period": "2013-04/2014-03",
            "target_period": "2014-04/2015-03",
            "against": "baseline",
            "baseline_value": 700.0,
            "target_value": 650.0,
            **dict.fromkeys(("baseline_numerator", "baseline_denominator"), 1.0),
            **dict.fromkeys(("do_nothing_value", "ambition_percent"), float("nan")),
        },
        index=[0],
    )
    found = outcomes(panel(months=57), rows)
    assert found["outcome_value"][0] is None
    assert found["reason"][0].startswith("series break on 2014-04-01")
    assert payment(found).metrics["reason"][0] == found["reason"][0]


def test_a_target_without_a_window_has_no_outcome():
    goal = targets([{"area_code": "X00", "metric": "dementia_diagnosis", "change_percent": 5}])
    found = outcomes(panel(), assess_ambitions(panel(), goal))
    assert found["reason"][0] == "no payment window"


def test_southampton_as_it_came(real_processed):
    """domain.md section 5: 424.4 a month became 510.0: nothing of a 3.5 % fall was reached."""
    data = load(real_processed)
    goal = targets([{"area_code": "E06000045", "metric": "delayed_transfers", "change_percent": -3.5}])
    found = outcomes(data.observations, assess_ambitions(data.observations, goal))
    assert round(float(found["outcome_value"][0]), 1) == 510.0
    result = payment(found)
    assert not result.metrics["achieved"][0]
    assert result.metrics["share"][0] == pytest.approx((424.380 - 509.97) / (0.035 * 424.380), rel=1e-2)
    assert isinstance(result.boards, pd.DataFrame)


def test_values_are_the_exact_fractions_of_their_counts():
    """8,371 days over 9 months in 200,000 people is 8,371 / 18 per 100,000; a tenth off 9,000 days is 450."""
    found = judged(8371).iloc[0]
    assert found["outcome_value"] == Fraction(8371, 18)
    assert found["baseline_value"] == 500
    assert found["target_value"] == 450
    assert found["projected_value"] is None
    assert found["reason"] == ""


def test_an_area_that_is_no_longer_published_and_a_target_against_projected_demand():
    rows = panel(months=57)
    goal = {
        "area_code": "X00",
        "metric": "delayed_transfers",
        "change_percent": -10.0,
        "against": "projected",
    }
    table = assess_ambitions(rows, targets([goal]))
    assert outcomes(rows, table)["projected_value"][0] == table["do_nothing_value"][0]
    gone = outcomes(rows.loc[rows["area_code"] != "X00"], table).iloc[0]
    assert (gone["reason"], gone["outcome_value"]) == ("no figures for this area", None)
