import numpy as np
import pandas as pd
import pytest

from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.progress import progress
from tests.judge.made_up import panel


def goals(line, areas=("X00",), **given):
    return pd.DataFrame(
        {"area_code": list(areas), "metric": "delayed_transfers", "payment": "2015-04", "payment_line": line}
    ).assign(**given)


@pytest.fixture(scope="module")
def rows():
    return panel(months=57, wander=0.01)  # April 2010 to December 2014


def level(rows, area="X00", first="2014-04", last="2014-12"):
    own = rows.loc[(rows["area_code"] == area) & rows["period_start"].between(f"{first}-01", f"{last}-01")]
    return own["numerator"].mean() / 200_000 * 100_000


def test_when_all_months_are_known_the_line_is_reached_or_not(rows):
    outcome = level(rows)
    found = progress(rows, goals(outcome)).iloc[0]
    assert found["outcome"] == pytest.approx(outcome)
    assert found["status"] == "reached"
    assert progress(rows, goals(outcome - 0.01)).iloc[0]["status"] == "not reached"


@pytest.mark.parametrize(
    ("factor", "status"), [(1.3, "on track"), (0.7, "off track"), (1.0, "too early to say")]
)
def test_half_way_through_it_is_on_track_off_track_or_too_early(rows, factor, status):
    half = progress(rows, goals(level(rows)), known_until="Jul 2014").iloc[0]
    found = progress(rows, goals(half["outcome"] * factor), known_until="Jul 2014").iloc[0]
    assert (found["months_known"], found["months"]) == (4, 9)
    assert found["status"] == status
    assert found["lower"] < found["outcome"] < found["upper"]


def test_months_so_far_are_compared_with_the_same_months_before(rows):
    found = progress(rows, goals(100.0), known_until="Jul 2014").iloc[0]
    assert found["so_far"] == pytest.approx(level(rows, last="2014-07"))
    assert found["same_months_before"] == pytest.approx(level(rows, first="2013-04", last="2013-07"))


def test_later_months_are_not_used(rows):
    cut = rows.loc[rows["period_start"] <= "2014-07-01"]
    all_of_it, part = (
        progress(given, goals(480.0), known_until="Jul 2014")[["outcome", "chance"]] for given in (rows, cut)
    )
    pd.testing.assert_frame_equal(all_of_it, part)


def test_chances_near_the_end_are_right_more_often_than_early_on(rows):
    """The outcome lies inside the 80 % limits of most areas, and the limits narrow month by month."""
    areas = [f"X{i:02d}" for i in range(40)]
    truth = np.array([level(rows, area) for area in areas])
    widths = []
    for month in ("May 2014", "Aug 2014", "Nov 2014"):
        found = progress(rows, goals(truth, areas), known_until=month)
        inside = (found["lower"] <= truth) & (truth <= found["upper"])
        assert inside.mean() > 0.65
        widths.append((found["upper"] - found["lower"]).median())
    assert widths[0] > widths[1] > widths[2]


def test_nothing_known_and_a_missing_month_say_so(rows):
    before = rows.loc[rows["period_start"] < "2014-04-01"]
    early = progress(before, goals(480.0)).iloc[0]
    assert early["status"] == "too early to say"
    assert "No month of the window" in early["sentence"]
    gap = rows.loc[~((rows["area_code"] == "X00") & (rows["period_start"] == "2014-05-01"))]
    assert progress(gap, goals(480.0), known_until="Jul 2014").iloc[0]["status"] == "cannot be told"
    assert progress(rows, goals(480.0, ["X99"])).iloc[0]["status"] == "cannot be told"


def test_sentences_are_short_and_wrong_tables_are_refused(rows):
    for until in ("Jul 2014", "Dec 2014"):
        for part in progress(rows, goals(480.0), known_until=until)["sentence"][0].split(". "):
            assert len(part.split()) <= 25
    with pytest.raises(InputError, match="payment_line"):
        progress(rows, goals(480.0).drop(columns="payment_line"))
    with pytest.raises(ParameterError, match="monthly"):
        progress(rows, goals(480.0, metric="reablement", payment="2015-10"))
