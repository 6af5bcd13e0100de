"""The queue of prompts and their history; thread-safe."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_HISTORY_LIMIT = 10_000


@dataclass(order=True)
class Item:
    """A queued prompt; the lowest number runs first, equal numbers in the order of arrival.

    Attributes:
        number: the place in the queue; negative for those put in front.
        arrival: settles equal numbers.
        prompt_id: the prompt's id, unique by its maker's promise only.
        prompt: the graph.
        extra_data: what came along, with ``client_id`` and ``create_time`` (ms).
        outputs: the output nodes to execute.
    """

    number: float
    arrival: int
    prompt_id: str = field(compare=False)
    prompt: dict[str, Any] = field(compare=False)
    extra_data: dict[str, Any] = field(compare=False)
    outputs: list[str] = field(compare=False)

    @property
    def client_id(self) -> str | None:
        """The client that gets the events, or None."""
        client = self.extra_data.get("client_id")
        return None if client is None else str(client)

    def as_list(self) -> list[Any]:
        """Return the five parts as ``/queue`` and ``/history`` show them."""
        return [self.number, self.prompt_id, self.prompt, self.extra_data, self.outputs]


class PromptQueue:
    """Pending prompts in heap order, the running one, and the history of the rest.

    ``changed`` is called after every change of length, from the thread that made it.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._lock = threading.Condition()
        self._heap: list[Item] = []
        self._running: Item | None = None
        self._history: dict[str, dict[str, Any]] = {}
        self._arrivals = itertools.count()
        self._numbers = itertools.count()
        self._closed = False

    def number(self, *, explicit: float | None, front: bool) -> float:
        """Return a new prompt's number; counted up even where the prompt is rejected later."""
        if explicit is not None:
            return explicit
        number = next(self._numbers)
        return -number if front else number

    def put(
        self,
        number: float,
        prompt_id: str,
        work: tuple[dict[str, Any], dict[str, Any], list[str]],
    ) -> None:
        """Queue a prompt: (graph, extra data, output nodes)."""
        with self._lock:
            heapq.heappush(self._heap, Item(number, next(self._arrivals), prompt_id, *work))
            self._lock.notify()
        self._changed()

    def take(self) -> Item | None:
        """Wait for the next prompt and mark it as running; None after `close`."""
        with self._lock:
            self._lock.wait_for(lambda: bool(self._heap) or self._closed)
            if self._closed:
                return None
            self._running = heapq.heappop(self._heap)
        self._changed()
        return self._running

    def done(self, entry: dict[str, Any]) -> None:
        """Write the running prompt's history and end it."""
        with self._lock:
            assert self._running is not None
            self._history.pop(self._running.prompt_id, None)
            self._history[self._running.prompt_id] = entry
            while len(self._history) > _HISTORY_LIMIT:
                del self._history[next(iter(self._history))]
            self._running = None
        self._changed()

    def close(self) -> None:
        """Let a waiting `take` return None."""
        with self._lock:
            self._closed = True
            self._lock.notify_all()

    def running_id(self) -> str | None:
        """Return the running prompt's id."""
        with self._lock:
            return None if self._running is None else self._running.prompt_id

    def running_client(self) -> str | None:
        """Return the running prompt's client."""
        with self._lock:
            return None if self._running is None else self._running.client_id

    def remaining(self) -> int:
        """Return how many prompts run or wait."""
        with self._lock:
            return len(self._heap) + (self._running is not None)

    def snapshot(self) -> dict[str, list[list[Any]]]:
        """Return the queue as ``/queue`` shows it: pending prompts in heap order."""
        with self._lock:
            running = [] if self._running is None else [self._running.as_list()]
            return {
                "queue_running": running,
                "queue_pending": [item.as_list() for item in self._heap],
            }

    def delete(self, prompt_id: str) -> bool:
        """Remove one pending prompt of an id, if there is one; tell whether there was."""
        with self._lock:
            index = next(
                (i for i, item in enumerate(self._heap) if item.prompt_id == prompt_id),
                None,
            )
            if index is None:
                return False
            del self._heap[index]
            heapq.heapify(self._heap)
        self._changed()
        return True

    def clear(self) -> None:
        """Remove every pending prompt."""
        with self._lock:
            self._heap.clear()
        self._changed()

    def history(self, *, max_items: int | None = None, offset: int = -1) -> dict[str, Any]:
        """Return finished prompts, oldest first: the last ``max_items``, or as many from ``offset`` on."""
        with self._lock:
            items = list(self._history.items())
        start = offset
        if offset < 0:
            start = 0 if max_items is None else len(items) - max_items
        start = max(0, start)
        return dict(items[start : None if max_items is None else start + max_items])

    def history_of(self, prompt_id: str) -> dict[str, Any]:
        """Return ``{id: entry}``, or ``{}`` where the prompt is not finished or not known."""
        with self._lock:
            entry = self._history.get(prompt_id)
        return {} if entry is None else {prompt_id: entry}

    def forget(self, prompt_id: str | None = None) -> None:
        """Remove a prompt from history, or (None) all of them."""
        with self._lock:
            if prompt_id is None:
                self._history.clear()
            else:
                self._history.pop(prompt_id, None)
