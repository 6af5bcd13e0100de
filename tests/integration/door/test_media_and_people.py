"""Files pass the rights gate each time; documents never pass; sessions begin and end."""

from __future__ import annotations

import uuid

import pytest
import sqlalchemy as sa
from PIL import Image

from tests.integration.door.conftest import Stage
from x121lib import model as m
from x121lib.access import rights
from x121lib.access.sign_in import SignedOutError
from x121lib.studio.pages import SessionPerson
from x121lib.terms.vocabulary import ReleasePurpose


def image_of(stage: Stage, character: object) -> str:
    """Return the hash of a character's approved image."""
    with stage.studio.transaction() as session:
        return session.scalars(
            sa.select(m.Artifact.sha256)
            .join(m.ImageVersion, m.ImageVersion.artifact_id == m.Artifact.id)
            .join(m.ImageVariant, m.ImageVariant.approved_version_id == m.ImageVersion.id)
            .where(m.ImageVariant.character_id == character)
        ).one()


def release(stage: Stage, *purposes: ReleasePurpose) -> str:
    """Record a release of Captain Ada's performer."""
    terms = rights.ReleaseTerms(valid_from=stage.studio.house.now(), valid_until=None, purposes=frozenset(purposes))
    with stage.studio.transaction() as session:
        key = rights.add_release(
            session,
            stage.studio.actor,
            performer_id=stage.cast.ada,
            document_artifact_id=stage.cast.document,
            terms=terms,
        )
    return str(key)


@pytest.mark.parametrize("form", ["", "small/"])
def test_a_real_performers_picture_needs_cover_each_time(stage: Stage, form: str) -> None:
    key = form + image_of(stage, stage.cast.ada_character)
    assert stage.door.media(stage.creator, key) is None
    release_id = release(stage, ReleasePurpose.GENERATE, ReleasePurpose.SHARE)
    assert stage.door.media(stage.creator, key) is not None
    stage.studio.people.revoke_release(uuid.UUID(release_id), "asked to")
    assert stage.door.media(stage.creator, key) is None


def test_a_release_that_does_not_permit_sharing_shows_nothing(stage: Stage) -> None:
    release(stage, ReleasePurpose.GENERATE)
    assert stage.door.media(stage.creator, image_of(stage, stage.cast.ada_character)) is None


def test_a_small_picture_is_small(stage: Stage) -> None:
    file = stage.door.media(stage.reviewer, "small/" + image_of(stage, stage.cast.lena_character))
    assert file is not None
    assert file.mime == "image/webp"
    with Image.open(file.path) as picture:
        assert picture.size == (160, 200)


def test_a_takes_filmstrip_and_first_frame_are_made(reviewed: Stage) -> None:
    segment = reviewed.door.review(reviewed.reviewer, None, None)["scene"]["segments"][0]
    for address, width in ((segment["strip"], 5 * 96), (segment["takes"][0]["thumb"], 128)):
        file = reviewed.door.media(reviewed.reviewer, address.removeprefix("/media/"))
        assert file is not None
        with Image.open(file.path) as picture:
            assert picture.width == width


@pytest.mark.parametrize(
    "key", ["", "..", "../../secrets/data-key", "small/x", "other/" + "0" * 64, "0" * 64, "delivery/1"]
)
def test_an_unknown_key_gives_nothing(stage: Stage, key: str) -> None:
    assert stage.door.media(stage.admin, key) is None


def test_a_document_never_leaves_by_this_door(stage: Stage) -> None:
    stored = stage.studio.house.artifacts.put_bytes(b"signed by Ada")
    with stage.studio.transaction() as session:
        session.execute(sa.update(m.Artifact).where(m.Artifact.id == stage.cast.document).values(sha256=stored.sha256))
    assert stage.door.media(stage.admin, stored.sha256) is None


def test_a_wrong_password_gives_nothing_and_waits(stage: Stage) -> None:
    right = "correct horse 9 staple"
    assert stage.door.sign_in("ben@example.test", right, "10.0.0.1") is not None
    for _ in range(8):
        assert stage.door.sign_in("ben@example.test", "wrong", "10.0.0.2") is None
    assert stage.door.sign_in("ben@example.test", right, "10.0.0.2") is None
    assert stage.door.sign_in("ben@example.test", right, "10.0.0.1") is not None
    assert stage.door.sign_in("nobody@example.test", right) is None


def test_a_one_time_link_is_spent(stage: Stage) -> None:
    token = stage.studio.people.make_sign_in_link(uuid.UUID(stage.reviewer.id))
    found = stage.door.redeem_once(token)
    assert found is not None
    assert (found.name, found.role) == ("Ben", "Reviewer")
    assert stage.door.redeem_once(token) is None


def test_signing_out_ends_the_session_at_once(stage: Stage) -> None:
    assert stage.door.person_for(stage.creator.session) == stage.creator
    stage.door.sign_out(stage.creator.session)
    assert stage.door.person_for(stage.creator.session) is None
    with pytest.raises(SignedOutError):
        stage.door.pulse(stage.creator, None)
    stage.door.sign_out(stage.creator.session)


def test_a_forged_session_is_nobody(stage: Stage) -> None:
    forged = SessionPerson(stage.admin.id, "Ines", "Admin", stage.admin.session[:-2] + "xx")
    assert stage.door.person_for(forged.session) is None
    with pytest.raises(SignedOutError):
        stage.door.pause(forged)
