"""The shape of the repository: what README, architecture.md and the public names promise is what is there."""

import ast
import importlib
import inspect
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import bcfstats

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "bcfstats"
ROOMS = (
    "define",
    "read",
    "read/formats",
    "example",
    "stats",
    "judge",
    "disclose",
    "show",
    "show/charts",
    "run",
)
HEAVY = ("matplotlib", "papermill", "pandera", "statsmodels", "nbconvert", "scipy.stats")
MOST_NAMES = 45  # what a newcomer can look through
LONGEST_CELL = 12  # lines: a screen holds three of them with their outputs


# README: the tree


@cache
def tree():
    """Entries of the tree in README.md: path from the root, with its line of explanation."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"^## What is where\n.*?^```text\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert block, "README.md has no tree under '## What is where'"
    entries, above = {}, ""
    for line in block[1].splitlines():
        parts = re.fullmatch(r"(  )?(\S+) +(\S.*)", line)
        assert parts, f"not a name with its explanation: {line!r}"
        above = above if parts[1] else parts[2]
        entries[above + parts[2] if parts[1] else parts[2]] = parts[3]
    return entries


def test_tree_in_readme_is_the_top_level(tracked):
    top = {name.partition("/")[0] + ("/" if "/" in name else "") for name in tracked}
    assert {path for path in tree() if path.count("/") == path.endswith("/")} == top


@pytest.mark.parametrize("folder", ["bcfstats/", "data/"])
def test_tree_in_readme_has_every_room(folder, tracked):
    inside = {name.removeprefix(folder) for name in tracked if name.startswith(folder)}
    rooms = {folder + name.partition("/")[0] + "/" for name in inside if "/" in name}
    assert {
        path for path in tree() if path.startswith(folder) and path.count("/") == 2 and path[-1] == "/"
    } == rooms


def test_tree_in_readme_names_only_what_is_there():
    assert [path for path in tree() if not (ROOT / path).exists()] == []


# docs/architecture.md: the modules, and where new code goes


@cache
def page():
    return (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("room", ROOMS)
def test_architecture_page_lists_the_modules_of_each_room(room):
    section = re.search(rf"^### {room}\n(.*?)(?=^##|\Z)", page(), re.MULTILINE | re.DOTALL)
    assert section, f"docs/architecture.md has no section on {room}"
    cells = re.findall(r"^\| (`.*?) \|", section[1], re.MULTILINE)
    listed = {name for cell in cells for name in re.findall(r"`(\w+\.py)`", cell)}
    modules = {path.name for path in (PACKAGE / room).glob("*.py")} - {"__init__.py"}
    assert listed == modules


def test_where_new_code_goes_names_only_what_is_there():
    section = re.search(r"^## Where new code goes\n(.*?)(?=^## |\Z)", page(), re.MULTILINE | re.DOTALL)
    assert section
    paths = re.findall(r"`([\w.-]+/[\w./-]*)`", section[1])
    assert len(paths) > 20
    assert (
        sorted({path for path in paths if not any((base / path).exists() for base in (ROOT, PACKAGE))}) == []
    )


# The package


@pytest.mark.parametrize("name", getattr(bcfstats, "__all__", ["__all__"]))
def test_public_name_resolves_and_is_documented(name):
    thing = getattr(bcfstats, name)
    if inspect.isclass(thing) or inspect.isroutine(thing) or inspect.ismodule(thing):
        words = thing.__doc__ or ""
        assert words.strip(), f"{name} has no docstring"
        assert not words.startswith(f"{name}("), f"{name} has only the docstring dataclasses write"


def imports_shown():
    """Module and names of every import of ours in the documentation and the notebooks."""
    for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")):
        for module, names in re.findall(
            r"from (bcfstats[\w.]*) import ([\w, ]+)", path.read_text(encoding="utf-8")
        ):
            yield from ((path.name, module, name.strip()) for name in names.split(","))


@pytest.mark.parametrize(("page_name", "module", "name"), sorted(set(imports_shown())))
def test_what_pages_and_notebooks_import_is_there(page_name, module, name):
    assert hasattr(importlib.import_module(module), name)


def test_dir_shows_the_public_names():
    assert dir(bcfstats) == sorted(bcfstats.__all__)
    assert len(set(bcfstats.__all__)) == len(bcfstats.__all__) <= MOST_NAMES


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, bcfstats; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    loaded = set(run.stdout.split())
    assert "bcfstats" in loaded
    assert loaded.isdisjoint(HEAVY)


def imports(path):
    """Modules a file imports, and whether only when a function that needs them runs."""
    tree_of_file = ast.parse(path.read_text(encoding="utf-8"))
    at_once = set(tree_of_file.body)
    for node in ast.walk(tree_of_file):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node not in at_once) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            yield node.module, node not in at_once


@pytest.mark.parametrize("path", sorted((PACKAGE / "stats").rglob("*.py")), ids=lambda path: path.name)
def test_statistics_import_numpy_scipy_and_on_use_statsmodels(path):
    allowed = sys.stdlib_module_names | {"numpy", "scipy"}
    for name, on_use in imports(path):
        ours = name == "bcfstats.errors" or name.startswith("bcfstats.stats")
        # statsmodels is slow to load; statsforecast is an opponent of the forecast, where it is installed
        late = on_use and name.partition(".")[0] in {"statsmodels", "statsforecast"}
        assert ours or late or name.partition(".")[0] in allowed, f"{path.name} imports {name}"


# The notebooks

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
RUN_FOR_EACH_AREA = "area_report.ipynb"
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def code(path):
    """Position, source and syntax tree of each code cell."""
    for number, cell in enumerate(cells(path), start=1):
        if cell["cell_type"] == "code":
            source = "".join(cell["source"])
            yield number, source, ast.parse(source)


def is_text(node):
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def is_arithmetic(node):
    """Whether this computes: joining text, paths ("a" / "b") and sets of options ("|") do not."""
    if isinstance(node, ast.AugAssign):
        return True
    if not isinstance(node, ast.BinOp) or isinstance(node.op, ast.BitOr):
        return False
    return not (is_text(node.left) or is_text(node.right))


def test_there_are_notebooks():
    assert RUN_FOR_EACH_AREA in {path.name for path in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_starts_with_words(path):
    first = cells(path)[0]
    assert first["cell_type"] == "markdown"
    assert "".join(first["source"]).strip()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_defines_nothing_and_computes_nothing(path):
    for number, _, tree_of_cell in code(path):
        for node in ast.walk(tree_of_cell):
            assert not isinstance(node, DEFINITIONS), (
                f"cell {number} defines something: that belongs in bcfstats"
            )
            assert not is_arithmetic(node), f"cell {number} computes: {ast.unparse(node)}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_has_short_cells(path):
    assert {number: source for number, source, _ in code(path) if source.count("\n") >= LONGEST_CELL} == {}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_keeps_only_outputs_that_are_checked(path):
    for number, cell in enumerate(cells(path), start=1):
        if cell["cell_type"] == "code" and "# NBVAL_CHECK_OUTPUT" not in "".join(cell["source"]):
            assert cell["outputs"] == [], f"cell {number} has outputs: nbstripout removes them"
            assert cell["execution_count"] is None, (
                f"cell {number} has been run: nbstripout removes the count"
            )


def test_notebook_of_a_report_has_one_cell_of_parameters():
    tags = [cell["metadata"].get("tags", []) for cell in cells(ROOT / "notebooks" / RUN_FOR_EACH_AREA)]
    assert sum("parameters" in found for found in tags) == 1


# The tests

LONGEST_UNTESTED = 60  # lines: below, a module may be tested with what uses it


def test_every_module_has_its_tests():
    missing = []
    for path in sorted(PACKAGE.rglob("*.py")):
        room = ("run",) if path.name == "cli.py" else path.parent.relative_to(PACKAGE).parts
        names = {found.stem for found in (ROOT / "tests" / "/".join(room[:1])).glob("test_*.py")}
        own = any(f"{name}_".startswith(f"test_{path.stem}_") for name in names)
        is_long = path.read_text(encoding="utf-8").count("\n") > LONGEST_UNTESTED
        if is_long and path.name != "__init__.py" and not own:
            missing.append(path.relative_to(PACKAGE).as_posix())
    assert missing == []
