"""Recurring schedules over the API."""

from __future__ import annotations

import httpx
import pytest

from tests.integration.api.conftest import House

pytestmark = pytest.mark.asyncio
NIGHTLY = {"name": "Nightly", "project": "Spring", "cron": "30 22 * * *", "zone": "Europe/Berlin", "failed_only": True}


async def test_a_schedule_is_set_shown_run_and_removed(house: House, client: httpx.AsyncClient) -> None:
    creator, reviewer = house.key("creator"), house.key("reviewer")
    assert (await client.post("/schedules", json=NIGHTLY, headers=reviewer)).status_code == 403
    made = await client.post("/schedules", json=NIGHTLY, headers=creator)
    assert made.status_code == 201
    assert (await client.post("/schedules", json=NIGHTLY, headers=creator)).status_code == 409
    for wrong in ({"cron": "0 0 30 2 *"}, {"cron": "0 0 0 * * *"}, {"zone": "Mars"}, {"more": 1}, {"name": ""}):
        answer = await client.post("/schedules", json=NIGHTLY | {"name": "Other"} | wrong, headers=creator)
        assert answer.status_code == 422, wrong
    (row,) = (await client.get("/schedules", headers=reviewer)).json()["items"]
    assert (row["schedule"], row["person"], row["failed_only"], row["enabled"]) == ("Nightly", "Creator", True, True)
    assert row["next_due_at"]
    shown = (await client.get("/schedules/nightly", headers=reviewer)).json()
    assert {key: shown[key] for key in NIGHTLY} == NIGHTLY
    later = NIGHTLY | {"cron": "0 6 * * *", "priority": "Background", "version": shown["version"]}
    assert (await client.put("/schedules/Nightly", json=later, headers=reviewer)).status_code == 403
    put = await client.put("/schedules/Nightly", json=later, headers=creator)
    assert (put.status_code, put.json()["cron"], put.json()["priority"]) == (200, "0 6 * * *", "Background")
    stale = await client.put("/schedules/Nightly", json=later, headers=creator)
    assert (stale.status_code, stale.json()["message"]) == (409, "'Nightly' was changed meanwhile.")
    assert (await client.put("/schedules/Nightly", json=NIGHTLY | {"zone": "Mars"}, headers=creator)).status_code == 422
    assert (await client.put("/schedules/Gone", json=NIGHTLY, headers=creator)).status_code == 404
    ran = await client.post("/schedules/Nightly/run", headers=creator)
    assert ran.status_code == 200
    (run,) = (await client.get("/schedules/Nightly/runs", headers=reviewer)).json()["items"]
    assert run["outcome"] == ran.json()["outcome"]
    assert (await client.post("/schedules/Nightly/disable", headers=reviewer)).status_code == 403
    assert (await client.post("/schedules/Nightly/disable", headers=creator)).status_code == 204
    assert (await client.post("/schedules/Nightly/enable", headers=house.key("admin"))).status_code == 204
    assert (await client.delete("/schedules/Nightly", headers=creator)).status_code == 204
    assert (await client.get("/schedules/Nightly/runs", headers=creator)).status_code == 404
