"""Every number of a report, worked out again from the raw files with pandas and the formulas of the methods.

Nothing of the package takes part in the arithmetic: files are read by pandas, formulas are written out below,
and the words of the pages are put together here. What rests on a model of all areas at once (the forecast,
the history scale, the month indices and the trend) is taken from the tables of results, and the sentences
are held against them.
"""

import math
import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

Z = NormalDist().inv_cdf(0.975)
NAN = float("nan")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
PAID = {  # paragraphs 43 and 44 of the annex of December 2013
    ("delayed_transfers", "2015-04"): ("2013-04/2013-12", "2014-04/2014-12"),
    ("delayed_transfers", "2015-10"): ("2014-01/2014-06", "2015-01/2015-06"),
    ("avoidable_emergency_admissions", "2015-04"): ("2013-04/2013-09", "2014-04/2014-09"),
    ("avoidable_emergency_admissions", "2015-10"): ("2013-10/2014-03", "2014-10/2015-03"),
    ("care_home_admissions", "2015-10"): ("2013-04/2014-03", "2014-04/2015-03"),
    ("reablement", "2015-10"): ("2013-04/2014-03", "2014-04/2015-03"),
}
PASS_SHARE = 0.7  # paragraph 57


@dataclass(frozen=True)
class About:
    """What a metric is, by its definition."""

    name: str
    counted: str  # "months", "events", "people" or "published": how chance is measured
    multiplier: float
    unit: str
    lower_is_better: bool
    decimals: int = 1


METRICS = {
    "care_home_admissions": About(
        "Care home admissions", "events", 1e5, "admissions per 100,000 people aged 65 and over", True
    ),
    "reablement": About("Still at home after reablement", "people", 100, "%", False),
    "delayed_transfers": About(
        "Delayed transfers of care", "months", 1e5, "delayed days per 100,000 people aged 18 and over", True
    ),
    "avoidable_emergency_admissions": About(
        "Avoidable emergency admissions", "months", 1e5, "admissions per 100,000 people", True
    ),
    "non_elective_admissions": About(
        "Non-elective admissions", "months", 1e5, "admissions per 100,000 people", True
    ),
    "falls_injuries": About(
        "Injuries due to falls",
        "published",
        1e5,
        "admissions per 100,000 people aged 65 and over, age-standardised",
        True,
        0,
    ),
    "inactive_adults": About("Inactive adults", "published", 100, "%", True),
    "social_contact": About("Social contact", "published", 100, "%", False),
}


# The formulas of the method pages


def wilson(x, n):
    """proportion.md."""
    middle, apart = 2 * x + Z**2, Z * math.sqrt(Z**2 + 4 * x * (1 - x / n))
    return (middle - apart) / (2 * (n + Z**2)), (middle + apart) / (2 * (n + Z**2))


def byar(x):
    """crude_rate.md, from 10 events."""
    assert x >= 10
    return (
        x * (1 - 1 / (9 * x) - Z / (3 * math.sqrt(x))) ** 3,
        (x + 1) * (1 - 1 / (9 * (x + 1)) + Z / (3 * math.sqrt(x + 1))) ** 3,
    )


def newcombe(x1, n1, x0, n0):
    """compare_proportions.md: later against earlier."""
    (l1, u1), (l0, u0) = wilson(x1, n1), wilson(x0, n0)
    p1, p0 = x1 / n1, x0 / n0
    low = p1 - p0 - math.sqrt((p1 - l1) ** 2 + (u0 - p0) ** 2)
    return p1 - p0, low, p1 - p0 + math.sqrt((u1 - p1) ** 2 + (p0 - l0) ** 2)


def from_limits(after, before, *, logged):
    """compare_estimates.md: figures with published limits; a ratio of rates, or a difference."""
    scale = np.log if logged else np.asarray
    (v1, l1, u1), (v0, l0, u0) = (scale([one.value, one.lower, one.upper]) for one in (after, before))
    error = math.hypot((u1 - l1) / (2 * Z), (u0 - l0) / (2 * Z))
    parts = (v1 - v0, v1 - v0 - Z * error, v1 - v0 + Z * error)
    return tuple(100 * (math.exp(x) - 1) for x in parts) if logged else parts


