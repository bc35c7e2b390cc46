"""A chart carries its finding in words and its data, wherever it goes."""

from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from matplotlib.figure import Figure

from bcfstats.show.charts.chart import Chart


@pytest.fixture
def chart():
    figure = Figure(figsize=(2, 1))
    figure.add_axes((0, 0, 1, 1)).plot([1, 3, 2])
    rows = [["Apr", "1"], ["May", "3"]]
    return Chart(
        figure, "It rose from 1 to <3> & more.", 'Days & "nights"', ("Month", "Days"), rows, "A note"
    )


def test_page_has_alternative_text_caption_and_every_row(chart):
    soup = BeautifulSoup(chart.__html__(), "html.parser")
    assert soup.img["alt"] == chart.alt
    assert soup.figcaption.get_text() == 'Days & "nights"'
    assert soup.details.p.get_text() == "A note."
    cells = [[cell.get_text() for cell in row(["td", "th"])] for row in soup.table("tr")]
    assert cells == [["Month", "Days"], ["Apr", "1"], ["May", "3"]]


def test_file_says_what_the_page_says(chart):
    root = ElementTree.fromstring(chart.svg_file())
    space = "{http://www.w3.org/2000/svg}"
    assert root.find(f"{space}title").text == chart.caption
    assert root.find(f"{space}desc").text == chart.alt
    assert root.get("aria-label") == chart.caption


def test_picture_is_a_png(chart):
    assert chart.png().startswith(b"\x89PNG\r\n")
