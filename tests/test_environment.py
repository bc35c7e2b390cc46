"""What is installed: pyproject.toml, environment.yml and docs/dependencies.md name the same packages."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

import bcfstats

ROOT = Path(__file__).resolve().parents[1]
OTHER_NAME_ON_CONDA_FORGE = {
    "jupyter-client": "jupyter_client",
    "matplotlib": "matplotlib-base",  # without the Qt window system, which nothing here uses
}
CONDA_ONLY = {"python", "pip"}
FROM_PIP = {"gptables"}  # not known to be on conda-forge: pip installs it with the package


def table():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def project():
    return table()["project"]


def environment():
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def bounds(requirements):
    """Name to lower bound; any other form of requirement fails."""
    matches = [re.fullmatch(r"([A-Za-z0-9_.-]+?)(?:>=([0-9.]+))?", text) for text in requirements]
    assert all(matches), f"not of the form name>=version: {requirements}"
    return {match[1]: match[2] for match in matches}


def declared():
    """Name to bound: to use it, to work on it, and what a user may add."""
    found = project()
    extras = dict(found["optional-dependencies"])
    development = bounds(extras.pop("dev"))
    optional = bounds(text for requirements in extras.values() for text in requirements)
    return bounds(found["dependencies"]), development, optional


def test_conda_environment_names_the_packages_and_bounds_of_pyproject():
    runtime, development, _ = declared()
    expected = {
        OTHER_NAME_ON_CONDA_FORGE.get(name, name): bound
        for name, bound in (runtime | development).items()
        if name not in FROM_PIP
    }
    listed = bounds(item for item in environment()["dependencies"] if isinstance(item, str))
    assert {name: bound for name, bound in listed.items() if name not in CONDA_ONLY} == expected
    assert listed["python"] == project()["requires-python"].removeprefix(">=")


def test_conda_environment_takes_packages_from_conda_forge_alone():
    assert environment()["channels"] == ["conda-forge", "nodefaults"]


def test_pip_installs_nothing_but_this_package():
    assert [item for item in environment()["dependencies"] if isinstance(item, dict)] == [{"pip": ["-e ."]}]


def test_every_dependency_has_its_line_and_no_line_is_left_over():
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    sections = page.split("\n## ")[1:]
    named = [re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE) for section in sections]
    assert named == [sorted(group) for group in declared()]
    for line in re.findall(r"^\| `.*$", page, re.MULTILINE):
        assert all(cell.strip() for cell in line.strip("|").split("|")), f"an empty cell: {line}"


def imported(folder):
    """Top-level names imported anywhere in a folder's modules."""
    names = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names - sys.stdlib_module_names - {"bcfstats", "scripts", "tests"}


@pytest.mark.parametrize("folder", ["bcfstats", "tests", "scripts"])
def test_every_import_is_a_declared_dependency(folder):
    runtime, development, optional = declared()
    allowed = set(runtime | optional) if folder == "bcfstats" else set(runtime | optional | development)
    providers = packages_distributions()
    for name in imported(ROOT / folder):
        packages = {package.lower().replace("_", "-") for package in providers.get(name, [name])}
        assert packages & allowed, f"{folder} imports {name}, which pyproject.toml does not name"


def test_the_version_stands_in_one_place_and_the_citation_names_it():
    assert table()["project"]["dynamic"] == ["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == bcfstats.__version__
