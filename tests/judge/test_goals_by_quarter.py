"""What a goal for a quarter can show, by hand; goals named by their period; no word of payment."""

import numpy as np
import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.define.schemes import scheme
from bcfstats.errors import InputError
from bcfstats.judge.ambitions import assess_ambitions
from bcfstats.read.papers import read_allocations
from bcfstats.read.targets import read_targets

METRIC = METRICS["long_term_care_home_admissions"]


@pytest.fixture
def observations():
    starts = pd.date_range("2024-04-01", periods=8, freq="QS")
    areas = [f"X{i:02d}" for i in range(30)]
    n = len(starts)
    noise = np.random.default_rng(4).integers(-15, 16, (30, n))
    noise[0] = 0
    table = pd.DataFrame(
        {
            "area_code": np.repeat(areas, n),
            "area_name": np.repeat(areas, n),
            "metric": METRIC.id,
            "period_start": np.tile(starts, 30),
            "period_end": np.tile(starts + pd.offsets.QuarterEnd(), 30),
            "frequency": "quarter",
            "numerator": 78.0 + noise.ravel(),
            "denominator": 50_000.0,
            "lower_ci": np.nan,
            "upper_ci": np.nan,
            "status": "ok",
            "status_note": "",
            "basis": "CLD",
        }
    )
    return table.assign(value=table["numerator"] / table["denominator"] * 100_000)


def goals(tmp_path, period, change=-5, heading="period"):
    path = tmp_path / "goals.csv"
    path.write_text(f"area,metric,{heading},change_percent\nX00,{METRIC.id},{period},{change}\n")
    areas = pd.DataFrame({"area_code": ["X00"], "area_name": ["X00"]})
    return read_targets(path, areas=areas, scheme=scheme("bcf-2026-27"))


def test_a_quarter_of_78_admissions_says_what_could_be_shown_and_over_how_long(observations, tmp_path):
    found = assess_ambitions(observations, goals(tmp_path, "Q1 2026/27"), "bcf-2026-27").iloc[0]
    # 1.96 x sqrt(2 / 78) = 31 %; 2 x (1.96 / 0.05)^2 = 3,073 admissions, 39.4 quarters of 78
    assert found["baseline_value"] == pytest.approx(156.0)
    assert "With 78 admissions a period, chance alone moves it by up to 31 %." in found["reasons"]
    assert "A change of 5.0 % would show over 40 such periods together" in found["reasons"]


def test_a_change_that_can_be_shown_in_a_quarter_says_no_such_thing(observations, tmp_path):
    found = assess_ambitions(observations, goals(tmp_path, "Q1 2026/27", -60), "bcf-2026-27").iloc[0]
    assert "chance alone moves it" not in found["reasons"]


def test_sentences_speak_of_the_goal_and_never_of_payment(observations, tmp_path):
    found = assess_ambitions(observations, goals(tmp_path, "2026/27"), "bcf-2026-27").iloc[0]
    assert "reach the goal of" in found["reasons"]
    assert "pa" + "id" not in found["reasons"]
    assert "payment" not in found["reasons"]
    assert np.isnan(found["money_at_stake"])


@pytest.mark.parametrize(
    ("period", "kept"),
    [("2026/27", "2026/27"), ("Q2 2026/27", "July to September 2026"), ("2026-06", "2026-06")],
)
@pytest.mark.parametrize("heading", ["period", "payment"])
def test_goals_are_named_by_year_quarter_or_month(tmp_path, period, kept, heading):
    assert goals(tmp_path, period, heading=heading)["payment"].tolist() == [kept]


def test_a_scheme_that_pays_nothing_has_no_allocations(tmp_path):
    path = tmp_path / "money.csv"
    path.write_text("area,payment,pounds\nX00,2026/27,1000\n")
    with pytest.raises(InputError, match="No money rests on the metrics of this scheme"):
        read_allocations(path, "bcf-2026-27")
