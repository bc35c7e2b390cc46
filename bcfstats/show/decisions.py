"""What to decide, in words: the findings that matter most, a card a decision, and a target to be moved."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from markupsafe import Markup

from bcfstats.define.metrics import METRICS, Metric
from bcfstats.define.periods import Period
from bcfstats.define.schemes import LOCAL
from bcfstats.judge.changes import finding_together
from bcfstats.judge.decision import EASY, KNOWN, MET, MISSED, PARTLY_IN, QUESTIONS, TO_COME, UNKNOWN, Decision
from bcfstats.judge.ladder import IMPOSSIBLE, NEITHER, NO_END, RANGE, UNTRIED
from bcfstats.judge.results import BETTER, PER_CENT, WORSE
from bcfstats.judge.verdicts import UNKNOWN as NOT_JUDGED
from bcfstats.judge.verdicts import VERDICTS, in_short_sentences, words_of
from bcfstats.show.page import fill
from bcfstats.show.sentences import ResultRow, doubt, moved, value
from bcfstats.stats.tolerance import reached
from bcfstats.words import between, capital, in_10, number, plural, sentence, signed, with_unit

STAGES = {KNOWN: "outcome known", PARTLY_IN: "outcome partly in", TO_COME: "outcome to come"}
NONE_FOUND = {
    NEITHER: "none is both challenging and achievable",
    UNTRIED: "not known: no history shows what is achievable",
    IMPOSSIBLE: "none: no possible value is beyond chance",
}
HOW_TO_READ = (
    "What is recommended runs from the least that is challenging to the furthest that peers have gone. "
)
PAID_RARELY = "Challenging means rarely paid for doing nothing."
REACHED_RARELY = "Challenging means rarely reached by doing nothing."
OPEN_LOCAL = "Local metric"


@dataclass(frozen=True)
class Cell:
    """One answer on a card: what is asked, the answer, and what is to be known with it."""

    label: str
    answer: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Card:
    """One decision as a reader sees it: its cells and marks, or the reason why there is nothing to decide."""

    name: str
    when: str
    unit: str = ""
    cells: tuple[Cell, ...] = ()
    marks: tuple[tuple[str, str], ...] = ()
    reason: str = ""


def lead(
    windows: Sequence[ResultRow], decided: Sequence[Decision], metrics: Mapping[str, Metric]
) -> Iterator[str]:
    """Give what matters most: the clearest change for the worse and for the better, then the targets."""
    found = False
    for finding in (WORSE, BETTER):
        rows = sorted((row for row in windows if finding_together(row) == finding), key=doubt)
        found |= bool(rows)
        for row in rows[:1]:
            metric, when = metrics[row["metric"]], Period.parse(row["outcome_period"]).label
            size, level = moved(row["change"], row["change_unit"]), value(row["outcome_value"], metric)
            yield f"{metric.short_name} got {finding}: {size}, to {level} in {when}."
    if not windows:
        yield "No two periods can be compared yet."
    elif not found:
        yield "No metric is clearly better or worse than a year before."
    yield _targets(decided)


def _targets(decided: Sequence[Decision]) -> str:
    judged = [one for one in decided if one.verdict and one.verdict != NOT_JUDGED]
    results = [one.result for one in judged if one.result]
    if results:
        known = plural(len(results), "known outcome")
        return f"{results.count(MISSED)} of {known} missed the line of its target."
    if judged:
        easy = sum(one.challenge == EASY for one in judged)
        return f"{easy} of {plural(len(judged), 'proposed target')} asked for too little."
    could = [one for one in decided if one.found in (RANGE, NO_END)]
    names = list(dict.fromkeys(one.metric for one in could))
    if not names:
        return "No target can be recommended."
    return f"A target can be recommended for {plural(len(names), 'metric')}; none has been proposed."


def cards(
    decided: Sequence[Decision], metrics: Mapping[str, Metric], word: str = "target", *, pays: bool = True
) -> list[Card]:
    """Lay decisions out as cards; those with nothing to decide come last, the same reason once."""
    found = [_card(one, metrics.get(one.metric) or METRICS.get(one.metric), word, pays) for one in decided]
    once = {(card.name, card.when if not card.reason else "", card.reason): card for card in found}
    return sorted(once.values(), key=lambda card: bool(card.reason))


def _card(one: Decision, metric: Metric | None, word: str, pays: bool) -> Card:
    name = metric.short_name if metric else OPEN_LOCAL if one.metric == LOCAL else one.metric
    when = f"{Period.parse(one.period).label}, {STAGES[one.stage]}" if one.period else ""
    if metric is None or one.reason:
        why = " ".join(islice(in_short_sentences(one.reason), 2))
        return Card(name, when, reason=" ".join(filter(None, (why, _given(one, metric)))))
    cells = (
        _now(one, metric),
        _nothing(one, metric),
        _recommended(one, metric, word),
        _proposed(one, metric, word, pays),
    )
    marks = tuple((words, getattr(one, question)) for question, words in QUESTIONS.items())
    return Card(name, when, "per cent" if metric.unit == PER_CENT else metric.unit, cells, marks)


def _given(one: Decision, metric: Metric | None) -> str:
    """Say what target was given where none can be judged."""
    if metric is None or not math.isfinite(one.target_percent):
        return ""
    return f"The target given is {with_unit(one.target_percent, '%')}."


def _now(one: Decision, metric: Metric) -> Cell:
    notes = []
    if math.isfinite(one.latest_per_month):
        notes.append(f"{count(one.latest_per_month)} {metric.event} a month")
    if math.isfinite(one.latest_change):
        sure = one.latest_finding if one.latest_finding in (BETTER, WORSE) else "not clearly real"
        notes.append(f"{moved(one.latest_change, one.latest_change_unit)} in a year: {sure}")
    if one.stage == TO_COME and one.latest_period:
        notes.append(f"in {Period.parse(one.latest_period).label}")
    return Cell("Where we are", value(one.latest_value, metric), tuple(notes))


def _nothing(one: Decision, metric: Metric) -> Cell:
    label = "If nothing is done" if one.stage == TO_COME else "Forecast, doing nothing"
    if not math.isfinite(one.expected_lower):
        return Cell(label, capital(UNKNOWN))
    low, high = value(one.expected_lower, metric), value(one.expected_upper, metric)
    return Cell(label, f"{low} to {high}", (f"in the middle {value(one.expected, metric)}",))


def _recommended(one: Decision, metric: Metric, word: str) -> Cell:
    label = f"Recommended {word}" if one.stage != KNOWN else "Recommended beforehand"
    answer = capital(recommended_words(one.found, one.challenging_value, one.achievable_value, metric))
    if one.found not in (RANGE, NO_END):
        told = {"challenging from": one.challenging_value, "peers went to": one.achievable_value}
        notes = [f"{what} {value(x, metric)}" for what, x in told.items() if math.isfinite(x)]
        why = [capital(one.why_unknown)] if one.why_unknown else []
        return Cell(label, answer, (*notes, *why))
    least = one.recommended_from_percent, one.recommended_from_per_month
    most = (one.recommended_to_percent, one.recommended_to_per_month) if one.found == RANGE else least
    percents, events = zip(least, most, strict=True)
    notes = [between(*(with_unit(percent, "%") for percent in percents))]
    if all(map(math.isfinite, events)):
        notes.append(f"{between(*map(count, events))} {fewer(metric)} a month")
    return Cell(label, answer, tuple(notes))


def recommended_words(found: str, challenging: float, achievable: float, metric: Metric) -> str:
    """Write the targets recommended, from the least that is challenging to the furthest, or why none is."""
    if found == RANGE:
        return between(value(challenging, metric), value(achievable, metric))
    if found == NO_END:
        return f"{value(challenging, metric)} or {metric.polarity}"
    return NONE_FOUND.get(found, found or UNKNOWN)


def _proposed(one: Decision, metric: Metric, word: str, pays: bool) -> Cell:
    label = f"Proposed {word}"
    if not one.verdict:
        return Cell(label, "None", tuple(_without_target(one, metric)))
    each, notes = one.target_per_month, [with_unit(one.target_percent, "%")]
    if math.isfinite(each):
        notes = [f"{notes[0]}, {count(abs(each))} {fewer(metric, worse=each < 0)} a month"]
    if one.result:
        line, came = (value(x, metric) for x in (one.payment_line, one.outcome_value))
        notes.append(f"{capital(one.result)}: {came}, the line {line}")
    elif one.stage != KNOWN and math.isfinite(one.p_paid_do_nothing):
        so = "paid for" if pays else "would reach it by"
        notes.append(f"{in_10(one.p_paid_do_nothing)} {so} doing nothing")
    if math.isfinite(one.money_at_stake):
        notes.append(f"£{number(one.money_at_stake)} rests on it")
    words = VERDICTS[one.verdict].words
    return Cell(label, f"{value(one.target_value, metric)}: {words}", tuple(notes))


def _without_target(one: Decision, metric: Metric) -> Iterator[str]:
    """Say of a known outcome without a target whether it would have reached the least recommended."""
    if math.isfinite(one.outcome_value) and math.isfinite(one.recommended_from):
        least = one.recommended_from
        is_there = reached(one.outcome_value, least, metric.direction)
        yield f"The outcome {'reached' if is_there else 'fell short of'} {value(least, metric)}"


def fewer(metric: Metric, *, worse: bool = False) -> str:
    """Say whether better, or worse, is fewer or more."""
    return "fewer" if (metric.polarity == "lower") is not worse else "more"


def count(each: float) -> str:
    """Write people or days a month, small numbers with a decimal."""
    return number(each) if abs(each) >= 10 else number(each, 1)


def follows(decided: Sequence[Decision], told: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Say what follows from the results that are known, in the words of the scheme."""
    seen = {one.result for one in decided}
    known = (result for result in (MISSED, MET) if result in seen)
    return [(result, sentence(text)) for result in known for text in told.get(result, ())]


