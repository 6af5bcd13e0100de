"""Signing in by password and by link, and the sessions that follow."""

from __future__ import annotations

import stat
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from x121lib import model as m
from x121lib.access import rules, service, sign_in
from x121lib.base.clock import ManualClock
from x121lib.base.errors import ForbiddenError, InvalidInputError
from x121lib.store.session import Database
from x121lib.terms.roles import Actor
from x121lib.terms.vocabulary import RoleName

PHRASE = "seven green lanterns"
EMAIL = "ada@example.com"


@pytest.fixture
def ada(database: Database, admin: Actor) -> uuid.UUID:
    with database.transaction() as session:
        return service.add_person(session, admin, name="Ada", email=EMAIL, roles=[RoleName.CREATOR], password=PHRASE)


def _enter(database: Database, email: str, password: str, throttle: rules.Throttle | None = None) -> Actor:
    with database.transaction() as session:
        return sign_in.sign_in(session, email, password, throttle=throttle or rules.Throttle())


def _link(database: Database, admin: Actor, ada: uuid.UUID, lifetime_s: float = 900) -> str:
    with database.transaction() as session:
        return sign_in.make_sign_in_link(session, admin, ada, lifetime_s)


def _redeem(database: Database, token: str) -> uuid.UUID | None:
    try:
        with database.transaction() as session:
            return sign_in.redeem(session, token)
    except sign_in.SignInError:
        return None


def test_the_right_password_opens_and_is_audited(database: Database, ada: uuid.UUID) -> None:
    actor = _enter(database, " ADA@example.com ", PHRASE)
    assert (actor.person_id, actor.name) == (ada, "Ada")
    with database.transaction() as session:
        actions = session.scalars(sa.select(m.AuditEntry.action).order_by(m.AuditEntry.id)).all()
    assert actions[-1] == "person.signed_in"


def test_every_refusal_reads_the_same(database: Database, admin: Actor, ada: uuid.UUID) -> None:
    with database.transaction() as session:
        gone = service.add_person(
            session, admin, name="Gone", email="gone@example.com", roles=[RoleName.ADMIN], password=PHRASE
        )
        service.deactivate(session, admin, gone)
        service.add_person(session, admin, name="New", email="new@example.com", roles=[RoleName.ADMIN])
    words = set()
    for email, password in (
        (EMAIL, "seven green lantern"), (EMAIL, ""), ("who@example.com", PHRASE), ("gone@example.com", PHRASE),
        ("new@example.com", "nobody's password"), ("new@example.com", ""), (EMAIL, "x" * 100_000),
    ):  # fmt: skip
        with pytest.raises(sign_in.SignInError) as refused:
            _enter(database, email, password)
        words.add(str(refused.value))
    assert len(words) == 1


def test_repeated_failures_wait_even_with_the_right_password(database: Database, ada: uuid.UUID) -> None:
    clock = ManualClock()
    throttle = rules.Throttle(now=clock)
    for _ in range(5):
        with pytest.raises(sign_in.SignInError):
            _enter(database, EMAIL, "wrong wrong wrong", throttle)
    with pytest.raises(rules.TooManyAttemptsError, match="Try again in"):
        _enter(database, EMAIL, PHRASE, throttle)
    clock.advance(2.1)
    assert _enter(database, EMAIL, PHRASE, throttle).person_id == ada


def test_an_outdated_hash_is_renewed_at_sign_in(database: Database, ada: uuid.UUID) -> None:
    weak = PasswordHasher.from_parameters(CHEAPEST).hash(PHRASE)
    with database.transaction() as session:
        session.get_one(m.Person, ada).password_hash = weak
    _enter(database, EMAIL, PHRASE)
    with database.transaction() as session:
        renewed = session.get_one(m.Person, ada).password_hash
    assert renewed is not None
    assert renewed != weak
    assert "m=65536" in renewed
    assert _enter(database, EMAIL, PHRASE).person_id == ada


