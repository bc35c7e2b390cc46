"""Shipped scales: interpolation, lag, and whether the published files agree."""

import pytest

from bcfstats.errors import ParameterError
from bcfstats.stats.history import annual_prior, monthly_prior


def test_windows_between_and_beyond_those_measured():
    assert monthly_prior("delayed_transfers", 7).scale == pytest.approx(0.365 + (0.330 - 0.365) / 3)
    assert monthly_prior("delayed_transfers", 3).scale == 0.365
    assert monthly_prior("non_elective_admissions", 12, 24).scale == pytest.approx(0.050 * 1.40)
    assert monthly_prior("non_elective_admissions", 6).drift == 0.032


def test_unknown_metrics_have_none():
    assert monthly_prior("care_home_admissions", 6) is None
    assert annual_prior("delayed_transfers") is None
    assert annual_prior("care_home_admissions").unit == "log"
    with pytest.raises(ParameterError, match="12 or 24"):
        monthly_prior("delayed_transfers", 6, 36)
