"""Try the readers on files nobody would make: does each give a reading or a clear refusal, quickly?

    python -m scripts.fuzz "plain table" --runs 10000
    python -m scripts.fuzz all --runs 1000000 --record ../fuzz.jsonl
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
import json
import os
import resource
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from scripts.made_files import to_csv, to_ods, to_xls, to_xlsx, to_zip

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "tests" / "read" / "corpus"
SECONDS, MEBIBYTES = 10, 1024
AT_ONCE = 25_000  # inputs of one process
ODD = (
    "", " ", "-", "n/a", "*", "c", "[x]", "0", "-1", "1e400", "1e308", "-0", "nan", "inf", "1,234", "1,23",
    "1\u00a0234", "\u200f12", "\u0661\u0662", "12%", "£5", "=1+1", "#DIV/0!", "#N/A", "true", "2014-04-01",
    "01/04/2014", "1 April 2014", "April 2014", "2014/15", "2014-15", "2011-12", "Q1 2014/15", "0001-01-01",
    "9999-12-31", "0000/01", "31/02/2014", "Apr-15", "E08000035", "E92000001", "X06000001", "212", "England",
    "Leeds", "delayed_transfers", "reablement", "2A(2)", "2C1", "Total", "value", "metric", "area",
    "area_code", "period", "numerator", "suspect", "\u2028", '"', "'", "a\nb", ",", "\ufeff", "\ufffd", "😀",
    "é" * 300, "9" * 400, "\u0130", "<b>", "../x", "Title:", "Period:", "Code", "Name", "Acute", "90+",
)  # fmt: skip
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1e308, 1e-300, 10**15, 12345.678, 41730, date(2014, 4, 1), date(1900, 1, 1)),
    date(9999, 12, 31),
)


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


def edited(data: Any, rows: list[list[Any]]) -> list[list[Any]]:
    """Change cells, rows and columns of a table, as the fuzzer's bytes say."""
    rows = [list(row) for row in rows]
    for _ in range(data.ConsumeIntInRange(0, 4)):
        if not rows:
            return rows
        what, at = data.ConsumeIntInRange(0, 11), data.ConsumeIntInRange(0, len(rows) - 1)
        row = rows[at]
        column = data.ConsumeIntInRange(0, max(len(row) - 1, 0))
        if what <= 4 and row:
            row[column] = odd(data)
        elif what == 5:
            rows.insert(at, list(rows[data.ConsumeIntInRange(0, len(rows) - 1)]))
        elif what == 6:
            del rows[at]
        elif what == 7:
            rows.insert(at, [] if data.ConsumeBool() else [odd(data)])
        elif what == 8:
            rows = [line[:column] + line[column + 1 :] for line in rows]
        elif what == 9:
            rows = [[*line[: column + 1], *line[column:]] for line in rows]
        elif what == 10 and len(rows) > 1:
            row[column:column] = [odd(data)]
        elif row:
            other = rows[data.ConsumeIntInRange(0, len(rows) - 1)]
            if column < len(other):
                row[column], other[column] = other[column], row[column]
    return rows


def odd(data: Any) -> Any:
    """Give a cell that is likely to be trouble."""
    kind = data.ConsumeIntInRange(0, 9)
    if kind == 0:
        return data.ConsumeUnicodeNoSurrogates(data.ConsumeIntInRange(0, 12))
    if kind == 1:
        return data.ConsumeRegularFloat()
    if kind == 2:
        return data.PickValueInList(list(ODD_VALUES))
    text = data.PickValueInList(list(ODD))
    return text + data.PickValueInList(list(ODD)) if kind == 3 else text


def written(data: Any, sheets: dict[str, list[list[Any]]], form: str) -> bytes:
    """Write sheets in a form, now and then with damage to the bytes."""
    if form in ("xlsx", "ods", "xls"):
        named = {name or "Sheet1": rows for name, rows in sheets.items()}
        if data.ConsumeIntInRange(0, 15) == 0:
            named[data.ConsumeUnicodeNoSurrogates(8)] = next(iter(named.values()))
        content = {"xlsx": to_xlsx, "ods": to_ods, "xls": to_xls}[form](named)
        return damaged(data, content) if data.ConsumeIntInRange(0, 7) == 0 else content
    rows = next(iter(sheets.values()))
    if form == "text":
        text = "\n".join(str(row[0]) for row in rows if row)
    else:
        ends = data.PickValueInList(["\n", "\n", "\r\n", "\r"])
        text = to_csv(rows, delimiter=data.PickValueInList([*",,,,,,;\t"]), line_end=ends)
    encoding = data.PickValueInList(["utf-8", "utf-8", "utf-8", "utf-8-sig", "cp1252", "utf-16"])
    content = text.encode(encoding, errors="replace")
    return damaged(data, content) if data.ConsumeIntInRange(0, 3) == 0 else content


def damaged(data: Any, content: bytes) -> bytes:
    """Cut bytes off, or change a few."""
    if data.ConsumeIntInRange(0, 3) == 0:
        return content[: data.ConsumeIntInRange(0, len(content))]
    changed = bytearray(content)
    for _ in range(data.ConsumeIntInRange(1, 4)):
        at = data.ConsumeIntInRange(0, max(len(changed) - 1, 0))
        changed[at : at + data.ConsumeIntInRange(0, 2)] = data.ConsumeBytes(data.ConsumeIntInRange(0, 4))
    return bytes(changed)


