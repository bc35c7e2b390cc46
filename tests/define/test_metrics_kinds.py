"""What each kind of statistic is, held against the definitions of the publishers."""

import pytest

from bcfstats.define.metrics import KINDS, METRICS


def named(what):
    return {name for name, kind in KINDS.items() if getattr(kind, what)}


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("is_share", {"proportion", "survey_proportion"}),
        ("is_counted_share", {"proportion"}),
        ("is_survey", {"survey_proportion", "mean"}),
        ("counts_people", {"proportion", "ratio_of_counts", "survey_proportion", "mean"}),
        ("gives_numerator_away", {"crude_rate", "proportion", "ratio_of_counts", "survey_proportion"}),
        ("is_exact", {"crude_rate", "proportion", "ratio_of_counts"}),
        ("tells_events", {"crude_rate", "proportion", "ratio_of_counts", "modelled_ratio"}),
        ("per_resident", {"crude_rate", "directly_standardised_rate", "indirectly_standardised_rate"}),
        ("needs_population", {"crude_rate"}),
    ],
)
def test_facts_of_each_kind(what, names):
    assert named(what) == names


def test_only_rates_and_ratios_of_counts_are_told_in_per_cent():
    assert {name for name, kind in KINDS.items() if kind.change == "ratio"} == {
        "crude_rate",
        "ratio_of_counts",
        "directly_standardised_rate",
        "indirectly_standardised_rate",
    }


def test_every_metric_has_a_kind_and_values_within_its_bounds():
    for metric in METRICS.values():
        lowest, highest = metric.bounds
        assert lowest == 0
        assert highest > 0
        assert (highest <= metric.multiplier) == metric.kind.is_share or metric.kind.is_survey


def test_scores_end_where_the_questionnaire_does():
    # ASCOF 1A adds eight questions of 0 to 3, 1D six of 0 to 2
    assert METRICS["care_related_quality_of_life"].bounds == (0, 24)
    assert METRICS["carer_quality_of_life"].bounds == (0, 12)
