"""What makes runs and commands quick: a worker that stays for the next run, a Python that has begun."""

import io
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bcfstats.example.data import write_example_targets
from bcfstats.run.batch import BatchResult, run_batch
from bcfstats.run.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
WITH_TARGETS = ("reablement", "delayed_transfers")
# It takes a command a line, forks, and runs the command in the process it forked as if that had just begun.
SERVER = """
import atexit, gc, json, os, sys, traceback
import bcfstats.cli, bcfstats.read.prepare, bcfstats.run.batch, bcfstats.run.check
gc.freeze()
for line in sys.stdin:
    if os.fork() == 0:
        break
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
else:
    sys.exit()
given = json.loads(line)
os.chdir(given["folder"])
for place, name in enumerate([os.devnull, given["out"], given["err"]]):
    os.dup2(os.open(name, os.O_RDWR | os.O_CREAT), place)
sys.argv = ["bcfstats", *given["words"]]
code = 0
try:
    bcfstats.cli.main()
except SystemExit as end:
    code = int(end.code or 0)
except BaseException:
    traceback.print_exc()
    code = 1
atexit._run_exitfuncs()
sys.stdout.flush()
os._exit(code)  # a whole Python takes half a second to be taken down
"""


@pytest.fixture(scope="session")
def batched() -> Iterator[Callable[..., BatchResult]]:
    """Make a run by threads whose worker, which takes seconds to begin, stays for the next run."""
    with ThreadPoolExecutor(2) as threads:

        def make(settings: Settings, **given: Any) -> BatchResult:
            return run_batch(settings, executor=threads, stream=io.StringIO(), **given)

        yield make


@pytest.fixture(scope="session")
def example_run(example_processed: Path, once: Callable[..., Path]) -> tuple[BatchResult, str]:
    """Run three example areas with targets for two of their metrics, and what it told."""

    def make(folder: Path) -> None:
        folder.mkdir()
        targets = write_example_targets(folder / "targets.csv", n_areas=3)
        proposed = pd.read_csv(targets)
        chosen = proposed.loc[proposed["metric"].isin(WITH_TARGETS)]  # the others show the ladder's chances
        chosen.to_csv(targets, index=False)
        told = io.StringIO()
        settings = Settings(
            processed=example_processed,
            out=folder / "reports with spaces",
            notebook=ROOT / "notebooks" / "area_report.ipynb",
            jobs=2,
            targets=(targets,),
        )
        result = run_batch(settings, stream=told)
        (folder / "made.pickle").write_bytes(pickle.dumps((result, told.getvalue())))

    found: tuple[BatchResult, str] = pickle.loads((once("run", make) / "made.pickle").read_bytes())
    return found


@pytest.fixture(scope="session")
def bcfstats(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Run a command in a process of its own; any warning of it is an error."""
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    folder = tmp_path_factory.mktemp("commands")
    warnings = ["-W", "error", "-W", "ignore::DeprecationWarning"]  # of one package by another
    with subprocess.Popen(
        [sys.executable, *warnings, "-c", SERVER],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:

        def run(*words: object, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
            given = {"words": list(map(str, words)), "folder": str(folder), **streams}
            for name in streams.values():
                Path(name).unlink(missing_ok=True)
            print(json.dumps(given), file=server.stdin, flush=True)
            code = int(server.stdout.readline())
            told = (Path(name).read_text(encoding="utf-8") for name in streams.values())
            return subprocess.CompletedProcess(given["words"], code, *told)

        streams = {name: str(folder / name) for name in ("out", "err")}
        yield run
        server.stdin.close()
