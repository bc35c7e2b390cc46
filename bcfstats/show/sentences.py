"""Findings as sentences: what was compared with what, how sure it is, which way is better."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from bcfstats.define.levels import LEVELS
from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period
from bcfstats.define.schemes import payment_label
from bcfstats.judge.changes import finding_together
from bcfstats.judge.results import (
    AGAINST_HISTORY,
    AGAINST_NOISE,
    BETTER,
    LATEST,
    NOT_COMPARED,
    PER_CENT,
    WORSE,
)
from bcfstats.judge.standings import OTHERS
from bcfstats.words import interval, number, of_100, p_value, percent, plural, sentence, with_unit

ResultRow = Mapping[str, Any]  # one row of a table of results
NO_RANGE = "no range is given: counts are too small, or too few years are known"
INTERVAL = f"{percent(LEVELS.interval)} interval"
LIMITS = f"{percent(LEVELS.forecast)} limits"
POWER = f"{percent(LEVELS.power)} power"
AMONG_ALL = "Among all comparisons and trends of this area it does not stand out."
AVERAGE_MONTH = ", average per month"


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Turn a table of results into rows of plain values, by name."""
    return [{str(name): x for name, x in row.items()} for row in table.to_dict("records")]


def unit(metric: Metric) -> str:
    """Write the unit of a single month or year, as an axis carries it."""
    return metric.unit.removesuffix(AVERAGE_MONTH)


def value(amount: float, metric: Metric) -> str:
    """Write a value of the metric without its unit, but with a per cent sign."""
    text = number(amount, metric.decimals)
    return f"{text}%" if metric.unit == PER_CENT and math.isfinite(amount) else text


def payment(label: str) -> str:
    """Name a payment, or the latest year."""
    return "latest year" if label == LATEST else f"{payment_label(label)} payment"


def level(row: ResultRow, metric: Metric, side: str) -> str:
    """Say what the level was in the baseline or the outcome window."""
    period = Period.parse(row[f"{side}_period"])
    amount = row[f"{side}_value"]
    if not math.isfinite(amount):
        return f"There is no usable figure for {period.label}: {row[f'{side}_reason'].rstrip('.')}."
    counted = metric.kind.per_resident and metric.frequency in ("month", "quarter")
    each = f" a {metric.frequency} on average" if counted else ""
    limits = interval(row[f"{side}_lower"], row[f"{side}_upper"], metric.decimals)
    sure = f" ({INTERVAL} {limits})" if math.isfinite(row[f"{side}_lower"]) else ""
    measure = "" if metric.unit == PER_CENT else f" {unit(metric)}"
    return f"In {period.label}{partly(row, side)} it was {value(amount, metric)}{measure}{each}{sure}."


def moved(size: float, unit: str) -> str:
    """Say which way something moved, and how far: 'up 20.2%', 'down 3.5 points'."""
    if with_unit(abs(size), unit) == with_unit(0, unit):
        return "unchanged"
    return f"{'up' if size > 0 else 'down'} {with_unit(abs(size), unit).lstrip('+')}"


def clearest(rows: Sequence[ResultRow]) -> ResultRow | None:
    """Choose the comparison that says most: better or worse, then any that could be made."""
    found = sorted((row for row in rows if row["finding"] in (BETTER, WORSE)), key=doubt)
    compared = (row for row in rows if row["finding"] != NOT_COMPARED)
    return next(iter(found), None) or next(compared, None) or next(iter(rows), None)


def doubt(row: ResultRow) -> tuple[bool, bool, float]:
    """Order findings: those a payment rests on first, then those beyond usual movement, then the clearest."""
    by_history = row["finding_against"] == AGAINST_HISTORY
    p = row["history_p"] if by_history else row["noise_p"]
    return row["payment"] == LATEST, not by_history, min(p, 1 - p) if math.isfinite(p) else 1.0


def title(row: ResultRow, metric: Metric) -> str:
    """Say what the change was, as the heading of a metric's section."""
    before, after = windows(row)
    name, size = metric.short_name, moved(row["change"], row["change_unit"])
    if row["finding"] == NOT_COMPARED:
        level = row["outcome_value"]
        now = f"{value(level, metric)} in {after}" if math.isfinite(level) else f"no figure for {after}"
        return f"{name}: {now}, not comparable with {before}"
    if row["finding"] in (BETTER, WORSE):
        return f"{name} got {row['finding']}: {size} in {after}"
    if size == "unchanged":
        return f"{name} unchanged in {after}"
    return f"{name}: {size} in {after}, too uncertain to call a real change"


def windows(row: ResultRow) -> tuple[str, str]:
    """Name the two windows compared, and say where only some of their months could be."""
    before, after = (Period.parse(row[f"{side}_period"]).label for side in ("baseline", "outcome"))
    matched, whole = row["matched_months"], row["outcome_n_expected"]
    if math.isfinite(matched) and 0 < matched < whole:
        after += f" (only {row['matched']})"
    return before, after


def change(row: ResultRow) -> str:
    """Say how sure the change is, and what the interval leaves out."""
    if row["finding"] == NOT_COMPARED:
        return f"No comparison is made: {row['change_reason'].rstrip('.')}."
    size = with_unit(row["change"], row["change_unit"])
    if not math.isfinite(row["change_lower"]):
        return f"The change is {size}. {sentence(row['change_reason'])}"
    limits = interval(row["change_lower"], row["change_upper"], 1, as_change=True)
    return f"The change is {size}, {INTERVAL} {limits}."


