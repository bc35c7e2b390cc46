"""Where reports are made: on this machine, or on a cluster that is running already."""

import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from bcfstats.errors import InputError
from bcfstats.run import workers
from bcfstats.run.report import Job, Kit, Made

LOCAL, DASK = "local", "dask="
AHEAD = 2  # reports asked for and not yet made, for each that is being made: memory stays flat
SECONDS_TO_CONNECT = 10


@dataclass(frozen=True)
class Crew:
    """An executor, how many reports it makes at once, and how it is given what they share."""

    executor: Executor
    size: int
    share: Callable[[Kit], Any] = lambda kit: kit


def check_executor(text: str) -> None:
    """Refuse what is neither `local` nor `dask=ADDRESS`.

    Raises
    ------
    InputError
        If the text is neither, or dask is not installed.
    """
    if text == LOCAL:
        return
    if not text.startswith(DASK) or text == DASK:
        raise InputError("This executor is not known.", found=f"'{text}'", do="Give local or dask=ADDRESS.")
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise InputError(
            "The package distributed is not installed.", do="Install it with: pip install bcfstats[cluster]"
        ) from None


@contextmanager
def open_crew(text: str, jobs: int) -> Iterator[Crew]:
    """Open the executor that the settings name, for the time of a batch."""
    if text == LOCAL:
        with ThreadPoolExecutor(jobs) as pool:  # each thread waits for a process
            try:
                yield Crew(pool, jobs)
            finally:
                workers.end()
    else:
        with _cluster(text.removeprefix(DASK)) as crew:
            yield crew


@contextmanager
def _cluster(address: str) -> Iterator[Crew]:
    import distributed

    connect: Any = distributed.Client  # has no type annotations
    try:
        client = connect(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
        client.wait_for_workers(1, timeout=SECONDS_TO_CONNECT)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError("The cluster cannot be reached.", where=address, found=str(error)) from None
    with client:
        size = sum(client.nthreads().values())
        yield Crew(
            client.get_executor(pure=False),
            size,
            lambda kit: client.scatter(replace(kit, tables=_packed(kit.folder)), broadcast=True, hash=False),
        )


def _packed(folder: Path) -> bytes:
    """Put a run's tables into one zip file, for workers that do not see the folder."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted((folder / "tables").iterdir()):
            if not path.name.startswith("."):
                archive.write(path, f"tables/{path.name}")
    return out.getvalue()


def as_they_end(crew: Crew, kit: Kit, jobs: Iterable[Job]) -> Iterator[tuple[Job, Made]]:
    """Have reports made and give each as it ends; no more are under way than the crew can use."""
    workers.allow()
    shared = crew.share(kit)
    asked: dict[Future[Made], Job] = {}
    lost: list[Job] = []
    for job in jobs:
        while len(asked) >= AHEAD * crew.size:
            yield from _ended(asked, lost)
        asked[crew.executor.submit(workers.ask, shared, job)] = job
    while asked:
        yield from _ended(asked, lost)
    if lost:  # with what they were to be made from: once more, with a new copy
        shared = crew.share(kit)
        for job in lost:
            yield job, _result(crew.executor.submit(workers.ask, shared, job), job)


def _ended(asked: "dict[Future[Made], Job]", lost: list[Job]) -> Iterator[tuple[Job, Made]]:
    for future in wait(asked, return_when=FIRST_COMPLETED).done:
        job = asked.pop(future)
        if future.cancelled() or future.exception() is not None:
            lost.append(job)
        else:
            yield job, future.result()


def _result(future: "Future[Made]", job: Job) -> Made:
    try:
        return future.result()
    except (Exception, CancelledError) as error:  # whatever an executor makes of a worker that is gone
        return workers.failure(job, f"the worker was lost: {type(error).__name__}: {error}")