def fuzz(name: str, runs: int, record: Path, findings: Path, seed: int) -> None:
    """Try one reader in this process, which ends with it."""
    import atheris

    with atheris.instrument_imports(include=["bcfstats"]):
        from bcfstats.errors import BcfStatsError
        from scripts.fuzz_readers import folder, readers
    reader = readers()[name]
    sheets = reader.sheets()
    raw = (
        [to_xlsx(sheets), to_xls(sheets), to_ods(sheets), to_zip({"a": b"b"}), to_csv(sheets[""]).encode()]
        if reader.forms == ("bytes",)
        else []
    )
    path = folder() / ("made.toml" if reader.forms == ("text",) else "made.csv")
    tried, seen = Tried(name), set()

    def try_one(content: bytes) -> None:
        with path.open("wb") as stream:
            stream.write(content)
        start = time.process_time()
        try:
            reader.read(path)
            tried.read += 1
        except BcfStatsError:
            tried.refused += 1
        except BaseException as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            line = next(
                (f for f in reversed(traceback.extract_tb(error.__traceback__)) if "bcfstats" in f.filename),
                where,
            )
            kept(f"{type(error).__name__} at {Path(line.filename).name}:{line.lineno}", content)
        taken = time.process_time() - start
        tried.slowest_seconds = max(tried.slowest_seconds, taken)
        if taken > SECONDS:
            kept(f"{taken:.0f} seconds", content)

    def kept(what: str, content: bytes) -> None:
        if what not in seen:
            seen.add(what)
            digest = hashlib.sha256(content).hexdigest()[:8]
            findings.mkdir(parents=True, exist_ok=True)
            (findings / f"{name.replace(' ', '_')}-{digest}").write_bytes(content)
            tried.findings.append(f"{what} ({digest})")
            print(name, what, digest, flush=True)

    def one(program: bytes) -> None:
        data = atheris.FuzzedDataProvider(program)
        if raw:
            content = damaged(data, data.PickValueInList(raw)) if program[:1] < b"\xd0" else program[1:]
        else:
            form = data.PickValueInList(list(reader.forms))
            content = written(data, {sheet: edited(data, rows) for sheet, rows in sheets.items()}, form)
        try_one(content)
        tried.inputs += 1
        if tried.inputs >= runs:
            tried.save(record)
            path.unlink()
            path.parent.rmdir()
            sys.stdout.flush()
            os._exit(0)

    options = [
        f"-seed={seed}",
        f"-timeout={SECONDS * 6}",
        f"-rss_limit_mb={MEBIBYTES}",
        "-max_len=300",
        "-print_final_stats=0",
        "-verbosity=0",
        f"-artifact_prefix={findings}/",
        "-len_control=0",
    ]
    findings.mkdir(parents=True, exist_ok=True)
    atheris.Setup([sys.argv[0], *options], one)
    atheris.Fuzz()


def shares(runs: int) -> Iterator[tuple[str, int, int]]:
    """Cut a number of inputs into parts: reader, inputs, seed; every reader soon gets its first."""
    from scripts.fuzz_readers import readers

    wanted = {name: round(reader.share * runs) for name, reader in readers().items()}
    wanted["opening"] += runs - sum(wanted.values())
    seed = 0
    while any(wanted.values()):
        for name, left in wanted.items():
            if left:
                seed += 1
                part = min(left, AT_ONCE)
                wanted[name] -= part
                yield name, part, seed


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

    write = {"xlsx": to_xlsx, "xls": to_xls, "ods": to_ods}
    for name, reader in readers().items():
        sheets = {sheet or "Sheet1": rows for sheet, rows in reader.sheets().items()}
        place = CORPUS / name.replace(" ", "_")
        place.mkdir(parents=True, exist_ok=True)
        for form in dict.fromkeys(reader.forms):
            first = next(iter(sheets.values()))
            text = "\n".join(str(row[0]) for row in first) if form == "text" else to_csv(first)
            content = write[form](sheets) if form in write else text.encode()
            (place / f"made.{form if form in write else 'csv' if form != 'text' else 'txt'}").write_bytes(
                content
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("reader", nargs="?", help="a reader, or all")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", type=Path, default=Path("build/fuzz.jsonl"))
    parser.add_argument("--findings", type=Path, default=Path("build/findings"))
    parser.add_argument("--table", type=Path)
    parser.add_argument("--write-corpus", action="store_true")
    given = parser.parse_args()
    given.record.parent.mkdir(parents=True, exist_ok=True)
    if given.table:
        print(table(given.table))
    elif given.write_corpus:
        write_corpus()
    elif given.reader == "all":
        for name, runs, seed in shares(given.runs):
            command = [
                sys.executable,
                "-m",
                "scripts.fuzz",
                name,
                f"--runs={runs}",
                f"--seed={seed}",
                f"--record={given.record}",
                f"--findings={given.findings}",
            ]
            done = subprocess.run(command, check=False, stderr=subprocess.PIPE)
            if done.returncode:
                died = Tried(name, findings=[f"the process ended with {done.returncode}"])
                died.save(given.record)
                print(name, done.returncode, done.stderr.decode(errors="replace")[-2000:], flush=True)
    else:
        fuzz(given.reader, given.runs, given.record, given.findings, given.seed)


if __name__ == "__main__":
    main()
