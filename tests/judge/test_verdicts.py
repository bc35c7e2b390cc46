"""Every sentence of a verdict, from numbers chosen by hand; and chances as natural frequencies."""

import numpy as np
import pandas as pd
import pytest

from bcfstats.judge.targets import NO_VALUE, NOT_KNOWN, Cutoffs, Proposal
from bcfstats.judge.verdicts import Missing, cannot, sentences, words_of
from tests.judge.made_up import an_outlook

NAN = float("nan")
DAYS = {
    "verdict": "within_noise",
    "target_value": 965.04,
    "baseline_value": 1000.0,
    "baseline_numerator": np.nan,
    "ambition_percent": -3.5,
    "ambition_per_month": 35.4,
    "do_nothing_value": 1012.0,
    "do_nothing_lower": 890.4,
    "do_nothing_upper": 1150.2,
    "noise_p": 0.2,
    "history_p": 0.3,
    "significant_vs_noise": False,
    "significant_vs_history": False,
    "minimum_significant_value": 822.0,
    "p_paid_do_nothing": 0.284,
    "p_paid_england_better": 0.47,
    "p_paid_england_worse": 0.12,
    "p_paid_no_change": 0.3,
    "p_paid_if_half_delivered": 0.4,
    "p_paid_if_delivered": 0.5,
    "payment_line": 975.5,
    "reach": 0.34,
    "reach_lower": 0.291,
    "reach_upper": 0.389,
    "reach_areas": 152.0,
    "challenging_value": 901.25,
}


def explain(metric="delayed_transfers", why="", slows=False, projected=False, no_challenge=NO_VALUE, **given):
    nothing, no_text = np.zeros(1), np.array([""])
    flags = (np.array([flag]) for flag in (True, projected, not slows, True))
    target = Proposal(nothing, nothing, *flags, nothing, no_text, no_text)
    frame = pd.DataFrame([{**DAYS, **given}])
    missing = Missing(*(np.array([text], dtype=object) for text in (why, no_challenge)))
    return sentences(frame, an_outlook(metric), target, missing, Cutoffs())[0]


def test_a_target_no_more_than_chance_word_for_word():
    assert explain() == (
        "No more than chance: a change of this size comes about by itself between two such periods. "
        "Delayed transfers of care: the target for April to December 2014 is 965.0, "
        "the baseline of April to December 2013 1,000.0. "
        "Figures are delayed days per 100,000 people aged 18 and over, average per month. "
        "The target is 3.5 % below the baseline. "
        "That is 35 fewer delayed days a month than at the baseline rate. "
        "If nothing is done, about 1,012.0 is expected; "
        "in 80 of 100 such forecasts between 890.4 and 1,150.2. "
        "The change asked for is no larger than chance within the two periods explains. "
        "It is no larger than such figures usually move between years when nothing is targeted. "
        "To stand out from that, 822.0 or lower would be needed. "
        "If nothing is done, about 3 in 10 areas like this would still reach the payment line of 975.5. "
        "With all England one usual movement worse, about 1 in 10 would; with it better, about 5 in 10. "
        "If the level stayed at the baseline, about 3 in 10 would. "
        "If the plan delivers in full, about 5 in 10 would; if it delivers half, about 4 in 10. "
        "In 152 areas over 2010/11 to 2013/14, 34 in 100 yearly changes were as good "
        "(95% interval 29 to 39). "
        "At a target of 901.2 or lower it would be beyond chance, "
        "and at most 20 in 100 paid for doing nothing."
    )


def test_a_share_that_is_better_higher_has_its_own_words():
    told = explain("reablement", target_value=86.0, baseline_value=80.0, ambition_percent=7.5)
    assert "is 86.0%, the baseline of April to December 2013 80.0%." in told
    assert "7.5 % above the baseline" in told
    assert "35 more people at home a month" in told
    assert "822.0% or higher would be needed" in told
    assert "Figures are" not in told


@pytest.mark.parametrize(
    ("metric", "events"),
    [
        ("care_home_admissions", "admissions"),
        ("dementia_diagnosis", "people diagnosed"),
        ("patient_experience", "people"),
    ],
)
def test_what_is_counted_has_its_name(metric, events):
    assert f" {events} a month" in explain(metric)


@pytest.mark.parametrize(
    ("each", "words"), [(9.96, "10.0 fewer"), (10.0, "10 fewer"), (0.4, "0.4 fewer"), (1234.5, "1,234 fewer")]
)
def test_numbers_below_ten_keep_a_decimal(each, words):
    assert f"That is {words} delayed days a month" in explain(ambition_per_month=each)


@pytest.mark.parametrize("each", [0.0, -3.0, NAN])
def test_no_events_saved_are_not_mentioned(each):
    assert "That is" not in explain(ambition_per_month=each, events_better=each)


def test_people_of_a_sample_are_not_told_by_the_month():
    told = explain("reablement", ambition_per_month=NAN, events_better=2.4)
    assert "That is 2.4 more people at home than at the baseline rate." in told


