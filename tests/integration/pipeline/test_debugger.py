"""A take looked into, paused, changed and resumed while a real engine runs it."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from dashboards.contracts import DebuggerView
from tests.integration.door.conftest import person
from tests.integration.door.shapes import problems
from x121lib import model as m
from x121lib.access.rights import ReleaseMissingError
from x121lib.base.errors import ForbiddenError, InvalidInputError, NotFoundError, RefusedError, X121Error
from x121lib.comfyui.errors import SlotError
from x121lib.pipeline import heartbeat, tracing
from x121lib.studio import Studio
from x121lib.studio.debugger import Inspection
from x121lib.studio.door import Door
from x121lib.terms.roles import ROLE_PERMISSIONS, Actor
from x121lib.terms.vocabulary import RoleName
from x121lib.testing.small_studio import drive, write_recipe


@pytest.fixture
def slow(equipped: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Studio, uuid.UUID]:
    """Return the equipped studio and the task of one slow take that waits in its queue."""
    monkeypatch.setattr(heartbeat, "LONGEST_S", 0.05)  # the slow nodes take a third of a second each
    equipped.load_scene_type(write_recipe(tmp_path / "r", "slow", segments=1, fault="slow"))
    equipped.project("Aurora").submit(characters=["Aiko"], scene_types=["slow"])
    return equipped, equipped.queue()["task_id"].iloc[0]


@pytest.fixture
def writings(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return whether each writing of a trace was whole, in their order."""
    found: list[bool] = []
    store = tracing.store

    def noted(*given: Any, whole: bool) -> None:
        found.append(whole)
        store(*given, whole=whole)

    monkeypatch.setattr(tracing, "store", noted)
    return found


@contextmanager
def running(studio: Studio) -> Iterator[threading.Thread]:
    """Run what the queue sends in a thread of its own, as a consumer does."""
    messages = studio.work.tick()
    assert [message.kind for message in messages] == ["task"]
    thread = threading.Thread(target=studio.work.run_key, args=(messages[0].key, messages[0].attempt_number))
    thread.start()
    try:
        yield thread
    finally:
        thread.join(60)
        assert not thread.is_alive()


def until(look: Callable[[], Inspection], holds: Callable[[Inspection], bool]) -> Inspection:
    for _ in range(600):
        if holds(now := look()):
            return now
        time.sleep(0.05)
    raise AssertionError("it never came")


def parameters_of_receipt(studio: Studio) -> dict[str, Any]:
    with studio.transaction() as session:
        receipt = session.scalars(sa.select(m.Receipt).order_by(m.Receipt.created_at.desc()).limit(1)).one()
        rows = session.scalars(sa.select(m.ReceiptParameter).where(m.ReceiptParameter.receipt_id == receipt.id))
        return {row.slot: row.value for row in rows} | {"receipt_seed": int(receipt.seed)}


@pytest.mark.capability(
    "PRD-34/pause-and-resume-a-running-job",
    "PRD-34/change-parameters-mid-run",
    "PRD-34/raw-data-inspector",
    "PRD-05/progress-per-node-and-per-prompt",
)
def test_a_take_pauses_after_its_node_and_goes_on_with_another_frame_rate(
    slow: tuple[Studio, uuid.UUID], writings: list[bool]
) -> None:
    studio, task = slow
    debugger = studio.debugger
    assert debugger.look(task).attempt == 0
    began = time.monotonic()
    with running(studio):
        seen = until(lambda: debugger.look(task), lambda look: look.node_id in {"22", "23"})
        assert seen.status == "Running"
        assert seen.node.startswith("ImageQuantize, node 2")
        assert seen.request["22"]["inputs"]["colors"] == 233
        assert "execution_start" in set(seen.events_frame()["type"])
        assert "when the node that runs has ended" in debugger.pause(task)
        assert debugger.look(task).pausing
    most = 3 + (time.monotonic() - began) / heartbeat.WHOLE_EVERY_S
    assert 2 <= writings.count(True) <= most, "the request, the first messages, one every few seconds, the end"
    assert writings.count(False) > 2
    paused = debugger.look(task)
    assert paused.events[-1]["at"] > seen.events[-1]["at"]
    assert (paused.status, paused.pausing) == ("Paused", False)
    assert "25" not in paused.finished
    assert debugger.change(task, {"frame_rate": 25.0}) == {"frame_rate": None}, "it had the workflow's own"
    assert debugger.resume(task) == 1
    drive(studio)
    after = debugger.look(task)
    assert after.status == "Complete"
    assert after.attempt == 2
    assert set(paused.finished) <= set(after.cached), "what had ended comes from the server's cache"
    assert parameters_of_receipt(studio)["frame_rate"] == 25.0
    scene = studio.project("Aurora").scene("Aiko", "slow", "clothed")
    assert list(scene.takes()["status"]) == ["Passed"]
    times = scene.timings().set_index(["attempt", "node"])
    assert times.loc[(1, "22"), "class"] == "ImageQuantize"
    assert times.loc[(1, "22"), "seconds"] > 0.05
    assert not times.loc[(1, "22"), "cached"]
    assert tuple(times.loc[(2, "22"), ["seconds", "cached"]]) == (0.0, True)
    assert times.loc[1, "run_s"].isna().all(), "the paused attempt did not complete"
    assert (times.loc[2, "run_s"] > 0).all()


