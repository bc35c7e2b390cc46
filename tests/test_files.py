"""Files written whole or not at all, never through a link, with nothing left over by a killed process."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from bcfstats import files
from bcfstats.errors import InputError, NotDoneError, ParameterError
from bcfstats.files import fitting, own_folder, read_bytes, replace_folder, restore_folder, sole_use, whole

posix = pytest.mark.skipif(sys.platform == "win32", reason="links and signals as POSIX has them")
TABLES = {"observations": pd.DataFrame({"a": [1]})}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def victim(tmp_path):
    path = tmp_path / "victim.txt"
    path.write_text("dear")
    return path


@posix
@pytest.mark.parametrize("kind", ["link", "hard link", "ring", "pipe", "folder"])
def test_a_lock_is_not_taken_through_a_link(kind, victim, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    lock = out / "run.lock"
    make = {
        "link": lambda: lock.symlink_to("../victim.txt"), "hard link": lambda: lock.hardlink_to(victim),
        "ring": lambda: lock.symlink_to("run.lock"), "pipe": lambda: os.mkfifo(lock), "folder": lock.mkdir,
    }  # fmt: skip
    make[kind]()
    with pytest.raises(NotDoneError, match="could not be written") as caught, sole_use(out):
        pass
    assert caught.value.found
    assert victim.read_text() == "dear"


@posix
def test_a_file_takes_the_place_of_a_link_and_leaves_what_it_led_to(victim, tmp_path):
    target = tmp_path / "results.csv"
    target.symlink_to(victim)
    with whole(target) as part:
        part.write_text("new")
    assert (target.read_text(), target.is_symlink(), victim.read_text()) == ("new", False, "dear")


def test_parts_have_names_that_cannot_be_foreseen(tmp_path):
    seen = set()
    for _ in range(20):
        with whole(tmp_path / "a.csv") as part:
            part.write_text("x")
            seen.add(part.parent.name)
    assert len(seen) == 20
    assert not any(str(os.getpid()) in name for name in seen)
    assert names(tmp_path) == ["a.csv"]


KILLED = """
import os, sys, time
from pathlib import Path
import pandas as pd
from bcfstats import files
folder = Path(sys.argv[1])
what = sys.argv[2]
def die(*_, **__):
    os.kill(os.getpid(), 9)
if what == "part":
    with files.whole(folder / "a.csv") as part:
        part.write_text("half")
        die()
elif what == "tables":
    pd.DataFrame.to_parquet = die
    files.replace_folder(folder / "processed", {"x": pd.DataFrame({"a": [1]})}, {})
elif what == "swap":
    (folder / "processed").mkdir()
    (folder / "processed" / "old").touch()
    before, Path.rename = Path.rename, lambda self, to: (before(self, to), die())
    files.replace_folder(folder / "processed", {"x": pd.DataFrame({"a": [1]})}, {})
else:
    with files.own_folder(folder) as own:
        (own / "settings").write_text("x")
        print(own, flush=True)
        die() if what == "temporary" else time.sleep(3600)
