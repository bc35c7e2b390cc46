"""The index of a run: every area once, with its report, its failure, or that it is still to come."""

from dataclasses import replace

import pytest
from bs4 import BeautifulSoup

from bcfstats.example.data import example_data
from bcfstats.judge.assessment import assess
from bcfstats.show.all_areas import areas_page


@pytest.fixture(scope="module")
def results():
    made = assess(example_data(n_areas=3).of("reablement"))
    return replace(made, about=made.about | {"version": "0", "created": "1 April 2014", "disclosure": []})


def test_each_area_is_linked_told_as_failed_or_awaited(results):
    made, failed, waiting = results.areas["area_code"]
    page = areas_page(results, {made: "areas/a.html"}, {failed: "<b>no</b> & why"}, [waiting], "One to come.")
    soup = BeautifulSoup(page, "html.parser")
    assert [link["href"] for link in soup.find_all("a", href="areas/a.html")][:1] == ["areas/a.html"]
    assert "<b>no</b> & why" in soup.get_text()
    assert "One to come." in soup.get_text()
    for name in results.areas["area_name"]:
        assert name in soup.get_text()
    assert soup.find("b", string="no") is None


def test_an_index_without_failures_names_none(results):
    links = {code: f"areas/{code}.html" for code in results.areas["area_code"]}
    soup = BeautifulSoup(areas_page(results, links, {}), "html.parser")
    assert set(links.values()) <= {link["href"] for link in soup.find_all("a", href=True)}
