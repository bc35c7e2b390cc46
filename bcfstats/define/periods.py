"""Dates, months, financial years and like-for-like windows."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bcfstats.errors import ParameterError

MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
ACCEPTED = (
    "a month (2014-04, Apr 2014, April 2014), a run of months (2014-04/2014-12, Apr-Dec 2014, "
    "April to December 2014, Apr 2014 - Mar 2015), a financial year (2014/15, 2014-15), a quarter of one "
    "(Q1 2014/15), a calendar year (2014) or two dates (2014-04-01/2014-12-31)"
)


@dataclass(frozen=True, order=True)
class Period:
    """A run of days, both ends included; it answers over which days something is counted.

    Parameters
    ----------
    start, end : datetime.date
        First and last day. A time of day, if given, is dropped.

    Raises
    ------
    ParameterError
        If an end is not a date, or the last day is before the first.

    Notes
    -----
    Sorts by first day, then by last. Windows that are not whole calendar months are allowed, but have no
    `months`.

    Examples
    --------
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
    def parse(cls, text: str) -> Period:
        """Read a period as people write it."""
        tidy = re.sub(r"\s+", " ", re.sub("[‐‑‒–—−]", "-", str(text))).strip()
        for pattern, build in _FORMS:
            if match := pattern.fullmatch(tidy):
                try:
                    return build(*match.groups())
                except (ValueError, KeyError):
                    break
                except ParameterError as error:
                    raise ParameterError(
                        error.what, where=f"the period '{text}'", found=error.found, do=error.do
                    ) from None
        raise ParameterError("This is not a period.", found=f"'{text}'", do=f"Write {ACCEPTED}.")

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


_MONTH_NUMBERS = {
    written.lower(): number
    for number, name in enumerate(MONTH_NAMES, start=1)
    for written in (name, name[:3])
} | {"sept": 9}


def _named(name: str, year: str) -> int:
    return int(year) * 12 + _MONTH_NUMBERS[name.lower()] - 1


def _from_month_or_year(year: str, tail: str) -> Period:
    """Read "2014-04" as a month, "2014-15" as a financial year; "2011-12" could be either."""
    is_year = int(tail) == (int(year) + 1) % 100
    if is_year and 1 <= int(tail) <= 12:
        raise ParameterError(
            "This could be a month or a financial year.",
            found=f"'{year}-{tail}'",
            do=f"Write {year}/{tail} for the financial year, {year}-{tail}/{year}-{tail} for the month.",
        )
    return _from_financial_year(year, tail) if is_year else _from_months(year, tail, year, tail)


def _from_months(year: str, month: str, last_year: str, last_month: str) -> Period:
    return Period(date(int(year), int(month), 1), _month_end(int(last_year), int(last_month)))


def _from_financial_year(year: str, tail: str, first: int = 1, last: int = 12) -> Period:
    if int(tail) != (int(year) + 1) % 100:
        raise ParameterError(
            "A financial year ends in the year after it starts.",
            found=f"{year}/{tail}",
            do=f"Write {year}/{(int(year) + 1) % 100:02d}; for a longer run its first and last month.",
        )
    return _financial_months(int(year), first, last)


def _from_quarter(quarter: str, year: str, tail: str) -> Period:
    return _from_financial_year(year, tail, 3 * int(quarter) - 2, 3 * int(quarter))


_NAME, _YEAR = r"([A-Za-z]+)", r"(\d{4})"
_FORMS: list[tuple[re.Pattern[str], Callable[..., Period]]] = [
    (re.compile(r"(\d{4})-(\d\d)"), _from_month_or_year),
    (re.compile(r"(\d{4})-(\d\d) ?/ ?(\d{4})-(\d\d)"), _from_months),
    (re.compile(r"(\d{4})/(\d\d)"), _from_financial_year),
    (re.compile(r"[Qq]([1-4]) (\d{4})[/-](\d\d)"), _from_quarter),
    (re.compile(_YEAR), lambda year: _from_months(year, "1", year, "12")),
    (re.compile(f"{_NAME} {_YEAR}"), lambda name, year: _months(_named(name, year), _named(name, year))),
    (
        re.compile(f"{_NAME}(?: ?- ?| to ){_NAME} {_YEAR}"),
        lambda first, last, year: _months(_named(first, year), _named(last, year)),
    ),
    (
        re.compile(f"{_NAME} {_YEAR}(?: ?- ?| to ){_NAME} {_YEAR}"),
        lambda first, year, last, last_year: _months(_named(first, year), _named(last, last_year)),
    ),
    (
        re.compile(r"(\d{4}-\d\d-\d\d) ?/ ?(\d{4}-\d\d-\d\d)"),
        lambda first, last: Period(date.fromisoformat(first), date.fromisoformat(last)),
    ),
]
