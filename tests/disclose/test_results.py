"""No small number is left in data whose small numbers were taken out."""

import numpy as np

from bcfstats.define.metrics import METRICS
from bcfstats.disclose.results import without_small
from bcfstats.example.data import example_data


def test_no_count_up_to_the_threshold_is_left_and_none_is_made_up():
    data = example_data(n_areas=4)
    chosen = [METRICS[name] for name in ("reablement", "fragility_fracture_recovery")]
    before = data.observations.set_index(["area_code", "metric", "period_start"])["numerator"]
    largest = int(before.loc[(slice(None), "reablement")].min())  # so that one is small
    seen = without_small(data, chosen, f"threshold={largest}").observations
    after = seen.set_index(["area_code", "metric", "period_start"])["numerator"]
    left = after.loc[(slice(None), "reablement")].dropna()
    assert 0 < len(left) < before.loc[(slice(None), "reablement")].notna().sum()
    assert ((left == 0) | (left > largest)).all()
    shown = after.dropna()
    assert np.array_equal(shown.to_numpy(), before.reindex(shown.index).to_numpy())
