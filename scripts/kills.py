"""Kill batches at random moments, resume them, and look for what was lost or left by half.

python -m scripts.kills                      100 kills of a run, 20 of prepare
python -m scripts.kills --kills 1000 --prepare 100

In turn are killed: the run with SIGKILL, the run with SIGTERM, its worker, which forks a process for each
report, and that process or its kernel. After each kill every file is looked at; the batch goes on, or is
resumed in the same folder, until it ends by itself. What it has made is then compared with a batch that
nobody killed.
"""

import argparse
import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from bcfstats.files import aside
from tests.run.whole import contents, halves

ROOT = Path(__file__).resolve().parents[1]
AREAS, METRICS = 3, ("delayed_transfers", "care_home_admissions")
TERM = "the run, by SIGTERM"
RUN, WORKER, REPORT = "the run", "its worker", "a report or its kernel"
KINDS = (RUN, TERM, WORKER, REPORT)
KILLS_IN_A_RUN = 3  # one after another, at times that remember nothing
SECONDS_TO_END = 600
# By SIGTERM it ends as it starts or ends, when nothing is begun or all is done
ENDS = {0, 1, 3, -signal.SIGKILL, -signal.SIGTERM}


QUIET = {"cwd": ROOT, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
QUIET["env"] = os.environ | {"SOURCE_DATE_EPOCH": "0"}  # files do not differ by when they were written


class Trial:
    """A batch that is killed and resumed until it ends, over and over, and the faults that were seen."""

    def __init__(self, folder, chance):
        self.folder, self.chance, self.kinds = folder, chance, itertools.cycle(KINDS)
        self.processed, self.process, self.faults = example(folder), None, []
        self.kills, self.batches, self.finished, self.made = dict.fromkeys(KINDS, 0), 0, 0, {}
        self.out, began = folder / "undisturbed", time.monotonic()
        self.start()
        if self.process.wait() != 0:
            raise SystemExit("The batch that nobody kills has failed.")
        self.usual = time.monotonic() - began
        self.expected, self.out, self.process = contents(self.out), folder / "killed", None

    def start(self):
        command = [sys.executable, "-m", "bcfstats", "run", "--resume", "--jobs", "2"]
        command += ["--processed", self.processed, "--out", self.out]
        self.process = subprocess.Popen(list(map(str, command)), start_new_session=True, **QUIET)

    def go_on(self):
        """Kill once, or see a batch to its end."""
        if self.process is None:
            self.start()
        time.sleep(self.chance.expovariate(KILLS_IN_A_RUN / self.usual))
        kind = next(self.kinds)
        started = below(self.process.pid)
        try:
            self.victim(kind).send_signal(signal.SIGTERM if kind == TERM else signal.SIGKILL)
            self.kills[kind] += 1
            print(self.line(), file=sys.stderr, flush=True)
        except psutil.NoSuchProcess:
            self.kinds = itertools.chain([kind], self.kinds)  # it is still this one's turn
        if self.process.poll() is not None or kind in (RUN, TERM):
            self.end(started)
        self.look()

    def finish(self):
        """See the batch to its end, killing nothing more; a report that was killed twice takes another go."""
        before = self.batches
        for _ in range(2):
            if self.batches == before:
                if self.process is None:
                    self.start()
                self.end(below(self.process.pid))
                self.look()
        if self.batches == before:
            self.fault("a batch that nobody kills any more does not end well")

    def victim(self, kind):
        """Find a process of this kind that is running."""
        if self.process.poll() is not None:
            raise psutil.NoSuchProcess(self.process.pid)
        run = psutil.Process(self.process.pid)
        workers = run.children()
        found = [run] if kind in (RUN, TERM) else workers
        if kind == REPORT:
            found = [process for worker in workers for process in below(worker.pid)]
        if not found:
            raise psutil.NoSuchProcess(run.pid)
        return self.chance.choice(found)

    def end(self, others):
        """Wait for the run, and for what it started, which is to end by itself."""
        code = self.process.wait(SECONDS_TO_END)
        _, left = psutil.wait_procs(others, timeout=SECONDS_TO_END)
        if left:
            self.fault(f"still running after the run ended: {left}")
        if code not in ENDS:
            self.fault(f"a run ended with {code}")
        self.process = None
        if code == 0:
            self.look()
            found = contents(self.out)
            for name in sorted(found.keys() | self.expected.keys()):
                if found.get(name) != self.expected.get(name):
                    self.fault(f"{name} differs from the undisturbed run's")
            self.batches, self.finished = self.batches + 1, self.finished + len(self.made)
            self.made, self.out = {}, self.folder / f"killed-{self.batches}"

    def look(self):
        """Look at every file, and at every report that was finished before."""
        for name in halves(self.out, self.expected):
            self.fault(f"{name} is not whole")
        for path in sorted((self.out / "areas").glob("[!.]*.html")):
            book = self.out / "notebooks" / f"{path.stem}.ipynb"
            is_finished = book.exists() and path.read_bytes() == self.expected[f"areas/{path.name}"]
            if is_finished and path.name not in self.made:
                self.made[path.name] = path.stat().st_mtime_ns
        for name, when in self.made.items():
            path = self.out / "areas" / name
            if not path.exists() or path.stat().st_mtime_ns != when:
                self.fault(f"{name} was finished, and is lost or was made again")

    def fault(self, what):
        self.faults.append(f"after {sum(self.kills.values())} kills: {what}")
        print(self.faults[-1], file=sys.stderr, flush=True)

    def line(self):
        done = ", ".join(f"{count} of {kind}" for kind, count in self.kills.items())
        return (
            f"{sum(self.kills.values())} kills ({done}), {self.batches} batches ended, "
            f"{self.finished} reports finished, {len(self.faults)} faults, {self.usual:.1f} s a run"
        )


def kill_prepare(folder, kills, chance):
    """Kill `prepare` over and over: what it prepared before stays as it is, and nothing is left over."""
    target, faults = folder / "prepared" / "data", []
    command = [sys.executable, "-m", "bcfstats", "prepare", "--raw", folder / "raw", "--processed", target]
    began = time.monotonic()
    subprocess.run(list(map(str, command)), check=True, **QUIET)
    usual, before = time.monotonic() - began, {path.name: path.read_bytes() for path in target.iterdir()}
    for n in range(kills):
        process = subprocess.Popen(list(map(str, command)), start_new_session=True, **QUIET)
        time.sleep(chance.uniform(0, 1.2 * usual))
        started = below(process.pid)
        process.send_signal(signal.SIGTERM if n % 2 else signal.SIGKILL)
        code = process.wait(SECONDS_TO_END)
        _, left = psutil.wait_procs(started, timeout=SECONDS_TO_END)
        if left or code not in ENDS:
            faults.append(f"prepare ended with {code}, still running: {left}")
        there = target if target.exists() else aside(target)
        if {path.name: path.read_bytes() for path in there.iterdir()} != before:
            faults.append(f"after {n + 1} kills of prepare: what was prepared is not what it was")
    subprocess.run(list(map(str, command)), check=True, **QUIET)
    left = [path.name for path in target.parent.iterdir() if path != target]
    faults += [f"left over by prepare: {', '.join(left)}"] * bool(left)
    print(f"{kills} kills of prepare, {len(faults)} faults, {usual:.1f} s undisturbed", *faults, sep="\n")
    return faults


def below(pid):
    """Processes that a process has started, and those that they have started."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--prepare", type=int, default=20)
    parser.add_argument("--seed", type=int, default=2014)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kills") as folder:
        trial = Trial(Path(folder), random.Random(given.seed))
        while sum(trial.kills.values()) < given.kills:
            trial.go_on()
        trial.finish()
        print(trial.line(), flush=True)
        trial.faults += kill_prepare(Path(folder), given.prepare, trial.chance)
    return 1 if trial.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
