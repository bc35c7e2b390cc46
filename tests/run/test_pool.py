"""The same reports on one machine, in other executors and on a cluster; resumed; stopped."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from bcfstats.errors import InputError
from bcfstats.judge.results import TABLES, Results
from bcfstats.run import pool
from bcfstats.run.batch import run_batch
from bcfstats.run.pool import AHEAD, Crew, as_they_end, check_executor, open_crew
from bcfstats.run.report import Job, Made, Outcome
from bcfstats.run.resume import RESULT_FILES, fingerprints, is_made
from tests.run.engines import cells_of
from tests.run.test_batch import settings
from tests.run.test_engine import job, kit_for, notebook

pytestmark = pytest.mark.needs("fork")

ROOT = Path(__file__).resolve().parents[2]
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


@pytest.fixture
def cluster(need, tmp_path):
    """Start a Dask scheduler and two workers, each a process of its own with its own copy of the code.

    Code that is edited while tests run would be another version there than here.
    """
    need("cluster")
    import distributed

    place = tmp_path / "cluster"
    shutil.copytree(ROOT / "bcfstats", place / "bcfstats")
    address = place / "scheduler.json"
    base = [sys.executable, "-W", "ignore", "-m"]
    common = {"cwd": place, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = ["distributed.cli.dask_scheduler", "--host", "localhost", "--port", "0"]
    worker = ["distributed.cli.dask_worker", "--nthreads", "1", "--no-nanny", "--local-directory", str(place)]
    options = ["--no-dashboard", "--scheduler-file", str(address)]
    commands = [[*base, *kind, *options] for kind in (scheduler, worker, worker)]
    environment = {**os.environ, "PYTHONPATH": str(place)}
    tells = "from bcfstats.run.resume import code_fingerprint; print(code_fingerprint())"
    code = subprocess.run(
        [sys.executable, "-c", tells], env=environment, capture_output=True, text=True, check=True
    )
    processes = [
        subprocess.Popen(command, env=environment, start_new_session=True, **common) for command in commands
    ]
    until = time.monotonic() + 60
    while not (address.exists() and address.read_text()) and time.monotonic() < until:
        time.sleep(0.1)
    found = json.loads(address.read_text())["address"]
    with distributed.Client(found, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
    yield found, code.stdout.strip(), processes
    for process in processes:
        process.kill()
        process.wait()


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


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("when", range(10))
def test_a_lost_scheduler_ends_the_run_and_loses_nothing(when, number, cluster, few, tmp_path):
    """Killed, or as good as gone: before the first report, after it, after the second."""
    address, _, processes = cluster
    book, out = tmp_path / "slow.ipynb", tmp_path / "out"
    nbformat.write(notebook("import time\ntime.sleep(1)", "print(area_code)"), book)
    command = [sys.executable, "-m", "bcfstats", "run", "--processed", few, "--out", out, "--notebook", book]
    command += ["--executor", f"dask={address}"]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    run = subprocess.Popen(list(map(str, command)), cwd=ROOT, **pipes)
    until = time.monotonic() + 600
    while not (out / "run.json").exists() or len(list((out / "notebooks").glob("X*"))) < when % 3:
        assert run.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    processes[0].send_signal(number)
    lost = time.monotonic()
    _, told = run.communicate(timeout=600)
    assert time.monotonic() - lost < 90  # less than one minute on a machine that does nothing else
    made = {path: path.read_bytes() for path in (out / "areas").iterdir()}
    record = json.loads((out / "run.json").read_bytes())
    assert record["reports"]["made"] == len(made)
    if run.returncode:  # it had not just ended
        assert run.returncode == 3, told
        assert record["state"] == "stopped"
        assert told.splitlines()[-1].startswith(f"The cluster is lost. Where: {address}.")
    again = settings(few, out, notebook=book)
    assert run_batch(again, resume=True, stream=io.StringIO()).exit_code == 0
    assert {path: path.read_bytes() for path in made} == made


def test_executors_that_cannot_be_used_are_refused(need):
    with pytest.raises(InputError, match="not known"):
        check_executor("cloud")
    need("cluster")
    with pytest.raises(InputError, match="cannot be reached"), open_crew("dask=tcp://localhost:1", 1):
        pass


@pytest.fixture(scope="module")
def made(few, tmp_path_factory):
    """Reports of three example areas."""
    out = tmp_path_factory.mktemp("resume") / "out"
    run_batch(settings(few, out), stream=io.StringIO())
    return out


def dates(out):
    return {path.name: path.stat().st_mtime_ns for path in sorted((out / "areas").iterdir())}


def test_resuming_makes_nothing_where_nothing_changed_and_one_where_one_changed(made, few, tmp_path):
    before, csv = dates(made), (made / "results.csv").read_bytes()
    processed = tmp_path / "processed"
    shutil.copytree(few, processed)
    rows = pd.read_parquet(processed / "observations.parquet")
    mine = (rows["area_code"] == "X06000002") & (rows["metric"] == "reablement")
    rows.loc[mine, "status_note"] = "told by telephone"  # seen on one page and in no other area's figures
    rows.to_parquet(processed / "observations.parquet")
    same, told = settings(few, made), io.StringIO()
    run_batch(same, resume=True, stream=told)
    assert dates(made) == before
    assert (made / "results.csv").read_bytes() == csv
    result = run_batch(replace(same, processed=processed), resume=True, stream=told)
    changed = [name for name, when in dates(made).items() if when != before[name]]
    assert [name.split("-")[0] for name in changed] == ["X06000002"]
    assert [outcome.reason for outcome in result.outcomes] == ["", "", ""]


def test_results_are_written_again_only_where_they_are_not_what_was_written(made, few):
    def resumed():
        run_batch(settings(few, made), resume=True, stream=io.StringIO())
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
    asked = Job(path.stem, "X06000001", "", "", "", fingerprint)
    page = out / "areas" / f"{path.stem}.html"
    assert is_made(out, asked)
    assert not is_made(out, replace(asked, fingerprint="another"))
    whole = page.read_bytes()
    page.write_bytes(whole[:-100])
    assert not is_made(out, asked)
    page.write_bytes(whole)
    path.write_bytes(path.read_bytes()[:-100])
    assert not is_made(out, asked)
    page.unlink()
    assert not is_made(out, asked)


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


def test_a_batch_stopped_with_ctrl_c_ends_soon_and_leaves_a_record(few, tmp_path):
    hangs = notebook("import time\nopen('begun', 'w').close()\ntime.sleep(600)")
    nbformat.write(hangs, tmp_path / "hangs.ipynb")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "bcfstats", "run", "--processed", str(few)]
    command += ["--out", str(out), "--notebook", str(tmp_path / "hangs.ipynb"), "--jobs", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 120
    while not (out / "notebooks" / "begun").exists() and time.monotonic() < until:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    told, errors = process.communicate(timeout=60)
    assert time.monotonic() - started < 10
    assert process.returncode == 3, errors
    assert "0 reports made, 0 failed." in told
    assert errors.splitlines() == [f"Stopped. 3 reports are {pool.NOT_YET}."]
    failures = pd.read_csv(out / "failures.csv", encoding="utf-8-sig")
    assert failures["reason"].tolist() == [pool.NOT_YET] * 3
    assert '"state": "stopped"' in (out / "run.json").read_text(encoding="utf-8")
