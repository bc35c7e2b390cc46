"""What a run leaves behind that is killed, stopped, kept from writing, or not alone.

`python -m scripts.kills` does it a thousand times at random moments; here are the moments that matter most.
"""

import hashlib
import json
import shutil
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from bcfstats import files as lock
from bcfstats.errors import InputError, NotDoneError
from bcfstats.example.data import write_example
from bcfstats.files import aside
from bcfstats.judge.results import Results
from bcfstats.read.data import load
from bcfstats.run.batch import run_batch
from bcfstats.run.export import export
from bcfstats.run.pool import NOT_YET
from bcfstats.run.resume import made_reports
from tests.run.test_batch import settings
from tests.run.test_engine import notebook
from tests.run.whole import plain

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 600  # for what takes a few on a machine that does nothing else


def listing(folder):
    """Name, size, time and checksum of every file, and the rights of every folder."""
    return {
        path.relative_to(folder).as_posix(): (
            path.stat().st_mode,
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in [folder, *sorted(folder.rglob("*"))]
    }


def files(folder):
    """Checksum of every file but the lock's."""
    return {name: found[2] for name, found in listing(folder).items() if found[2] and name != lock.NAME}


def wait_for(condition, process):
    until = time.monotonic() + SECONDS
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)


def quick(folder, source="print(area_code)"):
    """A notebook that needs no time."""
    nbformat.write(notebook(source), folder / "quick.ipynb")
    return folder / "quick.ipynb"


def started(processed, out, book, *given, **how):
    command = [sys.executable, "-m", "bcfstats", "run", "--processed", processed, "--out", out]
    command += ["--notebook", book, "--jobs", "2", *given]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(list(map(str, command)), cwd=ROOT, **pipes, **how)


@pytest.fixture
def begun(few, tmp_path, batched):
    """A run whose first report has begun and never ends; its folder holds an earlier run's files."""
    out = tmp_path / "out"
    batched(settings(few, out, notebook=quick(tmp_path)))
    earlier = files(out)
    nbformat.write(
        notebook("import time\nopen('begun', 'w').close()\ntime.sleep(3600)"), tmp_path / "hangs.ipynb"
    )
    process = started(few, out, tmp_path / "hangs.ipynb")
    wait_for((out / "notebooks" / "begun").exists, process)
    yield process, out, earlier
    process.kill()
    process.communicate()


def test_another_run_is_kept_out_until_the_first_is_killed(begun, few, tmp_path, batched):
    process, out, _ = begun
    other = settings(few, out, notebook=quick(tmp_path))
    before = files(out)
    with pytest.raises(NotDoneError, match=f"Another run is writing.*Found: process {process.pid} ") as told:
        batched(other)
    assert "--out" in told.value.do
    with pytest.raises(NotDoneError, match="Another run is writing"):
        list(export(out, fingertips=True))
    assert files(out) == before
    process.kill()
    process.wait()
    assert batched(other).exit_code == 0


@pytest.mark.slow
def test_a_killed_run_says_what_is_still_to_be_made_and_nothing_of_an_earlier_run_passes_for_its_own(
    begun, few, tmp_path, batched
):
    process, out, earlier = begun
    process.kill()
    process.wait()
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert (record["state"], record["ended"]) == ("under way", None)
    assert record["reports"] == {"of": 3, "made": 0, "failed": 0, "not_made_yet": 3, "kept_from_before": 0}
    failures = pd.read_csv(out / "failures.csv", encoding="utf-8-sig")
    assert failures["reason"].tolist() == [NOT_YET] * 3
    index = (out / "index.html").read_text(encoding="utf-8")
    assert 'href="areas/' not in index
    assert "3 of 3 are not made yet: this run was under way on" in index
    after = files(out)
    pages = [name for name in earlier if name.startswith(("areas/", "notebooks/X"))]
    assert len(pages) == 6
    assert all(after[name] == earlier[name] for name in pages)  # there, whole, and of the earlier run
    assert made_reports(out, Results.load(out / "tables")) == {}
    with pytest.raises(InputError, match="no report of this run"):
        list(export(out, areas=["X06000001"], charts="svg"))
    again = settings(few, out, notebook=quick(tmp_path))
    result = batched(again, resume=True)
    assert result.exit_code == 0
    assert {name: files(out)[name] for name in pages} == {name: earlier[name] for name in pages}
    assert files(out)["results.csv"] == earlier["results.csv"]


