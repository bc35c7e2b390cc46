"""Made-up panels and outlooks, small enough to reckon with."""

from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.judge.outlook import History, Outlook
from bcfstats.judge.outlooks import Outlooks
from bcfstats.read.observations import typed
from bcfstats.read.targets import TARGET_TYPES

LOCAL = "dementia_diagnosis"
AGREED = {"patient_experience": "2014/15", LOCAL: "2014/15"}
CHOSEN = [
    ("delayed_transfers", "2015-04", -30),
    ("delayed_transfers", "2015-10", -30),
    ("avoidable_emergency_admissions", "2015-04", -10),
    ("avoidable_emergency_admissions", "2015-10", -10),
    ("care_home_admissions", "2015-10", -3.5),
    ("reablement", "2015-10", 4),
    ("patient_experience", "2014/15", 9),
    (LOCAL, "2014/15", 8),
]


def targets(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Give target rows as `read_targets` does."""
    filled = [{"payment": "2015-04", "against": "baseline", **row} for row in rows]
    return typed(filled, TARGET_TYPES)


def outlook(observations: pd.DataFrame, metric: str, payment: str, rules: str = "bcf-2013-12") -> Any:
    """Give one outlook."""
    return Outlooks(observations, rules).of(metric, payment)


def panel(
    metric: str = "delayed_transfers",
    n_areas: int = 40,
    months: int = 48,
    first: str = "2010-04",
    level: float = 1000.0,
    wander: float = 0.03,
    drift: float = 0.0,
    seed: int = 1,
) -> pd.DataFrame:
    """Give monthly observations of areas whose levels wander."""
    rng = np.random.default_rng(seed)
    steps = np.cumsum(rng.normal(0, wander, (n_areas, months)), axis=1)
    counts = rng.poisson(level * np.exp(steps + drift * np.arange(months) / 12)).astype(float)
    starts = pd.date_range(first, periods=months, freq="MS")
    frame = pd.DataFrame(
        {
            "area_code": np.repeat([f"X{i:02d}" for i in range(n_areas)], months),
            "period_start": np.tile(starts, n_areas),
            "period_end": np.tile(starts + pd.offsets.MonthEnd(0), n_areas),
            "numerator": counts.ravel(),
        }
    )
    return frame.assign(
        area_name="Area " + frame["area_code"],
        metric=metric,
        frequency="month",
        denominator=200_000.0,
        value=np.nan,
        lower_ci=np.nan,
        upper_ci=np.nan,
        status="ok",
        status_note="",
        basis="",
        source="test",
    )


def yearly(
    metric: str, values: np.ndarray, denominator: float, first: int = 2010, **given: Any
) -> pd.DataFrame:
    """Give yearly observations from an array of values, areas by years."""
    n, years = values.shape
    frame = pd.DataFrame(
        {
            "area_code": np.repeat([f"X{i:02d}" for i in range(n)], years),
            "period_start": np.tile([pd.Timestamp(first + k, 4, 1) for k in range(years)], n),
            "period_end": np.tile([pd.Timestamp(first + k + 1, 3, 31) for k in range(years)], n),
            "value": values.ravel(),
        }
    )
    filled = {
        "area_name": "Area " + frame["area_code"],
        "metric": metric,
        "frequency": "year",
        "numerator": np.round(values.ravel() / METRICS[metric].multiplier * denominator),
        "denominator": denominator,
        "lower_ci": np.nan,
        "upper_ci": np.nan,
        "status": "ok",
        "status_note": "",
        "basis": "",
        "source": "test",
    }
    return frame.assign(**{**filled, **given})


def an_outlook(metric: str = "delayed_transfers", n: int = 1, **given: Any) -> Outlook:
    """Give an outlook with every number chosen: baseline 1,000, forecast 1,000, scale 0.1, normal."""
    full = lambda x: np.full(n, float(x))  # noqa: E731
    texts = np.full(n, "", dtype=object)
    window = Period.parse("Apr-Dec 2014")
    codes = tuple(f"X{i}" for i in range(n))
    base: dict[str, Any] = {
        "metric": METRICS[metric],
        "window": window,
        "before": window.shift_years(-1),
        "lag": 1,
        "scale": "ratio",
        "known_until": "March 2014",
        "area_codes": np.array(codes, dtype=object),
        "area_names": texts,
        "value": full(1000),
        "lower": full(900),
        "upper": full(1100),
        "numerator": full(9000),
        "denominator": full(100_000),
        "people": full(100_000),
        "periods": 9 if METRICS[metric].frequency == "month" else 1,
        "expected": full(1000),
        "expected_scale": full(0.1),
        "expected_df": full(np.inf),
        "area_scale": full(0.08),
        "area_df": full(np.inf),
        "england_scale": full(0.06),
        "no_chance": texts,
        "usual_scale": full(0.1),
        "usual_df": full(np.inf),
        "noise_least": full(950),
        "noise_test": lambda places, value: np.where(value < 950, 0.001, 0.5),
        "places": np.arange(n),
        "history": History(codes, np.full((n, 1), -0.5), np.full(n, 1.0), 1.0, "2010/11 to 2013/14"),
        "method": "test",
        "reason": texts,
        "warnings": texts,
    }
    return Outlook(**{**base, **given})
