"""The same numbers in a page's sentences, tables and charts, and in the results.csv of the same run.

The page is read as text and the CSV as numbers; nothing here shares code with what writes them. A number on
the page agrees with one of the CSV if it is that number rounded to the decimals it is printed with.
"""

import re
from datetime import date

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

NUMBER = re.compile(r"(?<![\w/.])[−+]?\d[\d,]*(?:\.\d+)?")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
METRICS = 15
POPULATION_MOVES = 0.02  # in a year: how far a mean of monthly rates may lie from the rate of the year


@pytest.fixture(scope="module")
def run(example_run):
    result, _ = example_run
    return result


@pytest.fixture(scope="module")
def table(run):
    return pd.read_csv(run.out / "results.csv", encoding="utf-8-sig", dtype={"payment": str})


@pytest.fixture(scope="module")
def pages(run):
    return {
        outcome.area_code: BeautifulSoup(run.page(outcome).read_text(encoding="utf-8"), "html.parser")
        for outcome in run.outcomes
    }


@pytest.fixture(scope="module")
def cases(table, pages):
    """Every comparison with the section of the page that tells of it."""
    found = [
        (row, pages[row["area_code"]].find("section", id=row["metric"])) for row in table.to_dict("records")
    ]
    assert len(pages) == 3
    assert len({(row["area_code"], row["metric"]) for row, _ in found}) == 3 * METRICS
    assert all(section is not None for _, section in found)
    return found


def numbers(text):
    """Every number of a text, as printed."""
    return NUMBER.findall(text)


def agrees(printed, value):
    """Whether a printed number is the value, rounded."""
    plain = printed.replace(",", "").replace("−", "-")
    decimals = len(plain.partition(".")[2])
    return abs(float(plain) - value) <= 0.5 * 10.0**-decimals * (1 + 1e-9) + 1e-9


def same(printed, values):
    """Whether printed numbers are the values that are there, in their order."""
    values = [value for value in values if np.isfinite(value)]
    return len(printed) == len(values) and all(map(agrees, printed, values))


def label(period):
    """Write a period of the CSV in words."""
    first, last = (date.fromisoformat(f"{part}-01") for part in period.split("/"))
    begins, ends = MONTHS[first.month - 1], MONTHS[last.month - 1]
    if (first.month, last.month, last.year - first.year) == (4, 3, 1):
        return f"{first.year}/{last.year % 100:02}"
    if first.year == last.year:
        return f"{begins} to {ends} {last.year}"
    return f"{begins} {first.year} to {ends} {last.year}"


def payment(name):
    if name == "latest":
        return "Latest year"
    year, month = name.split("-")
    return f"{MONTHS[int(month) - 1]} {year} payment"


def told(row, section):
    """The paragraph that tells of one comparison; one on a proposed target may follow with the same start."""
    start = f"{payment(row['payment'])}."
    return next(text for part in section.find_all("p") if (text := part.get_text()).startswith(start))


def cells(found):
    return [[cell.get_text() for cell in line.find_all(["th", "td"])] for line in found.tbody.find_all("tr")]


def captioned(section, words):
    """The figures whose alternative text begins with these words."""
    return [found for found in section.find_all("figure") if found.img["alt"].startswith(words)]


def history(section):
    """The chart of the whole series; none where no figure of it can be shown."""
    return next(iter(captioned(section, "Chart of ")), None)


def test_a_page_with_every_metric_and_chart_is_under_400_kb(run):
    for outcome in run.outcomes:
        assert 100_000 < run.page(outcome).stat().st_size < 400_000


def test_levels_in_the_sentences_are_those_of_the_csv(cases):
    seen = 0
    for row, section in cases:
        text = told(row, section)
        for side in ("baseline", "outcome"):
            if not np.isfinite(row[f"{side}_value"]):
                continue
            pattern = rf"In {re.escape(label(row[f'{side}_period']))}[^.]*? it was (.*?)(?:\.(?= |$))"
            level = re.search(pattern, text)
            assert level, (pattern, text)
            shown = re.sub(r" (?:delayed|admissions|score).*?(?=\(95%|$)", " ", level[1])
            shown = numbers(shown.replace("(95% interval", "("))
            assert same(shown, [row[f"{side}_{part}"] for part in ("value", "lower", "upper")]), text
            seen += 1
    assert seen > 1.8 * 3 * METRICS


