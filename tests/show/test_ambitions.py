"""The ladder as drawn: what is recommended is shaded where it lies, and the target is marked."""

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.show.charts.ambitions import ladder_chart

METRIC = METRICS["care_home_admissions"]
NAN = float("nan")


def rung(name, value, chance):
    told = {"rung": name, "what": name, "value": value, "ambition_percent": value / 5 - 100, "note": ""}
    return {**told, "p_paid_do_nothing": chance, "p_paid_if_delivered": 0.9, "reach": 0.2}


RUNGS = [rung("no_change", 500.0, NAN), rung("trend", 480.0, 0.51), rung("significant", 420.0, 0.004)]


def drawn(**given):
    return ladder_chart("Here", METRIC, Period.parse("2014/15"), RUNGS, **given)


def test_recommended_range_and_target_are_told_and_written_between_the_rungs():
    chart = drawn(recommended=(450.0, 430.0), target=470.0)
    assert chart.alt.endswith("Recommended: 450.0 to 430.0. Proposed: 470.0.")
    assert ">recommended<" in chart.svg
    assert ">target<" in chart.svg


def test_nothing_is_shaded_or_marked_where_nothing_is_recommended_or_proposed():
    chart = drawn()
    assert "recommended" not in chart.svg
    assert ">target<" not in chart.svg
    assert chart.alt.endswith("from 500.0 (no change) to 420.0 (significant).")


def test_chances_are_written_beside_the_steps_and_never_as_none():
    chart = drawn()
    assert ">51 in 100<" in chart.svg
    assert ">&lt;1 in 100<" in chart.svg
    assert [row[3] for row in chart.rows] == ["none", "51", "under 1"]


def test_nothing_is_drawn_where_no_level_is_a_possible_value():
    assert ladder_chart("Here", METRIC, Period.parse("2014/15"), [rung("trend", NAN, NAN)]) is None


def test_a_scheme_that_pays_nothing_is_told_of_what_is_reached():
    chart = drawn(pays=False)
    assert chart.caption.endswith("with the chance of reaching it if nothing is done")
    assert not [text for text in (*chart.headings, chart.alt) if "paid" in text.lower()]
    assert any("Paid" in heading for heading in drawn().headings)