def rate_ratio(b, later, a, earlier, dispersion=1.0):
    """compare_rates.md, score test: b events in the later period, a in the earlier, with their exposures."""
    assert a + b >= 100
    n, z2 = a + b, Z**2 * dispersion
    middle, apart = 2 * b + z2, math.sqrt(z2) * math.sqrt(z2 + 4 * b * (1 - b / n))
    shares = b / n, (middle - apart) / (2 * (n + z2)), (middle + apart) / (2 * (n + z2))
    return tuple(share / (1 - share) * earlier / later for share in shares)


def dispersion(counts, exposure, calendar_month):
    """pearson_dispersion.md about a trend and twelve months, fitted by Newton's method; 1 at least."""
    known = np.isfinite(counts) & np.isfinite(exposure)
    y, offset = counts[known], np.log(exposure[known])
    years = np.arange(len(counts))[known] / 12
    design = np.column_stack([calendar_month[known, None] == np.arange(1, 13), years - years.mean()])
    design = design.astype(float)
    beta = np.linalg.lstsq(design, np.log(y + 0.5) - offset, rcond=None)[0]
    for _ in range(100):
        mean = np.exp(design @ beta + offset)
        step = np.linalg.solve(design.T @ (mean[:, None] * design), design.T @ (y - mean))
        beta = beta + step
        if np.abs(step).max() < 1e-12:
            break
    mean = np.exp(design @ beta + offset)
    return max(1.0, float(((y - mean) ** 2 / mean).sum() / (len(y) - 13)))


# Words


def number(x, decimals=0):
    text = f"{x:,.{decimals}f}" if math.isfinite(x) else "not available"
    return (
        text.replace("-", "−")
        if float(text.replace(",", "") if math.isfinite(x) else 1)
        else text.lstrip("-")
    )


def signed(x):
    text = number(x, 1)
    return text if text[0] == "−" or text == "0.0" else f"+{text}"


def between(low, high, decimals, write=number):
    if not math.isfinite(low):
        return "not available"
    return (
        f"{number(low, decimals)} to {number(high, decimals)}"
        if write is number
        else (f"{signed(low)} to {signed(high)}")
    )


def ends(period):
    """First and last day of months such as "2014-04/2014-12"."""
    (y0, m0), (y1, m1) = (map(int, part.split("-")) for part in period.split("/"))
    return date(y0, m0, 1), date(y1, m1, monthrange(y1, m1)[1])


def label(period):
    first, last = ends(period)
    if (first.month, last.month, last.year - first.year) == (4, 3, 1):
        return f"{first.year}/{last:%y}"
    begins = f"{MONTHS[first.month - 1]} {first.year}".removesuffix(f" {last.year}")
    return f"{begins} to {MONTHS[last.month - 1]} {last.year}"


def payment_words(payment):
    return "latest year" if payment == "latest" else f"{MONTHS[int(payment[5:]) - 1]} {payment[:4]} payment"


def shown(x, about):
    return number(x, about.decimals) + ("%" if about.unit == "%" and math.isfinite(x) else "")


# A window of raw figures


@dataclass(frozen=True)
class Found:
    """What the raw figures of one area and window come to."""

    period: str
    numerator: float
    denominator: float
    value: float
    lower: float
    upper: float
    present: int
    months: int
    missing: str = ""

    @property
    def partly(self):
        """How many of its months it is of, and without which."""
        some = 0 < self.present < self.months
        return f" ({self.present} of {self.months} months, without {self.missing})" if some else ""


