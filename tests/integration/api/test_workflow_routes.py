"""Workflows over the API: versions and slots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.api.conftest import House
from x121lib.testing.small_studio import tiny_graph

pytestmark = pytest.mark.asyncio


def stored(house: House, folder: Path) -> None:
    """Import the tiny graph as *tiny*."""
    path = folder / "tiny.json"
    path.write_text(json.dumps(tiny_graph()))
    house.studio.workflows.import_file(path)


@pytest.mark.capability("PRD-75/parameter-discovery")
async def test_slots_are_listed_changed_added_and_removed(
    house: House, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    stored(house, tmp_path)
    creator, reviewer = house.key("creator"), house.key("reviewer")
    rows = (await client.get("/workflows?workflow=tiny", headers=reviewer)).json()["items"]
    assert [(row["version"], row["status"]) for row in rows] == [(1, "Draft")]
    slots = {s["slot"]: s for s in (await client.get("/workflows/tiny@1/slots", headers=reviewer)).json()["items"]}
    assert (slots["frame_rate"]["range"], slots["frame_rate"]["default"]) == ("1 to 120", 24)
    place = "/workflows/tiny/slots"
    given = {"node": "7", "input": "blend_factor", "name": "grain", "maximum": 1}
    assert (await client.post(place, json=given, headers=reviewer)).status_code == 403
    made = await client.post(place, json=given, headers=creator)
    assert (made.status_code, made.json()) == (201, {"slot": "grain"})
    assert (await client.post(place, json=given, headers=creator)).status_code == 409
    changed = await client.patch(f"{place}/grain", json={"default": 0.5, "label": "Grain"}, headers=creator)
    assert changed.json() == {"default": None, "label": ""}
    wrong = await client.patch(f"{place}/grain", json={"default": 3}, headers=creator)
    assert (wrong.status_code, wrong.json()["message"]) == (422, "Slot grain takes 1 or less, not 3.")
    assert (await client.patch(f"{place}/grain", json=changed.json(), headers=creator)).json()["default"] == 0.5
    assert (await client.delete(f"{place}/seed", headers=creator)).status_code == 409
    assert (await client.delete(f"{place}/grain", headers=creator)).status_code == 204
    assert (await client.get("/workflows/none/slots", headers=reviewer)).status_code == 404


@pytest.mark.capability("PRD-75/version-management")
async def test_versions_are_shown_and_compared(house: House, client: httpx.AsyncClient, tmp_path: Path) -> None:
    stored(house, tmp_path)
    reviewer = house.key("reviewer")
    graph = (await client.get("/workflows/tiny", headers=reviewer)).json()["graph"]
    graph["9"]["inputs"]["fps"] = 12
    (tmp_path / "tiny.json").write_text(json.dumps(graph))
    house.studio.workflows.import_file(tmp_path / "tiny.json")
    found = (await client.get("/workflows/tiny/difference", headers=reviewer)).json()
    assert (found["before"], found["after"], found["lines"]) == (
        "tiny@1", "tiny@2", ["set: node 9 (CreateVideo), fps: 24 → 12"])  # fmt: skip
    back = (await client.get("/workflows/tiny@1/difference?before=tiny@2", headers=reviewer)).json()
    assert [(c["before"], c["after"]) for c in back["changed"]] == [(12, 24)]
    assert (await client.get("/workflows/tiny@1/difference", headers=reviewer)).status_code == 422


@pytest.mark.capability("PRD-75/workflow-import")
async def test_a_workflow_is_sent(house: House, client: httpx.AsyncClient) -> None:
    creator, reviewer = house.key("creator"), house.key("reviewer")
    given = {"name": "sent", "workflow": tiny_graph()}
    assert (await client.post("/workflows", json=given, headers=reviewer)).status_code == 403
    made = await client.post("/workflows", json=given, headers=creator)
    expected = {"workflow": "sent", "version": 1, "is_new": True, "lost": [], "set_by": []}
    assert (made.status_code, made.json()) == (201, expected)
    assert (await client.post("/workflows", json=given, headers=creator)).json()["is_new"] is False
    graph = {"1": {"class_type": "A", "inputs": {"x": ["9", 0]}}}
    wrong: dict[str, Any]
    for wrong in (
        {"name": "../x"},
        {"workflow": {}},
        {"workflow": graph},
    ):
        answer = await client.post("/workflows", json=given | wrong, headers=creator)
        assert (answer.status_code, bool(answer.json()["message"])) == (422, True)
    missing = await client.get("/workers/none/workflow-files", headers=creator)
    assert missing.status_code == 404
    assert (await client.post("/workflows/from-worker", json={"worker": "none"}, headers=creator)).status_code == 404
