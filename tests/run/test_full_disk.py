"""Disks of several sizes run full under a batch, then get room, and it is resumed: every file is whole."""

import subprocess
import sys

import pytest

from tests.run.test_batch import settings
from tests.run.test_interrupted import ROOT, quick
from tests.run.whole import contents, halves

ROOM = "64m"


def run(processed, out, book):
    command = [sys.executable, "-m", "bcfstats", "run", "--processed", processed, "--out", out]
    command += ["--notebook", book, "--jobs", "2"]
    done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode


@pytest.mark.slow
@pytest.mark.needs("own disks")
def test_a_disk_of_any_size_leaves_files_whole_and_a_run_that_can_be_resumed(few, tmp_path, batched):
    book = quick(tmp_path)
    assert batched(settings(few, tmp_path / "out", notebook=book)).exit_code == 0
    expected = contents(tmp_path / "out")
    needed = sum(path.stat().st_size for path in (tmp_path / "out").rglob("*"))
    disk = tmp_path / "disk"
    disk.mkdir()
    for part in (0.3, 0.9):
        size = int(needed * part)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], check=True)
        try:
            assert run(few, disk / "out", book) == 3
            if (disk / "out").exists():
                assert list(halves(disk / "out", expected)) == []
            subprocess.run(["mount", "-o", f"remount,size={ROOM}", disk], check=True)
            again = settings(few, disk / "out", notebook=book)
            assert batched(again, resume=True).exit_code == 0
            assert contents(disk / "out") == expected
        finally:
            subprocess.run(["umount", disk], check=True)
