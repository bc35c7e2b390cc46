"""`bcfstats track PLAN`, as a user runs it: lines, exit code, one page a board and one for all."""

import pandas as pd
import pytest

from bcfstats.example.data import write_example
from bcfstats.read.prepare import prepare

PLAN = """area,metric,payment,change_percent,source
Aldamount,average_discharge_delay,2025/26,-10,"HWB, 3 March 2025"
Aldamount,long_term_care_home_admissions,2025/26,-5,"HWB, 3 March 2025"
Ilvacliff,long_term_care_home_admissions,2025/26,40,
Ilvacliff,falls_injuries,2025/26,-5,
"""


@pytest.fixture(scope="module")
def tracked_plan(tmp_path_factory, bcfstats):
    folder = tmp_path_factory.mktemp("track")
    write_example(folder / "raw", n_areas=12, scheme="bcf-2025-26")
    prepare(folder / "raw", folder / "processed")
    (folder / "plan.csv").write_text(PLAN, encoding="utf-8")
    words = ["track", "plan.csv", "--processed", "processed", "--scheme", "bcf-2025-26"]
    return folder / "out", bcfstats(*words, "--until", "Dec 2025", "--out", "out", folder=folder)


def test_each_goal_has_a_line_and_the_exit_code_says_whether_one_is_off_track(tracked_plan):
    _, done = tracked_plan
    assert done.returncode in (0, 1), done.stderr
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines[:4]] == ["Aldamount"] * 2 + ["Ilvacliff"] * 2
    assert lines[3].startswith("Ilvacliff: no data.")
    assert (done.returncode == 1) == any("not on track" in line for line in lines)


def test_the_table_and_the_pages_hold_the_goal_of_record_with_its_source(tracked_plan):
    out, done = tracked_plan
    assert "Pages and table" in done.stdout
    table = pd.read_csv(out / "plan.csv", encoding="utf-8-sig")
    assert set(table["source"].dropna()) == {"HWB, 3 March 2025"}
    care = table.loc[(table["area_code"] == "X06000001") & (table["unit"] == "admissions")]
    assert len(care) == 3  # quarters to December
    assert (care["needed"] == care["goal"] - care["actual_so_far"]).all()
    whole = (out / "plan.html").read_text(encoding="utf-8")
    assert 'href="X06000001-aldamount.html"' in whole
    assert "Example data" in whole
    assert not any("nan" in page.read_text(encoding="utf-8") for page in out.glob("*.html"))
    board = (out / "X06000001-aldamount.html").read_text(encoding="utf-8")
    assert "HWB, 3 March 2025" in board
    for text in (
        "April to June 2025",
        "July to September 2025",
        "October to December 2025",
        "For the return",
    ):
        assert text in board


@pytest.mark.parametrize("command", ["check", "track", "phase", "goals"])
def test_a_board_that_has_ended_is_refused_with_what_became_of_it_by_every_command(
    command, tmp_path, bcfstats
):
    """Bournemouth ended in March 2019; the goal is for 2025/26."""
    rows = [
        f"{code},delayed_transfers,{year}-{month:02d},{count},150000"
        for code, first, count in (("E06000028", 2016, 900), ("E06000058", 2023, 1900))
        for year in range(first, first + 3)
        for month in range(1, 13)
    ]
    (tmp_path / "raw").mkdir()
    text = "\n".join(["area,metric,period,numerator,denominator", *rows])
    (tmp_path / "raw" / "days.csv").write_text(text + "\n", encoding="utf-8")
    prepare(tmp_path / "raw", tmp_path / "processed")
    plan = "area,metric,period,change_percent\nBournemouth,delayed_transfers,2025/26,-5\n"
    (tmp_path / "plan.csv").write_text(plan, encoding="utf-8")
    given = {"phase": ["plan.csv", "phased.csv"], "goals": ["work.csv", "plan.csv"]}.get(
        command, ["plan.csv"]
    )
    words = [command, *given, "--processed", "processed", "--scheme", "bcf-2025-26"]
    done = bcfstats(*words, folder=tmp_path)
    assert done.returncode == 2, done.stdout
    assert "went to Bournemouth, Christchurch and Poole (E06000058)" in done.stderr
