"""Fixtures shared by all tests."""

import os
import shutil
import subprocess
import sys
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


@pytest.fixture(scope="session")
def real_processed(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepare all the real published files, once for all tests that need them."""
    from bcfstats.read.prepare import prepare

    folder = tmp_path_factory.mktemp("real") / "processed"
    prepare(real_data, folder)
    return folder


@pytest.fixture(scope="session")
def example_processed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepare three example areas."""
    from bcfstats.example.data import write_example
    from bcfstats.read.prepare import prepare

    folder = tmp_path_factory.mktemp("example")
    write_example(folder / "raw", n_areas=3)
    prepare(folder / "raw", folder / "processed")
    return folder / "processed"


@pytest.fixture(scope="session")
def broken_processed(example_processed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Break the data of one area: one month of delayed days of X06000002 is negative."""
    import pandas as pd

    folder = tmp_path_factory.mktemp("broken") / "processed"
    shutil.copytree(example_processed, folder)
    rows = pd.read_parquet(folder / "observations.parquet")
    chosen = rows.index[(rows["area_code"] == "X06000002") & (rows["metric"] == "delayed_transfers")][7]
    rows.loc[chosen, "numerator"] = -5.0
    rows.to_parquet(folder / "observations.parquet")
    return folder


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site; a link that leads nowhere, or a page left out, is an error."""
    pytest.importorskip("material", reason="mkdocs-material is not installed: .[docs]")
    pytest.importorskip("mkdocstrings_handlers.python", reason="mkdocstrings is not installed: .[docs]")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def tracked() -> list[str]:
    """Return the paths git tracks, staged ones too, or skip where there is no git."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git working folder: what is tracked cannot be told")
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True
    )
    names = listed.stdout.decode("utf-8").split("\0")[:-1]
    assert names, "git lists no files"
    return [name for name in names if (ROOT / name).is_file()]
