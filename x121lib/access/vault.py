"""Secrets that a studio is given, such as tokens of download sites: encrypted at rest, never shown again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import InvalidInputError, NotFoundError, RefusedError
from x121lib.base.ids import new_id
from x121lib.base.secrets import read_or_make_secret
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission

LONGEST_VALUE = 8192
"""Characters."""
_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class SecretRow:
    """A secret as lists show one; its value is never among it."""

    name: str
    """What it is called, e.g. ``huggingface``."""
    set_by: str | None
    """Who set it last."""
    set_at: datetime
    """When that was."""


def set_secret(session: Session, actor: Actor, secrets_dir: Path, name: str, value: str) -> None:
    """Keep a value under a name, in place of the one before. Writes the audit entry, without the value.

    Raises:
        InvalidInputError: the name is not of the form ``huggingface``, or the value is empty, too long or spans lines.
    """
    actor.require(Permission.MANAGE_WORKERS)
    if not _NAME.fullmatch(name):
        raise InvalidInputError(
            f"'{name}' is no name for a secret.", hint="Lower-case letters, digits, '-', '_' and '.', up to 64."
        )
    value = value.strip()
    if not 0 < len(value) <= LONGEST_VALUE or not value.isprintable():
        raise InvalidInputError(f"The value of '{name}' must be one line of 1 to {LONGEST_VALUE} characters.")
    row = session.scalars(sa.select(m.Secret).where(m.Secret.name == name).with_for_update()).one_or_none()
    known = row is not None
    if row is None:
        row = m.Secret(id=new_id(), name=name)
        session.add(row)
    row.ciphertext = _fernet(secrets_dir).encrypt(value.encode()).decode()
    row.set_by_id, row.set_at = actor.person_id, session.scalars(sa.select(sa.func.now())).one()
    session.flush()
    audit.record(session, actor, "secret.replace" if known else "secret.set", ("secret", row.id), after={"name": name})


def list_secrets(session: Session, actor: Actor) -> list[SecretRow]:
    """Return the names of the secrets, never their values."""
    actor.require(Permission.MANAGE_WORKERS)
    query = sa.select(m.Secret.name, m.Person.name, m.Secret.set_at).outerjoin(
        m.Person, m.Person.id == m.Secret.set_by_id
    )
    return [SecretRow(*row) for row in session.execute(query.order_by(m.Secret.name))]


def remove_secret(session: Session, actor: Actor, name: str) -> None:
    """Forget a secret; raises `NotFoundError` where there is none of that name."""
    actor.require(Permission.MANAGE_WORKERS)
    row = session.scalars(sa.select(m.Secret).where(m.Secret.name == name).with_for_update()).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no secret '{name}'.", hint="'x121 secret list' shows the names.")
    key = row.id
    session.delete(row)
    session.flush()
    audit.record(session, actor, "secret.remove", ("secret", key), before={"name": name})


def find_value(session: Session, secrets_dir: Path, name: str) -> str | None:
    """Return a secret's value for a service that sends it where it belongs; None where there is none.

    Surfaces never call this, and nothing logs or stores what it returns.

    Raises:
        RefusedError: the studio's data key is not the one that encrypted it.
    """
    row = session.scalars(sa.select(m.Secret).where(m.Secret.name == name)).one_or_none()
    if row is None:
        return None
    try:
        return _fernet(secrets_dir).decrypt(row.ciphertext).decode()
    except InvalidToken as error:
        raise RefusedError(
            f"The secret '{name}' was encrypted with another data key.", hint=f"Set it again: 'x121 secret set {name}'."
        ) from error


def _fernet(secrets_dir: Path) -> Fernet:
    return Fernet(read_or_make_secret(secrets_dir, "data-key", 32) + "=")
