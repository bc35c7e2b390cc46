"""Engines that papermill runs a report with: a forked process, a kernel kept warm, or papermill's own.

All three leave the same notebook: cells are run by the same kernel and recorded by the same
client (nbclient).
"""

import asyncio
import atexit
import copy
import io
import logging
import os
import pickle
import queue
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ipykernel import debugger
from ipykernel.ipkernel import IPythonKernel
from IPython.core.history import HistoryManager
from jupyter_client import utils
from jupyter_client.jsonutil import extract_dates
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.session import Session
from papermill.engines import NBClientEngine, papermill_engines

from bcfstats.run.report import FORKED, ONE_THREAD, PLAIN, WARM

SECONDS_BETWEEN_FLUSHES = 0.2  # as ipykernel's own streams
PUBLIC = "iopub"
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
        packed = pickle.dumps((stream, self.pack(message), [bytes(part) for part in buffers or ()]))
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
        self.taken = 0
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
        if size > self.taken:
            content = os.pread(self.others.fileno(), size - self.taken, self.taken)
            self.taken += len(content)
            self.waiting.append(content.decode("utf-8", "replace"))


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
    """Answer requests until the other end hangs up; never returns."""
    try:
        atexit._clear()
        session: Any = kernel.session
        session.connection = connection
        _seed_anew()
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


def _seed_anew() -> None:
    """Seed numpy's global generator anew, as in a process started for itself; Python does its own."""
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


def limit_memory(mib: int) -> None:
    """Let this process take so much address space beyond what it has, less where the system says so."""
    if not mib or not sys.platform.startswith("linux"):
        return
    import resource

    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        used = int(file.read().split()[0]) * resource.getpagesize()
    limits = {used + mib * MEBIBYTE, *resource.getrlimit(resource.RLIMIT_AS)} - {resource.RLIM_INFINITY}
    resource.setrlimit(resource.RLIMIT_AS, (min(limits),) * 2)


class ThisPythonKernelManager(AsyncKernelManager):
    """Start kernels with the interpreter that runs bcfstats, whatever kernels are installed beside it."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """Describe the kernel: this interpreter, one thread per kernel for linear algebra."""
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(
            argv=[*command, "--IPKernelApp.log_level=CRITICAL"],
            display_name="Python 3",
            language="python",
            env=ONE_THREAD,
        )


SECONDS_TO_START, SECONDS_TO_END = 60.0, 5.0
run_sync: Any = getattr(utils, "run_sync")  # noqa: B009 - the same loop as nbclient


def register_engines() -> None:
    """Make the engines known to papermill by name."""
    papermill_engines.register(FORKED, ForkedEngine)
    papermill_engines.register(WARM, WarmEngine)
    papermill_engines.register(PLAIN, PlainEngine)


class Engine(NBClientEngine):  # type: ignore[misc]
    """papermill's engine; it appends the notebook to the list `executed`, given up or not."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **kw: Any) -> Any:
        """Run the cells."""
        executed: list[Any] = kw.pop("executed")
        try:
            result = super().execute_managed_notebook(nb_man, kernel_name, **kw)
        except Exception:
            executed.append(copy.deepcopy(nb_man.nb))  # papermill calls completed what was not run
            raise
        executed.append(nb_man.nb)
        return result


class PlainEngine(Engine):
    """papermill's own engine: a new kernel for each notebook."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **kw: Any) -> Any:
        """Run the cells."""
        del kw["memory_mib"]
        kw.setdefault("kernel_manager_class", ThisPythonKernelManager)
        return super().execute_managed_notebook(nb_man, kernel_name, **kw)


class ForkedEngine(Engine):
    """Runs each notebook in a process forked from this one, in which everything has been imported."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **kw: Any) -> Any:
        """Run the cells."""
        kernel = ForkedKernel(kw.pop("memory_mib"))
        try:
            return super().execute_managed_notebook(nb_man, kernel_name, km=kernel, **kw)
        finally:
            kernel.end()


class WarmEngine(Engine):
    """Runs each notebook in the one kernel of this process, made as good as new before it."""

    kernel: Any = None

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **kw: Any) -> Any:
        """Run the cells; after anything but an error in a cell, the next notebook gets a new kernel."""
        del kw["memory_mib"]
        kernel = cls._as_new()
        try:
            result = super().execute_managed_notebook(nb_man, kernel_name, km=kernel, **kw)
        except BaseException:
            cls.end()
            raise
        kernel.last_client.stop_channels()
        return result

    @classmethod
    def _as_new(cls) -> Any:
        if cls.kernel is not None:
            code = f"from bcfstats.run import worker; worker.forget({str(Path.cwd())!r})"
            if run_sync(_could_run)(cls.kernel, code):
                return cls.kernel
            cls.end()
        cls.kernel = WarmKernelManager()
        run_sync(cls.kernel.start_kernel)(cwd=str(Path.cwd()))
        run_sync(_could_run)(cls.kernel, "from bcfstats.run import worker; worker.remember(); del worker")
        return cls.kernel

    @classmethod
    def end(cls) -> None:
        """End the kernel, if there is one."""
        if cls.kernel is not None:
            run_sync(cls.kernel.shutdown_kernel)(now=True)
            cls.kernel = None


