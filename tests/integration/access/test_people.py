"""People and roles on a real PostgreSQL."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.access import service
from x121lib.access.sign_in import sign_in
from x121lib.base.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, RefusedError
from x121lib.events import outbox
from x121lib.store import audit
from x121lib.store.session import Database
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import EventKind, RoleName

PHRASE = "seven green lanterns"


def _add(database: Database, actor: Actor, *roles: RoleName, email: str = "ada@example.com") -> uuid.UUID:
    with database.transaction() as session:
        return service.add_person(session, actor, name="Ada", email=email, roles=roles, password=PHRASE)


def _actor(database: Database, person_id: uuid.UUID) -> Actor:
    with database.transaction() as session:
        return service.actor_for(session, person_id)


@pytest.mark.capability("PRD-03/admin-creator-reviewer-roles")
def test_each_role_grants_what_its_holder_may_do(database: Database, admin: Actor) -> None:
    reviewer = _actor(database, _add(database, admin, RoleName.REVIEWER, email="r@example.com"))
    creator = _actor(database, _add(database, admin, RoleName.CREATOR, email="c@example.com"))
    boss = _actor(database, _add(database, admin, RoleName.ADMIN, email="b@example.com"))
    assert reviewer.permissions == {Permission.VIEW, Permission.REVIEW}
    assert creator.may(Permission.SUBMIT)
    assert creator.may(Permission.FINAL_APPROVAL)
    assert not creator.may(Permission.MANAGE_PEOPLE)
    assert boss.permissions == frozenset(Permission)


def test_two_roles_add_up(database: Database, admin: Actor) -> None:
    key = _add(database, admin, RoleName.REVIEWER, RoleName.CREATOR)
    assert _actor(database, key).may(Permission.SUBMIT)


def test_adding_a_person_leaves_an_audit_entry_and_an_event(database: Database, admin: Actor) -> None:
    key = _add(database, admin, RoleName.CREATOR, email="  Ada@Example.com")
    with database.transaction() as session:
        [row] = service.list_people(session, admin)
        [event] = outbox.latest(session)
        entry = session.scalars(sa.select(m.AuditEntry)).one()
        stored = session.get_one(m.Person, key).password_hash
        assert audit.first_broken_entry(session) is None
    assert (row.person_id, row.email, row.roles, row.has_password) == (
        key, "ada@example.com", (RoleName.CREATOR,), True,
    )  # fmt: skip
    assert (event.kind, event.entity_id) == (EventKind.PERSON_ADDED, key)
    assert (entry.action, entry.entity_id, entry.actor_name) == ("person.added", key, admin.name)
    assert stored is not None
    assert PHRASE not in stored


def test_an_address_signs_in_one_person_only(database: Database, admin: Actor) -> None:
    _add(database, admin, RoleName.CREATOR)
    with pytest.raises(ConflictError, match=r"ada@example\.com"):
        _add(database, admin, RoleName.REVIEWER, email="ADA@example.com")


def test_a_person_without_a_role_or_with_a_weak_password_is_refused_whole(database: Database, admin: Actor) -> None:
    with pytest.raises(InvalidInputError, match="needs a role"):
        _add(database, admin)
    with pytest.raises(InvalidInputError, match="too short"), database.transaction() as session:
        service.add_person(session, admin, name="B", email="b@x.org", roles=[RoleName.ADMIN], password="short")
    with database.transaction() as session:
        assert service.list_people(session, admin) == []


@pytest.mark.capability("PRD-03/permission-enforced-in-services")
@pytest.mark.parametrize("role", [RoleName.CREATOR, RoleName.REVIEWER])
def test_only_an_admin_manages_people(database: Database, admin: Actor, role: RoleName) -> None:
    actor = _actor(database, _add(database, admin, role))
    other = _add(database, admin, RoleName.REVIEWER, email="other@example.com")
    with database.transaction() as session:
        for attempt in (
            lambda: service.add_person(session, actor, name="X", email="x@x.org", roles=[RoleName.ADMIN]),
            lambda: service.list_people(session, actor),
            lambda: service.set_roles(session, actor, other, [RoleName.ADMIN]),
            lambda: service.set_password(session, actor, other, PHRASE + " two"),
            lambda: service.deactivate(session, actor, other),
            lambda: service.sign_out_everywhere(session, actor, other),
        ):
            with pytest.raises(ForbiddenError):
                attempt()


def test_roles_hold_from_the_next_request_on(database: Database, admin: Actor) -> None:
    key = _add(database, admin, RoleName.REVIEWER)
    with database.transaction() as session:
        service.set_roles(session, admin, key, [RoleName.CREATOR])
        entry = session.scalars(sa.select(m.AuditEntry).order_by(m.AuditEntry.id.desc())).first()
    assert _actor(database, key).may(Permission.SUBMIT)
    assert entry is not None
    assert (entry.before, entry.after) == ({"roles": ["Reviewer"]}, {"roles": ["Creator"]})


def test_a_deactivated_person_neither_signs_in_nor_acts(database: Database, admin: Actor) -> None:
    key = _add(database, admin, RoleName.CREATOR)
    with database.transaction() as session:
        service.deactivate(session, admin, key)
        service.deactivate(session, admin, key)
    with pytest.raises(ForbiddenError, match="deactivated"):
        _actor(database, key)
    with pytest.raises(NotFoundError):
        _actor(database, uuid.uuid4())


def test_the_own_password_needs_the_current_one(database: Database, admin: Actor) -> None:
    key = _add(database, admin, RoleName.REVIEWER)
    own = _actor(database, key)
    with pytest.raises(ForbiddenError, match="current password"), database.transaction() as session:
        service.set_password(session, own, key, "nine blue lanterns")
    with database.transaction() as session:
        service.set_password(session, own, key, "nine blue lanterns", current=PHRASE)
    with database.transaction() as session:
        assert sign_in(session, "ada@example.com", "nine blue lanterns").person_id == key


def test_the_local_administrator_is_made_once_and_stays(database: Database, admin: Actor) -> None:
    def ensure(_: int) -> uuid.UUID:
        with database.transaction() as session:
            return service.ensure_local_administrator(session)

    with ThreadPoolExecutor(4) as pool:
        keys = set(pool.map(ensure, range(8)))
    [key] = keys
    assert _actor(database, key).permissions == frozenset(Permission)
    with pytest.raises(RefusedError), database.transaction() as session:
        service.deactivate(session, admin, key)
    with pytest.raises(RefusedError), database.transaction() as session:
        service.set_roles(session, admin, key, [RoleName.REVIEWER])
