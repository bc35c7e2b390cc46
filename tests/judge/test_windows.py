"""Figures over windows: hand sums, every frequency against months, and what cannot be added up."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcfstats.define.metrics import METRICS, Metric, load_metrics
from bcfstats.define.periods import Period
from bcfstats.judge.assessment import latest_year
from bcfstats.judge.baseline import baseline, window_figures
from bcfstats.judge.changes import change
from bcfstats.judge.outlooks import Outlooks
from bcfstats.judge.patterns import trend_table
from bcfstats.judge.windows import Grid, in_parts
from bcfstats.read.prepare import prepare
from tests.conftest import PUBLISHED, need
from tests.judge.made_up import panel

CASES = PUBLISHED.parent / "cases" / "metrics"
SHARE, RATE, STOCK = (
    replace(METRICS[name], frequency="month", independent_events=True, nature=nature)
    for name, nature in (
        ("fragility_fracture_recovery", "flow"),
        ("care_home_admissions", "flow"),
        ("dementia_diagnosis", "stock"),
    )
)


def rows(metric: Metric, periods, numerators, denominators, area="X1", **given):
    """Give one area's figures, one a period."""
    frame = pd.DataFrame(
        {
            "period_start": [pd.Timestamp(period.start) for period in periods],
            "period_end": [pd.Timestamp(period.end) for period in periods],
            "numerator": np.array(numerators, dtype=float),
            "denominator": np.array(denominators, dtype=float),
        }
    )
    filled = {"area_code": area, "area_name": area, "metric": metric.id, "frequency": metric.frequency}
    filled |= {"value": np.nan, "lower_ci": np.nan, "upper_ci": np.nan, "status": "ok", "status_note": ""}
    return frame.assign(**{**filled, "basis": "", **given})


def quarters(metric, counts, people, first="Q1 2014/15", **given):
    start = Period.parse(first)
    periods = [Period(*_quarter(start, i)) for i in range(len(counts))]
    return rows(replace(metric, frequency="quarter"), periods, counts, people, **given)


def _quarter(first, i):
    start = pd.Timestamp(first.start) + pd.DateOffset(months=3 * i)
    return start.date(), (start + pd.DateOffset(months=3, days=-1)).date()


def one(frame, metric, window):
    return baseline(frame, metric, window).iloc[0]


def test_quarters_add_up_to_a_window_of_nine_months():
    """161 + 219 + 217 of 205 + 285 + 272."""
    metric = replace(SHARE, frequency="quarter")
    found = one(quarters(SHARE, [161, 219, 217, 166], [205, 285, 272, 216]), metric, "Apr-Dec 2014")
    assert (found["numerator"], found["denominator"], found["n_present"], found["n_expected"]) == (
        597,
        762,
        3,
        3,
    )
    assert found["value"] == pytest.approx(100 * 597 / 762)


def test_a_year_of_quarters_is_the_year_and_not_its_last_quarter():
    """Ten falls a quarter among 1,000 people: 10 per 1,000 a quarter, and 40 falls."""
    metric = replace(RATE, frequency="quarter", multiplier=1000.0)
    found = one(quarters(RATE, [8, 9, 11, 12], [1000] * 4), metric, "2014/15")
    assert (found["numerator"], found["denominator"], found["exposure"], found["value"]) == (
        40,
        1000,
        4000,
        10,
    )
    assert found["method"].startswith("numerators over denominators, average per quarter")


def test_a_missing_quarter_is_left_out_and_named():
    metric = replace(SHARE, frequency="quarter")
    frame = quarters(SHARE, [80, np.nan, 90], [100, 100, 100])
    found = one(frame.assign(status=["ok", "not_available", "ok"]), metric, "Apr-Dec 2014")
    assert (found["numerator"], found["denominator"], found["n_present"]) == (170, 200, 2)
    assert found["missing"] == "July to September 2014"
    assert "2 of 3 quarters have a usable figure" in found["warnings"]


@pytest.mark.parametrize("window", ["May-Dec 2014", "Apr-May 2014", "Feb-Apr 2015"])
def test_what_quarters_do_not_add_up_to_is_refused(window):
    found = one(quarters(SHARE, [80] * 4, [100] * 4), replace(SHARE, frequency="quarter"), window)
    assert np.isnan(found["value"])
    assert "do not add up to" in found["reason"]