def window(rows, about, period, only=None):
    """Work out one area's figure for a window from the raw rows of one metric; of some months only."""
    first, last = ends(period)
    if about.counted != "months":
        here = rows.loc[(rows["start"] == first) & (rows["end"] == last)]
        if here.empty or not math.isfinite(here["value"].iloc[0]):
            return Found(period, NAN, NAN, NAN, NAN, NAN, 0, 1)
        x, n, value, low, high = here[["numerator", "denominator", "value", "lower", "upper"]].iloc[0]
        if not math.isfinite(low) and about.counted in ("events", "people") and math.isfinite(x):
            apart = (
                abs(x / n * about.multiplier - value) > 0.05 + 1e-9
            )  # counts rounded further than the value
            used = value / about.multiplier * n if apart else x
            low, high = wilson(used, n) if about.counted == "people" else (part / n for part in byar(used))
            low, high = low * about.multiplier, high * about.multiplier
        return Found(period, x, n, value, low, high, 1, 1)
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    here = rows.loc[(rows["start"] >= first) & (rows["end"] <= last) & rows["numerator"].notna()]
    here = here if only is None else here.loc[here["start"].isin(only)]
    if here.empty:
        return Found(period, NAN, NAN, NAN, NAN, NAN, 0, months)
    every = (day.date() for day in pd.date_range(first, last, freq="MS"))
    missing = "; ".join(
        f"{MONTHS[day.month - 1]} {day.year}" for day in every if day not in set(here["start"])
    )
    x, n = here["numerator"].sum(), here["denominator"].mean()
    value = x / (n * len(here)) * about.multiplier
    spread = math.exp(Z * math.sqrt(dispersion_until(rows, last) / x))
    return Found(period, x, n, value, value / spread, value * spread, len(here), months, missing)


def dispersion_until(rows, last):
    """Dispersion of an area's months up to a day, with gaps where none was published."""
    known = rows.loc[rows["end"] <= last].set_index(
        pd.PeriodIndex(rows.loc[rows["end"] <= last, "start"], freq="M")
    )
    every = pd.period_range(known.index.min(), known.index.max(), freq="M")
    known = known[["numerator", "denominator"]].reindex(every)
    exposure = known["denominator"].to_numpy(float) * every.days_in_month.to_numpy(float)
    return dispersion(known["numerator"].to_numpy(float), exposure, every.month.to_numpy())


def change(rows, about, before, after):
    """Change between two windows with its limits, its unit, and how many months it rests on."""
    if about.counted == "months":
        rows = rows.loc[rows["numerator"].notna()]
        exposure = rows["denominator"] * [monthrange(day.year, day.month)[1] for day in rows["start"]]
        rows = rows.assign(exposure=exposure)
        first, last = ends(after.period)
        years = first.year - ends(before.period)[0].year
        late = rows.loc[(rows["start"] >= first) & (rows["end"] <= last)]
        late = late.assign(match=[day.replace(year=day.year - years) for day in late["start"]])
        both = late.merge(rows[["start", "numerator", "exposure"]], left_on="match", right_on="start")
        if both.empty:
            return NAN, NAN, NAN, "%", 0
        ratio = rate_ratio(
            *(both[f"{name}_x"].sum() for name in ("numerator", "exposure")),
            *(both[f"{name}_y"].sum() for name in ("numerator", "exposure")),
            dispersion_until(rows, last),
        )
        return *(100 * (part - 1) for part in ratio), "%", len(both)
    if about.counted == "events":
        ratio = rate_ratio(after.numerator, after.denominator, before.numerator, before.denominator)
        return *(100 * (part - 1) for part in ratio), "%", NAN
    if about.counted == "published":
        parts = from_limits(after, before, logged=about.unit != "%")
        return *parts, "%" if about.unit != "%" else " percentage points", NAN
    parts = newcombe(after.numerator, after.denominator, before.numerator, before.denominator)
    return *(100 * part for part in parts), " percentage points", NAN


# The page


def texts(node):
    return [" ".join(part.get_text().split()) for part in node]


def table(page, caption):
    """Cells of the table whose caption starts so, its headings first."""
    found = next(one for one in page.find_all("table") if one.caption.get_text().startswith(caption))
    return [texts(row.find_all(["th", "td"])) for row in found.find_all("tr")]


