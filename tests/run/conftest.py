"""Example data prepared once for the tests of the batch."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from bcfstats.read.example import write_example
from bcfstats.read.prepare import prepare

BROKEN = "X06000002"


@pytest.fixture(scope="session")
def example_processed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepare three example areas."""
    folder = tmp_path_factory.mktemp("example")
    write_example(folder / "raw", n_areas=3)
    prepare(folder / "raw", folder / "processed")
    return folder / "processed"


@pytest.fixture
def broken_processed(example_processed: Path, tmp_path: Path) -> Path:
    """Break the data of one area: one month of delayed days is negative."""
    folder = tmp_path / "processed"
    shutil.copytree(example_processed, folder)
    rows = pd.read_parquet(folder / "observations.parquet")
    chosen = rows.index[(rows["area_code"] == BROKEN) & (rows["metric"] == "delayed_transfers")][7]
    rows.loc[chosen, "numerator"] = -5.0
    rows.to_parquet(folder / "observations.parquet")
    return folder
