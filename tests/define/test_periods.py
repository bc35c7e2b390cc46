"""Periods against the calendar, and against the periods printed in the Better Care Fund annex."""

import re
from datetime import date, datetime, timedelta
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcfstats.define.periods import Period, financial_year, month_of
from bcfstats.errors import ParameterError

ANNEX_43 = [  # as printed in the annex Developing Plans for the Better Care Fund, paragraph 43
    ("Apr 2014 - Mar 2015", date(2014, 4, 1), date(2015, 3, 31)),
    ("Apr – Dec 2014", date(2014, 4, 1), date(2014, 12, 31)),
    ("Jan - Jun 2015", date(2015, 1, 1), date(2015, 6, 30)),
    ("Apr – Sept 2014", date(2014, 4, 1), date(2014, 9, 30)),
    ("Oct 2014 – Mar 2015", date(2014, 10, 1), date(2015, 3, 31)),
]
WRITTEN = [
    ("2014-04", date(2014, 4, 1), date(2014, 4, 30)),
    ("2014-04/2014-12", date(2014, 4, 1), date(2014, 12, 31)),
    ("2014/15", date(2014, 4, 1), date(2015, 3, 31)),
    ("2014-15", date(2014, 4, 1), date(2015, 3, 31)),
    ("1999/00", date(1999, 4, 1), date(2000, 3, 31)),
    ("2014", date(2014, 1, 1), date(2014, 12, 31)),
    ("Apr 2014", date(2014, 4, 1), date(2014, 4, 30)),
    ("april  2014", date(2014, 4, 1), date(2014, 4, 30)),
    ("April to December 2014", date(2014, 4, 1), date(2014, 12, 31)),
    ("Apr 2014 - Mar 2015", date(2014, 4, 1), date(2015, 3, 31)),
    ("2014-04-01/2014-12-31", date(2014, 4, 1), date(2014, 12, 31)),
    ("2014-04-07/2014-12-30", date(2014, 4, 7), date(2014, 12, 30)),
    ("Q1 2014/15", date(2014, 4, 1), date(2014, 6, 30)),
    ("Q4 2014/15", date(2015, 1, 1), date(2015, 3, 31)),
    ("Feb 2016", date(2016, 2, 1), date(2016, 2, 29)),
    # as Excel, Fingertips and council systems write them
    *[
        (text, date(2013, 4, 1), date(2013, 4, 30))
        for text in (
            "Apr-13",
            "Apr 13",
            "Apr'13",
            "April-2013",
            "2013 Apr",
            "201304",
            201304.0,
            "Apr\u201313",
        )
    ],
    ("Sept-99", date(1999, 9, 1), date(1999, 9, 30)),
    *[
        (text, date(2015, 4, 1), date(2016, 3, 31))
        for text in ("FY2015/16", "FY 2015-16", "FY15/16", "2015/2016", "2015-2016", "2015 / 16", "201516")
    ],
    *[
        (text, date(2013, 7, 1), date(2013, 9, 30))
        for text in ("2013/14 Q2", "2013-14 Q2", "Q2 2013/2014", "Quarter 2 2013/14", "Qtr 2 FY2013/14")
    ],
    ("February 2013/14", date(2014, 2, 1), date(2014, 2, 28)),
    (2015, date(2015, 1, 1), date(2015, 12, 31)),
    (2015.0, date(2015, 1, 1), date(2015, 12, 31)),
    ("2015.0", date(2015, 1, 1), date(2015, 12, 31)),
    ("01/04/2013 to 31/03/2014", date(2013, 4, 1), date(2014, 3, 31)),
    ("1 April 2013 - 30 June 2013", date(2013, 4, 1), date(2013, 6, 30)),
    ("\uff12\uff10\uff11\uff13-\uff10\uff14", date(2013, 4, 1), date(2013, 4, 30)),
]
whole_months = st.builds(
    lambda first, length: Period(
        date(first // 12, first % 12 + 1, 1),
        date((first + length) // 12, (first + length) % 12 + 1, 1) - timedelta(days=1),
    ),
    st.integers(1950 * 12, 2080 * 12),
    st.integers(1, 60),
)
any_window = st.builds(
    lambda start, length: Period(start, start + timedelta(days=length)),
    st.dates(date(1950, 1, 1), date(2080, 1, 1)),
    st.integers(0, 1500),
)


@pytest.mark.parametrize(("text", "start", "end"), ANNEX_43 + WRITTEN)
def test_parse_reads_what_people_write(text: object, start: date, end: date) -> None:
    assert Period.parse(text) == Period(start, end)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2014-13",
        "2014-04/2014-00",
        "Foo 2014",
        "Apr",
        "Q5 2014/15",
        "2014-02-30/2014-03-01",
        "14/15",
        "9999/00",
    ],
)
def test_parse_lists_what_is_accepted(text: str) -> None:
    with pytest.raises(ParameterError, match=re.escape(f"Found: '{text}'. Write a month (2014-04")):
        Period.parse(text)