async def _could_run(kernel: Any, code: str) -> bool:
    """Have a kernel run something that is no part of a notebook, and say whether it could."""
    client = kernel.client()
    client.start_channels()
    await client.wait_for_ready(timeout=SECONDS_TO_START)
    reply = await client.execute(code, silent=True, store_history=False, reply=True, timeout=SECONDS_TO_START)
    client.stop_channels()
    return bool(reply["content"]["status"] == "ok")


class WarmKernelManager(ThisPythonKernelManager):
    """A kernel that stays; it remembers its last client, whose sockets are to be closed."""

    last_client: Any = None

    def client(self, **kw: Any) -> Any:
        """Make a client."""
        self.last_client = super().client(**kw)
        return self.last_client


class Channel:
    """Messages of one channel, as nbclient asks for them."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        """Give the next message, or raise `queue.Empty`."""
        try:
            return await asyncio.wait_for(self.messages.get(), timeout)
        except TimeoutError:
            raise queue.Empty from None


class ForkedKernel:
    """A kernel forked from this process: what nbclient uses of a kernel's manager and its client."""

    has_kernel = True
    allow_stdin = False

    def __init__(self, memory_mib: int) -> None:

        kernel = prepared_kernel()
        self.connection, theirs = Pipe()
        self.pid: int | None = os.fork()
        if self.pid == 0:
            self.connection.close()
            run_kernel(kernel, theirs, memory_mib)
        theirs.close()
        self.session = Session(key=b"")
        self.shell_channel, self.iopub_channel = Channel(), Channel()
        self.unanswered = ""
        self.loop: asyncio.AbstractEventLoop | None = None

    def client(self) -> "ForkedKernel":
        """Give the client: this object is both."""
        return self

    def start_channels(self) -> None:
        """Begin to receive."""
        self.loop = asyncio.get_running_loop()
        self.loop.add_reader(self.connection.fileno(), self._receive)

    def wait_for_ready(self, timeout: float | None = None) -> None:
        """Return at once: a forked kernel is ready."""

    def is_alive(self) -> bool:
        """Say whether the process runs."""
        if self.pid is not None and os.waitpid(self.pid, os.WNOHANG)[0]:
            self.pid = None
        return self.pid is not None

    def execute(self, code: str, store_history: bool = True, stop_on_error: bool = True) -> str:
        """Send a cell to be run and give the id of the request."""
        content = {
            "code": code,
            "silent": False,
            "store_history": store_history,
            "user_expressions": {},
            "allow_stdin": self.allow_stdin,
            "stop_on_error": stop_on_error,
        }
        return self._ask("execute_request", content)

    def kernel_info(self) -> str:
        """Ask what the kernel is and give the id of the request."""
        return self._ask("kernel_info_request", {})

    def end(self) -> None:
        """Let an idle kernel end by itself, as at the end of a program; kill a busy one."""
        if self.loop is not None:
            self.loop.remove_reader(self.connection.fileno())
        self.connection.close()
        until = time.monotonic() + (0 if self.unanswered else SECONDS_TO_END)
        while self.is_alive() and time.monotonic() < until:
            time.sleep(0.002)
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def _ask(self, kind: str, content: dict[str, Any]) -> str:
        message = self.session.msg(kind, content)
        self.unanswered = str(message["header"]["msg_id"])
        with suppress(OSError):  # a dead kernel is noticed by whoever waits for the reply
            self.connection.send_bytes(pickle.dumps(message))
        return self.unanswered

    def _receive(self) -> None:
        try:
            channel, packed, buffers = pickle.loads(self.connection.recv_bytes())
        except (EOFError, OSError):
            if self.loop is not None:
                self.loop.remove_reader(self.connection.fileno())
            return
        message = self.session.unpack(packed)
        message["header"] = extract_dates(message["header"])
        message["buffers"] = buffers
        if channel == "iopub":
            self.iopub_channel.messages.put_nowait(message)
            return
        if message["parent_header"].get("msg_id") == self.unanswered:
            self.unanswered = ""
        self.shell_channel.messages.put_nowait(message)
