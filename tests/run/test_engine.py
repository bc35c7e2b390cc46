"""Reports made by our engines are those that papermill's plain engine makes, one unaffected by another."""

import io
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import nbformat
import numpy as np
import pandas as pd
import pytest

from bcfstats.example.data import write_example
from bcfstats.read.prepare import prepare
from bcfstats.run import pool as workers
from bcfstats.run.batch import run_batch
from bcfstats.run.pool import chosen_engine
from bcfstats.run.report import FORKED, PLAIN, WARM, Job, Kit
from bcfstats.run.resume import code_fingerprint
from tests.run.engines import cells_of, differences

pytestmark = pytest.mark.needs("fork")

SECONDS = 600  # for what takes a few on a machine that does nothing else
PARAMETERS = "area_code = ''\nrun_folder = ''"
SHOWS = [
    "import sys\nprint('out'); print('err', file=sys.stderr); print('out again')\n1 + 1",
    "'é\\u00a0\\U0001f600'",
    "import pandas as pd\npd.DataFrame({'a': [1.5, None], 'b': ['<b>', '&']})",
    "from IPython.display import HTML, Markdown, clear_output, display, update_display\n"
    "handle = display(HTML('<b>first</b>'), display_id='one')\ndisplay(Markdown('**second**'), {'a': 1})",
    "update_display(HTML('<i>changed</i>'), display_id='one')",
    "print('gone'); clear_output(); print('stays')",
    "print('gone'); clear_output(wait=True); display(1)",
    "import os\nprint('é', end='')",
    "!echo from a shell",
    "import asyncio\nawait asyncio.sleep(0.01)\ntype(asyncio.get_running_loop()).__name__",
    "import matplotlib.pyplot as plt\nplt.plot([1, 2, 4])\nplt.title('t')",
    "try:\n    input('?')\nexcept Exception as error:\n    print(type(error).__name__, error)",
    "print('a\\rb'); print('word\\b\\b'); print('x' * 2000)",
    "import threading\nthread = threading.Thread(target=print, args=('in a thread',))\n"
    "thread.start(); thread.join()",
    "%%capture kept\nprint('kept')",
    "kept.stdout, len(In), _, os.path.basename(os.getcwd())",
    "import logging\nlogging.getLogger('some').warning('a warning')",
]
ENDS = {
    "exception": "def inner(x):\n    return 1 / x\ninner(0)",
    "exception with its cause": "try:\n    {}['a']\nexcept KeyError as e:\n"
    "    raise ValueError('<no> & é') from e",
    "syntax": "x = = 1",
    "exit": "import sys\nsys.exit(3)",
    "interrupt": "raise KeyboardInterrupt",
    "display": "class Bad:\n    def __repr__(self):\n        return 'Bad'\n"
    "    def _repr_html_(self):\n        raise ValueError('no picture')\nBad()",
}


def notebook(*cells):
    made = [nbformat.v4.new_code_cell(cell, id=f"cell-{place}") for place, cell in enumerate(cells)]
    made.insert(0, nbformat.v4.new_code_cell(PARAMETERS, id="parameters", metadata={"tags": ["parameters"]}))
    return nbformat.v4.new_notebook(cells=made)


def kit_for(book, folder, engine=FORKED, **given):
    (folder / "notebooks").mkdir(exist_ok=True)
    limits = {"cell_seconds": SECONDS, "memory_mib": 2048} | given
    text = nbformat.writes(book)
    return Kit("made.ipynb", text, folder, engine, code=code_fingerprint(), **limits)


def job(code="X1"):
    return Job(code.lower(), code, f"Area {code}", "Title", "")


def run(book, folder, engine=FORKED, **given):
    workers.allow()
    made = workers.ask(kit_for(book, folder, engine, **given), job())
    return made, nbformat.reads(made.notebook, as_version=4) if made.notebook else None


@pytest.fixture(scope="module", autouse=True)
def no_worker_is_left():
    yield
    workers.end()


def assert_same(book, folder, engine):
    ours, our_book = run(book, folder, engine)
    theirs, their_book = run(book, folder, PLAIN)
    assert ours.outcome == theirs.outcome
    for ours_is, theirs_is in zip(cells_of(our_book), cells_of(their_book), strict=True):
        assert ours_is == theirs_is
    assert our_book.metadata.language_info == their_book.metadata.language_info
    assert our_book.metadata.papermill.exception == their_book.metadata.papermill.exception
    return ours