@pytest.mark.parametrize("text", ["2014-12/2014-04", "Oct-Mar 2014", "2014-04-02/2014-04-01"])
def test_parse_refuses_an_end_before_the_start(text: str) -> None:
    with pytest.raises(ParameterError, match=f"ends before it starts. Where: the period '{text}'"):
        Period.parse(text)


def test_parse_refuses_what_could_be_a_month_or_a_financial_year() -> None:
    with pytest.raises(ParameterError, match="2011/12 for the financial year, 2011-12/2011-12 for the month"):
        Period.parse("2011-12")
    assert Period.parse("2011-12/2011-12").label == "December 2011"


@pytest.mark.parametrize(
    "day", ["01/04/2013", "2013-04-01", "1 April 2013", "30/04/2013", "2013-04-01 00:00:00", date(2013, 4, 1)]
)
def test_the_first_or_last_day_stands_for_a_month_only_where_months_are_meant(day: object) -> None:
    assert Period.parse(day, "month") == Period.parse("2013-04")
    for frequency in ("", "quarter", "year"):
        with pytest.raises(ParameterError, match="2013-04 for the month, 2013/14 for"):
            Period.parse(day, frequency)


@pytest.mark.parametrize("day", ["04/13/2013", "15/04/2013", "05/04/2013", date(2013, 4, 2)])
def test_a_day_within_a_month_may_be_a_slip_of_the_pen(day: object) -> None:
    with pytest.raises(ParameterError):
        Period.parse(day, "month")


@pytest.mark.parametrize("text", ["2013 Q2", "Q2 2013", "2013Q2", "Quarter 2 2013"])
def test_a_quarter_of_a_year_that_may_be_either_is_asked_about(text: str) -> None:
    with pytest.raises(
        ParameterError, match=r"calendar year or of the financial year.*Apr-Jun 2013, or Q2 2013/14"
    ):
        Period.parse(text)


def test_what_could_be_a_month_is_a_year_where_years_are_meant() -> None:
    assert Period.parse("2011-12", "year").label == Period.parse("201112", "year").label == "2011/12"
    with pytest.raises(ParameterError, match="month or a financial year"):
        Period.parse("201112")


@pytest.mark.parametrize(
    "text", [True, None, float("nan"), 41365, 2013.5, "x" * 10_000, "2013 - 15", "FY2015"]
)
def test_what_is_no_period_is_named_shortly(text: object) -> None:
    with pytest.raises(ParameterError, match="not a period") as caught:
        Period.parse(text)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("text", ["2014/16", "2014/14", "Q1 2014/16"])
def test_parse_refuses_a_financial_year_of_the_wrong_length(text: str) -> None:
    with pytest.raises(ParameterError, match="Write 2014/15"):
        Period.parse(text)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("2014-04/2014-12", "April to December 2014"),
        ("2014-15", "2014/15"),
        ("2014-05", "May 2014"),
        ("2014", "January to December 2014"),
        ("2014-10/2015-03", "October 2014 to March 2015"),
        ("2012-04/2014-03", "April 2012 to March 2014"),
        ("2014-04-07/2014-12-30", "7 April 2014 to 30 December 2014"),
        ("2014-04-07/2014-04-07", "7 April 2014"),
    ],
)
def test_label(text: str, label: str) -> None:
    assert Period.parse(text).label == label


