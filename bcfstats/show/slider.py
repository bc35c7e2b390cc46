"""Move the target: targets judged beforehand, of which a page shows the one that is chosen."""

import math
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from bcfstats.define.metrics import Metric
from bcfstats.judge.decision import Decision
from bcfstats.judge.verdicts import in_short_sentences, words_of
from bcfstats.show.decisions import count, fewer
from bcfstats.show.page import fill
from bcfstats.show.sentences import ResultRow, value
from bcfstats.words import capital, in_10, sentence, signed

CHANCES = {
    "p_paid_do_nothing": "if nothing is done",
    "p_paid_if_half_delivered": "if half is delivered",
    "p_paid_if_delivered": "if delivered in full",
}
NONE = "none"


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
        yield value(line, metric) if math.isfinite(line) else NONE
    yield from (in_10(row[chance]) if math.isfinite(row[chance]) else NONE for chance in CHANCES)


def _start(rows: Sequence[ResultRow], metric: Metric, one: Decision) -> int:
    """Find the easiest step that is at least as hard as the target in view; no change where there is none."""
    wanted = one.target_value if math.isfinite(one.target_value) else one.recommended_from
    if not math.isfinite(wanted):
        return min(range(len(rows)), key=lambda i: abs(rows[i]["ambition_percent"]))
    short = [metric.direction * (wanted - row["target_value"]) for row in rows]
    return min(range(len(rows)), key=lambda i: (short[i] > 0, abs(short[i])))