"""


def killed(folder, what):
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(folder), what]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert any(name.startswith((".", "bcfstats-")) for name in names(folder))
    files._swept.clear()  # as in a process that starts


@posix
def test_what_a_killed_process_left_of_a_file_goes_at_the_next_start(tmp_path):
    killed(tmp_path, "part")
    with whole(tmp_path / "b.csv") as part:
        part.write_text("x")
    assert names(tmp_path) == ["b.csv"]


@posix
@pytest.mark.parametrize("what", ["tables", "swap"])
def test_what_a_killed_process_left_of_a_folder_goes_at_the_next_start(what, tmp_path):
    killed(tmp_path, what)
    restore_folder(tmp_path / "processed")
    assert names(tmp_path) == (["processed"] if what == "swap" else [])
    if what == "swap":
        assert names(tmp_path / "processed") == ["old"]
    replace_folder(tmp_path / "processed", TABLES, {})
    assert names(tmp_path) == ["processed"]


def test_folders_of_earlier_versions_go_too_and_others_stay(tmp_path):
    for name in (".processed.new-4242", ".other.new-1", "bcfstats-notes", "processed.new-1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").touch()
    restore_folder(tmp_path / "processed")
    with own_folder(tmp_path):
        pass
    assert names(tmp_path) == [".other.new-1", "bcfstats-notes", "processed.new-1"]


@posix
def test_temporary_folders_go_once_their_owner_has_ended_and_not_before(tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path), "living"]
    living = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert living.stdout is not None
        held = Path(living.stdout.readline().strip())
        killed(tmp_path, "temporary")
        with own_folder(tmp_path) as own:
            assert names(tmp_path) == sorted([held.name, own.name])
    finally:
        living.kill()
        living.communicate()
    files._swept.clear()
    with own_folder(tmp_path):
        pass
    assert names(tmp_path) == []


@posix
def test_nothing_is_swept_through_a_link(victim, tmp_path):
    away = tmp_path / "away"
    away.mkdir()
    (away / "owner.lock").touch()
    (away / "dear").touch()
    parent = tmp_path / "parent"
    parent.mkdir()
    (parent / "bcfstats-link").symlink_to(away)
    (parent / "bcfstats-linked").mkdir()
    (parent / "bcfstats-linked" / "owner.lock").symlink_to(victim)
    with own_folder(parent):
        pass
    assert names(away) == ["dear", "owner.lock"]
    assert names(parent) == ["bcfstats-link", "bcfstats-linked"]


def test_a_rename_that_another_program_prevents_for_a_moment_is_tried_again():
    tries = []

    def rename():
        tries.append(time.monotonic())
        if len(tries) < 4:
            raise PermissionError(errno.EACCES, "used by another process")

    files._retried(rename)
    assert len(tries) == 4


def test_a_rename_that_is_never_allowed_is_told_within_three_seconds():
    def rename():
        raise PermissionError(errno.EACCES, "used by another process")

    start = time.monotonic()
    with pytest.raises(PermissionError):
        files._retried(rename)
    assert 1.9 < time.monotonic() - start < 120


@posix
def test_a_lock_that_cannot_be_had_for_another_reason_is_an_error(tmp_path, monkeypatch):
    """Such as a file system without locks: another run could write to the folder at the same time."""
    import fcntl

    def no_locks(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(NotDoneError, match=os.strerror(errno.ENOLCK)), sole_use(tmp_path / "out"):
        pass
    with whole(tmp_path / "a.csv") as part:  # a single file is written all the same
        part.write_text("x")
    assert (tmp_path / "a.csv").read_text() == "x"


def test_names_fit_into_a_path_that_windows_opens(tmp_path):
    deep = Path("/" + "d" * 200)
    stems = [f"E0600000{n}-" + "long-name-" * 6 for n in range(9)]
    short = [fitting(deep, stem, ".html") for stem in stems]
    assert all(len(str(deep.absolute() / stem)) + len(".html") <= 259 for stem in short)
    assert len(set(short)) == len(stems)
    assert [fitting(Path("/d"), stem, ".html") for stem in stems] == stems
    with pytest.raises(InputError, match="too long"):
        fitting(Path("/" + "d" * 245), stems[0], ".html")


@pytest.mark.parametrize("name", ["a\0b", "missing", "."])
def test_what_cannot_be_read_is_named(name, tmp_path):
    with pytest.raises(InputError) as caught:
        read_bytes(tmp_path / name, 10)
    assert str(tmp_path) in caught.value.where


def test_no_more_is_read_than_may_be(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"x" * 11)
    assert len(read_bytes(path, 11)) == 11
    with pytest.raises(InputError, match="11 bytes; a file of this kind may have 10"):
        read_bytes(path, 10)


def test_folders_are_made_by_many_threads_at_once(tmp_path):
    """Each sweeps while others begin: no folder of a living process goes."""
    failed = []

    def make():
        try:
            for _ in range(30):
                files._swept.clear()
                with own_folder(tmp_path, prefix=".", suffix=files.PART) as own:
                    (own / "x").write_text("x")
                    assert (own / "x").read_text() == "x"
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert names(tmp_path) == []


def test_the_temporary_folder_is_the_systems(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with own_folder() as own:
        assert own.parent == tmp_path


@pytest.mark.parametrize(("fixed", "year"), [("0", 1970), ("1417392000", 2014), ("", None), (None, None)])
def test_files_are_dated_by_source_date_epoch_where_it_is_set(fixed, year, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    if fixed is not None:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", fixed)
    now = files.now()
    assert now.year == year if year else abs(now.timestamp() - time.time()) < 60


@pytest.mark.parametrize("fixed", ["yesterday", "-1", "1.5", " ", "1" * 12])
def test_a_source_date_epoch_that_is_no_time_is_refused(fixed, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", fixed)
    with pytest.raises(ParameterError, match="SOURCE_DATE_EPOCH is not a time"):
        files.now()
