"""What the matrix does with chosen cells: submit, cancel, make again what went wrong; all of them or none."""

from __future__ import annotations

import uuid

import pytest
import sqlalchemy as sa

from tests.integration.door.conftest import Stage
from x121lib import model as m
from x121lib.base.errors import ForbiddenError, InvalidInputError, NotFoundError, RefusedError
from x121lib.base.ids import new_id
from x121lib.terms import vocabulary as v
from x121lib.testing.small_studio import write_recipe


def statuses(stage: Stage) -> list[v.SceneStatus]:
    """Return the statuses of all scenes."""
    with stage.studio.transaction() as session:
        return list(session.scalars(sa.select(m.Scene.status_id)))


def n_tasks(stage: Stage) -> int:
    """Return how many GPU tasks were ever written."""
    with stage.studio.transaction() as session:
        return int(session.scalar(sa.select(sa.func.count()).select_from(m.GpuTask)) or 0)


@pytest.mark.capability("PRD-57/selective-submission")
def test_cells_are_submitted_cancelled_and_submitted_again(stage: Stage) -> None:
    cells = [stage.cell(stage.cast.lena_character)]
    assert stage.door.submit(stage.creator, None, cells, None, ["clothed"]) == "1 scene submitted, 3 takes"
    assert stage.door.matrix(stage.creator, None)["batch"] | {"left_s": None} == {
        "scenes": 4, "approved": 0, "segments": 3, "generated": 0, "passed": 0, "open_takes": 3, "left_s": None,
    }  # fmt: skip
    assert stage.door.cancel_cells(stage.creator, None, cells) == "1 scene cancelled, 3 takes"
    assert statuses(stage) == [v.SceneStatus.PENDING]
    with pytest.raises(RefusedError, match="Nothing of this is queued or running"):
        stage.door.cancel_cells(stage.creator, None, cells)
    assert stage.door.submit(stage.creator, None, cells, None) == "1 scene submitted, 3 takes; 1 blocked"


@pytest.mark.capability("PRD-57/selective-submission")
def test_only_what_failed_or_was_rejected_is_made_again(reviewed: Stage) -> None:
    both = [reviewed.cell(reviewed.cast.lena_character), reviewed.cell(reviewed.cast.ada_character)]
    with pytest.raises(RefusedError, match="Nothing of this failed or was rejected"):
        reviewed.door.redo_cells(reviewed.creator, None, both)
    before = n_tasks(reviewed)
    reviewed.door.decide(reviewed.reviewer, str(reviewed.only_scene()), "reject", frame=60)
    assert statuses(reviewed) == [v.SceneStatus.REJECTED]
    assert reviewed.door.redo_cells(reviewed.creator, None, both) == "1 scene queued again, 2 takes"
    assert n_tasks(reviewed) == before + 2  # frame 60 lies in segment 2 of 3
    with reviewed.studio.transaction() as session:
        scene = session.scalars(sa.select(m.Scene)).one()
        assert scene.status_id == v.SceneStatus.GENERATING
        assert session.scalars(sa.select(m.Decision.applied_at)).one() is not None


@pytest.mark.capability("PRD-57/selective-submission")
def test_a_cell_of_another_project_refuses_the_whole_selection(stage: Stage) -> None:
    mine, other = stage.cell(stage.cast.lena_character), (str(uuid.uuid4()), stage.scene_type)
    elsewhere = stage.studio.create_project("Zebra")
    for act in (stage.door.submit, stage.door.cancel_cells, stage.door.redo_cells):
        more = (None,) if act == stage.door.submit else ()
        with pytest.raises(NotFoundError, match=f"has no character '{other[0]}': the selection is of another project"):
            act(stage.creator, None, [mine, other], *more)
        with pytest.raises(NotFoundError, match="Project 'Zebra' has no character"):
            act(stage.creator, str(elsewhere.project_id), [mine], *more)
        with pytest.raises(InvalidInputError, match="Nothing was chosen"):
            act(stage.creator, None, [], *more)
        with pytest.raises(ForbiddenError):
            act(stage.reviewer, None, [mine], *more)
    assert (statuses(stage), n_tasks(stage)) == ([], 0)


