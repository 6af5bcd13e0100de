"""The likeness gate along the whole way of a real performer's picture."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.access.rights import ReleaseMissingError
from x121lib.base.errors import RefusedError
from x121lib.store import audit
from x121lib.studio import Studio
from x121lib.studio.people import ReleaseInput
from x121lib.terms.vocabulary import TaskStatus
from x121lib.testing.small_studio import Clock, drive


def turn_real(studio: Studio, name: str, *, verified: bool = True) -> None:
    """Make a drawn character of the studio a real performer's, whose age was (or was not) verified."""
    with studio.transaction() as session:
        performer = session.scalars(
            sa.select(m.Performer)
            .join(m.Character, m.Character.performer_id == m.Performer.id)
            .where(m.Character.name == name)
        ).one()
        performer.kind_id, performer.name = m.Performer.kind_id.type.term.REAL, f"{name} Real"
        performer.adult_verified_at = studio.house.now() if verified else None


def release(studio: Studio, tmp_path: Path, name: str, **changes: object) -> object:
    document = tmp_path / f"{name}.pdf"
    document.write_bytes(b"%PDF-1.4 signed")
    given = {"performer": f"{name} Real", "document": document, "valid_from": studio.house.now() - timedelta(days=1)}
    return studio.people.add_release(ReleaseInput(**(given | changes)))  # type: ignore[arg-type]


@pytest.mark.capability("TRU/no-generation-without-a-covering-likeness-release")
def test_nothing_is_generated_without_a_release_and_the_reason_is_said(stocked: Studio, tmp_path: Path) -> None:
    turn_real(stocked, "Aiko")
    project = stocked.project("Aurora")
    with pytest.raises(RefusedError, match="Aiko Real"):
        project.submit()
    assert stocked.queue().empty
    assert project.submit(skip_blocked=True).submission.n_takes == 3, "Lena is synthetic"
    with pytest.raises(ReleaseMissingError):
        project.make_variants("evening", characters=["Aiko"])
    release(stocked, tmp_path, "Aiko")
    assert project.submit(characters=["Aiko"]).submission.n_takes == 3


def test_a_release_for_other_variants_does_not_cover(stocked: Studio, tmp_path: Path) -> None:
    turn_real(stocked, "Aiko")
    release(stocked, tmp_path, "Aiko", variant_kinds=("evening",))
    (cell,) = stocked.project("Aurora").submit(characters=["Lena"]).submission.planned
    assert cell.character == "Lena"
    with pytest.raises(RefusedError, match="clothed"):
        stocked.project("Aurora").submit(characters=["Aiko"])


@pytest.mark.capability("TRU/adult-verification-recorded-before-any-real-performer-is-use")
def test_no_release_before_the_age_was_verified(stocked: Studio, tmp_path: Path) -> None:
    turn_real(stocked, "Aiko", verified=False)
    with pytest.raises(ReleaseMissingError, match="adult"):
        release(stocked, tmp_path, "Aiko")
    release(stocked, tmp_path, "Aiko", adult_verified_at=stocked.house.now())
    assert stocked.project("Aurora").submit(characters=["Aiko"]).submission.n_takes == 3


@pytest.mark.capability("TRU/no-share-or-delivery-without-a-covering-likeness-release")
def test_neither_files_nor_deliveries_leave_without_a_release(reviewed: Studio, tmp_path: Path) -> None:
    project = reviewed.project("Aurora")
    project.approve_passing()
    video = project.scene("Aiko", "sway", "clothed").video()
    assert video is not None
    turn_real(reviewed, "Aiko")
    out = tmp_path / "a.zip"
    with pytest.raises(ReleaseMissingError, match="Aiko Real"):
        project.deliver(out, partial=True)
    with pytest.raises(ReleaseMissingError, match="Aiko Real"):
        reviewed.doors.file(video.name)
    assert not out.exists()
    assert project.deliver(out, partial=True, characters=["Lena"]).n_files == 4
    release(reviewed, tmp_path, "Aiko")
    assert reviewed.doors.file(video.name)[1] == "video/mp4"
    assert project.deliver(out, partial=True).n_files == 10


def test_a_variant_image_that_no_release_covers_does_not_slip_into_the_zip(reviewed: Studio, tmp_path: Path) -> None:
    turn_real(reviewed, "Aiko")
    release(reviewed, tmp_path, "Aiko", variant_kinds=("clothed",))
    project = reviewed.project("Aurora")
    project.approve_passing()
    with reviewed.transaction() as session:
        clothed = session.scalars(
            sa.select(m.ImageVariant).join(m.Character, m.Character.id == m.ImageVariant.character_id)
            .where(m.Character.name == "Aiko")
        ).one()  # fmt: skip
        evening = session.scalars(sa.select(m.VariantKind.id).where(m.VariantKind.name == "evening")).one()
        session.add(
            m.ImageVariant(character_id=clothed.character_id, kind_id=evening, status_id=clothed.status_id,
                           approved_version_id=clothed.approved_version_id)
        )  # fmt: skip
    with pytest.raises(ReleaseMissingError, match="evening"):
        project.deliver(tmp_path / "a.zip", partial=True)


@pytest.mark.capability("TRU/revocation-stops-queued-work-and-closes-links",
                        "TRU/audit-of-every-release-and-its-use")  # fmt: skip
def test_a_revocation_stops_queued_work_and_closes_files(reviewed: Studio, tmp_path: Path) -> None:
    turn_real(reviewed, "Aiko")
    key = release(reviewed, tmp_path, "Aiko")
    project = reviewed.project("Aurora")
    aiko, lena = (project.scene(n, "sway", "clothed") for n in ("Aiko", "Lena"))
    video = aiko.video()
    assert video is not None
    reviewed.retake(aiko.scene_id, 2)
    reviewed.retake(lena.scene_id, 2)
    assert reviewed.people.revoke_release(key, "Asked for it") == 2  # type: ignore[arg-type]
    assert set(reviewed.queue()["character"]) == {"Lena"}
    assert aiko.head()["status"] == "Not started"
    with pytest.raises(ReleaseMissingError, match="revoked"):
        reviewed.doors.file(video.name)
    with reviewed.transaction() as session:
        actions = set(session.scalars(sa.select(m.AuditEntry.action)))
        assert {"release.added", "release.revoked"} <= actions
        assert audit.first_broken_entry(session) is None


def test_a_claim_asks_again_at_the_last_moment(equipped: Studio, tmp_path: Path, clock: Clock) -> None:
    turn_real(equipped, "Aiko")
    release(equipped, tmp_path, "Aiko", valid_until=equipped.house.now() + timedelta(minutes=5))
    equipped.project("Aurora").submit(characters=["Aiko"])
    clock.advance(600)
    equipped.work.check_workers()
    drive(equipped)
    with equipped.transaction() as session:
        states = session.scalars(sa.select(m.GpuTask.status_id).order_by(m.GpuTask.id)).all()
        errors = set(session.scalars(sa.select(m.GpuTask.error_code)))
    assert states == [TaskStatus.FAILED, TaskStatus.CANCELLED, TaskStatus.CANCELLED]
    assert "rights.no_cover" in errors
    assert "ended" in str(equipped.project("Aurora").scene("Aiko", "sway", "clothed").head()["failure_reason"])