@dataclass(frozen=True)
class Report:
    """The page of one area, its rows of the results, and the raw figures of all areas."""

    page: BeautifulSoup
    results: object
    code: str
    raw: pd.DataFrame  # area, region, metric, start, end, numerator, denominator, value, lower, upper
    names: tuple[str, ...]  # metrics that are worked out again

    def rows(self, metric, code=None):
        mine = (self.raw["area"] == (code or self.code)) & (self.raw["metric"] == metric)
        return self.raw.loc[mine].sort_values("start")

    def told(self, name, metric):
        frame = getattr(self.results, name)
        return frame.loc[(frame["area_code"] == self.code) & (frame["metric"] == metric)]

    def sides(self, row, metric):
        """Both windows of a comparison, of the months that both have."""
        rows, about = self.rows(metric), METRICS[metric]
        periods = [row[f"{side}_period"] for side in ("baseline", "outcome")]
        if about.counted != "months":
            return tuple(window(rows, about, period) for period in periods)
        (first, last), (start, end) = map(ends, periods)
        known = set(rows.loc[rows["numerator"].notna(), "start"])
        years = start.year - first.year
        late = {day for day in known if start <= day <= end and day.replace(year=day.year - years) in known}
        early = {day.replace(year=day.year - years) for day in late}
        assert all(first <= day <= last for day in early)
        return tuple(
            window(rows, about, period, only or None)
            for period, only in zip(periods, (early, late), strict=True)
        )


def check_windows(report, metric):
    """Periods, values and intervals in the section's table; what is paid on is what the annex says."""
    about, rows = METRICS[metric], report.told("windows", metric)
    expected = {}
    for _, row in rows.iterrows():
        if (metric, row["payment"]) in PAID:
            assert (row["baseline_period"], row["outcome_period"]) == PAID[metric, row["payment"]]
        for side, found in zip(("baseline", "outcome"), report.sides(row, metric), strict=True):
            role = f"{side} of {payment_words(row['payment'])}"
            cells = [
                label(found.period),
                number(found.numerator),
                number(found.denominator),
                shown(found.value, about),
                between(found.lower, found.upper, about.decimals),
            ]
            cells[0] += found.partly
            expected.setdefault((found.period, found.missing), [*cells, []])[-1].append(role)
    expected = [[*cells, "; ".join(roles)] for _, (*cells, roles) in sorted(expected.items())]
    section = report.page.find(id=metric)
    assert table(section, f"{about.name}, {about.unit}")[1:] == expected


def compared(row):
    return row["finding"] != "not compared"


def check_summary(report, metric):
    """Every comparison: values, change with its limits, the finding and what it is held against."""
    about = METRICS[metric]
    on_page = [row for row in table(report.page, "Every comparison")[1:] if row[0] == about.name]
    for cells, (_, row) in zip(on_page, report.told("windows", metric).iterrows(), strict=True):
        before, after = report.sides(row, metric)
        _, payment, periods, earlier, later, size, finding, against = cells
        assert payment == payment_words(row["payment"])
        assert (earlier, later) == (shown(before.value, about), shown(after.value, about))
        assert periods.endswith(f"against {label(before.period)}")
        assert periods.startswith(label(after.period))
        assert ("(only " in periods) == (compared(row) and after.present < after.months)
        if not compared(row):
            assert (size, finding) == ("not compared", "not compared")
            continue
        move, low, high, unit, months = change(report.rows(metric), about, before, after)
        assert size == f"{signed(move)}{unit} ({between(low, high, 1, signed)})"
        assert months == after.present or about.counted != "months"
        assert finding == finding_of(report, metric, row, after, (low, high))
        by_history = math.isfinite(row["history_p"])
        assert against == (
            "usual movement between years" if by_history else "noise within the two periods only"
        )


def finding_of(report, metric, row, after, limits):
    """Better or worse beyond the history of all areas, or else beyond noise."""
    sign = -1 if METRICS[metric].lower_is_better else 1
    if not math.isfinite(row["history_p"]):
        low, high = sorted(sign * x for x in limits)
        return "better" if low > 0 else "worse" if high < 0 else "no clear change"
    ahead = report.told("outlooks", metric)
    least = ahead.loc[ahead["payment"] == row["payment"], "minimum_significant"].iloc[0]
    if sign * (after.value - least) > 0:
        return "better"
    return "worse" if row["history_p"] > 0.975 else "no clear change"


