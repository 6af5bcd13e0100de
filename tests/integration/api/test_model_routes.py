"""The library of models over the API."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.integration.api.conftest import House
from x121lib.testing.file_site import FileSite, Page

pytestmark = pytest.mark.asyncio


async def test_models_are_listed_shown_rated_and_noted(house: House, client: httpx.AsyncClient, tmp_path: Path) -> None:
    (tmp_path / "models" / "loras").mkdir(parents=True)
    (tmp_path / "models" / "loras" / "a.safetensors").write_bytes(b"a")
    house.studio.models.scan(tmp_path / "models")
    creator, reviewer = house.key("creator"), house.key("reviewer")
    assert (await client.get("/models")).status_code == 401
    row = (await client.get("/models", headers=reviewer)).json()["items"][0]
    assert (row["name"], row["version"], row["status"], row["n_bytes"]) == ("a.safetensors", 1, "present", 1)
    place = f"/models/{row['model_id']}"
    assert (await client.put(f"{place}/rating", headers=reviewer, json={"rating": 3})).status_code == 403
    assert (await client.put(f"{place}/rating", headers=creator, json={"rating": 6})).status_code == 422
    assert (await client.put(f"{place}/rating", headers=creator, json={"rating": 3})).status_code == 204
    made = await client.post(f"{place}/notes", headers=creator, json={"text": "Soft.", "warning": True})
    assert made.status_code == 201
    shown = (await client.get(place, headers=reviewer)).json()
    assert (shown["rating"], shown["notes"][0]["text"], shown["notes"][0]["by"]) == (3, "Soft.", "Creator")
    assert (await client.get(f"{place}/uses", headers=reviewer)).json()["total"] == 0
    assert (await client.get(f"{place}/stale", headers=reviewer)).json()["total"] == 0
    assert (await client.get("/models/018f0000-0000-7000-8000-000000000000", headers=reviewer)).status_code == 404


async def test_downloads_are_queued_paused_resumed_and_cancelled(
    house: House, client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = FileSite()
    site.pages["/soft.pt"] = Page(b"w" * 100)
    (tmp_path / "models").mkdir()
    settings = house.studio.settings
    monkeypatch.setattr(settings, "models_dir", tmp_path / "models")
    monkeypatch.setattr(settings, "disk_reserve_mb", 0)
    creator, body = house.key("creator"), {"address": f"{site.url}/soft.pt", "kind": "loras"}
    assert (await client.post("/model-downloads", headers=creator, json=body)).status_code == 422
    monkeypatch.setattr(settings, "download_private_hosts", [f"127.0.0.1:{site.port}"])
    assert (await client.post("/model-downloads", headers=house.key("reviewer"), json=body)).status_code == 403
    gone = body | {"address": f"{site.url}/none.pt"}
    assert (await client.post("/model-downloads", headers=creator, json=gone)).status_code == 502
    made = await client.post("/model-downloads", headers=creator, json=body)
    assert (made.status_code, made.json()["status"], made.json()["n_bytes"]) == (201, "queued", 100)
    place = f"/model-downloads/{made.json()['download_id']}"
    for word, status in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        assert (await client.post(f"{place}/{word}", headers=creator)).json()["status"] == status
    assert (await client.post(f"{place}/resume", headers=creator)).status_code == 409
    assert (await client.get(place, headers=creator)).json()["path"] == "loras/soft.pt"
    assert (await client.get("/model-downloads", headers=creator)).json()["total"] == 1
    site.stop()


async def test_the_inventory_is_scanned_verified_drawn_and_a_model_removed(
    house: House, client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    creator, reviewer = house.key("creator"), house.key("reviewer")
    file = tmp_path / "models" / "loras" / "scanned.safetensors"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"scanned")
    monkeypatch.setattr(house.studio.settings, "models_dir", tmp_path / "models")
    assert (await client.post("/models/scan", headers=reviewer)).status_code == 403
    scanned = (await client.post("/models/scan", headers=creator)).json()
    assert (scanned["added"], scanned["n_hashed"]) == (["loras/scanned.safetensors"], 1)
    named = {"names": ["loras/scanned.safetensors"]}
    file.write_bytes(b"altered")
    verified = (await client.post("/models/verify", headers=creator, json=named)).json()
    assert verified == [{"path": "loras/scanned.safetensors", "status": "altered"}]
    rows = (await client.get("/models?kind=loras", headers=reviewer)).json()["items"]
    place = next(f"/models/{row['model_id']}" for row in rows if row["name"] == "scanned.safetensors")
    drawn = await client.get(f"{place}/graph", headers=reviewer)
    assert (drawn.headers["content-type"], drawn.text[:4]) == ("image/svg+xml", "<svg")
    assert (await client.get(f"{place}/notes", headers=reviewer)).json() == []
    file.unlink()
    await client.post("/models/scan", headers=creator)
    lost = (await client.post("/models/repair", headers=creator)).json()
    assert {"path": "loras/scanned.safetensors", "found": None, "still_named": []} in lost
    assert (await client.delete(place, headers=reviewer)).status_code == 403
    assert (await client.delete(place, headers=creator)).status_code == 204
    assert (await client.get(place, headers=reviewer)).status_code == 404
