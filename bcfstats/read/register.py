"""The register of areas as readers use it: looked up often, so kept."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from bcfstats.define.areas import AREAS, area_codes

ENGLAND = "E92000001"


@cache
def known_codes() -> Mapping[str, str]:
    """Give every code that means exactly one area of 2014, with its ONS code of 2014."""
    return MappingProxyType(area_codes())


@cache
def area_names() -> Mapping[str, str]:
    """Give the name of each area of 2014 by its ONS code."""
    return MappingProxyType({code: area.area_name for code, area in AREAS.items()})
