"""Models sent to workers' hosts: a state per worker, breaks, crashes, and hosts that do not take them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.integration.agent.test_agent import made, running
from x121lib import model as m
from x121lib.agent.client import AgentClient
from x121lib.base.errors import ForbiddenError, InvalidInputError, NotFoundError, RefusedError
from x121lib.studio import Studio
from x121lib.terms.roles import ROLE_PERMISSIONS, Actor
from x121lib.terms.transitions import TransitionError
from x121lib.terms.vocabulary import EventKind, RoleName
from x121lib.testing.fake_nvml import FakeNvml
from x121lib.testing.small_studio import Clock

PATH = "loras/soft.safetensors"
BODY = bytes(range(256)) * 9000
SHA = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def hosts(stocked: Studio, engine_url: str, tmp_path: Path) -> Iterator[dict[str, tuple[str, str]]]:
    """Attach three workers: ``one`` and ``two`` take models, ``three`` does not; returns address and key of each."""
    (tmp_path / "own" / "loras").mkdir(parents=True)
    (tmp_path / "own" / PATH).write_bytes(BODY)
    stocked.models.scan(tmp_path / "own")
    found = {}
    with ExitStack() as stack:
        for name in ("one", "two", "three"):
            (tmp_path / name / "models").mkdir(parents=True)
            given = made(tmp_path / name, models=tmp_path / name / "models", receive_models=name != "three")
            found[name] = stack.enter_context(running(given, FakeNvml()))
            stocked.workers.add(
                engine_url.replace("127.0.0.1", {"one": "127.0.0.1", "two": "127.0.0.2", "three": "127.0.0.3"}[name]),
                name=name,
                engine=True,
            )
            stocked.agents.attach(name, *found[name])
        yield found


def states(studio: Studio) -> dict[str, Any]:
    return {row.worker: (row.status, row.sent_bytes) for row in studio.placements.list().itertuples()}


@pytest.mark.capability("PRD-104/worker-distribution")
def test_a_model_goes_to_every_host_and_each_has_its_state(
    stocked: Studio, hosts: dict[str, tuple[str, str]], tmp_path: Path
) -> None:
    assert sorted(stocked.placements.add(PATH)) == ["one", "three", "two"]
    assert states(stocked) == dict.fromkeys(("one", "two", "three"), ("queued", 0))
    while stocked.placements.run_next():
        pass
    whole = ("complete", len(BODY))
    assert states(stocked) == {"one": whole, "two": whole, "three": ("failed", 0)}
    frame = stocked.placements.list(PATH).set_index("worker")
    assert "receive_models" in frame["trouble"]["three"]
    assert (tmp_path / "two" / "models" / PATH).read_bytes() == BODY
    assert stocked.placements.add(PATH) == ["three"]
    with stocked.transaction() as session:
        kinds = session.scalars(sa.select(m.Event.kind_id).where(m.Event.kind_id == EventKind.MODEL_DISTRIBUTED))
        assert len(list(kinds)) == 2
    (tmp_path / "own" / PATH).write_bytes(BODY + b"new")
    stocked.models.scan(tmp_path / "own")
    assert not stocked.placements.list(PATH).set_index("worker")["is_newest"]["one"]
    assert sorted(stocked.placements.add(PATH, ["one"])) == ["one"]
    while stocked.placements.run_next():
        pass
    assert (tmp_path / "one" / "models" / PATH).read_bytes() == BODY + b"new"
    (tmp_path / "two" / "models" / PATH).write_bytes(b"made by hand")
    stocked.placements.add(PATH, ["two"])
    assert stocked.placements.run_next()
    assert "Another file lies" in stocked.placements.list(PATH).set_index("worker")["trouble"]["two"]
    assert (tmp_path / "two" / "models" / PATH).read_bytes() == b"made by hand"


def test_models_go_by_tag_and_each_way_is_paused_resumed_and_cancelled(
    stocked: Studio, hosts: dict[str, tuple[str, str]], reviewer: Actor
) -> None:
    stocked.workers.change("two", tags=("big",))
    with pytest.raises(InvalidInputError, match="has the tag 'small'"):
        stocked.placements.add(PATH, tag="small")
    assert stocked.placements.add(PATH, tag="big") == ["two"]
    AgentClient(*hosts["two"]).send_file(PATH, SHA, (0, len(BODY)), iter([BODY[:70_000]]))
    with pytest.raises(ForbiddenError):
        stocked.as_actor(reviewer).placements.pause(PATH, "two")
    with pytest.raises(NotFoundError, match="was not sent there"):
        stocked.placements.pause(PATH, "one")
    stocked.placements.pause(PATH, "two")
    assert not stocked.placements.run_next()
    assert stocked.placements.add(PATH, ["two"]) == []
    assert states(stocked)["two"][0] == "paused"
    stocked.placements.cancel(PATH, "two")
    assert AgentClient(*hosts["two"]).file_state(PATH, SHA)["part_bytes"] == 0
    with pytest.raises(TransitionError, match="from cancelled to queued"):
        stocked.placements.resume(PATH, "two")
    assert stocked.placements.add(PATH, ["two"]) == ["two"]
    stocked.placements.pause(PATH, "two")
    stocked.placements.resume(PATH, "two")
    assert stocked.placements.run_next()
    assert states(stocked)["two"] == ("complete", len(BODY))


def test_a_running_way_that_is_cancelled_stops_and_leaves_nothing(
    stocked: Studio, hosts: dict[str, tuple[str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("x121lib.studio.placements.BLOCK_BYTES", 1000)
    monkeypatch.setattr("x121lib.studio.placements.TELL_S", 0.0)
    stocked.placements.add(PATH, ["one"])
    report, told = stocked.placements._report, []

    def report_then_cancel(*given: Any) -> bool:
        told.append(given)
        if len(told) == 4:
            stocked.placements.cancel(PATH, "one")
        return report(*given)

    monkeypatch.setattr(stocked.placements, "_report", report_then_cancel)
    assert stocked.placements.run_next()
    assert (states(stocked)["one"][0], len(told)) == ("cancelled", 4)
    assert list((tmp_path / "one" / "models").rglob("*soft*")) == []


def test_what_a_host_has_is_not_sent_again_and_a_dead_run_is_taken_over(
    stocked: Studio, hosts: dict[str, tuple[str, str]], clock: Clock
) -> None:
    client = AgentClient(*hosts["one"])
    client.send_file(PATH, SHA, (0, len(BODY)), iter([BODY[:70_000]]))
    stocked.placements.add(PATH, ["one"])
    stop = threading.Event()
    stop.set()
    assert stocked.placements.run_next(stop)
    assert states(stocked)["one"][0] == "queued"
    with stocked.transaction() as session:
        dead = {"status_id": "running", "lease_until": clock() - timedelta(seconds=1)}
        session.execute(sa.update(m.ModelPlacement).values(**dead))
    assert client.file_state(PATH, SHA)["n_bytes"] >= 70_000
    assert stocked.placements.run_next()
    assert not stocked.placements.run_next()
    assert states(stocked)["one"] == ("complete", len(BODY))


def test_what_can_not_be_sent_is_said(stocked: Studio, hosts: dict[str, tuple[str, str]], tmp_path: Path) -> None:
    creator = stocked.as_actor(Actor(None, "creator", ROLE_PERMISSIONS[RoleName.CREATOR]))
    with pytest.raises(ForbiddenError):
        creator.placements.add(PATH)
    with pytest.raises(NotFoundError):
        stocked.placements.add(PATH, ["nobody"])
    stocked.placements.add(PATH, ["one"])
    (tmp_path / "own" / PATH).unlink()
    assert stocked.placements.run_next()
    assert states(stocked)["one"][0] == "failed"
    stocked.models.scan(tmp_path / "own")
    with pytest.raises(RefusedError, match="missing"):
        stocked.placements.add(PATH, ["one"])
    with stocked.transaction() as session:
        session.execute(sa.delete(m.WorkerAgent))
    with pytest.raises(InvalidInputError, match="No worker has an agent"):
        stocked.placements.add(PATH)
