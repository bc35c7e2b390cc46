import numpy as np
import pandas as pd
import pytest

from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.payment import quarterly_payment
from bcfstats.judge.plan import national_conditions
from bcfstats.read.papers import read_allocations


def test_money_from_a_letter_and_from_a_share_of_the_national_pots(tmp_path):
    """0.4 % of £250 million is £1 million, and of £500 million £2 million: estimates."""
    path = tmp_path / "money.csv"
    path.write_text(
        "area,payment,pounds,national_share_percent\n"
        'Leeds,2015-04,"1,234,500",\nSouthampton,2015-04,,0.4\nE06000045,October 2015,,0.4\n'
    )
    found = read_allocations(path)
    assert found["pounds"].tolist() == [1_234_500, 1_000_000, 2_000_000]
    assert found["is_estimate"].tolist() == [False, True, True]
    assert found["area_code"].tolist() == ["E08000035", "E06000045", "E06000045"]
    assert found["note"][1] == "estimate: 0.4 % of the national £250 million"


def test_every_row_that_cannot_be_used_is_named(tmp_path):
    path = tmp_path / "money.csv"
    path.write_text(
        "area,payment,pounds,national_share_percent\nLeeds,2015-04,1,2\nAtlantis,2015-04,1,\nLeeds,2016-01,1,\n"
    )
    with pytest.raises(InputError) as error:
        read_allocations(path)
    assert "3 rows" in str(error.value)
    assert "Atlantis" in str(error.value)


def test_the_share_of_an_unknown_national_sum_is_refused(tmp_path):
    path = tmp_path / "money.csv"
    path.write_text("area,payment,national_share_percent\nLeeds,Q4 2014/15,0.4\n")
    with pytest.raises(InputError, match="national sum"):
        read_allocations(path, "bcf-2014-07")


def answers(**given):
    return pd.DataFrame(
        {"area_code": ["X", "X"], "condition": [2, "protection"], "evidence": ["Minutes", ""]}
    ).assign(**{"answer": ["Yes", "yes"], **given})


def test_four_conditions_with_recorded_answers():
    found = national_conditions(answers())
    assert found["answer"].tolist() == ["yes", "yes", "not recorded", "not recorded"]
    assert found["note"].tolist() == ["no evidence is recorded", "", "", ""]


def test_conditions_that_are_not_understood_are_refused():
    with pytest.raises(ParameterError, match="1 to 4"):
        national_conditions(answers(condition=[5, 1]))
    with pytest.raises(ParameterError, match="in progress"):
        national_conditions(answers(answer="mostly"))
    with pytest.raises(ParameterError, match="Two answers"):
        national_conditions(answers(condition=1))
    with pytest.raises(ParameterError, match="no national conditions"):
        national_conditions(answers(), "2015-10")


def test_quarters_are_cumulative_capped_and_never_taken_back():
    """Plan 35 fewer a quarter at £1,490. Avoided 0, 100, 70, 150 in all; the plan so far 35, 70, 105, 140."""
    before = np.full((1, 4), 1000.0)
    came = before - np.diff([[0, 0, 100, 70, 150]], axis=1)
    found = quarterly_payment(before, before - 35, came)
    assert found.unit_cost == 1490
    assert (found.earned_pounds / 1490).tolist() == [[0, 70, 0, 70]]
    assert found.unearned_pounds.tolist() == [0]
    assert "not confirmed" in found.notes[0]


def test_a_rise_earns_nothing_and_a_missing_quarter_is_missing():
    found = quarterly_payment([[100, 100, 100]], [[90, 90, 90]], [[110, np.nan, 80]], unit_cost=10)
    assert found.earned_pounds[0, 0] == 0
    assert np.isnan(found.earned_pounds[0, 1:]).all()
    assert found.unearned_pounds.tolist() == [100]
    with pytest.raises(ParameterError, match="same areas"):
        quarterly_payment([[1]], [[1]], [[1, 2]])


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_baseline_plan_and_outcome_have_one_shape(wrong):
    for shape in ((1, 2), (2, 1), (3, 2)):
        given = [np.full((2, 2), 100.0)] * 3
        given[wrong] = np.full(shape, 100.0)
        with pytest.raises(ParameterError, match="same areas"):
            quarterly_payment(*given)
        given[wrong] = np.full((2, 2), -1.0)
        with pytest.raises(ParameterError, match="below zero"):
            quarterly_payment(*given)


def test_what_was_not_earned_is_the_rest_of_the_plan():
    """Plan 10 a quarter at £10. Areas: half of it, all of it, not published."""
    before = np.full((3, 2), 100.0)
    came = np.array([[95.0, 95.0], [90.0, 90.0], [np.nan, np.nan]])
    found = quarterly_payment(before, before - 10, came, unit_cost=10)
    assert found.planned_pounds.tolist() == [[100, 100]] * 3
    assert found.earned_pounds[:2].tolist() == [[50, 50], [100, 100]]
    assert found.unearned_pounds[:2].tolist() == [100, 0]
    assert np.isnan(found.unearned_pounds[2])
    assert found.avoided[:2].tolist() == [[5, 10], [10, 20]]
