"""Retakes and retake policies over the API."""

from __future__ import annotations

import uuid

import httpx
import pytest

from tests.integration.api.conftest import House

pytestmark = pytest.mark.asyncio


async def test_policies_are_set_listed_and_removed(house: House, client: httpx.AsyncClient) -> None:
    creator, reviewer = house.key("creator"), house.key("reviewer")
    wanted = {"project": "Spring", "most": 4, "best_of": 2, "vary": {"cfg": 0.5}, "phrases": ["soft light"]}
    assert (await client.put("/retake-policies", json=wanted, headers=reviewer)).status_code == 403
    assert (await client.put("/retake-policies", json=wanted, headers=creator)).status_code == 204
    (found,) = (await client.get("/retake-policies", headers=reviewer)).json()["items"]
    assert found == {
        "scope": "project", "name": "Spring", "most_retakes": 4, "best_of": 2, "gates": "", "vary": "cfg ±0.5",
        "phrases": "soft light",
    }  # fmt: skip
    for wrong in (
        {"project": "Spring", "most": 0},
        {"project": "Spring", "most": 2, "best_of": 3},
        {"project": "Spring", "gates": ["beauty"]},
        {"project": "Spring", "scene_type": "walk"},
        {"most": 3},
    ):
        assert (await client.put("/retake-policies", json=wrong, headers=creator)).status_code == 422
    assert (await client.delete("/retake-policies?project=Spring", headers=reviewer)).status_code == 403
    assert (await client.delete("/retake-policies?project=Spring", headers=creator)).status_code == 204
    assert (await client.get("/retake-policies", headers=reviewer)).json()["items"] == []
    assert (await client.delete("/retake-policies?project=Spring", headers=creator)).status_code == 404


async def test_a_retake_of_an_unknown_scene_or_by_a_reviewer_is_refused(
    house: House, client: httpx.AsyncClient
) -> None:
    creator, reviewer = house.key("creator"), house.key("reviewer")
    nowhere = f"/scenes/{uuid.uuid4()}/retakes"
    assert (await client.post(nowhere, json={"from_segment": 1}, headers=creator)).status_code == 404
    assert (await client.get(nowhere, headers=creator)).status_code == 404
    scene = (await client.get("/projects/Spring/scenes", headers=creator)).json()["items"]
    if scene:
        place = f"/scenes/{scene[0]['scene_id']}/retakes"
        assert (await client.post(place, json={"from_segment": 1}, headers=reviewer)).status_code == 403
        assert (await client.get(place, headers=reviewer)).json() == []
        assert (await client.post(place, json={"from_segment": 99}, headers=creator)).status_code == 422
