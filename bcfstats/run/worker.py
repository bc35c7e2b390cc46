"""The process that makes reports: started by `bcfstats.run.pool`, ended when its starter ends.

With the forked engine it imports everything once and forks a process for each report asked for; with the
others it makes one report after another itself.
"""

import gc
import os
import pickle
import random
import select
import signal
import socket
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from bcfstats.run.report import FORKED

SECONDS_IDLE = 600.0
SECONDS_BETWEEN_LOOKS = 0.5
DEAR = ("debugpy", "rfc3987_syntax")  # a second to import; ipykernel and jsonschema do without them


def main() -> None:
    """Serve until the other end of the connection is closed."""
    engine, *descriptor = sys.argv[1:]
    _search_working_folder()
    if engine == FORKED:
        gc.disable()  # nothing that is imported is ever collected
        _import_everything()
        gc.freeze()
        gc.enable()
        _fork_for_each(socket.socket(fileno=int(descriptor[0])))
    else:
        _one_after_another()


def _one_after_another() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else is printed must not end up among the answers
    with suppress(EOFError):
        while True:
            _answer(sys.stdin.buffer, answers)
    from bcfstats.run.engine import WarmEngine

    WarmEngine.end()


def _fork_for_each(control: socket.socket) -> None:
    """Take connections, each for one report, and leave each to a forked process."""
    children: set[int] = set()
    last = time.monotonic()
    while children or time.monotonic() - last < SECONDS_IDLE:
        if select.select([control], [], [], SECONDS_BETWEEN_LOOKS)[0]:
            message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
            if not message:
                break
            last = time.monotonic()
            children.add(_forked(control, descriptors[0]))
        _bury(children)
    for child in children:
        _end_group(child)


def _forked(control: socket.socket, descriptor: int) -> int:
    child = os.fork()
    if child:
        with suppress(OSError):
            os.setpgid(child, child)
        os.close(descriptor)
        return child
    code = 1
    try:
        os.setpgid(0, 0)
        control.close()
        with os.fdopen(descriptor, "r+b", buffering=0) as stream:
            _answer(stream, stream)
        code = 0
    finally:
        os._exit(code)


def _bury(children: set[int]) -> None:
    """Take leave of processes that have ended, and end what they have left behind."""
    for child in list(children):
        if os.waitpid(child, os.WNOHANG)[0]:
            children.remove(child)
            _end_group(child)


def _end_group(child: int) -> None:
    with suppress(OSError):
        os.killpg(child, signal.SIGKILL)


def _answer(questions: Any, answers: IO[bytes]) -> None:
    from bcfstats.run.report import make_report

    kit, job = pickle.load(questions)
    answers.write(pickle.dumps(make_report(kit, job)))
    answers.flush()


def _search_working_folder() -> None:
    """Look for modules where the notebook runs, as a kernel does, not where this process was started."""
    if not sys.flags.safe_path and sys.path and sys.path[0] == str(Path.cwd()):
        del sys.path[0]
    sys.path.insert(0, "")


def _import_everything() -> None:
    """Load what reports need and use it once; nothing here may start a thread."""
    with _as_if_not_installed(DEAR):
        import nbformat
        import papermill  # noqa: F401

        from bcfstats.run.engine import prepared_kernel, register_engines
        from bcfstats.run.report import exporter
    import pyarrow.dataset
    import pyarrow.parquet  # noqa: F401

    from bcfstats.show.report import load_once

    register_engines()
    prepared_kernel()
    make: Any = nbformat.v4  # has no type annotations
    exporter().from_notebook_node(make.new_notebook(cells=[make.new_markdown_cell("*")]))
    load_once()


@contextmanager
def _as_if_not_installed(names: tuple[str, ...]) -> Iterator[None]:
    """Keep packages from being imported by others; a notebook can import them all the same."""
    sys.modules.update(dict.fromkeys(names))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


_remembered: dict[str, Any] = {}


def remember() -> None:
    """Keep the state of a kernel that has run nothing yet, where processes cannot be forked."""
    _remembered.update(
        environment=dict(os.environ),
        path=list(sys.path),
        filters=list(warnings.filters),
        recursion=sys.getrecursionlimit(),
    )


def forget(folder: str) -> None:
    """Give back that state but for what modules keep, an empty namespace and another random state."""
    import matplotlib as mpl
    import numpy as np
    import pandas as pd
    from IPython import get_ipython

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(_remembered["environment"])
    sys.path[:] = _remembered["path"]
    warnings.filters[:] = _remembered["filters"]  # type: ignore[index]
    sys.setrecursionlimit(_remembered["recursion"])
    random.seed()
    np.random.seed()  # noqa: NPY002 - what a notebook may have used
    with warnings.catch_warnings(action="ignore"):  # of options that pandas is to drop
        pd.reset_option("all")
    mpl.rcdefaults()
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
    shell: Any = get_ipython()
    shell.reset(new_session=True)


if __name__ == "__main__":
    main()
