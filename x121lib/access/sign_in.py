"""Sign-in by password or one-time link, and the signed sessions of the web door."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import timedelta
from pathlib import Path

import jwt
import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.access import passwords, queries, rules
from x121lib.access.service import actor_for
from x121lib.base.clock import system_now, type_now
from x121lib.base.errors import InvalidInputError, X121Error
from x121lib.base.log import get_logger
from x121lib.base.secrets import read_or_make_secret
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission

SESSION_LIFETIME_S = 12 * 3600
"""Seconds that a session lasts: a working day."""
LONGEST_LINK_S = 7 * 24 * 3600
"""Longest life of a sign-in link, in seconds."""
_AUDIENCE = "x121-session"
_ALGORITHM = "HS256"
_CLAIMS = ["sub", "epoch", "iat", "exp", "aud"]

_log = get_logger(__name__)
_throttle = rules.Throttle()


class SignInError(X121Error):
    """The door stays shut; the message never says whether the address is known."""

    code = "access.sign_in"


class SignedOutError(SignInError):
    """The session is over or was never valid."""

    code = "access.signed_out"


def sign_in(
    session: Session, email: str, password: str, *, source: str = "", throttle: rules.Throttle = _throttle
) -> Actor:
    """Return the actor of the person whose password this is; renews an outdated hash.

    Args:
        session: the caller's transaction.
        email: address as typed.
        password: password as typed.
        source: where the attempt comes from (the client's address); failures count per (source, address), so
            that a stranger's guesses do not shut out the person.
        throttle: memory of failures; this process's own by default.

    Raises:
        SignInError: unknown address, wrong or no password, or a deactivated person: always the same words.
        TooManyAttemptsError: too many failures; waiting helps.
    """
    address = email.strip().lower()
    key = f"{source}\n{hashlib.sha256(address.encode()).hexdigest()}"
    throttle.check(key)
    person = queries.find_person_by_email(session, address)
    right = passwords.matches(person.password_hash if person else None, password[: rules.MAXIMUM_PASSWORD + 1])
    if person is None or not right or not person.is_active:
        throttle.fail(key)
        _log.warning("A sign-in from '%s' was refused.", source)
        raise SignInError("The e-mail address or the password is not right.")
    throttle.clear(key)
    if person.password_hash is not None and passwords.is_outdated(person.password_hash):
        person.password_hash = passwords.hash_password(password)
    actor = actor_for(session, person.id)
    audit.record(session, actor, "person.signed_in", ("person", person.id))
    return actor


def make_sign_in_link(session: Session, actor: Actor, person_id: uuid.UUID, lifetime_s: float = 900) -> str:
    """Return a token that signs the person in once, within ``lifetime_s`` seconds; only its hash is kept.

    Raises:
        ForbiddenError: the actor may not manage people, or the person was deactivated.
        InvalidInputError: the lifetime is not positive or over a week.
    """
    actor.require(Permission.MANAGE_PEOPLE)
    if not 0 < lifetime_s <= LONGEST_LINK_S:
        raise InvalidInputError("A sign-in link lives for more than 0 seconds and at most a week.")
    actor_for(session, person_id)
    token = secrets.token_urlsafe(32)
    expires = sa.func.clock_timestamp() + timedelta(seconds=lifetime_s)
    expired = m.SignInLink.expires_at < sa.func.now() - timedelta(seconds=LONGEST_LINK_S)
    session.execute(sa.delete(m.SignInLink).where(expired))
    session.add(m.SignInLink(person_id=person_id, token_hash=_hash(token), expires_at=expires))
    session.flush()
    audit.record(session, actor, "person.link_made", ("person", person_id), after={"lifetime_s": lifetime_s})
    return token


def redeem(session: Session, token: str) -> uuid.UUID:
    """Use up a sign-in link and return its person; of several who try at once exactly one succeeds.

    Raises:
        SignInError: unknown, used or expired link, or a deactivated person.
    """
    link = m.SignInLink
    person_id = session.scalar(
        sa.update(link)
        .where(link.token_hash == _hash(token), link.used_at.is_(None), link.expires_at > sa.func.clock_timestamp())
        .where(link.person_id == m.Person.id, m.Person.is_active)
        .values(used_at=sa.func.clock_timestamp())
        .returning(link.person_id)
        .execution_options(synchronize_session=False)
    )
    if person_id is None:
        raise SignInError(
            "This sign-in link was used, has expired or never was one.", hint="Ask an Admin for a new link."
        )
    audit.record(session, actor_for(session, person_id), "person.signed_in_by_link", ("person", person_id))
    return person_id


def session_key(secrets_dir: Path) -> str:
    """Return the key that signs this studio's sessions, made on first use."""
    return read_or_make_secret(secrets_dir, "session-key", 48)


def issue_session(session: Session, person_id: uuid.UUID, *, key: str, now: type_now = system_now) -> str:
    """Return a signed session token of 12 hours (JWT, RFC 7519) for a person who has just signed in."""
    person = queries.get_person(session, person_id)
    issued = now()
    claims = {
        "sub": str(person_id),
        "epoch": person.session_epoch,
        "iat": issued,
        "exp": issued + timedelta(seconds=SESSION_LIFETIME_S),
        "aud": _AUDIENCE,
    }
    return jwt.encode(claims, key, algorithm=_ALGORITHM)


def person_for_session(session: Session, token: str, *, key: str, now: type_now = system_now) -> uuid.UUID:
    """Return the person of a session token; looks the person up, so that an ended session ends at once.

    Raises:
        SignedOutError: forged, expired, or ended by sign-out, a new password or deactivation.
    """
    ended = SignedOutError("You are signed out.", hint="Sign in again.")
    try:
        options: jwt.types.Options = {"require": _CLAIMS, "verify_exp": False, "verify_iat": False}
        claims = jwt.decode(token, key, algorithms=[_ALGORITHM], audience=_AUDIENCE, options=options)
        person_id, expires = uuid.UUID(claims["sub"]), float(claims["exp"])
    except (jwt.InvalidTokenError, ValueError, TypeError) as error:
        raise ended from error
    person = session.get(m.Person, person_id, populate_existing=True)
    current = person is not None and person.is_active and person.session_epoch == claims["epoch"]
    if not current or now().timestamp() >= expires:
        raise ended
    return person_id


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
