"""Breaks planted in simulated panels are found; quiet panels stay quiet; a known published gap is found."""

import numpy as np
import pytest

from bcfstats.errors import InputError
from bcfstats.stats.breaks import DROP, SHIFT_DOWN, SHIFT_UP, SPIKE, SWAP, ZERO, find_breaks
from bcfstats.stats.medians import masked_median


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
