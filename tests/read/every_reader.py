"""Each reader with a small made-up file it can read. Figures are example data.

python -m tests.read.every_reader      writes these files, in each of their forms, into tests/read/corpus
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bcfstats.define.metrics import METRICS, load_metrics
from bcfstats.define.periods import parse_date
from bcfstats.define.schemes import scheme
from bcfstats.example.data import example_areas, example_observations
from bcfstats.read.marks import (
    NotANumber,
    month_in_financial_year,
    parse_month,
    parse_number,
    read_cell,
)
from bcfstats.read.papers import read_allocations, read_peers
from bcfstats.read.recognise import FORMATS, read_content
from bcfstats.read.targets import read_targets
from bcfstats.read.template import read_template
from bcfstats.read.workbook import open_content
from tests.read.made_files import to_csv, to_ods, to_xls, to_xlsx

Rows = list[list[Any]]
Sheets = dict[str, Rows]
DEFINE = Path(__file__).resolve().parents[2] / "bcfstats" / "define"


@dataclass(frozen=True)
class Reader:
    """How it reads a name and its content, a first file for it, and in which forms that is written."""

    read: Callable[[Path, bytes], object]
    sheets: Callable[[], Sheets] | None
    forms: tuple[str, ...]


@cache
def _month() -> Rows:
    """Area code, name, delayed days of one month, for three fictional areas."""
    table = example_observations(3).query("metric == 'delayed_transfers'")
    first = table[table["period_start"] == table["period_start"].min()]
    return first[["area_code", "area_name", "numerator"]].values.tolist()


def delayed_transfers() -> Sheets:
    rows = _month()
    title = [
        ["", "Title:", "Delayed Transfers of Care, made-up figures"],
        ["", "Period:", "April 2017"],
        ["", "Published:", "8th June 2017"],
        ["", "Revised:", "-"],
    ]
    blocks = ["", "", "", "", "", "Delayed Days", "", "", "", "DTOC Beds", "", ""]
    heads = ["Acute", "Non-Acute", "Total"]
    head = ["", "Region", "ONS Geography", "Code", "Name", *heads, "", *heads]
    lines = [
        ["", "-", code, f"9{n:02}", name, count - 2, 2, count, "", 0.1, 0.2, 0.3]
        for n, (code, name, count) in enumerate(rows)
    ]
    total = sum(count for _, _, count in rows)
    england = ["", "-", "-", "-", "England", total - 6, 6, total, "", 0.1, 0.2, 0.3]
    quality = [["A trust did not submit."]]
    return {"LA - by type of care": [*title, blocks, head, england, *lines], "Data Quality": quality}


def activity_return() -> Sheets:
    rows = _month()
    head = ["", "Year", "Period", "Org Code", "Org Name", "Total Non-elective G&A Admissions (FFCEs)"]
    lines = [["", "2014-15", "JANUARY", f"9{n:02}", name, count] for n, (_, name, count) in enumerate(rows)]
    england = ["", "2014-15", "January", "", "England", sum(count for _, _, count in rows)]
    title = [["", "Title:", "Monthly Hospital Activity, made-up figures"], ["", "Revised:", "13/11/2015"], []]
    notes = [["Notes"], ["These did not submit:"], ["X1", "A trust"], ["Note:"]]
    return {"Commissioner": [*title, head, england, *lines, ["", "Note: made up"]], "Notes": notes}


def discharge_ready() -> Sheets:
    head = ["Data Type", "Upper Tier Local Authority Code", "Upper Tier Local Authority", "Measure", "Value",
            "Period"]  # fmt: skip
    same_day = "between the Discharge Ready Date and Discharge Date, there is No delay"
    rows = [
        ["UTLA Aggregate", code, name.upper(), measure, value, "April 2025"]
        for code, name, count in _month()
        for measure, value in (
            ("Total Discharges for UTLA from acceptable trusts", count + 50),
            (f"Number of patients discharged where, {same_day}", count),
            ("Total bed days lost due to delayed discharge", 300),
        )
    ]
    return {"": [head, *rows]}


def outcomes_framework() -> Sheets:
    head = ["ASCOF Measure Code", "Disaggregation Level", "Measure Type", "Measure Value", "ONS Code",
            "Geographical Level", "Geographical Code", "Geographical Description"]  # fmt: skip
    rows = [
        [f"{code}_1415", "Total", kind, value, area, "Council", f"9{n:02}", name]
        for n, (area, name, count) in enumerate(_month())
        for code, numbers in (("2A(2)", (count, 20_000)), ("2B(1)", (84, 100)), ("2C(1)", (5, 90_000)))
        for kind, value in (
            ("Numerator", numbers[0]),
            ("Denominator", numbers[1]),
            ("Outcome", round(numbers[0] / numbers[1] * 100_000, 1)),
        )
    ]
    rows += [["1A_1415", "Total", "Margin of Error", 0.4, "X06000001", "Council", "900", "Made up"]]
    return {"": [head, *rows]}


def fingertips_export() -> Sheets:
    head = ["Indicator ID", "Indicator Name", "Area Code", "Area Name", "Area Type", "Sex", "Age",
            "Category Type", "Category", "Time period", "Value", "Lower CI 95.0 limit",
            "Upper CI 95.0 limit", "Count", "Denominator", "Value note"]  # fmt: skip
    rows = [
        ["22401", "Falls,\nmade up", code, name, "UA", sex, "65+ yrs", "", "", "2013/14", 2064, 2000, 2100,
         count, "", ""]
        for code, name, count in _month()
        for sex in ("Persons", "Male")
    ]  # fmt: skip
    return {"": [head, *rows]}


def fingertips_values() -> Sheets:
    head = ["area_code", "area_name", "period", "value", "indicator", "measure", "unit", "significance"]
    rows = [[code, name, "2015/16", 27.2, "Percentage of physically inactive adults", "Value", "%", "worse"]
            for code, name, _ in _month()]  # fmt: skip
    return {"": [head, *rows]}


def commissioner_shares() -> Sheets:
    rows = [["9A", "E08000035", 0.75, 0.5, 300], ["9A", "E08000032", 0.25, 0.1, 100]]
    return {"": [["ccg13", "utla", "share_of_ccg", "share_of_utla", "pop2017"], *rows]}


def population_by_age() -> Sheets:
    ages = [*range(90), "90+"]
    rows = [[code, name, 910, *[10] * 91] for code, name in (("E08000035", "A"), ("E92000001", "England"))]
    title = [["Mid-2018: population estimates, made up"], []]
    return {
        "MYE2 - All": [*title, ["Code", "Name", "All ages", *ages], *rows, [], ["Source: none"]],
        "Contents": [["Contents"]],
    }


def population_components() -> Sheets:
    head = ["ladcode19", "laname19", "country", "population_2017", "population_2018"]
    return {
        "": [head, ["E08000035", "Made up", "E", 1000, 1010], ["E08000032", "Made up", "E", "2,000", 2010]]
    }


def population_derived() -> Sheets:
    head = ["ons_code_2014", "name", "population_2013", "est_pop18plus_2013", "pop65plus_2017"]
    return {"": [head, ["E08000035", "Made up", 1000, 800, 150], ["E08000032", "Made up", 2000, 1600, 300]]}


def plain_table() -> Sheets:
    head = ["area_code", "area_name", "metric", "period_start", "period_end", "numerator", "denominator",
            "status", "vintage"]  # fmt: skip
    rows = [
        [code, name, "delayed_transfers", start, end, count, 50_000, "ok", "2014-06-30"]
        for code, name, count in _month()
        for start, end in (("2014-04-01", "2014-04-30"), ("01/05/2014", "31 May 2014"))
    ]
    return {"": [head, *rows]}


def short_table() -> Sheets:
    return {"": [["area", "metric", "period", "value"],
                 *([name, "2B(1)", "2014/15", 84.0] for _, name, _ in _month())]}  # fmt: skip


def areas() -> Sheets:
    frame = example_areas(3)
    return {"": [list(frame.columns), *frame.values.tolist()]}


def targets() -> Sheets:
    head = ["area", "metric", "payment", "target_value", "target_numerator", "change_percent", "against"]
    names = example_areas(3)["area_name"]
    return {"": [head, [names[0], "delayed_transfers", "2015-04", "", "", -3.5, "baseline"],
                 [names[1], "2B(1)", "Oct 2014 - Mar 2015", 85, "", "", ""],
                 [names[2], "2A(2)", "2014/15", "", 900, "", "projected"]]}  # fmt: skip


def peers() -> Sheets:
    names = list(example_areas(3)["area_name"])
    return {"": [["area", "group"], *([name, "north"] for name in names)]}


def allocations() -> Sheets:
    names = list(example_areas(3)["area_name"])
    rows = [[name, "2015-04", 1000 * n, ""] for n, name in enumerate(names, 1)]
    return {"": [["area", "payment", "pounds", "national_share_percent"], *rows]}


def template() -> Sheets:
    name = example_areas(3)["area_name"][0]
    label = "Avoidable emergency admissions (composite measure)"
    head = ["Metrics", "", "Current Baseline (as at ....)", "Performance underpinning April 2015 payment",
            "Performance underpinning October 2015 payment"]  # fmt: skip
    return {
        "": [
            ["Health and Wellbeing Board", name],
            head,
            [label, "Metric Value", 2000, 1950, 1900],
            ["", "Numerator", 400, 390, 380],
            ["", "Denominator", 20000, 20000, 20000],
        ]
    }


def read_published(path: Path, content: bytes) -> object:
    """Read a published file, or a table of one's own."""
    return read_content(path, content, METRICS)


