"""Files of others are opened in processes of their own, which may die of them.

Such a process is Python started anew, on every system alike: it imports the readers once and reads one file
after another, within limits of memory and time. Where it dies, the file it had open is refused by name and
another process takes its place. How large a file may be is counted before anything of it is unpacked or kept.
"""

from __future__ import annotations

import atexit
import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bcfstats.errors import BcfStatsError, InputError

MOST_MEMORY = 2 * 2**30  # bytes beyond what is imported, on Linux
MOST_SECONDS = 120  # of a processor, but on Windows
MOST_SECONDS_WAITED = 600  # by the clock: a machine may be at other work
MOST_BYTES = 100_000_000  # of a file
MOST_UNPACKED = 200_000_000  # bytes of all parts of a zipped workbook
MOST_PARTS = 5_000
MOST_CELLS = 1_500_000  # of all sheets of a workbook, empty ones between filled ones too
MOST_TEXT = 50_000_000  # characters in cells; the same text in two cells counts twice
MOST_LINES = 500_000  # of a CSV file
MOST_CSV_CELLS = 8_000_000
SECONDS_IDLE, SECONDS_TO_DIE = 20, 5
_SMALLER = "Cut it into smaller files, or save only the sheet with the table, as .xlsx or CSV."
_START = "import sys; sys.path[:] = sys.argv[1:]; from bcfstats.read.processes import serve; serve()"
_SETTINGS = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # the other ones reserve room far ahead
}
Answer = TypeVar("Answer")
Question = tuple[str, Callable[..., Any], tuple[Any, ...]]


# What is refused, and what is counted for it


def too_much(name: str, found: str) -> InputError:
    """Give the refusal of a file that takes more memory or time than a file may."""
    return InputError("The file takes too much to be read.", where=name, found=found, do=_SMALLER)


def too_large(where: str, found: str) -> InputError:
    """Give the refusal of a file that would fill the memory."""
    return InputError("The file is too large to be read.", where=where, found=found, do=_SMALLER)


def damaged(where: str, found: str) -> InputError:
    """Give the refusal of a workbook whose parts do not fit together."""
    return InputError(
        "The workbook is damaged, or not a workbook.",
        where=where,
        found=found,
        do="Open it in Excel and save it again, or download it again.",
    )


def protected(where: str) -> InputError:
    """Give the refusal of a workbook that only a password opens."""
    return InputError(
        "The workbook is protected by a password.",
        where=where,
        do="Open it in Excel with its password and save it without one.",
    )


@dataclass
class Tally:
    """What a workbook holds, counted sheet by sheet; too much of it is refused at once."""

    where: str
    cells: int = 0
    characters: int = 0

    def add_sheet(self, rows: int, columns: int) -> None:
        """Count a sheet from its first cell to its last, as it is kept in memory."""
        self.cells += rows * columns
        if self.cells > MOST_CELLS:
            raise too_large(
                self.where, f"a sheet that reaches to row {rows:,} and column {columns:,}; "
                f"all sheets together may have {MOST_CELLS:,} cells"
            )  # fmt: skip

    def add_text(self, characters: int) -> None:
        """Count the text of cells."""
        self.characters += characters
        if self.characters > MOST_TEXT:
            raise too_large(self.where, f"more than {MOST_TEXT:,} characters in cells")


# The process that asks


def apart(name: str, task: Callable[..., Answer], *given: Any) -> Answer:
    """Do something with what a file holds, in another process.

    Errors are raised as the task raises them; where the process dies or takes more than a file may, an
    `InputError` names the file.
    """
    answer: Any = _answer((name, task, given))
    if isinstance(answer, BcfStatsError):
        raise answer
    return answer  # type: ignore[no-any-return]


def in_order(questions: Iterable[Question], processes: int) -> Iterator[Any]:
    """Answer questions in several processes, not far ahead of what is taken; errors are answers too."""
    waiting: deque[Any] = deque()
    pool = ThreadPoolExecutor(processes)
    try:
        for question in questions:
            waiting.append(pool.submit(_answer, question))
            if len(waiting) > 2 * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        if waiting:  # interrupted
            end()


def _answer(question: Question) -> Any:
    reader = _borrow()
    try:
        return reader.ask(*question)
    finally:
        _give_back(reader)


