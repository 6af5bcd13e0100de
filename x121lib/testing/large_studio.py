"""A matrix of the size of a large studio, written straight into the tables: for speed, not for truth of its takes."""

from __future__ import annotations

import io
import random
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from PIL import Image
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.ids import new_id
from x121lib.catalogue import queries as catalogue
from x121lib.studio import Studio
from x121lib.terms import vocabulary as v
from x121lib.testing.small_studio import stock

FRAMES = 12
"""Frames of a drawn filmstrip, as assembly makes them."""
STRIPS = 160
"""Filmstrips drawn; scenes share them."""
SHARES = (
    (v.SceneStatus.APPROVED, 0.30), (v.SceneStatus.REVIEW, 0.15), (v.SceneStatus.GENERATING, 0.08),
    (v.SceneStatus.FAILED, 0.04), (v.SceneStatus.REJECTED, 0.03), (v.SceneStatus.PENDING, 0.15),
)  # fmt: skip
"""Share of the cells in each status; the rest was never submitted."""
SHOWN = frozenset({v.SceneStatus.APPROVED, v.SceneStatus.REVIEW, v.SceneStatus.REJECTED})
"""Statuses whose scenes have a cut and so a filmstrip."""
SEGMENTS = 3
"""Segments of a scene that is being made."""
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Large:
    """What was written."""

    project_id: uuid.UUID
    """The project *Atlas*."""
    scenes: dict[tuple[int, int], uuid.UUID]
    """Scenes by (number of the character, number of the scene type), both counted by name from 0."""
    shown: int
    """Scenes with a filmstrip."""


def make_large(studio: Studio, folder: Path, n_characters: int = 200, n_types: int = 50) -> Large:
    """Stock a fresh studio and add the project *Atlas*: characters × scene types, about 75 % of them begun."""
    stock(studio, folder)
    project = studio.create_project("Atlas")
    artifacts = _pictures(studio, STRIPS)
    with studio.transaction() as session:
        kind = catalogue.variant_kind(session, "clothed")
        types = _types(session, n_types, kind.id)
        characters = _characters(session, project.project_id, n_characters, kind.id, artifacts)
        return _scenes(session, (project.project_id, kind.id), characters, types, artifacts, studio.house.now())


def _pictures(studio: Studio, n: int) -> list[uuid.UUID]:
    """Store drawn filmstrips and return their keys."""
    noise = np.random.default_rng(121)
    rows: Rows = []
    for _ in range(n):
        small = noise.integers(30, 220, (8, FRAMES * 6, 3), np.uint8)
        picture = Image.fromarray(small).resize((FRAMES * 77, 96), Image.Resampling.BICUBIC)
        file = io.BytesIO()
        picture.save(file, "WEBP", quality=80)
        stored = studio.house.artifacts.put_bytes(file.getvalue())
        rows.append({"id": new_id(), "sha256": stored.sha256, "n_bytes": stored.n_bytes, "media_type": "image/webp",
                     "kind_id": v.ArtifactKind.IMAGE})  # fmt: skip
    with studio.transaction() as session:
        session.execute(sa.insert(m.Artifact), rows)
    return [row["id"] for row in rows]


