"""Work done in processes forked from this one, which know all it knows; what they fail at is done here."""

import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")
CAN_FORK = hasattr(os, "fork")
SECONDS_BETWEEN_LOOKS = 0.5
_DIGITS = 2  # bytes of an item's place


def in_processes(function: Callable[[Item], Answer], items: Sequence[Item]) -> list[Answer]:
    """Call a function with each item in as many processes as there are processors; answers in order.

    Whoever is free takes the next item, this process too.
    """
    turns, given = os.pipe()
    os.write(given, b"".join(place.to_bytes(_DIGITS, "big") for place in range(len(items))))
    os.close(given)

    def take() -> dict[int, Answer]:
        made = {}
        while turn := os.read(turns, _DIGITS):
            place = int.from_bytes(turn, "big")
            made[place] = function(items[place])
        return made

    others = min(os.cpu_count() or 1, len(items)) - 1
    try:
        with forked(take, others) as answers:
            made = take()
            for answer in answers:
                made |= answer() or {}
    finally:
        os.close(turns)
    return [made[place] if place in made else function(item) for place, item in enumerate(items)]


@contextmanager
def forked(function: Callable[[], Answer], processes: int = 1) -> Iterator[list[Callable[[], Answer | None]]]:
    """Begin something in other processes: what waits for each answer, which is None where it failed.

    They end with the block at the latest, and soon after this process where that is killed.
    """
    crew: list[tuple[Any, Any]] = []
    try:
        for _ in range(processes if CAN_FORK else 0):
            context: Any = multiprocessing.get_context("fork")
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_answer, args=(theirs, function, os.getpid()))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # threads of libraries, all of them idle
                process.start()
            theirs.close()
            crew.append((process, ours))
        yield [partial(_received, ours) for _, ours in crew]
    finally:
        for process, ours in crew:
            ours.close()
            process.kill()
            process.join()


def _received(ours: Any) -> Any:
    try:
        return ours.recv()
    except (EOFError, OSError):
        return None


def _answer(theirs: Any, function: Callable[[], Any], parent: int) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # the process that asked decides when this one ends
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    with suppress(BaseException):  # the process that asked does it again, and tells what is wrong
        theirs.send(function())


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os._exit(1)
