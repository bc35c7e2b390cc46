"""Try the readers on files nobody would make: does each give a reading or a clear refusal, quickly?

    python -m scripts.fuzz "plain table" --runs 10000
    python -m scripts.fuzz all --runs 1000000 --until 03:15 --record ../fuzz.jsonl
    python -m scripts.fuzz --table ../fuzz.jsonl
    python -m scripts.fuzz --write-corpus

Coverage of `bcfstats` guides what is tried next (atheris: pip install -e .[fuzz]). An input is a made-up
file whose cells, rows, headings, encoding or bytes were changed, not bytes alone, so that most inputs get
past the opening. Any error but those of `bcfstats.errors`, any input that takes over 10 seconds and any
memory above 1 GiB is a finding: the file is kept in the folder --findings.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import math
import os
import resource
import subprocess
import sys
import time
import traceback
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from scripts.fuzz_edits import damaged, edited, written
from scripts.made_files import to_csv, to_ods, to_xls, to_xlsx, to_zip

CORPUS = Path(__file__).resolve().parents[1] / "tests" / "read" / "corpus"
SECONDS, MEBIBYTES = 10, 1024
AT_ONCE = 100_000  # inputs of one process


@dataclass
class Tried:
    """What came of the inputs of one reader."""

    reader: str
    inputs: int = 0
    read: int = 0
    refused: int = 0
    findings: list[str] = field(default_factory=list)
    slowest_seconds: float = 0.0
    peak_mebibytes: float = 0.0

    def save(self, record: Path) -> None:
        self.peak_mebibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        with record.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(self)) + "\n")


class Trial:
    """One reader and what came of its inputs so far."""

    def __init__(self, name: str, findings: Path) -> None:
        from bcfstats.errors import BcfStatsError
        from scripts.fuzz_readers import folder, readers

        self.reader, self.tried, self.findings = readers()[name], Tried(name), findings
        self.declared = BcfStatsError
        self.sheets = self.reader.sheets()
        self.path = folder() / ("made.toml" if self.reader.forms == ("text",) else "made.csv")
        self.seen: set[str] = set()
        books = [to_xlsx(self.sheets), to_xls(self.sheets), to_ods(self.sheets)]
        self.whole = [*books, to_zip({"a": b"b"}), to_csv(next(iter(self.sheets.values()))).encode()]

    def content(self, program: bytes, data: Any) -> bytes:
        """Make the file that the fuzzer's bytes stand for."""
        if self.reader.forms == ("bytes",):
            return _raw(program, data, self.whole)
        form = data.PickValueInList(list(self.reader.forms))
        return written(data, {sheet: edited(data, rows) for sheet, rows in self.sheets.items()}, form)

    def read(self, content: bytes) -> None:
        """Read one file, and note what came of it."""
        start = time.perf_counter()
        try:
            self.reader.read(self.path, content)
            self.tried.read += 1
        except self.declared:
            self.tried.refused += 1
        except BaseException as error:  # a panic of a library is no Exception
            self.keep(f"{type(error).__name__} at {_place(error)}", content)
        taken = time.perf_counter() - start
        self.tried.inputs += 1
        self.tried.slowest_seconds = max(self.tried.slowest_seconds, taken)
        if taken > SECONDS:
            self.keep(f"{taken:.0f} seconds", content)

    def keep(self, what: str, content: bytes) -> None:
        """Keep the first file of each kind of finding."""
        if what in self.seen:
            return
        self.seen.add(what)
        digest = hashlib.sha256(content).hexdigest()[:8]
        name = self.tried.reader.replace(" ", "_")
        (self.findings / f"{name}-{digest}").write_bytes(content)
        self.tried.findings.append(f"{what} ({digest})")
        print(self.tried.reader, what, digest, flush=True)


def _raw(program: bytes, data: Any, whole: list[bytes]) -> bytes:
    """A workbook, archive or text with damaged bytes; now and then the fuzzer's own bytes."""
    return program[1:] if program[:1] >= b"\xd0" else damaged(data, data.PickValueInList(whole))


