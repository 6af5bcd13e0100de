"""WebSocket messages, and the progress of one prompt that they add up to."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from x121lib.comfyui.errors import ServerResponseError
from x121lib.comfyui.results import Progress, PromptState
from x121lib.comfyui.wire import parse_json

_BINARY_PREVIEW = 1
_BINARY_PREVIEW_WITH_METADATA = 4


@dataclass(frozen=True)
class Event:
    """One message of the server.

    Attributes:
        kind: the message's type, e.g. ``progress_state``; ``preview`` for a binary picture.
        prompt_id: the prompt that it is about; None for ``status`` and for old previews.
        data: the message's body.
        picture: a preview's encoded picture.
    """

    kind: str
    prompt_id: str | None
    data: Mapping[str, Any]
    picture: bytes = b""


def parse_message(raw: str | bytes) -> Event | None:
    """Read one WebSocket message; None for one that says nothing to us (unknown binary, broken text)."""
    if isinstance(raw, bytes):
        return _parse_binary(raw)
    try:
        body = parse_json(raw)
    except ServerResponseError:
        return None  # one broken message must not end the feed: history stays the truth
    if not isinstance(body, Mapping) or not isinstance(body.get("type"), str):
        return None
    data = body.get("data")
    data = data if isinstance(data, Mapping) else {}
    prompt_id = data.get("prompt_id")
    return Event(body["type"], str(prompt_id) if prompt_id is not None else None, data)


def _parse_binary(raw: bytes) -> Event | None:
    if len(raw) < 8:
        return None
    kind, length = struct.unpack(">II", raw[:8])
    if kind == _BINARY_PREVIEW:  # servers before August 2025; here the second number is the picture's format
        return Event("preview", None, {}, raw[8:])
    if kind != _BINARY_PREVIEW_WITH_METADATA:
        return None
    try:
        data = parse_json(raw[8 : 8 + length])
    except ServerResponseError:
        return None
    if not isinstance(data, Mapping) or "prompt_id" not in data:
        return None
    return Event("preview", str(data["prompt_id"]), data, raw[8 + length :])


_ENDS = frozenset({"execution_success", "execution_error", "execution_interrupted"})


class ProgressTracker:
    """Adds one prompt's events up to a `Progress`; pure but for the clock that is given to it."""

    def __init__(self, prompt_id: str, nodes: Collection[str], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._prompt_id = prompt_id
        self._nodes = frozenset(nodes)
        self._clock = clock
        self._done: set[str] = set()
        self._started: dict[str, float] = {}
        self._node: str | None = None
        self._value = 0.0
        self._maximum = 0.0
        self._fraction = 0.0
        self._told_of_states = False
        self.state = PromptState.QUEUED
        self.ended = False
        """Whether the server said that the prompt is over: time to look into the history."""
        self.last_event_s = clock()
        """The clock at the last event."""
        self.node_times_s: dict[str, float] = {}
        """Seconds from a node's start to its end, by the arrival of their events; cached nodes are absent."""

    @property
    def progress(self) -> Progress:
        """How far the prompt is now."""
        part = self._value / self._maximum if self._maximum > 0 and self._node not in self._done else 0.0
        total = max(1, len(self._nodes))
        self._fraction = max(self._fraction, min(1.0, (len(self._done) + min(1.0, part)) / total))
        return Progress(self._prompt_id, self.state, self._node, self._value, self._maximum, self._fraction)

    def apply(self, event: Event) -> None:
        """Take one event of this prompt in."""
        self.last_event_s = self._clock()
        handler = _HANDLERS.get(event.kind)
        if event.kind not in _ENDS and event.kind != "preview":
            self.state = PromptState.RUNNING
        if handler is not None:
            handler(self, event.data)
        if event.kind in _ENDS:
            self.ended = True

    def complete(self) -> None:
        """Count every node as done: the history says that the prompt succeeded."""
        self.state = PromptState.RUNNING
        self._done.update(self._nodes)

    def _cached(self, data: Mapping[str, Any]) -> None:
        self._done.update(self._nodes.intersection(str(node) for node in data.get("nodes") or []))

    def _executing(self, data: Mapping[str, Any]) -> None:
        if data.get("node") is None:
            self.ended = True
            self._finish_others(None)
            return
        node = str(data["node"])
        if node != self._node:
            self._finish_others(node)
            self._node, self._value, self._maximum = node, 0.0, 0.0
        self._started.setdefault(node, self._clock())

    def _finish_others(self, current: str | None) -> None:
        # Only servers without progress_state (before mid 2025) need this: there nodes run one by one.
        if self._told_of_states and current is not None:
            return
        for node in [node for node in self._started if node != current]:
            self._finish(node)

    def _finish(self, node: str) -> None:
        started = self._started.pop(node, None)
        if started is not None and node not in self.node_times_s:
            self.node_times_s[node] = self._clock() - started
        if node in self._nodes:
            self._done.add(node)

    def _progress(self, data: Mapping[str, Any]) -> None:
        if data.get("node") is not None:
            self._node = str(data["node"])
        self._value, self._maximum = _number(data.get("value")), _number(data.get("max"))

    def _progress_state(self, data: Mapping[str, Any]) -> None:
        self._told_of_states = True
        nodes = data.get("nodes")
        for node_id, entry in nodes.items() if isinstance(nodes, Mapping) else ():
            if not isinstance(entry, Mapping):
                continue
            node = str(entry.get("display_node_id") or node_id)
            if entry.get("state") == "running":
                self._started.setdefault(node, self._clock())
                self._node = node
                self._value, self._maximum = _number(entry.get("value")), _number(entry.get("max"))
            elif entry.get("state") == "finished":
                self._finish(node)


_HANDLERS: Mapping[str, Callable[[ProgressTracker, Mapping[str, Any]], None]] = {
    "execution_cached": ProgressTracker._cached,
    "executing": ProgressTracker._executing,
    "progress": ProgressTracker._progress,
    "progress_state": ProgressTracker._progress_state,
}


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