def check_sentences(report, metric):
    """Levels, changes and forecasts in words; the heading is the first comparison that could be made."""
    about, section = METRICS[metric], report.page.find(id=metric)
    paragraphs = texts(section.find_all("p"))
    ahead = report.told("outlooks", metric).set_index("payment")
    unit = "" if about.unit == "%" else f" {about.unit}"
    each = " a month on average" if about.counted == "months" else ""
    for _, row in report.told("windows", metric).iterrows():
        payment = payment_words(row["payment"])
        (words,) = [text for text in paragraphs if text.lower().startswith(f"{payment.lower()}. ")][:1]
        before, after = report.sides(row, metric)
        for found in (before, after):
            if not math.isfinite(found.value):
                assert f"There is no usable figure for {label(found.period)}" in words
                continue
            sure = between(found.lower, found.upper, about.decimals)
            sure = f" (95% interval {sure})" if math.isfinite(found.lower) else ""
            value = shown(found.value, about)
            assert f"In {label(found.period)}{found.partly} it was {value}{unit}{each}{sure}." in words
        if compared(row):
            move, low, high, points, _ = change(report.rows(metric), about, before, after)
            assert (
                f"The change is {signed(move)}{points}, 95% interval {between(low, high, 1, signed)}."
                in words
            )
        if row["payment"] in ahead.index and math.isfinite(ahead.loc[row["payment"], "expected"]):
            known = ahead.loc[row["payment"]]
            limits = between(known["expected_lower"], known["expected_upper"], about.decimals)
            assert (
                f"By what was known to {known['known']}, about {shown(known['expected'], about)} was" in words
            )
            told = f"80% interval {limits}"
            if not math.isfinite(known["expected_lower"]):
                told = "no range is given: counts are too small, or too few years are known"
            assert f"in {label(after.period)} if nothing was done ({told})." in words


def check_standing(report, metric):
    """Ranks among all areas and those of the region, and the quantiles, from everybody's raw figures."""
    about, (_, told) = METRICS[metric], next(report.told("standings", metric).iterrows())
    values = {}
    for area in report.raw.loc[report.raw["metric"] == metric, "area"].unique():
        found = whole(report.rows(metric, area), about, told["period"])
        if math.isfinite(found):
            values[area] = found
    values = pd.Series(values)
    if report.code not in values:
        words = " ".join(texts(report.page.find(id=metric).find_all("p")))
        assert "It is not set beside others: " in words
        return
    region = report.raw.drop_duplicates("area").set_index("area")["region"]
    mine, sign = values[report.code], 1 if about.lower_is_better else -1
    better = sign * values < sign * mine
    group = region.reindex(values.index) == region[report.code]
    n, when, middle = len(values), label(told["period"]), shown(values.median(), about)
    words = " ".join(texts(report.page.find(id=metric).find_all("p")))
    assert (
        f"In {when} it was {shown(mine, about)}; the middle of {n} areas was {middle}. "
        f"{better.sum()} of {n - 1} other areas {'was' if better.sum() == 1 else 'were'} better, and "
        f"{(better & group).sum()} of {group.sum() - 1} others in {region[report.code]}."
    ) in words
    strip = dict(table(report.page.find(id=metric), f"{about.name}, {when}, ")[1:])
    quantiles = dict(
        zip(
            (
                *("Lowest of all areas", "A tenth of areas below", "A quarter below", "Middle of all areas"),
                *("A quarter above", "A tenth above", "Highest of all areas"),
            ),
            values.quantile([0, 0.1, 0.25, 0.5, 0.75, 0.9, 1]),
            strict=True,
        )
    )
    assert {name: strip[name] for name in quantiles} == {k: shown(v, about) for k, v in quantiles.items()}
    others = sorted(shown(x, about) for x in values[group & (values.index != report.code)])
    assert sorted(list(strip.values())[8:]) == others


def whole(rows, about, period):
    """An area's value where no month of the window is missing."""
    first, last = ends(period)
    here = rows.loc[(rows["start"] >= first) & (rows["end"] <= last)]
    if about.counted != "months":
        here = here.loc[(here["start"] == first) & (here["end"] == last)]
        return here["value"].iloc[0] if len(here) else NAN
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    if here["numerator"].notna().sum() != months:
        return NAN
    return here["numerator"].sum() / (here["denominator"].mean() * months) * about.multiplier