def test_a_link_works_once_even_when_many_try_together(database: Database, admin: Actor, ada: uuid.UUID) -> None:
    token = _link(database, admin, ada)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: _redeem(database, token), range(8)))
    assert results.count(ada) == 1
    assert results.count(None) == 7
    with database.transaction() as session:
        stored = session.scalars(sa.select(m.SignInLink.token_hash)).one()
    assert token not in stored


def test_expired_forged_and_deactivated_links_do_not_open(database: Database, admin: Actor, ada: uuid.UUID) -> None:
    expired, spare = _link(database, admin, ada), _link(database, admin, ada)
    with database.transaction() as session:
        first = session.scalars(sa.select(m.SignInLink).order_by(m.SignInLink.id)).first()
        assert first is not None
        first.expires_at = first.expires_at - timedelta(seconds=901)
    assert _redeem(database, expired) is None
    assert _redeem(database, "forged") is None
    with database.transaction() as session:
        service.deactivate(session, admin, ada)
    assert _redeem(database, spare) is None


def test_only_an_admin_makes_links_and_only_with_a_sane_life(database: Database, admin: Actor, ada: uuid.UUID) -> None:
    with database.transaction() as session:
        creator = service.actor_for(session, ada)
        with pytest.raises(ForbiddenError):
            sign_in.make_sign_in_link(session, creator, ada)
    for lifetime_s in (0, -1, 8 * 24 * 3600):
        with pytest.raises(InvalidInputError):
            _link(database, admin, ada, lifetime_s)


@pytest.mark.capability("PRD-03/jwt-login")
def test_a_session_token_names_its_person_for_twelve_hours(database: Database, ada: uuid.UUID, tmp_path: Path) -> None:
    key, clock = sign_in.session_key(tmp_path / "secrets"), ManualClock()
    _enter(database, EMAIL, PHRASE)
    with database.transaction() as session:
        token = sign_in.issue_session(session, ada, key=key, now=clock)
        clock.advance(12 * 3600 - 1)
        assert sign_in.person_for_session(session, token, key=key, now=clock) == ada
        clock.advance(1)
        with pytest.raises(sign_in.SignedOutError):
            sign_in.person_for_session(session, token, key=key, now=clock)
    assert stat.S_IMODE((tmp_path / "secrets" / "session-key").stat().st_mode) == 0o600


def test_forged_tokens_are_refused(database: Database, ada: uuid.UUID) -> None:
    key = "k" * 64
    with database.transaction() as session:
        good = sign_in.issue_session(session, ada, key=key)
        claims = jwt.decode(good, options={"verify_signature": False})
        short = {name: value for name, value in claims.items() if name != "epoch"}
        for bad in (
            "", "a.b.c", good[:-4] + "AAAA", jwt.encode(claims, "o" * 64, algorithm="HS256"),
            jwt.encode(claims, "", algorithm="none"), jwt.encode(short, key, algorithm="HS256"),
            jwt.encode(claims | {"aud": "other"}, key, algorithm="HS256"),
            jwt.encode(claims | {"sub": "nobody"}, key, algorithm="HS256"),
            jwt.encode(claims | {"sub": str(uuid.uuid4())}, key, algorithm="HS256"),
        ):  # fmt: skip
            with pytest.raises(sign_in.SignedOutError):
                sign_in.person_for_session(session, bad, key=key)


@pytest.mark.parametrize("end", ["everywhere", "password", "deactivate"])
def test_sessions_end_at_once(database: Database, admin: Actor, ada: uuid.UUID, end: str) -> None:
    key = "k" * 64
    with database.transaction() as session:
        token = sign_in.issue_session(session, ada, key=key)
        own = service.actor_for(session, ada)
    with database.transaction() as session:
        if end == "everywhere":
            service.sign_out_everywhere(session, own, ada)
        elif end == "password":
            service.set_password(session, admin, ada, "nine blue lanterns")
        else:
            service.deactivate(session, admin, ada)
    with database.transaction() as session, pytest.raises(sign_in.SignedOutError):
        sign_in.person_for_session(session, token, key=key)
