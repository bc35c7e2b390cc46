"""Whatever stands in a table: a reading whose numbers all stand in the file, or a clear refusal."""

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bcfstats.define.metrics import METRICS
from bcfstats.errors import BcfStatsError
from bcfstats.read.marks import parse_number
from bcfstats.read.recognise import read_content
from tests.read.edits import ODD, ODD_VALUES
from tests.read.every_reader import (
    activity_return,
    delayed_transfers,
    fingertips_export,
    outcomes_framework,
    plain_table,
)
from tests.read.made_files import to_csv, to_xls, to_xlsx

TABLES = {
    "delayed transfers": (delayed_transfers, (to_xlsx, to_xls), ["numerator"]),
    "activity return": (activity_return, (to_xlsx, to_xls), ["numerator"]),
    "outcomes framework": (outcomes_framework, (to_csv,), ["numerator", "denominator", "value"]),
    "Fingertips": (fingertips_export, (to_csv,), ["numerator", "value", "lower_ci", "upper_ci"]),
    "plain": (plain_table, (to_csv, to_xlsx), ["numerator", "denominator"]),
}
CELLS = st.one_of(
    st.sampled_from(ODD),
    st.sampled_from(ODD_VALUES),
    st.integers(-10, 10**9),
    st.floats(allow_nan=False),
    st.text(max_size=12),
)
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["cell", "cell", "cell", "swap", "repeat", "remove"]),
        st.integers(0, 10**6),
        st.integers(0, 10**6),
        CELLS,
    ),
    max_size=4,
)


def edit(rows, what, at, column, cell):
    """Change one cell, swap two rows, repeat one or take one out."""
    at %= max(len(rows), 1)
    if what == "remove":
        return rows[:at] + rows[at + 1 :]
    if what == "repeat":
        return rows[: at + 1] + rows[at:]
    if what == "swap":
        other = column % len(rows)
        rows[at], rows[other] = rows[other], rows[at]
    elif rows[at]:
        rows[at][column % len(rows[at])] = cell
    return rows


def numbers_in(sheets):
    found = (parse_number(cell) for rows in sheets.values() for row in rows for cell in row)
    return {number for number in found if number is not None}


DEAR = ("delayed transfers", "outcomes framework")  # workbooks of many columns


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in DEAR else name for name in TABLES]
)
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(edits=EDITS, form=st.integers(0, 1))
def test_every_number_of_a_reading_stands_in_the_file(name, edits, form):
    table, forms, columns = TABLES[name]
    sheets = {sheet: [list(row) for row in rows] for sheet, rows in table().items()}
    main = next(iter(sheets))
    for one in edits:
        sheets[main] = edit(sheets[main], *one)
    write = forms[form % len(forms)]
    content = to_csv(sheets[main]).encode() if write is to_csv else write(sheets)
    try:
        reading = read_content(Path("made"), content, METRICS)
    except BcfStatsError:
        return
    known = sorted(numbers_in(sheets))
    for frame in (reading.observations, reading.others):
        for row in frame.to_dict("records"):
            follows = [row["numerator"] / row["denominator"] * METRICS[row["metric"]].multiplier] * (
                row["denominator"] > 0  # a value that the file lacks follows from its counts
            )
            for name in columns:
                may_be = [*known, *(follows if name == "value" else ())]
                number = row[name]
                assert math.isnan(number) or any(math.isclose(number, one, rel_tol=1e-12) for one in may_be)