def test_changes_in_sentences_headings_and_summary_are_those_of_the_csv(cases, pages):
    seen = 0
    for row, section in cases:
        if row["finding"] == "not compared":
            assert "No comparison is made" in told(row, section)
            continue
        change = re.search(
            r"The change is (.*?\d)(?:%| [a-z ]+)?(?:, 95% interval (.*?))?\.(?= |$)", told(row, section)
        )
        assert agrees(change[1], row["change"])
        if change[2]:
            assert same(numbers(change[2]), [row["change_lower"], row["change_upper"]])
        summary = [
            line
            for line in cells(
                pages[row["area_code"]].find("caption", string=re.compile("^Every comparison")).parent
            )
            if line[0] == row["metric_name"] and line[1].lower() == payment(row["payment"]).lower()
        ]
        (line,) = summary
        assert same(numbers(line[3]) + numbers(line[4]), [row["baseline_value"], row["outcome_value"]])
        assert same(numbers(line[5]), [row["change"], row["change_lower"], row["change_upper"]])
        assert line[6].strip() == row["finding"]
        seen += 1
    assert seen > 2.5 * METRICS


def moved(row):
    """The change of a row as a heading tells it."""
    size = f"{abs(row['change']):,.1f}"
    unit = "%" if row["change_unit"] == "%" else f" {row['change_unit']}"
    return "unchanged" if size == "0.0" else f"{'up' if row['change'] > 0 else 'down'} {size}{unit}"


def test_heading_of_a_section_tells_the_change_of_one_of_its_comparisons(cases):
    by_section = {}
    for row, section in cases:
        by_section.setdefault((row["area_code"], row["metric"]), (section, []))[1].append(row)
    for section, rows in by_section.values():
        compared = [row for row in rows if row["finding"] != "not compared"]
        heading = section.h2.get_text()
        if not compared:
            assert "not comparable with" in heading
            continue
        told_of = [
            row for row in compared if moved(row) in heading and label(row["outcome_period"]) in heading
        ]
        assert told_of, heading
        clear = {row["finding"] for row in compared} & {"better", "worse"}
        assert (" got " in heading) == bool(clear)
        assert not clear or any(row["finding"] in heading.split(" got ")[1] for row in told_of)


def test_the_worst_and_the_best_finding_stand_in_the_first_sentences(table, pages):
    for code, page in pages.items():
        first = re.split(r"(?<=\.) (?=[A-Z0-9])", page.find(class_="lead").get_text())
        assert len(first) <= 3
        rows = table.loc[table["area_code"] == code]
        clear = rows["finding"].isin(["better", "worse"]) & (rows["q_value"] <= 0.05)
        assert ("No metric is clearly" in first[0]) != clear.any()
        for finding in ("worse", "better"):
            found = rows.loc[(rows["finding"] == finding) & (rows["q_value"] <= 0.05)].to_dict("records")
            assert any(f" got {finding}: " in text for text in first) == bool(found)
            said = [text for text in first if f" got {finding}: " in text]
            for text in said:
                assert any(
                    text.startswith(row["metric_name"])
                    and moved(row) in text
                    and label(row["outcome_period"]) in text
                    for row in found
                ), text


def test_every_number_on_a_card_is_one_of_the_csv(table, pages):
    """Each number of the first screen is, rounded, one of the row of its metric and window."""
    seen = 0
    for code, page in pages.items():
        rows = table.loc[table["area_code"] == code].to_dict("records")
        for card in page.find_all(class_="card"):
            heading = card.h2.get_text()
            (row,) = [
                row
                for row in rows
                if heading.startswith(row["metric_name"])
                and f"{label(row['outcome_period'])}, outcome" in heading
                and row["payment"] != "latest"
            ]
            known = [value for value in row.values() if isinstance(value, float) and np.isfinite(value)]
            why = row["why_unknown"][1:] if isinstance(row["why_unknown"], str) else ""  # it has figures
            for cell in card.find_all("dd"):
                text = cell.get_text(" ").replace(why, "")
                for printed in numbers(re.sub(r"about \d in 10|1 in 20", "", text)):
                    assert any(agrees(printed, value) or agrees(printed, -value) for value in known), printed
                    seen += 1
            assert len(card.find(class_="marks").find_all("li")) == 5
    assert seen > 50


def test_table_of_windows_is_the_csv(cases):
    for row, section in cases:
        tables = [cells(found) for found in section.find_all("table") if "Role" in found.thead.get_text()]
        lines = {line[0].partition(" (")[0]: line for line in tables[0]}
        for side in ("baseline", "outcome"):
            line = lines[label(row[f"{side}_period"])]
            names = ("numerator", "denominator", "value", "lower", "upper")
            printed = [found for cell in line[1:5] for found in numbers(cell)]
            assert same(printed, [row[f"{side}_{name}"] for name in names]), line
            assert side in line[5]


