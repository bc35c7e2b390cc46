import numpy as np
import pytest
from scipy import stats

from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.ambitions import assess_ambitions
from bcfstats.judge.ladder import RUNGS, advise, ambition_ladder, peer_change
from bcfstats.judge.outlook import History
from bcfstats.judge.targets import USUAL_CUTOFFS, reach
from tests.judge.made_up import an_outlook, outlook, panel, targets, yearly


@pytest.fixture(scope="module")
def wandering():
    return panel(months=57)


@pytest.fixture(scope="module")
def ladder(wandering):
    return ambition_ladder(wandering, "delayed_transfers", "2015-04", area="X05")


def test_every_rung_is_there_from_the_easiest_to_the_hardest(ladder):
    assert set(ladder.rungs["rung"]) == set(RUNGS)
    values = ladder.rungs["value"].dropna()
    assert (np.diff(values) <= 0).all()  # lower is better


def test_every_rung_is_judged_as_the_same_target_would_be(wandering, ladder):
    climbed = ladder.rungs.loc[ladder.rungs["payment_line"].notna() & (ladder.rungs["ambition_percent"] < 0)]
    rows = [
        {"area_code": "X05", "metric": "delayed_transfers", "target_value": value}
        for value in climbed["value"]
    ]
    table = assess_ambitions(wandering, targets(rows))
    assert len(climbed) >= 5
    for column in ("payment_line", "p_paid_no_change", "p_paid_do_nothing", "p_paid_if_delivered", "reach"):
        assert table[column].to_numpy() == pytest.approx(climbed[column].to_numpy(), rel=1e-9), column


def test_the_line_of_the_detectable_rung_is_near_the_significance_line(ladder):
    rungs = ladder.rungs.set_index("rung")
    assert rungs.loc["detectable", "p_paid_no_change"] == pytest.approx(
        0.025, abs=0.01
    )  # logs are not linear
    assert rungs.loc["significant", "p_paid_no_change"] == pytest.approx(0.085, abs=0.01)
    assert rungs.loc["rarely_by_luck", "p_paid_do_nothing"] == pytest.approx(0.20, abs=1e-9)


def test_no_change_is_no_improvement_and_has_no_line(ladder):
    bottom = ladder.rungs.set_index("rung").loc["no_change"]
    assert not bottom["feasible"]
    assert bottom["note"] == "no improvement"
    assert np.isnan(bottom["payment_line"])


def test_rungs_beyond_the_ceiling_cannot_be_climbed():
    values = 97 + np.random.default_rng(4).normal(0, 1.0, (30, 4))
    rungs = ambition_ladder(yearly("reablement", values, 60.0), "reablement", "2015-10", area="X00").rungs
    top = rungs.set_index("rung").loc["detectable"]
    assert np.isnan(top["value"])
    assert (top["feasible"], top["note"]) == (False, "no possible value")


def test_best_peers_are_shrunk_by_what_is_lost_again():
    """Changes of -1 to 9 %: middle 4, best decile 8; half of what is beyond the middle is kept: 6."""
    changes = -np.arange(-1.0, 10.0)[None, :] / 100
    view = an_outlook(history=History(("X0",), changes, np.array([11.0]), 0.5, ""))
    assert peer_change(view, 0.9, None)[0] == pytest.approx(0.06)


@pytest.mark.parametrize(("spread", "words"), [(0.03, "No target is both"), (0.3, "Targets from 884.5 to")])
def test_advice_says_whether_any_target_is_both_challenging_and_achievable(spread, words):
    """Luck of 20 in 100 is at 1000 exp(-.0842) = 919.3, so the target is 1000 - 80.7 / .7 = 884.7."""
    changes = spread * np.random.default_rng(1).standard_normal((1, 2000))
    view = an_outlook(history=History(("X0",), changes, np.array([2000.0]), 1.0, ""))
    target = 1000 - (1000 - 1000 * np.exp(-0.1 * 0.8416212)) / 0.7
    found = advise(view, 0.7, None, USUAL_CUTOFFS)["X0"]
    assert found.startswith(words.replace("884.5", f"{target:,.1f}"))
    # the best 5 in 100 of the past changes, and the chance of the line on the way there
    size = np.quantile(-changes, 0.95)
    most = 1000 * np.exp(-size)
    if spread == 0.03:
        luck = stats.norm.cdf(np.log((1000 - 0.7 * (1000 - most)) / 1000) / 0.1)
        assert f"At {most:,.1f}, as far as the best 5 in 100 went, {100 * luck:.0f} in 100 would be" in found
    else:
        assert f"to {most:,.1f} are challenging" in found
    assert max(len(part.split()) for part in found.split(". ")) <= 25


def test_nothing_to_build_on_is_refused(wandering):
    with pytest.raises(InputError, match="annually"):
        ambition_ladder(wandering, "reablement", "2015-04")
    with pytest.raises(ParameterError, match="X99"):
        ambition_ladder(wandering, "delayed_transfers", "2015-04", area="X99")


def test_each_rung_by_hand(wandering):
    """Per cent, events a month, the line at 70 % of the way, and half of the way, from the outlook."""
    view = outlook(wandering, "delayed_transfers", "2015-04")
    place = view.area_codes.tolist().index("X05")
    base, people = view.value[place], view.people[place]
    found = ambition_ladder(wandering, "delayed_transfers", "2015-04", area="X05").rungs.set_index("rung")
    for name, row in found.loc[found["value"] < base * (1 - 1e-6)].iterrows():
        value = row["value"]
        line = base - 0.7 * (base - value)
        assert row["ambition_percent"] == pytest.approx(100 * (value / base - 1)), name
        assert row["per_month"] == pytest.approx((base - value) * people / 100_000)
        assert row["payment_line"] == pytest.approx(line)
        half = np.log(base / ((base + value) / 2))
        t = (np.log(line / view.expected[place]) + half) / view.expected_scale[place]
        assert row["p_paid_if_half_delivered"] == pytest.approx(stats.t.cdf(t, view.expected_df[place]))
        seen = reach(view.history, np.array([np.log(base / value)]), -1.0, np.array(["X05"], dtype=object))
        assert row["reach"] == pytest.approx(seen.share[0])
        rare = seen.share[0] < 0.025
        assert row["note"] == ("hardly any area on record did this" if rare else "")
        assert row["feasible"] == (not rare)


def test_rungs_that_hardly_any_area_has_climbed_say_so():
    rungs = ambition_ladder(panel(months=48, wander=0.002), "delayed_transfers", "2015-04").rungs
    rare = rungs["note"] == "hardly any area on record did this"
    assert rare.any()
    assert (rungs.loc[rare, "reach"] < 0.025).all()
    known = rungs["reach"].notna() & (rungs["note"] == "")
    assert (rungs.loc[known, "reach"] >= 0.025).all()


def test_a_trend_that_rises_is_no_improvement():
    rungs = ambition_ladder(panel(wander=0.002, drift=0.1), "delayed_transfers", "2015-04").rungs
    trend = rungs.loc[rungs["rung"] == "trend"]
    assert (trend["note"] == "worse than the baseline: no improvement").all()
    assert trend[["payment_line", "p_paid_do_nothing", "p_paid_if_half_delivered"]].isna().all(axis=None)
    assert not trend["feasible"].any()
