"""Node results kept for later prompts, under a budget of bytes that live results count against too."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from x121lib.comfyui.engine.specs import NodeResult
from x121lib.comfyui.engine.video import Audio, Video

DEFAULT_BUDGET_BYTES = 128 * 1024 * 1024
_MAX_ENTRIES = 4096


def _buffers(value: Any) -> Iterator[tuple[int, int]]:
    """Yield (identity, size in bytes) of the memory behind a value; views count as what they look at."""
    if isinstance(value, tuple):
        for item in value:
            yield from _buffers(item)
    elif isinstance(value, Video):
        yield from _buffers((value.frames, value.audio))
    elif isinstance(value, Audio):
        yield from _buffers(value.waveform)
    elif isinstance(value, np.ndarray):
        while isinstance(value.base, np.ndarray):
            value = value.base
        yield id(value), value.nbytes


class Ledger:
    """Counts each buffer once, however many results share it."""

    def __init__(self) -> None:
        self._holders: dict[int, int] = {}
        self._sizes: dict[int, int] = {}
        self.total_bytes = 0

    def hold(self, value: Any) -> tuple[int, ...]:
        """Count a value's buffers; give the returned ticket back to `release`, before the value is let go."""
        sizes = dict(_buffers(value))
        for buffer, size in sizes.items():
            if buffer not in self._holders:
                self._sizes[buffer] = size
                self.total_bytes += size
            self._holders[buffer] = self._holders.get(buffer, 0) + 1
        return tuple(sizes)

    def release(self, ticket: tuple[int, ...]) -> None:
        """Stop counting what `hold` counted."""
        for buffer in ticket:
            self._holders[buffer] -= 1
            if not self._holders[buffer]:
                del self._holders[buffer]
                self.total_bytes -= self._sizes.pop(buffer)


@dataclass(frozen=True)
class _Entry:
    result: NodeResult
    ticket: tuple[int, ...]


class ResultCache:
    """Input signature -> result, least recently used first out. Used by the worker thread only."""

    def __init__(self, budget_bytes: int = DEFAULT_BUDGET_BYTES) -> None:
        self.budget_bytes = budget_bytes
        self.ledger = Ledger()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, signature: str) -> NodeResult | None:
        """Return a kept result and mark it as used."""
        entry = self._entries.get(signature)
        if entry is None:
            return None
        self._entries.move_to_end(signature)
        return entry.result

    def keep(self, signature: str, result: NodeResult) -> None:
        """Keep a result, as far as the budget allows beside all that runs; what a node shows takes no budget."""
        old = self._entries.pop(signature, None)
        self._entries[signature] = _Entry(result, self.ledger.hold(result.values))
        if old is not None:
            self.ledger.release(old.ticket)
        self.trim()

    def trim(self) -> None:
        """Drop the oldest results that hold memory until everything held is within the budget."""
        while len(self._entries) > _MAX_ENTRIES:
            self._drop(next(iter(self._entries)))
        if self.ledger.total_bytes <= self.budget_bytes:
            return
        for signature in [key for key, entry in self._entries.items() if entry.ticket]:
            self._drop(signature)
            if self.ledger.total_bytes <= self.budget_bytes:
                return

    def clear(self) -> None:
        """Drop everything."""
        for signature in list(self._entries):
            self._drop(signature)

    def _drop(self, signature: str) -> None:
        self.ledger.release(self._entries.pop(signature).ticket)
