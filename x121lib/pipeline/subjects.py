"""What an event is about, and what the fields of a trigger's conditions hold for it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import RefusedError
from x121lib.events.outbox import EventRecord
from x121lib.pipeline import submission
from x121lib.pipeline.submission import Selection
from x121lib.pipeline.trigger_rules import Value
from x121lib.terms.vocabulary import MetricDirection, SceneStatus

_PAYLOAD = {"status": ("to", "status"), "before": ("from",), "outcome": ("outcome",), "percent": ("percent",),
            "segment": ("segment",)}  # fmt: skip
"""Fields that the event itself holds, each with the keys of the payload."""


@dataclass(frozen=True)
class Subject:
    """What an event is about, as keys and names; what it is not about is None."""

    event: EventRecord
    """The event."""
    project_id: uuid.UUID | None = None
    """Project."""
    character_id: uuid.UUID | None = None
    """Character."""
    scene_type_id: uuid.UUID | None = None
    """Scene type."""
    kind_id: uuid.UUID | None = None
    """Variant kind."""
    scene_id: uuid.UUID | None = None
    """Scene."""
    take_id: uuid.UUID | None = None
    """Take."""
    segment: int | None = None
    """Number of the take's segment, from 1."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Names by field: project, character, scene_type, variant, tier."""

    @property
    def what(self) -> str:
        """What it is about, in words."""
        parts = [self.names[n] for n in ("character", "scene_type", "variant") if n in self.names]
        if not parts:
            parts = [self.names.get("project", "the studio")]
        return " · ".join(parts) + (f", segment {self.segment}" if self.segment is not None else "")

    def name(self, kind: str) -> str:
        """Return the name of the project, character … that it is about; raises `RefusedError` where that is gone."""
        if kind not in self.names:
            raise RefusedError(f"The {kind.replace('_', ' ')} that {self.event.kind.value} was about is gone.")
        return self.names[kind]


def read(session: Session, event: EventRecord) -> Subject:
    """Return what an event is about; something that is gone is about its project only."""
    found = Subject(event, project_id=event.project_id)
    if event.entity == "scene":
        return _scene(session, found, event.entity_id)
    if "scene_id" in event.payload:
        return _scene(session, found, uuid.UUID(str(event.payload["scene_id"])))
    if event.entity == "take":
        return _take(session, found, event.entity_id)
    if event.entity == "gpu_task":
        task = session.get(m.GpuTask, event.entity_id)
        if task is not None and task.take_id is not None:
            return _take(session, found, task.take_id)
        return _variant(session, found, task.image_variant_id) if task is not None else _project(session, found)
    if event.entity == "image_variant":
        return _variant(session, found, event.entity_id)
    if event.entity == "character":
        return _character(session, found, event.entity_id)
    if event.entity == "scene_type":
        name = session.scalar(sa.select(m.SceneType.name).where(m.SceneType.id == event.entity_id))
        return replace(found, scene_type_id=event.entity_id, names={"scene_type": name} if name else {})
    return _project(session, found)


def _project(session: Session, found: Subject) -> Subject:
    name = session.scalar(sa.select(m.Project.name).where(m.Project.id == found.project_id))
    return replace(found, names={**found.names, "project": name}) if name else found


def _character(session: Session, found: Subject, key: uuid.UUID) -> Subject:
    row = session.get(m.Character, key)
    if row is None:
        return _project(session, found)
    told = replace(found, character_id=key, project_id=row.project_id, names={**found.names, "character": row.name})
    return _project(session, told)


def _variant(session: Session, found: Subject, key: uuid.UUID | None) -> Subject:
    row = session.execute(
        sa.select(m.ImageVariant.character_id, m.VariantKind.id, m.VariantKind.name)
        .join(m.VariantKind, m.VariantKind.id == m.ImageVariant.kind_id)
        .where(m.ImageVariant.id == key)
    ).first()
    if row is None:
        return _project(session, found)
    return _character(session, replace(found, kind_id=row.id, names={"variant": row.name}), row.character_id)


def _take(session: Session, found: Subject, key: uuid.UUID) -> Subject:
    row = session.execute(
        sa.select(m.Segment.scene_id, m.Segment.sequence_index)
        .join(m.Take, m.Take.segment_id == m.Segment.id)
        .where(m.Take.id == key)
    ).first()
    if row is None:
        return _project(session, found)
    return _scene(session, replace(found, take_id=key, segment=row.sequence_index), row.scene_id)


