"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real published files, or skip with the reason."""
    folder = Path(os.environ.get("BCFSTATS_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "dtoc").is_dir():
        pytest.skip(f"no published files in {folder}: set BCFSTATS_REAL_DATA to their folder")
    return folder
