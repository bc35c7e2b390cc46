"""Kill batches at random moments, resume them, and look for what was lost or left by half.

python -m scripts.kills                      100 kills
python -m scripts.kills --kills 1000         as in docs/reliability.md; `--until 03:15` stops it by the clock

In turn the process that runs the batch, the process that forks a report's process, and that process or its
kernel are killed with SIGKILL. After each kill every file is looked at; the batch goes on, or is resumed in
the same folder, until it ends by itself. What it has made is then compared with a batch that nobody killed.
Runs on Linux only.
"""

import argparse
import csv
import ctypes
import gc
import hashlib
import io
import itertools
import json
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
import zipfile
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
AREAS, METRICS = 3, ("delayed_transfers", "care_home_admissions")
RUN, WORKER, REPORT = KINDS = ("the run", "its worker", "a report or its kernel")
KILLS_IN_A_RUN = 8  # one after another, at times that remember nothing
SECONDS_TO_END, SECONDS_BETWEEN_LOOKS = 120, 0.005
NO_PAGE = hashlib.sha256(b"").hexdigest()
BECOME_REAPER = 36  # prctl: children of a process that was killed become ours
STAMPS = {"started", "written", "ended", "fingerprints"}  # of run.json, besides settings


def main():
    given = _arguments()
    ctypes.CDLL(None).prctl(BECOME_REAPER, 1, 0, 0, 0)
    _import_all()
    with tempfile.TemporaryDirectory(prefix="kills") as folder:
        trial = Trial(Path(folder), random.Random(given.seed))
        until = given.until
        while sum(trial.kills.values()) < given.kills and (not until or f"{datetime.now():%H:%M}" < until):
            trial.go_on()
            if sum(trial.kills.values()) % 10 == 0:
                print(f"{datetime.now():%H:%M:%S} {trial.line()}", flush=True)
        trial.end()
    print(trial.table())
    for fault in trial.faults:
        print(fault)
    return 1 if trial.faults else 0


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=2014)
    parser.add_argument("--until", default="", help="time of the day, such as 03:15, at which to stop")
    return parser.parse_args()


def _import_all():
    """Import and warm up once what every run and every worker would import for itself."""
    import gptables  # noqa: F401

    import bcfstats.run.batch  # noqa: F401
    from bcfstats.run import worker
    from bcfstats.run.resume import code_fingerprint

    worker._import_everything()
    code_fingerprint()
    gc.freeze()


class ForkedHere:
    """In place of `subprocess.Popen` for a worker: forked from this process, with all its imports."""

    def __init__(self, command, *, pass_fds, env, **_):
        from bcfstats.run import worker

        self.returncode = None
        self.pid = os.fork()
        if self.pid:
            return
        with suppress(BaseException):
            os.setsid()
            os.environ.update(env)
            (kept,) = pass_fds
            os.closerange(3, kept)
            os.closerange(kept + 1, 4096)
            worker._fork_for_each(socket.socket(fileno=int(command[-1])))
        os._exit(0)

    def poll(self):
        if self.returncode is None and os.waitpid(self.pid, os.WNOHANG)[0]:
            self.returncode = 0
        return self.returncode

    def wait(self):
        if self.returncode is None:
            os.waitpid(self.pid, 0)
            self.returncode = 0


