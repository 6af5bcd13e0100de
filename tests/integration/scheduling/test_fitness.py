"""Dispatch sends a take only where the node classes and models of its workflow are, and says what is missing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.integration.catalogue.test_checks import load_styled, specs
from x121lib import model as m
from x121lib.scheduling import matching, queries, workers
from x121lib.terms.vocabulary import TaskStatus, WorkerStatus

if TYPE_CHECKING:
    from tests.integration.scheduling.conftest import Queue

STYLE = "LoadStyle"


def tell(line: Queue, name: str, folder: Path, *, without: str = "", models: tuple[str, ...] = ()) -> None:
    """Store what a worker's server says."""
    said = {key: spec for key, spec in specs(folder).items() if key != without}
    if STYLE in said:
        options = ["COMBO", {"options": list(models)}]
        said[STYLE] = said[STYLE] | {"input": {"required": {"image": ["IMAGE"], "lora_name": options}}}
    with line.studio.transaction() as session:
        files = frozenset(("loras", model) for model in models)
        workers.record_capabilities(session, line.workers[name], said, files, line.studio.house.now())


def submit_styled(line: Queue, folder: Path) -> None:
    """Queue Aiko's scene of the type *styled*, which loads soft.safetensors, before everything else."""
    load_styled(line.studio, folder / "r", lora_style="soft.safetensors")
    line.studio.project("Aurora").submit(characters=["Aiko"], scene_types=["styled"], priority="Urgent")


def reasons(line: Queue) -> set[str]:
    frame = line.studio.queue()
    return set(frame[(frame["scene_type"] == "styled") & frame["waits_for"].isna()]["why"])


@pytest.mark.capability("OVR/pre-run-workflow-health-check-of-loras-and-nodes")
def test_a_take_waits_for_a_worker_that_has_all_and_the_queue_says_why(line: Queue, tmp_path: Path) -> None:
    submit_styled(line, tmp_path)
    line.add_worker("a", slots=9)
    tell(line, "a", tmp_path, without=STYLE)
    assert {str(line.task(s.task_id).priority) for s in line.dispatch()} == {"50"}, "only what it can run"
    assert reasons(line) == {"No worker has node class LoadStyle or model loras/soft.safetensors."}
    line.add_worker("b")
    tell(line, "b", tmp_path)
    assert line.dispatch() == []
    assert reasons(line) == {"No worker has model loras/soft.safetensors."}
    tell(line, "b", tmp_path, models=("soft.safetensors",))
    with line.studio.transaction() as session:
        worker = session.get_one(m.Worker, line.workers["b"])
        worker.status_id = WorkerStatus.DRAINING
    assert line.dispatch() == []
    assert reasons(line) == {
        "Node class LoadStyle (pack Lora-Pack), model loras/soft.safetensors are only on b, which is draining."
    }
    with line.studio.transaction() as session:
        session.get_one(m.Worker, line.workers["b"]).status_id = WorkerStatus.ONLINE
    (sent,) = line.dispatch()
    assert line.task(sent.task_id).worker_id == line.workers["b"]


def test_a_worker_that_never_said_what_it_has_gets_everything(line: Queue, tmp_path: Path) -> None:
    submit_styled(line, tmp_path)
    line.add_worker("a")
    (sent,) = line.dispatch()
    assert line.task(sent.task_id).priority == 80


def test_a_take_s_own_value_counts_before_its_scene_type_s(line: Queue, tmp_path: Path) -> None:
    submit_styled(line, tmp_path)
    line.add_worker("a")
    tell(line, "a", tmp_path, models=("hard.safetensors",))
    assert line.task(line.dispatch()[0].task_id).priority == 50, "it lacks soft.safetensors"
    with line.studio.transaction() as session:
        views = queries.worker_views(session, line.studio.house.now())
        urgent = list(session.scalars(sa.select(m.GpuTask.id).where(m.GpuTask.priority == 80)))
        assert set(queries.lacks(session, urgent, views)) == set(urgent)
        first = session.get_one(m.GpuTask, min(urgent))
        session.add(m.TakeOverride(take_id=first.take_id, slot="lora_style", value="hard.safetensors"))
        session.flush()
        assert first.id not in queries.lacks(session, urgent, views)


def test_a_long_batch_that_runs_nowhere_holds_up_nothing_behind_it(
    line: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "SPARE", -1)
    submit_styled(line, tmp_path)
    styled = {t.id for t in urgent(line)}
    with line.studio.transaction() as session:  # one share and priority, those that run nowhere first
        session.execute(sa.update(m.GpuTask).values(priority=50))
        first = line.studio.house.now() - timedelta(hours=1)
        session.execute(sa.update(m.GpuTask).where(m.GpuTask.id.in_(styled)).values(queued_at=first))
    line.add_worker("a", slots=2)
    tell(line, "a", tmp_path, without=STYLE)
    sent = line.dispatch()
    assert len(sent) == 1
    assert not styled & {s.task_id for s in sent}
    assert {line.task(t).status_id for t in styled} == {TaskStatus.QUEUED}


def urgent(line: Queue) -> list[m.GpuTask]:
    with line.studio.transaction() as session:
        return list(session.scalars(sa.select(m.GpuTask).where(m.GpuTask.priority == 80)))


def test_the_same_words_again_write_nothing_and_a_new_place_is_asked_soon(line: Queue, tmp_path: Path) -> None:
    submit_styled(line, tmp_path)
    line.add_worker("a")
    tell(line, "a", tmp_path, without=STYLE)
    now = line.studio.house.now()
    with line.studio.transaction() as session:
        before = session.scalar(sa.text("SELECT max(xmin::text::bigint) FROM worker_node_class"))
    tell(line, "a", tmp_path, without=STYLE)
    with line.studio.transaction() as session:
        assert session.scalar(sa.text("SELECT max(xmin::text::bigint) FROM worker_node_class")) == before
        assert workers.capabilities_due(session, now) == []
        assert queries.anything_lacks(session, now), "so it is asked every minute"
        workers.ask_again(session, line.workers["a"])
        assert [key for key, _ in workers.capabilities_due(session, now)] == [line.workers["a"]]
