"""Verdicts: their names and words, and the sentences that explain each; chances as natural frequencies."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.datafiles import read_toml
from bcfstats.define.levels import LEVELS
from bcfstats.judge.outlook import Outlook, Texts, about
from bcfstats.judge.targets import NO_VALUE, Cutoffs, Proposal
from bcfstats.stats.rows import critical_value
from bcfstats.words import in_100, number, of_100, percent, signed

MOST_WORDS, YEAR = 25, 12
Row = Mapping[str, Any]
NOT_BETTER, BEATEN, NOISE, EASY = "not_an_improvement", "beaten_by_trend", "within_noise", "too_easy"
GOOD, UNPRECEDENTED, UNKNOWN = "challenging_and_achievable", "unprecedented", "cannot_be_assessed"


@dataclass(frozen=True)
class Verdict:
    """What a verdict is called inside a sentence, and what it means as a sentence of its own."""

    words: str
    meaning: str = ""


_WORDS = {name: Verdict(**told) for name, told in read_toml(Path(__file__).with_suffix(".toml")).items()}
PARTLY = _WORDS.pop("partly_assessed")  # how "cannot be assessed" is told where the chances are known
VERDICTS = _WORDS


def words_of(row: Row) -> str:
    """Name the verdict of an assessment inside a sentence."""
    partly = row["verdict"] == UNKNOWN and math.isfinite(row["p_paid_do_nothing"])
    return (PARTLY if partly else VERDICTS[row["verdict"]]).words


@dataclass(frozen=True, eq=False)
class Missing:
    """Why there is no verdict, and why no challenging value: one text a target, empty where there is one."""

    verdict: Texts
    challenging: Texts


def counted(names: "pd.Series[Any]") -> str:
    """Count verdicts in a line, such as "2 no more than chance, 1 too easy"."""
    counts = names.value_counts(sort=False)
    return ", ".join(f"{count:,} {VERDICTS[name].words}" for name, count in counts.items())


def sentences(
    frame: pd.DataFrame, view: Outlook, target: Proposal, missing: Missing, cutoffs: Cutoffs
) -> list[str]:
    """Explain each verdict of the rows: what was compared with what, how sure it is, what would change it."""
    words = _Words(view, cutoffs)
    rows = frame.assign(
        why=missing.verdict,
        no_challenge=missing.challenging,
        usual_known=np.isfinite(view.usual_scale),
        slows=~target.beats_baseline & target.beats_forecast,
        projected=target.from_projection,
        no_chance=view.no_chance,
    )
    return [" ".join(words.explain(row)) for row in rows.to_dict("records")]


class _Words:
    """The sentences of one metric and payment window."""

    def __init__(self, view: Outlook, cutoffs: Cutoffs) -> None:
        self.metric, self.cutoffs = view.metric, cutoffs
        self.now, self.then = view.window.label, view.before.label
        self.worse = "or lower" if view.metric.polarity == "lower" else "or higher"
        self.few_more = "fewer" if view.metric.polarity == "lower" else "more"
        self.span = view.history.span
        self.events = view.metric.event
        kind, window = view.metric.kind, view.window
        counted = kind.needs_population and view.metric.independent_events
        self.is_short = counted and window.is_whole_months and window.n_months < YEAR

    def explain(self, row: Row) -> Iterator[str]:
        """Give the sentences of one target."""
        if row["verdict"] != UNKNOWN:
            yield VERDICTS[row["verdict"]].meaning
        elif math.isfinite(row["p_paid_do_nothing"]):
            yield from in_short_sentences(row["why"])
        else:
            yield from cannot(row["why"])
            if math.isfinite(row["baseline_value"]):
                yield self._level(row)
            return
        yield self._level(row)
        if self.metric.unit != "%":
            yield f"Figures are {self.metric.unit}."
        yield f"The target is {self._size(row)} the baseline."
        yield from self._people(row)
        yield from self._trend(row)
        yield from self._sure(row)
        yield from self._luck(row)
        yield from self._reach(row)
        yield from self._change(row)

    def figure(self, value: float) -> str:
        """Write a value of the metric."""
        text = number(value, self.metric.decimals)
        return f"{text}%" if self.metric.unit == "%" else text

    def _level(self, row: Row) -> str:
        return (
            f"{self.metric.short_name}: the target for {self.now} is {self.figure(row['target_value'])}, "
            f"the baseline of {self.then} {self.figure(row['baseline_value'])}."
        )

    def _size(self, row: Row) -> str:
        size = row["ambition_percent"]
        if abs(size) < 0.05:
            return "level with"
        return f"{abs(size):,.1f} % {'below' if size < 0 else 'above'}"

    def _people(self, row: Row) -> Iterator[str]:
        each, when = row["ambition_per_month"], " a month"
        if not math.isfinite(each):
            each, when = row["events_better"], ""
        if math.isfinite(each) and each > 0:
            many = number(each, 0 if each >= 10 else 1)
            yield f"That is {many} {self.few_more} {self.events}{when} than at the baseline rate."

    def _trend(self, row: Row) -> Iterator[str]:
        low, high = (self.figure(row[f"do_nothing_{end}"]) for end in ("lower", "upper"))
        expected = f"If nothing is done, about {self.figure(row['do_nothing_value'])} is expected"
        if math.isfinite(row["do_nothing_lower"]):
            expected += f"; in {of_100(LEVELS.forecast)} of 100 such forecasts between {low} and {high}"
        yield f"{expected}."
        if row["projected"]:
            yield "The target was set against projected demand, so payment is measured from the forecast."
            net = 100 * (row["target_value"] / row["do_nothing_value"] - 1)
            size = row["ambition_percent"]
            yield f"From the forecast it is {signed(net)} %, from the baseline {signed(size)} %."
        elif row["slows"]:
            yield "It would slow growth, not improve on the baseline: the scheme does not pay for that."

    def _sure(self, row: Row) -> Iterator[str]:
        if row["verdict"] == NOT_BETTER:
            return
        if math.isfinite(row["noise_p"]):
            beyond = "larger" if row["significant_vs_noise"] else "no larger"
            yield f"The change asked for is {beyond} than chance within the two periods explains."
            if not row["significant_vs_noise"]:
                yield from self._how_long(row)
        if not (row["usual_known"] and math.isfinite(row["history_p"])):
            yield "How such figures usually move between years cannot be worked out."
            return
        usual = "larger" if row["significant_vs_history"] else "no larger"
        yield f"It is {usual} than such figures usually move between years when nothing is targeted."
        least = row["minimum_significant_value"]
        if math.isfinite(least):
            yield f"To stand out from that, {self.figure(least)} {self.worse} would be needed."
        else:
            yield "No value that is possible would stand out from that."

    def _how_long(self, row: Row) -> Iterator[str]:
        """Say what chance does to the few events of part of a year, and over how long a change would show."""
        size, z = abs(row["ambition_percent"]), critical_value(LEVELS.interval)
        if not self.is_short or not row["baseline_numerator"] > 0 or size < 0.05:
            return
        events = row["baseline_numerator"]
        periods, swing = math.ceil(2 * (100 * z / size) ** 2 / events), 100 * z * math.sqrt(2 / events)
        yield f"With {events:,.0f} {self.events} a period, chance alone moves it by up to {swing:.0f} %."
        yield f"A change of {size:.1f} % would show over {periods:,} such periods together, not in one."

    def _luck(self, row: Row) -> Iterator[str]:
        if not math.isfinite(row["payment_line"]):
            start = "what is expected if nothing is done" if row["projected"] else "the baseline"
            yield f"It has no payment line and no chance of payment: it is no improvement on {start}."
            return
        if row["no_chance"]:
            yield from in_short_sentences(row["no_chance"])
            return
        yield (
            f"If nothing is done, {about(row['p_paid_do_nothing'])} areas like this would still reach "
            f"the payment line of {self.figure(row['payment_line'])}."
        )
        better, worse = about(row["p_paid_england_better"]), about(row["p_paid_england_worse"])
        if math.isfinite(row["p_paid_england_better"]) and better != worse:
            yield f"With all England one usual movement worse, {worse} would; with it better, {better}."
        yield f"If the level stayed at the baseline, {about(row['p_paid_no_change'])} would."
        yield (
            f"If the plan delivers in full, {about(row['p_paid_if_delivered'])} would; "
            f"if it delivers half, {about(row['p_paid_if_half_delivered'])}."
        )

    def _reach(self, row: Row) -> Iterator[str]:
        if row["verdict"] == NOT_BETTER or not math.isfinite(row["reach"]):
            return
        low, high = math.floor(100 * row["reach_lower"]), math.ceil(100 * row["reach_upper"])
        areas = "1 area" if row["reach_areas"] == 1 else f"{row['reach_areas']:,.0f} areas"
        yield (
            f"In {areas} over {self.span}, {in_100(row['reach'])} yearly changes "
            f"were as good ({percent(LEVELS.interval)} interval {low} to {high})."
        )

    def _change(self, row: Row) -> Iterator[str]:
        verdict, wanted = row["verdict"], row["challenging_value"]
        easy = verdict in (NOT_BETTER, BEATEN, NOISE, EASY)
        if easy and math.isfinite(wanted):
            yield (
                f"At a target of {self.figure(wanted)} {self.worse} it would be beyond chance, "
                f"and at most {in_100(self.cutoffs.good_luck)} paid for doing nothing."
            )
        elif easy and row["no_challenge"] == NO_VALUE:
            yield "No value that is possible would be beyond chance and rarely paid for doing nothing."
        elif easy:
            yield "Which target would be beyond chance and rarely paid by luck cannot be worked out."
        if verdict == GOOD:
            narrow = (
                row["p_paid_do_nothing"] > self.cutoffs.good_luck or row["reach"] < self.cutoffs.good_reach
            )
            if narrow:
                yield "This is borderline: a slightly different target would get another verdict."
            if not row["significant_vs_history"]:
                yield "Even if it is reached, the figures alone will not prove that the plan was the cause."
        if verdict == UNPRECEDENTED:
            yield "A target that more areas have reached before would be easier to believe."


def cannot(why: str) -> Iterator[str]:
    """Say that a target cannot be assessed, and why, in sentences of at most 25 words."""
    yield VERDICTS[UNKNOWN].meaning
    yield from in_short_sentences(why)


def in_short_sentences(why: str) -> Iterator[str]:
    """Write a reason as sentences of at most 25 words."""
    text = why.strip().rstrip(".")
    for piece in text.replace(": ", ". ").replace("; ", ". ").split(". "):
        words = piece.split()
        for start in range(0, len(words), MOST_WORDS):
            part = " ".join(words[start : start + MOST_WORDS])
            yield part[:1].upper() + part[1:] + "."
