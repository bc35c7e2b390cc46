"""Settings from a file, from the command line, and as they are when nothing is said."""

import numpy as np
import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.errors import BcfStatsError, InputError, ParameterError
from bcfstats.judge.changes import change
from bcfstats.read.data import load
from bcfstats.read.prepare import prepare
from bcfstats.run.notebooks import AREA_REPORT
from bcfstats.run.settings import FILE, Settings, load_settings, prepared_data, write_settings


def test_the_file_that_init_writes_says_what_holds_anyway(tmp_path):
    path = write_settings(tmp_path)
    assert load_settings(path) == Settings()
    text = path.read_text(encoding="utf-8")
    assert {name for name in vars(Settings()) if f"{name} = " not in text} == set()
    with pytest.raises(ParameterError, match="a settings file already"):
        write_settings(tmp_path)


def test_what_is_given_on_the_command_line_comes_before_the_file(tmp_path):
    (tmp_path / FILE).write_text('jobs = 3\nout = "here"\n', encoding="utf-8")
    settings = load_settings(tmp_path / FILE).with_given(jobs=5, out=None)
    assert (settings.jobs, str(settings.out)) == (5, "here")


@pytest.mark.parametrize(
    "line", ["jobs = 0", "jobs = true", "palette = 'none'", "disclosure = 'threshold=-1'", "job = 2"]
)
def test_what_means_nothing_is_refused_with_the_name_of_the_file(line, tmp_path):
    (tmp_path / FILE).write_text(line, encoding="utf-8")
    with pytest.raises(BcfStatsError, match=FILE):
        load_settings(tmp_path / FILE)


def test_a_file_that_was_named_must_be_there(tmp_path):
    with pytest.raises(InputError, match="no such settings file"):
        load_settings(tmp_path / "other.toml")


def test_no_path_of_the_package_is_recorded():
    assert Settings().as_record()["notebook"] == ""
    assert str(AREA_REPORT.parent) not in str(Settings().as_record())


def test_figures_on_either_side_of_a_break_that_a_user_knows_are_not_compared(few, tmp_path):
    whole = load(few)
    data = prepared_data(
        Settings(
            processed=few,
            breaks=(
                "X06000001 delayed_transfers 2014-04-01 another ward counted",
                "every reablement 2013-10-01 other questions",
            ),
        )
    )
    before, after = Period.parse("Apr-Dec 2013"), Period.parse("Apr-Dec 2014")
    for seen, compared in ((whole, [True] * 3), (data, [False, True, True])):
        rows = seen.of("delayed_transfers").observations
        found = change(rows, METRICS["delayed_transfers"], before, after, label="x").sort_values("area_code")
        assert np.isfinite(found["change"]).tolist() == compared
    assert "another ward counted since 1 April 2014" in found["change_reason"].iloc[0]
    years = data.of("reablement").observations
    ends = years.groupby(years["period_start"].dt.year)["basis"].agg(
        lambda told: {text[-9:] for text in told}
    )
    assert ends[2013] == {"rt of it]"}  # the year the day lies in is like neither
    assert ends[2014] == {"ber 2013]"}
    assert not any(text.endswith("]") for text in ends[2012])
    pd.testing.assert_frame_equal(
        data.observations.drop(columns="basis"), whole.observations.drop(columns="basis")
    )


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        ("X06000001 delayed_transfers 2014-04-01", "not understood"),
        ("X06000001 delayed_transfers April what changed", "not understood"),
        ("X06000001 delayed 2014-04-01 what changed", "no such metric|There is no metric"),
        ("X09000001 delayed_transfers 2014-04-01 what changed", "no figure that this break"),
        ("X06000001 delayed_transfers 2024-04-01 what changed", "no figure that this break"),
    ],
)
def test_a_break_that_parts_nothing_is_refused(entry, match, few):
    with pytest.raises(BcfStatsError, match=match):
        prepared_data(Settings(processed=few, breaks=(entry,)))


def test_areas_are_put_together_before_their_figures_are_parted(tmp_path):
    rows = [
        {"area": code, "metric": "reablement", "period": year, "numerator": 80, "denominator": 100}
        for code, year in (("E10000006", "2021/22"), ("E06000063", "2024/25"), ("E06000064", "2024/25"))
    ]
    (tmp_path / "raw").mkdir()
    pd.DataFrame(rows).to_csv(tmp_path / "raw" / "mine.csv", index=False)
    assert prepare(tmp_path / "raw", tmp_path / "processed").exit_code == 0
    both = "E06000063+E06000064"
    given = {"joined": ("Cumbria",), "breaks": (f"{both} reablement 2023-04-01 other questions",)}
    found = prepared_data(Settings(processed=tmp_path / "processed", **given))
    assert found.observations["area_code"].tolist() == [both, both]
    assert found.observations["numerator"].tolist() == [80, 160]
    assert found.observations["basis"].tolist() == ["", "[other questions since 1 April 2023]"]
    assert both in set(found.areas["area_code"])
