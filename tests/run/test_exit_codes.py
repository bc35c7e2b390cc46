"""What cannot be written, in every command: one message, an exit code that no finding has, no half file."""

import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from bcfstats.cli import app
from bcfstats.example.data import write_example_targets
from tests.run.test_engine import notebook

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 600  # on a machine at other work
FULL = pytest.mark.needs("full device")
POSIX = pytest.mark.needs("shell")

# What each command needs to write something; where it writes stands as OUT
WRITING = {
    "init": ["init"],
    "notebooks": ["notebooks", "OUT/notebooks"],
    "prepare": ["prepare", "--raw", "raw", "--processed", "OUT/processed"],
    "check": ["check", "targets.csv", "--processed", "processed", "--out", "OUT/judged.csv"],
    "overview": ["overview", "targets.csv", "--processed", "processed", "--out", "OUT/overview"],
    "track": ["track", "targets.csv", "--processed", "processed", "--out", "OUT/tracked"],
    "phase": ["phase", "targets.csv", "OUT/phased.csv", "--processed", "processed"],
    "goals": ["goals", "work.csv", "targets.csv", "--processed", "processed", "--out", "OUT/goals.csv"],
    "board": ["board", "Aldamount", "--targets", "targets.csv", "--processed", "processed", "--out", "OUT/x"],
    "run": ["run", "--processed", "processed", "--out", "OUT/reports", "--notebook", "quick.ipynb"],
    "compare": ["compare", "made", "made", "--out", "OUT/changes.csv"],
    "validate": ["validate", "--processed", "processed", "--out", "OUT"],
    "demo": ["demo", "--areas", "2", "--out", "OUT/demo"],
    "report": ["report", "Aldamount", "--processed", "processed", "--out", "OUT/one"],
    "export": ["export", "--out", "OUT/made", "--fingertips"],
}
PRINTING = {
    "list": ["list", "areas"],
    "explain": ["explain", "proportion"],
    "help": ["run", "--help"],
    "check": ["check", "--processed", "processed"],
}


def shell(command, folder, *, file_bytes=None):
    """Run a line of shell, and say what its last command ended with and printed."""

    def limit():
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        preexec_fn=None if file_bytes is None else limit,
    )


def line(words, out="."):
    given = " ".join(f"'{word}'" for word in words).replace("OUT", out)
    return f"'{sys.executable}' -m bcfstats {given}"


@pytest.fixture(scope="module")
def folder(few, example_processed, tmp_path_factory):
    """A folder with all that commands need: published files, prepared data, targets, a run."""
    folder = tmp_path_factory.mktemp("codes")
    shutil.copytree(few, folder / "processed")
    shutil.copytree(example_processed.parent / "raw", folder / "raw")
    write_example_targets(folder / "targets.csv", n_areas=3)
    (folder / "work.csv").write_text(
        "area,metric,period,work,people,start,effect\n"
        "X06000001,delayed_transfers,Apr-Dec 2014,home first,100,Apr 2014,2\n",
        encoding="utf-8",
    )
    nbformat.write(notebook("print(area_code)"), folder / "quick.ipynb")
    done = shell(line([*WRITING["run"][:3], "--out", "made", *WRITING["run"][5:]]), folder)
    assert done.returncode == 0, done.stderr
    return folder


def contents(folder):
    return {
        path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "run.lock"
    }


def test_every_command_that_writes_is_tried():
    named = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert named == (set(WRITING) | set(PRINTING)) - {"help"}


@POSIX
@pytest.mark.parametrize("name", [name for name in WRITING if name != "init"])
def test_what_cannot_be_written_is_told_in_one_message(name, folder, tmp_path, bcfstats):
    """Where a folder should be there is a file, which stops the superuser too."""
    for given in ("raw", "processed", "made"):
        (tmp_path / given).symlink_to(folder / given)
    for given in ("targets.csv", "work.csv", "quick.ipynb"):
        shutil.copy(folder / given, tmp_path)
    (tmp_path / "out").touch()
    words, out = WRITING[name], "out"
    if name == "export":
        out = "."
        (tmp_path / "made").unlink()
        shutil.copytree(folder / "made", tmp_path / "made")
        (tmp_path / "made" / "fingertips.csv" / "inside").mkdir(parents=True)
    before = contents(folder)
    done = bcfstats(*(word.replace("OUT", out) for word in words), folder=tmp_path)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    told = [text for text in done.stderr.splitlines() if text.startswith("bcfstats: ")]
    assert len(told) == 1
    assert "could not be" in told[0]
    assert "Where: " in told[0]
    assert contents(folder) == before


