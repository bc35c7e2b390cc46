"""The walk through the guidance: the file it writes is judged by the command as the notebook judges it."""

import re
import subprocess
import sys

import pandas as pd
import pytest

from bcfstats.errors import ParameterError
from bcfstats.example.data import example_data, write_example
from bcfstats.read.data import load
from bcfstats.read.prepare import prepare
from bcfstats.read.template import read_template
from bcfstats.show.set_ambitions import open_ambitions
from tests.judge.made_up import AGREED, CHOSEN, LOCAL


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("board")
    write_example(folder / "raw", n_areas=40)
    prepare(folder / "raw", folder / "processed")
    return folder


@pytest.fixture(scope="module")
def walk(folder):
    return open_ambitions(load(folder / "processed"), "Aldamount", local_metric=LOCAL, periods=AGREED)


@pytest.fixture(scope="module")
def choice(walk):
    return walk.choose(CHOSEN)


@pytest.mark.slow
def test_the_command_comes_to_the_same_verdicts(folder, choice):
    choice.write(folder / "targets.csv")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "bcfstats",
            "check",
            "targets.csv",
            "--processed",
            "processed",
            "--out",
            "out.csv",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr  # care homes cannot be assessed
    told = pd.read_csv(folder / "out.csv", encoding="utf-8-sig").astype({"beats_trend": bool})
    own = choice.assessments.reset_index(drop=True)
    columns = ["area_code", "metric", "payment", "verdict", "reasons"]
    assert told[columns].to_numpy().tolist() == own[columns].to_numpy().tolist()
    numbers = own.select_dtypes("number").columns
    pd.testing.assert_frame_equal(told[numbers].astype(float), own[numbers].astype(float), rtol=1e-12)


@pytest.mark.parametrize("part", ["heading", "baselines", "trends", "seasons", "reachable", "needed"])
def test_every_factor_has_a_row_for_every_target(walk, part):
    assert getattr(walk, part)().count("<tr>") == 1 + len(walk.board.due)


def test_words_say_how_many_baselines_are_clear(walk):
    assert "7 of 8 targets have a clear baseline" in walk.baselines()
    assert "made up" in walk.heading()


def test_charts_carry_the_finding_and_their_data(walk):
    for chart in (
        walk.history("delayed_transfers"),
        walk.history("reablement"),
        walk.season("avoidable_emergency_admissions"),
        walk.ladder("delayed_transfers", "2015-04"),
    ):
        assert len(chart.alt) > 40
        assert re.search(r"\d", chart.alt)
        assert chart.rows
    assert "June 2015" not in str(walk.history("delayed_transfers").rows)  # only what could be known


def test_where_there_is_nothing_to_draw_it_says_why(walk):
    assert "no season can be measured" in walk.season("reablement")
    assert "series break" in walk.ladder("care_home_admissions", "2015-10")
    assert "no such target is due" in walk.ladder("reablement", "2015-04")


def test_chance_of_a_payment_with_an_open_metric_is_not_told(choice):
    text = choice.chances()
    assert "3 of 3" in text
    assert "5 of 6 metrics due have a chance: not the whole payment" in text
    assert "which is not known" in text


def test_template_holds_the_agreed_metrics_in_their_payments(walk, choice, tmp_path):
    assert "not confirmed" in choice.template()
    file = tmp_path / "template.csv"
    file.write_text(choice.template_csv())
    areas = pd.DataFrame({"area_code": ["X06000001"], "area_name": ["Aldamount"]})
    rows = read_template(file, areas=areas)
    local = rows.loc[rows["metric"] == LOCAL]
    assert local["payment"].tolist() == ["2015-04", "2015-10"]
    own = choice.assessments.set_index("metric").loc[LOCAL, "target_value"]
    assert local["target_value"].tolist() == pytest.approx([own] * 2, abs=0.05)  # as printed


def test_quarters_add_up_to_the_target(choice):
    row = choice.assessments.iloc[0]
    total = row["target_value"] / 100_000 * row["baseline_denominator"] * 9
    text = choice.phased("delayed_transfers", "2015-04")
    assert f"{total:,.0f} over April to December 2014" in text
    assert text.count("<tr>") == 1 + 3


def test_progress_follows_monthly_targets_only(choice):
    assert choice.progress("Sep 2014").count("<tr>") == 1 + 4
    assert "6 of 9" in choice.progress("Sep 2014")


def test_groups_that_cover_the_board_agree_or_differ(choice):
    groups = pd.DataFrame(
        [("A", "reablement", 4.5), ("B", "reablement", 3.0)],
        columns=["commissioner", "metric", "change_percent"],
    )
    shares = pd.DataFrame({"commissioner": ["A", "B"], "area_code": "X06000001", "area_share": [0.6, 0.4]})
    assert "agrees" in choice.consistency(groups, shares)  # 0.6 x 4.5 + 0.4 x 3.0 = 3.9 against 4
    assert "+3.9%" in choice.consistency(groups, shares)


def test_writing_again_keeps_other_boards(folder, choice):
    file = folder / "shared.csv"
    file.write_text("area,metric,payment,change_percent\nIlvacliff,reablement,2015-10,2\n")
    choice.write(file)
    choice.write(file)
    lines = file.read_text().splitlines()
    assert len(lines) == 1 + 1 + len(CHOSEN)
    assert lines[1].startswith("Ilvacliff,reablement,2015-10,2")


def test_target_that_is_no_improvement_is_asked_for_no_chance(walk):
    found = walk.choose([("delayed_transfers", "2015-04", 5)]).verdicts()
    assert found.count("none: no improvement") == 3


@pytest.fixture(scope="module")
def present():
    return open_ambitions(example_data(n_areas=20, scheme="bcf-2025-26"), None, "bcf-2025-26")


def test_a_scheme_without_money_speaks_of_goals_and_periods(present):
    choice = present.choose(present.improved(5))
    parts = (present.heading(), present.baselines(), present.reachable(), present.needed())
    parts += (choice.verdicts(), choice.chances(), choice.risks(), choice.phased(), choice.progress())
    told = re.sub(r"<[^>]+>|No money rests|does not pay", " ", "".join(map(str, parts)))
    assert not re.search(r"[Pp]aid|[Pp]ayment", told)
    assert "Goals and verdicts" in told
    assert "Goals that Aldamount has to set" in told
    assert [change for *_, change in present.improved(5)] == [-5.0] * 3  # lower is better in each


def test_a_rate_for_a_whole_year_is_split_as_its_people(present):
    """5 % fewer than the admissions of the baseline, not twelve times as many."""
    choice = present.choose(present.improved(5))
    care = choice.assessments.set_index("metric").loc["long_term_care_home_admissions"]
    split = choice.phased("long_term_care_home_admissions")
    expected = care["target_value"] / 100_000 * care["baseline_denominator"]
    assert f"{expected:,.0f} over 2025/26" in split


def test_what_cannot_be_split_says_why(choice):
    assert "Only what is counted over a period" in choice.phased("reablement")
    assert "no such target" in choice.phased("reablement", "2015-04")


def test_a_year_without_plans_is_refused_with_the_reason():
    with pytest.raises(ParameterError, match=r"Because of the pandemic no plan was required for 2020/21"):
        open_ambitions(example_data(n_areas=3), None, "bcf-2020-21")
