"""People and their roles: add, list, change, deactivate; and the actor that every service takes."""

from __future__ import annotations

import uuid
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.access import passwords, queries, rules
from x121lib.access.queries import PersonRow
from x121lib.base.errors import ConflictError, ForbiddenError, InvalidInputError, RefusedError
from x121lib.base.ids import new_id
from x121lib.events import outbox
from x121lib.store import audit
from x121lib.terms.roles import ROLE_PERMISSIONS, SYSTEM, Actor, Permission
from x121lib.terms.vocabulary import EventKind, RoleName

LOCAL_ADMINISTRATOR = "local@x121.invalid"
"""Address of the person that the command line acts as; `.invalid` is reserved (RFC 2606) and has no mailbox."""


def add_person(
    session: Session, actor: Actor, *, name: str, email: str, roles: Collection[RoleName], password: str | None = None
) -> uuid.UUID:
    """Add a person and return the key; writes the audit entry and `person.added`.

    Raises:
        ForbiddenError: the actor may not manage people.
        InvalidInputError: the name, address, password or set of roles breaks a rule.
        ConflictError: the address is taken.
    """
    actor.require(Permission.MANAGE_PEOPLE)
    email = rules.clean_email(email)
    if password is not None:
        rules.check_password(password, email=email)
    key = _insert(session, rules.clean_name(name, what="person"), email, password)
    if key is None:
        raise ConflictError(f"Somebody already signs in as '{email}'.", hint="'x121 person list' shows everybody.")
    _write_roles(session, key, roles)
    _announce(session, actor, key, email, roles)
    return key


def list_people(session: Session, actor: Actor) -> list[PersonRow]:
    """Return everybody, by name; raises `ForbiddenError` without the permission to manage people."""
    actor.require(Permission.MANAGE_PEOPLE)
    return queries.list_people(session)


def set_password(
    session: Session, actor: Actor, person_id: uuid.UUID, password: str, *, current: str | None = None
) -> None:
    """Set a password and end every session of the person.

    Whoever manages people sets anybody's; everybody else only the own one, giving the ``current`` one.

    Raises:
        ForbiddenError: neither manages people nor knows the current password of the own account.
        InvalidInputError: the password breaks a rule.
    """
    own = actor.person_id == person_id
    if not own:
        actor.require(Permission.MANAGE_PEOPLE)
    person = queries.get_person(session, person_id, lock=True)
    known = person.password_hash is not None and not actor.may(Permission.MANAGE_PEOPLE)
    if own and known and not passwords.matches(person.password_hash, current or ""):
        raise ForbiddenError("The current password is not right.")
    rules.check_password(password, email=person.email)
    person.password_hash = passwords.hash_password(password)
    _end_sessions(person)
    session.flush()
    audit.record(session, actor, "person.password_set", ("person", person_id))


def set_roles(session: Session, actor: Actor, person_id: uuid.UUID, roles: Collection[RoleName]) -> None:
    """Replace a person's roles; they hold from the next request on.

    Raises:
        ForbiddenError: the actor may not manage people.
        InvalidInputError: no role at all.
        RefusedError: it would leave the local administrator without Admin.
    """
    actor.require(Permission.MANAGE_PEOPLE)
    person = queries.get_person(session, person_id, lock=True)
    if person.email == LOCAL_ADMINISTRATOR and RoleName.ADMIN not in roles:
        raise _keep_local()
    before = queries.roles_of(session, [person_id]).get(person_id, ())
    session.execute(sa.delete(m.PersonRole).where(m.PersonRole.person_id == person_id))
    _write_roles(session, person_id, roles)
    person.version += 1
    session.flush()
    change = {"before": {"roles": sorted(before)}, "after": {"roles": sorted(roles)}}
    audit.record(session, actor, "person.roles_set", ("person", person_id), **change)


def deactivate(session: Session, actor: Actor, person_id: uuid.UUID) -> None:
    """Stop a person from signing in or acting, at once; what the person did stays. Idempotent.

    Raises:
        ForbiddenError: the actor may not manage people.
        RefusedError: it is the local administrator.
    """
    actor.require(Permission.MANAGE_PEOPLE)
    person = queries.get_person(session, person_id, lock=True)
    if person.email == LOCAL_ADMINISTRATOR:
        raise _keep_local()
    if not person.is_active:
        return
    person.is_active = False
    _end_sessions(person)
    session.flush()
    audit.record(session, actor, "person.deactivated", ("person", person_id))


def sign_out_everywhere(session: Session, actor: Actor, person_id: uuid.UUID) -> None:
    """End every session of a person: the own ones, or anybody's for whoever manages people."""
    if actor.person_id != person_id:
        actor.require(Permission.MANAGE_PEOPLE)
    person = queries.get_person(session, person_id, lock=True)
    _end_sessions(person)
    session.flush()
    audit.record(session, actor, "person.signed_out_everywhere", ("person", person_id))


def ensure_local_administrator(session: Session) -> uuid.UUID:
    """Return the person that the command line acts as, adding it on first use. Idempotent, also at once."""
    key = _insert(session, "Local administrator", LOCAL_ADMINISTRATOR, None)
    if key is None:
        person = queries.find_person_by_email(session, LOCAL_ADMINISTRATOR)
        if person is None:
            raise ConflictError("The local administrator vanished while it was looked up.")
        return person.id
    _write_roles(session, key, [RoleName.ADMIN])
    _announce(session, SYSTEM, key, LOCAL_ADMINISTRATOR, [RoleName.ADMIN])
    return key


def actor_for(session: Session, person_id: uuid.UUID) -> Actor:
    """Return the actor of a person, with the permissions of the roles held now.

    Raises:
        NotFoundError: no such person.
        ForbiddenError: the person was deactivated.
    """
    person = queries.get_person(session, person_id)
    if not person.is_active:
        raise ForbiddenError(f"{person.name} was deactivated.", hint="Ask an Admin.")
    roles = queries.roles_of(session, [person_id]).get(person_id, ())
    permissions = frozenset[Permission]().union(*(ROLE_PERMISSIONS[role] for role in roles))
    return Actor(person_id=person_id, name=person.name, permissions=permissions)


def _insert(session: Session, name: str, email: str, password: str | None) -> uuid.UUID | None:
    hashed = None if password is None else passwords.hash_password(password)
    return session.scalar(
        insert(m.Person)
        .values(id=new_id(), name=name, email=email, password_hash=hashed, is_active=True, session_epoch=1)
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(m.Person.id)
    )


def _write_roles(session: Session, person_id: uuid.UUID, roles: Collection[RoleName]) -> None:
    if not roles:
        raise InvalidInputError("A person needs a role.", hint=f"Roles: {', '.join(RoleName)}.")
    session.add_all(m.PersonRole(person_id=person_id, role_id=role) for role in set(roles))
    session.flush()


def _announce(session: Session, actor: Actor, key: uuid.UUID, email: str, roles: Collection[RoleName]) -> None:
    facts = {"email": email, "roles": sorted(roles)}
    audit.record(session, actor, "person.added", ("person", key), after=facts)
    outbox.publish(session, EventKind.PERSON_ADDED, entity="person", entity_id=key, payload={"roles": sorted(roles)})


def _end_sessions(person: m.Person) -> None:
    person.session_epoch += 1
    person.version += 1


def _keep_local() -> RefusedError:
    return RefusedError("The local administrator stays an active Admin: the command line acts as it.")
