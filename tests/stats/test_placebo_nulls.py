"""Panels in which nothing happens move as they say: moments of many areas."""

import numpy as np
import pandas as pd
import pytest

from bcfstats.errors import ParameterError
from scripts.nulls import KINDS, null_panel, nulls_section

AREAS = 6000  # a standard deviation of a mean of squares is 2 points at most


def log_rate(kind, **given):
    made = null_panel(kind, 3, areas=AREAS, **given)
    return made, np.log(np.maximum(made.counts, 0.5) / made.days)


def test_sizes_and_days():
    made = log_rate("Poisson", months=24)[0]
    assert made.calendar_month.tolist() == [*range(1, 13)] * 2
    assert made.days.tolist() == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] * 2
    size = made.counts.mean(axis=1)
    assert np.median(size) == pytest.approx(460, rel=0.03)
    big = size[size > 150]  # below 100 sizes are cut off
    assert np.quantile(np.log(big), 0.9) - np.log(460) == pytest.approx(0.6 * 1.3, abs=0.1)
    assert size.min() > 90
    # 31 days of January and 28 of February at one daily rate
    assert made.counts[:, 0].sum() / made.counts[:, 1].sum() == pytest.approx(31 / 28, rel=0.01)
    assert (made.volatility == 1).all()
    # nothing but Poisson: the variance of a month is its mean
    spread = (made.counts[:, 0] - made.counts[:, 2]) ** 2 / (made.counts[:, 0] + made.counts[:, 2])
    assert spread.mean() == pytest.approx(1.0, abs=0.06)


def test_autocorrelated_months_about_a_level():
    """Neighbours share 0.7 x 0.22 squared; a month alone scatters by 1 / 50 and its Poisson noise."""
    made, x = log_rate("delayed days, autocorrelated", months=30)
    x = x - x.mean(axis=0)
    apart = [((x[:, k:] - x[:, : 30 - k]) ** 2).mean() for k in (1, 2, 24)]
    noise = 2 * (0.02 + (1 / made.counts[:, 5][made.counts[:, 5] > 0]).mean())
    expected = [2 * 0.22**2 * (1 - 0.7**k) + noise for k in (1, 2, 24)]
    assert apart == pytest.approx(expected, rel=0.06)


def test_a_wandering_level_moves_further_with_time():
    x = log_rate("delayed days, wandering level", months=36)[1]
    one, two = (((x[:, k:] - x[:, : 36 - k]) ** 2).mean() for k in (12, 24))
    assert two - one == pytest.approx(12 * 0.07**2, rel=0.12)


def test_areas_that_differ_in_size_and_volatility():
    made, _ = log_rate("delayed days, autocorrelated", months=12, heterogeneous=True)
    assert np.log(made.volatility).std() == pytest.approx(0.45, rel=0.04)
    assert np.log(made.volatility).mean() == pytest.approx(0.0, abs=0.03)
    size = made.counts.mean(axis=1)
    assert np.median(size) == pytest.approx(np.sqrt(60 * 5000), rel=0.1)
    assert np.quantile(size, 0.25) == pytest.approx(60**0.75 * 5000**0.25, rel=0.12)


def test_same_seed_same_panel_and_unknown_kinds_are_refused():
    one, two, other = (null_panel("Poisson", seed, areas=3).counts for seed in (1, 1, 2))
    assert (one == two).all()
    assert not (one == other).all()
    assert one.shape == (3, 45)
    assert null_panel("Poisson", 1).counts.shape == (152, 45)
    assert len(KINDS) == 5
    with pytest.raises(ParameterError, match="no such kind"):
        null_panel("flat", 1)


def test_what_was_found_is_told_in_per_cent():
    row = {"kind": "Poisson", "heterogeneous": True, "history": 36, "window": 9, "overall": 0.05}
    page = nulls_section(pd.DataFrame([{**row, "steady": 0.04, "middle": 0.05, "volatile": np.nan}]), seed=7)
    assert "Seed 7" in page
    assert "| Poisson, sizes and volatility differ | 36 and 9 months | 5.0 | 4.0 | 5.0 |  |" in page
