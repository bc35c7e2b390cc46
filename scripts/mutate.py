"""Mutation score of the statistics and judgements: one small fault put in at a time; do the tests see it?

python -m scripts.mutate --sample 600 --seed 1        about an hour and a half, one process

Faults are those of cosmic-ray; a random sample of all, every module in its share and at least once.
Each runs the tests of both rooms that ran its line, quickest first, in a process forked for it, on a copy of
these files. Results are in `mutants.jsonl` as they come, in `mutation.md` and `mutation.json` at the end.

Left out by rule: annotations, and what stands in a `raise` statement. Docstrings and texts are never changed.
Tests that take more than `SLOWEST` seconds with their fixtures take no part: that can only lower the score.
"""

import argparse
import ast
import difflib
import json
import math
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("bcfstats", "tests", "scripts", "docs", "pyproject.toml")
ROOMS = ("stats", "judge")
TESTED_BY = [f"{folder}/{room}" for room in ROOMS for folder in ("tests", "bcfstats")]
NEEDS_ARGUMENTS = {"VariableReplacer", "VariableInserter"}
ONLY_IN = {"ReplaceBinaryOperator": "operator", "ReplaceComparisonOperator": "comparison"}  # saves time
NOT_ARITHMETIC = {"parameters", "dictorsetmaker"}  # stars there are no multiplication
SLOWEST = 3.0  # seconds of processor time
PREPARED = "real_processed"  # this fixture alone takes longer
TIMES_USUAL, AT_LEAST = 10, 30.0  # a mutant that takes longer hangs
MEMORY = 6 * 2**30
PYTEST = ["-q", "-x", "-p", "no:cacheprovider", "-p", "_hypothesis_pytestplugin"]
PYTEST += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of what is imported before the fork


@dataclass(frozen=True)
class Mutant:
    """One fault: the operator's `occurrence`-th place in a module."""

    module: str
    operator: str
    occurrence: int
    line: int
    column: int


def mutants_of(path: Path, name: str) -> list[Mutant]:
    """All faults that the operators can put into a module, but for what is left out by rule."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.operators.provider import OperatorProvider

    source = path.read_text(encoding="utf-8")
    nodes, left_out, provider = list(ast_nodes(get_ast(source))), untouched(source), OperatorProvider()
    fit = {kind: [n for n in nodes if n.type == of] for kind, of in ONLY_IN.items()}
    found = []
    for operator in sorted(set(provider) - NEEDS_ARGUMENTS):
        find, inside = provider[operator]().mutation_positions, fit.get(operator.partition("_")[0], nodes)
        places = [(start, node) for node in inside for start, _ in find(node)]
        for occurrence, (start, node) in enumerate(places):
            starred = operator.startswith("ReplaceBinary") and node.parent.type in NOT_ARITHMETIC
            if not starred and not any(first <= start < last for first, last in left_out):
                found.append(Mutant(name, operator, occurrence, *start))
    return found


def untouched(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Start and end of every annotation and `raise` statement."""
    kept: list[ast.AST | None] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.arg, ast.AnnAssign)):
            kept.append(node.annotation)
        elif isinstance(node, ast.FunctionDef):
            kept.append(node.returns)
        elif isinstance(node, ast.Raise):
            kept.append(node)
    return [((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)) for node in kept if node]


def draw(mutants: list[Mutant], size: int, seed: int) -> list[Mutant]:
    """A random sample: each module by its share of all mutants, at least one of each, in random order."""
    rng = random.Random(seed)
    chosen = []
    for _, group in groupby(mutants, key=lambda mutant: mutant.module):
        inside = list(group)
        chosen += rng.sample(inside, max(1, round(size * len(inside) / len(mutants))))
    return rng.sample(chosen, len(chosen))


