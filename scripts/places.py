"""Everywhere users are: a few tests and an example run of three areas, in many places.

.ci/run places            all of them, one after the other
.ci/run oldest locale     some of them
.ci/run --list            what there is

A place makes an environment of its own in build/places where it needs one (with uv where that is at hand,
else with pip), runs a chosen part of the tests and makes the example reports, whose numbers are compared with
those of this machine's own environment: `bcfstats compare`. A place that this machine cannot be is said to be
"not tried"; it is never counted as passed. Exit code: 0 all passed, 1 one failed, 3 none failed and some were
not tried.
"""

import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "places"
OWN = ROOT / ".venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
VERSION_TESTS = [
    "tests/define",
    *(
        f"tests/read/test_{name}.py"
        for name in ("marks", "marks_dates", "observations", "plain", "settle", "targets", "workbook")
    ),
    *(f"tests/judge/test_{name}.py" for name in ("assessment", "baseline", "changes")),
    *(f"tests/stats/test_{name}.py" for name in ("estimates", "trend", "kendall")),
    "tests/disclose/test_rules.py",
    "tests/run/test_compare.py",
]
PLACE_TESTS = ["tests/define/test_periods.py", "tests/read/test_marks_dates.py", "tests/read/test_plain.py"]
BARE_TESTS = [
    "tests/browser",
    "tests/read/test_workbook.py",
    *(f"tests/run/test_{name}.py" for name in ("export", "no_network", "real_files")),
    *(f"tests/test_{name}.py" for name in ("architecture", "environment", "supply", "tracked_files")),
]
FILES = """
from pathlib import Path
from bcfstats.example.data import write_example
from bcfstats.example.data import write_example_targets
write_example(Path("data/raw"), n_areas=3)
write_example_targets(Path("targets.csv"), n_areas=1)
"""
COMMANDS = [
    "--version",
    "demo --areas 1",
    "init",
    "prepare",
    "run --targets targets.csv --area X06000001 --metric delayed_transfers --metric reablement",
    "report X06000001 --metric delayed_transfers",
    "check",
    "overview targets.csv --out overview",
    "explain trend",
    "list metrics",
    "export --fingertips --charts svg",
    "compare reports reports",
    "validate",
    "notebooks",
]
SPACES = "Health & Wellbeing – Þórshöfn, côté (1)"
LONG = "/".join(["a folder with a name as long as they are on shared drives of councils"] * 3)
WINDOWS_NAME = re.compile(r'[^<>:"/\\|?*\x00-\x1f]*[^<>:"/\\|?*\x00-\x1f .]')
WINDOWS_TAKEN = {"con", "prn", "aux", "nul", *(f"{n}{i}" for n in ("com", "lpt") for i in range(1, 10))}
SECONDS_TO_THE_CHANGE = 10
LONGEST_ON_WINDOWS = 120  # of 260 characters: the rest is for the folder that a user chooses
NO_FORK = "import os\nfor name in ('fork', 'forkpty', 'register_at_fork'):\n    delattr(os, name)\n"


class NotTriedError(Exception):
    """This machine cannot be the place."""


class FailedError(Exception):
    """The place was tried and something went wrong."""


@dataclass
class Place:
    """A Python, a folder and an environment to run it in.

    Attributes
    ----------
    python : Path
        The interpreter.
    folder : Path
        Where the work is done.
    environment : dict of str to str
        Variables that differ from this process's.
    source : Path
        Where the code, the notebooks and the tests are.
    """

    python: Path
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    source: Path = ROOT

    def run(self, *words: object, worst: int = 0) -> str:
        """Run a command in the place; give what it printed. A code above the worst allowed is a failure."""
        path = os.pathsep.join(filter(None, [self.environment.get("PYTHONPATH"), str(self.source)]))
        done = subprocess.run(
            [str(self.python), *map(str, words)],
            cwd=self.source,
            env=_clean() | self.environment | {"PYTHONPATH": path},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if not 0 <= done.returncode <= worst:
            raise FailedError(
                "\n".join([" ".join(map(str, words)), *(done.stdout + done.stderr).splitlines()[-25:]])
            )
        return done.stdout

    def tests(self, names: list[str]) -> str:
        """Run tests; give their summary. What packages say of each other's old names is not our affair."""
        quiet = ["-W", "ignore::DeprecationWarning"]
        told = self.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *quiet, *names)
        return told.strip().splitlines()[-1]

    def example(self) -> Path:
        """Prepare three example areas and make their reports."""
        out = self.folder / "reports"
        shutil.rmtree(out, ignore_errors=True)
        self.run("-m", "bcfstats", "demo", "--areas", 3, "--out", out)
        pages = sorted((out / "areas").glob("*.html"))
        if len(pages) != 3 or any(page.stat().st_size < 100_000 for page in pages):
            raise FailedError(f"not three whole pages: {pages}")
        return out