def check_series(report, metric):
    """The data below the chart are the raw figures, month by month or year by year."""
    about, section = METRICS[metric], report.page.find(id=metric)
    caption = texts(section.find("figure").find_all("figcaption"))[0]
    rows = report.rows(metric)
    cells = table(section, caption.split(". Source")[0])[1:]
    if about.counted != "months":
        known = {label(f"{row.start:%Y-%m}/{row.end:%Y-%m}"): row.value for row in rows.itertuples()}
        assert {row[0]: row[1] for row in cells} == {name: shown(x, about) for name, x in known.items()}
        return
    values = rows["numerator"] / rows["denominator"] * about.multiplier
    known = {f"{MONTHS[day.month - 1]} {day.year}": x for day, x in zip(rows["start"], values, strict=True)}
    assert len(cells) >= len(known)
    for name, cell in cells:
        assert cell == shown(known.get(name, NAN), about), name


def check_target(report, metric):
    """People, size, payment line and the middle of the way, from the target proposed and the raw baseline."""
    about = METRICS[metric]
    for _, row in report.told("assessments", metric).iterrows():
        before, after = PAID[metric, row["payment"]]
        base = window(report.rows(metric), about, before)
        goal = base.value * (1 + row["ambition_percent"] / 100)
        line = base.value + PASS_SHARE * (goal - base.value)
        words = row["reasons"]
        figure = f"the target for {label(after)} is {shown(goal, about)}, the baseline of {label(before)} "
        assert f"{about.name}: {figure}{shown(base.value, about)}." in words
        side = "below" if goal < base.value else "above"
        assert f"The target is {abs(row['ambition_percent']):,.1f} % {side} the baseline." in words
        assert f"the payment line of {shown(line, about)}." in words
        people = (
            abs(goal - base.value) / about.multiplier * expected_people(report.rows(metric), before, after)
        )
        if about.counted == "months":
            each = number(people, 0 if people >= 10 else 1)
            assert re.search(rf"That is {re.escape(each)} (fewer|more) [a-z ]+ a month", words), (each, words)
        section = report.page.find(id=metric)
        assert words in " ".join(texts(section.find_all("p")))


def expected_people(rows, before, after):
    """Give the average population of a window: its own where known, else the baseline's as it last grew."""
    (first, last), (start, end) = ends(before), ends(after)
    people = rows.set_index("start")["denominator"].dropna()
    own = people[[start <= day <= end for day in people.index]]
    if len(own):
        return own.mean()
    base = people[[first <= day <= last for day in people.index]].mean()
    latest = max(day for day in people.index if day < start)
    return base * people[latest] / people[latest.replace(year=latest.year - 1)]


def check_first_screen(report):
    """Where the area is, on the cards and in the first sentences: values and changes worked out again."""
    lead, found = report.page.find(class_="lead").get_text(), 0
    windows = report.results.windows
    for row in windows.loc[windows["area_code"] == report.code].to_dict("records"):
        if row["metric"] not in report.names or not compared(row):
            continue
        about = METRICS[row["metric"]]
        before, after = report.sides(row, row["metric"])
        move, _, _, unit, _ = change(report.rows(row["metric"]), about, before, after)
        told = f"{'up' if move > 0 else 'down'} {signed(abs(move)).lstrip('+')}{unit}"
        if row["finding"] in ("better", "worse") and f"{about.name} got " in lead:
            found += f"{told}, to {shown(after.value, about)} in {label(after.period)}" in lead
        for card in report.page.find_all(class_="card"):
            heading = card.h2.get_text()
            if heading.startswith(about.name) and f" {label(after.period)}, outcome" in heading:
                assert card.dd.strong.get_text() == shown(after.value, about)
                assert f"{told} in a year" in card.dd.get_text()
                found += 1
    assert found
    assert lead.count(" got ") <= found


CHECKS = (check_windows, check_summary, check_sentences, check_standing, check_series, check_target)


def without_sudden_moves(raw, results):
    """Take out the months that the page's notes say were left out: a provider, a code or a boundary."""
    moves = results.findings
    moves = moves.loc[moves["consequence"] == "left out"] if len(moves) else moves
    gone = {(row.area_code, row.metric, ends(row.period)[0]) for row in moves.itertuples()}
    keys = zip(raw["area"], raw["metric"], raw["start"], strict=True)
    return raw.assign(numerator=raw["numerator"].where([key not in gone for key in keys]))