def crowd(stage: Stage, n: int) -> list[str]:
    """Add characters like Lena with her approved image; returns their keys."""
    with stage.studio.transaction() as session:
        lena = session.get_one(m.Character, stage.cast.lena_character)
        hero = session.scalars(sa.select(m.ImageVariant).where(m.ImageVariant.character_id == lena.id)).first()
        assert hero is not None
        assert hero.approved_version_id is not None
        artifact = session.get_one(m.ImageVersion, hero.approved_version_id).artifact_id
        rows = [
            {"id": new_id(), "project_id": lena.project_id, "performer_id": lena.performer_id, "name": f"Extra {i}",
             "folder_name": f"Extra {i}", "folder_key": f"extra {i}"}
            for i in range(n)
        ]  # fmt: skip
        images = [{"id": new_id(), "character_id": row["id"], "kind_id": hero.kind_id} for row in rows]
        versions = [
            {"id": new_id(), "variant_id": i["id"], "number": 1, "artifact_id": artifact,
             "origin_id": v.VersionOrigin.UPLOADED}
            for i in images
        ]  # fmt: skip
        for table, values in ((m.Character, rows), (m.ImageVariant, images), (m.ImageVersion, versions)):
            session.execute(sa.insert(table), values)
        for image, version in zip(images, versions, strict=True):
            chosen = sa.update(m.ImageVariant).where(m.ImageVariant.id == image["id"])
            session.execute(chosen.values(approved_version_id=version["id"]))
    return [str(row["id"]) for row in rows]


def test_a_hundred_thousand_takes_in_one_call_are_refused_whole(stage: Stage) -> None:
    stage.studio.load_scene_type(write_recipe(stage.folder, "marathon", segments=500, qa_profile='"portrait"'))
    types = {row["name"]: row["id"] for row in stage.door.matrix(stage.creator, None)["scene_types"]}
    cells = [(key, types["marathon"]) for key in crowd(stage, 200)]
    with pytest.raises(InvalidInputError, match="queue 100000 takes; one submission queues at most 50000") as told:
        stage.door.submit(stage.creator, None, cells, None)
    assert "Nothing was changed" in told.value.hint
    assert (statuses(stage), n_tasks(stage)) == ([], 0)


@pytest.mark.capability("PRD-57/batch-review-queue")
def test_review_keeps_to_a_character_or_a_scene_type(reviewed: Stage) -> None:
    lena, ada = str(reviewed.cast.lena_character), str(reviewed.cast.ada_character)
    for group, name in ((f"character:{lena}", "Lena"), (f"scene_type:{reviewed.scene_type}", "idle")):
        view = reviewed.door.review(reviewed.reviewer, None, None, group)
        assert (view["group"], view["total"]) == ({"id": group, "name": name}, 1)
        assert view["scene"]["character"] == "Lena"
    none = reviewed.door.review(reviewed.reviewer, None, None, f"character:{ada}")
    assert (none["scene"], none["total"], none["group"]) == (None, 0, None)
    with pytest.raises(NotFoundError, match="no such group"):
        reviewed.door.review(reviewed.reviewer, None, None, f"colour:{ada}")


@pytest.mark.capability("PRD-57/progress-dashboard")
def test_the_batch_says_how_far_it_is_and_what_time_is_left(reviewed: Stage) -> None:
    found = reviewed.door.matrix(reviewed.creator, None)["batch"]
    assert found == {
        "scenes": 4, "approved": 0, "segments": 3, "generated": 3, "passed": 3, "open_takes": 0, "left_s": 0.0,
    }  # fmt: skip
    reviewed.door.decide(reviewed.creator, str(reviewed.only_scene()), "approve")
    assert reviewed.door.matrix(reviewed.creator, None)["batch"]["approved"] == 1
