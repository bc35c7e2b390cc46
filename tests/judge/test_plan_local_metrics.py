import numpy as np
import pandas as pd
import pytest

from bcfstats.errors import ParameterError
from bcfstats.judge.plan import CRITERIA, local_menu, screen_local_metric
from tests.judge.made_up import yearly


def screened(metric="dementia_diagnosis", level=55.0, people=3000.0, years=5, **given):
    rows = yearly(metric, np.full((1, years), level), people, **given.pop("columns", {}))
    return screen_local_metric(metric, rows, "X00", **given).set_index("criterion")


def test_the_menu_is_that_of_paragraph_46():
    codes = ["2.1", "2.6i", "3.5", "1A", "1H", "1D", "1.18i", "2.13ii", "2.24i"]
    assert sorted(local_menu()["code"]) == sorted(codes)
    assert local_menu().set_index("code").loc[["2.13ii", "2.24i"], "better"].tolist() == ["lower", "lower"]


def test_figures_decide_what_they_can_and_people_are_asked_the_rest():
    found = screened()
    assert list(found.index) == list(CRITERIA)
    assert found["finding"].to_dict() == {
        "strategy": "to be answered",
        "robust": "met",
        "source": "met",
        "timely": "met",
        "challenging": "to be answered",
        "incentives": "to be answered",
    }


def test_answers_are_recorded_with_their_evidence_and_do_not_override_figures():
    found = screened(
        people=10.0, answers={"strategy": (True, "JHWS 2013, page 4"), "robust": (True, "we trust it")}
    )
    assert found.loc["strategy", ["finding", "evidence", "decided_by"]].tolist() == [
        "met",
        "JHWS 2013, page 4",
        "a person",
    ]
    assert (found.loc["robust", "finding"], found.loc["robust", "decided_by"]) == ("not met", "figures")
    assert "we trust it" in found.loc["robust", "evidence"]


@pytest.mark.parametrize(("people", "finding"), [(12.0, "not met"), (40.0, "to be answered"), (80.0, "met")])
def test_small_numbers(people, finding):
    """55 % of 12, 40 and 80 are 7, 22 and 44 people."""
    assert screened(people=people).loc["robust", "finding"] == finding


def test_the_smaller_side_of_a_share_counts():
    """60 of 200 discharged are too few to say met only if fewer than 30 are on one side: 97 % leaves 6."""
    found = screened("fragility_fracture_recovery", 97.0, 200.0)
    assert found.loc["robust", "evidence"] == "small numbers: 6 in one period"


def test_missing_and_suspect_periods_are_a_quality_issue():
    status = ["ok", "suspect", "ok", "ok", "ok"]
    assert "20 % of its periods" in screened(columns={"status": status}).loc["robust", "evidence"]


def test_a_survey_every_second_year_is_not_timely_and_without_limits_not_robust():
    rows = yearly("carer_quality_of_life", np.array([[8.0, 8.1, 8.2]]), 400.0)
    rows = rows.iloc[[0, 2]].copy()
    for name in ("period_start", "period_end"):
        rows[name] += pd.DateOffset(years=2)
    found = screen_local_metric("1D 2014/15", rows, "X00").set_index("criterion")
    assert (found.loc["timely", "finding"], found.loc["robust", "finding"]) == ("not met", "not met")
    assert "less often than every year" in found.loc["timely", "evidence"]


def test_no_baseline_in_2014_15_is_asked_about():
    assert "2014/15" in screened(years=4).loc["timely", "evidence"]
    assert screened(years=4).loc["timely", "finding"] == "to be answered"


def test_the_verdict_decides_whether_it_is_challenging():
    assert screened(verdict="too_easy").loc["challenging", "finding"] == "not met"
    assert screened(verdict="challenging_and_achievable").loc["challenging", "finding"] == "met"
    assert screened(verdict="cannot_be_assessed").loc["challenging", "finding"] == "to be answered"


def test_no_figures_and_wrong_answers():
    found = screen_local_metric("falls_injuries", yearly("reablement", np.ones((1, 1)), 1.0), "X00")
    assert (found["finding"] == "not met").sum() == 2
    with pytest.raises(ParameterError, match="evidence"):
        screened(answers={"strategy": (True, " ")})
    with pytest.raises(ParameterError, match="strategy"):
        screened(answers={"strategic": (True, "x")})


@pytest.mark.parametrize(
    ("people", "evidence"),
    [
        (9, "small numbers: 9 in one period"),
        (10, "few: 10 in one period"),
        (29, "few: 29 in one period"),
        (30, "at least 30 in every period"),
    ],
)
def test_fewer_than_10_is_small_and_30_is_not(people, evidence):
    """Half of twice as many on either side."""
    found = screened("fragility_fracture_recovery", 50.0, 2.0 * people)
    assert found.loc["robust", "evidence"].startswith(evidence)


def test_only_the_area_and_the_metric_asked_for_count():
    rows = yearly("fragility_fracture_recovery", np.full((2, 5), 50.0), np.repeat([400.0, 4.0], 5))
    both = pd.concat([rows, rows.assign(metric="dementia_diagnosis", status="suspect")])
    for area, finding in (("X00", "met"), ("X01", "not met")):
        found = screen_local_metric("fragility_fracture_recovery", both, area).set_index("criterion")
        assert found.loc["robust", "finding"] == finding


def test_one_bad_period_in_ten_is_no_quality_issue_and_one_in_nine_is():
    for years, finding in ((10, "met"), (9, "not met")):
        status = ["suspect"] + ["ok"] * (years - 1)
        rows = yearly("fragility_fracture_recovery", np.full((1, years), 50.0), 400.0, 2006, status=status)
        found = screen_local_metric("fragility_fracture_recovery", rows, "X00").set_index("criterion")
        assert found.loc["robust", "finding"] == finding


def test_a_survey_is_asked_about_with_its_margin():
    limits = {"lower_ci": 43.2, "upper_ci": 46.8}
    found = screened("social_contact", 45.0, columns=limits)
    assert found.loc["robust", ["finding", "evidence"]].tolist() == [
        "to be answered",
        "a survey: 45.0, give or take 1.8; is that enough to see a change?",
    ]


def test_a_figure_for_part_of_2014_15_is_a_figure_and_one_that_reaches_beyond_is_not():
    rows = yearly("fragility_fracture_recovery", np.full((1, 1), 50.0), 400.0, 2014)
    later = rows.assign(period_end=pd.Timestamp(2015, 4, 1))
    earlier = rows.assign(period_start=pd.Timestamp(2014, 3, 31))
    for table, finding in ((rows, "met"), (later, "to be answered"), (earlier, "to be answered")):
        found = screen_local_metric("fragility_fracture_recovery", table, "X00").set_index("criterion")
        assert found.loc["timely", "finding"] == finding
