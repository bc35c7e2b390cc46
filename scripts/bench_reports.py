"""Measure what reports cost: the usual loop, our engine, and the floor, in alternating rounds.

python -m scripts.bench_reports                 five rounds of twelve example areas, as a table
python -m scripts.bench_reports scale           a run of 7,000 areas, and a report of a hundred metrics

The tables are computed before; what is measured is making the reports from them, every start-up included:

a   papermill, then jupyter nbconvert --to html, from the command line for each area
a2  the same, two areas at a time
b1  our engine, one worker
b2  our engine, two workers
c   the floor: the same content by plain function calls in one process
"""

import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import psutil

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "notebooks" / "area_report.ipynb"
ROUNDS, AREAS, SAMPLE = 5, 12, 24
SECONDS_BETWEEN_SAMPLES = 0.25
MANY_AREAS, THREE = (140, 7000), ("delayed_transfers", "non_elective_admissions", "reablement")
STEPS = ("a", "c", "b2", "a2", "b1")


def measured(
    step: str, folder: Path, codes: Sequence[str], *, memory: bool = False
) -> tuple[float, float, float]:
    """Wall and CPU seconds of a step with all its processes; the most MiB they took, if that is asked for."""
    command = [sys.executable, "-m", "scripts.bench_reports", "step", step, str(folder), *codes]
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    with sampled(process.pid) if memory else nullcontext([0]) as sizes:
        _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    errors = process.stderr.read().decode() if process.stderr else ""
    if process.returncode:
        raise SystemExit(f"{step} failed: {errors}")
    return wall, used.ru_utime + used.ru_stime, max(sizes) / 2**20


@contextmanager
def sampled(pid: int) -> Iterator[list[int]]:
    """Collect, while a block runs, the bytes that a process and all it has started take."""
    sizes, ended = [0], threading.Event()

    def look() -> None:
        while not ended.wait(SECONDS_BETWEEN_SAMPLES):
            sizes.append(memory_of_all(pid))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield sizes
    finally:
        ended.set()
        thread.join()


def memory_of_all(pid: int) -> int:
    """Bytes of a process and all it has started; what several share is counted once (PSS, Linux only)."""
    total = 0
    with suppress(psutil.Error):
        first = psutil.Process(pid)
        for process in (first, *first.children(recursive=True)):
            with suppress(psutil.Error):
                total += process.memory_full_info().pss
    return total


