"""Nothing is asked of a network, and nothing of the environment ends up in a file.

Every command runs in a process in which Python refuses to connect anywhere but to this machine, as do all the
processes that it starts; where the system lets a test do so, in a network of its own that leads nowhere.
"""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from bcfstats.example.data import write_example, write_example_targets

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "notebooks" / "area_report.ipynb"
SECRET = "hunter2-not-to-be-read"
GUARD = """
import os, sys
HERE = ("127.0.0.1", "::1", "localhost", "", None, b"localhost")
folder = os.environ["GUARD_FOLDER"]
def refuse(event, given):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = given[1]
        allowed = not isinstance(address, tuple) or address[0] in HERE
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        allowed = given[0] in HERE
    else:
        return
    if not allowed:
        with open(f"{folder}/asked", "a") as file:
            file.write(f"{event} {given}\\n")
        raise PermissionError("no network")
sys.addaudithook(refuse)
open(f"{folder}/guarded-{os.getpid()}", "w").close()
"""
ALONE = """
import fcntl, os, socket, struct, sys
with socket.socket() as made:
    fcntl.ioctl(made, 0x8914, struct.pack("16sh", b"lo", 0x41))  # this machine's own address, up
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
COMMANDS = """
import sys
from bcfstats.cli import app
for words in {commands!r}:
    code = app(words, standalone_mode=False)
    print("ended", words[0], code or 0)
"""


@cache
def alone():
    """Give the words before a command that run it in a network of its own, or none where that is refused."""
    words = ["unshare", "--net", "--map-root-user", sys.executable, "-c", ALONE]
    if not sys.platform.startswith("linux") or not shutil.which("unshare"):
        return []
    done = subprocess.run([*words, "-c", "print(1)"], capture_output=True, check=False)
    return words if done.returncode == 0 else []


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """Folder with the guard, and the environment in which every Python loads it."""
    folder = tmp_path_factory.mktemp("guard")
    (folder / "sitecustomize.py").write_text(GUARD)
    path = os.pathsep.join([str(folder), str(ROOT)])
    return folder, {**os.environ, "PYTHONPATH": path, "GUARD_FOLDER": str(folder), "API_TOKEN": SECRET}


@pytest.fixture(scope="module")
def done(guarded, tmp_path_factory):
    guard, environment = guarded
    folder = tmp_path_factory.mktemp("work")
    write_example(folder / "raw", n_areas=3)
    write_example_targets(folder / "targets.csv", n_areas=3)
    read = ["--processed", "processed"]
    two = ["--metric", "delayed_transfers", "--metric", "reablement"]
    warm = f'notebook = "{NOTEBOOK.as_posix()}"\nengine = "warm"\ntargets = ["targets.csv"]\n'
    (folder / "bcfstats.toml").write_text(warm, encoding="utf-8")
    commands = [
        ["prepare", "--raw", "raw", *read],
        ["check", *read],
        [
            "run",
            *read,
            *two,
            "--area",
            "X06000001",
            "--area",
            "X06000002",
            "--out",
            "out",
            "--engine",
            "auto",
        ],
        ["report", "X06000001", *read, *two, "--out", "single"],
        ["overview", "targets.csv", *read, "--out", "overview"],
        ["track", "targets.csv", *read, "--until", "Sep 2014", "--out", "tracked"],
        ["validate", *read, "--out", "validation"],
        ["compare", "out", "single", "--out", "moved.csv"],
        ["export", "--out", "out", "--fingertips", "--charts", "svg"],
        ["explain", "trend"],
        ["list", "areas"],
    ]
    code = COMMANDS.format(commands=commands)
    told = subprocess.run(
        [*(alone() or [sys.executable]), "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return guard, folder, told.stdout, [words[0] for words in commands]


@pytest.mark.slow
def test_every_command_works_without_a_network(done):
    guard, folder, told, commands = done
    ended = [line.split()[1:] for line in told.splitlines() if line.startswith("ended ")]
    assert [name for name, _ in ended] == commands
    assert {name for name, code in ended if code != "0"} <= {"overview", "track"}  # 1: something was found
    assert len(list((folder / "out" / "areas").glob("*.html"))) == 2
    assert not (guard / "asked").exists(), (guard / "asked").read_text()
    assert len(list(guard.glob("guarded-*"))) >= 3  # this process, the forking worker, the warm one


@pytest.mark.slow
def test_nothing_of_the_environment_is_in_any_file(done):
    _, folder, told, _ = done
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 20
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []
    assert SECRET not in told


@pytest.mark.parametrize(
    "code",
    [
        "import socket; socket.create_connection(('198.51.100.7', 80), timeout=1)",
        "import urllib.request; urllib.request.urlopen('http://example.invalid')",
    ],
)
def test_the_guard_refuses_what_it_is_for(code, guarded, tmp_path):
    _, environment = guarded
    apart = environment | {"GUARD_FOLDER": str(tmp_path)}
    told = subprocess.run(
        [sys.executable, "-c", code], env=apart, capture_output=True, text=True, check=False
    )
    assert "no network" in told.stderr
    assert (tmp_path / "asked").exists()


@pytest.mark.needs("own network")
def test_the_network_of_its_own_leads_nowhere():
    code = "import socket; socket.create_connection(('198.51.100.7', 80), timeout=5)"
    told = subprocess.run([*alone(), "-c", code], capture_output=True, text=True, check=False)
    assert "unreachable" in told.stderr
