"""Breaks planted in simulated panels are found; quiet panels stay quiet; a known published gap is found."""

import numpy as np
import pytest

from bcfstats.errors import InputError
from bcfstats.stats.breaks import DROP, SHIFT_DOWN, SHIFT_UP, SPIKE, SWAP, ZERO, find_breaks
from bcfstats.stats.rows import masked_median


def months(n):
    return np.arange(n) % 12 + 1


def panel(seed, areas=80, n=48, sd=0.05, step=0.012, size=2000):
    rng = np.random.default_rng(seed)
    level = np.cumsum(step * rng.normal(size=(areas, n)), axis=1) + sd * rng.normal(size=(areas, n))
    season = 0.05 * np.cos(2 * np.pi * np.arange(n) / 12)
    return rng.poisson(size * np.exp(level + season)).astype(float)


def look(counts, **options):
    n = counts.shape[1]
    return find_breaks(counts, np.ones(n), months(n), **options)


def found_at(found, area):
    return [
        (int(m), str(k)) for a, m, k in zip(found.area, found.month, found.kind, strict=True) if a == area
    ]


@pytest.mark.parametrize(("sd", "step", "size"), [(0.05, 0.012, 2000), (0.25, 0.07, 460), (0.0, 0.0, 100)])
def test_quiet_panels_stay_quiet(sd, step, size):
    findings = sum(look(panel(seed, sd=sd, step=step, size=size)).area.size for seed in range(5))
    # 19,200 area-months
    assert findings <= 10


@pytest.mark.parametrize("share", [0.4, 0.6, 0.9])
@pytest.mark.parametrize("length", [1, 3])
@pytest.mark.parametrize("start", [20, 45])
def test_a_missing_provider_never_passes(share, length, start):
    counts = panel(1)
    counts[7, start : start + length] *= 1 - share
    found = look(counts)
    assert found_at(found, 7) == [(m, DROP) for m in range(start, start + length)]
    assert not found.usable[7, start : start + length].any()
    assert found.usable[7].sum() == 48 - length
    assert found.change_percent[found.area == 7] == pytest.approx(-100 * share, abs=8)


def test_level_shift_keeps_only_the_current_level():
    counts = panel(2)
    counts[5, 30:] *= 0.5
    counts[6, 12:] *= 1.6
    found = look(counts)
    assert found_at(found, 5) == [(30, SHIFT_DOWN)]
    assert found_at(found, 6) == [(12, SHIFT_UP)]
    assert found.usable[5].tolist() == [False] * 30 + [True] * 18
    assert found.change_percent[found.area == 5] == pytest.approx(-50, abs=5)


def test_months_before_a_level_that_came_back_are_kept():
    counts = panel(3)
    counts[4, 20:30] *= 0.3
    found = look(counts)
    assert found_at(found, 4) == [(20, SHIFT_DOWN), (30, SHIFT_UP)]
    assert np.flatnonzero(~found.usable[4]).tolist() == list(range(20, 30))


def test_exchange_between_two_areas():
    counts = panel(4)
    moved = 0.5 * counts[1, 24:]
    counts[1, 24:] -= moved
    counts[2, 24:] += moved
    found = look(counts)
    assert found_at(found, 1) == [(24, SWAP)]
    assert found_at(found, 2) == [(24, SWAP)]
    assert found.partner[found.area == 1].tolist() == [2]


def test_zeros_that_cannot_be_and_zeros_that_can():
    counts = panel(5)
    counts[0, 10] = 0
    counts[1] = np.random.default_rng(1).poisson(2, 48)
    found = look(counts)
    assert found_at(found, 0) == [(10, ZERO)]
    assert not [kind for _, kind in found_at(found, 1) if kind == ZERO]


def test_spike_and_the_analyst_overrules():
    counts = panel(6)
    counts[3, 15] *= 2.5
    assert found_at(look(counts), 3) == [(15, SPIKE)]
    trusted = np.zeros(counts.shape, dtype=bool)
    trusted[3, 15] = True
    assert found_at(look(counts, trusted=trusted), 3) == []
    assert look(counts, trusted=trusted).usable[3].all()
    with pytest.raises(InputError, match="trusted"):
        look(counts, trusted=np.zeros((2, 2)))


def test_a_movement_of_the_whole_nation_is_no_break():
    counts = panel(7)
    counts[:, 30:] *= 0.6
    assert look(counts).area.size <= 1


def test_degenerate_panels():
    for counts in (np.zeros((3, 24)), np.full((3, 24), 50.0), np.full((1, 24), np.nan), np.ones((1, 1))):
        assert look(counts).area.size == 0
    one = panel(8, areas=1)
    one[0, 20:23] *= 0.2
    assert found_at(look(one), 0) == [(20, DROP), (21, DROP), (22, DROP)]