def written(read: Callable[..., object], **more: Any) -> Callable[[Path, bytes], object]:
    """Write the file first, for a reader that takes nothing else."""

    def read_written(path: Path, content: bytes) -> object:
        path.write_bytes(content)
        return read(path, **more)

    return read_written


def recognise(path: Path, content: bytes) -> object:
    """Ask every format whether a file is one of its own: opening, and finding its table."""
    source = open_content(path, content)
    return [module.recognises(source) for module in FORMATS]


def any_table() -> Sheets:
    """The tables of all formats, each on a sheet of its own; as CSV the first is there alone."""
    tables = (commissioner_shares, fingertips_values, short_table, peers)
    return {f"Sheet{n}": next(iter(table().values())) for n, table in enumerate(tables)}


def read_text_of_a_cell(path: Path, content: bytes) -> object:
    """Read what stands in single cells: numbers, marks, dates, months, periods."""
    text = content.decode("utf-8", errors="replace").splitlines()[0] if content.strip() else ""
    try:
        cell = read_cell(text, "ASCOF")
    except NotANumber:
        cell = None
    year, _, month = text.partition(" ")
    return cell, parse_number(text), parse_date(text), parse_month(text), month_in_financial_year(year, month)


def _cell() -> Sheets:
    return {"": [["1,469"], ["24th June 2011"], ["2014-15 JANUARY"], ["May 2011"], ["[c]"]]}


