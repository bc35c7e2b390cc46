"""Dates, months, financial years and like-for-like windows."""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from bcfstats.errors import ParameterError

MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
ACCEPTED = (
    "a month (2014-04, 201404, Apr 2014, Apr-14, April 2014), a financial year (2014/15, 2014-15, 2014/2015, "
    "FY2014/15), a quarter of one (Q1 2014/15, 2014/15 Q1), a calendar year (2014), a run of months "
    "(2014-04/2014-12, Apr-Dec 2014, Apr 2014 - Mar 2015), two dates (01/04/2014 to 31/12/2014) or, of a "
    "monthly metric, the first or last day of the month (01/04/2014, 2014-04-01)"
)
_LONGEST = 60  # characters of a period
_FIRST_YEAR, _LAST_YEAR = 1900, 2199  # other years are slips of the pen, or more than a table can hold
_STYLES = (
    *("%Y-%m-%d", "%d/%m/%Y", "%d %B %Y", "%d %b %Y", "%d-%b-%Y", "%d-%B-%Y", "%Y-%m-%d %H:%M:%S"),
    *("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d.%m.%Y", "%d-%b-%y", "%Y%m%d"),
)


def parse_date(cell: object) -> date | None:
    """Read a date, "24th June 2011", "24/06/2011" or "2011-06-24"; None for '-', blank or anything else.

    Day comes before month, as in England.
    """
    if isinstance(cell, datetime):
        cell = cell.date() if cell == cell else None
    if isinstance(cell, date):
        return cell if is_plausible(cell) else None
    text = re.sub(r"(?<=\d)(st|nd|rd|th)\b", "", " ".join(str(cell).split()))
    known = len(text) == 8 if text.isdecimal() else len(text) <= _LONGEST
    for style in _STYLES if known else ():
        try:
            day = datetime.strptime(text, style).date()
        except ValueError:
            continue
        return day if is_plausible(day) else None
    return None


def is_plausible(*days: date) -> bool:
    """Whether days are of a year that figures can be of: 1900 to 2199."""
    return all(_FIRST_YEAR <= day.year <= _LAST_YEAR for day in days)


@dataclass(frozen=True, order=True)
class Period:
    """A run of days, both ends included, sorted by first day, then by last.

    >>> window = Period.parse("Apr-Dec 2014")
    >>> window.label, window.days, window.n_months
    ('April to December 2014', 275, 9)
    >>> print(window.shift_years(-1))
    2013-04/2013-12
    """

    start: date
    end: date

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            object.__setattr__(self, name, _plain_date(getattr(self, name)))
        if self.end < self.start:
            raise ParameterError(
                "A period ends before it starts.",
                found=f"{self.start} to {self.end}",
                do="Give the first day, then the last.",
            )

    @classmethod
    def parse(cls, text: object, frequency: str = "") -> Period:
        """Read a period as people and spreadsheets write it: the forms are in `ACCEPTED`.

        `frequency` ("month", "year") tells which period a date, or "2011-12", can stand for; without it these
        are refused, as is "2013 Q2", which may be of the calendar year or of the financial year.
        """
        if isinstance(text, date):
            return _from_day(_plain_date(text), frequency)
        if isinstance(text, float) and text.is_integer():
            text = int(text)
        tidy = unicodedata.normalize("NFKC", re.sub("[‐‑‒–—−]", "-", str(text)[: 2 * _LONGEST]))
        tidy = " ".join(tidy.split())
        for pattern, build in _FORMS if len(tidy) <= _LONGEST else ():
            if match := pattern.fullmatch(tidy):
                try:
                    period = build(*match.groups())
                    parsed: Period = period(frequency) if callable(period) else period
                    return parsed
                except (ValueError, KeyError):
                    break
                except ParameterError as error:
                    raise ParameterError(
                        error.what, where=f"the period '{text}'", found=error.found, do=error.do
                    ) from None
        if day := parse_date(tidy):
            return _from_day(day, frequency)
        shown = str(text) if len(str(text)) <= _LONGEST else f"{str(text)[:_LONGEST]}..."
        raise ParameterError("This is not a period.", found=f"'{shown}'", do=f"Write {ACCEPTED}.")

    @classmethod
    def of(cls, given: object) -> Period:
        """Take a period, or the text of one."""
        if isinstance(given, cls):
            return given
        if isinstance(given, str):
            return cls.parse(given)
        raise ParameterError("This is not a period.", found=repr(given), do=f"Write {ACCEPTED}.")

    @property
    def days(self) -> int:
        """Number of days, both ends included."""
        return (self.end - self.start).days + 1

    @property
    def is_whole_months(self) -> bool:
        """Whether the period runs from the first of a month to the last of a month."""
        return self.start.day == 1 and self.end == _month_end(self.end.year, self.end.month)

    @property
    def n_months(self) -> int:
        """Number of calendar months."""
        self._check_whole_months()
        return _month_number(self.end) - _month_number(self.start) + 1

    @property
    def months(self) -> tuple[Period, ...]:
        """The calendar months, in order."""
        first = _month_number(self.start)
        return tuple(_months(n, n) for n in range(first, first + self.n_months))

    @property
    def label(self) -> str:
        """The period in words, as a report prints it."""
        if not self.is_whole_months:
            days = [f"{day.day} {_name(day)} {day.year}" for day in (self.start, self.end)]
            return days[0] if self.start == self.end else " to ".join(days)
        if self.n_months == 12 and self.start.month == 4:
            return f"{self.start.year}/{self.end.year % 100:02d}"
        first, last = (f"{_name(day)} {day.year}" for day in (self.start, self.end))
        if first == last:
            return first
        same_year = self.start.year == self.end.year
        return f"{_name(self.start) if same_year else first} to {last}"

    def shift_years(self, n: int) -> Period:
        """Move the period by whole years: the like-for-like window of another year."""
        try:
            if self.is_whole_months:
                return _months(_month_number(self.start) + 12 * n, _month_number(self.end) + 12 * n)
            return Period(_same_day(self.start, n), _same_day(self.end, n))
        except ValueError:
            raise ParameterError(
                "The calendar has no such year.", found=f"{self} moved by {n} years", do="Use fewer years."
            ) from None

    def contains(self, other: Period) -> bool:
        """Whether every day of `other` lies in this period."""
        return self.start <= other.start and other.end <= self.end

    def __str__(self) -> str:
        """Give the form that `parse` reads back: "2014-04/2014-12", or two dates if not whole months."""
        if self.is_whole_months:
            return f"{self.start.isoformat()[:7]}/{self.end.isoformat()[:7]}"
        return f"{self.start.isoformat()}/{self.end.isoformat()}"

    def _check_whole_months(self) -> None:
        if not self.is_whole_months:
            raise ParameterError(
                "This period is not made of whole calendar months.",
                found=self.label,
                do="Use a window from the first day of a month to the last day of a month.",
            )


