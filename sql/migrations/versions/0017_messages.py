"""notifications and webhooks

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_LOOKUPS = ("notification_kind", "notification_scope", "call_status")
_TABLES = ("webhook_attempt", "webhook_call", "webhook", "notification_preference", "notification")


def _to(table: str, column: str, target: str, rule: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"), ondelete=rule)


def _key(name: str, kind: type[sa.types.TypeEngine[object]] = sa.Uuid, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, kind(), nullable=nullable)


def upgrade() -> None:
    """Apply."""
    for table in _LOOKUPS:
        op.create_table(
            table,
            sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
            *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "label")),
            sa.Column("sort_order", sa.SmallInteger(), nullable=False),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
            sa.UniqueConstraint("name", name=op.f(f"uq_{table}_name")),
        )
    _create_notifications()
    _create_webhooks()


def _create_notifications() -> None:
    table = "notification"
    op.create_table(
        table,
        _key("id"),
        _key("person_id"),
        _key("kind_id", sa.SmallInteger),
        _key("project_id", nullable=True),
        _key("event_id", sa.BigInteger, nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("topic", "title", "body", "href")),
        sa.Column("n_events", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("read_at", _MOMENT, nullable=True),
        _to(table, "person_id", "person.id", "CASCADE"),
        _to(table, "kind_id", "notification_kind.id", "RESTRICT"),
        _to(table, "project_id", "project.id", "CASCADE"),
        _to(table, "event_id", "event.id", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
    )
    op.create_index("ix_notification_person_id", table, ["person_id", "created_at"])
    op.create_index("ix_notification_unread", table, ["person_id"], postgresql_where=sa.text("read_at IS NULL"))
    for column in ("kind_id", "project_id", "event_id"):
        op.create_index(op.f(f"ix_notification_{column}"), table, [column])
    table = "notification_preference"
    op.create_table(
        table,
        _key("person_id"),
        _key("kind_id", sa.SmallInteger),
        _key("scope_id", sa.SmallInteger),
        _to(table, "person_id", "person.id", "CASCADE"),
        _to(table, "kind_id", "notification_kind.id", "RESTRICT"),
        _to(table, "scope_id", "notification_scope.id", "RESTRICT"),
        sa.PrimaryKeyConstraint("person_id", "kind_id", name=op.f("pk_notification_preference")),
    )
    op.create_index("ix_notification_preference_kind_id", table, ["kind_id"])
    op.create_index(op.f("ix_notification_preference_scope_id"), table, ["scope_id"])


def _create_webhooks() -> None:
    op.create_table(
        "webhook",
        _key("id"),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "url")),
        _key("created_by_id", nullable=True),
        sa.Column("created_at", _MOMENT, server_default=sa.text("now()"), nullable=False),
        _to("webhook", "created_by_id", "person.id", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
        sa.UniqueConstraint("name", name=op.f("uq_webhook_name")),
    )
    op.create_index(op.f("ix_webhook_created_by_id"), "webhook", ["created_by_id"])
    table = "webhook_call"
    op.create_table(
        table,
        _key("id"),
        _key("webhook_id"),
        _key("event_id", sa.BigInteger, nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("about", "body")),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        _key("status_id", sa.SmallInteger),
        sa.Column("n_attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", _MOMENT, nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("finished_at", _MOMENT, nullable=True),
        _to(table, "webhook_id", "webhook.id", "CASCADE"),
        _to(table, "event_id", "event.id", "SET NULL"),
        _to(table, "status_id", "call_status.id", "RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_call")),
    )
    op.create_index("ix_webhook_call_webhook_id", table, ["webhook_id", "created_at"])
    due = sa.text("next_attempt_at IS NOT NULL")
    op.create_index("ix_webhook_call_due", table, ["next_attempt_at"], postgresql_where=due)
    for column in ("event_id", "status_id"):
        op.create_index(op.f(f"ix_webhook_call_{column}"), table, [column])
    table = "webhook_attempt"
    op.create_table(
        table,
        _key("call_id"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("took_s", sa.Float(), nullable=False),
        sa.Column("http_status", sa.Integer(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("answer", "error")),
        _to(table, "call_id", "webhook_call.id", "CASCADE"),
        sa.PrimaryKeyConstraint("call_id", "number", name=op.f("pk_webhook_attempt")),
    )


def downgrade() -> None:
    """Take back."""
    for table in (*_TABLES, *_LOOKUPS):
        op.drop_table(table)
