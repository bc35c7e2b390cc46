"""The notebooks that come with the package: found from anywhere, laid in a folder, never overwritten."""

import json

import pytest

from bcfstats.errors import ParameterError
from bcfstats.run.notebooks import TO_WORK_WITH, lay_out, shipped
from bcfstats.run.settings import Settings
from tests.run.test_cli import ROOT, bcfstats
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


def test_command_says_how_to_open_them(tmp_path):
    done = bcfstats("notebooks", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "Open them with: jupyter lab notebooks"
    assert {path.stem for path in (tmp_path / "notebooks").iterdir()} == set(TO_WORK_WITH)
    assert bcfstats("notebooks", folder=tmp_path).returncode == 2
