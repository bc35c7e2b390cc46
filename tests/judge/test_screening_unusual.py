"""Figures of the pandemic are shown, and take no part in any baseline, season or usual change."""

import numpy as np
import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.judge.baseline import baseline
from bcfstats.judge.outlook_yearly import years_ahead
from bcfstats.judge.panel import longest_run, monthly_panel
from bcfstats.judge.patterns import season_table, trend_table
from bcfstats.judge.screening import parse_trusted, screen

MONTHS = METRICS["emergency_admissions_65"]


def table(metric, periods, counts, people=20_000.0, areas=3):
    spans = [Period.parse(text) if isinstance(text, str) else text for text in periods]
    frames = []
    for i in range(areas):
        frames.append(
            pd.DataFrame(
                {
                    "area_code": f"X{i}",
                    "area_name": f"X{i}",
                    "metric": metric.id,
                    "period_start": pd.to_datetime([span.start for span in spans]),
                    "period_end": pd.to_datetime([span.end for span in spans]),
                    "frequency": metric.frequency,
                    "numerator": np.asarray(counts, dtype=float),
                    "denominator": people,
                    "value": np.asarray(counts, dtype=float) / people * metric.multiplier,
                    "lower_ci": np.nan,
                    "upper_ci": np.nan,
                    "status": "ok",
                    "status_note": "",
                    "basis": "one",
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def monthly():
    months = Period.parse("2017-04/2026-03").months
    pandemic = Period.parse("2020-03/2022-03")
    random = np.random.default_rng(3)
    counts = [random.poisson(60 if pandemic.contains(month) else 100) for month in months]
    return table(MONTHS, months, counts)


def marked(observations, trusted=()):
    screened = screen(observations, METRICS, trusted).observations
    return screened.loc[screened["status"] == "suspect"]


def test_the_months_of_march_2020_to_march_2022_are_marked_with_the_reason(monthly):
    found = marked(monthly)
    mine = found.loc[found["area_code"] == "X0"]
    assert (mine["period_start"].min(), mine["period_end"].max(), len(mine)) == (
        pd.Timestamp("2020-03-01"),
        pd.Timestamp("2022-03-31"),
        25,
    )
    assert mine["status_note"].str.contains("pandemic.*March 2020 to March 2022").all()
    assert mine["value"].notna().all()  # still there to be shown


@pytest.mark.parametrize(
    ("period", "out"),
    [  # a quarter of the days or more: 31 of 91 in Q4 2019/20, 31 of 366 in 2019/20, 90 of 365 in 2022
        ("2019/20", False),
        ("Q4 2019/20", True),
        ("2020/21", True),
        ("2021/22", True),
        ("Q1 2022/23", False),
        ("2022/23", False),
    ],
)
def test_longer_periods_are_left_out_where_a_quarter_of_them_is_in_it(period, out):
    rows = table(METRICS["care_home_admissions"], [period], [100])
    assert len(marked(rows)) == (3 if out else 0)


def test_baseline_season_and_trend_are_of_ordinary_months(monthly):
    screened = screen(monthly, METRICS).observations
    assert np.isnan(baseline(screened, MONTHS, "2020/21")["value"]).all()
    assert "pandemic" in baseline(screened, MONTHS, "2020/21")["reason"].iloc[0]
    run = longest_run(monthly_panel(screened, MONTHS))
    assert str(run) == "2022-04/2026-03"
    assert (trend_table(screened, MONTHS)["period"] == "2022-04/2026-03").all()
    index = season_table(screened, MONTHS)["index"].to_numpy()
    assert np.abs(index - 1).max() < 0.15  # with the pandemic in it March stands far out


def test_usual_change_has_no_pair_of_years_with_the_pandemic():
    years = [f"{year}/{(year + 1) % 100:02d}" for year in range(2014, 2026)]
    counts = [500, 505, 498, 503, 500, 502, 300, 310, 500, 497, 503, 500]
    metric = METRICS["falls_injuries"]
    rows = table(metric, years, counts, areas=25).assign(lower_ci=2400.0, upper_ci=2600.0)
    seen = years_ahead(screen(rows, METRICS).observations, metric, Period.parse("2026/27"), 1)
    assert np.nanmax(np.abs(seen.history.changes)) < 0.02
    without = years_ahead(rows, metric, Period.parse("2026/27"), 1)
    assert np.nanmax(np.abs(without.history.changes)) > 0.4


def test_a_user_may_say_otherwise_of_one_area_or_of_every_one(monthly):
    one = parse_trusted("X1 emergency_admissions_65 Mar 2020 - Mar 2022", METRICS)
    assert set(marked(monthly, [one])["area_code"]) == {"X0", "X2"}
    every = parse_trusted("every emergency_admissions_65 Mar 2020 - Mar 2022", METRICS)
    assert marked(monthly, [every]).empty
