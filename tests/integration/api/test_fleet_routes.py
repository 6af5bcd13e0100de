"""The fleet over the API: power, energy, agents and required tags, as the command line has them."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.integration.agent.test_agent import made, running
from tests.integration.api.conftest import House
from x121lib.testing.fake_nvml import FakeNvml

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


@pytest.mark.capability("PRD-104/worker-distribution")
async def test_packs_and_models_on_a_host_are_an_admins(
    house: House, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    admin, creator = house.key("admin"), house.key("creator")
    for folder in ("models", "own/loras", "packs"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "own" / "loras" / "hosted.safetensors").write_bytes(b"weights of a host")
    house.studio.models.scan(tmp_path / "own")
    models = (await client.get("/models", headers=creator)).json()["items"]
    place = next(f"/models/{row['model_id']}" for row in models if row["name"] == "hosted.safetensors")
    pack = {"repo": str(tmp_path / "none"), "commit": "0" * 40}
    given = made(tmp_path, models=tmp_path / "models", receive_models=True, node_packs=tmp_path / "packs",
                 packs={"Extra": pack})  # fmt: skip
    with running(given, FakeNvml()) as (url, key):
        await client.post("/workers", json={"url": "http://127.0.0.3:9", "name": "host"}, headers=admin)
        attached = await client.put("/workers/host/agent", json={"url": url, "key": key}, headers=admin)
        assert attached.status_code == 204
        found = await client.get("/workers/host/packs", headers=admin)
        assert found.json() == [{"name": "Extra", **pack, "installed": ""}]
        assert (await client.get("/workers/host/packs", headers=creator)).status_code == 403
        assert (await client.post("/workers/host/packs/Extra/install", headers=creator)).status_code == 403
        failed = await client.post("/workers/host/packs/Extra/install", headers=admin)
        assert (failed.status_code, "git fetch" in failed.json()["message"]) == (502, True)
        wrong = await client.post(f"{place}/distribute", json={"tag": "none"}, headers=admin)
        assert (wrong.status_code, "'none'" in wrong.json()["message"]) == (422, True)
        sent = await client.post(f"{place}/distribute", json={"workers": ["host"]}, headers=admin)
        assert sent.json() == {"workers": ["host"]}
        for word, status in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
            assert (await client.post(f"{place}/placements/host/{word}", headers=creator)).status_code == 403
            assert (await client.post(f"{place}/placements/host/{word}", headers=admin)).status_code == 204
            rows = (await client.get("/model-placements", headers=creator)).json()["items"]
            assert [row["status"] for row in rows] == [status]
        assert (await client.post(f"{place}/placements/host/resume", headers=admin)).status_code == 409
