import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.show import sentences

NAN = float("nan")


def test_no_sentence_calls_a_change_of_delayed_days_significant():
    metric = METRICS["delayed_transfers"]
    row = {
        "baseline_period": "2013-04/2013-12",
        "outcome_period": "2014-04/2014-12",
        "finding": "worse",
        "change": 20.2,
        "change_unit": "%",
        "change_lower": 8.0,
        "change_upper": 33.0,
        "change_reason": "",
        "finding_against": "noise within the two periods only",
        "q_value": 0.01,
        "matched_months": 9.0,
        "outcome_n_expected": 9,
    }
    words = " ".join([sentences.title(row, metric), sentences.change(row), sentences.held_against(row)])
    assert "significant" not in words
    assert "got worse: up 20.2%" in words
    assert "noise within the two periods only" in words
    assert "change from year to year" in words


def test_window_that_is_not_complete_says_so():
    row = {
        "baseline_period": "2014-01/2014-06",
        "outcome_period": "2015-01/2015-06",
        "matched_months": 3.0,
        "matched": "January to March 2015",
        "outcome_n_expected": 6,
    }
    assert sentences.windows(row) == (
        "January to June 2014",
        "January to June 2015 (only January to March 2015)",
    )


LEVEL = {
    "outcome_period": "2015-01/2015-06",
    "outcome_value": 514.3,
    "outcome_lower": 410.3,
    "outcome_upper": 644.8,
    "outcome_n_present": 3,
    "outcome_n_expected": 6,
    "outcome_missing": "April 2015; May 2015; June 2015",
    "periods": "months",
}


def test_level_of_some_months_names_those_it_is_without():
    words = sentences.level(LEVEL, METRICS["delayed_transfers"], "outcome")
    assert words.startswith(
        "In January to June 2015 (3 of 6 months, without April 2015; May 2015; June 2015) it was 514.3"
    )


OUTLOOK = {"minimum_significant": 92.0, "detectable": 97.0, "expected_lower": 70.0, "reason": ""}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "An outcome of 92.0% would just be significant against usual movement. A true level of 97.0%"),
        ({"detectable": NAN}, "No possible level would be found significant with 80% power."),
        ({"minimum_significant": NAN}, "No value that is possible would be a significant improvement"),
        (
            {"minimum_significant": NAN, "reason": "no interval is published"},
            "What would be significant cannot be worked out: no interval is published.",
        ),
        ({"minimum_significant": NAN, "expected_lower": NAN}, "usually move between years is not known."),
    ],
)
def test_impossible_and_not_computable_are_different_answers(changed, words):
    assert words in sentences.needed(OUTLOOK | changed, METRICS["reablement"])
