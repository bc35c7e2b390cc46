"""Dates and months as publishers and spreadsheets write them."""

from __future__ import annotations

import difflib
import re
from datetime import date, datetime

from bcfstats.define.periods import MONTH_NAMES, Period, financial_year, month_of

_FIRST_YEAR, _LAST_YEAR = 1900, 2199  # other years are slips of the pen, or more than a table can hold
_STYLES = ("%Y-%m-%d", "%d/%m/%Y", "%d %B %Y", "%d %b %Y", "%d-%b-%Y", "%d-%B-%Y", "%Y-%m-%d %H:%M:%S")


def parse_date(cell: object) -> date | None:
    """Read a date, "24th June 2011", "24/06/2011" or "2011-06-24"; None for '-', blank or anything else.

    Day comes before month, as in England.

    Examples
    --------
    >>> parse_date("24th June 2011"), parse_date("-")
    (datetime.date(2011, 6, 24), None)
    """
    if isinstance(cell, datetime):
        cell = cell.date() if cell == cell else None
    if isinstance(cell, date):
        return cell if is_plausible(cell) else None
    text = re.sub(r"(?<=\d)(st|nd|rd|th)\b", "", " ".join(str(cell).split()))
    for style in _STYLES:
        try:
            day = datetime.strptime(text, style).date()
        except ValueError:
            continue
        return day if is_plausible(day) else None
    return None


def is_plausible(*days: date) -> bool:
    """Whether days are of a year that figures can be of: 1900 to 2199."""
    return all(_FIRST_YEAR <= day.year <= _LAST_YEAR for day in days)


def month_number(text: str) -> int | None:
    """Give the number of a month name, misspelt ones ("Janaury") and short ones ("Sept") too.

    Examples
    --------
    >>> month_number(" DECEMBER "), month_number("Janaury"), month_number("Sept"), month_number("Total")
    (12, 1, 9, None)
    """
    word = text.strip().rstrip(".").casefold()
    names = [name.casefold() for name in MONTH_NAMES]
    short = [number for number, name in enumerate(names, 1) if len(word) >= 3 and name.startswith(word)]
    if short:
        return short[0]
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.8)
    return names.index(near[0]) + 1 if near else None


def parse_month(cell: object) -> Period | None:
    """Read a calendar month, "May 2011" or a date in it; None when there is none.

    Examples
    --------
    >>> parse_month(" Janaury 2015").label
    'January 2015'
    """
    if isinstance(cell, date):
        return month_of(cell) if is_plausible(cell) else None
    match = re.fullmatch(r"\s*([A-Za-z]+)[\s,]+((?:19|20)\d\d)\s*", str(cell))
    number = month_number(match[1]) if match else None
    return month_of(date(int(match[2]), number, 1)) if match and number else None


def month_in_financial_year(year: object, month: object) -> Period | None:
    """Read a month given by financial year and name, such as " 2017-18" and "April".

    Examples
    --------
    >>> month_in_financial_year(" 2014-15", "JANUARY").label
    'January 2015'
    """
    match = re.fullmatch(r"\s*((?:19|20)\d\d)\s*[-/–]\s*(\d\d)?(\d\d)\s*", str(year))
    number = month_number(str(month))
    if not match or not number or int(match[3]) != (int(match[1]) + 1) % 100:
        return None
    return month_of(date(int(match[1]) + (number < 4), number, 1))


def midyear(day: date) -> int:
    """Give the year whose mid-year population belongs to a day: the one in its financial year.

    Mid-2013 (30 June 2013) falls in April 2013 to March 2014.

    Examples
    --------
    >>> midyear(date(2014, 3, 31)), midyear(date(2014, 4, 1))
    (2013, 2014)
    """
    return financial_year(day).start.year
