"""The same reports on one machine, in other executors and on a cluster; resumed; stopped."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from bcfstats.errors import InputError, NotDoneError
from bcfstats.judge.results import TABLES, Results
from bcfstats.run import pool
from bcfstats.run.batch import run_batch
from bcfstats.run.pool import AHEAD, Crew, as_they_end, check_executor, open_crew
from bcfstats.run.report import Made, Outcome
from bcfstats.run.resume import RESULT_FILES, fingerprints, is_made
from tests.run.engines import cells_of
from tests.run.test_batch import settings
from tests.run.test_engine import job, kit_for, notebook
from tests.run.test_interrupted import quick

pytestmark = pytest.mark.needs("fork")

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 600  # for what takes less than a minute on a machine that does nothing else
READS = "import pandas as pd\npd.read_parquet(f'{run_folder}/tables/areas.parquet')['n'].tolist(), area_code"


@pytest.fixture
def folder(tmp_path):
    """A run's folder with a table in it."""
    (tmp_path / "tables").mkdir()
    pd.DataFrame({"n": [1, 2]}).to_parquet(tmp_path / "tables" / "areas.parquet")
    return tmp_path


@pytest.fixture(scope="module", autouse=True)
def no_worker_is_left():
    yield
    pool.end()


def comparable(made):
    return {
        code: (found.outcome, cells_of(nbformat.reads(found.notebook, as_version=4)))
        for code, found in made.items()
    }


def wait_for(condition):
    until = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def by_code(pairs):
    return {asked.area_code: made for asked, made in pairs}


def test_no_more_reports_are_asked_for_than_can_be_used():
    class Slow:
        most = under_way = 0

        def submit(self, function, kit, job):
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            future = Future()
            threading.Timer(0.01, self.end, (future, job)).start()
            return future

        def end(self, future, job):
            self.under_way -= 1
            future.set_result(Made(Outcome(job.area_code, job.area_name, job.stem)))

    slow = Slow()
    done = by_code(as_they_end(Crew(slow, 3), None, (job(f"X{place}") for place in range(40))))
    assert len(done) == 40
    assert slow.most == AHEAD * 3


@pytest.mark.slow
def test_any_executor_makes_the_same_reports(folder):
    kit, jobs = kit_for(notebook(READS, "1 / 0"), folder), [job("X1"), job("X2")]
    with open_crew("local", 2) as crew:
        local = comparable(by_code(as_they_end(crew, kit, jobs)))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        other = comparable(by_code(as_they_end(Crew(processes, 1), kit, jobs)))
    assert local == other
    assert "[1, 2], 'X2'" in str(local["X2"])
    assert "ZeroDivisionError" in local["X1"][0].reason


def test_a_report_lost_by_its_executor_is_asked_for_once_more():
    lost = []

    class Losing:
        def submit(self, function, kit, job):
            future = Future()
            if lost.count(job.area_code) < int(job.area_code[1]):
                lost.append(job.area_code)
                future.set_exception(ConnectionError("gone"))
            else:
                future.set_result(Made(Outcome(job.area_code, job.area_name, job.stem)))
            return future

    done = by_code(as_they_end(Crew(Losing(), 1), None, [job("X0"), job("X1"), job("X2")]))
    reasons = [done[code].outcome.reason for code in ("X0", "X1", "X2")]
    assert reasons == ["", "", "the worker was lost: ConnectionError: gone"]


