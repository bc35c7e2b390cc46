"""Fixtures for the statistics: the worked panel."""

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture(scope="session")
def worked_panel(real_data):
    """Return the worked panel of 12 areas and 60 months, with its published answers."""
    with (real_data / "golden" / "golden_panel.csv").open() as file:
        rows = list(csv.reader(file))[1:]
    dates = np.array([row[0] for row in rows], dtype="datetime64[M]")
    days = ((dates + 1).astype("datetime64[D]") - dates.astype("datetime64[D]")).astype(float)
    return SimpleNamespace(
        counts=np.array([row[1:] for row in rows], dtype=float).T,
        days=days,
        month=dates.astype(int) % 12 + 1,
        expected=json.loads((real_data / "golden" / "golden_panel.json").read_text()),
    )