def _place(error: BaseException) -> str:
    """Name the last line of the package that an error came through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "bcfstats" in frame.filename] or frames
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}"


def fuzz(reader: str, runs: int, until: float, record: Path, findings: Path, seed: int) -> None:
    """Try one reader in this process, which ends with it; or all in turn, as often as their shares say."""
    import atheris

    with atheris.instrument_imports(include=["bcfstats.read"]):  # imported here, so that it is instrumented
        from scripts.fuzz_readers import readers

        names = list(readers()) if reader == "all" else [reader]
        trials = {name: Trial(name, findings) for name in names}
    turns = itertools.cycle(_turns({name: readers()[name].share for name in names}))
    left = runs

    def one(program: bytes) -> None:
        nonlocal left
        trial = trials[next(turns)]
        trial.read(trial.content(program, atheris.FuzzedDataProvider(program)))
        left -= 1
        if left and (left % 100 or time.time() < until):
            return
        for trial in trials.values():
            trial.tried.save(record)
            trial.path.unlink(missing_ok=True)
        sys.stdout.flush()
        os._exit(0)

    options = [f"-seed={seed}", f"-timeout={SECONDS * 6}", f"-rss_limit_mb={MEBIBYTES}", "-max_len=300"]
    options += ["-verbosity=0", "-len_control=0", f"-artifact_prefix={findings}/"]
    atheris.Setup([sys.argv[0], *options], one)
    atheris.Fuzz()


def _turns(shares: dict[str, float]) -> list[str]:
    """Give names as often as their shares say, those of one reader together."""
    whole = sum(shares.values())
    return [name for name, share in shares.items() for _ in range(max(1, round(10_000 * share / whole)))]


def table(record: Path) -> str:
    """Give what was recorded as a table, one line a reader."""
    lines = [
        "| reader | inputs | read | refused | findings | slowest, s | peak, MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    rows = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    for name in [*dict.fromkeys(row["reader"] for row in rows), "all"]:
        own = [row for row in rows if name in (row["reader"], "all")]
        counts = " | ".join(f"{sum(row[key] for row in own):,}" for key in ("inputs", "read", "refused"))
        found = sum(len(row["findings"]) for row in own)
        slowest, peak = (max(row[key] for row in own) for key in ("slowest_seconds", "peak_mebibytes"))
        lines.append(f"| {name} | {counts} | {found} | {slowest:.2f} | {peak:.0f} |")
    return "\n".join(lines)


def write_corpus() -> None:
    """Write the first file of every reader, in each of its forms."""
    from scripts.fuzz_readers import readers

    for name, reader in readers().items():
        sheets = {sheet or "Sheet1": rows for sheet, rows in reader.sheets().items()}
        folder = CORPUS / name.replace(" ", "_")
        folder.mkdir(parents=True, exist_ok=True)
        for form in dict.fromkeys(reader.forms):
            ending, content = _made(sheets, form)
            (folder / f"made.{ending}").write_bytes(content)


def _made(sheets: dict[str, Any], form: str) -> tuple[str, bytes]:
    books = {"xlsx": to_xlsx, "xls": to_xls, "ods": to_ods}
    if form in books:
        return form, books[form](sheets)
    first = next(iter(sheets.values()))
    if form == "text":
        return "toml", "\n".join(str(row[0]) for row in first).encode()
    return "csv", to_csv(first).encode()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("reader", nargs="?", help="a reader, or all")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--until", default="", help="the time of day to end at, such as 03:15")
    parser.add_argument("--record", type=Path, default=Path("build/fuzz.jsonl"))
    parser.add_argument("--findings", type=Path, default=Path("build/findings"))
    parser.add_argument("--table", type=Path)
    parser.add_argument("--write-corpus", action="store_true")
    given = parser.parse_args()
    for folder in (given.record.parent, given.findings):
        folder.mkdir(parents=True, exist_ok=True)
    until = _moment(given.until)
    if given.table:
        print(table(given.table))
    elif given.write_corpus:
        write_corpus()
    elif given.reader == "all" and given.runs > AT_ONCE:
        fuzz_all(given.runs, given.until, given.record, given.findings, given.seed)
    else:
        fuzz(given.reader, given.runs, until, given.record, given.findings, given.seed)


def _moment(text: str) -> float:
    """Give the next time the clock shows 15:00, say; never where nothing is given."""
    if not text:
        return math.inf
    now = datetime.now()
    at = datetime.combine(now.date(), datetime.strptime(text, "%H:%M").time())
    return (at if at > now else at + timedelta(days=1)).timestamp()


def fuzz_all(runs: int, until: str, record: Path, findings: Path, seed: int) -> None:
    """Try all readers, in one process after the other, so that one that dies costs little."""
    end = _moment(until)
    for first in range(0, runs, AT_ONCE):
        part = min(AT_ONCE, runs - first)
        command = [sys.executable, "-m", "scripts.fuzz", "all", f"--runs={part}", f"--record={record}"]
        command += [f"--findings={findings}", f"--seed={seed + first}", f"--until={until}"]
        if time.time() > end - 60:
            return
        done = subprocess.run(command, check=False, stderr=subprocess.PIPE)
        if done.returncode:
            Tried("all", findings=[f"the process ended with {done.returncode}"]).save(record)
            print(done.returncode, done.stderr.decode(errors="replace")[-2000:], flush=True)


if __name__ == "__main__":
    main()
