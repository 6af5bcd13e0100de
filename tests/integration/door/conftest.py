"""A studio behind its door: two characters, a scene type, one scene that waits for review, and people of each role."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from PIL import Image

from x121lib import model as m
from x121lib.base.ids import new_id
from x121lib.base.resources import resource_path
from x121lib.base.settings import Settings
from x121lib.pipeline import execution
from x121lib.store.artifact_rows import FileFacts, ImageFacts, register
from x121lib.studio import Studio
from x121lib.studio.door import Door
from x121lib.studio.pages import SessionPerson
from x121lib.terms import vocabulary as v
from x121lib.testing.rights import Cast, make_cast
from x121lib.testing.small_studio import Kept, clone_database, drop_database
from x121lib.testing.synthetic import write_numbered_clip

FRAMES = 48


@dataclass
class Stage:
    """The door, who stands before it, and what lies behind it."""

    door: Door
    studio: Studio
    cast: Cast
    admin: SessionPerson
    creator: SessionPerson
    reviewer: SessionPerson
    scene_type: str
    folder: Path

    def cell(self, character: uuid.UUID) -> tuple[str, str]:
        """Return the cell of a character and the one scene type."""
        return str(character), self.scene_type

    def only_scene(self) -> uuid.UUID:
        """Return the one scene."""
        with self.studio.transaction() as session:
            return session.scalars(sa.select(m.Scene.id)).one()


def person(studio: Studio, door: Door, name: str, role: str) -> SessionPerson:
    """Add a person and sign them in by a one-time link."""
    key = studio.people.add(name, f"{name.lower()}@example.test", [role], password="correct horse 9 staple")
    found = door.redeem_once(studio.people.make_sign_in_link(key))
    assert found is not None
    return found


@pytest.fixture
def empty(settings: Settings) -> Iterator[tuple[Door, SessionPerson]]:
    """A studio in which nothing was made yet."""
    studio = Studio.open(settings=settings)
    door = Door(studio)
    yield door, person(studio, door, "Ines", "Admin")
    door.close()


@dataclass(frozen=True)
class KeptStage:
    """A stage at rest, cloned for each test."""

    kept: Kept
    cast: Cast
    people: tuple[SessionPerson, SessionPerson, SessionPerson]
    scene_type: str

    @contextmanager
    def cloned(self, server_url: str, folder: Path) -> Iterator[Stage]:
        """Open a copy in a folder."""
        settings = self.kept.clone(server_url, folder / "home")
        studio = Studio.open(settings=settings)
        door = Door(studio)
        yield Stage(door, studio, self.cast, *self.people, self.scene_type, folder)
        door.close()
        assert settings.database_url is not None
        drop_database(settings.database_url.get_secret_value())


@pytest.fixture(scope="session")
def stage_at_rest(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> KeptStage:
    """Make once: Lena (synthetic) and Captain Ada (real, without a release), each with an approved image."""
    home = tmp_path_factory.mktemp("stage") / "home"
    settings = Settings(home=home, database_url=clone_database(server_url, template))
    studio = Studio.open(settings=settings)
    cast = make_cast(studio.house.database, studio.actor)
    studio.add_variant_kind(
        "evening", prefix="evening_test_", workflow=resource_path("data", "workflows", "evening.json")
    )
    studio.load_scene_type(resource_path("data", "scene_types", "idle.toml"))
    door = Door(studio)
    for number, character in enumerate((cast.lena_character, cast.ada_character)):
        add_image(studio, character, cast.clothed, number, approved=True)
    with studio.transaction() as session:
        scene_type = str(session.scalars(sa.select(m.SceneType.id)).one())
        session.execute(sa.delete(m.Project).where(m.Project.id == cast.other_project))
    people = (
        person(studio, door, "Ines", "Admin"), person(studio, door, "Noor", "Creator"),
        person(studio, door, "Ben", "Reviewer"),
    )  # fmt: skip
    door.close()
    return KeptStage(Kept.of(settings), cast, people, scene_type)


@pytest.fixture(scope="session")
def reviewed_at_rest(server_url: str, stage_at_rest: KeptStage, tmp_path_factory: pytest.TempPathFactory) -> KeptStage:
    """Make once the stage with Lena's scene made: real takes, a real cut, history of the GPU, waiting for review."""
    folder, clips = tmp_path_factory.mktemp("reviewed"), tmp_path_factory.mktemp("clips")
    settings = stage_at_rest.kept.clone(server_url, folder / "home")
    studio = Studio.open(settings=settings)
    door = Door(studio)
    stage = Stage(door, studio, stage_at_rest.cast, *stage_at_rest.people, stage_at_rest.scene_type, clips)
    door.submit(stage.creator, None, [stage.cell(stage.cast.lena_character)], None)
    make_takes(studio, stage.only_scene(), clips)
    execution.assemble(studio.house, stage.only_scene())
    door.close()
    return replace(stage_at_rest, kept=Kept.of(settings))


