"""Running a configured command: no shell, no input, an end in time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

_TAIL = 2000


async def execute(
    command: tuple[str, ...], longest_s: float, *, folder: Path | None = None, env: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run a command without a shell; return its exit code (-1: not started or not ended in time) and its last words."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, cwd=folder, env={**os.environ, **(env or {})},
        )  # fmt: skip
    except OSError as error:
        return -1, f"The command could not be started: {error}"
    try:
        output, _ = await asyncio.wait_for(process.communicate(), longest_s)
    except TimeoutError:
        process.kill()
        await process.wait()
        return -1, f"The command did not end within {longest_s:.0f} s."
    return process.returncode or 0, output[-_TAIL:].decode(errors="replace")
