"""ComfyUI's answers as frozen values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from x121lib.comfyui.errors import NodeFailure, ServerResponseError


def parse_json(text: str | bytes) -> Any:
    """Parse JSON as ComfyUI writes it: the tokens NaN, Infinity and -Infinity become None.

    Raises:
        ServerResponseError: the text is no JSON at all.
    """
    try:
        return json.loads(text, parse_constant=lambda _token: None)
    except ValueError as error:
        raise ServerResponseError(f"The ComfyUI server gave an answer that is not JSON: {text[:120]!r}.") from error


@dataclass(frozen=True)
class Device:
    """One compute device of a server.

    Attributes:
        name: as the server names it.
        kind: ``cuda``, ``cpu``, ….
        vram_total_bytes: all of its memory.
        vram_free_bytes: what was free at the time.
    """

    name: str
    kind: str
    vram_total_bytes: int
    vram_free_bytes: int


@dataclass(frozen=True)
class SystemStats:
    """What ``/system_stats`` says.

    Attributes:
        comfyui_version: e.g. ``0.3.64``; ``unknown`` where the server does not say.
        os: ``posix`` or ``linux`` by version.
        python_version: of the server's interpreter.
        ram_total_bytes: of the machine.
        ram_free_bytes: at the time.
        devices: in the server's order.
    """

    comfyui_version: str
    os: str
    python_version: str
    ram_total_bytes: int
    ram_free_bytes: int
    devices: tuple[Device, ...] = ()


def parse_system_stats(body: Any) -> SystemStats:
    """Read ``/system_stats``; what is absent becomes ``unknown`` or 0."""
    system = _mapping(_mapping(body).get("system"))
    devices = [_mapping(item) for item in _mapping(body).get("devices") or []]
    return SystemStats(
        comfyui_version=str(system.get("comfyui_version") or "unknown"),
        os=str(system.get("os") or "unknown"),
        python_version=str(system.get("python_version") or "unknown"),
        ram_total_bytes=int(system.get("ram_total") or 0),
        ram_free_bytes=int(system.get("ram_free") or 0),
        devices=tuple(
            Device(
                name=str(item.get("name") or "unknown"),
                kind=str(item.get("type") or "unknown"),
                vram_total_bytes=int(item.get("vram_total") or 0),
                vram_free_bytes=int(item.get("vram_free") or 0),
            )
            for item in devices
        ),
    )


@dataclass(frozen=True)
class QueueState:
    """The prompts that a server holds.

    Attributes:
        running: prompt ids in execution (one on an unmodified server).
        pending: prompt ids in the order in which they will run.
    """

    running: tuple[str, ...]
    pending: tuple[str, ...]

    def place(self, prompt_id: str) -> int | None:
        """Return 0 for a running prompt, 1 for the next one, …; None for one that is not here."""
        if prompt_id in self.running:
            return 0
        return self.pending.index(prompt_id) + 1 if prompt_id in self.pending else None


def parse_queue(body: Any) -> QueueState:
    """Read ``/queue``. The pending list comes in heap order, so it is sorted by its number."""
    queue = _mapping(body)
    pending = sorted(queue.get("queue_pending") or [], key=lambda item: float(item[0]))
    return QueueState(
        running=tuple(str(item[1]) for item in queue.get("queue_running") or []),
        pending=tuple(str(item[1]) for item in pending),
    )


@dataclass(frozen=True)
class HistoryEntry:
    """One finished prompt.

    Attributes:
        prompt_id: its id.
        succeeded: whether ``status_str`` is ``success``.
        outputs: by node id, as the server gave them.
        messages: (event name, data) in order.
        create_time_ms: when the server took the prompt (0.25 and later), else None.
    """

    prompt_id: str
    succeeded: bool
    outputs: Mapping[str, Any]
    messages: tuple[tuple[str, Mapping[str, Any]], ...] = field(default=())
    create_time_ms: float | None = None

    @property
    def interrupted(self) -> bool:
        """Whether the last message is an interruption; the status says ``error`` for both ends."""
        return bool(self.messages) and self.messages[-1][0] == "execution_interrupted"

    @property
    def failure(self) -> NodeFailure | None:
        """What the last ``execution_error`` says; a blocked prompt has one and succeeds nevertheless."""
        data = self._last("execution_error")
        if data is None:
            return None
        trace = data.get("traceback")
        return NodeFailure(
            node_id=str(data.get("node_id") or "unknown"),
            node_type=str(data.get("node_type") or "unknown"),
            exception_type=str(data.get("exception_type") or "unknown"),
            exception_message=str(data.get("exception_message") or ""),
            traceback="".join(str(line) for line in trace) if isinstance(trace, list) else str(trace or ""),
        )

    @property
    def cached_nodes(self) -> frozenset[str]:
        """The nodes whose result was taken from the server's cache."""
        data = self._last("execution_cached")
        return frozenset(str(node) for node in (data or {}).get("nodes") or [])

    @property
    def start_ms(self) -> float | None:
        """The server's clock at the start of execution, in ms since the epoch."""
        return _timestamp(self._last("execution_start"))

    @property
    def end_ms(self) -> float | None:
        """The server's clock at the end, in ms since the epoch."""
        ends = ("execution_success", "execution_interrupted", "execution_error")
        stamps = [_timestamp(data) for name, data in self.messages if name in ends]
        return next((stamp for stamp in reversed(stamps) if stamp is not None), None)

    def _last(self, name: str) -> Mapping[str, Any] | None:
        return next((data for kind, data in reversed(self.messages) if kind == name), None)


def parse_history(body: Any, prompt_id: str) -> HistoryEntry | None:
    """Read ``/history/{id}``; None where the server has no entry (pending, running or unknown)."""
    entry = _mapping(body).get(prompt_id)
    if not isinstance(entry, Mapping):
        return None
    status = _mapping(entry.get("status"))
    raw_messages = status.get("messages") or []
    prompt = entry.get("prompt")
    extra = _mapping(prompt[3]) if isinstance(prompt, list) and len(prompt) > 3 else {}
    created = extra.get("create_time")
    return HistoryEntry(
        prompt_id=prompt_id,
        succeeded=status.get("status_str", "success") == "success",
        outputs=_mapping(entry.get("outputs")),
        messages=tuple((str(item[0]), _mapping(item[1])) for item in raw_messages if len(item) >= 2),
        create_time_ms=float(created) if isinstance(created, int | float) else None,
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _timestamp(data: Mapping[str, Any] | None) -> float | None:
    value = (data or {}).get("timestamp")
    return float(value) if isinstance(value, int | float) else None
