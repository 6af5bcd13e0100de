"""What pipelines do over the API, against a real database."""

from __future__ import annotations

import hashlib
import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from tests.integration.api.conftest import VIDEO, House
from x121lib import model as m
from x121lib.base.ids import new_id
from x121lib.terms.vocabulary import PerformerKind, SceneStatus, TaskKind, TaskStatus

pytestmark = pytest.mark.asyncio


async def test_projects_are_created_and_listed_by_page(house: House, client: httpx.AsyncClient) -> None:
    headers = house.key("creator")
    made = await client.post("/projects", json={"name": "Winter"}, headers=headers)
    assert made.status_code == 201
    assert made.json()["scenes"] == {}
    listed = (await client.get("/projects", params={"limit": 2, "offset": 1}, headers=headers)).json()
    assert [p["project"] for p in listed["items"]] == ["Spring", "Winter"]
    assert (listed["total"], listed["limit"], listed["offset"]) == (3, 2, 1)
    one = (await client.get("/projects/Spring", headers=headers)).json()
    assert one["scenes"] == {"Approved": 1, "Failed": 1}
    people = (await client.get("/projects/Spring/characters", headers=headers)).json()
    assert [(c["character"], c["likeness"]) for c in people["items"]] == [("Lena Spring", "Synthetic")]


async def test_scenes_show_state_scores_and_receipt(house: House, client: httpx.AsyncClient) -> None:
    headers = house.key("reviewer")
    scenes = (await client.get("/projects/Spring/scenes", headers=headers)).json()
    assert scenes["total"] == 2
    failed = next(s for s in scenes["items"] if s["status"] == "Failed")
    assert "\n" in failed["failure_reason"]
    one = (await client.get(f"/scenes/{failed['scene_id']}", headers=headers)).json()
    assert one == failed
    scores = (await client.get(f"/scenes/{failed['scene_id']}/scores", headers=headers)).json()
    assert {(s["take"], s["metric"]) for s in scores["items"]} >= {(1, "test_metric"), (2, "test_metric")}
    meter = (await client.get(f"/scenes/{failed['scene_id']}/drift", headers=headers)).json()
    assert {(row["metric"], row["outcome"], row["forecast"]) for row in meter} >= {("colour_drift", "passed", None)}
    assert meter[0]["values"] == []
    receipt = await client.get(f"/scenes/{failed['scene_id']}/receipt", headers=headers)
    assert receipt.status_code == 200
    cells = (await client.get("/projects/Spring/matrix", headers=headers)).json()
    assert isinstance(cells["items"], list)


@pytest.mark.capability("PRD-02/async-orchestration-service")
async def test_the_queue_is_seen_paused_resumed_and_cancelled(house: House, client: httpx.AsyncClient) -> None:
    headers = house.key("creator")
    key = new_id()
    with house.database.transaction() as session:
        take = session.scalars(sa.select(m.Take.id).limit(1)).one()
        session.add(
            m.GpuTask(
                id=key, kind_id=TaskKind.TAKE, take_id=take, project_id=house.made.spring, priority=50,
                status_id=TaskStatus.QUEUED, queued_at=datetime.now(UTC),
            )
        )  # fmt: skip
    states = []
    for verb in ("pause", "resume", "cancel"):
        answer = await client.post(f"/tasks/{verb}", json={"task_ids": [str(key)]}, headers=headers)
        assert answer.json() == {"changed": 1}, verb
        queue = (await client.get("/queue", headers=headers)).json()
        states.append([t["status"] for t in queue["items"] if t["task_id"] == str(key)])
    assert states == [["Paused"], ["Queued"], []]


async def test_submitting_what_is_blocked_says_what_is_missing(house: House, client: httpx.AsyncClient) -> None:
    headers = house.key("creator")
    path = "/projects/Spring/submit"
    refused = await client.post(path, json={}, headers=headers)
    assert refused.status_code == 409
    assert refused.json()["message"]
    unknown = await client.post(path, json={"characters": ["Nobody"]}, headers=headers)
    assert unknown.status_code == 404
    naive = await client.post(path, json={"at": "2026-01-01T00:00:00"}, headers=headers)
    assert naive.status_code == 422


async def test_a_decision_is_made_and_undone(house: House, client: httpx.AsyncClient) -> None:
    headers = house.key("admin")
    scene = house.scene(house.made.autumn)
    house.set_status(scene, SceneStatus.REVIEW)
    made = await client.post(f"/scenes/{scene}/decide", json={"outcome": "reject", "reason": "soft"}, headers=headers)
    assert made.status_code == 201
    assert (await client.get(f"/scenes/{scene}", headers=headers)).json()["status"] == "Rejected"
    undo = f"/decisions/{made.json()['decision_id']}/undo"
    assert (await client.post(undo, headers=headers)).status_code == 204
    assert (await client.get(f"/scenes/{scene}", headers=headers)).json()["status"] == "In review"
    again = await client.post(undo, headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "x121.conflict")


