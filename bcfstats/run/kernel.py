"""The kernel that reports run in: always this Python, never another one that lies around."""

import sys

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from bcfstats.run.engines import ONE_THREAD

KERNEL_NAME = "python3"


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