@pytest.mark.capability("PRD-34/change-parameters-mid-run", "PRD-34/raw-data-inspector")
def test_the_page_changes_a_running_take_at_its_safe_point(slow: tuple[Studio, uuid.UUID]) -> None:
    studio, task = slow
    door, key = Door(studio), str(task)
    admin = person(studio, door, "Ines", "Admin")
    assert problems(door.debugger(admin, None, {"task": key}), DebuggerView) == []
    with running(studio):
        until(lambda: studio.debugger.look(task), lambda look: look.node_id in {"22", "23"})
        view = door.debugger(admin, None, {"raw": "events"})
        assert problems(view, DebuggerView) == []
        assert view["task"]["id"] == key
        assert [n["class"] for n in view["task"]["nodes"] if n["state"] == "running"] == ["ImageQuantize"]
        assert view["task"]["raw"]["events"]
        for wrong, fault in (("-3.0", "frame_rate takes"), ("fast", "is no number")):
            with pytest.raises(X121Error, match=fault):
                door.change_task(admin, key, {"frame_rate": wrong}, go_on=True)
        told = door.change_task(admin, key, {"frame_rate": "25.0"}, go_on=True)
        assert "when the node that runs has ended" in told["text"]
        assert door.debugger(admin, None, {"task": key})["task"]["pending"] == {"frame_rate": "25.0"}
    door.sample()
    after = door.debugger(admin, None, {"task": key, "raw": "request"})["task"]
    assert (after["pending"], after["said"]["status"], after["word"]) == (None, "approved", "Queued")
    assert '"class_type": "ImageQuantize"' in after["raw"]["text"]
    drive(studio)
    assert parameters_of_receipt(studio)["frame_rate"] == 25.0
    done = door.debugger(admin, None, {"task": key, "raw": "result"})["task"]
    assert (done["can"], '"succeeded": true' in done["raw"]["text"]) == ([], True)


def test_a_take_pauses_at_once_and_can_be_cancelled(slow: tuple[Studio, uuid.UUID]) -> None:
    studio, task = slow
    with running(studio):
        until(lambda: studio.debugger.look(task), lambda look: look.node_id in {"22", "23"})
        started = time.monotonic()
        assert "at once" in studio.debugger.pause(task, at="now")
        assert studio.debugger.look(task).status == "Paused"
    assert time.monotonic() - started < 30
    with pytest.raises(RefusedError, match="is paused"):
        studio.debugger.pause(task)
    assert studio.cancel([task]) == 1
    assert studio.project("Aurora").scene("Aiko", "slow", "clothed").head()["status"] == "Not started"


@pytest.mark.parametrize(
    ("values", "error", "says"),
    [
        ({"seed_image": "x.png"}, InvalidInputError, "filled by X121 itself"),
        ({"steps": 20}, SlotError, "no slot steps"),
        ({"seed": "many"}, SlotError, "takes a number"),
        ({"seed": 1, "frame_rate": -3.0}, SlotError, "frame_rate takes"),
    ],
)
def test_a_wrong_value_changes_nothing(
    slow: tuple[Studio, uuid.UUID], values: dict[str, Any], error: type[X121Error], says: str
) -> None:
    studio, task = slow
    before = studio.debugger.look(task).parameters
    with pytest.raises(error, match=says):
        studio.debugger.change(task, values)
    assert studio.debugger.look(task).parameters == before


def test_an_own_value_is_shown_and_taken_back(slow: tuple[Studio, uuid.UUID]) -> None:
    studio, task = slow
    studio.debugger.change(task, {"frame_rate": 25.0})
    look = studio.debugger.look(task)
    assert (look.overridden, look.parameters["frame_rate"]) == (("frame_rate",), 25.0)
    assert studio.debugger.change(task, {"frame_rate": None}) == {"frame_rate": 25.0}
    assert studio.debugger.look(task).overridden == ()
    assert studio.debugger.change(task, {"seed": 4242})["seed"] == look.parameters["seed"]
    assert studio.debugger.look(task).parameters["seed"] == 4242
    drive(studio)
    assert parameters_of_receipt(studio)["seed"] == parameters_of_receipt(studio)["receipt_seed"] == 4242


