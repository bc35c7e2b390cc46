"""No small number is left in data whose small numbers were taken out."""

import numpy as np
import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.disclose.results import disclose, without_small
from bcfstats.example.data import example_data
from bcfstats.judge.assessment import assess
from bcfstats.read.data import Data
from tests.judge.made_up import yearly


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


@pytest.mark.parametrize(
    ("kind", "told"), [("published statistics", "as first published it was 80.0"), ("", "")]
)
def test_only_of_published_figures_the_first_edition_is_told(kind, told):
    """An earlier edition of figures of one's own is not looked at by the rules for small numbers."""
    rows = yearly("reablement", np.array([[76.0, 78.0], [80.0, 82.0]]), 400.0, first=2014)
    rows = rows.assign(vintage=pd.Timestamp("2016-07-10"), source="a.csv")
    earlier = rows.head(1).assign(value=80.0, numerator=320.0, vintage=pd.Timestamp("2015-10-01"))
    areas = rows[["area_code", "area_name"]].drop_duplicates().assign(region="")
    manifest = {"files": [{"file": "a.csv", "kind": kind}] if kind else []}
    found = disclose(Data(rows, areas, rows.iloc[:0], manifest, earlier=earlier), assess, "none")
    windows = found.windows.set_index(["area_code", "payment"])["baseline_warnings"]
    assert windows["X00", "latest"] == told
    assert set(windows["X01"]) == {""}