def test_days_and_months_of_the_first_payment_window() -> None:
    window = Period.parse("Apr-Dec 2014")
    assert window.days == 30 + 31 + 30 + 31 + 31 + 30 + 31 + 30 + 31
    assert [str(month) for month in window.months][::8] == ["2014-04/2014-04", "2014-12/2014-12"]
    assert sum(month.days for month in window.months) == window.days


def test_months_of_a_window_that_is_not_whole_months() -> None:
    window = Period(date(2014, 4, 2), date(2014, 6, 30))
    for name in ("months", "n_months"):
        with pytest.raises(
            ParameterError, match=r"not made of whole calendar months. Found: 2 April 2014 to"
        ):
            getattr(window, name)


@pytest.mark.parametrize(
    ("text", "years", "expected"),
    [
        ("2015-02", 1, "2016-02-01/2016-02-29"),
        ("2016-02", -1, "2015-02-01/2015-02-28"),
        ("2014-10/2015-02", 1, "2015-10-01/2016-02-29"),
        ("2016-02-29/2016-03-05", 1, "2017-02-28/2017-03-05"),
        ("2015-02-28/2015-02-28", 1, "2016-02-28/2016-02-28"),
    ],
)
def test_shift_years_over_leap_years(text: str, years: int, expected: str) -> None:
    assert Period.parse(text).shift_years(years) == Period.parse(expected)


def test_shift_years_out_of_the_calendar() -> None:
    for text in ("2014-04", "2014-04-02/2014-04-03"):
        with pytest.raises(ParameterError, match="no such year"):
            Period.parse(text).shift_years(-3000)


def test_contains() -> None:
    year = Period.parse("2014/15")
    assert year.contains(year)
    assert year.contains(Period.parse("Apr-Dec 2014"))
    assert not year.contains(Period.parse("Jan-Jun 2015"))


@pytest.mark.parametrize("bad", ["2014-04-01", None, pd.NaT, 2014])
def test_ends_must_be_dates(bad: object) -> None:
    with pytest.raises(ParameterError, match="needs two dates"):
        Period(bad, date(2014, 4, 1))  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="needs two dates"):
        month_of(bad)  # type: ignore[arg-type]


def test_timestamps_become_dates() -> None:
    period = Period(pd.Timestamp("2014-04-01"), datetime(2014, 4, 30, 12))
    assert period == Period.parse("2014-04")
    assert type(period.start) is type(period.end) is date


def test_periods_sort_by_start_then_end() -> None:
    texts = ["2014-04/2014-04", "2014-04/2014-12", "2014-05/2014-05"]
    assert [str(p) for p in sorted(map(Period.parse, reversed(texts)))] == texts


@given(any_window)
def test_str_parses_back(period: Period) -> None:
    assert Period.parse(str(period)) == period


@given(whole_months)
def test_label_of_whole_months_parses_back(period: Period) -> None:
    assert Period.parse(period.label) == period


@given(whole_months)
def test_months_tile_the_window(period: Period) -> None:
    months = period.months
    assert (months[0].start, months[-1].end) == (period.start, period.end)
    assert len(months) == period.n_months
    assert all(b.start - a.end == timedelta(days=1) for a, b in pairwise(months))


@given(whole_months, st.integers(-30, 30))
def test_shift_years_keeps_whole_months_and_comes_back(period: Period, years: int) -> None:
    moved = period.shift_years(years)
    assert moved.n_months == period.n_months
    assert moved.start.month == period.start.month
    assert moved.shift_years(-years) == period


@given(any_window, any_window)
def test_contains_agrees_with_the_set_of_days(outer: Period, inner: Period) -> None:
    def days(period: Period) -> set[int]:
        return set(range(period.start.toordinal(), period.end.toordinal() + 1))

    assert outer.contains(inner) == (days(inner) <= days(outer))


@given(st.dates(date(1950, 1, 1), date(2080, 1, 1)))
def test_month_and_financial_year_of_a_day(day: date) -> None:
    month, year = month_of(day), financial_year(day)
    assert month.contains(Period(day, day))
    assert year.contains(month)
    assert (month.n_months, year.n_months, year.start.month) == (1, 12, 4)
