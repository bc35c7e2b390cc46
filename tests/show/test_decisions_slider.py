"""What a slider holds: one step a target, from low to high, begun where the target in view is."""

import json
import math

import pytest
from bs4 import BeautifulSoup

from bcfstats.define.metrics import METRICS
from bcfstats.judge.decision import Decision
from bcfstats.show.decisions import slider

RATE, SHARE = "delayed_transfers", "reablement"
NAN = math.nan


def step(value, percent, verdict="within_noise", line=97.9, chance=0.384, reason=""):
    """Give a row of candidates: 12 delayed days fewer a month for each per cent."""
    return {
        "target_value": value,
        "ambition_percent": percent,
        "ambition_per_month": -12 * percent,
        "verdict": verdict,
        "payment_line": line,
        "p_paid_do_nothing": chance,
        "p_paid_if_half_delivered": chance,
        "p_paid_if_delivered": 0.996,
        "reason": reason,
    }


def shown(metric, values, payment="April 2015 payment", **decided):
    one = Decision("X1", metric, "2015-04", **decided)
    rows = [step(value, value - 100.0) for value in values] if isinstance(values[0], float) else values
    page = slider("a", payment, rows, METRICS[metric], one, "March 2014", "ambition")
    box = BeautifulSoup(page, "html.parser").div
    texts = json.loads(box["data-texts"])
    steps = [[texts[place] for place in line] for line in json.loads(box["data-steps"])]
    return steps, int(box.input["value"]), [span.get_text(strip=True) for span in box.find_all("span")]


def test_a_step_says_what_check_says():
    steps, _, headings = shown(RATE, [97.0])
    told = dict(zip(headings, steps[0], strict=True))
    assert told == {
        "Verdict": "No more than chance.",
        "Ambition": "97.0 (−3.0%)",
        "Delayed days a month": "36 fewer",
        "Payment line": "97.9",
        "Paid if nothing is done": "about 4 in 10",
        "Paid if half is delivered": "about 4 in 10",
        "Paid if delivered in full": "more than 19 in 20",
    }


def test_what_is_missing_is_said_to_be_none_and_why():
    steps, *_ = shown(RATE, [step(101.0, 1.0, "not_an_improvement", NAN, NAN)])
    assert steps[0][2:6] == ["12 more", "none", "none", "none"]
    row = step(97.0, -3.0, "cannot_be_assessed", 97.9, NAN, "counts are too small: under 60")
    steps, *_ = shown(RATE, [row])
    assert steps[0][0] == "Cannot be assessed. Counts are too small. Under 60."


def test_a_scheme_that_pays_nothing_speaks_of_what_is_reached():
    steps, _, headings = shown(RATE, [97.0], payment="")
    assert "Payment line" not in headings
    assert headings[-1] == "Reached if delivered in full"
    assert len(steps[0]) == len(headings)


@pytest.mark.parametrize(
    ("metric", "decided", "start"),
    [
        (RATE, {"target_value": 97.3}, 97.0),
        (RATE, {"recommended_from": 98.0}, 98.0),
        (RATE, {"target_value": 50.0}, 96.0),
        (RATE, {}, 100.0),
        (SHARE, {"target_value": 97.3}, 98.0),
        (SHARE, {"target_value": 120.0}, 102.0),
    ],
)
def test_it_begins_at_the_first_step_that_is_hard_enough(metric, decided, start):
    values = [96.0, 97.0, 98.0, 99.0, 100.0, 101.0, 102.0]
    assert values[shown(metric, values, **decided)[1]] == start
