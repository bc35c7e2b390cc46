import numpy as np
import pandas as pd
import pytest

from bcfstats.errors import InputError
from bcfstats.judge.ambitions import COLUMNS
from bcfstats.judge.national import national_overview


def plans(n=20, **given):
    """Plans from 100 to 90 in areas of growing size, in two regions."""
    base = {
        "area_code": [f"X{i:02d}" for i in range(n)],
        "metric": "delayed_transfers",
        "payment": "2015-04",
        "baseline_value": 100.0,
        "target_value": 90.0,
        "do_nothing_value": 103.0,
        "baseline_denominator": np.arange(1.0, n + 1),
        "ambition_percent": -10.0 + np.linspace(-1, 1, n),
        "events_better": 5.0,
        "money_at_stake": np.nan,
        "history_p": 0.5,
        "verdict": "within_noise",
    }
    return pd.DataFrame({**base, **given}).reindex(columns=COLUMNS)


AREAS = pd.DataFrame(
    {"area_code": [f"X{i:02d}" for i in range(20)], "region": ["North"] * 5 + ["South"] * 15}
)


def test_composite_is_weighted_by_population():
    """Sizes 1 to 20, baseline i: mean of squares over mean is 2870 / 210 = 13.667."""
    found = national_overview(plans(baseline_value=np.arange(1.0, 21.0)), AREAS).composite.set_index("region")
    assert found.loc["England", "baseline_value"] == pytest.approx(2870 / 210)
    assert found.loc["North", "baseline_value"] == pytest.approx(55 / 15)
    assert found.loc["England", "events_better"] == 100
    assert found.loc["South", "boards"] == 15
    assert found.loc["England", "ambition_percent"] == pytest.approx(100 * (90 / (2870 / 210) - 1))


def test_verdicts_are_counted_by_region_and_for_england():
    verdicts = ["within_noise"] * 4 + ["unprecedented"] * 16
    found = national_overview(plans(verdict=verdicts), AREAS).verdicts.set_index("region")
    assert found.loc["North", ["within_noise", "unprecedented", "too_easy"]].tolist() == [4, 1, 0]
    assert found.loc["England", ["within_noise", "unprecedented"]].tolist() == [4, 16]


def test_p_values_are_adjusted_over_all_plans():
    """Benjamini and Hochberg's ten p-values: two are rejected at 5 % (methods.md G27)."""
    p = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216]
    found = national_overview(plans(10, history_p=p), AREAS)
    assert found.plans["significant_overall"].sum() == 2
    assert "2 taken together" in found.notes[0]


def test_outlying_plans_are_named_as_questions_in_both_directions():
    size = -10.0 + np.linspace(-1, 1, 20)
    size[3], size[7] = -60.0, 30.0
    found = national_overview(plans(ambition_percent=size), AREAS).plans.set_index("area_code")
    assert (found["outlying"] != "").sum() == 2
    assert found.loc["X03", "outlying"].startswith("asks for −60.0 %")
    assert found.index.is_monotonic_increasing  # by code, not ranked


def test_what_cannot_be_assessed_takes_no_part_and_is_counted():
    table = plans()
    table.loc[:2, ["verdict", "baseline_value"]] = ["cannot_be_assessed", 1e9]
    found = national_overview(table, AREAS).composite.set_index("region")
    assert found.loc["England", "baseline_value"] == pytest.approx(100)
    assert (found.loc["England", "assessed"], found.loc["England", "note"]) == (17, "of 17 of 20 boards")


def test_a_count_and_a_figure_are_of_the_same_boards_and_those_left_out_are_named():
    """Of three boards one can be assessed: 5 events of 1 board and two names, not 15 events."""
    table = plans(3, area_name=["Ashby", "Barrow", "Corby"], money_at_stake=10.0)
    table.loc[1, "verdict"] = "cannot_be_assessed"
    table.loc[2, "baseline_denominator"] = np.nan
    england = national_overview(table, AREAS).composite.set_index("region").loc["England"]
    assert (england["boards"], england["assessed"]) == (3, 1)
    assert (england["events_better"], england["money_at_stake"]) == (5, 10)
    assert (england["left_out"], england["note"]) == ("Barrow, Corby", "of 1 of 3 boards")


def test_money_of_some_boards_only_is_no_sum():
    england = national_overview(plans(3, money_at_stake=[10.0, 10.0, np.nan]), AREAS).composite.iloc[0]
    assert np.isnan(england["money_at_stake"])


def test_a_board_counts_once_however_its_payment_is_spelt():
    table = plans(4)
    twice = pd.concat([table, table.assign(payment="April 2015")])
    found = national_overview(twice, AREAS)
    england = found.composite.set_index("region").loc["England"]
    assert (england["boards"], england["events_better"]) == (4, 20)
    assert "4 rows stood twice" in found.notes[-1]
    with pytest.raises(InputError, match="two targets"):
        national_overview(pd.concat([table, table.assign(target_value=80.0)]), AREAS)


def test_no_population_no_region_and_no_plans():
    found = national_overview(plans(baseline_denominator=np.nan), AREAS.head(0)).composite
    assert found["baseline_value"].isna().all()
    assert set(found["note"]) == {"no population to weigh by"}
    assert set(found["region"]) == {"England", "no region given"}
    with pytest.raises(InputError):
        national_overview(plans().head(0), AREAS)
