"""Words against what a careful writer would write by hand."""

import re
from datetime import date

import pytest

from bcfstats import words

HOSTILE = "<script>alert(1)</script>"
NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (7335, 0, "7,335"),
        (424.3788, 1, "424.4"),
        (1234567.0, 0, "1,234,567"),
        (-3.46, 1, "−3.5"),
        (-0.01, 1, "0.0"),
        (-0.04, 1, "0.0"),
        (float("inf"), 1, "not available"),
        (NAN, 0, "not available"),
    ],
)
def test_numbers_in_british_style(value, decimals, text):
    assert words.number(value, decimals) == text


@pytest.mark.parametrize(("value", "text"), [(20.17, "+20.2"), (-3.5, "−3.5"), (0.0, "0.0"), (0.04, "0.0")])
def test_change_carries_its_sign_unless_it_rounds_to_zero(value, text):
    assert words.signed(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(20.17, "%", "+20.2%"), (-3.5, "points", "−3.5 points"), (NAN, "%", "not known")],
)
def test_change_carries_its_unit(value, unit, text):
    assert words.with_unit(value, unit) == text


def test_interval_is_written_as_one_or_not_at_all():
    assert words.interval(413.2, 436.1, 1) == "413.2 to 436.1"
    assert words.interval(-3.1, 4.2, 1, as_change=True) == "−3.1 to +4.2"
    assert words.interval(NAN, 1.0) == "not available"


def test_two_ends_that_read_alike_are_one():
    assert words.between("93.1%", "95.0%") == "93.1% to 95.0%"
    assert words.between("93.1%", "93.1%") == "93.1%"


@pytest.mark.parametrize(
    ("chance", "sentence", "column"),
    [
        (0.284, "28 in 100", "28"),
        (0.004, "fewer than 1 in 100", "under 1"),
        (0.998, "more than 99 in 100", "over 99"),
        (0.01, "1 in 100", "1"),
        (0.0099, "fewer than 1 in 100", "under 1"),
        (0.99, "99 in 100", "99"),
        (0.9901, "more than 99 in 100", "over 99"),
        (0.505, "50 in 100", "50"),  # 50.5 is half way: to the even
        (1.0, "more than 99 in 100", "over 99"),
        (NAN, "an unknown number in 100", "none"),
    ],
)
def test_chance_is_a_natural_frequency_never_none_or_all(chance, sentence, column):
    assert (words.in_100(chance), words.of_100(chance)) == (sentence, column)


def test_level_is_written_without_decimals_it_does_not_have():
    assert (words.percent(0.95), words.percent(0.998)) == ("95%", "99.8%")


def test_small_p_value_is_never_zero():
    assert (words.p_value(0.0123), words.p_value(0.0)) == ("p = 0.012", "p < 0.001")


def test_dates_lists_counts_and_sentences():
    assert words.day(date(2014, 3, 12)) == "12 March 2014"
    assert words.listed(["May 2013"]) == "May 2013"
    assert words.listed(["May 2013", "June 2013", "July 2013"]) == "May 2013, June 2013 and July 2013"
    assert (words.plural(1, "area"), words.plural(1204, "area")) == ("1 area", "1,204 areas")
    assert words.spoken("within_noise") == "within noise"
    assert words.sentence("no month has a figure.") == "No month has a figure."
    assert words.sentence("") == ""


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\\b", "C:\\x", "..", "", "Ynys Môn", HOSTILE])
def test_file_names_cannot_leave_their_folder(name):
    assert re.fullmatch(r"X1(-[a-z0-9-]+)?", words.file_stem("X1", name))


def test_file_name_is_code_and_plain_name_and_odd_codes_keep_apart():
    assert (
        words.file_stem("E06000010", "Kingston upon Hull, City of") == "E06000010-kingston-upon-hull-city-of"
    )
    assert words.file_stem("X1", "../Ŷ?") == "X1-y"
    assert words.file_stem("../CON", "") != words.file_stem("con", "") != "con"
