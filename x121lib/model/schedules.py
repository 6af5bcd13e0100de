"""Submissions that come again and again, and what became of each time."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from x121lib.model.base import Base, fk, moment, now_column, pk, term, text, version_column
from x121lib.terms.vocabulary import PriorityClass, ScheduleOutcome


class Schedule(Base):
    """A submission that comes at the times of a cron expression.

    ``n_chosen`` is how many characters, scene types and variant kinds were chosen: when one of them is deleted, what is
    left of the choice is not taken for it. ``zone`` is a name of the IANA time zone database.
    """

    __tablename__ = "schedule"
    id: Mapped[uuid.UUID] = pk()
    name: Mapped[str] = text(unique=True)
    cron: Mapped[str] = text()
    zone: Mapped[str] = text()
    project_id: Mapped[uuid.UUID] = fk("project.id", "CASCADE")
    person_id: Mapped[uuid.UUID] = fk("person.id", "CASCADE")
    tier_id: Mapped[uuid.UUID | None] = fk("tier.id", "RESTRICT", nullable=True)
    class_id: Mapped[PriorityClass] = term(PriorityClass, default=PriorityClass.NORMAL)
    n_chosen: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    is_off_peak: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    is_failed_only: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    runs_missed: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    is_enabled: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=True)
    next_due_at: Mapped[datetime | None] = moment()
    created_at: Mapped[datetime] = now_column()
    version: Mapped[int] = version_column()
    __table_args__ = (
        sa.Index("ix_schedule_next_due_at", "next_due_at", postgresql_where=sa.text("is_enabled")),
    )  # fmt: skip


class ScheduleCharacter(Base):
    """A character that a schedule chooses; none for all."""

    __tablename__ = "schedule_character"
    schedule_id: Mapped[uuid.UUID] = fk("schedule.id", "CASCADE", primary_key=True)
    character_id: Mapped[uuid.UUID] = fk("character.id", "CASCADE", primary_key=True)
    __table_args__ = (sa.Index("ix_schedule_character_character_id", "character_id"),)


class ScheduleSceneType(Base):
    """A scene type that a schedule chooses; none for all."""

    __tablename__ = "schedule_scene_type"
    schedule_id: Mapped[uuid.UUID] = fk("schedule.id", "CASCADE", primary_key=True)
    scene_type_id: Mapped[uuid.UUID] = fk("scene_type.id", "CASCADE", primary_key=True)
    __table_args__ = (sa.Index("ix_schedule_scene_type_scene_type_id", "scene_type_id"),)


class ScheduleVariantKind(Base):
    """A variant kind that a schedule chooses; none for all."""

    __tablename__ = "schedule_variant_kind"
    schedule_id: Mapped[uuid.UUID] = fk("schedule.id", "CASCADE", primary_key=True)
    variant_kind_id: Mapped[uuid.UUID] = fk("variant_kind.id", "CASCADE", primary_key=True)
    __table_args__ = (sa.Index("ix_schedule_variant_kind_variant_kind_id", "variant_kind_id"),)


class ScheduleRun(Base):
    """What became of a schedule at one due time; there is one row of each, whichever process made it."""

    __tablename__ = "schedule_run"
    id: Mapped[uuid.UUID] = pk()
    schedule_id: Mapped[uuid.UUID] = fk("schedule.id", "CASCADE", index=False)
    due_at: Mapped[datetime] = moment(nullable=False)
    ran_at: Mapped[datetime] = moment(nullable=False)
    outcome_id: Mapped[ScheduleOutcome] = term(ScheduleOutcome)
    message: Mapped[str] = text(default="")
    batch_id: Mapped[uuid.UUID | None] = fk("batch.id", "SET NULL", nullable=True)
    n_scenes: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    n_takes: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    __table_args__ = (sa.UniqueConstraint("schedule_id", "due_at"),)
