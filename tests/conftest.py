"""Fixtures shared by all tests, made once for all processes; and what a machine may lack, in one place."""

import gc
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from bcfstats.run.report import ONE_THREAD

if TYPE_CHECKING:
    from bcfstats.judge.results import Results

gc.disable()  # until the tests are found: what is imported for them stays
os.environ.update(ONE_THREAD | os.environ)  # before numpy is imported
os.environ.setdefault("SOURCE_DATE_EPOCH", str(int(time.time())))  # what tests compare is of one day
ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = Path(os.environ.get("BCFSTATS_REAL_DATA", ROOT.parent / "shared" / "data"))
PRESENT_DAY = Path(os.environ.get("BCFSTATS_PRESENT_DAY", ROOT.parent / "shared" / "present-day"))
CASES = Path(os.environ.get("BCFSTATS_CASES", ROOT.parent / "shared" / "cases"))
# How long an example takes says how busy the machine is, not whether it is right; the same ones every time
settings.register_profile(
    "any machine", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")
# Each cell of a notebook, and each example of a docstring, that assesses all 150 example areas
SLOW = (
    *("notebooks/area_report.ipynb", "notebooks/set_ambitions.ipynb"),
    "bcfstats/show/report.py::bcfstats.show.report.open_report",
)
LONGEST_FIRST = (
    *("tests/run", "tests/browser", "notebooks", "tests/test_docs.py", "bcfstats/show/report.py"),
    *("tests/judge", "tests/show", "tests/stats", "tests/read"),
)


def installed(*modules: str) -> bool:
    """Whether packages can be imported."""
    return all(find_spec(name) for name in modules)


@cache
def printing_browser() -> bool:
    """Whether the browser is there that prints pages to PDF."""
    from bcfstats.errors import NotDoneError
    from bcfstats.run.export import find_browser

    try:
        return bool(find_browser())
    except NotDoneError:
        return False


@cache
def own_network() -> bool:
    """Whether a test may make a network of its own."""
    command = ["unshare", "--net", "--map-root-user", "true"]
    return bool(shutil.which("unshare")) and not subprocess.run(command, capture_output=True).returncode


# What a machine may lack: whether it is there, and what a test that needs it says when it is skipped.
NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "published files": (
        (PUBLISHED / "dtoc").is_dir,
        f"no published files in {PUBLISHED}: set BCFSTATS_REAL_DATA to their folder",
    ),
    "present-day files": (
        (PRESENT_DAY / "drd").is_dir,
        f"no files of the present day in {PRESENT_DAY}: set BCFSTATS_PRESENT_DAY to their folder",
    ),
    "cases": ((CASES / "files").is_dir, f"no cases in {CASES}: set BCFSTATS_CASES to their folder"),
    "chromium": (
        lambda: bool(shutil.which("chromium")) and installed("playwright", "axe_playwright_python"),
        "no chromium on PATH (your system's package of that name), or no pip install -e .[browser]",
    ),
    "printing": (printing_browser, "no Chromium, Chrome or Edge to print pages with"),
    "word": (lambda: installed("docx"), "python-docx is not installed: .[word]"),
    "cluster": (lambda: installed("distributed"), "distributed is not installed: .[cluster]"),
    "site": (
        lambda: installed("material", "mkdocstrings_handlers"),
        "mkdocs-material or mkdocstrings is not installed: .[docs]",
    ),
    "git": (
        lambda: bool(shutil.which("git")) and (ROOT / ".git").exists(),
        "no git, or no git working folder: what is tracked cannot be told",
    ),
    "own network": (own_network, "this system gives a test no network of its own"),
    "fork": (lambda: hasattr(os, "fork"), "this system cannot fork"),
    "full device": (Path("/dev/full").exists, "this system has no device that is full"),
    "shell": (lambda: Path("/bin/sh").exists(), "this system has no POSIX shell"),
    "pipes": (lambda: hasattr(os, "mkfifo"), "this system has no named pipes"),
    "resource": (lambda: installed("resource"), "this system neither tells nor limits what a process takes"),
    "proc": (Path("/proc/self/stat").is_file, "this system does not list its processes under /proc"),
    "own disks": (
        lambda: sys.platform == "linux" and os.geteuid() == 0 and bool(shutil.which("mount")),
        "only root of a Linux machine mounts disks",
    ),
    "no root": (
        lambda: not hasattr(os, "geteuid") or os.geteuid() != 0,
        "root may read and write everything",
    ),
}


def need(*names: str) -> None:
    """Skip the test, with the reason, where this machine lacks what it needs."""
    for name in names:
        is_there, reason = NEEDS[name]
        if not is_there():
            pytest.skip(reason)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test marked with `needs` on a machine that lacks one of the things named."""
    for mark in item.iter_markers("needs"):
        need(*mark.args)


def pytest_configure() -> None:
    """Let Ctrl-C reach the commands that tests start, where what started the tests ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no process is left with it at the end."""
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker("slow")
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}

    def place(item: pytest.Item) -> int:
        found = (places[name] for name in places if item.nodeid.startswith(name))
        return next(found, len(places))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Leave alone what is there by now when the memory of tests is cleared."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", name="need")
def need_in_a_fixture() -> Callable[..., None]:
    """Skip, with the reason, the tests of a fixture that needs what this machine lacks."""
    return need


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Make a folder once for all the processes that tests run in; nobody writes to it afterwards."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "once"
    shared.mkdir(exist_ok=True)

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = shared / name, shared / f"{name}.done"
        with FileLock(shared / f"{name}.lock"):
            if not done.exists():
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real published files, or skip with the reason."""
    need("published files")
    return PUBLISHED


