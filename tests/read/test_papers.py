"""Answers and groups' ambitions, read from tables as boards keep them."""

import pytest

from bcfstats.define.areas import areas_frame
from bcfstats.errors import InputError
from bcfstats.read.papers import read_answers, read_groups


def written(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_answers_are_text_by_area_and_empty_rows_are_passed_over(tmp_path):
    path = written(
        tmp_path, "area,question,answer,evidence\nLeeds,1,yes,Minutes\n,,,\nE06000045,strategy,no,\n"
    )
    found = read_answers(path, areas_frame())
    assert found.to_numpy().tolist() == [
        ["E08000035", "1", "yes", "Minutes"],
        ["E06000045", "strategy", "no", ""],
    ]


def test_a_share_of_people_is_a_fraction_or_has_a_percent_sign(tmp_path):
    head = "area,commissioner,area_share,metric,change_percent\n"
    path = written(tmp_path, f"{head}Leeds,Group A,0.7,reablement,6\nLeeds,Group B,30%,reablement,−7.5\n")
    found = read_groups(path, areas_frame())
    assert found["area_share"].tolist() == [0.7, 0.3]
    assert found["change_percent"].tolist() == [6, -7.5]
    assert set(found["metric"]) == {"reablement"}


def test_every_row_that_cannot_be_used_is_named(tmp_path):
    head = "area,commissioner,area_share,metric,change_percent\n"
    rows = "Leeds,A,70,reablement,6\nAtlantis,A,0.7,reablement,6\nLeeds,A,0.7,no such,6\n"
    with pytest.raises(InputError) as error:
        read_groups(written(tmp_path, head + rows), areas_frame())
    assert all(f"row {i}" in str(error.value) for i in (2, 3, 4))
    with pytest.raises(InputError, match="no row is filled in"):
        read_groups(written(tmp_path, head), areas_frame())
    with pytest.raises(InputError, match="Give area, question, answer, evidence"):
        read_answers(written(tmp_path, "area,colour\nLeeds,red\n"), areas_frame())
