"""How a command ends: with an exit code and one message, whatever befalls its streams, by whatever signal."""

import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from bcfstats.errors import BcfStatsError, NotDoneError

BAD_INPUT, NOT_DONE = 2, 3
INTERRUPTED = 130  # what typer makes of a Ctrl-C outside a command
STOPPED = "Stopped. Every file is whole, old or new; the same command starts again."


def run_to_its_end(command: Callable[[], None]) -> None:
    """Run a command; whatever ends it is one message and an exit code, never a traceback."""
    _open_streams()
    try:
        with one_message():
            try:
                command()
            finally:
                sys.stdout.flush()
    except (KeyboardInterrupt, SystemExit) as end:
        if isinstance(end, SystemExit) and end.code != INTERRUPTED:
            raise
        # A signal came between two steps, such as while the tables of a command were let go
        print(f"bcfstats: {STOPPED}", file=sys.stderr)
        raise SystemExit(NOT_DONE) from None


@contextmanager
def one_message() -> Iterator[None]:
    """Tell what ended a command in one message, and end with the code of its kind."""
    try:
        with _stopped_by_signals():
            yield
    except (Exception, KeyboardInterrupt) as error:
        if hasattr(error, "exit_code"):  # typer's own: a command's code, or what is no command
            raise
        if "--debug" in sys.argv:
            traceback.print_exc()
        elif not isinstance(error, BrokenPipeError):  # whose reader has seen enough
            print(f"bcfstats: {_message(error)}", file=sys.stderr)
        with suppress(OSError):
            sys.stdout.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left to be printed would fail again
        is_input = isinstance(error, BcfStatsError) and not isinstance(error, NotDoneError)
        raise SystemExit(BAD_INPUT if is_input else NOT_DONE) from None


def _message(error: BaseException) -> str:
    if isinstance(error, BcfStatsError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return STOPPED
    if isinstance(error, OSError):
        return str(
            NotDoneError(
                "It could not be read or written.",
                where=str(error.filename2 or error.filename or "what is printed"),
                found=error.strerror or str(error),
                do="Check space and rights.",
            )
        )
    if isinstance(error, MemoryError):
        return "There is not enough memory. Close other programs, or do it on a larger machine."
    return (
        f"This is a fault of bcfstats: {type(error).__name__}: {error}. "
        "The same command with --debug shows where; please report it."
    )


class _Stopped(KeyboardInterrupt):
    """Raised by a signal. Of KeyboardInterrupt itself, Python may keep a note and end by that signal."""


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Take a request to end, or a terminal that is closed, for Ctrl-C; where they are not ignored."""
    tries = iter(range(600))  # half a minute: an import that never ends is stopped too

    def stop(number: int, frame: FrameType | None) -> None:
        while frame and not frame.f_code.co_filename.startswith("<frozen importlib"):
            frame = frame.f_back
        if not frame or next(tries, None) is None:
            raise _Stopped
        # Compiled code may not survive what is raised while it is imported: a moment later, then
        again = threading.Timer(0.05, to_main, [number])
        again.daemon = True
        again.start()

    def to_main(number: int) -> None:
        if hasattr(signal, "pthread_kill"):
            signal.pthread_kill(threading.main_thread().ident or 0, number)
        else:  # Windows
            signal.raise_signal(number)

    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    signals = [getattr(signal, name) for name in names if hasattr(signal, name)]
    usual = (signal.SIG_DFL, signal.default_int_handler)
    before = {one: signal.getsignal(one) for one in signals if signal.getsignal(one) in usual}
    for one in before:
        signal.signal(one, stop)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


class _StandardError(io.TextIOWrapper):
    """Where messages go: one that nobody can be told stops nothing."""

    def write(self, text: str) -> int:
        """Write what can be written."""
        with suppress(OSError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        """Pass on what can be passed on."""
        with suppress(OSError):
            super().flush()


def _open_streams() -> None:
    """Let no file take the place of a stream that is closed, and no sign or full disk stop a message."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)  # writing to it is an error
    encodings = [getattr(stream, "encoding", "utf-8") for stream in (sys.stdout, sys.stderr)]
    given: Any = {"errors": "replace", "line_buffering": True}
    sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", closefd=False), encodings[0], **given)
    sys.stderr = _StandardError(os.fdopen(2, "wb", closefd=False), encodings[1], **given)
