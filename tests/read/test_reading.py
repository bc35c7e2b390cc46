"""What a reading holds on its way from one process to another."""

import pickle
from pathlib import Path

import pandas as pd

from bcfstats.read.observations import OBSERVATION_TYPES
from bcfstats.read.reading import FileReading, by_area


def row(code, kind):
    given = {"area_code": code, "area_type": kind, "metric": "reablement", "numerator": 1.0}
    return dict.fromkeys(OBSERVATION_TYPES) | {"period_start": pd.Timestamp("2014-04-01")} | given


def test_rows_of_areas_are_parted_from_those_of_the_nation_and_none_is_lost():
    found = by_area([row("E06000001", ""), row("E92000001", "nation"), row("E06000002", "")])
    assert found["observations"]["area_code"].tolist() == ["E06000001", "E06000002"]
    assert found["others"]["area_code"].tolist() == ["E92000001"]


def test_a_reading_is_the_same_in_another_process_its_empty_tables_too():
    before = FileReading(Path("made.csv"), "plain", **by_area([row("E06000001", "")]), rows_read=1)
    after = pickle.loads(pickle.dumps(before))
    assert (after.path, after.kind, after.rows_read) == (before.path, before.kind, 1)
    for name in ("observations", "others", "populations", "shares", "areas"):
        pd.testing.assert_frame_equal(getattr(after, name), getattr(before, name))
