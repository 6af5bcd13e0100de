"""Every SELECT of the matrix: the status of each cell at once, and the details of one window of it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.terms.transitions import ENDED_STATUSES, LEASED_STATUSES
from x121lib.terms.vocabulary import SceneStatus

Keys = Sequence[uuid.UUID]


def _numbered(keys: Keys, name: str) -> sa.TableValuedAlias:
    """Return keys as a table: ``id``, ``n`` counted from 1."""
    listed = sa.cast(list(keys), ARRAY(sa.Uuid))
    return sa.func.unnest(listed).table_valued("id", with_ordinality="n", name=name).render_derived()


def _places(project_id: uuid.UUID, types: Keys, kinds: Keys) -> tuple[Any, sa.Select[Any]]:
    """Return a scene's place in its row (number of the type × kinds + number of the kind), and the scenes with one."""
    columns, letters = _numbered(types, "columns"), _numbered(kinds, "letters")
    place = sa.cast((columns.c.n - 1) * len(kinds) + letters.c.n - 1, sa.Integer)
    query = (
        sa.select(place)
        .select_from(m.Scene)
        .join(m.TransitionMode, m.TransitionMode.id == m.Scene.transition_mode_id)
        .join(columns, columns.c.id == m.Scene.scene_type_id)
        .join(letters, letters.c.id == m.Scene.variant_kind_id)
        .where(m.Scene.project_id == project_id, m.TransitionMode.filename_suffix == "", m.Scene.index_number == 1)
    )
    return place, query


def statuses(
    session: Session, project_id: uuid.UUID, types: Keys, kinds: Keys
) -> dict[uuid.UUID, tuple[Sequence[int], Sequence[int]]]:
    """Return for each character the places of its scenes and the number of each one's status. One statement."""
    place, query = _places(project_id, types, kinds)
    status = sa.cast(m.Scene.status_id, sa.SmallInteger)
    found = query.with_only_columns(m.Scene.character_id, sa.func.array_agg(place), sa.func.array_agg(status))
    return {key: (places, numbers) for key, places, numbers in session.execute(found.group_by(m.Scene.character_id))}


def begun(session: Session, project_id: uuid.UUID, types: Keys, kinds: Keys) -> list[tuple[uuid.UUID, int]]:
    """Return (character, place) of the scenes that are being made and of which anything has begun. One statement."""
    place, query = _places(project_id, types, kinds)
    leased = (
        sa.select(m.Segment.scene_id)
        .join(m.Take, m.Take.segment_id == m.Segment.id)
        .join(m.GpuTask, m.GpuTask.take_id == m.Take.id)
        .where(m.GpuTask.status_id.in_(LEASED_STATUSES), m.GpuTask.project_id == project_id)
    )
    done = sa.exists().where(m.Segment.scene_id == m.Scene.id, m.Segment.chosen_take_id.is_not(None))
    going = query.where(m.Scene.status_id == SceneStatus.GENERATING, sa.or_(done, m.Scene.id.in_(leased)))
    return [(key, number) for key, number in session.execute(going.with_only_columns(m.Scene.character_id, place))]


def window(session: Session, project_id: uuid.UUID, characters: Keys, types: Keys) -> list[sa.RowMapping]:
    """Return the scenes of a window with failure, tier and the hash of the newest filmstrip. One statement."""
    here = (
        m.Scene.project_id == project_id, m.Scene.character_id.in_(characters), m.Scene.scene_type_id.in_(types),
        m.Scene.index_number == 1,
    )  # fmt: skip
    strips = (
        sa.select(m.SceneVersion.scene_id, m.Artifact.sha256)
        .join(m.Scene, m.Scene.id == m.SceneVersion.scene_id)
        .join(m.Artifact, m.Artifact.id == m.SceneVersion.filmstrip_artifact_id)
        .where(*here)
        .ext(distinct_on(m.SceneVersion.scene_id))
        .order_by(m.SceneVersion.scene_id, m.SceneVersion.number.desc())
        .subquery()
    )
    query = (
        sa.select(
            m.Scene.id, m.Scene.character_id, m.Scene.scene_type_id, m.Scene.variant_kind_id,
            m.Scene.status_id.label("status"), m.Scene.failure_reason, m.Scene.scene_type_version_id,
            m.Tier.name.label("tier"), strips.c.sha256.label("strip"),
        )
        .join(m.TransitionMode, m.TransitionMode.id == m.Scene.transition_mode_id)
        .join(m.Tier, m.Tier.id == m.Scene.tier_id)
        .outerjoin(strips, strips.c.scene_id == m.Scene.id)
        .where(*here, m.TransitionMode.filename_suffix == "")
    )  # fmt: skip
    return list(session.execute(query).mappings())


def lacking_metadata(session: Session, project_id: uuid.UUID) -> dict[uuid.UUID, list[str]]:
    """Return for each character the names of the required metadata fields that have no value. One statement."""
    value = m.CharacterMetadataValue
    query = (
        sa.select(m.Character.id, sa.func.array_agg(m.MetadataField.name))
        .select_from(m.Character)
        .join(m.MetadataField, m.MetadataField.is_required.is_(True))
        .outerjoin(value, sa.and_(value.character_id == m.Character.id, value.field_id == m.MetadataField.id))
        .where(m.Character.project_id == project_id, value.character_id.is_(None))
        .group_by(m.Character.id)
    )
    return {key: sorted(names) for key, names in session.execute(query)}


def batch(session: Session, project_id: uuid.UUID) -> tuple[int, int, int, int]:
    """Return of the scenes that were submitted: their segments, those generated, those that passed QA, open takes."""
    made = sa.exists().where(m.Take.segment_id == m.Segment.id, m.Take.output_artifact_id.is_not(None))
    open_takes = (
        sa.select(sa.func.count(m.GpuTask.id))
        .where(m.GpuTask.project_id == project_id, m.GpuTask.status_id.not_in(ENDED_STATUSES))
        .scalar_subquery()
    )
    query = (
        sa.select(
            sa.func.count(m.Segment.id), sa.func.count(m.Segment.id).filter(made),
            sa.func.count(m.Segment.chosen_take_id), open_takes,
        )
        .join(m.Scene, m.Scene.id == m.Segment.scene_id)
        .where(m.Scene.project_id == project_id)
    )  # fmt: skip
    segments, generated, passed, waiting = session.execute(query).one()
    return segments, generated, passed, waiting