def test_data_under_the_chart_of_the_history_hold_the_windows_of_the_csv(cases):
    seen = 0
    for row, section in cases:
        figure = history(section)
        if figure is None:
            assert "No chart is drawn" in section.get_text()
            assert np.isnan([row["baseline_value"], row["outcome_value"]]).all()
            continue
        data = {line[0]: line for line in cells(figure.table)}
        for side in ("baseline", "outcome"):
            if not np.isfinite(row[f"{side}_value"]):
                continue
            name = label(row[f"{side}_period"])
            if name in data:
                assert agrees(numbers(data[name][1])[0], row[f"{side}_value"])
                limits = [row[f"{side}_lower"], row[f"{side}_upper"]]
                assert same(numbers(data[name][2]), limits)
            else:
                months = [data[month][1] for month in months_of(row[f"{side}_period"]) if month in data]
                known = [float(found[0].replace(",", "")) for cell in months if (found := numbers(cell))]
                assert len(known) >= row[f"{side}_n_present"]
                if len(known) > row[f"{side}_n_present"]:
                    continue  # a month that looked wrong is shown, and is in no window
                assert np.mean(known) == pytest.approx(row[f"{side}_value"], rel=POPULATION_MOVES)
            seen += 1
    assert seen > 1.8 * 3 * METRICS


def months_of(period):
    first, last = (date.fromisoformat(f"{part}-01") for part in period.split("/"))
    count = 12 * (last.year - first.year) + last.month - first.month + 1
    places = [first.month - 1 + step for step in range(count)]
    return [f"{MONTHS[place % 12]} {first.year + place // 12}" for place in places]


def test_alternative_text_of_the_history_is_its_data(cases):
    for figure in (found for _, section in cases if (found := history(section))):
        known = [(line[0], numbers(line[1])[0]) for line in cells(figure.table) if numbers(line[1])]
        alt = figure.img["alt"]
        values = [float(value.replace(",", "")) for _, value in known]
        for place in (0, -1, int(np.argmax(values)), int(np.argmin(values))):
            when, value = known[place]
            assert re.search(rf"(?<!\d){re.escape(value)}%? in {re.escape(when)}", alt), (value, when, alt)


def test_where_the_area_stands_is_counted_from_the_csv(table, cases):
    """Rank, middle and every peer's figure, from the rows of all the areas."""
    seen = 0
    for row, section in cases:
        for figure in captioned(section, "Strip of "):
            if f"{label(row['outcome_period'])}, " not in figure.figcaption.get_text():
                continue
            rows = table.loc[
                (table["metric"] == row["metric"]) & (table["outcome_period"] == row["outcome_period"])
            ].drop_duplicates("area_code")
            whole = rows.dropna(subset=["outcome_whole_value"])
            values = whole.set_index("area_name")["outcome_whole_value"]
            data = {line[0]: line[1] for line in cells(figure.table)}
            assert all(agrees(numbers(data[name])[0], value) for name, value in values.items())
            own = row["outcome_whole_value"]
            better = (values < own) if row["polarity"] == "lower" else (values > own)
            words = figure.find_previous("p").get_text()
            assert f"{better.sum()} of {len(values) - 1} other area" in words
            middle = re.search(r"the middle of (\d+) areas was ([\d.,]+\d)", words)
            assert int(middle[1]) == len(values)
            assert agrees(middle[2], values.median())
            assert words in figure.img["alt"]
            seen += 1
    assert seen >= 2 * METRICS


def test_season_in_words_is_its_data(pages):
    seen = 0
    for page in pages.values():
        for figure in page.find_all("figure"):
            if "month indices" not in figure.img["alt"]:
                continue
            data = {line[0]: float(line[1]) for line in cells(figure.table)}
            for word, most in (("Highest", max(data.values())), ("lowest", min(data.values()))):
                month, value = re.search(rf"{word} in (\w+) \(([\d.]+)\)", figure.img["alt"]).groups()
                assert data[month] == most
                assert float(value) == pytest.approx(most, abs=0.0055)  # both are rounded
            assert len(data) == 12
            assert page.find("h1").get_text().split(":")[0] in figure.img["alt"]
            assert (
                figure.find_parent("section")
                .find("figure")
                .img["alt"]
                .split(" for ")[0]
                .removeprefix("Chart of ")
                in figure.img["alt"]
            )
            seen += 1
    assert seen >= 3