def loop(folder: Path, code: str) -> None:
    """Make one report as users do."""
    out, here = folder / "loop", {**os.environ, "PYTHONPATH": str(ROOT)}
    (out / "notebooks").mkdir(parents=True, exist_ok=True)
    executed = out / "notebooks" / f"{code}.ipynb"
    base = [sys.executable, "-m"]
    papermill = [*base, "papermill", str(NOTEBOOK), str(executed), "-p", "area_code", code]
    papermill += ["-p", "run_folder", str(folder), "-k", "python3", "--no-progress-bar"]
    convert = [*base, "jupyter", "nbconvert", "--to", "html", "--no-input", str(executed)]
    for command in (papermill, convert):
        subprocess.run(command, check=True, env=here, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def ours(folder: Path, codes: Sequence[str], jobs: int) -> None:
    """Make reports with our engine, its worker started first as a batch does."""
    from bcfstats.run import pool
    from bcfstats.run.report import Job, Kit
    from bcfstats.run.resume import code_fingerprint

    pool.start("forked")
    for name in ("areas", "notebooks"):
        (folder / name).mkdir(exist_ok=True)
    kit = Kit(NOTEBOOK.name, NOTEBOOK.read_text(), folder, "forked", 300, 2048, code_fingerprint())
    wanted = [Job(code, code, code, "A report", "Example data") for code in codes]
    with pool.open_crew(pool.LOCAL, jobs) as crew:
        for job, made in pool.as_they_end(crew, kit, wanted):
            assert not made.outcome.reason, made.outcome
            (folder / "areas" / f"{job.stem}.html").write_text(made.page)
            (folder / "notebooks" / f"{job.stem}.ipynb").write_text(made.notebook)


def floor(folder: Path, codes: Sequence[str]) -> None:
    """Write the same content by plain function calls."""
    from bcfstats.show.report import open_report

    for code in codes:
        report = open_report(code, folder)
        parts = [report.decision(), report.glance(), report.summary(), *report.sections()]
        parts += [report.data_notes(), report.how_made()]
        (folder / f"{code}.floor.html").write_text("".join(map(str, parts)))


def step(name: str, folder: Path, codes: Sequence[str]) -> None:
    if name in ("a", "a2"):
        with ThreadPoolExecutor(2 if name == "a2" else 1) as pool:
            list(pool.map(lambda code: loop(folder, code), codes))
    elif name in ("b1", "b2"):
        ours(folder, codes, int(name[1]))
    else:
        floor(folder, codes)


def example(folder: Path, areas: int) -> list[str]:
    """Compute the tables of example areas and give their codes."""
    from bcfstats.example.data import example_data
    from bcfstats.judge.assessment import assess

    results = assess(example_data(n_areas=areas))
    results.save(folder / "tables")
    return list(results.areas["area_code"])


def rounds() -> None:
    print(
        f"{ROUNDS} rounds of {len(STEPS)} ways to make {AREAS} reports: a quarter of an hour", file=sys.stderr
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        codes = example(folder, AREAS)
        found: dict[str, list[tuple[float, float, float]]] = {step: [] for step in STEPS}
        for place in range(ROUNDS):
            for step in STEPS[place % len(STEPS) :] + STEPS[: place % len(STEPS)]:
                found[step].append(measured(step, folder, codes))
                print(place, step, *(f"{number:.1f}" for number in found[step][-1]), file=sys.stderr)
    print(f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} processors")
    print("| variant | seconds a report | CPU seconds a report | a / this, wall | a / this, CPU |")
    print("|---|---|---|---|---|")
    middle = {
        step: [statistics.median(column) for column in zip(*rows, strict=True)]
        for step, rows in found.items()
    }
    for step in sorted(STEPS):
        wall, cpu, _ = middle[step]
        ratios = middle["a"][0] / wall, middle["a"][1] / cpu
        numbers = [wall / AREAS, cpu / AREAS, *ratios]
        print(f"| {step} | " + " | ".join(f"{number:.2f}" for number in numbers) + " |")


def copied(table: Any, copies: Sequence[str]) -> Any:
    """Repeat the rows of every area under other codes and names."""
    parts = [table.assign(**{c: table[c] + n for c in ("area_code", "area_name")}) for n in copies]
    return pd.concat(parts, ignore_index=True)


def hundred(rows: Any, target: Path) -> Any:
    """Define a hundred metrics in a file, each an example metric under another id, and give their rows."""
    from bcfstats.define import metrics

    text = Path(metrics.__file__).with_suffix(".toml").read_text(encoding="utf-8")
    blocks = [f"[[metric]]\n{block}" for block in text.split("[[metric]]\n")[1:]]
    parts, written = [], []
    for n in range(100):
        block = blocks[n % len(blocks)]
        name = block.split('"')[1]
        written.append(block.replace(f'id = "{name}"', f'id = "own_{n}"', 1))
        parts.append(rows.loc[rows["metric"] == name].assign(metric=f"own_{n}"))
    target.write_text("\n".join(written), encoding="utf-8")
    return pd.concat(parts, ignore_index=True)


def until_made(pages: int, out: Path, *given: object) -> tuple[list[float], int, int]:
    """Run until so many reports are made: seconds to each, the most MiB, bytes of the index."""
    command = [sys.executable, "-m", "bcfstats", "run", "--out", out, "--jobs", "2", *given]
    started = time.perf_counter()
    process = subprocess.Popen(list(map(str, command)), cwd=ROOT, stdout=subprocess.DEVNULL)
    seconds: list[float] = []
    with sampled(process.pid) as sizes:
        while process.poll() is None and len(seconds) < pages:
            made = len(list((out / "areas").glob("*.html")))
            seconds += [time.perf_counter() - started] * (made - len(seconds))
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        process.wait()
    return seconds, max(sizes) // 2**20, (out / "index.html").stat().st_size


def scale() -> None:
    """Run 7,000 areas with three metrics until 24 reports are made, then one area with a hundred metrics."""
    from bcfstats.example.data import write_example
    from bcfstats.files import MANIFEST, replace_folder
    from bcfstats.read.prepare import prepare

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_example(folder / "raw", n_areas=MANY_AREAS[0])
        prepare(folder / "raw", folder / "few")
        manifest = json.loads((folder / "few" / MANIFEST).read_text(encoding="utf-8"))
        tables = {path.stem: pd.read_parquet(path) for path in (folder / "few").glob("*.parquet")}
        rows, areas = tables["observations"], tables["areas"]
        copies = [f"{n:02d}" for n in range(MANY_AREAS[1] // MANY_AREAS[0])]
        many = {
            "observations": copied(rows.loc[rows["metric"].isin(THREE)], copies),
            "areas": copied(areas, copies),
        }
        replace_folder(folder / "many", tables | many, manifest)
        del many
        print("| run | first report, seconds | MiB, all processes | index or page, kB |\n|---|---|---|---|")
        seconds, size, index = until_made(SAMPLE, folder / "out", "--processed", folder / "many")
        each = (seconds[-1] - seconds[0]) / (SAMPLE - 1)
        print(f"| {len(copies) * MANY_AREAS[0]:,} areas x 3 metrics | {seconds[0]:.0f}", end="")
        print(f", then one in {each:.2f} | {size} | {index // 1000} |")
        code = areas["area_code"].iloc[0]
        some = rows.loc[rows["area_code"].isin(areas["area_code"].iloc[:AREAS])]
        own = {"observations": hundred(some, folder / "own.toml")}
        replace_folder(folder / "wide", tables | own, manifest)
        given = ["--processed", folder / "wide", "--metrics", folder / "own.toml", "--area", code]
        seconds, size, _ = until_made(1, folder / "one", *given)
        (page,) = (folder / "one" / "areas").glob("*.html")
        kilobytes = page.stat().st_size // 1000
        print(f"| 1 of {AREAS} areas x 100 metrics | {seconds[0]:.0f} | {size} | {kilobytes} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["step"]:
        step(sys.argv[2], Path(sys.argv[3]), sys.argv[4:])
    elif sys.argv[1:2] == ["scale"]:
        scale()
    else:
        rounds()
