"""What pages do happens in the studio, for whom it is allowed, and can be taken back."""

from __future__ import annotations

import zipfile
from typing import Any

import pytest
import sqlalchemy as sa

from tests.integration.door.conftest import Stage, add_image, make_takes
from x121lib import model as m
from x121lib.base.errors import ConflictError, ForbiddenError, InvalidInputError, RefusedError
from x121lib.delivery.service import IncompleteDeliveryError
from x121lib.pipeline import execution, flow
from x121lib.terms import vocabulary as v
from x121lib.testing.small_studio import PORTRAITS


def tasks(stage: Stage) -> list[m.GpuTask]:
    """Return every GPU task, oldest first."""
    with stage.studio.transaction() as session:
        return list(session.scalars(sa.select(m.GpuTask).order_by(m.GpuTask.id)))


def status(stage: Stage) -> v.SceneStatus:
    """Return the one scene's status."""
    with stage.studio.transaction() as session:
        return session.scalars(sa.select(m.Scene.status_id)).one()


def audited(stage: Stage) -> list[str]:
    """Return the actions of the audit log."""
    with stage.studio.transaction() as session:
        return list(session.scalars(sa.select(m.AuditEntry.action).order_by(m.AuditEntry.id)))


def follows(stage: Stage, task: str, other: str | None) -> None:
    """Let a task wait for another one, or for none."""
    with stage.studio.transaction() as session:
        values = {"after_task_id": other, "is_ready": other is None}
        session.execute(sa.update(m.GpuTask).where(m.GpuTask.id == task).values(values))


def test_submitting_queues_what_can_be_made(stage: Stage) -> None:
    both = [stage.cell(stage.cast.lena_character), stage.cell(stage.cast.ada_character)]
    assert stage.door.submit(stage.creator, None, both, None) == "1 scene submitted, 3 takes; 3 blocked"
    assert len(tasks(stage)) == 3
    view = stage.door.matrix(stage.creator, None)
    assert view["counts"] == {"pending": 1, "blocked": 3}


def test_a_selection_is_not_widened_to_a_rectangle(stage: Stage) -> None:
    with pytest.raises(RefusedError):
        stage.door.submit(stage.creator, None, [stage.cell(stage.cast.ada_character)], None)
    assert tasks(stage) == []


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("submit", (None, [("x", "y")], None)), ("cancel", (["00000000-0000-0000-0000-000000000000"],)),
        ("pause", ()), ("resume", ()), ("retry", (["00000000-0000-0000-0000-000000000000"],)),
        ("to_front", (["00000000-0000-0000-0000-000000000000"],)),
    ],
)  # fmt: skip
def test_a_reviewer_may_not_run_the_queue(stage: Stage, name: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ForbiddenError):
        getattr(stage.door, name)(stage.reviewer, *arguments)


def test_a_reviewer_may_neither_deliver_nor_approve_nor_edit(reviewed: Stage) -> None:
    lena, evening = reviewed.cast.lena_character, reviewed.cast.evening
    add_image(reviewed.studio, lena, evening, 9, approved=False)
    card = reviewed.door.character(reviewed.reviewer, None, str(lena))["variants"][1]
    assert not card["can_decide"]
    with pytest.raises(ForbiddenError):
        reviewed.door.decide_variant(reviewed.reviewer, card["id"], "approve")
    with pytest.raises(ForbiddenError):
        reviewed.door.deliver(reviewed.reviewer, None, partial=True)
    with pytest.raises(ForbiddenError):
        reviewed.door.save_field(reviewed.reviewer, str(lena), "age", "30")
    with pytest.raises(ForbiddenError):
        reviewed.door.decide(reviewed.reviewer, str(reviewed.only_scene()), "approve")


def test_a_decision_is_made_and_taken_back(reviewed: Stage) -> None:
    scene = str(reviewed.only_scene())
    reviewed.door.review(reviewed.creator, None, scene)
    decided = reviewed.door.decide(reviewed.creator, scene, "approve", frame=12)
    assert decided["text"] == "Lena · idle · clothed approved"
    assert status(reviewed) == v.SceneStatus.APPROVED
    assert reviewed.door.review(reviewed.creator, None, scene)["decision"]["mine"]
    assert reviewed.door.undo(reviewed.creator, decided["decision_id"]) == "The scene is back in review"
    assert status(reviewed) == v.SceneStatus.REVIEW
    assert reviewed.door.review(reviewed.creator, None, scene)["decision"] is None