def page_of(report):
    """Put the parts of a report on one page, as the notebook does."""
    parts = [report.decision(), report.summary(), *report.sections()]
    return BeautifulSoup("".join(map(str, parts)), "html.parser")


# Southampton, from the published files

SOUTHAMPTON = "E06000045"
ASCOF = {"1415": "ONS Code", "1516": "ONS Area Code", "1617": "ONS Area Code"}
CODES = {
    "2A(2)": "care_home_admissions",
    "2B(1)": "reablement",
    "2A2": "care_home_admissions",
    "2B1": "reablement",
}


def published(folder):
    """Read the published files by pandas alone: delayed days, two measures of ASCOF, falls and inactivity."""
    areas = pd.read_csv(folder / "geography" / "hwb_utla_2014.csv", dtype={"cassr_code": str})
    region = areas.set_index("ons_code_2014")["region"]
    parts = [
        delayed_days(folder / "dtoc", areas),
        ascof(folder / "ascof"),
        *fingertips(folder / "fingertips"),
    ]
    raw = pd.concat(parts, ignore_index=True).reindex(
        columns=["area", "metric", "start", "end", "numerator", "denominator", "value", "lower", "upper"]
    )
    raw = raw.loc[raw["area"].isin(region.index)]
    return raw.assign(region=raw["area"].map(region))


def delayed_days(folder, areas):
    codes = areas.dropna(subset="cassr_code").set_index("cassr_code")["ons_code_2014"]
    adults = areas.set_index("ons_code_2014").rename(columns={"pop18plus_2017": "est_pop18plus_2017"})
    parts = []
    for path in sorted(folder.glob("*.xls*")):
        book = pd.read_excel(path, sheet_name=None, header=None, engine="calamine")
        sheet = next(found for name, found in book.items() if name.lower().startswith("la - by type"))
        text = sheet.astype(str).apply(lambda cells: cells.str.strip().str.removesuffix(".0"))
        period = sheet.loc[text[1].str.startswith("Period")].iloc[0].dropna().iloc[-1]
        first = pd.to_datetime(f"1 {period.strip()}")
        column = text.isin(codes.index).sum().idxmax()  # codes, names, acute, not acute, all delayed days
        rows = sheet.loc[text[column].isin(codes.index)]
        area = text[column].loc[rows.index].map(codes)
        year = min(max(first.year - (first.month < 4), 2012), 2017)  # mid-year estimates there are
        parts.append(
            pd.DataFrame(
                {
                    "area": area,
                    "metric": "delayed_transfers",
                    "start": first.date(),
                    "end": (first + pd.offsets.MonthEnd()).date(),
                    "numerator": pd.to_numeric(rows[column + 4], errors="coerce"),
                    "denominator": area.map(adults[f"est_pop18plus_{year}"]),
                }
            )
        )
    return pd.concat(parts)


def ascof(folder):
    parts = []
    for year, ons in ASCOF.items():
        rows = pd.read_csv(
            folder / f"meas-from-asc-of-eng-{year}-open-data.csv", dtype=str, encoding="latin-1"
        ).rename(columns=str.strip)
        rows["metric"] = rows["ASCOF Measure Code"].str.strip().str.split("_").str[0].map(CODES)
        rows = rows.loc[
            rows["metric"].notna()
            & rows["Disaggregation Level"].str.strip().eq("Total")
            & rows["Geographical Level"].str.strip().eq("Council")
        ]
        rows["x"] = pd.to_numeric(rows["Measure Value"].str.replace(",", ""), errors="coerce")
        kinds = {"Outcome": "value", "Numerator": "numerator", "Denominator": "denominator"}
        rows["kind"] = rows["Measure Type"].str.strip().map(kinds)
        wide = rows.dropna(subset="kind").pivot_table(
            index=[ons, "metric"], columns="kind", values="x", aggfunc="first"
        )
        start = date(2000 + int(year[:2]), 4, 1)
        parts.append(
            wide.reset_index()
            .rename(columns={ons: "area"})
            .assign(start=start, end=date(start.year + 1, 3, 31))
        )
    return pd.concat(parts)


