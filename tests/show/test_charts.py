import re
import xml.etree.ElementTree as ET
from datetime import date
from urllib.parse import unquote

import numpy as np
import pytest
from bs4 import BeautifulSoup

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.show import sentences
from bcfstats.show.charts import chart as charts
from bcfstats.show.charts import drawing
from bcfstats.show.parts import html_table
from bcfstats.words import file_stem, interval, number, signed

HOSTILE = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(1234567.0, 0, "1,234,567"), (-3.46, 1, "−3.5"), (-0.01, 1, "0.0"), (float("inf"), 1, "not available")],
)
def test_numbers_in_british_style(value, decimals, text):
    assert number(value, decimals) == text


def test_signed_and_interval():
    assert signed(0.04) == "0.0"
    assert interval(-3.1, 4.2, 1, as_change=True) == "−3.1 to +4.2"
    assert interval(float("nan"), 1.0) == "not available"


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\\b", "C:\\x", "..", "", "Ynys Môn", HOSTILE])
def test_file_names_cannot_leave_their_folder(name):
    assert re.fullmatch(r"X1(-[a-z0-9-]+)?", file_stem("X1", name))


def test_table_has_caption_scopes_and_no_empty_cell():
    page = BeautifulSoup(
        html_table(["A", "B"], [["row", ""], [HOSTILE, "1"]], "What it holds"), "html.parser"
    )
    assert page.caption.get_text() == "What it holds"
    assert [cell["scope"] for cell in page.thead.find_all("th")] == ["col", "col"]
    assert [cell["scope"] for cell in page.tbody.find_all("th")] == ["row", "row"]
    assert all(cell.get_text().strip() for cell in page.find_all(["td", "th"]))
    assert page.find("script") is None


def chart(**given):
    starts = [date(2013 + i // 12, i % 12 + 1, 1) for i in range(24)]
    values = np.arange(24.0)
    values[5] = np.nan
    return charts.history(
        starts,
        values,
        unit="days",
        caption="Caption",
        alt="A finding with 3 numbers",
        headings=["Month", "Days"],
        rows=[[str(start), number(v)] for start, v in zip(starts, values, strict=True)],
        spans=[charts.Span(Period.parse("Apr-Dec 2013"), "baseline", 7.0)],
        breaks=[date(2014, 4, 1)],
        **given,
    )


def test_chart_carries_alt_text_caption_and_its_data():
    page = BeautifulSoup(chart().__html__(), "html.parser")
    assert page.img["alt"] == "A finding with 3 numbers"
    assert page.figcaption.get_text() == "Caption"
    assert len(page.find_all("tr")) == 25
    svg = unquote(page.img["src"].split(",", 1)[1])
    assert "<text" in svg  # text is kept as text
    assert "http://" not in re.sub(r"xmlns(:\w+)?='[^']+'", "", svg)


def test_picture_as_a_file_names_itself_and_tells_its_finding():
    root = ET.fromstring(chart().svg_file())
    assert root.get("role") == "img"
    assert root.get("aria-label") == "Caption"
    told = {child.tag.rsplit("}")[-1]: child.text for child in root}
    assert (told["title"], told["desc"]) == ("Caption", "A finding with 3 numbers")


def test_chart_is_the_same_every_time():
    assert chart().svg == chart().svg


@pytest.mark.parametrize("role", ["series", "comparison", "emphasis", "alert", "text"])
def test_colours_stand_out_from_white(role):
    """WCAG 2.2 asks 3:1 of graphics (success criterion 1.4.11)."""
    channels = [int(drawing.palette()[role][i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    assert 1.05 / (luminance + 0.05) >= 3


def test_no_sentence_calls_a_change_of_delayed_days_significant():
    metric = METRICS["delayed_transfers"]
    row = {
        "baseline_period": "2013-04/2013-12",
        "outcome_period": "2014-04/2014-12",
        "finding": "worse",
        "change": 20.2,
        "change_unit": "%",
        "change_lower": 8.0,
        "change_upper": 33.0,
        "change_reason": "",
        "finding_against": "noise within the two periods only",
        "matched_months": 9.0,
        "outcome_n_expected": 9,
    }
    words = " ".join([sentences.finding(row, metric), sentences.change(row), sentences.held_against(row)])
    assert "significant" not in words
    assert "beyond noise within the two periods" in words
    assert "wander from year to year" in words


def test_window_that_is_not_complete_says_so():
    row = {
        "baseline_period": "2014-01/2014-06",
        "outcome_period": "2015-01/2015-06",
        "matched_months": 3.0,
        "outcome_n_expected": 6,
    }
    assert sentences.windows(row) == ("January to June 2014", "January to June 2015 (3 of 6 months)")