def test_a_second_decision_conflicts(reviewed: Stage) -> None:
    scene = str(reviewed.only_scene())
    reviewed.door.decide(reviewed.creator, scene, "approve")
    with pytest.raises(ConflictError, match="Noor has approved"):
        reviewed.door.decide(reviewed.admin, scene, "reject")


def test_a_decision_on_an_older_cut_conflicts(reviewed: Stage) -> None:
    scene = reviewed.only_scene()
    reviewed.door.review(reviewed.creator, None, str(scene))
    assert "segment 2" in reviewed.door.retake(reviewed.admin, str(scene), 60)
    make_takes(reviewed.studio, scene, reviewed.folder)
    execution.assemble(reviewed.studio.house, scene)
    with pytest.raises(ConflictError, match="Version 2"):
        reviewed.door.decide(reviewed.creator, str(scene), "approve")


def test_a_rejection_carries_its_reason(reviewed: Stage) -> None:
    scene = str(reviewed.only_scene())
    decided = reviewed.door.decide(reviewed.reviewer, scene, "reject", frame=100)
    reviewed.door.give_reason(reviewed.reviewer, decided["decision_id"], "hands")
    assert reviewed.door.review(reviewed.admin, None, scene)["decision"]["reason"] == "hands"
    with pytest.raises(InvalidInputError):
        reviewed.door.give_reason(reviewed.reviewer, decided["decision_id"], "no such reason")
    assert reviewed.door.queue(reviewed.admin, None)["queued"] == 0


def test_the_reason_of_somebody_else_stays(reviewed: Stage) -> None:
    decided = reviewed.door.decide(reviewed.creator, str(reviewed.only_scene()), "reject")
    with pytest.raises(ForbiddenError):
        reviewed.door.give_reason(reviewed.reviewer, decided["decision_id"], "hands")


def test_a_note_is_shown_at_its_frame(reviewed: Stage) -> None:
    scene = str(reviewed.only_scene())
    reviewed.door.note(reviewed.reviewer, scene, "Look at the sleeve.", 70)
    notes = reviewed.door.review(reviewed.admin, None, scene)["scene"]["notes"]
    assert [(n["author"], n["frame"], n["text"]) for n in notes] == [("Ben", 70, "Look at the sleeve.")]
    with pytest.raises(InvalidInputError):
        reviewed.door.note(reviewed.reviewer, scene, "Beyond the end", 5000)


def test_the_queue_pauses_goes_on_and_is_reordered(stage: Stage) -> None:
    stage.door.submit(stage.creator, None, [stage.cell(stage.cast.lena_character)], None)
    assert stage.door.pause(stage.creator) == "3 takes paused; what runs now finishes"
    assert stage.door.queue(stage.creator, None)["paused"]
    assert stage.door.resume(stage.creator) == "3 takes go on"
    chain = [str(task.id) for task in tasks(stage)]
    stage.door.to_front(stage.creator, chain[-1:])
    assert [t.priority for t in tasks(stage)] == [50, 50, 50]

    def listed() -> list[str]:
        return [task["id"] for task in stage.door.queue(stage.creator, None)["tasks"]]

    assert listed() == chain, "it stands behind what it waits for"
    follows(stage, chain[-1], None)
    assert listed() == [chain[-1], *chain[:-1]]
    follows(stage, chain[-1], chain[-2])
    assert stage.door.cancel(stage.creator, [str(tasks(stage)[0].id)]) == "3 takes cancelled"
    assert status(stage) == v.SceneStatus.PENDING


def test_a_failed_scene_is_tried_again_from_its_last_good_segment(reviewed: Stage) -> None:
    scene = reviewed.only_scene()
    reviewed.door.retake(reviewed.admin, str(scene), 60)
    with reviewed.studio.transaction() as session:
        task = session.scalars(sa.select(m.GpuTask).where(m.GpuTask.status_id == v.TaskStatus.QUEUED)).first()
        assert task is not None
        task.status_id, task.error_message, task.finished_at = (
            v.TaskStatus.FAILED,
            "No memory.",
            reviewed.studio.house.now(),
        )
        flow.task_failed(session, task, reviewed.studio.house.now())
    failed = [t for t in reviewed.door.queue(reviewed.admin, None)["tasks"] if t["status"] == "failed"]
    assert [(t["why"], t["can"]) for t in failed] == [("No memory.", ["retry"])]
    assert reviewed.door.retry(reviewed.creator, [failed[0]["id"]]) == "2 takes queued again"
    assert status(reviewed) == v.SceneStatus.GENERATING
    with pytest.raises(RefusedError):
        reviewed.door.retry(reviewed.creator, [str(tasks(reviewed)[0].id)])


