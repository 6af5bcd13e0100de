"""The live stream over a real server: order, resumption, rights, endings."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn

from tests.integration.api.conftest import House
from x121lib.api import events as stream
from x121lib.base.ids import new_id
from x121lib.events import outbox
from x121lib.studio.clients import Clients
from x121lib.studio.feed import Feed, TooManyReadersError
from x121lib.terms.vocabulary import EventKind

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(60)]
CAPABILITY = pytest.mark.capability("PRD-02/live-event-stream-to-clients")


@dataclass
class Message:
    """One block of a stream."""

    fields: dict[str, str]

    @property
    def data(self) -> dict[str, Any]:
        """The event."""
        return dict(json.loads(self.fields["data"]))


@pytest_asyncio.fixture
async def door(house: House) -> AsyncIterator[str]:
    """Serve the API on loopback and return its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(house.app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/api"
    server.should_exit = True
    await task
    listening.close()


@asynccontextmanager
async def listening(url: str, headers: dict[str, str]) -> AsyncIterator[AsyncIterator[Message]]:
    """Open the stream and yield its blocks; the first one says where it stands."""
    async with (
        httpx.AsyncClient(timeout=20) as client,
        client.stream("GET", f"{url}/events", headers=headers) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _blocks(answer)


async def _blocks(answer: httpx.Response) -> AsyncIterator[Message]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if not line and fields:
            yield Message(fields)
            fields = {}
        elif line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            fields[name] = value


def publish(house: House, kind: EventKind, text: str) -> None:
    """Commit an event."""
    with house.database.transaction() as session:
        outbox.publish(session, kind, entity="scene", entity_id=new_id(), payload={"text": text})


@CAPABILITY
async def test_what_the_api_changes_arrives_and_a_client_resumes_without_a_gap(house: House, door: str) -> None:
    headers = house.key("creator")
    async with listening(door, headers) as blocks:
        first = await anext(blocks)
        async with httpx.AsyncClient() as client:
            await client.post(f"{door}/projects", json={"name": "Winter"}, headers=headers)
        seen = await anext(blocks)
    assert (set(first.fields), seen.fields["event"]) == ({"id", "retry"}, "project.created")
    assert seen.data["entity"] == "project"
    for text in ("one", "two\nlines", "three"):
        await asyncio.to_thread(publish, house, EventKind.SCENE_STATUS_CHANGED, text)
    async with listening(door, headers | {"Last-Event-ID": seen.fields["id"]}) as blocks:
        await anext(blocks)
        missed = [(await anext(blocks)).data["payload"]["text"] for _ in range(3)]
    assert missed == ["one", "two\nlines", "three"]


@CAPABILITY
async def test_a_transaction_that_commits_late_is_not_skipped(house: House, door: str) -> None:
    async with listening(door, house.key("creator")) as blocks:
        await anext(blocks)
        with house.database.transaction() as late:
            outbox.publish(late, EventKind.NOTE_ADDED, entity="note", entity_id=new_id(), payload={"text": "late"})
            late.flush()
            start = Clients(house.studio).event_end()
            await asyncio.to_thread(publish, house, EventKind.NOTE_ADDED, "early")
            assert Clients(house.studio).events_after(start) == []  # or the late one would be passed over for good
        texts = [(await anext(blocks)).data["payload"]["text"] for _ in range(2)]
    assert texts == ["late", "early"]


@CAPABILITY
async def test_each_sees_only_what_they_may(house: House, door: str) -> None:
    admin, reviewer = house.key("admin"), house.key("reviewer")
    async with listening(door, admin) as all_of_it, listening(door, reviewer) as some:
        await anext(all_of_it)
        await anext(some)
        for kind in (EventKind.PERSON_ADDED, EventKind.RELEASE_REVOKED, EventKind.SCENE_ASSEMBLED):
            await asyncio.to_thread(publish, house, kind, kind.value)
        assert [(await anext(all_of_it)).fields["event"] for _ in range(3)] == [
            "person.added", "release.revoked", "scene.assembled",
        ]  # fmt: skip
        assert (await anext(some)).fields["event"] == "scene.assembled"


async def test_silence_is_filled_with_heartbeats_and_a_revoked_key_ends_the_stream(
    house: House, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.2)
    monkeypatch.setattr(stream, "LOOK_AGAIN_S", 0.1)
    async with listening(door, house.key("creator")) as blocks:
        await anext(blocks)
        assert (await anext(blocks)).fields == {"": "heartbeat"}
        keys = await asyncio.to_thread(Clients(house.studio).keys)
        await asyncio.to_thread(Clients(house.studio).revoke_key, keys[0]["key_id"])
        rest = [message async for message in blocks]
    assert all("event" not in message.fields for message in rest)


async def test_readers_are_counted_bounded_and_forgotten(house: House) -> None:
    feed = Feed(house.studio, most=2)
    with feed.listening() as one, feed.listening() as two:
        with pytest.raises(TooManyReadersError):
            feed.require_room()
        publish(house, EventKind.NOTE_ADDED, "wake")
        deadline = asyncio.get_running_loop().time() + 20
        while not (one.is_set() and two.is_set()) and asyncio.get_running_loop().time() < deadline:
            await asyncio.to_thread(publish, house, EventKind.NOTE_ADDED, "again")  # the listener may just begin
        assert one.is_set()
        assert two.is_set()
    assert feed.n_readers == 0
    feed.require_room()
