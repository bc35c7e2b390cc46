"""Two regions of made-up areas, one of them tiny, with figures of their own that no file publishes."""

from functools import cache

import numpy as np
import pandas as pd

from bcfstats.disclose.results import disclose
from bcfstats.judge.assessment import assess
from bcfstats.read.data import Data

AREAS = {f"X0600010{i}": ("North" if i < 4 else "South") for i in range(8)}
SIZES = {code: 2_000 if i == 1 else 20_000 + 9_000 * i for i, code in enumerate(AREAS)}
TINY, PARTNER = "X06000101", "X06000100"
YEARS = range(2011, 2015)


def observations(annual=None, monthly=None):
    """Give care home admissions by year and non-elective admissions by month, some of them set by hand."""
    rng = np.random.default_rng(14)
    rows = []
    for code, size in SIZES.items():
        for year in YEARS:
            found = (annual or {}).get((code, year), float(rng.poisson(size * 0.2 * 0.006)) + 12)
            rows.append(
                row(code, "care_home_admissions", f"{year}-04-01", f"{year + 1}-03-31", found, size * 0.2)
            )
        for start in pd.date_range("2012-04-01", "2015-06-01", freq="MS"):
            usual = float(rng.integers(2, 9)) if code == TINY else float(rng.poisson(size * 0.008)) + 9
            found = (monthly or {}).get((code, f"{start:%Y-%m}"), usual)
            end = start + pd.offsets.MonthEnd(0)
            rows.append(row(code, "non_elective_admissions", start, end, found, float(size)))
    return pd.DataFrame(rows)


def row(code, metric, start, end, numerator, denominator):
    return {
        "area_code": code,
        "area_name": f"Area {code[-1]}",
        "metric": metric,
        "period_start": pd.Timestamp(start),
        "period_end": pd.Timestamp(end),
        "frequency": "year" if metric == "care_home_admissions" else "month",
        "numerator": numerator,
        "denominator": denominator,
        "value": numerator / denominator * 100_000,
        "lower_ci": np.nan,
        "upper_ci": np.nan,
        "status": "ok",
        "status_note": "",
        "basis": "",
        "vintage": pd.NaT,
        "source": "own.csv",
    }


def data(**given):
    areas = pd.DataFrame(
        {
            "area_code": list(AREAS),
            "area_name": [f"Area {code[-1]}" for code in AREAS],
            "area_type": "Made up",
            "region_code": list(AREAS.values()),
            "region": list(AREAS.values()),
            "council_code": "",
            "board": "",
        }
    )
    manifest = {"files": [{"file": "own.csv", "kind": "plain table of observations", "sha256": "0" * 64}]}
    table = observations(**given)
    return Data(table, areas, table.iloc[:0].assign(area_type=""), manifest)


def disclosed(setting="hes-2014", annual=None, monthly=None):
    """Disclose the made-up data; the same question is answered once."""
    return _disclosed(setting, tuple((annual or {}).items()), tuple((monthly or {}).items()))


@cache
def _disclosed(setting, annual, monthly):
    return disclose(data(annual=dict(annual), monthly=dict(monthly)), assess, setting)