class _Reader:
    """One process that reads file after file, for one thread at a time."""

    def __init__(self) -> None:
        self.until = 0.0  # when it is ended, if it is not asked or does not answer
        self.is_late = False
        self.process = subprocess.Popen(
            [sys.executable, "-c", _START, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the process that asked
            env=os.environ | _SETTINGS,
        )

    def ask(self, name: str, task: Callable[..., Any], given: tuple[Any, ...]) -> Any:
        """Have one file read."""
        assert self.process.stdin
        assert self.process.stdout
        try:
            pickle.dump((name, task, given, MOST_MEMORY, MOST_SECONDS), self.process.stdin)
            self.process.stdin.flush()
            return pickle.load(self.process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError):
            return self._obituary(name)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def _obituary(self, name: str) -> InputError:
        """Say of what the process died."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(SECONDS_TO_DIE)
        self.process.kill()
        code = self.process.wait()
        if self.is_late:
            return too_much(name, f"more than {MOST_SECONDS_WAITED} seconds")
        if code == -getattr(signal, "SIGXCPU", 0):
            return too_much(name, f"more than {MOST_SECONDS} seconds of a processor")
        known = {-number.value: f"it ended by {number.name}" for number in signal.Signals}
        return InputError(
            "The file could not be read: the process that opened it died of it.",
            where=name,
            found=known.get(code, f"it ended with {code}"),
            do="Open it in the program it was made with and save it again, or download it again.",
        )

    def end(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError):  # what was not sent is lost
                pipe.close()  # type: ignore[union-attr]


_readers: set[_Reader] = set()
_idle: list[_Reader] = []
_lock = threading.Lock()
_keeper: list[threading.Thread] = []


def _borrow() -> _Reader:
    with _lock:
        while _idle and _idle[-1].process.poll() is not None:
            _bury(_idle.pop())
        reader = _idle.pop() if _idle else _Reader()
        reader.until = time.monotonic() + MOST_SECONDS_WAITED
        _readers.add(reader)
        if not _keeper:
            _keeper.append(threading.Thread(target=_keep, daemon=True))
            _keeper[0].start()
        return reader


def _give_back(reader: _Reader) -> None:
    with _lock:
        if reader.process.returncode is None and reader in _readers:
            reader.until = time.monotonic() + SECONDS_IDLE
            _idle.append(reader)
        else:
            _bury(reader)


def _bury(reader: _Reader) -> None:
    _readers.discard(reader)
    reader.end()


def _keep() -> None:
    """End what is late or has been idle for a while, as long as there is anything."""
    while True:
        time.sleep(0.5)
        with _lock:
            for reader in [reader for reader in _readers if time.monotonic() > reader.until]:
                if reader in _idle:
                    _idle.remove(reader)
                    _bury(reader)
                else:  # who waits for it buries it
                    reader.is_late = True
                    reader.process.kill()
            if not _readers:
                _keeper.clear()
                return


def end() -> None:
    """End every process, whatever it does."""
    with _lock:
        while _idle:
            _bury(_idle.pop())
        for reader in _readers:  # who waits for it buries it
            reader.process.kill()


atexit.register(end)


# The process that opens files


def serve() -> None:
    """Read files until the other end of the connection is closed."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever is printed must not end up among the answers
    is_first = True
    with suppress(EOFError):
        while True:
            name, task, given, memory, seconds = pickle.load(sys.stdin.buffer)  # imports the task
            if is_first:
                is_first = False
                _limit_memory(memory)
                gc.freeze()
                gc.disable()  # after each file is enough, and takes less time
            _limit_time(seconds)
            answers.write(_done(name, task, given))
            answers.flush()
            del task, given
            gc.collect()


def _done(name: str, task: Callable[..., Any], given: tuple[Any, ...]) -> bytes:
    try:
        return pickle.dumps(task(*given))
    except BcfStatsError as error:
        return pickle.dumps(error)
    except MemoryError:
        return pickle.dumps(too_much(name, "more memory than a file may take"))
    except Exception as error:  # one file that no reader foresaw must not cost the others
        found = f"{type(error).__name__}: {error}"
        return pickle.dumps(InputError("The file could not be read.", where=name, found=found))


def _limit_time(seconds: int) -> None:
    if sys.platform != "win32":
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + seconds)


def _limit_memory(most: int) -> None:
    """Limit what this process may use besides what it uses now, and let it leave no picture of its memory."""
    if sys.platform == "linux":
        import resource

        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
        used = int(pages) * resource.getpagesize()
        _lower(resource.RLIMIT_AS, used + most)
        _lower(resource.RLIMIT_CORE, 0)


def _lower(kind: int, limit: int) -> None:
    """Set a limit, unless there is a lower one."""
    if sys.platform != "win32":
        import resource

        _, hard = resource.getrlimit(kind)
        lowest = min(one for one in (limit, hard) if one != resource.RLIM_INFINITY)
        resource.setrlimit(kind, (lowest, hard))
