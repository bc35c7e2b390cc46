"""Cards of decisions: one each, those with nothing to decide last; and what leads the first screen."""

from bcfstats.define.metrics import METRICS
from bcfstats.example.data import example_data
from bcfstats.judge.assessment import assess
from bcfstats.judge.results import BETTER, WORSE
from bcfstats.show.decisions import lead


def test_the_clearest_changes_lead_and_others_are_not_named():
    results = assess(example_data(n_areas=6))
    code = results.areas["area_code"][0]
    rows = results.windows.loc[results.windows["area_code"] == code].to_dict("records")
    lines = list(lead(rows, [], METRICS))
    for finding in (WORSE, BETTER):
        named = [METRICS[row["metric"]].short_name for row in rows if row["finding"] == finding]
        told = [line for line in lines if f" got {finding}: " in line]
        assert len(told) == bool(named)
        assert all(line.startswith(tuple(named)) for line in told)
    assert lines[-1] == "No target can be recommended."


def test_nothing_clear_is_said_to_be_so():
    assert next(lead([], [], METRICS)) == "No metric is clearly better or worse than a year before."