def test_a_year_is_no_part_of_a_year():
    frame = rows(replace(RATE, frequency="year"), [Period.parse("2014/15")], [400], [60_000])
    found = one(frame, replace(RATE, frequency="year"), "Apr-Dec 2014")
    assert found["reason"] == "the figures there are, for 2014/15, do not add up to April to December 2014"


def test_rolling_years_add_up_to_years_that_follow_each_other():
    periods = [
        Period.parse(text) for text in ("Jul 2012 - Jun 2013", "Oct 2012 - Sep 2013", "Jul 2013 - Jun 2014")
    ]
    metric = replace(SHARE, frequency="quarter")
    frame = rows(metric, periods, [60, 50, 80], [100, 100, 100])
    assert one(frame, metric, "Jul 2012 - Jun 2013")["value"] == 60
    both = one(frame, metric, "Jul 2012 - Jun 2014")
    assert (both["value"], both["n_expected"], both["numerator"]) == (70, 2, 140)


def test_standardised_rates_do_not_add_up():
    metric = replace(METRICS["falls_injuries"], frequency="quarter")
    frame = quarters(metric, [50] * 4, [9000] * 4, value=2000.0, lower_ci=1900.0, upper_ci=2100.0)
    assert one(frame, metric, "Q1 2014/15")["value"] == 2000
    assert np.isnan(one(frame, metric, "2014/15")["value"])


def test_a_stock_is_averaged_and_not_added_up():
    """100, 110 and 120 on the register of 200 each: 110 of 200 on average."""
    periods = Period.parse("Apr-Jun 2014").months
    found = one(rows(STOCK, periods, [100, 110, 120], [200] * 3), STOCK, "Apr-Jun 2014")
    assert (found["numerator"], found["denominator"], found["value"]) == (110, 200, pytest.approx(55.0))


def test_survey_limits_are_combined_by_their_weights():
    """Half-widths 4 and 3 of equal samples: the mean has root(4^2 + 3^2) / 2 = 2.5."""
    metric = replace(METRICS["social_contact"], frequency="quarter")
    frame = quarters(metric, [40, 44], [100, 100], value=[40.0, 44.0])
    frame = frame.assign(lower_ci=[36.0, 41.0], upper_ci=[44.0, 47.0])
    found = one(frame, metric, "Apr-Sep 2014")
    assert [found["value"], found["lower"], found["upper"]] == pytest.approx([42.0, 39.5, 44.5])


WAVE = replace(METRICS["patient_experience"], breaks=())
HALVES = [Period.parse(f"{half} {year}") for year in (2012, 2013, 2014) for half in ("Apr-Sep", "Oct-Nov")]


def waves(values, people, periods=HALVES, **given):
    values = np.array(values, dtype=float)
    given = {"value": values, "lower_ci": values - 4, "upper_ci": values + 4, **given}
    return rows(WAVE, periods, [np.nan] * len(values), people, **given)


def test_waves_inside_a_window_are_weighed_by_the_people_asked():
    """60 % of 300 and 70 % of 100 are 62.5 %; half-widths 4 and 4: root(3^2 + 1^2) = 3.1623."""
    found = one(waves([60, 70] * 3, [300, 100] * 3), WAVE, "2013/14")
    assert [found["value"], found["denominator"], found["n_present"]] == [62.5, 400, 2]
    assert [found["lower"], found["upper"]] == pytest.approx([62.5 - 10**0.5, 62.5 + 10**0.5])
    assert found["method"] == "values weighted by the people asked"


def test_a_year_of_several_waves_has_its_baseline_a_year_before():
    frame = pd.concat([waves([60 + i, 70 + i] * 3, [300, 100] * 3, area=f"X{i}") for i in range(4)])
    ahead = Outlooks(frame, "bcf-2013-12", metrics={WAVE.id: WAVE}).of(WAVE, "2014/15")
    assert (ahead.before.label, ahead.value.tolist()) == ("2013/14", [62.5, 63.5, 64.5, 65.5])


