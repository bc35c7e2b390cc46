"""Challengers against hand arithmetic and statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm

from bcfstats.errors import ParameterError
from bcfstats.stats.backtest import auto_ets, same_months_last_year, trend_and_months
from bcfstats.stats.level import MonthlyCounts


def months(n):
    return np.arange(n) % 12 + 1


def test_same_months_last_year_by_hand():
    counts = np.arange(1.0, 25.0)[None, :]
    panel = MonthlyCounts(counts, np.full((1, 24), 30.0), months(24))
    # leads 11 to 14 repeat the last November and December, then January and February
    total = same_months_last_year(panel, 11, 14, np.full((1, 4), 15.0))
    assert total[0] == pytest.approx((23 + 24 + 13 + 14) / 2)


def test_trend_and_months_equals_statsmodels():
    rng = np.random.default_rng(1)
    month = months(36)
    counts = rng.poisson(300 * np.exp(0.05 * np.arange(36) / 12), (2, 36)).astype(float)
    found = trend_and_months(
        MonthlyCounts(counts, np.full((2, 36), 30.0), month), 4, 9, np.full((2, 6), 31.0)
    )
    full = np.column_stack([(months(45)[:, None] == np.arange(1, 13)).astype(float), np.arange(45) / 12])
    for i in range(2):
        fit = sm.GLM(counts[i], full[:36], family=sm.families.Poisson(), offset=np.full(36, np.log(30))).fit(
            tol=1e-12
        )
        assert found[i] == pytest.approx((31 * np.exp(full[39:45] @ fit.params)).sum(), rel=1e-8)


def test_the_optional_extra_is_asked_for_by_name():
    try:
        import statsforecast  # noqa: F401
    except ImportError:
        panel = MonthlyCounts(np.full((1, 36), 50.0), np.full((1, 36), 30.0), months(36))
        with pytest.raises(ParameterError, match="pip install statsforecast"):
            auto_ets(panel, 1, 6, np.full((1, 6), 30.0))
    else:
        counts = np.random.default_rng(1).poisson(500, (2, 48)).astype(float)
        panel = MonthlyCounts(counts, np.full((2, 48), 30.0), months(48))
        assert auto_ets(panel, 1, 6, np.full((2, 6), 30.0)) == pytest.approx(3000, rel=0.1)
