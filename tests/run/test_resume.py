"""Same inputs, same files, whoever makes them; another input, another fingerprint."""

import io
import json
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
import pytest

from bcfstats.example.data import write_example_targets
from bcfstats.run.batch import run_batch
from bcfstats.run.resume import NOT_INPUT, inputs_fingerprint
from bcfstats.run.settings import Settings
from tests.run.test_batch import NOTEBOOK, ROOT, settings

AREA = "X06000002"


@pytest.fixture(scope="module")
def targets(tmp_path_factory):
    return write_example_targets(tmp_path_factory.mktemp("targets") / "targets.csv", n_areas=3)


def files(out):
    """Content of what a run gives out, but for the day it was made."""
    day = json.loads((out / "run.json").read_text(encoding="utf-8"))["about"]["created"]
    pages = {path.name: path.read_text(encoding="utf-8") for path in (out / "areas").iterdir()}
    pages |= {"index.html": (out / "index.html").read_text(encoding="utf-8")}
    assert all(day in text for text in pages.values())
    texts = {name: text.replace(day, "TODAY") for name, text in pages.items()}
    return texts | {name: (out / name).read_bytes() for name in ("results.csv", "failures.csv")}


@pytest.fixture(scope="module")
def made_by_one(few, targets, tmp_path_factory):
    out = tmp_path_factory.mktemp("one") / "out"
    chosen = settings(few, out, jobs=1, targets=(targets,))
    assert run_batch(chosen, stream=io.StringIO()).exit_code == 0
    return files(out)


@pytest.mark.slow
def test_two_workers_make_the_same_files(made_by_one, few, targets, tmp_path):
    run_batch(settings(few, tmp_path, jobs=2, targets=(targets,)), stream=io.StringIO())
    assert files(tmp_path) == made_by_one


@pytest.mark.slow
def test_another_executor_with_spawned_processes_makes_the_same_files(made_by_one, few, targets, tmp_path):
    chosen = settings(few, tmp_path, jobs=2, targets=(targets,))
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        run_batch(chosen, executor=pool, stream=io.StringIO())
    assert files(tmp_path) == made_by_one


@pytest.mark.slow
def test_another_engine_order_of_sets_time_zone_and_locale_make_the_same_files(
    made_by_one, few, targets, tmp_path
):
    command = [sys.executable, "-m", "bcfstats", "run", "--processed", str(few)]
    command += ["--out", str(tmp_path), "--notebook", str(NOTEBOOK), "--targets", str(targets)]
    other = {"PYTHONHASHSEED": "7", "TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONPATH": str(ROOT)}
    usual = {  # at another time too
        name: text for name, text in os.environ.items() if name != "SOURCE_DATE_EPOCH"
    }
    done = subprocess.run(
        [*command, "--engine", "warm", "--jobs", "2"],
        env={**usual, **other},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert files(tmp_path) == made_by_one


@pytest.fixture
def chosen(few, targets, tmp_path):
    """Settings whose every input is a file of this test's own."""
    processed = tmp_path / "processed"
    processed.mkdir()
    for path in few.iterdir():
        (processed / path.name).write_bytes(path.read_bytes())
    for name in ("own.toml", "scheme.toml"):
        (tmp_path / name).write_text("# nothing")
    (tmp_path / "targets.csv").write_bytes(targets.read_bytes())
    return Settings(
        processed=processed,
        targets=(tmp_path / "targets.csv",),
        metrics=(tmp_path / "own.toml",),
        scheme=str(tmp_path / "scheme.toml"),
    )


def test_one_figure_changed_changes_the_fingerprint(chosen):
    first = inputs_fingerprint(chosen)
    path = chosen.processed / "observations.parquet"
    rows = pd.read_parquet(path)
    row = rows.index[(rows["area_code"] == AREA) & (rows["metric"] == "reablement")][0]
    rows.loc[row, "numerator"] += 1
    rows.to_parquet(path)
    assert inputs_fingerprint(chosen) != first


@pytest.mark.parametrize("name", ["processed/areas.parquet", "targets.csv", "own.toml", "scheme.toml"])
def test_one_byte_of_any_file_changes_the_fingerprint(name, chosen):
    first = inputs_fingerprint(chosen)
    path = chosen.processed.parent / name
    path.write_bytes(path.read_bytes() + b"\n")
    assert inputs_fingerprint(chosen) != first


def test_every_setting_that_shapes_numbers_changes_the_fingerprint_and_no_other_does(chosen):
    first = inputs_fingerprint(chosen)
    other = {
        "scheme": "bcf-2014-07",
        "metrics": (),
        "targets": (),
        "trusted": ("X06000001, delayed_transfers, 2014-05",),
        "allocations": chosen.targets,
        "breaks": ("X06000001 delayed_transfers 2014-05-01 another ward",),
        "joined": ("Cumbria",),
        "only_metrics": ("reablement",),
        "disclosure": "hes-2018",
        "palette": "making_data_count",  # no number, but every chart
    }
    for name, value in other.items():
        assert inputs_fingerprint(replace(chosen, **{name: value})) != first, name
    same = {"raw": Path("r"), "out": Path("o"), "jobs": 7, "engine": "plain", "executor": "dask=x"}
    same |= {"cell_seconds": 1, "memory_mib": 1, "notebook": NOTEBOOK, "only_areas": ("Cumbria",)}
    assert inputs_fingerprint(replace(chosen, **same)) == first
    assert {*other, *same, "processed"} == set(chosen.as_record())
    assert set(NOT_INPUT) == {*same, "processed"}
