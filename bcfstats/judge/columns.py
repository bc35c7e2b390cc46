"""The data dictionary: what every column of a run's tables means, its unit, its sides and its method."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from bcfstats.define.datafiles import read_toml

HEADINGS = {
    "name": "Column",
    "tables": "Tables",
    "meaning": "Meaning",
    "unit": "Unit",
    "sides": "Sides",
    "method": "Method",
}


def data_dictionary() -> pd.DataFrame:
    """Give one row per column of the tables, with the columns `HEADINGS` names."""
    entries = read_toml(Path(__file__).with_suffix(".toml"))["column"]
    rows = [_row(entry, start) for entry in entries for start in entry.get("of", [""])]
    return pd.DataFrame(rows, columns=list(HEADINGS))


def _row(entry: Mapping[str, Any], start: str) -> dict[str, str]:
    texts = {name: str(entry.get(name, "")) for name in ("meaning", "unit", "sides", "method")}
    name = f"{start}_{entry['name']}" if start else str(entry["name"])
    meaning = f"{start.capitalize()}: {texts['meaning']}" if start else texts["meaning"]
    return {**texts, "name": name, "tables": ", ".join(entry["in"]), "meaning": meaning}


def dictionary_page() -> str:
    """Write the data dictionary as a page of the documentation."""
    cells = [list(HEADINGS.values()), ["---"] * len(HEADINGS), *data_dictionary().to_numpy().tolist()]
    lines = (f"| {' | '.join(row)} |" for row in cells)
    return (
        "# What every column means\n\nThe same table is a sheet of `results.xlsx`.\n\n"
        + "\n".join(lines)
        + "\n"
    )
