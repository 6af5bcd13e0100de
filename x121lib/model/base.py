"""What every table shares: naming of constraints, keys, foreign keys and lookup tables."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from x121lib.base.ids import new_id
from x121lib.terms.vocabulary import ALL_TERMS, Term

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of every table; no logic lives on the classes, and no relationship loads behind one's back."""

    metadata = sa.MetaData(naming_convention=NAMING)


class TermType(sa.types.TypeDecorator[Term]):
    """Stores a `Term` as the smallint key of its lookup table."""

    impl = sa.SmallInteger
    cache_ok = True

    def __init__(self, term: type[Term]) -> None:
        super().__init__()
        self.term = term

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> int | None:
        """Turn a term (or its stored name) into its number."""
        del dialect
        if value is None:
            return None
        return self.term(value).number

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Term | None:
        """Turn a number into its term."""
        del dialect
        return None if value is None else self.term.from_number(int(value))


def lookup_table_name(term: type[Term]) -> str:
    """Return the table of a vocabulary class: ``SceneStatus`` → ``scene_status``."""
    name = "".join(f"_{c.lower()}" if c.isupper() else c for c in term.__name__).lstrip("_")
    return "role" if name == "role_name" else name


def _make_lookup(term: type[Term]) -> sa.Table:
    return sa.Table(
        lookup_table_name(term),
        Base.metadata,
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("sort_order", sa.SmallInteger, nullable=False),
    )


LOOKUPS: dict[type[Term], sa.Table] = {term: _make_lookup(term) for term in ALL_TERMS}


def pk() -> Mapped[uuid.UUID]:
    """Return a UUIDv7 primary key column, made in Python."""
    return mapped_column(sa.Uuid, primary_key=True, default=new_id)


def fk(
    target: str, ondelete: str, *, nullable: bool = False, index: bool = True, primary_key: bool = False
) -> Mapped[Any]:
    """Return a foreign key column with an explicit delete rule and an index of its own."""
    return mapped_column(
        sa.ForeignKey(target, ondelete=ondelete), nullable=nullable, index=index and not primary_key,
        primary_key=primary_key,
    )  # fmt: skip


def term(
    kind: type[Term], *, default: Term | None = None, nullable: bool = False, primary_key: bool = False,
    index: bool = True,
) -> Any:  # fmt: skip
    """Return a column that refers to a lookup table; rows in use cannot be deleted.

    Without an index where a table grows by the thousand an hour and nobody asks for one value of the column.
    """
    return mapped_column(
        TermType(kind),
        sa.ForeignKey(f"{lookup_table_name(kind)}.id", ondelete="RESTRICT"),
        nullable=nullable,
        index=index and not primary_key,
        primary_key=primary_key,
        default=default,
    )


def now_column() -> Mapped[datetime]:
    """Return a `timestamptz` column that defaults to the transaction's time."""
    return mapped_column(sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())


def moment(*, nullable: bool = True) -> Mapped[Any]:
    """Return a `timestamptz` column."""
    return mapped_column(sa.DateTime(timezone=True), nullable=nullable)


def text(*, nullable: bool = False, unique: bool = False, default: str | None = None) -> Mapped[Any]:
    """Return a text column."""
    return mapped_column(sa.Text, nullable=nullable, unique=unique, default=default)


def version_column() -> Mapped[int]:
    """Return the optimistic version of a row that people edit."""
    return mapped_column(sa.Integer, nullable=False, default=1, server_default=sa.text("1"))