async def test_files_come_whole_in_ranges_and_not_at_all(house: House, client: httpx.AsyncClient) -> None:
    headers, path = house.key("reviewer"), f"/files/{house.video}"
    whole = await client.get(path, headers=headers)
    assert whole.content == VIDEO
    assert hashlib.sha256(whole.content).hexdigest() == whole.headers["etag"].strip('"')
    part = await client.get(path, headers=headers | {"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, VIDEO[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(VIDEO)}"
    assert (await client.get(path, headers=headers | {"Range": "bytes=99999-"})).status_code == 416
    assert (await client.get(path, headers=headers | {"If-None-Match": whole.headers["etag"]})).status_code == 304
    assert (await client.head(path, headers=headers)).headers["content-length"] == str(len(VIDEO))
    with house.database.transaction() as session:
        session.execute(sa.update(m.Performer).values(kind_id=PerformerKind.REAL))
    refused = await client.get(path, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "rights.no_cover")


async def test_a_worker_is_added_and_listed(house: House, client: httpx.AsyncClient) -> None:
    headers = house.key("admin")
    made = await client.post(
        "/workers", json={"url": "http://127.0.0.1:9/", "name": "far", "slots": 2}, headers=headers
    )
    assert made.status_code == 201
    workers = (await client.get("/workers", headers=headers)).json()["items"]
    assert [(w["name"], w["url"], w["slots"]) for w in workers if w["worker_id"] == made.json()["worker_id"]] == [
        ("far", "http://127.0.0.1:9", 2)
    ]
    key = made.json()["worker_id"]
    changed = await client.patch(f"/workers/{key}", json={"tags": ["big"], "slots": 3}, headers=headers)
    assert (changed.json()["tags"], changed.json()["slots"]) == ("big", 3)
    for step, status in (("drain", "draining"), ("maintenance", "maintenance"), ("resume", "offline")):
        assert (await client.post(f"/workers/far/{step}", headers=headers)).json()["status"] == status
    history = (await client.get("/workers/far/history", headers=headers)).json()
    assert [h["to"] for h in history["items"]] == ["offline", "maintenance", "draining", "offline"]
    refused = await client.post("/workers/far/drain", headers=house.key("creator"))
    assert refused.status_code == 403
    assert (await client.delete("/workers/far", headers=headers)).json() == {"changed": 1}
    assert (await client.get("/workers/far", headers=headers)).status_code == 404


async def test_a_delivery_lies_in_the_studios_folder_and_is_fetched(house: House, client: httpx.AsyncClient) -> None:
    headers = house.key("creator")
    made = await client.post("/projects/Autumn/deliver", json={"partial": True}, headers=headers)
    assert made.status_code == 201, made.text
    folder = house.studio.settings.home / "deliveries"
    assert [p.name for p in folder.iterdir()] == [made.json()["file"]]
    listed = (await client.get("/deliveries", params={"project": "Autumn"}, headers=headers)).json()["items"]
    assert [(d["fetchable"], Path(d["file"]).parent) for d in listed] == [(True, Path(".")), (False, Path("."))]
    path = f"/deliveries/{made.json()['delivery_id']}/file"
    zipped = await client.get(path, headers=headers)
    assert hashlib.sha256(zipped.content).hexdigest() == made.json()["sha256"]
    with zipfile.ZipFile(io.BytesIO(zipped.content)) as package:
        assert VIDEO in [package.read(n) for n in package.namelist()]
    assert (await client.get(path, headers=house.key("reviewer"))).status_code == 403
    elsewhere = await client.get(f"/deliveries/{listed[1]['delivery_id']}/file", headers=headers)
    assert elsewhere.status_code == 404
    with house.database.transaction() as session:
        session.execute(sa.update(m.Performer).values(kind_id=PerformerKind.REAL))
    assert (await client.get(path, headers=headers)).json()["code"] == "rights.no_cover"


async def test_the_description_names_no_other_host(house: House, client: httpx.AsyncClient) -> None:
    described = await client.get("/openapi.json", headers=house.key("reviewer"))
    assert described.status_code == 200
    assert "/api/projects/{name}/submit" in described.json()["paths"]
    assert "://" not in described.text


async def test_a_task_is_looked_into_and_changed(house: House, client: httpx.AsyncClient) -> None:
    headers = house.key("creator")
    with house.database.transaction() as session:
        task = session.scalars(sa.select(m.GpuTask.id).where(m.GpuTask.take_id.is_not(None)).limit(1)).one()
    trace = await client.get(f"/tasks/{task}/trace", headers=headers)
    assert trace.status_code == 200
    assert (trace.json()["events"], trace.json()["has_preview"]) == ([], False)
    assert (await client.get(f"/tasks/{task}/preview", headers=headers)).status_code == 404
    paused = await client.post(f"/tasks/{task}/pause", json={"at": "now"}, headers=headers)
    assert paused.json()["code"] == "x121.refused", paused.text
    wrong = await client.post(f"/tasks/{task}/pause", json={"at": "step"}, headers=headers)
    assert wrong.status_code == 422
    refused = await client.put(f"/tasks/{task}/parameters", json={"values": {"seed": 1}}, headers=house.key("reviewer"))
    assert refused.status_code in (403, 409), refused.text


async def test_thresholds_are_tried_and_gates_held_against_reviewers(house: House, client: httpx.AsyncClient) -> None:
    headers = house.key("reviewer")
    gates = [{"metric": "colour_drift", "fail_above": 3}]
    tried = await client.post("/quality/what-if", json={"profile": "default", "gates": gates}, headers=headers)
    assert tried.status_code == 200
    assert tried.json()["gates"][0].keys() >= {"failed_now", "failed_then", "unmeasured"}
    wrong = [{"metric": "colour_drift", "fail_above": 3, "warn_above": 5}]
    refused = await client.post("/quality/what-if", json={"profile": "default", "gates": wrong}, headers=headers)
    assert refused.status_code == 422
    assert "contradict" in refused.text
    unknown = await client.post("/quality/what-if", json={"profile": "no", "gates": gates}, headers=headers)
    assert unknown.status_code == 404
    assert (await client.get("/quality/agreement", headers=headers)).status_code == 200
