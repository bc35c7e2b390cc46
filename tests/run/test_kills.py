"""The script that kills batches finds what it looks for, and finds nothing in a few kills."""

import json
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from tests.run.whole import contents, halves

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path):
    """Files of the kinds that a run writes."""
    for name in ("areas", "notebooks", "tables"):
        (tmp_path / name).mkdir()
    book = {
        "metadata": {"bcfstats": {"page": "digest"}},
        "cells": [{"id": "1", "metadata": {}, "outputs": []}],
    }
    record = {"settings": {"out": "here", "jobs": 2}, "reports": {}, "areas": [], "about": {}}
    texts = {
        "areas/X1.html": "<!DOCTYPE html><html></html>",
        "index.html": "<!DOCTYPE html><html></html>",
        "notebooks/X1.ipynb": json.dumps(book),
        "results.csv": "area,value\nX1,2\n",
        "failures.csv": "area_code,area_name,cell,source,reason\n",
        "run.json": json.dumps(record),
        "tables/windows.parquet": "PAR1 and more",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    openpyxl.Workbook().save(tmp_path / "results.xlsx")
    return tmp_path


def test_whole_files_are_whole(folder):
    (folder / "areas" / ".X2.html.77.part").write_text("half")  # not yet under its name
    (folder / "tables" / ".a1b2.part").mkdir()
    (folder / "tables" / ".a1b2.part" / "new.parquet").write_text("half")
    assert list(halves(folder, contents(folder))) == []


def test_every_kind_of_file_is_missed_when_cut_off(folder):
    expected = contents(folder)
    for name in expected:
        whole = (folder / name).read_bytes()
        for length in (0, len(whole) // 2, len(whole) - 1):
            (folder / name).write_bytes(whole[:length])
            assert list(halves(folder, expected)) == [name], length
        (folder / name).write_bytes(whole)


def test_stamps_do_not_count_and_figures_do(folder):
    before = contents(folder)
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(record | {"started": "now", "ended": "later"}))
    assert contents(folder) | {"run.json": before["run.json"]} == before
    (folder / "results.csv").write_text("area,value\nX1,3\n")
    assert contents(folder) != before
    assert list(halves(folder, before)) == ["results.csv"]


@pytest.mark.slow
@pytest.mark.needs("proc")
def test_a_few_kills_lose_nothing():
    command = [sys.executable, "-m", "scripts.kills", "--kills", "4", "--prepare", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        "(1 of the run, 1 of the run, by SIGTERM, 1 of its worker, 1 of a report or its kernel)"
        in done.stdout
    )
    assert "0 faults" in done.stdout
