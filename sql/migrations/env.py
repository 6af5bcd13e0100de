"""Alembic's entry: runs on the connection that X121 hands over, one transaction for all."""

from __future__ import annotations

from typing import Any

from alembic import context

from x121lib.model import Base, TermType


def include_object(item: Any, name: str | None, type_: str, reflected: bool, compare_to: Any) -> bool:
    """Leave tables alone that are not X121's (Huey's live in a schema of their own)."""
    del item, compare_to
    return not (type_ == "table" and reflected and name is not None and name.startswith("huey_"))


def render_item(type_: str, item: Any, autogen_context: Any) -> str | bool:
    """Render lookup columns as plain smallints, so that migrations do not depend on the vocabulary."""
    del autogen_context
    return "sa.SmallInteger()" if type_ == "type" and isinstance(item, TermType) else False


def compare_type(
    _context: Any, _inspected: Any, _metadata: Any, _inspected_type: Any, metadata_type: Any
) -> bool | None:
    """A lookup column is a smallint; leave the rest to Alembic."""
    return False if isinstance(metadata_type, TermType) else None


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    include_object=include_object,
    render_item=render_item,
    compare_type=compare_type,
)
with context.begin_transaction():
    context.run_migrations()