@pytest.fixture(scope="session")
def present_day() -> Path:
    """Return the folder of files published since 2020, or skip with the reason."""
    need("present-day files")
    return PRESENT_DAY


@pytest.fixture(scope="session")
def cases() -> Path:
    """Return the folder of files that were once read wrongly, or skip with the reason."""
    need("cases")
    return CASES


@pytest.fixture(scope="session")
def real(real_data: Path, once) -> Path:
    """Prepare all the real published files, in `processed`; what `prepare` gave back is beside them."""
    from bcfstats.read.prepare import prepare

    def make(folder: Path) -> None:
        found = prepare(real_data, folder / "processed")
        (folder / "prepared.pickle").write_bytes(pickle.dumps(found))

    return once("real", make)


@pytest.fixture(scope="session")
def real_processed(real: Path) -> Path:
    """Give the folder of the real published files, prepared."""
    return real / "processed"


@pytest.fixture(scope="session")
def real_results(real_processed: Path, once) -> "Results":
    """Assess the real published files, with one target for Southampton."""
    from bcfstats.judge.assessment import assess
    from bcfstats.read.data import load
    from bcfstats.read.targets import read_targets

    def make(folder: Path) -> None:
        folder.mkdir()
        row = "Southampton,delayed_transfers,2015-04,-12.5"
        (folder / "targets.csv").write_text(f"area,metric,payment,change_percent\n{row}\n", encoding="utf-8")
        data = load(real_processed)
        found = assess(data, targets=read_targets(folder / "targets.csv", areas=data.areas))
        (folder / "results.pickle").write_bytes(pickle.dumps(found))

    found: Results = pickle.loads((once("real-results", make) / "results.pickle").read_bytes())
    return found


@pytest.fixture(scope="session")
def example_results(once) -> "Results":
    """Assess six example areas with their targets."""
    from bcfstats.example.data import example_data, example_targets
    from bcfstats.judge.assessment import assess

    def make(folder: Path) -> None:
        folder.mkdir()
        missing = dict.fromkeys(("target_value", "target_numerator", "baseline_value"), float("nan"))
        given = example_targets(6).rename(columns={"area": "area_code"}).assign(against="baseline", **missing)
        found = assess(example_data(n_areas=6), targets=given)
        (folder / "results.pickle").write_bytes(pickle.dumps(found))

    found: Results = pickle.loads((once("example-results", make) / "results.pickle").read_bytes())
    return found


@pytest.fixture(scope="session")
def example_processed(once) -> Path:
    """Prepare three example areas."""
    from bcfstats.example.data import write_example
    from bcfstats.read.prepare import prepare

    def make(folder: Path) -> None:
        write_example(folder / "raw", n_areas=3)
        prepare(folder / "raw", folder / "processed")

    return once("example", make) / "processed"


@pytest.fixture(scope="session")
def few(example_processed: Path, once) -> Path:
    """Keep two metrics of the example, one by month and one by year, so that a run takes a moment."""
    import pandas as pd

    def make(folder: Path) -> None:
        shutil.copytree(example_processed, folder)
        rows = pd.read_parquet(folder / "observations.parquet")
        kept = rows.loc[rows["metric"].isin(["delayed_transfers", "reablement"])]
        kept.to_parquet(folder / "observations.parquet")

    return once("few", make)


def _broken(processed: Path, folder: Path) -> None:
    import pandas as pd

    shutil.copytree(processed, folder)
    rows = pd.read_parquet(folder / "observations.parquet")
    chosen = rows.index[(rows["area_code"] == "X06000002") & (rows["metric"] == "delayed_transfers")][7]
    rows.loc[chosen, "numerator"] = -5.0
    rows.to_parquet(folder / "observations.parquet")


@pytest.fixture(scope="session")
def broken_processed(example_processed: Path, once) -> Path:
    """Break the data of one area: one month of delayed days of X06000002 is negative."""
    return once("broken", lambda folder: _broken(example_processed, folder))


@pytest.fixture(scope="session")
def broken_few(few: Path, once) -> Path:
    """Break the same month where there are two metrics."""
    return once("broken-few", lambda folder: _broken(few, folder))


@pytest.fixture(scope="session")
def site(once) -> Path:
    """Build the site; a link that leads nowhere, or a page left out, is an error."""
    need("site")

    def make(folder: Path) -> None:
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
        environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    return once("site", make)


@pytest.fixture(scope="session")
def tracked() -> list[str]:
    """Return the paths git tracks, staged ones too, or skip where there is no git."""
    need("git")
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True
    )
    names = listed.stdout.decode("utf-8").split("\0")[:-1]
    assert names, "git lists no files"
    return [name for name in names if (ROOT / name).is_file()]
