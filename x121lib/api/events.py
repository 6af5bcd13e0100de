"""The live stream of committed events (server-sent events, HTML Living Standard, section 9.2)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from x121lib.api.caller import EventFeed, Opened, token_of
from x121lib.api.route import ApiRoute
from x121lib.base.errors import X121Error
from x121lib.studio import Studio
from x121lib.studio.clients import Clients
from x121lib.studio.feed import Feed

router = APIRouter(route_class=ApiRoute, tags=["events"])
HEARTBEAT_S = 15.0
"""Seconds of silence after which a comment shows that the stream lives."""
LOOK_AGAIN_S = 2.0
"""Seconds after which an unwoken stream looks by itself: an open transaction may have hidden what it was woken for."""
BATCH = 500
RETRY_MS = 2000
Position = Annotated[str | None, Header(alias="Last-Event-ID", max_length=64)]


@router.get("/events", response_class=StreamingResponse)
def stream_events(
    request: Request,
    studio: Opened,
    feed: EventFeed,
    last_event_id: Position = None,
    after: Annotated[str | None, Query(max_length=64, description="As Last-Event-ID.")] = None,
) -> StreamingResponse:
    """Stream what happens from now on, or after ``Last-Event-ID``; only what the caller may see.

    Each event has an ``id`` to resume from, the ``event`` kind and JSON ``data``. The caller's rights are read again
    for every batch: the stream ends when the session or key does.
    """
    token = token_of(request)
    clients = Clients(Clients(studio).as_bearer(token))
    feed.require_room()
    position = last_event_id or after or clients.event_end()
    first = clients.events_after(position, limit=BATCH)
    body = _Stream(studio, feed, token, position)
    return StreamingResponse(
        body.run(first),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


class _Stream:
    """One reader's stream."""

    def __init__(self, studio: Studio, feed: Feed, token: str, position: str) -> None:
        self._studio = studio
        self._feed = feed
        self._token = token
        self._position = position
        self._said_at = time.monotonic()

    async def run(self, batch: list[tuple[str, Any]]) -> AsyncIterator[str]:
        """Yield the stream, beginning with where it stands; ends with the reader, its rights or the database."""
        yield f"id: {self._position}\nretry: {RETRY_MS}\n\n"
        with self._feed.listening() as woken:
            woken.set()  # something may have happened between the first batch and now
            while True:
                for text in self._written(batch):
                    yield text
                if len(batch) < BATCH:
                    await _wait(woken)
                if time.monotonic() - self._said_at >= HEARTBEAT_S:
                    self._said_at = time.monotonic()
                    yield ": heartbeat\n\n"
                woken.clear()
                try:
                    batch = await run_sync(self._read)
                except X121Error:
                    return

    def _read(self) -> list[tuple[str, Any]]:
        reader = Clients(Clients(self._studio).as_bearer(self._token))
        return reader.events_after(self._position, limit=BATCH)

    def _written(self, batch: list[tuple[str, Any]]) -> list[str]:
        if batch:
            self._position = batch[-1][0]
            self._said_at = time.monotonic()
        return [_text(position, event) for position, event in batch]


async def _wait(woken: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(woken.wait(), LOOK_AGAIN_S)
    except TimeoutError:
        return


def _text(position: str, event: Any) -> str:
    data = {
        "kind": event.kind.value, "entity": event.entity, "entity_id": str(event.entity_id),
        "project_id": str(event.project_id) if event.project_id else None, "payload": event.payload,
        "at": event.created_at.isoformat(),
    }  # fmt: skip
    return f"id: {position}\nevent: {event.kind.value}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
