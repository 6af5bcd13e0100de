"""When X121 retakes a segment by itself, and which takes it made so."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from x121lib.model.base import Base, fk, now_column, pk, text, version_column


class RetakePolicy(Base):
    """How a scene type's or a project's takes that failed a gate are retaken; there is none unless somebody set it."""

    __tablename__ = "retake_policy"
    id: Mapped[uuid.UUID] = pk()
    project_id: Mapped[uuid.UUID | None] = fk("project.id", "CASCADE", nullable=True, index=False)
    scene_type_id: Mapped[uuid.UUID | None] = fk("scene_type.id", "CASCADE", nullable=True, index=False)
    most_retakes: Mapped[int] = mapped_column(sa.SmallInteger, nullable=False, default=3)
    best_of: Mapped[int] = mapped_column(sa.SmallInteger, nullable=False, default=1)
    version: Mapped[int] = version_column()
    __table_args__ = (
        sa.UniqueConstraint("project_id"),
        sa.UniqueConstraint("scene_type_id"),
        sa.CheckConstraint("num_nonnulls(project_id, scene_type_id) = 1", name="one_scope"),
        sa.CheckConstraint("most_retakes BETWEEN 1 AND 20", name="most_retakes_range"),
        sa.CheckConstraint("best_of BETWEEN 1 AND most_retakes", name="best_of_range"),
    )


class RetakePolicyMetric(Base):
    """A metric whose failed gate is reason enough for a retake; a policy without any takes every gate."""

    __tablename__ = "retake_policy_metric"
    policy_id: Mapped[uuid.UUID] = fk("retake_policy.id", "CASCADE", primary_key=True)
    metric_id: Mapped[uuid.UUID] = fk("metric.id", "RESTRICT", primary_key=True)
    __table_args__ = (sa.Index("ix_retake_policy_metric_metric_id", "metric_id"),)


class RetakePolicySpread(Base):
    """A numeric slot that retakes vary: a random value up to ``spread`` above or below the recipe's."""

    __tablename__ = "retake_policy_spread"
    policy_id: Mapped[uuid.UUID] = fk("retake_policy.id", "CASCADE", primary_key=True)
    slot: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    spread: Mapped[float] = mapped_column(sa.Float, nullable=False)
    __table_args__ = (sa.CheckConstraint("spread > 0", name="spread_positive"),)


class RetakePolicyPhrase(Base):
    """Words that a retake adds to the prompt; the retakes use them in turn."""

    __tablename__ = "retake_policy_phrase"
    policy_id: Mapped[uuid.UUID] = fk("retake_policy.id", "CASCADE", primary_key=True)
    position: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, autoincrement=False)
    phrase: Mapped[str] = text()


class AutoRetake(Base):
    """A take that X121 made by itself because ``first_take_id`` had failed its gates."""

    __tablename__ = "auto_retake"
    take_id: Mapped[uuid.UUID] = fk("take.id", "CASCADE", primary_key=True)
    first_take_id: Mapped[uuid.UUID] = fk("take.id", "CASCADE")
    number: Mapped[int] = mapped_column(sa.SmallInteger, nullable=False)
    created_at: Mapped[datetime] = now_column()
