"""Scores, verdicts, reviewers' decisions and notes."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from x121lib.model.base import Base, fk, moment, now_column, pk, term, text
from x121lib.terms.vocabulary import DecisionOutcome, VerdictOutcome


class Score(Base):
    """One metric's value for a take."""

    __tablename__ = "score"
    id: Mapped[uuid.UUID] = pk()
    take_id: Mapped[uuid.UUID] = fk("take.id", "CASCADE", index=False)
    metric_id: Mapped[uuid.UUID] = fk("metric.id", "RESTRICT")
    value: Mapped[float] = mapped_column(sa.Float, nullable=False)
    start_frame: Mapped[int | None]
    stop_frame: Mapped[int | None]
    note: Mapped[str] = text(default="")
    __table_args__ = (sa.UniqueConstraint("take_id", "metric_id"),)


class Verdict(Base):
    """What a gate said of a take, with the reason in words."""

    __tablename__ = "verdict"
    id: Mapped[uuid.UUID] = pk()
    take_id: Mapped[uuid.UUID] = fk("take.id", "CASCADE", index=False)
    gate_id: Mapped[uuid.UUID] = fk("qa_gate.id", "RESTRICT")
    outcome_id: Mapped[VerdictOutcome] = term(VerdictOutcome)
    value: Mapped[float | None]
    threshold: Mapped[float | None]
    reason: Mapped[str] = text()
    __table_args__ = (sa.UniqueConstraint("take_id", "gate_id"),)


class Decision(Base):
    """A reviewer's decision on a scene version; undone ones stay on record."""

    __tablename__ = "decision"
    id: Mapped[uuid.UUID] = pk()
    scene_version_id: Mapped[uuid.UUID] = fk("scene_version.id", "CASCADE")
    person_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    outcome_id: Mapped[DecisionOutcome] = term(DecisionOutcome)
    reason: Mapped[str] = text(default="")
    frame: Mapped[int | None]
    created_at: Mapped[datetime] = now_column()
    undone_at: Mapped[datetime | None] = moment()
    applied_at: Mapped[datetime | None] = moment()
    __table_args__ = (
        sa.Index(
            "ix_decision_waiting", "created_at",
            postgresql_where=sa.text("applied_at IS NULL AND undone_at IS NULL"),
        ),
    )  # fmt: skip


class FailureTag(Base):
    """A reason that a reviewer can pick."""

    __tablename__ = "failure_tag"
    id: Mapped[uuid.UUID] = pk()
    name: Mapped[str] = text(unique=True)
    sort_order: Mapped[int] = mapped_column(sa.SmallInteger, nullable=False)


class DecisionTag(Base):
    """A reason picked for a decision."""

    __tablename__ = "decision_tag"
    decision_id: Mapped[uuid.UUID] = fk("decision.id", "CASCADE", primary_key=True)
    failure_tag_id: Mapped[uuid.UUID] = fk("failure_tag.id", "RESTRICT", primary_key=True)
    __table_args__ = (sa.Index("ix_decision_tag_failure_tag_id", "failure_tag_id"),)


class Note(Base):
    """A reviewer's note at a frame of a scene version."""

    __tablename__ = "note"
    id: Mapped[uuid.UUID] = pk()
    scene_version_id: Mapped[uuid.UUID] = fk("scene_version.id", "CASCADE")
    person_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    frame: Mapped[int | None]
    text: Mapped[str] = text()
    created_at: Mapped[datetime] = now_column()
    resolved_at: Mapped[datetime | None] = moment()
