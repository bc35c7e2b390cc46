"""The pieces of made-up series against arithmetic by hand and the properties of their distributions."""

import numpy as np
import pandas as pd
from scipy import signal

from bcfstats.example.series import RECIPE, SERIES, carried, people, periods, stream


def test_what_is_carried_over_is_a_first_order_filter():
    steps = np.random.default_rng(1).normal(size=(40, 3))
    expected = signal.lfilter([1], [1, -0.7], steps, axis=0)
    assert np.allclose(carried(steps, 0.7), expected, rtol=1e-12)


def test_a_purpose_has_its_own_random_numbers_whatever_else_is_drawn():
    first = stream(2014, "a", "b").random(3)
    stream(2014, "a").random(100)
    assert np.array_equal(stream(2014, "a", "b").random(3), first)
    assert not np.array_equal(stream(2014, "a", "c").random(3), first)
    assert not np.array_equal(stream(2015, "a", "b").random(3), first)


def test_people_are_whole_grow_as_the_recipe_says_and_the_last_area_is_the_smallest():
    group, recipe = next(iter(RECIPE["people"]["groups"].items()))
    made = people(200, 2014, group, np.array([2012, 2022]))
    assert np.array_equal(made, np.round(made))
    assert np.allclose(made[1].sum() / made[0].sum(), np.exp(10 * recipe["growth"]), rtol=0.001)
    alone = RECIPE["people"]["groups"]["all"]
    assert alone["share"] == 1
    assert people(200, 2014, "all", np.array([2012])).argmin() == 199


def test_periods_follow_each_other_and_are_over_by_the_last_day():
    last = pd.Timestamp("2015-09-30")
    for series in SERIES:
        starts, ends = periods(series, last)
        assert (ends <= last).all()
        assert (ends > starts).all()
        assert not set(starts) & set(ends)
