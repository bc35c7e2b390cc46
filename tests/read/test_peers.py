"""Peers and allocations: one table a file, areas by name or code, nothing twice."""

import pytest

from bcfstats.errors import InputError
from bcfstats.read.allocations import read_allocations
from bcfstats.read.peers import read_peers


@pytest.fixture
def write(tmp_path):
    def write_lines(*lines):
        path = tmp_path / "table.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write_lines


@pytest.mark.parametrize(
    "lines",
    [
        ("area,group", "Leeds,a", "Bradford,a", "Kent,b"),
        ("Our groups", "sep=;", "Local authority;Peer group", "E08000035;a", "E08000032;a", "Kent;b"),
        ("area,peer", "Leeds,Bradford", "Bradford,Leeds"),
        ("LA code\tNearest neighbour", "E08000035\tBradford", "E08000032\tLeeds"),
    ],
)
def test_peers_in_every_layout(write, lines):
    assert read_peers(write(*lines)) == {"E08000035": ("E08000032",), "E08000032": ("E08000035",)}


def test_an_area_in_two_groups_is_refused(write):
    with pytest.raises(InputError, match="An area stands in two groups"):
        read_peers(write("area,group", "Leeds,a", "E08000035,b"))


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
