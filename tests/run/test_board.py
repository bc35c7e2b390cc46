"""A board's papers, as the command writes them: held against sums by hand and the words of the annex."""

import io
import shutil

import pandas as pd
import pytest

from bcfstats.example.data import write_example
from bcfstats.judge.results import Results
from bcfstats.read.prepare import prepare
from bcfstats.run.batch import run_batch
from bcfstats.run.board import describe_boards
from bcfstats.run.settings import Settings
from tests.conftest import installed
from tests.run.test_small_numbers import NOTEBOOK

TARGETS = """area,metric,payment,change_percent
Aldamount,delayed_transfers,2015-04,-10
Aldamount,care_home_admissions,2015-10,-3.5
Aldamount,dementia_diagnosis,2015-10,5
"""
MONEY = "area,payment,pounds,national_share_percent\nAldamount,2015-04,900000,\n"
ANSWERS = """area,question,answer,evidence
Aldamount,1,yes,Minutes of 3 March
Aldamount,strategy,yes,Aim 3
"""
GROUPS = """area,commissioner,area_share,metric,change_percent
Aldamount,Group A,70%,delayed_transfers,-10
Aldamount,Group B,30%,delayed_transfers,-10
"""
GOALS = "area,metric,payment,change_percent\nAldamount,average_discharge_delay,2025/26,-5\n"


def read(folder, name):
    return pd.read_csv(folder / f"{name}.csv", encoding="utf-8-sig")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("board")
    texts = {
        "days": "".join(TARGETS.splitlines(keepends=True)[:2]),
        "targets": TARGETS,
        "money": MONEY,
        "answers": ANSWERS,
        "groups": GROUPS,
        "goals": GOALS,
    }
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def settings(example_processed, files):
    return Settings(
        processed=example_processed, targets=(files / "targets.csv",), allocations=(files / "money.csv",)
    )


@pytest.fixture(scope="module")
def papers(settings, files):
    given = {"answers": files / "answers.csv", "groups": files / "groups.csv", "docx": installed("docx")}
    code, lines = describe_boards(settings, "Aldamount", files / "out", **given)
    assert code == 0
    return files / "out" / "X06000001-aldamount", lines


def test_each_question_of_the_annex_has_its_paper(papers):
    folder, lines = papers
    contents = read(folder, "contents")
    written = {path.stem for path in folder.glob("*.csv")} - {"contents"}
    assert written == set(contents["paper"])
    assert {"32", "45-47", "48, 57", "49-51", "56-61", "35, 37"} <= set(contents["paragraphs"])
    assert lines[1:] == [f"{row.paper}: {row.holds}" for row in contents.itertuples()]


def test_met_or_missed_in_three_readings_as_by_hand(papers, example_processed):
    """From sums of the published days, April to December 2013 and 2014, an average month; a tenth off.

    November 2013, in which nothing was sent, is left out.
    """
    rows = pd.read_parquet(example_processed / "observations.parquet")
    mine = rows.loc[(rows["area_code"] == "X06000001") & (rows["metric"] == "delayed_transfers")]

    def level(year):
        nine = mine.loc[mine["period_start"].between(f"{year}-04-01", f"{year}-12-31")]
        known = nine.loc[nine["numerator"] > 0]
        return 100_000 * known["numerator"].mean() / known["denominator"].mean()

    before, came = level(2013), level(2014)
    table = read(papers[0], "payment").query("metric == 'Delayed transfers of care'")
    lines = {"distance": before * 0.93, "level": before * 0.9 / 0.7, "count": before * 0.9}
    assert table["outcome_value"].tolist() == pytest.approx([came] * 3, rel=1e-9)
    assert table["line"].tolist() == pytest.approx([*lines.values()], rel=1e-9)
    assert table["achieved"].astype(bool).tolist() == [came <= line for line in lines.values()]


def test_what_follows_is_said_in_the_words_of_the_scheme_with_the_money(papers):
    table = read(papers[0], "what-follows")
    assert len(table) == 6  # two payments in three readings
    assert table["reading"].nunique() == 3
    april = read(papers[0], "payment").query("payment == '2015-04'")
    assert (april["money_at_stake"] == 300_000).all()  # a third of £900,000: three metrics are due


def test_a_change_of_definition_is_neither_met_nor_missed(papers):
    rows = read(papers[0], "payment").query("metric == 'Care home admissions'")
    assert rows["achieved"].isna().all()
    assert rows["reason"].str.startswith("series break on 2014-04-01").all()


def test_conditions_criteria_and_groups_are_as_they_were_answered(papers):
    folder, _ = papers
    conditions = read(folder, "national-conditions")
    assert conditions["answer"].tolist() == ["yes", "not recorded", "not recorded", "not recorded"]
    criteria = read(folder, "local-metric").set_index("criterion")
    assert len(criteria) == 6
    assert criteria.loc["strategy", ["finding", "decided_by"]].tolist() == ["met", "a person"]
    assert criteria.loc["challenging", "finding"] == "to be answered"  # a target nobody can assess
    assert read(folder, "commissioners")["finding"].tolist() == ["agrees"]


def test_what_is_not_given_is_said_and_no_earlier_paper_is_left(few, files):
    folder = files / "later"
    settings = Settings(processed=few, targets=(files / "days.csv",))
    describe_boards(settings, "Aldamount", folder)
    assert (folder / "X06000001-aldamount" / "payment.csv").exists()
    describe_boards(settings.with_given(targets=(), allocations=()), None, folder)
    assert len(list(folder.iterdir())) == 3
    mine = folder / "X06000001-aldamount"
    holds = read(mine, "contents").set_index("paper")["holds"]
    assert {path.stem for path in mine.glob("*.csv")} == {"contents", "national-conditions"}
    assert holds["payment"] == "not given: no targets of this board (--targets)"
    assert holds["commissioners"].startswith("not given:")
    assert holds["national-conditions"] == "4 rows; not given: the answers (--answers)"


