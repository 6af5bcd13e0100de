"""The queue over the API: what waits is moved, edited, put back."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
import sqlalchemy as sa

from tests.integration.api.conftest import House
from x121lib import model as m
from x121lib.base.ids import new_id
from x121lib.terms.vocabulary import TaskKind, TaskStatus

pytestmark = pytest.mark.asyncio


def queued(house: House, n: int) -> list[str]:
    keys = [new_id() for _ in range(n)]
    with house.database.transaction() as session:
        session.execute(sa.update(m.GpuTask).values(status_id=TaskStatus.CANCELLED))
        takes = session.scalars(sa.select(m.Take.id).limit(n)).all()
        for key, take in zip(keys, takes, strict=True):
            session.add(
                m.GpuTask(
                    id=key, kind_id=TaskKind.TAKE, take_id=take, project_id=house.made.spring, priority=50,
                    status_id=TaskStatus.QUEUED, queued_at=datetime.now(UTC),
                )
            )  # fmt: skip
    return [str(key) for key in keys]


async def test_tasks_are_moved_edited_and_put_back(house: House, client: httpx.AsyncClient) -> None:
    admin, creator = house.key("admin"), house.key("creator")
    a, b = queued(house, 2)

    async def order() -> list[str]:
        return [t["task_id"] for t in (await client.get("/queue", headers=creator)).json()["items"]]

    assert await order() == [a, b]
    given = {"task_ids": [b], "where": "before", "anchor_id": a}
    assert (await client.post("/queue/move", json=given, headers=creator)).status_code == 403
    moved = await client.post("/queue/move", json=given, headers=admin)
    assert (moved.status_code, moved.json()["n_tasks"]) == (200, 1)
    assert await order() == [b, a]
    edited = await client.post("/queue/edit", json={"project": "Spring", "priority_class": "Urgent"}, headers=admin)
    assert edited.json()["summary"] == "2 tasks: Urgent"
    for wrong in (
        {"project": "Spring", "priority": 101}, {"project": "Spring", "not_before": "2099-01-01T00:00:00"}, {},
        {"where": "front"}, {"project": "Spring", "tier": "x"},
    ):  # fmt: skip
        assert (await client.post("/queue/edit", json=wrong, headers=admin)).status_code == 422
    assert (await client.post("/queue/undo", json={}, headers=creator)).status_code == 404
    undone = await client.post("/queue/undo", json={}, headers=admin)
    assert undone.json()["change_id"] == edited.json()["change_id"]
    again = await client.post("/queue/undo", json={"change_id": edited.json()["change_id"]}, headers=admin)
    assert again.status_code == 409
    await client.post("/queue/undo", json={"change_id": moved.json()["change_id"]}, headers=admin)
    assert await order() == [a, b], "one after the other"
    kept = (await client.get("/queue/changes", headers=creator)).json()["items"]
    assert [row["person"] for row in kept] == ["Admin", "Admin"]


async def test_a_project_is_paused_and_goes_on(house: House, client: httpx.AsyncClient) -> None:
    creator = house.key("creator")
    queued(house, 2)
    given = {"project": "Spring", "reason": "new brief"}
    assert (await client.post("/queue/pause", json=given, headers=house.key("reviewer"))).status_code == 403
    assert (await client.post("/queue/pause", json=given, headers=creator)).json() == {"changed": 1}
    assert (await client.post("/queue/pause", json=given, headers=creator)).status_code == 409
    (held,) = (await client.get("/queue/pauses", headers=creator)).json()["items"]
    assert (held["target"], held["person"], held["reason"]) == ("Spring", "Creator", "new brief")
    tasks = (await client.get("/queue", headers=creator)).json()["items"]
    assert {task["status"] for task in tasks} == {"Paused"}
    assert (await client.post("/queue/resume", json={"project": "Spring"}, headers=creator)).json() == {"changed": 1}
    assert (await client.post("/queue/resume", json={}, headers=creator)).status_code == 409
    assert (await client.post("/queue/pause", json={"project": "None"}, headers=creator)).status_code == 404
