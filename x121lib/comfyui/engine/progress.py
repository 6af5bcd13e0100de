"""Events of one running prompt, in ComfyUI's order and form."""

from __future__ import annotations

import json
import time
from typing import Any, Protocol

import cv2

from x121lib.comfyui.engine.images import Image, to_bytes

_PROGRESS_EVERY_S = 0.1
_PREVIEW_EVERY_S = 0.5
_PREVIEW_PX = 512
_JPEG = 1


class Outlet(Protocol):
    """Where events go; callable from any thread."""

    def send(self, event: str, data: Any, client_id: str | None) -> None:
        """Send an event to one client, or to everybody where ``client_id`` is None; ``data`` may be JSON text."""
        ...

    def send_preview(self, jpeg: bytes, details: dict[str, Any], client_id: str | None) -> None:
        """Send a preview, with its details to clients that asked for them."""
        ...


class Progress:
    """The events of one prompt.

    ``messages`` collects what history keeps: event name and data with ``timestamp`` in ms.
    """

    def __init__(
        self,
        outlet: Outlet,
        prompt_id: str,
        client_id: str | None,
        *,
        previews: bool = True,
    ) -> None:
        self.outlet = outlet
        self.prompt_id = prompt_id
        self.client_id = client_id
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self._previews = previews
        self._states: dict[str, str] = {}
        self._sent_at = 0.0
        self._preview_at = 0.0

    def message(self, event: str, data: dict[str, Any], *, broadcast: bool = False) -> None:
        """Send an event and keep it for history; without a client only ``broadcast`` ones are sent."""
        stamped = {**data, "timestamp": int(time.time() * 1000)}
        self.messages.append((event, stamped))
        if broadcast or self.client_id is not None:
            self.outlet.send(event, stamped, self.client_id)

    def started(self, node: str) -> None:
        """Send the running state, then ``executing``."""
        self._state(node, "running", 0.0, 1.0)
        self._sent_at = 0.0
        self._to_client(
            "executing",
            {"node": node, "display_node": node, "prompt_id": self.prompt_id},
        )

    def executed(self, node: str, ui: dict[str, Any] | None) -> None:
        """Send what an output node shows."""
        self._to_client(
            "executed",
            {
                "node": node,
                "display_node": node,
                "output": ui,
                "prompt_id": self.prompt_id,
            },
        )

    def finished(self, node: str) -> None:
        """Send the finished state."""
        self._state(node, "finished", 1.0, 1.0)

    def step(self, node: str, done: int, total: int, preview: Image | None) -> None:
        """Send progress within a node, at most ten times a second, and a preview at most twice."""
        now = time.monotonic()
        if total < 2 or (done < total and now - self._sent_at < _PROGRESS_EVERY_S):
            return
        self._sent_at = now
        self._state(node, "running", done, total)
        data = {"value": done, "max": total, "prompt_id": self.prompt_id, "node": node}
        self.outlet.send("progress", data, self.client_id)
        if preview is not None and self._previews and now - self._preview_at >= _PREVIEW_EVERY_S:
            self._preview_at = now
            details = {
                "node_id": node,
                "prompt_id": self.prompt_id,
                "display_node_id": node,
                "parent_node_id": None,
                "real_node_id": node,
                "image_type": "image/jpeg",
            }
            self.outlet.send_preview(_jpeg(preview), details, self.client_id)

    def _to_client(self, event: str, data: dict[str, Any]) -> None:
        if self.client_id is not None:
            self.outlet.send(event, data, self.client_id)

    def _state(self, node: str, state: str, value: float, maximum: float) -> None:
        # Every state message repeats all nodes so far; each node's part is written as JSON only when it changes.
        part = json.dumps(
            {
                "value": value,
                "max": maximum,
                "state": state,
                "node_id": node,
                "prompt_id": self.prompt_id,
                "display_node_id": node,
                "parent_node_id": None,
                "real_node_id": node,
            }
        )
        self._states[node] = f"{json.dumps(node)}: {part}"
        nodes = ", ".join(self._states.values())
        text = f'{{"prompt_id": {json.dumps(self.prompt_id)}, "nodes": {{{nodes}}}}}'
        self.outlet.send("progress_state", text, self.client_id)


def _jpeg(frame: Image) -> bytes:
    pixels = cv2.cvtColor(to_bytes(frame), cv2.COLOR_RGB2BGR)
    shrink = _PREVIEW_PX / max(pixels.shape[:2])
    if shrink < 1:
        pixels = cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
