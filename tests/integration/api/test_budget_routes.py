"""Budgets over the API."""

from __future__ import annotations

import httpx
import pytest

from tests.integration.api.conftest import House

pytestmark = pytest.mark.asyncio


async def test_budgets_are_set_shown_granted_and_removed(house: House, client: httpx.AsyncClient) -> None:
    admin, creator = house.key("admin"), house.key("creator")
    wanted = {"hours": 2.5, "project": "Spring", "period": "month", "warn_at": [50], "exempt": ["variant"]}
    assert (await client.put("/budgets", json=wanted, headers=creator)).status_code == 403
    made = await client.put("/budgets", json=wanted, headers=admin)
    assert made.status_code == 201
    (found,) = (await client.get("/budgets", headers=creator)).json()["items"]
    assert (found["holder"], found["limit_h"], found["hard"], found["exempt"]) == ("Spring", 2.5, True, "variant")
    place = f"/budgets/{made.json()['budget_id']}"
    for wrong in ({"hours": 1}, {"hours": 1, "reason": ""}, {"hours": 1e9, "reason": "x"}):
        assert (await client.post(f"{place}/grants", json=wrong, headers=admin)).status_code == 422
    given = {"hours": 1.5, "reason": "late change"}
    assert (await client.post(f"{place}/grants", json=given, headers=creator)).status_code == 403
    assert (await client.post(f"{place}/grants", json=given, headers=admin)).status_code == 204
    (found,) = (await client.get("/budgets", headers=creator)).json()["items"]
    assert found["allowed_h"] == 4.0
    for wrong in (
        {"hours": -1},
        {"hours": 1, "period": "year"},
        {"hours": 1, "each_person": True, "project": "Spring"},
    ):
        assert (await client.put("/budgets", json=wrong, headers=admin)).status_code == 422
    assert (await client.delete(place, headers=creator)).status_code == 403
    assert (await client.delete(place, headers=admin)).status_code == 204
    assert (await client.get("/budgets", headers=creator)).json()["items"] == []


async def test_shares_are_listed_and_weighted(house: House, client: httpx.AsyncClient) -> None:
    admin, creator = house.key("admin"), house.key("creator")
    assert (await client.put("/shares", json={"weight": 2, "project": "Spring"}, headers=creator)).status_code == 403
    assert (await client.put("/shares", json={"weight": 2, "project": "Spring"}, headers=admin)).status_code == 204
    rows = {row["name"]: row for row in (await client.get("/shares", headers=creator)).json()["items"]}
    assert rows["Spring"]["weight"] == 2.0
    for wrong in ({"weight": 0, "project": "Spring"}, {"weight": 1}):
        assert (await client.put("/shares", json=wrong, headers=admin)).status_code == 422
