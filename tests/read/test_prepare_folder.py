"""Everything that stands in a folder is read, passed over or refused, each with its reason; none ends it."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from bcfstats.read import prepare as module
from bcfstats.read.prepare import entries, prepare
from bcfstats.run.check import describe_prepared

posix = pytest.mark.skipif(sys.platform == "win32", reason="links and odd names as POSIX has them")
ROOT = Path(__file__).resolve().parents[2]
GOOD = "area_code,metric,period,numerator,denominator\nE08000035,reablement,{},84,100\n"


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "mine.csv").write_text(GOOD.format("2014/15"))
    return folder


def told(raw, tmp_path):
    """What `prepare` made of each name: as it printed it and wrote it down."""
    result = prepare(raw, tmp_path / "processed")
    written = json.loads((tmp_path / "processed" / "manifest.json").read_text(encoding="utf-8"))
    lines = "\n".join(describe_prepared(result))
    found = {entry["file"]: entry.get("refused") or entry["kind"] for entry in written["files"]}
    for name, why in written["not_read"].items():
        assert f"Not read: {name}: {why}" in lines
    for name, why in result.refused_files.items():
        assert f"File refused: {name}: {why}" in lines
    assert not found.keys() & written["not_read"].keys()
    assert found.pop("mine.csv") == "plain table of observations"
    assert "E08000035" in set(result.data.observations["area_code"])
    return found | written["not_read"]


@posix
def test_a_name_that_is_no_text_is_read(raw, tmp_path):
    (raw / os.fsdecode(b"caf\xe9.csv")).write_text(GOOD.format("2015/16"))
    (raw / "two\nlines.csv").write_text(GOOD.format("2016/17"))
    found = told(raw, tmp_path)
    assert found == dict.fromkeys(["caf\\xe9.csv", "two\\nlines.csv"], "plain table of observations")
    sources = prepare(raw, tmp_path / "processed").data.observations["source"]
    assert set(sources) == {"mine.csv", "caf\\xe9.csv", "two\\nlines.csv"}


@posix
def test_links_are_not_followed(raw, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.csv").write_text("secret,words\n1,2\n")
    (raw / "sub").mkdir()
    (raw / ".store").mkdir()
    (raw / ".store" / "x.csv").write_text(GOOD.format("2015/16"))
    for name, target in {
        "loop": "loop", "ring1": "ring2", "ring2": "ring1", "nowhere.csv": "not/there",
        "out.csv": outside / "secret.csv", "out": outside, "up": "..", "stored.csv": ".store/x.csv",
        "inside.csv": "mine.csv", "folder": "sub", "prepared": "../processed",
    }.items():  # fmt: skip
        (raw / name).symlink_to(target)
    found = told(raw, tmp_path)
    refused = {name for name, why in found.items() if why.startswith("This is a link")}
    assert refused == {
        "loop", "ring1", "ring2", "nowhere.csv", "out.csv", "out", "up", "stored.csv", "prepared",
    }  # fmt: skip
    assert found["inside.csv"] == "a link to mine.csv, which is read where it stands"
    assert found["folder"] == "a link to sub, which is read where it stands"
    assert "hidden" in found[".store"]
    assert not any("secret,words" in why for why in found.values())


@posix
def test_what_is_no_file_is_refused_without_waiting(raw, tmp_path):
    os.mkfifo(raw / "pipe.csv")
    plug = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(raw)  # the name of a socket may have a hundred letters only
    try:
        plug.bind("plug.csv")
    finally:
        os.chdir(here)
        plug.close()
    try:
        os.mknod(raw / "device.csv", 0o600 | 0o020000, os.makedev(1, 5))
    except PermissionError:  # only root makes devices
        os.mkfifo(raw / "device.csv")
    found = told(raw, tmp_path)
    assert set(found) == {"pipe.csv", "plug.csv", "device.csv"}
    assert all("no file" in why for why in found.values())


@pytest.mark.parametrize(
    ("name", "is_read"),
    [("readmeasures.csv", True), ("README.csv", True), ("Readmissions.txt", True), ("readme", False),
     ("README.md", False), ("ReadMe first.txt", False), ("readme_2014.pdf", False), ("readmeasures", True)],
)  # fmt: skip
def test_only_notes_are_passed_over_as_readme(name, is_read, raw, tmp_path):
    (raw / name).write_text(GOOD.format("2015/16"))
    assert told(raw, tmp_path) == {
        name: "plain table of observations" if is_read else "a note about the folder"
    }


UNREADABLE = """
import os, sys
from pathlib import Path
from bcfstats.read.prepare import entries
from bcfstats.read.prepare import _opened
if os.getuid() == 0:
    os.seteuid(65534)  # who may all is nobody's test
