from bcfstats.define.metrics import METRICS
from bcfstats.show import sentences


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
        "matched_months": 9.0,
        "outcome_n_expected": 9,
    }
    words = " ".join([sentences.finding(row, metric), sentences.change(row), sentences.held_against(row)])
    assert "significant" not in words
    assert "beyond noise within the two periods" in words
    assert "change from year to year" in words


def test_window_that_is_not_complete_says_so():
    row = {
        "baseline_period": "2014-01/2014-06",
        "outcome_period": "2015-01/2015-06",
        "matched_months": 3.0,
        "matched": "January to March 2015",
        "outcome_n_expected": 6,
    }
    named = "January to June 2015 (only January to March 2015)"
    assert sentences.windows(row) == ("January to June 2014", named)
