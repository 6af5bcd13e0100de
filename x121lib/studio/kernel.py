"""The kernel that runs a report's notebook: this same Python, and this same studio."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets import default

from x121lib.base.settings import Settings


def kernel_manager_class(settings: Settings, private: Path) -> type[AsyncKernelManager]:
    """Return a kernel manager class that starts this Python, whatever kernels are installed on this machine.

    Args:
        settings: of the studio that the kernel opens by default.
        private: folder that only this user reads, with a short path: the kernel's sockets lie there, so that
            nothing listens on the network, and what IPython writes, so that nobody's profile is touched.
    """
    spec = KernelSpec(
        # What goes wrong in a cell is in the notebook; that the kernel was interrupted to end it is nobody's news.
        argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--HistoryManager.enabled=False",
              "--IPKernelApp.log_level=CRITICAL"],
        display_name="X121", language="python", env=_environment(settings, private),
    )  # fmt: skip

    class SameKernelManager(AsyncKernelManager):
        """Starts one kind of kernel, reached over sockets that are files."""

        @default("transport")
        def _files_not_ports(self) -> str:
            return "ipc"

        @default("connection_file")
        def _private_file(self) -> str:
            return str(private / "kernel.json")

        @default("ip")
        def _socket_prefix(self) -> str:
            return str(private / "kernel")

        @property
        def kernel_spec(self) -> KernelSpec:
            return spec

    return SameKernelManager


def _environment(settings: Settings, private: Path) -> Mapping[str, str]:
    found = {"X121_HOME": str(settings.home), "IPYTHONDIR": str(private), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    if settings.database_url is not None:
        found["X121_DATABASE_URL"] = settings.database_url.get_secret_value()
    # Kernel specifications are templates: a dollar sign in a password stands for itself only when doubled.
    return {name: value.replace("$", "$$") for name, value in found.items()}
