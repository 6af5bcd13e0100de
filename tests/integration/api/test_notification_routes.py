"""The inbox and webhooks over the API."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.integration.api.conftest import House
from x121lib.events import outbox
from x121lib.terms.vocabulary import EventKind
from x121lib.testing.receiver import Receiver

pytestmark = pytest.mark.asyncio


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


async def test_the_inbox_is_read_marked_and_chosen(house: House, client: httpx.AsyncClient) -> None:
    admin, creator = house.key("admin"), house.key("creator")
    with house.database.transaction() as session:
        outbox.publish(session, EventKind.BUDGET_WARNED, entity="budget", entity_id=house.made.autumn,
                       project_id=house.made.autumn, payload={"message": "90 % is used.", "percent": 90})  # fmt: skip
    house.studio.reactions.run()
    assert (await client.get("/notifications")).status_code == 401
    got = (await client.get("/notifications", params={"unread": True}, headers=admin)).json()
    assert (got["unread"], got["items"][0]["title"], got["items"][0]["project"]) == (
        1, "A budget is running out", "Autumn"
    )  # fmt: skip
    ids = {"notification_ids": [got["items"][0]["notification_id"]]}
    assert (await client.post("/notifications/read", json=ids, headers=creator)).json() == {"marked": 0}
    assert (await client.post("/notifications/read", json=ids, headers=admin)).json() == {"marked": 1}
    assert (await client.get("/notifications", headers=admin)).json()["unread"] == 0
    place = "/notifications/preferences"
    assert (await client.put(place, json={"kind": "budget", "told": "none"}, headers=admin)).status_code == 204
    for wrong in ({"kind": "weather", "told": "all"}, {"kind": "budget", "told": "some"}):
        assert (await client.put(place, json=wrong, headers=admin)).status_code == 422
    told = {row["kind"]: row["told"] for row in (await client.get(place, headers=admin)).json()}
    assert (told["budget"], told["task_failed"]) == ("none", "mine")


async def test_webhooks_are_added_tried_read_and_removed(
    house: House, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    admin, creator = house.key("admin"), house.key("creator")
    house.studio.settings.webhook_private_hosts[:] = [receiver.host]
    wanted = {"name": "chat", "url": receiver.url}
    assert (await client.post("/webhooks", json=wanted, headers=creator)).status_code == 403
    made = await client.post("/webhooks", json=wanted, headers=admin)
    assert (made.status_code, len(made.json()["key"]) > 30) == (201, True)
    for wrong in ({**wanted, "name": "A B"}, {"name": "x", "url": "http://127.0.0.1:9"}, {"name": "x", "url": ""}):
        assert (await client.post("/webhooks", json=wrong, headers=admin)).status_code == 422
    assert (await client.post("/webhooks", json=wanted, headers=admin)).status_code == 409
    assert (await client.post("/webhooks/chat/test", headers=admin)).json()["http_status"] == 200
    (message,) = (await client.get("/webhooks/chat/messages", headers=admin)).json()
    assert (message["status"], message["event"]) == ("delivered", "test")
    again = f"/webhook-messages/{message['call_id']}/retry"
    assert (await client.post(again, headers=creator)).status_code == 403
    assert (await client.post(again, headers=admin)).status_code == 204
    assert house.studio.webhooks.send_due() == 1
    assert receiver.received[0].body == receiver.received[1].body
    listed = (await client.get("/webhooks", headers=creator)).text
    assert made.json()["key"] not in listed
    assert (await client.delete("/webhooks/chat", headers=creator)).status_code == 403
    assert (await client.delete("/webhooks/chat", headers=admin)).status_code == 204
    assert (await client.delete("/webhooks/chat", headers=admin)).status_code == 404
