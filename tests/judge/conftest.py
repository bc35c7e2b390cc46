"""Small made-up tables of observations, for arithmetic that can be done by hand."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

COLUMNS = {
    "area_code": "X1",
    "area_name": "Made-up area",
    "metric": "delayed_transfers",
    "frequency": "month",
    "denominator": 100_000.0,
    "value": float("nan"),
    "lower_ci": float("nan"),
    "upper_ci": float("nan"),
    "status": "ok",
    "status_note": "",
    "basis": "",
    "source": "test",
}


@pytest.fixture
def months() -> Callable[..., pd.DataFrame]:
    """Give monthly counts from a first month on."""

    def build(counts: list[float], first: str = "2012-04", **given: Any) -> pd.DataFrame:
        starts = pd.date_range(first, periods=len(counts), freq="MS")
        frame = pd.DataFrame({"period_start": starts, "period_end": starts + pd.offsets.MonthEnd(0)})
        frame["numerator"] = counts
        return frame.assign(**{**COLUMNS, **given})

    return build


@pytest.fixture
def years() -> Callable[..., pd.DataFrame]:
    """Give published figures of financial years."""

    def build(metric: str, rows: list[dict[str, Any]], first: int = 2013, **given: Any) -> pd.DataFrame:
        frame = pd.DataFrame(rows)
        frame["period_start"] = [pd.Timestamp(first + i, 4, 1) for i in range(len(rows))]
        frame["period_end"] = [pd.Timestamp(first + i + 1, 3, 31) for i in range(len(rows))]
        filled = {**COLUMNS, "metric": metric, "frequency": "year", **given}
        return frame.assign(**{name: value for name, value in filled.items() if name not in frame})

    return build
