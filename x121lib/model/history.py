"""What happened: events, cursors, the audit log and deliveries."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from x121lib.model.base import Base, fk, now_column, pk, term, text
from x121lib.terms.vocabulary import DeliveryStatus, EventKind


class Event(Base):
    """A fact, written in the transaction of the change; `transaction_id` lets readers miss none."""

    __tablename__ = "event"
    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    transaction_id: Mapped[int] = mapped_column(
        sa.BigInteger, nullable=False, server_default=sa.text("(pg_current_xact_id()::text::bigint)"), index=True
    )
    kind_id: Mapped[EventKind] = term(EventKind)
    entity: Mapped[str] = text()
    entity_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, nullable=False)
    project_id: Mapped[uuid.UUID | None] = fk("project.id", "CASCADE", nullable=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False)
    created_at: Mapped[datetime] = now_column()
    __table_args__ = (sa.Index("ix_event_entity_id", "entity_id"),)


class EventCursor(Base):
    """How far a reader of events has come."""

    __tablename__ = "event_cursor"
    consumer: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    last_transaction_id: Mapped[int] = mapped_column(sa.BigInteger, nullable=False, default=0)
    last_event_id: Mapped[int] = mapped_column(sa.BigInteger, nullable=False, default=0)
    updated_at: Mapped[datetime] = now_column()


class AuditEntry(Base):
    """Who did what, chained by hash so that a removed entry shows."""

    __tablename__ = "audit_entry"
    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    at: Mapped[datetime] = now_column()
    person_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    actor_name: Mapped[str] = text()
    action: Mapped[str] = text()
    entity: Mapped[str] = text()
    entity_id: Mapped[uuid.UUID | None] = mapped_column(sa.Uuid, nullable=True, index=True)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB, nullable=True)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB, nullable=True)
    previous_hash: Mapped[str] = mapped_column(sa.CHAR(64), nullable=False)
    entry_hash: Mapped[str] = mapped_column(sa.CHAR(64), nullable=False, unique=True)


class Delivery(Base):
    """A ZIP that was written for somebody."""

    __tablename__ = "delivery"
    id: Mapped[uuid.UUID] = pk()
    project_id: Mapped[uuid.UUID] = fk("project.id", "CASCADE")
    status_id: Mapped[DeliveryStatus] = term(DeliveryStatus, default=DeliveryStatus.WRITING)
    profile: Mapped[str] = text(default="master")
    is_partial: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    path: Mapped[str] = text()
    sha256: Mapped[str | None] = mapped_column(sa.CHAR(64), nullable=True)
    n_bytes: Mapped[int | None] = mapped_column(sa.BigInteger, nullable=True)
    manifest: Mapped[dict[str, Any] | None] = mapped_column(JSONB, nullable=True)
    created_by_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    created_at: Mapped[datetime] = now_column()


class DeliveryItem(Base):
    """A file in a delivery."""

    __tablename__ = "delivery_item"
    delivery_id: Mapped[uuid.UUID] = fk("delivery.id", "CASCADE", primary_key=True)
    path: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    artifact_id: Mapped[uuid.UUID | None] = fk("artifact.id", "RESTRICT", nullable=True)
    scene_version_id: Mapped[uuid.UUID | None] = fk("scene_version.id", "RESTRICT", nullable=True)
