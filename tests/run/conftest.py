"""Fixtures of the tests of runs."""

import shutil

import pandas as pd
import pytest


@pytest.fixture(scope="session")
def few(example_processed, tmp_path_factory):
    """The example with two metrics, so that a run takes a moment."""
    folder = tmp_path_factory.mktemp("few") / "processed"
    shutil.copytree(example_processed, folder)
    rows = pd.read_parquet(folder / "observations.parquet")
    rows.loc[rows["metric"].isin(["delayed_transfers", "reablement"])].to_parquet(
        folder / "observations.parquet"
    )
    return folder
