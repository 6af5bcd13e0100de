"""What a running prompt is doing at this moment, and the raw messages that say so, kept within bounds."""

from __future__ import annotations

import json
import math
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from x121lib.comfyui.events import Event
from x121lib.comfyui.wire import HistoryEntry

MAX_EVENTS = 300
"""Raw messages that are kept, the newest."""
MAX_EVENT_BYTES = 8 * 2**10
"""A longer message is kept by its name and length alone."""
MAX_RESULT_BYTES = 256 * 2**10
"""A longer history entry is kept by its messages' names alone."""
MAX_PREVIEW_BYTES = 512 * 2**10
"""A larger picture is not kept; ComfyUI's are some 20 kB."""


@dataclass(frozen=True)
class Preview:
    """An intermediate picture that the server sent while a node worked."""

    content: bytes
    """The encoded picture."""
    media_type: str
    """``image/jpeg`` or ``image/png``."""
    node_id: str | None
    """The node that works on it; None where the server does not say."""


@dataclass(frozen=True)
class Look:
    """One look at a prompt.

    Attributes:
        node_id: the node that runs, or ran last; None before the first.
        step: steps of it that are done.
        n_steps: its steps; 0 where it does not count.
        finished: nodes that are done in this run, in the order in which they ended; cached ones first.
        cached: those of them that came from the server's cache.
        request: the graph in API form, as it was sent.
        events: raw messages as ``{"at", "type", "data"}``, oldest first.
        result: the history's entry, once there is one.
        preview: the newest intermediate picture.
        node_times_s: seconds from each node's start to its end, by the arrival of the messages; 0 for cached ones.
    """

    node_id: str | None
    step: float
    n_steps: float
    finished: tuple[str, ...]
    cached: tuple[str, ...]
    request: Mapping[str, Any]
    events: tuple[Mapping[str, Any], ...]
    result: Mapping[str, Any] | None
    preview: Preview | None
    node_times_s: Mapping[str, float] = field(default_factory=dict)


class LiveRun:
    """Collects what is heard of one prompt; one thread writes, any may look.

    Attributes:
        times_s: seconds by node, filled by who counts them.
        on_node_end: called in the writing thread whenever a node ended and others may follow.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: deque[Mapping[str, Any]] = deque(maxlen=MAX_EVENTS)
        self._request: Mapping[str, Any] = {}
        self._result: Mapping[str, Any] | None = None
        self._node: str | None = None
        self._step = self._n_steps = 0.0
        self._finished: dict[str, None] = {}
        self._cached: tuple[str, ...] = ()
        self._preview: Preview | None = None
        self._states_before: dict[Any, Any] = {}
        self._broken_off = False
        self._changes = 0
        self.times_s: Mapping[str, float] = {}
        self.on_node_end: Callable[[], None] | None = None

    @property
    def changes(self) -> int:
        """A number that grows with everything that is heard."""
        return self._changes

    def sent(self, graph: Mapping[str, Any]) -> None:
        """Keep the graph that is about to be submitted."""
        with self._lock:
            self._request, self._changes = storable(graph), self._changes + 1

    def hear(self, event: Event) -> None:
        """Take one message of the prompt in."""
        with self._lock:
            before = len(self._finished)
            if event.kind == "preview":
                self._see(event)
            else:
                self._events.append(_raw(event, self._changed_states(event)))
                self._follow(event)
            self._changes += 1
            ended = len(self._finished) > before and event.kind != "execution_cached"
        if ended and self.on_node_end is not None:
            self.on_node_end()

    def ended(self, entry: HistoryEntry) -> None:
        """Keep what the history says at the end."""
        body = storable(
            {"succeeded": entry.succeeded, "outputs": entry.outputs, "messages": [list(m) for m in entry.messages]}
        )
        if len(json.dumps(body)) > MAX_RESULT_BYTES:
            body = {"succeeded": entry.succeeded, "messages": [name for name, _ in entry.messages], "shortened": True}
        with self._lock:
            self._result, self._changes = body, self._changes + 1

    def look(self) -> Look:
        """Return how it stands now."""
        with self._lock:
            return Look(
                self._node, self._step, self._n_steps, tuple(self._finished), self._cached, self._request,
                tuple(self._events), self._result, self._preview, dict.fromkeys(self._cached, 0.0) | dict(self.times_s),
            )  # fmt: skip

    def _see(self, event: Event) -> None:
        if not event.picture or len(event.picture) > MAX_PREVIEW_BYTES:
            return
        node = event.data.get("display_node_id") or event.data.get("node_id") or self._node
        self._preview = Preview(event.picture, media_type_of(event.picture), str(node) if node is not None else None)

    def _changed_states(self, event: Event) -> Mapping[str, Any]:
        """Return the message's body; of the states of all nodes, which come again and again, what is new."""
        nodes = event.data.get("nodes")
        if event.kind != "progress_state" or not isinstance(nodes, Mapping):
            return event.data
        new = {node: entry for node, entry in nodes.items() if self._states_before.get(node) != entry}
        self._states_before = dict(nodes)
        return {**event.data, "nodes": new, "unchanged": len(nodes) - len(new)}

    def _follow(self, event: Event) -> None:
        data = event.data
        if event.kind == "execution_cached":
            self._cached = tuple(str(node) for node in data.get("nodes") or [])
            self._finished = dict.fromkeys((*self._cached, *self._finished))
        elif event.kind == "executing":
            self._moved_to(None if data.get("node") is None else str(data["node"]))
        elif event.kind in ("execution_interrupted", "execution_error"):
            self._broken_off = True  # the "executing: null" that follows does not end the node
        elif event.kind == "progress":
            self._step, self._n_steps = _number(data.get("value")), _number(data.get("max"))
        elif event.kind == "progress_state":
            self._states(data.get("nodes"))

    def _moved_to(self, node: str | None) -> None:
        if self._node is not None and node != self._node and not self._broken_off:
            self._finished.setdefault(self._node)
        if node is not None and node != self._node:
            self._node, self._step, self._n_steps = node, 0.0, 0.0

    def _states(self, nodes: Any) -> None:
        for node_id, entry in nodes.items() if isinstance(nodes, Mapping) else ():
            if not isinstance(entry, Mapping):
                continue
            node = str(entry.get("display_node_id") or node_id)
            if entry.get("state") == "finished":
                self._finished.setdefault(node)
            elif entry.get("state") == "running":
                self._node = node
                self._step, self._n_steps = _number(entry.get("value")), _number(entry.get("max"))


def media_type_of(picture: bytes) -> str:
    """Return ``image/png`` or ``image/jpeg``, the two forms in which ComfyUI encodes previews, by the first bytes."""
    return "image/png" if picture.startswith(b"\x89PNG") else "image/jpeg"


def storable(value: Any) -> Any:
    """Return JSON that PostgreSQL's `jsonb` takes: no NUL characters, no NaN or infinity (they become None)."""
    if isinstance(value, Mapping):
        return {_text(str(key)): storable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [storable(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        return _text(value)
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _text(value: str) -> str:
    return value.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def _raw(event: Event, body: Mapping[str, Any]) -> Mapping[str, Any]:
    data = storable(body)
    length = len(json.dumps(data))
    if length > MAX_EVENT_BYTES:
        data = {"shortened": True, "bytes": length}
    return {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "type": event.kind, "data": data}


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0