@contextmanager
def started_cluster(place, threads):
    """Start a Dask scheduler and two workers, each a process of its own with its own copy of the code.

    Code that is edited while tests run would be another version there than here.
    """
    shutil.copytree(ROOT / "bcfstats", place / "bcfstats")
    shutil.copytree(ROOT / "notebooks", place / "notebooks")
    address = place / "scheduler.json"
    base = [sys.executable, "-W", "ignore", "-m"]
    common = {"cwd": place, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = ["distributed.cli.dask_scheduler", "--host", "localhost", "--port", "0"]
    worker = ["distributed.cli.dask_worker", "--nthreads", str(threads), "--no-nanny"]
    worker += ["--local-directory", str(place)]
    options = ["--no-dashboard", "--scheduler-file", str(address)]
    environment = {**os.environ, "PYTHONPATH": str(place)}
    processes = [
        subprocess.Popen([*base, *kind, *options], env=environment, start_new_session=True, **common)
        for kind in (scheduler, worker, worker)
    ]
    try:
        until = time.monotonic() + SECONDS
        while not (address.exists() and address.read_text()) and time.monotonic() < until:
            time.sleep(0.1)
        yield json.loads(address.read_text())["address"], processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.fixture
def cluster(need, tmp_path):
    """A cluster whose two workers make one report at a time each; its address, code and processes."""
    need("cluster")
    import distributed

    with started_cluster(tmp_path / "cluster", 1) as (address, processes):
        tells = "from bcfstats.run.resume import code_fingerprint; print(code_fingerprint())"
        environment = {**os.environ, "PYTHONPATH": str(tmp_path / "cluster")}
        code = subprocess.run(
            [sys.executable, "-c", tells], env=environment, capture_output=True, text=True, check=True
        )
        with distributed.Client(address, timeout=SECONDS, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=SECONDS)
        yield address, code.stdout.strip(), processes


@pytest.mark.slow
def test_cluster_that_loses_a_worker_half_way_makes_every_report_as_here(cluster, folder):
    address, code, processes = cluster
    kit = kit_for(notebook("import time\ntime.sleep(0.2)", READS, "print(area_code)"), folder)
    jobs = [job(f"X{place}") for place in range(16)]
    with open_crew("local", 2) as crew:
        local = comparable(by_code(as_they_end(crew, kit, jobs)))
    made = {}
    with open_crew(f"dask={address}", 2) as crew:
        for asked, found in as_they_end(crew, replace(kit, code=code), jobs):
            made[asked.area_code] = found
            if len(made) == 6:
                processes[1].kill()
    assert [found.outcome.reason for found in made.values()] == [""] * 16
    assert comparable(made) == local


WAITS = """
import pathlib, time
while area_code == "X06000003" and not pathlib.Path({go!r}).exists():
    time.sleep(0.2)
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_lost_scheduler_ends_every_run_and_loses_nothing(number, need, few, tmp_path):
    """Killed, or as good as gone, under two runs: one with some reports made, one just begun."""
    need("cluster")
    book, go = tmp_path / "waits.ipynb", tmp_path / "go"
    nbformat.write(notebook(WAITS.format(go=str(go)), "print(area_code)"), book)
    runs = {}
    with started_cluster(tmp_path / "cluster", 20) as (address, processes):
        for place in range(2):
            out = tmp_path / f"out-{place}"
            command = [sys.executable, "-m", "bcfstats", "run", "--processed", few, "--out", out]
            command += ["--notebook", book, "--executor", f"dask={address}"]
            pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
            runs[out] = run = subprocess.Popen(list(map(str, command)), cwd=ROOT, **pipes)
            wait_for(lambda out=out, run=run: (out / "run.lock").exists() or run.poll() is not None)
        first = tmp_path / "out-0" / "notebooks"
        wait_for(lambda: len(list(first.glob("X*"))) == 2 or runs[tmp_path / "out-0"].poll() is not None)
        processes[0].send_signal(number)
        until = time.monotonic() + SECONDS / 2
        try:
            told = {
                out: run.communicate(timeout=max(0.0, until - time.monotonic()))[1]
                for out, run in runs.items()
            }
        finally:
            for run in runs.values():
                run.kill()
    go.touch()
    some = 0
    for out, run in runs.items():
        assert run.returncode == 3, told[out]
        assert re.search(r"The cluster (is lost|cannot be reached|has no workers)\. Where: tcp", told[out])
        lines = [line for line in told[out].splitlines() if not line.startswith("[")]  # but of progress
        assert len(lines) <= 2, told[out]
        made = {path: path.read_bytes() for path in (out / "areas").glob("*")}
        if made:
            record = json.loads((out / "run.json").read_bytes())
            assert (record["state"], record["reports"]["made"]) == ("stopped", len(made))
            assert "is lost" in told[out]
            again = settings(few, out, notebook=book)
            assert run_batch(again, resume=True, stream=io.StringIO()).exit_code == 0
            assert {path: path.read_bytes() for path in made} == made
        some += bool(made)
    assert some


def test_an_executor_that_is_none_is_refused():
    with pytest.raises(InputError, match="not known"):
        check_executor("cloud")


@pytest.mark.needs("cluster")
def test_a_cluster_that_cannot_be_reached_is_told(monkeypatch):
    monkeypatch.setattr(pool, "SECONDS_TO_CONNECT", 1)
    with pytest.raises(NotDoneError, match="cannot be reached"), open_crew("dask=tcp://localhost:1", 1):
        pass


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A notebook that needs no time."""
    return quick(tmp_path_factory.mktemp("book"))


@pytest.fixture(scope="module")
def made(few, book, tmp_path_factory):
    """Reports of three example areas."""
    out = tmp_path_factory.mktemp("resume") / "out"
    run_batch(settings(few, out, notebook=book), stream=io.StringIO())
    return out


def dates(out):
    return {path.name: path.stat().st_mtime_ns for path in sorted((out / "areas").iterdir())}


@pytest.mark.slow
def test_resuming_makes_nothing_where_nothing_changed_and_one_where_one_changed(made, few, book, tmp_path):
    before, csv = dates(made), (made / "results.csv").read_bytes()
    processed = tmp_path / "processed"
    shutil.copytree(few, processed)
    rows = pd.read_parquet(processed / "observations.parquet")
    mine = (rows["area_code"] == "X06000002") & (rows["metric"] == "reablement")
    rows.loc[mine, "status_note"] = "told by telephone"  # seen on one page and in no other area's figures
    rows.to_parquet(processed / "observations.parquet")
    same, told = settings(few, made, notebook=book), io.StringIO()
    run_batch(same, resume=True, stream=told)
    assert dates(made) == before
    assert (made / "results.csv").read_bytes() == csv
    result = run_batch(replace(same, processed=processed), resume=True, stream=told)
    changed = [name for name, when in dates(made).items() if when != before[name]]
    assert [name.split("-")[0] for name in changed] == ["X06000002"]
    assert [outcome.reason for outcome in result.outcomes] == ["", "", ""]


@pytest.mark.slow
def test_results_are_written_again_only_where_they_are_not_what_was_written(made, few, book):
    def resumed():
        run_batch(settings(few, made, notebook=book), resume=True, stream=io.StringIO())
        paths = [made / name for name in RESULT_FILES]
        return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}

    before = resumed()
    assert resumed() == before
    csv, workbook = before
    for path, (content, _) in before.items():
        path.write_bytes(content[:-100])  # as a program that was stopped leaves it
    assert resumed()[csv] != before[csv]
    assert csv.read_bytes() == before[csv][0]
    assert zipfile.ZipFile(workbook).testzip() is None
    workbook.unlink()
    resumed()
    assert zipfile.ZipFile(workbook).testzip() is None