def month_of(day: date) -> Period:
    """Give the calendar month a day lies in."""
    number = _month_number(_plain_date(day))
    return _months(number, number)


def financial_year(day: date) -> Period:
    """Give the financial year (1 April to 31 March) a day lies in."""
    day = _plain_date(day)
    return _financial_months(day.year - (day.month < 4), 1, 12)


def _plain_date(value: object) -> date:
    if isinstance(value, date) and value == value:  # the missing date NaT does not equal itself
        return value.date() if isinstance(value, datetime) else value
    raise ParameterError(
        "A period needs two dates.", found=repr(value), do="Give datetime.date values, or use Period.parse."
    )


def _name(day: date) -> str:
    return MONTH_NAMES[day.month - 1]


def _month_number(day: date) -> int:
    return day.year * 12 + day.month - 1


def _month_end(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def _same_day(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return (day - timedelta(days=1)).replace(year=day.year + years)


def _months(first: int, last: int) -> Period:
    """Whole months from their running numbers (year * 12 + month - 1)."""
    return Period(date(first // 12, first % 12 + 1, 1), _month_end(last // 12, last % 12 + 1))


def _financial_months(year: int, first: int, last: int) -> Period:
    """Months of the financial year that starts in April of `year`; April is month 1."""
    april = year * 12 + 3
    return _months(april + first - 1, april + last - 1)


_MONTH_NUMBERS = {name[:3].casefold(): number for number, name in enumerate(MONTH_NAMES, start=1)}


def _year(written: str) -> int:
    """Read a year of four digits, or of two: 13 is 2013, 99 is 1999."""
    return int(written) + (0 if len(written) == 4 else 2000 if int(written) < 70 else 1900)


def _named(name: str, year: str) -> int:
    return _year(year) * 12 + _MONTH_NUMBERS[name[:3].casefold()] - 1


def _from_names(first: str, year: str, last: str, last_year: str) -> Period:
    return _months(_named(first, year), _named(last, last_year))


def _from_day(day: date, frequency: str) -> Period:
    """Read a day as its month, where months are meant; a day within the month may be a slip of the pen."""
    month = month_of(day)
    if frequency == "month" and day in (month.start, month.end):
        return month
    raise ParameterError(
        "This is one day, and which period it stands for cannot be told.",
        found=f"{day.day} {_name(day)} {day.year}",
        do=f"Write {day:%Y-%m} for the month, {financial_year(day).label} for the financial year.",
    )


def _from_month_or_year(year: str, tail: str) -> Callable[[str], Period]:
    """Read "2014-04" as a month, "2014-15" as a financial year; "2011-12" could be either."""

    def read(frequency: str) -> Period:
        is_year = int(tail) == (int(year) + 1) % 100
        if is_year and int(tail) <= 12 and frequency not in ("year", "wave"):
            raise ParameterError(
                "This could be a month or a financial year.",
                found=f"'{year}-{tail}'",
                do=f"Write {year}/{tail} for the financial year, {year}-{tail}/{year}-{tail} for the month.",
            )
        return _from_financial_year(year, tail) if is_year else _from_months(year, tail, year, tail)

    return read


def _from_months(year: str, month: str, last_year: str, last_month: str) -> Period:
    return Period(date(int(year), int(month), 1), _month_end(int(last_year), int(last_month)))


def _from_financial_year(year: str, tail: str, first: int = 1, last: int = 12) -> Period:
    start = _year(year)
    if int(tail) not in ((start + 1) % 100, start + 1):
        raise ParameterError(
            "A financial year ends in the year after it starts.",
            found=f"{year}/{tail}",
            do=f"Write {start}/{(start + 1) % 100:02d}; for a longer run its first and last month.",
        )
    return _financial_months(start, first, last)


def _from_quarter(quarter: str, year: str, tail: str) -> Period:
    return _from_financial_year(year, tail, 3 * int(quarter) - 2, 3 * int(quarter))


def _from_some_quarter(quarter: str, year: str) -> Period:
    start, tail = int(year), f"{(int(year) + 1) % 100:02d}"
    calendar_months = (
        f"{MONTH_NAMES[3 * int(quarter) - 3][:3]}-{MONTH_NAMES[3 * int(quarter) - 1][:3]} {year}"
    )
    raise ParameterError(
        "This could be a quarter of the calendar year or of the financial year.",
        found=f"Q{quarter} {year}",
        do=f"Write {calendar_months}, or Q{quarter} {start}/{tail}.",
    )


def _from_dates(first: str, last: str) -> Period:
    start, end = parse_date(first), parse_date(last)
    if start is None or end is None:
        raise ValueError("not two dates")
    return Period(start, end)


def _in_financial_year(name: str, year: str, tail: str) -> Period:
    number = _MONTH_NUMBERS[name[:3].casefold()]
    place = (number - 4) % 12 + 1
    return _from_financial_year(year, tail, place, place)


_M = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_MY = rf"{_M} ?[ -]? ?'?(\d{{4}}|\d\d)"
_YEAR = r"(\d{4})"
_FY = r"(?:fy ?)?(\d{4})(?: ?/ ?|-)(\d{4}|\d\d)"
_Q = r"(?:q|qtr|quarter) ?([1-4])"
_TO = r"(?: ?- ?| to )"
_FORMS: list[tuple[re.Pattern[str], Callable[..., Any]]] = [
    (re.compile(form, re.IGNORECASE), build)
    for form, build in (
        (r"(\d{4})-?(\d\d)", _from_month_or_year),
        (r"(\d{4})-(\d\d) ?/ ?(\d{4})-(\d\d)", _from_months),
        (_FY, _from_financial_year),
        (r"fy ?(\d\d)[/-](\d\d)", _from_financial_year),
        (rf"{_Q},? {_FY}", _from_quarter),
        (rf"{_FY},? {_Q}", lambda year, tail, quarter: _from_quarter(quarter, year, tail)),
        (rf"{_Q},? {_YEAR}", _from_some_quarter),
        (rf"{_YEAR},? ?{_Q}", lambda year, quarter: _from_some_quarter(quarter, year)),
        (rf"{_YEAR}(?:\.0)?", lambda year: _from_months(year, "1", year, "12")),
        (_MY, lambda name, year: _from_names(name, year, name, year)),
        (rf"{_YEAR}[ -]?{_M}", lambda year, name: _from_names(name, year, name, year)),
        (rf"{_M},? {_FY}", _in_financial_year),
        (rf"{_FY},? {_M}", lambda year, tail, name: _in_financial_year(name, year, tail)),
        (rf"{_M}{_TO}{_MY}", lambda first, last, year: _from_names(first, year, last, year)),
        (rf"{_MY}{_TO}{_MY}", _from_names),
        (r"(\d{4}-\d\d-\d\d) ?/ ?(\d{4}-\d\d-\d\d)", _from_dates),
        (r"(.{6,24}?) (?:-|to) (.{6,24})", _from_dates),
    )
]
