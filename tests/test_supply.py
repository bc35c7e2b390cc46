"""What is installed: locked with hashes, each package with a reason and a licence; what is read and asked."""

import ast
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from scripts.licences import (
    ALLOWED,
    DIRECT,
    LOCKS,
    PAGE,
    READ_BY_HAND,
    identifiers,
    licence,
    lines,
    locked,
)
from tests.test_environment import declared, project, table

ROOT = Path(__file__).resolve().parents[1]
LINES = lines()
BUILD = {"setuptools"}
READ_FROM_THE_ENVIRONMENT = {"MPLBACKEND", "SOURCE_DATE_EPOCH"}  # where a notebook draws; what time it is


def build_requirements():
    return {re.match(r"[\w.-]+", text)[0] for text in table()["build-system"]["requires"]}


def asked_for():
    """Packages that pyproject.toml names and `make setup` installs."""
    given = project()
    (extras,) = re.findall(
        r"^EXTRAS := (\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    chosen = [
        *given["dependencies"],
        *(text for name in extras.split(",") for text in given["optional-dependencies"][name]),
    ]
    return {text.partition(">")[0] for text in chosen}


def test_every_locked_package_has_one_version_on_any_system_and_hashes():
    pins = [line for line in LINES if line and line[0] not in " #"]
    markers = "python_full_version|sys_platform|platform_|os_name|implementation_name"
    form = re.compile(rf"[a-z0-9.-]+==[\w.]+(?: ; (?:{markers})[^\\]*)? \\")
    assert [line for line in pins if not form.fullmatch(line)] == []
    for number, line in enumerate(LINES):
        if line in pins:
            assert LINES[number + 1].startswith("    --hash=sha256:"), line
    assert not re.search(r"https?://|--(?:extra-)?index|--find", "\n".join(LINES))


def test_no_package_is_in_both_locks():
    run, more = (set(re.findall(r"^([\w.-]+)==", lock.read_text(encoding="utf-8"), re.M)) for lock in LOCKS)
    assert len(run) > 80
    assert not run & more


def test_what_is_locked_is_asked_for_or_needed_by_what_is():
    needed = locked()
    asked = asked_for() | build_requirements()
    assert {name for name, by in needed.items() if DIRECT in by} <= asked <= needed.keys()
    reached, more = set(), asked
    while more:
        reached |= more
        more = {name for name, by in needed.items() if reached & set(by)} - reached
    assert set(needed) == reached
    runtime, development, optional = declared()  # each has its reason in docs/dependencies.md
    assert asked <= runtime.keys() | development.keys() | optional.keys() | BUILD


def test_locked_versions_are_within_the_bounds():
    runtime, development, optional = declared()
    pins = {}
    for name, found in re.findall(r"^([a-z0-9.-]+)==([\w.]+)", "\n".join(LINES), re.MULTILINE):
        pins.setdefault(name, []).append(found)
    for name, bound in (runtime | development | optional).items():
        for found in pins.get(name, []):
            assert numbers(found) >= numbers(bound), f"{name} {found} is below {bound}"


def numbers(text):
    return [int(part) for part in re.findall(r"\d+", text)]


def listed():
    """Package to licence, as docs/licences.md says."""
    rows = re.findall(
        r"^\| (?!package )([a-z0-9.-]+) \| ([^|]+) \| [^|]+ \|$",
        PAGE.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    return dict(rows)


def test_every_licence_is_one_that_is_allowed():
    assert listed().keys() == locked().keys(), "python -m scripts.licences writes the page"
    assert {name: text for name, text in listed().items() if not identifiers(text) <= ALLOWED} == {}


def test_installed_packages_say_the_licence_that_is_listed():
    told = listed()
    seen = 0
    for name in told:
        try:
            version(name)
        except PackageNotFoundError:
            continue
        seen += 1
        if name not in READ_BY_HAND:
            assert licence(name) == told[name], f"{name}: python -m scripts.licences writes the page"
    assert seen > 20


def test_a_licence_that_is_not_allowed_is_noticed():
    assert not identifiers("MIT AND GPL-3.0-only") <= ALLOWED
    assert not identifiers("AGPL-3.0") <= ALLOWED


def environment_reads(path):
    """Environment variables that a module looks up, by name; "*" for all of them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        text = ast.unparse(node) if isinstance(node, ast.Attribute | ast.Call | ast.Subscript) else ""
        if text.startswith(("os.environ.get(", "os.getenv(", "os.environ[")):
            yield ast.literal_eval(node.args[0] if isinstance(node, ast.Call) else node.slice)


def test_no_secret_is_read():
    """Only named variables are looked up; the environment as a whole is handed on, never looked at."""
    found = {name for path in (ROOT / "bcfstats").rglob("*.py") for name in environment_reads(path)}
    assert found <= READ_FROM_THE_ENVIRONMENT
    whole = [
        path.name
        for path in (ROOT / "bcfstats").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "os.environ"
    ]
    assert set(whole) == {"cli.py", "pool.py", "worker.py", "processes.py"}  # the first sets how many threads


NETWORK = {"http", "urllib.request", "ftplib", "smtplib", "requests", "httpx", "aiohttp", "urllib3", "xmlrpc"}


@pytest.mark.parametrize("path", sorted((ROOT / "bcfstats").rglob("*.py")), ids=lambda path: path.name)
def test_no_module_can_ask_anything_of_a_network(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        asked = {name for name in names for refused in NETWORK if f"{name}.".startswith(f"{refused}.")}
        assert asked == set(), path.name