def test_masked_median_equals_numpy():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(20, 7))
    seen = rng.random((20, 7)) > 0.3
    seen[0] = False
    expected = [np.median(v[s]) if s.any() else np.nan for v, s in zip(values, seen, strict=True)]
    assert masked_median(values, seen) == pytest.approx(expected, nan_ok=True)


def steady(areas=30, n=48, size=20_000):
    """Months that hardly move, so that the 25 % rule alone decides."""
    return np.random.default_rng(12).poisson(size, (areas, n)).astype(float)


@pytest.mark.parametrize(("factor", "kinds"), [(0.77, []), (0.73, [DROP]), (1.30, []), (1.37, [SPIKE])])
def test_less_than_a_quarter_is_no_break_however_steady_the_area(factor, kinds):
    """A quarter less is log(1 / 0.75), and as far above it is a third more."""
    counts = steady()
    counts[3, 20] *= factor
    assert [kind for _, kind in found_at(look(counts), 3)] == kinds


@pytest.mark.parametrize(
    ("factor", "kinds"), [(0.77, []), (0.72, [SHIFT_DOWN]), (1.30, []), (1.39, [SHIFT_UP])]
)
def test_less_than_a_quarter_is_no_level_shift(factor, kinds):
    counts = steady()
    counts[3, 24:] *= factor
    found = look(counts)
    assert [kind for _, kind in found_at(found, 3)] == kinds
    assert found.usable[3].sum() == (24 if kinds else 48)
    if kinds:
        assert found.month.tolist() == [24]
        assert found.change_percent[0] == pytest.approx(100 * (factor - 1), abs=2)


@pytest.mark.parametrize(
    ("left", "kinds"), [(1, [DROP]), (2, [DROP] * 2), (3, [DROP] * 3), (7, [SHIFT_DOWN]), (8, [SHIFT_DOWN])]
)
def test_a_fall_at_the_end_is_a_shift_once_seven_months_show_it(left, kinds):
    counts = steady()
    counts[3, 48 - left :] *= 0.5
    found = look(counts)
    assert [kind for _, kind in found_at(found, 3)] == kinds
    assert found.usable[3].sum() == (48 - left if left < 7 else left)


@pytest.mark.parametrize(("got", "kind"), [(0.80, SWAP), (0.72, SHIFT_UP), (1.2, SWAP), (1.4, SHIFT_UP)])
def test_an_exchange_is_of_about_as_many_events(got, kind):
    """Area 1 loses half of 20,000; area 2 gains that share of it: a quarter of the larger may be missing."""
    counts = steady()
    counts[1, 24:] -= 10_000
    counts[2, 24:] += 10_000 * got
    found = look(counts)
    assert found_at(found, 2) == [(24, kind)]
    assert found_at(found, 1) == [(24, SWAP if kind == SWAP else SHIFT_DOWN)]
    assert found.partner.tolist() == ([2, 1] if kind == SWAP else [-1, -1])


def test_a_gain_in_another_month_or_in_the_same_direction_is_no_exchange():
    counts = steady()
    counts[1, 24:] -= 10_000
    counts[2, 26:] += 10_000
    counts[4, 24:] -= 10_000
    found = look(counts)
    assert (found.partner == -1).all()
    assert [found_at(found, area)[0][1] for area in (1, 2, 4)] == [SHIFT_DOWN, SHIFT_UP, SHIFT_DOWN]


def test_zeros_are_judged_by_the_chance_of_a_zero():
    """Poisson: exp(-8.5) is 2 in 10,000, exp(-11) less than 1 in 10,000."""
    counts = np.vstack([np.full(48, 8.5), np.full(48, 11.0)])
    counts[:, 30] = 0
    found = look(counts)
    assert (1, ZERO) not in [(int(a), str(k)) for a, k in zip(found.area, found.kind, strict=True) if a == 0]
    assert found_at(found, 1)[0] == (30, ZERO)
    assert found.change_percent[found.area == 1][0] == -100


def test_a_level_that_came_back_to_within_a_quarter_counts_and_another_does_not():
    for factor, kept in ((0.85, 36), (0.6, 18)):
        counts = steady()
        counts[4, 18:30] *= 0.3
        counts[4, 30:] *= factor
        found = look(counts)
        assert found.usable[4].sum() == kept
        assert not found.usable[4, 18:30].any()


def test_fewer_than_five_areas_have_no_common_movement_to_take_off():
    """All fall together: four areas cannot tell that from four shifts, five can."""
    for areas, findings in ((4, 4), (5, 0)):
        counts = steady(areas)
        counts[:, 24:] *= 0.5
        assert look(counts).area.size == findings
