"""The whole way from published files to pages: of 2014, two of three areas the smallest; of today."""

import io
import shutil
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from bcfstats.read.prepare import prepare
from bcfstats.run.batch import run_batch
from bcfstats.run.settings import Settings

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "area_report.ipynb"


@pytest.fixture(scope="module")
def run(real_processed, tmp_path_factory):
    settings = Settings(
        processed=real_processed, out=tmp_path_factory.mktemp("out"), notebook=NOTEBOOK, jobs=2
    )
    return run_batch(settings, areas=["City of London", "Isles of Scilly", "814"], stream=io.StringIO())


def test_no_area_fails(run):
    assert [outcome.reason for outcome in run.outcomes] == ["", "", ""]


def test_southampton_page_shows_the_published_baseline(run):
    """7,335 delayed days, 424.4 per 100,000 adults a month (domain.md section 5)."""
    (southampton,) = [outcome for outcome in run.outcomes if outcome.area_code == "E06000045"]
    soup = BeautifulSoup(run.page(southampton).read_text(encoding="utf-8"), "html.parser")
    section = soup.find(id="delayed_transfers")
    assert "7,335" in section.get_text()
    assert "In April to December 2013 it was 424.4 delayed days per 100,000 people aged 18 and over" in (
        section.get_text()
    )
    assert (
        "estimated from commissioners by population shares"
        in soup.find(id="non_elective_admissions").get_text()
    )
    assert soup.find(class_="example") is None


def test_results_hold_every_area_whatever_reports_were_asked_for(run):
    table = pd.read_csv(run.out / "results.csv", encoding="utf-8-sig")
    days = table.loc[(table["metric"] == "delayed_transfers") & (table["payment"] == "2015-04")]
    assert len(days) == 151
    assert table.loc[table["metric"] == "reablement", "area_code"].nunique() == 152


TODAY = [
    "Buckinghamshire",
    "North Yorkshire",
    "Bournemouth, Christchurch and Poole",
    "Herefordshire",
    "Scilly",
]


@pytest.fixture(scope="module")
def today(present_day, real_data, tmp_path_factory):
    """Prepare files of 2014 and of today from one folder, and make a handful of today's reports."""
    folder = tmp_path_factory.mktemp("today")
    for source, names in ((present_day, ("drd", "ascof", "population")), (real_data, ("ascof",))):
        for name in names:
            shutil.copytree(source / name, folder / "raw" / source.name / name)
    prepared = prepare(folder / "raw", folder / "processed")
    settings = Settings(
        processed=folder / "processed", out=folder / "out", notebook=NOTEBOOK, jobs=1, scheme="bcf-2025-26"
    )
    return prepared, run_batch(settings, areas=TODAY, stream=io.StringIO())


@pytest.mark.slow
def test_every_report_of_today_is_made_and_marks_stand_on_the_page(today):
    _, run = today
    assert [outcome.reason for outcome in run.outcomes] == [""] * len(TODAY)
    pages = {
        outcome.area_code: BeautifulSoup(run.page(outcome).read_text(encoding="utf-8"), "html.parser")
        for outcome in run.outcomes
    }
    for code, page in pages.items():
        assert "in development" in page.get_text(), code
        assert "payment line" not in page.get_text(), code
    for code in ("E06000019", "E06000053"):  # reablement of Herefordshire and of the Isles of Scilly
        rows = [row.get_text(" ", strip=True) for row in pages[code].find_all("tr")]
        assert any(row.startswith("In the community after reablement suppressed 1") for row in rows), code


@pytest.mark.slow
def test_england_and_the_councils_are_as_published(today):
    """England 2024-25: 86.46 % on the day, 0.82 days, 6.09 if delayed; 592.5 and 60.7 % (ASCOF 2024-25)."""
    prepared, run = today
    others = prepared.data.others
    england = others.loc[others["area_code"] == "E92000001"]
    sums = england.groupby("metric")[["numerator", "denominator"]].sum()
    ratio = sums["numerator"] / sums["denominator"]
    assert round(100 * ratio["discharged_on_ready_date"], 2) == 86.46
    assert round(ratio["average_discharge_delay"], 2) == 0.82
    assert round(ratio["days_if_delayed"], 2) == 6.09
    of_2024 = england.loc[england["period_start"] == "2024-04-01"].set_index("metric")["value"]
    assert of_2024["long_term_care_home_admissions"] == 592.5
    assert of_2024["reablement_12_weeks"] == 60.7
    table = prepared.data.observations.pivot_table("value", ["area_code", "period_start"], "metric")
    delay = table.dropna(subset="average_discharge_delay")
    parts = (1 - delay["discharged_on_ready_date"] / 100) * delay["days_if_delayed"].fillna(0)
    assert len(delay) == 1836
    assert (parts - delay["average_discharge_delay"]).abs().max() < 1e-13  # ratios of numbers up to 1e4
    results = pd.read_csv(run.out / "results.csv", encoding="utf-8-sig")
    assert results["area_code"].nunique() == 153


@pytest.mark.slow
def test_areas_of_2014_and_of_today_are_joined_parted_and_named(today):
    prepared, run = today
    years = prepared.data.observations.groupby("area_code")["period_start"].agg(lambda day: set(day.dt.year))
    for code in ("E10000002", "E10000027", "E10000023"):  # Buckinghamshire, Somerset, North Yorkshire
        assert {2014, 2018, 2024} <= years[code]
    for gone in ("E06000028", "E06000029", "E10000006", "E10000021"):
        assert max(years[gone]) <= 2020
    for new in ("E06000058", "E06000061", "E06000062", "E06000063", "E06000064"):
        assert min(years[new]) >= 2019
    apart = prepared.manifest["decisions"]["set_apart"]
    counts = prepared.data.observations["area_code"].value_counts()
    for name, code in (
        ("Bournemouth", "E06000028"), ("Poole", "E06000029"), ("Cumbria", "E10000006"),
        ("Northamptonshire", "E10000021"), ("Bournemouth, Christchurch and Poole", "E06000058"),
        ("North Northamptonshire", "E06000061"), ("Cumberland", "E06000063"),
    ):  # fmt: skip
        assert any(told.startswith(f"{name} ({code}): {counts[code]:,} rows") for told in apart), name
    results = pd.read_csv(run.out / "results.csv", encoding="utf-8-sig")
    care = results.loc[(results["metric"] == "care_home_admissions") & (results["area_name"] == "Dorset")]
    assert care["change"].isna().all()  # other boundaries since April 2019
