"""A kernel without sockets: the standard IPython kernel, its messages sent through a pipe.

It is made once, before any report, in a process that runs no threads. Each report runs in a process forked
from that one, so that a notebook finds everything imported and nothing left over from another report.
Cells, displays, errors and questions are handled by ipykernel's own code; only the transport is new.
"""

import asyncio
import atexit
import io
import logging
import os
import pickle
import random
import sys
import tempfile
import threading
from collections.abc import Sequence
from functools import cache
from multiprocessing.connection import Connection
from types import SimpleNamespace
from typing import Any

from ipykernel import debugger
from ipykernel.ipkernel import IPythonKernel
from IPython.core.history import HistoryManager
from jupyter_client.session import Session

SECONDS_BETWEEN_FLUSHES = 0.2  # as ipykernel's own streams
PUBLIC, REPLY = "iopub", "shell"
MEBIBYTE = 2**20


class PipeSession(Session):
    """Sends each message whole through a pipe, in the serialisation of the Jupyter protocol."""

    connection: Connection | None = None
    sending = threading.RLock()

    def send(
        self,
        stream: object,
        msg_or_type: Any,
        content: Any = None,
        parent: Any = None,
        ident: object = None,
        buffers: Sequence[Any] | None = None,
        track: bool = False,
        header: Any = None,
        metadata: Any = None,
    ) -> Any:
        """Send a message to the channel named by `stream`."""
        given = isinstance(msg_or_type, dict)
        message = (
            msg_or_type
            if given
            else self.msg(msg_or_type, content=content, parent=parent, header=header, metadata=metadata)
        )
        packed = pickle.dumps((stream, self.pack(message), [bytes(found) for found in buffers or ()]))
        with self.sending:
            if self.connection is not None:
                self.connection.send_bytes(packed)
        return message

    def feed_identities(self, msg_list: Any, copy: bool = True) -> Any:
        """Pass a message on: a pipe has one sender only."""
        return [], msg_list

    def deserialize(self, msg_list: Any, content: bool = True, copy: bool = True) -> Any:
        """Pass a message on: it has been read already."""
        return msg_list[-1]


class PipeKernel(IPythonKernel):
    """The IPython kernel, run by a pipe."""

    _supports_kernel_subshells = False

    def _abort_queues(self, subshell_id: str | None = None) -> None:
        """Leave the queue as it is: the next request is sent only after the reply to this one."""


class PipeStream(io.TextIOBase):
    """Standard output or error of a notebook: what Python writes, and what other programs write."""

    encoding = "UTF-8"

    def __init__(self, name: str, descriptor: int, session: PipeSession) -> None:
        self.name, self.session, self.owner = name, session, os.getpid()
        self.parent: dict[str, Any] = {}
        self.waiting: list[str] = []
        self.lock = threading.RLock()
        self.timer: threading.Timer | None = None
        self.others = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        self.told = 0
        os.dup2(self.others.fileno(), descriptor)

    def set_parent(self, parent: dict[str, Any]) -> None:
        """Remember the request that output belongs to."""
        self.parent = parent

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Take text; it is sent within a fraction of a second, or when it is flushed."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        if os.getpid() != self.owner:  # a process started by the notebook
            return os.write(self.others.fileno(), text.encode("utf-8", "replace"))
        with self.lock:
            self._take_from_others()
            self.waiting.append(text)
            if self.timer is None:
                self.timer = threading.Timer(SECONDS_BETWEEN_FLUSHES, self.flush)
                self.timer.daemon = True
                self.timer.start()
        return len(text)

    def flush(self) -> None:
        """Send what waits."""
        if os.getpid() != self.owner:
            return
        with self.lock:
            self._take_from_others()
            text, self.waiting = "".join(self.waiting), []
            if self.timer is not None:
                self.timer.cancel()
                self.timer = None
            if text:
                self.session.send(PUBLIC, "stream", {"name": self.name, "text": text}, parent=self.parent)

    def _take_from_others(self) -> None:
        size = os.fstat(self.others.fileno()).st_size
        if size > self.told:
            found = os.pread(self.others.fileno(), size - self.told, self.told)
            self.told += len(found)
            self.waiting.append(found.decode("utf-8", "replace"))


@cache
def prepared_kernel() -> PipeKernel:
    """Make the kernel, once; to be forked, never to be run where it was made."""
    history: Any = HistoryManager
    history.enabled = False  # it would open a data base and start a thread
    debugger._is_debugpy_available = False
    silent = logging.Logger("kernel", logging.CRITICAL)
    kernel: PipeKernel = PipeKernel.instance(session=PipeSession(key=b""), iopub_socket=PUBLIC, log=silent)
    kernel.shell_stream = None
    kernel.shell_channel_thread = SimpleNamespace(parent_thread=threading.main_thread())
    return kernel


def run_kernel(kernel: PipeKernel, connection: Connection, memory_mib: int) -> None:
    """Answer requests until the other end hangs up; never returns.

    Parameters
    ----------
    kernel : PipeKernel
        Made before the fork.
    connection : Connection
        Requests in, messages out.
    memory_mib : int
        Address space that the notebook may take beyond what is in use now; 0 for no limit.
    """
    try:
        atexit._clear()
        session: Any = kernel.session
        session.connection = connection
        _fresh_chance()
        sys.stdout = PipeStream("stdout", 1, session)
        sys.stderr = PipeStream("stderr", 2, session)
        limit_memory(memory_mib)
        asyncio.run(_requests(kernel, connection))
    finally:
        _leave(kernel)


async def _requests(kernel: PipeKernel, connection: Connection) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    used: Any = SimpleNamespace(
        add_callback=loop.call_soon_threadsafe, call_later=loop.call_later, stop=loop.stop
    )
    kernel.io_loop = used
    loop.add_reader(connection.fileno(), ready.set)
    while True:
        await ready.wait()
        ready.clear()
        try:
            request = pickle.loads(connection.recv_bytes())
        except (EOFError, OSError):
            return
        await kernel.dispatch_shell([b"", request])


def _leave(kernel: PipeKernel) -> None:
    """End as Python ends, but for what belongs to the process this one was forked from."""
    try:
        atexit._run_exitfuncs()
        if kernel.shell is not None:
            kernel.shell.user_ns.clear()  # files left open are written out
    finally:
        os._exit(0)


def _fresh_chance() -> None:
    """Seed numpy's global generator anew, as in a process started for itself; Python does its own."""
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


def limit_memory(mib: int) -> None:
    """Let this process take so much address space beyond what it has; where limits exist."""
    if not mib or not sys.platform.startswith("linux"):
        return
    import resource

    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + mib * MEBIBYTE,) * 2)
