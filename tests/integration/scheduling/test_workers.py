"""Workers: registration, health, draining; plans for later; what people did to the queue."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import ForbiddenError, NotFoundError
from x121lib.comfyui.engine import start_engine
from x121lib.terms.roles import Actor
from x121lib.terms.vocabulary import TaskStatus

if TYPE_CHECKING:
    from tests.integration.scheduling.conftest import Queue
    from x121lib.studio import Studio
    from x121lib.testing.small_studio import Clock


@pytest.mark.capability("PRD-46/health-checks-heartbeat")
def test_a_silent_worker_is_degraded_then_offline_then_online_again(line: Queue, clock: Clock) -> None:
    line.add_worker("one")
    assert line.status("one") == "online"
    line.report("one", ok=False)
    assert line.status("one") == "degraded"
    assert line.dispatch() == []
    clock.advance(16)
    line.report("one", ok=False)
    assert line.status("one") == "offline"
    assert "None of the 1 GPU workers is online" in line.studio.queue().iloc[0]["why"]
    line.report("one", ok=True)
    assert line.status("one") == "online"
    assert len(line.dispatch()) == 1


@pytest.mark.capability("PRD-46/worker-registration", "PRD-05/several-comfyui-servers-at-once",
                        "PRD-05/real-time-state-sync-with-comfyui")  # fmt: skip
def test_real_servers_are_asked_all_at_once_and_a_dead_one_is_named(stocked: Studio, tmp_path: Path) -> None:
    engines = [start_engine(tmp_path / str(n)) for n in range(2)]
    try:
        for number, engine in enumerate(engines):
            stocked.workers.add(engine.url + "/", name=f"engine {number}", engine=True)
        stocked.workers.add("http://127.0.0.1:9", name="dead")
        stocked.work.check_workers()
        frame = stocked.workers.list().set_index("name")
        assert dict(frame["status"]) == {"dead": "offline", "engine 0": "online", "engine 1": "online"}
        assert frame.loc["engine 0", "version"].startswith("0.26")
    finally:
        for engine in engines:
            engine.stop()


def test_an_engine_that_comes_back_elsewhere_is_the_same_worker(stocked: Studio) -> None:
    first = stocked.workers.add("http://127.0.0.1:7001", name="engine 1", engine=True)
    assert stocked.workers.add("http://127.0.0.1:7002", name="engine 1", engine=True) == first
    assert list(stocked.workers.list()["url"]) == ["http://127.0.0.1:7002"]


def test_a_draining_worker_finishes_and_gets_nothing_more(line: Queue) -> None:
    line.add_worker("one")
    (sent,) = line.dispatch()
    line.studio.workers.drain("one")
    line.run(sent)
    line.report("one", ok=True)
    assert line.status("one") == "draining"
    assert line.dispatch() == []
    line.studio.workers.reopen("one")
    line.report("one", ok=True)
    assert len(line.dispatch()) == 1


def test_a_removed_worker_is_gone_from_lists_but_not_from_history(line: Queue) -> None:
    line.add_worker("one")
    (sent,) = line.dispatch()
    line.run(sent)
    line.studio.workers.remove("one")
    assert line.studio.workers.list().empty
    assert line.attempts(sent.task_id)[0].worker_id == line.workers["one"]
    with pytest.raises(NotFoundError, match="no worker 'one'"):
        line.studio.workers.drain("one")


@pytest.mark.capability("PRD-46/capability-tags")
def test_tags_are_kept_with_the_worker(stocked: Studio) -> None:
    key = stocked.workers.add("http://127.0.0.1:7001", name="big", slots=2, tags=("high-vram", "high-vram", "fast"))
    with stocked.transaction() as session:
        tags = session.scalars(sa.select(m.WorkerTag.tag).where(m.WorkerTag.worker_id == key)).all()
    assert sorted(tags) == ["fast", "high-vram"]


@pytest.mark.capability("PRD-08/scheduled-submission")
def test_work_for_later_waits_for_its_time_also_after_a_pause(stocked: Studio, clock: Clock) -> None:
    from tests.integration.scheduling.conftest import Queue  # noqa: PLC0415

    line = Queue(stocked)
    line.add_worker("one")
    stocked.project("Aurora").submit(characters=["Aiko"], at=clock() + timedelta(hours=2))
    task = line.chain("Aiko")[0]
    assert task.status_id == TaskStatus.SCHEDULED
    assert line.dispatch() == []
    stocked.pause([task.id])
    stocked.resume([task.id])
    assert line.task(task.id).status_id == TaskStatus.SCHEDULED
    clock.advance(2 * 3600 + 1)
    assert [s.task_id for s in line.dispatch()] == [task.id]


def test_a_reviewer_may_not_touch_the_queue(line: Queue, reviewer: Actor) -> None:
    seen = line.studio.as_actor(reviewer)
    ids = [t.id for t in line.chain("Aiko")]
    for step in (seen.cancel, seen.pause, seen.resume, lambda i: seen.set_priority(i, 90)):
        with pytest.raises(ForbiddenError):
            step(ids)
    with pytest.raises(ForbiddenError):
        seen.workers.add("http://127.0.0.1:7001")
    assert set(line.states("Aiko")) == {TaskStatus.QUEUED}


def test_what_people_do_to_the_queue_is_in_the_audit_log(line: Queue) -> None:
    ids = [t.id for t in line.chain("Aiko")]
    line.studio.set_priority(ids, 70)
    line.studio.pause(ids)
    line.studio.resume(ids)
    line.studio.cancel(ids)
    with line.studio.transaction() as session:
        entries = session.scalars(
            sa.select(m.AuditEntry).where(m.AuditEntry.entity == "gpu_task").order_by(m.AuditEntry.id)
        ).all()
    assert [e.action for e in entries] == ["queue.set_priority", "queue.pause", "queue.resume", "queue.cancel"]
    assert all(sorted(str(i) for i in ids) == e.after["tasks"] for e in entries if e.after)


def test_the_queue_says_why_each_task_waits(line: Queue) -> None:
    frame = line.studio.queue()
    assert list(frame["segment"]) == [1, 2, 3, 1, 2, 3]
    assert "No GPU worker is known" in frame.iloc[0]["why"]
    assert frame.iloc[1]["why"] == "Waits for segment 1 of its scene."
    line.add_worker("one")
    line.dispatch()
    frame = line.studio.queue().set_index(["character", "segment"])
    assert frame.loc[("Aiko", 1), "status"] == "Dispatched"
    assert frame.loc[("Lena", 1), "why"] == "1st in the queue: all 1 slots are busy."