def test_who_may_not_is_refused_and_an_unknown_task_is_named(slow: tuple[Studio, uuid.UUID]) -> None:
    studio, task = slow
    with pytest.raises(NotFoundError, match=str(uuid.UUID(int=1))):
        studio.debugger.look(uuid.UUID(int=1))
    with pytest.raises(NotFoundError, match="no intermediate picture"):
        studio.debugger.preview(task)
    with pytest.raises(InvalidInputError, match="node or now"):
        studio.debugger.pause(task, at="step")
    reviewer = studio.as_actor(Actor(None, "Rea", ROLE_PERMISSIONS[RoleName.REVIEWER]))
    with pytest.raises(ForbiddenError):
        reviewer.debugger.change(task, {"seed": 1})
    with pytest.raises(ForbiddenError):
        reviewer.debugger.pause(task)
    assert reviewer.debugger.look(task).status == "Queued"


def test_a_picture_of_somebody_without_a_release_is_not_shown(slow: tuple[Studio, uuid.UUID]) -> None:
    studio, task = slow
    drive(studio)
    with studio.transaction() as session:
        found = tracing.latest(session, task)
        assert found is not None
        trace = found[1]
        trace.preview = b"\xff\xd8 picture"
        performer = session.scalars(
            sa.select(m.Performer)
            .join(m.Character, m.Character.performer_id == m.Performer.id)
            .where(m.Character.name == "Aiko")
        ).one()
    assert studio.debugger.preview(task) == (b"\xff\xd8 picture", "image/jpeg")
    with studio.transaction() as session:
        session.get_one(m.Performer, performer.id).kind_id = m.Performer.kind_id.type.term.REAL
    with pytest.raises(ReleaseMissingError):
        studio.debugger.preview(task)
    with studio.transaction() as session:
        assert tracing.prune(session, studio.house.now()) == 0
        session.execute(sa.update(m.AttemptTrace).values(updated_at=sa.func.now() - sa.text("interval '31 days'")))
        assert tracing.prune(session, studio.house.now()) == 1


@pytest.mark.capability("PRD-28/failure-diagnostics", "OVR/direct-notification-of-execution-errors")
def test_a_failure_keeps_node_inputs_parameters_memory_log_and_says_what_to_do(
    equipped: Studio, tmp_path: Path
) -> None:
    equipped.load_scene_type(write_recipe(tmp_path / "r", "torn", segments=1, fault="broken"))
    equipped.project("Aurora").submit(characters=["Aiko"], scene_types=["torn"])
    task = equipped.queue()["task_id"].iloc[0]
    drive(equipped)
    look = equipped.debugger.look(task)
    assert look.error is not None
    assert "Node 4 (ImageBlur) failed" in look.error
    known = look.failure
    assert (known["node_id"], known["node_type"]) == ("4", "ImageBlur")
    assert (known["node_inputs"]["blur_radius"], known["node_inputs"]["image"]) == (31, ["3", 0])
    assert known["parameters"]["seed"] == look.parameters["seed"]
    assert known["devices"][0]["vram_total_bytes"] > known["devices"][0]["vram_free_bytes"] > 0
    assert "A blur of radius 31" in known["log"]
    assert known["proposal"]
    door = Door(equipped)
    view = door.debugger(person(equipped, door, "Noor", "Creator"), None, {"task": str(task)})
    assert view["task"] is not None
    assert problems(view, DebuggerView) == []
    failure = view["task"]["failure"]
    assert failure["proposal"] is None  # the error has said it already
    assert view["task"]["raw"]["which"] == "failure"
    assert [label for label, _ in failure["facts"]][:2] == ["Memory of cpu", "Inputs of the node"]


def test_a_take_that_was_refused_before_it_was_sent_says_what_to_do(equipped: Studio, tmp_path: Path) -> None:
    with equipped.transaction() as session:  # a worker that never said what it has is believed
        session.execute(sa.update(m.Worker).values(capabilities_hash=None))
    equipped.load_scene_type(write_recipe(tmp_path / "r", "odd", segments=1, fault="unknown"))
    equipped.project("Aurora").submit(characters=["Aiko"], scene_types=["odd"])
    task = equipped.queue()["task_id"].iloc[0]
    drive(equipped)
    known = equipped.debugger.look(task).failure
    assert "node pack" in known["proposal"]
    assert known["devices"]