def test_like_waves_are_compared_where_a_year_lacks_one():
    """Only the autumn wave has both years: 70 against 74, not 74 against both."""
    frame = waves([60, 70, 74], [300, 100, 100], [*HALVES[2:4], HALVES[5]])
    found = change(frame, WAVE, Period.parse("2013/14"), Period.parse("2014/15"), label="x").iloc[0]
    assert [found["baseline_value"], found["outcome_value"], found["change"]] == pytest.approx([70, 74, 4])
    assert "1 of 2 waves" in found["outcome_warnings"]


def test_a_wave_that_was_asked_a_little_later_is_still_the_like_wave():
    later = Period.parse("May-Sep 2014")
    frame = waves([60, 64], [300, 200], [HALVES[2], later])
    found = change(frame, WAVE, Period.parse("2013/14"), Period.parse("2014/15"), label="x").iloc[0]
    assert [found["baseline_value"], found["outcome_value"], found["change"]] == pytest.approx([60, 64, 4])


def test_the_reason_for_no_baseline_is_what_keeps_it_from_being_one():
    frame = waves([60, 70] * 3, [np.nan] * 6)
    told = Outlooks(frame, "bcf-2013-12", metrics={WAVE.id: WAVE}).of(WAVE, "2014/15").reason
    assert told.startswith("2013/14 cannot be used: the figures there are, for April")
    none = Outlooks(frame, "bcf-2013-12", metrics={WAVE.id: WAVE}).of(WAVE, "2019/20").reason
    assert none == "no figure of Patient experience for the 3 years before 2019/20"
    hidden = waves([60, 70] * 3, [300, 100] * 3, status="suppressed", status_note="fewer than 10")
    told = Outlooks(hidden, "bcf-2013-12", metrics={WAVE.id: WAVE}).of(WAVE, "2014/15").reason
    assert told == "2013/14 cannot be used: it is marked suppressed: fewer than 10"


@pytest.mark.parametrize("frequency", ["year", "quarter", "month"])
def test_a_change_is_of_the_values_shown_where_counts_are_rounded(frequency):
    """Published 72.7 % and 80.3 % of counts to the nearest 5 (71.9 % and 81.4 %): 7.6 points, not 9.5."""
    metric = replace(METRICS["reablement"], frequency=frequency)
    window = {"year": "2014/15", "quarter": "Q1 2014/15", "month": "Apr 2014"}[frequency]
    after = Period.parse(window)
    frame = rows(metric, [after.shift_years(-1), after], [230, 280], [320, 345], value=[72.7, 80.3])
    frame = frame.assign(status="rounded")
    found = change(frame, metric, after.shift_years(-1), after, label="x").iloc[0]
    assert [found["baseline_value"], found["outcome_value"]] == pytest.approx([72.7, 80.3])
    assert found["change"] == pytest.approx(7.6)
    assert found["baseline_numerator"] == 230  # as published
    assert "do not give the published values exactly" in found["outcome_warnings"]
    exact = change(frame.assign(value=np.nan), metric, after.shift_years(-1), after, label="x").iloc[0]
    assert exact["change"] == pytest.approx(100 * (280 / 345 - 230 / 320))


def test_rounded_counts_of_several_periods_are_added_up_by_their_published_values():
    """72.7 % of 320 and 80.3 % of 345: (232.64 + 277.035) / 665 = 76.643 %, not 510 / 665 = 76.692 %."""
    frame = quarters(SHARE, [230, 280], [320, 345], value=[72.7, 80.3], status="rounded")
    found = one(frame, replace(SHARE, frequency="quarter"), "Apr-Sep 2014")
    assert found["value"] == pytest.approx(100 * 509.675 / 665)
    assert found["numerator"] == 510


def test_a_rate_of_rounded_counts_changes_as_its_published_values_do():
    """Published 651.2 and 640.9 a 100,000 of 20,000 people (130 and 130 counted): -1.58 %, not nothing."""
    metric = METRICS["care_home_admissions"]
    periods = [Period.parse("2015/16"), Period.parse("2016/17")]
    frame = rows(metric, periods, [130, 130], [20_000] * 2, value=[651.2, 640.9], status="rounded")
    found = change(frame, metric, *periods, label="x").iloc[0]
    assert found["change"] == pytest.approx(100 * (640.9 / 651.2 - 1))


