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


async def test_a_project_is_checked_and_mended_over_the_api(house: House, client: httpx.AsyncClient) -> None:
    project = (await client.get("/projects", headers=house.key("creator"))).json()["items"][0]["project"]
    told = (await client.get(f"/projects/{project}/check", headers=house.key("reviewer"))).json()
    assert (told["project"], told["held"]) == (project, "")
    assert {"groups", "blocked", "steps", "disk_bytes", "fine"} <= set(told)
    forbidden = await client.post(f"/projects/{project}/check/fix", headers=house.key("reviewer"))
    assert forbidden.status_code == 403
    done = await client.post(f"/projects/{project}/check/fix", headers=house.key("creator"))
    assert (done.status_code, all(one["ok"] for one in done.json())) == (200, True)
    assert (await client.get("/projects/none/check", headers=house.key("reviewer"))).status_code == 404
