"""Engines that papermill runs a report with: a forked process, a kernel kept warm, or papermill's own.

All three leave the same notebook: cells are run by the same kernel and recorded by the same
client (nbclient).
"""

import asyncio
import copy
import os
import pickle
import queue
import signal
import time
from contextlib import suppress
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

from jupyter_client import utils
from jupyter_client.jsonutil import extract_dates
from jupyter_client.session import Session
from papermill.engines import NBClientEngine, papermill_engines

from bcfstats.run.engines import FORKED, PLAIN, WARM
from bcfstats.run.kernel import ThisPythonKernelManager

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
    """Runs each notebook in the one kernel of this process, made fresh before it."""

    kernel: Any = None

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **kw: Any) -> Any:
        """Run the cells; after anything but an error in a cell, the next notebook gets a new kernel."""
        del kw["memory_mib"]
        kernel = cls._fresh()
        try:
            result = super().execute_managed_notebook(nb_man, kernel_name, km=kernel, **kw)
        except BaseException:
            cls.end()
            raise
        kernel.last_client.stop_channels()
        return result

    @classmethod
    def _fresh(cls) -> Any:
        if cls.kernel is not None:
            code = f"import bcfstats.run.fresh as fresh; fresh.forget({str(Path.cwd())!r})"
            if run_sync(_told)(cls.kernel, code):
                return cls.kernel
            cls.end()
        cls.kernel = WarmKernelManager()
        run_sync(cls.kernel.start_kernel)(cwd=str(Path.cwd()))
        run_sync(_told)(cls.kernel, "import bcfstats.run.fresh as fresh; fresh.remember(); del fresh")
        return cls.kernel

    @classmethod
    def end(cls) -> None:
        """End the kernel, if there is one."""
        if cls.kernel is not None:
            run_sync(cls.kernel.shutdown_kernel)(now=True)
            cls.kernel = None


async def _told(kernel: Any, code: str) -> bool:
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
        from bcfstats.run.forked import prepared_kernel, run_kernel

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