def begin(settings, told, temporary):
    """Start a run in a process of its own, which tells every report that it has finished."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        from bcfstats.errors import NotDoneError
        from bcfstats.run import batch as progress
        from bcfstats.run import pool as workers
        from bcfstats.run.batch import run_batch

        os.setsid()
        tempfile.tempdir = str(temporary)
        progress.SECONDS_BETWEEN_LINES = 0
        workers.subprocess = type("Forking", (), {"Popen": ForkedHere, "DEVNULL": None})
        with told.open("w", encoding="utf-8") as stream:
            code = run_batch(settings, resume=True, stream=stream).exit_code
    except NotDoneError:
        code = 3  # as the command's
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


@dataclass
class Trial:
    """Batches that are killed, and what has come of it."""

    folder: Path
    chance: random.Random
    kills: dict = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    batches: int = 0
    runs: int = 0
    finished: int = 0
    faults: list = field(default_factory=list)

    def __post_init__(self):
        from bcfstats.run.settings import Settings

        self.kinds = itertools.cycle(KINDS)
        self.settings = Settings(
            processed=example(self.folder), notebook=ROOT / "notebooks/area_report.ipynb", jobs=2
        )
        self.told, self.temporary = self.folder / "told.txt", self.folder / "temporary"
        self.ended, self.pid, self.made = {}, None, {}
        started = time.monotonic()
        self.out = self.folder / "undisturbed"
        self._start()
        if self._wait() != 0:
            raise SystemExit("The batch that nobody kills has failed.")
        self.usual = time.monotonic() - started
        self.expected = contents(self.out)
        self.fingerprints = json.loads((self.out / "run.json").read_text())["fingerprints"]
        self.out, self.pid = self.folder / "killed", None

    def go_on(self):
        """Kill once, or see a batch to its end."""
        if self.pid is None:
            self._start()
        self._sleep(self.chance.expovariate(KILLS_IN_A_RUN / self.usual))
        victim = self._victim(kind := next(self.kinds))
        if victim is None:
            self.kinds = itertools.chain([kind], self.kinds)  # it is still this one's turn
        else:
            left = descendants(self.pid)
            os.kill(victim, signal.SIGKILL)
            self.kills[kind] += 1
            if kind == RUN:
                self._wait(left)
        if self._is_over():
            self.pid = None
        self._look()
        if self.pid is None and self.ended.get(self.last) == 0:
            self._compare()

    def end(self):
        """Kill what is still running; nothing is counted any more."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)
            self._wait(descendants(self.pid))

    def line(self):
        done = ", ".join(f"{count} of {kind}" for kind, count in self.kills.items())
        return (
            f"{sum(self.kills.values())} kills ({done}), {self.runs} runs, {self.batches} batches ended, "
            f"{self.finished} reports finished, {len(self.faults)} faults, {self.usual:.1f} s a run"
        )

    def table(self):
        rows = [f"| {kind} | {count:,} |" for kind, count in self.kills.items()]
        return "\n".join(["| killed | times |", "|---|---|", *rows, "", self.line()])

    def _start(self):
        self.temporary.mkdir(exist_ok=True)
        self.told.write_text("")
        settings = self.settings.with_given(out=self.out)
        self.pid = self.last = begin(settings, self.told, self.temporary)
        self.ended.pop(self.pid, None)  # of an earlier process with the same number
        self.runs += 1
        self.started = time.monotonic()

    def _sleep(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._is_over():
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def _victim(self, kind):
        """Find a process of this kind, waiting for one to be there; none if the run ends first."""
        while not self._is_over():
            if kind == RUN:
                return self.pid
            workers = children(self.pid)
            found = workers if kind == WORKER else [pid for worker in workers for pid in descendants(worker)]
            if found:
                return self.chance.choice(found)
            self._sleep(SECONDS_BETWEEN_LOOKS)
        return None

    def _is_over(self):
        """Bury whatever has ended, and say whether the run is among it."""
        with suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                self.ended[found[0]] = os.waitstatus_to_exitcode(found[1])
        return self.pid in self.ended

    def _wait(self, others=()):
        """Wait for the run, and for processes it leaves behind, which are to end by themselves."""
        until = time.monotonic() + SECONDS_TO_END
        while not self._is_over() or any(Path(f"/proc/{pid}").exists() for pid in others):
            if time.monotonic() > until:
                self._fault("still running after it was to end")
                for pid in (self.pid, *others):
                    with suppress(OSError):
                        os.kill(pid, signal.SIGKILL)
                until += SECONDS_TO_END
            time.sleep(SECONDS_BETWEEN_LOOKS)
        return self.ended[self.pid]

    def _look(self):
        """Look at every file, and at every report that was told or found finished."""
        from bcfstats.run.report import Job
        from bcfstats.run.resume import is_made

        told = {stem for name, stem in self._stems().items() if name in self._told()}  # before it goes on
        for name in halves(self.out, self.expected):
            self._fault(f"{name} is not whole")
        for path in sorted((self.out / "notebooks").glob("[!.]*")):
            code = path.stem.split("-")[0]
            report = Job(path.stem, code, "", "", "", self.fingerprints[code])
            if path.stem in self.made:
                if _stamps(self.out, path.stem) != self.made[path.stem]:
                    self._fault(f"{path.stem} was finished, and has been changed or made again")
            elif is_made(self.out, report):
                self.made[path.stem] = _stamps(self.out, path.stem)
        kept = {path.stem for path in (self.out / "notebooks").glob("[!.]*")}
        for stem in (self.made.keys() - kept) | (told - self.made.keys()):
            self._fault(f"{stem} was finished, and is lost")
        if self.pid is None and self.last in self.ended and self.ended[self.last] not in (0, 1, -9):
            self._fault(f"a run ended with {self.ended[self.last]}")

    def _told(self):
        """Names of the areas whose reports the run has told to be finished."""
        found, failed = set(), 0
        for line in self.told.read_text(encoding="utf-8").splitlines():
            count = int(line.split("] ")[1].split(" failed")[0])
            if count == failed:
                found.add(line.rpartition(", ")[2])
            failed = count
        return found

    def _stems(self):
        stems = [name.split("/")[1].removesuffix(".html") for name in self.expected if "areas/" in name]
        return {stem.partition("-")[2].capitalize(): stem for stem in stems}

    def _compare(self):
        """Hold what a batch has made, however often it was killed, against the undisturbed one."""
        found = contents(self.out)
        for name in sorted(found.keys() ^ self.expected.keys()):
            self._fault(f"{name} is in one of the folders only")
        for name in sorted(found.keys() & self.expected.keys()):
            if found[name] != self.expected[name]:
                self._fault(f"{name} differs from the undisturbed run's")
        self.batches += 1
        self.finished += len(self.made)
        self.usual += 0.1 * (min(time.monotonic() - self.started, 3 * self.usual) - self.usual)
        self.made = {}
        shutil.rmtree(self.out)
        shutil.rmtree(self.temporary, ignore_errors=True)

    def _fault(self, what):
        self.faults.append(f"after {sum(self.kills.values())} kills: {what}")
        print(self.faults[-1], file=sys.stderr, flush=True)
        kept = Path(tempfile.gettempdir()) / f"killed-{os.getpid()}-{len(self.faults)}"
        if len(self.faults) <= 5 and self.out.exists():
            shutil.copytree(self.out, kept, ignore_dangling_symlinks=True)


def example(folder):
    """Prepare a few example areas with two metrics, so that a run is short."""
    import pandas as pd

    from bcfstats.example.data import write_example
    from bcfstats.read.prepare import prepare

    write_example(folder / "raw", n_areas=AREAS)
    prepare(folder / "raw", folder / "processed")
    path = folder / "processed" / "observations.parquet"
    rows = pd.read_parquet(path)
    rows.loc[rows["metric"].isin(METRICS)].reset_index(drop=True).to_parquet(path)
    return folder / "processed"


def children(pid):
    """Processes that a process has started."""
    found = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def descendants(pid):
    """Processes that a process has started, and those that they have started."""
    return [found for child in children(pid) for found in (child, *descendants(child))]


def contents(out):
    """Every file of a run as it should be again, without the stamp of when and where it was made."""
    return {
        path.relative_to(out).as_posix(): plain(path) for path in sorted(out.rglob("*")) if path.is_file()
    }


def plain(path):
    """What a file holds, without the stamp; an error where it is not whole."""
    content = path.read_bytes()
    if path.name == "run.json":
        record = json.loads(content)
        counts = record["reports"] | {"kept_from_before": 0}
        return {
            **record,
            "settings": {**record["settings"], "out": ""},
            "reports": counts,
            **dict.fromkeys(STAMPS),
        }
    if path.name == "written.json":
        return {name: digest for name, digest in json.loads(content).items() if name != "results.xlsx"}
    if path.suffix == ".ipynb":
        book = json.loads(content)
        cells = [{name: part for name, part in cell.items() if name != "id"} for cell in book["cells"]]
        for part in (book, *cells):
            part["metadata"].pop("papermill", None)
            part["metadata"].pop("execution", None)
        return {**book, "cells": cells}
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            return {name: book.read(name) for name in book.namelist() if name != "docProps/core.xml"}
    return content


def halves(out, expected):
    """Name files that are not whole: what cannot be read, or is not what the same inputs always give."""
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if not path.is_file() or path.name.startswith(".") or name == "run.lock":
            continue
        try:
            found = plain(path)
        except FileNotFoundError:
            continue  # it has been replaced since
        except (ValueError, KeyError, zipfile.BadZipFile):
            yield name
            continue
        if name in ("index.html", "failures.csv", "run.json"):  # what they say depends on when
            whole = _reads_well(name, found)
        elif path.suffix == ".ipynb" and found["metadata"]["bcfstats"]["page"] == NO_PAGE:
            whole = True  # of a report that failed because it was killed twice: as far as it came
        else:
            whole = found == expected.get(name)
        if not whole:
            yield name


def _reads_well(name, content):
    if name == "index.html":
        return content.rstrip().endswith(b"</html>")
    if name == "failures.csv":
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
        return bool(rows) and all(len(row) == 5 for row in rows) and content.endswith(b"\n")
    return set(content) >= {"settings", "reports", "areas", "about"}


def _stamps(out, stem):
    """When and with what the two files of a report were written."""
    paths = (out / "areas" / f"{stem}.html", out / "notebooks" / f"{stem}.ipynb")
    return [(path.stat().st_mtime_ns, path.read_bytes()) for path in paths if path.exists()]


if __name__ == "__main__":
    raise SystemExit(main())
