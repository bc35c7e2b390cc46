"""How many peers did as much, counted by hand; limits against scipy's beta distribution."""

import numpy as np
from scipy import stats

from bcfstats.judge.outlook import History
from bcfstats.judge.targets import reach

CHANGES = np.array([[-0.10, 0.02], [-0.03, np.nan], [0.00, -0.20]])  # lower is better
PAST = History(("X1", "X2", "X3"), CHANGES, np.array([2.0, 1.0, 2.0]), np.nan, "2010 to 2013")


def test_share_is_that_of_past_changes_at_least_as_good():
    found = reach(PAST, np.array([0.05, 0.10, 0.25, np.nan]), -1.0, np.array(["X1"] * 4, dtype=object))
    assert np.array_equal(found.share, [2 / 5, 2 / 5, 0.0, np.nan], equal_nan=True)
    assert found.n_changes.tolist() == [5.0] * 4
    assert found.n_areas.tolist() == [3.0] * 4
    beta = stats.beta(0.4 * 5 + 0.5, 0.6 * 5 + 0.5)  # Jeffreys, on five independent changes
    assert np.allclose([found.lower[0], found.upper[0]], beta.ppf([0.025, 0.975]), rtol=1e-9)
    assert found.lower[2] == 0


def test_an_area_is_held_against_its_own_peers():
    areas = np.array(["X1", "X2"], dtype=object)
    found = reach(PAST, np.array([0.01, 0.01]), -1.0, areas, {"X1": ["X2"], "X2": ["X1", "X3"]})
    assert found.share.tolist() == [1.0, 2 / 4]