def test_an_image_variant_is_rejected_and_approved(stage: Stage) -> None:
    lena, evening = stage.cast.lena_character, stage.cast.evening
    add_image(stage.studio, lena, evening, 7, approved=False)
    cards = stage.door.character(stage.creator, None, str(lena))["variants"]
    assert [(k["status"], k["can_decide"]) for k in cards] == [("approved", False), ("review", True)]
    stage.door.decide_variant(stage.creator, cards[1]["id"], "reject")
    rejected = stage.door.character(stage.creator, None, str(lena))["variants"][1]
    assert (rejected["status"], rejected["word"]) == ("rejected", "Rejected")
    stage.door.decide_variant(stage.creator, cards[1]["id"], "approve")
    assert stage.door.matrix(stage.creator, None)["counts"] == {"none": 2, "blocked": 2}
    assert [a for a in audited(stage) if a.startswith("variant.")] == ["variant.reject", "variant.approve"]


def test_a_metadata_field_is_checked_saved_and_audited(stage: Stage) -> None:
    lena = str(stage.cast.lena_character)
    assert stage.door.save_field(stage.creator, lena, "age", "31") == "Age in years saved"
    found = {f["name"]: f for f in stage.door.character(stage.creator, None, lena)["metadata"]}
    assert (found["age"]["value"], found["age"]["missing"]) == ("31", False)
    for wrong in ("12", "old", "", "31.5"):
        with pytest.raises(InvalidInputError):
            stage.door.save_field(stage.creator, lena, "age", wrong)
    assert audited(stage).count("character.metadata") == 1


def finished(stage: Stage) -> dict[str, Any]:
    """Return the newest delivery once nothing is being written."""
    stage.door.packer.wait()
    found: dict[str, Any] = stage.door.deliveries(stage.creator, None)["deliveries"][0]
    return found


def test_a_delivery_is_written_in_the_background_and_fetched(reviewed: Stage) -> None:
    with reviewed.studio.transaction() as session:  # Ada's picture may not leave without a release
        session.execute(sa.update(m.Performer).values(kind_id=v.PerformerKind.SYNTHETIC))
    reviewed.door.decide(reviewed.creator, str(reviewed.only_scene()), "approve")
    with pytest.raises(IncompleteDeliveryError):
        reviewed.door.deliver(reviewed.creator, None, partial=False)
    assert reviewed.door.deliver(reviewed.creator, None, partial=True) == "The package is being written"
    row = finished(reviewed)
    assert (row["word"], row["scenes"], row["by"]) == ("Complete", 1, "Noor")
    file = reviewed.door.media(reviewed.creator, row["download"].removeprefix("/media/"))
    assert file is not None
    assert file.name == row["name"]
    with zipfile.ZipFile(file.path) as archive:
        assert "Lena/idle.mp4" in archive.namelist()
    assert reviewed.door.media(reviewed.reviewer, f"delivery/{row['id']}") is None


def test_a_delivery_that_broke_says_so(reviewed: Stage) -> None:
    with reviewed.studio.transaction() as session:
        session.execute(sa.update(m.Performer).values(kind_id=v.PerformerKind.SYNTHETIC))
    reviewed.door.decide(reviewed.creator, str(reviewed.only_scene()), "approve")
    with reviewed.studio.transaction() as session:
        sha256 = session.scalars(
            sa.select(m.Artifact.sha256).join(m.SceneVersion, m.SceneVersion.artifact_id == m.Artifact.id)
        ).one()
    reviewed.studio.house.artifacts.delete(sha256)
    before = reviewed.door.position()
    reviewed.door.deliver(reviewed.creator, None, partial=True)
    assert finished(reviewed)["word"] == "Failed"
    assert reviewed.door.position() > before


def test_an_estimate_asks_the_database_no_more_for_more_cells(stage: Stage) -> None:
    stage.studio.project("Spring").import_folder(PORTRAITS, synthetic=True, only=("Aiko", "Mara"))
    with stage.studio.transaction() as session:
        drawn = session.scalars(sa.select(m.Character.id).where(m.Character.name.in_(["Aiko", "Mara"]))).all()
    two = [stage.cast.lena_character, stage.cast.ada_character]
    asked: list[str] = []
    sa.event.listen(stage.studio.house.database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    counts = []
    for characters in (two, [*two, *drawn]):
        stage.door.estimate(stage.admin, None, [stage.cell(c) for c in characters], None)  # what is read once, is
        asked.clear()
        stage.door.estimate(stage.admin, None, [stage.cell(c) for c in characters], None)
        counts.append(len(asked))
    assert len(drawn) == 2
    assert 0 < counts[1] <= counts[0]
