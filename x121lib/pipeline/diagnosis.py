"""What is kept of a failed attempt, and what a person is told to do about it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from x121lib.base.errors import X121Error
from x121lib.comfyui.client import ComfyClient
from x121lib.comfyui.errors import ComfyError
from x121lib.pipeline.claims import Claim
from x121lib.pipeline.proposals import propose

ANSWER_S = 3.0
"""Seconds that a server has to say how it stands after a failure; it may be what failed."""
LOG_CHARS = 6000
"""Characters kept of the end of a server's log."""
VALUE_CHARS = 2000
"""Characters kept of one input or parameter."""


async def look_at_server(client: ComfyClient) -> dict[str, Any]:
    """Return the memory of a server's devices and the end of its log, as far as it still answers; never raises."""
    found: dict[str, Any] = {}
    with contextlib.suppress(ComfyError, TimeoutError):
        async with asyncio.timeout(ANSWER_S):
            stats = await client.system_stats()
            found["devices"] = [
                {"name": d.name, "vram_total_bytes": d.vram_total_bytes, "vram_free_bytes": d.vram_free_bytes}
                for d in stats.devices
            ]
    with contextlib.suppress(ComfyError, TimeoutError):
        async with asyncio.timeout(ANSWER_S):
            found["log"] = (await client.log())[-LOG_CHARS:]
    return found


def context_of(
    error: X121Error, claimed: Claim | None, server: Mapping[str, Any], request: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what is stored of a failure: node, inputs, parameters, GPU memory, log, proposal.

    Args:
        error: what was raised.
        claimed: what the attempt was to do; None where it failed before that was known.
        server: answer of `look_at_server`; empty where the server was not asked.
        request: the graph as it was sent; empty where nothing was.
    """
    context: dict[str, Any] = {
        "hint": error.hint, **{k: str(v) for k, v in vars(error).items() if k not in {"message", "hint"}}
    }  # fmt: skip
    node = request.get(str(context.get("node_id", "")))
    if isinstance(node, Mapping):
        context["node_inputs"] = {name: _short(value) for name, value in dict(node.get("inputs", {})).items()}
    order = (claimed.take or claimed.variant) if claimed is not None else None
    if order is not None:
        context["parameters"] = {k: _short(v) for k, v in order.values.items() if k != "filename_prefix"}
    context |= server
    context["proposal"] = propose(error.code, str(error), context)
    return context


def _short(value: Any) -> Any:
    text = value if isinstance(value, str) else None
    return f"{text[:VALUE_CHARS]}…" if text is not None and len(text) > VALUE_CHARS else value
