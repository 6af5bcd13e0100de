"""What people have paused: a task, a scene, a batch, a project or the whole studio."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from x121lib.model.base import Base, fk, now_column, pk, text


class QueueHold(Base):
    """One pause; without a target it is the whole studio's. The row goes when work goes on; the audit log keeps it."""

    __tablename__ = "queue_hold"
    id: Mapped[uuid.UUID] = pk()
    project_id: Mapped[uuid.UUID | None] = fk("project.id", "CASCADE", nullable=True)
    batch_id: Mapped[uuid.UUID | None] = fk("batch.id", "CASCADE", nullable=True)
    scene_id: Mapped[uuid.UUID | None] = fk("scene.id", "CASCADE", nullable=True)
    task_id: Mapped[uuid.UUID | None] = fk("gpu_task.id", "CASCADE", nullable=True)
    person_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    reason: Mapped[str] = text(default="")
    made_at: Mapped[datetime] = now_column()
    __table_args__ = (
        sa.CheckConstraint("num_nonnulls(project_id, batch_id, scene_id, task_id) <= 1", name="one_target"),
        sa.UniqueConstraint("project_id", "batch_id", "scene_id", "task_id", postgresql_nulls_not_distinct=True),
    )
