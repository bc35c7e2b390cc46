"""Prepared data come back as they were written; what is no prepared data is refused by name."""

import json
import shutil

import pandas as pd
import pytest

from bcfstats.errors import InputError
from bcfstats.files import MANIFEST
from bcfstats.read.data import load


def test_tables_and_manifest_come_back(few):
    data = load(few)
    written = pd.read_parquet(few / "observations.parquet")
    assert len(data.observations) == len(written)
    assert data.observations["numerator"].sum() == written["numerator"].sum()
    assert data.manifest == json.loads((few / MANIFEST).read_text(encoding="utf-8"))
    assert data.is_example


def test_some_metrics_alone(few):
    data = load(few).of("reablement")
    assert set(data.observations["metric"]) == {"reablement"}
    assert len(data.areas) == len(load(few).areas)


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        (lambda folder: (folder / MANIFEST).unlink(), "no prepared data"),
        (lambda folder: (folder / MANIFEST).write_text("{"), "damaged or incomplete"),
        (lambda folder: (folder / "areas.parquet").unlink(), "damaged or incomplete"),
        (lambda folder: pd.DataFrame({"a": [1]}).to_parquet(folder / "observations.parquet"), "columns"),
    ],
    ids=["no manifest", "half a manifest", "a table gone", "of another version"],
)
def test_what_is_no_prepared_data_is_refused(fault, what, few, tmp_path):
    folder = tmp_path / "processed"
    shutil.copytree(few, folder)
    fault(folder)
    with pytest.raises(InputError, match=what):
        load(folder)
