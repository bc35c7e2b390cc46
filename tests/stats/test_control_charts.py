"""XmR charts, by hand arithmetic and against an independent loop over points."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcfstats.errors import ParameterError
from bcfstats.stats.control_charts import spc_signals, xmr_limits

RTOL = 1e-9  # both sides are computed in double precision
SERIES = st.lists(st.integers(0, 9).map(float) | st.just(float("nan")), min_size=0, max_size=30)


def test_limits_by_hand():
    # ranges 2 1 2 1 2, mean 1.6; values' mean 68 / 6
    found = xmr_limits([10, 12, 11, 13, 12, 10])
    assert found.moving_range == pytest.approx(1.6, rel=RTOL)
    assert (found.lower, found.upper) == (
        pytest.approx(68 / 6 - 2.66 * 1.6, rel=RTOL),
        pytest.approx(68 / 6 + 2.66 * 1.6, rel=RTOL),
    )
    assert found.upper_near == pytest.approx(68 / 6 + 2.66 * 1.6 * 2 / 3, rel=RTOL)
    assert (found.points, found.trial) == (6, True)


def test_trial_limits_end_at_thirteen_points():
    assert xmr_limits([1.0, 2] * 6).trial
    assert not xmr_limits([*[1.0, 2] * 6, 1]).trial


def test_a_range_needs_both_its_neighbours():
    found = xmr_limits([10, np.nan, 14, 15, 13])
    assert found.moving_range == 1.5
    assert found.points == 4
    assert xmr_limits([10, np.nan, 14]).reason == "fewer than two neighbouring values"
    assert xmr_limits([]).reason == "fewer than two neighbouring values"


def test_percentages_stop_at_a_hundred_and_counts_at_zero():
    found = xmr_limits([[97, 99, 95, 100], [0, 3, 1, 2]], within=(0, 100))
    assert found.upper[0] == 100
    assert found.lower[1] == 0


def test_a_constant_series_has_no_limits_and_no_signals():
    found = xmr_limits([5.0] * 20, screen=True)
    assert found.reason == "every value is the same: no variation to set limits by"
    assert np.isnan(found.upper)
    assert found.mean == 5
    assert set(spc_signals([5.0] * 20, found).signal) == {""}


def test_screening_does_not_remove_all_variation():
    # thirteen 5s and a 6: the only range is above 3.267 times the average; without it limits would collapse
    values = [5.0] * 13 + [6]
    assert xmr_limits(values, screen=True).moving_range == pytest.approx(1 / 13)
    assert not spc_signals(values, xmr_limits(values, screen=True)).outside[:13].any()
    wild = [10, 11, 10, 12, 11, 10, 12, 11, 40, 11, 10, 12, 11]
    ranges = np.abs(np.diff(wild))
    kept = ranges[ranges < 3.267 * ranges.mean()]
    assert xmr_limits(wild, screen=True).moving_range == pytest.approx(kept.mean(), rel=RTOL)


def test_rows_are_series():
    rng = np.random.default_rng(5)
    table = rng.normal(50, 5, (4, 24))
    both = xmr_limits(table)
    for row in range(4):
        assert both.upper[row] == xmr_limits(table[row]).upper


def by_loop(values, limits):
    """Apply the rules one point at a time, as their wording goes."""
    n = len(values)
    flags = {name: [False] * n for name in ("outside", "shift", "trend", "near_limit")}
    for i, x in enumerate(values):
        flags["outside"][i] = x > limits.upper or x < limits.lower
    for start in range(n - 6):
        run = values[start : start + 7]
        steps = [b - a for a, b in pairwise(run)]
        if all(x > limits.mean for x in run) or all(x < limits.mean for x in run):
            flags["shift"][start : start + 7] = [True] * 7
        if all(s > 0 for s in steps) or all(s < 0 for s in steps):
            flags["trend"][start : start + 7] = [True] * 7
    for start in range(n - 2):
        three = values[start : start + 3]
        for sign, edge in ((1, limits.upper_near), (-1, limits.lower_near)):
            side = all(sign * (x - limits.mean) > 0 for x in three)
            near = [sign * (x - edge) > 0 for x in three]
            if side and sum(near) >= 2:
                for k in range(3):
                    flags["near_limit"][start + k] |= near[k]
    return flags


@given(SERIES)
def test_signals_as_the_rules_are_worded(values):
    limits = xmr_limits(values)
    found = spc_signals(values, limits)
    if limits.reason:
        assert not (found.outside | found.shift | found.trend | found.near_limit).any()
    else:
        for name, flags in by_loop(values, limits).items():
            assert list(getattr(found, name)) == flags, name


@given(st.lists(st.integers(0, 9), min_size=14, max_size=40))
def test_turning_a_series_over_turns_its_signals(values):
    turned = [-x for x in values]
    limits, mirrored = xmr_limits(values), xmr_limits(turned)
    found = spc_signals(values, limits, polarity="lower")
    other = spc_signals(turned, mirrored, polarity="higher")
    assert list(found.signal) == list(other.signal)


def test_signals_against_a_baseline_by_polarity():
    baseline = xmr_limits([10, 12, 11, 13, 12, 10, 11, 12, 10, 11, 13, 11])
    later = [11, 18, 4, 10, 10.5, 11]
    assert list(spc_signals(later, baseline, polarity="lower").signal) == [
        "",
        "concern",
        "improvement",
        "",
        "",
        "",
    ]
    assert list(spc_signals(later, baseline).signal) == ["", "high", "low", "", "", ""]
    falling = [12.5, 12, 11.9, 11.8, 11.5, 11.2, 11]
    assert set(spc_signals(falling, baseline, polarity="lower").signal) == {"improvement"}


def test_polarity_of_each_series():
    table = np.array([[10, 12, 11, 13, 12, 10, 11, 12, 10, 11, 13, 11, 30.0]] * 2)
    found = spc_signals(table, xmr_limits(table[:, :12]), polarity=["lower", "higher"])
    assert list(found.signal[:, -1]) == ["concern", "improvement"]
    with pytest.raises(ParameterError):
        spc_signals(table, xmr_limits(table), polarity="up")


def test_a_missing_value_breaks_a_run():
    limits = xmr_limits([10, 12, 11, 13, 12, 10, 11, 12, 10, 11, 13, 11])
    whole = [12.0] * 7
    assert spc_signals(whole, limits).shift.all()
    whole[3] = np.nan
    assert not spc_signals(whole, limits).shift.any()


def test_screening_leaves_out_ranges_above_3_267_times_the_average():
    """Ranges of 10 and one of 50: their average is 15, the limit 49; of 40: 14 and 46, so it stays."""
    for jump, expected in ((50.0, 10.0), (40.0, (7 * 10 + 40) / 8)):
        values = np.cumsum([100.0, 10, -10, 10, jump, -10, 10, -10, 10])
        assert xmr_limits(values, screen=True).moving_range == pytest.approx(expected)
        assert xmr_limits(values).moving_range == pytest.approx((70 + jump) / 8)


def test_a_point_on_a_limit_is_within_it():
    """Ranges of 3: limits 2.66 x 3 from the mean, near them from two thirds of that on."""
    limits = xmr_limits([0.0, 3.0] * 10)
    for sign, near in ((1, limits.upper_near), (-1, limits.lower_near)):
        end = limits.upper if sign > 0 else limits.lower
        for point, flags in ((near, False), (near + sign * 1e-6, True)):
            found = spc_signals([point, point, limits.mean + sign * 0.1, 1.5], limits)
            assert found.near_limit[:2].tolist() == [flags, flags]
        assert not spc_signals([float(end)], limits).outside[0]
        assert spc_signals([float(end) + sign * 1e-6], limits).outside[0]


def test_a_median_centre_is_not_moved_by_one_odd_point():
    values = [10, 12, 11, 13, 12, 10, 90]
    found = xmr_limits(values, centre="median")
    assert found.mean == 12
    assert found.upper == pytest.approx(12 + 2.66 * np.mean(np.abs(np.diff(values))))


def test_a_run_chart_has_a_median_and_the_rules_of_runs():
    values = [5, 9, 5, 9, 5, 9, 6, 6.5, 7.5, 8, 8.5, 9, 9.5, 10]
    chart = xmr_limits(values, centre="median", sigma=None)
    assert chart.mean == np.median(values)
    assert np.isnan([chart.lower, chart.upper]).all()
    assert chart.reason == ""
    found = spc_signals(values, chart)
    assert not found.outside.any()
    assert found.trend.tolist() == [False] * 6 + [True] * 8
    assert xmr_limits([np.nan], sigma=None).reason == "no values"


def test_limits_are_frozen_at_a_baseline():
    values = [10, 12, 11, 13, 12, 10, 30, 31, 29]
    frozen, first = xmr_limits(values, baseline=6), xmr_limits(values[:6])
    assert (frozen.mean, frozen.lower, frozen.upper) == (first.mean, first.lower, first.upper)
    assert spc_signals(values, frozen).outside[6:].all()


def test_limits_are_rebased_at_a_date():
    before, after = [10, 12, 11, 13, 12, 10, 11, 12], [30, 31, 29, 32, 30, 29, 31, 30]
    found = xmr_limits(before + after, rebase=[8])
    one, two = xmr_limits(before), xmr_limits(after)
    assert found.mean.tolist() == [float(one.mean)] * 8 + [float(two.mean)] * 8
    assert found.upper[[7, 8]].tolist() == [float(one.upper), float(two.upper)]
    signals = spc_signals(before + after, found, polarity="lower")
    apart = [spc_signals(part, xmr_limits(part), polarity="lower") for part in (before, after)]
    assert signals.signal.tolist() == [*apart[0].signal, *apart[1].signal]
    many = xmr_limits([before + after] * 3, rebase=[8], baseline=5)
    assert many.lower.shape == (3, 16)
    assert many.lower[2, 9] == pytest.approx(xmr_limits(after[:5]).lower)
    for wrong in ([0], [8, 8], [16], [9, 3]):
        with pytest.raises(ParameterError, match="rebase"):
            xmr_limits(before + after, rebase=wrong)


def test_own_length_of_run_and_sigma():
    values = [10, 12, 11, 13, 12, 10, 11, 12, 10, 11, 13, 11, 18]
    narrow = xmr_limits(values, sigma=2)
    assert narrow.upper - narrow.mean == pytest.approx((xmr_limits(values).upper - narrow.mean) * 2 / 3)
    run = [1, 9, 1, 9, 6, 6, 6, 6, 6, 1, 9, 1, 1]
    limits = xmr_limits(run)
    assert not spc_signals(run, limits).shift.any()
    assert spc_signals(run, limits, run=5).shift.tolist() == [False] * 3 + [True] * 6 + [False] * 4
