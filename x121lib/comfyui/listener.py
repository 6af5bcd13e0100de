"""The WebSocket feed of one server: always drained, never trusted."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from x121lib.comfyui.events import Event, parse_message
from x121lib.comfyui.tls import tls_context

_MAX_MESSAGE_BYTES = 256 * 2**20
_PING_S = 25.0
"""A load that holds the server's interpreter lock looks like a dead peer for seconds; be patient."""
_FIRST_RETRY_S = 0.2
_LONGEST_RETRY_S = 5.0
_FEATURES = json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}})


class EventListener:
    """Keeps one WebSocket open, with a new client id for every connection, and hands events out by prompt.

    A client id is never used twice: when an old socket of the same id closes, the server would forget the
    new one. So events of a prompt reach us only on the connection that was open when it was submitted;
    after a reconnection its watcher must poll.
    """

    def __init__(self, base_url: str, *, headers: Mapping[str, str], use_environment_proxy: bool) -> None:
        self._base_url = base_url
        self._headers = dict(headers)
        self._proxy = use_environment_proxy
        self._subscribers: dict[str, Callable[[Event], None]] = {}
        self._task: asyncio.Task[None] | None = None
        self._open = asyncio.Event()
        self.client_id: str | None = None
        """The id of the open connection; None while there is none."""

    def start(self) -> None:
        """Start listening; without effect where it runs already."""
        if self._task is None:
            self._task = asyncio.create_task(self._listen(), name="comfyui-events")

    async def stop(self) -> None:
        """Close the connection cleanly."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def wait_open(self, timeout_s: float) -> str | None:
        """Wait for an open connection; return its client id, or None after ``timeout_s``."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._open.wait()
        except TimeoutError:
            return None
        return self.client_id

    def subscribe(self, prompt_id: str, receive: Callable[[Event], None]) -> None:
        """Call ``receive`` with each event of the prompt; it must be quick and must not raise."""
        self._subscribers[prompt_id] = receive

    def unsubscribe(self, prompt_id: str) -> None:
        """Stop calling."""
        self._subscribers.pop(prompt_id, None)

    async def _listen(self) -> None:
        retry_s = _FIRST_RETRY_S
        while True:
            try:
                await self._one_connection()
                retry_s = _FIRST_RETRY_S
            except (OSError, WebSocketException):  # refused, dropped, handshake answered otherwise
                retry_s = min(_LONGEST_RETRY_S, retry_s * 2)
            finally:
                self._closed()
            await asyncio.sleep(retry_s)

    async def _one_connection(self) -> None:
        client_id = str(uuid.uuid4())
        async with connect(
            _ws_url(self._base_url, client_id),
            max_size=_MAX_MESSAGE_BYTES,
            max_queue=None,
            ping_interval=_PING_S,
            ping_timeout=_PING_S,
            additional_headers=self._headers,
            compression=None,
            proxy=True if self._proxy else None,
            ssl=tls_context(self._base_url) if self._base_url.startswith("https:") else None,
        ) as connection:
            await connection.send(_FEATURES)
            self.client_id = client_id
            self._open.set()
            await self._drain(connection)

    async def _drain(self, connection: ClientConnection) -> None:
        async for raw in connection:
            event = parse_message(raw)
            receive = self._receiver(event) if event is not None else None
            if event is not None and receive is not None:
                receive(event)

    def _receiver(self, event: Event) -> Callable[[Event], None] | None:
        if event.kind == "preview" and event.prompt_id is None and len(self._subscribers) == 1:
            return next(iter(self._subscribers.values()))  # an old server's picture can only be the one prompt's
        return self._subscribers.get(event.prompt_id or "")

    def _closed(self) -> None:
        self.client_id = None
        self._open.clear()
        # Watchers must learn that nobody tells them any more.
        for receive in list(self._subscribers.values()):
            receive(Event("connection_lost", None, {}))


def _ws_url(base_url: str, client_id: str) -> str:
    parts = urlsplit(base_url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc, f"{parts.path.rstrip('/')}/ws", urlencode({"clientId": client_id}), ""))
