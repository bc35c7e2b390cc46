"""Months in which far fewer discharges are covered are not alike, of the average delay and its parts."""

import numpy as np
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.example.data import example_observations
from bcfstats.judge.baseline import baseline
from bcfstats.judge.screening import FEW_COVERED, Trusted, screen

FAMILY = ("average_discharge_delay", *METRICS["average_discharge_delay"].parts)


@pytest.fixture(scope="module")
def observations():
    return example_observations(30, scheme="bcf-2025-26")


def test_the_months_of_another_mix_of_trusts_are_left_out_of_the_family(observations):
    findings = screen(observations, METRICS).findings
    thin = findings.loc[findings["what"] == FEW_COVERED]
    # the example has four such areas, from February to May 2025
    assert set(thin["metric"]) == set(FAMILY)
    assert thin.groupby("metric")["area_code"].nunique().tolist() == [4, 4, 4]
    months = {f"2025-{month:02d}/2025-{month:02d}" for month in (2, 3, 4, 5)}
    assert set(thin["period"]) == months
    assert (thin["consequence"] == "left out").all()
    assert thin["change_percent"].between(-75, -20).all()


def test_a_baseline_is_of_the_months_that_are_alike_and_says_so(observations):
    screened = screen(observations, METRICS)
    area = screened.findings.loc[screened.findings["what"] == FEW_COVERED, "area_code"].iloc[0]
    found = baseline(screened.observations, "average_discharge_delay", "2024/25", area).iloc[0]
    assert (found["n_present"], found["n_expected"]) == (10, 12)
    assert "February 2025; March 2025" in found["missing"]
    assert np.isfinite(found["value"])
    assert found["lower"] < found["value"] < found["upper"]


def test_a_month_that_is_vouched_for_is_kept(observations):
    thin = screen(observations, METRICS).findings.query("what == @FEW_COVERED")
    area = thin["area_code"].iloc[0]
    trusted = [Trusted(area, FAMILY[0], Period.parse("2025-02/2025-05"))]
    again = screen(observations, METRICS, trusted).findings.query("what == @FEW_COVERED")
    mine = again.loc[again["area_code"] == area]
    assert set(mine["metric"]) == set(FAMILY[1:])


def test_a_part_alone_needs_no_average(observations):
    parts = observations.loc[observations["metric"] == "days_if_delayed"]
    assert FEW_COVERED not in set(screen(parts, METRICS).findings["what"])
