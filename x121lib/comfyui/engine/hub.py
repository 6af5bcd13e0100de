"""The WebSocket clients: each has its own outgoing queue, so one that does not read stalls nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
import uuid
from typing import Any

from aiohttp import WSMsgType, web

from x121lib.base.log import get_logger

_log = get_logger(__name__)
_BACKLOG_LIMIT_BYTES = 64 * 1024 * 1024
_EVENT_PREVIEW, _EVENT_PREVIEW_WITH_DETAILS = 1, 4
_JPEG = 1
Message = str | bytes


class Client:
    """One connection."""

    def __init__(self, sid: str, socket: web.WebSocketResponse) -> None:
        self.sid = sid
        self.socket = socket
        self.details = False
        self._outgoing: asyncio.Queue[Message] = asyncio.Queue()
        self._backlog_bytes = 0

    def post(self, message: Message) -> None:
        """Queue a message; a client that left 64 MiB unread is cut off."""
        self._backlog_bytes += len(message)
        if self._backlog_bytes > _BACKLOG_LIMIT_BYTES and self.socket._req is not None:
            _log.warning("client %s does not read; its connection is closed", self.sid)
            transport = self.socket._req.transport
            if transport is not None:
                transport.abort()
            return
        self._outgoing.put_nowait(message)

    async def write(self) -> None:
        """Send what is queued, until cancelled or the connection is gone."""
        with contextlib.suppress(ConnectionError):
            while True:
                message = await self._outgoing.get()
                self._backlog_bytes -= len(message)
                if isinstance(message, str):
                    await self.socket.send_str(message)
                else:
                    await self.socket.send_bytes(message)


class Hub:
    """All connections. Lives on the event loop; `send` and `send_preview` may be called from any thread."""

    def __init__(self, features: dict[str, Any]) -> None:
        self._features = features
        self._clients: list[Client] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Name the loop on which the clients live."""
        self._loop = loop

    def send(self, event: str, data: Any, client_id: str | None) -> None:
        """Send an event to a client, or to all where ``client_id`` is None; ``data`` may be JSON text already."""
        if not self._clients:
            return
        text = data if isinstance(data, str) else json.dumps(data)
        self._call(self._deliver, f'{{"type": "{event}", "data": {text}}}', client_id)

    def send_preview(self, jpeg: bytes, details: dict[str, Any], client_id: str | None) -> None:
        """Send a preview, with its details to clients that asked for them by their feature flags."""
        self._call(self._deliver_preview, jpeg, details, client_id)

    async def serve(self, request: web.Request, greeting: dict[str, Any], resume: str | None) -> web.WebSocketResponse:
        """Serve one connection to its end.

        ``greeting`` is the first status; ``resume`` the node being executed for this client, if any.
        """
        # Uncompressed: on the loopback deflate costs more than it saves, and aiohttp deflates large messages in a task
        # of its own, which outlives a closing connection and complains about it.
        socket = web.WebSocketResponse(max_msg_size=4 * 1024 * 1024, compress=False)
        await socket.prepare(request)
        client = Client(request.query.get("clientId") or uuid.uuid4().hex, socket)
        client.post(_text("status", {**greeting, "sid": client.sid}))
        if resume is not None:
            client.post(_text("executing", {"node": resume}))
        self._clients.append(client)
        writer = asyncio.create_task(client.write())
        try:
            await self._read(client)
        finally:
            self._clients.remove(client)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
        return socket

    async def close(self) -> None:
        """Close every connection."""
        for client in list(self._clients):
            with contextlib.suppress(ConnectionError, asyncio.TimeoutError):
                await asyncio.wait_for(client.socket.close(code=1001), timeout=0.5)

    async def _read(self, client: Client) -> None:
        first = True
        async for message in client.socket:
            if message.type is not WSMsgType.TEXT:
                continue
            if first:
                first = False
                self._negotiate(client, message.data)

    def _negotiate(self, client: Client, text: str) -> None:
        try:
            said = json.loads(text)
        except json.JSONDecodeError:
            return
        if isinstance(said, dict) and said.get("type") == "feature_flags":
            flags = said.get("data")
            client.details = isinstance(flags, dict) and flags.get("supports_preview_metadata") is True
            client.post(_text("feature_flags", self._features))

    def _call(self, function: Any, *arguments: Any) -> None:
        if self._loop is not None and not self._loop.is_closed():
            # The loop may close between the question and the call, when the engine ends during a prompt.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(function, *arguments)

    def _receivers(self, client_id: str | None) -> list[Client]:
        if client_id is None:
            return list(self._clients)
        # The newest connection of an id gets its events; when it closes, an older open one does again.
        return [client for client in self._clients if client.sid == client_id][-1:]

    def _deliver(self, text: str, client_id: str | None) -> None:
        for client in self._receivers(client_id):
            client.post(text)

    def _deliver_preview(self, jpeg: bytes, details: dict[str, Any], client_id: str | None) -> None:
        plain = struct.pack(">II", _EVENT_PREVIEW, _JPEG) + jpeg
        head = json.dumps(details).encode()
        detailed = struct.pack(">II", _EVENT_PREVIEW_WITH_DETAILS, len(head)) + head + jpeg
        for client in self._receivers(client_id):
            client.post(detailed if client.details else plain)


def _text(event: str, data: Any) -> str:
    return json.dumps({"type": event, "data": data})
