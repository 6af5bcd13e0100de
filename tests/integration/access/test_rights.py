"""Performers, releases and the likeness gate on a real PostgreSQL."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.access import rights
from x121lib.access.cover import Missing
from x121lib.base.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, RefusedError
from x121lib.events import outbox
from x121lib.store import audit
from x121lib.store.session import Database
from x121lib.terms.roles import Actor
from x121lib.terms.vocabulary import EventKind, PerformerKind, ReleasePurpose
from x121lib.testing.rights import NOON, Cast, terms


def _release(database: Database, admin: Actor, cast: Cast, **changes: object) -> uuid.UUID:
    with database.transaction() as session:
        return rights.add_release(
            session, admin, performer_id=cast.ada, document_artifact_id=cast.document, terms=terms(**changes)
        )


def _require(database: Database, character: uuid.UUID, cast: Cast, *kinds: uuid.UUID) -> None:
    with database.transaction() as session:
        rights.require_cover(
            session, character_id=character, variant_kind_ids=kinds or (cast.clothed,), at=NOON,
            purpose=ReleasePurpose.GENERATE, project_id=cast.project,
        )  # fmt: skip


@pytest.mark.capability("TRU/adult-verification-recorded-before-any-real-performer-is-use")
def test_a_release_waits_for_the_adult_verification(database: Database, admin: Actor, cast: Cast) -> None:
    with database.transaction() as session:
        young = rights.add_performer(session, admin, name="Bo", kind=PerformerKind.REAL)
    with pytest.raises(rights.ReleaseMissingError, match="'Bo' is an adult has not"), database.transaction() as session:
        rights.add_release(session, admin, performer_id=young, document_artifact_id=cast.document, terms=terms())
    with database.transaction() as session:
        assert rights.list_releases(session, admin, young) == []
        rights.verify_adult(session, admin, young, NOON - timedelta(days=1))
        rights.add_release(session, admin, performer_id=young, document_artifact_id=cast.document, terms=terms())
        row = rights.find_performer(session, admin, "Bo")
    assert row is not None
    assert row.adult_verified_at == NOON - timedelta(days=1)


def test_a_verification_lies_in_the_past_and_belongs_to_a_person(database: Database, admin: Actor, cast: Cast) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    for performer, when in ((cast.ada, later), (cast.lena, NOON), (cast.ada, datetime(2026, 1, 1))):  # noqa: DTZ001
        with pytest.raises(InvalidInputError), database.transaction() as session:
            rights.verify_adult(session, admin, performer, when)


def test_a_real_performer_is_covered_by_a_fitting_release_only(database: Database, admin: Actor, cast: Cast) -> None:
    with pytest.raises(rights.ReleaseMissingError, match="No likeness release of 'Ada' is recorded") as refused:
        _require(database, cast.ada_character, cast)
    assert refused.value.code == "rights.no_cover"
    _release(database, admin, cast)
    _require(database, cast.ada_character, cast)
    with pytest.raises(rights.ReleaseMissingError, match="covers variant kind 'evening'"):
        _require(database, cast.ada_character, cast, cast.clothed, cast.evening)
    _require(database, cast.lena_character, cast, cast.clothed, cast.evening)


def test_scopes_are_stored_and_read_back(database: Database, admin: Actor, cast: Cast) -> None:
    key = _release(
        database, admin, cast, transition_modes=frozenset({"coat_off", "normal"}), valid_until=None,
        projects=frozenset({cast.project}), purposes=frozenset({ReleasePurpose.SHARE, ReleasePurpose.DELIVER}),
    )  # fmt: skip
    _release(database, admin, cast, variant_kinds=None)
    with database.transaction() as session:
        first, second = rights.list_releases(session, admin)
    assert (first.release_id, first.performer_name, first.document_artifact_id) == (key, "Ada", cast.document)
    assert first.facts.projects == frozenset({"Spring"})
    assert first.facts.variant_kinds == frozenset({"clothed"})
    assert first.facts.transition_modes == {"coat_off"}
    assert first.facts.purposes == {ReleasePurpose.SHARE, ReleasePurpose.DELIVER}
    assert first.facts.valid_until is None
    assert (second.facts.projects, second.facts.variant_kinds) == (None, None)


def test_many_uses_are_answered_in_few_statements(database: Database, admin: Actor, cast: Cast) -> None:
    _release(database, admin, cast, projects=frozenset({cast.project}), transition_modes=frozenset({"coat_off"}))
    generate, train = ReleasePurpose.GENERATE, ReleasePurpose.TRAIN
    fine = rights.Use(cast.ada_character, cast.clothed, cast.project, generate)
    kind = rights.Use(cast.ada_character, cast.evening, cast.project, train)
    elsewhere = rights.Use(cast.ada_character, cast.clothed, cast.other_project, generate)
    moving = rights.Use(cast.ada_character, cast.clothed, cast.project, generate, cast.coat_off)
    drawn = rights.Use(cast.lena_character, cast.evening, cast.other_project, train, cast.coat_off)
    statements: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    with database.transaction() as session:
        gaps = rights.uncovered(session, [fine, kind, elsewhere, moving, drawn] * 500, NOON)
    assert {use: gap.missing for use, gap in gaps.items()} == {
        kind: Missing.VARIANT_KIND, elsewhere: Missing.PROJECT, moving: Missing.VARIANT_KIND,
    }  # fmt: skip
    assert "project 'Autumn'" in gaps[elsewhere].reason
    assert "variant kind 'evening'" in gaps[moving].reason
    assert len(statements) <= 10


def test_an_unknown_character_is_not_taken_for_covered(database: Database, cast: Cast) -> None:
    with pytest.raises(NotFoundError):
        _require(database, uuid.uuid4(), cast)
    with pytest.raises(NotFoundError):
        _require(database, cast.lena_character, cast, uuid.uuid4())


def test_revocation_ends_the_cover_and_is_told(database: Database, admin: Actor, cast: Cast) -> None:
    key = _release(database, admin, cast)
    with database.transaction() as session:
        rights.revoke_release(session, admin, key, " withdrawn by letter ")
    with pytest.raises(rights.ReleaseMissingError, match="The release of 'Ada' was revoked on"):
        _require(database, cast.ada_character, cast)
    with pytest.raises(ConflictError), database.transaction() as session:
        rights.revoke_release(session, admin, key, "again")
    with database.transaction() as session:
        kinds = [event.kind for event in outbox.latest(session)]
        actions = session.scalars(sa.select(m.AuditEntry.action).where(m.AuditEntry.entity_id == key)).all()
        assert rights.list_releases(session, admin)[0].revocation_reason == "withdrawn by letter"
        assert audit.first_broken_entry(session) is None
    assert kinds == [EventKind.RELEASE_REVOKED, EventKind.RELEASE_ADDED]
    assert sorted(actions) == ["release.added", "release.revoked"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"valid_until": datetime(2026, 1, 1, tzinfo=UTC)}, "ends before it begins"),
        ({"purposes": frozenset()}, "at least one purpose"),
        ({"variant_kinds": frozenset()}, "at least one variant kind"),
        ({"variant_kinds": frozenset({"ball"})}, "no variant kind 'ball'"),
        ({"transition_modes": frozenset({"ball"})}, "no transition mode 'ball'"),
        ({"projects": frozenset({uuid.UUID(int=7)})}, "no project"),
        ({"valid_from": datetime(2026, 1, 1)}, "time zone"),  # noqa: DTZ001
    ],
)
def test_senseless_terms_are_refused_whole(
    database: Database, admin: Actor, cast: Cast, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(InvalidInputError, match=words):
        _release(database, admin, cast, **changes)
    with database.transaction() as session:
        assert rights.list_releases(session, admin) == []


def test_a_document_that_is_not_stored_and_a_drawn_performer_are_refused(
    database: Database, admin: Actor, cast: Cast
) -> None:
    for performer, document, error in (
        (cast.ada, uuid.uuid4(), NotFoundError), (cast.lena, cast.document, InvalidInputError),
        (uuid.uuid4(), cast.document, NotFoundError),
    ):  # fmt: skip
        with pytest.raises(error), database.transaction() as session:
            rights.add_release(session, admin, performer_id=performer, document_artifact_id=document, terms=terms())


def test_the_legal_name_is_stored_sealed(database: Database, admin: Actor, tmp_path: Path) -> None:
    vault, other = tmp_path / "secrets", tmp_path / "other"
    legal = rights.LegalName("Adelheid Example", vault)
    with database.transaction() as session:
        key = rights.add_performer(session, admin, name="Heidi", kind=PerformerKind.REAL, legal_name=legal)
    with database.transaction() as session:
        stored = session.get_one(m.Performer, key).legal_name_encrypted
        assert rights.read_legal_name(session, admin, key, secrets_dir=vault) == "Adelheid Example"
        with pytest.raises(RefusedError, match="data key"):
            rights.read_legal_name(session, admin, key, secrets_dir=other)
        told = str(session.scalars(sa.select(m.AuditEntry.after)).all())
    assert stored is not None
    assert b"Adelheid" not in stored
    assert "Adelheid" not in told


def test_a_real_performer_never_passes_as_synthetic(database: Database, admin: Actor, cast: Cast) -> None:
    with database.transaction() as session:
        assert rights.ensure_synthetic_performer(session, admin, "Lena") == cast.lena
        fresh = rights.ensure_synthetic_performer(session, admin, "Aiko")
        assert rights.ensure_synthetic_performer(session, admin, "Aiko") == fresh
    with pytest.raises(RefusedError, match="is a real performer"), database.transaction() as session:
        rights.ensure_synthetic_performer(session, admin, "Ada")
    with pytest.raises(ConflictError), database.transaction() as session:
        rights.add_performer(session, admin, name="Ada", kind=PerformerKind.SYNTHETIC)


@pytest.mark.capability("PRD-03/permission-enforced-in-services")
def test_a_reviewer_reads_rights_but_changes_none(
    database: Database, admin: Actor, reviewer: Actor, cast: Cast, tmp_path: Path
) -> None:
    key = _release(database, admin, cast)
    with database.transaction() as session:
        assert len(rights.list_performers(session, reviewer)) == 2
        assert len(rights.list_releases(session, reviewer)) == 1
        for attempt in (
            lambda: rights.add_performer(session, reviewer, name="X", kind=PerformerKind.SYNTHETIC),
            lambda: rights.ensure_synthetic_performer(session, reviewer, "X"),
            lambda: rights.verify_adult(session, reviewer, cast.ada, NOON),
            lambda: rights.revoke_release(session, reviewer, key, "no"),
            lambda: rights.read_legal_name(session, reviewer, cast.ada, secrets_dir=tmp_path),
            lambda: rights.add_release(
                session, reviewer, performer_id=cast.ada, document_artifact_id=cast.document, terms=terms()
            ),
        ):
            with pytest.raises(ForbiddenError):
                attempt()
