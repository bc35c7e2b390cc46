"""Dates and months as they are published."""

from datetime import date, datetime

import pytest

from bcfstats.define.periods import parse_date
from bcfstats.read.marks import month_in_financial_year, parse_month


@pytest.mark.parametrize(
    ("text", "day"),
    [("24th June 2011", date(2011, 6, 24)), ("1th September 2012", date(2012, 9, 1)), ("-", None), ("", None),
     ("3rd May 2013", date(2013, 5, 3)), ("01/04/2014", date(2014, 4, 1)), ("2014-04-01", date(2014, 4, 1)),
     ("31/13/2014", None), (datetime(2014, 4, 1, 9), date(2014, 4, 1)),
     ("22nd November 2012", date(2012, 11, 22))],
)  # fmt: skip
def test_dates(text, day):
    assert parse_date(text) == day


@pytest.mark.parametrize(
    ("text", "label"),
    [("May 2011", "May 2011"), (" Janaury 2015 ", "January 2015"), ("Sept 2013", "September 2013"),
     (date(2011, 5, 1), "May 2011")],
)  # fmt: skip
def test_months(text, label):
    assert parse_month(text).label == label


@pytest.mark.parametrize("text", ["", "2011", "Total 2011", "May"])
def test_what_is_no_month(text):
    assert parse_month(text) is None


@pytest.mark.parametrize(
    ("year", "month", "label"),
    [("2012-13", "APRIL", "April 2012"), (" 2017-18", "April", "April 2017"),
     ("2014-15", "MARCH ", "March 2015"), ("2014-16", "May", None), ("Note:", "", None)],
)  # fmt: skip
def test_months_of_financial_years(year, month, label):
    found = month_in_financial_year(year, month)
    assert (found.label if found else None) == label