def test_two_waves_in_one_window_are_not_one_figure():
    metric = replace(METRICS["carer_quality_of_life"], breaks=())
    periods = [Period.parse("2014/15"), Period.parse("2016/17")]
    frame = rows(metric, periods, [np.nan] * 2, [np.nan] * 2, value=[8.0, 8.2])
    assert one(frame, metric, "Apr 2016 - Mar 2018")["value"] == 8.2
    assert "do not add up" in one(frame, metric, "Apr 2014 - Mar 2017")["reason"]


def test_counts_make_the_value_that_was_left_out():
    """11 of 13 is 84.6 %, Wilson 57.8 to 95.7."""
    metric = METRICS["reablement"]
    found = one(rows(metric, [Period.parse("2014/15")], [11], [13]), metric, "2014/15")
    assert [found["value"], found["lower"], found["upper"]] == pytest.approx([84.6, 57.8, 95.7], abs=0.05)
    bare = one(rows(metric, [Period.parse("2014/15")], [np.nan], [np.nan]), metric, "2014/15")
    assert bare["reason"] == "it has no value and no counts"


@pytest.mark.parametrize("metric", [SHARE, RATE, STOCK], ids=["share", "rate", "stock"])
@given(st.lists(st.integers(1, 60), min_size=12, max_size=12), st.sampled_from([3, 6, 12]), st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_every_frequency_gives_the_sums_of_the_months(metric, counts, length, parts):
    """Months, quarters, half-years and years of the same events agree on every window they all cover."""
    months, people = Period.parse("2014/15").months, np.full(12, 100.0)
    window = Period(months[0].start, months[min(length * parts, 12) - 1].end)
    by_month = one(rows(metric, months, counts, people), metric, window)
    spans = in_parts(Period.parse("2014/15"), length)
    own, stock = not metric.kind.per_resident, metric.nature == "stock"
    grouped = np.array(counts, dtype=float).reshape(-1, length)
    made = grouped.mean(axis=1) if stock else grouped.sum(axis=1)
    held = people[: len(spans)] * (length if own and not stock else 1)
    coarse = one(rows(metric, spans, made, held), replace(metric, frequency="quarter"), window)
    assert coarse["numerator"] == pytest.approx(by_month["numerator"])
    per = 1 if own else length  # a rate is the average of a period, and a quarter has three months' events
    assert coarse["value"] == pytest.approx(by_month["value"] * per)


@given(
    st.lists(st.tuples(st.integers(0, 50), st.booleans()), min_size=18, max_size=18),
)
@settings(max_examples=15, deadline=None)
def test_a_change_is_that_of_the_two_figures_beside_it(cells):
    """Whatever months are missing on either side."""
    counts, there = zip(*cells, strict=True)
    before, after = Period.parse("Apr-Dec 2013"), Period.parse("Apr-Dec 2014")
    frame = rows(SHARE, before.months + after.months, counts, [50] * 18)
    frame = frame.loc[np.array(there)]
    if frame.empty:
        return
    found = change(frame, SHARE, before, after, label="x").iloc[0]
    both = np.array(there[:9]) & np.array(there[9:])
    assert found["matched_months"] == both.sum()
    if both.any():
        sums = [np.array(side)[both].sum() / (50 * both.sum()) * 100 for side in (counts[:9], counts[9:])]
        assert [found["baseline_value"], found["outcome_value"]] == pytest.approx(sums)
        assert found["change"] == pytest.approx(sums[1] - sums[0])
    else:
        assert np.isnan(found["change"])


def test_the_months_compared_are_named_and_the_whole_outcome_is_kept():
    before, after = Period.parse("Apr-Dec 2013"), Period.parse("Apr-Dec 2014")
    frame = rows(SHARE, before.months + after.months, [40] * 9 + [30] * 5 + [50] * 4, [50] * 18)
    frame = frame.loc[~frame["period_start"].isin(pd.to_datetime(["2013-08-01", "2013-12-01"]))]
    found = change(frame, SHARE, before, after, label="x").iloc[0]
    assert found["matched"] == "April to July 2014; September to November 2014"
    assert found["outcome_value"] == pytest.approx(100 * (4 * 30 + 3 * 50) / 350)
    assert found["outcome_whole_value"] == pytest.approx(100 * (5 * 30 + 4 * 50) / 450)


def test_no_month_in_both_windows_is_no_comparison():
    before, after = Period.parse("Apr-May 2013"), Period.parse("Apr-May 2014")
    frame = rows(SHARE, [before.months[0], after.months[1]], [40, 30], [50, 50])
    found = change(frame, SHARE, before, after, label="x").iloc[0]
    assert (found["baseline_value"], found["outcome_value"], found["finding"]) == (80, 60, "not compared")
    assert found["change_reason"] == "no month is in both windows"


def test_figures_on_either_side_of_a_boundary_change_are_not_compared():
    """Dorset lost Christchurch in April 2019: 293 of 342 in 2018/19, 359 of 457 in 2020/21."""
    metric, periods = METRICS["reablement"], [Period.parse(f"{year}/{year - 1999}") for year in (2018, 2020)]
    frame = rows(metric, periods, [293, 359], [342, 457], area="E10000009", basis="SALT")
    found = change(frame, metric, *periods, label="latest").iloc[0]
    assert [found["baseline_value"], found["outcome_value"]] == pytest.approx([85.7, 78.6], abs=0.05)
    assert (found["finding"], np.isnan(found["change"])) == ("not compared", True)
    assert found["change_reason"] == "the boundaries of the area changed on 1 April 2019"
    both = pd.concat([frame, frame.assign(area_code="E10000008")])
    seen = Outlooks(both, "bcf-2013-12").of("reablement", "2020/21")
    assert dict(zip(seen.area_codes, seen.reason, strict=True)) == {
        "E10000008": "",
        "E10000009": "the boundaries of the area changed on 1 April 2019",
    }
    other = change(frame.assign(area_code="E10000008"), metric, *periods, label="latest").iloc[0]
    assert np.isfinite(other["change"])


def test_no_window_and_no_trend_reach_over_a_boundary_change():
    months = Period.parse("2018/19").months[6:] + Period.parse("2019/20").months[:6]
    frame = rows(SHARE, months, [40] * 12, [50] * 12, area="E06000028")
    assert "two definitions inside the window" in one(frame, SHARE, "Oct 2018 - Sep 2019")["reason"]
    metric = METRICS["reablement"]
    years = [Period.parse(f"{year}/{year - 1999}") for year in range(2012, 2021)]
    trends = trend_table(rows(metric, years, range(70, 79), [100] * 9, area="E06000028"), metric).iloc[0]
    assert (trends["n"], np.isnan(trends["slope"])) == (2, True)


def test_people_of_a_window_are_those_known():
    """City of London: 5,529, then 5,043, then 5,133 known; growth as it last was would give 4,600."""
    frame = panel(n_areas=25, months=60, first="2010-04", wander=0.0)
    year = frame["period_start"].dt.year - (frame["period_start"].dt.month < 4)
    frame = frame.assign(denominator=np.select([year < 2013, year == 2013], [5529.0, 5043.0], 5133.0))
    found = Outlooks(frame, "bcf-2013-12").of("delayed_transfers", "2015-04")
    assert found.people == pytest.approx(np.full(25, 5133.0))
    then = Outlooks(frame, "bcf-2013-12", known_until="Mar 2014").of("delayed_transfers", "2015-04")
    assert then.people == pytest.approx(np.full(25, 5043.0 * 5043.0 / 5529.0))


def test_the_latest_year_of_quarters_is_a_year():
    metric = replace(SHARE, frequency="quarter")
    found = latest_year(quarters(SHARE, [80] * 10, [100] * 10), metric)
    assert found == (Period.parse("Oct 2014 - Sep 2015"), Period.parse("Oct 2015 - Sep 2016"))


def many(metric, level, seed=1, areas=30, years=6, people=100.0):
    """Give monthly shares of many areas that wander a little from year to year."""
    rng = np.random.default_rng(seed)
    months = [month for year in range(2009, 2009 + years) for month in Period(
        pd.Timestamp(year, 4, 1), pd.Timestamp(year + 1, 3, 31)).months]  # fmt: skip
    parts = []
    for i in range(areas):
        share = np.repeat(np.clip(level + rng.normal(0, 0.008, years), 0.01, 0.99), 12)
        parts.append(
            rows(metric, months, rng.binomial(int(people), share), [people] * len(months), area=f"X{i:02}")
        )
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("level", [0.03, 0.5, 0.97])
@pytest.mark.parametrize("polarity", ["lower", "higher"])
def test_everything_told_of_a_monthly_share_lies_from_0_to_100(level, polarity):
    metric = replace(SHARE, polarity=polarity)
    seen = Outlooks(many(metric, level), "bcf-2013-12", metrics={metric.id: metric}).of(metric, "2014/15")
    assert (seen.scale, seen.lag) == ("difference", 1)
    told = [seen.value, seen.lower, seen.upper, seen.expected, *seen.expected_interval(), seen.noise_least]
    for values in (*told, seen.minimum_significant(), seen.detectable()):
        known = values[np.isfinite(values)]
        assert ((known >= 0) & (known <= 100)).all()
    assert np.isfinite(seen.usual_scale).all()


def test_a_monthly_share_is_compared_in_points_as_two_samples_are():
    found = change(
        many(SHARE, 0.97), SHARE, Period.parse("2012/13"), Period.parse("2013/14"), label="x"
    ).iloc[0]
    assert found["change_unit"] == "percentage points"
    assert found["change"] == pytest.approx(found["outcome_value"] - found["baseline_value"])
    assert found["change_method"].startswith("the difference of two proportions")
    # the pooled standard error of two samples of 1,200
    pooled = (found["baseline_value"] + found["outcome_value"]) / 200
    half = 196 * np.sqrt(2 * pooled * (1 - pooled) / 1200)
    assert (found["change_upper"] - found["change_lower"]) / 2 == pytest.approx(half, rel=0.1)


@pytest.mark.parametrize(("nature", "told"), [("flow", True), ("stock", False), ("sample", False)])
def test_only_a_flow_is_told_by_the_month(nature, told):
    metric = replace(SHARE, nature=nature)
    seen = Outlooks(many(metric, 0.8), "bcf-2013-12", metrics={metric.id: metric}).of(metric, "2014/15")
    assert np.isfinite(seen.per_month(np.full(30, 12.0))).all() == told
    # one person of a stock is one of those there on average; of a flow, one of all who came
    people = 100.0 if nature == "stock" else 1200.0
    assert seen.values_per_event == pytest.approx(np.full(30, 100 / people))


@pytest.mark.parametrize("folder", ["quarterly-proportion", "monthly-proportion"])
def test_the_own_metrics_of_two_councils(tmp_path, folder):
    need("published files")
    if not (CASES / folder).is_dir():
        pytest.skip("the cases are not there")
    metrics = load_metrics(CASES / folder / "own.toml")
    raw = tmp_path / "raw"
    raw.mkdir()
    for file in (CASES / folder).glob("*.csv"):
        (raw / file.name).write_bytes(file.read_bytes())
    prepare(raw, tmp_path / "processed", metrics=metrics)
    from bcfstats import load

    observed = load(tmp_path / "processed").observations
    if folder == "quarterly-proportion":
        found = baseline(observed, metrics["calls_q"], "Apr-Dec 2015").set_index("area_name").loc["Kent"]
        assert (found["numerator"], found["denominator"], round(found["value"], 2)) == (825, 1029, 80.17)
        moved = change(
            observed,
            metrics["calls_q"],
            Period.parse("Apr-Dec 2015"),
            Period.parse("Apr-Dec 2016"),
            label="x",
        )
        moved = moved.set_index("area_name").loc["Kent"]
        assert (round(moved["outcome_value"], 1), round(moved["change"], 1)) == (79.9, -0.3)
    else:
        found = baseline(observed, metrics["disch_home"], "2014/15")
        assert (found["upper"] <= 100).all()
        assert (found["lower"] > 90).all()
        assert set(found["method"]) == {"numerators over denominators; Wilson"}


def test_a_metric_is_laid_out_of_its_own_figures_alone():
    """Where others of the same area and period stand beside them, first or last."""
    own = quarters(SHARE, [30, 40], [100, 100])
    others = quarters(STOCK, [7, 8], [900, 900])
    for frame in (pd.concat([own, others]), pd.concat([others, own])):
        (value,) = window_figures(
            Grid(frame, replace(SHARE, frequency="quarter")), Period.parse("Q1 2014/15")
        )["value"]
        assert value == pytest.approx(30.0, rel=1e-12)