@pytest.mark.needs("word")
def test_in_word_every_paper_has_its_heading_and_table(papers):
    import docx

    folder, _ = papers
    document = docx.Document(folder / "papers.docx")
    contents = read(folder, "contents")
    headings = [p.text for p in document.paragraphs if p.style.name == "Heading 2"]
    assert headings == contents["answers"].tolist()
    with_table = [path for path in folder.glob("*.csv") if path.stem != "contents"]
    assert len(document.tables) == len(with_table) + 1


@pytest.mark.slow
def test_a_scheme_without_money_has_goals_tracking_and_a_template(files):
    write_example(files / "raw", n_areas=3, scheme="bcf-2025-26")
    prepare(files / "raw", files / "present")
    settings = Settings(processed=files / "present", targets=(files / "goals.csv",), scheme="bcf-2025-26")
    describe_boards(settings, "Aldamount", files / "goals")
    folder = files / "goals" / "X06000001-aldamount"
    holds = read(folder, "contents").set_index("paper")["holds"]
    for name in ("payment", "what-follows", "national-conditions", "local-metric"):
        assert holds[name].startswith("does not exist in this scheme")
    assert "not confirmed" in holds["template"]
    assert len(read(folder, "tracking")) > 0
    rows = pd.read_parquet(files / "present" / "observations.parquet")
    mine = rows.query("area_code == 'X06000001' and metric == 'average_discharge_delay'")
    year = mine.loc[mine["period_start"].between("2024-04-01", "2025-03-31")]
    template = read(folder, "template").set_index("Row")
    before, goal = (template[name] for name in ("Current Baseline (as at ....)", "Goal for 2025/26"))
    assert 0 < float(before["Numerator"]) <= year["numerator"].sum()
    assert float(goal["Numerator"]) == pytest.approx(0.95 * float(before["Numerator"]), abs=1)


def test_admissions_avoided_earn_by_quarters_as_by_hand(example_processed, files):
    """Each month of two quarters has a twentieth less than the year before."""
    shutil.copytree(example_processed, files / "fewer")
    path = files / "fewer" / "observations.parquet"
    rows = pd.read_parquet(path)
    mine = (rows["area_code"] == "X06000001") & (rows["metric"] == "non_elective_admissions")
    months = rows.loc[mine].set_index("period_start")["numerator"].sort_index()
    after = mine & rows["period_start"].between("2015-01", "2015-06")
    year_before = months.loc["2014-01":"2014-06"]
    rows.loc[after, "numerator"] = (0.95 * year_before).round().to_numpy()
    rows.loc[after, "value"] = 100_000 * rows["numerator"] / rows["denominator"]
    rows.to_parquet(path)
    text = "area,metric,payment,change_percent\nAldamount,delayed_transfers,Q4 2014/15,-5\n"  # not paid on
    for quarter, percent in (("Q4 2014/15", -10), ("Q1 2015/16", -2.5), ("Q3 2015/16", -3.5)):
        text += f"Aldamount,non_elective_admissions,{quarter},{percent}\n"
    (files / "quarters.csv").write_text(text)
    settings = Settings(processed=files / "fewer", targets=(files / "quarters.csv",), scheme="bcf-2014-07")
    _, lines = describe_boards(settings, "Aldamount", files / "quarters")
    table = read(files / "quarters" / "X06000001-aldamount", "quarterly-payment").set_index("payment")
    fell = year_before - (0.95 * year_before).round()
    first, both = fell.iloc[:3].sum(), fell.sum()
    plan = 0.1 * year_before.iloc[:3].sum(), 0.025 * year_before.iloc[3:].sum()
    assert table["avoided_so_far"].tolist()[:2] == [first, both]
    assert table["planned_pounds"].tolist()[:2] == pytest.approx([1490 * x for x in plan], rel=1e-11)
    assert table["earned_pounds"].tolist()[:2] == pytest.approx(
        [1490 * first, 1490 * (both - first)], rel=1e-11
    )
    assert table["reason"].tolist()[2] == "no target that can be judged"
    assert table["earned_pounds"].isna().tolist() == [False, False, True, True]
    assert any("unit cost are not confirmed" in line for line in lines)


def test_money_comes_with_the_targets_of_a_run(few, files):
    settings = Settings(
        processed=few,
        out=files / "reports",
        targets=(files / "days.csv",),
        allocations=(files / "money.csv",),
        notebook=NOTEBOOK,
        jobs=1,
    )
    run_batch(settings, areas=["Aldamount"], stream=io.StringIO())
    told = Results.load(settings.out / "tables").assessments.set_index("metric")["money_at_stake"]
    assert told["delayed_transfers"] == 300_000


def test_the_command_wants_an_area_or_all(bcfstats):
    for words in ((), ("Aldamount", "--all")):
        done = bcfstats("board", *words)
        assert done.returncode == 2
        assert "Name one area, or give --all" in done.stderr


def test_a_row_of_targets_that_cannot_be_judged_is_named(few, tmp_path):
    (tmp_path / "targets.csv").write_text(
        "area,metric,payment,change_percent\nX06000001,delayed_transfers,2015-04,-3\nAtlantis,reablement,2015-10,2\n"
    )
    settings = Settings(processed=few, targets=(tmp_path / "targets.csv",))
    code, lines = describe_boards(settings, "X06000001", tmp_path / "papers")
    assert code == 1
    assert lines[-1].startswith("Left out: targets.csv, row 3, area: There is no such area.")
