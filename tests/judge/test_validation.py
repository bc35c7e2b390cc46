"""Validation of a panel: what goes in is what is scored, and simulated nulls stay near the nominal rate."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from bcfstats.judge.validation import validate_observations
from bcfstats.stats.backtest import backtest
from bcfstats.stats.breaks import find_breaks
from bcfstats.stats.placebo import HISTORY, POISSON, placebo
from scripts.nulls import null_panel, simulated_nulls


@pytest.fixture(scope="module")
def made():
    return null_panel("delayed days, wandering level", 3, areas=40, months=40)


@pytest.fixture(scope="module")
def observations(made):
    starts = pd.date_range("2012-01", periods=40, freq="MS")
    frames = [
        pd.DataFrame(
            {
                "area_code": f"X{area:02d}",
                "metric": "delayed_transfers",
                "period_start": starts,
                "period_end": starts + pd.offsets.MonthEnd(0),
                "frequency": "month",
                "numerator": counts,
                "denominator": np.nan,
                "status": "ok",
            }
        )
        for area, counts in enumerate(made.counts)
    ]
    return pd.concat(frames, ignore_index=True)


def days_of(first, n):
    starts = np.arange(first, first + np.timedelta64(n, "M"))
    return ((starts + 1).astype("datetime64[D]") - starts.astype("datetime64[D]")).astype(float)


def test_tables_hold_what_the_statistics_give(made, observations):
    found = validate_observations(observations, "delayed_transfers", name="Made up", leads=[(4, 9)])
    days = days_of(np.datetime64("2012-01"), 40)
    month = np.arange(40) % 12 + 1
    counts = np.where(find_breaks(made.counts, days, month).usable, made.counts, np.nan)
    alone = placebo(counts, days, month, window=9)
    rows = found.placebo.query("window == 9 and not national_removed")
    ours = rows.loc[rows["method"] == HISTORY]
    assert ours["two_sided"].to_numpy() == pytest.approx(alone.two_sided[HISTORY])
    assert ours["start"].iloc[0] == date(2014, 1, 1)
    tested = backtest(counts, days, month, first=4, last=9)
    errors = found.forecast.loc[found.forecast["method"] == "panel seasonal level", "mase"]
    assert errors.to_numpy() == pytest.approx(tested.mase["panel seasonal level"])
    assert found.coverage["origin"].iloc[0] == date(2013, 12, 31)
    assert found.reliability["predictions"].sum() == 2 * tested.predicted.size  # England open, and known
    assert found.scores["brier"].iloc[0] == pytest.approx(tested.brier(tested.predicted))
    assert found.description == "40 areas, 40 months, January 2012 to April 2015"


def test_nothing_after_the_last_day_is_used(observations):
    whole = validate_observations(observations, "delayed_transfers", leads=[])
    cut = validate_observations(observations, "delayed_transfers", until=date(2014, 12, 31), leads=[])
    assert cut.placebo["start"].max() == date(2014, 7, 1)
    assert whole.placebo["start"].max() == date(2014, 11, 1)
    assert cut.forecast.empty
    assert (cut.placebo.loc[cut.placebo["method"] == POISSON, "two_sided"] > 0.5).all()


def test_too_short_or_absent(observations):
    early = observations.loc[observations["period_start"] < "2014-01-01"]
    assert validate_observations(early, "delayed_transfers") is None
    assert validate_observations(observations, "non_elective_admissions") is None


def test_simulated_nulls_stay_near_the_nominal_rate():
    found = simulated_nulls(repeats=6)
    assert len(found) == 20
    # six panels of 152 areas a row: standard error 0.7 points, 1.3 for a third
    assert found["overall"].between(0.02, 0.10).all()
    assert found["overall"].mean() == pytest.approx(0.055, abs=0.01)
    thirds = found.loc[found["heterogeneous"], ["steady", "middle", "volatile"]]
    assert thirds.stack().between(0.0, 0.14).all()
