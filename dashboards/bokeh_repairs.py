"""The three repairs that bokeh-fastapi 0.1.8 needs, each idempotent and each with a test.

1. The end of a WebSocket is not handled, so the sessions of closed pages live for ever.
2. ``check_origin`` exists and is never called.
3. Unsigned session tokens are accepted unless signing is switched on explicitly.
"""

from __future__ import annotations

from typing import Any

from bokeh_fastapi import BokehFastAPI
from bokeh_fastapi.handler import WSHandler
from fastapi import WebSocket

from x121lib.base.errors import X121Error

_MARK = "_x121_repaired"


class UnsignedSessionsError(X121Error):
    """The web door was about to accept session tokens that anybody can make."""

    code = "web.unsigned_sessions"


def apply_repairs() -> None:
    """Repair ``WSHandler`` once in this process: sessions end with their socket, foreign origins are refused."""
    if getattr(WSHandler, _MARK, False):
        return
    connect = WSHandler.ws_connect
    receive_loop = WSHandler._receive_loop

    async def ws_connect(self: Any, websocket: WebSocket) -> None:
        if not same_origin(websocket, self.application.websocket_origins):
            await websocket.close(code=4403)
            return
        try:
            await connect(self, websocket)
        finally:
            if self.connection is not None:
                self.application.client_lost(self.connection)

    async def _receive_loop(self: Any) -> None:
        socket_receive = self._socket.receive

        async def receive() -> Any:
            message = await socket_receive()
            if message["type"] == "websocket.disconnect":
                raise _Gone(message.get("code", 1006))
            return message

        self._socket.receive = receive
        try:
            await receive_loop(self)
        except _Gone:
            return

    WSHandler.ws_connect = ws_connect
    WSHandler._receive_loop = _receive_loop
    setattr(WSHandler, _MARK, True)


class _Gone(ConnectionError):
    """The browser left; raised out of the receive loop, which only knows ``WebSocketDisconnect`` as a pause."""


def same_origin(websocket: WebSocket, allowed: list[str]) -> bool:
    """Return whether a socket was opened by a page of this very door (or of an allowed ``host:port``)."""
    origin = websocket.headers.get("origin", "")
    host = websocket.headers.get("host", "")
    netloc = origin.partition("://")[2]
    return bool(netloc) and (netloc == host or netloc in allowed)


def require_signed(application: BokehFastAPI) -> None:
    """Check that session tokens are signed with a key of ours.

    Raises:
        UnsignedSessionsError: signing is off or the key is missing; the door must not open.
    """
    if not application.sign_sessions or not application.secret_key:
        raise UnsignedSessionsError(
            "Session tokens would not be signed.", hint="Start the web door through dashboards.app.create_app."
        )


__all__ = ["UnsignedSessionsError", "apply_repairs", "require_signed", "same_origin"]