class Recorder:
    """A pytest plugin: which test or shared fixture ran which line, and how long each took."""

    def __init__(self, coverage):
        self.coverage, self.contexts = coverage, [""]
        self.fixtures: dict[str, list[str]] = {}
        self.seconds: dict[str, float] = defaultdict(float)
        self.failed: list[str] = []

    def within(self, context: str):
        self.contexts.append(context)
        self.coverage.switch_context(context)
        began = time.process_time()
        result = yield
        taken = time.process_time() - began
        self.contexts.pop()
        self.seconds[context] += taken
        self.seconds[self.contexts[-1]] -= taken
        self.coverage.switch_context(self.contexts[-1])
        return result

    def hooks(self):
        """Give the hooks, which pytest must be loaded for."""
        import pytest

        recorder = self

        class Hooks:
            def pytest_collection_modifyitems(self, items):
                items[:] = [i for i in items if PREPARED not in getattr(i, "fixturenames", ())]

            @pytest.hookimpl(wrapper=True)
            def pytest_runtest_protocol(self, item):
                recorder.fixtures[item.nodeid] = list(getattr(item, "fixturenames", []))
                return (yield from recorder.within(item.nodeid))

            @pytest.hookimpl(wrapper=True)
            def pytest_fixture_setup(self, fixturedef):
                if fixturedef.scope == "function":
                    return (yield)
                return (yield from recorder.within(f"fixture {fixturedef.argname}"))

            def pytest_runtest_logreport(self, report):
                if report.failed:
                    recorder.failed.append(report.nodeid)

        return Hooks()


def measure(output: Path) -> None:
    """Run all tests once and write down which ran which line of the two rooms, and how long they took."""
    import coverage
    import pytest

    watch = coverage.Coverage(data_file=None, include=[f"*/bcfstats/{room}/*" for room in ROOMS])
    recorder = Recorder(watch)
    watch.start()
    code = pytest.main([*PYTEST, *TESTED_BY], plugins=[recorder.hooks()])
    watch.stop()
    if code or recorder.failed:
        raise SystemExit(f"Without any fault there are failing tests: {recorder.failed}")
    data = watch.get_data()
    lines = {
        str(Path(file).relative_to(Path.cwd())): data.contexts_by_lineno(file)
        for file in data.measured_files()
    }
    output.write_text(
        json.dumps({"lines": lines, "fixtures": recorder.fixtures, "seconds": recorder.seconds})
    )


class Tests:
    """Which tests can see a fault, quickest first."""

    def __init__(self, measured: dict, folder: Path):
        self.lines, self.fixtures, self.seconds = (measured[k] for k in ("lines", "fixtures", "seconds"))
        self.users = defaultdict(set)
        for test, names in self.fixtures.items():
            for name in names:
                self.users[f"fixture {name}"].add(test)
        self.folder = folder

    def cost(self, test: str) -> float:
        shared = (self.seconds.get(f"fixture {name}", 0.0) for name in self.fixtures[test])
        return self.seconds[test] + sum(shared)

    def of(self, mutant: Mutant) -> list[str]:
        """The tests that ran the statement; for what runs on import, all that ran anything in the module."""
        contexts = self.lines.get(mutant.module, {})
        ran = {c for n in self.statement(mutant) for c in contexts.get(str(n), [])}
        if "" in ran or not ran:
            ran = {context for found in contexts.values() for context in found} if "" in ran else set()
        tests = {test for context in ran for test in self.users.get(context, {context})} & set(self.fixtures)
        return self.quickest(tests)

    def quickest(self, tests: Iterable[str]) -> list[str]:
        return sorted((test for test in tests if self.cost(test) <= SLOWEST), key=self.cost)

    def statement(self, mutant: Mutant) -> range:
        """Lines of the innermost statement around a fault; of a compound one, those before its body."""
        tree = ast.parse((self.folder / mutant.module).read_text(encoding="utf-8"))
        spans = []
        for node in ast.walk(tree):
            if isinstance(node, ast.stmt):
                first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
                body = getattr(node, "body", None)
                last = max(node.lineno, body[0].lineno - 1) if body else node.end_lineno
                if first <= mutant.line <= last:
                    spans.append(range(first, last + 1))
        return min(spans, key=len, default=range(mutant.line, mutant.line + 1))


