"""Areas whose codes, names and notes are made to do harm wherever text is taken for something else."""

import csv
from pathlib import Path

import pandas as pd

from bcfstats.read.prepare import prepare

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>"
ATTRIBUTE = '" onmouseover="alert(3)" x=\''
CLOSING = "</title></style></textarea></figure>--><svg/onload=alert(4)>"
TEMPLATE = "{{ 7 * 7 }}{% for x in y %}{# ${7*7} <%= 7*7 %>"
MATHS = r"$\frac{1}{0 $ and $$\href{javascript:alert(5)}{x}$$ \(x\) \input{/etc/passwd}"
LINES = "Two\r\nlines\tand a tab"
DIRECTION = "\u202egnirts\u202c \u200fZe\u200bro\u00ad \u2066width\u2069 \ufeffmark"
CONTROL = "\x07bell \x1b[31mred\x1b]0;title\x07 \x85next"
LONG = "Very long " * 300
PATH = "../../../../escaped/../x\\..\\y"
FORMULAS = ("=cmd|' /C calc'!A0", "+1+1", "-1-1", "@SUM(A1)", '=HYPERLINK("http://h.example/","x")')
INDENTED = "\u2003=1+1"
PYTHON = "'''\"\"\"; import os; os.mkdir('harm') #\\"
ESCAPES = "\\x00\\u0041\\N{BULLET} %s %(x)s {0} {x!r} \\"
MARKDOWN = "**b** [x](javascript:alert(6)) ![](http://h.example/x.png) `c` &lt;i&gt; &amp; <i>"
DEVICES = ("CON", "nul", "COM1", "LPT9.txt", "aux. . .")

AREAS = {
    "X06000001": MARKUP,
    "X06000002": ATTRIBUTE,
    "X06000003": CLOSING,
    "../../escaped": TEMPLATE,
    "CON": MATHS,
    "con": LINES,
    "NUL": "中文",
    "COM1": DIRECTION,
    "=1+1": FORMULAS[0],
    "@SUM(A1)": FORMULAS[4],
    "-2": INDENTED,
    "X'); import os; os.mkdir('harm') #": PYTHON,
    'X"\\': ESCAPES,
    "<b>X</b>": MARKDOWN,
    "{{ 7*7 }}": PATH,
    "Y" * 300: LONG,
    "X-1": "Twin",
    "X1": "Twin",
    "$x_1^2$": CONTROL,
    "..": "CON",
}
NOTES = [MARKUP, ATTRIBUTE, CLOSING, TEMPLATE, MATHS, LINES, DIRECTION, *FORMULAS, PYTHON, ESCAPES, MARKDOWN]
FILE = "=cmd <img src=x onerror=alert(7)> {{ 7 }} $x$.csv"


def write_hostile(raw):
    """Write a list of areas and their figures as CSV files, as a user would bring them."""
    raw.mkdir(parents=True)
    columns = ["area_code", "area_name", "region", "board"]
    rows = [[code, name, f"North {MARKUP}", f"{name} board"] for code, name in AREAS.items()]
    _write(raw / "areas.csv", [columns, *rows])
    columns = ["area_code", "metric", "period_start", "period_end", "numerator", "denominator"]
    columns += ["status", "status_note", "basis", "source"]
    rows = [row for place, code in enumerate(AREAS) for row in _figures(place, code)]
    _write(raw / FILE, [columns, *rows])
    return raw


def _figures(place, code):
    note = NOTES[place % len(NOTES)]
    for start in pd.date_range("2012-04-01", "2015-03-01", freq="MS"):
        end = start + pd.offsets.MonthEnd(0)
        count = 300 + 7 * place + 40 * (start.month % 5)
        odd = start.month == 7
        yield [
            *(code, "delayed_transfers", f"{start:%Y-%m-%d}", f"{end:%Y-%m-%d}", count, 90_000),
            *("suspect" if odd else "ok", note if odd else "", "", f"{note} file" if odd else ""),
        ]
    for year in range(2010, 2015):
        period = (f"{year}-04-01", f"{year + 1}-03-31")
        yield [code, "care_home_admissions", *period, 100 + place + 3 * year % 7, 20_000, "ok", "", note, ""]


def _write(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def prepared_hostile(folder: Path) -> Path:
    """Prepare them, as far as they are not refused."""
    found = prepare(write_hostile(folder / "raw"), folder / "processed")
    assert found.exit_code == 0, found.manifest["files"]
    return folder / "processed"


def write_hostile_targets(path: Path) -> Path:
    """Propose targets whose sources are hostile too."""
    rows = [
        [code, "delayed_transfers", "2015-04", "-3", NOTES[place % len(NOTES)]]
        for place, code in enumerate(AREAS)
    ]
    _write(path, [["area", "metric", "payment", "change_percent", "source"], *rows])
    return path
