"""Triggers, what set them off, what they did, and which events followed from that."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from x121lib.model.base import Base, fk, moment, now_column, pk, term, text, version_column
from x121lib.terms.automation import ActionKind, RunStatus, TriggerScope
from x121lib.terms.vocabulary import EventKind


class Trigger(Base):
    """A rule: when an event of a kind happens in a scope and conditions hold, do actions. Removed ones keep their log.

    It acts with the rights of whoever enabled it, as they are at each firing.
    """

    __tablename__ = "trigger"
    id: Mapped[uuid.UUID] = pk()
    name: Mapped[str] = text()
    event_kind_id: Mapped[EventKind] = term(EventKind)
    scope_id: Mapped[TriggerScope] = term(TriggerScope)
    project_id: Mapped[uuid.UUID | None] = fk("project.id", "CASCADE", nullable=True)
    character_id: Mapped[uuid.UUID | None] = fk("character.id", "CASCADE", nullable=True)
    scene_type_id: Mapped[uuid.UUID | None] = fk("scene_type.id", "CASCADE", nullable=True)
    rule: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False)
    is_enabled: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    enabled_by_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    enabled_at: Mapped[datetime | None] = moment()
    created_by_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    created_at: Mapped[datetime] = now_column()
    removed_at: Mapped[datetime | None] = moment()
    version: Mapped[int] = version_column()
    __table_args__ = (
        sa.Index("ix_trigger_name", "name", unique=True, postgresql_where=sa.text("removed_at IS NULL")),
        sa.CheckConstraint("character_id IS NULL OR project_id IS NOT NULL", name="character_in_project"),
    )


class TriggerFiring(Base):
    """A trigger set off by an event, once per trigger and event; ``parent`` is the firing that the event came from."""

    __tablename__ = "trigger_firing"
    id: Mapped[uuid.UUID] = pk()
    trigger_id: Mapped[uuid.UUID] = fk("trigger.id", "CASCADE", index=False)
    event_id: Mapped[int] = fk("event.id", "CASCADE")
    parent_id: Mapped[uuid.UUID | None] = fk("trigger_firing.id", "SET NULL", nullable=True)
    person_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    scene_id: Mapped[uuid.UUID | None] = fk("scene.id", "SET NULL", nullable=True)
    depth: Mapped[int] = mapped_column(sa.SmallInteger, nullable=False)
    is_otherwise: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    status_id: Mapped[RunStatus] = term(RunStatus, default=RunStatus.WAITING)
    message: Mapped[str] = text(default="")
    created_at: Mapped[datetime] = moment(nullable=False)
    started_at: Mapped[datetime | None] = moment()
    finished_at: Mapped[datetime | None] = moment()
    lease_until: Mapped[datetime | None] = moment()
    __table_args__ = (sa.UniqueConstraint("trigger_id", "event_id"),)


class TriggerStep(Base):
    """One action of a firing with what became of it; ``position`` counts the actions of its branch from 1."""

    __tablename__ = "trigger_step"
    firing_id: Mapped[uuid.UUID] = fk("trigger_firing.id", "CASCADE", primary_key=True)
    position: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    action_id: Mapped[ActionKind] = term(ActionKind)
    status_id: Mapped[RunStatus] = term(RunStatus, default=RunStatus.WAITING)
    message: Mapped[str] = text(default="")
    finished_at: Mapped[datetime | None] = moment()


class EventCause(Base):
    """An event that was written while a trigger's action ran: its downstream effect."""

    __tablename__ = "event_cause"
    event_id: Mapped[int] = fk("event.id", "CASCADE", primary_key=True)
    firing_id: Mapped[uuid.UUID] = fk("trigger_firing.id", "CASCADE")
