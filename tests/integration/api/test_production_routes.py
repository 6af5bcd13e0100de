"""Redo, cancel, tiers and estimates over the API."""

from __future__ import annotations

import uuid

import httpx
import pytest

from tests.integration.api.conftest import House

pytestmark = pytest.mark.asyncio


async def test_cells_are_redone_and_cancelled_all_or_none(house: House, client: httpx.AsyncClient) -> None:
    creator, reviewer = house.key("creator"), house.key("reviewer")
    for what in ("redo", "cancel"):
        place = f"/projects/Spring/{what}"
        assert (await client.post(place, json={}, headers=reviewer)).status_code == 403
        assert (await client.post(f"/projects/Nowhere/{what}", json={}, headers=creator)).status_code == 404
        foreign = {"cells": [{"character": "Lena Autumn", "scene_type": "idle_test"}]}
        answer = await client.post(place, json=foreign, headers=creator)
        assert answer.status_code in (404, 409, 422)
        assert "Lena Autumn" in answer.json()["message"]
        assert (await client.post(place, json={"colour": "red"}, headers=creator)).status_code == 422
    nothing = await client.post("/projects/Spring/cancel", json={}, headers=creator)
    assert nothing.status_code == 409
    assert "Nothing of this is queued or running." in nothing.json()["message"]


async def test_tiers_are_made_listed_and_removed(house: House, client: httpx.AsyncClient) -> None:
    admin, reviewer = house.key("admin"), house.key("reviewer")
    wanted = {"resolution": 0.5, "steps": 0.5, "deliverable": False}
    assert (await client.put("/tiers/Sketch", json=wanted, headers=reviewer)).status_code == 403
    assert (await client.put("/tiers/Sketch", json=wanted, headers=admin)).status_code == 204
    rows = {row["tier"]: row for row in (await client.get("/tiers", headers=reviewer)).json()["items"]}
    assert (rows["Sketch"]["resolution"], rows["Sketch"]["deliverable"]) == (0.5, False)
    for wrong in ({"resolution": 0}, {"steps": 9}, {"rank": 0}):
        assert (await client.put("/tiers/Sketch", json=wrong, headers=admin)).status_code == 422
    assert (await client.delete("/tiers/Sketch", headers=reviewer)).status_code == 403
    assert (await client.delete("/tiers/Sketch", headers=admin)).status_code == 204
    assert (await client.delete("/tiers/Sketch", headers=admin)).status_code == 404


async def test_a_scene_is_raised_only_to_a_tier_that_there_is(house: House, client: httpx.AsyncClient) -> None:
    creator, reviewer = house.key("creator"), house.key("reviewer")
    scene = house.scene(house.made.spring)
    place = f"/scenes/{scene}/tier"
    assert (await client.post(place, json={"tier": "Production"}, headers=reviewer)).status_code == 403
    assert (await client.post(place, json={"tier": "Nowhere"}, headers=creator)).status_code == 404
    assert (await client.post(f"/scenes/{uuid.uuid4()}/tier", json={"tier": "Production"}, headers=creator)).is_error
    compared = await client.get(f"/scenes/{scene}/tiers", headers=reviewer)
    assert compared.status_code == 200


async def test_an_estimate_says_that_it_knows_nothing(house: House, client: httpx.AsyncClient) -> None:
    reviewer = house.key("reviewer")
    answer = await client.post("/projects/Spring/estimate", json={"tier": "Nowhere"}, headers=reviewer)
    assert answer.status_code == 404
    assert (await client.get("/estimates/calibration", headers=reviewer)).json()["items"] == []
