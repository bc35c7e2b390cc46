"""`bcfstats track PLAN`, as a user runs it: lines, exit code, one page a board and one for all."""

import subprocess
import sys

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
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("track")
    write_example(folder / "raw", n_areas=12, scheme="bcf-2025-26")
    prepare(folder / "raw", folder / "processed")
    (folder / "plan.csv").write_text(PLAN, encoding="utf-8")
    words = ["track", "plan.csv", "--processed", "processed", "--scheme", "bcf-2025-26"]
    done = subprocess.run(
        [sys.executable, "-m", "bcfstats", *words, "--until", "Dec 2025", "--out", "out"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return folder / "out", done


def test_each_goal_has_a_line_and_the_exit_code_says_whether_one_is_off_track(made):
    _, done = made
    assert done.returncode in (0, 1), done.stderr
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines[:4]] == ["Aldamount"] * 2 + ["Ilvacliff"] * 2
    assert lines[3].startswith("Ilvacliff: no data.")
    assert (done.returncode == 1) == any("not on track" in line for line in lines)


def test_the_table_and_the_pages_hold_the_goal_of_record_with_its_source(made):
    out, done = made
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
