"""Checks before work, over the API."""

from __future__ import annotations

import httpx
import pytest

from tests.integration.api.conftest import House

pytestmark = pytest.mark.asyncio


async def test_a_workflow_is_checked_against_every_worker(house: House, client: httpx.AsyncClient) -> None:
    creator = house.key("creator")
    added = {"url": "http://127.0.0.5:9", "name": "mute"}
    await client.post("/workers", json=added, headers=house.key("admin"))
    answer = await client.get("/workflows/idle/check?worker=mute", headers=creator)
    rows = answer.json()
    assert [(r["worker"], r["result"], r["known"], r["findings"]) for r in rows] == [("mute", "not known", False, [])]
    assert (await client.get("/workflows/none/check", headers=creator)).status_code == 404
    assert (await client.get("/workflows/idle/check")).status_code == 401
