"""The same figure in several files."""

import pandas as pd

from bcfstats.read.observations import OBSERVATION_TYPES, typed
from bcfstats.read.settle import settle_vintages


def row(numerator, vintage=None, source="a.xls", month="2014-05"):
    return {"area_code": "E08000035", "area_name": "Leeds", "metric": "delayed_transfers", "vintage": vintage,
            "period_start": f"{month}-01", "period_end": pd.Timestamp(month) + pd.offsets.MonthEnd(0),
            "numerator": numerator, "status": "ok", "source": source}  # fmt: skip


def settle(*rows):
    return settle_vintages(typed(rows, OBSERVATION_TYPES))


def test_the_latest_vintage_counts_and_it_is_said():
    settled = settle(row(10, "2014-10-01"), row(12, "2015-04-01", "b.xls"), row(5, month="2014-06"))
    assert settled.frame["numerator"].tolist() == [12, 5]
    assert settled.replaced == ("1 rows of a.xls (2014-10-01) gave way to b.xls (2015-04-01).",)
    assert settled.conflicts == ()


def test_equal_figures_of_one_vintage_are_kept_once():
    settled = settle(row(10, "2014-10-01"), row(10, "2014-10-01", "b.xls"))
    assert settled.frame["source"].tolist() == ["a.xls"]
    assert settled.conflicts == ()


def test_different_figures_of_one_vintage_are_both_left_out_and_named():
    settled = settle(row(10), row(12, source="b.xls"), row(5, month="2014-06"))
    assert settled.frame["numerator"].tolist() == [5]
    assert settled.conflicts == (
        "Leeds (E08000035), delayed_transfers, May 2014: 10 (a.xls) and 12 (b.xls) differ; neither was kept.",
    )


def test_a_figure_without_a_date_gives_way():
    assert settle(row(10), row(12, "2014-10-01", "b.xls")).frame["numerator"].tolist() == [12]


def test_a_file_that_says_less_and_agrees_takes_nothing_away():
    counts = row(113, source="b.csv") | {"denominator": 17_082.0, "value": 661.5}
    value = row(None, source="a.csv") | {"value": 661.5}
    missing = row(None, source="c.csv") | {"status": "not_available"}
    for rows in ([value, counts, missing], [missing, counts, value], [counts, value]):
        settled = settle(*rows)
        assert settled.conflicts == ()
        assert settled.frame[["numerator", "value", "source"]].values.tolist() == [[113, 661.5, "b.csv"]]
    differ = settle(counts, value | {"value": 662.0})
    assert differ.frame.empty
    (told,) = differ.conflicts
    assert "value 661.5 (b.csv) and 662 (a.csv) differ" in told  # like with like, not a count and a rate
