"""The series of one metric as drawn: what it says, and the same picture every time."""

import re
import xml.etree.ElementTree as ET
from urllib.parse import unquote

import numpy as np
import pandas as pd
from bs4 import BeautifulSoup

from bcfstats.define.metrics import METRICS, UNUSUAL
from bcfstats.show.charts.history import history_chart

METRIC = METRICS["delayed_transfers"]
WINDOW = {
    "payment": "2015-04",
    "baseline_period": "2013-04/2013-12",
    "baseline_value": 7.0,
    "outcome_period": "2014-04/2014-12",
    "outcome_value": np.nan,
    "outcome_n_present": 0,
    "outcome_n_expected": 9,
    "finding": "not compared",
}
OUTLOOK = {"payment": "2015-04", "expected": 12.0, "expected_lower": 9.0, "expected_upper": 15.0}
TARGET = {"payment": "2015-04", "target_value": 6.5, "payment_line": 6.8}


def months(n=24):
    starts = pd.date_range("2013-01-01", periods=n, freq="MS")
    values = np.arange(float(n))
    values[5] = np.nan
    ends = starts + pd.offsets.MonthEnd()
    return pd.DataFrame(
        {"period_start": starts, "period_end": ends, "value": values, "status": "ok", "status_note": ""}
    )


def chart(windows=(WINDOW,), **given):
    return history_chart("Here", METRIC, months(), windows, **given)


def test_chart_carries_alt_text_caption_and_its_data():
    page = BeautifulSoup(chart().__html__(), "html.parser")
    assert page.img["alt"].startswith("Chart of Delayed transfers of care for Here, delayed days")
    assert "from 0.0 in January 2013 to 23.0 in December 2014" in page.img["alt"]
    assert page.figcaption.get_text() == "Delayed transfers of care, Here, January 2013 to December 2014"
    assert page.details.p.get_text().startswith("Source: ")
    assert len(page.find_all("tr")) == 25
    svg = unquote(page.img["src"].split(",", 1)[1])
    assert "<text" in svg  # text is kept as text
    assert "http://" not in re.sub(r"xmlns(:\w+)?='[^']+'", "", svg)


def test_picture_as_a_file_names_itself_and_tells_its_finding():
    root = ET.fromstring(chart().svg_file())
    assert root.get("role") == "img"
    assert root.get("aria-label") == chart().caption
    inside = {child.tag.rsplit("}")[-1]: child.text for child in root}
    assert (inside["title"], inside["desc"]) == (chart().caption, chart().alt)


def test_chart_is_the_same_every_time():
    assert chart().svg == chart().svg


def test_key_names_only_what_is_drawn():
    assert "Shaded: the baseline, with its level" in chart().note
    assert "Shaded" not in chart(()).note
    both = chart(
        ({**WINDOW, "outcome_value": 19.0, "finding": "worse"},), outlooks=[OUTLOOK], targets=[TARGET]
    )
    assert "Shaded: the two windows compared" in both.note
    assert "Tinted: 80% interval" in both.note
    assert "Dashed: the proposed target, and the line it is paid from" in both.note
    assert "The mark on the outcome says: worse" in both.note
    assert "In April to December 2014 12.0 was to be expected if nothing was done; " in both.alt
    assert both.alt.endswith("the target is 6.5, paid from 6.8.")


def test_months_that_are_missing_stay_in_the_data_as_such():
    series = months().drop(index=3)
    drawn = history_chart("Here", METRIC, series, ())
    assert drawn.rows[3] == ["April 2013", "not available"]
    assert len(drawn.rows) == 24


def test_figures_that_are_hidden_altogether_draw_nothing():
    assert history_chart("Here", METRIC, months().assign(value=np.nan), ()) is None


def test_the_pandemic_is_hatched_with_the_reason_wherever_its_figures_are_set_apart():
    starts = pd.date_range("2019-01-01", periods=48, freq="MS")
    note = UNUSUAL[0].words
    series = months(48).assign(period_start=starts, period_end=starts + pd.offsets.MonthEnd())
    apart = series["period_start"].between("2020-03-01", "2022-03-01")
    drawn = history_chart("Here", METRIC, series.assign(status_note=np.where(apart, note, "")), ())
    assert "<pattern" in drawn.svg
    assert ">the COVID-19 pandemic<" in drawn.svg
    assert f"Hatched: {note}" in drawn.note
    vouched = history_chart("Here", METRIC, series, ())
    assert "pattern" not in vouched.svg
    assert "Hatched" not in vouched.note


def test_so_many_years_are_named_that_their_names_do_not_meet():
    starts = pd.date_range("2010-04-01", periods=16, freq="12MS")
    ends = starts + pd.DateOffset(years=1, days=-1)
    series = months(16).assign(period_start=starts, period_end=ends, basis="", lower=np.nan, upper=np.nan)
    drawn = history_chart("Here", METRICS["care_home_admissions"], series, ())
    years = re.findall(r">(20\d\d/\d\d)<", drawn.svg)
    assert years == [f"{year}/{year - 1999}" for year in range(2013, 2026, 4)]