def _clean() -> dict[str, str]:
    """This process's environment without what could reach into another Python's."""
    own = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    return {name: value for name, value in os.environ.items() if name not in own} | {"PYTHONNOUSERSITE": "1"}


def _fresh(name: str) -> Path:
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _own() -> Path:
    if not OWN.exists():
        raise NotTriedError("there is no .venv: make setup")
    return OWN


def _reference() -> Path:
    """Reports of this machine's own environment, made once for this version of the code."""
    place = Place(_own(), FOLDER / "own")
    place.folder.mkdir(parents=True, exist_ok=True)
    code = place.run("-c", "from bcfstats.run.fingerprint import code_fingerprint as f; print(f())")
    stamp = place.folder / "code"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != code:
        place.example()
        stamp.write_text(code, encoding="utf-8")
    return place.folder / "reports"


def _same_numbers(place: Place, out: Path, *, exactly: bool) -> str:
    """Compare the numbers with this machine's own; other packages may differ, and are told."""
    reference = _reference()
    if exactly and (out / "results.csv").read_bytes() != (reference / "results.csv").read_bytes():
        raise FailedError("results.csv is not the same, byte for byte")
    try:
        Place(_own(), place.folder).run("-m", "bcfstats", "compare", reference, out)
    except FailedError as moved:
        if exactly:
            raise
        return f"numbers moved: {' '.join(str(moved).splitlines()[1:6])}"
    return "the same numbers"


