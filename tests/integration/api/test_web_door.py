"""The API inside the one web door: keys need no cookie, the cookie works only from the door's own pages."""

from __future__ import annotations

from typing import cast

import httpx
import pytest

from dashboards.__main__ import api_routers
from dashboards.app import create_app
from dashboards.contracts import StudioDoor
from tests.integration.api.conftest import PASSWORD, House
from x121lib.studio.door import Door

pytestmark = pytest.mark.asyncio


@pytest.mark.capability("PRD-02/async-orchestration-service")
async def test_keys_and_the_pages_session_open_the_api_and_foreign_pages_do_not(house: House) -> None:
    headers = house.key("creator")
    door = cast(StudioDoor, Door(house.studio))
    app = create_app(door, secret="a secret of this test", routers=api_routers(door))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x121") as client:
        assert (await client.get("/api/health")).json() == {"ok": True}
        assert (await client.get("/api/projects")).status_code == 401
        assert (await client.post("/api/projects", json={"name": "By key"}, headers=headers)).status_code == 201
        origin = {"Origin": "http://x121"}
        form = {"email": "creator@example.com", "password": PASSWORD}
        assert (await client.post("/sign-in", data=form, headers=origin)).status_code == 303
        listed = (await client.get("/api/projects")).json()
        assert "By key" in [p["project"] for p in listed["items"]]
        made = await client.post("/api/projects", json={"name": "By cookie"}, headers=origin)
        assert made.status_code == 201
        foreign = await client.post("/api/projects", json={"name": "X"}, headers={"Origin": "http://elsewhere"})
        assert foreign.status_code == 403
        assert (await client.post("/api/projects", json={"name": "X"})).status_code == 403
        unknown = await client.get("/api/nothing")
        assert (unknown.status_code, unknown.json()["code"]) == (404, "x121.not_found")