def fingertips(folder):
    for name, metric in (
        ("dashboard_admissions_falls", "falls_injuries"),
        ("dashboard_physically_inactive", "inactive_adults"),
    ):
        rows = pd.read_csv(folder / f"{name}.csv")
        rows = rows.loc[rows["unit"].eq("Persons")]
        first = rows["period"].astype(str).str[:4].astype(int)
        yield pd.DataFrame(
            {
                "area": rows["area_code"],
                "metric": metric,
                "start": [date(year, 4, 1) for year in first],
                "end": [date(year + 1, 3, 31) for year in first],
                "value": rows["value"].astype(float),
            }
        )


@pytest.fixture(scope="module")
def southampton(real_data, real_results):
    from bcfstats.show.report import open_report

    names = ("delayed_transfers", "care_home_admissions", "reablement", "falls_injuries", "inactive_adults")
    report = open_report(SOUTHAMPTON, real_results)
    raw = without_sudden_moves(published(real_data), real_results)
    return Report(page_of(report), real_results, SOUTHAMPTON, raw, names)


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(
    "metric", ["delayed_transfers", "care_home_admissions", "reablement", "falls_injuries", "inactive_adults"]
)
def test_southampton_is_what_the_published_files_say(southampton, metric, check):
    check(southampton, metric)


@pytest.mark.slow
def test_southampton_first_screen_carries_the_changes_worked_out_again(southampton):
    check_first_screen(southampton)


# Example areas, from their raw files

EXAMPLE = "X06000001"
EXAMPLE_METRICS = (
    *("delayed_transfers", "avoidable_emergency_admissions", "non_elective_admissions"),
    *("care_home_admissions", "reablement", "falls_injuries", "social_contact"),
)


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    from bcfstats.example.data import write_example
    from bcfstats.judge.assessment import assess
    from bcfstats.read.data import load
    from bcfstats.read.prepare import prepare
    from bcfstats.read.targets import read_targets
    from bcfstats.show.report import open_report

    folder = tmp_path_factory.mktemp("independent")
    write_example(folder / "raw", n_areas=25)
    prepare(folder / "raw", folder / "processed")
    data = load(folder / "processed")
    file = folder / "targets.csv"
    file.write_text(
        "area,metric,payment,change_percent\n"
        f"{EXAMPLE},delayed_transfers,2015-04,-20\n"
        f"{EXAMPLE},avoidable_emergency_admissions,2015-10,-7.5\n"
        f"{EXAMPLE},reablement,2015-10,4\n"
    )
    results = assess(data.of(*EXAMPLE_METRICS), targets=read_targets(file, areas=data.areas))
    raw = pd.concat([pd.read_csv(path) for path in sorted((folder / "raw").glob("observations_*.csv"))])
    days = {name: pd.to_datetime(raw[f"period_{name}"]).dt.date for name in ("start", "end")}
    raw = raw.assign(**days).rename(columns={"area_code": "area", "lower_ci": "lower", "upper_ci": "upper"})
    areas = pd.read_csv(folder / "raw" / "areas.csv").set_index("area_code")["region"]
    raw = raw.assign(region=raw["area"].map(areas))
    raw = without_sudden_moves(raw, results)
    return Report(page_of(open_report(EXAMPLE, results)), results, EXAMPLE, raw, EXAMPLE_METRICS)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("metric", EXAMPLE_METRICS)
def test_example_area_is_what_its_raw_files_say(example, metric, check):
    check(example, metric)


def test_example_first_screen_carries_the_changes_worked_out_again(example):
    check_first_screen(example)


def test_formulas_of_this_file_give_published_examples():
    """Wilson and Newcombe: Newcombe (1998) 56/70 and 48/80; Byar: 100 events, APHO briefing 3."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert newcombe(56, 70, 48, 80)[1:] == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert byar(100) == pytest.approx((81.36, 121.63), abs=0.01)
    low, high = rate_ratio(100, 1.0, 100, 1.0)[1:]
    assert low * high == pytest.approx(1.0)
    assert all(a < b for a, b in pairwise(sorted((low, 1.0, high))))
