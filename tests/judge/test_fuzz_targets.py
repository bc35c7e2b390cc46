"""Any target, silly ones too, is judged or says why not: no error, nothing out of bounds, no gap unsaid."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bcfstats.define.metrics import METRICS
from bcfstats.define.schemes import scheme
from bcfstats.example.data import example_data
from bcfstats.judge.ambitions import assess_targets
from bcfstats.judge.ladder import ladder_of
from bcfstats.judge.national import national_overview
from bcfstats.judge.outlook import NoOutlook
from bcfstats.judge.outlooks import Outlooks
from bcfstats.judge.payment import outcomes, payment
from bcfstats.judge.risk import payment_chances, risk_register
from bcfstats.judge.screening import sound
from bcfstats.judge.verdicts import MOST_WORDS, VERDICTS
from tests.judge.made_up import targets

N_AREAS = 12
CHANCES = (
    *("p_paid_no_change", "p_paid_do_nothing", "p_paid_if_half_delivered", "p_paid_if_delivered"),
    *("noise_p", "history_p", "reach", "reach_lower", "reach_upper"),
)
LEVELS = ("noise_significant_value", "minimum_significant_value", "detectable_value", "challenging_value")
ANYWHERE = "X99999999"
SILLY = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)
SIZES = st.one_of(st.floats(-60, 60), st.sampled_from([0.0, -0.0, -100.0, 1e-12, 1e9]), SILLY)
WAYS = ("target_value", "target_numerator", "change_percent")
PAYMENTS = ("2015-04", "2015-10", "2013/14", "2014/15", "Apr-Sep 2014", "2016/17", "2009/10", "April 2015")


@pytest.fixture(scope="module")
def looks():
    """Outlooks on the example data, each computed once."""
    data = example_data(n_areas=N_AREAS)
    return data, Outlooks(sound(data.observations).observations, scheme(), metrics=METRICS)


@st.composite
def proposed(draw):
    """Targets for some areas, one for each area, metric and payment."""
    keys = st.tuples(
        st.sampled_from([f"X0600000{i}" for i in range(1, 6)] + [ANYWHERE]),
        st.sampled_from(sorted(METRICS)),
        st.sampled_from(PAYMENTS[:-1]),
    )
    rows = draw(st.lists(keys, min_size=1, max_size=6, unique=True))
    return targets(
        [
            {
                "area_code": area,
                "metric": metric,
                "payment": payment_id,
                "against": draw(st.sampled_from(["baseline", "projected"])),
                draw(st.sampled_from(WAYS)): draw(SIZES),
            }
            for area, metric, payment_id in rows
        ]
    )


def check_sentences(text):
    for sentence in text.split(". "):
        assert len(sentence.split()) <= MOST_WORDS, sentence
    assert "nan" not in text.split()
    assert "inf" not in text.split()


def check_bounds(row):
    lowest, highest = METRICS[row["metric"]].bounds
    for name in LEVELS:
        assert np.isnan(row[name]) or lowest <= row[name] <= highest, name
    for name in CHANCES:
        assert np.isnan(row[name]) or 0 <= row[name] <= 1, name
    if not np.isnan(row["payment_line"]):
        assert lowest <= row["payment_line"] <= highest


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=proposed())
def test_any_target_is_judged_or_says_why_not(looks, rows):
    data, outlooks = looks
    found = assess_targets(rows, outlooks)
    assert len(found) == len(rows)
    assert set(found["verdict"]) <= set(VERDICTS)
    for row in found.to_dict("records"):
        check_bounds(row)
        check_sentences(row["reasons"])
        told = np.isfinite([row[name] for name in CHANCES[:4]])
        assert told.all() or not told.any()
        assert np.isfinite(row["payment_line"]) == told.any()
    risks = risk_register(found)
    assert (risks["risk"].str.len() > 0).all()
    assert not (risks[["likely_shortfall", "large_shortfall"]] < 0).any(axis=None)
    overview = national_overview(found, data.areas)
    assert overview.composite["boards"].sum() == 2 * len(found)
    assert (overview.composite["assessed"] <= overview.composite["boards"]).all()
    paid = found.loc[found["payment"].isin(["2015-04", "2015-10"])]
    if len(paid):
        judged = payment(outcomes(outlooks.observations, paid)).metrics
        assert (judged["achieved"].notna() | (judged["reason"] != "")).all()
    if any(scheme().payment(row.payment).paid_as(METRICS[row.metric]) for row in paid.itertuples()):
        table = payment_chances(found)
        assert (table["metrics_known"] <= table["metrics_due"]).all()


@pytest.mark.parametrize("metric", sorted(METRICS))
@pytest.mark.parametrize("payment_id", ["2015-04", "2014/15"])
def test_every_rung_and_advice_stays_within_the_bounds_or_says_why_there_is_none(looks, metric, payment_id):
    _, outlooks = looks
    seen = outlooks.of(METRICS[metric], payment_id)
    if isinstance(seen, NoOutlook):
        assert seen.reason
        return
    ladder = ladder_of(seen, payment_id, scheme())
    lowest, highest = METRICS[metric].bounds
    values = ladder.rungs["value"]
    assert (values.isna() | values.between(lowest, highest)).all()
    assert (values.notna() | (ladder.rungs["note"] != "")).all()
    for text in ladder.advice.values():
        assert text.endswith(".")
        assert "nan" not in text.replace(",", " ").split()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    metric=st.sampled_from(["delayed_transfers", "reablement", "dementia_diagnosis", "falls_injuries"]),
    against=st.sampled_from(["baseline", "projected"]),
    area=st.integers(1, 9),
    low=st.floats(0.3, 1.0),
    high=st.floats(1.0, 1.7),
)
def test_chances_never_rise_as_a_target_gets_harder(looks, metric, against, area, low, high):
    _, outlooks = looks
    period = {"delayed_transfers": "2015-04"}.get(metric, "2014/15")
    one = {"area_code": f"X0600000{area}", "metric": metric, "payment": period, "against": against}
    changes = 100 * (np.linspace(low, high, 25) - 1)
    found = assess_targets(targets([{**one, "change_percent": size} for size in changes]), outlooks)
    harder = found if METRICS[metric].polarity == "higher" else found.iloc[::-1]
    for name in ("p_paid_no_change", "p_paid_do_nothing"):
        known = harder[name].dropna().to_numpy()
        assert (np.diff(known) <= 1e-12).all(), name
    start = found["do_nothing_value"] if against == "projected" else found["baseline_value"]
    sign = 1 if METRICS[metric].polarity == "higher" else -1
    way = sign * (found["target_value"] - start)
    assert found.loc[~(way > 0), "payment_line"].isna().all()


@settings(max_examples=60, deadline=None)
@given(
    times=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    reached=st.lists(st.booleans(), min_size=3, max_size=3),
    spelt=st.sampled_from(["2015-04", "April 2015", "Apr 2015"]),
)
def test_repeats_never_fill_the_places_of_metrics_that_are_missing(times, reached, spelt):
    """A metric repeated, however its payment is spelt, is one metric: the answer is that of one row."""
    metrics = ("delayed_transfers", "avoidable_emergency_admissions", "falls_injuries")
    rows = [
        {
            "area_code": "X",
            "metric": metric,
            "payment": spelt if i else "2015-04",
            "baseline_value": 1000,
            "target_value": 900,
            "outcome_value": 920 if good else 990,
        }
        for metric, n, good in zip(metrics, times, reached, strict=False)
        for i in range(n)
    ]
    found = payment(pd.DataFrame(rows)).boards
    once = payment(pd.DataFrame(rows).drop_duplicates("metric")).boards
    counted = ["payment", "metrics_judged", "metrics_achieved"]
    assert found[counted].values.tolist() == once[counted].values.tolist()
    assert found["achieved"].isna()[0] == once["achieved"].isna()[0]
    if len(times) < 3:
        assert found["achieved"][0] is not True
