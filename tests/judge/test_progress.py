from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.panel import monthly_panel
from bcfstats.judge.progress import progress
from bcfstats.stats.forecast import do_nothing_forecast
from bcfstats.stats.history import monthly_prior
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


def to_july(rows, people):
    """Events so far, and the forecast of August to December over so many people."""
    known = monthly_panel(rows.loc[rows["period_start"] <= "2014-07-01"], METRICS["delayed_transfers"])
    days = np.array([31.0, 30, 31, 30, 31]) * people
    ahead = do_nothing_forecast(
        known.counts,
        known.exposure,
        known.calendar_months,
        first=1,
        last=5,
        target_exposure=np.tile(days, (40, 1)),
        prior=monthly_prior("delayed_transfers", 5),
    )
    return known.counts[:, -4:].sum(axis=1), ahead


def test_outcome_is_the_months_so_far_and_the_forecast_of_the_rest(rows):
    """Four months counted, five forecast from the months before them: per month of nine, per 100,000."""
    found = progress(rows, goals([450.0, 500.0], ["X03", "X00"]), known_until="Jul 2014")
    done, ahead = to_july(rows, 200_000)
    for i, place, line in ((0, 3, 450.0), (1, 0, 500.0)):
        low, high = (limit[place] for limit in ahead.interval(0.8))
        expected = [(done[place] + part) / 9 / 2 for part in (ahead.value[place], low, high)]
        assert found.loc[i, ["outcome", "lower", "upper"]].tolist() == pytest.approx(expected)
        chance = ahead.probability_at_most(np.full(40, line * 9 * 2 - done[place]))[place]
        assert found.loc[i, "chance"] == pytest.approx(chance)


def test_a_metric_that_is_better_higher_has_the_other_side_of_the_chance(rows):
    higher = {**METRICS, "delayed_transfers": replace(METRICS["delayed_transfers"], polarity="higher")}
    low, high = (
        progress(rows, goals(490.0), known_until="Jul 2014", metrics=metrics)["chance"][0]
        for metrics in (METRICS, higher)
    )
    assert low + high == pytest.approx(1.0)
    assert progress(rows, goals(level(rows) - 1), metrics=higher)["status"][0] == "reached"
    assert progress(rows, goals(level(rows) + 1), metrics=higher)["status"][0] == "not reached"


def test_sentences_word_for_word(rows):
    found = progress(rows, goals([600.0, 400.0, np.nan], ["X00", "X01", "X02"]), known_until="Jul 2014")
    about = f"{found['outcome'][0]:.1f}"
    assert found["sentence"][0] == (
        f"Delayed transfers of care: on track. With figures to July 2014, about {about} is expected. "
        "If nothing more changes, more than 99 in 100 areas like this reach the line of 600.0."
    )
    assert "fewer than 1 in 100 areas like this reach the line of 400.0." in found["sentence"][1]
    assert found["sentence"][2] == ("Delayed transfers of care: cannot be told. There is no payment line.")
    done = progress(rows, goals(600.0))["sentence"][0]
    assert done == (
        f"Delayed transfers of care: reached. The outcome is {level(rows):.1f}, the payment line 600.0."
    )


def test_on_track_from_80_in_100_and_off_track_up_to_20_each_line_by_itself(rows):
    areas = sorted(rows["area_code"].unique())
    half = progress(rows, goals(level(rows), areas), known_until="Jul 2014")
    lines = half["lower"] + np.linspace(0, 1, len(areas)) * (half["upper"] - half["lower"])
    found = progress(rows, goals(lines, areas), known_until="Jul 2014")
    expected = np.select([found["chance"] >= 0.8, found["chance"] <= 0.2], ["on track", "off track"],
                         "too early to say")  # fmt: skip
    assert found["status"].tolist() == expected.tolist()
    assert set(expected) == {"on track", "off track", "too early to say"}


def test_two_lines_for_one_board_and_two_figures_for_one_month_are_refused_by_name(rows):
    twice = pd.concat([goals(500.0), goals(480.0, payment="April 2015")])
    with pytest.raises(InputError, match="X00, delayed_transfers, 2015-04"):
        progress(rows, twice)
    with pytest.raises(InputError, match=r"more than one figure.*X00, delayed_transfers, April 2010"):
        progress(pd.concat([rows, rows.head(1).assign(numerator=1.0)]), goals(500.0))


def test_a_year_before_that_was_not_published_is_missing():
    rows = panel(months=57, wander=0.01)
    found = progress(rows.loc[rows["period_start"] >= "2013-06-01"], goals(500.0), known_until="Jul 2014")
    assert np.isnan(found["same_months_before"][0])
    assert found["so_far"][0] == pytest.approx(level(rows, last="2014-07"))


def test_a_population_that_changes_inside_the_window(rows):
    """200,000 people to May, 210,000 from June: the last known while forecasting, the average at the end."""
    grown = rows.assign(denominator=rows["denominator"].where(rows["period_start"] < "2014-06-01", 210_000.0))
    found = progress(grown, goals(500.0), known_until="Jul 2014").iloc[0]
    so_far = grown["period_start"].between("2014-04-01", "2014-07-01") & (grown["area_code"] == "X00")
    assert found["so_far"] == pytest.approx(grown.loc[so_far, "numerator"].mean() / 205_000 * 100_000)
    done, ahead = to_july(grown, 210_000)
    assert found["outcome"] == pytest.approx((done[0] + ahead.value[0]) / 9 / 2.1)
    whole = progress(grown, goals(500.0)).iloc[0]
    assert whole["outcome"] == pytest.approx(level(rows) * 2 / ((2 * 2.0 + 7 * 2.1) / 9))
