"""Numbers, chances, dates and names in plain English, British style."""

import hashlib
import math
import re
import unicodedata
from collections.abc import Sequence
from datetime import date

MISSING, NOT_KNOWN = "not available", "not known"
MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONGEST_CODE = 20
DEVICE = re.compile(r"CON|PRN|AUX|NUL|(COM|LPT)\d")  # what Windows takes for no file, whatever its ending

EXAMPLE = "Example data: this area and all its figures are made up."
EXAMPLES = "Example data: these areas and all their figures are made up."
EXAMPLE_SOURCE = "bcfstats example data, made up"


def number(value: float, decimals: int = 0) -> str:
    """Write a number with thousands separators and a fixed number of decimals."""
    if not math.isfinite(value):
        return MISSING
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text.replace("-", "−")


def signed(value: float, decimals: int = 1) -> str:
    """Write a change with its sign; none where it rounds to zero."""
    text = number(value, decimals)
    plain = text[0] in "−n" or float(text.replace(",", "")) == 0
    return text if plain else f"+{text}"


def with_unit(value: float, unit: str) -> str:
    """Write a change with its sign and unit: '+20.2%', '−3.5 points'."""
    if not math.isfinite(value):
        return NOT_KNOWN
    return f"{signed(value)}{unit if unit == '%' else f' {unit}'}"


def interval(lower: float, upper: float, decimals: int = 0, *, as_change: bool = False) -> str:
    """Write an interval as 'lower to upper', or say that there is none."""
    if not (math.isfinite(lower) and math.isfinite(upper)):
        return MISSING
    write = signed if as_change else number
    return f"{write(lower, decimals)} to {write(upper, decimals)}"


def between(low: str, high: str) -> str:
    """Name two ends that are written already, or the one where they read alike: '93.1%', '93.1% to 95.0%'."""
    return low if low == high else f"{low} to {high}"


def percent(share: float) -> str:
    """Write a level or a share of a scheme as it is: '95%', '99.8%'."""
    return f"{100 * share:g}%"


def in_100(chance: float) -> str:
    """Write a chance as a natural frequency, never as none or all of a hundred."""
    if not math.isfinite(chance):
        return "an unknown number in 100"
    if 0.01 <= chance <= 0.99:
        return f"{round(100 * chance)} in 100"
    return "fewer than 1 in 100" if chance < 0.5 else "more than 99 in 100"


def in_10(chance: float) -> str:
    """Write a chance as a reader remembers it: 'about 4 in 10', never as none or all of ten."""
    if not math.isfinite(chance):
        return "an unknown number in 10"
    if 0.05 <= chance <= 0.95:
        return f"about {min(max(round(10 * chance), 1), 9)} in 10"
    return "fewer than 1 in 20" if chance < 0.5 else "more than 19 in 20"


def of_100(chance: float) -> str:
    """Write a chance for a column that says 'in 100'."""
    if not math.isfinite(chance):
        return "none"
    return in_100(chance).removesuffix(" in 100").replace("fewer than", "under").replace("more than", "over")


def p_value(p: float) -> str:
    """Write a p value to three decimals, never as zero."""
    return "p < 0.001" if p < 0.001 else f"p = {number(p, 3)}"


def day(value: date) -> str:
    """Write a date in full."""
    return f"{value.day} {value:%B %Y}"


def listed(items: Sequence[str]) -> str:
    """Join names as in a sentence: 'May 2013, June 2013 and July 2013'."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def plural(n: float, noun: str) -> str:
    """Write how many there are of something: '1 area', '1,204 areas'."""
    return f"{number(n)} {noun}{'s' * (n != 1)}"


def spoken(name: object) -> str:
    """Write the name of a verdict or status as it is read: 'within noise' for 'within_noise'."""
    return str(name).replace("_", " ")


def capital(text: str) -> str:
    """Begin a text with a capital letter, and leave the rest as it is."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """Make a sentence of a remark: a capital letter, and one full stop."""
    return f"{capital(text.rstrip('.'))}." if text else ""


def file_stem(code: str, name: str) -> str:
    """Give the name of an area's files: its code and its name in plain lower-case letters.

    Nothing in a name can leave the folder: only letters, digits and hyphens are kept. A code that is not
    kept as it stands is followed by its digest, so that no two areas share a file on any system.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    kept = re.sub(r"[^A-Za-z0-9]", "", code)[:LONGEST_CODE]
    is_plain = kept == code == code.upper() and not DEVICE.fullmatch(code)
    digest = "" if is_plain else hashlib.sha256(code.encode()).hexdigest()[:8]
    return "-".join(part for part in (kept, digest, slug[:60].strip("-")) if part)
