"""Deliveries: what is missing is named, the ZIP is exact, whole or absent, and verified."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa

from x121lib import media
from x121lib import model as m
from x121lib.base.errors import ForbiddenError, RefusedError
from x121lib.delivery.service import IncompleteDeliveryError
from x121lib.store.errors import AlteredArtifactError
from x121lib.studio import Studio
from x121lib.studio.project import ProjectHandle
from x121lib.terms.roles import Actor


@pytest.fixture
def approved(reviewed: Studio) -> ProjectHandle:
    """Return the project with Aiko's two scenes and Lena's approved; Lena's *idle* was never made."""
    project = reviewed.project("Aurora")
    project.approve_passing()
    return project


def rows(studio: Studio) -> list[str]:
    return list(studio.project("Aurora").deliveries()["status"])


@pytest.mark.capability("PRD-39/delivery-validation")
def test_what_is_missing_is_named_before_anything_is_written(reviewed: Studio, tmp_path: Path) -> None:
    project = reviewed.project("Aurora")
    reviewed.decide(project.scene("Aiko", "sway", "clothed").scene_id, "approve")
    out = tmp_path / "new" / "aurora.zip"
    with pytest.raises(IncompleteDeliveryError) as refusal:
        project.deliver(out)
    assert set(refusal.value.missing) == {
        "Aiko: idle.mp4 is not approved (in review).", "Lena: sway.mp4 is not approved (in review).",
        "Lena: idle.mp4 was never generated.",
    }  # fmt: skip
    assert "--partial" in str(refusal.value)
    assert not out.parent.exists()
    assert rows(reviewed) == []


@pytest.mark.capability("PRD-01/delivery-structure", "PRD-39/project-zip-export", "PRD-39/per-character-packaging",
                        "PRD-39/automatic-naming", "PRD-01/naming-convention")  # fmt: skip
def test_the_zip_has_the_contractual_structure(reviewed: Studio, approved: ProjectHandle, tmp_path: Path) -> None:
    package = approved.deliver(tmp_path / "aurora.zip", partial=True)
    with zipfile.ZipFile(package.path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "Aiko/clothed.png", "Aiko/idle.mp4", "Aiko/idle.receipt.json", "Aiko/metadata.json", "Aiko/sway.mp4",
            "Aiko/sway.receipt.json", "Lena/clothed.png", "Lena/metadata.json", "Lena/sway.mp4",
            "Lena/sway.receipt.json",
        ]  # fmt: skip
        archive.extract("Aiko/idle.mp4", tmp_path)
        assert media.probe(tmp_path / "Aiko" / "idle.mp4").n_frames == 145
        assert archive.read("Aiko/clothed.png")[:8] == b"\x89PNG\r\n\x1a\n"
    assert package.sha256 == hashlib.sha256(package.path.read_bytes()).hexdigest()
    assert (package.n_files, package.n_bytes) == (10, package.path.stat().st_size)
    frame = approved.deliveries()
    assert list(frame["status"]) == ["complete"]
    assert bool(frame.iloc[0]["partial"])
    with reviewed.transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(m.DeliveryItem)) == 5
        delivery = session.scalars(sa.select(m.Delivery)).one()
    assert delivery.manifest is not None
    assert delivery.manifest["missing"] == ["Lena: idle.mp4 was never generated."]


@pytest.mark.capability("PRD-13/character-metadata-json", "PRD-13/video-metadata-json")
def test_metadata_and_receipts_lie_beside_the_videos(approved: ProjectHandle, tmp_path: Path) -> None:
    package = approved.deliver(tmp_path / "a.zip", characters=["Aiko"])
    with zipfile.ZipFile(package.path) as archive:
        metadata = json.loads(archive.read("Aiko/metadata.json"))
        receipt = json.loads(archive.read("Aiko/sway.receipt.json"))
        video = hashlib.sha256(archive.read("Aiko/sway.mp4")).hexdigest()
    assert metadata["name"] == "Aiko"
    assert (metadata["age"], metadata["height_cm"], metadata["hair_color"]) == (34, 163, "black")
    assert [s["segment"] for s in receipt["segments"]] == [1, 2, 3]
    assert video in json.dumps(receipt)


def test_an_interruption_leaves_no_file_and_a_failed_row(
    reviewed: Studio, approved: ProjectHandle, tmp_path: Path
) -> None:
    class Stop(BaseException):
        """What Ctrl-C is: no `Exception`."""

    seen: list[str] = []

    def stop(path: str) -> None:
        seen.append(path)
        if len(seen) == 3:
            raise Stop

    out = tmp_path / "out" / "aurora.zip"
    with pytest.raises(Stop):
        approved.deliver(out, partial=True, progress=stop)
    assert list(out.parent.iterdir()) == []
    assert rows(reviewed) == ["failed"]
    assert approved.deliver(out, partial=True).path == out
    assert rows(reviewed) == ["complete", "failed"]


def test_an_altered_video_is_refused_while_packing_and_an_older_zip_stays(
    reviewed: Studio, approved: ProjectHandle, tmp_path: Path
) -> None:
    out = tmp_path / "aurora.zip"
    out.write_bytes(b"the older one")
    video = approved.scene("Aiko", "sway", "clothed").video()
    assert video is not None
    video.chmod(0o644)
    content = bytearray(video.read_bytes())
    content[len(content) // 2] ^= 1
    video.write_bytes(content)
    with pytest.raises(AlteredArtifactError):
        approved.deliver(out, partial=True)
    assert out.read_bytes() == b"the older one"
    assert [p.name for p in tmp_path.iterdir() if "part" in p.name] == []
    assert rows(reviewed) == ["failed"]


def test_drafts_are_not_delivered(reviewed: Studio, approved: ProjectHandle, tmp_path: Path) -> None:
    with reviewed.transaction() as session:
        draft = session.scalars(sa.select(m.Tier.id).where(m.Tier.name == "Draft")).one()
        session.execute(sa.update(m.Scene).values(tier_id=draft))
    with pytest.raises(IncompleteDeliveryError, match="made at a tier that is not delivered"):
        approved.deliver(tmp_path / "a.zip")
    with pytest.raises(RefusedError, match="no approved scene"):
        approved.deliver(tmp_path / "a.zip", partial=True)


def test_a_reviewer_may_not_deliver(reviewed: Studio, approved: ProjectHandle, reviewer: Actor, tmp_path: Path) -> None:
    with pytest.raises(ForbiddenError):
        reviewed.as_actor(reviewer).project("Aurora").deliver(tmp_path / "a.zip", partial=True)
    assert list(tmp_path.glob("*.zip")) == []
    assert approved.deliveries().empty
