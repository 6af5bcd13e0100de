"""Checks before work, over the API."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.integration.api.conftest import House
from x121lib.testing.small_studio import write_recipe

pytestmark = pytest.mark.asyncio


async def test_a_workflow_is_checked_against_every_worker(
    house: House, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    write_recipe(tmp_path, "quick")
    house.studio.import_workflow(tmp_path / "quick_graph.json")
    creator = house.key("creator")
    added = {"url": "http://127.0.0.5:9", "name": "mute"}
    await client.post("/workers", json=added, headers=house.key("admin"))
    answer = await client.get("/workflows/quick_graph/check?worker=mute", headers=creator)
    rows = answer.json()
    assert [(r["worker"], r["result"], r["known"], r["findings"]) for r in rows] == [("mute", "not known", False, [])]
    assert (await client.get("/workflows/none/check", headers=creator)).status_code == 404
    assert (await client.get("/workflows/quick_graph/check")).status_code == 401
