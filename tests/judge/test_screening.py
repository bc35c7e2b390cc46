import numpy as np
import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.errors import ParameterError
from bcfstats.judge.assessment import assess
from bcfstats.judge.screening import Trusted, parse_trusted, screen
from bcfstats.read.data import Data, load

AREAS = [f"X{i}" for i in range(1, 31)]


@pytest.fixture
def panel(months):
    """Thirty areas of 48 steady months; what each test breaks is its own."""
    rng = np.random.default_rng(11)
    return pd.concat(
        [months(list(rng.poisson(600, 48).astype(float)), area_code=code, area_name=code) for code in AREAS],
        ignore_index=True,
    )


def scale(rows, code, first, last, factor):
    here = (rows["area_code"] == code) & rows["period_start"].between(first, last)
    rows.loc[here, "numerator"] = (rows.loc[here, "numerator"] * factor).round()


def as_data(rows):
    names = ("area_code", "area_name", "area_type", "region_code", "region", "council_code", "board")
    areas = pd.DataFrame({name: AREAS if name == "area_code" else "" for name in names})
    return Data(rows, areas, rows.iloc[:0], {"files": []})


def windows_of(results, code, payment="2015-04"):
    rows = results.windows
    return rows.loc[(rows["area_code"] == code) & (rows["payment"] == payment)].iloc[0]


def test_nothing_is_found_where_nothing_is_wrong(panel):
    found = screen(panel, METRICS)
    assert found.findings.empty
    pd.testing.assert_frame_equal(found.observations, panel)


def test_missing_provider_is_left_out_and_never_passes_for_success(panel):
    """Three months at a tenth look like -30 % over nine months (domain.md section 9, trap 2)."""
    scale(panel, "X3", "2014-07-01", "2014-09-01", 0.1)
    results = assess(as_data(panel))
    row = windows_of(results, "X3")
    assert row["finding"] != "better"
    assert row["outcome_n_present"] == 6
    assert "sudden drop" in row["outcome_warnings"]
    assert (results.findings["area_code"] == "X3").all()
    assert len(results.findings) == 3
    assert set(results.findings["consequence"]) == {"left out"}


def test_zero_that_means_not_submitted_is_left_out(panel):
    scale(panel, "X5", "2014-05-01", "2014-05-01", 0.0)
    row = windows_of(assess(as_data(panel)), "X5")
    assert "May 2014" in row["outcome_missing"]
    assert abs(row["change"]) < 10


def test_level_shift_between_the_windows_is_not_compared(panel):
    """A level cut to 40 % and held is a change of what is counted until shown otherwise."""
    scale(panel, "X7", "2014-02-01", "2016-03-01", 0.4)
    results = assess(as_data(panel))
    row = windows_of(results, "X7")
    assert row["finding"] == "not compared"
    assert "level shift down (−" in row["change_reason"]
    assert row["baseline_value"] > 2 * row["outcome_value"]  # both levels are still shown
    (finding,) = results.findings.to_dict("records")
    assert finding["consequence"] == "not compared across it"
    assert finding["change_percent"] == pytest.approx(-60, abs=5)


def test_analyst_overrules(panel):
    scale(panel, "X7", "2014-02-01", "2016-03-01", 0.4)
    trusted = [Trusted("X7", "delayed_transfers", Period.parse("Jan-Apr 2014"))]
    results = assess(as_data(panel), trusted=trusted)
    assert results.findings.empty
    assert windows_of(results, "X7")["finding"] == "better"


def test_other_areas_are_not_touched(panel):
    clean = assess(as_data(panel.copy()))
    scale(panel, "X3", "2014-07-01", "2014-09-01", 0.1)
    broken = assess(as_data(panel))
    for code in ("X1", "X30"):
        before, after = windows_of(clean, code), windows_of(broken, code)
        assert before["change"] == after["change"]
        assert before["finding"] == after["finding"]


@pytest.mark.parametrize("text", ["X7 delayed_transfers", "X7 delays Jan 2014", "X7 delayed_transfers soon"])
def test_overrule_that_is_not_understood_is_refused(text):
    with pytest.raises(ParameterError):
        parse_trusted(text, METRICS)


@pytest.mark.slow
def test_known_jumps_of_the_published_files_are_found(real_processed, real_results):
    """Sheffield rose 4.6 times in August 2013 (data-sources.md 1); no missing trust passes for success."""
    data = load(real_processed)
    found = screen(data.observations, METRICS).findings
    days = found.loc[found["metric"] == "delayed_transfers"]
    sheffield = days.loc[days["area_name"] == "Sheffield"].iloc[0]
    assert (sheffield["period"], sheffield["what"]) == ("2013-08/2013-08", "level shift up")
    windows = real_results.windows
    admissions = windows.loc[windows["metric"] == "non_elective_admissions"]
    assert not ((admissions["finding"] == "better") & (admissions["change"] < -40)).any()