def mutate(source: str, mutant: Mutant) -> str | None:
    """Source with the fault in it; None if that is no Python."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.operators.provider import OperatorProvider

    changed = mutate_code(source, OperatorProvider()[mutant.operator](), mutant.occurrence)
    try:
        compile(changed, mutant.module, "exec", dont_inherit=True)
    except SyntaxError:
        return None
    return changed


def run_tests(tests: list[str]) -> int:
    """Run these tests in this order until one fails: 0 if none does."""
    import pytest

    place = {test: number for number, test in enumerate(tests)}

    class Chosen:
        @pytest.hookimpl(trylast=True)
        def pytest_collection_modifyitems(self, items):
            items[:] = sorted((i for i in items if i.nodeid in place), key=lambda i: place[i.nodeid])

    files = sorted({test.partition("::")[0] for test in tests})
    return int(pytest.main([*PYTEST, *files], plugins=[Chosen()]))


def in_fork(work, seconds: float = math.inf) -> int:
    """Exit code of `work` in a forked process, below zero where it had to be stopped: time or memory."""
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        if math.isfinite(seconds):
            resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silent, stream)
        try:
            os._exit(work() or 0)
        except BaseException:
            os._exit(70)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def judge(mutant: Mutant, tests: Tests) -> dict:
    """Put the fault into the copy, run the tests, take it out again."""
    path = tests.folder / mutant.module
    source, times = path.read_text(encoding="utf-8"), path.stat()
    changed, chosen = mutate(source, mutant), tests.of(mutant)
    result = {**asdict(mutant), "tests": len(chosen), "diff": difference(source, changed or source)}
    if changed is None:
        return {**result, "outcome": "not Python"}
    if not chosen:
        return {**result, "outcome": "survived"}
    path.write_text(changed, encoding="utf-8")
    try:
        limit = AT_LEAST + TIMES_USUAL * sum(map(tests.cost, chosen))
        code = in_fork(lambda: run_tests(chosen), limit)
    finally:
        path.write_text(source, encoding="utf-8")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    return {**result, "outcome": "timed out" if code < 0 else "killed" if code else "survived"}


def difference(before: str, after: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def wilson(killed: int, tried: int) -> tuple[float, float]:
    """95 % limits of a share."""
    z, p = 1.959963984540054, killed / tried
    middle, half = p + z * z / (2 * tried), z * math.sqrt(p * (1 - p) / tried + (z / (2 * tried)) ** 2)
    return (middle - half) / (1 + z * z / tried), (middle + half) / (1 + z * z / tried)


def share(results: list[dict]) -> str:
    killed = sum(result["outcome"] != "survived" for result in results)
    lower, upper = wilson(killed, len(results))
    return f"{killed} of {len(results)}: {killed / len(results):.1%} (95 % {lower:.1%} to {upper:.1%})"


def share_of_places(mutants: list[Mutant], results: list[dict]) -> str:
    """The score if every place counts once, however many faults can be put there."""
    at = Counter((mutant.module, mutant.line, mutant.column) for mutant in mutants)
    weights = [1 / at[r["module"], r["line"], r["column"]] for r in results]
    killed = sum(w for w, r in zip(weights, results, strict=True) if r["outcome"] != "survived")
    return f"{killed / sum(weights):.1%}"


def report(mutants: list[Mutant], results: list[dict], command: str) -> str:
    """Score, its limits, a table by module and the survivors, as Markdown."""
    results = [result for result in results if result["outcome"] != "not Python"]
    survivors = [result for result in results if result["outcome"] == "survived"]
    groups = {"both rooms": results}
    groups |= {room: [r for r in results if f"/{room}/" in r["module"]] for room in ROOMS}
    groups |= families(results)
    text = ["# Mutation", f"`{command}`", f"{len(mutants)} faults can be put in; killed of those tried:"]
    text.append("\n".join(f"- {name}: {share(group)}" for name, group in groups.items() if group))
    text.append(f"Every place counted once: {share_of_places(mutants, results)}.")
    text.append(f"Survivors that no test runs: {sum(not r['tests'] for r in survivors)}.")
    text.append(f"Killed for taking too long: {sum(r['outcome'] == 'timed out' for r in results)}.")
    counts = [Counter(mutant.module for mutant in mutants)]
    counts += [Counter(r["module"] for r in group) for group in (results, survivors)]
    rows = [f"| {module} | {' | '.join(str(c[module]) for c in counts)} |" for module in counts[0]]
    text.append("\n".join(["| module | faults | tried | survived |", "|---|---:|---:|---:|", *rows]))
    text.append("## Survivors")
    for r in sorted(survivors, key=lambda r: (r["module"], r["line"])):
        text.append(f"{r['module']}:{r['line']} {r['operator']}, {r['tests']} tests")
        text.append(f"```diff\n{r['diff']}\n```")
    return "\n\n".join(text) + "\n"


def families(results: list[dict]) -> dict[str, list[dict]]:
    """Results by kind of operator: what stands before the first underscore of its name."""
    groups = defaultdict(list)
    for result in results:
        groups[result["operator"].partition("_")[0]].append(result)
    return dict(sorted(groups.items()))


def preload() -> None:
    """Import once, for all forks, what the tests import; not the package itself."""
    import hypothesis
    import pandera.pandas  # noqa: F401
    import pytest  # noqa: F401
    import scipy.optimize
    import scipy.stats  # noqa: F401
    import statsmodels.api  # noqa: F401

    hypothesis.settings.register_profile(
        "mutation",
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("mutation")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sample", type=int, default=600, help="how many faults to try")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "mutation")
    parser.add_argument("--minutes", type=float, default=math.inf, help="try no further one after this long")
    given = parser.parse_args()
    end, output = time.monotonic() + 60 * given.minutes, given.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("BCFSTATS_REAL_DATA", str(ROOT.parent / "shared" / "data"))
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # loading them takes longer than most tests
    preload()
    with tempfile.TemporaryDirectory() as name:
        folder = copy(Path(name))
        mutants = [
            mutant
            for room in ROOMS
            for path in sorted((folder / "bcfstats" / room).glob("*.py"))
            for mutant in mutants_of(path, path.relative_to(folder).as_posix())
        ]
        print(f"{len(mutants)} faults in {len({m.module for m in mutants})} modules", flush=True)
        fails = in_fork(lambda: measure(folder / "measured.json"))
        sys.dont_write_bytecode = True
        tests = Tests(json.loads((folder / "measured.json").read_text()), folder) if fails == 0 else None
        if tests is None or in_fork(lambda: run_tests(tests.quickest(tests.fixtures))) != 0:
            raise SystemExit("The tests fail without any fault: python -m pytest " + " ".join(TESTED_BY))
        results = []
        with (output / "mutants.jsonl").open("w") as log:
            for mutant in draw(mutants, given.sample, given.seed):
                if time.monotonic() < end:
                    results.append(judge(mutant, tests))
                    print(json.dumps(results[-1]), file=log, flush=True)
    command = f"python -m scripts.mutate --sample {given.sample} --seed {given.seed}"
    (output / "mutation.json").write_text(json.dumps(results, indent=1))
    (output / "mutation.md").write_text(report(mutants, results, command))
    print(f"Killed {share(results)}: {output / 'mutation.md'}")


def copy(folder: Path) -> Path:
    """Copy what the tests need, and work there."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    return folder


if __name__ == "__main__":
    main()