for entry in entries(Path(sys.argv[1]), Path("processed")):
    print(entry.name, _opened(entry)[0].refused, sep=": ")
"""


@posix
def test_what_may_not_be_read_is_refused():
    with tempfile.TemporaryDirectory() as name:  # which another user than root can reach, unlike tmp_path
        raw = Path(name) / "raw"
        (raw / "closed").mkdir(parents=True)
        Path(name).chmod(0o755)
        (raw / "closed" / "x.csv").write_text(GOOD.format("2015/16"))
        (raw / "mine.csv").write_text(GOOD.format("2014/15"))
        (raw / "mute.csv").write_text(GOOD.format("2016/17"))
        (raw / "closed").chmod(0)
        (raw / "mute.csv").chmod(0)
        command = [sys.executable, "-c", UNREADABLE, str(raw)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        (raw / "closed").chmod(0o700)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("closed: The folder cannot be read: Permission denied")
    assert lines[1] == "mine.csv: "
    assert lines[2].startswith("mute.csv: The file cannot be read.")


@posix
def test_a_very_deep_folder_is_walked(raw, tmp_path):
    here = Path.cwd()
    os.chdir(raw)
    try:
        for _ in range(1_500):
            Path("d").mkdir()
            os.chdir("d")
        Path("deep.csv").write_text(GOOD.format("2015/16"))
    finally:
        os.chdir(here)
    try:
        assert any(entry.refused or entry.name.endswith("deep.csv") for entry in entries(raw, tmp_path / "p"))
    finally:
        subprocess.run(["rm", "-rf", raw / "d"], check=True)


def test_a_file_that_changes_after_it_was_read_is_refused(raw, tmp_path, monkeypatch):
    """Half of it may have been old: the rows are left out, whatever its time and size say."""
    changing = raw / "changing.csv"
    changing.write_text(GOOD.format("2015/16"))
    before = changing.stat()
    combined = module._combined

    def change(*arguments):
        changing.write_text(GOOD.format("2016/17"))
        os.utime(changing, ns=(before.st_atime_ns, before.st_mtime_ns))
        return combined(*arguments)

    monkeypatch.setattr(module, "_combined", change)
    found = prepare(raw, tmp_path / "processed")
    assert list(found.refused_files) == ["changing.csv"]
    assert "changed while it was read" in found.refused_files["changing.csv"]
    assert len(found.data.observations) == 1


@pytest.mark.parametrize("pause", [0.01, pytest.param(0.1, marks=pytest.mark.slow)])
def test_files_rewritten_in_place_are_never_read_by_half(pause, raw, tmp_path):
    """A program rewrites a file again and again, row by row: all rows kept are of one turn, or none is.

    But where the machine lets the program stand still for longer than it takes to read: nobody can tell then.
    """
    path = raw / "again.csv"
    rows = ["area_code,metric,period,numerator,denominator\n"] + [
        f"E08000035,reablement,{year}/{year % 100 + 1:02d},{{0}},100\n" for year in range(2015, 2017)
    ]
    path.write_text("".join(rows).format("10"))
    stop, halves, stood = threading.Event(), 0, []

    def rewrite():
        for turn in range(10_000):
            with path.open("r+") as file:
                for row in rows:
                    began = time.monotonic()
                    file.write(row.format(10 + turn % 80))
                    file.flush()
                    time.sleep(pause)
                    stood.append(time.monotonic() - began)
            if stop.wait(0.3):
                return

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        for _ in range(10):
            found = prepare(raw, tmp_path / "processed")
            kept = found.data.observations
            mine = kept[kept["source"] == "again.csv"]["numerator"]
            assert len(mine) in (0, 2)
            halves += mine.nunique() > 1
    finally:
        stop.set()
        writer.join()
    assert not halves or max(stood) > 5 * pause + 0.1