@pytest.mark.slow
def test_ctrl_c_pressed_twice_ends_soon_and_leaves_a_record(begun):
    process, out, _ = begun
    pressed = time.monotonic()
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    process.communicate(timeout=SECONDS)
    assert time.monotonic() - pressed < SECONDS / 3  # the cell would be given up after half of them
    assert process.returncode == 3
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["state"] in ("stopped", "under way")
    with lock.sole_use(out):
        pass


@pytest.mark.slow
@pytest.mark.needs("resource")
@pytest.mark.parametrize("room", [4_000, 20_000])
def test_a_full_disk_leaves_every_file_whole(room, few, tmp_path, batched):
    """The system refuses to write more than so many bytes to a file, as it does when a disk is full."""
    import resource

    out = tmp_path / "out"
    batched(settings(few, out, notebook=quick(tmp_path)))
    before = files(out)
    changed = tmp_path / "processed"
    shutil.copytree(few, changed)
    rows = pd.read_parquet(changed / "observations.parquet")
    rows.loc[rows["metric"] == "reablement", "status_note"] = "told by telephone"
    rows.to_parquet(changed / "observations.parquet")

    def full():
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    process = started(changed, out, tmp_path / "quick.ipynb", preexec_fn=full)
    _, told = process.communicate(timeout=SECONDS)
    assert process.returncode == 3, told
    assert "could not be written" in told
    assert "Traceback" not in told
    after = files(out)
    assert after.keys() == before.keys()  # no half of any
    if room == 4_000:  # not even the tables can be written
        assert after == before
    for name in after:
        plain(out / name)  # reads it
    result = batched(settings(changed, out, notebook=tmp_path / "quick.ipynb"))
    assert result.exit_code == 0


@pytest.mark.parametrize(
    "name",
    ["results.xlsx", *(pytest.param(name, marks=pytest.mark.slow) for name in ("index.html", "run.json"))],
)
def test_a_file_that_cannot_be_replaced_is_named(name, few, tmp_path, batched):
    """As where Excel has it open, which only Windows minds: here a folder stands in its place."""
    (tmp_path / "out" / name / "inside").mkdir(parents=True)
    with pytest.raises(NotDoneError, match=r"could not be written.*Where: .*out") as told:
        batched(settings(few, tmp_path / "out", notebook=quick(tmp_path)))
    assert name in told.value.where
    assert not list((tmp_path / "out").rglob("*.part"))


def test_a_report_that_cannot_be_written_fails_alone(few, tmp_path, batched):
    out = tmp_path / "out"
    run = settings(few, out, notebook=quick(tmp_path))
    stem = batched(run).outcomes[0].stem
    (out / "areas" / f"{stem}.html").unlink()
    (out / "areas" / f"{stem}.html" / "inside").mkdir(parents=True)
    result = batched(run, resume=True)
    assert [bool(outcome.reason) for outcome in result.outcomes] == [True, False, False]
    assert "could not be written" in result.failed[0].reason
    assert f'href="areas/{stem}.html"' not in result.index.read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_made_is_told_before_anything_is_computed(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotDoneError, match="could not be written"):
        run_batch(settings(tmp_path / "nowhere", tmp_path / "file" / "out"))


def test_what_a_killed_run_was_writing_is_cleared_away(few, tmp_path, batched):
    out = tmp_path / "out"
    for folder in ("areas", "tables", "notebooks"):
        (out / folder).mkdir(parents=True)
        (out / folder / ".some.html.1234.part").write_text("half")
    batched(settings(few, out, notebook=quick(tmp_path)))
    assert not list(out.rglob(".*"))


