"""Every SELECT of the catalogue."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import NotFoundError
from x121lib.terms.naming import NamingRules


def naming_rules(session: Session) -> NamingRules:
    """Return the studio's prefixes and suffixes."""
    kinds = session.execute(sa.select(m.VariantKind.name, m.VariantKind.filename_prefix)).all()
    modes = session.execute(
        sa.select(m.TransitionMode.name, m.TransitionMode.filename_suffix).where(m.TransitionMode.filename_suffix != "")
    ).all()
    return NamingRules(tuple((k, p) for k, p in kinds), tuple((n, s) for n, s in modes))


def scene_type_names(session: Session) -> list[str]:
    """Return the names of all scene types."""
    return list(session.scalars(sa.select(m.SceneType.name).order_by(m.SceneType.name)))


def project(session: Session, name: str) -> m.Project:
    """Return a project by name, whatever its case; raises `NotFoundError`."""
    found = session.scalars(sa.select(m.Project).where(sa.func.lower(m.Project.name) == name.lower())).first()
    if found is None:
        known = ", ".join(session.scalars(sa.select(m.Project.name).order_by(m.Project.name))) or "none yet"
        raise NotFoundError(f"There is no project '{name}'.", hint=f"Projects: {known}.")
    return found


def variant_kind(session: Session, name: str) -> m.VariantKind:
    """Return a variant kind by name; raises `NotFoundError`."""
    found = session.scalars(sa.select(m.VariantKind).where(m.VariantKind.name == name)).first()
    if found is None:
        known = ", ".join(session.scalars(sa.select(m.VariantKind.name).order_by(m.VariantKind.sort_order)))
        raise NotFoundError(f"There is no variant kind '{name}'.", hint=f"Known: {known}.")
    return found


def variant_kinds(session: Session) -> list[m.VariantKind]:
    """Return the variant kinds in the studio's order."""
    return list(session.scalars(sa.select(m.VariantKind).order_by(m.VariantKind.sort_order)))


def tier(session: Session, name: str) -> m.Tier:
    """Return a tier by name, whatever its case; raises `NotFoundError`."""
    found = session.scalars(sa.select(m.Tier).where(sa.func.lower(m.Tier.name) == name.lower())).first()
    if found is None:
        known = ", ".join(session.scalars(sa.select(m.Tier.name).order_by(m.Tier.sort_order)))
        raise NotFoundError(f"There is no tier '{name}'.", hint=f"Known: {known}.")
    return found


def normal_mode(session: Session) -> m.TransitionMode:
    """Return the transition mode that stays with one variant."""
    return session.scalars(sa.select(m.TransitionMode).where(m.TransitionMode.filename_suffix == "")).one()


def latest_scene_types(
    session: Session, names: list[str] | None = None
) -> list[tuple[m.SceneType, m.SceneTypeVersion]]:
    """Return each scene type with its newest version, by name; unknown names raise `NotFoundError`."""
    newest = (
        sa.select(m.SceneTypeVersion.scene_type_id, sa.func.max(m.SceneTypeVersion.number).label("number"))
        .group_by(m.SceneTypeVersion.scene_type_id)
        .subquery()
    )
    query = (
        sa.select(m.SceneType, m.SceneTypeVersion)
        .join(m.SceneTypeVersion, m.SceneTypeVersion.scene_type_id == m.SceneType.id)
        .join(newest, sa.and_(newest.c.scene_type_id == m.SceneType.id,
                              newest.c.number == m.SceneTypeVersion.number))
        .order_by(m.SceneType.name)
    )  # fmt: skip
    rows = [(row[0], row[1]) for row in session.execute(query)]
    if names:
        missing = [n for n in names if n not in {t.name for t, _ in rows}]
        if missing:
            known = ", ".join(t.name for t, _ in rows) or "none yet: 'x121 scene-type load FILE'"
            raise NotFoundError(f"There is no scene type '{missing[0]}'.", hint=f"Known: {known}.")
        rows = [(t, v) for t, v in rows if t.name in names]
    return rows


def kinds_of(session: Session, scene_type_version_ids: list[uuid.UUID]) -> dict[uuid.UUID, list[m.VariantKind]]:
    """Return the variant kinds that each scene type version applies to."""
    rows = session.execute(
        sa.select(m.SceneTypeVariantKind.scene_type_version_id, m.VariantKind)
        .join(m.VariantKind, m.VariantKind.id == m.SceneTypeVariantKind.variant_kind_id)
        .where(m.SceneTypeVariantKind.scene_type_version_id.in_(scene_type_version_ids))
        .order_by(m.VariantKind.sort_order)
    )
    found: dict[uuid.UUID, list[m.VariantKind]] = {}
    for version_id, kind in rows:
        found.setdefault(version_id, []).append(kind)
    return found


def characters(session: Session, project_id: uuid.UUID, names: list[str] | None = None) -> list[m.Character]:
    """Return a project's characters by name; unknown names raise `NotFoundError`."""
    found = list(
        session.scalars(sa.select(m.Character).where(m.Character.project_id == project_id).order_by(m.Character.name))
    )
    if names:
        by_name = {c.name.casefold(): c for c in found}
        missing = [n for n in names if n.casefold() not in by_name]
        if missing:
            known = ", ".join(c.name for c in found) or "none yet: 'x121 import PROJECT FOLDER'"
            raise NotFoundError(f"There is no character '{missing[0]}' in this project.", hint=f"Known: {known}.")
        found = [by_name[n.casefold()] for n in names]
    return found
