"""Schemes of work as a table: read row by row, and refused with every problem named."""

import pandas as pd
import pytest

from bcfstats.errors import InputError
from bcfstats.read.papers import read_work

AREAS = pd.DataFrame({"area_code": ["E06000001"], "area_name": ["Hartlepool"]})
HEAD = "area,metric,work,people,start,effect,effect_low,effect_high,overlap"


def reading(tmp_path, *rows):
    path = tmp_path / "work.csv"
    path.write_text("\n".join([HEAD, *rows, ""]), encoding="utf-8")
    return read_work(path, AREAS)


def test_a_row_is_read_and_what_it_leaves_open_is_its_middle(tmp_path):
    (row,) = reading(tmp_path, "Hartlepool,delayed_transfers,Hospital team,120,Jul 2014,2.5,,,25%").to_dict(
        "records"
    )
    assert (row["area_code"], row["people"], row["overlap"]) == ("E06000001", 120.0, 0.25)
    assert (row["effect_low"], row["effect"], row["effect_high"]) == (2.5, 2.5, 2.5)
    assert row["start"] == pd.Timestamp("2014-07-01")


def test_every_problem_is_named_before_any_row_is_used(tmp_path):
    with pytest.raises(InputError, match="2 problems; none was read") as told:
        reading(
            tmp_path,
            "Hartlepool,delayed_transfers,One,many,Jul 2014,1,,,",
            "Hartlepool,delayed_transfers,Two,10,Jul 2014,1,2,3,",
            "Hartlepool,delayed_transfers,Three,10,Jul 2014,1,,,",
        )
    assert "'people' is not a number" in told.value.found
    assert "'effect' does not lie between its limits" in told.value.found


def test_another_table_is_refused(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("area,metric,value\nHartlepool,delayed_transfers,1\n", encoding="utf-8")
    with pytest.raises(InputError, match="not a table of schemes of work"):
        read_work(path, AREAS)