@pytest.fixture
def stage(server_url: str, stage_at_rest: KeptStage, tmp_path: Path) -> Iterator[Stage]:
    """A studio of this test's own with two characters, nothing submitted."""
    with stage_at_rest.cloned(server_url, tmp_path) as stage:
        yield stage


def add_image(studio: Studio, character: uuid.UUID, kind: uuid.UUID, shade: int, *, approved: bool) -> str:
    """Store a plain picture as the first version of a character's variant; returns its hash."""
    buffer = BytesIO()
    Image.new("RGB", (320, 400), (40 + shade, 90, 120)).save(buffer, format="PNG")
    stored = studio.house.artifacts.put_bytes(buffer.getvalue())
    with studio.transaction() as session:
        facts = FileFacts(stored.sha256, stored.n_bytes, "image/png", v.ArtifactKind.IMAGE, image=ImageFacts(320, 400))
        status = v.VariantStatus.APPROVED if approved else v.VariantStatus.GENERATED
        variant = m.ImageVariant(id=new_id(), character_id=character, kind_id=kind, status_id=status)
        session.add(variant)
        session.flush()
        version = m.ImageVersion(
            id=new_id(), variant_id=variant.id, number=1, artifact_id=register(session, facts),
            origin_id=v.VersionOrigin.UPLOADED,
        )  # fmt: skip
        session.add(version)
        session.flush()
        variant.approved_version_id = version.id if approved else None
    return stored.sha256


@pytest.fixture
def reviewed(server_url: str, reviewed_at_rest: KeptStage, tmp_path: Path) -> Iterator[Stage]:
    """A studio of this test's own in which Lena's scene waits for review."""
    with reviewed_at_rest.cloned(server_url, tmp_path) as stage:
        yield stage


def make_takes(studio: Studio, scene_id: uuid.UUID, folder: Path) -> None:
    """Give every open take of a scene a numbered clip, as if a worker had made it in 10 s per segment."""
    with studio.transaction() as session:
        worker = m.Worker(id=new_id(), name="engine 1", url=f"http://127.0.0.1:{len(list(folder.iterdir()))}",
                          kind_id=v.WorkerKind.LOCAL_ENGINE, status_id=v.WorkerStatus.ONLINE)  # fmt: skip
        session.add(worker)
        session.flush()
        rows = session.execute(
            sa.select(m.Take, m.Segment, m.GpuTask)
            .join(m.Segment, m.Segment.id == m.Take.segment_id)
            .join(m.GpuTask, m.GpuTask.take_id == m.Take.id)
            .where(m.Segment.scene_id == scene_id, m.GpuTask.status_id == v.TaskStatus.QUEUED)
            .order_by(m.Segment.sequence_index)
        ).all()
        for take, segment, task in rows:
            clip = folder / f"{take.id}.mp4"
            write_numbered_clip(clip, range(segment.sequence_index * FRAMES, (segment.sequence_index + 1) * FRAMES))
            stored = studio.house.artifacts.put_file(clip)
            facts = FileFacts(stored.sha256, stored.n_bytes, "video/mp4", v.ArtifactKind.VIDEO)
            take.output_artifact_id, take.n_frames = register(session, facts), FRAMES
            take.boundary_frame, take.status_id = FRAMES - 1, v.TakeStatus.PASSED
            segment.chosen_take_id, segment.status_id = take.id, v.SegmentStatus.QA_PASS
            task.status_id, task.attempt_number, task.progress = v.TaskStatus.COMPLETE, 1, 1.0
            session.add(
                m.GpuTaskAttempt(
                    task_id=task.id, number=1, worker_id=worker.id, prompt_id=new_id(), run_s=10.0,
                    outcome_id=v.AttemptOutcome.COMPLETE, finished_at=studio.house.now(),
                )
            )  # fmt: skip
        gate(session, rows[0][0].id)


def gate(session: sa.orm.Session, take_id: uuid.UUID) -> None:
    """Let one gate of the profile be borderline at frame 10 of a take's file."""
    found = session.execute(
        sa.select(m.QaGate.id, m.QaGate.metric_id)
        .join(m.Metric, m.Metric.id == m.QaGate.metric_id)
        .where(m.Metric.name == "face_similarity")
        .limit(1)
    ).one()
    session.add(m.Score(take_id=take_id, metric_id=found.metric_id, value=0.4, start_frame=10, stop_frame=11))
    session.add(
        m.Verdict(take_id=take_id, gate_id=found.id, outcome_id=v.VerdictOutcome.WARN, value=0.4, reason="Drifts.")
    )