def _scene(session: Session, found: Subject, key: uuid.UUID) -> Subject:
    row = session.execute(
        sa.select(m.Scene, m.SceneType.name, m.VariantKind.name, m.Tier.name)
        .join(m.SceneType, m.SceneType.id == m.Scene.scene_type_id)
        .join(m.VariantKind, m.VariantKind.id == m.Scene.variant_kind_id)
        .join(m.Tier, m.Tier.id == m.Scene.tier_id)
        .where(m.Scene.id == key)
    ).first()
    if row is None:
        return _project(session, found)
    scene, scene_type, variant, tier = row
    named = {"scene_type": scene_type, "variant": variant, "tier": tier}
    told = replace(
        found, scene_id=key, scene_type_id=scene.scene_type_id, kind_id=scene.variant_kind_id, names=named
    )  # fmt: skip
    return _character(session, told, scene.character_id)


Counts = dict[tuple[uuid.UUID, uuid.UUID | None], int]
"""Scenes that are not approved by (project, character); None for all characters of the project."""


def value(
    session: Session, subject: Subject, name: str, now: datetime, counts: Counts | None = None
) -> Value | None:  # fmt: skip
    """Return what a field holds for a subject; None where it holds nothing. What is counted is counted as of now.

    What stands in ``counts`` is not counted again, and what is counted is added to it.
    """
    if name in subject.names:
        return subject.names[name]
    if name == "segment" and subject.segment is not None:
        return subject.segment
    if name in _PAYLOAD:
        return next((subject.event.payload[k] for k in _PAYLOAD[name] if k in subject.event.payload), None)
    if name == "error":
        return session.scalar(sa.select(m.GpuTask.error_code).where(m.GpuTask.id == subject.event.entity_id))
    if name == "faces":
        return _faces(session, subject)
    if name in ("open_scenes", "open_scenes_project"):
        return _open_scenes(session, subject, now, {} if counts is None else counts, of_character=name == "open_scenes")
    start, _, rest = name.partition(".")
    return _score(session, subject, rest) if start == "score" else _metadata(session, subject, rest)


def _faces(session: Session, subject: Subject) -> Value | None:
    """Return how many faces were found in the image of the subject's variant: the approved one, else the newest."""
    version = m.ImageVersion
    query = (
        sa.select(m.ImageCheck.value)
        .join(version, version.id == m.ImageCheck.image_version_id)
        .join(m.ImageVariant, m.ImageVariant.id == version.variant_id)
        .where(
            m.ImageVariant.character_id == subject.character_id, m.ImageVariant.kind_id == subject.kind_id,
            m.ImageCheck.name == "face_count",
        )
        .order_by((version.id == m.ImageVariant.approved_version_id).desc().nulls_last(), version.number.desc())
        .limit(1)
    )  # fmt: skip
    return session.scalar(query)


def _open_scenes(
    session: Session, subject: Subject, now: datetime, counts: Counts, *, of_character: bool
) -> Value | None:  # fmt: skip
    """Return how many cells of the matrix are not approved yet, those that were never submitted included."""
    project = session.get(m.Project, subject.project_id) if subject.project_id is not None else None
    if project is None or (of_character and subject.character_id is None):
        return None
    key = project.id, subject.character_id if of_character else None
    if key not in counts:
        chosen = Selection((subject.names["character"],)) if of_character else Selection()
        cells = submission.cells(session, project, chosen, now)
        counts[key] = sum(cell.status != SceneStatus.APPROVED for cell in cells)
    return counts[key]


def _score(session: Session, subject: Subject, metric: str) -> Value | None:
    """Return a metric's value of the take, or of a scene's chosen takes the worst."""
    takes = [subject.take_id] if subject.take_id is not None else _chosen_takes(session, subject.scene_id)
    rows = session.execute(
        sa.select(m.Score.value, m.Metric.direction_id)
        .join(m.Metric, m.Metric.id == m.Score.metric_id)
        .where(m.Score.take_id.in_(takes), m.Metric.name == metric)
    ).all()
    if not rows:
        return None
    worst: Any = max if rows[0].direction_id == MetricDirection.LOWER else min
    return float(worst(row.value for row in rows))


def _chosen_takes(session: Session, scene_id: uuid.UUID | None) -> list[uuid.UUID]:
    query = sa.select(m.Segment.chosen_take_id).where(m.Segment.scene_id == scene_id)
    return [key for key in session.scalars(query) if key is not None]


def _metadata(session: Session, subject: Subject, name: str) -> Value | None:
    row = session.scalars(
        sa.select(m.CharacterMetadataValue)
        .join(m.MetadataField, m.MetadataField.id == m.CharacterMetadataValue.field_id)
        .where(m.CharacterMetadataValue.character_id == subject.character_id, m.MetadataField.name == name)
    ).first()
    if row is None:
        return None
    values = (row.text_value, row.integer_value, row.number_value, row.boolean_value, row.date_value)
    found = next((v for v in values if v is not None), None)
    return found if isinstance(found, bool | int | float | str | None) else str(found)
