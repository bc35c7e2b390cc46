"""Files nobody would make, in each form of each reader: a reading or a clear refusal, quickly.

Cells, rows, headings, encodings and bytes of a made-up file are changed, so that most get past the opening.
"""

import contextlib
import time
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bcfstats.errors import BcfStatsError
from tests.read.edits import damaged, edited, written
from tests.read.every_reader import made, readers

SECONDS = 10  # most take milliseconds
CHECKS = {"suppress_health_check": list(HealthCheck), "deadline": None, "derandomize": True}


def read_one(name, seed, folder):
    """Change the reader's own file and read it; any error but those told to users fails."""
    chance, reader = Random(seed), readers()[name]
    sheets, form = reader.sheets(), chance.choice(reader.forms)
    if form == "bytes":
        content = damaged(chance, made(sheets, chance.choice(["xlsx", "xls", "ods", "csv"]))[1])
    else:
        content = written(chance, {sheet: edited(chance, rows) for sheet, rows in sheets.items()}, form)
    began = time.process_time()
    with contextlib.suppress(BcfStatsError):
        reader.read(folder / ("made.toml" if form == "text" else "made.csv"), content)
    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize("name", list(readers()))
@settings(max_examples=12, **CHECKS)
@given(seed=st.integers(0, 2**32))
def test_it_is_read_or_refused_with_a_reason(name, seed, tmp_path_factory):
    read_one(name, seed, tmp_path_factory.getbasetemp())


@pytest.mark.slow
@pytest.mark.parametrize("name", list(readers()))
def test_so_are_many_more(name, tmp_path):
    for seed in range(300):
        read_one(name, seed, tmp_path)
