"""The notebooks that come with the package: found from anywhere, laid in a folder, never overwritten."""

import ast
import json
import re

import pytest

from bcfstats.errors import ParameterError
from bcfstats.example.data import write_example
from bcfstats.read.prepare import prepare
from bcfstats.run.notebooks import TO_WORK_WITH, lay_out, shipped
from bcfstats.run.settings import Settings
from tests.run.test_cli import ROOT
from tests.test_environment import table


def test_every_package_and_the_notebooks_are_named_for_the_wheel():
    """The build takes them by name; what is not named would be missing from a wheel and from nowhere else."""
    given = table()["tool"]["setuptools"]
    there = {".".join(path.parent.relative_to(ROOT).parts) for path in ROOT.glob("bcfstats/**/__init__.py")}
    assert set(given["packages"]) == there | {"bcfstats.notebooks"}
    assert (ROOT / given["package-dir"]["bcfstats.notebooks"] / "area_report.ipynb").is_file()


def test_each_is_found_and_one_of_them_is_run_for_each_area():
    for name in (*TO_WORK_WITH, "area_report"):
        assert json.loads(shipped(name).read_text(encoding="utf-8"))["nbformat"] == 4
    assert Settings().notebook == shipped("area_report")
    assert Settings().as_record()["notebook"] == ""  # wherever the package is installed


def test_they_are_laid_in_a_folder_and_never_overwritten(tmp_path):
    laid = lay_out(tmp_path / "mine")
    assert sorted(path.name for path in laid) == sorted(f"{name}.ipynb" for name in TO_WORK_WITH)
    assert all(path.read_bytes() == shipped(path.stem).read_bytes() for path in laid)
    laid[0].write_text("my own work")
    laid[1].unlink()
    with pytest.raises(ParameterError, match=r"never overwritten.*explore\.ipynb"):
        lay_out(tmp_path / "mine")
    assert laid[0].read_text() == "my own work"
    assert not laid[1].exists()


def test_command_says_how_to_open_them(tmp_path, bcfstats):
    done = bcfstats("notebooks", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "Open them with: jupyter lab notebooks"
    assert {path.stem for path in (tmp_path / "notebooks").iterdir()} == set(TO_WORK_WITH)
    assert bcfstats("notebooks", folder=tmp_path).returncode == 2


def texts_for_users():
    """Pages, templates and settings as they stand, and every text in the code but docstrings."""
    package = ROOT / "bcfstats"
    for ending in ("md", "j2", "ipynb"):
        for folder in (package, ROOT / "notebooks"):
            yield from ((path.name, path.read_text(encoding="utf-8")) for path in folder.rglob(f"*.{ending}"))
    yield "bcfstats.toml", (package / "run" / "bcfstats.toml").read_text(encoding="utf-8")
    for path in package.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
                yield path.name, node.value


def test_no_text_sends_a_user_to_a_file_that_only_the_repository_has():
    elsewhere = re.compile(r"(?<![\w/])(?:docs|scripts|tests)/\w|README|-e \.|\.\[[a-z]+\]|make [a-z]+`")
    found = [(name, match[0]) for name, text in texts_for_users() for match in elsewhere.finditer(text)]
    assert found == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        *((name, "bcf-2025-26") for name in TO_WORK_WITH),
        *(("set_ambitions", scheme) for scheme in ("bcf-2014-07", "bcf-2023-25")),  # quarters; no whole year
        ("explore", "bcf-2023-25"),  # opens on a metric that is not monthly
    ],
)
def test_it_takes_any_scheme(name, scheme, tmp_path):
    papermill = pytest.importorskip("papermill")
    write_example(tmp_path / "raw", n_areas=20, scheme=scheme)
    prepare(tmp_path / "raw", tmp_path / "processed")
    given = {"scheme": scheme, "processed": str(tmp_path / "processed")}
    how = {"cwd": tmp_path, "progress_bar": False}
    made = papermill.execute_notebook(shipped(name), tmp_path / "made.ipynb", parameters=given, **how)
    text = json.dumps([cell.get("outputs", []) for cell in made["cells"]])
    if scheme == "bcf-2025-26":
        assert "Emergency admissions 65+" in text
        assert name != "set_ambitions" or "reach the goal of" in text


@pytest.mark.slow
def test_a_year_without_plans_says_so(tmp_path):
    papermill = pytest.importorskip("papermill")
    given = {"parameters": {"scheme": "bcf-2020-21"}, "cwd": tmp_path, "progress_bar": False}
    with pytest.raises(papermill.PapermillExecutionError, match="no plan was required for 2020/21"):
        papermill.execute_notebook(shipped("set_ambitions"), tmp_path / "made.ipynb", **given)


@pytest.mark.slow
def test_the_demo_of_a_year_without_money_speaks_of_goals(tmp_path, bcfstats):
    done = bcfstats("demo", "--scheme", "bcf-2025-26", "--areas", "3", "--out", "made", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "3 reports made, 0 failed." in done.stdout
    for page in (tmp_path / "made" / "areas").glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "Average discharge delay" in text
        assert "payment line" not in text
