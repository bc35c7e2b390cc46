"""Results come back as they were saved, for all areas or for one."""

import pandas as pd
import pytest

from bcfstats.errors import InputError
from bcfstats.example.data import example_data
from bcfstats.judge.assessment import assess
from bcfstats.judge.results import PEERS, TABLES, Results


@pytest.fixture(scope="module")
def results():
    return assess(example_data(n_areas=3).of("reablement", "social_contact"))


def test_all_tables_and_metrics_come_back(results, tmp_path):
    results.save(tmp_path)
    again = Results.load(tmp_path)
    assert again.metrics == results.metrics
    assert again.about == results.about
    for name in TABLES:
        before, after = getattr(results, name), getattr(again, name)
        assert len(after) == len(before), name
        if len(before):
            by = list(before.columns[:3])
            pd.testing.assert_frame_equal(
                after.sort_values(by, ignore_index=True),
                before.sort_values(by, ignore_index=True),
                check_dtype=False,
            )


def test_one_area_is_read_alone(results, tmp_path):
    results.save(tmp_path)
    code = results.areas["area_code"].iloc[1]
    alone = Results.load(tmp_path, code)
    for name in set(TABLES) - {PEERS}:
        whole = getattr(results, name)
        assert len(getattr(alone, name)) == (whole["area_code"] == code).sum() if len(whole) else True, name


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not hold the results"):
        Results.load(tmp_path)
