"""The page of `validate`: the numbers of its tables, and a diagram that can be parsed."""

from xml.etree import ElementTree

import pandas as pd
import pytest

from bcfstats.judge.validation import Validation
from bcfstats.show.validation_page import reliability_svg, validation_page
from bcfstats.stats.forecast import METHOD
from bcfstats.stats.placebo import METHODS


@pytest.fixture
def validation():
    placebo = pd.DataFrame(
        [
            {
                "window": 9,
                "national_removed": False,
                "start": start,
                "areas": areas,
                "method": method,
                "two_sided": share,
                "falls": share / 2,
            }
            for start, areas, share in (("2014-01", 140, 0.04), ("2014-02", 150, 0.06))
            for method in METHODS
        ]
    )
    base = {"first": 4, "last": 12}
    origins = [pd.Timestamp("2013-12-31"), pd.Timestamp("2014-01-31")]
    errors = [(METHOD, 0.9), (METHOD, 0.7), ("same months last year", 1.0), ("same months last year", 1.0)]
    forecast = pd.DataFrame(
        [
            {**base, "origin": origins[i % 2], "areas": 140, "method": m, "mase": e}
            for i, (m, e) in enumerate(errors)
        ]
    )
    coverage = pd.DataFrame(
        [
            {**base, "origin": origin, "areas": 140, "level": 0.8, "covered": c}
            for origin, c in zip(origins, (0.7, 0.9), strict=True)
        ]
    )
    reliability = pd.DataFrame(
        {
            "first": [4, 4, 1, 1],
            "last": 9,
            "england_known": False,
            "given": [0.1, 0.6, 0.2, float("nan")],
            "happened": [0.2, 0.5, 0.0, float("nan")],
            "predictions": [30, 10, 10, 0],
        }
    )
    scores = pd.DataFrame([{**base, "method": METHOD, "crps": 0.15, "brier": 0.125}])
    return Validation("Made up", "150 areas", placebo, forecast, coverage, reliability, scores)


def test_tables(validation):
    page = validation_page([validation])
    assert "| 9 months | as published | 2 | 140 to 150 | 5.0 | 5.0 | 5.0 | 5.0 | 4.0 to 6.0 | 2.5 |" in page
    assert "| months 4 to 12 ahead | 2 | 0.800 | 1.000 | 0.80 |" in page
    assert "| months 4 to 12 ahead | 80% | 80.0 | 70.0 to 90.0 | 70 90 |" in page
    assert "every origin in turn from December 2013" in page
    # the first bins of both windows: (30 x 0.1 + 10 x 0.2) / 40 given, 30 x 0.2 / 40 happened
    assert "| as it is usually | 12.5 | 15.0 | 40 |" in page
    assert "| as it is usually | 60.0 | 50.0 | 10 |" in page
    assert f"| months 4 to 12 ahead | {METHOD} | 0.1500 | 0.1250 |" in page


def test_diagram(validation):
    picture = ElementTree.fromstring(reliability_svg(validation.reliability, "Reliability & more"))
    namespace = "{http://www.w3.org/2000/svg}"
    dots = picture.findall(f"{namespace}circle")
    assert len(dots) == 2
    # chance 60 %, happened 50 %: 0.6 along, half way up a square of 320 from 48
    assert float(dots[1].get("cx")) == pytest.approx(48 + 0.6 * 320, abs=0.1)
    assert float(dots[1].get("cy")) == pytest.approx(48 + 0.5 * 320, abs=0.1)
    assert picture.find(f"{namespace}title").text == "Reliability & more"