@pytest.mark.parametrize("engine", [FORKED, pytest.param(WARM, marks=pytest.mark.slow)])
def test_all_that_a_cell_can_show_is_recorded_as_by_the_plain_engine(engine, tmp_path):
    made = assert_same(notebook(*SHOWS), tmp_path, engine)
    assert made.outcome.reason == ""
    assert "changed" in made.page


def test_what_other_programs_print_is_recorded_where_it_was_printed(tmp_path):
    """The plain engine hears of it through a thread, and may tell it late or not at all."""
    cell = "import os\nprint('first')\nos.system('echo second; echo third >&2')\nprint('fourth')"
    _, book = run(notebook(cell), tmp_path)
    texts = {output.name: output.text for output in book.cells[2].outputs}
    assert texts == {"stdout": "first\nsecond\nfourth\n", "stderr": "third\n"}


QUICK = ("exception", "exit")


@pytest.mark.parametrize(
    "fault", [fault if fault in QUICK else pytest.param(fault, marks=pytest.mark.slow) for fault in ENDS]
)
def test_errors_are_recorded_as_by_the_plain_engine(fault, tmp_path):
    made = assert_same(notebook("print('before')", ENDS[fault], "never = 1"), tmp_path, FORKED)
    assert made.outcome.reason
    assert made.page == ""


TWO = ("X06000001", "X06000002")


@pytest.fixture(scope="module")
def batch(broken_few, tmp_path_factory):
    """Reports of two example areas, one with broken data, by the engine for this system."""
    from tests.run.test_batch import settings

    chosen = settings(broken_few, tmp_path_factory.mktemp("batch"))
    return run_batch(chosen, areas=TWO, stream=io.StringIO()), broken_few


@pytest.mark.slow
@pytest.mark.parametrize("engine", [PLAIN, WARM])
def test_reports_of_example_areas_are_the_same_by_every_engine(batch, engine, tmp_path):
    """The warm engine is the one for Windows."""
    from tests.run.test_batch import settings

    result, processed = batch
    other = run_batch(settings(processed, tmp_path, engine=engine), areas=TWO, stream=io.StringIO())
    assert differences(result, other) == []
    assert [bool(outcome.reason) for outcome in other.outcomes] == [False, True]
    assert [other.page(outcome).exists() for outcome in other.outcomes] == [True, False]


@pytest.mark.slow
def test_reports_of_every_metric_are_those_of_the_plain_engine(example_run, example_processed, tmp_path):
    """With targets for some of the metrics, proposals for the others."""
    from tests.run.test_batch import settings

    result, _ = example_run
    targets = (result.out.parent / "targets.csv",)
    chosen = settings(example_processed, tmp_path, engine=PLAIN, targets=targets)
    first = result.outcomes[:1]
    other = run_batch(chosen, areas=[outcome.area_code for outcome in first], stream=io.StringIO())
    assert differences(replace(result, outcomes=first), other) == []


CHANGES = """
import os, random, sys
import matplotlib, numpy, pandas, bcfstats
bcfstats.mark = left = 1
pandas.set_option('display.max_rows', 7)
numpy.random.seed(1); random.seed(1)
os.chdir('/'); os.environ['LEFT'] = 'yes'
matplotlib.rcParams['font.size'] = 99
sys.path.insert(0, '/left'); sys.modules['left'] = sys
"""
LOOKS = """
import os, random, sys
import matplotlib, numpy, pandas, bcfstats
(
    'left' in globals(), pandas.get_option('display.max_rows'), os.path.basename(os.getcwd()),
    os.environ.get('LEFT'), matplotlib.rcParams['font.size'], '/left' in sys.path,
)
"""
CHANCE = "(random.random(), numpy.random.random())"


@pytest.mark.parametrize("engine", [FORKED, pytest.param(WARM, marks=pytest.mark.slow)])
def test_one_report_does_not_reach_the_next(engine, tmp_path):
    def shown(book, place):
        return book.cells[place].outputs[0].data["text/plain"]

    _, before = run(notebook(LOOKS, CHANCE), tmp_path, engine)
    made, _ = run(notebook(CHANGES), tmp_path, engine)
    assert made.outcome.reason == ""
    _, after = run(
        notebook(LOOKS, CHANCE, "'left' in sys.modules, hasattr(bcfstats, 'mark')"), tmp_path, engine
    )
    assert shown(before, 2) == shown(after, 2) == "(False, 60, 'notebooks', None, 10.0, False)"
    assert shown(before, 3) != shown(after, 3)
    for seeded in (random.Random(1), np.random.RandomState(1)):  # what would follow the other's seeds
        assert str(seeded.random()) not in shown(after, 3)
    assert after.cells[2].execution_count == 3
    if engine == FORKED:  # what modules keep to themselves is forgotten too
        assert shown(after, 4) == "(False, False)"


