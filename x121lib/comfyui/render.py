"""One render on one server: send the inputs, run the graph, fetch the outputs."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from x121lib.comfyui.client import ComfyClient
from x121lib.comfyui.errors import InterruptRefusedError, OutputMissingError
from x121lib.comfyui.live import LiveRun
from x121lib.comfyui.outputs import OutputFile, OutputKind
from x121lib.comfyui.results import Progress, RunResult
from x121lib.comfyui.slots import Slot, bind, with_seed


@dataclass(frozen=True)
class ImageInput:
    """A file that goes into an image slot."""

    slot: str
    """Name of the slot."""
    path: Path
    """The file to send."""
    sha256: str
    """Hash of its content; the server keeps it under a name made of it."""


@dataclass(frozen=True)
class RenderOrder:
    """Everything that a server needs for one prompt; frozen, so it can be made in one transaction and used after."""

    url: str
    """Address of the server."""
    prompt_id: uuid.UUID
    """Our id for the prompt: the same attempt always has the same one."""
    graph: Mapping[str, Any]
    """The workflow in API form, unbound."""
    slots: tuple[Slot, ...]
    """Its named slots."""
    images: tuple[ImageInput, ...]
    """Files for image slots."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Values for the other slots; slots that the workflow does not have are left out."""
    expect: OutputKind = OutputKind.VIDEO
    """Kind of the one output that counts."""
    stale_prompts: tuple[uuid.UUID, ...] = ()
    """Prompts of this task's lost attempts: cancelled first where this server still has them."""
    stall_s: float = 600.0
    """Seconds without any sign of life after which the prompt counts as stalled."""


@dataclass(frozen=True)
class Rendered:
    """What came back."""

    path: Path
    """The fetched output."""
    run: RunResult
    """Timing and facts of the run."""
    download_s: float
    """Seconds for fetching."""


async def render(
    client: ComfyClient,
    order: RenderOrder,
    to: Path,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: asyncio.Event | None = None,
    live: LiveRun | None = None,
) -> Rendered:
    """Run an order and write its output below the folder ``to``.

    The client is that of the order's server; others may use it at the same time.
    Idempotent under `RenderOrder.prompt_id`: a prompt that the server has already is watched, not sent again.

    Raises:
        x121lib.comfyui.errors.ComfyError: what went wrong; `retryable` tells the machine's errors from the task's.
    """
    for prompt_id in order.stale_prompts:
        with contextlib.suppress(InterruptRefusedError):  # then ours waits until it has ended
            await client.cancel(str(prompt_id))
    names = {}
    for image in order.images:
        name = f"x121_{image.sha256[:32]}{image.path.suffix or '.png'}"
        names[image.slot] = await client.upload(image.path, name=name)
    known = {slot.name for slot in order.slots if not slot.is_hidden}
    values = {**{k: v for k, v in with_seed(order.slots, order.values).items() if k in known}, **names}
    if live is not None:
        client.attend(str(order.prompt_id), live)
    result = await client.run(
        bind(order.graph, order.slots, values),
        prompt_id=str(order.prompt_id),
        expect=frozenset({order.expect}),
        on_progress=on_progress,
        stall_s=order.stall_s,
        cancel=cancel,
    )
    output = _chosen(result, order.expect)
    path = to / f"{order.prompt_id}{Path(output.filename).suffix}"
    started = time.monotonic()
    try:
        await client.download(output, path)
    except OutputMissingError as error:
        cached = output.node_id in result.cached_nodes
        raise OutputMissingError(
            error.message, prompt_id=str(order.prompt_id), hint=error.hint, cached=cached
        ) from error
    return Rendered(path, result, time.monotonic() - started)


def _chosen(result: RunResult, kind: OutputKind) -> OutputFile:
    """Return the last saved output of the kind (a preview counts only where nothing was saved)."""
    fitting = [o for o in result.outputs if o.kind == kind]
    saved = [o for o in fitting if o.folder_type == "output"]
    return (saved or fitting)[-1]
