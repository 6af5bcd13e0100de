"""What people changed of waiting tasks, kept so that it can be told and undone."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from x121lib.model.base import Base, fk, moment, now_column, pk, term, text
from x121lib.terms.vocabulary import PriorityClass


class QueueChange(Base):
    """One change of a selection of waiting tasks."""

    __tablename__ = "queue_change"
    id: Mapped[uuid.UUID] = pk()
    person_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    summary: Mapped[str] = text()
    made_at: Mapped[datetime] = now_column()
    undone_at: Mapped[datetime | None] = moment()
    undone_by_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)


class QueueChangeTask(Base):
    """A task of a change: how it stood before and after; ``new_version`` is its version after the change."""

    __tablename__ = "queue_change_task"
    change_id: Mapped[uuid.UUID] = fk("queue_change.id", "CASCADE", primary_key=True)
    task_id: Mapped[uuid.UUID] = fk("gpu_task.id", "CASCADE", primary_key=True)
    new_version: Mapped[int]
    old_class_id: Mapped[PriorityClass] = term(PriorityClass)
    new_class_id: Mapped[PriorityClass] = term(PriorityClass)
    old_priority: Mapped[int] = mapped_column(sa.SmallInteger, nullable=False)
    new_priority: Mapped[int] = mapped_column(sa.SmallInteger, nullable=False)
    old_is_off_peak: Mapped[bool]
    new_is_off_peak: Mapped[bool]
    old_not_before: Mapped[datetime | None] = moment()
    new_not_before: Mapped[datetime | None] = moment()
    old_turn_at: Mapped[datetime | None] = moment()
    new_turn_at: Mapped[datetime | None] = moment()
    __table_args__ = (sa.Index("ix_queue_change_task_task_id", "task_id"),)
