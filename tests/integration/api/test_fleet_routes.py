"""The fleet over the API: power, energy, agents and required tags, as the command line has them."""

from __future__ import annotations

import httpx
import pytest

from tests.integration.api.conftest import House

pytestmark = pytest.mark.asyncio
MAC = "aa:bb:cc:dd:ee:ff@127.0.0.1:9"


@pytest.mark.capability("PRD-46/worker-registration", "PRD-87/scheduled-power-windows")
async def test_a_workers_power_is_set_shown_and_switched(house: House, client: httpx.AsyncClient) -> None:
    admin, creator = house.key("admin"), house.key("creator")
    await client.post("/workers", json={"url": "http://127.0.0.1:9", "name": "far"}, headers=admin)
    plan = {"idle_minutes": 15, "wake": "lan", "target": MAC, "windows": ["sat-sun 10:00-12:00"]}
    assert (await client.put("/workers/far/power", json=plan, headers=creator)).status_code == 403
    found = (await client.put("/workers/far/power", json=plan, headers=admin)).json()
    assert (found["idle_minutes"], found["wake"], found["target"]) == (15.0, "lan", MAC)
    assert found["windows"] == "sat 10:00-12:00, sun 10:00-12:00"
    assert (await client.get("/workers/far/power", headers=creator)).json() == found
    for wrong in ({"wake": "smoke"}, {"wake": "lan", "target": "x"}, {"idle_minutes": 0.5}, {"power": True}):
        answer = await client.put("/workers/far/power", json=wrong, headers=admin)
        assert (answer.status_code, bool(answer.json()["message"])) == (422, True)
    assert (await client.post("/workers/far/wake", headers=admin)).json()["woken_at"] is not None
    asleep = await client.post("/workers/far/sleep", headers=admin)
    assert (asleep.status_code, asleep.json()["message"]) == (404, "No agent of worker 'far' is known.")
    assert (await client.get("/energy", headers=creator)).json()["items"] == []
    gone = await client.put("/workers/far/agent", json={"url": "http://127.0.0.1:9", "key": "k"}, headers=admin)
    assert gone.status_code == 502
    aside = await client.post("/workers/far/maintenance", json={"reason": "new fan"}, headers=admin)
    assert aside.json()["status"] == "maintenance"
    history = (await client.get("/workers/far/history", headers=creator)).json()["items"]
    assert history[0]["reason"] == "new fan"
    missing = await client.put("/workflows/none/tags", json={"tags": ["fast"]}, headers=admin)
    assert missing.status_code == 404
