"""People, their roles and sign-in."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from x121lib.model.base import Base, fk, moment, now_column, pk, term, text, version_column
from x121lib.terms.vocabulary import RoleName


class Person(Base):
    """Somebody who may act; the command line's local administrator is one too."""

    __tablename__ = "person"
    id: Mapped[uuid.UUID] = pk()
    name: Mapped[str] = text()
    email: Mapped[str] = text(unique=True)
    password_hash: Mapped[str | None] = text(nullable=True)
    is_active: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=True)
    session_epoch: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=1)
    created_at: Mapped[datetime] = now_column()
    version: Mapped[int] = version_column()


class PersonRole(Base):
    """A role that a person holds in the whole studio."""

    __tablename__ = "person_role"
    person_id: Mapped[uuid.UUID] = fk("person.id", "CASCADE", primary_key=True)
    role_id: Mapped[RoleName] = term(RoleName, primary_key=True)
    __table_args__ = (sa.Index("ix_person_role_role_id", "role_id"),)


class SignInLink(Base):
    """A one-time sign-in link; only the hash of its token is kept."""

    __tablename__ = "sign_in_link"
    id: Mapped[uuid.UUID] = pk()
    person_id: Mapped[uuid.UUID] = fk("person.id", "CASCADE")
    token_hash: Mapped[str] = text(unique=True)
    expires_at: Mapped[datetime] = moment(nullable=False)
    used_at: Mapped[datetime | None] = moment()


class ApiKey(Base):
    """A key with which a person's own programs call the API; only its hash is kept."""

    __tablename__ = "api_key"
    id: Mapped[uuid.UUID] = pk()
    person_id: Mapped[uuid.UUID] = fk("person.id", "CASCADE")
    name: Mapped[str] = text()
    key_hash: Mapped[str] = text(unique=True)
    created_at: Mapped[datetime] = now_column()
    last_used_at: Mapped[datetime | None] = moment()
    revoked_at: Mapped[datetime | None] = moment()