def test_a_page_that_is_not_the_one_that_was_made_is_made_again(made, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(made, out)
    (path, *_) = sorted((out / "notebooks").iterdir())
    fingerprint = nbformat.read(path, as_version=4).metadata.bcfstats.fingerprint
    page = out / "areas" / f"{path.stem}.html"
    assert is_made(out, path.stem, fingerprint)
    assert not is_made(out, path.stem, "another")
    whole = page.read_bytes()
    page.write_bytes(whole[:-100])
    assert not is_made(out, path.stem, fingerprint)
    page.write_bytes(whole)
    path.write_bytes(path.read_bytes()[:-100])
    assert not is_made(out, path.stem, fingerprint)
    page.unlink()
    assert not is_made(out, path.stem, fingerprint)


def test_every_table_parameter_and_notebook_counts_in_the_fingerprint(made):
    results = Results.load(made / "tables")
    codes = list(results.areas["area_code"])
    first = fingerprints(results, b"notebook", codes)
    assert len(set(first.values())) == 3
    assert first == fingerprints(results, b"notebook", codes)
    assert not set(first.values()) & set(fingerprints(results, b"other", codes).values())
    for name in TABLES:
        table = getattr(results, name).copy()
        if codes[1] not in set(table["area_code"]):
            continue
        column = table.columns[-1]
        row = table.index[table["area_code"] == codes[1]][0]
        table[column] = table[column].astype(object)
        table.loc[row, column] = "changed"
        found = fingerprints(replace(results, **{name: table}), b"notebook", codes)
        assert found[codes[1]] != first[codes[1]]


@pytest.mark.slow
def test_a_batch_stopped_with_ctrl_c_ends_soon_and_leaves_a_record(few, tmp_path):
    hangs = notebook("import time\nopen('begun', 'w').close()\ntime.sleep(3600)")
    nbformat.write(hangs, tmp_path / "hangs.ipynb")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "bcfstats", "run", "--processed", str(few)]
    command += ["--out", str(out), "--notebook", str(tmp_path / "hangs.ipynb"), "--jobs", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for((out / "notebooks" / "begun").exists)
    process.send_signal(signal.SIGINT)
    told, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 3, errors
    assert "0 reports made, 0 failed." in told
    assert errors.splitlines() == [f"Stopped. 3 reports are {pool.NOT_YET}."]
    failures = pd.read_csv(out / "failures.csv", encoding="utf-8-sig")
    assert failures["reason"].tolist() == [pool.NOT_YET] * 3
    assert '"state": "stopped"' in (out / "run.json").read_text(encoding="utf-8")
