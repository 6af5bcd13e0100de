"""Triggers over the API."""

from __future__ import annotations

import httpx
import pytest
import sqlalchemy as sa

from tests.integration.api.conftest import House
from x121lib import model as m
from x121lib.events import outbox
from x121lib.terms.vocabulary import EventKind

pytestmark = pytest.mark.asyncio
RULE = {"name": "tell", "on": "scene.assembled", "project": "Autumn", "do": [{"action": "notify", "to": ["Admin"]}]}
COSTLY = {"name": "again", "on": "take.scored", "do": [{"action": "retake"}], "at_most": 1}


async def test_triggers_are_added_tried_switched_logged_and_removed(house: House, client: httpx.AsyncClient) -> None:
    admin, creator, reviewer = house.key("admin"), house.key("creator"), house.key("reviewer")
    assert (await client.post("/triggers", json={"rule": RULE}, headers=reviewer)).status_code == 403
    made = await client.post("/triggers", json={"rule": RULE}, headers=creator)
    assert (made.status_code, made.json()["enabled"], made.json()["acts_as"]) == (201, True, "Creator")
    assert (await client.post("/triggers", json={"rule": RULE}, headers=creator)).status_code == 409
    scene = house.scene(house.made.autumn)
    with house.database.transaction() as session:
        outbox.publish(session, EventKind.SCENE_ASSEMBLED, entity="scene", entity_id=scene,
                       project_id=house.made.autumn, payload={"version": 1})  # fmt: skip
    tried = await client.post("/triggers/tell/dry-run", json={"last": 5}, headers=reviewer)
    assert [row["would"][:19] for row in tried.json()] == ["would tell 2 people"]
    other = {"rule": {**RULE, "name": "x", "when": [{"field": "project", "is": "Spring"}]}}
    assert (await client.post("/triggers/dry-run", json=other, headers=reviewer)).json() == []
    house.studio.reactions.run()
    assert house.studio.reactions.fire() is True
    (fired,) = (await client.get("/triggers/log", params={"scene_id": str(scene)}, headers=reviewer)).json()
    assert (fired["status"], fired["trigger"], fired["actions"][0]["status"]) == ("done", "tell", "done")
    assert (await client.get("/notifications", headers=admin)).json()["unread"] == 1
    assert (await client.get("/triggers/tell", headers=reviewer)).json()["rule"]["on"] == "scene.assembled"
    changed = {"rule": {**RULE, "description": "said aloud"}}
    assert (await client.put("/triggers/tell", json=changed, headers=reviewer)).status_code == 403
    put = await client.put("/triggers/tell", json=changed, headers=admin)
    assert (put.status_code, put.json()["description"], put.json()["acts_as"]) == (200, "said aloud", "Admin")
    assert (await client.put("/triggers/gone", json=changed, headers=admin)).status_code == 404
    with house.database.transaction() as session:
        session.execute(sa.update(m.Trigger).values(rule=["sing"]))
    (listed,) = (await client.get("/triggers", headers=creator)).json()
    assert (listed["enabled"], listed["unreadable"]) == (False, "The trigger 'tell': its rule is no mapping.")
    assert (await client.get("/triggers/tell", headers=reviewer)).json()["rule"] == ["sing"]
    assert (await client.post("/triggers/tell/enable", headers=admin)).status_code == 422
    assert (await client.put("/triggers/tell", json=changed, headers=admin)).json()["enabled"] is False
    for verb, expected in (("disable", 204), ("enable", 204)):
        assert (await client.post(f"/triggers/tell/{verb}", headers=creator)).status_code == expected
        assert (await client.post(f"/triggers/tell/{verb}", headers=reviewer)).status_code == 403
    assert (await client.delete("/triggers/tell", headers=creator)).status_code == 204
    assert (await client.get("/triggers", headers=creator)).json() == []


async def test_what_costs_gpu_time_needs_an_admin_and_faults_are_named(house: House, client: httpx.AsyncClient) -> None:
    admin, creator = house.key("admin"), house.key("creator")
    assert (await client.post("/triggers", json={"rule": COSTLY}, headers=creator)).json()["enabled"] is False
    assert (await client.post("/triggers/again/enable", headers=creator)).status_code == 403
    assert (await client.post("/triggers/again/enable", headers=admin)).status_code == 204
    loop = {**COSTLY, "name": "loop"}
    del loop["at_most"]
    assert (await client.post("/triggers", json={"rule": loop}, headers=admin)).status_code == 201
    refused = await client.post("/triggers/loop/enable", headers=admin)
    assert (refused.status_code, refused.json()["code"]) == (409, "pipeline.trigger_loop")
    assert "loop → loop" in refused.json()["message"]
    wrong = await client.post("/triggers", json={"rule": {**RULE, "on": "moon.rose"}}, headers=admin)
    assert (wrong.status_code, "no trigger can listen to 'moon.rose'" in wrong.json()["message"]) == (422, True)
    assert (await client.post("/triggers/x.toml/dry-run", json={}, headers=admin)).status_code == 404
    assert (await client.post("/triggers/dry-run", json={}, headers=admin)).status_code == 422
