"""Where reports are made: on this machine, or on a cluster that is running already."""

import asyncio
import atexit
import logging
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from bcfstats.errors import InputError, NotDoneError
from bcfstats.files import own_folder
from bcfstats.run.report import AUTO, ENGINES, FORKED, ONE_THREAD, WARM, Job, Kit, Made, Outcome
from bcfstats.run.resume import code_fingerprint

NOT_YET = "not made yet: 'bcfstats run --resume' makes what is left"
ATTEMPTS, SECONDS_BEFORE_ANOTHER = 2, 0.2
COMMAND = [sys.executable, "-m", "bcfstats.run.worker"]
DRAW_IN_PAGE = "module://matplotlib_inline.backend_inline"  # as every kernel of Jupyter


def chosen_engine(name: str) -> str:
    """Choose the engine: with `auto`, forked where processes can be forked, else warm."""
    can_fork = hasattr(os, "fork")
    if name not in ENGINES:
        raise InputError("This engine is not known.", found=f"'{name}'", do=f"Engines: {', '.join(ENGINES)}.")
    if name == FORKED and not can_fork:
        raise InputError("This system cannot fork processes.", found=f"'{name}'", do="Use the warm engine.")
    return (FORKED if can_fork else WARM) if name == AUTO else name


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
        self.kept = ExitStack()
        self.folder = self.kept.enter_context(own_folder())
        self.process = subprocess.Popen(
            [*COMMAND, FORKED, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the process that asked
            env=_environment(self.folder) | ONE_THREAD,
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
        self.kept.close()


class SerialWorker:
    """One process that makes one report after another, for one thread."""

    def __init__(self, engine: str) -> None:
        self.kept = ExitStack()
        self.folder = self.kept.enter_context(own_folder())
        self.process = subprocess.Popen(
            [*COMMAND, engine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=_environment(self.folder),
        )

    def make(self, kit: Kit, job: Job) -> Made:
        """Have one report made."""
        return _exchange(self.process.stdout, self.process.stdin, kit, job)

    def end(self) -> None:
        """End it with its kernel."""
        self.process.terminate()
        self.process.communicate()
        self.kept.close()


def _environment(folder: Path) -> dict[str, str]:
    """Keep the sockets and settings of kernels in a folder of their own, and draw into the page."""
    own = {
        "JUPYTER_RUNTIME_DIR": str(folder),
        "IPYTHONDIR": f"{folder}/ipython",
        "JUPYTER_PLATFORM_DIRS": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # whose debugger nobody uses
    }
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


_folders: dict[int, Path] = {}
_kept = ExitStack()
atexit.register(_kept.close)


def _unpacked(kit: Kit) -> Kit:
    """Lay out the tables that came with the kit, once in this process."""
    if not kit.tables:
        return kit
    with _lock:
        key = hash(kit.tables)
        if key not in _folders:
            _folders[key] = _kept.enter_context(own_folder())
            zipfile.ZipFile(BytesIO(kit.tables)).extractall(_folders[key])
    folder = _folders[key]
    (folder / "notebooks").mkdir(exist_ok=True)
    return replace(kit, folder=folder, tables=b"")


LOCAL, DASK = "local", "dask="
AHEAD = 2  # reports asked for and not yet made, for each that is being made: memory stays flat
SECONDS_TO_CONNECT, SECONDS_TO_ANSWER, SECONDS_TO_SHARE, SECONDS_TO_CLOSE = 20, 30, 300, 5
SECONDS_BETWEEN_LOOKS, SECONDS_WITHOUT_WORKERS = 10, 60


@dataclass(frozen=True)
class Crew:
    """An executor, how many reports it makes at once, how it is given what they share, and if it is there."""

    executor: Executor
    size: int
    share: Callable[[Kit], Any] = lambda kit: kit
    look: Callable[[], None] = lambda: None


class ClusterLostError(NotDoneError):
    """A cluster that does not answer, or not any more."""


def check_executor(text: str) -> None:
    """Refuse what is neither `local` nor `dask=ADDRESS`."""
    if text != LOCAL and (not text.startswith(DASK) or text == DASK):
        raise InputError("This executor is not known.", found=f"'{text}'", do="Give local or dask=ADDRESS.")


@contextmanager
def open_crew(text: str, jobs: int) -> Iterator[Crew]:
    """Open the executor that the settings name, for the time of a batch."""
    check_executor(text)
    if text == LOCAL:
        with ThreadPoolExecutor(jobs) as pool:  # each thread waits for a process
            try:
                yield Crew(pool, jobs)
            finally:
                end()
    else:
        with _cluster(text.removeprefix(DASK)) as crew:
            yield crew


@contextmanager
def _cluster(address: str) -> Iterator[Crew]:
    try:
        import distributed
    except ImportError:
        raise NotDoneError(
            "The package distributed is not installed.", do="Install it with: pip install distributed"
        ) from None
    connect: Any = distributed.Client  # has no type annotations
    for name in list(logging.root.manager.loggerDict):
        if name.startswith(("distributed", "tornado")):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # what is lost is told here
    with _answering(address, "The cluster cannot be reached.", "Check that it runs, and its address."):
        given = {"timeout": SECONDS_TO_CONNECT, "set_as_default": False}
        client = _within(SECONDS_TO_CONNECT, lambda: connect(address, **given))
    try:
        with _answering(address, "The cluster has no workers.", "Start some, then run the command again."):
            _within(SECONDS_TO_CONNECT, lambda: client.wait_for_workers(1, timeout=SECONDS_TO_CONNECT))
            size = _within(SECONDS_TO_ANSWER, lambda: sum(client.nthreads().values()))
        yield _crew(client, address, size)
    finally:
        with suppress(Exception):  # what was to be made is made, or told as lost
            _within(SECONDS_TO_CLOSE, client.close)


def _crew(client: Any, address: str, size: int) -> Crew:
    last_seen = [time.monotonic()]

    def look() -> None:
        with _answering(address):
            workers = _within(SECONDS_TO_ANSWER, lambda: client.sync(client.scheduler.identity))["workers"]
            if workers:
                last_seen[0] = time.monotonic()
            elif time.monotonic() - last_seen[0] > SECONDS_WITHOUT_WORKERS:
                raise TimeoutError("it has no workers any more")

    def share(kit: Kit) -> Any:
        given = replace(kit, tables=_packed(kit.folder))
        scatter = partial(client.scatter, given, broadcast=True, hash=False, timeout=SECONDS_TO_SHARE)
        sent = _begun(scatter)
        while not wait([sent], SECONDS_BETWEEN_LOOKS).done:
            look()
        with _answering(address):
            return sent.result()

    return Crew(client.get_executor(pure=False), size, share, look)


def _begun(function: Callable[[], Any]) -> "Future[Any]":
    """Call a function in a thread that ends with this process at the latest."""
    answer: Future[Any] = Future()

    def call() -> None:
        try:
            answer.set_result(function())
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=call, daemon=True).start()
    return answer


def _within(seconds: float, function: Callable[[], Any]) -> Any:
    """Call a function, and wait for it no longer than this: a cluster's client may wait for ever."""
    try:
        return _begun(function).result(seconds)
    except TimeoutError as error:
        raise TimeoutError(str(error) or f"no answer within {seconds} seconds") from None


LOST = "The cluster is lost."
GO_ON = "Start it again, then go on with 'bcfstats run --resume' and the same options."


@contextmanager
def _answering(address: str, what: str = LOST, do: str = GO_ON) -> Iterator[None]:
    """Tell that a cluster does not answer; with its workers, everything asked of it is lost too."""
    try:
        yield
    except (Exception, asyncio.CancelledError) as error:  # whatever the client makes of it
        raise ClusterLostError(what, where=address, found=str(error) or type(error).__name__, do=do) from None


def _packed(folder: Path) -> bytes:
    """Put a run's tables into one zip file, for workers that do not see the folder."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted((folder / "tables").iterdir()):
            if not path.name.startswith("."):
                archive.write(path, f"tables/{path.name}")
    return out.getvalue()


def as_they_end(crew: Crew, kit: Kit, jobs: Iterable[Job]) -> Iterator[tuple[Job, Made]]:
    """Have reports made and give each as it ends; what is lost with a worker is asked for once more."""
    allow()
    lost = []
    for job, future in _asked(crew, kit, jobs):
        if _is_lost(future):
            lost.append(job)
        else:
            yield job, future.result()
    if lost:
        for job, future in _asked(crew, kit, lost):
            yield job, _result(future, job)


def _asked(crew: Crew, kit: Kit, jobs: Iterable[Job]) -> "Iterator[tuple[Job, Future[Made]]]":
    """Ask for reports, no more at a time than the crew can use."""
    shared = crew.share(kit)
    asked: dict[Future[Made], Job] = {}
    for job in jobs:
        while len(asked) >= AHEAD * crew.size:
            yield from _ended(crew, asked)
        try:
            future = crew.executor.submit(ask, shared, job)
        except Exception as error:  # of an executor that is broken: lost like what it was asked before
            future = Future()
            future.set_exception(error)
        asked[future] = job
    while asked:
        yield from _ended(crew, asked)


def _ended(crew: Crew, asked: "dict[Future[Made], Job]") -> "Iterator[tuple[Job, Future[Made]]]":
    done = wait(asked, SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED).done
    if not done or any(map(_is_lost, done)):
        crew.look()
    for future in done:
        yield asked.pop(future), future


def _is_lost(future: "Future[Made]") -> bool:
    return future.cancelled() or future.exception() is not None


def _result(future: "Future[Made]", job: Job) -> Made:
    try:
        return future.result()
    except (Exception, CancelledError) as error:  # whatever an executor makes of a worker that is gone
        return failure(job, f"the worker was lost: {type(error).__name__}: {error}")