def test_saved_tables_are_the_old_ones_or_the_new_ones(example_results, tmp_path):
    """A table that cannot be written leaves all the old ones; half replaced, they do not pass for a run."""
    results, out = example_results, tmp_path
    results.save(out / "tables")
    before = files(out / "tables")
    odd = results.trends.assign(odd=[object()] * len(results.trends))
    with pytest.raises(Exception, match="odd"):
        replace(results, trends=odd).save(out / "tables")
    assert files(out / "tables") == before
    (out / "tables" / "windows.parquet").unlink()
    (out / "tables" / "windows.parquet").mkdir()
    with pytest.raises(NotDoneError, match="windows"):
        results.save(out / "tables")
    with pytest.raises(InputError, match="does not hold the results"):
        Results.load(out / "tables")


CHANGES_WHILE_READ = """
import io, shutil, sys
from pathlib import Path
processed, out, book, other = map(Path, sys.argv[1:])
reads = []
def watch(event, args):
    if event == "open" and str(args[0]) == str(processed / "manifest.json"):
        reads.append(event)
        if len(reads) == 4:  # twice for its checksum, twice around the tables
            shutil.copy(other, processed / "observations.parquet")
sys.addaudithook(watch)
from bcfstats.run.batch import run_batch
from bcfstats.run.settings import Settings
run_batch(Settings(processed=processed, out=out, notebook=book, jobs=1), stream=io.StringIO())
assert len(reads) >= 4, reads
"""


@pytest.mark.slow
def test_data_that_change_while_a_run_computes_are_seen_by_the_next_one(few, tmp_path, batched):
    processed, out, other = tmp_path / "processed", tmp_path / "out", tmp_path / "other.parquet"
    shutil.copytree(few, processed)
    rows = pd.read_parquet(processed / "observations.parquet")
    mine = (rows["area_code"] == "X06000002") & (rows["metric"] == "reablement")
    rows.loc[mine, ["numerator", "value"]] *= 0.5
    rows.to_parquet(other)
    before = (processed / "observations.parquet").read_bytes()
    arguments = [sys.executable, "-c", CHANGES_WHILE_READ, processed, out, quick(tmp_path), other]
    subprocess.run(list(map(str, arguments)), cwd=ROOT, check=True, timeout=SECONDS)
    assert (processed / "observations.parquet").read_bytes() != before  # it was changed under the run
    first = (out / "results.csv").read_bytes()
    again = settings(processed, out, notebook=tmp_path / "quick.ipynb")
    batched(again, resume=True)
    fresh = batched(replace(again, out=tmp_path / "fresh"))
    assert (out / "results.csv").read_bytes() == (fresh.out / "results.csv").read_bytes() != first


def test_prepared_data_are_read_while_they_are_being_replaced(few, tmp_path):
    """A process killed between the two steps of replacing a folder leaves the old one aside."""
    folder = tmp_path / "processed"
    shutil.copytree(few, aside(folder))
    assert load(folder).manifest == load(few).manifest


@pytest.mark.slow
def test_raw_files_are_never_written(tmp_path, bcfstats):
    """Every command, on published files that may not be written to."""
    write_example(tmp_path / "raw", n_areas=2)
    for path in sorted((tmp_path / "raw").rglob("*")):
        path.chmod(stat.S_IREAD)
    (tmp_path / "raw").chmod(stat.S_IREAD | stat.S_IEXEC)
    before = listing(tmp_path / "raw")
    try:
        commands = [
            ["prepare", "--raw", "raw", "--processed", "processed"],
            ["check", "--processed", "processed"],
            [
                "run",
                "--processed",
                "processed",
                "--out",
                "out",
                "--notebook",
                str(quick(tmp_path)),
                "--jobs",
                "1",
            ],
            ["export", "--out", "out", "--fingertips"],
        ]
        for command in commands:
            told = bcfstats(*command, folder=tmp_path)
            assert told.returncode == 0, told.stderr
        assert listing(tmp_path / "raw") == before
    finally:
        (tmp_path / "raw").chmod(stat.S_IRWXU)
