"""Where areas stand: counted by hand, and against a plain loop over the example areas."""

import numpy as np
import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.example.data import example_data
from bcfstats.judge.assessment import assess
from bcfstats.judge.standings import OTHERS, nation, peers_of, standings

LOWER, HIGHER = "care_home_admissions", "reablement"


def table(values, metric=LOWER, payment="2015-10", period="2014-04/2015-03", present=12):
    return pd.DataFrame(
        {
            "area_code": [f"X{i}" for i in range(len(values))],
            "area_name": [f"Area {i}" for i in range(len(values))],
            "metric": metric,
            "payment": payment,
            "outcome_period": period,
            "outcome_whole_value": np.array(values, dtype=float),
            "outcome_whole_lower": np.array(values, dtype=float) - 1,
            "outcome_whole_upper": np.array(values, dtype=float) + 1,
            "outcome_denominator": np.arange(1.0, 1 + len(values)),
            "outcome_n_present": present,
            "outcome_n_expected": 12,
            "outcome_reason": "",
        }
    )


def areas(regions):
    return pd.DataFrame({"area_code": [f"X{i}" for i in range(len(regions))], "region": list(regions)})


def row(found, code):
    return found.loc[found["area_code"] == code].squeeze()


@pytest.mark.parametrize(("metric", "better", "in_region"), [(LOWER, 3, 1), (HIGHER, 2, 1)])
def test_counts_by_hand_follow_the_polarity(metric, better, in_region):
    """X4 has 40 among 10, 20, 30, 50, 60; in its region are 30 and 50."""
    found, peers = standings(table([10, 20, 30, 60, 40, 50], metric), areas("NNSNSS"), METRICS)
    own = row(found, "X4")
    assert (own["value"], own["n_areas"], own["n_better"]) == (40, 6, better)
    assert (own["lower"], own["upper"]) == (39, 41)
    assert (own["group"], own["n_group"], own["n_group_better"]) == ("S", 2, in_region)
    assert (own["lowest"], own["median"], own["highest"]) == (10, 35, 60)
    assert (own["p25"], own["p90"]) == (22.5, 55)  # 1 + 5/4 and 1 + 5 * 0.9 steps into the sorted values
    mine = peers_of("X4", found, peers).set_index("peer")["value"]
    assert mine.to_dict() == {"Area 2": 30, "Area 5": 50}


def test_all_areas_together_are_their_sum_over_their_people():
    """10 x 1 + 20 x 2 + 60 x 4 + 40 x 5 over 12: the third has no figure."""
    found, _ = standings(table([10, 20, np.nan, 60, 40]), areas("NNSNS"), METRICS)
    assert found["together"].tolist() == pytest.approx([490 / 12] * 5, rel=1e-12)
    for metric in ("falls_injuries", "avoidable_admissions"):
        other, _ = standings(table([10, 20, 30], metric), areas("NNN"), METRICS)
        assert other["together"].isna().all()


def test_england_is_as_published_and_nothing_where_it_is_not():
    found, _ = standings(table([10, 20, 30, 60]), areas("NNSN"), METRICS)
    metric, period = found.loc[0, ["metric", "period"]]
    days = Period.parse(period)
    row = {"area_code": "E92000001", "area_name": "England", "metric": metric, "frequency": "year"}
    row |= {"period_start": pd.Timestamp(days.start), "period_end": pd.Timestamp(days.end), "status": "ok"}
    row |= {"numerator": 610.7, "denominator": 100000.0, "value": 610.7, "basis": "", "status_note": ""}
    row |= {"lower_ci": np.nan, "upper_ci": np.nan, "vintage": "", "source": "made up"}
    published = pd.DataFrame([row])
    assert nation(published, found) == {metric: (period, 610.7)}
    assert nation(published.assign(area_code="E12000001"), found) == {}
    assert nation(published.iloc[:0], found) == {}


def test_equals_are_not_better():
    found, _ = standings(table([5, 5, 5]), areas("NNN"), METRICS)
    assert found["n_better"].tolist() == [0, 0, 0]


def test_areas_without_a_whole_figure_count_nowhere_and_say_why():
    rows = table([10, np.nan, 30, 20])
    rows.loc[1, "outcome_reason"] = "it is marked suppressed"
    rows.loc[3, ["outcome_n_present", "outcome_whole_value"]] = 9, np.nan
    found, peers = standings(rows, areas("NNNN"), METRICS)
    assert row(found, "X0")["n_areas"] == 2
    assert row(found, "X1")[["value", "lower", "upper", "n_better", "n_group"]].isna().all()
    assert row(found, "X1")["reason"] == "it is marked suppressed"
    assert row(found, "X3")["reason"] == "some of its window has no usable figure"
    assert set(peers["peer"]) == {"Area 0", "Area 2"}
    assert found["highest"].tolist() == [30] * 4


def test_last_window_that_many_areas_have_is_used():
    old = table([1, 2, 3, 4], payment="2015-04", period="2013-04/2014-03")
    full, thin = table([5, 6, 7, np.nan]), table([np.nan, np.nan, np.nan, 9], payment="latest")
    found, _ = standings(
        pd.concat([old, full, thin.assign(outcome_period="2015-04/2016-03")]), areas("NNNN"), METRICS
    )
    assert set(found["period"]) == {"2014-04/2015-03"}


def test_area_alone_in_its_region_is_set_beside_all_where_they_are_few():
    found, peers = standings(table([1, 2, 3]), areas("ABC"), METRICS)
    assert [len(peers_of(code, found, peers)) for code in ("X0", "X1", "X2")] == [2, 2, 2]
    found, peers = standings(table(range(40)), areas(["A"] + ["B"] * 39), METRICS)
    assert row(found, "X0")["group"] == ""
    assert peers_of("X0", found, peers).empty
    assert OTHERS not in set(found["group"])


def test_nothing_to_compare_is_nothing_at_all():
    found, peers = standings(pd.DataFrame(), areas("N"), METRICS)
    assert found.empty
    assert peers.empty
    found, peers = standings(table([np.nan] * 3), areas("NNN"), METRICS)
    assert found["value"].isna().all()
    assert peers.empty


def test_example_areas_are_counted_as_a_plain_loop_counts_them():
    data = example_data(n_areas=12)
    results = assess(data.of("delayed_transfers", "reablement", "care_home_admissions"))
    regions = results.areas.set_index("area_code")["region"]
    for own in results.standings.to_dict("records"):
        rows = results.windows.loc[
            (results.windows["metric"] == own["metric"]) & (results.windows["payment"] == own["payment"])
        ]
        whole = rows.dropna(subset=["outcome_whole_value"])
        values = dict(zip(whole["area_code"], whole["outcome_whole_value"], strict=True))
        code, sign = own["area_code"], 1 if METRICS[own["metric"]].polarity == "lower" else -1
        if code not in values:
            assert own["reason"]
            continue
        assert own["n_better"] == sum(sign * x < sign * values[code] for x in values.values())
        assert own["median"] == pytest.approx(np.median(list(values.values())), rel=1e-12)
        near = [x for other, x in values.items() if regions[other] == regions[code] and other != code]
        if own["group"] == regions[code]:
            assert own["n_group"] == len(near)
            assert own["n_group_better"] == sum(sign * x < sign * values[code] for x in near)