@pytest.mark.parametrize(
    ("percent", "words"),
    [(0.04, "level with"), (-0.04, "level with"), (0.05, "0.1 % above"), (-0.06, "0.1 % below")],
)
def test_a_change_that_rounds_to_nothing_is_level(percent, words):
    assert f"The target is {words} the baseline." in explain(ambition_percent=percent)


def test_what_stands_out_is_larger_than_chance_and_than_usual_movement():
    told = explain(
        verdict="challenging_and_achievable", significant_vs_noise=True, significant_vs_history=True
    )
    assert "is larger than chance within the two periods" in told
    assert "It is larger than such figures usually move" in told
    assert "alone will not prove" not in told
    unknown = explain(noise_p=NAN, minimum_significant_value=NAN)
    assert "The change asked for" not in unknown
    assert "No value that is possible would stand out from that." in unknown


def test_what_could_not_be_worked_out_is_not_told_as_impossible():
    told = explain(history_p=NAN, minimum_significant_value=NAN)
    assert "How such figures usually move between years cannot be worked out." in told
    assert "no larger than such figures" not in told
    assert "would stand out" not in told
    impossible, unknown = (explain(challenging_value=NAN, no_challenge=why) for why in (NO_VALUE, NOT_KNOWN))
    assert "No value that is possible would be beyond chance" in impossible
    assert "cannot be worked out" in unknown
    assert "No value that is possible would be beyond" not in unknown


def test_a_target_without_a_payment_line_has_no_chances():
    nothing = dict.fromkeys(("payment_line", "p_paid_do_nothing", "p_paid_no_change"), NAN)
    told = explain(verdict="not_an_improvement", **nothing)
    assert "no payment line and no chance of payment: it is no improvement on the baseline." in told
    assert "areas like this" not in told
    assert "no improvement on what is expected" in explain(
        verdict="beaten_by_trend", projected=True, **nothing
    )


def test_what_is_known_is_told_where_only_the_history_is_too_short():
    """Chances are known: they are told, after what is missing, and nothing says that nothing can be said."""
    row = {"verdict": "cannot_be_assessed", "why": "too little history"}
    told = explain(verdict=row["verdict"], why="there is too little history to tell what is achievable")
    assert told.startswith("There is too little history to tell what is achievable. Delayed transfers")
    assert "about 3 in 10 areas like this would still reach" in told
    assert words_of({**DAYS, **row}) == "cannot be assessed in full"
    assert words_of({**DAYS, **row, "p_paid_do_nothing": NAN}) == "cannot be assessed"


def test_growth_slowed_is_told_where_the_target_was_not_set_against_projected_demand():
    assert "It would slow growth, not improve on the baseline" in explain(slows=True)
    assert "slow growth" not in explain(slows=True, projected=True)
    told = explain(projected=True, target_value=981.64, do_nothing_value=1012.0)
    # 981.64 / 1012 = 0.97
    assert "From the forecast it is −3.0 %, from the baseline −3.5 %." in told


@pytest.mark.parametrize(
    ("paid", "seen", "borderline"),
    [(0.20, 0.05, False), (0.21, 0.05, True), (0.20, 0.04, True), (0.1, 0.5, False)],
)
def test_borderline_begins_beyond_twenty_in_100_and_below_five_in_100(paid, seen, borderline):
    told = explain(verdict="challenging_and_achievable", p_paid_do_nothing=paid, reach=seen)
    assert ("This is borderline" in told) is borderline
    assert "alone will not prove" in told
    assert "paid for doing nothing" not in told


def test_only_what_is_unprecedented_is_hard_to_believe():
    assert explain(verdict="unprecedented").endswith("would be easier to believe.")
    assert "easier to believe" not in explain(verdict="challenging_and_achievable")


def test_a_target_that_is_no_improvement_is_not_tested():
    told = explain(verdict="not_an_improvement")
    for words in ("chance within", "usually move", "yearly changes"):
        assert words not in told
    assert "At a target of 901.2 or lower" in told
    assert "No value that is possible would be beyond chance" in explain(challenging_value=NAN)


def test_reach_of_one_area_and_of_none():
    assert "In 1 area over" in explain(reach_areas=1.0)
    assert "yearly changes" not in explain(reach=NAN)


def test_what_cannot_be_assessed_says_why_and_shows_its_baseline_where_there_is_one():
    none = {"verdict": "cannot_be_assessed", "p_paid_do_nothing": NAN}
    told = explain(why="no month has a figure", **none)
    assert told.startswith("This cannot be assessed. No month has a figure. Delayed transfers of care: ")
    without = explain(why="no figure", **none, baseline_value=NAN)
    assert without == "This cannot be assessed. No figure."


def test_long_reasons_are_cut_into_sentences_of_25_words():
    found = list(cannot(" ".join(["word"] * 52)))[1:]
    assert [len(part.split()) for part in found] == [25, 25, 2]
    assert all(part.startswith("Word") and part.endswith(".") for part in found)
