"""The doctor: missing and altered files with everything that refers to them, tampering, workers."""

from __future__ import annotations

import sqlalchemy as sa

from x121lib import model as m
from x121lib.studio import Studio


def findings(studio: Studio) -> list[str]:
    found = [f.what for f in studio.doors.examine() if not f.ok]
    # Other runs on this machine may have left database folders behind: the doctor names those too.
    return [what for what in found if not what.startswith("Database folder")]


def test_a_studio_that_is_well_has_only_its_workers_to_mention(reviewed: Studio) -> None:
    reviewed.workers.remove("engine 1")
    assert findings(reviewed) == ["No GPU worker is known"]
    assert all(not f.todo for f in reviewed.doors.examine() if f.ok)


def test_missing_and_altered_files_are_reported_with_what_needs_them(reviewed: Studio) -> None:
    scene = reviewed.project("Aurora").scene("Aiko", "sway", "clothed")
    with reviewed.transaction() as session:
        take = session.scalars(
            sa.select(m.Take).join(m.Segment, m.Segment.chosen_take_id == m.Take.id)
            .where(m.Segment.scene_id == scene.scene_id, m.Segment.sequence_index == 1)
        ).one()  # fmt: skip
        follower = session.scalars(
            sa.select(m.Take.id).where(m.Take.seed_frame_artifact_id == take.boundary_artifact_id)
        ).one()
        frame = session.scalars(sa.select(m.Artifact.sha256).where(m.Artifact.id == take.boundary_artifact_id)).one()
    reviewed.house.artifacts.delete(frame)
    video = scene.video()
    assert video is not None
    video.chmod(0o644)
    video.write_bytes(video.read_bytes()[:-1] + b"\0\0")
    found = findings(reviewed)
    missing = next(f for f in found if frame in f)
    altered = next(f for f in found if video.name in f)
    assert f"take {take.id} (boundary_artifact_id)" in missing
    assert f"take {follower} (seed_frame_artifact_id)" in missing
    assert "receipt_input" in missing
    assert "scene_version" in altered


def test_a_changed_audit_log_is_reported(reviewed: Studio) -> None:
    with reviewed.transaction() as session:
        session.execute(sa.text("UPDATE audit_entry SET actor_name = 'Nobody' WHERE id = 2"))
    assert "Audit log was changed at entry 2" in findings(reviewed)
