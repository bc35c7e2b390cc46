"""Goals built from schemes of work, by hand: overlap, part years, limits, the goal and peers."""

from math import erf, hypot, sqrt

import numpy as np
import pandas as pd
import pytest

from bcfstats.define.periods import Period
from bcfstats.errors import InputError, ParameterError
from bcfstats.example.data import example_data
from bcfstats.judge.interventions import effects_of, goals_from_work
from bcfstats.judge.outlooks import Outlooks
from bcfstats.read.papers import read_work
from tests.judge.test_tracking import CARE, EIGHTY, council, plan

YEAR = Period.parse("2025/26")
GOAL = plan(("2025/26", {"change_percent": -5.0}))
AREAS = pd.DataFrame({"area_code": ["X00"], "area_name": ["Aldamount"], "region": [""]})


def work(*rows, **given):
    """Give rows of (name, people, start, effect), without limits where none are given."""
    base = {"area_code": "X00", "metric": CARE, "period": "", "overlap": 0.0}
    table = pd.DataFrame([{**base, "work": w, "people": p, "start": s, "effect": e} for w, p, s, e in rows])
    table["start"] = pd.to_datetime(table["start"])
    for name in ("people", "effect"):
        for end in ("low", "high"):
            table[f"{name}_{end}"] = table[name].astype(float)
    return table.assign(**given)


ONE = work(("a", 1.0, "2025-04-01", 1.0))


def test_effects_by_hand():
    """400 by 0.05 from April are 20; 300 by 0.04 from October 12 x 182 / 365; a third reached before."""
    given = work(("homes first", 400.0, "2025-04-01", 0.05), ("falls", 300.0, "2025-10-01", 0.04))
    found = effects_of(given.assign(overlap=[0.0, 1 / 3]), YEAR)
    assert found["mean"].tolist() == pytest.approx([20, 12 * 182 / 365 * 2 / 3])
    assert found["sd"].tolist() == pytest.approx([0, 0], abs=1e-6)


def test_limits_are_those_of_a_product_of_two_independent_numbers():
    """People 400, give or take 80; effect 0.05, give or take 0.02: in 80 of 100 cases each."""
    given = work(("homes first", 400.0, "2025-04-01", 0.05), people_low=320.0, people_high=480.0)
    found = effects_of(given.assign(effect_low=0.03, effect_high=0.07), YEAR).iloc[0]
    people, effect = 80 / EIGHTY, 0.02 / EIGHTY
    variance = (400 * effect) ** 2 + (0.05 * people) ** 2 + (people * effect) ** 2
    assert found["sd"] == pytest.approx(sqrt(variance))
    assert [found["low"], found["high"]] == pytest.approx([320 * 0.03, 480 * 0.07])
    rng = np.random.default_rng(5)
    drawn = rng.normal(400, people, 200_000) * rng.normal(0.05, effect, 200_000)
    assert found["sd"] == pytest.approx(drawn.std(), rel=0.01)  # 6 standard errors


@pytest.mark.parametrize(
    ("start", "share"), [("2024-06-01", 1.0), ("2026-03-31", 1 / 365), ("2026-04-01", 0.0)]
)
def test_work_counts_from_its_start_and_within_the_year(start, share):
    assert effects_of(work(("a", 365.0, start, 1.0)), YEAR)["mean"][0] == pytest.approx(365 * share)


def test_the_sum_is_held_against_the_goal_by_hand():
    """312 if nothing is done, goal 296: 16 are needed, 18 planned, between 11.6 and 24.4."""
    given = work(("homes first", 360.0, "2025-04-01", 0.05))
    found = goals_from_work(council(), given.assign(effect_low=0.0322, effect_high=0.0678), GOAL).iloc[0]
    assert [found["do_nothing"], found["goal"], found["needed"]] == pytest.approx([312, 296, 16])
    assert [found["effect"], found["effect_lower"]] == pytest.approx([18, 18 - 360 * 0.0178])
    both = hypot(312 * sqrt(0.235**2 + 2 / 312), 360 * 0.0178 / EIGHTY)
    assert found["chance"] == pytest.approx((1 + erf((296 - 294) / both / sqrt(2))) / 2)
    assert found["outcome"] == pytest.approx(294)
    assert found["finding"] == "may add up to the goal"
    assert "the goal is 296: 16 are needed" in found["why"]