KILLS = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
KILLS_ITS_MAKER = "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)"
HANGS = "print('begun', flush=True)\nimport time\ntime.sleep(3600)"
EATS = "eaten = []\nwhile True:\n    eaten.append(bytearray(50_000_000))"


@pytest.mark.slow
def test_a_killed_a_hanging_and_an_eating_report_are_one_line_each_and_the_rest_is_made(tmp_path):
    """The fault is chosen by the area's code; the areas between them are made."""
    from tests.run.test_batch import settings

    write_example(tmp_path / "raw", n_areas=7)
    prepare(tmp_path / "raw", tmp_path / "processed")
    rows = pd.read_parquet(tmp_path / "processed" / "observations.parquet")
    rows.loc[rows["metric"] == "reablement"].to_parquet(tmp_path / "processed" / "observations.parquet")
    faults = {"X06000001": KILLS, "X06000003": HANGS, "X06000005": EATS, "X06000006": KILLS_ITS_MAKER}
    nbformat.write(
        notebook(f"faults = {faults!r}\nexec(faults.get(area_code, ''))", "'end'"), tmp_path / "f.ipynb"
    )
    given = {"notebook": tmp_path / "f.ipynb", "cell_seconds": 25, "memory_mib": 300}
    result = run_batch(settings(tmp_path / "processed", tmp_path / "out", **given), stream=io.StringIO())
    failures = pd.read_csv(tmp_path / "out" / "failures.csv", encoding="utf-8-sig", dtype=str)
    assert list(failures["area_code"]) == list(faults)
    killed, hung, ate, lost = failures["reason"]
    assert killed == "DeadKernelError: Kernel died"
    assert hung == "CellTimeoutError: the cell ran for more than 25 seconds"
    assert ate.startswith("MemoryError")
    assert lost == "the process that made this report ended unexpectedly"
    assert [outcome.cell for outcome in result.failed] == ["2", "2", "2", ""]
    made = [outcome for outcome in result.outcomes if not outcome.reason]
    assert len(made) == 3
    assert all("end" in result.page(outcome).read_text(encoding="utf-8") for outcome in made)
    hung_at = tmp_path / "out" / "notebooks" / f"{result.failed[1].stem}.ipynb"
    assert "begun" in hung_at.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("engine", [WARM, PLAIN])
def test_the_other_engines_survive_a_dead_and_a_hanging_kernel(engine, tmp_path):
    made, _ = run(notebook(KILLS), tmp_path, engine)
    assert made.outcome.reason.startswith("DeadKernelError")
    made, _ = run(notebook(HANGS), tmp_path, engine, cell_seconds=5)
    assert made.outcome.reason.startswith("CellTimeoutError")
    made, _ = run(notebook("1"), tmp_path, engine)
    assert made.outcome.reason == ""


def test_a_report_whose_process_was_killed_once_is_made(tmp_path):
    once = (
        "import os, pathlib, signal\nmark = pathlib.Path('once')\n"
        "if not mark.exists():\n    mark.touch()\n    os.kill(os.getpid(), signal.SIGKILL)"
    )
    made, _ = run(notebook(once), tmp_path)
    assert made.outcome.reason == ""
    assert (tmp_path / "notebooks" / "once").exists()


def test_a_killed_worker_is_replaced(tmp_path):
    run(notebook("1"), tmp_path)
    worker = workers._workers[FORKED]
    worker.process.kill()
    made, _ = run(notebook("1"), tmp_path)
    assert made.outcome.reason == ""
    assert workers._workers[FORKED] is not worker


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_ending_the_workers_ends_what_they_run_within_seconds(tmp_path):
    workers.allow()
    kit = kit_for(
        notebook("import os\nopen('pid', 'w').write(str(os.getpid()))", "import time\ntime.sleep(3600)"),
        tmp_path,
    )
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(workers.ask, kit, job())
        until = time.monotonic() + SECONDS
        told = tmp_path / "notebooks" / "pid"
        while not (told.exists() and told.read_text()) and time.monotonic() < until:
            time.sleep(0.05)
        started = time.monotonic()
        workers.end()
        assert asked.result().outcome.reason == workers.NOT_YET
    assert time.monotonic() - started < SECONDS / 2  # the cell would be given up after all of them
    pid = int(told.read_text())
    until = time.monotonic() + SECONDS
    while is_running(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_running(pid)


def test_engine_is_chosen_by_what_the_system_can_do():
    assert chosen_engine("auto") == FORKED
    assert chosen_engine("plain") == PLAIN
