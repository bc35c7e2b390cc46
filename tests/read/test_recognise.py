"""A format is told by what is in the file: its name says nothing."""

from pathlib import Path

import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.errors import InputError
from bcfstats.read.recognise import NOT_USED, read_content

TABLE = b"area_code,metric,period,numerator,denominator\nE06000001,reablement,2013/14,80,100\n"


@pytest.mark.parametrize("name", ["a.csv", "b.xls", "c", "population.pdf"])
def test_a_table_is_read_under_any_name(name):
    found = read_content(Path(name), TABLE, METRICS)
    assert found.observations["numerator"].tolist() == [80.0]


def test_what_is_known_and_of_no_use_says_why():
    found = read_content(Path("a.csv"), b'{"a": 1}\n', METRICS)
    assert (found.kind, found.warnings) == (NOT_USED, ("JSON, not a table",))


def test_what_is_not_known_is_refused_with_what_is():
    with pytest.raises(InputError, match="none of the formats") as told:
        read_content(Path("letter.txt"), b"Dear all,\nthank you.\n", METRICS)
    assert "Known are: " in told.value.do
    assert told.value.do.endswith("the columns area, metric, period, numerator and denominator.")
