"""Reports of areas whose targets cannot be judged, or ask for anything: every part is still written."""

import numpy as np
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.example.data import example_data
from bcfstats.judge.assessment import assess
from bcfstats.show.report import open_report
from tests.judge.made_up import targets

FALLS = "falls_injuries"
PARTS = ("decision", "glance", "summary", "sections", "data_notes", "how_made")


@pytest.fixture(scope="module")
def run():
    """A run in which no area has figures of falls; the first area has a target for them and no other."""
    random, data = np.random.default_rng(1), example_data(n_areas=4)
    first, *others = data.areas["area_code"].tolist()
    sizes = [-100.0, -20.0, 0.0, 3.5, 1e6]
    rows = [{"area_code": first, "metric": FALLS, "payment": "2016/17", "change_percent": -5.0}]
    rows += [
        {"area_code": code, "metric": metric, "payment": payment, "change_percent": random.choice(sizes)}
        for code in others
        for metric in METRICS
        for payment in ("2015-04", "2015-10", "2014/15", "2016/17")
    ]
    kept = data.observations.loc[data.observations["metric"] != FALLS]
    data = type(data)(kept, data.areas, data.others, data.manifest)
    return assess(data, targets=targets(rows)), [first, *others]


@pytest.mark.slow
def test_every_part_of_every_report_is_written(run):
    results, areas = run
    for code in areas:
        report = open_report(code, results)
        for name in PARTS:
            assert "nan" not in str(getattr(report, name)()).split()


@pytest.mark.slow
def test_a_target_for_a_metric_without_figures_is_named_and_ends_no_report(run):
    results, areas = run
    page = str(open_report(areas[0], results).decision())
    assert f"<strong>{METRICS[FALLS].short_name}:</strong> There are no figures for this area." in page