def _environment(name: str, python: Path, packages: list[str]) -> Path:
    """Make an environment of its own for a place, with these packages."""
    folder, uv = _fresh(name) / "venv", _uv()
    made = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    make = [uv, "venv", "--python", python] if uv else [python, "-m", "venv"]
    subprocess.run([*make, folder], check=True, capture_output=True)
    tool = [uv, "pip", "install", "--python", made] if uv else [made, "-m", "pip", "install"]
    command = [*map(str, tool), "--quiet", *packages]
    done = subprocess.run(command, env=_clean(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotTriedError(f"its packages cannot be installed: {done.stderr.strip()[-300:]}")
    return made


def _bounds() -> list[str]:
    """List what is needed to use and to test bcfstats, as pyproject.toml says."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["dev"]]


def _uv() -> Path | None:
    beside = ROOT / "build" / "tools" / "bin" / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    return Path(found) if found else None


def _python(version: str) -> Path:
    """Find a Python of this version: on PATH, or where pyenv keeps them."""
    if found := shutil.which(f"python{version}"):
        done = subprocess.run(
            [found, "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=False
        )
        if done.returncode == 0 and done.stdout.startswith(f"{version}."):
            return Path(found)
    for found in sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python")):
        return found
    raise NotTriedError(f"there is no Python {version} here")


def locked(version: str) -> Callable[[], str]:
    """Try a version of Python, with the locked packages."""

    def tried() -> str:
        name = f"python{version}"
        locks = [str(ROOT / f"requirements{more}.lock") for more in ("", "-dev")]
        packages = ["--require-hashes", "--requirement", locks[0], "--requirement", locks[1]]
        return _versions(Place(_environment(name, _python(version), packages), FOLDER / name))

    return tried


def oldest() -> str:
    """Try the lower bounds of pyproject.toml: the oldest pandas, numpy and others that are supported."""
    if not _uv():
        raise NotTriedError("uv, which finds the oldest versions, is not at hand: make lock fetches it")
    packages = ["--resolution", "lowest-direct", *_bounds()]
    return _versions(Place(_environment("oldest", _python("3.11"), packages), FOLDER / "oldest"))


def newest() -> str:
    """Try the newest pandas, numpy and others that the index has, whatever the lock says."""
    packages = ["--upgrade", *_bounds()]
    return _versions(Place(_environment("newest", _python("3.13"), packages), FOLDER / "newest"))


def _versions(place: Place) -> str:
    code = "import sys, numpy, pandas; print(sys.version.split()[0], numpy.__version__, pandas.__version__)"
    which = "Python {}, numpy {}, pandas {}".format(*place.run("-c", code).split())
    numbers = _same_numbers(place, place.example(), exactly=False)
    return f"{which}: {place.tests(VERSION_TESTS)}; {numbers}"


def paths() -> str:
    """Try a copy of the repository, data and reports in folders with spaces and accents, and long ones."""
    folder = _fresh("paths") / SPACES / LONG
    copy = folder / "bcfstats – Kopie"
    copy.mkdir(parents=True)
    for name in ("bcfstats", "notebooks", "tests", "scripts", "docs"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    temporary = folder / "temporary"
    temporary.mkdir()
    work = folder / "Arbeit ñ"
    work.mkdir()
    place = Place(_own(), work, {"TMPDIR": str(temporary)}, source=copy)
    out = place.example()
    if left := [path.name for path in temporary.iterdir()]:
        raise FailedError(f"left in the temporary folder: {left}")
    told = place.tests(PLACE_TESTS)
    return f"{len(str(out))} characters: {told}; {_same_numbers(place, out, exactly=True)}"


def windows() -> str:
    """Try without fork and with warm kernels, as on Windows; no name may be one Windows cannot write."""
    folder = _fresh("windows")
    (folder / "sitecustomize.py").write_text(NO_FORK, encoding="utf-8")
    place = Place(_own(), folder, {"PYTHONPATH": str(folder)})
    if place.run("-c", "import os; print(hasattr(os, 'fork'))").strip() != "False":
        raise FailedError("fork could not be taken away")
    out = place.example()
    bad = [path for path in out.rglob("*") if not _windows_can_write(path, out)]
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False
    ).stdout.decode()
    bad += [name for name in listed.split("\0") if name and not _windows_can_write(ROOT / name, ROOT)]
    if bad:
        raise FailedError(f"names that Windows cannot write: {bad[:5]}")
    return f"{place.tests(PLACE_TESTS)}; {_same_numbers(place, out, exactly=True)}"


def _windows_can_write(path: Path, root: Path) -> bool:
    inside = path.relative_to(root)
    if len(str(inside)) > LONGEST_ON_WINDOWS:
        return False
    same = [other.name for other in path.parent.iterdir() if other.name.lower() == path.name.lower()]
    return len(same) == 1 and all(
        WINDOWS_NAME.fullmatch(part) and part.partition(".")[0].lower() not in WINDOWS_TAKEN
        for part in inside.parts
    )


def locale() -> str:
    """Try the C locale with ASCII as the system's encoding: nothing may rely on UTF-8 being the default."""
    plain = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    place = Place(_own(), _fresh("locale"), plain)
    if place.run("-c", "import locale; print(locale.getpreferredencoding(False))").strip() == "UTF-8":
        raise NotTriedError("the C locale of this system is UTF-8")
    out = place.example()
    return f"{place.tests(PLACE_TESTS)}; {_same_numbers(place, out, exactly=True)}"


def timezones() -> str:
    """Try other time zones, and the hour in which British Summer Time begins or ends falling into the run."""
    folder = _fresh("timezones")
    zones: dict[str, Callable[[], str]] = {
        "Auckland": lambda: "Pacific/Auckland",
        "New York": lambda: "America/New_York",
        "London": lambda: "Europe/London",
        "clocks go forward in the run": lambda: _changing(forward=True),
        "clocks go back in the run": lambda: _changing(forward=False),
    }
    for name, zone in zones.items():
        place = Place(_own(), folder / name.replace(" ", "-"), {"TZ": zone()})
        place.folder.mkdir()
        _same_numbers(place, place.example(), exactly=True)
    place = Place(_own(), folder, {"TZ": "Pacific/Auckland"})
    return f"{place.tests(PLACE_TESTS)}; the same numbers: {', '.join(zones)}"


def _changing(*, forward: bool) -> str:
    """Name a time zone whose clocks change in a few seconds, in the form that POSIX gives such rules."""
    now = time.gmtime(time.time() + SECONDS_TO_THE_CHANGE)
    day, minutes = now.tm_yday - 1, time.strftime("%M:%S", now)
    other = 364 if day < 180 else 0
    if forward:
        return f"GMT0BST,{day}/{now.tm_hour}:{minutes},{other}/2"
    return f"GMT0BST,{other}/1,{day}/{now.tm_hour + 1}:{minutes}"


def bare() -> str:
    """Try a machine with nothing but Python: no browser, no git, no published files."""
    folder = _fresh("bare")
    place = Place(_own(), folder, {"PATH": str(folder), "BCFSTATS_REAL_DATA": str(folder)})
    told = place.tests(["-m", "", *BARE_TESTS])
    if "skipped" not in told:
        raise FailedError(f"nothing was skipped, so something was at hand all the same: {told}")
    return told


def wheel() -> str:
    """Try a wheel, made of the source distribution, with no index and no network, in an empty folder."""
    own, house = _own(), ROOT / "build" / "wheelhouse"
    source, folder = _fresh("wheel") / "source", FOLDER / "wheel" / "empty"
    for name in ("bcfstats", "notebooks"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    home = Place(own, folder, source=source)
    home.run("-c", "from setuptools.build_meta import build_sdist as build; build('.')")
    pip = ["-m", "pip", "--disable-pip-version-check"]
    (archive,) = source.glob("*.tar.gz")
    home.run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", source, archive)
    (made,) = source.glob("*.whl")
    lock = ["--require-hashes", "--requirement", ROOT / "requirements.lock"]
    home.run(*pip, "download", "--only-binary", ":all:", "--dest", house, *lock)
    folder.mkdir()
    subprocess.run([own, "-m", "venv", folder / ".venv"], check=True)
    python = folder / ".venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    place = Place(python, folder, {"PYTHONPATH": ""}, source=folder)
    place.run(*pip, "install", "--no-index", "--no-compile", "-f", house, made)
    place.run("-c", FILES)
    alone = ["unshare", "--net", "--map-root-user"]
    if shutil.which("unshare") and not subprocess.run([*alone, "true"], capture_output=True).returncode:
        place = Place(Path("unshare"), folder, {"PYTHONPATH": ""}, source=folder)
        words: list[object] = [*alone[1:], python, "-m", "bcfstats"]
    else:
        words = ["-m", "bcfstats"]
    for command in COMMANDS:
        place.run(*words, *command.split(), worst=1)  # 1: something was found
    if not list(folder.glob("reports/areas/*.html")) or not list(folder.glob("notebooks/explore.ipynb")):
        raise FailedError("its reports or its notebooks are not there")
    return f"{made.name}: {len(COMMANDS)} commands"


PLACES: dict[str, Callable[[], str]] = {
    "bare": bare,
    "wheel": wheel,
    "paths": paths,
    "windows": windows,
    "locale": locale,
    "timezones": timezones,
    "python3.11": locked("3.11"),
    "python3.12": locked("3.12"),
    "python3.13": locked("3.13"),
    "oldest": oldest,
    "newest": newest,
}


def main(names: list[str]) -> int:
    if names == ["--list"]:
        print(*PLACES, sep="\n")
        return 0
    chosen = list(PLACES) if names == ["places"] else names
    if unknown := [name for name in chosen if name not in PLACES]:
        print(
            f"There is no such place: {', '.join(unknown)}. Places are {', '.join(PLACES)}.", file=sys.stderr
        )
        return 2
    ends = [_try(name) for name in chosen]
    return 1 if 1 in ends else max(ends)


def _try(name: str) -> int:
    began = time.monotonic()
    try:
        code, told = 0, f"passed: {PLACES[name]()}"
    except NotTriedError as why:
        code, told = 3, f"NOT TRIED: {why}"
    except FailedError as why:
        code, told = 1, f"FAILED: {why}"
    print(f"{name} ({time.monotonic() - began:.0f} s) {told}", flush=True)
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:] or ["places"]))