def held_against(row: ResultRow) -> str:
    """Say what the finding allows for, and what the interval leaves out."""
    told = {
        AGAINST_HISTORY: "The finding allows for the usual year-to-year change when nothing is targeted. "
        "The intervals allow for noise within the two periods only.",
        AGAINST_NOISE: "The finding and its interval allow for noise within the two periods only. "
        "Such rates also change from year to year when nobody acts, often by far more.",
    }.get(row["finding_against"], "")
    alone = finding_together(row) != row["finding"]
    return f"{told} {AMONG_ALL}" if alone else told


def expected(row: ResultRow, metric: Metric) -> str:
    """Say what was to be expected if nothing was done, from what was known before the window."""
    window = Period.parse(row["period"]).label
    if not math.isfinite(row["expected"]):
        return f"No forecast for {window}: {row['reason'].rstrip('.') or 'the history does not allow one'}."
    limits = interval(row["expected_lower"], row["expected_upper"], metric.decimals)
    range_ = (
        f"{percent(LEVELS.forecast)} interval {limits}" if math.isfinite(row["expected_lower"]) else NO_RANGE
    )
    return (
        f"By what was known to {row['known']}, about {value(row['expected'], metric)} was to be expected "
        f"in {window} if nothing was done ({range_})."
    )


def needed(row: ResultRow, metric: Metric) -> str:
    """Say what it takes to be significant, and to be found so with the power asked for."""
    significant, detectable = row["minimum_significant"], row["detectable"]
    if not math.isfinite(significant):
        if row["reason"] or not math.isfinite(row["expected_lower"]):
            why = row["reason"].rstrip(".") or "how such figures usually move between years is not known"
            return f"What would be significant cannot be worked out: {why}."
        return "No value that is possible would be a significant improvement on the baseline."
    first = f"An outcome of {value(significant, metric)} would just be significant against usual movement."
    if not math.isfinite(detectable):
        return f"{first} No possible level would be found significant with {POWER}."
    often = f"{of_100(LEVELS.power)} times in 100"
    return f"{first} A true level of {value(detectable, metric)} would be found significant {often}."


def standing(row: ResultRow, metric: Metric) -> str:
    """Say where the area stands among all areas and those of its group, and whether that may be noise."""
    when = Period.parse(row["period"]).label
    if not math.isfinite(row["value"]):
        reason = row["reason"].rstrip(".") or f"there is no figure for {when}"
        return f"It is not set beside others: {reason}."
    if row["n_areas"] == 1:
        return f"No other area has a figure for {when} to be set beside."
    middle = f"the middle of {row['n_areas']} areas was {value(row['median'], metric)}"
    words = [f"In {when} it was {value(row['value'], metric)}; {middle}."]
    others = plural(row["n_areas"] - 1, "other area")
    were = "was" if row["n_better"] == 1 else "were"
    words += [f"{number(row['n_better'])} of {others} {were} better{_in_group(row)}."]
    if math.isfinite(row["lower"]):
        limits = interval(row["lower"], row["upper"], metric.decimals)
        if row["lower"] <= row["median"] <= row["upper"]:
            words += [f"Its {INTERVAL}, {limits}, holds the middle: it may differ by noise alone."]
        else:
            words += [f"Its {INTERVAL}, {limits}, leaves the middle out."]
    return " ".join(words)


def together(comparisons: Sequence[ResultRow], trends: Sequence[ResultRow]) -> str:
    """Say how many findings chance alone would flag, how many there are, and how many hold all together."""
    tested = [(row["q_value"], row["finding"] in (BETTER, WORSE)) for row in comparisons]
    tested += [(row["q_value"], row["slope_lower"] * row["slope_upper"] > 0) for row in trends]
    n = sum(math.isfinite(q) for q, _ in tested)
    if not n:
        return ""
    lucky, found = LEVELS.significance * n, sum(clear for _, clear in tested)
    held = sum(clear and q <= LEVELS.significance for q, clear in tested)
    by_chance = f"about {number(lucky)}" if lucky > 0.75 else "fewer than 1"
    return (
        f"Chance alone would mark {by_chance} of the {number(n)} comparisons and trends here. "
        f"One by one, {number(found)} would be marked; taken together, {number(held)}. "
        "Only those are marked in this table and above."
    )


def _in_group(row: ResultRow) -> str:
    group = row["group"]
    if group in ("", OTHERS) or not row["n_group"] > 0:
        return ""
    return f", and {number(row['n_group_better'])} of {number(row['n_group'])} others in {group}"


def polarity(metric: Metric) -> str:
    """Say which way is better."""
    return f"{'Lower' if metric.polarity == 'lower' else 'Higher'} is better."


def trend(row: ResultRow) -> str:
    """Say what the slope is, or why there is none."""
    if not math.isfinite(row["slope"]):
        return f"Trend: {row['reason']}."
    limits = interval(row["slope_lower"], row["slope_upper"], 1, as_change=True)
    return (
        f"Over {Period.parse(row['period']).label} the level moved by "
        f"{with_unit(row['slope'], row['slope_unit'])} a year "
        f"({INTERVAL} {limits}, {row['n']:.0f} {row['points']}). {sentence(row['note'])}"
    ).rstrip()


def season(national_p: float, note: str, own_weight: float) -> str:
    """Say what may honestly be said of the season of one area."""
    shown = "a season" if national_p < LEVELS.significance else "no clear season"
    remark = f" Note: {note}." if note else ""
    return (
        f"All areas together show {shown} ({p_value(national_p)}). The area's own pattern counts for "
        f"{number(100 * own_weight)}% of its index; the rest is borrowed from all areas.{remark}"
    )


def partly(row: ResultRow, side: str) -> str:
    """Say of how many periods a figure is, and which are left out; nothing where it is of all."""
    present, whole = row[f"{side}_n_present"], row[f"{side}_n_expected"]
    if not 0 < present < whole:
        return ""
    return f" ({present} of {whole} {row['periods']}, without {row[f'{side}_missing']})"