def own_metric() -> Sheets:
    """The lines of a metric of one's own, each a cell."""
    text = (DEFINE / "metrics.toml").read_text(encoding="utf-8")
    first = "[[metric]]" + text.split("[[metric]]")[1].replace('id = "', 'id = "own_')
    return {"": [[line] for line in first.splitlines()]}


def own_scheme() -> Sheets:
    """The lines of a scheme, each a cell."""
    text = (DEFINE / "schemes" / "bcf-2013-12.toml").read_text(encoding="utf-8")
    return {"": [[line] for line in text.splitlines()]}


_TEXT, _BOOK, _ANY = ("csv",), ("xlsx", "xls"), ("csv", "xlsx", "ods")


@cache
def readers() -> Mapping[str, Reader]:
    """Every reader by name."""
    return {
        "cell": Reader(read_text_of_a_cell, _cell, ("text",)),
        "opening": Reader(open_content, short_table, ("bytes",)),
        "recognising": Reader(recognise, any_table, _ANY),
        "delayed transfers": Reader(read_published, delayed_transfers, _BOOK),
        "activity return": Reader(read_published, activity_return, _BOOK),
        "discharge ready": Reader(read_published, discharge_ready, _ANY),
        "outcomes framework": Reader(read_published, outcomes_framework, _TEXT),
        "Fingertips export": Reader(read_published, fingertips_export, _TEXT),
        "Fingertips values": Reader(read_published, fingertips_values, _TEXT),
        "shares": Reader(read_published, commissioner_shares, _ANY),
        "population by age": Reader(read_published, population_by_age, _BOOK),
        "population components": Reader(read_published, population_components, _TEXT),
        "population derived": Reader(read_published, population_derived, _TEXT),
        "plain table": Reader(read_published, plain_table, _ANY),
        "short plain table": Reader(read_published, short_table, _ANY),
        "list of areas": Reader(read_published, areas, _ANY),
        "targets": Reader(written(read_targets, areas=example_areas(3)), targets, _ANY),
        "peers": Reader(written(read_peers, areas=example_areas(3)), peers, _ANY),
        "allocations": Reader(
            written(read_allocations, areas=example_areas(3), rules="bcf-2013-12"), allocations, _ANY
        ),
        "template": Reader(written(read_template, areas=example_areas(3)), template, _ANY),
        "metrics": Reader(written(load_metrics), own_metric, ("text",)),
        "scheme": Reader(written(scheme), own_scheme, ("text",)),
    }


@cache
def folder() -> Path:
    """A folder for one file at a time, in memory where the system has one."""
    fast = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="fuzz", dir=fast if fast.is_dir() else None))


def made(sheets: Sheets, form: str) -> tuple[str, bytes]:
    """Write sheets in a form; give the ending of its name too."""
    books = {"xlsx": to_xlsx, "xls": to_xls, "ods": to_ods}
    if form in books:
        return form, books[form]({sheet or "Sheet1": rows for sheet, rows in sheets.items()})
    first = next(iter(sheets.values()))
    if form == "text":
        return "toml", "\n".join(str(row[0]) for row in first).encode()
    return "csv", to_csv(first).encode()


if __name__ == "__main__":
    for name, reader in readers().items():
        place = Path(__file__).with_name("corpus") / name.replace(" ", "_")
        place.mkdir(parents=True, exist_ok=True)
        for form in reader.forms:
            ending, content = made(reader.sheets(), form)
            (place / f"made.{ending}").write_bytes(content)
