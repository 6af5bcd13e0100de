"""What a caller of the client sees: progress while a prompt runs, and its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from x121lib.comfyui.outputs import OutputFile


class PromptState(StrEnum):
    """Where a prompt is that has not ended."""

    QUEUED = "queued"
    RUNNING = "running"


@dataclass(frozen=True)
class Progress:
    """How far a prompt is.

    Attributes:
        prompt_id: the prompt.
        state: queued or running.
        node: the node in work, None before the first.
        value: the node's own progress, in its own steps.
        maximum: the node's number of steps; 0 where it tells none.
        fraction: of all nodes, done ones and the current one's part; 0 to 1, never falling.
    """

    prompt_id: str
    state: PromptState
    node: str | None
    value: float
    maximum: float
    fraction: float


@dataclass(frozen=True)
class RunResult:
    """A prompt that gave what was expected of it.

    Attributes:
        prompt_id: the prompt.
        outputs: every file, previews included, sorted by node and name.
        cached_nodes: nodes whose result the server had already.
        node_times_s: seconds by node, from the arrival of events; empty where no events were heard.
        queue_s: wait before execution, by the server's clock where it tells, else by ours.
        run_s: execution, by the server's clock.
        server_version: ComfyUI's version.
    """

    prompt_id: str
    outputs: tuple[OutputFile, ...]
    cached_nodes: frozenset[str] = frozenset()
    node_times_s: Mapping[str, float] = field(default_factory=dict)
    queue_s: float = 0.0
    run_s: float = 0.0
    server_version: str = "unknown"
