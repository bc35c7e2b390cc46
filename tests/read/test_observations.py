"""What can be wrong in a frame of observations is found, row by row."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.errors import InputError
from bcfstats.read.observations import (
    OBSERVATION_TYPES,
    check_observations,
    complete,
    mark_rounded,
    problems_by_area,
    split_impossible,
    typed,
    validate,
)

YEAR = {"period_start": "2014-04-01", "period_end": "2015-03-31", "frequency": "year", "status": "ok"}
REABLEMENT = {
    **YEAR,
    "area_code": "E08000035",
    "metric": "reablement",
    "numerator": 84,
    "denominator": 100,
    "value": 84.0,
}
CARE_HOMES = {**YEAR, "area_code": "E08000036", "metric": "care_home_admissions", "numerator": 120,
              "denominator": 20_000, "value": 600.0}  # fmt: skip
DTOC = {"area_code": "E08000035", "metric": "delayed_transfers", "period_start": "2014-04-01",
        "period_end": "2014-04-30", "frequency": "month", "status": "ok", "numerator": 400}  # fmt: skip


SMALL = {"numerator": 9, "denominator": 570, "status_note": "denominator published to the nearest 5"}


def table(*rows):
    return typed(rows, OBSERVATION_TYPES)


def test_good_rows_have_no_problem():
    assert check_observations(table(REABLEMENT, CARE_HOMES, DTOC), METRICS).empty


@pytest.mark.parametrize(
    ("row", "change", "column", "reason"),
    [
        (REABLEMENT, {"value": 101.0}, "value", "above 100 %"),
        (REABLEMENT, {"numerator": 101, "value": np.nan}, "numerator", "more cases than people"),
        (REABLEMENT, {"metric": "reablemnt"}, "metric", "not defined"),
        (REABLEMENT, {"status": "fine"}, "status", "not one of"),
        (REABLEMENT, {"period_end": "2014-03-31"}, "period_end", "ends before it starts"),
        (REABLEMENT, {"value": 85.0}, "value", "is not numerator / denominator"),
        (REABLEMENT, {"lower_ci": 85.2, "upper_ci": 90.0}, "value", "interval does not contain"),
        (CARE_HOMES, {"numerator": -1, "value": np.nan}, "numerator", "cannot be negative"),
        (CARE_HOMES, {"value": np.inf}, "value", "infinite"),
        (CARE_HOMES, {"denominator": 0, "value": np.nan}, "denominator", "no people"),
        (DTOC, {"period_end": "2014-05-31"}, "period_start", "calendar months"),
    ],
)
def test_each_thing_that_is_wrong_is_named(row, change, column, reason):
    problems = check_observations(table({**row, **change}), METRICS)
    found = problems[(problems["column"] == column) & problems["reason"].str.contains(reason)]
    assert len(found) == 1
    assert found.iloc[0]["area_code"] == row["area_code"]


def test_text_in_a_number_is_a_problem():
    frame = table(REABLEMENT).astype({"numerator": object})
    frame.loc[0, "numerator"] = "about 84"
    assert check_observations(frame, METRICS)[["column", "found"]].to_numpy().tolist() == [
        ["numerator", "about 84"]
    ]


def test_a_repeated_period_is_a_problem_of_both_rows():
    problems = check_observations(table(REABLEMENT, {**REABLEMENT, "numerator": 80, "value": 80}), METRICS)
    assert problems["reason"].tolist() == ["the area has this period more than once"] * 2
    assert problems["period"].tolist() == ["2014/15"] * 2


@pytest.mark.parametrize(
    ("row", "status", "value", "agrees"),
    [
        # 84 / 100 is 84.0; counts to the nearest 5 allow 82.5 / 102.5 = 80.5 % to 87.5 / 97.5 = 89.7 %
        ({**REABLEMENT, "numerator": 85}, "rounded", 89.7, True),
        ({**REABLEMENT, "numerator": 85}, "rounded", 89.9, False),
        # 121 / 20,000 is 605.0: shown to one place as 605.0, and no other value
        ({**CARE_HOMES, "numerator": 121}, "ok", 605.1, False),
        # 120 / 19,999 is 600.03: shown as 600.0 or 600, but not as 600.1
        ({**CARE_HOMES, "denominator": 19_999}, "ok", 600.0, True),
        ({**CARE_HOMES, "denominator": 19_999}, "ok", 600.1, False),
        # a denominator to the nearest 5 may be 570 +- 2.5: 9 / 567.5 is 1,585.9, 9 / 572.5 is 1,572.1
        ({**CARE_HOMES, **SMALL}, "ok", 1581.7, True),
        ({**CARE_HOMES, **SMALL, "status_note": ""}, "ok", 1581.7, False),
    ],
)
def test_values_are_compared_within_published_rounding(row, status, value, agrees):
    problems = check_observations(table({**row, "status": status, "value": value}), METRICS)
    assert problems.empty == agrees


def test_a_problem_stops_its_own_area_only():
    bad = {**CARE_HOMES, "numerator": -5, "value": np.nan}
    stopped = problems_by_area(check_observations(table(REABLEMENT, bad), METRICS))
    assert list(stopped) == ["E08000036"]
    assert "care_home_admissions, 2014/15, numerator" in stopped["E08000036"][0]


def test_impossible_rows_are_refused_and_doubtful_ones_kept_as_suspect():
    rows = table({**REABLEMENT, "value": 101.0}, {**CARE_HOMES, "value": 700.0}, DTOC)
    kept, problems = split_impossible(rows, METRICS)
    assert kept["metric"].tolist() == ["care_home_admissions", "delayed_transfers"]
    assert kept["status"].tolist() == ["suspect", "ok"]
    assert "numerator / denominator" in kept["status_note"][0]
    assert set(problems["column"]) == {"value"}


def test_values_and_ids_are_completed():
    row = {**REABLEMENT, "metric": "2B(1)", "value": np.nan, "frequency": ""}
    done = complete(table(row, row), METRICS)
    assert done[["metric", "value", "frequency"]].to_numpy().tolist() == [["reablement", 84.0, "year"]]


def test_the_schema_refuses_another_table():
    assert len(validate(typed([], OBSERVATION_TYPES), "x")) == 0
    with pytest.raises(InputError, match="not a table of observations"):
        validate(typed([], OBSERVATION_TYPES).drop(columns="value"), "x")


def test_pandera_is_loaded_only_when_needed():
    code = "import bcfstats.read.prepare, sys; print('pandera' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_types_are_the_same_after_writing_and_reading(tmp_path):
    frame = table(REABLEMENT, DTOC)
    frame.to_parquet(tmp_path / "x.parquet", index=False)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "x.parquet"), frame)


def fives(*counts):
    """Rows of reablement in one year, one area each, with the values that were published."""
    return table(
        *(
            {**REABLEMENT, "area_code": f"E080000{n}", "numerator": a, "denominator": b, "value": value}
            for n, (a, b, value) in enumerate(counts, 31)
        )
    )


def test_rounding_to_5_is_believed_where_every_count_is_a_multiple_and_it_explains_the_values():
    # 515 / 1635 is 31.50: published as 31.6, which 517.5 / 1632.5 = 31.70 allows
    few = fives((515, 1635, 31.6), (840, 1000, 84.0))
    assert mark_rounded(few, METRICS)["status"].tolist() == ["rounded", "rounded"]
    alone = fives((515, 1635, 31.6))
    assert mark_rounded(alone, METRICS)["status"].tolist() == ["rounded"]


@pytest.mark.parametrize(
    "rows",
    [
        fives((515, 1635, 31.6), (841, 1000, 84.1)),  # one count is no multiple
        fives((515, 1635, 39.0), (840, 1000, 84.0)),  # rounding does not explain it
        fives((840, 1000, 84.0), (515, 1635, 31.5)),  # nothing to explain
    ],
)
def test_rounding_is_not_believed_elsewhere(rows):
    assert set(mark_rounded(rows, METRICS)["status"]) == {"ok"}
