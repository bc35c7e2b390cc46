"""Annual change against history: simulated movement, every fallback, hand arithmetic."""

import numpy as np
import pytest

from bcfstats.stats.annual import annual_scale
from bcfstats.stats.history import annual_prior


@pytest.mark.parametrize("movement", [0.0, 0.1, 0.3])
def test_false_positives_in_a_year_it_was_not_fitted_to(movement):
    rates = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        mean = rng.uniform(100, 600, 152)
        level = np.log(mean)[:, None] + np.cumsum(rng.normal(0, movement, (152, 4)), axis=1)
        counts = rng.poisson(np.exp(level)).astype(float)
        change = np.diff(np.log(counts + 0.5), axis=1)
        variance = 1 / counts[:, 1:] + 1 / counts[:, :-1]
        found = annual_scale(change[:, :2], variance[:, :2], variance[:, 2])
        rates.append(np.mean(np.abs(change[:, 2]) > found.half_width()))
    # 1,520 tests: standard error 0.6 points
    assert 0.03 <= np.mean(rates) <= 0.07


def test_too_few_changes_take_the_prior_or_say_that_sampling_is_all():
    prior = annual_prior("reablement")
    with_prior = annual_scale(np.zeros((3, 2)), 9.0, np.array([16.0]), prior=prior)
    assert with_prior.scale[0] == pytest.approx(np.sqrt(16 + 5.2**2))
    assert with_prior.source.startswith("national prior: still at home 91 days")
    assert with_prior.warning.startswith("6 historic changes, 20 are needed")
    alone = annual_scale(np.empty((1, 0)), np.empty((1, 0)), np.array([4.0]))
    assert alone.scale[0] == 2
    assert alone.source == "sampling error alone"
    assert alone.half_width()[0] == pytest.approx(2 * 1.959963984540054)


def test_missing_variance_has_a_reason():
    found = annual_scale(np.zeros((30, 1)), 0.01, np.array([0.01, np.nan]))
    assert list(found.reason) == ["", "the sampling variance is missing"]
    assert np.isnan(found.scale[1])