CHANCES = {
    "p_paid_do_nothing": "if nothing is done",
    "p_paid_if_half_delivered": "if half is delivered",
    "p_paid_if_delivered": "if delivered in full",
}
NO_CHANCE = "none"


def slider(
    name: str, payment: str, rows: Sequence[ResultRow], metric: Metric, one: Decision, known: str, word: str
) -> Markup:
    """Write the slider of one metric and payment, for targets from low to high.

    It starts at the proposed target, or else at the least recommended, or the step beyond. The payment is
    empty where a scheme pays nothing: the line is the target itself then.
    """
    steps = [list(_cells(row, metric, pays=bool(payment))) for row in rows]
    place = {text: i for i, text in enumerate(dict.fromkeys(text for step in steps for text in step))}
    paid, line = ("Paid", ["Payment line"]) if payment else ("Reached", [])
    headings = ["Verdict", capital(word), f"{capital(metric.event)} a month", *line]
    return fill(
        "slider.html.j2",
        id=f"move-{name}",
        label=f"Move the {word}: {payment or one.payment}",
        headings=[*headings, *(f"{paid} {when}" for when in CHANCES.values())],
        texts=list(place),
        steps=[[place[text] for text in step] for step in steps],
        start=_start(rows, metric, one),
        known=known,
    )


def _cells(row: ResultRow, metric: Metric, *, pays: bool) -> Iterator[str]:
    why = in_short_sentences(row["reason"]) if row["reason"] else ()
    yield " ".join([sentence(words_of(row)), *why])
    yield f"{value(row['target_value'], metric)} ({signed(row['ambition_percent'])}%)"
    each, line = row["ambition_per_month"], row["payment_line"]
    yield f"{count(abs(each))} {fewer(metric, worse=each < 0)}" if math.isfinite(each) else ""
    if pays:
        yield value(line, metric) if math.isfinite(line) else NO_CHANCE
    yield from (in_10(row[chance]) if math.isfinite(row[chance]) else NO_CHANCE for chance in CHANCES)


def _start(rows: Sequence[ResultRow], metric: Metric, one: Decision) -> int:
    """Find the easiest step that is at least as hard as the target in view; no change where there is none."""
    wanted = one.target_value if math.isfinite(one.target_value) else one.recommended_from
    if not math.isfinite(wanted):
        return min(range(len(rows)), key=lambda i: abs(rows[i]["ambition_percent"]))
    short = [metric.direction * (wanted - row["target_value"]) for row in rows]
    return min(range(len(rows)), key=lambda i: (short[i] > 0, abs(short[i])))
