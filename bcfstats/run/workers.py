"""The processes that make reports, as whoever asks for reports sees them.

`ask` may be called in any thread of any process: in a batch on one machine, and on the workers of a cluster.
"""

import atexit
import os
import pickle
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

from bcfstats.run.engines import FORKED, ONE_THREAD
from bcfstats.run.fingerprint import code_fingerprint
from bcfstats.run.report import Job, Kit, Made, Outcome

NOT_YET = "not made yet: 'bcfstats run --resume' makes what is left"
ATTEMPTS, SECONDS_BEFORE_ANOTHER = 2, 0.2
COMMAND = [sys.executable, "-m", "bcfstats.run.worker"]
DRAW_IN_PAGE = "module://matplotlib_inline.backend_inline"  # as every kernel of Jupyter


def ask(kit: Kit, job: Job) -> Made:
    """Have one report made; once more where a process ended under it, and then told as a failure."""
    if kit.code != code_fingerprint():
        return failure(job, f"{socket.gethostname()} has another version of bcfstats or of its packages")
    kit = _unpacked(kit)
    made = failure(job, "the process that made this report ended unexpectedly")
    for _ in range(ATTEMPTS):
        worker = _worker(kit.engine)
        if worker is None:
            return failure(job, NOT_YET)
        try:
            made = worker.make(kit, job)
        except (EOFError, OSError, pickle.UnpicklingError):
            time.sleep(SECONDS_BEFORE_ANOTHER)  # a worker that is ending has then ended
            continue
        if not made.died:
            break
    return made


def failure(job: Job, reason: str) -> Made:
    """Tell that a report was not made."""
    return Made(Outcome(job.area_code, job.area_name, job.stem, reason=reason))


class ForkingWorker:
    """One process that forks another for each report; any number of threads may ask at once."""

    def __init__(self) -> None:
        self.control, theirs = socket.socketpair()
        self.folder = _private_folder()
        self.process = subprocess.Popen(
            [*COMMAND, FORKED, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the process that asked
            env=_environment(self.folder.name) | ONE_THREAD,
        )
        theirs.close()

    def make(self, kit: Kit, job: Job) -> Made:
        """Have one report made."""
        ours, theirs = socket.socketpair()
        with ours, ours.makefile("rwb") as stream:
            with theirs:
                socket.send_fds(self.control, [b"."], [theirs.fileno()])
            return _exchange(stream, stream, kit, job)

    def end(self) -> None:
        """End it with all it has forked."""
        self.control.close()
        self.process.wait()
        self.folder.cleanup()


class SerialWorker:
    """One process that makes one report after another, for one thread."""

    def __init__(self, engine: str) -> None:
        self.folder = _private_folder()
        self.process = subprocess.Popen(
            [*COMMAND, engine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=_environment(self.folder.name),
        )

    def make(self, kit: Kit, job: Job) -> Made:
        """Have one report made."""
        return _exchange(self.process.stdout, self.process.stdin, kit, job)

    def end(self) -> None:
        """End it with its kernel."""
        self.process.terminate()
        self.process.communicate()
        self.folder.cleanup()


def _private_folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="bcf", ignore_cleanup_errors=True)


def _environment(folder: str) -> dict[str, str]:
    """Keep the sockets and settings of kernels in a folder of their own, and draw into the page."""
    own = {"JUPYTER_RUNTIME_DIR": folder, "IPYTHONDIR": f"{folder}/ipython", "JUPYTER_PLATFORM_DIRS": "1"}
    return os.environ | own | {"MPLBACKEND": os.environ.get("MPLBACKEND") or DRAW_IN_PAGE}


def _exchange(answers: Any, questions: Any, kit: Kit, job: Job) -> Made:
    questions.write(pickle.dumps((kit, job)))
    questions.flush()
    made: Made = pickle.load(answers)
    return made


_workers: dict[object, ForkingWorker | SerialWorker] = {}
_lock = threading.Lock()
_closing = threading.Event()


def _worker(engine: str) -> ForkingWorker | SerialWorker | None:
    """Find the worker to ask, or start it; nothing while workers are being ended."""
    key: object = engine if engine == FORKED else (engine, threading.get_ident())
    with _lock:
        if _closing.is_set():
            return None
        worker = _workers.get(key)
        if worker is not None and worker.process.poll() is not None:
            worker.end()
            worker = None
        if worker is None:
            worker = _workers[key] = ForkingWorker() if engine == FORKED else SerialWorker(engine)
        return worker


def allow() -> None:
    """Let workers be started, again if they have been ended before."""
    _closing.clear()


def start(engine: str) -> None:
    """Let a worker begin to import, while there is something else to do."""
    allow()
    if engine == FORKED:
        _worker(engine)


def end() -> None:
    """End every worker of this process, whatever it does."""
    _closing.set()
    with _lock:
        while _workers:
            _workers.popitem()[1].end()


atexit.register(end)


_folders: dict[int, tempfile.TemporaryDirectory[str]] = {}


def _unpacked(kit: Kit) -> Kit:
    """Lay out the tables that came with the kit, once in this process."""
    if not kit.tables:
        return kit
    with _lock:
        key = hash(kit.tables)
        if key not in _folders:
            _folders[key] = tempfile.TemporaryDirectory(prefix="bcf")
            zipfile.ZipFile(BytesIO(kit.tables)).extractall(_folders[key].name)
    folder = Path(_folders[key].name)
    (folder / "notebooks").mkdir(exist_ok=True)
    return replace(kit, folder=folder, tables=b"")