def _types(session: Session, n: int, kind_id: uuid.UUID) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Make scene types like *sway* beside it and return (scene type, version) by name."""
    _, like = catalogue.latest_scene_types(session, ["sway"])[0]
    kept = {c.name: getattr(like, c.name) for c in m.SceneTypeVersion.__table__.columns}
    types: Rows = [{"id": new_id(), "name": f"move {i:02d}"} for i in range(n - 1)]
    versions = [kept | {"id": new_id(), "scene_type_id": t["id"], "target_duration_s": Decimal("1.5")} for t in types]
    session.execute(sa.insert(m.SceneType), types)
    session.execute(sa.insert(m.SceneTypeVersion), versions)
    links = [{"scene_type_version_id": row["id"], "variant_kind_id": kind_id} for row in versions]
    session.execute(sa.insert(m.SceneTypeVariantKind), links)
    return [(t["id"], row["id"]) for t, row in zip(types, versions, strict=True)] + [(like.scene_type_id, like.id)]


def _characters(
    session: Session, project_id: uuid.UUID, n: int, kind_id: uuid.UUID, artifacts: list[uuid.UUID]
) -> list[uuid.UUID]:
    """Make synthetic characters with an approved image each, all but every twentieth; return their keys by name."""
    people: Rows = [{"id": new_id(), "name": f"Atlas {i:03d}", "kind_id": v.PerformerKind.SYNTHETIC} for i in range(n)]
    rows: Rows = [
        {"id": new_id(), "project_id": project_id, "performer_id": p["id"], "name": f"Character {i:03d}",
         "folder_name": f"Character {i:03d}", "folder_key": f"character {i:03d}"}
        for i, p in enumerate(people)
    ]  # fmt: skip
    images = [
        {"id": new_id(), "character_id": row["id"], "kind_id": kind_id, "status_id": v.VariantStatus.APPROVED}
        for i, row in enumerate(rows)
        if i % 20 != 19
    ]
    versions = [
        {"id": new_id(), "variant_id": image["id"], "number": 1, "artifact_id": artifacts[i % len(artifacts)],
         "origin_id": v.VersionOrigin.UPLOADED}
        for i, image in enumerate(images)
    ]  # fmt: skip
    for table, values in ((m.Performer, people), (m.Character, rows), (m.ImageVariant, images),
                          (m.ImageVersion, versions)):  # fmt: skip
        session.execute(sa.insert(table), values)
    for image, version in zip(images, versions, strict=True):
        session.execute(
            sa.update(m.ImageVariant).where(m.ImageVariant.id == image["id"]).values(approved_version_id=version["id"])
        )
    return [row["id"] for row in rows]


def _scenes(
    session: Session, place: tuple[uuid.UUID, uuid.UUID], characters: list[uuid.UUID],
    types: list[tuple[uuid.UUID, uuid.UUID]], artifacts: list[uuid.UUID], now: datetime,
) -> Large:  # fmt: skip
    project_id, kind_id = place
    chance = random.Random(121)
    found: dict[tuple[int, int], uuid.UUID] = {}
    scenes: Rows = []
    cuts: Rows = []
    mode, tier = catalogue.normal_mode(session).id, catalogue.tier(session, "Production").id
    for r, character in enumerate(characters):
        for c, (type_id, version_id) in enumerate(types):
            status = _status(chance.random())
            if status is None or (r % 20 == 19 and status is not v.SceneStatus.PENDING):
                continue
            row: dict[str, Any] = {
                "id": new_id(), "project_id": project_id, "character_id": character, "scene_type_id": type_id,
                "scene_type_version_id": version_id, "variant_kind_id": kind_id, "transition_mode_id": mode,
                "tier_id": tier, "status_id": status, "index_number": 1,
                "failure_reason": "Segment 2, take 1: out of memory" if status is v.SceneStatus.FAILED else None,
            }  # fmt: skip
            found[r, c] = row["id"]
            scenes.append(row)
            if status in SHOWN:
                strip = artifacts[len(cuts) % len(artifacts)]
                cuts.append({"id": new_id(), "scene_id": row["id"], "number": 1, "artifact_id": strip,
                             "filmstrip_artifact_id": strip, "n_frames": 36, "created_at": now})  # fmt: skip
    session.execute(sa.insert(m.Scene), scenes)
    session.execute(sa.insert(m.SceneVersion), cuts)
    working = [row["id"] for row in scenes if row["status_id"] is v.SceneStatus.GENERATING]
    _working(session, project_id, working, now)
    return Large(project_id, found, len(cuts))


def _status(at: float) -> v.SceneStatus | None:
    for status, share in SHARES:
        at -= share
        if at < 0:
            return status
    return None


def _working(session: Session, project_id: uuid.UUID, scenes: list[uuid.UUID], now: datetime) -> None:
    """Give scenes segments with a planned take and its waiting task each."""
    segments = [
        {"id": new_id(), "scene_id": scene, "sequence_index": i, "planned_frames": 12}
        for scene in scenes
        for i in range(1, SEGMENTS + 1)
    ]
    takes = [{"id": new_id(), "segment_id": s["id"], "number": 1, "seed": i} for i, s in enumerate(segments)]
    tasks = [
        {"id": new_id(), "kind_id": v.TaskKind.TAKE, "take_id": take["id"], "project_id": project_id, "priority": 50,
         "status_id": v.TaskStatus.QUEUED, "is_ready": not i % SEGMENTS, "queued_at": now - timedelta(minutes=5)}
        for i, take in enumerate(takes)
    ]  # fmt: skip
    for table, values in ((m.Segment, segments), (m.Take, takes), (m.GpuTask, tasks)):
        session.execute(sa.insert(table), values)