@POSIX
@pytest.mark.parametrize(
    "name",
    [
        *("init", "compare"),
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("notebooks", "prepare", "check", "overview", "validate", "export")
        ),
    ],
)
def test_a_full_disk_is_no_finding(name, folder, tmp_path):
    """No file may hold more than some bytes, which fails as a full disk does."""
    shutil.copytree(folder, tmp_path / "here")
    before = contents(tmp_path / "here")
    done = shell(line(WRITING[name]), tmp_path / "here", file_bytes=30)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert contents(tmp_path / "here") == before


@POSIX
@FULL
@pytest.mark.parametrize("name", PRINTING)
@pytest.mark.parametrize("stream", ["> /dev/full", pytest.param(">&-", marks=pytest.mark.slow)])
def test_what_cannot_be_printed_is_told(name, stream, folder):
    done = shell(f"{line(PRINTING[name])} {stream}", folder)
    assert done.returncode == 3
    assert done.stderr.startswith("bcfstats: It could not be read or written. Where: what is printed.")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
@POSIX
@pytest.mark.parametrize("name", PRINTING)
def test_a_reader_that_has_seen_enough_is_no_error(name, folder):
    done = shell(f"{line(PRINTING[name])} | true; echo ${{PIPESTATUS[0]}}", folder)
    assert done.stdout.strip() in ("0", "3")
    assert done.stderr == ""


@pytest.mark.slow
@POSIX
@FULL
@pytest.mark.parametrize("stream", ["2>/dev/full", "2>&-"])
def test_messages_that_nobody_can_be_told_change_no_exit_code(stream, folder, tmp_path):
    assert shell(f"{line(['explain', 'wilsn'])} {stream}", folder).returncode == 2
    assert shell(f"{line(['list', 'nothing', '--nowhere'])} {stream}", folder).returncode == 2
    done = shell(f"{line(WRITING['run'], str(tmp_path))} {stream}", folder)
    assert done.returncode == 0, done.stdout
    for page in (tmp_path / "reports" / "areas").iterdir():  # nothing was written into a file for a stream
        assert page.read_text(encoding="utf-8").rstrip().endswith("</html>")


@POSIX
@pytest.mark.needs("proc")
@pytest.mark.parametrize("mebibytes", [700, 1_536])  # too little to load what it needs; to compute
def test_less_memory_than_is_needed_is_told_before_anything_is_computed(mebibytes, folder, tmp_path):
    done = shell(f"ulimit -v {mebibytes * 1024}; {line(WRITING['run'], str(tmp_path))}", folder)
    assert done.returncode == 3, done.stdout
    assert "allows a program too little memory" in done.stderr
    assert f"{mebibytes:,} MiB" in done.stderr
    assert not (tmp_path / "reports" / "tables").exists()


@POSIX
@pytest.mark.slow
@pytest.mark.needs("proc")
def test_with_a_limit_of_memory_below_our_own_every_report_is_made(folder, tmp_path):
    done = shell(f"ulimit -v {3 * 2**20}; {line(WRITING['run'], str(tmp_path))}", folder)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "reports" / "areas").iterdir())) == 3


@POSIX
@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_command_that_is_asked_to_end_says_so_in_one_line(number, folder, tmp_path):
    command = [sys.executable, "-m", "bcfstats", "prepare", "--raw", folder / "raw", "--processed", tmp_path]
    (tmp_path / "earlier").touch()
    process = subprocess.Popen(
        list(map(str, command)), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + SECONDS
    while not psutil.Process(process.pid).children() and time.monotonic() < until:
        assert process.poll() is None
        time.sleep(0.01)  # it has files opened, and so has begun
    process.send_signal(number)
    _, told = process.communicate(timeout=SECONDS)
    assert process.returncode == 3
    assert told.startswith("bcfstats: Stopped.")
    assert len(told.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["earlier"]


@pytest.mark.slow
def test_a_command_that_is_asked_to_end_at_any_moment_says_so(folder, tmp_path):
    """Before it has begun a signal ends Python itself; later the answer is there, or the code is 3.

    Python ends by itself with code 1 where Ctrl-C strikes while it starts, before any line of ours.
    """
    command = [sys.executable, "-m", "bcfstats", "check", "--processed", folder / "processed"]
    began = time.monotonic()
    whole = subprocess.run(list(map(str, command)), cwd=tmp_path, capture_output=True, text=True)
    usual = time.monotonic() - began
    for part, number in zip(range(1, 25, 4), itertools.cycle((signal.SIGTERM, signal.SIGINT)), strict=False):
        process = subprocess.Popen(
            list(map(str, command)), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        time.sleep(usual * part / 20)
        process.send_signal(number)
        given, told = process.communicate(timeout=SECONDS)
        if number == signal.SIGINT and "Fatal Python error: init_" in told:
            assert process.returncode == 1
            continue
        assert process.returncode in (whole.returncode, 3, -number), told
        if process.returncode == 3:
            assert told.splitlines()[-1].startswith("bcfstats: Stopped.")
        elif process.returncode == whole.returncode:
            assert given == whole.stdout
