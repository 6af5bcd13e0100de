"""Every SELECT of generation."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import NotFoundError
from x121lib.generation.plan import TakeFacts


@dataclass(frozen=True)
class SceneRecipe:
    """A scene with what its scene type version says."""

    scene: m.Scene
    """The scene's row."""
    character: m.Character
    """Its character."""
    scene_type: m.SceneType
    """Its scene type."""
    version: m.SceneTypeVersion
    """The settings that it was planned with."""
    workflow: m.WorkflowVersion
    """The workflow version."""
    kind: m.VariantKind
    """Its variant kind."""

    @property
    def rate(self) -> Fraction:
        """Frames per second."""
        return Fraction(self.version.rate_numerator, self.version.rate_denominator)

    @property
    def target_s(self) -> Decimal:
        """Seconds that the scene must reach."""
        return self.version.target_duration_s


def recipe(session: Session, scene_id: uuid.UUID) -> SceneRecipe:
    """Return a scene with its recipe; raises `NotFoundError`."""
    row = session.execute(
        sa.select(m.Scene, m.Character, m.SceneType, m.SceneTypeVersion, m.WorkflowVersion, m.VariantKind)
        .join(m.Character, m.Character.id == m.Scene.character_id)
        .join(m.SceneType, m.SceneType.id == m.Scene.scene_type_id)
        .join(m.SceneTypeVersion, m.SceneTypeVersion.id == m.Scene.scene_type_version_id)
        .join(m.WorkflowVersion, m.WorkflowVersion.id == m.SceneTypeVersion.workflow_version_id)
        .join(m.VariantKind, m.VariantKind.id == m.Scene.variant_kind_id)
        .where(m.Scene.id == scene_id)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no scene {scene_id}.")
    return SceneRecipe(*row)


def segments(session: Session, scene_id: uuid.UUID) -> list[m.Segment]:
    """Return a scene's segments in order."""
    return list(
        session.scalars(sa.select(m.Segment).where(m.Segment.scene_id == scene_id).order_by(m.Segment.sequence_index))
    )


def take_number(session: Session, segment_id: uuid.UUID) -> int:
    """Return the number of a segment's next take."""
    return (session.scalar(sa.select(sa.func.max(m.Take.number)).where(m.Take.segment_id == segment_id)) or 0) + 1


def chosen_takes(session: Session, scene_id: uuid.UUID) -> list[tuple[m.Segment, m.Take | None]]:
    """Return each segment with its chosen take, in order."""
    rows = session.execute(
        sa.select(m.Segment, m.Take)
        .outerjoin(m.Take, m.Take.id == m.Segment.chosen_take_id)
        .where(m.Segment.scene_id == scene_id)
        .order_by(m.Segment.sequence_index)
    )
    return [(row[0], row[1]) for row in rows]


def take_facts(take: m.Take) -> TakeFacts:
    """Return what assembly needs of a finished take."""
    return TakeFacts(take.id, int(take.n_frames or 0), int(take.boundary_frame or 0))


def approved_artifact(session: Session, character_id: uuid.UUID, kind_id: uuid.UUID) -> uuid.UUID | None:
    """Return the artifact of the approved image of a character's variant, or None."""
    return session.scalars(
        sa.select(m.ImageVersion.artifact_id)
        .join(m.ImageVariant, m.ImageVariant.approved_version_id == m.ImageVersion.id)
        .where(m.ImageVariant.character_id == character_id, m.ImageVariant.kind_id == kind_id)
    ).one_or_none()


def metadata(session: Session, character: m.Character) -> dict[str, object]:
    """Return a character's metadata values by field, with `character_name`, for prompt templates."""
    value = m.CharacterMetadataValue
    rows = session.execute(
        sa.select(m.MetadataField.name, value)
        .join(value, value.field_id == m.MetadataField.id)
        .where(value.character_id == character.id)
    )
    found: dict[str, object] = {"character_name": character.name}
    for name, row in rows:
        given = (row.text_value, row.integer_value, row.number_value, row.boolean_value, row.date_value)
        found[name] = next(v for v in given if v is not None)
    return found


def previous_take(session: Session, segment: m.Segment) -> m.Take | None:
    """Return the chosen take of the segment before this one."""
    if segment.sequence_index == 1:
        return None
    return session.scalars(
        sa.select(m.Take)
        .join(m.Segment, m.Segment.chosen_take_id == m.Take.id)
        .where(m.Segment.scene_id == segment.scene_id, m.Segment.sequence_index == segment.sequence_index - 1)
    ).one_or_none()


def overrides(session: Session, take_id: uuid.UUID) -> dict[str, object]:
    """Return the slot values that a person gave this take in place of its recipe's."""
    rows = session.scalars(sa.select(m.TakeOverride).where(m.TakeOverride.take_id == take_id))
    return {row.slot: row.value for row in rows}


def first_take_sha256(session: Session, segment: m.Segment) -> str | None:
    """Return the hash of the video of the scene's first segment, or None when this is the first."""
    if segment.sequence_index == 1:
        return None
    return session.scalars(
        sa.select(m.Artifact.sha256)
        .join(m.Take, m.Take.output_artifact_id == m.Artifact.id)
        .join(m.Segment, m.Segment.chosen_take_id == m.Take.id)
        .where(m.Segment.scene_id == segment.scene_id, m.Segment.sequence_index == 1)
    ).one_or_none()


def to_assemble(session: Session, scene_status: object) -> list[uuid.UUID]:
    """Return scenes in ``scene_status`` whose segments have all passed and whose cut has not been made."""
    open_segment = sa.exists().where(m.Segment.scene_id == m.Scene.id, m.Segment.chosen_take_id.is_(None))
    any_segment = sa.exists().where(m.Segment.scene_id == m.Scene.id)
    query = sa.select(m.Scene.id).where(m.Scene.status_id == scene_status, any_segment, ~open_segment)
    return list(session.scalars(query))


def takes_of(session: Session, scene_version_id: uuid.UUID) -> list[uuid.UUID]:
    """Return the takes of a scene version's cut, in order."""
    cut = m.SceneVersionCut
    query = sa.select(cut.take_id).where(cut.scene_version_id == scene_version_id).order_by(cut.position)
    return list(session.scalars(query))
