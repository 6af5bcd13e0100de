"""Sign-in for the web door: passwords, one-time links, sessions. Nothing here raises for a wrong secret."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from x121lib.access import service as people
from x121lib.access.queries import roles_of
from x121lib.access.sign_in import SignedOutError
from x121lib.base.errors import ForbiddenError, NotFoundError, X121Error
from x121lib.base.log import get_logger
from x121lib.store.session import DatabaseError
from x121lib.studio.core import Studio
from x121lib.studio.pages.people import SessionPerson
from x121lib.terms.roles import Actor

_log = get_logger(__name__)
KNOWN_FOR_S = 3.0
"""Seconds for which a session token is believed without asking the database: a page loads many files at once."""
_CAPACITY = 4096


@dataclass(frozen=True)
class _Known:
    until: float
    person: SessionPerson
    actor: Actor


class Doorman:
    """Who is at the door. Safe for many threads."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._known: dict[str, _Known] = {}
        self._lock = threading.Lock()

    def sign_in(self, email: str, password: str, source: str = "") -> SessionPerson | None:
        """Return the person with a new session; None for a wrong secret, and while failures must wait."""
        try:
            actor, token = self._studio.people.sign_in(email, password, source)
        except DatabaseError:
            raise
        except X121Error as error:
            _log.info("sign-in refused: %s", error.code)
            return None
        return self._remember(actor, token)

    def redeem_once(self, token: str) -> SessionPerson | None:
        """Return the person whose one-time link this is, and spend it."""
        try:
            actor, session = self._studio.people.redeem(token)
        except DatabaseError:
            raise
        except X121Error as error:
            _log.info("one-time link refused: %s", error.code)
            return None
        return self._remember(actor, session)

    def person_for(self, session: str) -> SessionPerson | None:
        """Return who a session token belongs to, or None once it ended."""
        try:
            return self._look_up(session).person
        except (SignedOutError, ForbiddenError, NotFoundError):
            return None

    def actor_for(self, person: SessionPerson) -> Actor:
        """Return the actor behind a session; raises `SignedOutError` once it ended."""
        return self._look_up(person.session).actor

    def sign_out(self, session: str) -> None:
        """End the sessions of whoever holds this one: tokens are signed and not stored, so they end together."""
        try:
            actor = self._look_up(session).actor
        except (SignedOutError, ForbiddenError, NotFoundError):
            return
        if actor.person_id is not None:
            with self._studio.transaction() as transaction:
                people.sign_out_everywhere(transaction, actor, actor.person_id)
        with self._lock:
            self._known = {k: v for k, v in self._known.items() if v.actor.person_id != actor.person_id}

    def _look_up(self, token: str) -> _Known:
        with self._lock:
            known = self._known.get(token)
        if known is not None and known.until > time.monotonic():
            return known
        actor = self._studio.people.actor_for_session(token)
        self._remember(actor, token)
        with self._lock:
            return self._known[token]

    def _remember(self, actor: Actor, token: str) -> SessionPerson:
        person = SessionPerson(id=str(actor.person_id), name=actor.name, role=self._role(actor), session=token)
        with self._lock:
            if len(self._known) >= _CAPACITY:
                self._known.clear()
            self._known[token] = _Known(time.monotonic() + KNOWN_FOR_S, person, actor)
        return person

    def _role(self, actor: Actor) -> str:
        if actor.person_id is None:
            return ""
        with self._studio.transaction() as session:
            roles = roles_of(session, [actor.person_id]).get(actor.person_id, ())
        return roles[0].value if roles else ""
