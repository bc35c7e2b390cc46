"""The whole way from published files to pages, for three areas, two of them the smallest."""

import io
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup

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
