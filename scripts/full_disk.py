"""Let disks of many sizes run full under a batch, then give room and resume: is every file whole?

python -m scripts.full_disk              12 sizes
python -m scripts.full_disk --sizes 30

Runs on Linux as root: it mounts a small file system in memory for the folder of the run.
"""

import argparse
import ctypes
import os
import random
import subprocess
import tempfile
import time
from pathlib import Path

from scripts.kills import BECOME_REAPER, Trial, _import_all, contents, halves

ROOM = 64 * 2**20
CODES = {0: "ended well", 1: "some reports failed", 2: "told that it could not write"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, default=12)
    given = parser.parse_args()
    ctypes.CDLL(None).prctl(BECOME_REAPER, 1, 0, 0, 0)
    _import_all()
    faults, ends = [], dict.fromkeys(CODES, 0)
    with tempfile.TemporaryDirectory(prefix="full") as folder:
        trial = Trial(Path(folder), random.Random(0))
        needed = sum(path.stat().st_size for path in (Path(folder) / "undisturbed").rglob("*"))
        disk = Path(folder) / "disk"
        disk.mkdir()
        trial.out = disk / "out"
        for place in range(given.sizes):
            size = int(needed * 1.3 * (place + 0.5) / given.sizes)
            faults += _one(trial, disk, size, ends)
    for code, said in CODES.items():
        print(f"| {said} | {ends[code]} |")
    print(f"{given.sizes} sizes up to {needed * 1.3 / 2**20:.1f} MiB, {len(faults)} faults")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def _one(trial, disk, size, ends):
    """Run in a file system of a size, then in the same one with room."""
    started = time.monotonic()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], check=True)
    try:
        code = _run(trial)
        ends[code] = ends.get(code, 0) + 1
        faults = [] if code in CODES else [f"{size} bytes: ended with {code}"]
        faults += [f"{size} bytes: {name} is not whole" for name in halves(trial.out, trial.expected)]
        subprocess.run(["mount", "-o", f"remount,size={ROOM}", disk], check=True)
        if _run(trial) != 0 or contents(trial.out) != trial.expected:
            faults.append(f"{size} bytes: what was resumed is not what an undisturbed run makes")
    finally:
        subprocess.run(["umount", disk], check=True)
    print(f"{size:>9,} bytes: {CODES.get(code, code)}, {time.monotonic() - started:.0f} s", flush=True)
    return faults


def _run(trial):
    trial._start()
    code = trial._wait()
    trial.pid = None
    return code


if __name__ == "__main__":
    raise SystemExit(main() if os.name == "posix" else __doc__)
