"""What people are told, and what is sent to other programs."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from x121lib.model.base import Base, fk, moment, now_column, pk, term, text
from x121lib.terms.automation import CallStatus, NotificationKind, NotificationScope


class Notification(Base):
    """One entry of a person's inbox; entries of one ``topic`` that come close together are one, counted."""

    __tablename__ = "notification"
    id: Mapped[uuid.UUID] = pk()
    person_id: Mapped[uuid.UUID] = fk("person.id", "CASCADE", index=False)
    kind_id: Mapped[NotificationKind] = term(NotificationKind)
    project_id: Mapped[uuid.UUID | None] = fk("project.id", "CASCADE", nullable=True)
    event_id: Mapped[int | None] = fk("event.id", "SET NULL", nullable=True)
    topic: Mapped[str] = text()
    title: Mapped[str] = text()
    body: Mapped[str] = text(default="")
    href: Mapped[str] = text(default="")
    n_events: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=1)
    created_at: Mapped[datetime] = moment(nullable=False)
    read_at: Mapped[datetime | None] = moment()
    __table_args__ = (
        sa.Index("ix_notification_person_id", "person_id", "created_at"),
        sa.Index("ix_notification_unread", "person_id", postgresql_where=sa.text("read_at IS NULL")),
    )


class NotificationPreference(Base):
    """A person's own choice for a kind, in place of the usual one."""

    __tablename__ = "notification_preference"
    person_id: Mapped[uuid.UUID] = fk("person.id", "CASCADE", primary_key=True)
    kind_id: Mapped[NotificationKind] = term(NotificationKind, primary_key=True)
    scope_id: Mapped[NotificationScope] = term(NotificationScope)
    __table_args__ = (sa.Index("ix_notification_preference_kind_id", "kind_id"),)


class Webhook(Base):
    """A program outside that is told things; its key is a secret of the studio's, called ``webhook.NAME``."""

    __tablename__ = "webhook"
    id: Mapped[uuid.UUID] = pk()
    name: Mapped[str] = text(unique=True)
    url: Mapped[str] = text()
    created_by_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    created_at: Mapped[datetime] = now_column()


class WebhookCall(Base):
    """One message to a webhook, exactly as it is signed and sent, with where it stands."""

    __tablename__ = "webhook_call"
    id: Mapped[uuid.UUID] = pk()
    webhook_id: Mapped[uuid.UUID] = fk("webhook.id", "CASCADE", index=False)
    event_id: Mapped[int | None] = fk("event.id", "SET NULL", nullable=True)
    about: Mapped[str] = text()
    body: Mapped[str] = text()
    is_test: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    status_id: Mapped[CallStatus] = term(CallStatus, default=CallStatus.WAITING)
    n_attempts: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    next_attempt_at: Mapped[datetime | None] = moment()
    created_at: Mapped[datetime] = moment(nullable=False)
    finished_at: Mapped[datetime | None] = moment()
    __table_args__ = (
        sa.Index("ix_webhook_call_webhook_id", "webhook_id", "created_at"),
        sa.Index("ix_webhook_call_due", "next_attempt_at", postgresql_where=sa.text("next_attempt_at IS NOT NULL")),
    )


class WebhookAttempt(Base):
    """One attempt to deliver a message: how long it took and what the receiver said."""

    __tablename__ = "webhook_attempt"
    call_id: Mapped[uuid.UUID] = fk("webhook_call.id", "CASCADE", primary_key=True)
    number: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    started_at: Mapped[datetime] = moment(nullable=False)
    took_s: Mapped[float] = mapped_column(sa.Float, nullable=False)
    http_status: Mapped[int | None]
    answer: Mapped[str] = text(default="")
    error: Mapped[str] = text(default="")
