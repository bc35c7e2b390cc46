"""Every change of the example follows, by hand, from the two values that are shown beside it."""

import numpy as np
import pytest

from bcfstats.define.schemes import scheme
from bcfstats.example.data import example_data
from bcfstats.judge.assessment import assess

DAYS = 1 / 59  # by how much February and its leap day can part changes a day from changes a month


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bcf-2013-12", "bcf-2025-26"])
def test_changes_are_those_of_the_values_shown(name):
    made = assess(example_data(n_areas=6, scheme=name), rules=scheme(name)).windows
    told = made.loc[made["change"].notna()]
    before, after = told["baseline_value"], told["outcome_value"]
    in_points = told["change_unit"] == "percentage points"
    assert in_points.any()
    assert (~in_points).any()
    by_hand = np.where(told["change_unit"] == "%", 100 * (after / before - 1), after - before)
    slack = np.where(
        (told["change_unit"] == "%") & (told["periods"] == "months"), DAYS * 100 * after / before, 1e-7
    )
    off = np.abs(told["change"] - by_hand)
    assert told.loc[off > slack, ["metric", "payment", "change"]].to_dict("records") == []
