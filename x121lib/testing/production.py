"""Two projects with scenes, takes, scores, tasks, decisions and a delivery, written straight into the tables."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.ids import new_id
from x121lib.store.session import Database
from x121lib.terms import vocabulary as v

START = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
AWKWARD = 'He said "no",\nthen \\N and Ünïcode; 100 % {project}'
LARGEST_SEED = 2**64 - 1


@dataclass
class Studio:
    """Keys of what was stored."""

    spring: uuid.UUID
    autumn: uuid.UUID
    keys: dict[str, uuid.UUID] = field(default_factory=dict)


def make_studio(database: Database) -> Studio:
    """Store the two projects: Spring with two scenes and a retake, Autumn with one scene."""
    made = Studio(new_id(), new_id())
    with database.transaction() as session:
        _recipes(session, made.keys)
        for key, name, n_scenes in ((made.spring, "Spring", 2), (made.autumn, "Autumn", 1)):
            _project(session, made.keys, key, name, n_scenes)
    return made


def _add(session: Session, row: m.Base) -> uuid.UUID:
    key = new_id()
    row.id = key  # type: ignore[attr-defined]
    session.add(row)
    session.flush()
    return key


def _artifact(session: Session, kind: v.ArtifactKind) -> uuid.UUID:
    digest = (new_id().hex + new_id().hex)[:64]
    return _add(session, m.Artifact(sha256=digest, n_bytes=10, media_type="video/mp4", kind_id=kind))


def _recipes(session: Session, keys: dict[str, uuid.UUID]) -> None:
    def add(row: m.Base) -> uuid.UUID:
        return _add(session, row)

    keys["tier"] = add(m.Tier(name="Test tier", is_deliverable=True, sort_order=90))
    keys["kind"] = add(m.VariantKind(name="kind_a", filename_prefix="kind_a_", sort_order=90))
    keys["mode"] = add(m.TransitionMode(name="mode_a", filename_suffix="_mode_a"))
    workflow = add(m.Workflow(name="flow"))
    keys["flow"] = add(m.WorkflowVersion(workflow_id=workflow, number=1, graph={}, graph_hash="0" * 64))
    profile = add(m.QaProfile(name="test profile"))
    version = add(m.QaProfileVersion(profile_id=profile, number=1, content_hash="0" * 64))
    keys["metric"] = add(
        m.Metric(name="test_metric", unit="1", direction_id=v.MetricDirection.HIGHER, source="test", description="test")
    )
    keys["gate"] = add(m.QaGate(profile_version_id=version, metric_id=keys["metric"], fail_below=0.5))
    keys["type"] = add(m.SceneType(name="idle_test"))
    keys["type_version"] = add(
        m.SceneTypeVersion(
            scene_type_id=keys["type"], number=1, workflow_version_id=keys["flow"], qa_profile_version_id=version,
            transition_mode_id=keys["mode"], target_duration_s=Decimal("5.250"), segment_duration_s=Decimal(5),
            rate_numerator=24, rate_denominator=1, width=64, height=64, content_hash="0" * 64,
        )
    )  # fmt: skip
    keys["worker"] = add(m.Worker(name="engine 1", url="http://127.0.0.1:1", kind_id=v.WorkerKind.LOCAL_ENGINE))
    keys["person"] = add(m.Person(name="Rita", email="rita@example.com"))


def _project(session: Session, keys: dict[str, uuid.UUID], key: uuid.UUID, name: str, n_scenes: int) -> None:
    session.add(m.Project(id=key, name=name, default_tier_id=keys["tier"]))
    performer = _add(session, m.Performer(kind_id=v.PerformerKind.SYNTHETIC, name=f"Drawn for {name}"))
    character = _add(
        session,
        m.Character(project_id=key, performer_id=performer, name=f"Lena {name}", folder_name="Lena", folder_key="lena"),
    )
    _add(session, m.ImageVariant(character_id=character, kind_id=keys["kind"]))
    for index in range(1, n_scenes + 1):
        _scene(session, keys, key, character, index)
    _add(
        session,
        m.Delivery(
            project_id=key, path="a.zip", status_id=v.DeliveryStatus.COMPLETE, profile="master", is_partial=True
        ),
    )


def _scene(session: Session, keys: dict[str, uuid.UUID], project: uuid.UUID, character: uuid.UUID, index: int) -> None:
    status = v.SceneStatus.APPROVED if index == 1 else v.SceneStatus.FAILED
    scene = _add(
        session,
        m.Scene(
            project_id=project, character_id=character, scene_type_id=keys["type"], index_number=index,
            scene_type_version_id=keys["type_version"], variant_kind_id=keys["kind"], status_id=status,
            transition_mode_id=keys["mode"], tier_id=keys["tier"], failure_reason=None if index == 1 else AWKWARD,
        ),
    )  # fmt: skip
    segment = _add(session, m.Segment(scene_id=scene, sequence_index=0, planned_frames=120))
    for number in (1, 2) if index == 2 else (1,):
        _take(session, keys, project, segment, number)
    cut = _artifact(session, v.ArtifactKind.VIDEO)
    version = _add(session, m.SceneVersion(scene_id=scene, number=1, artifact_id=cut, n_frames=120, created_at=START))
    _add(
        session,
        m.Decision(
            scene_version_id=version, person_id=keys["person"], outcome_id=v.DecisionOutcome.APPROVE, reason="",
            created_at=START + timedelta(seconds=90),
        ),
    )  # fmt: skip


def _take(session: Session, keys: dict[str, uuid.UUID], project: uuid.UUID, segment: uuid.UUID, number: int) -> None:
    output = _artifact(session, v.ArtifactKind.VIDEO)
    session.add(
        m.ArtifactVideo(
            artifact_id=output, width=64, height=64, n_frames=120, rate_numerator=24000, rate_denominator=1001,
            codec="h264", pixel_format="yuv420p",
        )
    )  # fmt: skip
    receipt = _add(
        session,
        m.Receipt(
            request_hash="0" * 64, workflow_version_id=keys["flow"], seed=LARGEST_SEED, text_prompt=AWKWARD,
            negative_prompt="",
        ),
    )  # fmt: skip
    take = _add(
        session,
        m.Take(
            segment_id=segment, number=number, seed=LARGEST_SEED, output_artifact_id=output, n_frames=120,
            receipt_id=receipt, status_id=v.TakeStatus.PASSED,
        ),
    )  # fmt: skip
    _add(session, m.Score(take_id=take, metric_id=keys["metric"], value=0.1 + number))
    outcome = v.VerdictOutcome.PASS if number == 1 else v.VerdictOutcome.FAIL
    _add(session, m.Verdict(take_id=take, gate_id=keys["gate"], outcome_id=outcome, value=0.3, reason="said so"))
    task = _add(
        session,
        m.GpuTask(
            kind_id=v.TaskKind.TAKE, take_id=take, project_id=project, priority=50, status_id=v.TaskStatus.COMPLETE,
            queued_at=START, started_at=START + timedelta(seconds=3),
        ),
    )  # fmt: skip
    _attempts(session, keys, task)


def _attempts(session: Session, keys: dict[str, uuid.UUID], task: uuid.UUID) -> None:
    for attempt, ended in ((1, v.AttemptOutcome.FAILED), (2, v.AttemptOutcome.COMPLETE)):
        tried = _add(
            session,
            m.GpuTaskAttempt(
                task_id=task, number=attempt, worker_id=keys["worker"], prompt_id=new_id(), outcome_id=ended,
                run_s=10.0 * attempt, finished_at=START + timedelta(hours=attempt),
                error_code="comfyui.stalled" if attempt == 1 else None,
            ),
        )  # fmt: skip
        session.add_all(
            m.AttemptNodeTime(attempt_id=tried, node_id=node, node_class="KSampler", seconds=each, is_cached=not each)
            for node, each in (("1", 0.0), ("2", 9.5))
        )
