"""Takes with faults: gates stop the chain, errors are said in words, and the scene goes on afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from x121lib import bootstrap
from x121lib import model as m
from x121lib.base.errors import RefusedError
from x121lib.pipeline import execution
from x121lib.studio import Studio
from x121lib.terms.vocabulary import TakeStatus
from x121lib.testing.small_studio import drive, write_recipe


def only_scene(studio: Studio, folder: Path, fault: str) -> tuple[dict[str, object], list[str]]:
    studio.load_scene_type(write_recipe(folder, "broken", fault=fault))
    project = studio.project("Aurora")
    project.submit(characters=["Aiko"], scene_types=["broken"])
    drive(studio)
    scene = project.scene("Aiko", "broken", "clothed")
    return scene.head(), list(scene.takes()["status"])


@pytest.mark.capability("PRD-49/resolution-artifact-detection", "PRD-01/quality-scores")
def test_black_frames_fail_their_gate_and_stop_the_chain(equipped: Studio, tmp_path: Path) -> None:
    head, takes = only_scene(equipped, tmp_path / "r", "black")
    assert head["status"] == "Failed"
    assert head["worst"] == "failed"
    assert "Black frames is 12 frames" in str(head["failure_reason"])
    assert str(head["failure_reason"]).startswith("Segment 1, take 1: ")
    assert takes == [TakeStatus.FAILED_QA.value, "Cancelled", "Cancelled"]
    scores = equipped.project("Aurora").scene("Aiko", "broken", "clothed").scores().set_index("metric")
    assert scores.loc["black_frames", "value"] == 12
    assert scores.loc["black_frames", "outcome"] == "failed"
    assert scores.loc["size_error", "outcome"] == "passed"


@pytest.mark.capability("PRD-49/motion-score")
def test_a_frozen_take_fails_its_gate(equipped: Studio, tmp_path: Path) -> None:
    head, _ = only_scene(equipped, tmp_path / "r", "frozen")
    assert head["status"] == "Failed"
    assert "Longest freeze is" in str(head["failure_reason"])


@pytest.mark.capability("PRD-07/no-silent-retries", "PRD-28/failure-diagnostics")
def test_a_workflow_that_no_server_can_run_fails_once_and_names_the_node(equipped: Studio, tmp_path: Path) -> None:
    with equipped.transaction() as session:  # a worker that never said what it has is believed
        session.execute(sa.update(m.Worker).values(capabilities_hash=None))
    head, takes = only_scene(equipped, tmp_path / "r", "unknown")
    assert head["status"] == "Failed"
    assert "NoServerHasThis" in str(head["failure_reason"])
    assert takes == [TakeStatus.FAILED.value, "Cancelled", "Cancelled"]
    with equipped.transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(m.GpuTaskAttempt)) == 1


def test_a_failed_scene_is_submitted_again_with_new_takes(equipped: Studio, tmp_path: Path) -> None:
    only_scene(equipped, tmp_path / "r", "black")
    project = equipped.project("Aurora")
    assert project.submit(characters=["Aiko"], scene_types=["broken"]).submission.n_takes == 3
    takes = project.scene("Aiko", "broken", "clothed").takes()
    assert list(takes[takes["status"] == "Planned"]["take"]) == [2, 2, 2]
    assert takes["seed"].is_unique


def test_a_retake_gives_a_new_version_and_the_old_takes_stay(reviewed: Studio, engine_url: str) -> None:
    reviewed.workers.add(engine_url, name="engine 1", engine=True)
    reviewed.work.check_workers()
    scene = reviewed.project("Aurora").scene("Aiko", "sway", "clothed")
    before = scene.video()
    reviewed.retake(scene.scene_id, 2)
    drive(reviewed)
    head = scene.head()
    assert (head["status"], head["version"]) == ("In review", 2)
    assert scene.video() != before
    takes = scene.takes()
    assert list(takes[takes["chosen"]]["take"]) == [1, 2, 2]
    assert len(takes) == 5


def test_assembling_twice_makes_one_version_and_a_late_one_changes_nothing(reviewed: Studio) -> None:
    scene = reviewed.project("Aurora").scene("Aiko", "sway", "clothed")
    with reviewed.transaction() as session:
        session.get_one(m.Scene, scene.scene_id).status_id = m.Scene.status_id.type.term.GENERATING
    first = execution.assemble(reviewed.house, scene.scene_id)
    assert first is not None
    assert first.number == 1
    assert scene.head()["status"] == "In review"
    reviewed.retake(scene.scene_id, 3)
    assert execution.assemble(reviewed.house, scene.scene_id) is None
    assert scene.head()["status"] == "Generating"


def test_a_missing_take_is_said_and_not_tried_for_ever(reviewed: Studio) -> None:
    scene = reviewed.project("Aurora").scene("Aiko", "sway", "clothed")
    with reviewed.transaction() as session:
        row = session.get_one(m.Scene, scene.scene_id)
        row.status_id = m.Scene.status_id.type.term.GENERATING
        hashes = session.scalars(
            sa.select(m.Artifact.sha256).join(m.Take, m.Take.output_artifact_id == m.Artifact.id)
            .join(m.Segment, m.Segment.chosen_take_id == m.Take.id).where(m.Segment.scene_id == row.id)
        ).all()  # fmt: skip
    reviewed.house.artifacts.delete(hashes[0])
    assert not reviewed.work.assemble(scene.scene_id)
    assert scene.head()["status"] == "Failed"
    assert "could not be joined" in scene.head()["failure_reason"]


@pytest.mark.capability("PRD-23/batch-scene-matrix", "PRD-23/variant-applicability")
def test_submitting_says_what_is_blocked_and_makes_nothing_twice(stocked: Studio, tmp_path: Path) -> None:
    stocked.load_scene_type(write_recipe(tmp_path / "r", "nod", variants='["clothed", "evening"]'))
    project = stocked.project("Aurora")
    with pytest.raises(RefusedError, match=r"2 scenes are blocked.*no approved 'evening' image") as refusal:
        project.submit()
    assert refusal.value.code == "pipeline.blocked"
    assert stocked.queue().empty
    done = project.submit(skip_blocked=True).submission
    assert (len(done.planned), len(done.blocked), done.n_takes) == (4, 2, 12)
    again = project.submit(variants=["clothed"]).submission
    assert (len(again.planned), len(again.present), again.n_takes) == (0, 4, 0)
    frame = project.matrix().frame
    assert len(frame) == 6


def test_two_processes_that_prepare_a_new_database_at_once_both_succeed(stocked: Studio) -> None:
    import threading  # noqa: PLC0415

    with stocked.transaction() as session:
        session.execute(sa.delete(m.FailureTag))
    errors: list[BaseException] = []
    gate = threading.Barrier(4)

    def prepare() -> None:
        gate.wait()
        try:
            bootstrap.prepare(stocked.house, stocked.opened.fields)
        except BaseException as error:  # noqa: BLE001  (handed to the test)
            errors.append(error)

    threads = [threading.Thread(target=prepare) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with stocked.transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(m.FailureTag)) == 9
