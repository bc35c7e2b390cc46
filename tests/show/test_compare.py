"""Areas beside each other in a notebook: words, tables and charts say what the comparison found."""

import re

import pytest

from bcfstats.errors import InputError
from bcfstats.example.data import example_data
from bcfstats.read.papers import peers_by
from bcfstats.show.compare import MAY_NOT, counted_metric, open_comparison


@pytest.fixture(scope="module")
def data():
    return example_data(n_areas=40)


@pytest.fixture(scope="module")
def shares(data):
    peers = peers_by("region", data.areas)
    return open_comparison(data, "reablement", ["Aldamount", "Ilvacliff"], "2013/14", peers=peers)


@pytest.fixture(scope="module")
def days(data):
    return open_comparison(data, "delayed_transfers", ["Aldamount", "Ilvacliff"], "Apr-Dec 2014")


def test_every_chart_has_its_finding_and_the_figures_drawn(shares, days):
    for chart in (shares.chart(), shares.intervals(), shares.years(), days.chart(), days.years()):
        assert "Aldamount" in chart.alt
        assert re.search(r"\d", chart.alt)
        assert chart.rows
        assert "made up" in chart.caption
        assert chart.svg.startswith("<svg")


def test_funnel_lists_every_area_with_a_figure(shares):
    known = shares.beside.areas["value"].notna()
    assert len(shares.chart().rows) == known.sum()


def test_without_a_funnel_intervals_are_drawn(days):
    assert "95% intervals" in days.chart().caption
    assert [row[0] for row in days.chart().rows] == ["Aldamount", "Ilvacliff"]


def test_chosen_areas_are_told_apart_by_shape_as_well_as_colour(shares):
    markers = {
        line.get_marker() for line in shares.years().figure.artists if line.__class__.__name__ == "Line2D"
    }
    assert {"D", "s"} <= markers


def test_conclusions_say_what_they_may_not(shares, days):
    for found in (shares, days):
        text = found.conclusions()
        assert all(sentence.replace("'", "&#39;") in text for sentence in MAY_NOT)
    assert "how far it moves from year to year" in days.conclusions()
    assert "a year before; by chance alone it would be about" in shares.conclusions()


def test_words_agree_with_the_table(shares):
    rows = shares.beside.areas.set_index("area_name")
    told = {"within": "no larger than chance explains", "above": "lies above", "below": "lies below"}
    for name in ("Aldamount", "Ilvacliff"):
        sentence = next(part for part in shares.conclusions().split("<p>") if part.startswith(name))
        assert told[rows.loc[name, "position"]] in sentence
        assert f"{rows.loc[name, 'value']:.1f}%" in sentence


def test_one_area_alone_has_no_pairs(data):
    found = open_comparison(data, "reablement", ["Aldamount"], "2013/14")
    assert "two areas or more" in found.pairs()


def test_metric_without_intervals_says_that_nobody_can_tell(data):
    found = open_comparison(data, "dementia_diagnosis", ["Aldamount"])
    assert "Without an interval nobody can tell" in found.conclusions()
    assert found.chart().rows


def test_a_metric_whose_counts_tell_chance_is_found_in_any_data(data):
    assert counted_metric(data) == "reablement"
    assert counted_metric(data.of("care_home_admissions", "delayed_transfers")) == "care_home_admissions"
    with pytest.raises(InputError, match="No metric here has counts"):
        counted_metric(data.of("delayed_transfers"))