def test_findings_go_from_not_enough_to_more_than_enough():
    """234 of 312 are the goal: 78 are needed, give or take about 77 by chance alone."""
    far = GOAL.assign(change_percent=-25.0)
    found = [
        goals_from_work(council(), ONE.assign(people=size, people_low=size, people_high=size), far)
        for size in (0.0, 78.0, 170.0)
    ]
    assert [table["finding"][0] for table in found] == [
        "does not add up to the goal",
        "may add up to the goal",
        "adds up to the goal",
    ]
    easy = goals_from_work(council(), ONE, GOAL.assign(change_percent=5.0))
    assert easy["finding"][0] == "the goal comes without it"


def test_peers_are_the_past_changes_that_were_as_good():
    data, name = example_data(n_areas=20, scheme="bcf-2025-26"), "emergency_admissions_65"
    area = data.areas["area_code"].iloc[0]
    goal = plan(("2025/26", {"change_percent": -5.0}), area=area, metric=name)
    given = work(("ward", 300.0, "2025-04-01", 1.0)).assign(area_code=area, metric=name)
    found = goals_from_work(data.observations, given, goal).iloc[0]
    seen = Outlooks(data.observations, "bcf-2025-26").of(name, "2025/26")
    place = seen.area_codes.tolist().index(area)
    value = found["outcome"] * seen.values_per_event[place]
    past = seen.history.changes[np.isfinite(seen.history.changes)]
    assert found["peers"] == pytest.approx((past <= np.log(value / seen.value[place]) + 1e-9).mean())


@pytest.mark.parametrize(
    ("rows", "error", "match"),
    [
        (ONE.assign(area_code="X09"), InputError, "no goal for this work"),
        (ONE.assign(metric="reablement"), ParameterError, "added up"),
        (ONE.iloc[:0], InputError, "no schemes of work"),
        (ONE.assign(period="2024/25"), InputError, "no goal for this work"),
    ],
)
def test_work_that_cannot_be_added_up_is_refused(rows, error, match):
    with pytest.raises(error, match=match):
        goals_from_work(council(), rows, GOAL)


def test_a_table_of_work_is_read_with_its_defaults(tmp_path):
    path = tmp_path / "work.csv"
    path.write_text(
        "area,metric,work,people,start,effect,effect_low,effect_high,overlap\n"
        f"Aldamount,{CARE},homes first,400,1 Oct 2025,0.05,0.03,0.07,25%\n"
        f"X00,{CARE},falls,300,Apr 2025,0.04,,,\n",
        encoding="utf-8",
    )
    found = read_work(path, AREAS)
    assert found["start"].dt.strftime("%Y-%m-%d").tolist() == ["2025-10-01", "2025-04-01"]
    assert found["overlap"].tolist() == [0.25, 0.0]
    names = ["people_low", "effect_low", "effect_high"]
    assert found[names].to_numpy().tolist() == [[400, 0.03, 0.07], [300, 0.04, 0.04]]


def test_every_problem_of_a_table_is_named_before_any_row_is_used(tmp_path):
    path = tmp_path / "work.csv"
    head = "area,metric,work,people,people_low,start,effect,overlap\n"
    areas = ("Nowhere", "Aldamount", "Aldamount", "Aldamount")
    rest = ("400,,Apr 2025,0.05,", "many,,Apr 2025,0.05,", "400,500,Apr 2025,0.05,", "400,,Apr 2025,0.05,3")
    lines = [f"{area},{CARE},a,{cells}" for area, cells in zip(areas, rest, strict=True)]
    path.write_text(head + "\n".join(lines), encoding="utf-8")
    with pytest.raises(InputError, match="4 problems") as told:
        read_work(path, AREAS)
    expected = ("Nowhere", "not a number", "between its limits", "a share")
    assert all(text in str(told.value) for text in expected)
    path.write_text("area,metric\n", encoding="utf-8")
    with pytest.raises(InputError, match="not a table of schemes"):
        read_work(path, AREAS)
