"""Allocations: sums as they are written, none of them twice."""

import pytest

from bcfstats.errors import InputError
from bcfstats.read.papers import read_allocations


@pytest.mark.parametrize("payment", ["2015-04", "April 2015", "Apr-15", "01/04/2015"])
@pytest.mark.parametrize("pounds", ["1204", '"1,204"', '"£1,204"', "£1204.00"])
def test_sums_as_they_are_written(write, payment, pounds):
    found = read_allocations(write("area,payment,pounds", f"Leeds,{payment},{pounds}"))
    assert found[["area_code", "payment", "pounds"]].to_numpy().tolist() == [["E08000035", "2015-04", 1204]]


def test_a_share_may_have_its_sign(write):
    rows = [
        read_allocations(write("area,payment,national_share_percent", f"Leeds,2015-04,{share}"))
        for share in ("1.5", "1.5%")
    ]
    assert rows[0]["pounds"].tolist() == rows[1]["pounds"].tolist()


def test_a_sum_given_twice_is_refused_with_both_rows(write):
    with pytest.raises(InputError) as caught:
        read_allocations(write("area,payment,pounds", "Leeds,2015-04,5", "E08000035,April 2015,6"))
    assert caught.value.found == "row 3: E08000035 has its sum for 2015-04 already, in row 2"
