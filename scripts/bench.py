"""Measure CPU time and memory of the main jobs.

python -m scripts.bench              published files in ../shared/data or BCFSTATS_REAL_DATA, else the example
python -m scripts.bench FOLDER       published files in FOLDER
"""

import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BCFSTATS = [sys.executable, "-m", "bcfstats"]
FEW, MORE = 2, 12  # areas; the difference is what reports cost without the start of a run
MEBIBYTE = 2**20 if sys.platform == "darwin" else 2**10  # ru_maxrss is in bytes there, in kibibytes elsewhere


def published_files(folder):
    """The folder of files to prepare; the example data are written there if there is no other."""
    given = Path(
        sys.argv[1]
        if len(sys.argv) > 1
        else os.environ.get("BCFSTATS_REAL_DATA", ROOT.parent / "shared/data")
    )
    if given.is_dir():
        return given, "published files"
    from bcfstats.example.data import write_example

    write_example(folder, n_areas=150)
    return folder, "example data"


def measured(command):
    """Wall and CPU seconds of a command with all its processes, and the memory of the largest, in MiB."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise SystemExit(f"failed: {' '.join(map(str, command))}")
    return time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / MEBIBYTE


def area_codes(processed):
    import bcfstats

    return list(dict.fromkeys(bcfstats.load(processed).observations["area_code"]))


def write_targets(codes, path):
    """Write twelve targets for each area: what is paid, and delayed days of other windows."""
    from bcfstats.define.schemes import DEFAULT_SCHEME, scheme

    payments = scheme(DEFAULT_SCHEME).payments
    asked = [(name, p.id) for p in payments for name, window in p.metrics.items() if window]
    asked += [
        ("delayed_transfers", f"Apr-{month} 2014") for month in ("May", "Jun", "Jul", "Aug", "Sep", "Oct")
    ]
    lines = [f"{code},{name},{payment},-2" for code in codes for name, payment in asked]
    path.write_text("\n".join(["area,metric,payment,change_percent", *lines]), encoding="utf-8")
    return len(lines)


def main():
    if not hasattr(os, "wait4"):
        raise SystemExit("This system does not tell what a process used: measure on Linux or macOS.")
    with tempfile.TemporaryDirectory() as folder:
        raw, what = published_files(Path(folder) / "raw")
        processed = Path(folder) / "processed"
        rows = [("import bcfstats", *measured([sys.executable, "-c", "import bcfstats"]))]
        rows += [
            (f"prepare ({what})", *measured([*BCFSTATS, "prepare", "--raw", raw, "--processed", processed]))
        ]
        codes = area_codes(processed)
        targets = Path(folder) / "targets.csv"
        judged = f"check, {write_targets(codes, targets):,} targets"
        rows += [(judged, *measured([*BCFSTATS, "check", targets, "--processed", processed]))]
        for count in (FEW, MORE):
            areas = [part for code in codes[:count] for part in ("--area", code)]
            out = ["--out", Path(folder) / f"reports{count}", "--processed", processed]
            rows += [(f"run, {count} areas", *measured([*BCFSTATS, "run", *out, *areas]))]
    few, more = rows[-2:]
    one_more = [(b - a) / (MORE - FEW) for a, b in zip(few[1:3], more[1:3], strict=True)]
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"
    print(f"Python {platform.python_version()}, {machine}\n")
    print("| job | seconds | CPU seconds | MiB, largest process |\n|---|---|---|---|")
    for job, *numbers in rows:
        print(f"| {job} | " + " | ".join(f"{number:,.1f}" for number in numbers) + " |")
    print("| one more report | " + " | ".join(f"{number:,.1f}" for number in one_more) + " | |")


if __name__ == "__main__":
    main()
