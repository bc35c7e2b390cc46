"""Small made-up files, and those a fuzzer found trouble with: each is read, or refused with a reason.

`python -m tests.read.every_reader` writes the files called made.*; the others are findings, kept here.
"""

import contextlib
from pathlib import Path

import pytest

from bcfstats.errors import BcfStatsError
from tests.read.every_reader import readers

CORPUS = Path(__file__).with_name("corpus")
FILES = sorted(path.relative_to(CORPUS).as_posix() for path in CORPUS.rglob("*") if path.is_file())
MADE = [name for name in FILES if "/made." in name]
FOUND = [name for name in FILES if name not in MADE]


@pytest.fixture
def read(tmp_path):
    def read_copy(name):
        path = CORPUS / name
        reader = readers()[path.parent.name.replace("_", " ")]
        return reader.read(tmp_path / path.name, path.read_bytes())

    return read_copy


def test_every_reader_has_a_file():
    assert {name.partition("/")[0] for name in MADE} == {name.replace(" ", "_") for name in readers()}


@pytest.mark.parametrize("name", MADE)
def test_a_made_up_file_is_read(read, name):
    assert read(name) is not None


@pytest.mark.parametrize("name", FOUND)
def test_what_a_fuzzer_found_is_read_or_refused_with_a_reason(read, name):
    with contextlib.suppress(BcfStatsError):  # any other error fails
        assert read(name) is not None
