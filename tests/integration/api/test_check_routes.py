"""Checks before work, over the API."""

from __future__ import annotations

import asyncio
import uuid
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


@pytest.mark.capability("PRD-75/dry-run-test")
async def test_a_dry_run_is_begun_read_listed_and_cancelled(
    house: House, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    creator, admin = house.key("creator"), house.key("admin")
    write_recipe(tmp_path, "tried")
    house.studio.import_workflow(tmp_path / "tried_graph.json")
    await client.post("/workers", json={"url": "http://127.0.0.6:9", "name": "away"}, headers=admin)
    forbidden = await client.post("/workflows/tried_graph/tries", json={}, headers=house.key("reviewer"))
    assert forbidden.status_code == 403
    begun = await client.post("/workflows/tried_graph/tries", json={"worker": "away"}, headers=creator)
    assert (begun.status_code, begun.json()["worker"]) == (201, "away")
    key = begun.json()["trial_id"]
    listed = (await client.get("/workflows/tried_graph/tries", headers=creator)).json()["items"]
    assert [row["trial_id"] for row in listed] == [key]
    stopped = await client.post(f"/workflow-tries/{key}/cancel", headers=creator)
    assert stopped.status_code in (204, 409), "it may have failed already: nothing answers there"
    for _ in range(200):
        shown = (await client.get(f"/workflow-tries/{key}", headers=creator)).json()
        if shown["status"] != "running":
            break
        await asyncio.sleep(0.1)
    assert shown["status"] in ("failed", "cancelled")
    assert (await client.get(f"/workflow-tries/{uuid.UUID(int=1)}", headers=creator)).status_code == 404
