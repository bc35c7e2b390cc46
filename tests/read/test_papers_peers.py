"""Peers: areas by name or code, in one group only."""

import pytest

from bcfstats.errors import InputError
from bcfstats.read.papers import read_peers


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
