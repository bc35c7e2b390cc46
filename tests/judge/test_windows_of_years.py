"""A yearly rate published by quarters and by years that end with each quarter, by hand."""

import numpy as np
import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.judge.baseline import baseline
from bcfstats.judge.patterns import trend_table
from bcfstats.judge.windows import overlap

METRIC = METRICS["long_term_care_home_admissions"]
QUARTERS = ["2024-04/2024-06", "2024-07/2024-09", "2024-10/2024-12", "2025-01/2025-03"]


def rows(area, periods, counts, people=50_000.0):
    spans = [Period.parse(text) for text in periods]
    count = np.array(counts, dtype=float)
    return pd.DataFrame(
        {
            "area_code": area,
            "area_name": area,
            "metric": METRIC.id,
            "period_start": pd.to_datetime([span.start for span in spans]),
            "period_end": pd.to_datetime([span.end for span in spans]),
            "frequency": ["year" if span.n_months == 12 else "quarter" for span in spans],
            "numerator": count,
            "denominator": people,
            "value": count / people * 100_000,
            "lower_ci": np.nan,
            "upper_ci": np.nan,
            "status": "ok",
            "status_note": "",
            "basis": "CLD",
        }
    )


def test_quarters_of_a_yearly_rate_add_up_to_the_year():
    found = baseline(rows("A", QUARTERS, [78, 80, 76, 78]), METRIC, "2024/25").iloc[0]
    assert found["value"] == pytest.approx(624.0)  # 312 of 50,000, not the 156 of an average quarter
    assert (found["numerator"], found["denominator"], found["exposure"]) == (312, 50_000, 50_000)


def test_half_a_year_is_two_quarters_and_two_years_are_an_average_year():
    quarters = rows("A", QUARTERS, [78, 80, 76, 78])
    assert baseline(quarters, METRIC, "Apr-Sep 2024")["value"].iloc[0] == pytest.approx(316.0)
    years = rows("A", ["2024/25", "2025/26"], [312, 300])
    assert baseline(years, METRIC, "Apr 2024 - Mar 2026")["value"].iloc[0] == pytest.approx(612.0)


def test_a_board_with_the_year_and_one_with_quarters_stand_side_by_side():
    both = pd.concat([rows("A", QUARTERS, [78, 80, 76, 78]), rows("B", ["2024/25"], [312])])
    assert baseline(both, METRIC, "2024/25")["value"].tolist() == pytest.approx([624.0, 624.0])


def test_years_that_end_with_each_quarter_are_no_more_points_than_years():
    ends = ["2024-04/2025-03", "2024-07/2025-06", "2024-10/2025-09", "2025-01/2025-12", "2025-04/2026-03"]
    table = rows("A", ends, [312, 310, 308, 306, 304])
    assert overlap(table)
    assert not overlap(rows("A", ["2024/25", "2025/26"], [312, 304]))
    assert trend_table(table, METRIC)["n"].tolist() == [2]
