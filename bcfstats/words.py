"""Numbers, dates and names in plain English, British style."""

import hashlib
import math
import re
import unicodedata
from datetime import date

MISSING = "not available"
LONGEST_CODE = 20
DEVICE = re.compile(r"CON|PRN|AUX|NUL|(COM|LPT)\d")  # what Windows takes for no file, whatever its ending

EXAMPLE = "Example data: this area and all its figures are made up."
EXAMPLES = "Example data: these areas and all their figures are made up."
EXAMPLE_SOURCE = "bcfstats example data, made up"


def number(value: float, decimals: int = 0) -> str:
    """Write a number with thousands separators and a fixed number of decimals.

    Examples
    --------
    >>> number(7335), number(424.3788, 1), number(-0.04, 1), number(float("nan"))
    ('7,335', '424.4', '0.0', 'not available')
    """
    if not math.isfinite(value):
        return MISSING
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text.replace("-", "−")


def signed(value: float, decimals: int = 1) -> str:
    """Write a change with its sign.

    Examples
    --------
    >>> signed(20.17), signed(-3.5), signed(0.0)
    ('+20.2', '−3.5', '0.0')
    """
    text = number(value, decimals)
    plain = text[0] in "−n" or float(text.replace(",", "")) == 0
    return text if plain else f"+{text}"


def interval(lower: float, upper: float, decimals: int = 0, *, as_change: bool = False) -> str:
    """Write an interval as 'lower to upper', or say that there is none.

    Examples
    --------
    >>> interval(413.2, 436.1, 1), interval(-3.1, 4.2, 1, as_change=True)
    ('413.2 to 436.1', '−3.1 to +4.2')
    """
    if not (math.isfinite(lower) and math.isfinite(upper)):
        return MISSING
    write = signed if as_change else number
    return f"{write(lower, decimals)} to {write(upper, decimals)}"


def in_100(chance: float) -> str:
    """Write a chance as a natural frequency.

    Examples
    --------
    >>> in_100(0.284), in_100(0.004), in_100(0.998)
    ('28 in 100', 'fewer than 1 in 100', 'more than 99 in 100')
    """
    if not math.isfinite(chance):
        return "an unknown number in 100"
    if 0.01 <= chance <= 0.99:
        return f"{round(100 * chance)} in 100"
    return "fewer than 1 in 100" if chance < 0.5 else "more than 99 in 100"


def day(value: date) -> str:
    """Write a date in full.

    Examples
    --------
    >>> day(date(2014, 3, 12))
    '12 March 2014'
    """
    return f"{value.day} {value:%B %Y}"


def listed(items: list[str]) -> str:
    """Join names as in a sentence.

    Examples
    --------
    >>> listed(["May 2013"]), listed(["May 2013", "June 2013", "July 2013"])
    ('May 2013', 'May 2013, June 2013 and July 2013')
    """
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def file_stem(code: str, name: str) -> str:
    """Give the name of an area's files: its code and its name in plain lower-case letters.

    Nothing in a name can leave the folder: only letters, digits and hyphens are kept. A code that is not
    kept as it stands is followed by its digest, so that no two areas share a file on any system.

    Examples
    --------
    >>> file_stem("E06000010", "Kingston upon Hull, City of"), file_stem("X1", "../Ŷ?")
    ('E06000010-kingston-upon-hull-city-of', 'X1-y')
    >>> file_stem("../CON", ""), file_stem("con", "")
    ('CON-d1d3a747', 'con-1143da2b')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    kept = re.sub(r"[^A-Za-z0-9]", "", code)[:LONGEST_CODE]
    is_plain = kept == code == code.upper() and not DEVICE.fullmatch(code)
    digest = "" if is_plain else hashlib.sha256(code.encode()).hexdigest()[:8]
    return "-".join(part for part in (kept, digest, slug[:60].strip("-")) if part)
